#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two engines, without the rest of the daemon: sessions of each kind, what is on the wire, detection, orders before news,
# stalls of our own, removal, stop, ticks under load, and what the sockets say when they cannot be had.
. "$(dirname "$0")/lib.sh"
need tshark setpriv chrt
PROBE=${PROBE-$TOOLS/engine_probe}
PID_a='' PID_b=''
# As the daemon would: times are to be the engine's, not those of whatever else the host does.
export REALTIME=''
! chrt -f 20 true 2>/dev/null || REALTIME='chrt -f 20'

lab_ns a b w
lab_wire w a x1 b x1
lab_addr a x1 10.0.0.1/16 2001:db8:1::1/64 fe80::1/64
lab_addr b x1 10.0.128.1/16 2001:db8:1::2/64 fe80::2/64
lab_addr a lo 10.1.0.1/32
lab_addr b lo 10.2.0.1/32
lab_in a ip route add 10.2.0.1 via 10.0.128.1
lab_in b ip route add 10.1.0.1 via 10.0.0.1
for ((i = 2; i <= 201; i++)); do
	echo "addr add 10.0.1.$i/16 dev x1"
done >"$RUN/many-a"
sed 's/10\.0\.1\./10.0.129./' "$RUN/many-a" >"$RUN/many-b"
lab_in a ip -batch "$RUN/many-a"
lab_in b ip -batch "$RUN/many-b"
lab_wires_ready w

probe() { # NAME SESSION...    its commands are read from a pipe: see tell
	local name=$1
	shift
	rm -f "$RUN/$name.in" "$RUN/$name.mark"
	mkfifo "$RUN/$name.in"
	: >"$RUN/$name.log"
	# shellcheck disable=SC2016
	lab_start "$name" "$name" bash -c 'exec $REALTIME "$0" "${@:2}" <"$1"' "$PROBE" "$RUN/$name.in" "$@"
	printf -v "PID_$name" %s "$PID"
	case $name in
	a) exec 8>"$RUN/a.in" ;;
	b) exec 9>"$RUN/b.in" ;;
	esac
	wait_for 5 "engine $name runs" says "$name" ready
}

tell() { # NAME COMMAND
	case $1 in
	a) echo "$2" >&8 ;;
	b) echo "$2" >&9 ;;
	esac
}

says() { # NAME REGEX    after the mark
	tail -n "+$(mark_of "$1")" "$RUN/$1.log" | grep -q -E "$2"
}

says_times() { # NAME COUNT REGEX
	[ "$(tail -n "+$(mark_of "$1")" "$RUN/$1.log" | grep -c -E "$3")" -ge "$2" ]
}

all_detect() { # NAME US    asked anew each time: the last answers count
	tell "$1" sessions
	[ "$(tail -n "+$(mark_of "$1")" "$RUN/$1.log" | grep -E 'session . .* detection' | tail -4 |
		grep -c "detection $2")" = 4 ]
}

mark_of() {
	cat "$RUN/$1.mark" 2>/dev/null || echo 1
}

mark() { # what they said up to now no longer counts
	local name
	for name in a b; do
		echo $(($(wc -l <"$RUN/$name.log") + 1)) >"$RUN/$name.mark"
	done
}

unmark() {
	rm -f "$RUN"/?.mark
}

time_of() { # NAME REGEX    of the first such line, in microseconds
	tail -n "+$(mark_of "$1")" "$RUN/$1.log" | grep -m1 -E "$2" | sed 's/^\([0-9]*\)\.\([0-9]*\).*/\1\2/'
}

field() { # NAME FIELD    of the last line of stats
	grep ' stats ' "$RUN/$1.log" | tail -1 | sed "s/.* $2 \(-\{0,1\}[0-9]*\).*/\1/"
}

stats() { # NAME
	local before
	before=$(grep -c ' stats ' "$RUN/$1.log" || true)
	tell "$1" stats
	# shellcheck disable=SC2016
	wait_for 2 "stats of $1" bash -c '[ "$(grep -c " stats " "$0")" -gt "$1" ]' "$RUN/$1.log" "$before"
}

# Slots 0-3: IPv4, IPv6, link-local, multihop.
start_a() {
	probe a "10.0.128.1,10.0.0.1,x1,50,$1" "2001:db8:1::2,2001:db8:1::1,x1,50,$1" "fe80::2,fe80::1,x1,50,$1" \
		"10.2.0.1,10.1.0.1,-,50,$1,multihop"
}

start_b() {
	probe b "10.0.0.1,10.0.128.1,x1,50,$1" "2001:db8:1::1,2001:db8:1::2,x1,50,$1" "fe80::1,fe80::2,x1,50,$1" \
		"10.1.0.1,10.2.0.1,-,50,$1,multihop"
}

none_down() {
	! says a ' down diag'
}

four_up() {
	local name
	for name in a b; do
		for slot in 0 1 2 3; do
			says $name "state $slot .* up diag" || return 1
		done
	done
}

step "up, at four kinds of addresses"
lab_start b tshark tshark -q -i x1 -w "$RUN/wire.pcap" -f 'udp port 3784 or udp port 4784'
TSHARK=$PID
wait_for 10 "the capture runs" test -s "$RUN/wire.pcap"
start_a 3
start_b 3
wait_for 3 "four sessions are up at both ends" four_up

step "silence: Down with diagnostic 1 after the detection time"
wait_for 3 "50 ms are negotiated" says_times a 4 'negotiated .* tx 50000 detection 150000'
sleep 0.5 # Finals, and a few packets of the steady state
mark
lab_cut w x1
wait_for 2 "all see it" says_times a 4 'state . .* up down diag control-expiry'
stats a
held_up=$(field a max) # what the host did to us, at worst; a judgement is put off by as much
for slot in 0 1 2 3; do
	at=$(time_of a "state $slot .* up down diag control-expiry")
	at_most "slot $slot: us from cut to Down" $((at - CUT_TO)) $(((150 + 8 * SLACK) * 1000 + 2 * held_up))
	at_least "slot $slot: us from cut to Down" $((at - CUT_FROM)) $((150000 - 50000 - 2000))
done
lab_heal w
mark
wait_for 4 "up again" four_up

step "orders go out before the news"
tell a "policy 0 1"
wait_for 2 "the policy carries over slot 0" says a 'switch way 0 from -1 to 0'
mark
tell a "path 0 down"
wait_for 2 "switch" says a 'switch way 0 from 0 to 1 by 10.0.128.1'
wait_for 2 "state" says a 'state 0 .* up down diag path-down'
order=$(tail -n "+$(mark_of a)" "$RUN/a.log" | grep -o -E 'order rule-del|order flush|switch|state 0' | head -4 | tr '\n' ',')
equal "the order of things" "$order" "order rule-del,order flush,switch,state 0,"
tell a policy-state
wait_for 2 "snapshot of the policy" says a 'policy-state 1$'
mark
tell a "path 0 up"
wait_for 3 "the path is back" says a 'state 0 .* init up|state 0 .* down up'

step "a peer killed: Down; started again with other discriminators: up"
mark
lab_stop "$PID_b" KILL || true
wait_for 2 "a sees it" says_times a 4 'state . .* up down diag control-expiry'
start_b 20
wait_for 3 "up again" four_up

step "a stop of ours is not the peer's: packets read first"
# b waits for a second, a for 150 ms
for slot in 0 1 2 3; do
	tell a "configure $slot 50 20"
	tell b "configure $slot 50 3"
done
wait_for 3 "b's detection time is 1 s" says_times b 4 'negotiated .* detection 1000000'
wait_for 2 "a's detection time is 150 ms" all_detect a 150000
mark
kill -STOP "$PID_a"
sleep 0.5
kill -CONT "$PID_a"
wait_for 2 "the stall is told" says a 'stall [3-9][0-9]{5}$'
stays 1 "no session of a goes down" none_down

step "packets that were held up on their way count, too: one interval of grace"
mark
kill -STOP "$PID_a" "$PID_b"
sleep 0.5
kill -CONT "$PID_a"
sleep 0.01 # a finds nothing to read; its grace is 50 ms
kill -CONT "$PID_b"
wait_for 2 "the stall is told" says a 'stall [3-9][0-9]{5}$'
stays 1 "no session of a goes down" none_down

step "but a peer that died meanwhile is found, and its old packets are old"
mark
kill -STOP "$PID_a"
sleep 0.1
lab_stop "$PID_b" KILL || true
sleep 0.5
before=$(lab_now)
kill -CONT "$PID_a"
wait_for 2 "a sees it" says_times a 4 'state . .* up down diag control-expiry'
at_most "us from waking to Down" $(($(time_of a 'state 3 .* up down') - before)) $((70000 * SLACK))

step "removal: the peer is told, for a detection time of its own"
start_b 3
wait_for 3 "up again" four_up
mark
from=$(lab_now)
tell a "remove 2"
wait_for 1 "b is told" says b 'state 2 .* up down diag neighbor-down remote admin-down admin-down'
wait_for 3 "removed" says a 'removed 2$'
at_most "us until b knew" $(($(time_of b 'state 2 ') - from)) $((20000 * SLACK))
at_least "us until the session was gone" $(($(time_of a 'removed 2') - from)) 900000 # a's multiplier is 20
tell a "remove 0"
tell a "again 0" # the one that still says goodbye makes room
wait_for 3 "the successor is up" says a 'state . 10.0.128.1 .* up diag'
says a 'add-failed' && fail "the successor was refused"
tell a "again 0"
wait_for 1 "two of a kind are refused" says a 'add-failed'

step "stop: the peer is told"
mark
tell a "stop 300"
wait_for 2 "stopped" says a ' stopped$'
wait_for 1 "b is told" says_times b 3 'state . .* up down diag neighbor-down remote admin-down'
at_most "us from first to last" $(($(time_of a stopped) - $(time_of b 'state 0 '))) $((500000 * SLACK))
says a ' retired$' || fail "the policy did not come back"
equal "packets that the kernel refused" "$(field a errors)" 0
tell b "stop 0"
wait_for 2 "b stopped" says b ' stopped$'

step "what was on the wire"
lab_stop "$TSHARK" INT || true
wire() { # FILTER    how many packets
	tshark -r "$RUN/wire.pcap" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -Y "$1" 2>/dev/null | wc -l
}
at_least "packets" "$(wire bfd)" 200
equal "of TTL 255, CS6 and right UDP checksum, from a legal port" \
	"$(wire 'bfd && (ip.ttl == 255 || ipv6.hlim == 255) && (ip.dsfield == 0xc0 || ipv6.tclass == 0xc0) &&
		udp.checksum.status == "Good" && udp.srcport >= 49152')" "$(wire bfd)"
equal "of right IPv4 checksum" "$(wire 'bfd && ip && ip.checksum.status == "Good"')" "$(wire 'bfd && ip')"
equal "malformed" "$(wire '_ws.malformed || _ws.expert.severity >= 6291456')" 0
equal "ports of one session's life" \
	"$(tshark -r "$RUN/wire.pcap" -Y 'bfd && ip.src == 10.1.0.1' -T fields -e udp.srcport 2>/dev/null | sort -u | wc -l)" 1

step "many packets: ticks; few: events"
probe a "10.0.129.2,10.0.1.2,x1,5,20,x100"
probe b "10.0.1.2,10.0.129.2,x1,5,20,x100"
all_100() {
	tell a sessions
	says a 'sessions 100 up 100'
}
wait_for 10 "100 sessions are up" all_100
wait_for 3 "5 ms are negotiated" says_times a 100 'negotiated .* tx 5000 detection 100000'
mark
ticking() { # 0 or 1
	stats a
	[ "$(field a tick-mode)" = "$1" ]
}
# With the filter steady packets wake nobody, and there is nothing to tick for.
wait_for 3 "a ticks, or need not" ticking "$((1 - ${KERNEL_FILTER-0}))"
turns=$(field a wakeups) in=$(field a in) out=$(field a out)
read -r -a cpu < <(cut -d' ' -f14,15 "/proc/$PID_a/stat")
sleep 3
stats a
read -r -a cpu2 < <(cut -d' ' -f14,15 "/proc/$PID_a/stat")
# The grid of 5 ms is 256 us, a tick 1,024.
at_most "turns a second" $((($(field a wakeups) - turns) / 3)) $((1000000 / 256 + 1000000 / 1024 + 100))
echo "packets a second: in $((($(field a in) - in) / 3)), out $((($(field a out) - out) / 3));" \
	"CPU per pair: $(((cpu2[0] + cpu2[1] - cpu[0] - cpu[1]) * 10000 / ($(field a in) - in))) us"
says a 'up down' && fail "a session went down"
equal "overflows" "$(field a overflows)" 0
for ((i = 0; i < 100; i++)); do
	echo "remove $i"
done >&9
wait_for 5 "a is quiet again" ticking 0
wait_for 5 "all removed" says_times b 100 'removed [0-9]+$'
tell b "again 0"
wait_for 3 "slots are used again" says a 'sessions 100 up 100|state [0-9]+ 10.0.129.2 .* up diag'

step "who holds the port; what is missing"
lab_in b "$PROBE" </dev/null >"$RUN/second.log" 2>&1 && fail "a second engine started"
grep -E "UDP port 3784 is held by engine_probe \(pid $PID_b\)" "$RUN/second.log" ||
	fail "the holder was not named: $(cat "$RUN/second.log")"
lab_ns c
lab_in c setpriv --bounding-set=-net_raw --inh-caps=-net_raw "$PROBE" </dev/null >"$RUN/third.log" 2>&1 &&
	fail "started without CAP_NET_RAW"
grep -E "CAP_NET_RAW is missing" "$RUN/third.log" || fail "no word of CAP_NET_RAW: $(cat "$RUN/third.log")"
echo "passed"
