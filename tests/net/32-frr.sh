#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bfdd against FRR's bfdd: IPv4, IPv6, link-local, multihop; silence, restarts of either side, clean stop.
. "$(dirname "$0")/lib.sh"
[ -x /usr/lib/frr/bfdd ] || skip "frr is not installed"

PEERS="v4 v6 ll far"
interop_links

FRR=$RUN/frr
mkdir "$FRR"
cat >"$FRR/bfdd.conf" <<END
bfd
 peer 10.0.0.0 local-address 10.0.0.1 interface x1
  transmit-interval 60
  receive-interval 50
  detect-multiplier 4
 !
 peer 2001:db8:1::a local-address 2001:db8:1::b interface x1
  transmit-interval 60
  receive-interval 50
  detect-multiplier 4
 !
 peer fe80::a local-address fe80::b interface x1
  transmit-interval 60
  receive-interval 50
  detect-multiplier 4
 !
 peer 10.1.0.1 multihop local-address 10.2.0.1
  transmit-interval 60
  receive-interval 50
  detect-multiplier 4
  minimum-ttl 254
 !
!
END
: >"$FRR/zebra.conf"
chown -R frr:frr "$FRR"

frr_start() { # zebra|bfdd
	lab_start b "frr-$1" "/usr/lib/frr/$1" -f "$FRR/$1.conf" -z "$FRR/zserv.api" --vty_socket "$FRR" \
		-i "$FRR/$1.pid" --log stdout $([ "$1" != bfdd ] || echo "--bfdctl $FRR/bfdd.sock")
}

frr_show() {
	vtysh --vty_socket "$FRR" -d bfdd -c "$1" 2>/dev/null
}

frr_up() { # COUNT
	[ "$(frr_show "show bfd peers json" | jq '[.[] | select(.status == "up")] | length' 2>/dev/null)" = "$1" ]
}

all_agree() { # WHAT
	local peer
	for peer in $PEERS; do
		wait_for 15 "$1: $peer up at bfdd" peer_is a $peer up
	done
	wait_for 15 "$1: all up at FRR" frr_up 4
}

step "bfdd first, then FRR"
bfdd_start a <<-END
	profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 40; detect-multiplier = 3; } );
	peers = (
	  { name = "v4"; address = "10.0.0.1"; interface = "x1"; profile = "p"; },
	  { name = "v6"; address = "2001:db8:1::b"; interface = "x1"; profile = "p"; },
	  { name = "ll"; address = "fe80::b"; interface = "x1"; profile = "p"; },
	  { name = "far"; address = "10.2.0.1"; local-address = "10.1.0.1"; multihop = true; profile = "p"; }
	);
END
frr_start zebra
zebra_ready() {
	[ -S "$FRR/zserv.api" ]
}
wait_for 10 "zebra listens" zebra_ready
frr_start bfdd
FRR_BFDD=$PID
all_agree "bfdd first"

negotiated() {
	ctl a peers | jq -e 'all(.["transmit-interval"] == 50 and .["detection-time"] == 240)' >/dev/null
}
wait_for 5 "negotiated: we send each 50 ms and detect in 4 x 60 ms" negotiated

step "it stays so"
stays 3 "all up" all_up a
equal "packets dropped" "$(ctl a peers | jq -c '[.[].drops | select(length > 0)]')" "[]"

step "silence, and back"
since=$(lab_now)
lab_cut w x1
for peer in v4 v6 ll; do
	wait_for 5 "$peer down by silence" has_event a "$since" \
		".event == \"session\" and .peer == \"$peer\" and .from == \"up\" and .diagnostic == \"control-expiry\""
done
lab_heal w
all_agree "healed"

step "bfdd stops cleanly and starts"
bfdd_stop a
wait_for 5 "FRR has given all up" frr_up 0
bfdd_restart a
all_agree "bfdd restarted"

step "bfdd is killed and starts"
bfdd_kill a
bfdd_restart a
all_agree "bfdd killed"

step "FRR is killed and starts again"
since=$(lab_now)
lab_stop "$FRR_BFDD" KILL || true
for peer in $PEERS; do
	wait_for 5 "$peer down by silence" has_event a "$since" \
		".event == \"session\" and .peer == \"$peer\" and .from == \"up\" and .diagnostic == \"control-expiry\""
done
frr_start bfdd
FRR_BFDD=$PID
all_agree "FRR killed"

step "FRR stops cleanly: AdminDown or silence, and down"
since=$(lab_now)
lab_stop "$FRR_BFDD" || true
for peer in $PEERS; do
	wait_for 5 "$peer down" has_event a "$since" ".event == \"session\" and .peer == \"$peer\" and .from == \"up\""
done
bfdd_stop a
