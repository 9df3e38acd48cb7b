// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "ctl/show.h"
#include "ctl/text.h"

static bool is_state(const char *text)
{
	return !strcmp(text, "up") || !strcmp(text, "init") || !strcmp(text, "down") ||
	       !strcmp(text, "admin-down");
}

static void show_field(const char *key, json_t *value, FILE *out)
{
	const char *text = json_string_value(value);
	enum text_style style = text && !strcmp(key, "to") && is_state(text) ? text_state_style(text)
									     : STYLE_PLAIN;
	json_t *name = json_string(key);
	char buf[TEXT];

	fprintf(out, " %s=", text_value(buf, name));
	json_decref(name);
	if (json_is_object(value) || json_is_array(value)) {
		char *dump = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));

		fputs(dump ? dump : "?", out);
		free(dump);
		return;
	}
	text_value(buf, value);
	fprintf(out, strchr(buf, ' ') ? "%s\"%s\"%s" : "%s%s%s", text_begin(style), buf, text_end(style));
}

void show_event(json_t *event, FILE *out)
{
	char time[TEXT], kind[TEXT];
	const char *key;
	json_t *value;

	fprintf(out, "%s  %s%s%s", text_local(time, json_object_get(event, "at")), text_begin(STYLE_STRONG),
		text_get(kind, event, "event"), text_end(STYLE_STRONG));
	json_object_foreach(event, key, value) if (strcmp(key, "id") != 0 && strcmp(key, "at") != 0 &&
						   strcmp(key, "event") != 0) show_field(key, value, out);
	fputc('\n', out);
}

void show_events(json_t *events, FILE *out)
{
	json_t *event;
	size_t i;

	json_array_foreach(events, i, event) show_event(event, out);
}
