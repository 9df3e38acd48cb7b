/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which path carries which service now. Pure: the engine tells it what became of paths, it answers with
 * actions for the kernel, in the order in which they must be carried out.
 *
 *   path     a peer that some site names; usable while its session is Up
 *   group    the paths of one site and one nexthop family: a nexthop group in the kernel
 *   way      one service in one address family: its groups in order of preference, each with a policy rule
 *            that leads to a table holding the service's prefixes on that group. The first standing rule
 *            wins, so taking one rule away is a whole failover, however many prefixes and whatever else
 *            waits behind it.
 *
 * A path that dies while others of its group live is detached from the group; with the last one go the rules.
 * A group that comes back gets its rules at once if nothing better stands, else after the way's
 * wait-to-restore. With no rule left the main table decides.
 */
#ifndef SITE_POLICY_H
#define SITE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/usec.h"

#define POLICY_MEMBERS 64 /* paths of a group: bits of a mask */
#define POLICY_CHOICES 16 /* groups of a way */
#define POLICY_NAME 64
#define POLICY_NONE 0xffff

struct policy_path {
	bool usable;
	uint32_t first; /* own: its first place in a group, see policy_act.h */
};

struct policy_group {
	char name[POLICY_NAME + 8]; /* site and family: what adopting goes by */
	uint64_t live;		    /* members whose path is usable */
	uint64_t presumed; /* members inherited from a predecessor and not heard of yet: count as live */
	uint64_t resolved; /* members whose interface is there and has carrier: the kernel would take them */
	uint64_t attached; /* members that the kernel's group has, as far as we ordered it */
	uint16_t npaths;
	uint16_t paths[POLICY_MEMBERS]; /* path indices */
	uint64_t keys[POLICY_MEMBERS];	/* what adopting goes by: hash of peer name, gateway, interface index;
					   the same key means the same nexthop object */
	uint32_t next[POLICY_MEMBERS];	/* own: the path's next place in a group */
};

struct policy_choice {
	uint16_t group;
	uint16_t rule;	/* index of the rule in the steering map */
	uint32_t table; /* where the rule leads: adopting keeps `ready` while it is the same */
	uint64_t key; /* hash of family, table and priority: adopting keeps `standing` while it is the same */
	bool ready;   /* the table is filled */
	bool standing;	   /* the rule is in the kernel, as far as we ordered it */
	bool renew;	   /* own: stands under the key of before a reload, to be added under this one */
	bool failed;	   /* it stood and was taken away for a failure: wait-to-restore applies */
	usec_t restore_at; /* USEC_NEVER: not waiting */
};

struct policy_way {
	char name[POLICY_NAME + 8]; /* service and family */
	uint16_t service;	    /* index, for reports */
	uint8_t family;
	usec_t wait_to_restore;
	uint8_t nchoices;
	struct policy_choice choices[POLICY_CHOICES];
};

struct policy {
	uint16_t npaths, ngroups, nways;
	bool linked; /* own: path.first and group.next are made */
	usec_t next; /* own: the earliest restore_at */
	struct policy_path *paths;
	struct policy_group *groups;
	struct policy_way *ways;
};

enum policy_action_kind {
	POLICY_DETACH,	 /* group, member: take one nexthop out; others remain */
	POLICY_GROUP,	 /* group, mask: make the group have these members (creates it) */
	POLICY_RULE_DEL, /* rule */
	POLICY_RULE_ADD, /* rule */
};

struct policy_action {
	uint8_t kind; /* enum policy_action_kind */
	uint16_t way; /* of a rule; POLICY_NONE for DETACH and GROUP */
	uint16_t group;
	uint16_t rule;
	uint8_t member;
	bool dead; /* RULE_DEL: nobody in the group is alive, so all rules to it go now */
	uint64_t mask;
};

/* Where actions go; EMIT must not call back into the policy. */
struct policy_sink {
	void (*emit)(void *context, const struct policy_action *action);
	void *context;
};

/* One block of memory, everything zero and at rest (restore_at USEC_NEVER); the caller fills in what has no
 * "own" in its comment: names, members, keys, choices, and what is resolved by now. NULL: no memory, or a
 * count beyond 65,534. */
struct policy *policy_create(unsigned npaths, unsigned ngroups, unsigned nways);
void policy_free(struct policy *policy);
/* Equal counts: policy_copy() is possible. */
bool policy_same_shape(const struct policy *a, const struct policy *b);
/* For snapshots: DST, of the same shape, becomes what SRC is. Allocates nothing. */
void policy_copy(struct policy *dst, const struct policy *src);

/* A path became usable or ceased to be. The actions that move traffic off it come first. Costs its own groups
 * and one look at every choice of every way (some microseconds for hundreds of ways). */
void policy_path(struct policy *policy, uint16_t path, bool usable, usec_t now,
		 const struct policy_sink *sink);
/* The interface of a group's member is there (up, carrier, known gateway) or is not. When it goes, the kernel
 * has taken the member out by itself, and with the last one the group and all routes on it: the choices on it
 * are then no longer ready until policy_ready() says so again. */
void policy_resolved(struct policy *policy, uint16_t group, uint8_t member, bool resolved, usec_t now,
		     const struct policy_sink *sink);
/* The table behind RULE is filled, or has lost its routes. */
void policy_ready(struct policy *policy, uint16_t rule, bool ready, usec_t now,
		  const struct policy_sink *sink);
/* Somebody took our object out of the kernel: what we believe standing or attached is corrected and asked for
 * again. A group (or its last member) takes its routes along, as above. */
void policy_lost_member(struct policy *policy, uint16_t group, uint8_t member, usec_t now,
			const struct policy_sink *sink);
void policy_lost_group(struct policy *policy, uint16_t group, usec_t now, const struct policy_sink *sink);
void policy_lost_rule(struct policy *policy, uint16_t rule, usec_t now, const struct policy_sink *sink);
/* Found in the kernel at start, left by a predecessor: MASK members attached; RULE standing, its table
 * filled. They hold until their paths are heard of, or policy_presume_end(), or policy_presume_doubt(): that
 * one ends it for the sites that a way would go by although it has another with a path that was heard. To be
 * called before anything that emits. */
void policy_inherit_group(struct policy *policy, uint16_t group, uint64_t mask);
void policy_inherit_rule(struct policy *policy, uint16_t rule);
void policy_presume_doubt(struct policy *policy, usec_t now, const struct policy_sink *sink);
void policy_presume_end(struct policy *policy, usec_t now, const struct policy_sink *sink);

/* When policy_tick() has something to do; USEC_NEVER: nothing. */
usec_t policy_next(const struct policy *policy);
void policy_tick(struct policy *policy, usec_t now, const struct policy_sink *sink);

/* A reload: takes over the running state of OLD by names and keys, and tells what must change so that the
 * kernel agrees with the new one. What exists no longer (also a rule whose choice has another key now) is not
 * told: whoever changes the steering map deletes it. A path is usable if it was in OLD or if the caller has
 * set paths[].usable; others are reported by policy_path() later. A wait-to-restore that runs becomes as
 * long as the new policy says, counted from where it began; it may end here. OLD may be NULL, for the first
 * policy of all: then this tells what to build, policy_inherit_*() considered. */
void policy_adopt(struct policy *policy, const struct policy *old, usec_t now,
		  const struct policy_sink *sink);

/* The choice that carries the way now: the first standing one; -1: none, the main table decides. */
int policy_active(const struct policy_way *way);

#endif
