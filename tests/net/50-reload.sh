#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reload by SIGHUP and by bfdctl: intervals change on sessions that stay Up, peers come and go beside them, a
# broken file changes nothing.
. "$(dirname "$0")/lib.sh"

lab_ns a b
lab_link a x1 b x1
lab_addr a x1 10.0.0.0/24 10.0.0.2/24 2001:db8:1::a/64
lab_addr b x1 10.0.0.1/24 10.0.0.3/24 2001:db8:1::b/64

THIRD=', { name = "third"; address = "10.0.0.3"; local-address = "10.0.0.2"; interface = "x1"; profile = "p"; }'
config_a() { # INTERVAL MULTIPLIER [third]
	cat <<-END
		profiles = ( { name = "p"; transmit-interval = $1; receive-interval = $1; detect-multiplier = $2; } );
		peers = (
		  { name = "v4"; address = "10.0.0.1"; local-address = "10.0.0.0"; interface = "x1"; profile = "p"; },
		  { name = "v6"; address = "2001:db8:1::b"; interface = "x1"; profile = "p"; }
		  ${3:+$THIRD}
		);
	END
}

reload() {
	config_a "$@" >"$RUN/bfdd-a.conf"
	ctl a reload >/dev/null || fail "reload refused"
}

life() { # NAME    what must not change while sessions stay Up
	ctl "$1" peers | jq -c '[.[] | select(.name != "third") | [.name, .state, .since, .["local-discriminator"],
		.["up-transitions"], .["down-transitions"]]]'
}

peer_count() { # COUNT
	[ "$(ctl a peers | jq length)" = "$1" ]
}

negotiated() { # NAME TRANSMIT DETECTION
	ctl "$1" peers | jq -e 'all(.[] | select(.name != "third");
		.["transmit-interval"] == '"$2"' and .["detection-time"] == '"$3"')' >/dev/null
}

bfdd_start b <<-END
	profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; detect-multiplier = 3; } );
	peers = (
	  { name = "v4"; address = "10.0.0.0"; local-address = "10.0.0.1"; interface = "x1"; profile = "p"; },
	  { name = "v6"; address = "2001:db8:1::a"; interface = "x1"; profile = "p"; },
	  { name = "third"; address = "10.0.0.2"; local-address = "10.0.0.3"; interface = "x1"; profile = "p"; }
	);
END
bfdd_start a < <(config_a 50 3)
wait_up a v4 v6
wait_for 5 "negotiated at a" negotiated a 50 150
wait_for 5 "negotiated at b" negotiated b 50 150
life_a=$(life a)
life_b=$(life b)

step "slower by SIGHUP"
config_a 200 3 >"$RUN/bfdd-a.conf"
kill -HUP "$(bfdd_pid a)"
wait_for 5 "200 ms at a" negotiated a 200 600
wait_for 5 "200 ms at b" negotiated b 200 600
equal "a's sessions" "$(life a)" "$life_a"
equal "b's sessions" "$(life b)" "$life_b"

step "faster and with another multiplier, by bfdctl"
reload 50 5
wait_for 5 "50 ms at a" negotiated a 50 150
wait_for 5 "5 x 50 ms at b" negotiated b 50 250
equal "a's sessions" "$(life a)" "$life_a"
equal "b's sessions" "$(life b)" "$life_b"

step "forty changes, each before the last one is through"
for ((i = 0; i < 40; i++)); do
	reload $((i % 2 ? 60 : 180)) $((3 + i % 3))
done
reload 50 3
wait_for 10 "50 ms at a" negotiated a 50 150
wait_for 10 "50 ms at b" negotiated b 50 150
equal "a's sessions" "$(life a)" "$life_a"
equal "b's sessions" "$(life b)" "$life_b"

step "a peer is added, and removed"
reload 50 3 third
wait_up a third
wait_up b third
since=$(lab_now)
reload 50 3
wait_for 5 "third is gone" peer_count 2
wait_for 5 "b was told that third goes" has_event b "$since" \
	'.event == "session" and .peer == "third" and .from == "up" and .["remote-state"] == "admin-down"'
reload 50 3 third
wait_up a third
equal "a's sessions" "$(life a)" "$life_a"
equal "b's sessions" "$(life b)" "$life_b"

step "a broken file changes nothing"
life_third=$(ctl a peer third | jq -c '[.state, .since, .["local-discriminator"]]')
for broken in 'peers = (' 'peers = ( { name = "v4"; address = "10.0.0.1.1"; } );' 'pears = ();' \
	'peers = ( { name = "v4"; address = "10.0.0.1"; transmit-interval = 0; } );'; do
	printf '# a comment\n%s\n' "$broken" >"$RUN/bfdd-a.conf"
	status=0
	ctl a reload >"$RUN/reload.out" 2>&1 || status=$?
	equal "bfdctl's exit status for '$broken'" $status 1
	grep -q "bfdd-a.conf:[0-9]" "$RUN/reload.out" ||
		fail "no FILE:LINE in the answer to '$broken': $(cat "$RUN/reload.out")"
	status=0
	"$BFDD" -n -c "$RUN/bfdd-a.conf" >"$RUN/check.out" 2>&1 || status=$?
	equal "exit status of bfdd -n for '$broken'" $status 2
	grep -q "bfdd-a.conf:[0-9]*: " "$RUN/check.out" || fail "bfdd -n: no FILE:LINE: $(cat "$RUN/check.out")"
done
kill -HUP "$(bfdd_pid a)"
rm "$RUN/bfdd-a.conf"
ctl a reload >/dev/null 2>&1 && fail "reload of an absent file was not refused"
stays 1 "all up" all_up a
equal "a's sessions" "$(life a)" "$life_a"
equal "b's sessions" "$(life b)" "$life_b"
equal "third" "$(ctl a peer third | jq -c '[.state, .since, .["local-discriminator"]]')" "$life_third"

config_a 50 3 >"$RUN/bfdd-a.conf"
"$BFDD" -n -c "$RUN/bfdd-a.conf" || fail "bfdd -n refuses a good file"
bfdd_stop a
bfdd_stop b
