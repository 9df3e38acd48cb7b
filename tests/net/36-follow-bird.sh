#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A service that follows BGP beside BIRD: a site dies, prefixes are withdrawn at one site and at both, BIRD restarts, the file
# changes between a list and "bgp"; a call goes on all the while.
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/lab-voice
. "$TOP/scripts/lab-voice"
PROTOCOL=bird
. "$(dirname "$0")/lib-follow.sh"
need bird birdc

VOICE_PREFIXES=1000
voice_topology
voice_start_routers
voice_start_edge_bird plain

DELAY=2000

streams() {
	voice_recv_start c
	voice_send_start p "first,$FIRST,1000" "last,$LAST,1000"
	sleep 0.5
}

gaps_at_most() { # WHAT MS
	local stream
	sleep 0.3
	voice_end
	for stream in first last; do
		at_most "$1: gap towards the $stream prefix, ms" "$(stream_field $stream largest-gap-ms)" "$2"
		at_most "$1: silence at the end, ms" "$(stream_field $stream silent-at-end-ms)" $((200 + 100 * SLACK))
	done
}

bfdd_start e < <(edge)
wait_for 30 "BGP is up" voice_bgp_ready
wait_for 10 "all sessions up" all_up e
wait_for 10 "our tables have what the main table has" in_step $VOICE_PREFIXES
wait_for 5 "ams carries" service_on e voice ams
equal "prefixes" "$(service_field e voice '.["prefix-count"]')" $VOICE_PREFIXES

step "ams falls silent: the gap is the detection time, long before BIRD knows"
streams
watch_tables
lab_cut w r1 r2
wait_for 5 "fra carries" service_on e voice fra
wait_for 30 "BIRD has gone over" voice_bgp_away_from_ams
bird_ms=$((($(lab_now) - CUT_FROM) / 1000))
stays 3 "in step, for longer than the delay" in_step $VOICE_PREFIXES
gaps_at_most "ams silent" $((160 * SLACK))
echo "BIRD itself went over after $bird_ms ms"
for stream in first last; do
	at_most "$stream: the gap in hundredths of BIRD's" $((100 * $(stream_field $stream largest-gap-ms | cut -d. -f1) / bird_ms)) 20
done
equal "routes taken from our tables" "$(deletions)" 0

step "ams comes back"
lab_heal w
wait_for 60 "BGP is up again" voice_bgp_ready
wait_for 20 "ams carries" service_on e voice ams
in_step $VOICE_PREFIXES || fail "not in step"

half_withdrawn() { # ROUTER...
	local n
	for n; do
		birdc -s "$RUN/bird-r$n.ctl" configure >>"$RUN/configure.log"
	done
}

step "half of the prefixes are withdrawn at ams: fra has them, they stay"
cp "$RUN/bird-static.conf" "$RUN/bird-all.conf"
head -$((VOICE_PREFIXES / 2)) "$RUN/bird-all.conf" >"$RUN/bird-static.conf"
watch_tables
half_withdrawn 1 2
wait_for 10 "the main table goes by fra" voice_routes_by r3 r4 $((VOICE_PREFIXES / 2))
stays 3 "in step, for longer than the delay" in_step $VOICE_PREFIXES
equal "routes taken from our tables" "$(deletions)" 0

step "... and at fra: they go, after the delay"
begin=$(lab_now)
half_withdrawn 3 4
wait_for 10 "withdrawn" following withdrawn $((VOICE_PREFIXES / 2))
equal "prefixes still there" "$(in_table 58801 | wc -l)" $VOICE_PREFIXES
wait_for 10 "gone" in_step $((VOICE_PREFIXES / 2))
at_least "ms until they were gone" $((($(lab_now) - begin) / 1000)) $DELAY
following withdrawn 0 || fail "still some withdrawn"

step "... and come again"
cp "$RUN/bird-all.conf" "$RUN/bird-static.conf"
half_withdrawn 1 2 3 4
wait_for 20 "all again" in_step $VOICE_PREFIXES
wait_for 20 "by ams" voice_bgp_ready

step "from \"bgp\" to a list and back: the call goes on"
streams
PREFIXES="[ $(sed 's/.*/"&",/; $s/,$//' "$RUN/prefixes" | tr -d '\n') ]"
edge >"$RUN/bfdd-e.conf"
ctl e reload >/dev/null || fail "reload refused"
equal "from" "$(service_field e voice .prefixes)" listed
in_step $VOICE_PREFIXES || fail "not in step"
PREFIXES='"bgp"'
edge >"$RUN/bfdd-e.conf"
ctl e reload >/dev/null || fail "reload refused"
equal "from" "$(service_field e voice .prefixes)" bgp
stays 3 "in step, for longer than the delay" in_step $VOICE_PREFIXES
gaps_at_most "reloads" $((20 * SLACK))
service_on e voice ams || fail "ams does not carry"

step "bfdd is killed and restarted: nothing is taken away"
DELAY=60000 # the routers' BFD ends their BGP sessions
edge >"$RUN/bfdd-e.conf"
ctl e reload >/dev/null || fail "reload refused"
streams
watch_tables
bfdd_kill e
bfdd_restart e
wait_for 15 "all sessions up" all_up e
wait_for 10 "following" following in-step true
wait_for 60 "BGP is up" voice_bgp_ready
wait_for 10 "in step" in_step $VOICE_PREFIXES
equal "routes taken from our tables" "$(deletions)" 0
gaps_at_most "restart" $((20 * SLACK))

step "BIRD restarts within the delay: nobody notices"
watch_tables
streams
lab_stop "${VOICE_BIRDS[4]}" || true
wait_for 5 "the main table is empty" following withdrawn $VOICE_PREFIXES
voice_start_bird e
wait_for 60 "BGP is up again" voice_bgp_ready
wait_for 5 "in step" in_step $VOICE_PREFIXES
following withdrawn 0 || fail "still some withdrawn"
equal "routes taken from our tables" "$(deletions)" 0
gaps_at_most "BIRD's restart" $((20 * SLACK))

step "a clean stop leaves nothing"
equal "what was taken for others' deletions" "$(grep -c 'somebody deleted' "$RUN/bfdd-e.log" || true)" 0
bfdd_stop e
equal "what bfdd left" "$(kernel_objects e | grep 'proto 158' || true)" ""
