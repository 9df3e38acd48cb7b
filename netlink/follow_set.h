/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: which prefixes services follow. It is told what routes there are in the main table, each with the
 * services (bits) whose peers it leads to, and says which prefixes each service is to have. A prefix comes as
 * soon as there is a route, and leaves when there has been none for the service's delay: BGP may be on its
 * way from one peer to the other, and the main table shows only the best.
 *
 * Routes are heard of by notifications, as they change, and listed by a dump, which may take long and is not
 * of one instant. So between begin and end of a listing what is heard is the truth, whatever the list says,
 * and at the end what was neither heard nor listed is gone.
 */
#ifndef NETLINK_FOLLOW_SET_H
#define NETLINK_FOLLOW_SET_H

#include "core/usec.h"
#include "netlink/prefix_map.h"

#define FOLLOW_SERVICES 15     /* bits */
#define FOLLOW_MOST (1u << 20) /* prefixes of a family; more are refused, and counted */

/* PREFIX is wanted by the services in WANTED now, no longer by those in BEFORE. Must not call back. */
typedef void follow_changed_fn(void *context, const struct prefix *prefix, uint16_t before, uint16_t wanted);

struct follow_family {
	struct prefix_map routes;   /* of the main table, by prefix and metric */
	struct prefix_map prefixes; /* wanted */
	unsigned waiting;	    /* prefixes that some service waits to be rid of */
	unsigned partial;	    /* routes that lost some next hops, it is not known which */
	uint64_t refused;
};

struct follow_set {
	struct follow_family families[2]; /* IPv4, IPv6 */
	usec_t delay[FOLLOW_SERVICES];	  /* of each service; the caller's to set */
	uint8_t round;			  /* of listings */
	bool listing;
	bool sure; /* listed whole since the last doubt: only then prefixes leave */
	follow_changed_fn *changed;
	void *context;
};

/* SECRET: see prefix_map.h. */
void follow_set_init(struct follow_set *set, const uint64_t secret[2], follow_changed_fn *changed,
		     void *context);
void follow_set_free(struct follow_set *set);

/* There is such a route, towards peers of SERVICES (none: it is gone, or leads elsewhere). HOPS: how many
 * next hops it has. */
void follow_set_heard(struct follow_set *set, const struct prefix *prefix, uint32_t metric, uint16_t services,
		      unsigned hops, usec_t now);
/* A route is gone, or HOPS of its next hops (IPv6). Then the rest counts on as it was, and should be listed.
 */
void follow_set_gone(struct follow_set *set, const struct prefix *prefix, uint32_t metric, unsigned hops,
		     usec_t now);

/* Changes were missed: what is here may be wrong until a listing has ended. */
void follow_set_doubt(struct follow_set *set);
void follow_set_list_begin(struct follow_set *set);
void follow_set_listed(struct follow_set *set, const struct prefix *prefix, uint32_t metric,
		       uint16_t services, unsigned hops, usec_t now);
void follow_set_list_end(struct follow_set *set, usec_t now);
void follow_set_list_abort(struct follow_set *set); /* doubt remains */

/* SERVICE has it already, from before: as if its routes had just gone, if there are none. */
void follow_set_adopt(struct follow_set *set, const struct prefix *prefix, unsigned service, usec_t now);
/* SERVICE follows no more: its bit is taken away everywhere, and nothing told. */
void follow_set_forget(struct follow_set *set, unsigned service);
/* Lets go what has waited long enough. Returns when to call again; USEC_NEVER: nothing waits, or there is
 * doubt. */
usec_t follow_set_expire(struct follow_set *set, usec_t now);

void follow_set_each(const struct follow_set *set, uint8_t family, unsigned service,
		     void (*fn)(void *context, const struct prefix *prefix), void *context);
struct follow_count {
	unsigned prefixes, waiting; /* of these: without a route */
};
struct follow_count follow_set_count(const struct follow_set *set, unsigned service);
size_t follow_set_memory(const struct follow_set *set);

#endif
