#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bfdd restarted and killed under FRR, its connections in a service manager's descriptor store: BGP lives. And without: what it costs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frr.sh"
need bird birdc vtysh
two_sites
router_start r 1 64511
router_start s 2 64512
bfdd_conf_as_in_guide

# Under the stand-in for systemd; $RUN/bfdd-e.pid is always that of the one that runs.
store_start() {
	mkdir -p "$RUN/state-e"
	lab_start e bfdd-store "$TOOLS/fdstore" "$RUN/bfdd-e.pid" "$RUN/notify" "$BFDD" -c "$RUN/bfdd-e.conf" -s "$RUN/e.ctl" -S "$RUN/state-e"
	STORE=$PID
	wait_for 10 "bfdd answers" bfdd_answers e
}

another() { # PID
	[ "$(cat "$RUN/bfdd-e.pid")" != "$1" ] && bfdd_answers e
}

restarted() { # SIGNAL
	local pid
	pid=$(bfdd_pid e)
	kill "-$1" "$pid"
	wait_for 10 "a successor after SIG$1" another "$pid"
}

step "all is well"
store_start
frr_as_in_guide
all_is_well "at first"
wait_for 5 "a connection in reserve" frr_connections 2
before=$(drops)

for signal in TERM KILL TERM KILL; do
	step "SIG$signal"
	restarted $signal
	all_is_well "after SIG$signal"
	wait_for 5 "the predecessor's connections are let go" frr_connections 2
	equal "stale sessions" "$(frr_status stale)" 0
	stays 3 "BGP" bgp_up
	equal "BGP sessions dropped" "$(drops)" "$before"
done

step "the path dies meanwhile: BGP is told"
since=$(lab_now)
kill -STOP "$STORE" # so that there is none for a moment
pid=$(bfdd_pid e)
kill -KILL "$pid"
lab_cut w eth1
kill -CONT "$STORE"
wait_for 10 "a successor" another "$pid"
wait_for 15 "bgpd drops the neighbor" bgp_was_down 192.0.2.1 "$since"
equal "the other neighbor" "$(bgp 192.0.2.5 bgpState)" Established
lab_heal w
all_is_well "healed"

step "without a store: what it costs"
lab_stop "$STORE" || true
bfdd_restart e
all_is_well "a new start"
before=$(drops)
bfdd_stop e
bfdd_restart e
all_is_well "after a restart"
echo "BGP sessions dropped by a restart without a store: $before before, $(drops) after"
bfdd_stop e
