# SPDX-License-Identifier: GPL-2.0-or-later
# What failover.jq made, as lines for `column -t`: $part is ratios, cells or words.
def fixed($digits): if . == null then "-" else (pow(10; $digits) as $p | . * $p | round / $p) | tostring end;
# Of one of the two: a figure, or why there is none.
def figure($cell): if $cell == null then "not measured" elif ($cell.failed | length) == $cell.rounds then "failed"
	elif . == null then "never" else fixed(0) end;
def packets: if . == null then "-" else "\(."gap-ms" | fixed(0)) (\(."gap-packets"))" end;
def name: "\(.daemon), \(.prefixes) \(.family), \(.fault)";

# "N of M" in which bfdd is not later than native, and those in which it is.
def standing($what; $field):
	[.pairs[] | select(.bfdd != null and .native != null) | select(.bfdd[$field] != null or .native[$field] != null)] as $all
	| [$all[] | select(.bfdd[$field] == null or (.native[$field] != null and .bfdd[$field] > .native[$field]))] as $above
	| "\($what): bfdd is not above native in \(($all | length) - ($above | length)) of \($all | length) cells" +
		(if ($above | length) == 0 then ""
		elif ($above | length) <= 6 then "; above in: " + ([$above[] | name] | join("; "))
		else "; above in " + ([$above | group_by(.fault)[] | "\(length) of \(.[0].fault)"] | join(", ")) end);

if $part == "ratios" then
	(["RATIO bfdd to native", "prefixes", "", "fault", "moved", "after known", "back", "moved ms: bfdd", "native", "mark", "held",
		"after known"],
	(.pairs[] | [.daemon, .prefixes, .family, .fault, (.ratio.moved | fixed(2)), (.ratio."after-known" | fixed(2)), (.ratio.back | fixed(2)),
		(.bfdd as $cell | .bfdd."moved-ms" | figure($cell)), (.native as $cell | .native."moved-ms" | figure($cell)),
		(.mark."limit-ms" | fixed(0)), (if .mark.of == 0 then "-" else "\(.mark.of - .mark.missed) of \(.mark.of)" end), .below.word])) | @tsv
elif $part == "cells" then
	(["CELL", "prefixes", "", "fault", "by", "rounds", "gap ms (packets)", "first, last", "moved ms", "known ms", "after known", "BGP ms",
		"back: traffic", "BGP", "gap on return", "stood", "sender", "others %"],
	(.pairs[] | . as $pair | ("bfdd", "native") as $by | $pair[$by] | select(. != null) | . as $cell
		| [$pair.daemon, $pair.prefixes, $pair.family, $pair.fault, $by, .rounds, packets,
			"\(."first-gap-ms" | fixed(0)), \(."last-gap-ms" | fixed(0))", (."moved-ms" | figure($cell)), (."known-ms" | fixed(0)),
			(."after-known-ms" | fixed(1)), (."bgp-ms" | figure($cell)), (."traffic-back-ms" | figure($cell)),
			(."bgp-back-ms" | figure($cell)), (."gap-on-return-ms" | fixed(0)), ."standstill-ms", (."send-gap-ms" | fixed(0)), (."others-percent" | fixed(0))])) | @tsv
else
	standing("traffic moved"; "moved-ms"), standing("after BFD could know"; "after-known-ms"), standing("BGP converged"; "bgp-ms"),
	standing("all is back"; "back-ms"), standing("gap on return"; "gap-on-return-ms"),
	(.pairs[] | . as $pair | .mark | select(.missed > 0)
		| "MISSED by bfdd in \(.missed) of \(.of) (at most \(."limit-ms" | fixed(0)) ms): \($pair | name): \(.why | join("; "))"),
	(.pairs[] | select(.below.word == "above" or .below.word == "never")
		| "NOT BELOW native: \(name): by \(.below."by-ms" | fixed(1)) ms\(if .below.ours then "" else ", while the machine stood still" end)"),
	(.pairs[] | . as $pair | ("bfdd", "native") as $by | $pair[$by] | select(. != null) | .failed[]
		| "FAILED: \($pair | name), \($by): \(.)"),
	(.pairs[] | . as $pair | ("bfdd", "native") as $by | $pair[$by] | select(. != null and ."routes-lost")
		| "some of what the kernel told of routes was lost, the last may have been later: \($pair | name), \($by)"),
	(."not-measured" | group_by([.prefixes, .family, .daemon, .variant])[]
		| "NOT MEASURED: \(.[0].daemon), \(.[0].prefixes) \(.[0].family), \(.[0].variant): \([.[].fault] | join(" "))")
end
