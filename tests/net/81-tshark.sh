#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What bfdd puts on the wire, in every state and of every kind, is decoded by tshark and by our own decoder, packet by packet: the same
# values, field by field. And packets that others captured, or that BIRD sends, are read the same by both.
. "$(dirname "$0")/lib.sh"
need tshark tcpdump text2pcap bird

lab_ns a b
lab_link a x1 b x1
for n in $(seq 0 14); do
	lab_addr a x1 10.0.$n.0/31
	lab_addr b x1 10.0.$n.1/31
done
lab_addr a x1 2001:db8:1::a/64
lab_addr b x1 2001:db8:1::b/64
# Looped packets are forwarded by the other end's kernel.
for name in a b; do
	lab_in $name sh -c 'echo 1 >/proc/sys/net/ipv4/conf/x1/forwarding; echo 0 >/proc/sys/net/ipv4/conf/x1/send_redirects
		echo 0 >/proc/sys/net/ipv4/conf/all/send_redirects'
done
umask 077
echo "a secret of all" >"$RUN/secret"

# One session for each kind: NAME LINE-OF-THE-PEER. The secret is of every type of authentication.
AUTH="simple-password keyed-md5 meticulous-keyed-md5 keyed-sha1 meticulous-keyed-sha1"
kinds() {
	local type
	echo 'plain'
	echo 'six'
	echo 'far multihop = true; minimum-ttl = 255;'
	echo 'padded padded-pdu-size = 300;'
	echo 'independent control-plane-independent = true;'
	echo 'demand demand-mode = true;'
	for type in $AUTH; do
		echo "$type key-chain = \"$type\";"
	done
	echo 's-bfd type = "s-bfd"; remote-discriminator = 1000;'
	echo 'both key-chain = "keyed-sha1"; padded-pdu-size = 300;'
	echo 'echo echo-mode = true; echo-receive-interval = 50;'
	echo 'loop type = "unaffiliated-echo";'
}

config() { # a | b [MORE]
	local n=0 name line type us them chains=
	for type in $AUTH; do
		chains="$chains${chains:+, }{ name = \"$type\"; keys = ( { id = 7; type = \"$type\"; secret-file = \"$RUN/secret\"; } ); }"
	done
	echo "key-chains = ( $chains );"
	[ "$1" = a ] || echo 's-bfd = { discriminators = ( 1000 ); };'
	echo 'peers = ('
	while read -r name line; do
		us=10.0.$n.0 them=10.0.$n.1
		[ "$name" != six ] || us=2001:db8:1::a them=2001:db8:1::b
		[ "$1" = a ] || read -r us them <<<"$them $us"
		n=$((n + 1))
		[ "$1 $name" != "b s-bfd" ] || continue # that end is the reflector
		[ $n = 1 ] || echo ,
		echo "{ name = \"$name\"; address = \"$them\"; local-address = \"$us\"; interface = \"x1\"; $line" \
			"transmit-interval = 50; receive-interval = 60; ${2-} }"
	done <"$RUN/kinds"
	echo ');'
}

# The decoder's form of a file's packets, by the word of tshark: numbers in decimal, "-" for what is not there.
by_tshark() { # FILE
	tshark -r "$1" -d udp.port==6784,bfd -d udp.port==7784,bfd -d udp.port==3785,${ECHO-bfd_echo} -Y bfd -T fields -E separator=' ' -E occurrence=f \
		$(printf -- '-e %s ' bfd.version bfd.diag bfd.sta bfd.flags.p bfd.flags.f bfd.flags.c bfd.flags.a bfd.flags.d \
			bfd.flags.m bfd.detect_time_multiplier bfd.message_length bfd.my_discriminator bfd.your_discriminator \
			bfd.desired_min_tx_interval bfd.required_min_rx_interval bfd.required_min_echo_interval \
			bfd.auth.type bfd.auth.len bfd.auth.key bfd.auth.seq_num) -E quote=d 2>/dev/null |
		awk '{ for (i = 1; i <= 20; i++) { gsub(/"/, "", $i)
			printf("%s%s", (i > 1 ? " " : ""), ($i == "" ? "-" : $i ~ /^0x/ ? decimal($i) : $i)) } print "" }
			function decimal(text,   i, value) { value = 0
				for (i = 3; i <= length(text); i++) value = value * 16 + index("123456789abcdef", substr(text, i, 1))
				return sprintf("%.0f", value) }'
}

by_us() { # FILE
	tshark -r "$1" -d udp.port==6784,bfd -d udp.port==7784,bfd -d udp.port==3785,${ECHO-bfd_echo} -Y bfd -T fields -e udp.payload 2>/dev/null | "$TOOLS/decode"
}

same_story() { # FILE
	by_tshark "$1" >"$1.tshark"
	by_us "$1" >"$1.ours"
	[ -s "$1.ours" ] || fail "no packet in $1"
	diff "$1.tshark" "$1.ours" >"$1.diff" || fail "tshark and our decoder differ: $(head -5 "$1.diff")"
	equal "malformed" "$(tshark -r "$1" -Y '_ws.malformed' 2>/dev/null | wc -l)" 0
	echo "$(wc -l <"$1.ours") packets, read the same"
}

# Fields: 2 diag, 3 state, 4 P, 5 F, 6 C, 7 A, 8 D, 17 authentication type
seen() { # WHAT AWK-CONDITION
	awk "$2 { found = 1 } END { exit !found }" "$RUN/wire.pcap.ours" || fail "none was sent: $1"
	echo "seen: $1"
}

kinds >"$RUN/kinds"
cut -d' ' -f1 "$RUN/kinds" | tr '\n' ' '
echo

step "sessions of every kind come up, poll, are shut down, fall silent"
lab_start b tcpdump tcpdump -i x1 -U -w "$RUN/wire.pcap" udp
TCPDUMP=$PID
wait_for 10 "tcpdump listens" test -s "$RUN/wire.pcap"
bfdd_start a < <(config a)
bfdd_start b < <(config b)
all_are_up() {
	wait_for 20 "all up at a" all_up a
	wait_for 20 "all up at b" all_up b
}
all_are_up
stays 1 "all up" all_up a
for more in 'detect-multiplier = 5;' 'shutdown = true;' ''; do
	config a "$more" >"$RUN/bfdd-a.conf"
	ctl a reload >/dev/null
	[ "$more" != 'shutdown = true;' ] || wait_for 5 "b is told" peer_is b plain down
done
all_are_up
bfdd_kill b
wait_for 10 "silence" peer_is a plain down
bfdd_forget b
bfdd_restart b
all_are_up
bfdd_stop a
bfdd_stop b
lab_stop "$TCPDUMP" INT || true

step "tshark and our decoder read the same"
same_story "$RUN/wire.pcap"
seen "Down" '$3 == 1'
seen "Init" '$3 == 2'
seen "Up" '$3 == 3'
seen "AdminDown, with its diagnostic" '$3 == 0 && $2 == 7'
seen "Down by control-expiry" '$3 == 1 && $2 == 1'
seen "Down because the neighbour said so" '$3 == 1 && $2 == 3'
seen "a Poll" '$4 && !$5'
seen "a Final" '$5 && !$4'
seen "no Your Discriminator" '$13 == 0'
awk '$4 && $5 || $9 || $1 != 1 || $10 == 0 || $12 == 0 { exit 1 }' "$RUN/wire.pcap.ours" || fail "what must not be sent was"
seen "C" '$6'
seen "D" '$8 && $3 == 3'
equal "D in another state than Up, but for S-BFD (RFC 7880 7.3.2)" \
	"$(tshark -r "$RUN/wire.pcap" -Y 'bfd.flags.d == 1 && bfd.sta != 3 && udp.port != 7784' 2>/dev/null | wc -l)" 0
for type in 1 2 3 4 5; do
	seen "authentication type $type" "\$7 && \$17 == $type && \$19 == 7"
done
for filter in 'udp.dstport == 7784' 'udp.srcport == 7784'; do
	at_least "S-BFD: $filter" "$(tshark -r "$RUN/wire.pcap" -d udp.port==7784,bfd -Y "bfd && $filter" 2>/dev/null | wc -l)" 20
done
equal "packets of the padded sessions, by their UDP length" \
	"$(tshark -r "$RUN/wire.pcap" -Y 'ip.addr == 10.0.3.0 || ip.addr == 10.0.12.0' -T fields -e udp.length 2>/dev/null | sort -u)" 308
equal "Echo packets that are not of ours to us, with 32 bytes" "$(tshark -r "$RUN/wire.pcap" -Y 'bfd_echo && udp.length != 64' -T fields \
	-e ip.src -e ip.dst -e udp.length -e bfd_echo.packet 2>/dev/null |
	awk '$1 != $2 || $3 != 40 || length($4) != 64 { n++ } END { print NR < 20 ? "too few packets" : n + 0 }')" 0
tshark -r "$RUN/wire.pcap" -Y 'bfd_echo && udp.length == 64' -w "$RUN/looped.pcap" 2>/dev/null
ECHO=bfd same_story "$RUN/looped.pcap"
awk '$3 == 3 && $12 == $13 { found = 1 } END { exit !found }' "$RUN/looped.pcap.ours" || fail "no looped packet that is Up"
equal "right checksums" "$(tshark -r "$RUN/wire.pcap" -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE \
	-Y '(bfd || bfd_echo) && (udp.checksum.status != 1 || ip.checksum.status == 0)' 2>/dev/null | wc -l)" 0

# The three captures bfd-raw-auth-{simple,md5,sha1}.pcap of https://wiki.wireshark.org/SampleCaptures, the first packet of each: made by
# a traffic generator. The digests are no digests, and the session is authenticated in Down.
step "captures of others"
text2pcap -q -4 192.85.1.2,192.0.0.1 -u 49153,3784 - "$RUN/others.pcap" <<-END
	0000 20 44 05 21 00 00 00 01 00 00 00 00 00 0f 42 40 00 0f 42 40 00 00 00 00 01 09 02 73 65 63 72 65 74

	0000 20 44 05 30 00 00 00 01 00 00 00 00 00 0f 42 40 00 0f 42 40 00 00 00 00 02 18 02 00 00 00 00 05 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16

	0000 20 44 05 34 00 00 00 01 00 00 00 00 00 0f 42 40 00 0f 42 40 00 00 00 00 05 1c 02 00 00 00 00 05 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 1a
END
same_story "$RUN/others.pcap"
diff "$RUN/others.pcap.ours" - <<-END || fail "not what these packets are known to say"
	1 0 1 0 0 0 1 0 0 5 33 1 0 1000000 1000000 0 1 9 2 -
	1 0 1 0 0 0 1 0 0 5 48 1 0 1000000 1000000 0 2 24 2 5
	1 0 1 0 0 0 1 0 0 5 52 1 0 1000000 1000000 0 5 28 2 5
END

step "BIRD's packets"
cat >"$RUN/bird.conf" <<END
log stderr all;
router id 10.0.0.1;
protocol device {}
protocol bfd {
	interface "x1" { interval 100 ms; idle tx interval 300 ms; multiplier 3; authentication meticulous keyed sha1; password "x"; };
	neighbor 10.0.0.0 dev "x1";
	neighbor 2001:db8:1::a dev "x1";
}
END
lab_start b bird bird -f -c "$RUN/bird.conf" -s "$RUN/bird.ctl" -P "$RUN/bird.pid"
timeout 20 nsenter --net="/run/netns/$LAB-a" tcpdump -i x1 -U -c 6 -w "$RUN/bird.pcap" 'udp port 3784' 2>/dev/null ||
	fail "BIRD sent nothing"
same_story "$RUN/bird.pcap"
awk '$17 != 5 { exit 1 }' "$RUN/bird.pcap.ours" || fail "BIRD's authentication is not of type 5"
