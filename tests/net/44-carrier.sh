#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A link that loses its carrier has the kernel take away the routes by it before it tells: with many IPv6 routes long before. The
# loss is known, and traffic has left the link, when the kernel has still to tell.
. "$(dirname "$0")/lib.sh"
ROUTES=100000

three_links
lab_in r sysctl -qw net.ipv6.conf.all.keep_addr_on_down=1
for n in 1 3; do
	lab_addr e x$n 2001:db8:$n::1/64
	lab_addr r x$n 2001:db8:$n::2/64
done

bfdd_start r <<-END
	peers = ( { name = "p1"; address = "2001:db8:1::1"; interface = "x1"; }, { name = "p3"; address = "2001:db8:3::1"; interface = "x3"; } );
END
bfdd_start e <<-END
	peers = ( { name = "p1"; address = "2001:db8:1::2"; interface = "x1"; }, { name = "p3"; address = "2001:db8:3::2"; interface = "x3"; } );
	sites = ( { name = "ams"; peers = [ "p1" ]; }, { name = "fra"; peers = [ "p3" ]; } );
	services = ( { name = "voice"; prefixes = [ "2001:db8:cafe::/48" ]; sites = [ "ams", "fra" ]; wait-to-restore = 0; } );
END

by() { # SITE
	[ "$(service_field e voice '.["active-sites"].ipv6')" = "$1" ]
}

watched() {
	ctl e status | jq -e '.steering["watched-links"] == '"$1" >/dev/null
}
stays 2 "no link is looked at without need" watched 0

# What the main table holds is not ours.
lab_in e ip nexthop add id 7 via 2001:db8:1::2 dev x1
awk -v n=$ROUTES 'BEGIN { for (i = 0; i < n; i++) printf("route add 2001:%x:%x::/48 nhid 7\n", 4096 + i / 65536, i % 65536) }' |
	lab_in e ip -6 -batch -
wait_up e p1 p3
wait_for 10 "ams carries" by ams
wait_for 5 "both links are looked at" watched 2

lab_start e kernel ip -ts -o monitor link
MTU=1400
listening() { # it hears what changes after it began
	MTU=$((MTU + 1))
	lab_in e ip link set x2 mtu $MTU
	grep -q "x2@.*mtu" "$RUN/kernel.log"
}
wait_for 5 "the kernel is listened to" listening

# When the kernel told that x1 has no carrier; unix time in microseconds.
told_at() {
	date -d "$(sed -n 's/^\[\([^]]*\)\] [0-9]*: x1@.*NO-CARRIER.*/\1/p' "$RUN/kernel.log" | head -1)" +%s%6N
}
told() {
	grep -q 'x1@.*NO-CARRIER' "$RUN/kernel.log"
}

step "the carrier goes: traffic has left before the kernel tells"
cut=$(lab_now)
lab_in r ip link set x1 down
wait_for 20 "the kernel tells" told
wait_for 5 "fra carries" by fra
kernel=$(($(told_at) - cut))
switch=$(($(event_at e "$cut" '.event == "switch" and .to == "fra"') - cut))
echo "the kernel told after $kernel us, traffic was switched after $switch"
[ $kernel -ge 60000 ] || skip "this kernel takes $ROUTES routes away in $kernel us"
at_most "us until the switch" $switch $((kernel - 1000))
equal "p1's diagnostic" "$(peer_field e p1 diagnostic)" path-down

step "it comes back: ams carries again"
lab_in r ip link set x1 up
wait_up e p1 p3
wait_for 10 "ams carries" by ams

step "down and up at once: nothing is left of what was seen early"
for round in 1 2 3; do
	lab_in r ip link set x1 down
	lab_in r ip link set x1 up
done
wait_up e p1 p3
wait_for 10 "ams carries" by ams
bfdd_stop e
bfdd_stop r
