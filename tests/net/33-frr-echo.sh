#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Echo mode as FRR's configuration asks for it, in a profile: both ways at its intervals, counted for FRR, switched off and on, and
# Down when only Echo packets are lost. What the peer says of itself is told to FRR.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frr.sh"
need nft

lab_ns e b
lab_link e x1 b x1
lab_addr e x1 10.0.0.0/31 2001:db8:1::a/64
lab_addr b x1 10.0.0.1/31 2001:db8:1::b/64
for name in e b; do
	lab_in $name sh -c 'echo 0 >/proc/sys/net/ipv4/conf/x1/forwarding; echo 0 >/proc/sys/net/ipv6/conf/x1/forwarding'
done

cat >"$RUN/frr-peers.conf" <<END
bfd
 profile echoing
  transmit-interval 100
  receive-interval 100
  echo-mode
  echo transmit-interval 60
  echo receive-interval 70
 exit
 peer 10.0.0.1 local-address 10.0.0.0 interface x1
  profile echoing
 exit
 peer 2001:db8:1::b local-address 2001:db8:1::a interface x1
  transmit-interval 100
  receive-interval 100
 exit
exit
END

router() { # MORE    the other end
	cat >"$RUN/bfdd-b.conf" <<-END
		profiles = ( { name = "p"; transmit-interval = 100; receive-interval = 100; echo-mode = true;
		  echo-transmit-interval = 40; echo-receive-interval = 50; } );
		peers = ( { name = "v4"; address = "10.0.0.0"; interface = "x1"; profile = "p"; $1 },
		  { name = "v6"; address = "2001:db8:1::a"; interface = "x1"; profile = "p"; } );
	END
}

echo_field() { # NAME PEER FIELD
	ctl "$1" peer "$2" | jq -r ".echo[\"$3\"]"
}

echo_at_least() { # NAME PEER FIELD NUMBER
	[ "$(echo_field "$1" "$2" "$3")" -ge "$4" ]
}

echoes_each() { # NAME PEER MS
	[ "$(echo_field "$1" "$2" transmit-interval)" = "$3" ]
}

router ""
bfdd_restart b
bfdd_start e <<-END
	frr = { dataplane = "unix:$FRR/bfdd.dplane"; };
END

step "FRR's profile asks for echo"
frr_start zebra
frr_start bfdd --dplaneaddr "unix:$FRR/bfdd.dplane"
frr_configure "$RUN/frr-peers.conf"
wait_for 15 "both up" frr_bfd_up 2
wait_for 5 "ours: at FRR's interval, which is the longer one" echoes_each e 10.0.0.1 60
wait_for 5 "the peer's: as often as FRR lets it" echoes_each b v4 70
equal "what is said, and was heard" "$(ctl e peer 10.0.0.1 | jq -c '.echo | [.["receive-interval"], .["remote-receive-interval"]]')" '[70,50]'
wait_for 10 "ours come back" echo_at_least e 10.0.0.1 packets-in 50
wait_for 10 "the peer's are sent back" echo_at_least e 10.0.0.1 reflected 50

step "FRR is told"
frr_show "show bfd peers json" >"$RUN/peers"
equal "remote-echo-receive-interval" "$(frr_bfd 10.0.0.1 '"remote-echo-receive-interval"')" 50
counted() {
	frr_show "show bfd peers counters json" >"$RUN/counters"
	jq -e 'any(.peer == "10.0.0.1" and .["echo-packet-input"] >= 50 and .["echo-packet-output"] >= 50)' "$RUN/counters" >/dev/null
}
wait_for 5 "echo packets are counted" counted
jq -e 'any(.peer == "2001:db8:1::b" and .["echo-packet-input"] == 0 and .["echo-packet-output"] == 0)' "$RUN/counters" >/dev/null ||
	fail "counters: $(cat "$RUN/counters")"

step "who is not to echo does not"
equal "echo of v6" "$(ctl e peer 2001:db8:1::b | jq .echo)" null
equal "and the peer does not" "$(echo_field b v6 packets-out)" 0

downs() {
	[ "$(ctl e peers | jq -c '[.[]["down-transitions"]]')" = "[0,0]" ]
}

step "off and on while it is up"
frr_command "configure terminal" "bfd" "profile echoing" "no echo-mode"
no_echo() {
	[ "$(ctl e peer 10.0.0.1 | jq .echo)" = null ]
}
wait_for 5 "it ends" no_echo
wait_for 5 "the peer is told" echoes_each b v4 0
frr_command "configure terminal" "bfd" "profile echoing" "echo-mode" "echo transmit-interval 80"
wait_for 5 "it begins again, at another interval" echoes_each e 10.0.0.1 80
wait_for 5 "the peer as well" echoes_each b v4 70
stays 1 "nothing went down" downs

step "only Echo packets are lost: FRR hears of Down"
since=$(lab_now)
lab_in b nft 'table netdev t { chain out { type filter hook egress device "x1" priority 0; udp dport 3785 drop; }; }'
failed() {
	has_event e "$since" '.event == "session" and .peer == "10.0.0.1" and .from == "up" and
		(.diagnostic == "echo-failed" or .["remote-diagnostic"] == "echo-failed")'
}
wait_for 5 "one of the two has found it" failed
lab_in b nft delete table netdev t
wait_for 10 "up again" frr_bfd_up 2
counted_down() {
	[ "$(frr_show "show bfd peers counters json" | jq '[.[] | select(.peer == "10.0.0.1")][0]["session-down"]')" -ge 1 ]
}
wait_for 5 "it counted a Down" counted_down

step "bits of the peer: somebody in FRR's place hears of C and D, also when they change while the session is up"
frr_kill bfdd
lab_start e fake "$TOOLS/frr_fake" -l 10.0.0.0 -i x1 "$FRR/bfdd.dplane" good
said() { # FLAGS ECHO
	[ "$(grep '^remote 1000 ' "$RUN/fake.log" | tail -1)" = "remote 1000 $1 $2" ] &&
		[ "$(grep '^state 1000 ' "$RUN/fake.log" | tail -1)" = "state 1000 3" ]
}
wait_for 15 "none" said 0 50000
router "control-plane-independent = true;"
kill -HUP "$(bfdd_pid b)"
wait_for 5 "C" said 1 50000
router "control-plane-independent = true; demand-mode = true; echo-receive-interval = 90;"
kill -HUP "$(bfdd_pid b)"
wait_for 5 "C and D" said 3 90000
