# SPDX-License-Identifier: GPL-2.0-or-later
# One cell of failover.sh, out of what was seen while the path died ($fail) and while it came back ($back).
def maximum: if any(. == null) then null else max end;
def ms($from): if . == null then null else (. - $from) / 1000 end;

# When a stream first came by a router, from a time on; what the sender was late is not counted.
def came_by($router; $at): [.ways[] | select(.interface == $router and ."from-us" >= $at)
	| [."from-us" - ."late-ms" * 1000, $at] | max][0];

# The longest silence, also one that lasts.
def gap: [."largest-gap-ms", (if ."silent-at-end-ms" > 1000 then ."silent-at-end-ms" else 0 end)] | max;

# The kernel began to drop at a set time; of a carrier it is known which packet was the last.
def fault_at: if $fault != "carrier" then .from else
	([.streams[].ways[] | select(.interface == "r1") | ."to-us"] | max // .from) as $last | [([.from, $last] | max), .to] | min end;

# When BFD could know: it was told, or nothing had come for a detection time.
def known_at($at; $detection): [.bfd[] | select(.out)] as $to_edge
	| [$to_edge[] | select(."at-us" >= $at and .state != "up") | ."at-us"][0] as $told
	| [range($to_edge | length) as $i | ($to_edge[$i]."at-us" + $detection) as $due
		| select($due >= $at and (($to_edge[$i + 1]."at-us" // infinite) > $due)) | $due][0] as $silence
	| [$told, $silence | values] | min;

# From when on a stream was whole and by the first router.
def whole_at($at): (.ways[-1] // {}) as $way
	| if $way.interface != "r1" then null
	else [$way."from-us", (.gaps[] | select(.ms > 20) | ."from-us" + .ms * 1000) | select(. >= $at)] | max end;

$fail[0] as $f | $back[0] as $b
| ($multiplier * $interval * 1000) as $detection
| ($f | fault_at) as $at
| ($f | known_at($at; $detection)) as $by_bfd
| (if $fault == "carrier" then [([$f.lost // $at, $at] | max), ($by_bfd | values)] | min else $by_bfd end) as $known
| [$f.streams[] | { (.name): { "gap-ms": gap, "moved-ms": (came_by("r2"; $at) | ms($at)) } }] | add as $streams
| ([$streams[]."moved-ms"] | maximum) as $moved
| ([$b.streams[] | whole_at($b.from)] | maximum | ms($b.from)) as $traffic_back
| (if $b.moved then $b.route | ms($b.from) else null end) as $bgp_back
| {
	"detection-ms": ($detection / 1000), "known-ms": ($known | ms($at)),
	"gap-ms": ([$streams[]."gap-ms"] | max), "moved-ms": $moved,
	"after-known-ms": (if $moved == null or $known == null then null else $moved - ($known | ms($at)) end),
	"bgp-ms": (if $f.moved then $f.route | ms($at) else null end),
	"back-ms": ([$traffic_back, $bgp_back] | maximum), "traffic-back-ms": $traffic_back, "bgp-back-ms": $bgp_back,
	"gap-on-return-ms": ([$b.streams[] | gap] | max),
	"standstill-ms": $f.stood, "others-percent": $f.others, "send-gap-ms": $f."send-gap-ms",
	"routes-lost": ($f.overrun or $b.overrun), "fault-within-ms": (($f.to - $f.from) / 1000) } + $streams
| if ([$f.streams[].ways[0].interface] | unique) != ["r1"] then . + { failed: "the streams did not begin by the first router" }
	elif ($f.streams | length) != 2 then . + { failed: "a stream is missing" }
	elif $fault != "carrier" and $f.to > $f.from then . + { failed: "the fault came late" }
	elif $known == null and ."moved-ms" != null then . + { failed: "the tap saw no BFD packet" }
	else . end
