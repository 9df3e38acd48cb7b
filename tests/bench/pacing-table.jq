# SPDX-License-Identifier: GPL-2.0-or-later
# What pacing.jq made, as lines for `column -t`: $part is ratios or cells.
def fixed($digits): if . == null then "-" else (pow(10; $digits) as $p | . * $p | round / $p) | tostring end;

(if $part == "ratios" then
	["RATIO bfdd to", "sessions", "interval", "largest gap", "outside", "outside %"],
	(.ratios[] | [.to, .sessions, "\(."interval-ms") ms", (.largest | fixed(3)), (.outside | fixed(4)),
		(."outside-percent" | map(fixed(3)) | join(" to "))])
else
	["PACING of", "sessions", "interval", "gaps", "outside %", "below 75 %", "above 110 %", "p1 %", "p50 %", "p99 %", "largest ms",
		"false", "stood", "disturbed", ""],
	(.cells[] | [.program, .sessions, "\(."interval-ms") ms", .gaps,
		((."outside-percent", ."below-75-percent", ."above-110-percent") | .median | fixed(3)),
		((."p1-percent", ."p50-percent", ."p99-percent") | .median | fixed(1)), (."largest-ms" | fixed(2)),
		."false-alarms", ."standstill-ms", "\(.disturbed) of \(.runs)", .word])
end) | @tsv
