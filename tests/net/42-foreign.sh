#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Foreign hands: addresses that go and come, objects of ours deleted, ids of ours taken by strangers, carriers that
# are lost for an instant; and a log that says it once.
. "$(dirname "$0")/lib.sh"

three_links

three_links_bfdd

# No interfaces: they are found by the addresses.
edge() { # AMS
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );
		peers = ( { name = "p1"; address = "10.0.1.1"; profile = "p"; },
		  { name = "p2"; address = "10.0.2.1"; profile = "p"; },
		  { name = "p3"; address = "10.0.3.1"; profile = "p"; } );
		sites = ( { name = "ams"; peers = [ $1 ]; }, { name = "fra"; peers = [ "p3" ]; } );
		services = ( { name = "voice"; prefixes = [ "203.0.113.0/24", "198.51.100.0/25" ]; sites = [ "ams", "fra" ];
		  wait-to-restore = 500; } );
	END
}

leaves_by() { # DEVICE
	[ "$(device_to e 203.0.113.5)" = "$1" ]
}

settled() { # both rules stand, both tables are filled
	[ "$(lab_in e ip -4 -o rule list | grep -c '^10[01][0-9]:')" = 2 ] &&
		[ "$(lab_in e ip -4 -o route show table all proto 158 | wc -l)" = 4 ]
}

# `ip route flush` deletes what a dump shows, which for routes on nexthop groups is refused unless compat mode is off.
flush() { # SELECTOR...
	lab_in e sh -c 'echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode; ip route flush "$@"
		echo 1 >/proc/sys/net/ipv4/nexthop_compat_mode' sh "$@"
}

switches() {
	service_field e voice .switches
}

# Lines of the log since the mark that say this.
mark() {
	MARK=$(wc -l <"$RUN/bfdd-e.log")
}

said() { # PATTERN
	tail -n +$((MARK + 1)) "$RUN/bfdd-e.log" | grep -c -- "$1" || true
}

bfdd_start e < <(edge '"p1"')
wait_up e p1 p2 p3
wait_for 5 "ams carries" service_on e voice ams
wait_for 5 "settled" settled

step "the local address goes and comes back: so does the service"
for round in 1 2; do
	lab_in e ip addr del 10.0.1.0/31 dev x1
	wait_for 5 "round $round: fra carries" service_on e voice fra
	lab_addr e x1 10.0.1.0/31
	wait_up e p1
	wait_for 5 "round $round: ams carries" service_on e voice ams
	wait_for 2 "round $round: by x1" leaves_by x1
done

step "the local address moves to another interface"
lab_in e ip addr del 10.0.1.0/31 dev x1
lab_in r ip addr del 10.0.1.1/31 dev x1
lab_addr e x2 10.0.1.0/31
lab_addr r x2 10.0.1.1/31
wait_for 5 "fra carries" service_on e voice fra
lab_in e ip addr del 10.0.1.0/31 dev x2
lab_in r ip addr del 10.0.1.1/31 dev x2
lab_addr e x1 10.0.1.0/31
lab_addr r x1 10.0.1.1/31
wait_up e p1
wait_for 5 "ams carries" service_on e voice ams
wait_for 5 "settled" settled

step "somebody flushes a table of ours: the routes come back, and that is no failover"
table=$(lab_in e ip -4 -o rule list | sed -n 's/^1000:.*lookup \([0-9]*\).*/\1/p')
before=$(switches)
mark
flush table "$table"
wait_for 3 "the routes are back" settled
wait_for 2 "by x1" leaves_by x1
lab_in e ip route del 198.51.100.0/25 table "$table"
wait_for 3 "the one route is back" settled
flush table all proto 158
wait_for 3 "all routes are back" settled
equal "switches" "$(switches)" "$before"
at_least "lines that tell of it" "$(said 'route')" 1

step "somebody flushes all nexthops, or deletes a group, a member, all rules"
lab_in e ip nexthop flush >/dev/null 2>&1
wait_for 5 "ams carries" service_on e voice ams
wait_for 5 "settled" settled
group=$(lab_in e ip -N nexthop show | sed -n 's/^id \([0-9]*\) group.*/\1/p' | head -1)
lab_in e ip nexthop del id "$group"
wait_for 5 "ams carries" service_on e voice ams
wait_for 5 "settled" settled
lab_in e ip nexthop del id "$(lab_in e ip -N nexthop show | sed -n 's/^id \([0-9]*\) via 10.0.1.1 .*/\1/p')"
wait_for 5 "settled" settled
wait_for 5 "by x1" leaves_by x1
for priority in 1000 1001; do
	lab_in e ip rule del priority $priority
done
wait_for 5 "settled" settled
wait_for 5 "by x1" leaves_by x1

step "carriers lost for an instant"
for round in 1 2 3 4 5; do
	lab_in r ip link set x1 down
	lab_in r ip link set x1 up
done
wait_up e p1
wait_for 10 "ams carries" service_on e voice ams
wait_for 5 "settled" settled
wait_for 5 "by x1" leaves_by x1
bfdd_stop e

step "a stranger has an id of ours: said once, tried again now and then; right when it goes"
lab_in e ip nexthop add id 1484783616 via 10.0.2.1 dev x2 protocol 11
: >"$RUN/bfdd-e.log"
mark
bfdd_start e < <(edge '"p1"')
wait_up e p1 p2 p3
wait_for 5 "fra carries" service_on e voice fra
stays 5 "fra carries" service_on e voice fra
at_least "times said" "$(said 'refused')" 1
at_most "times said" "$(said 'refused')" 2
lab_in e ip nexthop del id 1484783616
wait_for 40 "ams carries" service_on e voice ams
wait_for 5 "settled" settled
bfdd_stop e
bfdd_stop r
