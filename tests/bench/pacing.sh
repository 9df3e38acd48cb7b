#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How evenly does a program send? bench_peer holds N sessions with it and looks at the time between its packets in each
# session, as the kernel stamped them on the wire. RFC 5880 6.8.7 wants each between 75 and 100 % of the interval.
#
#   outside       the share of gaps below 75 % or above 100 %, in per cent; of these: below 75 %, above 110 %
#   p1 p50 p99    of the gaps, per cent of the interval; largest: in ms
#   false         sessions that the program gave up although the peer spoke
#   stood         the longest standstill of the machine while it ran, as a thread above all others saw it
#
# The programs in turn, all cells again for each repeat; figures are medians of the repeats, "largest" the most of all.
# Status 1: a session of bfdd's was given up, or did not come up.
#
# usage: pacing.sh [-n SESSIONS -i INTERVAL_MS] [-t SECONDS] [-r REPEATS] [-b BUDGET_S] [-w WAIT_S] [-o JSON_FILE]
#                  [PROGRAM...]
# PROGRAM is bfdd, bird or frr; default: all. Default cells: 1 and 64 at 10, 50 and 300 ms, 500 at 50 ms.
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

cells="1,10 1,50 1,300 64,10 64,50 64,300 500,50" sessions='' interval='' seconds=10 repeats=2 budget=3600 wait=0 json=
bench_options n:i:t:r:b:w:o: "$@"
shift $((OPTIND - 1))
if [ -n "$sessions$interval" ]; then
	is_list "$sessions" || usage
	is_list "$interval" || usage
	cells=
	for n in $sessions; do
		for i in $interval; do
			cells="$cells $n,$i"
		done
	done
fi
is_list "$seconds $repeats $budget $((wait + 1))" || usage
[ $# -gt 0 ] || set -- bfdd bird frr
program_need "$@"

bench_init
: >"$RUN/results"
for ((repeat = 1; repeat <= repeats; repeat++)); do
	for cell in $cells; do
		net_build "${cell%,*}"
		for program; do
			! spent || break 3
			machine_quiet "$wait"
			peer_measure pacing "$program" "${cell%,*}" "${cell#*,}" "$seconds"
		done
	done
done
jq -s -f "$TOP/tests/bench/pacing.jq" "$RUN/results" >"$RUN/pacing.json"
[ -z "$json" ] || cp "$RUN/pacing.json" "$json"
table pacing-table "$RUN/pacing.json" ratios cells
jq -e '[.runs[] | select(.program == "bfdd") | select(."false-alarms" != 0)] | length == 0' "$RUN/pacing.json" >/dev/null
