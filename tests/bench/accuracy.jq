# SPDX-License-Identifier: GPL-2.0-or-later
# The runs of accuracy.sh: all detections of a program at an interval, and ratios to bfdd's.
def percentile($p): if length == 0 then null else .[([(length * $p / 100 | ceil) - 1, 0] | max)] end;
def total($field): map(.[$field] // 0) | add;

. as $runs
| [$runs | group_by([."interval-ms", .program])[] | . as $all | ([.[]."delays-ms" // [] | .[]] | sort) as $delays
	| .[0] | {
		program, sessions, "interval-ms": ."interval-ms", runs: ($all | length), detections: ($delays | length),
		"delay-ms": { min: $delays[0], mean: (if ($delays | length) > 0 then ($delays | add) / ($delays | length) else null end),
			p50: ($delays | percentile(50)), p99: ($delays | percentile(99)), max: $delays[-1] },
		early: ($all | total("early")), missed: ($all | total("missed")), "false-alarms": ($all | total("false-alarms")),
		"other-diagnostic": ($all | total("other-diagnostic")), lost: ($all | total("lost")),
		"own-gap-ms": ([$all[]."own-gap-ms" // 0] | max), "standstill-ms": ([$all[]."standstill-ms"] | max),
		disturbed: ([$all[] | select(.disturbed)] | length),
		word: ([$all[] | select(has("steady")) | "\(.steady) of \(.of) steady"] | join(", ")) }] as $cells
| {
	ratios: [$cells | group_by(."interval-ms")[] | . as $here
		| ($here[] | select(.program == "bfdd")) as $ours | ($here[] | select(.program != "bfdd")) as $theirs
		| {
			"interval-ms": $ours."interval-ms", to: $theirs.program,
			delay: (if $ours.detections > 0 and $theirs.detections > 0 then
				[["mean", "p50", "p99", "max"][] | { (.): ($ours."delay-ms"[.] / $theirs."delay-ms"[.]) }] | add
				else null end) }],
	cells: $cells,
	runs: $runs }
