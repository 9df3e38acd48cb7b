// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client is in one of these states; a request is taken up only when the one before it is answered and the
 * answer taken, so that a client holds at most one line and one answer of memory:
 *
 *   reading    no request, no output: the read watcher runs, the idle timer too
 *   waiting    a request is with the daemon: nothing runs
 *   writing    output waits: the write watcher runs, the stuck timer too; then `reading`, or the end
 *   streaming  like reading or writing, but what is read is thrown away
 *
 * Clients are freed by their own watchers only, never under a caller of control_reply() or control_push().
 */
#include "ops/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/control_listen.h"
#include "ops/log.h"
#include "ops/view.h"

#define ACCEPT_BATCH 16	  /* connections taken in one go */
#define ACCEPT_PAUSE 0.5  /* s, when there are no descriptors left */
#define OUTPUT_KEEP 65536 /* a larger buffer is given back when empty */
#define AT_ONCE 1e-6	  /* s */

struct client {
	struct client *next, **prev;
	struct control *control;
	struct ev_io read, write;
	struct ev_timer timeout;
	struct control_request *request; /* with the daemon, or streaming */
	bool streaming;
	bool closing; /* to be closed when the output is out */
	bool eof;
	struct writer out;
	size_t in_length;
	char in[CONTROL_LINE_MAX + 1];
};

struct control {
	struct ev_loop *loop;
	struct ev_io accept;
	struct ev_timer pause;
	struct client *clients;
	unsigned nclients;
	bool starved; /* and said so: not each time anew */
	control_fn *fn;
	void *context;
	char *path;
	dev_t device; /* of the socket file: another daemon's is not to be removed */
	ino_t inode;
};

struct control_request {
	struct client *client; /* NULL: gone */
	json_t *root;
	void (*closed)(void *context);
	void *context;
};

static void request_free(struct control_request *request)
{
	json_decref(request->root);
	free(request);
}

static void client_free(struct client *client)
{
	struct control *control = client->control;
	struct control_request *request = client->request;

	ev_io_stop(control->loop, &client->read);
	ev_io_stop(control->loop, &client->write);
	ev_timer_stop(control->loop, &client->timeout);
	close(client->read.fd);
	*client->prev = client->next;
	if (client->next)
		client->next->prev = client->prev;
	control->nclients--;
	if (request) {
		request->client = NULL;
		if (client->streaming) {
			request->closed(request->context);
			request_free(request);
		}
	}
	free(client->out.bytes);
	free(client);
}

static void client_timer(struct client *client, double seconds)
{
	client->timeout.repeat = seconds;
	ev_timer_again(client->control->loop, &client->timeout);
}

static int append(const char *bytes, size_t size, void *context)
{
	struct client *client = context;

	writer_bytes(&client->out, bytes, size);
	return client->out.failed ? -1 : 0;
}

static size_t client_pending(const struct client *client)
{
	return client->out.end - client->out.start;
}

/* After a line was appended behind PENDING bytes of output. False: it was too long or there was no memory;
 * nothing of it is sent. */
static bool client_sent(struct client *client, size_t pending)
{
	if (client->out.failed) {
		client->out.end = client->out.start + pending;
		client->out.failed = false;
		return false;
	}
	if (!pending) {
		ev_io_start(client->control->loop, &client->write);
		client_timer(client, CONTROL_STUCK);
	}
	return true;
}

/* Takes MESSAGE over. False: as client_sent(). */
static bool client_send(struct client *client, json_t *message)
{
	size_t pending = client_pending(client);

	if (!message || json_dump_callback(message, append, client, VIEW_DUMP))
		client->out.failed = true;
	writer_text(&client->out, "\n");
	json_decref(message);
	return client_sent(client, pending);
}

/* As client_send(). */
static bool client_send_written(struct client *client, control_write_fn *write, void *context)
{
	size_t pending = client_pending(client);

	writer_text(&client->out, "{\"ok\":true,\"data\":");
	write(context, &client->out);
	writer_text(&client->out, "}\n");
	return client_sent(client, pending);
}

/* What can be told instead. Where there is no memory even for that the client goes, once nobody uses it. */
static void client_too_long(struct client *client)
{
	client->closing = true;
	if (!client_send(client, json_pack("{s:b, s:s}", "ok", 0, "error", "the answer is too long")))
		client_timer(client, AT_ONCE);
}

/* Takes ANSWER over. */
static void client_answer(struct client *client, json_t *answer)
{
	client->out.limit = CONTROL_BACKLOG_MAX;
	if (!client_send(client, answer))
		client_too_long(client);
}

static void client_refuse(struct client *client, const char *error)
{
	client->closing = true;
	client_answer(client, json_pack("{s:b, s:s}", "ok", 0, "error", error));
}

/* NULL: LINE is a request. Else what is wrong with it. */
static const char *request_check(const json_t *root)
{
	const json_t *args = json_object_get(root, "args"), *arg;
	size_t i;

	if (!json_is_object(root))
		return "a request is one line of JSON: {\"command\": \"...\", \"args\": [...]}";
	if (!json_is_string(json_object_get(root, "command")))
		return "a request needs a \"command\", a string";
	if (args && !json_is_array(args))
		return "\"args\" is an array of strings";
	json_array_foreach(args, i, arg) if (!json_is_string(arg)) return "\"args\" is an array of strings";
	return NULL;
}

static void client_request(struct client *client, const char *line, size_t length)
{
	struct control *control = client->control;
	json_t *root = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	const char *error = request_check(root);
	struct control_request *request = error ? NULL : calloc(1, sizeof(*request));

	if (!request) {
		json_decref(root);
		client_refuse(client, error ? error : "out of memory");
		return;
	}
	if (!json_object_get(root, "args"))
		json_object_set_new(root, "args", json_array());
	request->client = client;
	request->root = root;
	client->request = request;
	control->fn(control->context, request, json_string_value(json_object_get(root, "command")),
		    json_object_get(root, "args"));
}

/* The next thing to do for a client that has no request running and no output waiting. */
static void client_next(struct client *client)
{
	struct ev_loop *loop = client->control->loop;
	const char *newline = memchr(client->in, '\n', client->in_length);
	char line[CONTROL_LINE_MAX];
	size_t length;

	if (client->closing || (client->eof && !newline)) {
		client_free(client);
	} else if (newline) {
		length = (size_t)(newline - client->in);
		memcpy(line, client->in, length);
		client->in_length -= length + 1;
		memmove(client->in, newline + 1, client->in_length);
		ev_io_stop(loop, &client->read);
		ev_timer_stop(loop, &client->timeout);
		client_request(client, line, length);
	} else if (client->in_length == sizeof(client->in)) {
		ev_io_stop(loop, &client->read);
		client_refuse(client, "the request is too long");
	} else if (!ev_is_active(&client->read)) {
		ev_io_start(loop, &client->read);
		client_timer(client, CONTROL_IDLE);
	}
}

static void read_cb(struct ev_loop *loop, struct ev_io *watcher, int revents)
{
	struct client *client = watcher->data;
	size_t kept = client->streaming ? 0 : client->in_length;
	ssize_t n = recv(watcher->fd, client->in + kept, sizeof(client->in) - kept, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || (n == 0 && client->streaming)) {
		client_free(client);
		return;
	}
	if (client->streaming)
		return;
	client->in_length += (size_t)n;
	if (n == 0) {
		client->eof = true;
		ev_io_stop(loop, watcher);
	}
	client_next(client);
}

static void write_cb(struct ev_loop *loop, struct ev_io *watcher, int revents)
{
	struct client *client = watcher->data;
	struct writer *out = &client->out;
	ssize_t n = send(watcher->fd, out->bytes + out->start, out->end - out->start,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		client_free(client);
		return;
	}
	out->start += (size_t)n;
	if (out->start < out->end) {
		client_timer(client, CONTROL_STUCK);
		return;
	}
	out->start = out->end = 0;
	if (out->size > OUTPUT_KEEP) {
		free(out->bytes);
		out->bytes = NULL;
		out->size = 0;
	}
	ev_io_stop(loop, watcher);
	ev_timer_stop(loop, &client->timeout);
	if (!client->request || client->closing)
		client_next(client);
}

static void timeout_cb(struct ev_loop *loop, struct ev_timer *watcher, int revents)
{
	client_free(watcher->data);
}

static void client_create(struct control *control, int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(fd);
		return;
	}
	client->control = control;
	ev_io_init(&client->read, read_cb, fd, EV_READ);
	ev_io_init(&client->write, write_cb, fd, EV_WRITE);
	ev_timer_init(&client->timeout, timeout_cb, 0., 0.);
	client->read.data = client->write.data = client->timeout.data = client;
	client->next = control->clients;
	client->prev = &control->clients;
	if (client->next)
		client->next->prev = &client->next;
	control->clients = client;
	control->nclients++;
	client_next(client);
}

static void accept_cb(struct ev_loop *loop, struct ev_io *watcher, int revents)
{
	static const char full[] = "{\"ok\":false,\"error\":\"too many clients\"}\n";
	struct control *control = watcher->data;

	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			control->starved = false;
		if (fd >= 0 && control->nclients < CONTROL_CLIENTS_MAX) {
			client_create(control, fd);
		} else if (fd >= 0) {
			send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
			close(fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			if (!control->starved)
				log_warning("control socket: accept: %s", strerror(errno));
			control->starved = true;
			ev_io_stop(loop, watcher);
			ev_timer_start(loop, &control->pause);
			return;
		}
	}
}

static void pause_cb(struct ev_loop *loop, struct ev_timer *watcher, int revents)
{
	struct control *control = watcher->data;

	ev_timer_stop(loop, watcher);
	ev_io_start(loop, &control->accept);
}

struct control *control_create(struct ev_loop *loop, const char *path, control_fn *fn, void *context,
			       char *error, size_t size)
{
	struct control *control = calloc(1, sizeof(*control));
	struct stat st;
	int fd;

	if (!control || !(control->path = strdup(path))) {
		snprintf(error, size, "out of memory");
		free(control);
		return NULL;
	}
	fd = control_listen(path, error, size);
	if (fd < 0) {
		free(control->path);
		free(control);
		return NULL;
	}
	if (lstat(path, &st) == 0) {
		control->device = st.st_dev;
		control->inode = st.st_ino;
	}
	control->loop = loop;
	control->fn = fn;
	control->context = context;
	ev_io_init(&control->accept, accept_cb, fd, EV_READ);
	ev_timer_init(&control->pause, pause_cb, ACCEPT_PAUSE, ACCEPT_PAUSE);
	control->accept.data = control->pause.data = control;
	ev_io_start(loop, &control->accept);
	return control;
}

void control_free(struct control *control)
{
	struct stat st;

	if (!control)
		return;
	while (control->clients)
		client_free(control->clients);
	ev_io_stop(control->loop, &control->accept);
	ev_timer_stop(control->loop, &control->pause);
	close(control->accept.fd);
	if (lstat(control->path, &st) == 0 && st.st_dev == control->device && st.st_ino == control->inode)
		unlink(control->path);
	free(control->path);
	free(control);
}

/* Takes ANSWER over. */
static void request_answer(struct control_request *request, json_t *answer)
{
	if (request->client) {
		request->client->request = NULL;
		client_answer(request->client, answer);
	} else {
		json_decref(answer);
	}
	request_free(request);
}

void control_reply(struct control_request *request, json_t *data)
{
	request_answer(request, json_pack("{s:b, s:o}", "ok", 1, "data", data));
}

void control_reply_written(struct control_request *request, control_write_fn *write, void *context)
{
	struct client *client = request->client;

	if (client) {
		client->request = NULL;
		client->out.limit = CONTROL_BACKLOG_MAX;
		if (!client_send_written(client, write, context))
			client_too_long(client);
	}
	request_free(request);
}

void control_fail(struct control_request *request, const char *format, ...)
{
	char error[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, sizeof(error), format, ap);
	va_end(ap);
	request_answer(request, json_pack("{s:b, s:o}", "ok", 0, "error", view_text(error)));
}

void control_stream(struct control_request *request, json_t *data, void (*closed)(void *context),
		    void *context)
{
	struct client *client = request->client;

	if (!client) {
		json_decref(data);
		closed(context);
		request_free(request);
		return;
	}
	request->closed = closed;
	request->context = context;
	client->streaming = true;
	client_answer(client, json_pack("{s:b, s:o}", "ok", 1, "data", data));
	client->out.limit = client_pending(client) + CONTROL_STREAM_MAX;
	ev_io_start(client->control->loop, &client->read);
}

void control_push(struct control_request *request, json_t *data)
{
	struct client *client = request->client;

	/* Its watchers find that out. */
	if (!client_send(client, json_pack("{s:O}", "data", data)))
		shutdown(client->read.fd, SHUT_RDWR);
}
