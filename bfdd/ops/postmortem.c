// SPDX-License-Identifier: GPL-2.0-or-later
#include "ops/postmortem.h"

#include <stdlib.h>
#include <string.h>

#include "ops/events.h"
#include "ops/pcap.h"
#include "ops/timeline.h"
#include "ops/view.h"

#define TOS_SENT 0xc0 /* CS6; that of the peer's packets is not recorded */

struct entry {
	struct entry *next; /* an older one */
	struct postmortem postmortem;
};

struct postmortems {
	struct entry *newest;
	unsigned count;
};

struct postmortems *postmortems_create(void)
{
	return calloc(1, sizeof(struct postmortems));
}

static void forget(struct postmortems *postmortems, struct entry **at)
{
	struct entry *entry = *at;

	*at = entry->next;
	free(entry);
	postmortems->count--;
}

void postmortems_free(struct postmortems *postmortems)
{
	while (postmortems && postmortems->newest)
		forget(postmortems, &postmortems->newest);
	free(postmortems);
}

static void make_room(struct postmortems *postmortems, const char *peer)
{
	struct entry **oldest = NULL, **at, **of_peer = NULL;
	unsigned count = 0;

	for (at = &postmortems->newest; *at; at = &(*at)->next) {
		oldest = at;
		if (!strcmp((*at)->postmortem.peer, peer)) {
			of_peer = at;
			count++;
		}
	}
	if (count >= POSTMORTEMS_PEER)
		forget(postmortems, of_peer);
	else if (postmortems->count >= POSTMORTEMS_ALL)
		forget(postmortems, oldest);
}

const struct postmortem *postmortems_add(struct postmortems *postmortems, const struct postmortem *postmortem)
{
	struct entry *entry = malloc(sizeof(*entry));

	if (!entry)
		return NULL;
	make_room(postmortems, postmortem->peer);
	entry->postmortem = *postmortem;
	verdict_find(&entry->postmortem.verdict, &postmortem->record, &postmortem->delays);
	if (postmortem->path_mtu)
		verdict_path_mtu(&entry->postmortem.verdict, postmortem->path_mtu, &postmortem->router);
	entry->next = postmortems->newest;
	postmortems->newest = entry;
	postmortems->count++;
	return &entry->postmortem;
}

const struct postmortem *postmortems_find(const struct postmortems *postmortems, const char *peer, unsigned n)
{
	for (const struct entry *entry = postmortems->newest; entry; entry = entry->next)
		if (!strcmp(entry->postmortem.peer, peer) && !--n)
			return &entry->postmortem;
	return NULL;
}

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *view_at(usec_t at)
{
	char text[EVENTS_TIME];

	return json_string(events_time(at, text));
}

static json_t *view_summary(const struct postmortem *postmortem, unsigned n)
{
	char text[VERDICT_TEXT];
	json_t *object = json_object();

	set(object, "peer", view_text(postmortem->peer));
	set(object, "number", json_integer(n));
	set(object, "at", view_at(postmortem->record.fall.at));
	set(object, "verdict", json_string(verdict_name(postmortem->verdict.kind)));
	set(object, "sentence", view_text(verdict_text(&postmortem->verdict, postmortem->why, text)));
	return object;
}

static unsigned number_of(const struct postmortems *postmortems, const struct entry *which)
{
	unsigned n = 1;

	for (const struct entry *entry = postmortems->newest; entry != which; entry = entry->next)
		n += !strcmp(entry->postmortem.peer, which->postmortem.peer);
	return n;
}

json_t *postmortems_list(const struct postmortems *postmortems)
{
	json_t *list = json_array();

	for (const struct entry *entry = postmortems->newest; entry; entry = entry->next)
		json_array_append_new(list, view_summary(&entry->postmortem, number_of(postmortems, entry)));
	return list;
}

/* The addresses and ports that a packet had. */
struct ends {
	struct addr from, to;
	uint16_t from_port, to_port;
};

static struct ends ends_of(const struct postmortem *postmortem, const struct moment *moment)
{
	const struct session_key *key = &postmortem->key;
	bool multihop = (key->type == SESSION_MULTIHOP) ^ (moment->packet.drop == DROP_WRONG_PORT);
	uint16_t port = multihop ? BFD_PORT_MULTIHOP : BFD_PORT_SINGLE_HOP;

	/* A reflector answers to where it was asked from. */
	if (key->type == SESSION_SBFD)
		return moment->kind == MOMENT_OUT
			       ? (struct ends){key->local, key->peer, postmortem->source_port, BFD_PORT_SBFD}
			       : (struct ends){key->peer, key->local, moment->packet.port,
					       postmortem->source_port};
	if (moment->kind == MOMENT_OUT)
		return (struct ends){key->local, key->peer, postmortem->source_port, port};
	return (struct ends){key->peer, key->local, moment->packet.port, port};
}

static size_t kept(const struct record_packet *packet)
{
	return packet->size < PACKET_SIZE ? packet->size : PACKET_SIZE;
}

/* Of the UDP payload. Those of padded packets (RFC 9764) are not recorded with each. */
static size_t size_of(const struct postmortem *postmortem, const struct moment *moment)
{
	const struct record_fall *fall = &postmortem->record.fall;
	size_t size = moment->packet.size;

	if (moment->kind == MOMENT_OUT)
		return fall->padded > size ? fall->padded : size;
	return size == UINT8_MAX && fall->heard > size ? fall->heard : size;
}

static json_t *view_hex(const uint8_t *bytes, size_t size)
{
	char hex[2 * PACKET_SIZE + 1] = "";

	for (size_t i = 0; i < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return json_string(hex);
}

static uint32_t number_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* What it says (RFC 5880 4.1), where it is long enough to say it, right or wrong. */
static void set_fields(json_t *object, const struct record_packet *packet)
{
	const uint8_t *bytes = packet->bytes;

	if (packet->size < PACKET_SIZE)
		return;
	set(object, "state", json_string(bfd_state_name(bytes[1] >> 6)));
	set(object, "diagnostic", json_string(bfd_diag_name(bytes[0] & 0x1f)));
	set(object, "poll", json_boolean(bytes[1] & 0x20));
	set(object, "final", json_boolean(bytes[1] & 0x10));
	set(object, "detect-multiplier", json_integer(bytes[2]));
	set(object, "my-discriminator", json_integer(number_at(bytes + 4)));
	set(object, "your-discriminator", json_integer(number_at(bytes + 8)));
	set(object, "desired-transmit-interval", view_ms(number_at(bytes + 12)));
	set(object, "required-receive-interval", view_ms(number_at(bytes + 16)));
}

static void set_packet(json_t *object, const struct postmortem *postmortem, const struct moment *moment)
{
	const struct record_packet *packet = &moment->packet;
	struct ends ends = ends_of(postmortem, moment);
	bool in = moment->kind == MOMENT_IN;

	set_fields(object, packet);
	set(object, "source-port", json_integer(ends.from_port));
	set(object, "destination-port", json_integer(ends.to_port));
	set(object, "ttl", json_integer(packet->ttl));
	if (!packet->unseen)
		set(object, in ? "handled-after-us" : "late-us", json_integer(packet->delay));
	if (in) {
		set(object, "dropped", packet->drop ? json_string(drop_name(packet->drop)) : json_null());
		set(object, "taken-in-kernel", json_boolean(packet->unseen));
	} else {
		set(object, "out-of-turn", json_boolean(packet->out_of_turn));
	}
	set(object, "size", json_integer((json_int_t)size_of(postmortem, moment)));
	set(object, "bytes", view_hex(packet->bytes, kept(packet)));
}

static json_t *view_moment(const struct postmortem *postmortem, const struct moment *moment)
{
	json_t *object = json_object();

	set(object, "at", view_at(moment->at));
	set(object, "ms", view_ms(moment->at - postmortem->record.fall.at));
	set(object, "what", json_string(timeline_kind(moment->kind)));
	if (moment->kind == MOMENT_IN || moment->kind == MOMENT_OUT)
		set_packet(object, postmortem, moment);
	else if (moment->kind == MOMENT_LATE)
		set(object, "late-us", json_integer(moment->amount));
	else if (moment->kind != MOMENT_DOWN)
		set(object, "packets", json_integer(moment->amount));
	return object;
}

static json_t *view_timeline(const struct postmortem *postmortem)
{
	struct moment moments[TIMELINE_MAX];
	unsigned n = timeline_make(moments, &postmortem->record, &postmortem->delays);
	json_t *timeline = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(timeline, view_moment(postmortem, &moments[i]));
	return timeline;
}

json_t *postmortem_view(const struct postmortem *postmortem, unsigned n)
{
	const struct record_fall *fall = &postmortem->record.fall;
	const struct record_terms *terms = &postmortem->record.terms;
	json_t *object = view_summary(postmortem, n);
	char text[ADDR_TEXT];

	set(object, "state", json_string(bfd_state_name(fall->to)));
	set(object, "diagnostic", json_string(bfd_diag_name(fall->diag)));
	set(object, "remote-state", json_string(bfd_state_name(fall->remote_state)));
	set(object, "remote-diagnostic", json_string(bfd_diag_name(fall->remote_diag)));
	set(object, "address", view_text(addr_format(&postmortem->key.peer, text)));
	set(object, "local-address", view_text(addr_format(&postmortem->key.local, text)));
	set(object, "interface", view_text(postmortem->interface));
	set(object, "multihop", json_boolean(postmortem->key.type == SESSION_MULTIHOP));
	set(object, "local-discriminator", json_integer(postmortem->local_discr));
	set(object, "transmit-interval", view_ms(terms->tx_interval));
	set(object, "receive-interval", view_ms(terms->rx_interval));
	set(object, "detection-time", view_ms(terms->detection_time));
	set(object, "remote-detection-time", view_ms(terms->patience));
	set(object, "last-packet", fall->last_rx ? view_at(fall->last_rx) : json_null());
	set(object, "further-downs", json_integer(fall->more));
	set(object, "timeline", view_timeline(postmortem));
	return object;
}

uint8_t *postmortem_pcap(const struct postmortem *postmortem, size_t *size)
{
	struct moment moments[TIMELINE_MAX];
	unsigned n = timeline_make(moments, &postmortem->record, &postmortem->delays);
	uint8_t *file = malloc(PCAP_HEADER + n * (PCAP_HEADERS + PACKET_SIZE));

	if (!file)
		return NULL;
	*size = pcap_begin(file);
	for (unsigned i = 0; i < n; i++) {
		const struct moment *moment = &moments[i];
		struct ends ends = ends_of(postmortem, moment);

		if (moment->kind != MOMENT_IN && moment->kind != MOMENT_OUT)
			continue;
		*size += pcap_put(file + *size, &(struct pcap_packet){
							.wall = events_wall(moment->at),
							.from = ends.from,
							.to = ends.to,
							.from_port = ends.from_port,
							.to_port = ends.to_port,
							.ttl = moment->packet.ttl,
							.tos = moment->kind == MOMENT_OUT ? TOS_SENT : 0,
							.bytes = moment->packet.bytes,
							.size = size_of(postmortem, moment),
							.kept = kept(&moment->packet),
						});
	}
	return file;
}
