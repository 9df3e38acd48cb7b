#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bfdd as the data plane of FRR's bfdd, with the files of the guide (docs/examples/frr): BGP follows what BFD sees, lives through what is
# no failure of the path, and FRR may be stopped, killed and started again.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frr.sh"
need bird birdc vtysh

step "the page shows the files that are run here"
page=$(<"$TOP/docs/bfdd-frr.7")
for file in daemons frr.conf bfdd.conf bfdd.service.conf; do
	[[ "$page" == *$'.Bd -literal\n'"$(<"$TOP/docs/examples/frr/$file")"$'\n.Ed'* ]] ||
		fail "bfdd-frr(7) does not have $file as it is"
done

two_sites

step "bfdd waits for FRR"
router_start r 1 64511
router_start s 2 64512
bfdd_conf_as_in_guide
bfdd_restart e
equal "waiting" "$(peer_field e 192.0.2.1 waiting)" "FRR to bring it"
equal "source" "$(peer_field e 192.0.2.1 source)" frr
equal "connected" "$(frr_status connected)" false

step "FRR comes: sessions, BGP, and the sites by address"
frr_as_in_guide
all_is_well "at first"
wait_for 10 "the service is on ams" service_on e voice ams
equal "timers are the profile's" "$(ctl e peer 192.0.2.1 | jq -c '[.["configured-transmit-interval"], .["configured-receive-interval"],
	.["detect-multiplier"], .site, .source, .waiting, .interface]')" '[50,50,3,"ams","frr",null,"eth1"]'
equal "the number is FRR's" "$(ctl e peer 192.0.2.1 | jq '.["frr-session"]')" "$(frr_bfd 192.0.2.1 id)"
seen() { # the other side's timers, as FRR shows them
	[ "$(frr_bfd 192.0.2.1 '"remote-transmit-interval"')" = 50 ] &&
		[ "$(frr_bfd 192.0.2.1 '"remote-id"')" = "$(peer_field e 192.0.2.1 remote-discriminator)" ]
}
wait_for 5 "FRR is told of the other side's timers" seen
equal "sessions taken" "$(frr_status sessions)" 2
wait_for 5 "a connection in reserve" frr_connections 2
equal "version" "$(frr_status version)" "$(/usr/lib/frr/bfdd --version | sed -n 's/^bfdd version //p')"

step "counters are answered"
frr_show "show bfd peers counters json" >"$RUN/counters"
jq -e 'length == 2 and all(.["control-packet-input"] > 10 and .["control-packet-output"] > 10)' "$RUN/counters" >/dev/null ||
	fail "counters: $(cat "$RUN/counters")"
equal "errors" "$(frr_status errors)" 0

step "the path falls silent: BGP goes with it, the service to the other site"
for round in 1 2 3; do
	since=$(lab_now)
	lab_cut w eth1
	wait_for 5 "bgpd drops the neighbor" bgp_was_down 192.0.2.1 "$since"
	detected=$(event_at e "$since" '.event == "session" and .peer == "192.0.2.1" and .to == "down"')
	[ -n "$detected" ] || fail "BGP went down without BFD"
	took=$(($(bgp_down_at 192.0.2.1 "$since") - detected))
	echo "round $round: from our detection to bgpd's log: $took us"
	all="${all-} $took"
	wait_for 5 "the service is on fra" service_on e voice fra
	equal "the other neighbor" "$(bgp 192.0.2.5 bgpState)" Established
	lab_heal w
	all_is_well "healed"
	wait_for 15 "the service is back on ams" service_on e voice ams
done
# Three processes of ordinary priority lie between: one of the three may have waited for a processor.
# shellcheck disable=SC2086
at_most "the middle one, in us" "$(printf '%s\n' $all | sort -n | sed -n 2p)" $((50000 * SLACK))

step "maintenance at the other end is no failure"
before=$(drops)
router r 1 true
kill -HUP "$(bfdd_pid r)"
wait_for 5 "the session is down" peer_is e 192.0.2.1 down
frr_admin_down() {
	[ "$(frr_bfd 192.0.2.1 status)" = shutdown ] || [ "$(frr_bfd 192.0.2.1 status)" = down ]
}
wait_for 5 "FRR sees it" frr_admin_down
stays 5 "BGP lives" bgp_up
router r 1
kill -HUP "$(bfdd_pid r)"
all_is_well "after maintenance"
equal "BGP sessions dropped" "$(drops)" "$before"

step "a reload keeps FRR's sessions; the file names one of them"
ups=$(ctl e peers | jq '[.[]["up-transitions"]] | add')
sed -i 's/^sites = (/peers = ( { name = "amsterdam"; address = "192.0.2.1"; } );\n&/; s/\[ "192.0.2.1" \]/[ "amsterdam" ]/' "$RUN/bfdd-e.conf"
kill -HUP "$(bfdd_pid e)"
named() {
	[ "$(peer_field e amsterdam source)" = config ] && [ "$(ctl e peers | jq length)" = 2 ]
}
wait_for 5 "it has the file's name" named
all_is_well "renamed"
equal "BGP sessions dropped" "$(drops)" "$before"
echo "times that sessions came up: $ups before, $(ctl e peers | jq '[.[]["up-transitions"]] | add') after"
sed -i '/^peers/d; s/\[ "amsterdam" \]/[ "192.0.2.1" ]/' "$RUN/bfdd-e.conf"
kill -HUP "$(bfdd_pid e)"
unnamed() {
	[ "$(peer_field e 192.0.2.1 source)" = frr ]
}
wait_for 5 "it is FRR's again" unnamed
all_is_well "named as before"
equal "BGP sessions dropped" "$(drops)" "$before"

step "timers, passive mode and shutdown by FRR's profile"
frr_command "configure terminal" "bfd" "profile voice" "transmit-interval 100" "detect-multiplier 5" "passive-mode"
retimed() {
	ctl e peer 192.0.2.1 | jq -e '.["configured-transmit-interval"] == 100 and .["detect-multiplier"] == 5 and .passive and .state == "up"' >/dev/null
}
wait_for 5 "new timers" retimed
frr_command "configure terminal" "bfd" "profile voice" "shutdown"
wait_for 5 "shut down" peer_is e 192.0.2.1 admin-down
frr_command "configure terminal" "bfd" "profile voice" "no shutdown" "no passive-mode" "transmit-interval 50" "detect-multiplier 3"
all_is_well "as before"
equal "BGP sessions dropped" "$(drops)" "$before"

step "FRR's bfdd stands still for a while, and nothing is lost"
kill -STOP "$(frr_pid bfdd)"
lab_cut w eth2
wait_for 5 "we see it all the same" peer_is e 192.0.2.5 down
wait_for 5 "and the policy" path_not_usable e voice 192.0.2.5
wait_for 15 "it is noticed" frr_answers false
lab_heal w
wait_for 5 "up again" peer_is e 192.0.2.5 up
kill -CONT "$(frr_pid bfdd)"
wait_for 5 "it answers" frr_answers true
all_is_well "it goes on"

step "FRR's bfdd is killed and started again: the sessions stayed, BGP comes back"
ups=$(ctl e peers | jq '[.[]["up-transitions"]] | add')
frr_kill bfdd
wait_for 5 "noticed" frr_connections 0
stays 2 "the sessions" all_up e
equal "stale" "$(frr_status stale)" 2
frr_start bfdd --dplaneaddr "ipv4:127.0.0.1"
frr_configure "$TOP/docs/examples/frr/frr.conf"
sed -i 's|"unix:[^"]*"|"ipv4:127.0.0.1:50700"|' "$RUN/bfdd-e.conf"
kill -HUP "$(bfdd_pid e)"
all_is_well "FRR's bfdd is back, over TCP"
equal "stale" "$(frr_status stale)" 0
equal "times that sessions came up" "$(ctl e peers | jq '[.[]["up-transitions"]] | add')" "$ups"

step "connections are lost one after the other: BGP does not notice"
before=$(drops)
for round in 1 2 3 4; do
	wait_for 5 "a connection in reserve" frr_connections 2
	losses=$(frr_status losses)
	port=$(lab_in e ss -tnH state established dport = 50700 | awk '{ sub(/.*:/, "", $3); print $3 }' | sort -n | sed -n $((1 + round % 2))p)
	lab_in e ss -KtnH state established sport = "$port" dport = 50700 >/dev/null
	lost() {
		[ "$(frr_status losses)" -gt "$losses" ]
	}
	wait_for 5 "the loss is noticed" lost
done
wait_for 5 "a connection in reserve" frr_connections 2
stays 4 "BGP lives" bgp_up
frr_bfd_up 2 || fail "FRR: BFD is not up: $(frr_show "show bfd peers brief")"
equal "BGP sessions dropped" "$(drops)" "$before"

step "a neighbor is not watched any more: its session goes, the place in the site waits"
frr_command "configure terminal" "router bgp 64500" "no neighbor 192.0.2.1 bfd"
waits() {
	[ "$(peer_field e 192.0.2.1 waiting)" = "FRR to bring it" ] && [ "$(frr_status sessions)" = 1 ]
}
wait_for 5 "it waits" waits
wait_for 5 "the service is on fra" service_on e voice fra
frr_command "configure terminal" "router bgp 64500" "neighbor 192.0.2.1 bfd" "neighbor 192.0.2.1 bfd profile voice"
all_is_well "watched again"

step "FRR goes for good: its sessions go after the time configured"
sed -i "s|frr = {|& keep-sessions = 1500;|" "$RUN/bfdd-e.conf"
kill -HUP "$(bfdd_pid e)"
frr_kill bfdd
stays 1 "the sessions" all_up e
gone() {
	[ "$(frr_status sessions)" = 0 ] && [ "$(ctl e peers | jq 'all(.waiting == "FRR to bring it")')" = true ]
}
wait_for 10 "they are gone" gone
bfdd_stop e
