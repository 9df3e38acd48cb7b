#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# BIRD by its control socket: protocols disabled and enabled, whoever restarts, hangs or has other ideas; and BGP's
# state as a reason not to use a path. BIRD_ROUNDS and BIRD_RECONNECTS say how often the last step disables and enables, and
# loses the connection.
. "$(dirname "$0")/lib.sh"
ROUTES=100
. "$(dirname "$0")/lib-bird.sh"

BIRD_ROUNDS=${BIRD_ROUNDS-300}
BIRD_RECONNECTS=${BIRD_RECONNECTS-20}
DETECTION=150

strict_config() {
	edge_config | sed 's/"next-hop-table"/"disable"/'
	cat <<-END
		sites = ( { name = "ams"; peers = [ "ams", "ams-6" ]; }, { name = "fra"; peers = [ "fra", "fra-6" ]; } );
		services = ( { name = "voice"; prefixes = [ "198.51.100.0/24", "2001:db8:ff00::/48" ]; sites = [ "ams", "fra" ];
		  wait-to-restore = 0; } );
	END
}

# The reason that BIRD keeps; "" for none.
message_of() { # PROTOCOL
	birdc_in e show protocols all "$1" | sed -n 's/^ *Message: *//p'
}

state_of() { # PROTOCOL
	birdc_in e show protocols "$1" | awk -v name="$1" '$1 == name { print $4 }'
}

disabled_for() { # PROTOCOL REASON
	[ "$(state_of "$1")" = down ] && [ "$(message_of "$1")" = "$2" ]
}

not_disabled() { # PROTOCOL
	[ "$(state_of "$1")" != down ]
}

up_again() { # PROTOCOL
	bgp_is e "$1" Established && [ -z "$(message_of "$1")" ]
}

bird_status() { # JQ
	ctl e status | jq -r ".bird | $1"
}

bird_status_is() { # JQ VALUE
	[ "$(bird_status "$1")" = "$2" ]
}

bgp_of() { # PEER FIELD
	ctl e peers | jq -r ".[] | select(.name == \"$1\") | .bgp[\"$2\"]"
}

bgp_shows() { # PEER STATE
	[ "$(bgp_of "$1" state)" = "$2" ]
}

bgp_has() { # PEER PREFIXES
	[ "$(bgp_of "$1" prefixes)" = "$2" ]
}

heal() {
	lab_heal w
	wait_for 15 "all sessions up" all_up e
	local protocol
	for protocol in ams ams_6 fra fra_6; do
		wait_for 20 "BGP $protocol" up_again $protocol
	done
	wait_for 10 "fra may be used" path_usable e voice fra
	wait_for 10 "ams carries" service_on e voice ams
}

bird_edge
bfdd_start e < <(strict_config)
wait_for 15 "all sessions up" all_up e
bgp_complete
wait_for 10 "ams carries" service_on e voice ams
WHY="bfdd: ams went down: control-expiry"

step "what BIRD tells"
wait_for 5 "it is told" bgp_shows ams established
wait_for 5 "prefixes are told" bgp_has ams "$ROUTES"
equal "who tells" "$(bgp_of ams daemon)" bird
equal "the protocol of ams" "$(bgp_of ams protocol)" ams
equal "the protocol of fra-6" "$(bgp_of fra-6 protocol)" fra_6
bird_status_is .connected true || fail "status: $(ctl e status)"
equal "BIRD's version" "$(bird_status .version)" "$(bird --version 2>&1 | awk '{ print $3 }')"

step "ams dies: its protocols are disabled for our reason; back: enabled"
lab_cut w eth1
wait_for 5 "ams is disabled" disabled_for ams "$WHY"
wait_for 5 "ams_6 is disabled" disabled_for ams_6 "bfdd: ams-6 went down: control-expiry"
wait_for 5 "all routes by fra" all_by eth2
wait_for 5 "two are told" bird_status_is '.["disabled-protocols"]' 2
at=$(event_at e "$CUT_FROM" '.event == "bird" and .protocol == "ams" and .done == "disabled"')
at_most "ms from the cut until ams was disabled" $(((at - CUT_TO) / 1000)) $(((DETECTION + 100) * SLACK))

step "BIRD's configure enables it: it is disabled again"
birdc_in e configure >/dev/null
wait_for 6 "ams is disabled" disabled_for ams "$WHY"
heal

step "what an operator disabled is his"
birdc_in e 'disable fra "maintenance"' >/dev/null
wait_for 5 "the path may not be used" path_not_usable e voice fra
lab_cut w eth2
wait_for 5 "fra is down" peer_is e fra down
lab_heal w
wait_for 15 "fra is up" peer_is e fra up
stays 5 "fra is disabled by the operator" disabled_for fra maintenance
birdc_in e enable fra >/dev/null
wait_for 20 "BGP fra" up_again fra
wait_for 5 "the path may be used" path_usable e voice fra

step "bfdd is killed while ams is disabled: it stays so until the path is up"
lab_cut w eth1
wait_for 5 "ams is disabled" disabled_for ams "$WHY"
bfdd_kill e
bfdd_restart e
wait_for 5 "it is told" bird_status_is .connected true
stays 3 "ams is disabled" disabled_for ams "$WHY"
heal

step "bfdd stops cleanly while ams is disabled: it is enabled"
lab_cut w eth1
wait_for 5 "ams is disabled" disabled_for ams "$WHY"
bfdd_stop e
not_disabled ams || fail "ams is still disabled"
bfdd_restart e
heal

step "a BIRD that hangs: the service moves all the same, and BIRD hears of it later"
kill -STOP "$(cat "$RUN/bird-e.process")"
lab_cut w eth1
wait_for 5 "fra carries" service_on e voice fra
at=$(event_at e "$CUT_FROM" '.event == "switch" and .to == "fra"')
at_most "ms from the cut to the switch" $(((at - CUT_TO) / 1000)) $(((DETECTION + 30) * SLACK))
wait_for 5 "it is seen" bird_status_is .connected false
equal "the trouble" "$(bird_status .trouble)" "no answer within the time"
path_usable e voice fra || fail "a BIRD that hangs made a path unusable"
kill -CONT "$(cat "$RUN/bird-e.process")"
wait_for 10 "ams is disabled" disabled_for ams "$WHY"

step "a BIRD that is killed and restarted hears of it again, and makes no path unusable"
lab_stop "$(cat "$RUN/bird-e.process")" KILL || true
wait_for 5 "it is seen" bird_status_is .connected false
stays 2 "fra may be used without BIRD" path_usable e voice fra
bird_restart e
wait_for 10 "ams is disabled" disabled_for ams "$WHY"
stays 1 "fra may be used while BIRD begins" path_usable e voice fra
wait_for 30 "BGP fra" up_again fra
heal

step "BGP is down and BFD is not: the path carries nothing until it is back, and that is told"
wait_for 5 "ams is seen" bgp_shows ams established # after BIRD was away, for the first time
wait_for 5 "ams-6 is seen" bgp_shows ams-6 established
warned() { # how often of ams that BGP is missing
	grep -c "peer ams: BFD is up, but BGP is not" "$RUN/bfdd-e.log" || true
}
WARNED=$(warned) # it may have taken long before
is_warned() {
	[ "$(warned)" -gt "$WARNED" ]
}
birdc_in ams disable edge4 >/dev/null
wait_for 5 "the path may not be used" path_not_usable e voice ams
birdc_in ams disable edge6 >/dev/null
wait_for 5 "fra carries" service_on e voice fra
wait_for 10 "it is told" bgp_shows ams active
wait_for 10 "the warning is there" is_warned
service_field e voice '.["last-switch"].reason' | grep -q "the BGP session with ams.* is down" ||
	fail "the reason: $(service_field e voice '.["last-switch"].reason')"
birdc_in ams enable edge4 >/dev/null
wait_for 60 "the path may be used" path_usable e voice ams
wait_for 5 "ams carries" service_on e voice ams
sed -i '1i require-bgp = false;' "$RUN/bfdd-e.conf"
ctl e reload >/dev/null
wait_for 5 "BGP is not required" path_usable e voice ams-6
equal "warnings of ams" "$(warned)" $((WARNED + 1))
birdc_in ams enable edge6 >/dev/null

step "BFD is absent and BGP is up: that is told"
sed -i 's/{ name = "fra"; address = "192.0.2.3"; interface = "eth2"; profile = "pni"; }/{ name = "fra"; address = "192.0.2.3"; interface = "eth2"; profile = "pni"; minimum-ttl = 254; local-address = "192.0.2.2"; multihop = true; via = "192.0.2.3"; }/' "$RUN/bfdd-e.conf"
ctl e reload >/dev/null
wait_for 10 "the warning is there" grep -q "peer fra: BGP is up, but BFD is not" "$RUN/bfdd-e.log"

step "$BIRD_ROUNDS times disabled and enabled, $BIRD_RECONNECTS times connected: nothing grows"
bfdd_stop e
before=$(awk '/^VmRSS/ { print $2 }' "/proc/$(cat "$RUN/bird-e.process")/status")
grown=$("$TOOLS/bird_rounds" "$RUN/bird-e.ctl" fra "$BIRD_ROUNDS" "$BIRD_RECONNECTS") || fail "the rounds ended early"
echo "$grown; BIRD's memory: $before kB before, $(awk '/^VmRSS/ { print $2 }' "/proc/$(cat "$RUN/bird-e.process")/status") after"
equal "rounds" "$(jq .rounds <<<"$grown")" "$BIRD_ROUNDS"
equal "reconnects" "$(jq .reconnects <<<"$grown")" "$BIRD_RECONNECTS"
equal "descriptors grown" "$(jq .descriptors <<<"$grown")" 0
at_most "bytes grown" "$(jq .bytes <<<"$grown")" 0
