/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The composition root: makes the parts, joins them through callbacks, takes them apart. */
#ifndef APP_H
#define APP_H

#include <stddef.h>

struct app;
struct ev_loop;
struct config;

struct app_options {
	const char *config_file, *control_path, *state_dir;
};

/* Takes CONFIG over, also on failure. Everything is opened and the threads run when this returns. NULL with a
 * message for people in ERROR. */
struct app *app_create(struct ev_loop *loop, const struct app_options *options, struct config *config,
		       char *error, size_t size);
/* Reads the configuration file again. Errors are logged and change nothing. */
void app_reload(struct app *app);
/* The app_free() that follows leaves everything as it is, for a successor that goes on at once. */
void app_hold(struct app *app);
/* A clean stop: peers are told, the kernel's state is taken away unless configured otherwise. */
void app_free(struct app *app);

#endif
