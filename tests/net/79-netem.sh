#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sessions of 3 x 300 ms over bad lines: delay, jitter, disorder, doubles and losses that detection bears make no Down, and a
# line that is dead does. An emulated processor stands still for 100 ms and more: what is said here in hundreds of milliseconds
# holds for tens elsewhere (3 x 50 ms is 3 x 300 ms six times as fast).
[ -n "${BFDD_VM-}" ] || exec "$(dirname "$0")/../../scripts/vm" -t "${VM_LIMIT-235}" bash "$0"
. "$(dirname "$0")/lib.sh"
need tc ping

lab_ns a b
lab_link a x1 b x1
lab_addr a x1 10.0.0.0/31 fe80::a/64
lab_addr b x1 10.0.0.1/31 fe80::b/64

config() { # FAR-IPV4 FAR-IPV6
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 300; receive-interval = 300; } );
		peers = ( { name = "v4"; address = "$1"; interface = "x1"; profile = "p"; },
		  { name = "v6"; address = "$2"; interface = "x1"; profile = "p"; },
		  { name = "patient"; address = "$3"; local-address = "$4"; interface = "x1"; profile = "p"; detect-multiplier = 10; } );
	END
}

line() { # NETEM-WORDS...    both ways, from now on
	local end
	for end in a b; do
		lab_in "$end" tc qdisc replace dev x1 root netem "$@"
	done
}

downs() { # PEER...    a process costs much where the processor is emulated
	local end names
	names=$(printf '"%s",' "$@")
	for end in a b; do
		ctl $end peers | jq -c --argjson names "[${names%,}]" '[.[] | select(.name | IN($names[])) | .["down-transitions"]]'
	done
}

# What the line did to packets, by its own word.
line_says() { # FIELD
	lab_in a tc -s qdisc show dev x1 | grep -o "$1 [0-9]*" | sed 's/.* //'
}

packets_in() { # PEER
	peer_field b "$1" packets-in
}

all_are() { # STATE
	states_like a '*' "$1" && states_like b '*' "$1"
}

# 30 packets of PEER come through, and none of PEERS goes down.
bears() { # WHAT PEER PEERS...
	local what=$1 peer=$2 before have
	shift 2
	have=$(downs "$@")
	before=$(packets_in "$peer")
	wait_for 40 "30 packets over a line with $what" came_since "$peer" "$before"
	equal "Downs of $* with $what" "$(downs "$@")" "$have"
}

came_since() { # PEER BEFORE
	[ "$(packets_in "$1")" -ge $(($2 + 30)) ]
}

lab_addr a x1 10.0.1.0/31
lab_addr b x1 10.0.1.1/31
bfdd_start a < <(config 10.0.0.1 fe80::b 10.0.1.1 10.0.1.0)
bfdd_start b < <(config 10.0.0.0 fe80::a 10.0.1.0 10.0.1.1)
wait_for 20 "all are up" all_are up
bears "nothing wrong" v4 v4 v6 patient

step "delay with jitter"
line delay 120ms 30ms
at_least "ms there and back" "$(lab_in a ping -c 3 -i 0.2 -q 10.0.0.1 | sed -n 's,^rtt[^=]*= [0-9.]*/\([0-9.]*\)/.*,\1,p')" 150
bears "120 ms of delay, 30 of jitter" v4 v4 v6 patient

step "disorder: a quarter overtakes what waits 400 ms"
line delay 400ms reorder 25% 50%
bears "disorder" v4 v4 v6 patient

step "doubles"
line duplicate 50%
bears "doubles" v6 v4 v6 patient

step "one in five lost: a session of 10 x 300 ms bears that"
line loss 20%
bears "losses" patient patient
at_least "packets lost" "$(line_says dropped)" 5

step "every third lost, never two in a row: 3 x 300 ms bears that"
line delay 1ms
for end in a b; do
	lab_in $end nft -f - <<-END
		table netdev thirds {
			chain in {
				type filter hook ingress device x1 priority 0
				ip daddr 10.0.0.0/31 udp dport 3784 numgen inc mod 3 == 0 counter drop
				ip daddr 10.0.1.0/31 udp dport 3784 numgen inc mod 3 == 0 counter drop
				ip6 nexthdr udp udp dport 3784 numgen inc mod 3 == 0 counter drop
			}
		}
	END
done
bears "every third lost" v4 v4 v6 patient
at_least "packets dropped of v4" "$(lab_in a nft -j list chain netdev thirds in | jq '[.. | .counter? | select(. != null) | .packets][0]')" 8

step "a dead line"
line loss 100%
wait_for 10 "all are down" all_are down
equal "diagnostic" "$(peer_field a v4 diagnostic)" control-expiry
line delay 120ms 30ms
wait_for 20 "all are up" all_are up
for end in a b; do
	bfdd_stop $end
done
