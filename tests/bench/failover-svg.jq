# SPDX-License-Identifier: GPL-2.0-or-later
# What failover.jq made, as an SVG: a panel for each fault, in it a pair of bars for each daemon, number of prefixes and
# family, bfdd beside native: ms from the fault to the traffic on the other path, on a logarithmic axis.
def width: 640;
def height: 300;
def left: 52;
def top: 48;
def bottom: 58;
def least: 0.5; # below the 1 of a packet a millisecond, so that each has a bar
def most: 10000;

def plot_width: width - left - 12;
def plot_height: height - top - bottom;
def y($ms): ([([$ms, least] | max), most] | min | log10) as $at
	| top + plot_height * (1 - ($at - (least | log10)) / ((most | log10) - (least | log10)));
def round1: . * 10 | round / 10;
def text($x; $y; $more): "<text x=\"\($x | round1)\" y=\"\($y | round1)\" \($more)>\(.)</text>";
def short: if . >= 1000000 then "\(. / 1000000)M" elif . >= 1000 then "\(. / 1000)k" else tostring end;
def says: { silent: "silent both ways", inbound: "only inbound lost", outbound: "only outbound lost", carrier: "carrier lost",
	killed: "the router dies", stopped: "the edge's routing daemon stands still, and the path dies" }[.] // .;

# A word along a bar: above its end, or in it, from its foot.
def along($x; $y): text($x + 3; $y; "class=\"value\" transform=\"rotate(-90 \($x + 3 | round1) \($y | round1))\"");
def foot: top + plot_height;
def bar($x; $wide; $class): ($x + $wide / 2) as $middle
	| if . == null or .rounds == (.failed | length) then "not measured" | along($middle; foot - 4)
	else (."moved-ms" // most) as $ms | y($ms) as $at
	| "<rect x=\"\($x | round1)\" y=\"\($at | round1)\" width=\"\($wide | round1)\" height=\"\(foot - $at | round1)\" " +
		"class=\"\($class)\(if ."moved-ms" == null then " never" else "" end)\"/>",
		(if ."moved-ms" == null then "never" | along($middle; foot - 4)
		else (if $ms < 10 then $ms | round1 else $ms | round end | tostring | along($middle; $at - 3)) end) end;

# A line over the whole panel.
def level($ms; $class): "<line x1=\"\(left)\" x2=\"\(width - 12)\" y1=\"\(y($ms) | round1)\" y2=\"\(y($ms) | round1)\" class=\"\($class)\"/>";
# A swatch of the legend, and what it means.
def legend($x; $class): "<rect x=\"\($x)\" y=\"14\" width=\"12\" height=\"12\" class=\"\($class)\"/>", text($x + 17; 24; "class=\"axis\"");

def panel($n; $detection): . as $pairs | (plot_width / length) as $group | ([$group * 0.36, 26] | min) as $wide
	| (if .[0].fault == "carrier" then 20 else $detection + 10 end) as $limit
	| "<g transform=\"translate(\($n % 2 * width) \(36 + ($n / 2 | floor) * height))\">",
		(.[0].fault | says | text(left; top - 24; "class=\"title\"")),
		((1, 10, 100, 1000, 10000) | level(.; "grid"), (y(.) as $y | tostring | text(left - 5; $y + 3; "class=\"axis end\""))),
		level($limit; "limit"),
		(range(length) as $i | $pairs[$i] | (left + $group * ($i + 0.5)) as $middle
			| (.bfdd | bar($middle - $wide; $wide; "bfdd")), (.native | bar($middle; $wide; "native")),
			(.daemon | ascii_upcase | text($middle; height - bottom + 14; "class=\"axis middle\"")),
			(.prefixes | short | text($middle; height - bottom + 27; "class=\"axis middle\"")),
			(.family | ltrimstr("ip") | text($middle; height - bottom + 40; "class=\"axis middle\""))),
	"</g>";

. as $all
| [("silent", "inbound", "outbound", "carrier", "killed", "stopped") as $fault
	| [$all.pairs[] | select(.fault == $fault)] | select(length > 0)] as $panels
| "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width * 2)\" height=\"\(36 + height * (($panels | length) / 2 | ceil))\" " +
		"font-family=\"sans-serif\">",
	"<style>.title{font-size:13px;font-weight:bold}.axis{font-size:10px;fill:#444}.value{font-size:9px;fill:#222}.end{text-anchor:end}" +
	".middle{text-anchor:middle}.grid{stroke:#ddd}.limit{stroke:#c00;stroke-dasharray:4 3}.bfdd{fill:#1b7a3d}.native{fill:#e08a2e}" +
	".never{fill-opacity:.35}.bfdd.never{stroke:#1b7a3d}.native.never{stroke:#e08a2e}</style>",
	"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
	("ms from the fault to the traffic on the other path, BFD at \(."interval-ms") ms x 3, by daemon, prefixes, family"
		| text(left; 24; "class=\"title\"")),
	("bfdd beside the daemon" | legend(width + 160; "bfdd")), ("the daemon's own BFD" | legend(width + 310; "native")),
	"<line x1=\"\(width + 450)\" x2=\"\(width + 472)\" y1=\"20\" y2=\"20\" class=\"limit\"/>",
	("the mark" | text(width + 477; 24; "class=\"axis\"")),
	(range($panels | length) as $n | $panels[$n] | panel($n; $all."detection-ms")),
	"</svg>"
