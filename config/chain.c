/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t memory_size(unsigned nkeys)
{
	size_t page = page_size(), size = sizeof(struct auth_chain) + nkeys * sizeof(struct auth_key);

	return (size + page - 1) / page * page;
}

struct auth_chain *chain_create(const char *name, unsigned nkeys, struct reports *reports)
{
	size_t size = memory_size(nkeys);
	struct auth_chain *chain;
	void *memory;

	if (posix_memalign(&memory, page_size(), size)) {
		reports->out_of_memory = true;
		reports->errors++;
		return NULL;
	}
	chain = memset(memory, 0, size);
	madvise(chain, size, MADV_DONTDUMP); /* as good as can be had */
	snprintf(chain->name, sizeof(chain->name), "%s", name);
	chain->mark = auth_chain_mark(chain->name);
	chain->users = 1;
	chain->nkeys = nkeys;
	return chain;
}

void config_chain_drop(struct auth_chain *chain)
{
	size_t size;

	if (!chain || --chain->users)
		return;
	size = memory_size(chain->nkeys);
	explicit_bzero(chain, size);
	madvise(chain, size, MADV_DODUMP); /* for whoever has these pages next */
	free(chain);
}
