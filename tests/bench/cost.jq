# SPDX-License-Identifier: GPL-2.0-or-later
# The runs of sessions.sh: cells (median, least, most of the repeats), memory for each session, and ratios.
def median: sort | if length == 0 then null
	elif length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2] + .[length / 2 - 1]) / 2 end;
def spread: map(select(. != null)) | { median: median, min: min, max: max };
def word($all):
	($all | map(select(.held))) as $held | ($all | map(select(.held | not))) as $not
	| ($held | map(select(.downs > 0))) as $flapped | ($flapped | map(.downs) | add // 0) as $downs
	| if ($all | length) == ($not | length) then $not[0].word
	else [(if $downs > 0 then "\($downs) downs in \($flapped | length) of \($held | length)" else empty end),
		(if ($not | length) > 0 then "not up in \($not | length) runs" else empty end)] | join(", ") end;

# Figures are of the samples without a Down: a session that is Down sends one packet a second.
. as $runs
| [$runs | group_by([.sessions, ."interval-ms", .pair, .program])[] | . as $all
	| map(select(.held and .downs == 0)) as $clean
	| .[0] | {
		sessions, "interval-ms": ."interval-ms", pair, program, samples: ($all | length), clean: ($clean | length),
		downs: ([$all[].downs // 0] | add), held: all($all[]; .held and .downs == 0), word: word($all),
		"cpu-us-per-pair": ([$clean[]."cpu-us-per-pair"] | spread),
		"system-us-per-pair": ([$clean[]."system-us-per-pair"] | spread),
		"cpu-percent": ([$clean[]."cpu-percent"] | spread),
		"rss-kib": ([$all[]."rss-kib"] | spread),
		"standstill-ms": ([$all[]."standstill-ms"] | max),
		disturbed: ([$all[] | select(.disturbed)] | length) }] as $cells
| {
	ratios: [$cells | group_by([.sessions, ."interval-ms"])[] | . as $here
		| ($here[] | select(.pair == "bfdd-bfdd")) as $ours
		| ($here[] | select(.pair == "bird-bird" or .pair == "frr-frr")) as $theirs
		| {
			sessions: $ours.sessions, "interval-ms": $ours."interval-ms", to: $theirs.program,
			held: { bfdd: $ours.held, ($theirs.program): $theirs.held }, word: { bfdd: $ours.word, ($theirs.program): $theirs.word },
			cpu: (if $ours.clean > 0 and $theirs.clean > 0 then
				$ours."cpu-us-per-pair".median / $theirs."cpu-us-per-pair".median else null end),
			system: (if $ours.clean > 0 and $theirs.clean > 0 then
				$ours."system-us-per-pair".median / $theirs."system-us-per-pair".median else null end) }],
	memory: [$cells | map(select(.clean > 0 and (.pair | split("-") | .[0] == .[1]))) | group_by([.program, ."interval-ms"])[]
		| (min_by(.sessions)) as $low | (max_by(.sessions)) as $high
		| select($high.sessions > $low.sessions)
		| {
			program: $low.program, "interval-ms": $low."interval-ms", from: $low.sessions, to: $high.sessions,
			"base-kib": $low."rss-kib".median,
			"kib-per-session": (($high."rss-kib".median - $low."rss-kib".median) / ($high.sessions - $low.sessions)) }],
	cells: $cells,
	runs: $runs }
