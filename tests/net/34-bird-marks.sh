#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# BIRD follows bfdd, by the configurations of bfdd-bird(7) as they are written there but for the socket's
# path: next hops that are marked as unreachable; routes counted by the kernel's own notifications.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-bird.sh"

ROUTES=${ROUTES-10000}
DETECTION=150
FOLLOWS=120 # ms that BIRD may take for all routes

marks() {
	lab_in e ip -4 route show table 58799 2>/dev/null
	lab_in e ip -6 route show table 58799 2>/dev/null || true # no route, no table
}

marked_none() {
	[ -z "$(marks)" ]
}

marked() { # the marks' addresses and nothing else
	[ "$(marks | awk '{ print $1, $2 }' | sort | tr '\n' ' ')" = "$(printf 'unreachable %s ' "$@")" ]
}

# A light one, which takes next to nothing from the processors that BIRD needs: `ip monitor` doubles its time.
MONITOR=$BUILD/tests/bench/bench_routes

listens() { # PID
	lab_in e awk -v pid="$1" '$3 == pid && $4 !~ /^0+$/ { found = 1 } END { exit !found }' /proc/net/netlink
}

monitor_start() {
	local family
	MONITORS=()
	for family in 4 6; do
		rm -f "$RUN/routes$family.log"
		lab_start e "routes$family" chrt -f 1 "$MONITOR" $family
		MONITORS+=("$PID")
		wait_for 5 "the monitor listens" listens "$PID"
	done
}

monitor_says() { # FAMILY DEVICE FIELD    of the routes that were set to leave by it
	tail -qn 1 "$RUN/routes$1.log" | jq -r --arg device "$2" --arg field "$3" '.[$device][$field] // 0'
}

set_by() { # FAMILY DEVICE COUNT
	[ -s "$RUN/routes$1.log" ] && [ "$(monitor_says "$1" "$2" set)" -ge "$3" ]
}

moved_all() { # DEVICE
	set_by 4 "$1" "$ROUTES" && set_by 6 "$1" 100 && all_by "$1"
}

# When, in us of Unix time, the last of the announced routes was seen to leave by DEVICE: into MOVED.
await_moved() { # DEVICE
	local pid last
	wait_for 10 "the kernel has told of all routes by $1" moved_all "$1"
	for pid in "${MONITORS[@]}"; do
		lab_stop "$pid" || true
	done
	equal "times that the monitor missed something" "$(tail -qn 1 "$RUN/routes4.log" "$RUN/routes6.log" | jq -s '[.[].overruns] | add')" 0
	MOVED=$(monitor_says 4 "$1" last-us)
	last=$(monitor_says 6 "$1" last-us)
	[ "$MOVED" -gt "$last" ] || MOVED=$last
}

step "the page has the files as they are"
page=$(<"$TOP/docs/bfdd-bird.7")
for file in bfdd.conf bird.conf router-ams.conf; do
	[[ "$page" = *$'.Bd -literal\n'"$(<"$EXAMPLES/$file")"$'\n.Ed'* ]] || fail "bfdd-bird(7) has another $file"
done

bird_edge
bfdd_start e < <(edge_config)
wait_for 15 "all sessions up" all_up e
bgp_complete
wait_for 20 "all routes by ams" all_by eth1

# On a busy machine BIRD is given twice what it takes for the same routes by its own command.
step "what BIRD itself takes"
monitor_start
from=$(lab_now)
birdc_in e 'disable "ams*"' >/dev/null
await_moved eth2
ITSELF=$(((MOVED - from) / 1000))
echo "ms for $ROUTES routes by birdc disable: $ITSELF"
[ $((2 * ITSELF)) -le $FOLLOWS ] || FOLLOWS=$((2 * ITSELF))
birdc_in e 'enable "ams*"' >/dev/null
bgp_complete
wait_for 20 "all routes by ams" all_by eth1
SINCE=$(bgp_since e ams)
equal "marks at rest" "$(marks)" ""

step "ams dies silently: its next hops are marked, and all routes leave by fra"
# Other programs may take BIRD's processor from it: the best of three deaths is what it can.
for attempt in 1 2 3; do
	monitor_start
	lab_cut w eth1
	await_moved eth2
	TOOK=$(((MOVED - CUT_TO) / 1000))
	echo "ms from the cut to the last of $ROUTES routes: $TOOK"
	[ $TOOK -gt $(((DETECTION + FOLLOWS) * SLACK)) ] && [ $attempt -lt 3 ] || break
	lab_heal w
	wait_for 15 "all sessions up" all_up e
	wait_for 20 "all routes by ams" all_by eth1
	wait_for 5 "no marks" marked_none
done
wait_for 5 "both are marked" marked 192.0.2.1 2001:db8:1::1
all_by eth2 || fail "not all routes leave by fra"
at_most "ms from the cut to the last of $ROUTES routes" "$TOOK" $(((DETECTION + FOLLOWS) * SLACK))
bgp_is e ams Established || fail "BGP with ams went"
equal "marks are ours" "$(marks | grep -c 'proto 158')" 2

step "what is new is said again for some seconds"
lab_heal w
wait_for 15 "all sessions up" all_up e
wait_for 5 "no marks" marked_none
marks_told() { # ADDRESS TIMES    the kernel has told of the mark so often
	[ "$(lab_in e grep -c "^[^ ]* unreachable $1 " "$RUN/again.log")" -ge "$2" ]
}
lab_start e again chrt -f 1 ip -ts monitor route
AGAIN=$PID
wait_for 5 "it listens" listens "$AGAIN"
lab_cut w eth1
wait_for 10 "the mark is said again" marks_told 192.0.2.1 3
wait_for 5 "the mark is said again" marks_told 2001:db8:1::1 3
lab_stop "$AGAIN" || true
wait_for 5 "all routes by fra" all_by eth2

step "they are written again when somebody deletes them, and nothing else is touched"
lab_in e ip route add unreachable 192.0.2.77 table 58799 proto 77
lab_in e ip route del unreachable 192.0.2.1 table 58799
wait_for 5 "marked again" marked 192.0.2.1 192.0.2.77 2001:db8:1::1
flushed=$(date +%T.%3N)
lab_in e ip -6 route flush table 58799
wait_for 5 "marked again" marked 192.0.2.1 192.0.2.77 2001:db8:1::1
learned_since() { # TIME    BIRD has the mark of ams-6, from after TIME
	local at
	at=$(birdc_in e show route 2001:db8:1::1/128 table nexthops6 | sed -n 's/.*unreachable \[down6 \([^ ]*\)\].*/\1/p')
	[[ -n "$at" && ! "$at" < "$1" ]]
}
wait_for 15 "BIRD has learned it again" learned_since "$flushed"
wait_for 5 "all routes by fra" all_by eth2

step "BIRD's configure, restart and death do not bring the dead path back"
birdc_in e configure >/dev/null
stays 1 "all by fra" all_by eth2
lab_stop "$(cat "$RUN/bird-e.process")" KILL || true
lab_heal w
bird_restart e
wait_for 30 "BGP fra" bgp_is e fra Established

step "ams is back: at once, and BGP never went"
wait_for 15 "all sessions up" all_up e
bgp_complete
wait_for 15 "all routes by ams" all_by eth1
wait_for 5 "no marks" marked 192.0.2.77
SINCE=$(bgp_since e ams)
lab_cut w eth1
wait_for 5 "all routes by fra" all_by eth2
monitor_start
lab_heal w
wait_for 10 "ams is up" peer_is e ams up
wait_for 10 "ams-6 is up" peer_is e ams-6 up
await_moved eth1
all_by eth1 || fail "not all routes leave by ams"
up=$(event_at e "$CUT_TO" '.event == "session" and .to == "up" and .peer == "ams-6"')
v4=$(event_at e "$CUT_TO" '.event == "session" and .to == "up" and .peer == "ams"')
[ "$v4" -lt "$up" ] || up=$v4
at_most "ms from up to the last route" $(((MOVED - up) / 1000)) $((FOLLOWS * SLACK))
equal "since when BGP with ams stands" "$(bgp_since e ams)" "$SINCE"

step "killed while a path is dead: the marks stay, and go when the path is back"
lab_cut w eth1
wait_for 5 "marked" marked 192.0.2.1 192.0.2.77 2001:db8:1::1
bfdd_kill e
lab_in e ip route add unreachable 192.0.2.99 table 58799 proto 158 # of a peer that is none any more
bfdd_restart e
wait_for 5 "still marked" marked 192.0.2.1 192.0.2.77 2001:db8:1::1
stays 1 "still marked" marked 192.0.2.1 192.0.2.77 2001:db8:1::1
wait_for 5 "all routes by fra" all_by eth2
lab_heal w
wait_for 10 "no marks" marked 192.0.2.77
wait_for 5 "all routes by ams" all_by eth1

step "a reload to another table, and to none"
lab_cut w eth1
wait_for 5 "marked" marked 192.0.2.1 192.0.2.77 2001:db8:1::1
sed -i 's/58799/58798/' "$RUN/bfdd-e.conf"
ctl e reload >/dev/null
wait_for 5 "the old table is left" marked 192.0.2.77
equal "marks in the new table" "$(lab_in e ip route show table 58798 | awk '{ print $2 }')" 192.0.2.1
edge_config >"$RUN/bfdd-e.conf"
ctl e reload >/dev/null
wait_for 5 "marked" marked 192.0.2.1 192.0.2.77 2001:db8:1::1
sed -i 's/"next-hop-table"/"none"/' "$RUN/bfdd-e.conf"
ctl e reload >/dev/null
wait_for 5 "no marks" marked 192.0.2.77
edge_config >"$RUN/bfdd-e.conf"
ctl e reload >/dev/null

step "a clean stop takes the marks away; hold-on-stop leaves them"
wait_for 5 "marked" marked 192.0.2.1 192.0.2.77 2001:db8:1::1
bfdd_stop e
marked 192.0.2.77 || fail "marks after a clean stop: $(marks)"
{ edge_config && echo 'steering = { hold-on-stop = true; };'; } >"$RUN/bfdd-e.conf"
lab_heal w
bfdd_restart e
wait_for 15 "all sessions up" all_up e
lab_cut w eth1
wait_for 5 "marked" marked 192.0.2.1 192.0.2.77 2001:db8:1::1
bfdd_stop e
marked 192.0.2.1 192.0.2.77 2001:db8:1::1 || fail "marks after a stop with hold-on-stop: $(marks)"
