// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)256 << 20)

struct client {
	int fd, timeout;
	const char *path; /* borrowed */
	char *buffer;	  /* received: START to END */
	size_t start, end, size, searched;
};

struct client *client_open(const char *path, int timeout, char *error, size_t size)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval tv = {.tv_sec = timeout};
	struct client *client;
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		snprintf(error, size, "%s: the path of a socket has at most %zu bytes", path,
			 sizeof(addr.sun_path) - 1);
		return NULL;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0 ||
	    connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		snprintf(error, size, "no daemon answers on %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	client = calloc(1, sizeof(*client));
	if (!client) {
		snprintf(error, size, "out of memory");
		close(fd);
		return NULL;
	}
	client->fd = fd;
	client->timeout = timeout;
	client->path = path;
	return client;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	close(client->fd);
	free(client->buffer);
	free(client);
}

int client_fd(const struct client *client)
{
	return client->fd;
}

int64_t client_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

/* A whole line that was received already, NUL in place of its newline; valid until the next receive(). */
static char *take_line(struct client *client)
{
	char *line = client->buffer + client->start, *newline;

	if (client->start + client->searched >= client->end)
		return NULL;
	newline = memchr(line + client->searched, '\n', client->end - client->start - client->searched);
	if (!newline) {
		client->searched = client->end - client->start;
		return NULL;
	}
	*newline = '\0';
	client->start += (size_t)(newline - line) + 1;
	client->searched = 0;
	return line;
}

/* Reads what is there: 1, 0 at the end of the stream, or -1 with errno. */
static int receive(struct client *client)
{
	char *grown;
	ssize_t n;

	if (client->start) {
		client->end -= client->start;
		memmove(client->buffer, client->buffer + client->start, client->end);
		client->start = 0;
	}
	if (client->end == client->size) {
		size_t size = client->size ? 2 * client->size : 65536;

		grown = size > LINE_MAX_BYTES ? NULL : realloc(client->buffer, size);
		if (!grown) {
			errno = ENOMEM;
			return -1;
		}
		client->buffer = grown;
		client->size = size;
	}
	n = recv(client->fd, client->buffer + client->end, client->size - client->end, MSG_DONTWAIT);
	if (n > 0)
		client->end += (size_t)n;
	return n > 0 ? 1 : (int)n;
}

/* A line, waiting until DEADLINE (INT64_MAX: without end). NULL with errno; 0 at the end of the stream. */
static char *read_line(struct client *client, int64_t deadline)
{
	struct pollfd pfd = {.fd = client->fd, .events = POLLIN};
	char *line;
	int result;

	while (!(line = take_line(client))) {
		int64_t left = deadline == INT64_MAX ? -1 : deadline - client_clock();

		result = poll(&pfd, 1, deadline == INT64_MAX ? -1 : left > 0 ? (int)left : 0);
		if (result == 0)
			errno = ETIMEDOUT;
		if (result < 0 && errno == EINTR)
			continue;
		if (result <= 0)
			return NULL;
		result = receive(client);
		if (result == 0)
			errno = 0;
		if (result == 0 || (result < 0 && errno != EAGAIN))
			return NULL;
	}
	return line;
}

static bool send_line(struct client *client, const char *command, const char *const *args, int count)
{
	json_t *list = json_array(), *root;
	size_t length, sent = 0;
	char *line;
	ssize_t n;

	for (int i = 0; i < count; i++)
		json_array_append_new(list, json_string(args[i]) ?: json_string("?"));
	root = json_pack("{s:s, s:o}", "command", command, "args", list);
	line = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (!line)
		return false;
	length = strlen(line);
	line[length++] = '\n'; /* in the NUL's place */
	while (sent < length && (n = send(client->fd, line + sent, length - sent, MSG_NOSIGNAL)) > 0)
		sent += (size_t)n;
	free(line);
	return sent == length;
}

/* Asks; the line that comes back, or NULL with errno. A daemon that has no room for us says so before it
 * reads: an answer may be there even where sending failed. */
static char *exchange(struct client *client, const char *command, const char *const *args, int count)
{
	bool sent = send_line(client, command, args, count);

	return read_line(client, client_clock() + (sent ? client->timeout * INT64_C(1000) : 0));
}

/* What a LINE that holds no data says, which was parsed as ANSWER; NULL: there was none. */
static enum client_result not_answered(const struct client *client, const char *line, const json_t *answer,
				       char *error, size_t size)
{
	const char *refusal = json_string_value(json_object_get(answer, "error"));

	if (refusal && !json_is_true(json_object_get(answer, "ok"))) {
		snprintf(error, size, "%s", refusal);
		return CLIENT_REFUSED;
	}
	snprintf(error, size, "no answer on %s: %s", client->path,
		 line	 ? "what came is none"
		 : errno ? strerror(errno)
			 : "the daemon closed the connection");
	return CLIENT_GONE;
}

enum client_result client_request(struct client *client, const char *command, const char *const *args,
				  int count, json_t **data, char *error, size_t size)
{
	const char *line = exchange(client, command, args, count);
	json_t *answer = line ? json_loads(line, 0, NULL) : NULL;
	enum client_result result = CLIENT_OK;

	*data = json_is_true(json_object_get(answer, "ok")) ? json_incref(json_object_get(answer, "data"))
							    : NULL;
	if (!*data)
		result = not_answered(client, line, answer, error, size);
	json_decref(answer);
	return result;
}

static const char *behind_space(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* AT is behind the array's bracket. False: what is there is not its elements and the end of the answer. */
static bool hand_out(const char *at, client_element_fn *fn, void *context)
{
	json_error_t error;
	json_t *element;

	at = behind_space(at);
	if (*at == ']')
		return !strcmp(behind_space(at + 1), "}");
	for (;;) {
		element = json_loads(at, JSON_DISABLE_EOF_CHECK, &error);
		if (!element)
			return false;
		fn(context, element);
		json_decref(element);
		at = behind_space(at + error.position);
		if (*at == ']')
			return !strcmp(behind_space(at + 1), "}");
		if (*at++ != ',')
			return false;
	}
}

enum client_result client_request_list(struct client *client, const char *command, client_element_fn *fn,
				       void *context, char *error, size_t size)
{
	static const char before[] = "{\"ok\":true,\"data\":[";
	const char *line = exchange(client, command, NULL, 0);
	enum client_result result;
	json_t *answer;

	if (line && !strncmp(line, before, sizeof(before) - 1) &&
	    hand_out(line + sizeof(before) - 1, fn, context))
		return CLIENT_OK;
	answer = line ? json_loads(line, 0, NULL) : NULL;
	result = not_answered(client, line, answer, error, size);
	json_decref(answer);
	return result;
}

json_t *client_pushed(struct client *client, bool wait, bool *ended)
{
	char *line = read_line(client, wait ? INT64_MAX : 0);
	json_t *root, *data;

	*ended = !line && errno != ETIMEDOUT;
	if (!line)
		return NULL;
	root = json_loads(line, 0, NULL);
	data = json_incref(json_object_get(root, "data"));
	json_decref(root);
	*ended = !data;
	return data;
}
