#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many BFD sessions at rest: what do they cost? Two programs on the two ends of a veth, in namespaces of their
# own, hold SESSIONS single-hop sessions at INTERVAL x 3; measured over SECONDS of steady state:
#
#   cpu      of the process with all its threads, per cent of one core
#   us/pair  the same for one packet sent plus one received (counted by the interface)
#   downs    sessions that left Up meanwhile; anything but 0 makes the row, and the exit status, a failure
#   rss      resident memory
#
# usage: sessions.sh [-n SESSIONS] [-i INTERVAL_MS] [-t SECONDS] [-o JSON_FILE] [PAIR...]
# PAIR is bird-bird, bfdd-bird or bfdd-bfdd; default: all three. BFDD and BFDCTL say where ours are.
# shellcheck disable=SC2317 # functions called by name
set -eu
shopt -s inherit_errexit
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BFDD=${BFDD-$TOP/build/bfdd}
BFDCTL=${BFDCTL-$TOP/build/bfdctl}
sessions=500 interval=50 seconds=20 json=
UP_WITHIN=60 # seconds for all sessions to be Up
SETTLE=4     # for intervals to be negotiated

die() {
	echo "$0: $*" >&2
	exit 2
}

usage() {
	sed -n 's/^# usage: /usage: /p' "$0" >&2
	exit 2
}

while getopts n:i:t:o: option; do
	case $option in
	n) sessions=$OPTARG ;;
	i) interval=$OPTARG ;;
	t) seconds=$OPTARG ;;
	o) json=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[[ $sessions =~ ^[1-9][0-9]*$ && $interval =~ ^[1-9][0-9]*$ && $seconds =~ ^[1-9][0-9]*$ ]] || usage
[ "$sessions" -le 30000 ] || die "at most 30000 sessions"
[ $# -gt 0 ] || set -- bird-bird bfdd-bird bfdd-bfdd
for program in ip jq awk; do
	command -v "$program" >/dev/null || die "$program is not installed"
done

base=bfbn$$
run=$(mktemp -d "/tmp/$base.XXXXXX")
pids=()

stop_programs() {
	local pid
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	for pid in "${pids[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	pids=()
}

cleanup() {
	stop_programs
	ip netns del ${base}a 2>/dev/null || true
	ip netns del ${base}b 2>/dev/null || true
	rm -rf "$run"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

other() { # SIDE
	[ "$1" = a ] && echo b || echo a
}

address() { # SIDE NUMBER: both sides in one /16
	local high=$(($2 / 250))
	[ "$1" = a ] || high=$((high + 128))
	echo "10.0.$high.$(($2 % 250 + 1))"
}

# Neighbours are permanent: nothing but BFD is on the wire, and the host's neighbour table has no limit for those.
network() {
	local side peer mac i
	ip netns add ${base}a
	ip netns add ${base}b
	for side in a b; do
		ip netns exec $base$side sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1
	done
	ip -n ${base}a link add va type veth peer name vb netns ${base}b
	for side in a b; do
		ip -n $base$side link set lo up
		ip -n $base$side link set v$side up
	done
	for side in a b; do
		peer=$(other $side)
		mac=$(ip -n $base$peer -j link show v$peer | jq -r '.[0].address')
		for ((i = 0; i < sessions; i++)); do
			echo "address add $(address $side $i)/16 dev v$side"
			echo "neighbour add $(address $peer $i) dev v$side lladdr $mac nud permanent"
		done >"$run/batch-$side"
		ip -n $base$side -batch "$run/batch-$side"
	done
}

bird_config() { # SIDE
	local i
	echo 'log stderr { trace, warning, error, fatal, bug };'
	echo 'router id 10.0.0.1;'
	echo 'protocol device { }'
	# Events are changes of state: there are none at rest.
	echo 'protocol bfd { debug { events };'
	echo "interface \"v$1\" { interval $interval ms; idle tx interval 1 s; multiplier 3; };"
	for ((i = 0; i < sessions; i++)); do
		echo "neighbor $(address "$(other "$1")" $i) dev \"v$1\" local $(address "$1" $i);"
	done
	echo '}'
}

bfdd_config() { # SIDE
	local i comma=
	echo 'peers = ('
	for ((i = 0; i < sessions; i++)); do
		echo "$comma{ name = \"p$i\"; address = \"$(address "$(other "$1")" $i)\";" \
			"local-address = \"$(address "$1" $i)\"; interface = \"v$1\";" \
			"transmit-interval = $interval; receive-interval = $interval; detect-multiplier = 3; }"
		comma=,
	done
	echo ');'
}

start() { # SIDE PROGRAM
	local prefix=$run/$1
	"$2_config" "$1" >"$prefix.conf"
	case $2 in
	bird)
		ip netns exec "$base$1" bird -f -c "$prefix.conf" -s "$prefix.ctl" -P "$prefix.pid" >"$prefix.log" 2>&1 &
		;;
	bfdd)
		mkdir -p "$prefix.state"
		ip netns exec "$base$1" "$BFDD" -c "$prefix.conf" -s "$prefix.ctl" -S "$prefix.state" >"$prefix.log" 2>&1 &
		;;
	esac
	pids+=($!)
	eval "pid_$1=$!"
}

# How many sessions are Up.
count_up() { # SIDE PROGRAM
	case $2 in
	bird) birdc -s "$run/$1.ctl" show bfd sessions | awk '$1 ~ /^10\./ && $3 == "Up"' | wc -l ;;
	bfdd) "$BFDCTL" -s "$run/$1.ctl" --json peers | jq '[.[] | select(.state == "up")] | length' ;;
	esac
}

# How often a session left Up since the start.
count_downs() { # SIDE PROGRAM
	case $2 in
	bird) awk '/changed state from Up to/ { n++ } END { print n + 0 }' "$run/$1.log" ;;
	bfdd) "$BFDCTL" -s "$run/$1.ctl" --json peers | jq '[.[]."down-transitions"] | add' ;;
	esac
}

all_up() { # SIDE PROGRAM
	[ "$(count_up "$1" "$2" 2>/dev/null)" = "$sessions" ]
}

wait_up() { # SIDE PROGRAM
	local end=$((SECONDS + UP_WITHIN)) pid=pid_$1
	until all_up "$1" "$2"; do
		if [ $SECONDS -ge $end ] || ! kill -0 "${!pid}" 2>/dev/null; then
			tail -5 "$run/$1.log" >&2
			echo "$2: not all of $sessions sessions came Up" >&2
			return 1
		fi
		sleep 0.5
	done
}

# "CPU-ticks packets-out packets-in": utime and stime of all threads are the process's own in stat.
sample() { # SIDE
	local pid=pid_$1
	awk '{ sub(/^.*\) /, ""); printf "%d ", $12 + $13 }' "/proc/${!pid}/stat"
	ip -n "$base$1" -j -s link show "v$1" | jq -r '.[0].stats64 | "\(.tx.packets) \(.rx.packets)"'
}

report() { # SIDE PROGRAM PAIR BEFORE AFTER DOWNS MICROSECONDS
	local pid=pid_$1 rss before after
	read -ra before <<<"$4"
	read -ra after <<<"$5"
	rss=$(awk '/^VmRSS/ { print $2 }' "/proc/${!pid}/status")
	jq -n --arg pair "$3" --arg program "$2" --argjson sessions "$sessions" --argjson interval "$interval" \
		--argjson elapsed "$7" --argjson ticks $((after[0] - before[0])) --argjson hz "$(getconf CLK_TCK)" \
		--argjson out $((after[1] - before[1])) --argjson in $((after[2] - before[2])) \
		--argjson downs "$6" --argjson rss "$rss" '
		($ticks * 1e6 / $hz) as $cpu | {
			pair: $pair, program: $program, sessions: $sessions, "interval-ms": $interval,
			seconds: ($elapsed / 1e6), "cpu-percent": ($cpu * 100 / $elapsed),
			"packets-out": $out, "packets-in": $in,
			"cpu-us-per-pair": (if $out + $in > 0 then $cpu / (($out + $in) / 2) else null end),
			downs: $downs, "rss-kib": $rss }' >>"$run/results"
}

now() { # microseconds
	local stamp=$EPOCHREALTIME
	echo "${stamp/./}"
}

measure() { # PAIR
	local a=${1%-*} b=${1#*-} before_a before_b after_a after_b from until downs_a downs_b
	start b "$b"
	start a "$a"
	wait_up a "$a" && wait_up b "$b" || return 1
	sleep $SETTLE
	downs_a=$(count_downs a "$a") downs_b=$(count_downs b "$b")
	before_a=$(sample a) before_b=$(sample b) from=$(now)
	sleep "$seconds"
	after_a=$(sample a) after_b=$(sample b) until=$(now)
	downs_a=$(($(count_downs a "$a") - downs_a)) downs_b=$(($(count_downs b "$b") - downs_b))
	report a "$a" "$1" "$before_a" "$after_a" "$downs_a" $((until - from))
	report b "$b" "$1" "$before_b" "$after_b" "$downs_b" $((until - from))
	stop_programs
}

table() {
	printf '%-10s %-5s %8s %8s %7s %9s %9s %8s %6s %9s\n' pair of sessions interval 'cpu %' out/s in/s us/pair \
		downs 'rss KiB'
	jq -r '[.pair, .program, .sessions, ."interval-ms", ."cpu-percent", ."packets-out" / .seconds,
		."packets-in" / .seconds, ."cpu-us-per-pair" // 0, .downs, ."rss-kib"] | @tsv' "$run/results" |
		awk -F'\t' '{ printf "%-10s %-5s %8d %5d ms %7.1f %9.0f %9.0f %8.1f %6d %9d\n", $1, $2, $3, $4, $5, $6, $7,
			$8, $9, $10 }'
}

[ "$(id -u)" = 0 ] || die "needs root"
read -r load _ </proc/loadavg
awk -v load="$load" -v cores="$(nproc)" 'BEGIN { exit !(load > cores / 4) }' &&
	echo "note: the machine is busy (load $load): Downs may be its doing" >&2
network
status=0
for pair; do
	for program in ${pair/-/ }; do
		case $program in
		bird) command -v bird birdc >/dev/null || die "bird is not installed" ;;
		bfdd) [ -x "$BFDCTL" ] && [ -x "$BFDD" ] || die "$BFDD and $BFDCTL are not built" ;;
		*) die "no such pair: $pair" ;;
		esac
	done
	if ! measure "$pair"; then
		stop_programs
		status=1
	fi
done
touch "$run/results"
table
[ -z "$json" ] || jq -s . "$run/results" >"$json"
jq -e -s 'all(.[]; .downs == 0)' "$run/results" >/dev/null || status=1
exit $status
