// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * engine_probe SESSION...     the engine without the rest of the daemon
 *   SESSION: PEER,LOCAL,INTERFACE,INTERVAL-MS,MULTIPLIER[,multihop][,xCOUNT]
 *            INTERFACE "-": any. xCOUNT: as many sessions, both addresses counted up.
 * Events come as lines on standard output, with the seconds of CLOCK_REALTIME first. Lines on standard input
 * are commands: path SLOT up|down      remove SLOT            configure SLOT INTERVAL-MS MULTIPLIER again N
 * adds session N of the command line once more policy SLOT...         one service that prefers these
 * sessions' paths in their order sessions               policy-state           stats           stop LINGER-MS
 * End of input stops without a word to the peers.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/engine.h"

#define SPECS 64

struct spec {
	struct session_config config;
	struct session_key key;
	unsigned count;
};

static struct engine *engine;
static struct spec specs[SPECS];
static unsigned nspecs;
static struct session_key keys[65536]; /* by slot */

static void say(usec_t at, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(usec_t at, const char *format, ...)
{
	struct timespec ts;
	va_list ap;
	usec_t real;

	clock_gettime(CLOCK_REALTIME, &ts);
	real = ts.tv_sec * USEC_S + ts.tv_nsec / 1000 - clock_now() + at;
	printf("%lld.%06lld ", (long long)(real / USEC_S), (long long)(real % USEC_S));
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static void die(const char *what)
{
	fprintf(stderr, "engine_probe: %s\n", what);
	exit(2);
}

/* Command line */

static void parse_spec(struct spec *spec, char *text)
{
	char *field[7] = {0}, *save = NULL;
	unsigned n = 0;

	for (char *f = strtok_r(text, ",", &save); f && n < 7; f = strtok_r(NULL, ",", &save))
		field[n++] = f;
	if (n < 5 || !addr_parse(&spec->key.peer, field[0]) || !addr_parse(&spec->key.local, field[1]))
		die("bad session");
	spec->key.ifindex = strcmp(field[2], "-") ? if_nametoindex(field[2]) : 0;
	spec->config.desired_min_tx = spec->config.required_min_rx = strtod(field[3], NULL) * 1000;
	spec->config.detect_mult = atoi(field[4]);
	spec->config.min_ttl = 255;
	spec->config.dscp = SESSION_DSCP;
	spec->count = 1;
	for (unsigned i = 5; i < n; i++) {
		if (!strcmp(field[i], "multihop")) {
			spec->key.type = SESSION_MULTIHOP;
			spec->config.min_ttl = 250;
		} else if (field[i][0] == 'x') {
			spec->count = atoi(field[i] + 1);
		} else {
			die("bad session");
		}
	}
}

static void count_up(struct addr *addr)
{
	for (size_t i = addr_size(addr->family); i-- && !++addr->bytes[i];)
		;
}

static void wait_room(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static void add(const struct spec *spec)
{
	struct session_key key = spec->key;
	int slot;

	for (unsigned i = 0; i < spec->count; i++) {
		while ((slot = engine_add(engine, &spec->config, &key, SESSION_NO_PATH)) == -EAGAIN)
			wait_room();
		if (slot < 0)
			die(strerror(-slot));
		keys[slot] = key;
		while (!engine_path(engine, slot, true, &key.local, key.ifindex, 0))
			wait_room();
		count_up(&key.peer);
		count_up(&key.local);
	}
}

/* Orders of the policy, from the engine's thread. */

struct kept_order {
	struct policy_action action;
	usec_t detected;
	bool is_map, is_flush;
};

static pthread_mutex_t orders_lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept_order orders[256];
static unsigned norders;

static void keep_order(const struct kept_order *order)
{
	pthread_mutex_lock(&orders_lock);
	if (norders < 256)
		orders[norders++] = *order;
	pthread_mutex_unlock(&orders_lock);
}

static void order(void *context, const struct policy_action *action, usec_t detected)
{
	keep_order(&(struct kept_order){.action = *action, .detected = detected});
}

static void take_map(void *context, void *map)
{
	keep_order(&(struct kept_order){.is_map = true, .detected = clock_now()});
}

static void flush(void *context)
{
	keep_order(&(struct kept_order){.is_flush = true, .detected = clock_now()});
}

static void show_orders(void)
{
	static const char *const names[] = {"detach", "group", "rule-del", "rule-add"};

	pthread_mutex_lock(&orders_lock);
	for (unsigned i = 0; i < norders; i++) {
		const struct kept_order *o = &orders[i];

		if (o->is_map || o->is_flush)
			say(o->detected, "order %s", o->is_map ? "map" : "flush");
		else
			say(o->detected, "order %s group %u rule %u", names[o->action.kind], o->action.group,
			    o->action.rule);
	}
	norders = 0;
	pthread_mutex_unlock(&orders_lock);
}

/* Events */

static void on_event(void *context, const struct engine_event *e)
{
	char peer[ADDR_TEXT];
	const char *who = e->slot == ENGINE_NO_SLOT ? "-" : addr_format(&keys[e->slot].peer, peer);

	show_orders(); /* given before this event */
	switch ((enum engine_event_kind)e->kind) {
	case ENGINE_STATE:
		say(e->at, "state %u %s %s %s diag %s remote %s %s", e->slot, who, bfd_state_name(e->from),
		    bfd_state_name(e->to), bfd_diag_name(e->diag), bfd_state_name(e->remote_state),
		    bfd_diag_name(e->remote_diag));
		break;
	case ENGINE_NEGOTIATED:
		say(e->at, "negotiated %u %s tx %u detection %u", e->slot, who, e->tx_interval,
		    e->detection_time);
		break;
	case ENGINE_REMOVED:
		say(e->at, "removed %u", e->slot);
		break;
	case ENGINE_POLICY_RETIRED:
		say(clock_now(), "retired");
		policy_free(e->policy);
		free(e->map);
		free(e->slot_path);
		break;
	case ENGINE_SWITCH:
		say(e->at, "switch way %u from %d to %d by %s", e->way, e->choice_from, e->choice_to, who);
		break;
	case ENGINE_STALL:
		say(e->at, "stall %lld", (long long)e->lateness);
		break;
	case ENGINE_LOST_EVENTS:
		say(e->at, "lost %u", e->count);
		break;
	case ENGINE_ADD_FAILED:
		say(e->at, "add-failed %u", e->slot);
		break;
	case ENGINE_PATH_FAILED:
		say(e->at, "path-failed %u", e->slot);
		break;
	case ENGINE_UNSOLICITED:
		say(e->at, "unsolicited %s", addr_format(&e->peer, peer));
		break;
	case ENGINE_KEYS_RETIRED:
		break;
	}
}

static void on_sessions(void *context, const struct session *sessions, unsigned count)
{
	char peer[ADDR_TEXT];
	unsigned up = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct session *s = &sessions[i];
		uint32_t drops = 0;

		up += s->state == BFD_UP;
		for (unsigned d = 0; d < DROP_COUNT; d++)
			drops += s->drops[d];
		if (count <= 16)
			say(clock_now(),
			    "session %u %s %s in %llu out %llu downs %u drops %u port %u detection %lld",
			    s->slot, addr_format(&s->key.peer, peer), bfd_state_name(s->state),
			    (unsigned long long)s->packets_in, (unsigned long long)s->packets_out,
			    s->down_transitions, drops, s->source_port, (long long)s->detection_time);
	}
	say(clock_now(), "sessions %u up %u", count, up);
}

static void on_policy(void *context, const struct policy *policy)
{
	say(clock_now(), "policy-state %d", policy ? policy_active(&policy->ways[0]) : -2);
}

static void show_stats(void)
{
	struct engine_stats s;
	uint64_t drops = 0;

	engine_stats(engine, &s);
	for (unsigned d = 0; d < DROP_COUNT; d++)
		drops += s.drops[d];
	say(clock_now(),
	    "stats wakeups %llu ticks %llu in %llu out %llu errors %llu overflows %llu stalls %llu max %lld "
	    "sessions %u tick-mode %d "
	    "drops %llu",
	    (unsigned long long)s.wakeups, (unsigned long long)s.ticks, (unsigned long long)s.packets_in,
	    (unsigned long long)s.packets_out, (unsigned long long)s.send_errors,
	    (unsigned long long)s.receive_overflows, (unsigned long long)s.stalls, (long long)s.stall_max,
	    s.sessions, s.tick_mode, (unsigned long long)drops);
}

/* Commands */

static void make_policy(char *slots)
{
	uint16_t *slot_path = malloc(65536 * sizeof(*slot_path));
	struct policy *policy;
	char *save = NULL;
	unsigned n = 0;

	memset(slot_path, 0xff, 65536 * sizeof(*slot_path));
	for (char *s = strtok_r(slots, " ", &save); s && n < POLICY_CHOICES; s = strtok_r(NULL, " ", &save))
		slot_path[atoi(s)] = n++;
	policy = policy_create(n, n, 1);
	for (unsigned i = 0; i < n; i++) {
		snprintf(policy->groups[i].name, sizeof(policy->groups[i].name), "site%u", i);
		policy->groups[i].npaths = 1;
		policy->groups[i].paths[0] = i;
		policy->groups[i].keys[0] = i + 1;
		policy->groups[i].resolved = 1;
		policy->ways[0].choices[i].group = i;
		policy->ways[0].choices[i].rule = i;
		policy->ways[0].choices[i].table = policy->ways[0].choices[i].key = i + 1;
	}
	snprintf(policy->ways[0].name, sizeof(policy->ways[0].name), "voice");
	policy->ways[0].nchoices = n;
	while (!engine_policy(engine, policy, malloc(1), slot_path, 65536))
		wait_room();
	for (unsigned i = 0; i < n; i++)
		while (!engine_ready(engine, i, true))
			wait_room();
}

static void command(char *line)
{
	unsigned slot = 0, interval = 0, mult = 0;
	char word[16] = "";

	if (sscanf(line, "path %u %15s", &slot, word) == 2) {
		engine_path(engine, slot, !strcmp(word, "up"), &keys[slot].local, keys[slot].ifindex, 0);
	} else if (sscanf(line, "remove %u", &slot) == 1) {
		engine_remove(engine, slot);
	} else if (sscanf(line, "configure %u %u %u", &slot, &interval, &mult) == 3) {
		struct session_config config = {.desired_min_tx = interval * 1000,
						.required_min_rx = interval * 1000,
						.detect_mult = mult,
						.min_ttl = keys[slot].type == SESSION_MULTIHOP ? 250 : 255,
						.dscp = SESSION_DSCP};

		engine_configure(engine, slot, &config);
	} else if (sscanf(line, "again %u", &slot) == 1 && slot < nspecs) {
		add(&specs[slot]);
	} else if (!strncmp(line, "policy ", 7)) {
		make_policy(line + 7);
	} else if (!strcmp(line, "policy-state")) {
		engine_snapshot_policy(engine, on_policy, NULL);
	} else if (!strcmp(line, "sessions")) {
		engine_snapshot(engine, on_sessions, NULL);
	} else if (!strcmp(line, "stats")) {
		show_stats();
	} else if (sscanf(line, "stop %u", &interval) == 1) {
		engine_stop(engine, interval * USEC_MS);
		engine_poll_events(engine, on_event, NULL);
		show_stats();
		say(clock_now(), "stopped");
		engine_free(engine);
		exit(0);
	} else {
		die(line);
	}
}

/* False at the end of input. */
static bool read_commands(void)
{
	static char buf[8192];
	static size_t used;
	ssize_t n = read(0, buf + used, sizeof(buf) - used - 1);
	char *end;

	if (n <= 0)
		return false;
	used += n;
	while ((end = memchr(buf, '\n', used))) {
		*end = '\0';
		command(buf);
		used -= end + 1 - buf;
		memmove(buf, end + 1, used);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct engine_config config = {.steering = {order, take_map, flush, NULL}, .presume_for = USEC_S};
	struct pollfd fds[2] = {{.fd = 0, .events = POLLIN}, {.events = POLLIN}};
	char error[256];

	for (int i = 1; i < argc && nspecs < SPECS; i++)
		parse_spec(&specs[nspecs++], argv[i]);
	engine = engine_create(&config, error, sizeof(error));
	if (!engine)
		die(error);
	if (getenv("KERNEL_FILTER"))
		engine_filter(engine);
	if (engine_start(engine))
		die("cannot start the thread");
	for (unsigned i = 0; i < nspecs; i++)
		add(&specs[i]);
	say(clock_now(), "ready");
	fds[1].fd = engine_event_fd(engine);
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[1].revents)
			engine_poll_events(engine, on_event, NULL);
		if (fds[0].revents && !read_commands())
			break;
	}
	engine_stop(engine, 0);
	engine_free(engine);
	return 0;
}
