#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# S-BFD (RFC 7880, 7881), bfdd against bfdd, as no other implementation is at hand: an initiator for a service's site, across a router,
# IPv4 and IPv6; silence, AdminDown, a restart of either side; forged replies and floods.
. "$(dirname "$0")/lib.sh"

interop_links
lab_addr a xm 2001:db8:a::1/64
lab_addr m xa 2001:db8:a::2/64
lab_addr m xb 2001:db8:b::2/64
lab_addr b xm 2001:db8:b::1/64
lab_in m sysctl -qw net.ipv6.conf.all.forwarding=1
lab_in a ip -6 route add 2001:db8:b::/64 via 2001:db8:a::2
lab_in b ip -6 route add 2001:db8:a::/64 via 2001:db8:b::2

reflector() { # SHUTDOWN
	cat <<-END
		s-bfd = { discriminators = ( 1000, "192.0.2.1" ); shutdown = $1; rate = 2000; };
		peers = ( { name = "back"; address = "10.0.0.0"; interface = "x1"; receive-interval = 50; transmit-interval = 50; } );
	END
}

bfdd_start b <<<"$(reflector false)"
bfdd_start a <<-END
	profiles = ( { name = "p"; transmit-interval = 50; detect-multiplier = 3; } );
	peers = (
	  { name = "near"; type = "s-bfd"; address = "10.0.0.1"; local-address = "10.0.0.0"; remote-discriminator = 1000; profile = "p"; },
	  { name = "far"; type = "s-bfd"; address = "10.2.0.1"; local-address = "10.1.0.1"; minimum-ttl = 254;
	    remote-discriminator = "192.0.2.1"; profile = "p"; via = "10.1.0.2"; interface = "xm"; },
	  { name = "far6"; type = "s-bfd"; address = "2001:db8:b::1"; local-address = "2001:db8:a::1"; minimum-ttl = 254;
	    remote-discriminator = 1000; profile = "p"; },
	  { name = "too-far"; type = "s-bfd"; address = "10.2.0.1"; local-address = "10.0.0.0"; minimum-ttl = 255;
	    remote-discriminator = 1000; profile = "p"; },
	  { name = "nobody"; type = "s-bfd"; address = "10.2.0.2"; local-address = "10.1.0.1"; remote-discriminator = 7; profile = "p"; },
	  { name = "control"; address = "10.0.0.1"; interface = "x1"; receive-interval = 50; transmit-interval = 50; }
	);
	sites = ( { name = "s"; peers = [ "far" ]; }, { name = "t"; peers = [ "control" ]; } );
	services = ( { name = "v"; prefixes = [ "203.0.113.0/24" ]; sites = [ "s", "t" ];
	  wait-to-restore = 0; } );
END

all_up() {
	peer_is a near up && peer_is a far up && peer_is a far6 up && peer_is a control up && peer_is b back up
}

step "no handshake, and up"
wait_for 10 "all up" all_up
equal "type" "$(peer_field a far type)" s-bfd
equal "its reflector's discriminator" "$(peer_field a far remote-discriminator)" $((192 << 24 | 2 << 8 | 1))
carries() { # SITE
	[ "$(ctl a services | jq -r '.[0]["active-site"]')" = "$1" ]
}
wait_for 10 "the site carries the service" carries s
fast() {
	[ "$(peer_field a far transmit-interval)" = 50 ] && [ "$(peer_field a far detection-time)" = 150 ]
}
wait_for 5 "50 ms, and 3 of them" fast
stays 2 "all up" all_up
equal "downs" "$(ctl a peers | jq '[.[]["down-transitions"]] | add')" 0
equal "whom nobody answers" "$(peer_field a nobody state)" down
at_least "answers" "$(ctl b status | jq '.["s-bfd"].reflected')" 50
equal "sessions of the reflector" "$(ctl b peers | jq length)" 1

step "the far path is cut: down, the service moves, and back"
lab_in m ip link set xb down
wait_for 5 "far is down" peer_is a far down
wait_for 5 "far6 is down" peer_is a far6 down
equal "why" "$(peer_field a far diagnostic)" control-expiry
wait_for 5 "the other site carries" carries t
equal "near" "$(peer_field a near state)" up
[ "$(ctl a postmortem far | jq -r .verdict)" != null ] || fail "no postmortem"
lab_in m ip link set xb up
lab_in m ip -6 addr add 2001:db8:b::2/64 dev xb 2>/dev/null || true
wait_for 15 "all up again" all_up
wait_for 10 "the site carries the service" carries s

step "the reflector says AdminDown, and Up again"
reflector true >"$RUN/bfdd-b.conf"
ctl b reload >/dev/null
for peer in near far far6; do
	wait_for 5 "$peer is down" peer_is a $peer down
	equal "why $peer" "$(peer_field a $peer diagnostic)" neighbor-down
done
reflector false >"$RUN/bfdd-b.conf"
ctl b reload >/dev/null
wait_for 10 "all up" all_up

step "another interval, and a restart of either side"
sed -i 's/transmit-interval = 50; detect/transmit-interval = 30; detect/' "$RUN/bfdd-a.conf"
downs=$(ctl a peers | jq '[.[]["down-transitions"]] | add')
ctl a reload >/dev/null
faster() {
	[ "$(peer_field a far detection-time)" = 90 ]
}
wait_for 5 "3 x 30 ms" faster
stays 1 "all up" all_up
equal "downs by the reload" "$(ctl a peers | jq '[.[]["down-transitions"]] | add')" "$downs"
bfdd_kill b
wait_for 5 "down" peer_is a near down
bfdd_restart b
wait_for 10 "all up" all_up
port=$(ctl a status | jq '.["s-bfd"]["source-port"]')
bfdd_stop a
bfdd_restart a
wait_for 10 "all up" all_up
equal "the same port" "$(ctl a status | jq '.["s-bfd"]["source-port"]')" "$port"
bfdd_kill a
bfdd_restart a
wait_for 10 "all up" all_up
wait_for 5 "the site carries the service" carries s
equal "switches, though no S-BFD session goes on" "$(service_field a v .switches)" 0

step "forged replies: another discriminator, port or address, D set, a state that no reflector has"
hex32() {
	printf '%08x' "$1"
}
counted() { # REASON
	{
		ctl a peers
		ctl a status
	} | jq -s --arg reason "$1" '[.. | .drops? | objects | .[$reason]? // 0 | numbers] | add // 0'
}
more() { # REASON COUNT
	[ "$(counted "$1")" -gt "$2" ]
}
downs=$(ctl a peers | jq '[.[]["down-transitions"]] | add')
forged() { # REASON HEX SOURCE [TTL]
	local before
	before=$(counted "$1")
	lab_in b "$TOOLS/badpkt" "$3" 10.0.0.0 "$port" "${4:-255}" "$2"
	wait_for 5 "a drop is counted as $1" more "$1" "$before"
}
L=$(hex32 "$(peer_field a near local-discriminator)")
R=$(hex32 1000)
REST=000075300000271000000000
lab_in b ip addr add 10.0.9.1/32 dev lo
forged wrong-port "20c00318$R$L$REST" 10.0.0.1 # not from 7784
forged wrong-peer "20c00318$R$L$REST" 10.0.9.1
forged unknown-discriminator "20c00318${R}00000001$REST" 10.0.0.1
bad_reply() { # HEX    from the right port, which nobody else may have meanwhile
	lab_in b "$TOOLS/badpkt" -p 7784 10.0.0.1 10.0.0.0 "$port" 255 "$1"
}
bfdd_stop b
for hex in "20c20318$R$L$REST" "20400318$R$L$REST" "20800318$R$L$REST" "20c00318$(hex32 1001)$L$REST"; do
	before=$(counted not-a-reflection)
	bad_reply "$hex"
	wait_for 5 "not-a-reflection for $hex" more not-a-reflection "$before"
done
equal "near is down, whatever forged" "$(peer_field a near state)" down
bfdd_restart b
wait_for 10 "all up" all_up

step "what the reflector does not answer"
reflected() {
	ctl b status | jq --arg reason "$1" '.engine.drops[$reason] // 0'
}
refused() { # REASON HEX
	local before
	before=$(reflected "$1")
	lab_in a "$TOOLS/badpkt" 10.0.0.0 10.0.0.1 7784 255 "$2"
	wait_for 5 "the reflector counts $1" eval "[ \$(reflected $1) -gt $before ]"
}
refused not-an-initiator "20400318$(hex32 99)$R$REST"                  # D clear
refused unknown-discriminator "20420318$(hex32 99)$(hex32 1001)$REST"  # nobody's
refused unknown-discriminator "20420318$(hex32 99)00000000$REST"
refused my-discriminator-zero "2042031800000000$R$REST"
refused short "204203"
before=$(reflected not-an-initiator)
lab_in a "$TOOLS/badpkt" -p 7784 10.0.0.0 10.0.0.1 7784 255 "20420318$(hex32 99)$R$REST"
wait_for 5 "it does not answer its like" eval "[ \$(reflected not-an-initiator) -gt $before ]"
refused auth-unexpected "2046031c$(hex32 99)$R${REST}01040141"

step "a flood from one address: it is answered at a bounded rate, others are not hurt"
lab_in a ip addr add 10.0.9.9/32 dev lo
lab_in b ip route add 10.0.9.9/32 dev x1
downs=$(ctl a peers | jq '[.[] | select(.name != "nobody") | .["down-transitions"]] | add')
before=$(ctl b status | jq '.["s-bfd"].reflected')
begin=$(lab_now)
for round in 1 2 3 4 5; do
	lab_in a "$TOOLS/badpkt" -n 5000 10.0.9.9 10.0.0.1 7784 255 "20420318$(hex32 99)$R$REST"
done
took=$(($(lab_now) - begin))
at_least "dropped as too many" "$(reflected rate-limited)" 1000
# The rate, and what may come at once.
at_most "answers" "$(($(ctl b status | jq '.["s-bfd"].reflected') - before))" $((200 + 2000 * took / 1000000))
equal "downs" "$(ctl a peers | jq '[.[] | select(.name != "nobody") | .["down-transitions"]] | add')" "$downs"

step "without s-bfd the port is closed"
listens() {
	lab_in b ss -Hlun 'sport = 7784' | grep -q .
}
listens || fail "7784 is not open"
echo 'peers = ( { name = "back"; address = "10.0.0.0"; interface = "x1"; } );' >"$RUN/bfdd-b.conf"
ctl b reload >/dev/null
closed() {
	! listens
}
wait_for 5 "7784 is closed" closed
wait_for 5 "down" peer_is a near down
bfdd_stop a
bfdd_stop b
