// SPDX-License-Identifier: GPL-2.0-or-later
/* The client: options and commands. */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/capture.h"
#include "ctl/client.h"
#include "ctl/show.h"
#include "ctl/text.h"
#include "ctl/watch.h"
#include "ops/escape.h"
#include "version.h"

#define SOCKET_PATH "/run/bfdd/control"
#define TIMEOUT 30 /* s */
#define DUMP (JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))

enum exit_status { EXIT_OK, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_DAEMON };

struct options {
	const char *path;
	bool json, follow;
	long last;	   /* events to show; -1: all */
	const char *write; /* the file for a capture; NULL: none */
	char **argv;	   /* the command's arguments, */
	int argc;	   /* so many */
};

struct command {
	const char *name, *argument, *help; /* ARGUMENT: NULL: none */
	int least, most;		    /* arguments */
	void (*show)(json_t *data, FILE *out);
	int (*run)(const struct options *options); /* NULL: ask and show */
};

static int run_peers(const struct options *options);
static int run_events(const struct options *options);
static int run_postmortem(const struct options *options);
static int run_watch(const struct options *options);
static int run_help(const struct options *options);

static const struct command commands[] = {
	{"status", NULL, "the daemon: sessions, engine, steering", 0, 0, show_status, NULL},
	{"peers", NULL, "all peers, a line each", 0, 0, NULL, run_peers},
	{"peer", "NAME", "all about one peer", 1, 1, show_peer, NULL},
	{"sites", NULL, "sites and their paths", 0, 0, show_sites, NULL},
	{"services", NULL, "services: which site carries them, and the last switch", 0, 0, show_services,
	 NULL},
	{"events", NULL, "what happened; --follow: and what happens, --last N: no more than N", 0, 0, NULL,
	 run_events},
	{"postmortem", "[NAME [N]]", "why a peer went down, packet by packet; --write FILE: as a capture", 0,
	 2, NULL, run_postmortem},
	{"poll", "NAME", "ask a peer whether it is there: a Poll Sequence", 1, 1, show_poll, NULL},
	{"watch", NULL, "all of it, live", 0, 0, NULL, run_watch},
	{"reload", NULL, "read the configuration again", 0, 0, show_reload, NULL},
	{"help", NULL, "this", 0, 0, NULL, run_help},
};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

/* TEXT may be the daemon's, of several lines. */
static void complain(const char *text)
{
	char line[CLIENT_ERROR], safe[4 * CLIENT_ERROR];

	while (*text) {
		size_t length = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		escape_text(safe, sizeof(safe), line);
		fprintf(stderr, "bfdctl: %s\n", safe);
		text += length + (text[length] == '\n');
	}
}

static int usage_error(const char *what, const char *which)
{
	char text[CLIENT_ERROR];

	snprintf(text, sizeof(text), "%s%s; 'bfdctl help' tells how", what, which);
	complain(text);
	return EXIT_USAGE;
}

static int run_help(const struct options *options)
{
	printf("usage: bfdctl [-s SOCKET] [--json] COMMAND\n\n");
	for (size_t i = 0; i < NCOMMANDS; i++) {
		const char *argument = commands[i].argument ? commands[i].argument : "";

		printf("  %s %-*s %s\n", commands[i].name, (int)(21 - strlen(commands[i].name)), argument,
		       commands[i].help);
	}
	printf("\n  -s, --socket SOCKET  the daemon's control socket (%s)\n", SOCKET_PATH);
	printf("  -j, --json           the answer as one JSON document\n");
	printf("  -V, --version        the version\n");
	printf("\nexit status: 0; 1: refused, or not found; 2: usage; 3: no daemon\n");
	return EXIT_OK;
}

/* Complains, and returns the exit status. */
static int failed(struct client *client, enum client_result result, const char *error)
{
	complain(error);
	client_close(client);
	return result == CLIENT_REFUSED ? EXIT_REFUSED : EXIT_NO_DAEMON;
}

/* Connects and asks; on failure complains and returns the exit status. */
static int ask(struct client **client, const struct options *options, const char *command,
	       const char *const *args, int count, json_t **data)
{
	char error[CLIENT_ERROR];
	enum client_result result = CLIENT_GONE;

	*client = client_open(options->path, TIMEOUT, error, sizeof(error));
	if (*client)
		result = client_request(*client, command, args, count, data, error, sizeof(error));
	return result == CLIENT_OK ? EXIT_OK : failed(*client, result, error);
}

static void print(const struct options *options, json_t *data, void (*show)(json_t *data, FILE *out))
{
	if (options->json) {
		json_dumpf(data, stdout, DUMP | JSON_INDENT(2) | JSON_ENCODE_ANY);
		putchar('\n');
	} else {
		show(data, stdout);
	}
}

static void print_event(const struct options *options, json_t *event)
{
	if (options->json) {
		json_dumpf(event, stdout, DUMP | JSON_COMPACT);
		putchar('\n');
	} else {
		show_event(event, stdout);
	}
}

static void keep_last(json_t *events, long last)
{
	while (last >= 0 && json_array_size(events) > (size_t)last)
		json_array_remove(events, 0);
}

static int run_events(const struct options *options)
{
	static const char *const follow[] = {"--follow"};
	struct client *client;
	json_t *events, *event;
	bool ended = false;
	size_t i;
	int status = ask(&client, options, "events", follow, options->follow, &events);

	if (status != EXIT_OK)
		return status;
	keep_last(events, options->last);
	if (options->follow) {
		setlinebuf(stdout);
		json_array_foreach(events, i, event) print_event(options, event);
		while (!ended && (event = client_pushed(client, true, &ended))) {
			print_event(options, event);
			json_decref(event);
		}
		complain("the daemon closed the connection");
		status = EXIT_NO_DAEMON;
	} else {
		print(options, events, show_events);
	}
	json_decref(events);
	client_close(client);
	return status;
}

static int write_capture(const struct options *options, json_t *data)
{
	char error[CLIENT_ERROR];

	if (!capture_write(data, options->write, error, sizeof(error)))
		return EXIT_OK;
	complain(error);
	return EXIT_REFUSED;
}

static int run_postmortem(const struct options *options)
{
	const char *args[] = {options->argv[0], options->argc > 1 ? options->argv[1] : "1", "pcap"};
	int count = options->write ? 3 : options->argc, status;
	struct client *client;
	json_t *data;

	if (options->write && !options->argc)
		return usage_error("--write needs the name of a peer", "");
	status = ask(&client, options, "postmortem", args, count, &data);
	if (status != EXIT_OK)
		return status;
	if (options->write)
		status = write_capture(options, data);
	else
		print(options, data, options->argc ? show_postmortem : show_postmortems);
	json_decref(data);
	client_close(client);
	return status;
}

static int run_watch(const struct options *options)
{
	return watch_run(options->path);
}

static int run_plain(const struct command *command, const struct options *options)
{
	const char *args[] = {options->argv[0]};
	struct client *client;
	json_t *data;
	int status;

	status = ask(&client, options, command->name, args, options->argc, &data);
	if (status != EXIT_OK)
		return status;
	print(options, data, command->show);
	json_decref(data);
	client_close(client);
	return EXIT_OK;
}

struct listing {
	const struct options *options;
	struct table *table;
	unsigned count;
};

static void list_peer(void *context, json_t *peer)
{
	struct listing *listing = context;

	if (!listing->options->json) {
		listing->table = show_peers_add(listing->table, peer);
		return;
	}
	fputs(listing->count++ ? ",\n" : "[\n", stdout);
	json_dumpf(peer, stdout, DUMP | JSON_INDENT(2) | JSON_ENCODE_ANY);
}

/* Thousands, so not as one tree. */
static int run_peers(const struct options *options)
{
	struct listing listing = {.options = options};
	char error[CLIENT_ERROR];
	enum client_result result = CLIENT_GONE;
	struct client *client = client_open(options->path, TIMEOUT, error, sizeof(error));

	if (client)
		result = client_request_list(client, "peers", list_peer, &listing, error, sizeof(error));
	if (listing.table || (result == CLIENT_OK && !options->json))
		show_peers_end(listing.table, stdout);
	if (result != CLIENT_OK)
		return failed(client, result, error);
	if (options->json)
		puts(listing.count ? "\n]" : "[]");
	client_close(client);
	return EXIT_OK;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int run(struct options *options, int argc, char **argv)
{
	const struct command *command = argc ? find_command(argv[0]) : NULL;

	if (!argc)
		return usage_error("a command is missing", "");
	if (!command)
		return usage_error("there is no command ", argv[0]);
	if (argc <= command->least)
		return usage_error(command->name, " needs a name");
	if (argc > command->most + 1)
		return usage_error("too many arguments: ", argv[command->most + 1]);
	if ((options->follow || options->last >= 0) && command->run != run_events)
		return usage_error("--follow and --last are for events, not for ", argv[0]);
	if (options->write && command->run != run_postmortem)
		return usage_error("--write is for postmortem, not for ", argv[0]);
	if (options->json && options->write)
		return usage_error("--json and --write exclude each other", "");
	if (options->json && (command->run == run_watch || command->run == run_help))
		return usage_error("--json is not for ", argv[0]);
	options->argv = argv + 1;
	options->argc = argc - 1;
	return command->run ? command->run(options) : run_plain(command, options);
}

static bool parse_count(const char *text, long *count)
{
	char *end;

	*count = strtol(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
		{"follow", no_argument, NULL, 'f'},	  {"last", required_argument, NULL, 'n'},
		{"write", required_argument, NULL, 'w'},  {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},	  {NULL, 0, NULL, 0},
	};
	struct options options = {.path = SOCKET_PATH, .last = -1};
	const char *no_color = getenv("NO_COLOR");
	int option, status;

	while ((option = getopt_long(argc, argv, "s:jfn:w:Vh", longs, NULL)) != -1) {
		switch (option) {
		case 's':
			options.path = optarg;
			break;
		case 'j':
			options.json = true;
			break;
		case 'f':
			options.follow = true;
			break;
		case 'n':
			if (!parse_count(optarg, &options.last))
				return usage_error("--last takes a number, not ", optarg);
			break;
		case 'w':
			options.write = optarg;
			break;
		case 'V':
			printf("bfdctl %s\n", BFDD_VERSION);
			return EXIT_OK;
		case 'h':
			return run_help(&options);
		default:
			return usage_error("unknown option", "");
		}
	}
	text_colours(isatty(STDOUT_FILENO) && !(no_color && *no_color));
	status = run(&options, argc - optind, argv + optind);
	if (fflush(stdout) == EOF || ferror(stdout))
		err(EXIT_REFUSED, "standard output");
	return status;
}
