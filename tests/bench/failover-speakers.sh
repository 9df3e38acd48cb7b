# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # said by failover.sh: daemon, family, count, interval, proto
#
# What speaks BGP and BFD in the network of failover-lab.sh.
#
#   speaker_start NODE bfd|plain     the routing daemon of e, r1 or r2, with its own BFD or without
#   speaker_stop NODE [SIGNAL], speaker_signal NODE SIGNAL
#   speaker_bfd_up                   the edge's own BFD has both routers
#   speaker_learned                  the edge's daemon has all prefixes of both
#   routes_by DEVICE                 how many of the daemon's routes in the main table of e leave by it
#   edge_bfdd_start, edge_bfdd_ready, edge_bfdd_stop

MULTIPLIER=3
declare -A pids=() # the routing daemon's processes on a node

speaker_start() { # NODE bfd|plain
	pids[$1]=
	: >"$RUN/$1.log"
	"speaker_$daemon" "$1" "$2"
}

speaker_signal() { # NODE SIGNAL
	local pid
	for pid in ${pids[$1]}; do
		kill "-$2" "$pid" || true
	done
}

# The last started goes first: bgpd before zebra.
speaker_stop() { # NODE [SIGNAL]
	local pid stopped=
	for pid in ${pids[$1]}; do
		stopped="$pid $stopped"
	done
	for pid in $stopped; do
		lab_stop "$pid" "${2-TERM}" || true
	done
	pids[$1]=
	[ "$1" != e ] || edge_flush
}

edge_flush() {
	lab_in e ip -${family#ipv} route flush table main proto "$proto" 2>/dev/null || true
	lab_in e ip nexthop flush proto zebra 2>/dev/null || true
}

bird_neighbor() { # NAME LOCAL LOCAL-AS NEIGHBOR NEIGHBOR-AS INTERFACE bfd|plain CHANNEL
	cat <<-END
		protocol bgp $1 {
			hold time 3;
			keepalive time 1;
			connect delay time 1;
			connect retry time 2;
			error wait time 1, 2;
			direct;
			local $2 as $3;
			neighbor $4 as $5;
			interface "$6";
			bfd $([ "$7" = bfd ] && echo on || echo off);
			$family { $8 };
		}
	END
}

speaker_bird() { # NODE bfd|plain
	local n
	{
		cat <<-END
			log stderr all;
			timeformat log iso long us;
			protocol device {}
		END
		[ "$2" != bfd ] || cat <<-END
			protocol bfd {
				interface "*" { min rx interval $interval ms; min tx interval $interval ms; idle tx interval 300 ms;
					multiplier $MULTIPLIER; };
			}
		END
		if [ "$1" = e ]; then
			echo 'router id 192.0.2.2;'
			echo "protocol kernel { scan time 60; $family { import none; export all; }; }"
			for n in 1 2; do
				bird_neighbor r$n "$(edge_address $n)" 64500 "$(router_address $n)" 64510 r$n "$2" \
					"import filter { bgp_local_pref = $((300 - 100 * n)); accept; }; export none;"
			done
		else
			n=${1#r}
			echo "router id 198.51.100.$n;"
			# Blackholes only in BIRD: its kernel has one route for the whole block.
			echo "protocol static { $family;"
			sed 's/.*/route & blackhole;/' "$RUN/prefixes"
			echo '}'
			bird_neighbor edge "$(router_address "$n")" 64510 "$(edge_address "$n")" 64500 edge "$2" \
				"import none; export all;"
		fi
	} >"$RUN/$1.conf"
	lab_start "$1" "$1" bird -f -c "$RUN/$1.conf" -s "$RUN/$1.bird" -P "$RUN/$1.pid"
	pids[$1]=$PID
}

frr_neighbor() { # ADDRESS AS bfd|plain
	cat <<-END
		 neighbor $1 remote-as $2
		 neighbor $1 timers 1 3
		 neighbor $1 timers connect 2
		 neighbor $1 advertisement-interval 0
	END
	[ "$3" = plain ] || echo " neighbor $1 bfd profile fast"
}

frr_bgpd() { # NODE bfd|plain
	local n
	if [ "$1" = e ]; then
		for n in 1 2; do
			printf 'route-map r%d permit 10\n set local-preference %d\n!\n' $n $((300 - 100 * n))
		done
		printf 'route-map none deny 10\n!\nrouter bgp 64500\n bgp router-id 192.0.2.2\n'
	else
		n=${1#r}
		printf 'router bgp 64510\n bgp router-id 198.51.100.%d\n no bgp network import-check\n' "$n"
	fi
	printf ' no bgp ebgp-requires-policy\n no bgp default ipv4-unicast\n'
	if [ "$1" = e ]; then
		for n in 1 2; do
			frr_neighbor "$(router_address $n)" 64510 "$2"
		done
		echo " address-family $family unicast"
		for n in 1 2; do
			printf '  neighbor %s %s\n' "$(router_address $n)" activate "$(router_address $n)" "route-map r$n in" \
				"$(router_address $n)" 'route-map none out'
		done
	else
		frr_neighbor "$(edge_address "$n")" 64500 "$2"
		echo " address-family $family unicast"
		echo "  neighbor $(edge_address "$n") activate"
		sed 's/^/  network /' "$RUN/prefixes"
	fi
	echo ' exit-address-family'
}

speaker_frr() { # NODE bfd|plain
	local dir=$RUN/$1-frr programs="zebra bgpd" program end=$((SECONDS + 20)) more
	[ "$2" = plain ] || programs="zebra bfdd bgpd"
	rm -rf "$dir"
	mkdir "$dir"
	: >"$dir/zebra.conf"
	cat >"$dir/bfdd.conf" <<-END
		bfd
		 profile fast
		  transmit-interval $interval
		  receive-interval $interval
		  detect-multiplier $MULTIPLIER
		 !
		!
	END
	frr_bgpd "$1" "$2" >"$dir/bgpd.conf"
	chown -R frr:frr "$dir"
	for program in $programs; do
		more=()
		[ $program != bfdd ] || more=(--bfdctl "$dir/bfdd.sock")
		lab_start "$1" "$1" "$FRR_BIN/$program" -f "$dir/$program.conf" -z "$dir/zserv.api" --vty_socket "$dir" \
			-i "$dir/$program.pid" --log stdout "${more[@]}"
		pids[$1]="${pids[$1]} $PID"
		until [ -S "$dir/$([ $program = zebra ] && echo zserv.api || echo $program.vty)" ]; do
			[ $SECONDS -lt $end ] && lab_alive "$PID" || die "$program does not start in $1: $(tail -3 "$RUN/$1.log")"
			sleep 0.02
		done
	done
}

speaker_ask() { # PROGRAM COMMAND    of the edge's
	case $daemon in
	bird) timeout 20 birdc -s "$RUN/e.bird" "$2" 2>/dev/null ;;
	frr) timeout 20 vtysh --vty_socket "$RUN/e-frr" -d "$1" -c "$2" 2>/dev/null ;;
	esac
}

speaker_bfd_up() {
	case $daemon in
	bird) [ "$(speaker_ask bird "show bfd sessions" | grep -c ' Up ')" = 2 ] ;;
	frr) speaker_ask bfdd "show bfd peers json" | jq -e 'length == 2 and all(.status == "up")' >/dev/null ;;
	esac
}

speaker_learned() {
	case $daemon in
	bird) [ "$(speaker_ask bird "show protocols all" | grep -c "Routes: *$count imported")" = 2 ] ;;
	frr)
		speaker_ask bgpd "show bgp $family unicast summary json" |
			jq -e --argjson count "$count" '[.peers[] | select(.pfxRcd == $count)] | length == 2' >/dev/null
		;;
	esac
}

routes_by() { # DEVICE
	lab_in e ip -${family#ipv} -o route show table main proto "$proto" | awk -v by=" dev $1 " 'index($0 " ", by) { n++ } END { print n + 0 }'
}

edge_ctl() { # COMMAND
	"$BFDCTL" -s "$RUN/e.ctl" --json "$@" 2>/dev/null
}

edge_bfdd_start() {
	local n
	{
		echo "profiles = ( { name = \"p\"; transmit-interval = $interval; receive-interval = $interval;" \
			"detect-multiplier = $MULTIPLIER; } );"
		echo 'peers = ('
		for n in 1 2; do
			echo "{ name = \"r$n\"; address = \"$(router_address $n)\"; interface = \"r$n\"; profile = \"p\"; }$([ $n = 2 ] || echo ,)"
		done
		echo ');'
		echo 'sites = ( { name = "r1"; peers = [ "r1" ]; }, { name = "r2"; peers = [ "r2" ]; } );'
		echo 'services = ( { name = "voice"; sites = [ "r1", "r2" ]; wait-to-restore = 0; prefixes = ['
		sed 's/.*/"&",/; $s/,$//' "$RUN/prefixes"
		echo ']; } );'
	} >"$RUN/bfdd.conf"
	rm -rf "$RUN/bfdd.state"
	mkdir "$RUN/bfdd.state"
	: >"$RUN/bfdd.log"
	lab_start e bfdd "$BFDD" -c "$RUN/bfdd.conf" -s "$RUN/e.ctl" -S "$RUN/bfdd.state"
	pid_bfdd=$PID
}

# Both rules stand, so both tables are filled and both sites are up.
edge_bfdd_ready() {
	edge_ctl services | jq -e '.[0]["active-site"] == "r1"' >/dev/null &&
		edge_ctl peers | jq -e 'length == 2 and all(.state == "up")' >/dev/null &&
		[ "$(lab_in e ip -${family#ipv} -o rule list | grep -c '^100[01]:')" = 2 ]
}

edge_bfdd_stop() {
	lab_stop "$pid_bfdd" || true
}
