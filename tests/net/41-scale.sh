#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 100,000 prefixes, BFD at 3 x 50 ms, the primary site silent: the gap is the detection time, whatever the number.
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/lab-voice
. "$TOP/scripts/lab-voice"

VOICE_PREFIXES=100000
voice_topology
for n in 1 2 3 4; do
	bfdd_start "r$n" <<-END
		peers = ( { name = "edge"; address = "192.0.2.$((2 * n))"; interface = "edge";
		  transmit-interval = 50; receive-interval = 50; } );
	END
done
kernel_objects e | sort >"$RUN/before"
voice_write_bfdd_conf "$RUN/edge.conf"
begin=$(lab_now)
bfdd_start e <"$RUN/edge.conf"
wait_for 10 "all sessions up" all_up e
wait_for 60 "ams carries the service" service_on e voice ams
echo "$(((($(lab_now)) - begin) / 1000)) ms from the start to a service of $VOICE_PREFIXES prefixes carried"
table_filled() { # SITE
	has_event e 0 ".event == \"table\" and .filled and .site == \"$1\""
}
wait_for 60 "the table of fra is filled too" table_filled fra

voice_recv_start c
voice_send_start p "first,$FIRST,1000" "last,$LAST,1000"
sleep 1 # of traffic before the cut
lab_cut w r1 r2
wait_for 10 "fra carries" service_on e voice fra
sleep 0.2 # of traffic by fra
voice_end

ctl e services | jq -c '.[0]["last-switch"]'
for stream in first last; do
	at_most "gap towards the $stream prefix, ms" "$(stream_field $stream largest-gap-ms)" $((160 * SLACK))
	at_most "silence at the end, ms" "$(stream_field $stream silent-at-end-ms)" $((200 + 100 * SLACK))
done
at_most "detection to kernel, us" "$(service_field e voice '.["last-switch"]["detection-to-kernel-us"]')" $((10000 * SLACK))

bfdd_stop e
kernel_objects e | sort >"$RUN/now"
equal "lines that differ in the kernel from before" "$(diff "$RUN/before" "$RUN/now" | wc -l)" 0
