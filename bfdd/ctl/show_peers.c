// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "ctl/sheet.h"
#include "ctl/show.h"
#include "ctl/table.h"

static const char *string(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static json_int_t number(json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* "3 x 50 ms = 150 ms": the multiplier that counts is the remote's (RFC 5880 6.8.4), here by division. */
static const char *detection(char buf[TEXT], json_t *peer)
{
	json_t *interval = json_object_get(peer, "receive-interval"),
	       *time = json_object_get(peer, "detection-time");
	double each = json_number_value(interval), whole = json_number_value(time);
	char one[TEXT], all[TEXT];

	if (whole <= 0 || each <= 0)
		strcpy(buf, "-");
	else
		snprintf(buf, TEXT, "%.6g x %.64s = %.64s", whole / each, text_ms(one, interval),
			 text_ms(all, time));
	return buf;
}

/* "ttl 3, short 1"; "" without drops. */
static const char *drops(char buf[TEXT], json_t *peer)
{
	const char *reason;
	json_t *count;
	size_t used = 0;

	buf[0] = '\0';
	json_object_foreach(json_object_get(peer, "drops"), reason, count)
	{
		char text[TEXT], value[TEXT];
		json_t *name = json_string(reason);

		used += (size_t)snprintf(buf + used, TEXT - used, "%s%s %s", used ? ", " : "",
					 text_value(text, name), text_value(value, count));
		json_decref(name);
		if (used >= TEXT)
			break;
	}
	return buf;
}

/* What an operator should know of this peer, in a few words; "" when all is well. */
static const char *note(char buf[TEXT], json_t *peer)
{
	char text[TEXT];
	bool up = !strcmp(string(peer, "state"), "up");
	const char *diag = string(peer, "diagnostic");

	if (*string(peer, "waiting"))
		snprintf(buf, TEXT, "waits for %.400s", text_get(text, peer, "waiting"));
	else if (!up && !strcmp(string(peer, "remote-state"), "admin-down") &&
		 number(peer, "remote-discriminator"))
		strcpy(buf, "remote is admin-down");
	else if (!up && *diag && strcmp(diag, "none") != 0 && strcmp(diag, "admin-down") != 0)
		text_get(buf, peer, "diagnostic");
	else if (*string(json_object_get(peer, "bgp"), "state") &&
		 strcmp(string(json_object_get(peer, "bgp"), "state"), "established") != 0)
		snprintf(buf, TEXT, "BGP is %.400s", text_get(text, json_object_get(peer, "bgp"), "state"));
	else if (*drops(text, peer))
		snprintf(buf, TEXT, "drops: %.400s", text);
	else
		buf[0] = '\0';
	return buf;
}

struct table *show_peers_add(struct table *table, json_t *peer)
{
	static const char *const titles[] = {"PEER",  "ADDRESS", "INTERFACE", "STATE", ">SENDS", "DETECTS",
					     "SINCE", ">DOWNS",	 "SOURCE",    "NOTE",  NULL};
	const char *state = string(peer, "state");
	bool up = !strcmp(state, "up");
	char buf[TEXT];

	if (!table)
		table = table_create(titles);
	table_cell(table, STYLE_PLAIN, "%s", text_get(buf, peer, "name"));
	table_cell(table, STYLE_PLAIN, "%s", text_get(buf, peer, "address"));
	table_cell(table, STYLE_PLAIN, "%s",
		   *string(peer, "interface") ? text_get(buf, peer, "interface") : "");
	table_cell(table, text_state_style(state), "%s", text_get(buf, peer, "state"));
	table_cell(table, STYLE_PLAIN, "%s", text_ms(buf, json_object_get(peer, "transmit-interval")));
	table_cell(table, STYLE_PLAIN, "%s", up ? detection(buf, peer) : "-");
	table_cell(table, STYLE_PLAIN, "%s", text_ago(buf, json_object_get(peer, "since")));
	table_cell(table, STYLE_PLAIN, "%s", text_get(buf, peer, "down-transitions"));
	/* The file is where most come from: not worth a column. */
	table_cell(table, STYLE_PLAIN, "%s",
		   strcmp(string(peer, "source"), "config") ? string(peer, "source") : "");
	table_cell(table, STYLE_WARN, "%s", note(buf, peer));
	return table;
}

void show_peers_end(struct table *table, FILE *out)
{
	if (table)
		table_print(table, out);
	else
		fputs("no peers\n", out);
}

void show_peers(json_t *peers, FILE *out)
{
	struct table *table = NULL;
	json_t *peer;
	size_t i;

	json_array_foreach(peers, i, peer) table = show_peers_add(table, peer);
	show_peers_end(table, out);
}

static void line_of(FILE *out, const char *label, json_t *peer, const char *key)
{
	char buf[TEXT];

	if (!json_is_null(json_object_get(peer, key)))
		sheet_line(out, label, "%s", text_get(buf, peer, key));
}

static void line_of_time(FILE *out, const char *label, json_t *peer, const char *key)
{
	json_t *time = json_object_get(peer, key);
	char buf[TEXT], ago[TEXT];

	if (text_is_time(time))
		sheet_line(out, label, "%s (%s)", text_local(buf, time), text_ago(ago, time));
}

static void show_place(json_t *peer, FILE *out)
{
	char buf[TEXT];

	line_of(out, "address", peer, "address");
	line_of(out, "local address", peer, "local-address");
	line_of(out, "source port", peer, "source-port");
	line_of(out, "interface", peer, "interface");
	if (*string(peer, "vrf"))
		line_of(out, "vrf", peer, "vrf");
	if (json_is_true(json_object_get(peer, "multihop")))
		sheet_line(out, "multihop", "TTL %s or more", text_get(buf, peer, "minimum-ttl"));
	if (strcmp(string(peer, "type"), "single-hop") && strcmp(string(peer, "type"), "multihop"))
		line_of(out, "type", peer, "type");
	if (!strcmp(string(peer, "source"), "frr"))
		sheet_line(out, "source", "FRR");
	else if (strcmp(string(peer, "source"), "config"))
		line_of(out, "source", peer, "source");
	line_of(out, "FRR's session", peer, "frr-session");
	line_of(out, "site", peer, "site");
	line_of(out, "profile", peer, "profile");
}

static void show_state(json_t *peer, FILE *out)
{
	char local[TEXT], remote[TEXT];

	sheet_line(out, "diagnostic", "%s; the remote's: %s", text_get(local, peer, "diagnostic"),
		   text_get(remote, peer, "remote-diagnostic"));
	line_of(out, "remote state", peer, "remote-state");
	sheet_line(out, "discriminators", "%s; the remote's: %s",
		   text_get(local, peer, "local-discriminator"),
		   text_get(remote, peer, "remote-discriminator"));
	sheet_line(out, "transitions", "%s up, %s down", text_get(local, peer, "up-transitions"),
		   text_get(remote, peer, "down-transitions"));
}

static void show_times(json_t *peer, FILE *out)
{
	char now[TEXT], ours[TEXT], theirs[TEXT];

	sheet_line(out, "sends each", "%s (configured: %s; the remote takes: %s)",
		   text_ms(now, json_object_get(peer, "transmit-interval")),
		   text_ms(ours, json_object_get(peer, "configured-transmit-interval")),
		   text_ms(theirs, json_object_get(peer, "remote-receive-interval")));
	sheet_line(out, "expects each", "%s (configured: %s; the remote wants: %s)",
		   text_ms(now, json_object_get(peer, "receive-interval")),
		   text_ms(ours, json_object_get(peer, "configured-receive-interval")),
		   text_ms(theirs, json_object_get(peer, "remote-transmit-interval")));
	sheet_line(out, "detects in", "%s", detection(now, peer));
	sheet_line(out, "multipliers", "%s; the remote's: %s", text_get(ours, peer, "detect-multiplier"),
		   text_get(theirs, peer, "remote-detect-multiplier"));
	if (json_is_true(json_object_get(peer, "passive")))
		sheet_line(out, "passive", "silent until the remote speaks");
	if (json_is_true(json_object_get(peer, "poll-active")))
		sheet_line(out, "poll sequence", "running");
	line_of_time(out, "poll answered", peer, "last-poll-answered");
}

static const char *key_words(char buf[TEXT], json_t *authentication, const char *type, const char *id)
{
	char name[TEXT], number_[TEXT];

	if (json_is_null(json_object_get(authentication, type)))
		strcpy(buf, "nothing");
	else
		snprintf(buf, TEXT, "%.64s, key %.16s", text_get(name, authentication, type),
			 text_get(number_, authentication, id));
	return buf;
}

static void show_authentication(json_t *peer, FILE *out)
{
	json_t *authentication = json_object_get(peer, "authentication");
	char chain[TEXT], ours[TEXT], theirs[TEXT];

	if (!json_is_object(authentication))
		return;
	sheet_line(out, "key chain", "%s", text_get(chain, authentication, "key-chain"));
	sheet_line(out, "authenticates", "%s; the remote: %s",
		   key_words(ours, authentication, "type", "key-id"),
		   key_words(theirs, authentication, "remote-type", "remote-key-id"));
	if (!json_is_null(json_object_get(authentication, "sequence")) ||
	    !json_is_null(json_object_get(authentication, "remote-sequence")))
		sheet_line(out, "sequence", "%s; the remote's: %s",
			   text_get(ours, authentication, "sequence"),
			   text_get(theirs, authentication, "remote-sequence"));
}

static void show_echo(json_t *peer, FILE *out)
{
	json_t *echo = json_object_get(peer, "echo"), *rtt = json_object_get(echo, "rtt");
	char a[TEXT], b[TEXT], c[TEXT];

	if (!json_is_object(echo))
		return;
	if (!json_is_null(json_object_get(echo, "receive-interval"))) /* not of unaffiliated echo */
		sheet_line(out, "echo each", "%s (the remote takes: %s; it gets back: %s)",
			   text_ms(a, json_object_get(echo, "transmit-interval")),
			   text_ms(b, json_object_get(echo, "remote-receive-interval")),
			   text_ms(c, json_object_get(echo, "receive-interval")));
	sheet_line(out, "echo packets", "%s in, %s out, %s lost", text_get(a, echo, "packets-in"),
		   text_get(b, echo, "packets-out"), text_get(c, echo, "lost"));
	if (json_is_object(rtt))
		sheet_line(out, "echo round trip", "%s (%s at least, 99%% within %s)",
			   text_ms(a, json_object_get(rtt, "mean")),
			   text_ms(b, json_object_get(rtt, "minimum")),
			   text_ms(c, json_object_get(rtt, "p99")));
}

static void show_traffic(json_t *peer, FILE *out)
{
	char in[TEXT], sent[TEXT];

	sheet_line(out, "packets", "%s in, %s out", text_get(in, peer, "packets-in"),
		   text_get(sent, peer, "packets-out"));
	line_of_time(out, "last packet", peer, "last-packet");
	if (*drops(in, peer))
		sheet_line(out, "dropped", "%s", in);
	line_of_time(out, "created", peer, "created");
}

static void show_sizes(json_t *peer, FILE *out)
{
	char size[TEXT], needed[TEXT], mtu[TEXT];

	if (!json_object_get(peer, "padded-pdu-size"))
		return;
	sheet_line(out, "padded to", "%s bytes (needs an MTU of %s; the interface's: %s)",
		   text_get(size, peer, "padded-pdu-size"), text_get(needed, peer, "needed-mtu"),
		   text_get(mtu, peer, "interface-mtu"));
	if (json_object_get(peer, "path-mtu"))
		sheet_line(out, "path MTU", "%s, says %s", text_get(mtu, peer, "path-mtu"),
			   text_get(size, peer, "path-mtu-router"));
	line_of_time(out, "path MTU told", peer, "path-mtu-at");
}

void show_peer(json_t *peer, FILE *out)
{
	static const char *const shown[] = {
		"name",
		"state",
		"since",
		"waiting",
		"source",
		"frr-session",
		"address",
		"local-address",
		"source-port",
		"interface",
		"vrf",
		"multihop",
		"type",
		"minimum-ttl",
		"site",
		"profile",
		"diagnostic",
		"remote-diagnostic",
		"remote-state",
		"local-discriminator",
		"remote-discriminator",
		"up-transitions",
		"down-transitions",
		"transmit-interval",
		"configured-transmit-interval",
		"remote-receive-interval",
		"receive-interval",
		"configured-receive-interval",
		"remote-transmit-interval",
		"detection-time",
		"detect-multiplier",
		"remote-detect-multiplier",
		"passive",
		"poll-active",
		"echo",
		"authentication",
		"last-poll-answered",
		"rtt-interval",
		"rtt",
		"demand-mode",
		"demand-active",
		"demand-poll-interval",
		"remote-demand",
		"control-plane-independent",
		"remote-control-plane-independent",
		"dscp",
		"ietf-bfd",
		"packets-in",
		"packets-out",
		"last-packet",
		"drops",
		"created",
		"padded-pdu-size",
		"needed-mtu",
		"interface-mtu",
		"path-mtu",
		"path-mtu-router",
		"path-mtu-at",
		NULL,
	};
	enum text_style style = text_state_style(string(peer, "state"));
	char buf[TEXT];

	sheet_line(out, "peer", "%s", text_get(buf, peer, "name"));
	sheet_line(out, "state", "%s%s%s", text_begin(style), text_get(buf, peer, "state"), text_end(style));
	line_of_time(out, "since", peer, "since");
	line_of(out, "waits for", peer, "waiting");
	show_place(peer, out);
	show_state(peer, out);
	show_times(peer, out);
	show_authentication(peer, out);
	show_polls(peer, out);
	show_traffic(peer, out);
	show_echo(peer, out);
	show_sizes(peer, out);
	sheet_object(out, peer, shown);
}
