#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bfdd against BIRD's own BFD: IPv4, IPv6, link-local, multihop; either side restarted or killed, in both orders.
. "$(dirname "$0")/lib.sh"
need bird birdc

PEERS="v4 v6 ll far"
interop_links

cat >"$RUN/bird.conf" <<END
log stderr all;
timeformat log iso long ms;
router id 10.0.0.1;
protocol device {}
protocol bfd {
	interface "x1" { min rx interval 50 ms; min tx interval 60 ms; idle tx interval 300 ms; multiplier 4; };
	multihop { min rx interval 50 ms; min tx interval 60 ms; idle tx interval 300 ms; multiplier 4; };
	neighbor 10.0.0.0 dev "x1";
	neighbor 2001:db8:1::a dev "x1";
	neighbor fe80::a dev "x1";
	neighbor 10.1.0.1 local 10.2.0.1 multihop yes;
}
END

bird_start() {
	lab_start b bird bird -f -c "$RUN/bird.conf" -s "$RUN/bird.ctl" -P "$RUN/bird.pid"
	BIRD=$PID
}

bird_up() {
	[ "$(birdc -s "$RUN/bird.ctl" show bfd sessions 2>/dev/null | grep -c ' Up ')" = 4 ]
}

all_agree() { # WHAT
	local peer
	for peer in $PEERS; do
		wait_for 15 "$1: $peer up at bfdd" peer_is a $peer up
	done
	wait_for 15 "$1: all up at BIRD" bird_up
}

all_down() { # CONDITION-OF-EVENT SINCE WHAT
	local peer
	for peer in $PEERS; do
		wait_for 5 "$3: $peer" has_event a "$2" \
			".event == \"session\" and .peer == \"$peer\" and .from == \"up\" and $1"
	done
}

# BIRD 2 sends multihop packets with the kernel's default TTL, 64.
step "bfdd first, then BIRD"
bfdd_start a <<-END
	profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 40; detect-multiplier = 3; } );
	peers = (
	  { name = "v4"; address = "10.0.0.1"; interface = "x1"; profile = "p"; },
	  { name = "v6"; address = "2001:db8:1::b"; interface = "x1"; profile = "p"; },
	  { name = "ll"; address = "fe80::b"; interface = "x1"; profile = "p"; },
	  { name = "far"; address = "10.2.0.1"; local-address = "10.1.0.1"; multihop = true;
	    minimum-ttl = 63; profile = "p"; }
	);
END
bird_start
all_agree "bfdd first"

negotiated() {
	ctl a peers | jq -e 'all(.["transmit-interval"] == 50 and .["detection-time"] == 240)' >/dev/null
}
wait_for 5 "negotiated: we send each 50 ms and detect in 4 x 60 ms" negotiated
birdc -s "$RUN/bird.ctl" show bfd sessions

step "it stays so"
ups=$(ctl a peers | jq '[.[]["up-transitions"]] | add')
stays 3 "all up" all_up a
equal "times that sessions came up" "$(ctl a peers | jq '[.[]["up-transitions"]] | add')" "$ups"
equal "packets dropped" "$(ctl a peers | jq -c '[.[].drops | select(length > 0)]')" "[]"

step "bfdd stops cleanly and starts: BIRD holds the old session"
bfdd_stop a
bfdd_restart a
all_agree "bfdd restarted"

step "bfdd is killed and starts"
bfdd_kill a
bfdd_restart a
all_agree "bfdd killed"

step "bfdd is away for longer than BIRD's detection time"
bfdd_kill a
bird_none_up() {
	[ "$(birdc -s "$RUN/bird.ctl" show bfd sessions | grep -c ' Up ')" = 0 ]
}
wait_for 5 "BIRD has given all up" bird_none_up
bfdd_restart a
all_agree "bfdd away"

step "BIRD is killed: silence"
since=$(lab_now)
lab_stop "$BIRD" KILL || true
until=$(lab_now)
all_down '.diagnostic == "control-expiry"' "$since" "down by silence"
for peer in $PEERS; do
	at=$(event_at a "$since" ".event == \"session\" and .peer == \"$peer\" and .from == \"up\"")
	at_most "$peer: ms from the kill to down" $(((at - since) / 1000)) $(((240 + (until - since) / 1000 + 10) * SLACK))
done

step "BIRD starts again, with other discriminators"
bird_start
all_agree "BIRD killed"

step "BIRD restarts within the detection time: bfdd hears Your Discriminator 0"
since=$(lab_now)
lab_stop "$BIRD" KILL || true
bird_start
all_down 'true' "$since" "down"
all_agree "BIRD restarted"

step "bfdd stops cleanly: BIRD is told"
bfdd_stop a
wait_for 5 "BIRD has given all up" bird_none_up
lab_stop "$BIRD" || fail "BIRD's own exit status is not 0"
