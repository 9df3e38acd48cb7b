#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Services that follow BGP, route by route: every way in which the kernel can hold one, what does not count, what goes without a
# word, overlaps, reloads, a predecessor's tables. The routes are put in by hand, with the numbers of BIRD (bird) and FRR (bgp).
. "$(dirname "$0")/lib.sh"

three_links
for n in 1 2 3; do
	lab_addr e x$n 2001:db8:$n::a/64
	lab_addr r x$n 2001:db8:$n::b/64
done
bfdd_start r <<-END
	profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );
	peers = ( { name = "p1"; address = "10.0.1.0"; interface = "x1"; profile = "p"; },
	  { name = "p2"; address = "10.0.2.0"; interface = "x2"; profile = "p"; },
	  { name = "p3"; address = "10.0.3.0"; interface = "x3"; profile = "p"; },
	  { name = "s1"; address = "2001:db8:1::a"; interface = "x1"; profile = "p"; },
	  { name = "s3"; address = "2001:db8:3::a"; interface = "x3"; profile = "p"; } );
END

# What differs from step to step.
DELAY=300 PREFIXES='"bgp"' MORE=
edge() {
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );
		peers = (
		  { name = "p1"; address = "10.0.1.1"; interface = "x1"; profile = "p"; },
		  { name = "p2"; address = "10.0.2.1"; interface = "x2"; profile = "p"; },
		  { name = "p3"; address = "10.0.3.1"; interface = "x3"; profile = "p"; },
		  { name = "s1"; address = "2001:db8:1::b"; interface = "x1"; profile = "p"; },
		  { name = "s3"; address = "2001:db8:3::b"; interface = "x3"; profile = "p"; } );
		sites = ( { name = "ams"; peers = [ "p1", "p2", "s1" ]; }, { name = "fra"; peers = [ "p3", "s3" ]; } );
		services = ( { name = "voice"; prefixes = $PREFIXES; sites = [ "ams", "fra" ]; wait-to-restore = 0;
		    withdraw-delay = $DELAY; } $MORE );
	END
}

reload() {
	edge >"$RUN/bfdd-e.conf"
	ctl e reload >"$RUN/reload.out" || fail "reload refused: $(cat "$RUN/reload.out")"
}

route() { # ARGUMENTS OF ip route...
	lab_in e ip "$@"
}

mirrored() { # TABLE
	{
		route -4 -o route show table "$1" proto 158 2>/dev/null
		route -6 -o route show table "$1" proto 158 2>/dev/null
	} | awk '{ print $1 }' | sort | tr '\n' ' '
}

both_have() { # PREFIX...
	local wanted
	wanted=$(for prefix; do echo "$prefix"; done | sort | tr '\n' ' ')
	[ "$(mirrored 58800)" = "$wanted" ] && [ "$(mirrored 58801)" = "$wanted" ] &&
		[ "$(service_field e voice '.["prefix-count"]')" = $# ]
}

follows() { # WHAT PREFIX...
	local what=$1
	shift
	wait_for 10 "$what: $*" both_have "$@"
}

# What was told before this route has been heard when it is there.
A=198.18.1.0/24
follows_only() { # WHAT PREFIX...
	local what=$1
	shift
	route route add $A via 10.0.1.1 proto bird
	follows "$what" $A "$@"
	route route del $A
	follows "$what, and without the last one" "$@"
}

leaves_by() { # DEVICE ADDRESS
	[ "$(device_to e "$2")" = "$1" ]
}

by_ams() { # ADDRESS
	leaves_by x1 "$1" || leaves_by x2 "$1"
}

route route add 203.0.113.0/24 via 10.0.3.1 proto bgp # before bfdd
bfdd_start e < <(edge)
wait_up e p1 p2 p3 s1 s3
follows "there before" 203.0.113.0/24
wait_for 5 "ams carries" service_on e voice ams
wait_for 5 "by ams, whatever the main table says" by_ams 203.0.113.5
equal "where from" "$(service_field e voice .prefixes)" bgp
"$BFDCTL" -s "$RUN/e.ctl" services | grep -q '^voice *bgp 1 *ams' || fail "bfdctl services does not show the prefixes"
route route del 203.0.113.0/24
follows "gone"
wait_for 5 "no site carries nothing" service_on e voice null

step "every kind of route"
route route add 203.0.113.0/24 via 10.0.1.1 proto bird
route route add 203.0.114.0/24 via inet6 2001:db8:1::b dev x1 proto bgp
route route add 203.0.115.0/24 proto bird nexthop via 192.0.2.99 dev x1 onlink nexthop via 10.0.3.1
route route add 203.0.116.0/24 proto bird nexthop via inet6 2001:db8:3::b dev x3 nexthop via 192.0.2.99 dev x1 onlink
route -6 route add 2001:db8:f000::/48 via 2001:db8:1::b proto bird
route -6 route add 2001:db8:f001::/48 proto bgp nexthop via 2001:db8:9::9 dev x1 onlink nexthop via 2001:db8:3::b dev x3
route nexthop add id 7 via 10.0.3.1 dev x3 proto zebra
route nexthop add id 8 via 192.0.2.99 dev x1 onlink proto zebra
route nexthop add id 9 group 7/8 proto zebra
route route add 203.0.117.0/24 nhid 7 proto bgp
route route add 203.0.118.0/24 nhid 9 proto bgp
KINDS=(203.0.113.0/24 203.0.114.0/24 203.0.115.0/24 203.0.116.0/24 203.0.117.0/24 203.0.118.0/24 2001:db8:f000::/48 2001:db8:f001::/48)
follows "every kind" "${KINDS[@]}"

step "the same, found by a restart; and with nexthop objects alone"
bfdd_kill e
lab_in e sysctl -qw net.ipv4.nexthop_compat_mode=0
kernel_objects e | grep 'proto 158' | sort >"$RUN/before"
bfdd_restart e
wait_up e p1 p2 p3 s1 s3
follows "after a restart" "${KINDS[@]}"
kernel_objects e | grep 'proto 158' | sort >"$RUN/now"
equal "what the restart changed" "$(diff "$RUN/before" "$RUN/now")" ""
route route add 203.0.119.0/24 nhid 9 proto bgp
follows "an object alone" "${KINDS[@]}" 203.0.119.0/24

step "what an object leads to changes without a word about its routes"
route nexthop replace id 7 via 192.0.2.98 dev x3 onlink proto zebra
follows "the object is another" 203.0.113.0/24 203.0.114.0/24 203.0.115.0/24 203.0.116.0/24 2001:db8:f000::/48 2001:db8:f001::/48
route nexthop replace id 7 via 10.0.3.1 dev x3 proto zebra
follows "and back" "${KINDS[@]}" 203.0.119.0/24
route nexthop del id 7 # takes 203.0.117.0/24 along, and leaves the group the other one
follows "the object is gone" 203.0.113.0/24 203.0.114.0/24 203.0.115.0/24 203.0.116.0/24 2001:db8:f000::/48 2001:db8:f001::/48
route route del 203.0.118.0/24
route route del 203.0.119.0/24
lab_in e sysctl -qw net.ipv4.nexthop_compat_mode=1

step "of a route with several next hops the last that counts goes"
route -6 route del 2001:db8:f001::/48 via 2001:db8:3::b dev x3
route route replace 203.0.115.0/24 proto bird nexthop via 192.0.2.99 dev x1 onlink nexthop via 192.0.2.98 dev x1 onlink
follows "other next hops" 203.0.113.0/24 203.0.114.0/24 203.0.116.0/24 2001:db8:f000::/48
route -6 route del 2001:db8:f001::/48
route route del 203.0.115.0/24

step "two routes of different metric: the prefix stays as long as one is there"
route route add 203.0.113.0/24 via 10.0.3.1 proto bgp metric 20
route route del 203.0.113.0/24 metric 0
follows_only "one of two" 203.0.113.0/24 203.0.114.0/24 203.0.116.0/24 2001:db8:f000::/48
route route replace 203.0.113.0/24 via 10.0.3.1 proto static metric 20 # no more BGP's
route route del 203.0.114.0/24
route route del 203.0.116.0/24
route -6 route del 2001:db8:f000::/48
follows "none of two"
route route del 203.0.113.0/24

step "what does not count"
route route add 203.0.113.0/24 via 10.0.1.1 proto static
route route add 203.0.114.0/24 via 10.0.1.1 proto bird table 100
route route add 203.0.115.0/24 via 192.0.2.99 dev x1 onlink proto bird
route route add unreachable 203.0.116.0/24 proto bird
route route add 203.0.117.0/24 via 10.0.1.1 dev x2 onlink proto bird # our peer is on x1
route route add 10.0.0.0/16 via 10.0.1.1 proto bird                  # covers the peers
route route add default via 10.0.1.1 proto bird
route -6 route add default via 2001:db8:1::b proto bird
route -6 route add 2001:db8::/32 via 2001:db8:1::b proto bird
follows_only "nothing"
for prefix in 203.0.113.0/24 203.0.115.0/24 203.0.116.0/24 203.0.117.0/24 10.0.0.0/16 default; do
	route route del $prefix
done
route -6 route del default via 2001:db8:1::b
route -6 route del 2001:db8::/32

step "an address of ours makes a prefix unfit, and its end makes it fit"
lab_addr e lo 203.0.113.77/32
route route add 203.0.113.0/24 via 10.0.1.1 proto bird
follows_only "unfit"
lab_in e ip addr del 203.0.113.77/32 dev lo
follows "fit" 203.0.113.0/24

step "a link goes down: the kernel takes its routes away without a word"
route route add 203.0.114.0/24 via 10.0.2.1 proto bird
follows "by x2" 203.0.113.0/24 203.0.114.0/24
lab_in e ip link set x2 down
follows "without x2" 203.0.113.0/24
lab_in e ip link set x2 up
wait_up e p2

step "BGP goes over from one peer to another by way of nothing: nobody notices"
DELAY=60000
reload
lab_start e monitor ip -o monitor route
MONITOR=$PID
route route del 203.0.113.0/24
withdrawn() {
	[ "$(service_field e voice .following.withdrawn)" = "$1" ]
}
wait_for 5 "withdrawn" withdrawn 1
stays 2 "still there" both_have 203.0.113.0/24
route route add 203.0.113.0/24 via 10.0.3.1 proto bird
wait_for 5 "there again" withdrawn 0
both_have 203.0.113.0/24 || fail "not there"
lab_stop "$MONITOR" || true
equal "notifications about our tables" "$(grep -c 'table 588' "$RUN/monitor.log")" 0

step "from bgp to a list and back, and what the list had more leaves late"
PREFIXES='[ "203.0.113.0/24", "198.51.100.0/24" ]'
reload
follows "listed" 203.0.113.0/24 198.51.100.0/24
equal "where from" "$(service_field e voice .prefixes)" listed
stays 1 "ams carries" service_on e voice ams
DELAY=1500 PREFIXES='"bgp"'
reload
wait_for 5 "withdrawn" withdrawn 1
both_have 203.0.113.0/24 198.51.100.0/24 || fail "gone too soon"
follows "followed" 203.0.113.0/24
service_on e voice ams || fail "ams does not carry"

step "a restart keeps what a predecessor had, and rids itself of what has gone meanwhile"
route route add 203.0.115.0/24 via 10.0.1.1 proto bird
follows "before" 203.0.113.0/24 203.0.115.0/24
bfdd_kill e
route route del 203.0.115.0/24
route route add 203.0.116.0/24 via 10.0.1.1 proto bird
bfdd_restart e
both_have 203.0.113.0/24 203.0.115.0/24 203.0.116.0/24 ||
	wait_for 1 "not gone at once" both_have 203.0.113.0/24 203.0.115.0/24 203.0.116.0/24
follows "after" 203.0.113.0/24 203.0.116.0/24
wait_up e p1 p2 p3 s1 s3
wait_for 5 "ams carries" service_on e voice ams

step "listed prefixes of another service go before, whether inside of a followed one or around it"
MORE=', { name = "fax"; prefixes = [ "203.0.113.0/25", "203.0.116.0/23" ]; sites = [ "fra" ]; }'
reload
wait_for 5 "fra carries fax" service_on e fax fra
wait_for 5 "listed, inside" leaves_by x3 203.0.113.5
wait_for 5 "listed, around" leaves_by x3 203.0.116.5
by_ams 203.0.113.200 || fail "203.0.113.200 leaves by $(device_to e 203.0.113.200)"
MORE=
reload

step "of two that follow the earlier carries what both have"
MORE=', { name = "fax"; prefixes = "bgp"; sites = [ "fra" ]; withdraw-delay = 1500; }'
reload
fax_has() {
	[ "$(service_field e fax '.["prefix-count"]')" = "$1" ]
}
wait_for 5 "fax has what leads to fra" fax_has 1
wait_for 5 "fra carries fax" service_on e fax fra
by_ams 203.0.113.5 || fail "203.0.113.5 leaves by $(device_to e 203.0.113.5)"
route route replace 203.0.116.0/24 via 10.0.3.1 proto bird
wait_for 5 "fax has both" fax_has 2
MORE=
reload
follows "as before" 203.0.113.0/24 203.0.116.0/24

step "no service follows any more"
PREFIXES='[ "198.51.100.0/24" ]'
reload
follows "listed" 198.51.100.0/24
equal "following" "$(service_field e voice .following)" null
route route add 203.0.115.0/24 via 10.0.1.1 proto bird
stays 1 "not followed" both_have 198.51.100.0/24

equal "what was taken for others' deletions" "$(grep -c 'somebody deleted' "$RUN/bfdd-e.log" || true)" 0
bfdd_stop e
equal "what is left of ours" "$(kernel_objects e | grep -c 'proto 158')" 0
bfdd_stop r
