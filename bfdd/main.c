/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "app.h"
#include "config/config.h"
#include "ops/log.h"
#include "rt.h"
#include "version.h"

#define EXIT_REFUSED 1
#define EXIT_USAGE 2

static const char usage_text[] =
	"usage: bfdd -c FILE [-n] [-d] [-s CONTROL-SOCKET] [-S STATE-DIR]\n"
	"  -c FILE    configuration (default /etc/bfdd/bfdd.conf)\n"
	"  -n         only check the configuration: exit 0, or 2 with FILE:LINE: what is wrong\n"
	"  -d         log more\n"
	"  -s SOCKET  control socket for bfdctl (default /run/bfdd/control)\n"
	"  -S DIR     state folder (default /run/bfdd)\n"
	"  -V         version\n";

static void report(void *context, const char *file, unsigned line, bool warning, const char *message)
{
	const char *kind = warning ? "warning: " : "";

	if (line)
		fprintf(stderr, "%s:%u: %s%s\n", file, line, kind, message);
	else
		fprintf(stderr, "%s: %s%s\n", file, kind, message);
}

static void on_terminate(struct ev_loop *loop, ev_signal *watcher, int revents)
{
	log_notice("stopping: %s", strsignal(watcher->signum));
	ev_break(loop, EVBREAK_ALL);
}

static void on_restart(struct ev_loop *loop, ev_signal *watcher, int revents)
{
	app_hold(watcher->data);
	ev_break(loop, EVBREAK_ALL);
}

static void on_hangup(struct ev_loop *loop, ev_signal *watcher, int revents)
{
	sd_notify(0, "RELOADING=1");
	app_reload(watcher->data);
	sd_notify(0, "READY=1");
}

static int run(const struct app_options *options, struct config *config)
{
	struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
	ev_signal terminate, interrupt, hangup, restart;
	char error[512] = "";
	struct app *app;

	if (!loop) {
		log_error("no event loop is to be had from libev");
		config_free(config);
		return EXIT_REFUSED;
	}
	/* Signals during the start wait for its end. */
	ev_signal_init(&terminate, on_terminate, SIGTERM);
	ev_signal_init(&interrupt, on_terminate, SIGINT);
	ev_signal_init(&hangup, on_hangup, SIGHUP);
	ev_signal_init(&restart, on_restart, SIGUSR1);
	ev_signal_start(loop, &terminate);
	ev_signal_start(loop, &interrupt);
	ev_signal_start(loop, &hangup);
	ev_signal_start(loop, &restart);
	app = app_create(loop, options, config, error, sizeof(error));
	if (!app) {
		log_error("%s", error);
		return EXIT_REFUSED;
	}
	hangup.data = restart.data = app;
	sd_notify(0, "READY=1");
	ev_run(loop, 0);
	sd_notify(0, "STOPPING=1");
	app_free(app);
	ev_loop_destroy(loop);
	return 0;
}

int main(int argc, char **argv)
{
	struct app_options options = {.config_file = "/etc/bfdd/bfdd.conf",
				      .control_path = "/run/bfdd/control",
				      .state_dir = "/run/bfdd"};
	enum log_level most = LOG_LEVEL_INFO;
	struct config *config;
	bool check = false;
	int option;

	while ((option = getopt(argc, argv, "c:nds:S:Vh")) != -1) {
		switch (option) {
		case 'c':
			options.config_file = optarg;
			break;
		case 'n':
			check = true;
			break;
		case 'd':
			most = LOG_LEVEL_DEBUG;
			break;
		case 's':
			options.control_path = optarg;
			break;
		case 'S':
			options.state_dir = optarg;
			break;
		case 'V':
			puts("bfdd " BFDD_VERSION);
			return 0;
		default:
			fputs(usage_text, option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "bfdd: %s: no arguments are expected\n%s", argv[optind], usage_text);
		return EXIT_USAGE;
	}
	/* A log that nobody reads any more is no reason to die. */
	signal(SIGPIPE, SIG_IGN);
	log_init(most);
	rt_return_memory();
	config = config_load(options.config_file, report, NULL);
	if (!config)
		return EXIT_USAGE;
	if (check) {
		config_free(config);
		return 0;
	}
	return run(&options, config);
}
