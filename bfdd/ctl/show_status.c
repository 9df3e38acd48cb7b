// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "ctl/sheet.h"
#include "ctl/show.h"
#include "ctl/text.h"

void show_status(json_t *status, FILE *out)
{
	sheet_object(out, status, NULL);
}

void show_status_line(json_t *status, FILE *out)
{
	json_t *sessions = json_object_get(status, "sessions");
	json_int_t total = json_integer_value(json_object_get(sessions, "total"));
	json_int_t up = json_integer_value(json_object_get(sessions, "up"));
	enum text_style style = up == total ? STYLE_GOOD : STYLE_BAD;
	char version[TEXT], pid[TEXT], uptime[TEXT];

	fprintf(out, "bfdd %s, pid %s, for %s; ", text_get(version, status, "version"),
		text_get(pid, status, "pid"),
		text_duration(uptime, json_number_value(json_object_get(status, "uptime"))));
	fprintf(out, "%s%lld of %lld sessions up%s", text_begin(style), (long long)up, (long long)total,
		text_end(style));
}

static void show_warning(json_t *warning, FILE *out)
{
	char buf[TEXT];

	fprintf(out, "%swarning:%s %s\n", text_begin(STYLE_WARN), text_end(STYLE_WARN),
		text_value(buf, warning));
}

void show_reload(json_t *report, FILE *out)
{
	static const char *const shown[] = {"changed", "warnings", NULL};
	json_t *changed = json_object_get(report, "changed"), *warning;
	size_t i;

	json_array_foreach(json_object_get(report, "warnings"), i, warning) show_warning(warning, out);
	fputs("reloaded\n", out);
	sheet_object(out, changed, NULL);
	sheet_object(out, report, shown);
}
