# SPDX-License-Identifier: GPL-2.0-or-later
# The runs of pacing.sh: medians over the repeats, and ratios of bfdd's to the others'.
def median: sort | if length == 0 then null
	elif length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2] + .[length / 2 - 1]) / 2 end;
def spread: map(select(. != null)) | { median: median, min: min, max: max };

. as $runs
| [$runs | group_by([.sessions, ."interval-ms", .program])[] | . as $all
	| map(select((.gaps // 0) > 0)) as $good
	| .[0]."interval-ms" as $interval
	| def of($field): [$good[][$field] * 100 / $interval] | spread;
	def share($field): [$good[][$field] * 100] | spread;
	.[0] | {
		program, sessions, "interval-ms": $interval, runs: ($all | length), gaps: ([$good[].gaps] | add // 0),
		"outside-percent": ([$good[] | (."below-75" + ."above-100") * 100] | spread),
		"below-75-percent": share("below-75"), "above-100-percent": share("above-100"), "above-110-percent": share("above-110"),
		"p1-percent": of("p1-ms"), "p50-percent": of("p50-ms"), "p99-percent": of("p99-ms"),
		"largest-ms": ([$good[] | ."max-ms", ."open-gap-ms"] | max),
		"false-alarms": ([$good[]."false-alarms"] | add // 0), lost: ([$good[].lost] | add // 0),
		"own-gap-ms": ([$good[]."own-gap-ms"] | max), "standstill-ms": ([$all[]."standstill-ms"] | max),
		disturbed: ([$all[] | select(.disturbed)] | length),
		word: ([$all[] | select((.gaps // 0) == 0) | "\(.steady // 0) of \(.of // .sessions) steady"] | join(", ")) }] as $cells
| {
	ratios: [$cells | group_by([.sessions, ."interval-ms"])[] | . as $here
		| ($here[] | select(.program == "bfdd" and .gaps > 0)) as $ours
		| ($here[] | select(.program != "bfdd" and .gaps > 0)) as $theirs
		| {
			sessions: $ours.sessions, "interval-ms": $ours."interval-ms", to: $theirs.program,
			largest: ($ours."largest-ms" / $theirs."largest-ms"),
			outside: (if $theirs."outside-percent".median > 0 then
				$ours."outside-percent".median / $theirs."outside-percent".median else null end),
			"outside-percent": [$ours."outside-percent".median, $theirs."outside-percent".median] }],
	cells: $cells,
	runs: $runs }
