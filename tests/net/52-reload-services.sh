#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reload with services that carry traffic: what stays the same keeps its session and its path; what moves is made
# before the old is broken; a file that cannot be applied changes nothing.
. "$(dirname "$0")/lib.sh"

lab_ns e r
for n in 1 2 3; do
	lab_link e x$n r x$n
	lab_addr e x$n 10.0.$n.0/31 2001:db8:$n::a/64
	lab_addr r x$n 10.0.$n.1/31 2001:db8:$n::b/64
done

routers() { # [six]    ams is x1 and x2, fra is x3
	local n
	echo 'profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } ); peers = ('
	for n in 1 2 3; do
		[ -z "${1-}" ] || echo "{ name = \"s$n\"; address = \"2001:db8:$n::a\"; interface = \"x$n\"; profile = \"p\"; },"
		echo "{ name = \"p$n\"; address = \"10.0.$n.0\"; interface = \"x$n\"; profile = \"p\"; }$([ $n = 3 ] || echo ,)"
	done
	echo ');'
}

# What differs from step to step.
P1=p1 AMS='"p1"' FRA='"p3"' ORDER='"ams", "fra"' PREFIXES='"203.0.113.0/24"' MORE=
edge() {
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );
		peers = (
		  { name = "$P1"; address = "10.0.1.1"; interface = "x1"; profile = "p"; },
		  { name = "s1"; address = "2001:db8:1::b"; interface = "x1"; profile = "p"; },
		  { name = "p2"; address = "10.0.2.1"; interface = "x2"; profile = "p"; },
		  { name = "p3"; address = "10.0.3.1"; interface = "x3"; profile = "p"; } );
		sites = ( { name = "ams"; peers = [ $AMS ]; }, { name = "fra"; peers = [ $FRA ]; } );
		services = ( { name = "voice"; prefixes = [ $PREFIXES ]; sites = [ $ORDER ]; } $MORE );
	END
}

reload() {
	edge >"$RUN/bfdd-e.conf"
	SINCE=$(lab_now)
	ctl e reload >"$RUN/reload.out" || fail "reload refused: $(cat "$RUN/reload.out")"
}

leaves_by() { # DEVICE [ADDRESS]
	[ "$(device_to e "${2-203.0.113.5}")" = "$1" ]
}

life() { # what must not change while sessions stay Up
	ctl e peers | jq -c '[.[] | select(.state == "up") | [.address, .since, .["local-discriminator"]]] | sort'
}

rules() {
	lab_in e ip -4 -o rule list | grep -c 'proto 158\|^10[01][0-9]:' || true
}

# Since the last reload.
no_switch() { # WHAT
	equal "$1: switches" "$(ctl e events | jq -c '[.[] | select(.event == "switch") | [.at, .from, .to, .reason]]')" "$SWITCHES"
	equal "$1: downs" "$(ctl e peers | jq '[.[]["down-transitions"]] | add')" 0
}

switches() {
	SWITCHES=$(ctl e events | jq -c '[.[] | select(.event == "switch") | [.at, .from, .to, .reason]]')
}

bfdd_start r < <(routers)
bfdd_start e < <(edge)
wait_up e p1 p2 p3
wait_for 5 "ams carries" service_on e voice ams
wait_for 5 "by x1" leaves_by x1
both_rules() {
	[ "$(rules)" = 2 ]
}
wait_for 5 "both rules stand" both_rules
LIFE=$(life)
switches

step "the only peer of the site is replaced by another that is up: the site goes on"
AMS='"p2"'
reload
wait_for 2 "by x2" leaves_by x2
stays 1 "ams carries" service_on e voice ams
no_switch "peer replaced"
equal "sessions" "$(life)" "$LIFE"

step "a peer comes to the site, the old one goes from it"
AMS='"p1", "p2"'
reload
both_used() {
	device_to e 203.0.113.5 >/dev/null
	[ "$(for i in $(seq 40); do device_to e "203.0.113.$i"; done | sort -u | tr '\n' ' ')" = "x1 x2 " ]
}
wait_for 2 "by x1 and x2" both_used
AMS='"p1"'
reload
wait_for 2 "by x1" leaves_by x1
stays 1 "ams carries" service_on e voice ams
no_switch "peer came, peer went"

step "a peer is called otherwise: its session and its path stay"
P1=renamed AMS='"renamed"'
reload
peer_is e renamed up || fail "the renamed peer is $(peer_field e renamed state)"
equal "sessions" "$(life)" "$LIFE"
stays 1 "ams carries" service_on e voice ams
wait_for 2 "by x1" leaves_by x1
no_switch "peer renamed"
service_field e voice '.paths[].peer' | grep -qx renamed || fail "the path keeps its old name"
P1=p1 AMS='"p1"'
reload
equal "sessions" "$(life)" "$LIFE"
stays 1 "ams carries" service_on e voice ams
no_switch "peer renamed back"

step "all prefixes are others: no site is left for that"
PREFIXES='"198.51.100.0/24"'
reload
wait_for 2 "the new prefix by x1" leaves_by x1 198.51.100.5
stays 1 "ams carries" service_on e voice ams
no_switch "other prefixes"
PREFIXES='"203.0.113.0/24"'
reload
wait_for 2 "the old prefix by x1" leaves_by x1
no_switch "the old prefixes"

step "another order of preference is a switch, and told as such"
ORDER='"fra", "ams"'
reload
wait_for 2 "by x3" leaves_by x3
wait_for 2 "the switch is told" has_event e "$SINCE" \
	'.event == "switch" and .service == "voice" and .from == "ams" and .to == "fra" and (.reason | contains("configuration"))'
equal "last switch" "$(service_field e voice '.["last-switch"].reason | contains("configuration")')" true
ORDER='"ams", "fra"'
reload
wait_for 2 "by x1" leaves_by x1
equal "sessions" "$(life)" "$LIFE"

step "the site goes over to peers of another family, which are not up: its rule must not stand"
AMS='"s1"'
reload
wait_for 5 "fra carries" service_on e voice fra
stays 2 "by x3, not into the dead site" leaves_by x3
equal "rules" "$(rules)" 1
routers six >"$RUN/bfdd-r.conf"
ctl r reload >/dev/null
wait_up e s1
AMS='"p1"'
reload
wait_for 70 "ams carries" service_on e voice ams
wait_for 2 "by x1" leaves_by x1
AMS='"s1"' # IPv4 by an IPv6 nexthop
reload
wait_for 5 "ams carries" service_on e voice ams
wait_for 5 "over IPv6" leaves_by x1
lab_in e ip -o route get 203.0.113.5 | grep -q 'via inet6 2001:db8:1::b' || fail "not over IPv6"
AMS='"p1"'
reload
wait_for 5 "by x1" leaves_by x1

step "a file that needs more tables than there are beside those in use: nothing changes"
many() { # NAME COUNT
	local i
	for ((i = 0; i < $2; i++)); do
		echo ", { name = \"$1-$i\"; prefixes = [ \"10.200.$((i / 256)).$((i % 256))/32\" ]; sites = [ \"ams\", \"fra\" ]; }"
	done
}
MORE=$(many old 1500)
reload
LIFE=$(life)
before=$(ctl e services | jq -c '[.[].name]')
AMS='"p2", "p1"' MORE=$(many new 1500)
edge >"$RUN/bfdd-e.conf"
ctl e reload >"$RUN/reload.out" 2>&1 && fail "the reload was not refused"
equal "services" "$(ctl e services | jq -c '[.[].name]')" "$before"
equal "sessions" "$(life)" "$LIFE"
stays 1 "ams carries" service_on e voice ams
leaves_by x1 || fail "not by x1"
equal "sites" "$(ctl e sites | jq -c '[.[0].paths[].peer]')" '["p1"]'
AMS='"p1"' MORE=
reload
wait_for 5 "ams carries" service_on e voice ams
equal "sessions" "$(life)" "$LIFE"

bfdd_stop e
bfdd_stop r
