#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 100,000 prefixes followed: at once, through a failover, while they come and go in a loop, and after more changes than the
# socket can hold. Time and memory are printed.
. "$(dirname "$0")/lib.sh"
PROTOCOL=bird
. "$(dirname "$0")/lib-follow.sh"

COUNT=100000
lab_ns e r
for n in 1 2; do
	lab_link e x$n r x$n
	lab_addr e x$n 10.0.$n.0/31
	lab_addr r x$n 10.0.$n.1/31
done
# Long enough for the whole daemon to be stopped for a while.
PEER='transmit-interval = 300; receive-interval = 300; detect-multiplier = 100;'
bfdd_start r <<-END
	peers = ( { name = "p1"; address = "10.0.1.0"; interface = "x1"; $PEER },
	  { name = "p2"; address = "10.0.2.0"; interface = "x2"; $PEER } );
END
bfdd_start e <<-END
	peers = ( { name = "p1"; address = "10.0.1.1"; interface = "x1"; $PEER },
	  { name = "p2"; address = "10.0.2.1"; interface = "x2"; $PEER } );
	sites = ( { name = "ams"; peers = [ "p1" ]; }, { name = "fra"; peers = [ "p2" ]; } );
	services = ( { name = "voice"; prefixes = "bgp"; sites = [ "ams", "fra" ]; withdraw-delay = 1000; } );
END
wait_up e p1 p2

# batch FILE VERB PEER [FIRST]: changes of COUNT /28s of 100.64.0.0/10 in the main table, as BIRD makes them.
batch() {
	awk -v n=$COUNT -v verb="$2" -v peer="$3" -v first="${4-0}" 'BEGIN {
		for (i = first; i < first + n; i++)
			printf "route %s 100.%d.%d.%d/28 via 10.0.%d.1 dev x%d proto bird\n", verb, 64 + int(i / 4096) % 64,
			       int(i / 16) % 256, i % 16 * 16, peer, peer
	}' >"$RUN/$1"
}

run_batch() { # FILE...
	local file
	for file; do
		lab_in e ip -batch "$RUN/$file"
	done
}

memory() { # kB, resident
	awk '/VmRSS/ { print $2 }' "/proc/$(bfdd_pid e)/status"
}

count_is() { # COUNT
	[ "$(service_field e voice '.["prefix-count"]')" = "$1" ]
}

tables_have() { # COUNT
	[ "$(lab_in e ip -o route show table 58800 2>/dev/null | wc -l)" = "$1" ] &&
		[ "$(lab_in e ip -o route show table 58801 2>/dev/null | wc -l)" = "$1" ]
}

batch add add 1
batch move replace 2
batch back replace 1
batch del del 1
batch del2 del 2

step "$COUNT at once"
before=$(memory)
begin=$(lab_now)
run_batch add
added=$(lab_now)
wait_for 60 "followed" count_is $COUNT
followed=$(lab_now)
wait_for 60 "written" tables_have $COUNT
echo "main table filled in $(((added - begin) / 1000)) ms, followed $(((followed - added) / 1000)) ms later, both tables written" \
	"$((($(lab_now) - added) / 1000)) ms later"
in_step $COUNT || fail "not in step"
bytes=$(service_field e voice .following.memory)
echo "memory: $((bytes / COUNT)) bytes for each prefix in the set, $((($(memory) - before) * 1024 / COUNT)) in all with two tables"
at_most "bytes for each prefix in the set" $((bytes / COUNT)) 80
[ -n "${SAN-}" ] || at_most "bytes for each prefix in all" $((($(memory) - before) * 1024 / COUNT)) 200
wait_for 5 "ams carries" service_on e voice ams

step "found at a restart"
bfdd_kill e
begin=$(lab_now)
bfdd_restart e
wait_for 20 "in step" following in-step true
echo "in step $((($(lab_now) - begin) / 1000)) ms after the start"
in_step $COUNT || fail "not in step"

step "they come and go in a loop: the control socket answers, no memory is lost"
lab_start e churn bash -c "while :; do ip -batch $RUN/move; ip -batch $RUN/back; ip -batch $RUN/del; ip -batch $RUN/add; done"
CHURN=$PID
sleep 3
before=$(memory)
slowest=0
end=$(($(lab_now) + 15000000))
while [ "$(lab_now)" -lt $end ]; do
	begin=$(lab_now)
	ctl e services >"$RUN/services" || fail "no answer"
	took=$((($(lab_now) - begin) / 1000))
	[ $took -le $slowest ] || slowest=$took
done
at_most "slowest answer of bfdctl services, ms" $slowest $((1000 * SLACK))
[ -n "${SAN-}" ] || at_most "growth in 15 s, kB" $(($(memory) - before)) 20000
jq -c '.[0].following' "$RUN/services"
equal "downs" "$(ctl e peers | jq '[.[]["down-transitions"]] | add')" 0
lab_stop "$CHURN" KILL || true
# The batch that ran may go on for a while.
quiet() {
	! pgrep -f "ip -batch $RUN/" >/dev/null
}
wait_for 60 "the loop has ended" quiet
lab_in e ip -force -batch "$RUN/add" >/dev/null 2>&1 || true
run_batch move
wait_for 60 "in step" in_step $COUNT
echo "in step again; $(ctl e services | jq -c '.[0].following')"

step "more changes than the socket can hold: the daemon stands still meanwhile"
overflows=$(service_field e voice .following.overflows)
kill -STOP "$(bfdd_pid e)"
run_batch del2
batch other add 2 50000 # half of them others
run_batch other
kill -CONT "$(bfdd_pid e)"
overflowed() {
	[ "$(service_field e voice .following.overflows)" -gt "$overflows" ]
}
wait_for 20 "the overflow is noticed" overflowed
wait_for 60 "in step" in_step $COUNT
equal "downs" "$(ctl e peers | jq '[.[]["down-transitions"]] | add')" 0
ctl e events | jq -c '.[] | select(.event == "follow")' | tail -3

step "all withdrawn"
batch gone del 2 50000
run_batch gone
wait_for 60 "empty" in_step 0
wait_for 10 "the set is empty" count_is 0
equal "what was taken for others' deletions" "$(grep -c 'somebody deleted' "$RUN/bfdd-e.log" || true)" 0
bfdd_stop e
bfdd_stop r
