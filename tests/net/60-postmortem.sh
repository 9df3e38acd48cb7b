#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The flight recorder: each way to die gets its verdict, with bfdd and BIRD as the peer; the capture file says what the
# timeline says, by the word of tshark; post-mortems outlive a reload; the recorder can be switched off.
. "$(dirname "$0")/lib.sh"
need bird birdc tshark

lab_ns a b w
lab_wire w a x1 b x1
lab_addr a x1 10.0.0.0/31 2001:db8:1::a/64
lab_addr b x1 10.0.0.1/31 2001:db8:1::b/64
lab_wires_ready w

PEERS="v4 v6"

config() { # a | b [LINE-OF-THE-PROFILE]
	local last=b
	[ "$1" = a ] || last=a
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 100; receive-interval = 100; ${2-} } );
		peers = (
		  { name = "v4"; address = "10.0.0.$([ "$1" = a ] && echo 1 || echo 0)"; interface = "x1"; profile = "p"; },
		  { name = "v6"; address = "2001:db8:1::$last"; interface = "x1"; profile = "p"; }
		);
	END
}

# The post-mortem of the newest Down that a peer had since then, in $RUN/NAME-PEER.json; to be waited for.
postmortem() { # NAME PEER SINCE
	local at
	ctl "$1" postmortem "$2" >"$RUN/$1-$2.json" 2>/dev/null || return 1
	at=$(date -d "$(jq -r .at "$RUN/$1-$2.json")" +%s%6N)
	[ "$at" -ge "$3" ]
}

verdict_is() { # NAME SINCE VERDICT WORDS
	local peer
	for peer in $PEERS; do
		wait_for 5 "$1: post-mortem of $peer" postmortem "$1" "$peer" "$2"
		jq -r '"\(.peer): \(.verdict): \(.sentence)"' "$RUN/$1-$peer.json"
		equal "$1: verdict on $peer" "$(jq -r .verdict "$RUN/$1-$peer.json")" "$3"
		jq -e --arg words "$4" '.sentence | contains($words)' "$RUN/$1-$peer.json" >/dev/null ||
			fail "$1: the sentence on $peer does not say '$4'"
		# What the daemon counted and what it wrote down are the same story.
		equal "$1: event on $peer" "$(ctl "$1" events | jq -r --arg peer "$peer" \
			'[.[] | select(.event == "postmortem" and .peer == $peer)][-1].verdict')" "$3"
	done
}

both_up() {
	wait_up a v4 v6
	wait_up b v4 v6
	stays 1 "all up" all_up a # the Poll Sequences are over, and there is something to record
}

step "nobody has gone down"
bfdd_start a < <(config a)
bfdd_start b < <(config b)
both_up
stays 2 "all up" all_up a
equal "post-mortems" "$(ctl a postmortem)" "[]"
ctl a postmortem v4 2>/dev/null && fail "a post-mortem of the living"
ctl a postmortem nobody 2>/dev/null && fail "a post-mortem of nobody"

step "the peer is killed: silent"
since=$(lab_now)
bfdd_kill b
verdict_is a "$since" peer-silent "nothing came from the peer for 3"

# 16 of each, or 14 times where the kernel takes steady packets.
step "the timeline has the last packets of both sides, in order, and ends with the Down"
for peer in $PEERS; do
	jq -e '.timeline | . == sort_by(.ms) and ([.[] | select(.what == "in")] | length >= 14) and
		([.[] | select(.what == "out")] | length >= 16) and ([.[] | select(.what == "down")] | length == 1) and
		([.[] | select(.what == "in")][-1].state == "up") and ([.[] | select(.what == "in")][-1].ms <= -299)' \
		"$RUN/a-$peer.json" >/dev/null || fail "the timeline of $peer: $(jq -c .timeline "$RUN/a-$peer.json")"
done
"$BFDCTL" -s "$RUN/a.ctl" postmortem
"$BFDCTL" -s "$RUN/a.ctl" postmortem v4

# The packets of a timeline, and of a capture file, as the same lines.
timeline_lines() { # FILE
	jq -r '. as $p | def bit: if . then 1 else 0 end; .timeline[] | select(.what == "in" or .what == "out") |
		[(.at | (sub("[.][0-9]+Z"; "Z") | fromdate | tostring) + (capture("(?<f>[.][0-9]+)Z").f) + "000")] +
		(if .what == "in" then [$p.address, $p["local-address"]] else [$p["local-address"], $p.address] end) +
		[.["source-port"], .["destination-port"], .ttl, .size + 8,
		 ({"admin-down": "0x00", down: "0x01", init: "0x02", up: "0x03"}[.state]), (.poll | bit), (.final | bit),
		 .["detect-multiplier"], .["my-discriminator"], .["your-discriminator"],
		 .["desired-transmit-interval"] * 1000, .["required-receive-interval"] * 1000, .bytes] |
		map(tostring) | join(" ")' "$1"
}

capture_lines() { # FILE FAMILY
	local ip="ip" ttl="ip.ttl" before mine yours after
	[ "$2" = v4 ] || ip=ipv6 ttl=ipv6.hlim
	tshark -r "$1" -T fields -E separator=' ' -e frame.time_epoch -e $ip.src -e $ip.dst -e udp.srcport -e udp.dstport \
		-e $ttl -e udp.length -e bfd.sta -e bfd.flags.p -e bfd.flags.f -e bfd.detect_time_multiplier \
		-e bfd.my_discriminator -e bfd.your_discriminator -e bfd.desired_min_tx_interval \
		-e bfd.required_min_rx_interval -e udp.payload 2>/dev/null |
		while read -r a b c d e f g h i j k mine yours after; do
			echo "$a $b $c $d $e $f $g $h $i $j $k $((mine)) $((yours)) $after"
		done
}

capture_is_right() { # NAME PEER
	"$BFDCTL" -s "$RUN/$1.ctl" postmortem "$2" --write "$RUN/$2.pcap"
	timeline_lines "$RUN/$1-$2.json" >"$RUN/$2.timeline"
	capture_lines "$RUN/$2.pcap" "$2" >"$RUN/$2.capture"
	[ -s "$RUN/$2.timeline" ] || fail "no packet in the timeline"
	diff "$RUN/$2.timeline" "$RUN/$2.capture" || fail "tshark reads another story than the timeline of $2"
	equal "packets of $2 with a right UDP checksum" "$(tshark -r "$RUN/$2.pcap" -o udp.check_checksum:TRUE \
		-o ip.check_checksum:TRUE -Y 'udp.checksum.status == 1 && !(ip.checksum.status == 0)' 2>/dev/null | wc -l)" \
		"$(wc -l <"$RUN/$2.timeline")"
}

step "tshark reads the capture, and finds in it what the timeline has"
for peer in $PEERS; do
	capture_is_right a "$peer"
done
"$BFDCTL" -s "$RUN/a.ctl" postmortem v4 -w - | cmp - "$RUN/v4.pcap" || fail "not the same on standard output"
status=0
"$BFDCTL" -s "$RUN/a.ctl" postmortem v4 1 -w "$RUN/no/such/folder" 2>/dev/null || status=$?
equal "exit status when the file cannot be written" $status 1

step "the peer is shut down by its operator: it says so"
bfdd_restart b
both_up
since=$(lab_now)
config b 'shutdown = true;' >"$RUN/bfdd-b.conf"
ctl b reload >/dev/null
verdict_is a "$since" peer-said "admin-down"
verdict_is b "$since" shut-down "configuration"
config b >"$RUN/bfdd-b.conf"
ctl b reload >/dev/null

# Drops what comes in at NAME, unseen by any socket.
drop_at() { # NAME
	lab_in "$1" nft -f - <<-END
		table netdev loss {
			chain in { type filter hook ingress device x1 priority 0; policy drop; }
		}
	END
}

for deaf in b a; do
	other=$([ $deaf = a ] && echo b || echo a)
	step "packets towards $deaf are lost: $other is told that it is not heard, to $deaf it is silent"
	both_up
	since=$(lab_now)
	drop_at $deaf
	verdict_is "$deaf" "$since" peer-silent "nothing came from the peer"
	verdict_is "$other" "$since" not-heard "down, control-expiry"
	for peer in $PEERS; do
		jq -e '[.timeline[] | select(.what == "in")][-1] | .state == "down" and .diagnostic == "control-expiry"' \
			"$RUN/$other-$peer.json" >/dev/null || fail "the last word of $peer is not the reason"
	done
	lab_in $deaf nft delete table netdev loss
done

step "what comes has too small a TTL: dropped here, with the reason"
both_up
since=$(lab_now)
lab_in b nft -f - <<-END
	table inet far {
		chain out {
			type filter hook output priority 0;
			udp dport 3784 meta nfproto ipv4 ip ttl set 254
			udp dport 3784 meta nfproto ipv6 ip6 hoplimit set 254
		}
	}
END
verdict_is a "$since" dropped-here "(ttl)"
for peer in $PEERS; do
	jq -e '[.timeline[] | select(.dropped == "ttl" and .ttl == 254)] | length >= 2' "$RUN/a-$peer.json" >/dev/null ||
		fail "the dropped packets of $peer are not in the timeline"
	capture_is_right a "$peer"
done
lab_in b nft delete table inet far

step "we are stopped for longer than the peer waits: our own doing"
both_up
since=$(lab_now)
kill -STOP "$(bfdd_pid a)"
b_gave_up() {
	local peer
	for peer in $PEERS; do
		has_event b "$since" ".event == \"session\" and .peer == \"$peer\" and .from == \"up\"" || return 1
	done
}
wait_for 5 "b gives up" b_gave_up
kill -CONT "$(bfdd_pid a)"
verdict_is a "$since" local-stall "we sent nothing for"
verdict_is b "$since" peer-silent "nothing came from the peer"

step "carrier is lost: the path"
both_up
since=$(lab_now)
lab_in w ip link set x1.a down
verdict_is a "$since" path-down "no carrier on x1"
lab_in w ip link set x1.a up

step "post-mortems outlive a reload; of a peer no more than eight are kept"
both_up
before=$(ctl a postmortem | jq -c 'map([.peer, .at, .verdict])')
config a 'detect-multiplier = 5;' >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
equal "after a reload" "$(ctl a postmortem | jq -c 'map([.peer, .at, .verdict])')" "$before"
equal "in order of time" "$(jq -c 'map(.[1]) == (map(.[1]) | sort | reverse)' <<<"$before")" true
for i in 1 2; do
	both_up
	since=$(lab_now)
	config b 'shutdown = true;' >"$RUN/bfdd-b.conf"
	ctl b reload >/dev/null
	verdict_is a "$since" peer-said "admin-down"
	config b >"$RUN/bfdd-b.conf"
	ctl b reload >/dev/null
done
equal "kept of v4" "$(ctl a postmortem | jq -c '[.[] | select(.peer == "v4") | .number]')" "[1,2,3,4,5,6,7,8]"
equal "the third" "$(ctl a postmortem v4 3 | jq -r .verdict)" path-down
ctl a postmortem v4 9 2>/dev/null && fail "a ninth"

step "BIRD is killed: silent; it restarts within the detection time: it says so"
bfdd_stop b
cat >"$RUN/bird.conf" <<END
log stderr all;
router id 10.0.0.1;
protocol device {}
protocol bfd {
	interface "x1" { interval 100 ms; idle tx interval 300 ms; multiplier 3; };
	neighbor 10.0.0.0 dev "x1";
	neighbor 2001:db8:1::a dev "x1";
}
END
bird_start() {
	lab_start b bird bird -f -c "$RUN/bird.conf" -s "$RUN/bird.ctl" -P "$RUN/bird.pid"
	BIRD=$PID
}
bird_start
wait_up a v4 v6
stays 1 "all up" all_up a
since=$(lab_now)
lab_stop "$BIRD" KILL || true
verdict_is a "$since" peer-silent "nothing came from the peer"
capture_is_right a v4
bird_start
wait_up a v4 v6
stays 1 "all up" all_up a
since=$(lab_now)
lab_stop "$BIRD" KILL || true
bird_start
verdict_is a "$since" peer-said "it has restarted"
lab_stop "$BIRD" || true

step "switched off"
bfdd_stop a
{
	echo "flight-recorder = false;"
	config a
} >"$RUN/bfdd-a.conf"
bfdd_restart a
bfdd_restart b
both_up
status=0
ctl a postmortem 2>"$RUN/refusal" || status=$?
equal "exit status" $status 1
grep -q "flight recorder is off" "$RUN/refusal" || fail "the refusal does not say why: $(cat "$RUN/refusal")"
since=$(lab_now)
bfdd_kill b
down_seen() {
	has_event a "$since" '.event == "session" and .from == "up"'
}
wait_for 5 "a Down as ever" down_seen
bfdd_stop a
