/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "site/policy_act.h"

#include <stddef.h>

static uint64_t effective(const struct policy_group *group)
{
	return (group->live | group->presumed) & group->resolved;
}

/*
 * With nobody alive the group stays as it is: no rule leads there, and an untouched group keeps its routes,
 * so that recovery need not write them again. A group that does not exist yet is made of all that the kernel
 * would take, so that its table can be filled in advance.
 */
static uint64_t wanted(const struct policy_group *group)
{
	if (effective(group))
		return effective(group);
	if (group->attached & group->resolved)
		return group->attached & group->resolved;
	return group->resolved;
}

static bool possible(const struct policy *policy, const struct policy_choice *choice)
{
	return choice->ready && effective(&policy->groups[choice->group]);
}

static void emit_rule(const struct policy *policy, enum policy_action_kind kind, const struct policy_way *way,
		      const struct policy_choice *choice, const struct policy_sink *sink)
{
	struct policy_action action = {
		.kind = kind,
		.way = (uint16_t)(way - policy->ways),
		.group = choice->group,
		.rule = choice->rule,
		.dead = kind == POLICY_RULE_DEL && !effective(&policy->groups[choice->group]),
	};

	sink->emit(sink->context, &action);
}

static void rule_add(const struct policy *policy, const struct policy_way *way, struct policy_choice *choice,
		     const struct policy_sink *sink)
{
	choice->standing = true;
	choice->renew = false;
	choice->failed = false;
	choice->restore_at = USEC_NEVER;
	emit_rule(policy, POLICY_RULE_ADD, way, choice, sink);
}

/* The best choice that could carry the way the moment its rule stands: its group is in the kernel already. */
static struct policy_choice *replacement(const struct policy *policy, struct policy_way *way)
{
	for (unsigned i = 0; i < way->nchoices; i++) {
		struct policy_choice *choice = &way->choices[i];
		const struct policy_group *group = &policy->groups[choice->group];

		if (possible(policy, choice) && (effective(group) & group->attached))
			return choice;
	}
	return NULL;
}

/*
 * Where no rule would be left although a choice is possible (it waits for restoration), that one comes before
 * the dying rule goes: if it ranks above, it takes the traffic over at once; if below, it does so the moment
 * the other is gone. Either way the main table gets no say in between.
 */
static void way_withdraw(struct policy *policy, struct policy_way *way, const struct policy_sink *sink)
{
	bool remains = false, dies = false;

	for (unsigned i = 0; i < way->nchoices; i++) {
		struct policy_choice *choice = &way->choices[i];
		bool can = possible(policy, choice);

		if (!can)
			choice->restore_at = USEC_NEVER;
		if (choice->standing && can)
			remains = true;
		else if (choice->standing)
			dies = true;
	}
	if (!dies)
		return;
	if (!remains) {
		struct policy_choice *choice = replacement(policy, way);

		if (choice)
			rule_add(policy, way, choice, sink);
	}
	for (unsigned i = 0; i < way->nchoices; i++) {
		struct policy_choice *choice = &way->choices[i];

		if (!choice->standing || possible(policy, choice))
			continue;
		choice->standing = false;
		choice->failed = true;
		if (!choice->renew)
			emit_rule(policy, POLICY_RULE_DEL, way, choice, sink);
		choice->renew = false;
	}
}

void policy_withdraw(struct policy *policy, const struct policy_sink *sink)
{
	for (unsigned i = 0; i < policy->nways; i++)
		way_withdraw(policy, &policy->ways[i], sink);
}

void policy_group_detach(struct policy *policy, uint16_t index, const struct policy_sink *sink)
{
	struct policy_group *group = &policy->groups[index];
	uint64_t leaving = group->attached & ~wanted(group);

	/* The last member cannot be detached: the kernel would drop the group with its routes. */
	if (leaving == group->attached)
		return;
	group->attached &= ~leaving;
	for (; leaving; leaving &= leaving - 1) {
		struct policy_action action = {
			.kind = POLICY_DETACH,
			.way = POLICY_NONE,
			.rule = POLICY_NONE,
			.group = index,
			.member = (uint8_t)__builtin_ctzll(leaving),
		};

		sink->emit(sink->context, &action);
	}
}

void policy_group_set(struct policy *policy, uint16_t index, const struct policy_sink *sink)
{
	struct policy_group *group = &policy->groups[index];
	struct policy_action action = {
		.kind = POLICY_GROUP,
		.way = POLICY_NONE,
		.rule = POLICY_NONE,
		.group = index,
		.mask = wanted(group),
	};

	if (!(action.mask & ~group->attached))
		return;
	group->attached = action.mask;
	sink->emit(sink->context, &action);
}

/* May CHOICE, possible and above the active one (if there is one), have its rule now? */
static bool may_stand(const struct policy_way *way, struct policy_choice *choice, bool active, usec_t now)
{
	if (!active || !choice->failed)
		return true;
	if (choice->restore_at == USEC_NEVER)
		choice->restore_at = now + way->wait_to_restore;
	return choice->restore_at <= now;
}

static void way_offer(struct policy *policy, struct policy_way *way, usec_t now,
		      const struct policy_sink *sink)
{
	int active = policy_active(way);

	for (int i = 0; i < way->nchoices; i++) {
		struct policy_choice *choice = &way->choices[i];

		if (choice->standing && choice->renew)
			rule_add(policy, way, choice, sink);
		if (choice->standing || !possible(policy, choice))
			continue;
		/* Below the active one a rule is a harmless standby. */
		if (active >= 0 && i > active) {
			rule_add(policy, way, choice, sink);
		} else if (may_stand(way, choice, active >= 0, now)) {
			rule_add(policy, way, choice, sink);
			active = i;
		} else if (choice->restore_at < policy->next) {
			policy->next = choice->restore_at;
		}
	}
}

void policy_offer(struct policy *policy, usec_t now, const struct policy_sink *sink)
{
	policy->next = USEC_NEVER;
	for (unsigned i = 0; i < policy->nways; i++)
		way_offer(policy, &policy->ways[i], now, sink);
}

void policy_act(struct policy *policy, usec_t now, const struct policy_sink *sink)
{
	policy_withdraw(policy, sink);
	for (unsigned i = 0; i < policy->ngroups; i++)
		policy_group_detach(policy, (uint16_t)i, sink);
	for (unsigned i = 0; i < policy->ngroups; i++)
		policy_group_set(policy, (uint16_t)i, sink);
	policy_offer(policy, now, sink);
}

void policy_group_gone(struct policy *policy, uint16_t group)
{
	policy->groups[group].attached = 0;
	for (unsigned i = 0; i < policy->nways; i++) {
		struct policy_way *way = &policy->ways[i];

		for (unsigned j = 0; j < way->nchoices; j++) {
			if (way->choices[j].group == group)
				way->choices[j].ready = false;
		}
	}
}

void policy_link(struct policy *policy)
{
	for (unsigned i = 0; i < policy->npaths; i++)
		policy->paths[i].first = 0;
	for (unsigned i = policy->ngroups; i-- > 0;) {
		struct policy_group *group = &policy->groups[i];

		for (unsigned j = group->npaths; j-- > 0;) {
			struct policy_path *path = &policy->paths[group->paths[j]];

			group->next[j] = path->first;
			path->first = i * POLICY_MEMBERS + j + 1;
		}
	}
	policy->linked = true;
}
