/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "app_frr.h"

#include <stdlib.h>
#include <string.h>

#include "config/schema.h"

#define SINGLE_HOP_TTL 255 /* RFC 5881 5 */

/* Where LID is, or would be. */
static unsigned place(const struct app_frr_table *table, uint32_t lid)
{
	unsigned low = 0, high = table->n;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (table->sessions[middle]->config.lid < lid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct app_frr_session *app_frr_find(const struct app_frr_table *table, uint32_t lid)
{
	unsigned at = place(table, lid);

	return at < table->n && table->sessions[at]->config.lid == lid ? table->sessions[at] : NULL;
}

static bool same_place(const struct config_session *a, const struct config_session *b)
{
	return addr_equal(&a->address, &b->address) && addr_equal(&a->local_address, &b->local_address) &&
	       a->type == b->type && !strcmp(a->interface, b->interface);
}

bool app_frr_same(const struct config_session *a, const struct config_session *b)
{
	const struct session_config *x = &a->session, *y = &b->session;

	return a->lid == b->lid && same_place(a, b) && x->desired_min_tx == y->desired_min_tx &&
	       x->required_min_rx == y->required_min_rx && x->detect_mult == y->detect_mult &&
	       x->min_ttl == y->min_ttl && x->passive == y->passive && x->shutdown == y->shutdown &&
	       x->demand_mode == y->demand_mode && x->echo == y->echo && x->echo_tx == y->echo_tx &&
	       x->echo_rx == y->echo_rx && x->control_plane_independent == y->control_plane_independent;
}

static struct app_frr_session *find_place(const struct app_frr_table *table,
					  const struct config_session *wanted)
{
	for (unsigned i = 0; i < table->n; i++)
		if (same_place(&table->sessions[i]->config, wanted))
			return table->sessions[i];
	return NULL;
}

static uint32_t within(uint32_t value, enum schema_index key)
{
	const struct schema_key *schema = &schema_keys[key];

	return value < schema->least ? schema->least : value > schema->most ? schema->most : value;
}

/* As the configuration's names of interfaces, and nothing that a terminal would take for more than text. */
static bool good_interface(const char *name)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name == 0x7f || *name == '/' || *name == ':')
			return false;
	return true;
}

static bool good_address(const struct addr *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const struct addr broadcast = {.family = AF_INET, .bytes = {255, 255, 255, 255}};

	return !addr_is_unspecified(addr) && !addr_is_multicast(addr) && !addr_equal(addr, &broadcast) &&
	       (addr->family != AF_INET6 || memcmp(addr->bytes, mapped, sizeof(mapped)) != 0);
}

/* FRR says intervals also where there is to be no echo: they are its defaults, and no wish. */
static void convert_echo(const struct frr_session *message, struct session_config *config)
{
	config->echo = message->flags & FRR_SESSION_ECHO && !(message->flags & FRR_SESSION_MULTIHOP);
	config->echo_tx = schema_keys[KEY_ECHO_TRANSMIT_INTERVAL].fallback;
	if (!config->echo)
		return;
	config->echo_tx = within(message->min_echo_tx, KEY_ECHO_TRANSMIT_INTERVAL);
	config->echo_rx = within(message->min_echo_rx, KEY_ECHO_RECEIVE_INTERVAL);
}

const char *app_frr_convert(const struct frr_session *message, struct config_session *session)
{
	bool multihop = message->flags & FRR_SESSION_MULTIHOP;

	if (!message->lid)
		return "it has no number";
	if (!good_address(&message->peer))
		return "its address can be no peer's";
	if (!addr_is_unspecified(&message->local) &&
	    (!good_address(&message->local) || addr_equal(&message->local, &message->peer)))
		return "its local address can be none of ours";
	if (!good_interface(message->interface))
		return "its interface cannot be called so";
	if (addr_is_link_local(&message->peer) && (multihop || !*message->interface))
		return "its address is link-local, and no interface is said";
	if (multihop && addr_is_unspecified(&message->local))
		return "it is multihop, and no local address is said";
	*session = (struct config_session){
		.source = CONFIG_FRR,
		.lid = message->lid,
		.address = message->peer,
		.type = multihop ? SESSION_MULTIHOP : SESSION_SINGLE_HOP,
		.session = {.desired_min_tx = within(message->min_tx, KEY_TRANSMIT_INTERVAL),
			    .required_min_rx = within(message->min_rx, KEY_RECEIVE_INTERVAL),
			    .detect_mult = within(message->detect_mult, KEY_DETECT_MULTIPLIER),
			    .min_ttl = multihop ? within(message->ttl, KEY_MINIMUM_TTL) : SINGLE_HOP_TTL,
			    .passive = message->flags & FRR_SESSION_PASSIVE,
			    .shutdown = message->flags & FRR_SESSION_SHUTDOWN,
			    .demand_mode = message->flags & FRR_SESSION_DEMAND,
			    .demand_poll_interval = schema_keys[KEY_DEMAND_POLL_INTERVAL].fallback,
			    .control_plane_independent = message->flags & FRR_SESSION_CBIT,
			    .dscp = SESSION_DSCP},
	};
	convert_echo(message, &session->session);
	if (!addr_is_unspecified(&message->local))
		session->local_address = message->local;
	strcpy(session->interface, message->interface);
	return NULL;
}

static void take_out(struct app_frr_table *table, const struct app_frr_session *session)
{
	unsigned at = place(table, session->config.lid);

	table->n--;
	memmove(table->sessions + at, table->sessions + at + 1,
		(table->n - at) * sizeof(struct app_frr_session *));
}

static void put_in(struct app_frr_table *table, struct app_frr_session *session)
{
	unsigned at = place(table, session->config.lid);

	memmove(table->sessions + at + 1, table->sessions + at,
		(table->n - at) * sizeof(struct app_frr_session *));
	table->sessions[at] = session;
	table->n++;
}

static bool make_room(struct app_frr_table *table)
{
	unsigned room = table->room ? 2 * table->room : 64;
	struct app_frr_session **sessions;

	if (table->n >= APP_FRR_SESSIONS)
		return false;
	if (table->n < table->room)
		return true;
	sessions = realloc(table->sessions, room * sizeof(struct app_frr_session *));
	if (!sessions)
		return false;
	table->sessions = sessions;
	table->room = room;
	return true;
}

bool app_frr_clashes(const struct app_frr_table *table, const struct config_session *session,
		     unsigned connection)
{
	const struct app_frr_session *other = find_place(table, session);

	return other && other->config.lid != session->lid && other->connection == (int)connection;
}

struct app_frr_session *app_frr_add(struct app_frr_table *table, const struct config_session *config)
{
	struct app_frr_session *session = find_place(table, config);

	if (session) {
		take_out(table, session);
		session->known = true;
	} else if (!make_room(table) || !(session = calloc(1, sizeof(*session)))) {
		return NULL;
	}
	session->config = *config;
	put_in(table, session);
	return session;
}

void app_frr_drop(struct app_frr_table *table, struct app_frr_session *session)
{
	take_out(table, session);
	free(session);
}

void app_frr_clear(struct app_frr_table *table)
{
	for (unsigned i = 0; i < table->n; i++)
		free(table->sessions[i]);
	free(table->sessions);
	*table = (struct app_frr_table){0};
}
