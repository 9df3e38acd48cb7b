/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/bird.h"

#include <errno.h>
#include <ev.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ops/log.h"

#define ORDERS 64      /* that wait */
#define ASK_EACH 2.    /* s */
#define ASK_SHARE 20   /* ... and no more of BIRD's time than one part in this */
#define ASK_LONGEST 10 /* deadlines, while an answer keeps coming */
#define RETRY_FIRST .2 /* s */
#define RETRY_LONGEST 3.
#define READS 16 /* of READ_BYTES in one turn of the loop */
#define READ_BYTES 4096

enum bird_phase { ABSENT, GREETING, IDLE, ORDERING, ASKING };

struct order {
	char name[BIRD_NAME];
	char reason[BIRD_REASON];
	bool enable;
};

struct bird {
	struct ev_loop *loop;
	struct bird_callbacks callbacks;
	struct sockaddr_un address;
	usec_t timeout;
	enum bird_phase phase;
	int fd;
	ev_io readable;
	ev_timer deadline, retry, ask;
	double retry_after;
	struct bird_reader reader;
	unsigned code;	     /* of the line before */
	unsigned order_code; /* of the first line of an order's reply: "0009-pa: disabled", then "0000 " */
	struct bird_protocols protocols;
	struct order orders[ORDERS]; /* the first one is under way when ORDERING */
	unsigned norders;
	bool ask_wanted;
	bool answered; /* a question, on this connection */
	usec_t asked;
	char told_trouble[128]; /* as last logged */
	struct bird_status status;
};

static usec_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * USEC_S + time.tv_nsec / 1000;
}

static void set_deadline(struct bird *bird)
{
	bird->deadline.repeat = (double)bird->timeout / USEC_S;
	ev_timer_again(bird->loop, &bird->deadline);
}

/* Each kind of trouble is told once, until all was well again. */
static void trouble(struct bird *bird, const char *what, const char *why)
{
	snprintf(bird->status.trouble, sizeof(bird->status.trouble), "%s%s%.90s", what, *why ? ": " : "",
		 why);
	if (!strcmp(bird->told_trouble, bird->status.trouble))
		return;
	log_warning("bird: %s: %s", bird->address.sun_path, bird->status.trouble);
	memcpy(bird->told_trouble, bird->status.trouble, sizeof(bird->told_trouble));
}

static void disconnect(struct bird *bird, const char *what, const char *why)
{
	bool was = bird->status.connected;

	trouble(bird, what, why);
	ev_io_stop(bird->loop, &bird->readable);
	ev_timer_stop(bird->loop, &bird->deadline);
	ev_timer_stop(bird->loop, &bird->ask);
	if (bird->fd >= 0)
		close(bird->fd);
	bird->fd = -1;
	bird->phase = ABSENT;
	bird->norders = 0;
	bird->ask_wanted = false;
	bird->status.connected = bird->answered = false;
	ev_timer_set(&bird->retry, bird->retry_after, 0.);
	ev_timer_start(bird->loop, &bird->retry);
	bird->retry_after = bird->retry_after * 2 < RETRY_LONGEST ? bird->retry_after * 2 : RETRY_LONGEST;
	if (was)
		bird->callbacks.lost(bird->callbacks.context);
}

/* What is sent is shorter than any socket's buffer, and BIRD has read all that went before. */
static bool transmit(struct bird *bird, const char *text, size_t length)
{
	ssize_t n = send(bird->fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n == (ssize_t)length) {
		set_deadline(bird);
		return true;
	}
	disconnect(bird, "cannot send", n < 0 ? strerror(errno) : "it does not read");
	return false;
}

static void send_order(struct bird *bird)
{
	const struct order *order = &bird->orders[0];
	char text[BIRD_COMMAND];
	size_t length = order->enable ? bird_command_enable(order->name, text)
				      : bird_command_disable(order->name, order->reason, text);

	bird->phase = ORDERING;
	bird->status.orders++;
	bird->order_code = 0;
	transmit(bird, text, length);
}

static void send_question(struct bird *bird)
{
	static const char text[] = "show protocols all\n";

	bird->phase = ASKING;
	bird->ask_wanted = false;
	bird->asked = now();
	bird_protocols_begin(&bird->protocols, bird->callbacks.protocol, bird->callbacks.context);
	transmit(bird, text, sizeof(text) - 1);
}

static void next(struct bird *bird)
{
	if (bird->phase != IDLE)
		return;
	if (bird->norders)
		send_order(bird);
	else if (bird->ask_wanted)
		send_question(bird);
	else
		ev_timer_stop(bird->loop, &bird->deadline);
}

static void greeted(struct bird *bird, const struct bird_line *line)
{
	if (line->code != BIRD_READY || sscanf(line->text, "BIRD %31s", bird->status.version) != 1) {
		disconnect(bird, "it does not greet as BIRD does", "");
		return;
	}
	bird->status.connected = true;
	bird->status.connections++;
	bird->phase = IDLE;
	bird->ask_wanted = true;
	next(bird);
}

static void ordered(struct bird *bird, const struct bird_line *line)
{
	unsigned code = line->code ? line->code : bird->order_code;
	struct order order = bird->orders[0];

	bird->norders--;
	memmove(&bird->orders[0], &bird->orders[1], bird->norders * sizeof(order));
	bird->phase = IDLE;
	if (code >= 1000) {
		bird->status.refusals++;
		trouble(bird, order.enable ? "it refuses to enable" : "it refuses to disable", line->text);
	} else {
		bird->status.trouble[0] = bird->told_trouble[0] = '\0';
	}
	bird->callbacks.done(bird->callbacks.context, order.name, order.enable, code, line->text);
	next(bird);
}

static void told(struct bird *bird, const struct bird_line *line)
{
	double pause;

	bird->phase = IDLE;
	if (line->code >= 1000) {
		disconnect(bird, "it does not tell of its protocols", line->text);
		return;
	}
	if (!bird->answered) {
		log_notice("bird: BIRD %s answers at %s", bird->status.version, bird->address.sun_path);
		bird->status.trouble[0] = bird->told_trouble[0] = '\0';
	}
	bird->answered = true;
	bird->retry_after = RETRY_FIRST;
	bird->status.told = now();
	bird->status.took = bird->status.told - bird->asked;
	bird_protocols_end(&bird->protocols);
	bird->callbacks.told(bird->callbacks.context);
	pause = (double)bird->status.took / USEC_S * ASK_SHARE;
	bird->ask.repeat = pause > ASK_EACH ? pause : ASK_EACH;
	ev_timer_again(bird->loop, &bird->ask);
	next(bird);
}

/* False: the connection is gone. */
static bool take_line(struct bird *bird, const char *text)
{
	struct bird_line line;

	if (!bird_line_read(text, bird->code, &line)) {
		disconnect(bird, "it says what cannot be understood", "");
		return false;
	}
	bird->code = line.code;
	if (bird->phase == ASKING)
		bird_protocols_line(&bird->protocols, &line);
	if (bird->phase == ORDERING && !bird->order_code)
		bird->order_code = line.code;
	if (!line.last)
		return true;
	switch (bird->phase) {
	case GREETING:
		greeted(bird, &line);
		break;
	case ORDERING:
		ordered(bird, &line);
		break;
	case ASKING:
		told(bird, &line);
		break;
	default:
		disconnect(bird, "it speaks without being asked", "");
	}
	return bird->fd >= 0;
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct bird *bird = watcher->data;
	char buf[READ_BYTES];

	for (unsigned i = 0; i < READS; i++) {
		ssize_t n = recv(bird->fd, buf, sizeof(buf), MSG_DONTWAIT);
		const char *data = buf, *line;
		size_t size = n > 0 ? (size_t)n : 0;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			disconnect(bird, "it closed the connection", n < 0 ? strerror(errno) : "");
			return;
		}
		while ((line = bird_reader_take(&bird->reader, &data, &size)))
			if (!take_line(bird, line))
				return;
		if (bird->phase == ASKING && now() - bird->asked < ASK_LONGEST * bird->timeout)
			set_deadline(bird);
	}
}

static void on_deadline(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct bird *bird = watcher->data;

	bird->status.timeouts++;
	disconnect(bird, "no answer within the time", "");
}

static void on_ask(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	bird_ask(watcher->data);
}

static void on_retry(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct bird *bird = watcher->data;

	bird->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bird->fd < 0 ||
	    connect(bird->fd, (const struct sockaddr *)&bird->address, sizeof(bird->address)) < 0) {
		disconnect(bird, "cannot connect", strerror(errno));
		return;
	}
	bird->phase = GREETING;
	bird->code = 0;
	bird->reader = (struct bird_reader){0};
	ev_io_set(&bird->readable, bird->fd, EV_READ);
	ev_io_start(bird->loop, &bird->readable);
	set_deadline(bird);
}

struct bird *bird_create(struct ev_loop *loop, const char *socket, usec_t timeout,
			 const struct bird_callbacks *callbacks)
{
	struct bird *bird = calloc(1, sizeof(*bird));

	if (!bird)
		return NULL;
	bird->loop = loop;
	bird->callbacks = *callbacks;
	bird->timeout = timeout;
	bird->fd = -1;
	bird->retry_after = RETRY_FIRST;
	bird->address.sun_family = AF_UNIX;
	strncpy(bird->address.sun_path, socket, sizeof(bird->address.sun_path) - 1);
	ev_init(&bird->readable, on_readable);
	ev_init(&bird->deadline, on_deadline);
	ev_init(&bird->ask, on_ask);
	ev_timer_init(&bird->retry, on_retry, 0., 0.);
	bird->readable.data = bird->deadline.data = bird->ask.data = bird->retry.data = bird;
	ev_timer_start(loop, &bird->retry);
	return bird;
}

/* In the loop's place a plain poll(). */
bool bird_finish(struct bird *bird, usec_t linger)
{
	usec_t until = now() + linger;

	bird->ask_wanted = false;
	while (bird->fd >= 0 && bird->norders) {
		usec_t left = until - now();
		struct pollfd pollfd = {.fd = bird->fd, .events = POLLIN};

		if (left <= 0 || poll(&pollfd, 1, (int)(left / USEC_MS) + 1) <= 0)
			return false;
		on_readable(bird->loop, &bird->readable, EV_READ);
	}
	return bird->fd >= 0;
}

void bird_free(struct bird *bird)
{
	if (!bird)
		return;
	ev_io_stop(bird->loop, &bird->readable);
	ev_timer_stop(bird->loop, &bird->deadline);
	ev_timer_stop(bird->loop, &bird->ask);
	ev_timer_stop(bird->loop, &bird->retry);
	if (bird->fd >= 0)
		close(bird->fd);
	free(bird);
}

/* The place of an order for NAME that waits, or a new one; NULL: there is none. */
static struct order *place(struct bird *bird, const char *name)
{
	for (unsigned i = bird->phase == ORDERING; i < bird->norders; i++)
		if (!strcmp(bird->orders[i].name, name))
			return &bird->orders[i];
	return bird->norders < ORDERS ? &bird->orders[bird->norders++] : NULL;
}

static bool add(struct bird *bird, const char *name, const char *reason, bool enable)
{
	struct order *order = bird->status.connected && bird_name_valid(name) ? place(bird, name) : NULL;

	if (!order)
		return false;
	*order = (struct order){.enable = enable};
	strcpy(order->name, name);
	bird_reason(reason, order->reason);
	next(bird);
	return true;
}

bool bird_disable(struct bird *bird, const char *name, const char *reason)
{
	return add(bird, name, reason, false);
}

bool bird_enable(struct bird *bird, const char *name)
{
	return add(bird, name, "", true);
}

void bird_ask(struct bird *bird)
{
	bird->ask_wanted = bird->status.connected;
	next(bird);
}

void bird_status(const struct bird *bird, struct bird_status *status)
{
	*status = bird->status;
}
