#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# FRR's sessions in VRFs, which FRR does not name to a data plane: one with an interface is in that one's; one without is where its
# local address is; where several VRFs have that it waits; and of two that only their VRFs would tell apart one is refused.
[ -n "${BFDD_VM-}" ] || exec "$(dirname "$0")/../../scripts/vm" -t "${VM_LIMIT-235}" bash "$0"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frr.sh"

# The edge e; the routers n in no VRF and r in red, both 10.0.0.1.
lab_ns e n r
for vrf in red blue; do
	lab_in e ip link add $vrf type vrf table $([ $vrf = red ] && echo 101 || echo 102)
	lab_in e ip link set $vrf up
	lab_addr e $vrf 10.6.6.6/32
done
for name in n r; do
	lab_link e "x$name" "$name" x1
	lab_addr "$name" x1 10.0.0.1/31
done
lab_in e ip link set xr master red
lab_addr e xn 10.0.0.0/31
lab_addr e xr 10.0.0.0/31
lab_addr e red 10.7.7.7/32
lab_addr e lo 10.8.8.8/32
lab_addr r lo 10.9.9.7/32
lab_addr n lo 10.9.9.8/32
lab_in e ip route add 10.9.9.8 via 10.0.0.1
lab_in e ip route add 10.9.9.7 via 10.0.0.1 vrf red
lab_in r ip route add 10.7.7.7 via 10.0.0.0
lab_in n ip route add 10.8.8.8 via 10.0.0.0

cat >"$RUN/frr-peers.conf" <<END
bfd
 peer 10.0.0.1 local-address 10.0.0.0 vrf red interface xr
 exit
 peer 10.9.9.7 multihop local-address 10.7.7.7 vrf red
 exit
 peer 10.9.9.6 multihop local-address 10.6.6.6 vrf red
 exit
 peer 10.9.9.8 multihop local-address 10.8.8.8
 exit
exit
END

bfdd_start r <<-END
	peers = ( { name = "near"; address = "10.0.0.0"; interface = "x1"; },
	  { name = "far"; address = "10.7.7.7"; local-address = "10.9.9.7"; multihop = true; } );
END
bfdd_start n <<-END
	peers = ( { name = "far"; address = "10.8.8.8"; local-address = "10.9.9.8"; multihop = true; } );
END
bfdd_start e <<-END
	frr = { dataplane = "unix:$FRR/bfdd.dplane"; };
END

vrf_of() { # PEER
	ctl e peer "$1" | jq -r .vrf
}

refused() { # COUNT    at least
	[ "$(ctl e status | jq .frr.refused)" -ge "$1" ]
}

step "each in its VRF"
frr_start zebra
frr_start bfdd --dplaneaddr "unix:$FRR/bfdd.dplane"
frr_configure "$RUN/frr-peers.conf"
wait_for 40 "three are up" states_are e 10.0.0.1=up 10.9.9.7=up 10.9.9.8=up
equal "with an interface" "$(vrf_of 10.0.0.1)" red
equal "by its local address" "$(vrf_of 10.9.9.7)" red
equal "outside" "$(vrf_of 10.9.9.8)" null
wait_for 10 "all of r are up" states_like r '*' up
wait_for 20 "FRR knows" frr_bfd_up 3

step "what cannot be told waits, or is refused, and says so"
equal "what it waits for" "$(peer_field e 10.9.9.6 waiting)" "only one VRF to have 10.6.6.6"
frr_command "configure terminal" "bfd" "peer 10.9.9.8 multihop local-address 10.8.8.8 vrf red"
wait_for 10 "the twin is refused" refused 1
grep -q "the session to 10.9.9.8 cannot be: another one has its addresses" "$RUN/bfdd-e.log" || fail "the log does not say so"
states_are e 10.0.0.1=up 10.9.9.7=up 10.9.9.8=up || fail "another one suffered"
equal "sessions" "$(ctl e peers | jq length)" 4

step "the other VRF goes: nothing is doubtful any more"
lab_in e ip link del blue
waits_no_more() {
	[[ "$(peer_field e 10.9.9.6 waiting)" =~ ^(null)?$ ]]
}
wait_for 10 "it waits no more" waits_no_more
equal "its VRF" "$(vrf_of 10.9.9.6)" red
for name in e n r; do
	bfdd_stop $name
done
