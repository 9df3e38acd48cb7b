#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Restarts that nobody notices: kill -9, a stop for a restart, hold-on-stop; another file at the restart; and those that
# are noticed: too late, a path that died meanwhile, a state file that is spoiled or another's. At 3 x 300 ms, with
# bfdd, BIRD's own BFD and FRR's bfdd at the far ends, each of which is asked what it has seen.
. "$(dirname "$0")/lib.sh"
need bird birdc vtysh
[ -x /usr/lib/frr/bfdd ] || skip "frr is not installed"
[ "$(stat -f -c %T /dev/shm)" = tmpfs ] || skip "no tmpfs is mounted at /dev/shm"

# p, who calls, behind a; a's neighbours b (bfdd, where the call goes), c (BIRD) and d (FRR).
lab_ns p a b c d z
lab_link p xa a xp
lab_addr p xa 10.0.9.0/31
lab_addr a xp 10.0.9.1/31
lab_in p ip route add default via 10.0.9.1
for n in b c d; do
	lab_link a x$n $n xa
done
lab_addr a xb 10.0.1.0/31 fe80::a/64
lab_addr b xa 10.0.1.1/31 fe80::b/64
lab_addr a xc 10.0.2.0/31
lab_addr c xa 10.0.2.1/31
lab_addr a xd 10.0.3.0/31
lab_addr d xa 10.0.3.1/31
lab_addr b lo 203.0.113.5/32
lab_in b nft -f - <<-END
	table netdev cut {
		chain in { type filter hook ingress device xa priority 0; }
		chain out { type filter hook egress device xa priority 0; }
	}
END

far_bfdd() {
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 300; receive-interval = 300; } );
		peers = ( { name = "v4"; address = "10.0.1.0"; interface = "xa"; profile = "p"; },
		  { name = "ll"; address = "fe80::a"; interface = "xa"; profile = "p"; } );
	END
}

cat >"$RUN/bird.conf" <<END
log stderr all;
router id 10.0.2.1;
protocol device {}
protocol bfd {
	debug { events };
	interface "xa" { min rx interval 300 ms; min tx interval 300 ms; idle tx interval 300 ms; multiplier 3; };
	neighbor 10.0.2.0 dev "xa";
}
END

FRR=$RUN/frr
mkdir "$FRR"
cat >"$FRR/bfdd.conf" <<END
bfd
 peer 10.0.3.0 local-address 10.0.3.1 interface xa
  transmit-interval 300
  receive-interval 300
  detect-multiplier 3
 !
!
END
: >"$FRR/zebra.conf"
chown -R frr:frr "$FRR"

frr_show() {
	vtysh --vty_socket "$FRR" -d bfdd -c "$1" 2>/dev/null
}

bird_sessions() {
	birdc -s "$RUN/bird.ctl" show bfd sessions
}

VOICE='{ name = "voice"; prefixes = [ "203.0.113.0/24" ]; sites = [ "ams", "fra" ]; wait-to-restore = 500; }'
SITES='{ name = "ams"; peers = [ "b4" ]; }, { name = "fra"; peers = [ "bird" ]; }'
SERVICES=$VOICE
LL='{ name = "bll"; address = "fe80::b"; interface = "xb"; },'
STEERING=''
INTERVAL=300
near() {
	cat <<-END
		peers = ( $LL
		  { name = "b4"; address = "10.0.1.1"; interface = "xb"; transmit-interval = $INTERVAL; receive-interval = $INTERVAL; },
		  { name = "bird"; address = "10.0.2.1"; interface = "xc"; },
		  { name = "frr"; address = "10.0.3.1"; interface = "xd"; } );
		sites = ( $SITES );
		services = ( $SERVICES );
		steering = { $STEERING };
	END
}

# Whatever a far end would tell of a session that was not there for a moment, or is another one now.
far_lives() {
	ctl b peers | jq -c '[.[] | [.name, .state, .since, .["up-transitions"], .["down-transitions"], .["remote-discriminator"]]]'
	bird_sessions | awk '/^10\./ { print $1, $3 }'
	grep -c 'changed state' "$RUN/bird.log"
	frr_show "show bfd peers json" | jq -c '[.[] | [.status, .id, .["remote-id"]]]'
	frr_show "show bfd peers counters json" | jq -c '[.[] | [.["session-up"], .["session-down"]]]'
}

# And what we tell of it.
near_lives() {
	ctl a peers | jq -c '[.[] | [.name, .state, .["up-transitions"], .["down-transitions"],
		.["local-discriminator"], .["remote-discriminator"]]] | sort'
}

# Since when b4 is up, in us. Two processes read the clocks' difference anew.
near_since() {
	date -d "$(peer_field a b4 since)" +%s%6N
}

far_up() {
	all_up b && [ "$(bird_sessions | grep -c ' Up ')" = 1 ] &&
		[ "$(frr_show "show bfd peers json" | jq '[.[] | select(.status == "up")] | length')" = 1 ]
}

settled() { # WHAT    all Up at both ends, intervals negotiated, the service carried
	wait_for 20 "$1: all up" all_up a
	wait_for 20 "$1: all up at the far ends" far_up
	wait_for 5 "$1: negotiated" negotiated
	wait_for 70 "$1: ams carries" service_on a voice ams
}

negotiated() {
	ctl a peers | jq -e 'all(.["transmit-interval"] <= 300 and .["receive-interval"] <= 300)' >/dev/null
}

survival() { # FIELD
	ctl a status | jq -r ".survival[\"$1\"]"
}

objects() {
	kernel_objects a | grep -e 'proto 158' -e '^rule' | sort
}

# From here on nothing may be noticed.
begin() {
	FAR=$(far_lives)
	NEAR=$(near_lives)
	SINCE=$(near_since)
	OBJECTS=$(objects)
	voice_recv_start b
	voice_send_start p voice,203.0.113.5,2000
	wait_for 5 "traffic flows" [ -e "$RUN/send.log" ]
	sleep 0.3 # of traffic before anything happens
}

# Two detection times later.
unnoticed() { # WHAT
	stays 2 "$1: up" all_up a
	voice_end
	equal "$1: what the far ends have seen" "$(far_lives)" "$FAR"
	equal "$1: our sessions" "$(near_lives)" "$NEAR"
	at_most "$1: b4 is up since, us off" "$(($(near_since) - SINCE))" 10000
	at_least "$1: b4 is up since, us off" "$(($(near_since) - SINCE))" -10000
	equal "$1: our objects in the kernel" "$(objects)" "$OBJECTS"
	equal "$1: changes of state told" "$(ctl a events | jq '[.[] | select(.event == "session" or .event == "switch")] | length')" 0
	equal "$1: sessions that went on" "$(survival resumed)" 4
	at_least "$1: packets received" "$(stream_field voice received)" 900
	equal "$1: packets lost" "$(stream_field voice lost)" 0
}

bfdd_end() { # SIGNAL
	lab_stop "$(bfdd_pid a)" "$1" || true
}

bfdd_start b < <(far_bfdd)
lab_start c bird bird -f -c "$RUN/bird.conf" -s "$RUN/bird.ctl" -P "$RUN/bird.pid"
frr_start() { # zebra|bfdd
	# shellcheck disable=SC2046
	lab_start d "frr-$1" "/usr/lib/frr/$1" -f "$FRR/$1.conf" -z "$FRR/zserv.api" --vty_socket "$FRR" \
		-i "$FRR/$1.pid" --log stdout $([ "$1" != bfdd ] || echo "--bfdctl $FRR/bfdd.sock")
}
frr_start zebra
wait_for 10 "zebra listens" test -S "$FRR/zserv.api"
frr_start bfdd

bfdd_start a < <(near)
settled "start"
FILE=$(survival file)
[ "$FILE" != null ] || skip "no tmpfs: $(survival refused)"
[ -f "$FILE" ] || fail "no file is at $FILE"

step "killed and started again, three times"
for i in 1 2 3; do
	begin
	bfdd_kill a
	bfdd_restart a
	unnoticed "kill $i"
done

step "stopped for a restart"
begin
bfdd_end USR1
equal "our objects while it is away" "$(objects)" "$OBJECTS"
bfdd_restart a
unnoticed "SIGUSR1"

step "stopped with hold-on-stop"
STEERING="hold-on-stop = true;"
near >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
begin
bfdd_end TERM
bfdd_restart a
unnoticed "hold-on-stop"
STEERING=''

step "killed, and the file is another: more services, sites in another order, another interval"
SITES='{ name = "new"; peers = [ "frr" ]; }, { name = "fra"; peers = [ "bird" ]; }, { name = "ams"; peers = [ "b4", "bll" ]; }'
SERVICES='{ name = "first"; prefixes = [ "198.51.100.0/24" ]; sites = [ "new", "ams" ]; }, '$VOICE
INTERVAL=200
near >"$RUN/bfdd-a.conf"
begin
lab_in a ip -4 route show table all proto 158 | grep 203.0.113 >"$RUN/routes"
bfdd_kill a
bfdd_restart a
stays 2 "up" all_up a
voice_end
equal "what the far ends have seen" "$(far_lives)" "$FAR"
equal "our sessions" "$(near_lives)" "$NEAR"
equal "packets lost" "$(stream_field voice lost)" 0
at_least "packets received" "$(stream_field voice received)" 900
equal "the voice service's tables and groups" "$(lab_in a ip -4 route show table all proto 158 | grep 203.0.113)" "$(cat "$RUN/routes")"
equal "we send b4 each" "$(peer_field a b4 transmit-interval)" 300 # b wants no more
equal "we would take from b4 each" "$(ctl a peer b4 | jq '.["configured-receive-interval"]')" 200
SITES='{ name = "ams"; peers = [ "b4" ]; }, { name = "fra"; peers = [ "bird" ]; }' SERVICES=$VOICE INTERVAL=300

step "killed, and a peer is not configured any more: it is told"
LL=''
near >"$RUN/bfdd-a.conf"
bfdd_kill a
bfdd_restart a
ll_told() {
	[ "$(ctl b peers | jq -r '.[] | select(.name == "ll") | .["remote-state"]')" = admin-down ]
}
wait_for 5 "b was told AdminDown" ll_told
equal "peers told" "$(survival removed)" 1
equal "sessions that went on" "$(survival resumed)" 3
equal "b4 at b" "$(peer_field b v4 state)" up
LL='{ name = "bll"; address = "fe80::b"; interface = "xb"; },'
near >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
settled "the peer is back"

step "a path dies while bfdd is dead: found in the detection time"
wait_for 70 "ams carries" service_on a voice ams
bfdd_kill a
lab_in b nft 'add rule netdev cut in drop; add rule netdev cut out drop'
since=$(lab_now)
bfdd_restart a
equal "sessions that went on" "$(survival resumed)" 4
wait_for 5 "fra carries" service_on a voice fra
began=$(event_at a "$since" '.event == "resume"')
at=$(event_at a "$since" '.event == "switch" and .service == "voice" and .to == "fra"')
at_most "ms from the start to the switch" $(((at - began) / 1000)) $((900 + 50 * SLACK))
at_least "ms from before the start to the switch" $(((at - since) / 1000)) 899
equal "its reason" "$(service_field a voice '.["last-switch"].reason')" "b4 went down: control-expiry"
equal "the others" "$(peer_field a bird state) $(peer_field a frr state)" "up up"
lab_in b nft 'flush chain netdev cut in; flush chain netdev cut out'
settled "healed"

step "too late: all have given up, and come up again with the discriminators of before"
before=$(ctl a peers | jq -c '[.[] | [.name, .["local-discriminator"]]]')
bfdd_kill a
none_up() {
	[ "$(ctl b peers | jq '[.[] | select(.state == "up")] | length')" = 0 ] && ! bird_sessions | grep -q ' Up ' &&
		[ "$(frr_show "show bfd peers json" | jq '[.[] | select(.status == "up")] | length')" = 0 ]
}
wait_for 5 "all have given up" none_up
bfdd_restart a
equal "sessions that went on" "$(survival resumed)" 0
equal "sessions that came too late" "$(survival too-late)" 4
settled "too late"
equal "discriminators" "$(ctl a peers | jq -c '[.[] | [.name, .["local-discriminator"]]]')" "$before"

step "a clean stop leaves no file, and tells the peers"
bfdd_stop a
[ ! -e "$FILE" ] || fail "$FILE is still there"
equal "the state of its sessions at b" "$(ctl b peers | jq -r '[.[].state] | unique | join(" ")')" down
bfdd_restart a
equal "files refused" "$(survival refused)" null
settled "clean stop"

spoiled() { # WHAT WORDS
	bfdd_restart a
	survival refused | grep -q "$2" || fail "$1: the reason is '$(survival refused)'"
	grep -q "$2.*begin anew" "$RUN/bfdd-a.log" || fail "$1: not in the log"
	equal "$1: sessions that went on" "$(survival resumed)" 0
	settled "$1"
}

step "a file that is damaged, cut, a link, another's"
bfdd_kill a
head -c "$(stat -c %s "$FILE")" /dev/urandom >"$RUN/random"
cat "$RUN/random" >"$FILE"
spoiled "random bytes" "damaged"
bfdd_kill a
truncate -s -7 "$FILE"
spoiled "cut" "size"
bfdd_kill a
mv "$FILE" "$RUN/moved"
ln -s "$RUN/moved" "$FILE"
spoiled "link" "symbolic link"
[ ! -L "$FILE" ] || fail "the link was not replaced"
bfdd_kill a
chmod 666 "$FILE"
spoiled "others can write" "others can write"
bfdd_kill a
dd if="$RUN/random" of="$FILE" bs=1 seek=4096 count=128 conv=notrunc status=none
bfdd_restart a # one record; the others are good
equal "one record spoiled: sessions that went on" "$(survival resumed)" 3
settled "one record spoiled"

step "another network namespace finds the file"
bfdd_kill a
cp "$RUN/bfdd-a.conf" "$RUN/bfdd-z.conf"
lab_start z bfdd-z "$BFDD" -c "$RUN/bfdd-z.conf" -s "$RUN/z.ctl" -S "$RUN/state-a"
echo "$PID" >"$RUN/bfdd-z.pid"
wait_for 10 "bfdd in z answers" bfdd_answers z
ctl z status | jq -r .survival.refused | grep -q "another network namespace" || fail "not refused: $(ctl z status | jq -c .survival)"
bfdd_stop z
bfdd_restart a
settled "after the other namespace"

step "somebody cuts the file of a running bfdd"
FAR=$(far_lives)
truncate -s 0 "$FILE"
lost() {
	[ "$(survival file)" = null ]
}
wait_for 5 "it is told" lost
grep -q "cut .* short" "$RUN/bfdd-a.log" || fail "not in the log"
stays 1 "all up" all_up a
equal "what the far ends have seen" "$(far_lives)" "$FAR"
bfdd_kill a
spoiled "cut while in use" "size"

bfdd_stop a
bfdd_stop b
