# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests in which a service follows what a routing daemon's BGP put into the main table: sourced behind lib.sh,
# and behind scripts/lab-voice by those who want edge(). PROTOCOL is the name of that daemon's routes in the kernel, DELAY
# the service's withdraw-delay (ms), PREFIXES its prefixes ("bgp" unless said otherwise).
PREFIXES='"bgp"'
VOICE_ROUTERS_BY="chrt -f 1" # they are the test's instruments: their BFD is to be in time whatever else the machine does

# The edge's configuration, to standard output.
edge() {
	voice_write_bfdd_conf "$RUN/edge.conf"
	sed -i '/prefixes = \[/,/\]; }/d' "$RUN/edge.conf"
	sed -i "s|sites = \[ \"ams\", \"fra\" \];|& prefixes = $PREFIXES; wait-to-restore = 500; withdraw-delay = $DELAY; }|" "$RUN/edge.conf"
	cat "$RUN/edge.conf"
}

in_main() { # sorted
	lab_in e ip -o route show proto "$PROTOCOL" | awk '{ print $1 }' | sort
}

in_table() { # TABLE
	lab_in e ip -o route show table "$1" proto 158 2>/dev/null | awk '{ print $1 }' | sort
}

in_step() { # COUNT
	in_main >"$RUN/main"
	[ "$(wc -l <"$RUN/main")" = "$1" ] && in_table 58800 | cmp -s - "$RUN/main" && in_table 58801 | cmp -s - "$RUN/main"
}

following() { # FIELD VALUE
	[ "$(service_field e voice ".following[\"$1\"]")" = "$2" ]
}

# What the kernel itself says of our tables.
watch_tables() {
	lab_start e tables ip -o monitor route
	WATCHER=$PID
	wait_for 5 "the monitor hears" tables_heard
}

tables_heard() {
	lab_in e ip route add blackhole 203.0.113.7 table 4242
	lab_in e ip route del blackhole 203.0.113.7 table 4242
	[ -s "$RUN/tables.log" ]
}

deletions() {
	lab_stop "$WATCHER" || true
	grep -c '^Deleted.* table 588' "$RUN/tables.log" || true
	rm -f "$RUN/tables.log"
}
