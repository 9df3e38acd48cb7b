/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which path carries which service now. Pure: the engine tells it what became of paths, it answers with
 * actions for the kernel, in the order in which they must be carried out.
 *
 *   path     a peer that some site names; usable while its session is Up
 *   group    the paths of one site and one nexthop family: a nexthop group in the kernel
 *   way      one service in one address family: its groups in order of preference, each with a policy rule
 * that leads to a table holding the service's prefixes on that group. The first standing rule wins, so taking
 * one rule away is a whole failover, however many prefixes and whatever else waits behind it.
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
};

struct policy_group {
	char name[POLICY_NAME + 8]; /* site and family: what adopting goes by */
	uint16_t npaths;
	uint16_t paths[POLICY_MEMBERS]; /* path indices */
	uint64_t
		keys[POLICY_MEMBERS]; /* what adopting goes by: hash of peer name, gateway, interface index */
	uint64_t live;		      /* members whose path is usable */
	uint64_t presumed; /* members inherited from a predecessor and not heard of yet: count as live */
	uint64_t resolved; /* members whose interface is there and has carrier: the kernel would take them */
	uint64_t attached; /* members that the kernel's group has, as far as we ordered it */
};

struct policy_choice {
	uint16_t group;
	uint16_t rule;	   /* index of the rule in the steering map */
	bool ready;	   /* the table is filled */
	bool standing;	   /* the rule is in the kernel, as far as we ordered it */
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
	uint64_t mask;
};

/* Where actions go; EMIT must not call back into the policy. */
struct policy_sink {
	void (*emit)(void *context, const struct policy_action *action);
	void *context;
};

/* Memory: one block for all, by the caller's allocator; sizes are fixed by the counts. Zeroed and set to
 * rest. */
struct policy *policy_create(unsigned npaths, unsigned ngroups, unsigned nways);
void policy_free(struct policy *policy);

/* A path became usable or ceased to be. The actions that move traffic off it come first. */
void policy_path(struct policy *policy, uint16_t path, bool usable, usec_t now,
		 const struct policy_sink *sink);
/* The interface of a group's member is there (up, carrier, known gateway) or is not. */
void policy_resolved(struct policy *policy, uint16_t group, uint8_t member, bool resolved, usec_t now,
		     const struct policy_sink *sink);
/* The table behind RULE is filled, or has lost its routes. */
void policy_ready(struct policy *policy, uint16_t rule, bool ready, usec_t now,
		  const struct policy_sink *sink);
/* Somebody took our object out of the kernel: what we believe standing or attached is corrected and asked for
 * again. */
void policy_lost_member(struct policy *policy, uint16_t group, uint8_t member, usec_t now,
			const struct policy_sink *sink);
void policy_lost_group(struct policy *policy, uint16_t group, usec_t now, const struct policy_sink *sink);
void policy_lost_rule(struct policy *policy, uint16_t rule, usec_t now, const struct policy_sink *sink);
/* Found in the kernel at start, left by a predecessor: MASK members attached, and the rules in RULE_STANDING.
 * They hold until their paths are heard of, or policy_presume_end(). */
void policy_inherit_group(struct policy *policy, uint16_t group, uint64_t mask);
void policy_inherit_rule(struct policy *policy, uint16_t rule);
void policy_presume_end(struct policy *policy, usec_t now, const struct policy_sink *sink);

/* When policy_tick() has something to do; USEC_NEVER: nothing. */
usec_t policy_next(const struct policy *policy);
void policy_tick(struct policy *policy, usec_t now, const struct policy_sink *sink);

/* A reload: takes over the running state of OLD by names and keys, and tells what must change so that the
 * kernel agrees with the new one. Paths not in OLD start unusable; the caller reports usable ones by
 * policy_path(). */
void policy_adopt(struct policy *policy, const struct policy *old, usec_t now,
		  const struct policy_sink *sink);

/* The choice that carries the way now: the first standing one; -1: none, the main table decides. */
int policy_active(const struct policy_way *way);

#endif
