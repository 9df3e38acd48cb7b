#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 200 sessions of FRR, more than it can queue at once: all are taken, counted, and survive the loss of any one connection.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frr.sh"
COUNT=200

lab_ns e r
lab_link e eth1 r eth1
address() { # A|B N    10.A.0.0/31 and so on
	echo "10.0.$(($2 / 100)).$(($2 % 100 * 2 + $1))"
}
for ((n = 0; n < COUNT; n++)); do
	echo "address add $(address 0 $n)/31 dev eth1"
done | lab_in e ip -batch -
for ((n = 0; n < COUNT; n++)); do
	echo "address add $(address 1 $n)/31 dev eth1"
done | lab_in r ip -batch -

{
	echo 'profiles = ( { name = "p"; transmit-interval = 300; receive-interval = 300; } );'
	echo 'peers = ('
	for ((n = 0; n < COUNT; n++)); do
		echo "$([ $n = 0 ] || echo ,) { name = \"p$n\"; address = \"$(address 0 $n)\"; interface = \"eth1\"; profile = \"p\"; }"
	done
	echo ');'
} >"$RUN/bfdd-r.conf"
bfdd_restart r

{
	echo bfd
	for ((n = 0; n < COUNT; n++)); do
		printf ' peer %s local-address %s interface eth1\n exit\n' "$(address 1 $n)" "$(address 0 $n)"
	done
	echo exit
} >"$RUN/frr-peers.conf"

taken() {
	[ "$(frr_status sessions)" = $COUNT ] && [ "$(frr_status stale)" = 0 ]
}

all_at_frr() {
	frr_bfd_up $COUNT
}

all_well() { # WHAT
	wait_for 15 "$1: all taken" taken
	wait_for 20 "$1: all up" all_up e
	wait_for 15 "$1: all up at FRR" all_at_frr
}

step "FRR has its sessions before we come: no more than 58 fit into what it can send at once"
frr_start zebra
frr_start bfdd --dplaneaddr "unix:$FRR/bfdd.dplane"
frr_configure "$RUN/frr-peers.conf"
bfdd_start e <<-END
	frr = { dataplane = "unix:$FRR/bfdd.dplane"; };
END
all_well "late"
echo "connections: $(frr_status connections)"

step "FRR's bfdd is started again while we wait, and gets them one after the other"
frr_kill bfdd
wait_for 5 "noticed" frr_connections 0
frr_start bfdd --dplaneaddr "unix:$FRR/bfdd.dplane"
frr_configure "$RUN/frr-peers.conf"
all_well "early"
echo "connections: $(frr_status connections)"
equal "times that sessions came up" "$(ctl e peers | jq '[.[]["up-transitions"]] | add')" $COUNT

step "counters of all, several times"
for i in 1 2 3 4 5; do
	frr_show "show bfd peers counters json" >"$RUN/counters"
	jq -e "length == $COUNT" "$RUN/counters" >/dev/null || fail "counters of $(jq length "$RUN/counters")"
done
jq -e 'all(.["control-packet-input"] > 0)' "$RUN/counters" >/dev/null || fail "counters: $(jq -c '.[0:3]' "$RUN/counters")"
echo "connections: $(frr_status connections), losses: $(frr_status losses)"
all_well "after counters"
downs=$(frr_show "show bfd peers counters json" | jq '[.[]["session-down"]] | add')
equal "sessions that FRR saw go down" "$downs" 0

step "half of them go"
{
	echo bfd
	for ((n = 0; n < COUNT; n += 2)); do
		echo " no peer $(address 1 $n) local-address $(address 0 $n) interface eth1"
	done
	echo exit
} >"$RUN/frr-half.conf"
frr_configure "$RUN/frr-half.conf"
half() {
	[ "$(ctl e peers | jq length)" = $((COUNT / 2)) ]
}
wait_for 10 "half" half
all_up e || fail "the others are not up"
