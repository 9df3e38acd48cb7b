#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The fast failover: another program holds the kernel's routing lock, a site dies, and traffic has left it before the
# lock is free; local and forwarded, IPv4 and IPv6. Without it nothing moves until then. Nothing is left behind.
. "$(dirname "$0")/lib.sh"

three_links
lab_ns c
lab_link c xe e xc
lab_addr c xe 10.0.9.2/24 2001:db8:9::2/64
lab_addr e xc 10.0.9.1/24 2001:db8:9::1/64
lab_in c ip route add default via 10.0.9.1
lab_in c ip -6 route add default via 2001:db8:9::1
for n in 1 3; do
	lab_addr e x$n 2001:db8:$n::1/64
	lab_addr r x$n 2001:db8:$n::2/64
done
lab_addr r lo 203.0.113.5/32 2001:db8:cafe::5/128

# What arrives, by link and sender; in the chain before that, a link is cut.
lab_in r nft -f - <<-END
	table netdev cut {
		chain x1 { type filter hook ingress device x1 priority 0; }
	}
	table inet seen {
		counter c1-4 { }
		counter c3-4 { }
		counter c1-6 { }
		counter c3-6 { }
		counter e1-4 { }
		counter e3-4 { }
		counter e1-6 { }
		counter e3-6 { }
		chain in {
			type filter hook prerouting priority 0;
			meta l4proto != udp accept
			udp dport != 7078 accept
			iifname "x1" ip saddr 10.0.9.2 counter name c1-4 accept
			iifname "x3" ip saddr 10.0.9.2 counter name c3-4 accept
			iifname "x1" ip6 saddr 2001:db8:9::2 counter name c1-6 accept
			iifname "x3" ip6 saddr 2001:db8:9::2 counter name c3-6 accept
			iifname "x1" ip version 4 counter name e1-4 accept
			iifname "x3" ip version 4 counter name e3-4 accept
			iifname "x1" counter name e1-6 accept
			iifname "x3" counter name e3-6 accept
		}
	}
END

cut_x1() {
	lab_in r nft add rule netdev cut x1 drop
}

heal_x1() {
	lab_in r nft flush chain netdev cut x1
}

packets() { # COUNTER
	lab_in r nft -j list counter inet seen "$1" | jq '.nftables[] | select(.counter) | .counter.packets'
}

# Traffic of all four kinds arrives by the link since the mark was set.
mark_seen() { # LINK
	SEEN=()
	local kind
	for kind in c$1-4 c$1-6 e$1-4 e$1-6; do
		SEEN+=("$(packets "$kind")")
	done
}

all_arrive() { # LINK
	local kind i=0
	for kind in c$1-4 c$1-6 e$1-4 e$1-6; do
		[ "$(packets "$kind")" -gt "${SEEN[i]}" ] || return 1
		i=$((i + 1))
	done
}

none_arrives() { # LINK
	local kind now i=0
	for kind in c$1-4 c$1-6 e$1-4 e$1-6; do
		now=$(packets "$kind")
		[ "$now" = "${SEEN[i]}" ] || {
			echo "$kind: $now packets, there were ${SEEN[i]}"
			return 1
		}
		i=$((i + 1))
	done
}

bfdd_start r <<-END
	profiles = ( { name = "p"; transmit-interval = 100; receive-interval = 100; } );
	peers = ( { name = "p1"; address = "10.0.1.0"; interface = "x1"; profile = "p"; },
	  { name = "p3"; address = "10.0.3.0"; interface = "x3"; profile = "p"; },
	  { name = "q1"; address = "2001:db8:1::1"; interface = "x1"; profile = "p"; },
	  { name = "q3"; address = "2001:db8:3::1"; interface = "x3"; profile = "p"; } );
END

edge() { # MORE-STEERING
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 100; receive-interval = 100; } );
		peers = ( { name = "p1"; address = "10.0.1.1"; interface = "x1"; profile = "p"; },
		  { name = "p3"; address = "10.0.3.1"; interface = "x3"; profile = "p"; },
		  { name = "q1"; address = "2001:db8:1::2"; interface = "x1"; profile = "p"; },
		  { name = "q3"; address = "2001:db8:3::2"; interface = "x3"; profile = "p"; } );
		sites = ( { name = "ams"; peers = [ "p1", "q1" ]; }, { name = "fra"; peers = [ "p3", "q3" ]; } );
		services = ( { name = "voice"; prefixes = [ "203.0.113.0/24", "2001:db8:cafe::/48" ];
		  sites = [ "ams", "fra" ]; wait-to-restore = 0; } );
		steering = { $1 };
	END
}

rules() { # how many of ours stand
	{
		lab_in e ip -4 -o rule list
		lab_in e ip -6 -o rule list
	} | grep -c '^100[01]:' || true
}

mark_rules() { # how many of them look at the mark
	{
		lab_in e ip -4 -o rule list
		lab_in e ip -6 -o rule list
	} | grep -c '^100[01]:.* fwmark 0/0x' || true
}

said() { # PATTERN    how often, by all daemons here so far
	grep -c "$1" "$RUN/bfdd-e.log" || true
}

both_on() { # SITE
	[ "$(service_field e voice '.["active-sites"] | .ipv4 + " " + .ipv6')" = "$1 $1" ]
}

settled() {
	[ "$(rules)" = 4 ] && both_on ams
}

fast_failover() {
	ctl e status | jq -r '.steering["fast-failover"]'
}

fast_failover_is() {
	[ "$(fast_failover)" = "$1" ]
}

# Rules in our table: 0 at rest.
table_rules() {
	lab_in e nft -a list table inet bfdd-1000 | grep -c 'meta mark .* handle' || true
}

table_at_rest() {
	[ "$(table_rules)" = 0 ]
}

hold_lock() {
	rm -f "$RUN/hold" "$RUN/held.log" # of the time before
	mkfifo "$RUN/hold"
	"$TOOLS/rtnl_hold" <"$RUN/hold" >"$RUN/held.log" &
	HOLDER=$!
	LAB_PIDS+=("$HOLDER")
	exec 9>"$RUN/hold"
	wait_for 10 "the routing lock is held or cannot be" test -s "$RUN/held.log"
	[ "$(cat "$RUN/held.log")" = held ] || skip "the routing lock cannot be held: $(cat "$RUN/held.log")"
}

release_lock() {
	local status=0
	RELEASED=$(lab_now)
	exec 9>&-
	wait "$HOLDER" || status=$?
	equal "exit status of the lock's holder" $status 0
}

start_edge() { # MORE-STEERING
	bfdd_start e < <(edge "$1")
	back_to_ams
}

back_to_ams() {
	heal_x1
	wait_up e p1 p3 q1 q3
	wait_for 10 "both families by ams, standby rules there" settled
	mark_seen 1
	wait_for 5 "traffic by ams" all_arrive 1
}

none_while_held() { # LINK
	none_arrives "$1" || lab_gone "$HOLDER"
}

# The lock is free at the end only if it was still held when traffic arrived: its holder has not ended.
moves_while_held() { # WHAT
	hold_lock
	mark_seen 3
	cut_x1
	wait_for 5 "$1: all traffic by fra while the lock is held" all_arrive 3
	lab_gone "$HOLDER" && fail "$1: the lock was free too early"
	release_lock
	wait_for 5 "$1: the dead site's rules are gone" test_rules 2
	wait_for 5 "$1: no mark is given any more" table_at_rest
	mark_seen 3
	wait_for 5 "$1: traffic goes on by fra" all_arrive 3
}

test_rules() { # NUMBER
	[ "$(rules)" = "$1" ]
}

tables() {
	lab_in e nft list tables
}

kernel_objects e | sort >"$RUN/before"
lab_start e local "$TOOLS/voice" send "e4,203.0.113.5,5000" "e6,2001:db8:cafe::5,5000"
lab_start c forwarded "$TOOLS/voice" send "c4,203.0.113.5,5000" "c6,2001:db8:cafe::5,5000"

step "plain: nothing moves while the lock is held"
start_edge "fast-failover = false;"
equal "fast failover" "$(fast_failover)" off
equal "tables" "$(tables)" ""
hold_lock
mark_seen 3
cut_x1
wait_for 5 "ams is left" both_on fra
stays 1 "no traffic by fra yet" none_while_held 3
release_lock
wait_for 5 "all traffic by fra" all_arrive 3
back_to_ams

step "fast, in place of it: the rules are exchanged by a restart"
bfdd_kill e
start_edge ""
equal "fast failover" "$(fast_failover)" "in place"
equal "rules that look at the mark" "$(mark_rules)" 4
for round in 1 2 3; do
	moves_while_held "round $round"
	moved_at=$(service_field e voice '.["last-switch"] | .at + " " + (.["detection-to-kernel-us"] | tostring)')
	moved_at=$(($(date -d "${moved_at% *}" +%s%6N) + ${moved_at#* }))
	at_most "round $round: last-switch against the lock's end, us" $((moved_at - RELEASED)) -1
	back_to_ams
done

step "the thread that does it is held up: another one does it"
rm -f "$RUN/stop"
mkfifo "$RUN/stop"
"$TOOLS/thread_stop" "$(bfdd_pid e)" bfdd-mark <"$RUN/stop" >"$RUN/stopped.log" &
STOPPER=$!
LAB_PIDS+=("$STOPPER")
exec 8>"$RUN/stop"
wait_for 5 "it stands still" grep -qx stopped "$RUN/stopped.log"
moves_while_held "with one thread stopped"
exec 8>&-
wait "$STOPPER" || fail "the thread was not let go"
back_to_ams

step "a site that is back before the lock is free gets its traffic with the lock, and keeps it"
hold_lock
mark_seen 3
cut_x1
wait_for 5 "all traffic by fra" all_arrive 3
heal_x1
wait_up e p1 q1
lab_gone "$HOLDER" && fail "the lock was free too early"
at_least "rules in our table" "$(table_rules)" 1
release_lock
wait_for 5 "no mark is given" table_at_rest
wait_for 5 "ams has it" settled
mark_seen 1
wait_for 5 "traffic by ams" all_arrive 1
mark_seen 3
stays 1 "none by fra" none_arrives 3

step "somebody flushes all tables: the switch makes ours again"
lab_in e nft flush ruleset
moves_while_held "after a flush"
equal "fast failover" "$(fast_failover)" "in place"
back_to_ams

step "it is made again without a switch, too"
lab_in e nft flush ruleset
table_is_back() {
	tables | grep -qx "table inet bfdd-1000"
}
wait_for 20 "our table is there again" table_is_back

step "packets with a mark of somebody else's are left alone"
lab_in e nft -f - <<-END
	table inet other {
		chain pre { type filter hook prerouting priority mangle; ip saddr 10.0.9.2 meta mark set 0x77; }
		chain post {
			type filter hook postrouting priority mangle
			meta mark & 0xff == 0x77 meta mark != 0x77 counter name ours
		}
		counter ours { }
	}
END
hold_lock
mark_seen 3
cut_x1
forwarded=${SEEN[0]}
arrive_but_marked() {
	local i=1 kind
	for kind in c3-6 e3-4 e3-6; do
		[ "$(packets $kind)" -gt "${SEEN[i]}" ] || return 1
		i=$((i + 1))
	done
}
wait_for 5 "all others by fra" arrive_but_marked
equal "marked packets by fra" "$(packets c3-4)" "$forwarded"
release_lock
forwarded_arrive() {
	[ "$(packets c3-4)" -gt "$forwarded" ]
}
wait_for 5 "those too, with the lock free" forwarded_arrive
equal "packets that leave with both marks" \
	"$(lab_in e nft -j list counter inet other ours | jq '.nftables[] | select(.counter) | .counter.packets')" 0
lab_in e nft delete table inet other
back_to_ams

step "somebody else has our table's name: the failover is the plain one, and status tells"
bfdd_stop e
lab_in e nft 'add table inet bfdd-1000; add chain inet bfdd-1000 output { type filter hook input priority 5; }'
start_edge ""
case "$(fast_failover)" in "not in place: nf_tables: "*) ;; *) fail "status says: $(fast_failover)" ;; esac
equal "warnings" "$(said 'the fast failover is not in place (nf_tables: ')" 1
mark_seen 3
cut_x1
wait_for 5 "all traffic by fra" all_arrive 3
lab_in e nft delete table inet bfdd-1000
back_to_ams
bfdd_stop e

step "killed at work: its marks are gone with the next one's start"
start_edge ""
hold_lock
mark_seen 3
cut_x1
wait_for 5 "all traffic by fra" all_arrive 3
bfdd_kill e &
KILL=$!
release_lock
wait $KILL
wait_for 5 "it is gone" lab_gone "$(bfdd_pid e)"
at_least "rules left in our table" "$(table_rules)" 1
heal_x1
start_edge ""
wait_for 5 "no mark is given" table_at_rest

step "fewer bits than groups: said once for all reloads; a start with enough exchanges the rules"
bfdd_stop e
start_edge "fast-failover-mark = 0x10000;"
for wait in 1 2; do
	sed -i "s/wait-to-restore = .*;/wait-to-restore = $wait; } );/" "$RUN/bfdd-e.conf"
	ctl e reload >/dev/null
done
equal "said" "$(said '3 of 4 groups .* have no bit')" 1
equal "rules that look at the mark" "$(mark_rules)" 1
bfdd_kill e
start_edge ""
equal "rules that look at the mark" "$(mark_rules)" 4
equal "said, with the next one" "$(said 'have no bit')" 1

step "nothing is left of a killed one that was told to be plain afterwards, nor of a clean stop"
bfdd_kill e
start_edge "fast-failover = false;"
equal "tables" "$(tables)" ""
bfdd_kill e
start_edge "rule-priority = 1000;"
bfdd_stop e
equal "tables" "$(tables)" ""
kernel_objects e | sort >"$RUN/now"
equal "lines that differ in the kernel from before" "$(diff "$RUN/before" "$RUN/now" | wc -l)" 0
bfdd_stop r
