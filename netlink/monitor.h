/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows the kernel: links with their carrier, local addresses, and what becomes of our own steering
 * objects. On ENOBUFS the socket's buffer grows and everything is read again; the callbacks then tell the
 * differences only.
 */
#ifndef NETLINK_MONITOR_H
#define NETLINK_MONITOR_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"

struct monitor;

/* What is made of other links. */
enum monitor_kind { MONITOR_PLAIN, MONITOR_VRF, MONITOR_BOND };
/* The kernel's numbers. */
enum monitor_bond_mode {
	MONITOR_BOND_ROUND_ROBIN = 0,
	MONITOR_BOND_ACTIVE_BACKUP = 1,
	MONITOR_BOND_XOR = 2,
	MONITOR_BOND_8023AD = 4,
};

struct monitor_link {
	uint32_t ifindex;
	uint32_t master;      /* the index of what it is a member of: a VRF, bond, bridge; 0: of nothing */
	uint8_t kind;	      /* enum monitor_kind */
	uint8_t bond_mode;    /* of a bond: enum monitor_bond_mode, or another */
	uint32_t bond_active; /* of an active-backup bond: the index of the member in use; 0: none */
	bool distributing;    /* of a bond's member: the bond uses it */
	char name[IFNAMSIZ];
	bool up;       /* IFF_UP */
	bool ethernet; /* with ADDRESS as its own */
	uint8_t address[6];
	uint32_t mtu;
	bool carrier; /* IFF_LOWER_UP, and the operational state is up, or unknown (drivers that keep none) */
};

/* Foreign hands on our objects (see steer.h for the ids). */
enum monitor_lost_kind { MONITOR_LOST_NEXTHOP, MONITOR_LOST_RULE, MONITOR_LOST_ROUTE };
struct monitor_lost {
	uint8_t kind;
	uint8_t family;		  /* of a rule */
	uint32_t id;		  /* of a nexthop or group */
	uint32_t priority, table; /* of a rule; the table also of a route */
	struct prefix prefix;	  /* of a route */
};

struct monitor_callbacks {
	/* A link came, changed (also its name or address) or went (GONE). */
	void (*link)(void *context, const struct monitor_link *link, bool gone);
	/* An address came to a link or went. Tentative and failed-DAD addresses count as not there. */
	void (*address)(void *context, uint32_t ifindex, const struct addr *addr, uint8_t prefix_length,
			bool gone);
	/* An object with our protocol number was deleted, by whomever: ourselves too. When a link loses its
	 * carrier, goes down or goes, the kernel deletes the nexthops on it, groups left empty and their
	 * routes without a word; they are told here all the same, after the link, but for the routes: those
	 * are told only when a program deleted them. May be NULL. */
	void (*lost)(void *context, const struct monitor_lost *lost);
	/* The socket overflowed and was read again. LOST events may have been missed: check all of ours. May
	 * be NULL. */
	void (*resync)(void *context);
	void *context;
};

/* Opens the socket, subscribes, dumps links and addresses (callbacks come before this returns). NULL with a
 * message in ERROR. */
struct monitor *monitor_create(uint8_t protocol, const struct monitor_callbacks *callbacks, char *error,
			       size_t size);
int monitor_fd(const struct monitor *monitor);
/* Call when the fd is readable. Reads at most a bounded number of messages; the fd stays readable if there is
 * more. */
void monitor_read(struct monitor *monitor);
void monitor_free(struct monitor *monitor);

/* By name or index among the links known; NULL. Valid until the next monitor_read(). */
const struct monitor_link *monitor_link_by_name(const struct monitor *monitor, const char *name);
const struct monitor_link *monitor_link_by_index(const struct monitor *monitor, uint32_t ifindex);
/* By index. */
void monitor_each_link(const struct monitor *monitor,
		       void (*fn)(void *context, const struct monitor_link *link), void *context);
/* Each local address on any link. */
void monitor_each_address(const struct monitor *monitor, void (*fn)(void *context, const struct addr *addr),
			  void *context);
bool monitor_has_address(const struct monitor *monitor, uint32_t ifindex, const struct addr *addr);
/* The VRF that a link is in, or is itself; 0: in none. */
uint32_t monitor_vrf(const struct monitor *monitor, uint32_t ifindex);
/* A local address on IFINDEX (0: on any link in VRF, which is 0 for those in none; *FOUND_IFINDEX tells)
 * suited to PEER: same subnet (also /31, /127, point-to-point), link-local for link-local (which needs
 * IFINDEX); the first by numeric order, so that it is the same each time. False: none. */
bool monitor_local_for(const struct monitor *monitor, uint32_t vrf, uint32_t ifindex, const struct addr *peer,
		       struct addr *local, uint32_t *found_ifindex);
/* The link in VRF (0: in none) that holds ADDR; 0: none. */
uint32_t monitor_holder(const struct monitor *monitor, uint32_t vrf, const struct addr *addr);

#endif
