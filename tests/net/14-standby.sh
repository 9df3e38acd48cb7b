#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The engine's thread does not get its processor: others take its turns, and the far end notices nothing.
. "$(dirname "$0")/lib.sh"
need chrt taskset perl
[ "$(nproc)" -ge 2 ] || skip "one processor only"

lab_ns a b
lab_link a x1 b x1
lab_addr a x1 10.0.0.0/31
lab_addr b x1 10.0.0.1/31
cpu=$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')

config() { # FAR REALTIME
	cat <<-END
		peers = ( { name = "p"; address = "10.0.0.$1"; interface = "x1"; transmit-interval = 50; receive-interval = 50; } );
		daemon = { realtime = $2; };
	END
}

engine_thread() { # NAME
	local task
	for task in /proc/"$(bfdd_pid "$1")"/task/*; do
		[ "$(cat "$task/comm")" != bfdd-engine ] || echo "${task##*/}"
	done
}

settled() { # NAME
	ctl "$1" peers | jq -e 'all(.["transmit-interval"] == 50 and .["detection-time"] == 150)' >/dev/null
}

# Nothing else runs on its processor for 0.7 s, in which the far end would miss it four times. Priority 95 outranks also
# what stands by on that processor.
starve() { # NAME
	local thread
	thread=$(engine_thread "$1")
	chrt -o -p 0 "$thread"
	taskset -pc "$cpu" "$thread" >/dev/null
	taskset -c "$cpu" chrt -f 95 perl -MTime::HiRes=time -e '$end = time + 0.7; 1 while time < $end'
}

downs() {
	echo "$(peer_field a p down-transitions) $(peer_field b p down-transitions)"
}

relieved() {
	ctl a status | jq .engine.relieved
}

bfdd_start b < <(config 0 true)
bfdd_start a < <(config 1 true)
wait_up a p
wait_up b p
wait_for 5 "values are agreed" settled a
wait_for 5 "values are agreed" settled b

step "starved, its turns are taken by others"
before=$(relieved)
starve a
at_least "turns taken by others" "$(($(relieved) - before))" 10
equal "Downs" "$(downs)" "0 0"

step "and it ends as it should"
bfdd_stop a
wait_for 5 "b was told" peer_is b p down
equal "what a said" "$(peer_field b p remote-state)" admin-down

step "without them the far end gives it up"
bfdd_stop b
bfdd_start b < <(config 0 true)
bfdd_start a < <(config 1 false)
wait_up a p
wait_up b p
wait_for 5 "values are agreed" settled b
starve a
at_least "Downs at the far end" "$(peer_field b p down-transitions)" 1
equal "turns taken by others" "$(relieved)" 0
