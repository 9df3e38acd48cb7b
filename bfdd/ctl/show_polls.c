// SPDX-License-Identifier: GPL-2.0-or-later
/* Of a peer: Demand mode, round-trip times, and what its packets are marked with. */
#include "ctl/sheet.h"
#include "ctl/show.h"
#include "ctl/text.h"

static void show_demand(json_t *peer, FILE *out)
{
	json_t *interval = json_object_get(peer, "demand-poll-interval");
	char each[TEXT];

	if (json_is_true(json_object_get(peer, "demand-mode")))
		sheet_line(out, "demand mode", "%s; polls %s%s",
			   json_is_true(json_object_get(peer, "demand-active")) ? "the remote is to be silent"
										: "not yet",
			   json_number_value(interval) > 0 ? "each " : "",
			   json_number_value(interval) > 0 ? text_ms(each, interval) : "when told to");
	if (json_is_true(json_object_get(peer, "remote-demand")))
		sheet_line(out, "remote demand", "we are to be silent");
}

static void show_rtt(json_t *peer, FILE *out)
{
	json_t *rtt = json_object_get(peer, "rtt");
	char least[TEXT], mean[TEXT], p99[TEXT], most[TEXT], jitter[TEXT], last[TEXT], count[TEXT],
		unanswered[TEXT];

	if (!json_is_object(rtt))
		return;
	sheet_line(out, "round trip", "min %s, mean %s, p99 %s, max %s",
		   text_ms(least, json_object_get(rtt, "minimum")),
		   text_ms(mean, json_object_get(rtt, "mean")), text_ms(p99, json_object_get(rtt, "p99")),
		   text_ms(most, json_object_get(rtt, "maximum")));
	sheet_line(out, "", "last %s, jitter %s, %s measured, %s unanswered",
		   text_ms(last, json_object_get(rtt, "last")),
		   text_ms(jitter, json_object_get(rtt, "jitter")), text_get(count, rtt, "count"),
		   text_get(unanswered, rtt, "unanswered"));
}

static void show_marks(json_t *peer, FILE *out)
{
	char dscp[TEXT];

	if (json_is_true(json_object_get(peer, "control-plane-independent")) ||
	    json_is_true(json_object_get(peer, "remote-control-plane-independent")))
		sheet_line(out, "C bit", "%s; the remote's: %s",
			   json_is_true(json_object_get(peer, "control-plane-independent")) ? "set" : "no",
			   json_is_true(json_object_get(peer, "remote-control-plane-independent")) ? "set"
												   : "no");
	sheet_line(out, "DSCP", "%s", text_get(dscp, peer, "dscp"));
}

void show_polls(json_t *peer, FILE *out)
{
	show_demand(peer, out);
	show_rtt(peer, out);
	show_marks(peer, out);
}

void show_poll(json_t *poll, FILE *out)
{
	char name[TEXT];

	fprintf(out, "%s is asked; 'bfdctl peer' tells when it has answered\n", text_get(name, poll, "peer"));
}
