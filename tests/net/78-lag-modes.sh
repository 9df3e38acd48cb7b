#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Micro-BFD (RFC 7130) on bonds without LACP: balance-xor over IPv6 and balance-rr, whose dead members carry nothing, and
# broadcast, whose members are only watched; a member that joins and leaves meanwhile.
[ -n "${BFDD_VM-}" ] || exec "$(dirname "$0")/../../scripts/vm" -t "${VM_LIMIT-235}" bash "$0"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib-lag.sh"
need tc ping

lab_ns a b
for n in 1 2 3 4 5 6 7; do
	lab_link a x$n b x$n
done
for end in a b; do
	[ $end = a ] && last=0 || last=1
	bond $end bond0 2001:db8::$end/64 mode balance-xor xmit_hash_policy layer2+3 x1 x2
	bond $end bond1 10.0.1.$last/31 mode balance-rr x4 x5
	bond $end bond2 10.0.2.$last/31 mode broadcast x6 x7
done
for n in 1 2 3 4 5 6 7 8; do
	lab_addr a bond0 2001:db8:2::$n/128
	lab_addr a bond1 10.2.0.$n/32
done
lab_in b ip route add 10.2.0.0/24 via 10.0.1.0
lab_in b ip route add 2001:db8:2::/64 via 2001:db8::a

config() { # OURS OUR-END THEIRS THEIR-END
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = 500; receive-interval = 500; detect-multiplier = 4; } );
		peers = ( { name = "xor"; type = "micro"; interface = "bond0"; address = "2001:db8::$3"; local-address = "2001:db8::$1";
		    profile = "p"; minimum-links = 2; },
		  { name = "rr"; type = "micro"; interface = "bond1"; address = "10.0.1.$4"; local-address = "10.0.1.$2"; profile = "p"; },
		  { name = "wide"; type = "micro"; interface = "bond2"; address = "10.0.2.$4"; local-address = "10.0.2.$2"; profile = "p"; } );
	END
}

members() { # NAME PEER
	ctl "$1" peer "$2" | jq -c '[.members, .["members-up"]]'
}

members_are() { # PEER WANTED    at both ends
	[ "$(members a "$1") $(members b "$1")" = "$2 $2" ]
}

out_of_service() { # PEER    at both ends
	in_service a "$1" false && in_service b "$1" false
}

back_in_service() { # PEER
	in_service a "$1" true && in_service b "$1" true
}

filters() { # LINK
	lab_in a tc filter show dev "$1" egress | grep -c bpf || true
}

watch_link x1
watch_link x4

step "a session on each member, over IPv6 too"
bfdd_start a < <(config a 0 b 1)
bfdd_start b < <(config b 1 a 0)
wait_for 40 "all are up" both xor%x1=up xor%x2=up xor=up rr%x4=up rr%x5=up rr=up wide%x6=up wide%x7=up wide=up
pings 2001:db8:2:: 2001:db8::b
pings 10.2.0. 10.0.1.1
at_least "packets by x1 while all is well" "$(sent_by x1)" 2
at_least "packets by x4 while all is well" "$(sent_by x4)" 2

step "balance-rr: a member dies in silence, and carries nothing"
cut_link x4
wait_for 10 "its session is down" both rr%x4=down rr%x5=up rr=up
wait_for 5 "out of service" out_of_service rr%x4
pings 10.2.0. 10.0.1.1
equal "traffic by the dead member" "$(lost_by x4)" 0
heal_link x4
wait_for 10 "it is back" both rr%x4=up rr%x5=up
wait_for 5 "in service" back_in_service rr%x4
before=$(sent_by x4)
pings 10.2.0. 10.0.1.1
at_least "packets by it again" $(($(sent_by x4) - before)) 2

step "balance-xor: a third member joins, and stands in for one that dies"
for end in a b; do
	lab_in $end ip link set x3 down
	lab_in $end ip link set x3 master bond0
	lab_in $end ip link set x3 up
done
wait_for 20 "its session is up" both xor%x1=up xor%x2=up xor%x3=up xor=up
equal "members" "$(members a xor)" "[3,3]"
cut_link x1
wait_for 10 "two of three are enough" both xor%x1=down xor%x2=up xor%x3=up xor=up
wait_for 5 "out of service" out_of_service xor%x1
pings 2001:db8:2:: 2001:db8::b
equal "traffic by the dead member" "$(lost_by x1)" 0

step "the third one leaves: fewer than minimum-links, but traffic goes on"
for end in a b; do
	lab_in $end ip link set x3 nomaster
done
wait_for 10 "one of two are too few" both xor%x1=down xor%x2=up xor=down
wait_for 5 "two members are left" members_are xor "[2,1]"
equal "filters on what left" "$(filters x3)" 0
pings 2001:db8:2:: 2001:db8::b
equal "traffic by the dead member" "$(lost_by x1)" 0
heal_link x1
wait_for 10 "all are up" both xor%x1=up xor%x2=up xor=up

step "broadcast: members are watched, and nothing more"
equal "filters" "$(filters x6) $(filters x7)" "0 0"
cut_link x6
wait_for 10 "its session is down" both wide%x6=down wide%x7=up wide=up
wait_for 5 "one of two is up" members_are wide "[2,1]"
equal "in service" "$(ctl a peer wide%x6 | jq '.["in-service"]')" true
lab_in a ping -q -c 1 -W 3 10.0.2.1 >/dev/null || fail "no answer over the other one"
bfdd_stop b
bfdd_stop a
equal "filters left behind" "$(filters x1) $(filters x4)" "0 0"
