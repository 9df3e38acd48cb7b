# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # what is said here and there: BUSY, address_b; repeat, budget
#
# For the benches: two hosts a and b on the two ends of a veth (va, vb), and on each either a program with many
# single-hop sessions or a tool of ours. A program is bfdd, bird or frr (FRR's bfdd, which needs its zebra).
#
#   net_build COUNT                  both ends anew, with COUNT addresses and permanent neighbours
#   program_need PROGRAM...          dies when one is not installed or built
#   program_start SIDE PROGRAM COUNT INTERVAL-MS        its process id is then in pid_SIDE
#   program_up SIDE PROGRAM          how many sessions are Up
#   program_downs SIDE PROGRAM       how often a session left Up since the start
#   program_all_up SIDE PROGRAM COUNT SECONDS           waits for it
#   programs_stop                    all that were started, on both sides
#   machine_begin WITNESS-PERIOD-MS, machine_end        what the machine did meanwhile: ELAPSED us; BUSY and OTHERS (processes not of the
#                                    bench), per cent of a core; the longest standstill in WITNESS, ms
#   peer_measure detect|pacing PROGRAM COUNT INTERVAL-MS AMOUNT       bench_peer against it: one line in $RUN/results
#   machine_disturbed                says true when others took over 10 % of a core or it stood still for over 10 ms
#   machine_quiet SECONDS            waits until it is not disturbed, at most so long
#   table PROGRAM JSON PART...       prints
#   machine                          what it was measured on, as JSON
set -eu
shopt -s inherit_errexit
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD-$TOP/build}
BFDD=${BFDD-$BUILD/bfdd}
BFDCTL=${BFDCTL-$BUILD/bfdctl}
BENCH=$BUILD/tests/bench
FRR_BIN=/usr/lib/frr
MULTIPLIER=3
ulimit -n "$(ulimit -Hn)" # FRR has a socket for each session

# shellcheck source=scripts/lab
. "$TOP/scripts/lab"

die() {
	echo "$0: $*" >&2
	exit 2
}

# The "usage:" lines at the head of the script.
usage() {
	sed -n 's/^# usage: /usage: /p; s/^#        /       /p' "$0" >&2
	exit 2
}

# The time that the bench may take is up.
spent() {
	[ $SECONDS -lt "$budget" ] && return 1
	echo "${0##*/}: its $budget s are up${repeat+ in repeat $repeat}: what is missing was not measured" >&2
}

is_list() { # WORDS    of positive whole numbers
	[[ $1 =~ ^[1-9][0-9]*(\ [1-9][0-9]*)*$ ]]
}

# The options of the benches that run programs in turn, into variables of the same meaning; OPTIND is behind them.
# shellcheck disable=SC2034 # used by the benches
bench_options() { # LETTERS ARGUMENT...
	local letters=$1 option
	shift
	while getopts "$letters" option; do
		case $option in
		n) sessions=$OPTARG ;;
		i) interval=$OPTARG ;;
		d) detections=$OPTARG ;;
		t) seconds=$OPTARG ;;
		r) repeats=$OPTARG ;;
		b) budget=$OPTARG ;;
		w) wait=$OPTARG ;;
		o) json=$OPTARG ;;
		*) usage ;;
		esac
	done
}

need() { # PROGRAM...
	local program
	for program; do
		command -v "$program" >/dev/null || die "$program is not there"
	done
}

declare -A other=([a]=b [b]=a)

# Both sides in one /16: address_a[] and address_b[], made beforehand as a process for each would take long.
address_a=() address_b=()
addresses() { # COUNT
	local i
	for ((i = ${#address_a[@]}; i < $1; i++)); do
		address_a[i]=10.0.$((i / 250)).$((i % 250 + 1))
		address_b[i]=10.0.$((i / 250 + 128)).$((i % 250 + 1))
	done
}

# Neighbours are permanent: nothing but BFD is on the wire, and the host's neighbour table has no limit for those.
net_build() { # COUNT
	local side peer mac i
	addresses "$1"
	[ -n "${net_built-}" ] && lab_in a ip link del va
	net_built=yes
	lab_link a va b vb
	for side in a b; do
		peer=${other[$side]}
		local -n near=address_$side far=address_$peer
		mac=$(lab_in "$peer" ip -j link show "v$peer" | jq -r '.[0].address')
		for ((i = 0; i < $1; i++)); do
			echo "address add ${near[i]}/16 dev v$side"
			echo "neighbour add ${far[i]} dev v$side lladdr $mac nud permanent"
		done >"$RUN/batch-$side"
		lab_in $side ip -batch "$RUN/batch-$side"
	done
}

bird_config() { # SIDE COUNT INTERVAL
	local i
	local -n near=address_$1 far=address_${other[$1]}
	echo 'log stderr { trace, warning, error, fatal, bug };'
	echo 'router id 10.0.0.1;'
	echo 'protocol device { }'
	# Events are changes of state: there are none at rest.
	echo 'protocol bfd { debug { events };'
	echo "interface \"v$1\" { interval $3 ms; idle tx interval 1 s; multiplier $MULTIPLIER; };"
	for ((i = 0; i < $2; i++)); do
		echo "neighbor ${far[i]} dev \"v$1\" local ${near[i]};"
	done
	echo '}'
}

bfdd_config() { # SIDE COUNT INTERVAL
	local i comma=
	local -n near=address_$1 far=address_${other[$1]}
	echo 'peers = ('
	for ((i = 0; i < $2; i++)); do
		echo "$comma{ name = \"p$i\"; address = \"${far[i]}\";" \
			"local-address = \"${near[i]}\"; interface = \"v$1\";" \
			"transmit-interval = $3; receive-interval = $3; detect-multiplier = $MULTIPLIER; }"
		comma=,
	done
	echo ');'
}

frr_config() { # SIDE COUNT INTERVAL
	local i
	local -n near=address_$1 far=address_${other[$1]}
	echo 'bfd'
	for ((i = 0; i < $2; i++)); do
		echo " peer ${far[i]} local-address ${near[i]} interface v$1"
		echo "  transmit-interval $3"
		echo "  receive-interval $3"
		echo "  detect-multiplier $MULTIPLIER"
		echo ' !'
	done
	echo '!'
}

program_need() { # PROGRAM...
	local program
	for program; do
		case $program in
		bird) need bird birdc ;;
		frr) need $FRR_BIN/zebra $FRR_BIN/bfdd vtysh ;;
		bfdd) need "$BFDD" "$BFDCTL" ;;
		*) die "no such program: $program" ;;
		esac
	done
}

frr_start() { # SIDE CONFIG
	local dir=$RUN/$1-frr daemon end=$((SECONDS + 10)) more
	rm -rf "$dir"
	mkdir "$dir"
	: >"$dir/zebra.conf"
	cp "$2" "$dir/bfdd.conf"
	chown -R frr:frr "$dir"
	for daemon in zebra bfdd; do
		more=()
		[ $daemon = zebra ] || more=(--bfdctl "$dir/bfdd.sock")
		lab_start "$1" "$1" $FRR_BIN/$daemon -f "$dir/$daemon.conf" -z "$dir/zserv.api" --vty_socket "$dir" \
			-i "$dir/$daemon.pid" --log stdout "${more[@]}"
		until [ -S "$dir/zserv.api" ]; do
			[ $SECONDS -lt $end ] || die "zebra does not start"
			sleep 0.02
		done
	done
}

frr_show() { # SIDE COMMAND
	timeout 20 vtysh --vty_socket "$RUN/$1-frr" -d bfdd -c "$2" 2>/dev/null
}

program_start() { # SIDE PROGRAM COUNT INTERVAL
	local prefix=$RUN/$1
	: >"$prefix.log"
	"$2_config" "$1" "$3" "$4" >"$prefix.conf"
	case $2 in
	bird) lab_start "$1" "$1" bird -f -c "$prefix.conf" -s "$prefix.ctl" -P "$prefix.pid" ;;
	frr) frr_start "$1" "$prefix.conf" ;;
	bfdd)
		rm -rf "$prefix.state"
		mkdir "$prefix.state"
		lab_start "$1" "$1" "$BFDD" -c "$prefix.conf" -s "$prefix.ctl" -S "$prefix.state"
		;;
	esac
	eval "pid_$1=$PID"
}

program_up() { # SIDE PROGRAM
	case $2 in
	bird) birdc -s "$RUN/$1.ctl" show bfd sessions | awk '$1 ~ /^10\./ && $3 == "Up"' | wc -l ;;
	frr) frr_show "$1" "show bfd peers json" | jq '[.[] | select(.status == "up")] | length' ;;
	bfdd) "$BFDCTL" -s "$RUN/$1.ctl" --json peers | jq '[.[] | select(.state == "up")] | length' ;;
	esac
}

program_downs() { # SIDE PROGRAM
	case $2 in
	bird) awk '/changed state from Up to/ { n++ } END { print n + 0 }' "$RUN/$1.log" ;;
	frr) frr_show "$1" "show bfd peers counters json" | jq '[.[]."session-down"] | add' ;;
	bfdd) "$BFDCTL" -s "$RUN/$1.ctl" --json peers | jq '[.[]."down-transitions"] | add' ;;
	esac
}

program_all_up() { # SIDE PROGRAM COUNT SECONDS
	local end=$((SECONDS + $4)) pid=pid_$1
	until [ "$(program_up "$1" "$2" 2>/dev/null)" = "$3" ]; do
		[ $SECONDS -lt $end ] && lab_alive "${!pid}" || return 1
		sleep 0.2
	done
}

programs_stop() {
	local pid
	for pid in "${LAB_PIDS[@]}"; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	for pid in "${LAB_PIDS[@]}"; do
		timeout 5 tail --pid="$pid" -f /dev/null || kill -KILL "$pid" 2>/dev/null || true
		{ wait "$pid"; } 2>/dev/null || true
	done
	LAB_PIDS=()
}

# "IDLE-AND-STEAL OTHERS" in ticks: what the kernel counts as idle is exact without a periodic tick. Others are the
# processes that are not the bench's, with the children that ended.
machine_sample() {
	awk '{ printf "%d ", $5 + $6 + $9; exit }' /proc/stat
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v ours=" ${LAB_PIDS[*]-} $witness $$ " '{
		pid = $1
		sub(/^.*\) /, "")
		if (int($7 / 2097152) % 2 == 0 && !index(ours, " " pid " ")) # not a kernel thread
			sum += $12 + $13 + $14 + $15
	} END { print sum + 0 }'
}

# A witness that looks each 20 ms costs next to nothing, but may miss a standstill that is shorter.
machine_begin() { # WITNESS-PERIOD-MS
	: >"$RUN/witness.log"
	"$BUILD/tests/net/tools/witness" "$1" >"$RUN/witness.log" 2>&1 &
	witness=$!
	LAB_PIDS+=("$witness")
	machine_before=$(machine_sample) machine_from=$(lab_now)
}

machine_end() {
	local after
	after=$(machine_sample)
	ELAPSED=$(($(lab_now) - machine_from))
	lab_stop "$witness" || true
	WITNESS=$(cat "$RUN/witness.log")
	read -r BUSY OTHERS <<<"$(awk -v before="$machine_before" -v after="$after" -v us="$ELAPSED" \
		-v hz="$(getconf CLK_TCK)" -v cpus="$(nproc)" 'BEGIN {
			split(before, b)
			split(after, a)
			printf "%.2f %.2f\n", 100 * (cpus - (a[1] - b[1]) * 1e6 / hz / us), 100 * (a[2] - b[2]) * 1e6 / hz / us
		}')"
}

machine_disturbed() { # prints true or false
	awk -v others="$OTHERS" -v stood="$WITNESS" 'BEGIN { print (others > 10 || stood > 10 ? "true" : "false") }'
}

machine_quiet() { # SECONDS    waits so long at most
	local end=$((SECONDS + $1))
	while [ $SECONDS -lt $end ]; do
		machine_begin 20
		sleep 0.5
		machine_end
		[ "$(machine_disturbed)" = true ] || return 0
	done
}

frr_version() {
	$FRR_BIN/bfdd --version 2>/dev/null | sed -n 's/^bfdd version //p'
}

machine() {
	jq -n --arg kernel "$(uname -r)" --argjson cpus "$(nproc)" --arg model "$(sed -n 's/^model name.*: //p' /proc/cpuinfo |
		head -1)" --arg bird "$(bird --version 2>&1 | sed 's/.* //')" --arg frr "$(frr_version)" \
		--arg bfdd "$(git -C "$TOP" describe --always --dirty 2>/dev/null)" --arg load "$(cut -d' ' -f1-3 /proc/loadavg)" \
		--arg at "$(date -u +%FT%TZ)" '$ARGS.named'
}

peer_measure() { # detect|pacing PROGRAM COUNT INTERVAL AMOUNT
	local result
	program_start a "$2" "$3" "$4"
	machine_begin 2
	result=$(lab_in b "$BENCH/bench_peer" "$1" vb "$3" "$4" "$5") || result=${result:-null}
	machine_end
	jq -n -c --arg program "$2" --argjson sessions "$3" --argjson interval "$4" --argjson repeat "$repeat" \
		--argjson result "$result" --argjson others "$OTHERS" --argjson stood "$WITNESS" \
		--argjson disturbed "$(machine_disturbed)" '{ program: $program, sessions: $sessions, "interval-ms": $interval,
			repeat: $repeat, "others-percent": $others, "standstill-ms": $stood, disturbed: $disturbed } + ($result // {})' \
		>>"$RUN/results"
	programs_stop
}

# The parts of a result, by a jq program of the bench's that makes lines with tabs.
table() { # PROGRAM JSON PART...
	local program=$1 json=$2 part
	shift 2
	for part; do
		jq -r --arg part "$part" -f "$TOP/tests/bench/$program.jq" "$json" | column -t -s $'\t'
		echo
	done
}

bench_init() {
	[ "$(id -u)" = 0 ] || die "needs root"
	need ip jq awk nsenter column
	lab_init
	lab_ns a b
	# No router solicitations among the packets that are counted.
	lab_in a sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	lab_in b sysctl -qw net.ipv6.conf.default.disable_ipv6=1
}
