#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The stress ladder: does a program hold 3 x 10 ms while the host is busy? It has one end of a veth; the other end
# is build/tests/bench/stress, which no load here outranks, and which captures at the program's own interface. For
# each program, number of sessions and rung:
#
#   own       Downs that are the program's: it had not sent for 30 ms, or declared one though packets came in time
#   machine   Downs that would not have been, had a processor not stood still: neither its timer's interrupt nor a
#             thread above all others ran (tests/bench/stress_still.c)
#   other     Downs for which packets did not come from the far end, or were lost on the way
#   send gap  the largest between two packets of one session, as the capture saw them; (still: how much of it a
#             processor stood still)
#   tick      the largest delay of the program's own clock, in ms, and how many were above 2 ms (bfdd tells)
#   fifo 99   the largest delay of a thread on each processor under SCHED_FIFO 99
#   still     the longest time that a processor stood still, in ms;    steal: what the hypervisor owns up to
#
# usage: stress.sh [-t SECONDS] [-n "SESSIONS..."] [-l "RUNG..."] [-d 'DAEMON SETTINGS OF BFDD'] [-o JSON_FILE] [PROGRAM...]
# RUNG: idle hogs switch timers realtime memory control reload routes flood; PROGRAM: bfdd bird frr. Default: all, with
# 1 and 64 sessions, 120 seconds each. Status 1: bfdd had a Down of its own; 2: something could not be measured.
# shellcheck disable=SC2317 # functions called by name
set -eu
shopt -s inherit_errexit
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD-$TOP/build}
BFDD=${BFDD-$BUILD/bfdd}
BFDCTL=${BFDCTL-$BUILD/bfdctl}
STRESS=$BUILD/tests/bench/stress
FRR=/usr/lib/frr
seconds=120 counts="1 64" rungs="idle hogs switch timers realtime memory control reload routes flood" daemon='' json=''
cores=$(nproc)

# shellcheck source=scripts/lab
. "$TOP/scripts/lab"

die() {
	echo "$0: $*" >&2
	exit 2
}

usage() {
	sed -n 's/^# usage: /usage: /p' "$0" >&2
	exit 2
}

while getopts t:n:l:d:o: option; do
	case $option in
	t) seconds=$OPTARG ;;
	n) counts=$OPTARG ;;
	l) rungs=$OPTARG ;;
	d) daemon=$OPTARG ;;
	o) json=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- bfdd bird frr
[[ $seconds =~ ^[1-9][0-9]*$ && "$counts " =~ ^([1-9][0-9]* +)+$ ]] || usage
[ "$(id -u)" = 0 ] || die "needs root"
for program; do
	case $program in
	bfdd) [ -x "$BFDD" ] && [ -x "$BFDCTL" ] || die "$BFDD and $BFDCTL are not built" ;;
	bird) command -v bird birdc >/dev/null || die "bird is not installed" ;;
	frr) [ -x $FRR/bfdd ] || die "frr is not installed" ;;
	*) usage ;;
	esac
done
[ -x "$STRESS" ] || die "make bench-stress builds what this needs"
command -v stress-ng >/dev/null || die "stress-ng is not installed (scripts/deps --bench)"

address() { # SIDE NUMBER
	[ "$1" = near ] && echo "10.0.0.$(($2 + 1))" || echo "10.0.128.$(($2 + 1))"
}

# Neighbours are permanent: nothing but BFD, and what a rung adds, is on the wire.
network() { # SESSIONS
	local side peer mac i
	lab_ns near far
	lab_link near near0 far far0
	for side in near far; do
		peer=$([ $side = near ] && echo far || echo near)
		mac=$(lab_in "$peer" ip -j link show "${peer}0" | jq -r ".[0].address")
		for ((i = 0; i < $1; i++)); do
			echo "address add $(address $side $i)/16 dev ${side}0"
			echo "neighbour add $(address "$peer" $i) dev ${side}0 lladdr $mac nud permanent"
		done >"$RUN/batch"
		lab_in $side ip -batch "$RUN/batch"
	done
}

network_end() {
	local name
	for name in "${LAB_NAMES[@]}"; do
		ip netns del "$LAB-$name"
	done
	LAB_NAMES=()
}

# Programs: NAME_start SESSIONS in the namespace `near`; main process in PROGRAM_PID, all in PROGRAM_PIDS.

bfdd_start() {
	local i comma=''
	{
		echo "daemon: { $daemon };"
		echo 'peers = ('
		for ((i = 0; i < $1; i++)); do
			echo "$comma{ name = \"p$i\"; address = \"$(address far $i)\"; local-address = \"$(address near $i)\";" \
				'interface = "near0"; transmit-interval = 10; receive-interval = 10; detect-multiplier = 3; }'
			comma=,
		done
		echo ');'
	} >"$RUN/bfdd.conf"
	mkdir -p "$RUN/state"
	lab_start near bfdd "$BFDD" -c "$RUN/bfdd.conf" -s "$RUN/ctl" -S "$RUN/state"
	PROGRAM_PIDS="$PID"
}
bfdd_control() {
	local command
	for command in peers status events services; do
		"$BFDCTL" -s "$RUN/ctl" --json $command
	done
}
bfdd_reload() { "$BFDCTL" -s "$RUN/ctl" reload; }
bfdd_own() { # its own account, as JSON
	"$BFDCTL" -s "$RUN/ctl" --json status |
		jq '.engine | {scheduling, stalls, "stall-max-ms": (."stall-max" // ."stall-max-ms")}'
}

bird_start() {
	local i
	{
		echo 'log stderr { warning, error, fatal, bug };'
		echo 'router id 10.0.0.1;'
		echo 'protocol device { }'
		echo 'protocol bfd {'
		echo 'interface "near0" { interval 10 ms; idle tx interval 1 s; multiplier 3; };'
		for ((i = 0; i < $1; i++)); do
			echo "neighbor $(address far $i) dev \"near0\" local $(address near $i);"
		done
		echo '}'
	} >"$RUN/bird.conf"
	lab_start near bird bird -f -c "$RUN/bird.conf" -s "$RUN/ctl" -P "$RUN/bird.pid"
	PROGRAM_PIDS="$PID"
}
bird_control() { birdc -s "$RUN/ctl" show bfd sessions; }
bird_reload() { birdc -s "$RUN/ctl" configure; }
bird_own() { echo null; }

frr_start() {
	local i
	mkdir -p "$RUN/frr"
	{
		echo 'bfd'
		for ((i = 0; i < $1; i++)); do
			echo " peer $(address far $i) local-address $(address near $i) interface near0"
			echo '  detect-multiplier 3'
			echo '  receive-interval 10'
			echo '  transmit-interval 10'
			echo ' exit'
		done
	} >"$RUN/frr/bfdd.conf"
	: >"$RUN/frr/zebra.conf"
	chown -R frr:frr "$RUN/frr"
	frr_daemon zebra
	PROGRAM_PIDS="$PID"
	for ((i = 0; i < 500; i++)); do
		[ ! -S "$RUN/frr/zserv.api" ] || break
		sleep 0.02
	done
	frr_daemon bfdd --bfdctl "$RUN/frr/bfdd.sock"
	PROGRAM_PIDS="$PID $PROGRAM_PIDS"
}
frr_daemon() { # NAME [OPTION...]
	local name=$1
	shift
	lab_start near "frr-$name" "$FRR/$name" -f "$RUN/frr/$name.conf" -z "$RUN/frr/zserv.api" --vty_socket "$RUN/frr" \
		-i "$RUN/frr/$name.pid" --log stdout "$@"
}
frr_control() { vtysh --vty_socket "$RUN/frr" -d bfdd -c 'show bfd peers json'; }
frr_reload() { vtysh --vty_socket "$RUN/frr" -d bfdd -f "$RUN/frr/bfdd.conf"; }
frr_own() { echo null; }

# Rungs: each begins what it is and returns. load COMMAND... starts a part of it; load_end ends them all.

load() {
	setsid "$@" >>"$RUN/load.log" 2>&1 </dev/null &
	LOADS+=($!)
	disown # bash would tell of each that is killed
}

# Of the process ids in `found`, and adds to them: from /proc/*/stat by ourselves, since ps and pgrep also read the
# command lines, and wait for hours for the memory lock of a process that a hog keeps from running.
descendants() {
	local stat line rest parent pairs='' more=1
	for stat in /proc/[0-9]*/stat; do
		read -r line <"$stat" || continue
		rest=${line##*) }
		read -r _ parent _ <<<"$rest"
		pairs+=" ${line%% *}:$parent"
	done 2>/dev/null
	while [ -n "$more" ]; do
		more=''
		for pair in $pairs; do
			[[ "$found " == *" ${pair#*:} "* && "$found " != *" ${pair%:*} "* ]] || continue
			found+=" ${pair%:*}"
			more=1
		done
	done
}

# Parents first, so that nothing is started again. Those in real time just go.
load_end() {
	local found=" ${LOADS[*]}" pair i
	[ ${#LOADS[@]} -gt 0 ] || return 0
	[ -z "$hogging" ] || kill -KILL "${LOADS[@]}" 2>/dev/null || true
	descendants
	kill -TERM "${LOADS[@]}" 2>/dev/null || true
	for ((i = 0; i < 40; i++)); do
		# shellcheck disable=SC2086
		kill -0 $found 2>/dev/null || break
		sleep 0.05
	done
	# shellcheck disable=SC2086
	kill -KILL $found 2>/dev/null || true
	LOADS=()
	hogging=''
}

repeatedly() { # PAUSE COMMAND...
	local pause=$1
	shift
	while :; do
		"$@" || true
		[ "$pause" = 0 ] || sleep "$pause"
	done
}

# A shell function with what it needs, as a load.
load_function() { # PAUSE FUNCTION
	repeatedly "$@" >"$RUN/load.log" 2>&1 </dev/null &
	LOADS+=($!)
	disown
}

rung_idle() { :; }
rung_hogs() { load stress-ng --cpu $((4 * cores)); }
rung_switch() { load stress-ng --switch $((4 * cores)); }
rung_timers() { load stress-ng --timer "$cores" --timer-freq 100000 --timerfd "$cores" --timerfd-freq 100000 --itimer "$cores"; }
rung_realtime() {
	local i
	hogging=1
	for ((i = 0; i < 2 * cores; i++)); do
		load "$STRESS" hog 50 $((seconds + 5))
	done
}
rung_memory() { load stress-ng --vm 2 --vm-bytes 4g --vm-populate; } # 2 GiB each
rung_control() { load_function 0 "${1}_control"; }
rung_reload() { load_function 1 "${1}_reload"; }
rung_routes() {
	local verb
	for verb in add del; do
		awk -v verb=$verb 'BEGIN {
			for (i = 0; i < 100000; i++)
				printf "route %s 20.%d.%d.%d/32 dev near0\n", verb, i / 65536, i / 256 % 256, i % 256
		}' >"$RUN/routes-$verb"
	done
	load_function 0 churn
}
churn() {
	lab_in near ip -force -batch "$RUN/routes-add"
	lab_in near ip -force -batch "$RUN/routes-del"
}
rung_flood() { load nsenter --net="/run/netns/$LAB-far" "$STRESS" flood "$2"; }

steal() { # "stolen all": of all processors, in ticks
	awk '$1 == "cpu" { print $9, $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9 }' /proc/stat
}

wait_ready() {
	while kill -0 "$1" 2>/dev/null; do
		! grep -qx ready "$RUN/stress.log" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

climb() { # PROGRAM SESSIONS RUNG
	local stress status=0 before after own=null
	network "$2"
	: >"$RUN/load.log"
	rm -f "$RUN/stress.log" # it tells when all is ready
	"$1_start" "$2"
	"$STRESS" "$LAB-near" "$LAB-far" near0 "$2" "$seconds" >"$RUN/verdict" 2>"$RUN/stress.log" &
	stress=$!
	LAB_PIDS+=("$stress")
	if wait_ready $stress; then
		before=$(steal)
		"rung_$3" "$1" "$2"
		# Not sleep(1), an ordinary process whose start the load may hold up.
		read -rt "$seconds" -u "$never" || true
		kill -TERM $stress 2>/dev/null || true
		after=$(steal)
		wait $stress || status=$?
		load_end
		own=$("$1_own") || own=null
	else
		wait $stress || status=$?
	fi
	finish "$1"
	if [ $status = 0 ] || [ $status = 3 ]; then
		jq --arg program "$1" --argjson sessions "$2" --arg rung "$3" \
			--arg load "$(tail -1 "$RUN/load.log")" --argjson own "$own" --arg before "$before" --arg after "$after" '
			($before | split(" ") | map(tonumber)) as $b | ($after | split(" ") | map(tonumber)) as $a |
			{program: $program, sessions: $sessions, rung: $rung, own: $own,
			"steal-percent": (($a[0] - $b[0]) * 100 / ($a[1] - $b[1])),
			"flood-per-second": (if $rung == "flood" then ($load | tonumber? // null) else null end)} + .' \
			"$RUN/verdict" >>"$RUN/results"
		row
	else
		printf '%-8s %4d %-8s not measured: %s\n' "$3" "$2" "$1" "$(tail -1 "$RUN/stress.log")"
		unmeasured=1
	fi
}

finish() { # PROGRAM
	local pid
	for pid in $PROGRAM_PIDS; do
		lab_stop "$pid"
	done
	LAB_PIDS=()
	network_end
	rm -rf "$RUN/frr" "$RUN/state" "$RUN/ctl"
}

head_row() {
	printf '%-8s %4s %-7s | %4s %7s %5s | %8s %7s | %14s | %7s %7s %6s\n' rung n program own machine other \
		'send gap' '(still)' 'tick  (stalls)' 'fifo 99' still steal
}

row() {
	jq -rs '.[-1] | [.rung, .sessions, .program,
		.downs."own-send-gap" + .downs."own-false-detection" + .downs."own-other", .downs."machine-stood-still",
		.downs."far-silent" + .downs."lost-on-the-way", ."send-gap".ms, ."send-gap"."standstill-within-ms",
		(if .own then "\(.own."stall-max-ms") (\(.own.stalls))" else "-" end), ."fifo-99-late-ms",
		.standstills."largest-ms", ."steal-percent"] | @tsv' "$RUN/results" |
		awk -F'\t' '{ printf "%-8s %4d %-7s | %4d %7d %5d | %5.1f ms %7.1f | %14s | %4.1f ms %7.1f %5.1f%%\n", $1, $2, $3, $4,
			$5, $6, $7, $8, $9, $10, $11, $12 }'
}

stress_end() {
	local status=$?
	trap '' HUP INT TERM
	load_end
	(exit $status)
	lab_end
}

LOADS=() hogging=''
lab_init
mkfifo "$RUN/never"
exec {never}<>"$RUN/never"
trap stress_end EXIT
: >"$RUN/results"
unmeasured=''
for rung in $rungs; do
	declare -F "rung_$rung" >/dev/null || usage
done
# We must get through to end the hogs; what we start is as ordinary as ever.
chrt --fifo --reset-on-fork -p 60 $$
head_row
for rung in $rungs; do
	for count in $counts; do
		for program; do
			climb "$program" "$count" "$rung"
		done
	done
done
[ -z "$json" ] || jq -s . "$RUN/results" >"$json"
jq -es 'all(.[]; .program != "bfdd" or .downs."own-send-gap" + .downs."own-false-detection" + .downs."own-other" == 0)' \
	"$RUN/results" >/dev/null || exit 1
[ -z "$unmeasured" ] || exit 2
