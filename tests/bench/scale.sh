#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Very many sessions: does a pair of bfdd hold them, and does it still answer? Two daemons on the two ends of a veth
# hold N multihop sessions at 300 ms x 3 without the flight recorder. Their addresses are on lo, each of a hundred to
# each of a hundred: with an address for each session it would be the kernel's look-up of its own that is measured.
#
#   up           seconds from the start of the first daemon until all sessions are Up at both ends
#   downs        sessions that left Up, of both ends: while all came up, and in the SECONDS after
#   stall-max    the latest turn of an engine, ms: at the beginning, and whether SECONDS later it was still that
#   us/pair      processor time of a daemon, all threads, for one packet sent plus one received (those that the
#                gate took are counted as sent by the other)
#   bytes        resident memory of a session: what a daemon grew by over one without peers, before and after
#                three times \`bfdctl peers\`
#   peers        seconds of \`bfdctl --json peers\` and \`bfdctl peers\`, five times each: median and longest
#   asked        what SECONDS / 4 of such questions one after the other do: further Downs, stalls, stall-max
#
# "disturbed": what else ran took over 10 % of a core, or the machine stood still for over 10 ms.
# Status 1: they did not all come up, or one left Up after that.
#
# usage: scale.sh [-n SESSIONS] [-t SECONDS] [-o JSON_FILE]
# shellcheck disable=SC2154 # pid_a: scale_start()
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

sessions=10000 seconds=300 json=
INTERVAL=300
UP_WITHIN=90 # s
SETTLE=5     # s, for Poll Sequences to end
ASKED=5      # times, each form

bench_options n:t:o: "$@"
[ $OPTIND -gt $# ] || usage
is_list "$sessions $seconds" || usage
[ "$sessions" -le 62500 ] || die "at most 62500 sessions: 250 addresses on each side"

# The first number that squared is COUNT or more.
root_of() { # COUNT
	local i=1
	while ((i * i < $1)); do
		i=$((i + 1))
	done
	echo $i
}

# host_a[] and host_b[], on lo.
scale_net() {
	local side i n
	declare -gA number=([a]=1 [b]=2)
	n=$(root_of "$sessions")
	lab_link a va b vb
	for side in a b; do
		lab_in $side ip link set lo up
		lab_in $side ip addr add "192.0.2.${number[$side]}/30" dev v$side
		for ((i = 1; i <= n; i++)); do
			echo "address add 10.${number[$side]}.0.$i/32 dev lo"
		done >"$RUN/batch-$side"
		lab_in $side ip -batch "$RUN/batch-$side"
	done
	lab_in a ip route add 10.2.0.0/24 via 192.0.2.2
	lab_in b ip route add 10.1.0.0/24 via 192.0.2.1
}

scale_config() { # SIDE COUNT
	awk -v own="${number[$1]}" -v far="${number[${other[$1]}]}" -v count="$2" -v side="$1" -v ms=$INTERVAL \
		-v n="$(root_of "$sessions")" 'BEGIN {
		print "flight-recorder = false;\npeers = ("
		for (i = 0; i < count; i++) {
			a = int(i / n) + 1
			b = i % n + 1
			printf "%s{ name = \"p%d\"; address = \"10.%d.0.%d\"; local-address = \"10.%d.0.%d\"; multihop = true; " \
				"minimum-ttl = 250; transmit-interval = %d; receive-interval = %d; }\n", i ? "," : "", i,
				far, side == "a" ? b : a, own, side == "a" ? a : b, ms, ms
		}
		print ");"
	}'
}

scale_start() { # SIDE COUNT
	local prefix=$RUN/$1
	scale_config "$1" "$2" >"$prefix.conf"
	rm -rf "$prefix.state"
	mkdir "$prefix.state"
	: >"$prefix.log"
	lab_start "$1" "$1" "$BFDD" -c "$prefix.conf" -s "$prefix.ctl" -S "$prefix.state"
	eval "pid_$1=$PID"
}

status() { # SIDE JQ-FILTER
	"$BFDCTL" -s "$RUN/$1.ctl" --json status 2>/dev/null | jq -c "$2"
}

resident() { # SIDE    KiB
	local pid=pid_$1
	awk '/^VmRSS/ { print $2 }' "/proc/${!pid}/status"
}

empty_resident() {
	local end=$((SECONDS + 10))
	scale_start a 0
	until status a .pid >/dev/null; do
		[ $SECONDS -lt $end ] || die "a daemon without peers does not answer"
		sleep 0.1
	done
	resident a
	programs_stop
}

downs() { # both ends
	local side
	for side in a b; do
		"$BFDCTL" -s "$RUN/$side.ctl" --json peers | jq '[.[]."down-transitions"] | add'
	done | awk '{ sum += $1 } END { print sum + 0 }'
}

all_up() {
	local end=$((SECONDS + UP_WITHIN)) side
	for side in a b; do
		until [ "$(status $side .sessions.up)" = "$sessions" ]; do
			[ $SECONDS -lt $end ] || return 1
			sleep 0.2
		done
	done
}

stalls() { # of both ends, as JSON
	jq -n -c --argjson a "$(status a .engine)" --argjson b "$(status b .engine)" \
		'{ a: $a, b: $b } | map_values({ stalls, "stall-max-ms": ."stall-max", scheduling })'
}

# "PROCESS-NS PACKETS-OUT" of a
sample() {
	cat "/proc/$pid_a/task/"*/schedstat | awk '{ ns += $1 } END { printf "%.0f ", ns }'
	status a '.engine."packets-out"'
}

ask_once() { # OPTION...    in microseconds
	local from
	from=$(lab_now)
	"$BFDCTL" -s "$RUN/a.ctl" "$@" peers >"$RUN/answer"
	echo $(($(lab_now) - from))
}

asked() { # OPTION...    {median, max} in seconds, as JSON
	local i
	for ((i = 0; i < ASKED; i++)); do
		ask_once "$@"
	done | jq -s -c 'sort | { "median-s": (.[length / 2 | floor] / 1e6), "max-s": (.[-1] / 1e6) }'
}

ask_in_a_loop() { # SECONDS    how often
	local end=$((SECONDS + $1)) n=0
	while [ $SECONDS -lt $end ]; do
		ask_once --json >/dev/null
		n=$((n + 1))
	done
	echo $n
}

result() {
	jq -n --argjson sessions "$sessions" --argjson interval $INTERVAL --argjson seconds "$seconds" \
		--argjson held "$held" --argjson up "$up" --argjson downs_up "$downs_up" --argjson downs_after "$downs_after" \
		--argjson first "$stalls_first" --argjson steady "$stalls_steady" --argjson loop "$stalls_loop" \
		--argjson ns $((after[0] - before[0])) --argjson packets $((after[1] - before[1])) --argjson window $window \
		--argjson empty "$rss_empty" --argjson rss "$rss_before" --argjson rss_asked "$rss_after" \
		--argjson as_json "$as_json" --argjson as_text "$as_text" --argjson questions "$questions" \
		--argjson downs_loop "$downs_loop" --argjson others "$OTHERS" --argjson stood "$WITNESS" \
		--argjson disturbed "$(machine_disturbed)" '{
			sessions: $sessions, "interval-ms": $interval, seconds: $seconds, held: $held, "up-s": ($up / 1e6),
			"downs-coming-up": $downs_up, "downs-after": $downs_after,
			"stalls-coming-up": $first, "stalls-after": $steady,
			"cpu-percent": ($ns / 10 / $window), "cpu-us-per-pair": ($ns / 1e3 / $packets),
			"bytes-per-session": (($rss - $empty) * 1024 / $sessions),
			"bytes-per-session-asked": (($rss_asked - $empty) * 1024 / $sessions),
			"json-peers": $as_json, "text-peers": $as_text,
			"asked-in-a-loop": { questions: $questions, downs: $downs_loop, stalls: $loop },
			"others-percent": $others, "standstill-ms": $stood, disturbed: $disturbed }'
}

scale_table() { # JSON
	jq -r '
		def ms: . * 10 | round / 10;
		def worst: [.a, .b | ."stall-max-ms"] | max | ms;
		(["sessions", .sessions], ["all up, s", (."up-s" | ms)],
		["downs while coming up", ."downs-coming-up"], ["downs after", ."downs-after"],
		["stall-max coming up, ms", (."stalls-coming-up" | worst)], ["stall-max in all, ms", (."stalls-after" | worst)],
		["scheduling", ."stalls-after".a.scheduling + ", " + ."stalls-after".b.scheduling],
		["cpu of a daemon, %", (."cpu-percent" | ms)], ["us/pair", (."cpu-us-per-pair" | ms)],
		["bytes a session", (."bytes-per-session" | round)], ["... asked", (."bytes-per-session-asked" | round)],
		["bfdctl --json peers, s", "\(."json-peers"."median-s") (max \(."json-peers"."max-s"))"],
		["bfdctl peers, s", "\(."text-peers"."median-s") (max \(."text-peers"."max-s"))"],
		["asked in a loop", "\(."asked-in-a-loop".questions) times: \(."asked-in-a-loop".downs) downs, stall-max \(."asked-in-a-loop".stalls | worst) ms"],
		["disturbed", .disturbed]) | @tsv' "$1" | column -t -s $'\t'
}

bench_init
program_need bfdd
scale_net
rss_empty=$(empty_resident)
machine_begin 20
up=$(lab_now)
scale_start b "$sessions"
scale_start a "$sessions"
held=true
all_up || {
	echo "scale: not all of $sessions sessions came up in $UP_WITHIN s:" \
		"$(status a .sessions.up) and $(status b .sessions.up)" >&2
	exit 1
}
up=$(($(lab_now) - up))
sleep $SETTLE
rss_before=$(resident a) downs_up=$(downs) stalls_first=$(stalls)
window=$(lab_now)
read -ra before <<<"$(sample)"
sleep "$seconds"
read -ra after <<<"$(sample)"
window=$(($(lab_now) - window))
machine_end
downs_after=$(($(downs) - downs_up)) stalls_steady=$(stalls)
as_json=$(asked --json) as_text=$(asked)
rss_after=$(resident a)
questions=$(ask_in_a_loop $((seconds / 4 + 1)))
downs_loop=$(($(downs) - downs_up - downs_after)) stalls_loop=$(stalls)
[ $((downs_after + downs_loop)) = 0 ] || held=false
result >"$RUN/scale.json"
[ -z "$json" ] || cp "$RUN/scale.json" "$json"
scale_table "$RUN/scale.json"
programs_stop
[ $held = true ]
