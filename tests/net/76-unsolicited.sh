#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Unsolicited BFD (RFC 9468): BIRD, then FRR begin sessions that nobody configured here; they go when they are down for long, outlive
# reload and restart, may be named in a site by address; and a flood of strangers takes no more than its share.
. "$(dirname "$0")/lib.sh"
need bird birdc
[ -x /usr/lib/frr/bfdd ] || skip "frr is not installed"

interop_links

cat >"$RUN/bird.conf" <<END
log stderr all;
router id 10.0.0.1;
protocol device {}
protocol bfd {
	interface "x1" { min rx interval 300 ms; min tx interval 300 ms; idle tx interval 300 ms; multiplier 5; };
	neighbor 10.0.0.0 dev "x1";
	neighbor 2001:db8:1::a dev "x1";
	neighbor fe80::a dev "x1";
}
END
FRR=$RUN/frr
mkdir "$FRR"
cat >"$FRR/bfdd.conf" <<END
bfd
 peer 10.0.0.0 local-address 10.0.0.1 interface x1
  transmit-interval 60
  receive-interval 50
  detect-multiplier 4
 !
!
END
: >"$FRR/zebra.conf"
chown -R frr:frr "$FRR"

frr_start() { # zebra|bfdd
	lab_start b "frr-$1" "/usr/lib/frr/$1" -f "$FRR/$1.conf" -z "$FRR/zserv.api" --vty_socket "$FRR" \
		-i "$FRR/$1.pid" --log stdout $([ "$1" != bfdd ] || echo "--bfdctl $FRR/bfdd.sock")
}

configure() { # MAXIMUM
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 40; detect-multiplier = 3; } );
		peers = ( { name = "fixed"; address = "10.2.0.1"; local-address = "10.1.0.1"; multihop = true;
		  minimum-ttl = 63; via = "10.1.0.2"; interface = "xm"; } );
		unsolicited = ( { interfaces = [ "x1" ]; prefixes = [ "10.0.0.0/24", "10.64.0.0/16", "2001:db8:1::/64", "fe80::/10" ];
		  profile = "p"; maximum = $1; expiry = 8000; } );
		sites = ( { name = "s"; peers = [ "10.0.0.1", "fixed" ]; } );
	END
}

names() {
	ctl a peers | jq -r '[.[] | select(.source == "unsolicited") | .name] | sort | join(" ")'
}

lab_in a ip route add 10.0.0.0/24 dev x1
# The strangers of later: BIRD would be busy with new addresses then.
# shellcheck disable=SC2016
lab_in b sh -c 'for n in $(seq 2 254); do echo "address add 10.0.0.$n/32 dev lo"; done | ip -batch -'
step "nobody spoke yet: what the site awaits is there, and waits"
bfdd_start a <<<"$(configure 20)"
equal "peers" "$(names)" "10.0.0.1"
equal "it waits for" "$(peer_field a 10.0.0.1 waiting)" "the peer to speak"

step "BIRD speaks first, on three addresses"
lab_start b bird bird -f -c "$RUN/bird.conf" -s "$RUN/bird.ctl" -P "$RUN/bird.pid"
BIRD=$PID
V6="unsolicited-2001:db8:1::b%x1" LL="unsolicited-fe80::b%x1"
for peer in 10.0.0.1 $V6 $LL; do
	wait_for 15 "$peer is up" peer_is a "$peer" up
done
bird_up() {
	[ "$(birdc -s "$RUN/bird.ctl" show bfd sessions 2>/dev/null | grep -c ' Up ')" = 3 ]
}
wait_for 10 "all up at BIRD" bird_up
equal "peers" "$(names)" "10.0.0.1 $V6 $LL"
equal "its source" "$(peer_field a 10.0.0.1 source)" unsolicited
equal "its profile" "$(ctl a peer "$V6" | jq -r .profile)" p
equal "its site" "$(ctl a peer 10.0.0.1 | jq -r .site)" s
negotiated() {
	ctl a peers | jq -e '[.[] | select(.source == "unsolicited") | .["transmit-interval"] == 300 and .["detection-time"] == 1500] | all' >/dev/null
}
wait_for 5 "negotiated: the slower of both" negotiated

step "they outlive a reload, and a kill"
ctl a reload >/dev/null
equal "downs" "$(ctl a peers | jq '[.[]["down-transitions"]] | add')" 0
bfdd_kill a
bfdd_restart a
for peer in 10.0.0.1 $V6 $LL; do
	wait_for 15 "$peer is up" peer_is a "$peer" up
done
equal "sessions that went on" "$(ctl a status | jq .survival.resumed)" 3
equal "BIRD's sessions" "$(birdc -s "$RUN/bird.ctl" show bfd sessions | grep -c ' Up ')" 3

step "a flood of strangers, and the sessions that are there"
hex32() {
	printf '%08x' "$1"
}
downs() {
	ctl a peers | jq '[.[] | select(.state == "up" or .["up-transitions"] > 0) | .["down-transitions"]] | add'
}
for round in 1 2; do
	lab_in b "$TOOLS/badpkt" -a -n 253 10.0.0.2 10.0.0.0 3784 255 "20400318$(hex32 99)00000000000f4240000f424000000000"
done
counted() { # REASON
	ctl a status | jq --arg reason "$1" '.engine.drops[$reason] // 0'
}
enough() {
	[ "$(names | wc -w)" = 20 ]
}
wait_for 10 "as many sessions as there may be" enough
stays 1 "no more of them" enough
at_least "strangers that were turned away" "$(counted unsolicited-limit)" 100
equal "downs of those that are up" "$(downs)" 0
equal "BIRD's sessions" "$(birdc -s "$RUN/bird.ctl" show bfd sessions | grep -c ' Up ')" 3

step "65,000 strangers, and 300 sessions that there may be"
resident() {
	awk '/^VmRSS/ { print $2 }' "/proc/$(bfdd_pid a)/status"
}
configure 300 >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
before=$(resident)
filled() {
	[ "$(names | wc -w)" = 300 ]
}
flood() { # each address once in three seconds, if the machine is quick enough
	lab_in b "$TOOLS/badpkt" -a -n 65000 -r 20000 10.64.0.1 10.0.0.0 3784 255 "20400318$(hex32 77)00000000000f4240000f424000000000"
}
for round in 1 2 3; do
	flood
done
wait_for 10 "as many sessions as there may be" filled
dropped=$(counted unsolicited-limit)
flood
at_most "sessions" "$(names | wc -w)" 300
at_least "strangers that were turned away" "$(($(counted unsolicited-limit) - dropped))" 1000
equal "downs of those that are up" "$(downs)" 0
equal "BIRD's sessions" "$(birdc -s "$RUN/bird.ctl" show bfd sessions | grep -c ' Up ')" 3
equal "what the state file has" "$(wc -l <"$RUN/state-a/unsolicited-sessions")" 300
[ -n "${SAN-}" ] || at_most "KiB for that" "$(($(resident) - before))" 16384
configure 20 >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null

step "the strangers are silent: their sessions go, those of BIRD stay"
left() {
	[ "$(names)" = "10.0.0.1 $V6 $LL" ]
}
wait_for 25 "three are left" left
has_room() {
	ctl a status | jq -e '.unsolicited.sessions == 3' >/dev/null
}
wait_for 5 "status says so" has_room

step "what may not begin a session: another network, another link, some hops away, AdminDown"
PKT=20400318000000630000000000
REST=0f4240000f424000000000
lab_in b ip addr add 10.9.0.1/32 dev lo
lab_in b "$TOOLS/badpkt" 10.9.0.1 10.0.0.0 3784 255 "$PKT$REST"
lab_in b "$TOOLS/badpkt" 10.0.0.9 10.0.0.0 3784 254 "$PKT$REST"
lab_in b "$TOOLS/badpkt" 10.0.0.9 10.1.0.1 3784 255 "$PKT$REST"
lab_in b "$TOOLS/badpkt" 10.0.0.9 10.0.0.0 3784 255 "200${PKT:3}$REST"
stays 1 "no session for them" left

step "BIRD goes, FRR comes"
lab_stop "$BIRD"
wait_for 10 "down" peer_is a 10.0.0.1 down
gone() {
	[ "$(names)" = 10.0.0.1 ] && [ "$(peer_field a 10.0.0.1 waiting)" = "the peer to speak" ]
}
wait_for 25 "expired" gone
frr_start zebra
frr_start bfdd
wait_for 20 "FRR's session is up" peer_is a 10.0.0.1 up
frr_up() {
	[ "$(vtysh --vty_socket "$FRR" -d bfdd -c "show bfd peers json" 2>/dev/null | jq -r '.[0].status')" = up ]
}
wait_for 15 "up at FRR" frr_up

step "the entry goes, and the sessions with it"
cat >"$RUN/bfdd-a.conf" <<<'peers = ( { name = "fixed"; address = "10.2.0.1"; local-address = "10.1.0.1"; multihop = true; } );'
ctl a reload >/dev/null
equal "peers" "$(ctl a peers | jq -r '[.[].name] | join(" ")')" fixed
frr_down() {
	[ "$(vtysh --vty_socket "$FRR" -d bfdd -c "show bfd peers json" 2>/dev/null | jq -r '.[0].status')" = down ]
}
wait_for 10 "FRR was told" frr_down
bfdd_stop a
