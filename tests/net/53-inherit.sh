#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a killed predecessor left, found by one with another configuration: numbers that mean something else now, a
# path that died meanwhile, an interface that is gone, tables that somebody emptied.
. "$(dirname "$0")/lib.sh"

PRESUMED=5000000 # us that inherited paths count as live

three_links
lab_in r nft -f - <<-END
	table netdev cut {
		set cut { type ifname; }
		chain in { type filter hook ingress devices = { x1, x2, x3 } priority 0; iifname @cut drop; }
	}
END

three_links_bfdd

edge() { # SITES SERVICES
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );
		peers = ( { name = "p1"; address = "10.0.1.1"; interface = "x1"; profile = "p"; },
		  { name = "p2"; address = "10.0.2.1"; interface = "x2"; profile = "p"; },
		  { name = "p3"; address = "10.0.3.1"; interface = "x3"; profile = "p"; } );
		sites = ( $1 );
		services = ( $2 );
	END
}

AMS='{ name = "ams"; peers = [ "p1" ]; }'
FRA='{ name = "fra"; peers = [ "p3" ]; }'
LON='{ name = "lon"; peers = [ "p2" ]; }'
VOICE='{ name = "voice"; prefixes = [ "203.0.113.0/24" ]; sites = [ "ams", "fra" ]; }'
FIRST='{ name = "first"; prefixes = [ "198.51.100.0/24" ]; sites = [ "lon", "fra", "ams" ]; }'

leaves_by() { # DEVICE [ADDRESS]
	[ "$(device_to e "${2-203.0.113.5}")" = "$1" ]
}

objects() { # RULES GROUPS ROUTES
	[ "$(lab_in e ip -4 -o rule list | grep -c '^10[01][0-9]:')" = "$1" ] &&
		[ "$(lab_in e ip -N nexthop show | grep -c ' group .*proto 158')" = "$2" ] &&
		[ "$(lab_in e ip -4 -o route show table all proto 158 | wc -l)" = "$3" ]
}

started_at() {
	event_at e 0 '.event == "start"' | head -1
}

bfdd_start e < <(edge "$AMS, $FRA" "$VOICE")
wait_up e p1 p3
wait_for 5 "settled" objects 2 2 2
wait_for 5 "by x1" leaves_by x1

step "another configuration, in which every number means something else; and the best path died"
bfdd_kill e
bfdd_forget e
rm "$RUN/state-e/numbers"
lab_in r nft add element netdev cut cut "{ x1 }"
edge "$LON, $FRA, $AMS" "$FIRST, $VOICE" >"$RUN/bfdd-e.conf"
bfdd_restart e
wait_up e p2 p3
wait_for 7 "fra carries voice" service_on e voice fra
wait_for 2 "voice by x3" leaves_by x3
wait_for 2 "first by x2" leaves_by x2 198.51.100.5
took=$(($(event_at e 0 '.event == "switch" and .service == "voice" and .to == "fra"' | tail -1) - $(started_at)))
at_most "us from the start to the switch" $took $((PRESUMED + 500000 * SLACK))
wait_for 5 "nothing of the predecessor is left" objects 3 3 5
lab_in r nft flush set netdev cut cut
wait_up e p1

step "the same, the path that died is inherited"
edge "$AMS, $FRA" "$VOICE" >"$RUN/bfdd-e.conf"
bfdd_stop e
bfdd_restart e
wait_up e p1 p3
wait_for 5 "by x1" leaves_by x1
bfdd_kill e
bfdd_forget e
lab_in r nft add element netdev cut cut "{ x1 }"
bfdd_restart e
leaves_by x1 || fail "what was inherited does not hold until it is heard of"
wait_for 7 "by x3" leaves_by x3
took=$(($(event_at e 0 '.event == "switch" and .from == "ams" and .to == "fra"' | tail -1) - $(started_at)))
at_most "us from the start to the switch" $took $((2000000 + 500000 * SLACK)) # fra is heard
equal "the switch counts" "$(service_field e voice .switches)" 1
lab_in r nft flush set netdev cut cut
wait_up e p1

step "its interface is gone"
bfdd_stop e
bfdd_restart e
wait_up e p1 p3
wait_for 5 "by x1" leaves_by x1
bfdd_kill e
lab_in e ip link del x1
bfdd_restart e
wait_up e p3
wait_for 3 "by x3" leaves_by x3
lab_link e x1 r x1
lab_addr e x1 10.0.1.0/31
lab_addr r x1 10.0.1.1/31
wait_up e p1
wait_for 5 "ams carries" service_on e voice ams
wait_for 2 "by x1" leaves_by x1

step "somebody emptied its tables"
wait_for 5 "settled" objects 2 2 2
bfdd_kill e
lab_in e sh -c 'echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode; ip route flush table all proto 158'
objects 2 2 0 || fail "the tables were not emptied"
bfdd_restart e
wait_for 3 "the routes are back" objects 2 2 2
wait_for 2 "by x1" leaves_by x1
wait_up e p1 p3
stays 1 "ams carries" service_on e voice ams

step "its steering numbers were others"
bfdd_kill e
{ edge "$AMS, $FRA" "$VOICE"; echo 'steering = { protocol = 159; table = 70000; rule-priority = 2000; nexthop-id = 900000000; };'; } \
	>"$RUN/bfdd-e.conf"
bfdd_restart e
wait_up e p1 p3
objects 0 0 0 || fail "something of the predecessor is left"
wait_for 5 "ams carries" service_on e voice ams
wait_for 2 "by x1" leaves_by x1
bfdd_stop e
equal "what is left of ours" "$(lab_in e ip -N nexthop show)" ""
bfdd_stop r
