/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/drop.h"

const char *drop_name(enum drop drop)
{
	static const char *const names[DROP_COUNT] = {[DROP_NONE] = "none",
#define DROP_NAME(id, name) [id] = name,
						      DROP_REASONS(DROP_NAME)
#undef DROP_NAME
	};

	return drop < DROP_COUNT ? names[drop] : "unknown";
}
