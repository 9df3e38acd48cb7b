# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests that have FRR in the namespace e, beside bfdd. Sourced after lib.sh.
[ -x /usr/lib/frr/bfdd ] || skip "frr is not installed"
FRR=$RUN/frr
mkdir -p "$FRR"
chown frr:frr "$FRR"
export TZ=UTC

# With nothing in its file; see frr_configure().
frr_start() { # zebra|bfdd|bgpd [OPTION...]
	local daemon=$1 extra=()
	shift
	[ "$daemon" != bfdd ] || extra=(--bfdctl "$FRR/bfdd.sock")
	: >"$FRR/$daemon.conf"
	chown frr:frr "$FRR/$daemon.conf"
	lab_start e "frr-$daemon" "/usr/lib/frr/$daemon" -f "$FRR/$daemon.conf" -z "$FRR/zserv.api" --vty_socket "$FRR" \
		-i "$FRR/$daemon.pid" --log stdout -P 0 "${extra[@]}" "$@"
	echo "$PID" >"$RUN/frr-$daemon.pid"
	wait_for 10 "$daemon answers" frr_one "$daemon" "show version"
}

frr_pid() { # DAEMON
	cat "$RUN/frr-$1.pid"
}

frr_kill() { # DAEMON [SIGNAL]
	lab_stop "$(frr_pid "$1")" "${2-KILL}" || true
}

frr_one() { # DAEMON COMMAND
	vtysh --vty_socket "$FRR" -d "$1" -c "$2" >/dev/null 2>&1
}

frr_configure() { # FILE    as vtysh does with /etc/frr/frr.conf at the start
	vtysh --vty_socket "$FRR" -f "$1" >"$RUN/frr-configure.log" 2>&1 || fail "FRR refuses $1: $(cat "$RUN/frr-configure.log")"
}

frr_command() { # COMMAND...
	local arguments=() command
	for command; do
		arguments+=(-c "$command")
	done
	vtysh --vty_socket "$FRR" "${arguments[@]}" || fail "FRR refuses: $*"
}

frr_show() { # COMMAND
	vtysh --vty_socket "$FRR" -c "$1" 2>/dev/null
}

frr_bfd() { # PEER FIELD
	frr_show "show bfd peers json" | jq -r --arg peer "$1" ".[] | select(.peer == \$peer) | .$2"
}

frr_bfd_up() { # COUNT
	[ "$(frr_show "show bfd peers json" | jq '[.[] | select(.status == "up")] | length')" = "$1" ]
}

frr_status() { # FIELD    of our own
	ctl e status | jq -r --arg field "$1" '.frr[$field]'
}

frr_connections() { # COUNT
	[ "$(frr_status connections)" = "$1" ]
}

frr_answers() { # true|false
	[ "$(frr_status answers)" = "$1" ]
}

# The edge of the guide (bfdd-frr(7)) and its two neighbors.
two_sites() {
	local n far
	lab_ns e w r s
	for n in 1 2; do
		far=$([ $n = 1 ] && echo r || echo s)
		lab_wire w e eth$n $far eth$n
		lab_addr e eth$n 192.0.2.$((n * 4 - 4))/31
		lab_addr $far eth$n 192.0.2.$((n * 4 - 3))/31
	done
	lab_wires_ready w
}

# The routers: BGP by BIRD, BFD by another bfdd, whose file says when it is down for maintenance.
router() { # NAME N [SHUTDOWN]
	cat >"$RUN/bfdd-$1.conf" <<-END
		peers = ( { name = "edge"; address = "192.0.2.$(($2 * 4 - 4))"; interface = "eth$2"; transmit-interval = 50;
		  receive-interval = 50; shutdown = ${3-false}; } );
	END
}

router_start() { # NAME N AS
	cat >"$RUN/bird-$1.conf" <<-END
		log stderr all;
		router id 192.0.2.$(($2 * 4 - 3));
		protocol device {}
		protocol static { ipv4; route 198.51.100.0/24 blackhole; }
		protocol bgp edge {
			local 192.0.2.$(($2 * 4 - 3)) as $3;
			neighbor 192.0.2.$(($2 * 4 - 4)) as 64500;
			connect retry time 2;
			connect delay time 1;
			error wait time 1, 2;
			ipv4 { import all; export all; };
		}
	END
	lab_start "$1" "bird-$1" bird -f -c "$RUN/bird-$1.conf" -s "$RUN/bird-$1.ctl" -P "$RUN/bird-$1.pid"
	router "$1" "$2"
	bfdd_restart "$1"
}

bgp() { # NEIGHBOR FIELD
	frr_show "show bgp neighbors $1 json" | jq -r --arg n "$1" --arg f "$2" '.[$n][$f]'
}

bgp_is() { # NEIGHBOR STATE
	[ "$(bgp "$1" bgpState)" = "$2" ]
}

bgp_up() {
	bgp_is 192.0.2.1 Established && bgp_is 192.0.2.5 Established
}

drops() {
	echo "$(bgp 192.0.2.1 connectionsDropped) $(bgp 192.0.2.5 connectionsDropped)"
}

all_is_well() { # WHAT
	wait_for 15 "$1: BFD is up" all_up e
	wait_for 15 "$1: FRR sees it" frr_bfd_up 2
	wait_for 30 "$1: BGP is up" bgp_up
}

# What bgpd logs: "2026/01/31 12:34:56.123456 ... %ADJCHANGE: neighbor 192.0.2.1 in vrf default Down ...". As Unix time in us, or "".
bgp_down_at() { # NEIGHBOR SINCE-US
	local at
	grep "ADJCHANGE: neighbor $1.* Down" "$RUN/frr-bgpd.log" | cut -c1-26 | while read -r at; do
		at=$(date -ud "${at//\//-}" +%s%6N)
		[ "$at" -lt "$2" ] || { echo "$at" && break; }
	done
}

bgp_was_down() {
	[ -n "$(bgp_down_at "$@")" ]
}

# The socket's folder is the only thing that differs.
bfdd_conf_as_in_guide() {
	sed "s|/run/frr/|$FRR/|" "$TOP/docs/examples/frr/bfdd.conf" >"$RUN/bfdd-e.conf"
}

frr_as_in_guide() {
	frr_start zebra
	# shellcheck disable=SC1091,SC2046,SC2154
	frr_start bfdd $(. "$TOP/docs/examples/frr/daemons" && echo "${bfdd_options//\/run\/frr\//$FRR/}" | sed 's/-A 127.0.0.1//')
	frr_start bgpd
	frr_configure "$TOP/docs/examples/frr/frr.conf"
	frr_command "configure terminal" "log timestamp precision 6" "router bgp 64500" "bgp log-neighbor-changes" \
		"neighbor 192.0.2.1 timers connect 2" "neighbor 192.0.2.5 timers connect 2"
}
