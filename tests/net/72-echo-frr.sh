#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Echo with FRR's bfdd (IPv4): what comes back of ours by its kernel, what we send back of its, and
# Down by echo-failed when only Echo packets get lost.
. "$(dirname "$0")/lib.sh"
[ -x /usr/lib/frr/bfdd ] || skip "frr is not installed"

lab_ns a b
lab_link a x1 b x1
lab_addr a x1 10.0.0.0/31
lab_addr b x1 10.0.0.1/31
# FRR 8.4 leaves what it says to take in to the kernel's forwarding.
lab_in a sh -c 'echo 0 >/proc/sys/net/ipv4/conf/all/forwarding'
lab_in b sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/forwarding'

FRR=$RUN/frr
mkdir "$FRR"
cat >"$FRR/bfdd.conf" <<END
bfd
 peer 10.0.0.0 local-address 10.0.0.1 interface x1
  transmit-interval 100
  receive-interval 100
  detect-multiplier 3
  echo-mode
  echo transmit-interval 60
  echo receive-interval 60
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

echo_at_least() { # FIELD NUMBER
	[ "$(ctl a peer v4 | jq ".echo[\"$1\"]")" -ge "$2" ]
}

bfdd_start a <<-END
	peers = ( { name = "v4"; address = "10.0.0.1"; interface = "x1"; transmit-interval = 100; receive-interval = 100;
	  echo-mode = true; echo-transmit-interval = 50; echo-receive-interval = 60; } );
END
frr_start zebra
frr_start bfdd
wait_for 40 "up (FRR takes some time to speak first)" peer_is a v4 up

step "ours come back from FRR's host"
wait_for 10 "they come back" echo_at_least packets-in 50
equal "at the interval that FRR asks for" "$(ctl a peer v4 | jq '.echo["transmit-interval"]')" 60

step "we send back FRR's"
wait_for 10 "they are sent back" echo_at_least reflected 50
frr_echo_in() {
	[ "$(frr_show "show bfd peers counters json" | jq '.[0]["echo-packet-input"]')" -ge 50 ]
}
wait_for 10 "FRR got them" frr_echo_in
stays 2 "it is up" peer_is a v4 up
equal "FRR: up" "$(frr_show "show bfd peers json" | jq -r '.[0].status')" up

step "Echo packets get lost, and only they"
since=$(lab_now)
lab_in b nft 'table netdev t { chain out { type filter hook egress device "x1" priority 0; udp dport 3785 drop; }; }'
failed() {
	has_event a "$since" '.event == "session" and .from == "up" and (.diagnostic == "echo-failed" or .["remote-diagnostic"] == "echo-failed")'
}
wait_for 5 "one of the two has found it" failed
lab_in b nft delete table netdev t
wait_for 10 "up again" peer_is a v4 up
