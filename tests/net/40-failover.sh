#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two sites with two routers each: a path dies, a site dies, comes back at once or after wait-to-restore; nothing
# is usable; what others put into the kernel stays; kill -9 and restart without a gap; clean stop leaves nothing.
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/lab-voice
. "$TOP/scripts/lab-voice"

VOICE_PREFIXES=20
DETECTION=150
voice_topology
V6=2001:db8:f000::5

router_config() { # N
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );
		peers = (
		  { name = "v4"; address = "192.0.2.$((2 * $1))"; interface = "edge"; profile = "p"; },
		  { name = "v6"; address = "2001:db8:$1::a"; interface = "edge"; profile = "p"; }
		);
	END
}

edge_config() { # WAIT-TO-RESTORE
	local n site
	echo 'profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );'
	echo 'peers = ('
	for n in 1 2 3 4; do
		site=ams
		[ $n -le 2 ] || site=fra
		echo "{ name = \"$site-$n\"; address = \"192.0.2.$((2 * n + 1))\"; interface = \"r$n\"; profile = \"p\"; },"
		echo "{ name = \"$site-$n-6\"; address = \"2001:db8:$n::b\"; interface = \"r$n\"; profile = \"p\"; }$([ $n = 4 ] || echo ,)"
	done
	cat <<-END
		);
		sites = (
		  { name = "ams"; peers = [ "ams-1", "ams-2", "ams-1-6", "ams-2-6" ]; },
		  { name = "fra"; peers = [ "fra-3", "fra-4", "fra-3-6", "fra-4-6" ]; }
		);
		services = ( { name = "voice"; sites = [ "ams", "fra" ]; wait-to-restore = $1;
		  prefixes = [ $(sed 's/.*/"&",/' "$RUN/prefixes" | tr -d '\n') "2001:db8:f000::/48" ]; } );
	END
}

# What stays for BGP: the main table, here by r4.
lab_in e ip route add $VOICE_BLOCK via 192.0.2.9
lab_in e ip route add 2001:db8:f000::/36 via 2001:db8:4::b
# What others have in the kernel.
lab_in e ip nexthop add id 7 via 192.0.2.3 dev r1 protocol 11
lab_in e ip nexthop add id 8 group 7 protocol 11
lab_in e ip route add 203.0.113.0/24 nhid 8 protocol 186
lab_in e ip route add 203.0.113.0/24 via 192.0.2.3 table 77
lab_in e ip rule add from 203.0.113.0/24 table 77 priority 5000
lab_in e ip rule add from 203.0.113.1 table 77 priority 900
kernel_objects e | sort >"$RUN/foreign"

foreign_untouched() {
	kernel_objects e | sort >"$RUN/now"
	equal "foreign objects that are gone ($1)" "$(comm -23 "$RUN/foreign" "$RUN/now")" ""
}

for n in 1 2 3 4; do
	bfdd_start "r$n" < <(router_config $n)
done
bfdd_start e < <(edge_config 0)
wait_for 15 "all sessions up" all_up e
wait_for 15 "ams carries the service" service_on e voice ams
equal "switches after the start, in whatever order the peers came up" "$(service_field e voice .switches)" 0
foreign_untouched "service carried"

destinations() {
	sed 's/0\/24/5/' "$RUN/prefixes"
	echo $V6
}

# Every prefix, of both families, leaves by one of these devices, and each of them is used.
leaves_by() { # DEVICE...
	local host used
	used=$(for host in $(destinations); do device_to e "$host"; done | sort -u | tr '\n' ' ')
	[ "$used" = "$* " ]
}

# To ten prefixes, so that each router of a site has some of them.
STREAMS="six"
for host in $(sed -n '1~2s/0\/24/5/p' "$RUN/prefixes"); do
	lab_in c ip addr replace "$host/32" dev lo
	STREAMS="$STREAMS $host"
done

streams() {
	voice_recv_start c
	# shellcheck disable=SC2046
	voice_send_start p "six,$V6,2000" $(for host in ${STREAMS#six}; do echo "$host,$host,2000"; done)
	sleep 0.5 # of traffic before anything happens
}

gaps_at_most() { # WHAT MS
	local stream
	voice_end
	for stream in $STREAMS; do
		at_least "$1: $stream, packets received" "$(stream_field "$stream" received)" 100
		at_most "$1: $stream, gap in ms" "$(stream_field "$stream" largest-gap-ms)" "$2"
		at_most "$1: $stream, ms of silence at the end" "$(stream_field "$stream" silent-at-end-ms)" $((200 + 100 * SLACK))
	done
}

nothing_lost() { # WHAT
	equal "packets lost: $1" "$(jq '[.[].lost] | add' "$RUN/recv.log")" 0
}

streams_hit() { # how many had a gap worth a failure
	jq '[.[] | select(.["largest-gap-ms"] > 50)] | length' "$RUN/recv.log"
}

session_up_at() { # SINCE    when the first path of ams was up again
	event_at e "$1" '.event == "session" and .to == "up" and (.peer | startswith("ams"))'
}

back_at() { # SINCE
	event_at e "$1" '.event == "switch" and .to == "ams"'
}

step "active-active: both routers of ams carry"
wait_for 5 "both carry" leaves_by r1 r2

step "a path dies: the other one of its site takes all"
streams
lab_cut w r1
wait_for 5 "ams-1 is not usable" path_not_usable e voice ams-1
wait_for 5 "ams-1-6 is not usable" path_not_usable e voice ams-1-6
wait_for 5 "r2 carries all" leaves_by r2
gaps_at_most "one path dead" $(((DETECTION + 15) * SLACK))
at_least "streams that r1 carried" "$(streams_hit)" 1
at_most "streams that r1 carried" "$(streams_hit)" 10
equal "the site that carries" "$(service_field e voice '.["active-site"]')" ams
foreign_untouched "one path dead"

step "the rest of the site dies: the other site takes all"
streams
lab_cut w r2
wait_for 5 "fra carries" service_on e voice fra
wait_for 5 "fra carries all" leaves_by r3 r4
gaps_at_most "site dead" $(((DETECTION + 15) * SLACK))
equal "streams that ams carried" "$(streams_hit)" 11
service_field e voice '.["last-switch"].reason' | grep -q "went down" ||
	fail "the reason of the switch: $(service_field e voice '.["last-switch"].reason')"
foreign_untouched "site dead"

step "it comes back, wait-to-restore 0: at once, and without a gap"
streams
lab_heal w
wait_for 10 "ams carries" service_on e voice ams
wait_for 10 "both routers of ams carry" leaves_by r1 r2
gaps_at_most "back" $((20 * SLACK))
nothing_lost "on the way back"

step "it comes back, wait-to-restore 3 s"
edge_config 3000 >"$RUN/bfdd-e.conf"
ctl e reload >/dev/null
lab_cut w r1 r2
wait_for 5 "fra carries" service_on e voice fra
wait_for 5 "all of ams is down" path_not_usable e voice ams-2-6
healed=$(lab_now)
lab_heal w
wait_for 10 "all sessions up" all_up e
stays 2 "fra carries until the wait is over" service_on e voice fra
wait_for 10 "ams carries" service_on e voice ams
waited=$((($(back_at "$healed") - $(session_up_at "$healed")) / 1000))
at_least "ms from the first path's return to the switch" $waited 3000
at_most "ms from the first path's return to the switch" $waited $((3000 + 1200 * SLACK)) # the second family may come a slow interval later
wait_for 10 "both routers of ams carry" leaves_by r1 r2

step "kill -9: the kernel keeps carrying; a restart takes over without a gap"
kernel_objects e | sort >"$RUN/before"
streams
bfdd_kill e
kernel_objects e | sort >"$RUN/now"
equal "what changed in the kernel by kill -9" "$(diff "$RUN/before" "$RUN/now")" ""
bfdd_restart e
wait_for 15 "all sessions up" all_up e
wait_for 5 "ams carries" service_on e voice ams
gaps_at_most "restart" $((20 * SLACK))
nothing_lost "over the restart"
kernel_objects e | sort >"$RUN/now"
equal "what changed in the kernel by the restart" "$(diff "$RUN/before" "$RUN/now")" ""

step "the site dies while bfdd is dead: the restart finds out and moves"
bfdd_kill e
lab_cut w r1 r2
bfdd_restart e
wait_for 15 "fra carries" service_on e voice fra
wait_for 5 "fra carries all" leaves_by r3 r4
lab_heal w
wait_for 15 "ams carries" service_on e voice ams

step "no path is usable: the main table decides, and nothing is lost"
streams
for n in 1 2 3 4; do
	bfdd_kill "r$n"
done
wait_for 5 "no site carries" service_on e voice null
wait_for 5 "the main table's way" leaves_by r4
gaps_at_most "main table" $((20 * SLACK))
nothing_lost "to the main table"
foreign_untouched "main table"
for n in 1 2 3 4; do
	bfdd_restart "r$n"
done
wait_for 15 "ams carries" service_on e voice ams

step "somebody deletes a rule of ours: it comes back"
priority=$(lab_in e ip -4 -o rule list | sed -n 's/^\(1[0-9]*\):.*/\1/p' | head -1)
lab_in e ip -4 rule del priority "$priority"
rule_there() {
	lab_in e ip -4 -o rule list | grep -q "^$priority:"
}
wait_for 10 "the rule is back" rule_there
wait_for 10 "both routers of ams carry" leaves_by r1 r2

step "a clean stop leaves only what others put there"
bfdd_stop e
kernel_objects e | sort >"$RUN/now"
equal "what bfdd left" "$(diff "$RUN/foreign" "$RUN/now")" ""
