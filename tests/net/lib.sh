# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For the tests in network namespaces. A test is a script that begins with
#     . "$(dirname "$0")/lib.sh"
# and builds what it needs with scripts/lab. It ends with status 0, 77 (skipped: the last line says why), or
# anything else. Judge by state and by times that a kernel or daemon recorded; wait with wait_for, which fails
# loudly, and never with a bare sleep for something to have happened.
set -eu
shopt -s inherit_errexit
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD-$TOP/build}
BFDD=$BUILD/bfdd
BFDCTL=$BUILD/bfdctl
TOOLS=$BUILD/tests/net/tools
# Sanitizers make everything several times slower: bounds on times are multiplied by this.
SLACK=${SAN:+4}
SLACK=${SLACK:-1}

# shellcheck source=scripts/lab
. "$TOP/scripts/lab"

skip() {
	echo "$*"
	exit 77
}

fail() {
	echo "FAILED: $*" >&2
	test_show_logs
	exit 1
}

# What the daemons said, for whoever reads the log of a failed test.
test_show_logs() {
	local log
	for log in "$RUN"/bfdd-*.log; do
		[ -s "$log" ] || continue
		echo "--- ${log##*/}:"
		tail -40 "$log"
	done >&2
	for log in "$RUN"/bfdd-*.pid; do
		[ ! -e "$log" ] || test_show_threads "$(<"$log")"
	done >&2
}

# What a daemon that still runs is about: each thread's class, and where in the kernel it waits.
test_show_threads() { # PID
	local task
	for task in /proc/"$1"/task/*; do
		[ -e "$task/stat" ] || continue
		echo "--- $(<"$task/comm") ($1): $(awk '/^(State|voluntary|nonvol)/ { printf "%s ", $0 }' "$task/status")"
		sed 's/^/    /' "$task/stack"
	done 2>/dev/null
}

need() { # PROGRAM...
	local program
	for program; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

step() {
	echo "== $*"
}

# Polls a command until it succeeds; its failure within SECONDS is the test's.
wait_for() { # SECONDS WHAT COMMAND...
	local limit=$(($(lab_now) + $1 * SLACK * 1000000)) what=$2
	shift 2
	until "$@"; do
		[ "$(lab_now)" -lt $limit ] || fail "not within time: $what"
		sleep 0.02
	done
}

# Looks again and again, and fails when the command does not hold at any time in SECONDS.
stays() { # SECONDS WHAT COMMAND...
	local limit=$(($(lab_now) + $1 * 1000000)) what=$2
	shift 2
	while [ "$(lab_now)" -lt $limit ]; do
		"$@" || fail "did not stay: $what"
		sleep 0.05
	done
}

equal() { # WHAT GOT WANTED
	[ "$2" = "$3" ] || fail "$1: is '$2', not '$3'"
}

# Decimal fractions allowed; what is no number fails.
at_most() { # WHAT GOT LIMIT
	awk -v got="$2" -v limit="$3" 'BEGIN { exit !(got ~ /^-?[0-9.]+$/ && got + 0 <= limit + 0) }' ||
		fail "$1: is '$2', above $3"
	echo "$1: $2 (at most $3)"
}

at_least() { # WHAT GOT LIMIT
	awk -v got="$2" -v limit="$3" 'BEGIN { exit !(got ~ /^-?[0-9.]+$/ && got + 0 >= limit + 0) }' ||
		fail "$1: is '$2', below $3"
}

# bfdd in namespace NAME with the configuration on standard input (never behind a pipe: it must be our child); its process id is in PID and in
# $RUN/bfdd-NAME.pid. Returns when it answers.
bfdd_start() { # NAME [OPTION...]
	local name=$1
	shift
	cat >"$RUN/bfdd-$name.conf"
	bfdd_restart "$name" "$@"
}

bfdd_restart() { # NAME [OPTION...]    with the configuration that is there
	local name=$1
	shift
	mkdir -p "$RUN/state-$name"
	lab_start "$name" "bfdd-$name" "$BFDD" -c "$RUN/bfdd-$name.conf" -s "$RUN/$name.ctl" -S "$RUN/state-$name" "$@"
	echo "$PID" >"$RUN/bfdd-$name.pid"
	wait_for 10 "bfdd in $name answers" bfdd_answers_or_died "$name"
	bfdd_answers "$name" || fail "bfdd in $name did not start"
}

bfdd_answers() { # NAME
	ctl "$1" status >/dev/null 2>&1
}

bfdd_answers_or_died() { # NAME
	bfdd_answers "$1" || ! kill -0 "$(bfdd_pid "$1")" 2>/dev/null
}

# What a killed bfdd kept of its sessions is lost; its objects in the kernel are not.
bfdd_forget() { # NAME
	lab_forget_sessions "$RUN/state-$1"
	rm -f "$RUN/state-$1/sessions"
}

bfdd_pid() { # NAME
	cat "$RUN/bfdd-$1.pid"
}

# A clean stop: exit status 0, within a time.
bfdd_stop() { # NAME
	local pid status=0
	pid=$(bfdd_pid "$1")
	kill -TERM "$pid"
	wait_for 10 "bfdd in $1 stops" lab_gone "$pid"
	wait "$pid" || status=$?
	equal "exit status of bfdd in $1" $status 0
}

bfdd_kill() { # NAME
	lab_stop "$(bfdd_pid "$1")" KILL || true
}

lab_gone() { # PID    ended (perhaps not yet waited for)
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null
}

ctl() { # NAME ARGUMENT...
	local name=$1
	shift
	"$BFDCTL" -s "$RUN/$name.ctl" --json "$@"
}

peer_field() { # NAME PEER FIELD
	ctl "$1" peers | jq -r --arg peer "$2" --arg field "$3" '.[] | select(.name == $peer) | .[$field]'
}

peer_is() { # NAME PEER STATE
	[ "$(peer_field "$1" "$2" state)" = "$3" ]
}

wait_up() { # NAME PEER...
	local name=$1 peer
	shift
	for peer; do
		wait_for 10 "peer $peer of $name is up" peer_is "$name" "$peer" up
	done
}

all_up() { # NAME
	ctl "$1" peers | jq -e 'length > 0 and all(.state == "up")' >/dev/null
}

# "PEER=STATE " of each, by bfdctl's table: jq takes most of a second where the processor is emulated.
peer_states() { # NAME
	local row state before=
	while IFS= read -r row; do
		if [ -z "$before" ]; then
			before=${row%%STATE*}
			continue
		fi
		state=${row:${#before}}
		printf '%s=%s ' "${row%% *}" "${state%% *}"
	done < <("$BFDCTL" -s "$RUN/$1.ctl" peers)
}

# Whether these are among them.
states_are() { # NAME PEER=STATE...
	local have one
	have=" $(peer_states "$1")"
	shift
	for one; do
		[[ "$have" == *" $one "* ]] || return 1
	done
}

# Whether all whose name is like PATTERN, at least one, are in STATE.
states_like() { # NAME PATTERN STATE
	local one some=
	for one in $(peer_states "$1"); do
		# shellcheck disable=SC2053
		[[ ${one%=*} == $2 ]] || continue
		[ "${one#*=}" = "$3" ] || return 1
		some=1
	done
	[ -n "$some" ]
}

# Drops of one reason, at the peer.
peer_drops() { # NAME PEER REASON
	ctl "$1" peers | jq -r --arg peer "$2" --arg reason "$3" '.[] | select(.name == $peer) | .drops[$reason] // 0'
}

service_field() { # NAME SERVICE JQ-PATH
	ctl "$1" services | jq -r --arg service "$2" ".[] | select(.name == \$service) | $3"
}

service_on() { # NAME SERVICE SITE    ("null": none)
	[ "$(service_field "$1" "$2" '.["active-site"]')" = "$3" ]
}

path_usable() { # NAME SERVICE PEER
	service_field "$1" "$2" ".paths[] | select(.peer == \"$3\") | .usable" | grep -qx true
}

path_not_usable() {
	service_field "$1" "$2" ".paths[] | select(.peer == \"$3\") | .usable" | grep -qx false
}

# When (Unix time in us) the first event at or after SINCE happened for which the jq condition holds; "" if none.
event_at() { # NAME SINCE-US CONDITION
	local at
	ctl "$1" events | jq -r ".[] | select($3) | .at" | while read -r at; do
		at=$(date -d "$at" +%s%6N)
		[ "$at" -lt "$2" ] || { echo "$at" && break; }
	done
}

has_event() {
	[ -n "$(event_at "$@")" ]
}

# Rules, routes and nexthop objects of NAME, of whomever they are, one a line; `nhid` and states left out.
kernel_objects() { # NAME
	local family
	for family in -4 -6; do
		lab_in "$1" ip $family -N -o rule list | sed "s/^/rule $family /"
		lab_in "$1" ip $family -N -o route show table all |
			grep -v '^\(local\|broadcast\|anycast\|multicast\) ' | sed "s/^/route $family /"
	done
	lab_in "$1" ip -N -o nexthop show | sed 's/^/nexthop /'
}

# The device by which NAME would send to ADDRESS now.
device_to() { # NAME ADDRESS
	lab_in "$1" ip -o route get "$2" | sed -n 's/.* dev \([^ ]*\).*/\1/p'
}

voice_recv_start() { # NAME
	rm -f "$RUN/recv.log"
	lab_start "$1" recv "$TOOLS/voice" recv -f 20
	VOICE_RECV=$PID
}

voice_send_start() { # NAME STREAM...
	local name=$1
	shift
	rm -f "$RUN/send.log"
	lab_start "$name" send "$TOOLS/voice" send -f 20 "$@"
	VOICE_SEND=$PID
}

# Ends both; what was received is then in $RUN/recv.log.
voice_end() {
	lab_stop "$VOICE_SEND"
	sleep 0.1 # what is under way arrives
	lab_stop "$VOICE_RECV"
}

stream_field() { # STREAM FIELD
	jq -r --arg name "$1" --arg field "$2" '.[] | select(.name == $name) | .[$field]' "$RUN/recv.log"
}

sent_field() { # STREAM FIELD
	jq -r --arg name "$1" --arg field "$2" '.[] | select(.name == $name) | .[$field]' "$RUN/send.log"
}

[ "$(id -u)" = 0 ] || skip "not root: network namespaces cannot be made"
need ip nft jq
lab_init

# Two hosts a and b on one wire, and through a router m: for four kinds of addresses.
interop_links() {
	lab_ns a b w m
	lab_wire w a x1 b x1
	lab_link a xm m xa
	lab_link m xb b xm
	lab_addr a x1 10.0.0.0/31 2001:db8:1::a/64 fe80::a/64
	lab_addr b x1 10.0.0.1/31 2001:db8:1::b/64 fe80::b/64
	lab_addr a xm 10.1.0.1/24
	lab_addr m xa 10.1.0.2/24
	lab_addr m xb 10.2.0.2/24
	lab_addr b xm 10.2.0.1/24
	lab_in a ip route add 10.2.0.0/24 via 10.1.0.2
	lab_in b ip route add 10.1.0.0/24 via 10.2.0.2
	lab_wires_ready w
}

# An edge e and a router r with three links x1 to x3, 10.0.N.0/31; the router's bfdd answers on all.
three_links() {
	local n
	lab_ns e r
	for n in 1 2 3; do
		lab_link e x$n r x$n
		lab_addr e x$n 10.0.$n.0/31
		lab_addr r x$n 10.0.$n.1/31
	done
}

three_links_bfdd() {
	bfdd_start r <<-END
		profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );
		peers = ( { name = "p1"; address = "10.0.1.0"; interface = "x1"; profile = "p"; },
		  { name = "p2"; address = "10.0.2.0"; interface = "x2"; profile = "p"; },
		  { name = "p3"; address = "10.0.3.0"; interface = "x3"; profile = "p"; } );
	END
}
