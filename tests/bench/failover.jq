# SPDX-License-Identifier: GPL-2.0-or-later
# The runs of failover.sh: cells (medians of the rounds), bfdd beside native, marks, and what was not measured.
def median: sort | if length == 0 then null
	elif length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2] + .[length / 2 - 1]) / 2 end;
# Never, in half of the rounds or more, is never.
def middle: (map(values) | median) as $m | if (map(select(. == null)) | length) * 2 >= length then null else $m end;
def cell_key: [.prefixes, .family, .daemon, .fault];
def ratio($a; $b): if $a == null or $b == null or $a < 0 or $b <= 0 then null else $a / $b end;

def allowed: if .fault == "carrier" then 20 else ."detection-ms" + 10 end;
def late: if .fault == "carrier" then ."known-ms" else [."known-ms" - ."detection-ms", 0] | max end;

# Taking routes away with their link, ours too, keeps a processor busy in the kernel: there a standstill is no excuse.
def excuse: if .fault == "carrier" then 0 else ."standstill-ms" end;

# Of one run of bfdd: by how much it missed, and who did it.
def judged: if .failed then { missed: true, ours: true, why: .failed }
	elif ."moved-ms" == null then { missed: true, ours: true, why: "traffic never moved" }
	else ([."moved-ms" - allowed, ."gap-ms" - allowed - 1] | max) as $by
	| if $by <= 0 then { missed: false, ours: false }
	else { missed: true, "by-ms": $by, ours: ($by > excuse + late),
		why: (if $by > excuse + late then "its own doing"
			elif late > 0 then "what it was told came \(late) ms late; the machine stood still for \(."standstill-ms") ms"
			else "the machine stood still for \(."standstill-ms") ms" end) } end end;

def summary: . as $runs | map(select(.failed | not)) as $good
	| def of($field): [$good[][$field]] | middle;
	{
		rounds: ($runs | length), failed: [$runs[].failed | values], never: ([$good[] | select(."moved-ms" == null)] | length),
		"gap-ms": of("gap-ms"), "gap-packets": (of("gap-ms") | if . == null then null else . / 20 | ceil end),
		"moved-ms": of("moved-ms"),
		"worst-moved-ms": (if any($good[]; ."moved-ms" == null) then null else [$good[]."moved-ms"] | max end),
		"first-gap-ms": ([$good[].first."gap-ms"] | middle), "last-gap-ms": ([$good[].last."gap-ms"] | middle),
		"known-ms": of("known-ms"), "after-known-ms": of("after-known-ms"), "bgp-ms": of("bgp-ms"), "back-ms": of("back-ms"),
		"traffic-back-ms": of("traffic-back-ms"), "bgp-back-ms": of("bgp-back-ms"), "gap-on-return-ms": of("gap-on-return-ms"),
		"standstill-ms": ([$good[]."standstill-ms"] | max), "others-percent": ([$good[]."others-percent"] | max),
		"send-gap-ms": ([$good[]."send-gap-ms"] | max), "routes-lost": any($good[]; ."routes-lost") };

# Not above native's after BFD could know: streams of a packet a millisecond tell no more than that.
def compared($ours; $native; $excuse): if $ours == null or $native == null then { word: "not measured" }
	elif $ours."after-known-ms" == null then { word: "never", ours: ($native."after-known-ms" != null) }
	elif $native."after-known-ms" == null then { word: (if $native.rounds > ($native.failed | length) then "below" else "not measured" end) }
	else ($ours."after-known-ms" - $native."after-known-ms") as $more
	| if $more <= 0 then { word: "below" }
	elif $more <= 1 then { word: "even" }
	else { word: "above", "by-ms": $more, ours: ($more > $excuse + 1) } end end;

($runs | map(select(.variant == "bfdd") | . + { mark: judged })) as $judged
| [$runs | group_by(cell_key)[] | . as $here
	| (map(select(.variant == "bfdd")) | if length > 0 then summary else null end) as $ours
	| (map(select(.variant == "native")) | if length > 0 then summary else null end) as $native
	| .[0] | {
		daemon, prefixes, family, fault, bfdd: $ours, native: $native,
		ratio: { moved: ratio($ours."moved-ms"; $native."moved-ms"), gap: ratio($ours."gap-ms"; $native."gap-ms"),
			"after-known": ratio($ours."after-known-ms"; $native."after-known-ms"), back: ratio($ours."back-ms"; $native."back-ms"),
			bgp: ratio($ours."bgp-ms"; $native."bgp-ms") },
		mark: ([$judged[] | select(cell_key == ($here[0] | cell_key)) | .mark]
			| { "limit-ms": (if $ours == null then null else $here[0] | if ."detection-ms" then allowed else null end end),
				missed: (map(select(.missed)) | length), ours: (map(select(.ours)) | length), of: length,
				why: ([.[].why | values] | unique) }),
		below: compared($ours; $native; if .fault == "carrier" then 0 else $ours."standstill-ms" // 0 end) }] as $pairs
| [($prefixes / " ")[] | select(. != "") | tonumber as $n | ($families / " ")[] | select(. != "") as $f
	| ($daemons / " ")[] | select(. != "") as $d | ($faults / " ")[] | select(. != "") as $k | ("bfdd", "native") as $v
	| select(any($runs[]; .prefixes == $n and .family == $f and .daemon == $d and .fault == $k and .variant == $v) | not)
	| { daemon: $d, prefixes: $n, family: $f, fault: $k, variant: $v }] as $missing
| {
	bench: "failover", $machine, "interval-ms": $interval, "detection-ms": ($interval * $multiplier),
	"not-measured": $missing,
	ours: ([$pairs[] | .mark.ours, (if .below.ours then 1 else 0 end), (.native.failed // [] | length)] | add // 0),
	pairs: ($pairs | sort_by([.prefixes, .family, .daemon, (.fault as $fault | $faults | index($fault))])),
	runs: ($judged + ($runs | map(select(.variant == "native")))) }
