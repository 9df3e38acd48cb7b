// SPDX-License-Identifier: GPL-2.0-or-later
/* Post-mortems: the list of those kept, and one as a timeline. */
#include <stdlib.h>
#include <string.h>

#include "ctl/sheet.h"
#include "ctl/show.h"
#include "ctl/table.h"

#define GAP 1.5 /* intervals without a packet that are worth telling */

static const char *string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static enum text_style verdict_style(const char *verdict)
{
	if (!strcmp(verdict, "local-stall") || !strcmp(verdict, "unclear") ||
	    !strcmp(verdict, "dropped-here") || !strcmp(verdict, "authentication"))
		return STYLE_WARN;
	return !strcmp(verdict, "shut-down") ? STYLE_FAINT : STYLE_BAD;
}

void show_postmortems(json_t *list, FILE *out)
{
	static const char *const titles[] = {"PEER", ">N", "WENT DOWN", "", "VERDICT", "THAT IS", NULL};
	struct table *table;
	char buf[TEXT];
	json_t *item;
	size_t i;

	if (!json_array_size(list)) {
		fputs("no peer has left Up\n", out);
		return;
	}
	table = table_create(titles);
	json_array_foreach(list, i, item)
	{
		table_cell(table, STYLE_PLAIN, "%s", text_get(buf, item, "peer"));
		table_cell(table, STYLE_PLAIN, "%s", text_get(buf, item, "number"));
		table_cell(table, STYLE_PLAIN, "%s", text_local(buf, json_object_get(item, "at")));
		table_cell(table, STYLE_PLAIN, "%s", text_ago(buf, json_object_get(item, "at")));
		table_cell(table, verdict_style(string(item, "verdict")), "%s",
			   text_get(buf, item, "verdict"));
		table_cell(table, STYLE_PLAIN, "%s", text_get(buf, item, "sentence"));
	}
	table_print(table, out);
}

/* What the lines before tell of the next one. */
struct course {
	double in, out;			  /* ms of the last accepted packet, and of the last one sent */
	bool any_in, any_out;		  /* there was one */
	double interval_in, interval_out; /* ms */
};

static bool accepted(const json_t *moment)
{
	return !strcmp(string(moment, "what"), "in") && !*string(moment, "dropped");
}

static size_t add(char *note, size_t used, const char *format, double value)
{
	char text[128];

	if (used >= TEXT - sizeof(text))
		return used;
	snprintf(text, sizeof(text), format, value);
	return used + (size_t)snprintf(note + used, TEXT - used, "%s%s", used ? "; " : "", text);
}

/* How long there was nothing in this direction; 0: not long. */
static double gap_before(const struct course *course, const json_t *moment, double ms)
{
	bool in = accepted(moment) || !strcmp(string(moment, "what"), "down");
	double last = in ? course->in : course->out,
	       interval = in ? course->interval_in : course->interval_out;

	if (!(in ? course->any_in : course->any_out) || interval <= 0 || ms - last < GAP * interval)
		return 0;
	return !in && strcmp(string(moment, "what"), "out") != 0 ? 0 : ms - last;
}

static const char *note_of(char note[TEXT], const struct course *course, const json_t *moment,
			   enum text_style *style)
{
	const char *what = string(moment, "what");
	double gap = gap_before(course, moment, number(moment, "ms"));
	size_t used = 0;

	note[0] = '\0';
	*style = STYLE_PLAIN;
	if (gap > 0) {
		used = add(note, used,
			   !strcmp(what, "out") ? "nothing sent for %.1f ms" : "nothing came for %.1f ms",
			   gap);
		*style = STYLE_WARN;
	}
	if (!strcmp(what, "late")) {
		used = add(note, used, "we woke up %.1f ms late", number(moment, "late-us") / 1000);
		*style = STYLE_WARN;
	} else if (!strcmp(what, "overflow") || !strcmp(what, "error")) {
		used = add(note, used,
			   *what == 'o' ? "%.0f packets (of anybody) found our socket full"
					: "the kernel refused to send %.0f packets (of any session)",
			   number(moment, "packets"));
		*style = STYLE_WARN;
	}
	if (*string(moment, "dropped")) {
		char reason[TEXT];

		snprintf(note + used, TEXT - used, "%sdropped: %.100s", used ? "; " : "",
			 text_get(reason, moment, "dropped"));
		used = strlen(note);
		*style = STYLE_BAD;
	}
	if (!strcmp(what, "in") && number(moment, "handled-after-us") >= 1000)
		used = add(note, used, "read %.1f ms later", number(moment, "handled-after-us") / 1000);
	if (!strcmp(what, "out") && number(moment, "late-us") >= 1000)
		used = add(note, used, "%.1f ms late", number(moment, "late-us") / 1000);
	if (json_is_true(json_object_get(moment, "out-of-turn")))
		add(note, used, "out of turn", 0);
	return note;
}

static void pass(struct course *course, const json_t *moment)
{
	double ms = number(moment, "ms");

	if (accepted(moment)) {
		course->in = ms;
		course->any_in = true;
	} else if (!strcmp(string(moment, "what"), "out")) {
		course->out = ms;
		course->any_out = true;
	}
}

static void show_moment(struct table *table, struct course *course, json_t *postmortem, json_t *moment)
{
	const char *what = string(moment, "what");
	bool down = !strcmp(what, "down");
	json_t *from = down ? postmortem : moment;
	enum text_style style, line;
	char buf[TEXT], note[TEXT];

	note_of(note, course, moment, &style);
	line = down ? STYLE_STRONG : *string(moment, "dropped") ? STYLE_FAINT : STYLE_PLAIN;
	table_cell(table, line, "%.3f", number(moment, "ms"));
	table_cell(table, line, "%s", down ? "DOWN" : text_get(buf, moment, "what"));
	table_cell(table, line, "%s", *string(from, "state") ? text_get(buf, from, "state") : "");
	table_cell(table, line, "%s", *string(from, "diagnostic") ? text_get(buf, from, "diagnostic") : "");
	table_cell(table, line, "%s%s", json_is_true(json_object_get(moment, "poll")) ? "P" : "",
		   json_is_true(json_object_get(moment, "final")) ? "F" : "");
	table_cell(table, line, "%s",
		   json_is_number(json_object_get(moment, "ttl")) ? text_get(buf, moment, "ttl") : "");
	table_cell(table, style, "%s", note);
	pass(course, moment);
}

static void show_head(json_t *postmortem, FILE *out)
{
	const char *verdict = string(postmortem, "verdict");
	char a[TEXT], b[TEXT], c[TEXT];

	fprintf(out, "%s%s%s went %s at %s (", text_begin(STYLE_STRONG), text_get(a, postmortem, "peer"),
		text_end(STYLE_STRONG), text_get(b, postmortem, "state"),
		text_local(c, json_object_get(postmortem, "at")));
	fprintf(out, "%s): %s%s%s\n", text_ago(a, json_object_get(postmortem, "at")),
		text_begin(verdict_style(verdict)), text_get(b, postmortem, "verdict"),
		text_end(verdict_style(verdict)));
	fprintf(out, "%s\n\n", text_get(a, postmortem, "sentence"));
	sheet_line(out, "session", "%s with %s on %s", text_get(a, postmortem, "local-address"),
		   text_get(b, postmortem, "address"), text_get(c, postmortem, "interface"));
	sheet_line(out, "the peer sends", "each %s; dead after %s",
		   text_ms(a, json_object_get(postmortem, "receive-interval")),
		   text_ms(b, json_object_get(postmortem, "detection-time")));
	sheet_line(out, "we send", "each %s; the peer waits %s",
		   text_ms(a, json_object_get(postmortem, "transmit-interval")),
		   text_ms(b, json_object_get(postmortem, "remote-detection-time")));
	if (number(postmortem, "further-downs") > 0)
		sheet_line(out, "further downs", "%s, not recorded",
			   text_get(a, postmortem, "further-downs"));
	fputc('\n', out);
}

void show_postmortem(json_t *postmortem, FILE *out)
{
	static const char *const titles[] = {">MS",   "WHAT", "STATE", "DIAGNOSTIC",
					     "FLAGS", ">TTL", "NOTE",  NULL};
	struct course course = {.interval_in = number(postmortem, "receive-interval"),
				.interval_out = number(postmortem, "transmit-interval")};
	struct table *table = table_create(titles);
	json_t *moment;
	size_t i;

	show_head(postmortem, out);
	json_array_foreach(json_object_get(postmortem, "timeline"), i, moment)
		show_moment(table, &course, postmortem, moment);
	table_print(table, out);
}
