#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Demand mode (RFC 5880 6.6): one-sided, at both ends, entered and left by a reload, a dead peer; and what BIRD and FRR do when asked.
. "$(dirname "$0")/lib.sh"
need tshark

interop_links

capture_start() { # DEVICE
	rm -f "$RUN/wire.pcap"
	lab_start a tshark tshark -q -i "$1" -w "$RUN/wire.pcap" -f "udp port 3784"
	TSHARK=$PID
	wait_for 30 "tshark listens" test -s "$RUN/wire.pcap"
}

capture_end() {
	lab_stop "$TSHARK" INT || true
}

wire() { # FILTER    how many packets
	tshark -r "$RUN/wire.pcap" -Y "$1" 2>/dev/null | wc -l
}

bfdd_pair() { # A'S-WORDS B'S-WORDS
	pair_conf b 10.0.0.0 "$2"
	pair_conf a 10.0.0.1 "$1"
	bfdd_restart b
	bfdd_restart a
	wait_up a p
	wait_up b p
}

pair_conf() { # NAME ADDRESS WORDS
	echo "peers = ( { name = \"p\"; address = \"$2\"; interface = \"x1\"; transmit-interval = 50; receive-interval = 50;
		detect-multiplier = 20; $3 } );" >"$RUN/bfdd-$1.conf"
}

reload() { # NAME ADDRESS WORDS
	pair_conf "$@"
	ctl "$1" reload >/dev/null
}

field() { # NAME FIELD
	ctl "$1" peer p | jq -r ".[\"$2\"]"
}

is() { # NAME FIELD VALUE
	[ "$(field "$1" "$2")" = "$3" ]
}

# No session has left Up since the last look.
no_flap() { # WHAT
	equal "$1: Downs at a" "$(field a down-transitions)" "${DOWNS_A-0}"
	equal "$1: Downs at b" "$(field b down-transitions)" "${DOWNS_B-0}"
}

in_demand() { # NAME    what NAME says is known to its peer
	is "$1" demand-active true && is "$1" poll-active false
}

step "one-sided: a demands, b is silent but for answers, a goes on"
bfdd_pair "demand-mode = true; demand-poll-interval = 500;" ""
wait_for 10 "a demands" in_demand a
wait_for 5 "b knows" is b remote-demand true
wait_for 5 "b sends nothing periodic" is b transmit-interval 0
equal "b demands nothing" "$(field b demand-active)" false
equal "detection at a: our 20 x 50 ms" "$(field a detection-time)" 1000
capture_start x1
stays 3 "both up" all_up a
capture_end
all_up b || fail "b is not up"
at_least "packets of a" "$(wire 'ip.src == 10.0.0.0')" 40
at_least "polls of a" "$(wire 'ip.src == 10.0.0.0 && bfd.flags.p == 1')" 2
equal "packets of b that are no answers" "$(wire 'ip.src == 10.0.0.1 && bfd.flags.f == 0')" 0
equal "an answer to each poll" "$(wire 'ip.src == 10.0.0.1 && bfd.flags.f == 1')" "$(wire 'ip.src == 10.0.0.0 && bfd.flags.p == 1')"
equal "packets of a without D" "$(wire 'ip.src == 10.0.0.0 && bfd.flags.d == 0')" 0
no_flap "one-sided"

step "b demands too: silence"
reload b 10.0.0.0 "demand-mode = true; demand-poll-interval = 700;"
wait_for 10 "b demands" in_demand b
wait_for 5 "a sends nothing periodic" is a transmit-interval 0
capture_start x1
stays 3 "both up" all_up a
capture_end
equal "packets that are neither polls nor answers" "$(wire 'bfd.flags.p == 0 && bfd.flags.f == 0')" 0
at_least "polls" "$(wire 'bfd.flags.p == 1')" 4
at_most "packets in three seconds" "$(wire bfd)" $((40 * SLACK))
no_flap "both"

step "intervals are changed in the silence"
reload a 10.0.0.1 "demand-mode = true; demand-poll-interval = 0; rtt-interval = 0;"
sed -i 's/receive-interval = 50/receive-interval = 90/' "$RUN/bfdd-a.conf"
ctl a reload >/dev/null
b_heard() {
	is b remote-receive-interval 90
}
wait_for 5 "b hears of it" b_heard
no_flap "changed"

step "both leave it: packets flow again"
reload b 10.0.0.0 ""
wait_for 5 "a sends again" is a transmit-interval 50
reload a 10.0.0.1 ""
wait_for 5 "b sends again" is b transmit-interval 50
left() {
	is a demand-active false && is b demand-active false && is a remote-demand false && is b remote-demand false &&
		is a detection-time 1000 && is b detection-time 1000
}
wait_for 10 "nobody demands" left
stays 2 "both up" all_up a
no_flap "left"

step "a dead peer is found by a poll, and by nothing before"
reload a 10.0.0.1 "demand-mode = true; demand-poll-interval = 0;"
wait_for 10 "a demands" in_demand a
lab_cut w x1
wait_for 5 "b is down" peer_is b p down
stays 2 "a up, as nobody has asked" peer_is a p up
ctl a poll p >/dev/null
wait_for 5 "a is down when the poll has no answer" peer_is a p down
equal "why" "$(field a diagnostic)" control-expiry
has_postmortem() {
	ctl a postmortem p >"$RUN/postmortem.json" 2>/dev/null
}
wait_for 5 "post-mortem" has_postmortem
jq -r .sentence "$RUN/postmortem.json"
jq -e '.verdict == "peer-silent" and (.sentence | startswith("the peer answered no poll for 1"))' "$RUN/postmortem.json" >/dev/null ||
	fail "the post-mortem says otherwise"
bfdd_kill a
bfdd_kill b
bfdd_forget a
bfdd_forget b
lab_heal w

# Up with a that demands; then what the other one sends in three seconds, and whether it answers.
asked() { # WHO
	pair_conf a 10.0.0.1 "demand-mode = true; demand-poll-interval = 500;"
	bfdd_restart a
	wait_up a p
	wait_for 10 "$1 has answered to the D bit" in_demand a
	capture_start x1
	stays 3 "up" all_up a
	capture_end
	equal "$1: an answer to each poll" "$(wire 'ip.src == 10.0.0.1 && bfd.flags.f == 1')" "$(wire 'ip.src == 10.0.0.0 && bfd.flags.p == 1')"
	at_least "$1: polls" "$(wire 'ip.src == 10.0.0.0 && bfd.flags.p == 1')" 2
	PERIODIC=$(wire 'ip.src == 10.0.0.1 && bfd.flags.f == 0')
	echo "$1 sent $PERIODIC packets of its own accord"
	equal "$1: Downs" "$(field a down-transitions)" 0
}

if command -v bird >/dev/null; then
	step "BIRD is asked to be silent"
	cat >"$RUN/bird.conf" <<-END
		log stderr all;
		router id 10.0.0.1;
		protocol device {}
		protocol bfd {
			interface "x1" { min rx interval 50 ms; min tx interval 50 ms; multiplier 20; };
			neighbor 10.0.0.0 dev "x1";
		}
	END
	lab_start b bird bird -f -c "$RUN/bird.conf" -s "$RUN/bird.ctl" -P "$RUN/bird.pid"
	BIRD=$PID
	asked BIRD
	equal "BIRD 2 heeds it: packets of its own accord" "$PERIODIC" 0
	step "BIRD dies in the silence"
	lab_stop "$BIRD" KILL || true
	wait_for 5 "a is down" peer_is a p down
	bfdd_kill a
	bfdd_forget a
fi

if [ -x /usr/lib/frr/bfdd ]; then
	step "FRR is asked to be silent"
	FRR=$RUN/frr
	mkdir "$FRR"
	cat >"$FRR/bfdd.conf" <<-END
		bfd
		 peer 10.0.0.0 local-address 10.0.0.1 interface x1
		  transmit-interval 50
		  receive-interval 50
		  detect-multiplier 20
		 !
		!
	END
	: >"$FRR/zebra.conf"
	chown -R frr:frr "$FRR"
	for daemon in zebra bfdd; do
		options=()
		[ $daemon != bfdd ] || options=(--bfdctl "$FRR/bfdd.sock")
		lab_start b frr-$daemon /usr/lib/frr/$daemon -f "$FRR/$daemon.conf" -z "$FRR/zserv.api" --vty_socket "$FRR" \
			-i "$FRR/$daemon.pid" --log stdout "${options[@]}"
		[ $daemon = bfdd ] || wait_for 10 "zebra listens" test -S "$FRR/zserv.api"
	done
	FRR_BFDD=$PID
	asked FRR
	step "FRR dies"
	lab_stop "$FRR_BFDD" KILL || true
	wait_for 5 "a is down" peer_is a p down
fi
