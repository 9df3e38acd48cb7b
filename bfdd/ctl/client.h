/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's end of the control socket. */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

enum client_result {
	CLIENT_OK,
	CLIENT_REFUSED, /* the daemon's own words are in the error */
	CLIENT_GONE,	/* no daemon, or no answer from it */
};

#define CLIENT_ERROR 1100

/* NULL with a message in ERROR. TIMEOUT (s) is for connecting and for each answer. */
struct client *client_open(const char *path, int timeout, char *error, size_t size);
void client_close(struct client *client);
int client_fd(const struct client *client);

/* Sends the command with COUNT arguments and waits for its answer. *DATA is the caller's, set with CLIENT_OK.
 */
enum client_result client_request(struct client *client, const char *command, const char *const *args,
				  int count, json_t **data, char *error, size_t size);
/* The same for an answer that is an array, of which a tree would be large: each element is handed to FN,
 * which may keep a reference. Some may have been when the rest turns out to be no JSON: that is CLIENT_GONE.
 */
typedef void client_element_fn(void *context, json_t *element);
enum client_result client_request_list(struct client *client, const char *command, client_element_fn *fn,
				       void *context, char *error, size_t size);
/* The next object of a stream, the caller's; waits for it if WAIT. NULL: the stream ended (*ENDED), or there
 * is none yet. */
json_t *client_pushed(struct client *client, bool wait, bool *ended);

int64_t client_clock(void); /* CLOCK_MONOTONIC, ms */

#endif
