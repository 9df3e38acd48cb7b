/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receiving BFD packets. A door is a socket that some kind of them comes in by: UDP ports 3784 (single hop)
 * and 4784 (multihop) of both families from the beginning, others while they are wanted. */
#ifndef IO_UDP_H
#define IO_UDP_H

#include <stddef.h>
#include <stdint.h>

#include "core/table.h"
#include "core/usec.h"

#define UDP_SOCKETS 4 /* doors that are there from the beginning */
#define UDP_DOORS 512 /* in all */

struct udp;

struct udp_door {
	int fd; /* -1: this host does not have the family */
	uint16_t port;
	uint8_t family;
	uint8_t type;	  /* enum session_type: what packets that come in by it belong to */
	uint32_t vrf;	  /* the index of the VRF's device; 0: of none */
	uint32_t ifindex; /* not 0: a packet socket on this interface, see tap.h */
	uint32_t seen_as; /* of that: packets may also be said to have come in by this one (a bond, of its
			     member's); 0: not */
};

/* A link that is in a VRF. */
struct udp_member {
	uint32_t ifindex, vrf;
};

/* ORIGIN is what the socket told; a TTL or interface that it kept back is 0 and fails the checks. STAMP: the
 * kernel's receive time in microseconds of CLOCK_REALTIME, 0 if there is none. */
typedef void udp_packet_fn(void *context, const uint8_t *data, size_t size, const struct table_origin *origin,
			   usec_t stamp);

/* NULL with a message for people in ERROR. A host without IPv6 gets two sockets, and a line in the log. */
struct udp *udp_open(char *error, size_t size);
void udp_close(struct udp *udp);
/* Of socket I below UDP_SOCKETS; -1: not open. */
int udp_fd(const struct udp *udp, unsigned i);
/* An epoll descriptor that is readable while a packet waits at any door. */
int udp_wait_fd(const struct udp *udp);
/* Opens the socket of a further door and sets its fd; the caller's, until udp_adopt(). 0, also when the host
 * does not have the family; -1 with a message for people in ERROR. In the main thread. */
int udp_open_door(struct udp_door *door, char *error, size_t size);
/* While ON, sockets of VRFs may be opened on the ports that those of the beginning have; at other times
 * nobody may. */
void udp_share(const struct udp *udp, bool on);
/* The same for the port of one further door of no VRF. */
void udp_share_door(const struct udp_door *door, bool on);
/* DOOR, open, is looked at from now on. False: there are UDP_DOORS already. */
bool udp_adopt(struct udp *udp, const struct udp_door *door);
/* The door with this fd is not looked at any more; the fd is the caller's. */
void udp_release(struct udp *udp, int fd);
/* MEMBERS, sorted by ifindex, which must live until others are given, tell of which VRF a packet is that came
 * in by a socket of none (net.ipv4.udp_l3mdev_accept). */
void udp_members(struct udp *udp, const struct udp_member *members, unsigned n);
/* Hands to FN all packets that were queued in any socket when this was called, and those that come meanwhile,
 * within reason. Returns how many. */
unsigned udp_receive(struct udp *udp, udp_packet_fn *fn, void *context);
/* Packets that came to a packet socket and were not what its filter let them pass for: damaged, or of another
 * interface. */
uint64_t udp_malformed(const struct udp *udp);
/* Queue and timestamps of a socket that packets come in by. 0, or -1 with errno. */
int udp_tune(int fd);
/* Packets that the kernel dropped at the sockets so far: because a queue was full, or a filter said so. NULL:
 * none. */
uint64_t udp_drops(struct udp *udp);

#endif
