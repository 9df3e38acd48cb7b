// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two connections: one asks for everything each second, the other follows the events, of which each makes for
 * asking at once. What was shown last stays on the screen when the daemon goes, with a line that says so,
 * until it answers again.
 */
#include "ctl/watch.h"

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/show.h"
#include "ctl/terminal.h"
#include "ctl/text.h"

#define TIMEOUT 3	 /* s */
#define PERIOD 1000	 /* ms between two askings */
#define AFTER_EVENT 100	 /* ms at least, however many events */
#define NOTICE_FOR 60000 /* ms that a restart is told */

struct watch {
	const char *path;
	struct client *query, *follow;
	json_t *status, *services, *peers;
	char error[CLIENT_ERROR];
	int64_t asked, gone, back; /* ms; 0: never, or not now */
	size_t scroll, page, rows; /* of the peers table: first row shown, how many fit, how many there are */
	bool restarted, event, quit;
};

static bool ask(struct watch *watch, const char *command, json_t **answer)
{
	json_t *data;

	if (client_request(watch->query, command, NULL, 0, &data, watch->error, sizeof(watch->error)) !=
	    CLIENT_OK)
		return false;
	json_decref(*answer);
	*answer = data;
	return true;
}

static bool connect_both(struct watch *watch)
{
	const char *const follow[] = {"--follow"};
	json_t *history;

	watch->query = client_open(watch->path, TIMEOUT, watch->error, sizeof(watch->error));
	watch->follow = watch->query ? client_open(watch->path, TIMEOUT, watch->error, sizeof(watch->error))
				     : NULL;
	if (!watch->follow || client_request(watch->follow, "events", follow, 1, &history, watch->error,
					     sizeof(watch->error)) != CLIENT_OK)
		return false;
	json_decref(history);
	return true;
}

static void disconnect(struct watch *watch)
{
	client_close(watch->query);
	client_close(watch->follow);
	watch->query = watch->follow = NULL;
}

static void refresh(struct watch *watch)
{
	json_t *pid = json_incref(json_object_get(watch->status, "pid"));
	bool answered;

	watch->asked = client_clock();
	watch->event = false;
	answered = (watch->query || connect_both(watch)) && ask(watch, "status", &watch->status) &&
		   ask(watch, "services", &watch->services) && ask(watch, "peers", &watch->peers);
	if (!answered) {
		disconnect(watch);
		if (!watch->gone)
			watch->gone = watch->asked;
	} else if (watch->gone) {
		watch->gone = 0;
		watch->back = pid ? watch->asked : 0; /* the first time is no return */
		watch->restarted = pid && !json_equal(pid, json_object_get(watch->status, "pid"));
	}
	json_decref(pid);
}

static void draw_head(struct watch *watch, FILE *out)
{
	char buf[TEXT];
	json_t *error;
	int64_t now = client_clock();

	if (watch->gone) {
		error = json_string(watch->error);
		fprintf(out, "%sno answer for %s; trying again%s\n", text_begin(STYLE_BAD),
			text_duration(buf, (double)(now - watch->gone) / 1000), text_end(STYLE_BAD));
		fprintf(out, "%s\n", text_value(buf, error));
		json_decref(error);
	}
	if (watch->status) {
		show_status_line(watch->status, out);
		if (!watch->gone && watch->back && now - watch->back < NOTICE_FOR)
			fprintf(out, "; %s%s %s ago%s", text_begin(STYLE_WARN),
				watch->restarted ? "the daemon was restarted" : "the connection came back",
				text_duration(buf, (double)(now - watch->back) / 1000), text_end(STYLE_WARN));
		fputs("\n\n", out);
	}
	if (json_array_size(watch->services)) {
		show_services(watch->services, out);
		fputc('\n', out);
	}
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

static const char *skip_lines(const char *text, size_t lines)
{
	for (; lines && *text; lines--)
		text = strchrnul(text, '\n') + 1;
	return text;
}

/* The table's title line stays, its rows scroll. ROOM lines are free, the last of them for the keys. */
static void draw_peers(struct watch *watch, FILE *out, size_t room)
{
	char *table = NULL;
	const char *rows;
	size_t size, last;
	FILE *text = open_memstream(&table, &size);

	if (!text)
		err(1, NULL);
	show_peers(watch->peers, text);
	fclose(text);
	watch->rows = count_lines(table) - 1;
	watch->page = room > 3 ? room - 2 : 1;
	if (watch->scroll + watch->page > watch->rows)
		watch->scroll = watch->rows > watch->page ? watch->rows - watch->page : 0;
	last = watch->scroll + watch->page < watch->rows ? watch->scroll + watch->page : watch->rows;
	fwrite(table, 1, (size_t)(skip_lines(table, 1) - table), out);
	rows = skip_lines(table, 1 + watch->scroll);
	fwrite(rows, 1, (size_t)(skip_lines(rows, last - watch->scroll) - rows), out);
	for (size_t i = last - watch->scroll; i < watch->page; i++)
		fputc('\n', out);
	fprintf(out, "%sq quits", text_begin(STYLE_FAINT));
	if (watch->rows > watch->page)
		fprintf(out, "  j k space b scroll  peers %zu to %zu of %zu", watch->scroll + 1, last,
			watch->rows);
	fputs(text_end(STYLE_FAINT), out);
	free(table);
}

static void draw(struct watch *watch)
{
	char *frame = NULL;
	size_t rows, columns, size, head;
	FILE *out = open_memstream(&frame, &size);

	if (!out)
		err(1, NULL);
	terminal_size(&rows, &columns);
	draw_head(watch, out);
	fflush(out);
	head = count_lines(frame);
	if (watch->peers)
		draw_peers(watch, out, rows > head ? rows - head : 1);
	fclose(out);
	terminal_show(frame, rows, columns);
	free(frame);
}

static void scroll(struct watch *watch, bool down, size_t lines)
{
	if (down)
		watch->scroll += lines; /* draw_peers() keeps it in the table */
	else
		watch->scroll -= lines < watch->scroll ? lines : watch->scroll;
}

static void read_keys(struct watch *watch)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	if (n <= 0)
		watch->quit = true;
	for (ssize_t i = 0; i < n; i++) {
		/* arrows: ESC [ A and ESC [ B */
		bool arrow = i >= 2 && keys[i - 1] == '[' && keys[i - 2] == '\033';

		if (keys[i] == 'q')
			watch->quit = true;
		else if (keys[i] == 'j' || (arrow && keys[i] == 'B'))
			scroll(watch, true, 1);
		else if (keys[i] == 'k' || (arrow && keys[i] == 'A'))
			scroll(watch, false, 1);
		else if (keys[i] == ' ' || keys[i] == 'b')
			scroll(watch, keys[i] == ' ', watch->page);
	}
}

static void read_events(struct watch *watch)
{
	bool ended = false;
	json_t *event;

	while ((event = client_pushed(watch->follow, false, &ended))) {
		json_decref(event);
		watch->event = true;
	}
	if (ended) {
		disconnect(watch);
		watch->event = true;
	}
}

/* Until something comes, or it is time to ask. */
static void wait_for_news(struct watch *watch, const sigset_t *unblocked)
{
	struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
	int64_t left = watch->asked + (watch->event ? AFTER_EVENT : PERIOD) - client_clock();
	struct timespec timeout = {0};
	unsigned signals;

	if (watch->follow)
		fds[1].fd = client_fd(watch->follow);
	if (left > 0)
		timeout = (struct timespec){left / 1000, left % 1000 * 1000000};
	if (ppoll(fds, 2, &timeout, unblocked) > 0) {
		if (fds[0].revents)
			read_keys(watch);
		if (fds[1].revents)
			read_events(watch);
	}
	signals = terminal_signals();
	if (signals & TERMINAL_QUIT)
		watch->quit = true;
	else if (signals & TERMINAL_STOP)
		terminal_stop();
}

int watch_run(const char *path)
{
	struct watch watch = {.path = path};
	sigset_t unblocked;

	watch.gone = client_clock();
	if (!terminal_take(&unblocked)) {
		fprintf(stderr, "bfdctl: watch needs a terminal; 'bfdctl events --follow' can be piped\n");
		return 2;
	}
	while (!watch.quit) {
		if (client_clock() - watch.asked >= (watch.event ? AFTER_EVENT : PERIOD))
			refresh(&watch);
		draw(&watch);
		wait_for_news(&watch, &unblocked);
	}
	terminal_give_back();
	disconnect(&watch);
	json_decref(watch.status);
	json_decref(watch.services);
	json_decref(watch.peers);
	return 0;
}
