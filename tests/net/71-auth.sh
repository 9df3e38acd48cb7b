#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Authentication between bfdd and bfdd: HMAC-SHA1, keys that change by time, chains that come and go with reloads, and somebody
# in the peer's place who knows no key and sends as fast as he can: the others do not notice.
. "$(dirname "$0")/lib.sh"

lab_ns a b c
lab_link a x1 b x1
lab_link a x2 c x2
lab_addr a x1 10.0.1.0/31
lab_addr b x1 10.0.1.1/31
lab_addr a x2 10.0.2.0/31
lab_addr c x2 10.0.2.1/31
umask 077
printf 'secret one' >"$RUN/1.key"
printf 'secret two' >"$RUN/2.key"
printf 'another one' >"$RUN/3.key"

KEYS1="{ id = 1; type = \"meticulous-keyed-sha1\"; secret-file = \"$RUN/1.key\"; }"
KEYS2="{ id = 9; type = \"meticulous-hmac-sha1\"; secret-file = \"$RUN/3.key\"; }"
FILTER=true
config() { # NAME    of the namespace
	local peers
	case $1 in
	a) peers="{ name = \"b\"; address = \"10.0.1.1\"; interface = \"x1\"; profile = \"one\"; },
		{ name = \"c\"; address = \"10.0.2.1\"; interface = \"x2\"; profile = \"two\"; }" ;;
	b) peers="{ name = \"a\"; address = \"10.0.1.0\"; interface = \"x1\"; profile = \"one\"; }" ;;
	c) peers="{ name = \"a\"; address = \"10.0.2.0\"; interface = \"x2\"; profile = \"two\"; }" ;;
	esac
	cat <<-END
		key-chains = ( { name = "k1"; keys = ( $KEYS1 ); }, { name = "k2"; keys = ( $KEYS2 ); } );
		profiles = ( { name = "one"; transmit-interval = 100; receive-interval = 100; detect-multiplier = 5; key-chain = "k1"; },
		  { name = "two"; transmit-interval = 100; receive-interval = 100; detect-multiplier = 5; key-chain = "k2"; } );
		peers = ( $peers );
		daemon = { kernel-filter = $FILTER; };
	END
}

reload() { # NAME
	config "$1" >"$RUN/bfdd-$1.conf"
	ctl "$1" reload >"$RUN/reload.json" || fail "reload refused: $(cat "$RUN/reload.json")"
}

lives() {
	ctl a peers | jq -c '[.[] | [.name, .state, .["down-transitions"]]]'
	ctl b peers | jq -c '[.[] | [.name, .state, .["down-transitions"]]]'
	ctl c peers | jq -c '[.[] | [.name, .state, .["down-transitions"]]]'
}

auth() { # NAME PEER FIELD
	ctl "$1" peer "$2" | jq -r ".authentication[\"$3\"]"
}

auth_is() { # NAME PEER FIELD VALUE
	[ "$(auth "$1" "$2" "$3")" = "$4" ]
}

bfdd_start b < <(config b)
bfdd_start c < <(config c)
bfdd_start a < <(config a)
wait_up a b c
equal "types" "$(auth a b type) $(auth a b remote-type) $(auth a c type)" "meticulous-keyed-sha1 meticulous-keyed-sha1 meticulous-hmac-sha1"
sleep 1 # of Poll Sequences
LIVES=$(lives)

step "a new number with each packet"
ctl a peer b >"$RUN/before.json"
sleep 1
ctl a peer b >"$RUN/after.json"
grown() { # JQ-PATH
	echo "$((($(jq "$1" "$RUN/after.json") - $(jq "$1" "$RUN/before.json")) & 0xffffffff))"
}
equal "numbers and packets since" "$(grown .authentication.sequence)" "$(grown '.["packets-out"]')"
at_least "packets" "$(grown '.["packets-out"]')" 5

step "keys change by the clock"
soon=$(date -u -d '+4 seconds' +%Y-%m-%dT%H:%M:%SZ)
KEYS1="{ id = 1; type = \"meticulous-keyed-sha1\"; secret-file = \"$RUN/1.key\"; send-end = \"$soon\"; },
	{ id = 2; type = \"keyed-md5\"; secret-file = \"$RUN/2.key\"; send-start = \"$soon\"; }"
reload a
reload b
equal "still the first" "$(auth a b key-id)" 1
wait_for 10 "a sends the second" auth_is a b key-id 2
wait_for 10 "b sends it, too" auth_is a b remote-key-id 2
has_event a 0 '.event == "key" and .["key-chain"] == "k1" and .["key-id"] == 2' || fail "no event tells of it"
stays 1 "up" peer_is a b up
equal "lives" "$(lives)" "$LIVES"

step "chains come and go"
key() { # ID    the first of a chain is sent
	echo "{ id = $1; type = \"meticulous-keyed-sha1\"; secret-file = \"$RUN/1.key\"; }"
}
MD5="{ id = 2; type = \"keyed-md5\"; secret-file = \"$RUN/2.key\"; }"
for KEYS1 in "$MD5, $(key 3)" "$(key 3), $MD5" "$(key 3), $(key 4)" "$(key 4), $(key 3)" "$(key 4), $(key 5)" \
	"$(key 5), $(key 4)" "$(key 5), $(key 8)" "$(key 8), $(key 5)" "$(key 8)"; do
	reload a
	reload b
done
wait_for 5 "the last key is sent" auth_is a b key-id 8
stays 1 "up" peer_is a b up
equal "lives" "$(lives)" "$LIVES"
equal "drops" "$(ctl a peers | jq -c '[.[].drops]')" "[{},{}]"

# A packet of b's that says Down, with b's addresses and key, under a wrong digest.
forged() {
	printf '20440334%08x%08x000186a0000186a000000000051c0800%08x%040x' "$(peer_field a b remote-discriminator)" \
		"$(peer_field a b local-discriminator)" 12345 0
}

flooded() { # WHAT COUNT RATE
	local digests limited since
	since=$(lab_now)
	lab_in b "$TOOLS/badpkt" -i x1 -n "$2" -r "$3" 10.0.1.1 10.0.1.0 3784 255 "$(forged)"
	digests=$(peer_drops a b auth-digest)
	limited=$(($(peer_drops a b rate-limited) + $(ctl a status | jq '.drops["rate-limited"] // 0')))
	at_least "$1: digests computed" "$digests" 200
	at_most "$1: digests computed" "$digests" $((2000 * ($(lab_now) - since) / 1000000 + 400))
	at_least "$1: not even looked at" "$limited" 1000
	equal "$1: c" "$(ctl a peers | jq -c '.[1] | [.state, .["down-transitions"], (.drops | del(.["unknown-discriminator"]))]') $(ctl c peers | jq -c '.[0] | [.state, .["down-transitions"]]')" \
		"[\"up\",0,{}] [\"up\",$DOWNS]"
	wait_up a b
}

DOWNS=0
step "somebody in b's place sends 300,000 wrong digests"
flooded "flood" 300000 0

step "without the kernel's filter, 10,000 a second"
FILTER=false
bfdd_stop a
bfdd_start a < <(config a)
# Its numbers are others: they are believed when nothing was for two detection times, 5 x 1 s while a session is down.
for peer in b c; do
	wait_for 20 "peer $peer of a is up" peer_is a $peer up
done
sleep 1 # of Poll Sequences
SINCE=$(peer_field b a since)
DOWNS=$(ctl c peers | jq '.[0]["down-transitions"]')
flooded "flood without the filter" 50000 10000
equal "b did not notice: up since" "$(peer_field b a since)" "$SINCE"

# b's peer is not in the file any more, and a chain of its name may not be either. Long detection times: a slow start is no failure.
without_b() { # SED-SCRIPT
	config a | sed "s/{ name = \"b\".*//; s/transmit-interval = 100/transmit-interval = 600/; $1" >"$RUN/bfdd-a.conf"
}

step "a peer is taken away while bfdd is dead: its goodbye is signed"
config a | sed 's/transmit-interval = 100/transmit-interval = 600/' >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
b_waits() {
	[ "$(peer_field b a detection-time)" = 3000 ]
}
wait_for 10 "b has 3 s to wait" b_waits
cp "$RUN/bfdd-a.conf" "$RUN/with-b.conf"
DROPS=$(ctl b peers | jq -c '.[0].drops')
SINCE=$(lab_now)
without_b ""
bfdd_kill a
bfdd_restart a
equal "peers told" "$(ctl a status | jq .survival.removed)" 1
told() {
	has_event b "$SINCE" '.event == "session" and .from == "up" and .diagnostic == "neighbor-down"'
}
wait_for 10 "b was told, and believed it" told
equal "drops at b" "$(ctl b peers | jq -c '.[0].drops')" "$DROPS"

step "its keys are gone with it: it is told nothing"
cp "$RUN/with-b.conf" "$RUN/bfdd-a.conf"
ctl a reload >/dev/null
wait_for 20 "b is up again" peer_is b a up
wait_for 10 "b has 3 s to wait" b_waits
DROPS=$(ctl b peers | jq -c '.[0].drops')
SINCE=$(lab_now)
without_b 's/{ name = "k1".*}, { name = "k2"/{ name = "k2"/; s/profiles = ( .*/profiles = (/'
bfdd_kill a
bfdd_restart a
equal "peers told" "$(ctl a status | jq .survival.removed)" 0
timed_out() {
	has_event b "$SINCE" '.event == "session" and .from == "up" and .diagnostic == "control-expiry"'
}
wait_for 10 "b has waited" timed_out
equal "drops at b" "$(ctl b peers | jq -c '.[0].drops')" "$DROPS"
bfdd_stop a
