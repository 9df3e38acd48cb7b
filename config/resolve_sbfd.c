/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S-BFD's reflector (RFC 7880). */
#include <stdio.h>
#include <string.h>

#include "config/resolve.h"

static void resolve_vrfs(struct resolver *resolver, const struct value *value, struct config_sbfd *sbfd)
{
	unsigned n = value->state == VALUE_GOOD ? value->list.n : 0;

	if (n > CONFIG_SBFD_VRFS)
		report_error(resolver->reports, &value->at, "vrfs: %u are too many, at most %d", n,
			     CONFIG_SBFD_VRFS);
	for (unsigned i = 0; i < n && i < CONFIG_SBFD_VRFS; i++) {
		const char *name = value->list.items[i].text;

		for (unsigned j = 0; name && j < i; j++)
			if (!strcmp(sbfd->vrfs[j], name))
				report_error(resolver->reports, &value->list.items[i].at,
					     "vrfs: \"%s\" is there twice", name);
		snprintf(sbfd->vrfs[sbfd->nvrfs++], IFNAMSIZ, "%s", name ? name : "");
	}
}

void resolve_sbfd(struct resolver *resolver)
{
	const struct section *section = &resolver->tree->sbfd;
	const struct value *value = &section->values[KEY_DISCRIMINATORS];
	struct config_sbfd *sbfd = &resolver->config->sbfd;
	struct sbfd_reflector *reflector = &sbfd->reflector;
	unsigned n = value->state == VALUE_GOOD ? value->list.n : 0;

	sbfd->wanted = section->at.file;
	section_store(section, KEY_SBFD_RECEIVE_INTERVAL, KEY_SBFD_SHUTDOWN, true, sbfd);
	if (!sbfd->wanted)
		return;
	resolve_vrfs(resolver, &section->values[KEY_SBFD_VRFS], sbfd);
	if (value->state == VALUE_GOOD && !n)
		report_error(resolver->reports, &value->at,
			     "discriminators: empty: nobody would be answered");
	if (n > SBFD_DISCRIMINATORS)
		report_error(resolver->reports, &value->at, "discriminators: %u are too many, at most %d", n,
			     SBFD_DISCRIMINATORS);
	for (unsigned i = 0; i < n && i < SBFD_DISCRIMINATORS; i++) {
		uint32_t discr = value->list.items[i].number;

		for (unsigned j = 0; discr && j < i; j++)
			if (reflector->discriminators[j] == discr)
				report_error(resolver->reports, &value->list.items[i].at,
					     "discriminators: %u is there twice", discr);
		reflector->discriminators[reflector->n++] = discr;
	}
}
