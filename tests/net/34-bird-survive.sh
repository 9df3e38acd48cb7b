#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What BIRD is told of a peer outlives a bfdd that is killed: marks stay, go and come by what the sessions are after the
# restart, in its detection time (900 ms) and later.
. "$(dirname "$0")/lib.sh"
ROUTES=100
. "$(dirname "$0")/lib-bird.sh"
[ "$(stat -f -c %T /dev/shm)" = tmpfs ] || skip "no tmpfs is mounted at /dev/shm"

TABLE=58799
OURS="192.0.2.1 2001:db8:1::1" # ams

marks() {
	{
		lab_in e ip -4 route show table $TABLE 2>/dev/null || true # no route, no table
		lab_in e ip -6 route show table $TABLE 2>/dev/null || true
	} | awk '{ printf("%s%s", NR > 1 ? " " : "", $2) }'
}

marks_are() { # ADDRESSES
	[ "$(marks)" = "$1" ]
}

mark() { # as bfdd does
	lab_in e ip route add unreachable "$1" table $TABLE proto 158
}

resumed() {
	ctl e status | jq .survival.resumed
}

well() { # WHAT
	wait_for 15 "$1: all sessions up" all_up e
	wait_for 10 "$1: no marks" marks_are ""
	bgp_complete
	wait_for 20 "$1: all routes by ams" all_by eth1
}

bird_edge
bfdd_start e < <(edge_config | sed 's/-interval = 50/-interval = 300/g')
well "at first"
SINCE=$(bgp_since e ams)

step "the peer is up, and was marked when bfdd was killed: the mark goes at once, the session never went"
bfdd_kill e
mark 192.0.2.1
bfdd_restart e
equal "marks" "$(marks)" ""
stays 2 "no marks" marks_are ""
equal "sessions that went on" "$(resumed)" 4
equal "changes of state" "$(ctl e peers | jq '[.[]["down-transitions"]] | add')" 0
wait_for 20 "all routes by ams" all_by eth1
equal "since when BGP with ams stands" "$(bgp_since e ams)" "$SINCE"

step "the path dies while bfdd is dead, and it is back in time: marked after the detection time"
bfdd_kill e
lab_cut w eth1
bfdd_restart e
equal "sessions that went on" "$(resumed)" 4
wait_for 5 "marked" marks_are "$OURS"
down=$(event_at e "$CUT_FROM" '.event == "session" and .to == "down" and .peer == "ams"')
began=$(event_at e "$CUT_FROM" '.event == "resume"') # the sessions have gone on just before
at_most "ms from the start to Down" $(((down - began) / 1000)) $((900 + 50 * SLACK))
wait_for 5 "all routes by fra" all_by eth2

step "killed before a mark was written: by what is kept of the session"
bfdd_kill e
lab_in e ip route del unreachable 192.0.2.1 table $TABLE
bfdd_restart e
equal "marks" "$(marks)" "$OURS"

step "killed while marked: the mark stays as long as the path is dead, however long"
bfdd_kill e
bfdd_restart e
equal "marks" "$(marks)" "$OURS"
equal "sessions that went on" "$(resumed)" 2 # those that are up
stays 7 "marked" marks_are "$OURS"
all_by eth2 || fail "not all routes leave by fra"
lab_heal w
well "healed"

step "the path dies while bfdd is dead, and it is back too late: marked when the peer has had its time"
KILLED=$(lab_now)
bfdd_kill e
lab_cut w eth1
too_late() { # for the router, and by what is kept
	[ "$(birdc_in ams show bfd sessions | grep -c ' Down ')" = 2 ] && [ $(($(lab_now) - KILLED)) -gt 1000000 ]
}
wait_for 5 "the router has given up" too_late
bfdd_restart e
equal "marks" "$(marks)" ""
wait_for 10 "marked" marks_are "$OURS"
grep -q "peer ams was up before the restart" "$RUN/bfdd-e.log" || fail "not told"
wait_for 5 "all routes by fra" all_by eth2
lab_heal w
well "healed"

step "too late, and all is well: nothing is marked"
KILLED=$(lab_now)
bfdd_kill e
wait_for 5 "the router has given up" too_late
bfdd_restart e
wait_for 15 "all sessions up" all_up e
stays 7 "no marks" marks_are ""

bfdd_stop e
