#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets as whole frames: the same bytes as routed ones, one routed each second; neighbours, addresses and links that change;
# a firewall that is not got past.
. "$(dirname "$0")/lib.sh"
need tshark

lab_ns a b
lab_link a x1 b x1
lab_addr a x1 10.0.0.0/31 2001:db8:1::a/64 fe80::a/64
lab_addr b x1 10.0.0.1/31 2001:db8:1::b/64 fe80::b/64
# Whoever changes its address says so, as routers do.
for name in a b; do
	lab_in $name sh -c 'echo 1 >/proc/sys/net/ipv4/conf/x1/arp_notify; echo 1 >/proc/sys/net/ipv6/conf/x1/ndisc_notify'
	lab_in $name sysctl -qw net.ipv6.conf.all.forwarding=0
done

config() { # FAR INTERVAL PACKET-SOCKET    its addresses end in FAR
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = $2; receive-interval = $2; } );
		peers = ( { name = "v4"; address = "10.0.0.$((16#$1 - 10))"; interface = "x1"; profile = "p"; },
		  { name = "v6"; address = "2001:db8:1::$1"; interface = "x1"; profile = "p"; },
		  { name = "ll"; address = "fe80::$1"; interface = "x1"; profile = "p"; } );
		daemon = { packet-socket = $3; };
	END
}

PEERS="v4 v6 ll"
declare -A ROUTED
path_is() { # NAME PATH PEER...
	local name=$1 path=$2 peer
	shift 2
	for peer; do
		[ "$(ctl "$name" peer "$peer" | jq -r '.["transmit-path"]')" = "$path" ] || return 1
	done
}

downs() { # NAME
	ctl "$1" peers | jq 'map(.["down-transitions"]) | add'
}

mac_of() { # NAME
	lab_in "$1" ip -j link show x1 | jq -r '.[0].address'
}

# What a routed: netfilter does not see frames.
lab_in a nft -f - <<-END
	table inet count {
		counter v4 { }
		counter v6 { }
		counter ll { }
		chain out {
			type filter hook output priority 0
			udp dport 3784 ip daddr 10.0.0.1 counter name v4
			udp dport 3784 ip6 daddr 2001:db8:1::b counter name v6
			udp dport 3784 ip6 daddr fe80::b counter name ll
		}
	}
END

routed() { # PEER    during the last capture
	echo "${ROUTED[$1]}"
}

count_routed() { # PEER
	lab_in a nft -j list counter inet count "$1" | jq '.nftables[] | select(.counter) | .counter.packets'
}

# What arrives at b in SECONDS: $RUN/TAG.PEER has each packet of a, whole, as a line of hexadecimal digits.
capture() { # TAG SECONDS
	local peer filter begin
	lab_in a nft reset counters >/dev/null
	begin=$(lab_now)
	lab_start b "$1" tshark -q -i x1 -w "$RUN/$1.pcap" -f 'udp dst port 3784 and inbound' -a "duration:$2"
	wait_for 30 "$1 is captured" lab_gone "$PID"
	for peer in $PEERS; do
		ROUTED[$peer]=$(count_routed "$peer")
	done
	# A packet in each second, and a first one.
	ROUTED_MOST=$((($(lab_now) - begin) * 5 / 4 / 1000000 + 3))
	for peer in $PEERS; do
		case $peer in
		v4) filter='ip' ;;
		v6) filter='ipv6.src == 2001:db8:1::a' ;;
		ll) filter='ipv6.src == fe80::a' ;;
		esac
		tshark -r "$RUN/$1.pcap" -Y "$filter" -x 2>/dev/null | awk '
			NF { line = line substr($0, 7, 47) }
			!NF && line != "" { gsub(" ", "", line); print line; line = "" }
			END { if (line != "") print line }' >"$RUN/$1.$peer"
	done
}

bfdd_start a < <(config b 50 true)
bfdd_start b < <(config a 50 true)
# shellcheck disable=SC2086
wait_up a $PEERS
# shellcheck disable=SC2086
wait_up b $PEERS

step "peers whose neighbour entries are there are sent frames"
# shellcheck disable=SC2086
wait_for 5 "a sends frames" path_is a packet-socket $PEERS
# shellcheck disable=SC2086
wait_for 5 "b sends frames" path_is b packet-socket $PEERS

settled() { # NAME    the Poll Sequences are over: packets say the same from now on
	ctl "$1" peers | jq -e 'all(.["transmit-interval"] == 50 and .["detection-time"] == 150)' >/dev/null
}
wait_for 5 "values are agreed" settled a
wait_for 5 "values are agreed" settled b

step "both ways give the same bytes; one packet a second is routed"
capture frames 4
for peer in $PEERS; do
	total=$(wc -l <"$RUN/frames.$peer")
	at_least "packets of $peer" "$total" 60
	at_least "of them routed" "$(routed $peer)" 4
	at_most "of them routed" "$(routed $peer)" $ROUTED_MOST
	equal "different ones" "$(sort -u "$RUN/frames.$peer" | wc -l)" 1
done
lab_start a local tshark -i x1 -c 30 -f 'udp dst port 3784 and outbound' -w "$RUN/local.pcap"
wait_for 10 "they are seen by a capture at a" lab_gone "$PID"

step "switched off by a reload; switched on again"
config b 50 false >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
# shellcheck disable=SC2086
wait_for 5 "a routes" path_is a routed $PEERS
capture routed 3
for peer in $PEERS; do
	at_least "routed packets of $peer" "$(routed $peer)" "$(wc -l <"$RUN/routed.$peer")"
	at_least "packets of $peer" "$(wc -l <"$RUN/routed.$peer")" 45
	equal "the bytes of $peer" "$(sort -u "$RUN/routed.$peer")" "$(sort -u "$RUN/frames.$peer")"
done
config b 50 true >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
# shellcheck disable=SC2086
wait_for 5 "a sends frames" path_is a packet-socket $PEERS

step "an address on either side changes"
DOWNS=$(downs a)
for name in b a; do
	lab_in $name ip link set x1 address 02:00:00:00:0$name:01
	for at in a b; do
		# shellcheck disable=SC2086
		wait_for 5 "$at sends frames" path_is $at packet-socket $PEERS
	done
	stays 1 "all up" all_up a
done
equal "downs at a" "$(downs a)" "$DOWNS"
capture moved 2
for peer in $PEERS; do
	at_most "routed of $peer" "$(routed $peer)" $ROUTED_MOST
	at_least "packets of $peer" "$(wc -l <"$RUN/moved.$peer")" 30
	equal "addresses of $peer" "$(cut -c 1-24 "$RUN/moved.$peer" | sort -u)" \
		"$(mac_of b | tr -d :)$(mac_of a | tr -d :)"
done

step "a neighbour entry that is deleted comes back"
DOWNS=$(downs a)
lab_in a ip neigh del 10.0.0.1 dev x1
wait_for 5 "a sends frames" path_is a packet-socket v4
equal "downs at a" "$(downs a)" "$DOWNS"

step "a neighbour that does not answer is routed to"
lab_in b nft 'table arp deaf { chain in { type filter hook input priority 0; policy drop; }; }'
lab_in a ip neigh del 10.0.0.1 dev x1
wait_for 5 "a routes" path_is a routed v4
wait_for 5 "b hears nothing" peer_is b v4 down
path_is a routed v4 || fail "frames to a neighbour that failed"
path_is a packet-socket v6 || fail "the others are no concern of it"
lab_in b nft delete table arp deaf
wait_up a v4
wait_for 5 "a sends frames" path_is a packet-socket v4

step "a firewall is not got past, not even until the next packet that would be routed anyway"
walled=$(date +%s%6N)
lab_in a nft 'table inet wall { chain out { type filter hook output priority 0; udp dport 3784 drop; }; }'
for peer in $PEERS; do
	wait_for 5 "b hears nothing of $peer" peer_is b $peer down
	down=$(date -d "$(ctl b --json peers | jq -r --arg peer $peer '.[] | select(.name == $peer) | .since')" +%s%6N)
	at_most "us from the wall to Down" $((down - walled)) $((500000 * SLACK))
done
lab_in a nft delete table inet wall
# shellcheck disable=SC2086
wait_up a $PEERS

step "carrier that is lost and comes back"
lab_in b ip link set x1 down
wait_for 5 "a waits" path_is a null $PEERS
lab_in b ip link set x1 up
lab_addr b x1 2001:db8:1::b/64 fe80::b/64 2>/dev/null || true
# shellcheck disable=SC2086
wait_up a $PEERS
# shellcheck disable=SC2086
wait_for 5 "a sends frames" path_is a packet-socket $PEERS

step "a peer's interface is made anew"
lab_in b ip link del x1
wait_for 5 "a waits" path_is a null $PEERS
lab_link a x1 b x1
lab_addr a x1 10.0.0.0/31 2001:db8:1::a/64 fe80::a/64
lab_addr b x1 10.0.0.1/31 2001:db8:1::b/64 fe80::b/64
# shellcheck disable=SC2086
wait_up a $PEERS
# shellcheck disable=SC2086
wait_for 5 "a sends frames" path_is a packet-socket $PEERS

bfdd_stop a
bfdd_stop b
