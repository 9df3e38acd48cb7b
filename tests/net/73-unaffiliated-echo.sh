#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Unaffiliated echo (RFC 9747): a router that knows no BFD and only forwards. Up, Down by the end of forwarding,
# as a path of a service; its postmortem; a kill.
. "$(dirname "$0")/lib.sh"

lab_ns a r
lab_link a x1 r x1
lab_addr a x1 10.0.0.0/31 2001:db8:1::a/64
lab_addr r x1 10.0.0.1/31 2001:db8:1::b/64
lab_in r sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/forwarding; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'

bfdd_start a <<-END
	peers = (
	  { name = "v4"; type = "unaffiliated-echo"; address = "10.0.0.1"; interface = "x1"; transmit-interval = 50; },
	  { name = "v6"; type = "unaffiliated-echo"; address = "2001:db8:1::b"; interface = "x1"; transmit-interval = 50;
	    detect-multiplier = 4; }
	);
	sites = ( { name = "s"; peers = [ "v4", "v6" ]; } );
	services = ( { name = "voice"; prefixes = [ "10.9.0.0/16" ]; sites = [ "s" ]; } );
END

step "up, by a router without any BFD"
wait_up a v4 v6
equal "type" "$(peer_field a v4 type)" unaffiliated-echo
equal "remote discriminator: our own" "$(peer_field a v4 remote-discriminator)" "$(peer_field a v4 local-discriminator)"
detects() { # PEER MS
	[ "$(peer_field a "$1" detection-time)" = "$2" ]
}
wait_for 5 "v4 detects in 150 ms" detects v4 150
wait_for 5 "v6 detects in 200 ms" detects v6 200
wait_for 5 "the service goes by it" service_on a voice s
stays 2 "both stay up" all_up a

step "round trips are measured"
for peer in v4 v6; do
	equal "$peer: each" "$(ctl a peer $peer | jq -c '.echo | [.["transmit-interval"], .["receive-interval"], .["remote-receive-interval"]]')" \
		'[50,null,null]'
	equal "$peer: detection time" "$(ctl a peer $peer | jq '.echo["detection-time"]')" "$(peer_field a $peer detection-time)"
	at_least "$peer: came back" "$(ctl a peer $peer | jq '.echo["packets-in"]')" 20
	at_most "$peer: lost since the beginning" "$(ctl a peer $peer | jq '.echo.lost')" 3
	at_least "$peer: least round trip, ms" "$(ctl a peer $peer | jq '.echo.rtt.minimum')" 0.001
	at_most "$peer: mean round trip, ms" "$(ctl a peer $peer | jq '.echo.rtt.mean')" $((20 * SLACK))
	"$BFDCTL" -s "$RUN/a.ctl" peer $peer | grep -q '^echo round trip  *[0-9]' || fail "bfdctl does not show it"
done

went_down() { # PEER SINCE DIAGNOSTIC
	has_event a "$2" ".event == \"session\" and .peer == \"$1\" and .from == \"up\" and .diagnostic == \"$3\""
}

step "the router goes on living, but forwards no more: Down by echo-failed"
since=$(lab_now)
lab_in r nft 'table inet wall { chain f { type filter hook forward priority 0; policy drop; }; }'
for peer in v4 v6; do
	wait_for 5 "$peer down" went_down $peer "$since" echo-failed
done
wait_for 5 "the service left it" service_on a voice null
postmortem() {
	ctl a postmortem v4 | jq -e '.diagnostic == "echo-failed"' >/dev/null
}
wait_for 5 "there is a postmortem" postmortem
lab_in r nft delete table inet wall
wait_up a v4 v6
equal "Ups of v4" "$(peer_field a v4 up-transitions)" 2

step "they come back after a kill"
bfdd_kill a
bfdd_restart a
wait_up a v4 v6
