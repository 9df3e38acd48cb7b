/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A door that is a packet socket on one interface: for what the kernel's UDP would never hand over, because
 * it is addressed to somebody else or to nobody (echo), or came in by a member of a bond (micro-BFD). Such a
 * socket is shown every packet of its family on that interface: a filter in the kernel keeps what is UDP to
 * one port and was sent to us, but the interface's traffic pays for it. Open only while it is needed.
 */
#ifndef IO_TAP_H
#define IO_TAP_H

#include <sys/socket.h>

#include "io/udp.h"

/* As udp_open_door(), for a door with ifindex: it is bound, with its filter and options. */
int tap_open(struct udp_door *door, char *error, size_t size);
/* Reads what the socket gave: SIZE bytes of DATA that begin with the IP header, with MESSAGE's name and
 * control data. False: not to be taken, and counted by the caller. Fills ORIGIN but for type and VRF, STAMP,
 * and PAYLOAD, which lies in DATA. */
bool tap_read(const struct udp_door *door, struct msghdr *message, const uint8_t *data, size_t size,
	      struct table_origin *origin, usec_t *stamp, const uint8_t **payload, size_t *payload_size);

#endif
