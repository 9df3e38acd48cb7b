#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The same addresses in a VRF and in none, for the other kinds of sessions: S-BFD's initiators and reflector, unsolicited ones,
# and unaffiliated echo. Each stays in its VRF, and follows its device.
[ -n "${BFDD_VM-}" ] || exec "$(dirname "$0")/../../scripts/vm" -t "${VM_LIMIT-235}" bash "$0"
. "$(dirname "$0")/lib.sh"
need ss

# The edge e; routers n and r, in no VRF and in red, that both call themselves 10.0.0.1.
lab_ns e n r
lab_in e ip link add red type vrf table 101
lab_in e ip link set red up
for name in n r; do
	lab_link e "x$name" "$name" x1
	lab_addr "$name" x1 10.0.0.1/31
done
lab_in e ip link set xr master red
lab_addr e xn 10.0.0.0/31
lab_addr e xr 10.0.0.0/31

profile='profiles = ( { name = "p"; transmit-interval = 400; receive-interval = 400; detect-multiplier = 5; } );'

edge() {
	local common='address = "10.0.0.1"; profile = "p";'
	cat <<-END
		$profile
		peers = ( { name = "n-s"; type = "s-bfd"; local-address = "10.0.0.0"; remote-discriminator = 1000; $common },
		  { name = "r-s"; type = "s-bfd"; local-address = "10.0.0.0"; remote-discriminator = 1000; vrf = "red"; $common },
		  { name = "n-echo"; type = "unaffiliated-echo"; interface = "xn"; $common },
		  { name = "r-echo"; type = "unaffiliated-echo"; interface = "xr"; vrf = "red"; $common } );
		unsolicited = ( { interfaces = [ "xn" ]; prefixes = [ "10.0.0.0/24" ]; profile = "p"; },
		  { interfaces = [ "xr" ]; prefixes = [ "10.0.0.0/24" ]; profile = "p"; vrf = "red"; } );
		s-bfd = { discriminators = ( 7 ); vrfs = [ "red", "absent" ]; };
	END
}

router() { # NAME
	bfdd_start "$1" <<-END
		$profile
		s-bfd = { discriminators = ( 1000 ); };
		peers = ( { name = "direct"; address = "10.0.0.0"; interface = "x1"; profile = "p"; },
		  { name = "asked"; type = "s-bfd"; address = "10.0.0.0"; local-address = "10.0.0.1"; remote-discriminator = 7; profile = "p"; } );
	END
}

states() { # n|r STATE    of e's sessions with one router
	states_like e "@($1-*|*%x$1)" "$2"
}

downs() { # n|r
	ctl e peers | jq -c --arg of "$1" '[.[] | select(.name | startswith($of + "-") or endswith("%x" + $of)) | .["down-transitions"]]'
}

asked_sockets() { # of the reflector, in red
	lab_in e ss -Huan | grep -c '%red:7784 ' || true
}

router n
router r

step "all kinds, in the VRF and outside"
bfdd_start e < <(edge)
for name in n r; do
	wait_for 40 "e's sessions with $name are up" states $name up
	wait_for 20 "all of $name are up" states_like $name '*' up
done
equal "VRF of who was not configured" "$(ctl e peer unsolicited-10.0.0.1%xr | jq -r .vrf)" red
equal "VRF of the initiator" "$(ctl e peer r-s | jq -r .vrf)" red
equal "sockets of the reflector in red" "$(asked_sockets)" 2
equal "where it answers" "$(ctl e status | jq -c '.["s-bfd"].vrfs')" '["red"]'
equal "discriminators that the routers have of e" \
	"$(for name in n r; do peer_field $name direct remote-discriminator; done | sort -u | wc -l)" 2

step "the router in the VRF dies: those outside do not notice"
have=$(downs n)
bfdd_kill r
lab_in r sysctl -qw net.ipv4.ip_forward=0 # or echo would go on
wait_for 20 "e's sessions with r are down" states r down
equal "Downs of the others" "$(downs n)" "$have"
states n up || fail "the others are not up"
lab_in r sysctl -qw net.ipv4.ip_forward=1
bfdd_forget r
bfdd_restart r
wait_for 30 "up again" states r up

step "the VRF goes: nobody listens there, and nobody else minds"
lab_in e ip link del red
wait_for 10 "e's sessions with r are down" states r down
equal "what S-BFD waits for" "$(peer_field e r-s waiting)" "VRF red"
equal "sockets of the reflector in red" "$(asked_sockets)" 0
wait_for 20 "the router's are down" states_like r '*' down
equal "Downs of the others" "$(downs n)" "$have"

step "and comes again"
lab_in e ip link add red type vrf table 101
lab_in e ip link set red up
lab_in e ip link set xr master red
wait_for 30 "up again" states r up
wait_for 20 "all of r are up" states_like r '*' up
equal "Downs of the others" "$(downs n)" "$have"
for name in e n r; do
	bfdd_stop $name
done
