/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "app_padded.h"

#include <stdlib.h>
#include <string.h>

static int compare_addr(const struct addr *a, const struct addr *b)
{
	return a->family != b->family ? (int)a->family - (int)b->family
				      : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* The source port first: hardly two have the same. */
static int compare(const void *a, const void *b)
{
	const struct app_padded_peer *x = a, *y = b;
	int order = (int)x->source_port - (int)y->source_port;

	if (!order)
		order = (int)x->port - (int)y->port;
	if (!order)
		order = compare_addr(&x->peer, &y->peer);
	return order ? order : compare_addr(&x->local, &y->local);
}

void app_padded_set(struct app_padded *padded, struct app_padded_peer *list, unsigned n)
{
	if (n)
		qsort(list, n, sizeof(*list), compare);
	free(padded->list);
	*padded = (struct app_padded){list, n};
}

const struct app_padded_peer *app_padded_find(const struct app_padded *padded,
					      const struct icmp_too_big *told)
{
	const struct app_padded_peer wanted = {
		.peer = told->peer,
		.local = told->local,
		.source_port = told->source_port,
		.port = told->port,
	};

	return padded->n ? bsearch(&wanted, padded->list, padded->n, sizeof(wanted), compare) : NULL;
}
