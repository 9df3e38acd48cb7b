#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Echo (RFC 5880 6.4) of bfdd with bfdd: on IPv4, IPv6 and link-local addresses; what is negotiated, measured and
# lost; a path that loses only what comes back; packets that somebody makes up; who sends back, kernel or bfdd.
. "$(dirname "$0")/lib.sh"
need nft

lab_ns a b
lab_link a x1 b x1
lab_addr a x1 10.0.0.0/31 2001:db8:1::a/64 fe80::a/64
lab_addr b x1 10.0.0.1/31 2001:db8:1::b/64 fe80::b/64

forwarding() { # NAME 0-OR-1
	lab_in "$1" sh -c "echo $2 >/proc/sys/net/ipv4/conf/x1/forwarding; echo $2 >/proc/sys/net/ipv6/conf/x1/forwarding"
}
forwarding a 0
forwarding b 0

config() { # SIDE ECHO-MODE RECEIVE-INTERVAL
	local v4=10.0.0.1 host=b
	[ "$1" = a ] || v4=10.0.0.0 host=a
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 300; receive-interval = 300; detect-multiplier = 3;
		  echo-mode = $2; echo-transmit-interval = 40; echo-receive-interval = $3; } );
		peers = (
		  { name = "v4"; address = "$v4"; interface = "x1"; profile = "p"; },
		  { name = "v6"; address = "2001:db8:1::$host"; interface = "x1"; profile = "p"; },
		  { name = "ll"; address = "fe80::$host"; interface = "x1"; profile = "p"; }
		);
	END
}

echo_field() { # NAME PEER FIELD
	ctl "$1" peer "$2" | jq -r ".echo[\"$3\"]"
}

echo_at_least() { # NAME PEER FIELD NUMBER
	[ "$(echo_field "$@")" -ge "$4" ]
}

step "echo runs, one way only"
bfdd_start b < <(config b false 50)
bfdd_start a < <(config a true 0)
wait_up a v4 v6 ll
for peer in v4 v6 ll; do
	wait_for 10 "$peer: packets come back" echo_at_least a $peer packets-in 100
	equal "$peer: the peer's interval is kept to" "$(echo_field a $peer transmit-interval)" 50
	equal "$peer: detection time" "$(echo_field a $peer detection-time)" 150
	at_least "$peer: least round trip, ms" "$(ctl a peer $peer | jq '.echo.rtt.minimum')" 0.001
	at_most "$peer: mean round trip, ms" "$(ctl a peer $peer | jq '.echo.rtt.mean')" $((20 * SLACK))
	at_least "$peer: b sent back" "$(echo_field b $peer reflected)" 100
	equal "$peer: who sends back" "$(echo_field b $peer reflected-by)" bfdd
	equal "$peer: b sends none" "$(echo_field b $peer packets-out)" 0
done

lost_is() { # NAME PEER NUMBER
	[ "$(echo_field "$1" "$2" lost)" = "$3" ]
}

step "none is lost once it runs; control packets become slow (RFC 5880 6.8.3)"
lost=$(echo_field a v4 lost)
at_most "lost at the beginning" "$lost" 3
stays 2 "nothing is lost" lost_is a v4 "$lost"
control_slow() {
	[ "$(peer_field b v4 transmit-interval) $(peer_field a v4 detection-time)" = "1000 3000" ]
}
wait_for 10 "b speaks once a second" control_slow

went_down() { # NAME PEER SINCE DIAGNOSTIC
	has_event "$1" "$3" ".event == \"session\" and .peer == \"$2\" and .from == \"up\" and .diagnostic == \"$4\""
}

step "what comes back is lost, and only that: Down by echo-failed within the detection time of echo"
lab_in b nft -f - <<-END
	table netdev t { chain out { type filter hook egress device "x1" priority 0; udp dport 3785 drop; }; }
END
since=$(lab_now)
for peer in v4 v6 ll; do
	wait_for 5 "a: $peer down" went_down a $peer $((since - 200000)) echo-failed
	took=$((($(event_at a $((since - 200000)) ".event == \"session\" and .peer == \"$peer\" and .from == \"up\"" | head -1) - since) / 1000))
	at_most "$peer: ms from the cut to down" $took $((600 * SLACK))
done
equal "b: told by its neighbour" "$(ctl b events | jq -r \
	'[.[] | select(.event == "session" and .peer == "v4" and .from == "up")][-1]["remote-diagnostic"]')" echo-failed
ctl a postmortem v4 | jq -e '.diagnostic == "echo-failed"' >/dev/null || fail "no postmortem of echo-failed"
lab_in b nft delete table netdev t
wait_up a v4 v6 ll

step "who makes up packets gets them counted, and nothing else"
send_echo() { # DISCRIMINATOR    from b, with our mark and a tag of zeros
	local hex
	hex=$(printf '%08x' "$1")
	lab_in b bash -c "printf 'bfde\\x${hex:0:2}\\x${hex:2:2}\\x${hex:4:2}\\x${hex:6:2}%24s' '' >/dev/udp/10.0.0.0/3785"
}
counted() { # PEER-OR-"" REASON
	if [ "$1" ]; then
		[ "$(peer_drops a "$1" "$2")" -gt 0 ]
	else
		[ "$(ctl a status | jq ".engine.drops[\"$2\"] // 0")" -gt 0 ]
	fi
}
send_echo "$(peer_field a v4 local-discriminator)"
wait_for 5 "not from where ours come back" counted v4 wrong-peer
send_echo 4711
wait_for 5 "nobody's" counted "" echo-unknown
peer_is a v4 up || fail "v4 went down by it"

step "the kernel of b forwards: then bfdd does not send back as well"
drops=$(peer_drops a v4 echo-late)
forwarding b 1
reflected_by() { # PEER WHOM
	[ "$(echo_field b "$1" reflected-by)" = "$2" ]
}
wait_for 10 "b leaves v4 to its kernel" reflected_by v4 kernel
wait_for 10 "b leaves v6 to its kernel" reflected_by v6 kernel
equal "link-local addresses are not forwarded" "$(echo_field b ll reflected-by)" bfdd
for peer in v4 v6; do
	reflected=$(echo_field b $peer reflected)
	wait_for 10 "$peer: packets come back" echo_at_least a $peer packets-in $(($(echo_field a $peer packets-in) + 50))
	equal "$peer: by bfdd" "$(echo_field b $peer reflected)" "$reflected"
done
# Until it was noticed both did: a second copy counts as late.
at_most "copies" $(($(peer_drops a v4 echo-late) - drops)) $((40 * SLACK))
forwarding b 0
wait_for 10 "b sends back again" reflected_by v4 bfdd
peer_is a v4 up || fail "v4 went down on the way"

step "packet-socket = false: Control packets are routed, Echo packets leave as frames all the same"
{ config a true 0 && echo 'daemon = { packet-socket = false; };'; } >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
routed() {
	[ "$(ctl a peer v4 | jq -r '.["transmit-path"]')" = routed ]
}
wait_for 5 "routed" routed
wait_for 10 "packets come back" echo_at_least a v4 packets-in $(($(echo_field a v4 packets-in) + 50))
peer_is a v4 up || fail "v4 went down by it"

step "who sends back is killed and started again within the detection time of Echo packets: nobody notices"
patient() { # SIDE ECHO-MODE RECEIVE-INTERVAL
	config "$@" | sed 's/detect-multiplier = 3/detect-multiplier = 10/; s/echo-transmit-interval = 40/echo-transmit-interval = 300/'
}
patient a true 0 >"$RUN/bfdd-a.conf"
patient b false 50 >"$RUN/bfdd-b.conf"
ctl b reload >/dev/null
ctl a reload >/dev/null
echo_detects() {
	for peer in v4 v6 ll; do
		[ "$(echo_field a $peer detection-time)" = 3000 ] || return 1
	done
}
wait_for 10 "Echo packets tell after 3 s" echo_detects
downs=$(ctl a peers | jq -c '[.[] | .["down-transitions"]]')
bfdd_kill b
bfdd_restart b
for peer in v4 v6 ll; do
	wait_for 10 "$peer: packets come back" echo_at_least b $peer reflected 15
done
equal "Downs of a's sessions" "$(ctl a peers | jq -c '[.[] | .["down-transitions"]]')" "$downs"
