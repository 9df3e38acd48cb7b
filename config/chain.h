/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of key chains: whole pages, which no core dump shows. config_chain_drop() gives it back. */
#ifndef CONFIG_CHAIN_H
#define CONFIG_CHAIN_H

#include "config/report.h"

/* With NKEYS empty keys, and one user. NULL: out of memory, and reported. */
struct auth_chain *chain_create(const char *name, unsigned nkeys, struct reports *reports);

#endif
