#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The whole failover, each way a path can die: an edge learns prefixes by BGP from two routers, prefers the first, and
# streams of a packet a millisecond go to the first and the last prefix. What does the caller hear, and how long until all
# is as it should be? Twice in each cell, in the same run:
#
#   bfdd     a service of these prefixes, beside a routing daemon without BFD of its own
#   native   the same routing daemon with its own BFD at the same interval, without bfdd
#
# The far ends are the same for both: routers with BIRD's or FRR's BGP and BFD (as the edge's), also at this interval,
# x 3. BGP's hold time is 3 s, the least there is; with usual ones (90 s and more) what waits for it takes longer.
#
#   silent     the wire takes packets and delivers none; every link keeps its carrier
#   inbound    only what comes to the edge is lost
#   outbound   only what the edge sends is lost: it can't notice, the router's BFD must tell
#   carrier    the edge's link to the first router loses its carrier
#   killed     as silent, and the router's daemons die
#   stopped    the edge's routing daemon (all of its processes) stands still, and the path dies silently
#
#   gap         the longest silence of a stream at the receiver, the larger of the two; also as lost 20-ms packets
#   moved       from the fault to the first packet that came by the other router, the later of the two streams; without
#               what the sender was late, as in the gap. The kernel
#               itself drops from a set second on; the carrier's loss is the last packet that came through
#   after known from the moment when BFD could know: the last BFD packet that reached the edge and the detection
#               time, or the router's word that it is Down, by a tap on the wire; of a lost carrier, the
#               kernel's word to whoever listens (which waits for its routing lock, also while others hold that)
#   BGP         from the fault to the last route of the main table moved, as the kernel tells
#   back        from the path's return to the streams on it again, and to the main table's last route there
#   stood, sender, others        the machine's longest standstill and the stream's, as its sender made it (ms); processes that
#               are not the bench's, per cent of a core
#
# Marks of bfdd: gap and moved at most the detection time and 10 ms (carrier: 20 ms in all; a gap begins up to a
# millisecond before the fault), and "after known" below native's (even, when within a millisecond: the streams tell no
# more). A mark that is missed is ours, unless the machine stood still for as long as it was missed by (a witness on each
# processor says; not of a lost carrier, which makes the kernel take routes away with a processor held), or the last BFD
# packet, or the router's or the kernel's word, came that much later than it should have.
# Status 1: bfdd missed a mark and it was its own doing, or a cell failed.
#
# usage: failover.sh [-d "bird frr"] [-p "PREFIXES ..."] [-f "ipv4 ipv6"] [-k "FAULTS ..."] [-i INTERVAL_MS]
#                    [-r ROUNDS] [-b BUDGET_S] [-w WAIT_S] [-o JSON_FILE] [-g SVG_FILE]
# What is not done within the budget is left, and named. Before each measurement up to WAIT_S (0) are waited for the machine
# to be quiet.
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/bench/failover-lab.sh
. "$TOP/tests/bench/failover-lab.sh"
# shellcheck source=tests/bench/failover-speakers.sh
. "$TOP/tests/bench/failover-speakers.sh"
TOOLS=$BUILD/tests/net/tools
FAULTS="silent inbound outbound carrier killed stopped"

daemons="bird frr" prefixes="10 10000 100000" families="ipv4 ipv6" faults=$FAULTS interval=50 rounds=1 budget=5400 wait=0
json='' svg=''
while getopts d:p:f:k:i:r:b:w:o:g: option; do
	case $option in
	d) daemons=$OPTARG ;;
	p) prefixes=$OPTARG ;;
	f) families=$OPTARG ;;
	k) faults=$OPTARG ;;
	i) interval=$OPTARG ;;
	r) rounds=$OPTARG ;;
	b) budget=$OPTARG ;;
	w) wait=$OPTARG ;;
	o) json=$OPTARG ;;
	g) svg=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))

of_these() { # WORDS ALLOWED    none but these, and at least one
	local word
	[ -n "${1// /}" ] || return 1
	for word in $1; do
		[[ " $2 " = *" $word "* ]] || return 1
	done
}

is_list "$prefixes" && is_list "$interval $rounds $budget $((wait + 1))" && of_these "$daemons" "bird frr" &&
	of_these "$families" "ipv4 ipv6" && of_these "$faults" "$FAULTS" && [ $# = 0 ] || usage
for count in $prefixes; do
	[ "$count" -le 262144 ] || die "at most 262144 prefixes"
done

over() { # the time that the bench may take is up
	[ $SECONDS -ge "$budget" ]
}

within() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

learned_by_r1() {
	speaker_learned && [ "$(routes_by r1)" = "$count" ]
}

# Everything as it should be before a cell, cheap questions first.
ready() {
	case $variant in
	bfdd) edge_bfdd_ready || return 1 ;;
	native) speaker_bfd_up || return 1 ;;
	esac
	learned_by_r1
}

# All routes leave by a device. The kernel is asked only when it has told of enough of them and fell silent.
moved_to() { # DEVICE
	local told
	told=$(wc -l <"$RUN/routes.log")
	[ "$told" != "$routes_told" ] || return 1
	routes_told=$told
	tail -1 "$RUN/routes.log" | jq -e --arg device "$1" --argjson count "$count" \
		'.overruns > 0 or .[$device].set >= $count' >/dev/null && [ "$(routes_by "$1")" = "$count" ]
}

watch_begin() {
	rm -f "$RUN"/{recv,send,tap,routes}.log
	lab_start c recv "$TOOLS/voice" recv -f 20
	receiver=$PID
	lab_start w tap "$BENCH/bench_tap" r1.a
	tap=$PID
	lab_start p send "$TOOLS/voice" send -f 20 "first,$FIRST,1000" "last,$LAST,1000"
	sender=$PID
	lab_start e routes chrt -f 5 "$BENCH/bench_routes" "${family#ipv}"
	routes=$PID
	routes_told=0
	sleep 0.7
	machine_begin 2
}

watch_end() { # PART MOVED DEVICE
	local pid
	machine_end
	for pid in "$sender" "$routes" "$tap" "$receiver"; do
		lab_stop "$pid" || true
		sleep 0.1 # what is under way arrives
	done
	jq -n --slurpfile streams "$RUN/recv.log" --slurpfile sent "$RUN/send.log" --slurpfile tap "$RUN/tap.log" \
		--slurpfile routes "$RUN/routes.log" --arg device "$3" \
		--argjson others "$OTHERS" --argjson stood "$WITNESS" --argjson from "$FAULT_FROM" --argjson to "$FAULT_TO" \
		--argjson moved "$2" '{
			streams: $streams[0], "send-gap-ms": ([$sent[0][]."send-gap-ms"] | max), bfd: $tap[0],
			$others, $stood, $from, $to, $moved,
			route: ($routes[-1][$device] | if (.set // 0) > 0 then ."last-us" else null end),
			lost: ($routes[-1].r1."carrier-lost-us" | if . == 0 then null else . end), overrun: ($routes[-1].overruns > 0) }' >"$RUN/$1.json"
}

prune() { # processes that ended, lest their numbers be another's by now
	local pid living=()
	for pid in "${LAB_PIDS[@]}"; do
		! lab_alive "$pid" || living+=("$pid")
	done
	LAB_PIDS=("${living[@]}")
}

outcome() { # JSON-OBJECT    of this cell
	jq -c --arg daemon "$daemon" --argjson prefixes "$count" --arg family "$family" --arg fault "$fault" \
		--arg variant "$variant" --argjson round "$round" \
		'{ $daemon, $prefixes, $family, $fault, $variant, $round } + .' <<<"$1" >>"$RUN/results"
}

# How long BGP has at most: what stands still does not move.
patience() {
	[ "$fault" = stopped ] && echo 5 || echo $((12 + count / 5000))
}

cell() {
	local moved=true back=true
	machine_quiet "$wait"
	watch_begin
	fault_begin "$fault"
	within "$(patience)" moved_to r2 || moved=false
	sleep 0.3 # of traffic
	watch_end fail $moved r2
	watch_begin
	FAULT_FROM=$(lab_now)
	fault_end "$fault"
	FAULT_TO=$(lab_now)
	within $((20 + count / 2000)) moved_to r1 || back=false
	[ $variant = native ] || within 20 edge_bfdd_ready || back=false
	sleep 0.3 # of traffic
	watch_end back $back r1
	outcome "$(jq -n --slurpfile fail "$RUN/fail.json" --slurpfile back "$RUN/back.json" --arg fault "$fault" \
		--argjson interval "$interval" --argjson multiplier $MULTIPLIER -f "$TOP/tests/bench/failover-cell.jq")"
	prune
}

# The faults in turn, with everything in order before each.
variant_cells() {
	for ((round = 1; round <= rounds; round++)); do
		for fault in $faults; do
			! over || return 0
			if ! within $((30 + count / 1000)) ready; then
				echo "$daemon, $count $family prefixes, $variant: not ready before $fault" >&2
				outcome '{ "failed": "not ready before it" }'
				return
			fi
			cell
		done
	done
}

edge_cells() {
	local mode=plain
	! over || return 0
	[ $variant = bfdd ] || mode=bfd
	speaker_start e $mode
	if [ $variant = bfdd ]; then
		within $((30 + count / 1000)) learned_by_r1 || true # what is not there is told below
		edge_bfdd_start
	fi
	variant_cells
	[ $variant = native ] || edge_bfdd_stop
	speaker_stop e
}

matrix() {
	local node
	for count in $prefixes; do
		for family in $families; do
			prefixes_write
			for daemon in $daemons; do
				! over || return 0
				proto=$([ "$daemon" = bird ] && echo 12 || echo 186)
				for node in r1 r2; do
					speaker_start $node bfd
				done
				for variant in bfdd native; do
					edge_cells
				done
				for node in r1 r2; do
					speaker_stop $node
				done
			done
		done
	done
}

[ "$(id -u)" = 0 ] || die "needs root"
need ip nft jq awk nsenter column chrt
# shellcheck disable=SC2086 # words
program_need $daemons bfdd
[[ " $daemons " != *" frr "* ]] || need $FRR_BIN/bgpd
for program in "$TOOLS/voice" "$TOOLS/witness" "$BENCH/bench_tap" "$BENCH/bench_routes"; do
	[ -x "$program" ] || die "not built: make bench-failover builds it"
done
lab_init
topology
: >"$RUN/results"
matrix
jq -n --slurpfile runs "$RUN/results" --argjson machine "$(machine)" --arg daemons "$daemons" --arg prefixes "$prefixes" \
	--arg families "$families" --arg faults "$faults" --argjson interval "$interval" --argjson multiplier $MULTIPLIER \
	-f "$TOP/tests/bench/failover.jq" >"$RUN/failover.json"
[ -z "$json" ] || cp "$RUN/failover.json" "$json"
[ -z "$svg" ] || jq -r -f "$TOP/tests/bench/failover-svg.jq" "$RUN/failover.json" >"$svg"
table failover-table "$RUN/failover.json" ratios cells words
jq -e '.ours == 0' "$RUN/failover.json" >/dev/null
