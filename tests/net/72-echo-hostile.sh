#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Echo packets that somebody on the link makes up, changes, sends a second time, or has from another session, of affiliated and of
# unaffiliated sessions: each ends as a counted drop. A flood of any of them disturbs no session.
. "$(dirname "$0")/lib.sh"
need nft tcpdump tshark

lab_ns a b r
lab_link a x1 b x1
lab_link a x2 r x2
lab_addr a x1 10.0.0.0/31 2001:db8:1::a/64
lab_addr b x1 10.0.0.1/31 2001:db8:1::b/64
lab_addr a x2 10.0.2.0/31
lab_addr r x2 10.0.2.1/31
lab_in b sh -c 'echo 0 >/proc/sys/net/ipv4/conf/x1/forwarding; echo 0 >/proc/sys/net/ipv6/conf/x1/forwarding'
lab_in r sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/forwarding; echo 0 >/proc/sys/net/ipv4/conf/x2/send_redirects
	echo 0 >/proc/sys/net/ipv4/conf/all/send_redirects'

PROFILE='profiles = ( { name = "p"; transmit-interval = 300; receive-interval = 300; detect-multiplier = 5;
	echo-transmit-interval = 60; echo-receive-interval = 60; echo-mode ='
bfdd_start b <<-END
	$PROFILE false; } );
	peers = ( { name = "v4"; address = "10.0.0.0"; interface = "x1"; profile = "p"; },
	  { name = "v6"; address = "2001:db8:1::a"; interface = "x1"; profile = "p"; } );
END
bfdd_start a <<-END
	$PROFILE true; } );
	peers = ( { name = "v4"; address = "10.0.0.1"; interface = "x1"; profile = "p"; },
	  { name = "v6"; address = "2001:db8:1::b"; interface = "x1"; profile = "p"; },
	  { name = "loop"; type = "unaffiliated-echo"; address = "10.0.2.1"; interface = "x2"; transmit-interval = 60;
	    detect-multiplier = 5; } );
END
wait_up a v4 v6 loop
runs() { # PEER
	[ "$(ctl a peer "$1" | jq '.echo["packets-in"]')" -ge 10 ]
}
for peer in v4 v6 loop; do
	wait_for 10 "$peer echoes" runs $peer
done

# What the host beyond the link hears of a's packets: payloads in hexadecimal.
hear() { # HOST INTERFACE ADDRESS
	local file=$RUN/heard-$1.pcap
	timeout 20 nsenter --net="/run/netns/$LAB-$1" tcpdump -i "$2" -U -c 3 -Q in -w "$file" "udp dst port 3785 and dst host $3" 2>/dev/null
	tshark -r "$file" -T fields -e udp.payload 2>/dev/null
}

# On PEER's link to a, as if it were a's that comes back; HOST is who sends.
packet() { # PEER TTL HEX [COUNT]
	local interface=x1 address=10.0.0.0
	HOST=b
	case $1 in
	v6) address=2001:db8:1::a ;;
	loop) HOST=r interface=x2 address=10.0.2.0 ;;
	esac
	PACKET=("$TOOLS/badpkt" -t -n "${4-1}" -i $interface -p 3785 $address $address 3785 "$2" "$3")
}

send() { # PEER TTL HEX
	packet "$@"
	lab_in $HOST "${PACKET[@]}"
}

dropped() { # PEER REASON COUNT
	[ "$(peer_drops a "$1" "$2")" -gt "$3" ]
}

# PEER counts one of REASON more when that packet comes, on its link or on that of another.
drops() { # PEER REASON TTL HEX [OTHER]
	local before
	before=$(peer_drops a "$1" "$2")
	send "${5-$1}" "$3" "$4"
	wait_for 5 "$1 counts $2" dropped "$1" "$2" "$before"
}

# With the bits of one byte turned round.
changed() { # HEX BYTE
	printf '%s%02x%s' "${1:0:$2 * 2}" $((0x${1:$2 * 2:2} ^ 0xff)) "${1:$2 * 2 + 2}"
}

well() {
	[ "$(ctl a peers | jq -c 'map([.state, .["down-transitions"]]) | unique')" = '[["up",0]]' ]
}

declare -A heard
heard[v4]=$(hear b x1 10.0.0.0 | tail -1)
heard[v6]=$(hear b x1 2001:db8:1::a | tail -1)
heard[loop]=$(hear r x2 10.0.2.0 | tail -1)
equal "bytes of an Echo packet" $((${#heard[v4]} / 2)) 32
equal "bytes of a looped Control packet with what is behind it" $((${#heard[loop]} / 2)) 56

step "sent a second time, or later"
for peer in v4 v6 loop; do
	drops $peer echo-late 254 "${heard[$peer]}"
	drops $peer echo-late 255 "${heard[$peer]}"
done

step "of the right form, with another number, time or tag"
for peer in v4 v6 loop; do
	for at in 11 23 31; do
		[ $peer != loop ] || at=$((at + 24))
		drops $peer echo-forged 254 "$(changed "${heard[$peer]}" $at)"
	done
done

step "looped: with another state in front, or nothing behind"
drops loop echo-forged 254 "$(sed 's/^..../2000/' <<<"${heard[loop]}")"
drops loop echo-forged 254 "$(sed 's/^..../2000/' <<<"${heard[loop]:0:48}")"
drops loop echo-forged 254 "${heard[loop]:0:48}${heard[v4]}"

step "another session's, from farther away, or nobody's"
drops v6 wrong-peer 254 "${heard[v6]}" v4
drops v4 wrong-interface 254 "${heard[v4]}" loop
drops v4 ttl 253 "${heard[v4]}"
drops loop ttl 253 "${heard[loop]}"
unknown() {
	[ "$(ctl a status | jq '.engine.drops["echo-unknown"] // 0')" -gt "$1" ]
}
before=$(ctl a status | jq '.engine.drops["echo-unknown"] // 0')
send v4 254 "$(changed "${heard[v4]}" 4)"
wait_for 5 "a discriminator that nobody has" unknown "$before"
well || fail "not well: $(ctl a peers | jq -c)"

step "as fast as one can send them, three seconds of each"
flood() { # PEER HEX
	packet "$1" 254 "$2" 2000000000
	lab_start $HOST flood "${PACKET[@]}"
	stays 3 "all is well in a flood at $1" well
	kill -0 "$PID" || fail "the flood ended by itself: $(cat "$RUN/flood.log")"
	lab_stop "$PID" || true
}
for peer in v4 v6 loop; do
	before=$(ctl a peer $peer | jq '.drops | add')
	flood $peer "$(changed "${heard[$peer]}" $((${#heard[$peer]} / 2 - 1)))"
	flood $peer "${heard[$peer]}"
	at_least "$peer: dropped" $(($(ctl a peer $peer | jq '.drops | add') - before)) 1000
done
flood v4 00
stays 1 "all is well afterwards" well
