#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every kind of session that FRR has: IPv4, IPv6, link-local, multihop; and an interface that comes back under another index.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frr.sh"

lab_ns e b m
link() {
	lab_link e x1 b x1
	lab_addr e x1 10.0.0.0/31 2001:db8:1::a/64 fe80::a/64
	lab_addr b x1 10.0.0.1/31 2001:db8:1::b/64 fe80::b/64
}
link
lab_link e xm m xe
lab_link m xb b xm
lab_addr e xm 10.1.0.1/24
lab_addr m xe 10.1.0.2/24
lab_addr m xb 10.2.0.2/24
lab_addr b xm 10.2.0.1/24
lab_in e ip route add 10.2.0.0/24 via 10.1.0.2
lab_in b ip route add 10.1.0.0/24 via 10.2.0.2

cat >"$RUN/frr-peers.conf" <<END
bfd
 peer 10.0.0.1 local-address 10.0.0.0 interface x1
  transmit-interval 60
  receive-interval 50
  detect-multiplier 4
 exit
 peer 2001:db8:1::b local-address 2001:db8:1::a interface x1
  transmit-interval 100
  passive-mode
 exit
 peer fe80::b local-address fe80::a interface x1
 exit
 peer 10.2.0.1 multihop local-address 10.1.0.1
  minimum-ttl 254
 exit
exit
END
bfdd_start b <<-END
	profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 40; detect-multiplier = 3; } );
	peers = (
	  { name = "v4"; address = "10.0.0.0"; interface = "x1"; profile = "p"; },
	  { name = "v6"; address = "2001:db8:1::a"; interface = "x1"; profile = "p"; },
	  { name = "ll"; address = "fe80::a"; interface = "x1"; profile = "p"; },
	  { name = "far"; address = "10.1.0.1"; local-address = "10.2.0.1"; multihop = true; profile = "p"; }
	);
END
bfdd_start e <<-END
	frr = { dataplane = "unix:$FRR/bfdd.dplane"; };
END

all_here() { # WHAT
	wait_for 15 "$1: four sessions" four
	wait_for 15 "$1: all up" all_up e
	wait_for 15 "$1: all up at FRR" frr_bfd_up 4
}

four() {
	[ "$(ctl e peers | jq length)" = 4 ]
}

step "each kind, with its name"
frr_start zebra
frr_start bfdd --dplaneaddr "unix:$FRR/bfdd.dplane"
frr_configure "$RUN/frr-peers.conf"
all_here "at first"
equal "names" "$(ctl e peers | jq -c 'map(.name) | sort')" '["10.0.0.1","10.2.0.1","2001:db8:1::b","fe80::b%x1"]'
equal "multihop" "$(ctl e peer 10.2.0.1 | jq -c '[.multihop, .["minimum-ttl"], .["local-address"]]')" '[true,254,"10.1.0.1"]'
equal "passive" "$(ctl e peer 2001:db8:1::b | jq -c '[.passive, .["configured-transmit-interval"]]')" '[true,100]'
equal "timers" "$(ctl e peer 10.0.0.1 | jq -c '[.["configured-transmit-interval"], .["configured-receive-interval"], .["detect-multiplier"]]')" \
	'[60,50,4]'
"$BFDCTL" -s "$RUN/e.ctl" peers
"$BFDCTL" -s "$RUN/e.ctl" peer fe80::b%x1 | grep -q '^source  *FRR' || fail "bfdctl does not say whose peer it is"

step "the interface goes and comes back under another index"
index=$(lab_in e ip -o link show x1 | cut -d: -f1)
lab_in e ip link del x1
gone() {
	[ "$(ctl e peers | jq '[.[] | select(.state == "down")] | length')" = 3 ]
}
wait_for 5 "three are down" gone
wait_for 10 "FRR is told" frr_bfd_up 1
lab_link e x9 b x9
link
[ "$(lab_in e ip -o link show x1 | cut -d: -f1)" != "$index" ] || fail "the index is the same"
all_here "back"

step "many times deleted and made"
for ((i = 0; i < 10; i++)); do
	frr_command "configure terminal" "bfd" "no peer fe80::b local-address fe80::a interface x1"
	frr_command "configure terminal" "bfd" "peer fe80::b local-address fe80::a interface x1"
done
all_here "after that"
equal "refused" "$(frr_status refused)" 0
