/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long what a predecessor left is believed in. */
#include "site/policy_act.h"

/* The group has members that are known to carry. */
static bool heard(const struct policy *policy, const struct policy_choice *choice)
{
	const struct policy_group *group = &policy->groups[choice->group];

	return group->live & group->resolved;
}

/* What ranks above the best choice that was heard of is not waited for if the way goes by it. If the way goes
 * by one below (because the best one waits for restoration), then by none that nobody heard of. */
static void way_doubt(struct policy *policy, const struct policy_way *way)
{
	int best = 0, active = policy_active(way), end;

	if (active < 0 || heard(policy, &way->choices[active]))
		return;
	while (best < way->nchoices && !(way->choices[best].ready && heard(policy, &way->choices[best])))
		best++;
	if (best == way->nchoices)
		return;
	end = active < best ? best : way->nchoices;
	for (int i = 0; i < end; i++) {
		if (!heard(policy, &way->choices[i]))
			policy->groups[way->choices[i].group].presumed = 0;
	}
}

void policy_presume_doubt(struct policy *policy, usec_t now, const struct policy_sink *sink)
{
	for (unsigned i = 0; i < policy->nways; i++)
		way_doubt(policy, &policy->ways[i]);
	policy_act(policy, now, sink);
}

void policy_presume_end(struct policy *policy, usec_t now, const struct policy_sink *sink)
{
	for (unsigned i = 0; i < policy->ngroups; i++)
		policy->groups[i].presumed = 0;
	policy_act(policy, now, sink);
}
