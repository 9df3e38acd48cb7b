#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong around a daemon: a port that is taken, capabilities that are missing, interfaces and addresses
# that come and go, a second daemon, hostile control clients, malformed packets.
. "$(dirname "$0")/lib.sh"
need socat capsh

lab_ns a b c
lab_link a x1 b x1
lab_link a x2 b x2
lab_addr a x1 10.0.0.0/31
lab_addr b x1 10.0.0.1/31 10.0.9.1/32
lab_addr a x2 10.5.0.1/24
lab_addr b x2 10.5.0.100/24
lab_in a ip route add 10.0.9.1 via 10.0.0.1

bfdd_start b <<-END
	profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );
	peers = (
	  { name = "one"; address = "10.0.0.0"; interface = "x1"; profile = "p"; },
	  { name = "moves-1"; address = "10.5.0.1"; interface = "x2"; profile = "p"; },
	  { name = "moves-2"; address = "10.5.0.2"; interface = "x2"; profile = "p"; },
	  { name = "guest"; address = "10.7.0.0"; interface = "x3"; profile = "p"; }
	);
END
cat >"$RUN/a.conf" <<-END
	profiles = ( { name = "p"; transmit-interval = 50; receive-interval = 50; } );
	peers = (
	  { name = "one"; address = "10.0.0.1"; interface = "x1"; profile = "p"; },
	  { name = "moves"; address = "10.5.0.100"; interface = "x2"; profile = "p"; },
	  { name = "guest"; address = "10.7.0.1"; interface = "x3"; profile = "p"; }
	);
	sites = ( { name = "s"; peers = [ "one" ]; } );
	services = ( { name = "v"; prefixes = [ "203.0.113.0/24" ]; sites = [ "s" ]; } );
END

# A start that must fail, with these words on standard error.
refused() { # WHAT NAME WORDS COMMAND...
	local what=$1 name=$2 words=$3 status=0 word
	shift 3
	lab_in "$name" timeout 10 "$@" >"$RUN/refused.log" 2>&1 || status=$?
	[ $status != 0 ] && [ $status != 124 ] || fail "$what: was not refused (status $status): $(cat "$RUN/refused.log")"
	[ $status -lt 99 ] || fail "$what: died (status $status): $(cat "$RUN/refused.log")"
	for word in $words; do
		grep -qiF -- "$word" "$RUN/refused.log" || fail "$what: '$word' is not said in: $(cat "$RUN/refused.log")"
	done
	echo "$what: $(grep -v '^$' "$RUN/refused.log" | tail -1)"
}

mkdir "$RUN/elsewhere"
bfdd_elsewhere() {
	echo "$BFDD" -c "$RUN/a.conf" -s "$RUN/elsewhere.ctl" -S "$RUN/elsewhere"
}

step "a port that another program holds: it is named"
for port in UDP4-RECV:3784 UDP6-RECV:4784,ipv6only; do
	lab_start c holder socat -u $port /dev/null
	holder=$PID
	number=${port#*:} number=${number%,*}
	holds() {
		lab_in c ss -Hlun "sport = $number" | grep -q .
	}
	wait_for 5 "the port is held" holds
	refused "port $number held" c "$number socat $holder" $(bfdd_elsewhere)
	lab_stop "$holder" || true
done

step "missing capabilities"
refused "no CAP_NET_RAW" c cap_net_raw capsh --drop=cap_net_raw -- -c "exec $(bfdd_elsewhere)"
refused "no CAP_NET_ADMIN" c cap_net_admin capsh --drop=cap_net_admin -- -c "exec $(bfdd_elsewhere)"

step "nobody reads the log: it goes on; a signal during the start waits, one during the end is not needed"
mkfifo "$RUN/pipe"
lab_start c unread bash -c "exec $(bfdd_elsewhere) 2>'$RUN/pipe'"
unread=$PID
exec 9<"$RUN/pipe"
exec 9<&-
elsewhere_answers() {
	"$BFDCTL" -s "$RUN/elsewhere.ctl" --json status >/dev/null 2>&1
}
wait_for 10 "it answers" elsewhere_answers
kill -HUP "$unread"
stays 1 "it answers" elsewhere_answers
kill -TERM "$unread"
kill -TERM "$unread"
wait_for 10 "it stops" lab_gone "$unread"
status=0
wait "$unread" || status=$?
equal "exit status" $status 0

step "folders that cannot be made: told, with their names"
refused "no such folder for the state" c "$RUN/no/such" "$BFDD" -c "$RUN/a.conf" -s "$RUN/elsewhere.ctl" -S "$RUN/no/such"
refused "no such folder for the socket" c "$RUN/no/such" "$BFDD" -c "$RUN/a.conf" -s "$RUN/no/such/x.ctl" -S "$RUN/elsewhere"

step "an absent interface is waited for"
bfdd_start a <"$RUN/a.conf"
wait_up a one moves
waits_for() { # PEER WORD
	peer_field a "$1" waiting | grep -q "$2"
}
wait_for 5 "guest waits for x3" waits_for guest x3
for round in 1 2; do
	lab_link a x3 b x3
	lab_addr a x3 10.7.0.0/31
	lab_addr b x3 10.7.0.1/31
	wait_up a guest
	since=$(lab_now)
	lab_in a ip link del x3
	wait_for 5 "round $round: guest down with its interface" has_event a "$since" \
		'.event == "session" and .peer == "guest" and .from == "up" and .diagnostic == "path-down"'
	wait_for 5 "round $round: guest waits for x3" waits_for guest x3
done
equal "the other session's downs" "$(peer_field a one down-transitions)" 0

step "the local address moves"
equal "local address" "$(peer_field a moves local-address)" 10.5.0.1
lab_in a ip addr del 10.5.0.1/24 dev x2
wait_for 5 "no address, down" peer_is a moves down
wait_for 5 "waits for an address" waits_for moves "local address"
lab_addr a x2 10.5.0.2/24
wait_up a moves
equal "local address" "$(peer_field a moves local-address)" 10.5.0.2
wait_up b moves-2

step "a second daemon on the same state folder or socket is refused"
refused "same state folder" c "$RUN/state-a" "$BFDD" -c "$RUN/a.conf" -s "$RUN/elsewhere.ctl" -S "$RUN/state-a"
refused "same socket" c "$RUN/a.ctl" "$BFDD" -c "$RUN/a.conf" -s "$RUN/a.ctl" -S "$RUN/elsewhere"
bfdd_answers a || fail "the first daemon does not answer any more"

step "hostile control clients"
head -c 300000 /dev/urandom | timeout 5 socat -u - "UNIX-CONNECT:$RUN/a.ctl" 2>/dev/null || true
head -c 300000 /dev/zero | tr '\0' x | timeout 5 socat -u - "UNIX-CONNECT:$RUN/a.ctl" 2>/dev/null || true
for request in '' '{' '[]' 'null' '{"command": 1}' '{"command": "peers", "args": 5}' '{"command": "peer"}' \
	'{"command": "peer", "args": [1]}' '{"command": "no such", "args": []}' '{"command": "peers", "args": ["x", "y"]}'; do
	printf '%s\n' "$request" | timeout 5 socat -t1 - "UNIX-CONNECT:$RUN/a.ctl" >"$RUN/answer" 2>/dev/null || true
	[ ! -s "$RUN/answer" ] || ! jq -e '.ok == true' "$RUN/answer" >/dev/null || [ "$request" = "" ] ||
		echo "note: '$request' was answered with ok"
	bfdd_answers a || fail "no answer any more after '$request'"
done
# Many that ask and never read.
for i in 1 2 3 4 5; do
	lab_start c "deaf-$i" bash -c "{ yes '{\"command\": \"events\", \"args\": []}' | head -20000; sleep 30; } |
		socat -u - UNIX-CONNECT:$RUN/a.ctl"
done
stays 2 "answers beside clients that never read" bfdd_answers a
equal "downs of the session meanwhile" "$(peer_field a one down-transitions)" 0

step "malformed packets are dropped, each for its reason, and the session stays up"
hex32() {
	printf '%08x' "$1"
}
L=$(hex32 "$(peer_field a one local-discriminator)")
R=$(hex32 "$(peer_field a one remote-discriminator)")
REST=0000c3500000c35000000000 # 50 ms, 50 ms, no echo

counted() { # REASON    at peers and where no peer is to blame
	{
		ctl a peers
		ctl a status
	} | jq -s --arg reason "$1" '[.. | .drops? | objects | .[$reason]? // 0 | numbers] | add // 0'
}

drops_more() { # REASON COUNT
	[ "$(counted "$1")" -gt "$2" ]
}

bad() { # REASON HEX [SOURCE [PORT [TTL [INTERFACE]]]]
	local before
	before=$(counted "$1")
	lab_in b "$TOOLS/badpkt" ${6:+-i "$6"} "${3:-10.0.0.1}" 10.0.0.0 "${4:-3784}" "${5:-255}" "$2"
	wait_for 5 "a drop is counted as $1" drops_more "$1" "$before"
}

lab_in b ip neigh replace 10.0.0.0 dev x2 lladdr "$(lab_in a ip -br link show x2 | awk '{ print $3 }')"
bad short ""
bad short 20c00318
bad short "20c00318$R${L}0000c3500000c350"
bad version "00c00318$R$L$REST"
bad version "40c00318$R$L$REST"
bad length "20c00317$R$L$REST"
bad length "20c40318$R$L$REST"
bad truncated "20c0031e$R$L$REST"
bad truncated "20c003ff$R$L$REST"
bad detect-mult-zero "20c00018$R$L$REST"
bad multipoint "20c10318$R$L$REST"
bad my-discriminator-zero "20c0031800000000$L$REST"
bad your-discriminator-zero "20c00318${R}00000000$REST"
bad your-discriminator-zero "20800318${R}00000000$REST"
bad auth-length "20c4031a$R$L${REST}0100"
bad auth-length "20c4031c$R$L${REST}01ff0141"
bad auth-unexpected "20c4031c$R$L${REST}01040141"
bad unknown-discriminator "20c00318${R}00000001$REST"
bad no-session "20400318${R}00000000$REST" 10.0.9.1
bad wrong-peer "20c00318$R$L$REST" 10.0.9.1
bad wrong-port "20c00318$R$L$REST" 10.0.0.1 4784
bad ttl "20c00318$R$L$REST" 10.0.0.1 3784 254
bad ttl "20400318$R$L$REST" 10.0.0.1 3784 1
bad wrong-interface "20c00318$R$L$REST" 10.0.0.1 3784 255 x2

# What came from the peer's address is counted at the peer.
for reason in short version length truncated detect-mult-zero multipoint auth-length auth-unexpected unknown-discriminator ttl; do
	at_least "drops of the peer for $reason" "$(peer_drops a one $reason)" 1
done

# And whatever a random generator makes of a packet that is well-formed at its beginning.
for ((i = 0; i < 200; i++)); do
	lab_in b "$TOOLS/badpkt" 10.0.9.1 10.0.0.0 3784 255 \
		"$(head -c $((RANDOM % 70)) /dev/urandom | od -An -v -tx1 | tr -d ' \n')"
done
equal "downs of the session" "$(peer_field a one down-transitions)" 0
equal "the session's state" "$(peer_field a one state)" up

bfdd_stop a
bfdd_stop b
