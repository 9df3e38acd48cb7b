#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Authentication against BIRD: all five types of RFC 5880, a session of each; keys that change by a reload, a wrong key, none,
# a restart of bfdd by kill -9 and of BIRD.
. "$(dirname "$0")/lib.sh"
need bird birdc

TYPES="simple-password keyed-md5 meticulous-keyed-md5 keyed-sha1 meticulous-keyed-sha1"
lab_ns a b
n=0
for type in $TYPES; do
	n=$((n + 1))
	lab_link a x$n b x$n
	lab_addr a x$n 10.0.$n.0/31
	lab_addr b x$n 10.0.$n.1/31
done

umask 077
printf 'first secret\n' >"$RUN/first.key"
printf 'second secret' >"$RUN/second.key"

# BIRD takes no number of a key in place of "id", and finds the one to send by time.
bird_config() { # PASSWORDS
	local n=0 type
	cat <<-END
		log stderr all;
		router id 10.0.1.1;
		protocol device {}
		protocol bfd {
	END
	for type in $TYPES; do
		n=$((n + 1))
		case $type in
		simple-password) words=simple ;;
		*) words=${type//-/ } ;;
		esac
		echo "interface \"x$n\" { min rx interval 300 ms; min tx interval 300 ms; idle tx interval 300 ms; multiplier 5;"
		echo "authentication $words; $1 };"
		echo "neighbor 10.0.$n.0 dev \"x$n\";"
	done
	echo "}"
}

KEY1='password "first secret" { id 1; };'
KEY2='password "second secret" { id 2; };'
KEY1_ACCEPTED='password "first secret" { id 1; generate to "2020-01-01"; };'

FIRST_HEX=$(printf 'first secret' | od -An -tx1 | tr -d ' \n')

# Meticulous ones have the first secret in hexadecimal. KEYS-FIELDS: of key 1 and of key 2, "" if there is no such key.
bfdd_config() { # FIRST SECOND
	local n=0 type chains="" peers="" first
	for type in $TYPES; do
		n=$((n + 1))
		first="secret-file = \"$RUN/first.key\";"
		[[ $type != meticulous* ]] || first="secret-hex = \"$FIRST_HEX\";"
		chains="$chains${chains:+,} { name = \"$type\"; keys = ("
		[ "$1" = - ] || chains="$chains { id = 1; type = \"$type\"; $first $1 }"
		[ "$1" = - ] || [ "$2" = - ] || chains="$chains,"
		[ "$2" = - ] || chains="$chains { id = 2; type = \"$type\"; secret-file = \"$RUN/second.key\"; $2 }"
		chains="$chains ); }"
		peers="$peers${peers:+,} { name = \"$type\"; address = \"10.0.$n.1\"; interface = \"x$n\"; profile = \"p\"; key-chain = \"$type\"; }"
	done
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 300; receive-interval = 300; detect-multiplier = 5; } );
		key-chains = ( $chains );
		peers = ( $peers );
	END
}

bird_sessions() {
	birdc -s "$RUN/bird.ctl" show bfd sessions 2>/dev/null
}

bird_up() {
	[ "$(bird_sessions | grep -c ' Up ')" = 5 ]
}

bird_start() {
	lab_start b bird bird -f -c "$RUN/bird.conf" -s "$RUN/bird.ctl" -P "$RUN/bird.pid"
	BIRD=$PID
}

bird_reload() { # PASSWORDS
	bird_config "$1" >"$RUN/bird.conf"
	birdc -s "$RUN/bird.ctl" configure | grep -q Reconfigured || fail "BIRD does not take its configuration"
}

bfdd_reload() {
	bfdd_config "$@" >"$RUN/bfdd-a.conf"
	ctl a reload >"$RUN/reload.json" || fail "reload refused: $(cat "$RUN/reload.json")"
}

# Both ends' whole lives: the same afterwards if nothing happened.
lives() {
	ctl a peers | jq -c '[.[] | [.name, .state, .since, .["up-transitions"], .["down-transitions"]]]'
	bird_sessions | awk '/^10\./ { print $1, $3, $4 }'
}

# FIELD of what each peer's authentication says, once if they agree.
auth() { # FIELD
	local type
	for type in $TYPES; do
		ctl a peer "$type" | jq -r ".authentication[\"$1\"]"
	done | sort -u
}

auth_is() { # FIELD VALUE
	[ "$(auth "$1")" = "$2" ]
}

up() { # WHAT
	wait_for 20 "$1: all up at bfdd" all_up a
	wait_for 20 "$1: all up at BIRD" bird_up
}

bird_config "$KEY1" >"$RUN/bird.conf"
bird_start
bfdd_start a < <(bfdd_config "" -)

step "all five types"
up "start"
for type in $TYPES; do
	equal "$type: what is sent" "$(ctl a peer $type | jq -r .authentication.type)" $type
	equal "$type: what BIRD sends" "$(ctl a peer $type | jq -r '.authentication["remote-type"]')" $type
done
equal "keys sent and received" "$(auth key-id) $(auth remote-key-id)" "1 1"
"$BFDCTL" -s "$RUN/a.ctl" peer keyed-sha1 | grep -q 'authenticates *keyed-sha1, key 1; the remote: keyed-sha1, key 1' ||
	fail "not in words: $("$BFDCTL" -s "$RUN/a.ctl" peer keyed-sha1)"

step "it stays so, and nothing is dropped"
sleep 1 # of Poll Sequences and of packets with numbers that the other has seen already
LIVES=$(lives)
DROPS=$(ctl a peers | jq -c '[.[].drops]')
stays 3 "all up" all_up a
equal "lives" "$(lives)" "$LIVES"
equal "drops" "$(ctl a peers | jq -c '[.[].drops]')" "$DROPS"
! grep -q 'Authentication failed' "$RUN/bird.log" || fail "BIRD refused packets: $(grep 'Authentication failed' "$RUN/bird.log" | head -3)"

step "another key, by reloads: accepted at both ends, sent, the old one gone"
bfdd_reload "" 'send-start = "2099-01-01T00:00:00Z";'
bird_reload "$KEY1 $KEY2" # BIRD sends the first
wait_for 5 "the same key is sent" auth_is key-id 1
bfdd_reload 'send-end = "2020-01-01T00:00:00Z";' ""
bird_reload "$KEY1_ACCEPTED $KEY2"
wait_for 5 "key 2 is sent" auth_is key-id 2
wait_for 5 "key 2 comes" auth_is remote-key-id 2
bfdd_reload - ""
bird_reload "$KEY2"
stays 2 "all up" all_up a
equal "lives" "$(lives)" "$LIVES"
equal "drops" "$(ctl a peers | jq -c '[.[].drops]')" "$DROPS"
! grep -q 'Authentication failed' "$RUN/bird.log" || fail "BIRD refused packets: $(grep 'Authentication failed' "$RUN/bird.log" | head -3)"

step "bfdd is killed and goes on"
for _ in 1 2 3; do
	bfdd_kill a
	bfdd_restart a
	stays 2 "all up" all_up a
	[ "$(ctl a status | jq -r .survival.file)" != null ] || break
	equal "sessions that went on" "$(ctl a status | jq .survival.resumed)" 5
	equal "lives" "$(lives | tail -5)" "$(tail -5 <<<"$LIVES")"
	equal "drops" "$(ctl a peers | jq -c '[.[].drops] | unique')" "[{}]"
done
! grep -q 'Authentication failed' "$RUN/bird.log" || fail "BIRD refused packets: $(grep 'Authentication failed' "$RUN/bird.log" | head -3)"

step "another secret: nothing is believed"
printf 'wrong secret\n' >"$RUN/second.key"
since=$(lab_now)
ctl a reload >/dev/null
none_up() {
	ctl a peers | jq -e 'all(.state != "up")' >/dev/null && ! bird_sessions | grep -q ' Up '
}
wait_for 10 "all down at both ends" none_up
for type in $TYPES; do
	reason=auth-digest
	[ $type != simple-password ] || reason=auth-password
	at_least "$type: $reason" "$(peer_drops a $type $reason)" 1
done
stays 2 "none up" none_up
printf 'second secret' >"$RUN/second.key"
ctl a reload >/dev/null
up "the secret is back"

step "no authentication at BIRD, then none here"
sed 's/authentication .*/};/' "$RUN/bird.conf" >"$RUN/bird.plain"
cp "$RUN/bird.conf" "$RUN/bird.auth"
cp "$RUN/bird.plain" "$RUN/bird.conf"
birdc -s "$RUN/bird.ctl" configure >/dev/null
wait_for 10 "all down at both ends" none_up
for type in $TYPES; do
	at_least "$type: auth-missing" "$(peer_drops a $type auth-missing)" 1
done
sed -i 's/key-chain = "[^"]*";//g' "$RUN/bfdd-a.conf"
ctl a reload >/dev/null
up "without keys"
equal "authentication" "$(ctl a peer keyed-md5 | jq -c .authentication)" null
cp "$RUN/bird.auth" "$RUN/bird.conf"
birdc -s "$RUN/bird.ctl" configure >/dev/null
wait_for 10 "all down at both ends" none_up
for type in $TYPES; do
	at_least "$type: auth-unexpected" "$(peer_drops a $type auth-unexpected)" 1
done
bfdd_reload - ""
up "with keys again"

step "BIRD is killed, and begins with other numbers"
lab_stop "$BIRD" KILL || true
bird_start
up "BIRD killed"

step "no key may be sent: said, and nothing is"
ctl a events >/dev/null
bfdd_reload - 'send-end = "2020-01-01T00:00:00Z";'
wait_for 10 "all down at both ends" none_up
equal "waiting" "$(peer_field a keyed-md5 waiting)" "a key to send of keyed-md5"
grep -q 'keyed-md5.* has no key to send' "$RUN/bfdd-a.log" || fail "not in the log"
SENT=$(ctl a peers | jq -c '[.[]["packets-out"]]')
sleep 2 # in which two packets would be sent
equal "packets sent" "$(ctl a peers | jq -c '[.[]["packets-out"]]')" "$SENT"
soon=$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)
bfdd_reload - "send-start = \"$soon\";"
up "the key's time has come"
has_event a 0 '.event == "key" and .["key-id"] == 2' || fail "no event tells of it"

step "no secret is shown"
ctl a events >"$RUN/shown"
ctl a status >>"$RUN/shown"
ctl a peers >>"$RUN/shown"
ctl a peer keyed-md5 >>"$RUN/shown"
cat "$RUN/bfdd-a.log" >>"$RUN/shown"
! grep -i -e "$FIRST_HEX" -e 'secret"\|first secret\|second secret\|wrong secret' "$RUN/shown" || fail "a secret is shown"
bfdd_stop a
