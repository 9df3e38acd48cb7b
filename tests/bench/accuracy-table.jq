# SPDX-License-Identifier: GPL-2.0-or-later
# What accuracy.jq made, as lines for `column -t`: $part is ratios or cells.
def fixed($digits): if . == null then "-" else (pow(10; $digits) as $p | . * $p | round / $p) | tostring end;

(if $part == "ratios" then
	["RATIO bfdd to", "interval", "mean", "p50", "p99", "max"],
	(.ratios[] | [.to, "3 x \(."interval-ms") ms", (.delay.mean | fixed(4)), (.delay.p50 | fixed(4)), (.delay.p99 | fixed(4)),
		(.delay.max | fixed(4))])
else
	["DELAY of", "interval", "detections", "min ms", "mean", "p50", "p99", "max", "early", "false", "missed", "own gap", "stood",
		"disturbed", ""],
	(.cells[] | [.program, "3 x \(."interval-ms") ms", .detections, (."delay-ms" | .min, .mean, .p50, .p99, .max | fixed(3)),
		.early, ."false-alarms", .missed, (."own-gap-ms" | fixed(1)), ."standstill-ms", "\(.disturbed) of \(.runs)", .word])
end) | @tsv
