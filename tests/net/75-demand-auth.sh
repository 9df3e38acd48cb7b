#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Demand mode with authentication: old packets that somebody sends again in the silence are not believed, however long it is,
# and a peer that begins anew with other numbers is noticed though nobody polls by the clock.
. "$(dirname "$0")/lib.sh"
need tshark

lab_ns a b
lab_link a x1 b x1
lab_addr a x1 10.0.0.0/31
lab_addr b x1 10.0.0.1/31
umask 077
printf 'the secret' >"$RUN/key"

conf() { # ADDRESS WORDS
	cat <<-END
		key-chains = ( { name = "k"; keys = ( { type = "meticulous-keyed-sha1"; secret-file = "$RUN/key"; } ); } );
		peers = ( { name = "p"; address = "$1"; interface = "x1"; transmit-interval = 50; receive-interval = 50;
			detect-multiplier = 10; key-chain = "k"; $2 } );
	END
}

in_demand() {
	ctl a peer p | jq -e '.["demand-active"] and (.["poll-active"] | not) and .["remote-state"] == "up"' >/dev/null
}

polls() {
	peer_field a p packets-in
}

lab_start a tshark tshark -q -i x1 -w "$RUN/wire.pcap" -f "udp port 3784"
TSHARK=$PID
wait_for 30 "tshark listens" test -s "$RUN/wire.pcap"
bfdd_start b < <(conf 10.0.0.0 "")
bfdd_start a < <(conf 10.0.0.1 "demand-mode = true; demand-poll-interval = 0;")
wait_up a p
wait_up b p
wait_for 10 "a demands" in_demand
b_silent() {
	[ "$(peer_field b p transmit-interval)" = 0 ]
}
wait_for 5 "b sends nothing periodic" b_silent
sleep 3 # six detection times of silence
lab_stop "$TSHARK" INT || true
# Of each state that b was in, one packet; they are the peer's own, digest and all.
tshark -r "$RUN/wire.pcap" -Y 'ip.src == 10.0.0.1 && bfd' -T fields -e bfd.sta -e udp.payload 2>/dev/null | tr -d ':' >"$RUN/heard"
sort -u -k1,1 "$RUN/heard" >"$RUN/old"
at_least "states in which b was heard" "$(wc -l <"$RUN/old")" 2

step "old packets in the silence"
heard=$(polls)
while read -r _ hex; do
	lab_in b "$TOOLS/badpkt" -i x1 -p 49999 10.0.0.1 10.0.0.0 3784 255 "$hex"
	sleep 0.3
done <"$RUN/old"
dropped() {
	[ "$(peer_drops a p auth-sequence)" -ge "$(wc -l <"$RUN/old")" ]
}
wait_for 5 "all of them are dropped for their numbers" dropped
wait_for 5 "a asks b, and b answers" in_demand
at_least "answers of b" $(($(polls) - heard)) 1
equal "Downs" "$(peer_field a p down-transitions) $(peer_field b p down-transitions)" "0 0"

step "b begins anew"
bfdd_kill b
bfdd_forget b
bfdd_restart b
again() {
	[ "$(peer_field a p down-transitions)" = 1 ] && peer_is a p up && peer_is b p up
}
wait_for 20 "Down, and up again" again
has_event a 0 '.event == "session" and .from == "up" and .diagnostic == "control-expiry"' || fail "it was no poll that told: $(ctl a events | tail -3)"
