# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests in which BIRD follows: sourced behind lib.sh. An edge e with BIRD and bfdd, two routers with BIRD, by
# the configurations of bfdd-bird(7). ROUTES is how many IPv4 prefixes are announced.
need bird birdc
EXAMPLES=$TOP/docs/examples/bird

# An edge e and two routers, each behind a wire that can be cut without anybody's carrier telling.
lab_ns e ams fra w
lab_wire w e eth1 ams edge
lab_wire w e eth2 fra edge2
lab_in fra ip link set edge2 name edge
lab_addr e eth1 192.0.2.0/31 2001:db8:1::a/64
lab_addr e eth2 192.0.2.2/31 2001:db8:2::a/64
lab_addr ams edge 192.0.2.1/31 2001:db8:1::1/64
lab_addr fra edge 192.0.2.3/31 2001:db8:2::1/64
lab_wires_ready w

bird_start() { # NAME FILE
	cp "$EXAMPLES/$2" "$RUN/bird-$1.conf"
	bird_restart "$1"
}

# The routers are the test's instruments: their BFD is to be in time whatever else the machine does.
bird_restart() { # NAME
	local before=()
	[ "$1" = e ] || before=(chrt -f 1)
	lab_start "$1" "bird-$1" "${before[@]}" bird -f -c "$RUN/bird-$1.conf" -s "$RUN/bird-$1.ctl" -P "$RUN/bird-$1.pid"
	echo "$PID" >"$RUN/bird-$1.process"
}

birdc_in() { # NAME COMMAND...
	local name=$1
	shift
	birdc -s "$RUN/bird-$name.ctl" "$@"
}

bgp_is() { # NAME PROTOCOL TEXT    what `show protocols` says of it
	birdc_in "$1" show protocols "$2" 2>/dev/null | grep -q "^$2 .* $3"
}

has_routes() { # PROTOCOL N    that the edge's BIRD has of it
	birdc_in e show protocols all "$1" 2>/dev/null | grep -q "Routes: *$2 imported"
}

bgp_complete() { # all that the edge can learn
	local protocol
	for protocol in ams fra ams_6 fra_6; do
		wait_for 30 "BGP $protocol" bgp_is e $protocol Established
		case $protocol in
		*_6) wait_for 30 "routes of $protocol" has_routes $protocol 100 ;;
		*) wait_for 30 "routes of $protocol" has_routes $protocol "$ROUTES" ;;
		esac
	done
}

# The session's age: the same as before, when it never went.
bgp_since() { # NAME PROTOCOL
	birdc_in "$1" show protocols "$2" | awk -v name="$2" '$1 == name { print $5 }'
}

edge_config() {
	sed "s|/run/bird/bird.ctl|$RUN/bird-e.ctl|" "$EXAMPLES/bfdd.conf"
}

routes_by() { # DEVICE    how many of the announced ones leave by it
	local family n=0
	for family in -4 -6; do
		n=$((n + $(lab_in e ip $family route show dev "$1" proto bird | wc -l)))
	done
	echo $n
}

all_by() { # DEVICE
	[ "$(routes_by "$1")" = $((ROUTES + 100)) ]
}

bird_prefixes() {
	awk -v n="$ROUTES" 'BEGIN { for (i = 0; i < n; i++) printf "route 10.%d.%d.0/24 unreachable;\n", i / 256, i % 256 }' >"$RUN/prefixes4.conf"
	awk 'BEGIN { for (i = 0; i < 100; i++) printf "route 2001:db8:f%03x::/48 unreachable;\n", i }' >"$RUN/prefixes6.conf"
}

bird_edge() {
	bird_prefixes
	bird_start ams router-ams.conf
	bird_start fra router-fra.conf
	bird_start e bird.conf
}
