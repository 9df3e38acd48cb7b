#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# FRR's BGP sessions, asked for by vtysh: shown, heeded, and without harm when FRR or vtysh is away or hangs.
. "$(dirname "$0")/lib.sh"
[ -x /usr/lib/frr/bgpd ] || skip "frr is not installed"
ROUTES=20
. "$(dirname "$0")/lib-bird.sh"

FRR=$RUN/frr
mkdir "$FRR"
: >"$FRR/zebra.conf"
cat >"$FRR/bgpd.conf" <<-END
	router bgp 65000
	 bgp router-id 192.0.2.0
	 no bgp ebgp-requires-policy
	 neighbor 192.0.2.1 remote-as 65001
	 neighbor 192.0.2.1 timers connect 2
	 neighbor 2001:db8:1::1 remote-as 65001
	 neighbor 2001:db8:1::1 timers connect 2
	 address-family ipv6 unicast
	  neighbor 2001:db8:1::1 activate
	 exit-address-family
END
chown -R frr:frr "$FRR"

frr_start() { # zebra|bgpd
	lab_start e "frr-$1" "/usr/lib/frr/$1" -f "$FRR/$1.conf" -z "$FRR/zserv.api" --vty_socket "$FRR" -i "$FRR/$1.pid" --log stdout
	eval "$1=$PID"
}

zebra_ready() {
	[ -S "$FRR/zserv.api" ]
}

# FRR resets an IPv6 session whose routes come before zebra has told it of the interface.
bgpd_ready() {
	vtysh --vty_socket "$FRR" -d bgpd -c "show bgp neighbors json" 2>/dev/null | grep -q 192.0.2.1
}

vtysh_that() { # COMMANDS of a shell
	printf '#!/bin/sh\n%s\n' "$1" >"$RUN/vtysh.new"
	chmod +x "$RUN/vtysh.new"
	mv "$RUN/vtysh.new" "$RUN/vtysh"
}

vtysh_works() {
	vtysh_that "exec vtysh --vty_socket $FRR \"\$@\""
}

bgp_of() { # PEER FIELD
	ctl e peers | jq -r ".[] | select(.name == \"$1\") | .bgp[\"$2\"]"
}

bgp_shows() { # PEER STATE
	[ "$(bgp_of "$1" state)" = "$2" ]
}

bgp_has() { # PEER PREFIXES
	[ "$(bgp_of "$1" prefixes)" = "$2" ]
}

children() { # how many processes bfdd has begun and not seen end
	pgrep -c -P "$(bfdd_pid e)" || true
}

bird_prefixes
vtysh_works
frr_start zebra
wait_for 10 "zebra listens" zebra_ready
frr_start bgpd
wait_for 10 "bgpd answers" bgpd_ready
bird_start ams router-ams.conf
bfdd_start e <<-END
	profiles = ( { name = "pni"; transmit-interval = 50; receive-interval = 50; } );
	peers = (
	  { name = "ams"; address = "192.0.2.1"; interface = "eth1"; profile = "pni"; },
	  { name = "ams-6"; address = "2001:db8:1::1"; interface = "eth1"; profile = "pni"; }
	);
	sites = ( { name = "ams"; peers = [ "ams", "ams-6" ]; } );
	services = ( { name = "voice"; prefixes = [ "198.51.100.0/24", "2001:db8:ff00::/48" ]; sites = [ "ams" ]; wait-to-restore = 0; } );
	frr = { vtysh = "$RUN/vtysh"; bgp-interval = 200; };
END
wait_for 15 "all sessions up" all_up e

step "what FRR tells"
wait_for 60 "BGP with ams is told" bgp_shows ams established
wait_for 60 "BGP with ams-6 is told" bgp_shows ams-6 established
wait_for 10 "its prefixes are told" bgp_has ams "$ROUTES"
equal "who tells" "$(bgp_of ams daemon)" frr
wait_for 5 "the path may be used" path_usable e voice ams

step "BGP is down: the path carries nothing until it is back"
birdc_in ams disable edge4 >/dev/null
wait_for 10 "the path may not be used" path_not_usable e voice ams
path_usable e voice ams-6 || fail "the other path is gone, too"
birdc_in ams enable edge4 >/dev/null
wait_for 60 "the path may be used" path_usable e voice ams

step "a vtysh that hangs is ended, says nothing, and holds nothing up"
birdc_in ams disable edge4 >/dev/null
wait_for 10 "the path may not be used" path_not_usable e voice ams
vtysh_that "sleep 1000 & sleep 1000"
wait_for 15 "the path may be used" path_usable e voice ams
equal "what is known of BGP" "$(ctl e peers | jq -c '[.[].bgp]')" "[null,null]"
at_most "processes" "$(children)" 1

step "nor does one that talks without end, fails or is not there"
vtysh_that "yes"
stays 2 "the path may be used" path_usable e voice ams
vtysh_that "exit 1"
stays 1 "the path may be used" path_usable e voice ams
rm "$RUN/vtysh"
stays 1 "the path may be used" path_usable e voice ams
at_most "processes" "$(children)" 1
[ -n "${SAN-}" ] || at_most "memory in kB" "$(awk '/^VmHWM/ { print $2 }' "/proc/$(bfdd_pid e)/status")" 80000

step "it works again"
birdc_in ams enable edge4 >/dev/null
vtysh_works
wait_for 60 "BGP with ams is told" bgp_shows ams established

step "FRR's bgpd is killed: BGP is not known, and the path stays"
# shellcheck disable=SC2154
lab_stop "$bgpd" KILL || true
wait_for 10 "nothing is known of BGP" bgp_shows ams null
stays 2 "the path may be used" path_usable e voice ams
frr_start bgpd
stays 2 "the path may be used while bgpd begins" path_usable e voice ams
wait_for 60 "BGP with ams is told" bgp_shows ams established
