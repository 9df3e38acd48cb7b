#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bfdd against bfdd: IPv4, IPv6, link-local (one pair of addresses on two links), multihop, passive; negotiation;
# Down by silence, by loss of carrier and by a clean stop, each with its diagnostic.
. "$(dirname "$0")/lib.sh"

lab_ns a b w m
lab_wire w a x1 b x1
lab_wire w a x2 b x2
lab_wire w a x3 b x3
lab_link a xm m xa
lab_link m xb b xm
lab_addr a x1 10.0.0.0/31 10.0.1.0/31 2001:db8:1::a/64
lab_addr b x1 10.0.0.1/31 10.0.1.1/31 2001:db8:1::b/64
for x in x2 x3; do
	lab_addr a $x fe80::a/64
	lab_addr b $x fe80::b/64
done
lab_addr a xm 10.1.0.1/24
lab_addr m xa 10.1.0.2/24
lab_addr m xb 10.2.0.2/24
lab_addr b xm 10.2.0.1/24
lab_in a ip route add 10.2.0.0/24 via 10.1.0.2
lab_in b ip route add 10.1.0.0/24 via 10.2.0.2
# An unnumbered link: the addresses are those of lo.
lab_addr a lo 10.99.0.1/32
lab_addr b lo 10.99.0.2/32
lab_in a ip route add 10.99.0.2 dev x1
lab_in b ip route add 10.99.0.1 dev x1
lab_wires_ready w

config_a() { # MINIMUM-TTL
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; detect-multiplier = 3; } );
		peers = (
		  { name = "v4"; address = "10.0.0.1"; interface = "x1"; profile = "p"; },
		  { name = "v6"; address = "2001:db8:1::b"; interface = "x1"; profile = "p"; },
		  { name = "unnumbered"; address = "10.99.0.2"; local-address = "10.99.0.1"; interface = "x1"; profile = "p"; },
		  { name = "uneven"; address = "10.0.1.1";
		    transmit-interval = 100; receive-interval = 50; detect-multiplier = 3; },
		  { name = "ll2"; address = "fe80::b"; interface = "x2"; profile = "p"; },
		  { name = "ll3"; address = "fe80::b"; interface = "x3"; profile = "p"; },
		  { name = "far"; address = "10.2.0.1"; local-address = "10.1.0.1"; multihop = true;
		    minimum-ttl = $1; profile = "p"; }
		);
	END
}

config_b() {
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; detect-multiplier = 3; } );
		peers = (
		  { name = "v4"; address = "10.0.0.0"; interface = "x1"; profile = "p"; passive-mode = true; },
		  { name = "v6"; address = "2001:db8:1::a"; interface = "x1"; profile = "p"; },
		  { name = "unnumbered"; address = "10.99.0.1"; local-address = "10.99.0.2"; interface = "x1"; profile = "p"; },
		  { name = "uneven"; address = "10.0.1.0"; interface = "x1";
		    transmit-interval = 40; receive-interval = 200; detect-multiplier = 5; },
		  { name = "ll2"; address = "fe80::a"; interface = "x2"; profile = "p"; },
		  { name = "ll3"; address = "fe80::a"; interface = "x3"; profile = "p"; },
		  { name = "far"; address = "10.1.0.1"; local-address = "10.2.0.1"; multihop = true;
		    minimum-ttl = 254; profile = "p"; }
		);
	END
}

sent_some() { # NAME PEER COUNT
	[ "$(peer_field "$1" "$2" packets-out)" -ge "$3" ]
}

step "a passive session is silent until spoken to"
bfdd_start b < <(config_b)
wait_for 10 "the active session sends" sent_some b v6 3
equal "packets that the passive session sent" "$(peer_field b v4 packets-out)" 0

step "all come up"
bfdd_start a < <(config_a 254)
wait_up a v4 v6 uneven unnumbered ll2 ll3 far
equal "the interface that was found" "$(peer_field a uneven interface)" x1
wait_up b v4 v6 uneven ll2 ll3 far

step "the same addresses on two links are two sessions"
for x in ll2 ll3; do
	equal "$x: b's discriminator at a" "$(peer_field a $x remote-discriminator)" "$(peer_field b $x local-discriminator)"
	equal "$x: a's discriminator at b" "$(peer_field b $x remote-discriminator)" "$(peer_field a $x local-discriminator)"
done

negotiated() { # NAME TRANSMIT DETECTION
	[ "$(peer_field "$1" uneven transmit-interval) $(peer_field "$1" uneven detection-time)" = "$2 $3" ]
}

step "negotiated intervals (RFC 5880 6.8.2, 6.8.4)"
wait_for 10 "a: transmits each 200 ms, detects in 250 ms" negotiated a 200 250
wait_for 10 "b: transmits each 50 ms, detects in 600 ms" negotiated b 50 600

went_down() { # NAME PEER SINCE DIAGNOSTIC
	has_event "$1" "$3" ".event == \"session\" and .peer == \"$2\" and .from == \"up\" and .diagnostic == \"$4\""
}

down_at() { # NAME PEER SINCE
	event_at "$1" "$3" ".event == \"session\" and .peer == \"$2\" and .from == \"up\""
}

step "silence takes both sides down by control-expiry, in the detection time"
lab_cut w x1
for side in a b; do
	for peer in v4 v6; do
		wait_for 5 "$side: $peer down by silence" went_down $side $peer "$CUT_FROM" control-expiry
		took=$((($(down_at $side $peer "$CUT_FROM") - CUT_FROM) / 1000))
		at_least "$side: $peer: ms from the cut to down" $took 99 # the last packet came up to 50 ms before
		at_most "$side: $peer: ms from the cut to down" $took $(((150 + (CUT_TO - CUT_FROM) / 1000 + 10) * SLACK))
		equal "$side: $peer's state" "$(peer_field $side $peer state)" down
		equal "$side: $peer's diagnostic" "$(peer_field $side $peer diagnostic)" control-expiry
	done
	for peer in ll2 ll3 far; do
		equal "$side: $peer, on another link" "$(peer_field $side $peer state)" up
	done
done
lab_heal w
wait_up a v4 v6 uneven
wait_up b v4 v6 uneven

step "loss of carrier takes the session down at once, by path-down"
since=$(lab_now)
lab_in w ip link set x2.a down
until=$(lab_now)
wait_for 5 "a: ll2 down by carrier" went_down a ll2 "$since" path-down
at_most "ms from loss of carrier to down" $((($(down_at a ll2 "$since") - until) / 1000)) $((20 * SLACK))
wait_for 5 "b: ll2 down by silence" went_down b ll2 "$since" control-expiry
lab_in w ip link set x2.a up
wait_up a ll2
wait_up b ll2

step "a multihop packet with too small a TTL is dropped and counted"
since=$(lab_now)
drops_seen() {
	[ "$(peer_drops a far ttl)" -gt 0 ]
}
equal "TTL drops so far" "$(peer_drops a far ttl)" 0
config_a 255 >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
wait_for 5 "a: far down, nothing acceptable comes" went_down a far "$since" control-expiry
wait_for 5 "drops by TTL are counted" drops_seen
config_a 254 >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
wait_up a far

step "a clean stop tells the peer: AdminDown"
since=$(lab_now)
bfdd_stop a
for peer in v4 v6 uneven ll2 ll3 far; do
	wait_for 5 "b: $peer down, told by its neighbour" went_down b $peer "$since" neighbor-down
	equal "b: what $peer said last" "$(ctl b events | jq -r --arg p $peer \
		'[.[] | select(.event == "session" and .peer == $p and .from == "up")][-1]["remote-state"]')" admin-down
done
bfdd_stop b
