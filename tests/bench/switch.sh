#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The switch: a site dies silently, and traffic goes to the next one. How long does that take, at how many prefixes,
# with net.ipv4.nexthop_compat_mode 1 (the kernel's default) and 0, and while CHURN routes come and go in the main
# table; by the plain failover and by the fast one?
#
#   detection to kernel   from bfdd's decision to when traffic had moved, us: bfdd's last-switch
#   gap                   the largest in a stream of a packet a millisecond, BFD's detection (3 x 50 ms) included, ms
#
# Before that the steering threads alone, often enough for a 99th percentile; beside idleness and churn also while network
# namespaces are taken down, and while another program changes its nf_tables. And what the fast failover's empty
# chains cost each packet. Figures of a disturbed machine are the machine's: see "load" in the result.
#
# usage: switch.sh [-q] [-p "PREFIXES ..."] [-r ROUNDS] [-n ROUNDS_ALONE] [-c CHURN] [-b BUDGET_S] [-o JSON_FILE]
# -q: a quick look (1 and 1000 prefixes, a round each, 100 alone). What is not done within the budget is left. The
# result is a list of objects with "bench": "switch", and "part": "service", "alone" or "cost".
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
TOOLS=$BUILD/tests/net/tools

# The other load: run by ourselves, for a process group that can be ended as a whole.
case ${1-} in
load-churn)
	while ip -batch "$2/churn-add" && ip -batch "$2/churn-del"; do :; done
	exit
	;;
load-namespaces)
	while ip netns add "$2-load" && ip -n "$2-load" link add a type veth peer name b && ip netns del "$2-load"; do :; done
	exit
	;;
load-nft)
	while nft 'add table inet load; add chain inet load x { type filter hook input priority 0; }; add rule inet load x accept' &&
		nft delete table inet load; do :; done
	exit
	;;
esac

prefixes="1 1000 100000 500000" rounds=5 alone=2000 churn=100000 budget=3600 json=
while getopts qp:r:n:c:b:o: option; do
	case $option in
	q) prefixes="1 1000" rounds=1 alone=100 churn=10000 ;;
	p) prefixes=$OPTARG ;;
	r) rounds=$OPTARG ;;
	n) alone=$OPTARG ;;
	c) churn=$OPTARG ;;
	b) budget=$OPTARG ;;
	o) json=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
is_list "$prefixes" && is_list "$rounds $alone $churn $budget" && [ $# = 0 ] || usage

ctl() { # COMMAND
	"$BFDCTL" -s "$RUN/e.ctl" --json "$@"
}

until_true() { # SECONDS WHAT COMMAND...
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		[ $SECONDS -lt $end ] || die "not within time: $what; $(tail -3 "$RUN/e.log" 2>/dev/null)"
		sleep 0.02
	done
}

# e with a link to each of two routers, which both lead to c.
topology() {
	local n
	lab_ns e r1 r2 c
	for n in 1 2; do
		lab_link e r$n r$n edge
		lab_addr e r$n 192.0.2.$((2 * n))/31
		lab_addr r$n edge 192.0.2.$((2 * n + 1))/31
		lab_link r$n cloud c r$n
		lab_addr r$n cloud 198.51.100.$((2 * n))/31
		lab_addr c r$n 198.51.100.$((2 * n + 1))/31
		lab_in r$n ip route add 100.64.0.0/10 via 198.51.100.$((2 * n + 1))
	done
	lab_in c ip route add local 100.64.0.0/10 dev lo
	lab_in r1 nft 'add table netdev cut; add chain netdev cut in { type filter hook ingress device edge priority 0; }'
	lab_in r1 nft 'add chain netdev cut back { type filter hook ingress device cloud priority 0; }'
	lab_link e x0 c x0
	lab_addr e x0 10.99.0.0/31
	for n in 1 2; do
		bfdd_in r$n <<-END
			peers = ( { name = "e"; address = "192.0.2.$((2 * n))"; interface = "edge";
			  transmit-interval = 50; receive-interval = 50; } );
		END
	done
}

bfdd_in() { # NAME    with the configuration on standard input
	cat >"$RUN/$1.conf"
	: >"$RUN/$1.log"
	rm -rf "$RUN/$1.state"
	mkdir "$RUN/$1.state"
	lab_start "$1" "$1" "$BFDD" -c "$RUN/$1.conf" -s "$RUN/$1.ctl" -S "$RUN/$1.state"
	eval "pid_$1=$PID"
}

edge_start() { # PREFIXES FAST
	{
		cat <<-END
			profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );
			peers = ( { name = "p1"; address = "192.0.2.3"; interface = "r1"; profile = "p"; },
			  { name = "p2"; address = "192.0.2.5"; interface = "r2"; profile = "p"; } );
			sites = ( { name = "ams"; peers = [ "p1" ]; }, { name = "fra"; peers = [ "p2" ]; } );
			steering = { fast-failover = $2; };
			services = ( { name = "voice"; sites = [ "ams", "fra" ]; wait-to-restore = 0; prefixes = [
		END
		awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++)
			printf "%s\"100.%d.%d.%d/29\"", i ? ",\n" : "", 64 + int(i / 8192), int(i / 32) % 256, i % 32 * 8 }'
		echo ' ]; } );'
	} >"$RUN/edge.conf"
	bfdd_in e <"$RUN/edge.conf" # no pipe: it must be our child
	until_true 120 "both tables are filled" ready
}

# Both rules stand, so both tables are filled and both sites are up.
ready() {
	[ "$(lab_in e ip -4 -o rule list | grep -c '^100[01]:')" = 2 ] && on ams
}

on() { # SITE
	ctl services 2>/dev/null | jq -e --arg site "$1" '.[0]["active-site"] == $site' >/dev/null
}

edge_stop() {
	lab_stop "$pid_e" || true
}

# One death of ams and its return: "DETECTION-TO-KERNEL-US GAP-MS".
one_round() {
	local receiver sender
	rm -f "$RUN/recv.log" "$RUN/send.log"
	lab_start c recv "$TOOLS/voice" recv -f 20
	receiver=$PID
	lab_start e send "$TOOLS/voice" send -f 20 s,100.64.0.5,1000
	sender=$PID
	sleep 0.3
	lab_in r1 nft 'add rule netdev cut in drop; add rule netdev cut back drop'
	until_true 10 "fra carries" on fra
	until_true 10 "the switch is reported" told
	sleep 0.2
	lab_stop "$sender" || true
	sleep 0.1
	lab_stop "$receiver" || true
	echo "$(ctl services | jq '.[0]["last-switch"]["detection-to-kernel-us"]') $(jq '.[0]["largest-gap-ms"]' "$RUN/recv.log")"
	lab_in r1 nft 'flush chain netdev cut in; flush chain netdev cut back'
	until_true 20 "ams is back" ready
}

told() {
	ctl services | jq -e '.[0]["last-switch"]["detection-to-kernel-us"] != null' >/dev/null
}

# Other load, while a command runs.
load_start() { # KIND
	case $1 in
	idle) return ;;
	churn) setsid nsenter --net="/run/netns/$LAB-e" "$0" load-churn "$RUN" >/dev/null 2>&1 & ;;
	namespaces) setsid "$0" load-namespaces "$LAB" >/dev/null 2>&1 & ;;
	nft) setsid nsenter --net="/run/netns/$LAB-e" "$0" load-nft >/dev/null 2>&1 & ;;
	esac
	load_pid=$!
	LAB_PIDS+=("$load_pid")
	sleep 1
}

# The loads are process groups of their own: their loops and what these run.
load_stop() {
	[ -n "${load_pid-}" ] || return 0
	kill -TERM -- "-$load_pid" 2>/dev/null || true
	{ wait "$load_pid"; } 2>/dev/null || true
	load_pid=
	ip netns del "$LAB-load" 2>/dev/null || true
}

service() { # PREFIXES COMPAT LOAD FAST
	local n values=""
	for ((n = 0; n < rounds; n++)); do
		values="$values$(one_round)"$'\n'
	done
	echo "$values" | jq -R -s --argjson prefixes "$1" --argjson compat "$2" --arg load "$3" --argjson fast "$4" '
		def figures: sort | {min: .[0], median: .[length / 2 | floor], max: .[-1]};
		[split("\n")[] | select(. != "") | split(" ") | map(tonumber)] |
		{bench: "switch", part: "service", $prefixes, "compat-mode": $compat, $load, "fast-failover": $fast,
		 rounds: length, "detection-to-kernel-us": (map(.[0]) | figures), "gap-ms": (map(.[1]) | figures)}' \
		>>"$RUN/results"
}

services() {
	local n compat load fast
	for n in $prefixes; do
		for fast in false true; do
			for compat in 1 0; do
				! spent || return 0
				lab_in e sh -c "echo $compat >/proc/sys/net/ipv4/nexthop_compat_mode"
				edge_start "$n" $fast
				for load in idle churn; do
					load_start $load
					service "$n" $compat $load $fast
					load_stop
				done
				edge_stop
			done
		done
	done
}

alone() {
	local load fast
	for load in idle churn namespaces nft; do
		for fast in plain fast; do
			load_start $load
			lab_in e "$BENCH/bench_switch" $fast "$alone" 1000 >"$RUN/alone"
			load_stop
			jq --arg load "$load" --argjson fast "$([ $fast = fast ] && echo true || echo false)" '
				{bench: "switch", part: "alone", $load, "fast-failover": $fast, rounds,
				 "detection-to-kernel-us": {min, median, p99, max}}' "$RUN/alone" >>"$RUN/results"
		done
	done
	lab_in e "$BENCH/bench_switch" cost |
		jq '{bench: "switch", part: "cost", "ns-per-packet": {without, with}, hooks}' >>"$RUN/results"
}

show() {
	jq -r -s '
		def fast: if ."fast-failover" then "fast" else "plain" end;
		def three: "\(.median) (\(.min)-\(.max))";
		(["prefixes", "compat", "load", "failover", "rounds", "detection to kernel, us", "gap, ms"],
		 (.[] | select(.part == "service") | [.prefixes, ."compat-mode", .load, fast, .rounds,
			(."detection-to-kernel-us" | three), (."gap-ms" | three)])) | @tsv' "$RUN/results" | column -t -s $'\t'
	echo
	jq -r -s '
		def fast: if ."fast-failover" then "fast" else "plain" end;
		(["load", "failover", "rounds", "median us", "p99 us", "min us", "max us"],
		 (.[] | select(.part == "alone") | [.load, fast, .rounds] +
			(."detection-to-kernel-us" | [.median, .p99, .min, .max]))) | @tsv' "$RUN/results" | column -t -s $'\t'
	echo
	jq -r 'select(.part == "cost") | "empty chains: \(."ns-per-packet".with - ."ns-per-packet".without | round) ns for " +
		"\(.hooks) hooks, of \(."ns-per-packet".with | round) ns for a packet over the loopback"' "$RUN/results"
}

[ "$(id -u)" = 0 ] || die "needs root"
need ip nft jq awk nsenter column setsid
[ -x "$BFDD" ] && [ -x "$BFDCTL" ] && [ -x "$TOOLS/voice" ] && [ -x "$BENCH/bench_switch" ] || die "not built: make bench builds it"
lab_init
topology
awk -v n="$churn" -v run="$RUN" 'BEGIN { for (i = 0; i < n; i++) for (k = 0; k < 2; k++)
	printf "route %s %d.%d.%d.0/24 via 10.99.0.1 dev x0\n", k ? "del" : "add", 20 + int(i / 65536), int(i / 256) % 256,
		i % 256 >(run "/churn-" (k ? "del" : "add")) }'
alone
services
show
[ -z "$json" ] || jq -s . "$RUN/results" >"$json"
