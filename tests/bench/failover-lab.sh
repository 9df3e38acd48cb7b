# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # what is said here and there: FAULT_FROM; family, count
#
# For failover.sh, after lib.sh: the network, and what is broken in it. Global are daemon (bird or frr), family (ipv4 or
# ipv6), count (of prefixes) and interval (ms).
#
#     p --- e --- (w) --- r1 --- c        p  a caller            e       the edge
#             \-- (w) --- r2 --/          c  the voice cloud     r1, r2  routers, r1 preferred
#
#   topology                         once
#   prefixes_write                   $RUN/prefixes, and a host in the first and the last of them: FIRST, LAST
#   edge_address N, router_address N     the ends of the link to the router N
#   fault_begin FAULT                returns when it has happened, between FAULT_FROM and FAULT_TO (us)
#   fault_end FAULT

BLOCK4=100.64.0.0/10
BLOCK6=2001:db8:f000::/36

topology() {
	local n
	lab_ns p e w c r1 r2
	lab_link p edge e phone
	lab_addr p edge 10.99.0.1/31 2001:db8:99::b/64
	lab_addr e phone 10.99.0.0/31 2001:db8:99::a/64
	lab_in p ip route add default via 10.99.0.0
	lab_in p ip route add default via 2001:db8:99::a
	# The second first: when a veth has the same index as its other end, the kernel takes its time, up to a second, to tell
	# that its carrier is lost.
	for n in 2 1; do
		lab_wire w e r$n r$n edge
		lab_addr e r$n 192.0.2.$((2 * n))/31 2001:db8:$n::a/64
		lab_addr r$n edge 192.0.2.$((2 * n + 1))/31 2001:db8:$n::b/64
		lab_link r$n cloud c r$n
		lab_addr r$n cloud 198.51.100.$((2 * n))/31 2001:db8:c$n::a/64
		lab_addr c r$n 198.51.100.$((2 * n + 1))/31 2001:db8:c$n::b/64
		lab_in r$n ip route add $BLOCK4 via 198.51.100.$((2 * n + 1))
		lab_in r$n ip route add $BLOCK6 via 2001:db8:c$n::b
	done
	lab_in c ip route add local $BLOCK4 dev lo
	lab_in c ip route add local $BLOCK6 dev lo
	lab_in w nft -f - <<-END
		table netdev fault {
			chain in {
				type filter hook ingress devices = { r1.a, r1.b } priority 0;
			}
		}
	END
}

# /28s, and /64s.
prefixes_write() {
	awk -v n="$count" -v family="$family" 'BEGIN {
		for (i = 0; i < n; i++)
			if (family == "ipv4")
				printf "100.%d.%d.%d/28\n", 64 + int(i / 4096), int(i / 16) % 256, i % 16 * 16
			else
				printf "2001:db8:%x:%x::/64\n", 61440 + int(i / 65536), i % 65536
	}' >"$RUN/prefixes"
	FIRST=$(host_in "$(head -1 "$RUN/prefixes")")
	LAST=$(host_in "$(tail -1 "$RUN/prefixes")")
}

host_in() { # PREFIX: its host number 5
	local address=${1%/*}
	case $address in
	*:) echo "${address}5" ;;
	*) echo "${address%.*}.$((${address##*.} + 5))" ;;
	esac
}

edge_address() { # N
	[ "$family" = ipv4 ] && echo 192.0.2.$((2 * $1)) || echo "2001:db8:$1::a"
}

router_address() { # N
	[ "$family" = ipv4 ] && echo 192.0.2.$((2 * $1 + 1)) || echo "2001:db8:$1::b"
}

sleep_until() { # US
	local left=$(($1 - $(lab_now)))
	[ $left -le 0 ] || sleep "$((left / 1000000)).$(printf %06d $((left % 1000000)))"
}

# The kernel drops what comes in by these interfaces from a whole second on: no process has to be in time for it.
drop_from() { # SECOND INTERFACE,...
	lab_in w nft "add rule netdev fault in iifname { $2 } meta time >= $1 drop"
}

fault_begin() { # FAULT
	local second=$((($(lab_now) + 1500000) / 1000000)) now
	FAULT_FROM=${second}000000 FAULT_TO=${second}000000
	case $1 in
	silent | killed | stopped) drop_from $second "r1.a, r1.b" ;;
	inbound) drop_from $second r1.b ;;
	outbound) drop_from $second r1.a ;;
	esac
	now=$(lab_now)
	[ "$now" -lt "$FAULT_FROM" ] || FAULT_TO=$now # the rule came late
	case $1 in
	stopped)
		sleep_until $((FAULT_FROM - 20000))
		speaker_signal e STOP
		;;
	carrier)
		sleep_until "$FAULT_FROM"
		FAULT_FROM=$(lab_now)
		lab_in w ip link set r1.a down
		FAULT_TO=$(lab_now)
		;;
	esac
	sleep_until $((FAULT_TO + 1000))
	[ "$1" != killed ] || speaker_stop r1 KILL
}

fault_end() { # FAULT
	case $1 in
	carrier) lab_in w ip link set r1.a up ;;
	killed) speaker_start r1 bfd ;;
	esac
	lab_in w nft flush chain netdev fault in
	[ "$1" != stopped ] || speaker_signal e CONT
}
