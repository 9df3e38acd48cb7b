#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How exactly is a dead peer noticed? bench_peer holds N sessions with the program and falls silent in one after the
# other. The delay is what passes, on the wire, from the end of the detection time to the first packet of the program
# that says Down: seen from outside, it contains what the program takes until it says so.
#
#   early    detections before their time: anything but 0 is a failure
#   false    Downs of sessions in which the peer spoke; missed: no Down within 5 s
#   own gap  the longest silence of bench_peer that was not meant
#   stood    the longest standstill of the machine while it ran, as a thread above all others saw it
#
# The programs in turn, for each repeat; figures are of all their detections. Status 1: bfdd was early or missed one.
#
# usage: accuracy.sh [-n SESSIONS] [-i "INTERVAL_MS ..."] [-d DETECTIONS] [-r REPEATS] [-b BUDGET_S] [-w WAIT_S]
#                    [-o JSON_FILE] [PROGRAM...]
# PROGRAM is bfdd, bird or frr; default: all. DETECTIONS (200) are those of all repeats (2) together.
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

sessions=20 interval="10 50" detections=200 repeats=2 budget=3600 wait=0 json=
bench_options n:i:d:r:b:w:o: "$@"
shift $((OPTIND - 1))
is_list "$interval" || usage
is_list "$sessions $detections $repeats $budget $((wait + 1))" || usage
[ $# -gt 0 ] || set -- bfdd bird frr
program_need "$@"

bench_init
: >"$RUN/results"
net_build "$sessions"
for ((repeat = 1; repeat <= repeats; repeat++)); do
	for i in $interval; do
		for program; do
			! spent || break 3
			machine_quiet "$wait"
			peer_measure detect "$program" "$sessions" "$i" $(((detections + repeats - 1) / repeats))
		done
	done
done
jq -s -f "$TOP/tests/bench/accuracy.jq" "$RUN/results" >"$RUN/accuracy.json"
[ -z "$json" ] || cp "$RUN/accuracy.json" "$json"
table accuracy-table "$RUN/accuracy.json" ratios cells
jq -e '[.cells[] | select(.program == "bfdd") | select(.early > 0 or .missed > 0 or .detections == 0)] | length == 0' \
	"$RUN/accuracy.json" >/dev/null
