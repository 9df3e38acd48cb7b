#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The same addresses in two VRFs and in none, single hop and multihop: each is a session of its own, nobody hears another's
# packets, whatever net.ipv4.udp_l3mdev_accept says, and devices come, go and are renamed.
[ -n "${BFDD_VM-}" ] || exec "$(dirname "$0")/../../scripts/vm" -t "${VM_LIMIT-235}" bash "$0"
. "$(dirname "$0")/lib.sh"
need ss

# The edge e; routers n, r, b (in no VRF, red, blue) that all call themselves 10.0.0.1, fe80::b and, behind that, 10.9.9.9.
lab_ns e n r b
lab_in e ip link add red type vrf table 101
lab_in e ip link add blue type vrf table 102
lab_in e ip link set red up
lab_in e ip link set blue up
for name in n r b; do
	lab_link e "x$name" "$name" x1
done
lab_in e ip link set xr master red
lab_in e ip link set xb master blue
lab_in e ip addr add 10.8.8.8/32 dev lo
for device in red blue; do
	lab_in e ip addr add 10.8.8.8/32 dev $device
done
for name in n r b; do
	lab_addr e "x$name" 10.0.0.0/31 fe80::a/64
	lab_addr "$name" x1 10.0.0.1/31 fe80::b/64
	lab_addr "$name" lo 10.9.9.9/32
	lab_in "$name" ip route add 10.8.8.8 via 10.0.0.0
done
lab_in e ip route add 10.9.9.9 via 10.0.0.1
lab_in e ip route add 10.9.9.9 via 10.0.0.1 vrf red
lab_in e ip route add 10.9.9.9 via 10.0.0.1 vrf blue

peers() { # NAME VRF-WORDS
	cat <<-END
		{ name = "$1-v4"; address = "10.0.0.1"; local-address = "10.0.0.0"; interface = "x$1"; profile = "p"; $2 },
		{ name = "$1-v6"; address = "fe80::b"; local-address = "fe80::a"; interface = "x$1"; profile = "p"; $2 },
		{ name = "$1-far"; address = "10.9.9.9"; local-address = "10.8.8.8"; multihop = true; profile = "p"; $2 }
	END
}

profile='profiles = ( { name = "p"; transmit-interval = 400; receive-interval = 400; detect-multiplier = 5; } );'

router() { # NAME
	bfdd_start "$1" <<-END
		$profile
		peers = ( { name = "v4"; address = "10.0.0.0"; interface = "x1"; profile = "p"; },
		  { name = "v6"; address = "fe80::a"; interface = "x1"; profile = "p"; },
		  { name = "far"; address = "10.8.8.8"; local-address = "10.9.9.9"; multihop = true; profile = "p"; } );
	END
}

waiting_is() { # PEER TEXT
	[ "$(peer_field e "$1" waiting)" = "$2" ]
}

strangers() { # packets that no session was to have
	[ "$(ctl e status | jq '[.engine.drops | .["no-session"], .["unknown-discriminator"] | . // 0] | add')" -gt 0 ]
}

listening() { # COUNT
	[ "$(lab_in e ss -Huan | grep -c ':[34]784 ')" = "$1" ]
}

sockets() { # DEVICE    that are bound to it, of BFD's ports
	lab_in e ss -Huan | grep -c "%$1:[34]784 " || true
}

for name in n r b; do
	router $name
done

step "three times the same addresses"
bfdd_start e <<-END
	$profile
	peers = ( $(peers n ""), $(peers r 'vrf = "red";'), $(peers b 'vrf = "blue";') );
END
wait_for 30 "nine sessions are up" states_like e '*' up
for name in n r b; do
	wait_for 10 "all of $name are up" states_like $name '*' up
done
equal "sockets in red" "$(sockets red)" 3
equal "sockets in blue" "$(sockets blue)" 3
equal "vrf of a peer" "$(ctl e peer r-v4 | jq -r .vrf)" red
equal "vrf of a peer in none" "$(ctl e peer n-v4 | jq -r .vrf)" null
equal "discriminators that the routers know" \
	"$(for name in n r b; do peer_field $name v4 remote-discriminator; done | sort -u | wc -l)" 3

step "one of them dies: the others do not notice"
have=$(ctl e peers | jq -c '[.[] | select(.name | startswith("r-") | not) | .["down-transitions"]]')
bfdd_kill r
wait_for 10 "those of red are down" states_like e 'r-*' down
equal "Downs of the others" "$(ctl e peers | jq -c '[.[] | select(.name | startswith("r-") | not) | .["down-transitions"]]')" "$have"
equal "state of the others" "$(ctl e peers | jq -r '[.[] | select(.name | startswith("r-") | not) | .state] | unique[]')" up
bfdd_forget r
bfdd_restart r
wait_for 20 "up again" states_like e '*' up

step "sockets of no VRF that are shown packets of VRFs take none"
lab_in e sysctl -qw net.ipv4.udp_l3mdev_accept=1
bfdd_stop e
bfdd_start e <<-END
	$profile
	peers = ( { name = "any"; address = "10.9.9.9"; local-address = "10.8.8.8"; multihop = true; profile = "p"; } );
END
wait_for 15 "the session in no VRF is up" states_like e '*' up
lab_in e ip link set xn down
wait_for 15 "it is down, though the same packets come in by VRFs" states_like e '*' down
stays 3 "down" states_like e '*' down
wait_for 10 "packets of VRFs are nobody's" strangers
lab_in e ip link set xn up
lab_in e ip addr replace fe80::a/64 dev xn nodad
lab_in e ip route replace 10.9.9.9 via 10.0.0.1
wait_for 15 "and up again" states_like e '*' up
lab_in e sysctl -qw net.ipv4.udp_l3mdev_accept=0
bfdd_stop e

step "what is missing is said, and waited for"
lab_in e ip link del blue
bfdd_start e <<-END
	$profile
	peers = ( $(peers n ""), $(peers r 'vrf = "red";'), $(peers b 'vrf = "blue";'),
	  { name = "lost"; address = "10.0.0.1"; interface = "xr"; profile = "p"; } );
END
equal "what b-v4 waits for" "$(peer_field e b-v4 waiting)" "VRF blue"
equal "what lost waits for" "$(peer_field e lost waiting)" "interface xr to be in no VRF (vrf is not set)"
lab_in e ip link add blue type vrf table 102
lab_in e ip link set blue up
wait_for 5 "the interface is not in it yet" waiting_is b-v4 "interface xb to be in its VRF"
lab_in e ip link set xb master blue
lab_in e ip addr add 10.8.8.8/32 dev blue
lab_in e ip addr replace fe80::a/64 dev xb nodad
lab_in e ip route replace 10.9.9.9 via 10.0.0.1 vrf blue
wait_for 20 "all but the lost one are up" states_like e '!(lost)' up

step "a VRF is renamed, another is deleted"
lab_in e ip link set red down
lab_in e ip link set red name crimson
lab_in e ip link set crimson up
wait_for 5 "those of red wait" waiting_is r-v4 "VRF red"
lab_in e ip link set crimson down
lab_in e ip link set crimson name red
lab_in e ip link set red up
wait_for 20 "and are up again" states_like e '!(lost)' up
lab_in e ip link del blue
wait_for 5 "those of blue wait" waiting_is b-far "VRF blue"
wait_for 5 "nobody listens there" listening 7
for name in e n r b; do
	bfdd_stop $name
done
