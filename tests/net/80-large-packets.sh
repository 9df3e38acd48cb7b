#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Large packets (RFC 9764): what is on the wire; a path that becomes too narrow is Down, with the reason said, while unpadded
# sessions on it stay up, and is Up again when it is wide again; one direction only; our own interface; reloads.
. "$(dirname "$0")/lib.sh"
need tshark tcpdump

lab_ns a m b
lab_link a xm m xa
lab_link m xb b xm
lab_link a x1 b x1
lab_addr a xm 10.1.0.1/24 10.1.0.3/24 2001:db8:1::1/64 2001:db8:1::3/64
lab_addr m xa 10.1.0.2/24 2001:db8:1::2/64
lab_addr m xb 10.2.0.2/24 2001:db8:2::2/64
lab_addr b xm 10.2.0.1/24 2001:db8:2::1/64
lab_addr a x1 10.0.0.0/31
lab_addr b x1 10.0.0.1/31
lab_in a ip route add 10.2.0.0/24 via 10.1.0.2
lab_in b ip route add 10.1.0.0/24 via 10.2.0.2
lab_in a ip route add 2001:db8:2::/64 via 2001:db8:1::2
lab_in b ip route add 2001:db8:1::/64 via 2001:db8:2::2

# The sibling of each padded session has the same path, but addresses of its own.
config() { # a | b [PADDED-V4 PADDED-V6]
	local v4=${2-0} v6=${3-0} name local4 local6 pad
	echo 'profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; minimum-ttl = 254; } ); peers = ('
	for name in padded plain; do
		local4=10.1.0.1 local6=2001:db8:1::1
		[ $name = padded ] || local4=10.1.0.3 local6=2001:db8:1::3
		[ $name = padded ] || v4=0 v6=0
		if [ "$1" = a ]; then
			pad="local-address = \"$local4\"; address = \"10.2.0.1\""
			echo "{ name = \"$name-v4\"; $pad; multihop = true; profile = \"p\"; padded-pdu-size = $v4; },"
			pad="local-address = \"$local6\"; address = \"2001:db8:2::1\""
			echo "{ name = \"$name-v6\"; $pad; multihop = true; profile = \"p\"; padded-pdu-size = $v6; },"
		else
			pad="address = \"$local4\"; local-address = \"10.2.0.1\""
			echo "{ name = \"$name-v4\"; $pad; multihop = true; profile = \"p\"; padded-pdu-size = $v4; },"
			pad="address = \"$local6\"; local-address = \"2001:db8:2::1\""
			echo "{ name = \"$name-v6\"; $pad; multihop = true; profile = \"p\"; padded-pdu-size = $v6; },"
		fi
	done
	echo "{ name = \"near\"; address = \"10.0.0.$([ "$1" = a ] && echo 1 || echo 0)\"; interface = \"x1\"; profile = \"p\";" \
		"padded-pdu-size = $([ "$1" = a ] && echo 1400 || echo 0); } );"
}

reconfigure() { # a | b [PADDED-V4 PADDED-V6]
	config "$@" >"$RUN/bfdd-$1.conf"
	ctl "$1" reload >/dev/null
}

all_are_up() {
	local name
	for name in a b; do
		wait_for 15 "all up at $name" all_up $name
	done
}

# Of the last packet that NAME had of PEER.
received() { # NAME PEER SIZE
	[ "$(ctl "$1" peer "$2" | jq '."received-size"')" = "$3" ]
}

PLAIN="plain-v4 plain-v6 near"
PADDED="padded-v4 padded-v6"

plain_did_not_notice() {
	local peer
	for peer in $PLAIN; do
		equal "a: Downs of $peer" "$(peer_field a $peer down-transitions)" 0
		equal "b: Downs of $peer" "$(peer_field b $peer down-transitions)" 0
	done
}

padded_down() {
	local peer
	for peer in $PADDED; do
		peer_is b "$peer" down || return 1
	done
}

verdict() { # NAME PEER SINCE VERDICT WORDS
	local at
	wait_for 5 "$1: post-mortem of $2" post_mortem_since "$1" "$2" "$3"
	jq -r '"\(.peer): \(.verdict): \(.sentence)"' "$RUN/$1-$2.json"
	equal "$1: verdict on $2" "$(jq -r .verdict "$RUN/$1-$2.json")" "$4"
	jq -e --arg words "$5" '.sentence | contains($words)' "$RUN/$1-$2.json" >/dev/null ||
		fail "$1: the sentence on $2 does not say '$5'"
	equal "$1: the event's sentence on $2" "$(ctl "$1" events | jq -r --arg peer "$2" \
		'[.[] | select(.event == "postmortem" and .peer == $peer)][-1].sentence')" "$(jq -r .sentence "$RUN/$1-$2.json")"
}

post_mortem_since() { # NAME PEER SINCE
	ctl "$1" postmortem "$2" >"$RUN/$1-$2.json" 2>/dev/null &&
		[ "$(date -d "$(jq -r .at "$RUN/$1-$2.json")" +%s%6N)" -ge "$3" ]
}

step "one end pads: all come up, and the other end sees the size"
bfdd_start a < <(config a 1472 1452)
bfdd_start b < <(config b)
all_are_up
received b padded-v4 1472 || fail "b had $(ctl b peer padded-v4 | jq '."received-size"') of padded-v4"
received b padded-v6 1452 || fail "b had $(ctl b peer padded-v6 | jq '."received-size"') of padded-v6"
received a padded-v4 24 || fail "a had other than 24 bytes of padded-v4, whose peer does not pad"
ctl a peer padded-v6 | jq -e '."padded-pdu-size" == 1452 and ."needed-mtu" == 1500 and ."path-mtu" == null' >/dev/null ||
	fail "bfdctl peer: $(ctl a peer padded-v6)"
"$BFDCTL" -s "$RUN/a.ctl" peer padded-v4 | grep -q 'padded to *1472 bytes' || fail "bfdctl does not say that it is padded"

# tshark knows the mandatory section, and finds the rest of the payload beyond the packet's Length.
on_the_wire() { # NAMESPACE INTERFACE FILTER PACKETS
	timeout 20 nsenter --net="/run/netns/$LAB-$1" tcpdump -i "$2" -c "$4" -U -w "$RUN/wire.pcap" "$3" 2>/dev/null || true
	tshark -r "$RUN/wire.pcap" -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE -T fields -E separator=' ' \
		-E occurrence=f -e ip.flags.df -e ip.checksum.status -e udp.length -e udp.checksum.status -e bfd.message_length \
		-e bfd.sta -e udp.payload 2>/dev/null >"$RUN/wire.txt"
}

zeros_follow() { # BYTES    of each packet's payload
	awk -v size="$1" '{ rest = substr($NF, 49)
		if (length($NF) != 2 * size || rest ~ /[^0]/) { print; bad = 1 } } END { exit bad || NR < 10 }' "$RUN/wire.txt"
}

step "on the wire: DF, right lengths and checksums, the packet and then zeros"
on_the_wire m xa 'src 10.1.0.1 and udp port 4784' 40
equal "IPv4: DF, sums, UDP length, BFD length" "$(cut -d' ' -f1-5 "$RUN/wire.txt" | sort -u)" "1 1 1480 1 24"
zeros_follow 1472 || fail "IPv4: other than zeros"
on_the_wire m xa 'src 2001:db8:1::1 and udp port 4784' 40
equal "IPv6: sums, UDP length, BFD length" "$(cut -d' ' -f3-5 "$RUN/wire.txt" | sort -u)" "1460 1 24"
zeros_follow 1452 || fail "IPv6: other than zeros"
equal "IPv6 packets with a fragment header" "$(tshark -r "$RUN/wire.pcap" -Y ipv6.fraghdr 2>/dev/null | wc -l)" 0

step "as frames, too"
frames() {
	[ "$(ctl a peer near | jq -r '."transmit-path"')" = packet-socket ]
}
wait_for 10 "a sends frames to near" frames
on_the_wire b x1 'src 10.0.0.0 and udp port 3784' 60 # most of them frames: one a second is routed
equal "frames: DF, sums, UDP length, BFD length" "$(cut -d' ' -f1-5 "$RUN/wire.txt" | sort -u)" "1 1 1408 1 24"
zeros_follow 1400 || fail "frames: other than zeros"

step "the link behind the router becomes narrow: padded sessions go Down for that reason, the others do not"
since=$(lab_now)
lab_in m ip link set xb mtu 1400
wait_for 10 "padded sessions are down" padded_down
verdict a padded-v4 "$since" too-big "padded to 1472 bytes, 1500 with their headers, and 10.1.0.2 passes on no more than 1400"
verdict a padded-v6 "$since" too-big "padded to 1452 bytes, 1500 with their headers, and 2001:db8:1::2 passes on no more than 1400"
verdict b padded-v4 "$since" peer-silent "its packets were padded to 1472 bytes, 1500 with their headers"
verdict b padded-v6 "$since" peer-silent "its packets were padded to 1452 bytes"
ctl a peer padded-v4 | jq -e '."path-mtu" == 1400 and ."path-mtu-router" == "10.1.0.2"' >/dev/null ||
	fail "bfdctl peer has no path MTU: $(ctl a peer padded-v4)"
"$BFDCTL" -s "$RUN/a.ctl" peer padded-v4 | grep 'path MTU'
# That the peer is down is what a heard last; it comes no further than Init while b does not hear it.
stays 3 "padded sessions stay down" padded_down
plain_did_not_notice

step "the file of packets has their real size"
"$BFDCTL" -s "$RUN/a.ctl" postmortem padded-v4 --write "$RUN/pm.pcap"
equal "UDP lengths of what a sent" "$(tshark -r "$RUN/pm.pcap" -Y 'ip.src == 10.1.0.1' -T fields -e udp.length 2>/dev/null |
	sort -u)" 1480

step "the link is wide again: they come back by themselves"
lab_in m ip link set xb mtu 1500
all_are_up
plain_did_not_notice

step "a reload changes the size: the session stays, until the path does not carry it"
downs=$(peer_field a padded-v4 down-transitions)
reconfigure a 1200 1200
wait_for 5 "b sees the new size" received b padded-v4 1200
wait_for 5 "b sees the new size" received b padded-v6 1200
equal "Downs" "$(peer_field a padded-v4 down-transitions)" "$downs"
since=$(lab_now)
reconfigure a 1473 1453
wait_for 10 "padded sessions are down" padded_down
verdict a padded-v4 "$since" too-big "1501 with their headers, more than the MTU of our own interface"
reconfigure a 0 0
all_are_up
wait_for 5 "b sees the new size" received b padded-v4 24

step "both pad: the way back is proved as well"
reconfigure a 1472 1452
reconfigure b 1472 1452
wait_for 5 "a sees the size" received a padded-v4 1472
wait_for 5 "a sees the size" received a padded-v6 1452
all_are_up
since=$(lab_now)
# Only what b sends: a device with this MTU would not take what a sends, either.
lab_in m ip route replace 10.1.0.0/24 dev xa proto kernel scope link src 10.1.0.2 mtu lock 1300
back_down() {
	peer_is a padded-v4 down
}
wait_for 10 "padded-v4 is down" back_down
verdict b padded-v4 "$since" too-big "and 10.2.0.2 passes on no more than 1300"
verdict a padded-v4 "$since" peer-silent "its packets were padded to 1472 bytes, 1500 with their headers"
peer_is a padded-v6 up || fail "padded-v6 is not up, though its way is as wide as ever"
lab_in m ip route replace 10.1.0.0/24 dev xa proto kernel scope link src 10.1.0.2
all_are_up
plain_did_not_notice

step "our own interface becomes narrow: a warning, and the reason"
since=$(lab_now)
lab_in a ip link set x1 mtu 1400
wait_for 5 "the event" has_event a "$since" \
	'.event == "mtu" and .peer == "near" and ."interface-mtu" == 1400 and .needed == 1428 and .interface == "x1"'
wait_for 5 "near is down" peer_is b near down
verdict a near "$since" too-big "padded to 1400 bytes, 1428 with their headers, more than the MTU of our own interface"
ctl a peer near | jq -e '."interface-mtu" == 1400 and ."needed-mtu" == 1428' >/dev/null || fail "bfdctl peer: $(ctl a peer near)"
lab_in a ip link set x1 mtu 1500
all_are_up
bfdd_stop a
bfdd_stop b
