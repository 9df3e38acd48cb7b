#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Round-trip times by Poll Sequences, the C bit and another DSCP: against BIRD, FRR and ourselves. Both of them answer polls at once.
. "$(dirname "$0")/lib.sh"
need bird birdc tshark

interop_links

# Decoded, in order of time: source, P, F, C, D, DSCP.
capture_start() {
	lab_start a tshark tshark -q -i x1 -w "$RUN/wire.pcap" -f "udp port 3784"
	TSHARK=$PID
	wait_for 30 "tshark listens" test -s "$RUN/wire.pcap"
}

capture_end() {
	lab_stop "$TSHARK" INT || true
}

wire() { # FILTER    how many packets
	tshark -r "$RUN/wire.pcap" -Y "$1" 2>/dev/null | wc -l
}

ours() { # ADDRESS FIELD
	ctl a peer "$1" | jq -r ".rtt.$2"
}

measured() { # PEER COUNT
	ctl a peer "$1" | jq -e ".rtt != null and .rtt.count >= $2" >/dev/null
}

bfdd_a() { # MORE-OF-THE-PROFILE
	bfdd_start a <<-END
		profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; rtt-interval = 100; $1 } );
		peers = (
		  { name = "v4"; address = "10.0.0.1"; interface = "x1"; profile = "p"; },
		  { name = "v6"; address = "2001:db8:1::b"; interface = "x1"; profile = "p"; dscp = 10; },
		  { name = "still"; address = "fe80::b"; interface = "x1"; profile = "rfc7419-100ms"; }
		);
	END
}

# Each answer is for one poll, and none is sent beside the schedule: RFC 5880 6.5.
check_rtt() { # WHO
	local peer
	for peer in v4 v6; do
		wait_for 20 "$1: 20 round trips of $peer" measured $peer 20
		ctl a peer $peer | jq -c .rtt
		ctl a peer $peer | jq -e '.rtt | .minimum > 0 and .minimum <= .mean and .minimum <= .last and .mean <= .p99 and .p99 <= .maximum' \
			>/dev/null || fail "$1: no order in what was measured of $peer"
		# A veth pair and a process that wakes: the best of twenty is not milliseconds.
		at_most "$1: the shortest round trip of $peer, ms" "$(ours $peer minimum)" $((5 * SLACK))
	done
	equal "$1: who does not measure has nothing" "$(peer_field a still rtt)" null
	# Not of "still", whose 300 ms are too few for another daemon on a busy machine.
	equal "$1: times that sessions came up" "$(ctl a peers | jq '[.[] | select(.name != "still") | .["up-transitions"]] | add')" 2
}

step "BIRD answers, and hears of the C bit"
cat >"$RUN/bird.conf" <<END
log stderr all;
router id 10.0.0.1;
protocol device {}
protocol bfd {
	interface "x1" { min rx interval 50 ms; min tx interval 50 ms; multiplier 20; };
	neighbor 10.0.0.0 dev "x1";
	neighbor 2001:db8:1::a dev "x1";
	neighbor fe80::a dev "x1";
}
END
capture_start
bfdd_a "detect-multiplier = 20; control-plane-independent = true;"
lab_start b bird bird -f -c "$RUN/bird.conf" -s "$RUN/bird.ctl" -P "$RUN/bird.pid"
BIRD=$PID
wait_up a v4 v6 still
check_rtt BIRD
equal "a profile of RFC 7419" "$(ctl a peer still | jq -c '[.["configured-transmit-interval"], .["configured-receive-interval"], .["detect-multiplier"]]')" "[100,100,3]"

step "a change of timers while it is measured is agreed upon as ever"
sed -i 's/transmit-interval = 50; receive-interval = 50/transmit-interval = 80; receive-interval = 70/' "$RUN/bfdd-a.conf"
ctl a reload >/dev/null
slower() {
	ctl a peers | jq -e 'all(.name == "still" or (.["transmit-interval"] == 80 and .["detection-time"] == 1400))' >/dev/null
}
wait_for 10 "80 ms, 20 x 70 ms" slower
check_rtt "BIRD, slower"

step "what was on the wire"
capture_end
at_least "polls of ours" "$(wire 'ip.src == 10.0.0.0 && bfd.flags.p == 1')" 20
equal "each packet of ours to v4 with the C bit" "$(wire 'ip.src == 10.0.0.0 && bfd.flags.c == 0')" 0
equal "none to whom it is not configured" "$(wire 'ipv6.src == fe80::a && bfd.flags.c == 1')" 0
equal "CS6 to v4" "$(wire 'ip.src == 10.0.0.0 && ip.dsfield.dscp != 48')" 0
equal "AF11 to v6" "$(wire 'ipv6.src == 2001:db8:1::a && ipv6.tclass.dscp != 10')" 0
at_least "packets to v6" "$(wire 'ipv6.src == 2001:db8:1::a && ipv6.tclass.dscp == 10')" 20
equal "P and F in one" "$(wire 'bfd.flags.p == 1 && bfd.flags.f == 1')" 0
bfdd_stop a
lab_stop "$BIRD"

step "bfdd answers, also in frames and with the filter in the kernel"
bfdd_start b <<-END
	profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; detect-multiplier = 20; control-plane-independent = true; } );
	peers = (
	  { name = "v4"; address = "10.0.0.0"; interface = "x1"; profile = "p"; },
	  { name = "v6"; address = "2001:db8:1::a"; interface = "x1"; profile = "p"; },
	  { name = "still"; address = "fe80::a"; interface = "x1"; profile = "p"; }
	);
END
capture_start
bfdd_a "detect-multiplier = 20;"
wait_up a v4 v6 still
check_rtt bfdd
capture_end
equal "its C bit is seen" "$(ctl a peer v4 | jq '.["remote-control-plane-independent"]')" true
equal "AF11 to v6, in frames too" "$(wire 'ipv6.src == 2001:db8:1::a && ipv6.tclass.dscp != 10')" 0
step "who asks once gets an answer"
equal "before" "$(ctl a peer still | jq -r '.rtt')" null
was=$(ctl a peer still | jq -r '.["last-poll-answered"]')
ctl a poll still >/dev/null
answered() {
	[ "$(ctl a peer still | jq -r '.["last-poll-answered"]')" != "$was" ]
}
wait_for 5 "still is there" answered
bfdd_stop b
wait_for 10 "v4 is down" peer_is a v4 down
! ctl a poll v4 2>/dev/null || fail "who is not up is asked"
! ctl a poll nobody 2>/dev/null || fail "nobody is asked"
bfdd_stop a

if [ ! -x /usr/lib/frr/bfdd ]; then
	echo "frr is not installed: its part is left out"
	exit 0
fi
step "FRR answers"
FRR=$RUN/frr
mkdir "$FRR"
{
	echo "bfd"
	for peer in "10.0.0.0 local-address 10.0.0.1" "2001:db8:1::a local-address 2001:db8:1::b" "fe80::a local-address fe80::b"; do
		printf ' peer %s interface x1\n  transmit-interval 50\n  receive-interval 50\n  detect-multiplier 20\n !\n' "$peer"
	done
	echo "!"
} >"$FRR/bfdd.conf"
: >"$FRR/zebra.conf"
chown -R frr:frr "$FRR"
for daemon in zebra bfdd; do
	options=()
	[ $daemon != bfdd ] || options=(--bfdctl "$FRR/bfdd.sock")
	lab_start b frr-$daemon /usr/lib/frr/$daemon -f "$FRR/$daemon.conf" -z "$FRR/zserv.api" --vty_socket "$FRR" \
		-i "$FRR/$daemon.pid" --log stdout "${options[@]}"
	[ $daemon = bfdd ] || wait_for 10 "zebra listens" test -S "$FRR/zserv.api"
done
bfdd_a "detect-multiplier = 20;"
wait_up a v4 v6 still
check_rtt FRR
bfdd_stop a
