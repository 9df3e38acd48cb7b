#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bfdd against BIRD, then against FRR, in each of: single hop and multihop, IPv4 and IPv6. Intervals, Poll Sequences of either side,
# AdminDown, passive, demand, the C bit, round-trip times. Prints a line "result DAEMON FEATURE CELL" for each that held, from which
# scripts/check-interop makes its table. INTEROP=bird or frr: only that.
. "$(dirname "$0")/lib.sh"
need bird birdc
[ -x /usr/lib/frr/bfdd ] || skip "frr is not installed"

CELLS="single-v4 single-v6 multi-v4 multi-v6"
interop_links
lab_addr a xm 2001:db8:a::1/64
lab_addr m xa 2001:db8:a::2/64
lab_addr m xb 2001:db8:b::2/64
lab_addr b xm 2001:db8:b::1/64
lab_in a ip route add 2001:db8:b::/64 via 2001:db8:a::2
lab_in b ip route add 2001:db8:a::/64 via 2001:db8:b::2

# Ours and theirs.
ours() {
	case $1 in single-v4) echo 10.0.0.0 ;; single-v6) echo 2001:db8:1::a ;; multi-v4) echo 10.1.0.1 ;; *) echo 2001:db8:a::1 ;; esac
}
theirs() {
	case $1 in single-v4) echo 10.0.0.1 ;; single-v6) echo 2001:db8:1::b ;; multi-v4) echo 10.2.0.1 ;; *) echo 2001:db8:b::1 ;; esac
}

# BIRD 2 sends multihop packets with a TTL of 64.
config() { # TRANSMIT RECEIVE [MORE-OF-THE-PROFILE]
	local cell place comma=
	echo "profiles = ( { name = \"p\"; transmit-interval = $1; receive-interval = $2; detect-multiplier = 3; ${3-} } ); peers = ("
	for cell in $CELLS; do
		place='interface = "x1";'
		[ "${cell%-*}" = single ] || place='multihop = true; minimum-ttl = 63;'
		echo "$comma { name = \"$cell\"; address = \"$(theirs "$cell")\"; local-address = \"$(ours "$cell")\"; $place profile = \"p\"; }"
		comma=,
	done
	echo ');'
}

reconfigure() {
	config "$@" >"$RUN/bfdd-a.conf"
	ctl a reload >/dev/null
}

bird_configure() { # TRANSMIT RECEIVE [PASSIVE]
	local cell terms="{ min rx interval $2 ms; min tx interval $1 ms; idle tx interval 300 ms; multiplier 4; passive ${3-no}; };"
	{
		echo 'log stderr all; router id 10.0.0.1; protocol device {}'
		echo "protocol bfd { interface \"x1\" $terms multihop $terms"
		for cell in $CELLS; do
			case $cell in
			single-*) echo "neighbor $(ours "$cell") dev \"x1\";" ;;
			*) echo "neighbor $(ours "$cell") local $(theirs "$cell") multihop yes;" ;;
			esac
		done
		echo '}'
	} >"$RUN/bird.conf"
	[ ! -S "$RUN/bird.ctl" ] || birdc -s "$RUN/bird.ctl" configure >"$RUN/birdc.log" 2>&1 || fail "BIRD: $(cat "$RUN/birdc.log")"
}

bird_start() {
	lab_start b bird bird -f -c "$RUN/bird.conf" -s "$RUN/bird.ctl" -P "$RUN/bird.pid"
	REMOTE=$PID
}

bird_up() { # COUNT
	[ "$(birdc -s "$RUN/bird.ctl" show bfd sessions 2>/dev/null | grep -c ' Up ')" = "$1" ]
}

bird_has() { # COUNT
	[ "$(birdc -s "$RUN/bird.ctl" show bfd sessions 2>/dev/null | grep -c '^[0-9]')" = "$1" ]
}

FRR=$RUN/frr
mkdir "$FRR"
: >"$FRR/zebra.conf"

frr_peer() { # CELL
	case $1 in
	single-*) echo "peer $(ours "$1") local-address $(theirs "$1") interface x1" ;;
	*) echo "peer $(ours "$1") multihop local-address $(theirs "$1")" ;;
	esac
}

frr_peers() { # COMMAND...    to the running bfdd, for each peer
	local cell command words
	for cell in $CELLS; do
		words=(-c 'configure terminal' -c bfd -c "$(frr_peer "$cell")")
		for command; do
			words+=(-c "$command")
		done
		vtysh --vty_socket "$FRR" -d bfdd "${words[@]}" >"$RUN/vtysh.log" 2>&1 || fail "FRR: $(cat "$RUN/vtysh.log")"
	done
}

frr_configure() { # TRANSMIT RECEIVE [PASSIVE]
	local cell
	if [ -S "$FRR/bfdd.vty" ]; then
		frr_peers "transmit-interval $1" "receive-interval $2"
		return
	fi
	{
		echo bfd
		for cell in $CELLS; do
			printf ' %s\n' "$(frr_peer "$cell")" " transmit-interval $1" " receive-interval $2" " detect-multiplier 4"
			[ "${3-no}" = no ] || echo '  passive-mode'
			[ "${cell%-*}" = single ] || echo '  minimum-ttl 254'
			echo ' !'
		done
		echo '!'
	} >"$FRR/bfdd.conf"
	chown -R frr:frr "$FRR"
}

frr_start() {
	if [ ! -S "$FRR/zserv.api" ]; then
		lab_start b frr-zebra /usr/lib/frr/zebra -f "$FRR/zebra.conf" -z "$FRR/zserv.api" --vty_socket "$FRR" -i "$FRR/zebra.pid" --log stdout
		wait_for 10 "zebra listens" test -S "$FRR/zserv.api"
	fi
	rm -f "$FRR/bfdd.vty"
	lab_start b frr-bfdd /usr/lib/frr/bfdd -f "$FRR/bfdd.conf" -z "$FRR/zserv.api" --vty_socket "$FRR" -i "$FRR/bfdd.pid" \
		--log stdout --bfdctl "$FRR/bfdd.sock"
	REMOTE=$PID
}

frr_peers_json() {
	vtysh --vty_socket "$FRR" -d bfdd -c 'show bfd peers json' 2>/dev/null
}

frr_up() { # COUNT
	[ "$(frr_peers_json | jq '[.[] | select(.status == "up")] | length' 2>/dev/null)" = "$1" ]
}

frr_has() { # COUNT
	[ "$(frr_peers_json | jq 'length' 2>/dev/null)" = "$1" ]
}

remote_stop() {
	lab_stop "$REMOTE" || true
	rm -f "$RUN/bird.ctl" "$FRR/bfdd.vty"
}

all_agree() {
	wait_for 20 "all up at bfdd" all_up a
	wait_for 20 "all up at $DAEMON" "${DAEMON}_up" 4
}

held() { # FEATURE [CELL...]
	local feature=$1 cell
	shift
	for cell in ${*:-$CELLS}; do
		echo "result $DAEMON $feature $cell"
	done
}

downs() {
	ctl a peers | jq -c '[.[]["down-transitions"]]'
}

every() { # JQ-CONDITION    of `bfdctl peer`, for each of them
	local cell
	for cell in $CELLS; do
		ctl a peer "$cell" | jq -e "$1" >/dev/null || return 1
	done
}

negotiated() { # TRANSMIT DETECTION
	every ".\"transmit-interval\" == $1 and .\"detection-time\" == $2 and .\"poll-active\" == false"
}

no_drops() {
	equal "dropped" "$(ctl a peers | jq -c '[.[].drops | select(length > 0)]')" "[]"
}

interop() {
	local before cell
	DAEMON=$1
	step "$DAEMON: all come up, with the slower one's intervals"
	${DAEMON}_configure 60 50
	config 50 40 >"$RUN/bfdd-a.conf"
	bfdd_restart a
	${DAEMON}_start
	all_agree
	wait_for 5 "what was negotiated" negotiated 50 240
	held up
	held intervals

	step "$DAEMON: our intervals change while Up: agreed upon by our Poll Sequence"
	before=$(downs)
	reconfigure 80 90
	wait_for 10 "what was negotiated anew" negotiated 80 360
	reconfigure 50 40
	wait_for 10 "what was negotiated again" negotiated 50 240
	equal "Downs" "$(downs)" "$before"
	held poll-ours

	step "$DAEMON: its intervals change while Up: its polls are answered"
	${DAEMON}_configure 120 110
	wait_for 10 "what it wants" negotiated 110 480
	${DAEMON}_configure 60 50
	wait_for 10 "what it wants again" negotiated 50 240
	equal "Downs" "$(downs)" "$before"
	"${DAEMON}_up" 4 || fail "not all are up at $DAEMON"
	held poll-theirs
	no_drops

	step "$DAEMON: we are shut down: it is told, and comes back with us"
	reconfigure 50 40 'shutdown = true;'
	wait_for 5 "none is up at $DAEMON" "${DAEMON}_up" 0
	every '.state == "admin-down"' || fail "not admin-down: $(ctl a peers)"
	reconfigure 50 40
	all_agree
	held admin-down-ours

	if [ "$DAEMON" = frr ]; then
		step "frr: it is shut down: no failure here, and back"
		before=$(lab_now)
		frr_peers shutdown
		for cell in $CELLS; do
			wait_for 5 "we are told: $cell" has_event a "$before" ".event == \"session\" and .peer == \"$cell\" and
				.from == \"up\" and .to == \"down\" and .\"remote-state\" == \"admin-down\""
		done
		frr_peers 'no shutdown'
		all_agree
		held admin-down-theirs
	fi

	# FRR 8.4 does not forget a discriminator (RFC 5880 6.8.1) of ours that it heard in AdminDown, and goes on naming it: only a
	# FRR that begins anew gets along with a passive peer that has.
	step "$DAEMON: we are passive"
	remote_stop
	bfdd_stop a
	bfdd_forget a
	config 50 40 'passive-mode = true;' >"$RUN/bfdd-a.conf"
	bfdd_restart a
	stays 1 "silent" every '."packets-out" == 0'
	${DAEMON}_start
	all_agree
	every .passive || fail "not passive"
	held passive-ours

	step "$DAEMON: it is passive"
	remote_stop
	bfdd_stop a
	bfdd_forget a
	config 50 40 >"$RUN/bfdd-a.conf"
	${DAEMON}_configure 60 50 yes
	${DAEMON}_start
	wait_for 10 "$DAEMON has its sessions" "${DAEMON}_has" 4
	bfdd_restart a
	all_agree
	held passive-theirs

	step "$DAEMON: our C bit, round-trip times by polls, demand mode"
	before=$(downs)
	reconfigure 50 40 'control-plane-independent = true;'
	stays 2 "all up with the C bit" all_up a
	held c-bit
	reconfigure 50 40 'rtt-interval = 100;'
	wait_for 20 "round trips" every '.rtt != null and .rtt.count >= 5'
	held rtt
	reconfigure 50 40 'demand-mode = true; demand-poll-interval = 200;'
	stays 3 "all up in demand mode" all_up a
	equal "Downs" "$(downs)" "$before"
	"${DAEMON}_up" 4 || fail "not all are up at $DAEMON"
	held demand
	reconfigure 50 40
	no_drops
	bfdd_stop a
	remote_stop
}

for daemon in ${INTEROP-bird frr}; do
	interop "$daemon"
done
