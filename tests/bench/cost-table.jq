# SPDX-License-Identifier: GPL-2.0-or-later
# What cost.jq made, as lines for `column -t`: $part is ratios, cells or memory.
def fixed($digits): if . == null then "-" else (pow(10; $digits) as $p | . * $p | round / $p) | tostring end;
def spread($digits): if .median == null then "-" else "\(.median | fixed($digits)) (\(.min | fixed($digits))-\(.max | fixed($digits)))" end;
def says: if . == "" then "held" else . end;

(if $part == "ratios" then
	["RATIO bfdd to", "sessions", "interval", "cpu", "system", "bfdd", "the other"],
	(.ratios[] | [.to, .sessions, "\(."interval-ms") ms", (.cpu | fixed(3)), (.system | fixed(3)), (.word.bfdd | says),
		(.word[.to] | says)])
elif $part == "cells" then
	["PAIR", "of", "sessions", "interval", "us/pair", "system us/pair", "cpu %", "rss KiB", "samples", "clean", "disturbed", ""],
	(.cells[] | [.pair, .program, .sessions, "\(."interval-ms") ms", (."cpu-us-per-pair" | spread(1)),
		(."system-us-per-pair" | spread(1)), (."cpu-percent" | spread(1)), (."rss-kib" | spread(0)), .samples, .clean, .disturbed, .word])
else
	["MEMORY", "interval", "from", "to", "base KiB", "KiB/session"],
	(.memory[] | [.program, "\(."interval-ms") ms", .from, .to, ."base-kib", (."kib-per-session" | fixed(2))])
end) | @tsv
