#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whoever holds the place of FRR's bfdd: garbage of every kind, ends, deafness, pieces; a thousand times over, and nothing leaks.
. "$(dirname "$0")/lib.sh"
SOCKET=$RUN/dplane

lab_ns e
lab_addr e lo 10.0.255.1/16

fake() { # OPTION... BEHAVIOUR
	local behaviour=${*: -1}
	: >"$RUN/fake.log"
	lab_start e fake "$TOOLS/frr_fake" "${@:1:$#-1}" "$SOCKET" "$behaviour"
	FAKE=$PID
}

frr_status() { # FIELD
	ctl e status | jq -r --arg field "$1" '.frr[$field]'
}

status_is() { # FIELD VALUE
	[ "$(frr_status "$1")" = "$2" ]
}

above() { # FIELD NUMBER
	[ "$(frr_status "$1")" -gt "$2" ]
}

# The fewest of ten looks: now and then vtysh is asked, or a connection is tried.
fds() {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		ls "/proc/$(bfdd_pid e)/fd" | wc -l
		sleep 0.05
	done | sort -n | head -1
}

rss() { # KiB
	awk '/^VmRSS/ { print $2 }' "/proc/$(bfdd_pid e)/status"
}

bfdd_start e <<-END
	frr = { dataplane = "unix:$SOCKET"; keep-sessions = 0; };
END

told() { # REASON
	grep -c "connected=false reason=\"$1\"" "$RUN/bfdd-e.log" || true
}

step "garbage of every kind: told once, counted, tried again, and then all is well"
while read -r kind reason; do
	errors=$(frr_status errors)
	fake -n 3 "$kind"
	wait_for 10 "$kind: three errors" above errors $((errors + 2))
	wait_for 5 "$kind: a session" status_is sessions 1
	wait_for 5 "$kind: connected" status_is connected true
	equal "$kind: times that it was told" "$(told "$reason")" 1
	lab_stop $FAKE || true
	wait_for 5 "$kind: gone" status_is connected false
done <<-END
	version a version other than 1
	length-0 a message with an impossible length
	huge a message with an impossible length
	type a message of an unknown type
	short a message with an impossible length
	direction a message that only a data plane sends
	name a session whose interface name has no end
END

step "messages in pieces: 1,000 sessions"
fake -s 1000 good
wait_for 20 "all taken" status_is sessions 1000
peers() {
	[ "$(ctl e peers | jq length)" = 1000 ]
}
wait_for 5 "all are peers" peers
wait_for 10 "connections for all of them in reserve" status_is connections 19
equal "refused" "$(frr_status refused)" 0
equal "one by its name" "$(ctl e peer 10.0.3.200 | jq -c '[.["frr-session"], .source]')" '[1967,"frr"]'
lab_stop $FAKE || true
none() {
	[ "$(ctl e peers)" = "[]" ]
}
wait_for 10 "all gone, when none are to be kept" none

step "a deaf one: no wait, no growth"
fake deaf
wait_for 5 "its silence is noticed" status_is answers false
before=$(rss)
for i in 1 2 3 4 5 6 7 8 9 10; do
	ctl e status >/dev/null || fail "bfdd does not answer"
	kill -HUP "$(bfdd_pid e)"
	sleep 0.3
done
[ -n "${SAN-}" ] || at_most "memory grown, KiB" $(($(rss) - before)) 2048
lab_stop $FAKE || true

step "a thousand times"
fake -s 50 -n 200 close
wait_for 30 "two hundred losses" above losses 200
wait_for 5 "fifty sessions" status_is sessions 50
lab_stop $FAKE || true
wait_for 5 "gone" none
fds_before=$(fds)
rss_before=$(rss)
losses=$(frr_status losses)
fake -s 50 -n 1000 close
wait_for 90 "a thousand losses" above losses $((losses + 999))
wait_for 5 "fifty sessions" status_is sessions 50
lab_stop $FAKE || true
wait_for 5 "gone" none
equal "file descriptors" "$(fds)" "$fds_before"
[ -n "${SAN-}" ] || at_most "memory grown, KiB" $(($(rss) - rss_before)) 1024
equal "sessions of the engine" "$(ctl e status | jq .sessions.total)" 0

step "where FRR connects to us"
sed -i "s/unix:/unixc:/" "$RUN/bfdd-e.conf"
kill -HUP "$(bfdd_pid e)"
listens() {
	lab_in e ss -xlH src "$SOCKET" | grep -q .
}
wait_for 5 "we listen" listens
for i in 1 2 3; do
	printf '\1\0\0\2\0\0\0\0' | lab_in e socat -u - "UNIX-CONNECT:$SOCKET" || true
done
wait_for 5 "each is an error" status_is errors 3
bfdd_stop e
[ ! -e "$SOCKET" ] || fail "the socket is left"
