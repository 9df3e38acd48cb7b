/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside site/ only: bringing the kernel to what the policy's state asks for. The state is changed first,
 * then the steps are called in this order, which is the order of the actions:
 *
 *   policy_withdraw()      rules that must not stand any longer
 *   policy_group_detach()  for each group that may have changed
 *   policy_group_set()     likewise
 *   policy_offer()         rules that may stand now
 *
 * A path's places in groups form a list: path.first, group.next, each group * POLICY_MEMBERS + member + 1,
 * and 0 at the end.
 */
#ifndef SITE_POLICY_ACT_H
#define SITE_POLICY_ACT_H

#include "site/policy.h"

void policy_withdraw(struct policy *policy, const struct policy_sink *sink);
void policy_group_detach(struct policy *policy, uint16_t group, const struct policy_sink *sink);
void policy_group_set(struct policy *policy, uint16_t group, const struct policy_sink *sink);
/* Also makes policy->next. */
void policy_offer(struct policy *policy, usec_t now, const struct policy_sink *sink);
/* All steps, for every group. */
void policy_act(struct policy *policy, usec_t now, const struct policy_sink *sink);

/* The kernel's group is gone, and with it the routes of all tables on it. */
void policy_group_gone(struct policy *policy, uint16_t group);
/* Makes the lists of places. */
void policy_link(struct policy *policy);

#endif
