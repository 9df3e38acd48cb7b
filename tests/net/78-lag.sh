#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Micro-BFD (RFC 7130) on real bonds: with LACP, a member that dies in silence is kept from carrying traffic while LACP goes on
# over it, and comes back; an active-backup bond leaves a dead member; members come and go; minimum-links.
[ -n "${BFDD_VM-}" ] || exec "$(dirname "$0")/../../scripts/vm" -t "${VM_LIMIT-235}" bash "$0"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-lag.sh"
need tc ping

lab_ns a b
for n in 1 2 3 4; do
	lab_link a x$n b x$n
done
for end in a b; do
	[ $end = a ] && last=0 || last=1
	bond $end bond0 10.0.0.$last/31 mode 802.3ad lacp_rate fast xmit_hash_policy layer2+3 x1 x2
	bond $end bond1 10.0.1.$last/31 mode active-backup x3 x4
done
for n in 1 2 3 4 5 6 7 8; do # other flows than the routers' own
	lab_addr a bond0 10.2.0.$n/32
done
lab_in b ip route add 10.2.0.0/24 via 10.0.0.0

slave() { # NAME MEMBER FIELD
	lab_in "$1" ip -d -j link show "$2" | jq -r ".[0].linkinfo.info_slave_data.$3"
}

aggregated() {
	local end
	for end in a b; do
		for n in 1 2; do
			[ "$(slave $end x$n state)" = ACTIVE ] || return 1
		done
		[ "$(slave $end x1 ad_aggregator_id)" = "$(slave $end x2 ad_aggregator_id)" ] || return 1
	done
}

config() { # OURS THEIRS MINIMUM
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 500; receive-interval = 500; detect-multiplier = 4; } );
		peers = ( { name = "lag"; type = "micro"; interface = "bond0"; address = "10.0.0.$2"; local-address = "10.0.0.$1";
		    profile = "p"; minimum-links = $3; },
		  { name = "pair"; type = "micro"; interface = "bond1"; address = "10.0.1.$2"; local-address = "10.0.1.$1"; profile = "p"; } );
		sites = ( { name = "s"; peers = [ "lag" ]; } );
		services = ( { name = "voice"; prefixes = [ "203.0.113.0/24" ]; sites = [ "s" ]; wait-to-restore = 0; } );
	END
}

lacp() { # what it thinks of the members
	local end n
	for end in a b; do
		for n in 1 2; do
			lab_in $end ip -d -j link show x$n | jq -c '.[0].linkinfo.info_slave_data
				| [.state, .ad_aggregator_id, .ad_actor_oper_port_state, .ad_partner_oper_port_state]'
		done
	done
}

active() { # NAME
	lab_in "$1" ip -d -j link show bond1 | jq -r '.[0].linkinfo.info_data.active_slave'
}

active_is() { # MEMBER
	[ "$(active a) $(active b)" = "$1 $1" ]
}

wait_for 30 "LACP has both members in one bond" aggregated
watch_link x1
lab_in b nft -f - <<-END
	table netdev seen {
		chain in {
			type filter hook ingress device x2 priority -1
			udp dport 6784 ether daddr 01:00:5e:90:00:01 ip ttl 255 counter accept
			udp dport 6784 counter accept
		}
	}
END

step "a session on each member"
bfdd_start a < <(config 0 1 1)
bfdd_start b < <(config 1 0 1)
wait_for 40 "all are up" both lag%x1=up lag%x2=up lag=up pair%x3=up pair%x4=up pair=up
equal "source of a member" "$(peer_field a lag%x1 source)" member
equal "type of a member" "$(peer_field a lag%x1 type)" micro
equal "members of the bond" "$(ctl a peer lag | jq -c '[.members, .["members-up"], .["minimum-links"]]')" '[2,2,1]'
wait_for 5 "the service goes by the bond" active_site a s
equal "packets to others than RFC 7130's address" \
	"$(lab_in b nft -j list table netdev seen | jq -c '[.. | .counter? | select(. != null) | .packets > 0]')" '[true,false]'
before=$(sent_by x1)
pings 10.2.0. 10.0.0.1
at_least "packets by x1 while all is well" $(($(sent_by x1) - before)) 2
wait_for 10 "LACP is at rest" aggregated
said=$(lacp)

step "one dies in silence: LACP goes on, traffic leaves it"
cut_link x1
wait_for 10 "its sessions are down, no more" both lag%x1=down lag%x2=up lag=up
equal "diagnostic" "$(peer_field a lag%x1 diagnostic)" control-expiry
wait_for 5 "out of service at one end" in_service a lag%x1 false
wait_for 5 "out of service at the other" in_service b lag%x1 false
pings 10.2.0. 10.0.0.1
equal "pings that went by the dead member" "$(lost_by x1)" 0
equal "what LACP says" "$(lacp)" "$said"
active_site a s || fail "the service left a bond that has a member"

step "it comes back"
heal_link x1
wait_for 10 "all are up" both lag%x1=up lag%x2=up lag=up
wait_for 5 "in service" in_service a lag%x1 true
before=$(sent_by x1)
pings 10.2.0. 10.0.0.1
at_least "packets by x1 again" $(($(sent_by x1) - before)) 2
equal "what LACP says" "$(lacp)" "$said"

step "fewer than minimum-links: the bond is down for services"
config 0 1 2 >"$RUN/bfdd-a.conf"
ctl a reload >/dev/null
cut_link x2
wait_for 10 "the bond is down" states_are a lag%x1=up lag%x2=down lag=down
wait_for 5 "the service leaves it" active_site a null
pings 10.2.0. 10.0.0.1
heal_link x2
wait_for 10 "the bond is up" states_are a lag%x1=up lag%x2=up lag=up
wait_for 10 "the service is back" active_site a s

step "a dead member of an active-backup bond is left"
first=$(active a)
[ "$first" = x3 ] && other=x4 || other=x3
wait_for 5 "both ends use the same member" active_is "$first"
cut_link "$first"
wait_for 15 "both ends use the other" active_is "$other"
lab_in a ping -q -c 1 -W 3 10.0.1.1 >/dev/null || fail "no answer over the pair"
heal_link "$first"
wait_for 10 "all are up" both pair%x3=up pair%x4=up pair=up
equal "the member in use" "$(active a)" "$other"

step "members leave and join; an end that stops takes nothing out of service"
lab_in a ip link set x2 nomaster
wait_for 5 "its peer is gone" gone a lag%x2
lab_in a ip link set x2 down
lab_in a ip link set x2 master bond0
lab_in a ip link set x2 up
wait_for 30 "it is back" both lag%x1=up lag%x2=up
bfdd_stop b
wait_for 5 "members are down" states_are a lag%x1=down lag%x2=down lag=down
equal "in service" "$(ctl a peer lag%x1 | jq '.["in-service"]') $(ctl a peer lag%x2 | jq '.["in-service"]')" "true true"
bfdd_stop a
equal "filters left behind" "$(lab_in a tc filter show dev x1 egress)" ""
