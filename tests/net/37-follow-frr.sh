#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A service that follows BGP beside FRR, whose routes hang on nexthop objects of its own: prefixes appear, a site dies, prefixes
# are withdrawn, FRR restarts.
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/lab-voice
. "$TOP/scripts/lab-voice"
PROTOCOL=bgp
. "$(dirname "$0")/lib-follow.sh"
need bird birdc vtysh
[ -x /usr/lib/frr/bgpd ] || skip "frr is not installed"

VOICE_PREFIXES=1000
voice_topology
voice_start_routers

FRR=$RUN/frr
mkdir "$FRR"
: >"$FRR/zebra.conf"
{
	echo "router bgp 64500"
	echo " bgp router-id 192.0.2.2"
	echo " no bgp ebgp-requires-policy"
	for n in 1 2 3 4; do
		echo " neighbor 192.0.2.$((2 * n + 1)) remote-as 64510"
		echo " neighbor 192.0.2.$((2 * n + 1)) timers 1 3"
		echo " neighbor 192.0.2.$((2 * n + 1)) timers connect 1"
	done
	echo " address-family ipv4 unicast"
	for n in 1 2 3 4; do
		echo "  neighbor 192.0.2.$((2 * n + 1)) route-map $([ $n -le 2 ] && echo ams || echo fra) in"
	done
	printf '  maximum-paths 4\n exit-address-family\n!\n'
	printf 'route-map ams permit 10\n set local-preference 200\n!\nroute-map fra permit 10\n set local-preference 100\n!\n'
} >"$FRR/bgpd.conf"
chown -R frr:frr "$FRR"

frr_start() { # zebra|bgpd
	lab_start e "frr-$1" "/usr/lib/frr/$1" -f "$FRR/$1.conf" -z "$FRR/zserv.api" --vty_socket "$FRR" -i "$FRR/$1.pid" --log stdout
}

zebra_ready() {
	[ -S "$FRR/zserv.api" ]
}

main_by() { # DEVICE DEVICE
	voice_routes_by "$1" "$2" "$VOICE_PREFIXES" bgp
}

frr_start zebra
ZEBRA=$PID
wait_for 10 "zebra listens" zebra_ready
frr_start bgpd
BGPD=$PID
DELAY=4000
bfdd_start e < <(edge)
wait_for 60 "the main table goes by ams" main_by r1 r2
wait_for 10 "all sessions up" all_up e
wait_for 10 "our tables have what the main table has" in_step $VOICE_PREFIXES
wait_for 5 "ams carries" service_on e voice ams
lab_in e ip -o route show proto bgp | head -1

step "ams falls silent: the gap is the detection time, long before FRR knows"
voice_recv_start c
voice_send_start p "first,$FIRST,1000" "last,$LAST,1000"
sleep 0.5
watch_tables
lab_cut w r1 r2
wait_for 5 "fra carries" service_on e voice fra
wait_for 30 "FRR has gone over" main_by r3 r4
frr_ms=$((($(lab_now) - CUT_FROM) / 1000))
stays 5 "in step, for longer than the delay" in_step $VOICE_PREFIXES
voice_end
echo "FRR itself went over after $frr_ms ms"
for stream in first last; do
	gap=$(stream_field $stream largest-gap-ms)
	at_most "gap towards the $stream prefix, ms" "$gap" $((160 * SLACK))
	at_most "$stream: the gap in hundredths of FRR's" $((100 * ${gap%.*} / frr_ms)) 20
	at_most "silence at the end, ms" "$(stream_field $stream silent-at-end-ms)" $((200 + 100 * SLACK))
done
equal "routes taken from our tables" "$(deletions)" 0

step "ams comes back"
lab_heal w
wait_for 60 "the main table goes by ams" main_by r1 r2
wait_for 20 "ams carries" service_on e voice ams
in_step $VOICE_PREFIXES || fail "not in step"

step "half of the prefixes are withdrawn everywhere, and come again"
cp "$RUN/bird-static.conf" "$RUN/bird-all.conf"
head -$((VOICE_PREFIXES / 2)) "$RUN/bird-all.conf" >"$RUN/bird-static.conf"
for n in 1 2 3 4; do
	birdc -s "$RUN/bird-r$n.ctl" configure >>"$RUN/configure.log"
done
wait_for 20 "withdrawn" following withdrawn $((VOICE_PREFIXES / 2))
equal "prefixes still there" "$(in_table 58801 | wc -l)" $VOICE_PREFIXES
wait_for 20 "gone" in_step $((VOICE_PREFIXES / 2))
cp "$RUN/bird-all.conf" "$RUN/bird-static.conf"
for n in 1 2 3 4; do
	birdc -s "$RUN/bird-r$n.ctl" configure >>"$RUN/configure.log"
done
wait_for 20 "all again" in_step $VOICE_PREFIXES
wait_for 20 "by ams" main_by r1 r2

step "with nexthop objects alone in the kernel's messages"
lab_in e sysctl -qw net.ipv4.nexthop_compat_mode=0
DELAY=60000 # the routers' BFD ends their BGP sessions
edge >"$RUN/bfdd-e.conf"
watch_tables
bfdd_kill e
bfdd_restart e
wait_for 10 "following" following in-step true
equal "prefixes" "$(service_field e voice '.["prefix-count"]')" $VOICE_PREFIXES
lab_in e sysctl -qw net.ipv4.nexthop_compat_mode=1 # so that we see
wait_for 15 "all sessions up" all_up e
wait_for 60 "the main table goes by ams" main_by r1 r2
wait_for 10 "in step" in_step $VOICE_PREFIXES
following withdrawn 0 || fail "some withdrawn"
equal "routes taken from our tables" "$(deletions)" 0

step "FRR restarts within the delay: nobody notices"
watch_tables
lab_stop "$BGPD" || true
lab_stop "$ZEBRA" || true
wait_for 10 "the main table is empty" following withdrawn $VOICE_PREFIXES
rm -f "$FRR/zserv.api"
frr_start zebra
wait_for 10 "zebra listens" zebra_ready
frr_start bgpd
wait_for 60 "the main table goes by ams" main_by r1 r2
wait_for 10 "none is withdrawn" following withdrawn 0
in_step $VOICE_PREFIXES || fail "not in step"
equal "routes taken from our tables" "$(deletions)" 0
lab_in e ip -N -o nexthop show >"$RUN/nexthops" # protocol 11 is zebra's
at_least "nexthop objects of FRR" "$(grep -c ' proto 11 ' "$RUN/nexthops" || true)" 1
equal "those of them that have our numbers" "$(awk '/ proto 11 / && $2 >= 1484783616' "$RUN/nexthops")" ""

equal "what was taken for others' deletions" "$(grep -c 'somebody deleted' "$RUN/bfdd-e.log" || true)" 0
bfdd_stop e
equal "what is left of ours" "$(kernel_objects e | grep -c 'proto 158' || true)" 0
