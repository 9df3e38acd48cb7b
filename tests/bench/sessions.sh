#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many BFD sessions at rest: what do they cost? Two programs on the two ends of a veth hold N single-hop sessions
# at INTERVAL x 3. Measured over SECONDS of steady state, the programs in turn, all cells again for each repeat:
#
#   us/pair  processor time of the process, all threads, for one packet sent plus one received. From schedstat
#            (nanoseconds, not ticks); packets as the interface counts them. On a veth the kernel's reception runs
#            in the sender's context: a program between two of its kind pays for both ways, one against another
#            kind pays for what the other lets the kernel do.
#   system   the time that no processor was idle, less what other processes took and less the machine's own with
#            neither program running, for the same pair: with the work that the kernel does outside of both
#   rss      resident memory of the process; for FRR without its zebra
#   downs    sessions that left Up meanwhile
#
# A cell that a program does not hold says so. Having failed to bring N sessions Up undisturbed, it is not asked for
# more than N at that interval. Figures are of the samples without a Down. "disturbed": what else ran took over 10 % of a core, or the machine stood still for over 10 ms.
# Status 1: bfdd did not hold something.
#
# usage: sessions.sh [-n "SESSIONS ..."] [-i "INTERVAL_MS ..."] [-t SECONDS] [-r REPEATS] [-b BUDGET_S]
#                    [-w WAIT_S] [-o JSON_FILE] [PAIR...]
# PAIR is A-B of bfdd, bird, frr; default: bfdd-bfdd bird-bird frr-frr bfdd-bird. What is not done within the
# budget is left. Before each measurement up to WAIT_S (0) are waited for the machine to be quiet.
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

sessions="10 100 500 1000 2000" interval="10 50 300" seconds=5 repeats=3 budget=3600 wait=0 json=
UP_WITHIN=70 # seconds: FRR takes most of it for 500 sessions
SETTLE=3     # for intervals to be negotiated

bench_options n:i:t:r:b:w:o: "$@"
shift $((OPTIND - 1))
is_list "$sessions" || usage
is_list "$interval" || usage
is_list "$seconds $repeats $budget $((wait + 1))" || usage
[ $# -gt 0 ] || set -- bfdd-bfdd bird-bird frr-frr bfdd-bird

# "PROCESS-NS PACKETS-OUT PACKETS-IN"
sample_side() { # SIDE
	local pid=pid_$1
	cat "/proc/${!pid}/task/"*/schedstat | awk '{ ns += $1 } END { printf "%.0f ", ns }'
	lab_in "$1" ip -j -s link show "v$1" | jq -r '.[0].stats64 | "\(.tx.packets) \(.rx.packets)"'
}

measure_rest() {
	machine_begin 20
	sleep 2
	machine_end
	rest=$(awk "BEGIN { print $BUSY - $OTHERS }")
}

report() { # SIDE PAIR BEFORE AFTER DOWNS
	local pid=pid_$1 program before after
	read -ra before <<<"$3"
	read -ra after <<<"$4"
	[ "$1" = a ] && program=${2%-*} || program=${2#*-}
	jq -n -c --arg pair "$2" --arg program "$program" --arg side "$1" \
		--argjson sessions "$n" --argjson interval "$i" --argjson repeat "$repeat" --argjson elapsed "$window" \
		--argjson ns $((after[0] - before[0])) --argjson out $((after[1] - before[1])) \
		--argjson in $((after[2] - before[2])) --argjson downs "$5" --argjson busy "$BUSY" --argjson rest "$rest" \
		--argjson others "$OTHERS" --argjson stood "$WITNESS" \
		--argjson rss "$(awk '/^VmRSS/ { print $2 }' "/proc/${!pid}/status")" '
		($out + $in) as $packets | ($busy - $others - $rest) as $system | {
			pair: $pair, program: $program, side: $side, sessions: $sessions, "interval-ms": $interval,
			repeat: $repeat, held: true, seconds: ($elapsed / 1e6), "cpu-percent": ($ns / 10 / $elapsed),
			"packets-out": $out, "packets-in": $in,
			"cpu-us-per-pair": (if $packets > 0 then $ns / 1e3 / ($packets / 2) else null end),
			"busy-percent": $busy, "rest-percent": $rest, "system-percent": $system,
			"system-us-per-pair": (if $packets > 0 then $system / 100 * $elapsed / $packets else null end),
			downs: $downs, "rss-kib": $rss, "others-percent": $others, "standstill-ms": $stood,
			disturbed: ($others > 10 or $stood > 10) }' >>"$RUN/results"
}

failed() { # PAIR WORD UP DISTURBED
	echo "$1: $n sessions at $i ms: $2" >&2
	jq -n -c --arg pair "$1" --arg program "${1%-*}" --argjson sessions "$n" --argjson interval "$i" \
		--argjson repeat "$repeat" --arg word "$2" --argjson up "${3:-null}" --argjson disturbed "$4" '{
			pair: $pair, program: $program, side: "a", sessions: $sessions, "interval-ms": $interval,
			repeat: $repeat, held: false, word: $word, up: $up, disturbed: $disturbed }' >>"$RUN/results"
}

bring_up() { # PAIR
	local a=${1%-*} b=${1#*-} up disturbed
	machine_begin 20
	program_start b "$b" "$n" "$i"
	program_start a "$a" "$n" "$i"
	if program_all_up a "$a" "$n" $UP_WITHIN && program_all_up b "$b" "$n" 2; then
		machine_end
		return
	fi
	machine_end
	up=$(program_up a "$a" 2>/dev/null || true)
	disturbed=$(machine_disturbed)
	[ "$disturbed" = true ] || limit[$1 $i]=$n
	failed "$1" "${up:-none} of $n up in $UP_WITHIN s" "$up" "$disturbed"
	return 1
}

measure() { # PAIR
	local a=${1%-*} b=${1#*-} before_a before_b after_a after_b downs_a downs_b window
	bring_up "$1" || return 0
	sleep $SETTLE
	downs_a=$(program_downs a "$a") downs_b=$(program_downs b "$b")
	machine_begin 20
	# The samples themselves take their time: on a busy machine the machine's window is longer than this one.
	window=$(lab_now) before_a=$(sample_side a) before_b=$(sample_side b)
	sleep "$seconds"
	window=$(($(lab_now) - window)) after_a=$(sample_side a) after_b=$(sample_side b)
	machine_end
	downs_a=$(($(program_downs a "$a") - downs_a)) downs_b=$(($(program_downs b "$b") - downs_b))
	report a "$1" "$before_a" "$after_a" "$downs_a"
	report b "$1" "$before_b" "$after_b" "$downs_b"
}

bench_init
for pair; do
	program_need "${pair%-*}" "${pair#*-}"
done
declare -A limit=()
: >"$RUN/results"
rest=0
for ((repeat = 1; repeat <= repeats; repeat++)); do
	for n in $sessions; do
		net_build "$n"
		measure_rest
		for i in $interval; do
			for pair; do
				! spent || break 4
				if [ "$n" -gt "${limit[$pair $i]-999999}" ]; then
					failed "$pair" "not tried: ${limit[$pair $i]} did not come up" "" false
					continue
				fi
				machine_quiet "$wait"
				measure "$pair"
				programs_stop
			done
		done
	done
done
jq -s -f "$TOP/tests/bench/cost.jq" "$RUN/results" >"$RUN/cost.json"
[ -z "$json" ] || cp "$RUN/cost.json" "$json"
table cost-table "$RUN/cost.json" ratios cells memory
jq -e '[.runs[] | select(.program == "bfdd") | select((.held | not) or .downs > 0)] | length == 0' "$RUN/cost.json" >/dev/null
