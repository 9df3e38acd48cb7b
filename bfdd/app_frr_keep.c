/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of FRR outlives this process. With the list of sessions a successor has its peers at once, before FRR
 * brings them; with the connections open, FRR's bfdd does not notice that there was nobody behind them.
 */
#include "app_frr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "app_private.h"

#define LINE 512
#define NAME "frr-dataplane"

static void path_of(const struct app *app, const char *suffix, char *path, size_t size)
{
	snprintf(path, size, "%s/frr-sessions%s", app->options.state_dir, suffix);
}

static void write_session(FILE *file, const struct config_session *session)
{
	const struct session_config *s = &session->session;
	char address[ADDR_TEXT], local[ADDR_TEXT];

	addr_format(&session->local_address, local);
	fprintf(file, "%u %s %s %s %d %u %u %u %u %d %d %d %d %d %u %u\n", session->lid,
		addr_format(&session->address, address), *local ? local : "-",
		*session->interface ? session->interface : "-", session->type == SESSION_MULTIHOP,
		s->desired_min_tx, s->required_min_rx, s->detect_mult, s->min_ttl, s->passive, s->shutdown,
		s->demand_mode, s->control_plane_independent, s->echo, s->echo_tx, s->echo_rx);
}

void app_frr_save(const struct app *app, const struct app_frr_table *table)
{
	char path[4096], temporary[4096];
	FILE *file;
	bool ok;

	path_of(app, "", path, sizeof(path));
	path_of(app, ".new", temporary, sizeof(temporary));
	file = fopen(temporary, "we");
	for (unsigned i = 0; file && i < table->n; i++)
		write_session(file, &table->sessions[i]->config);
	ok = file && !ferror(file);
	if (file && fclose(file))
		ok = false;
	if (!ok || rename(temporary, path))
		log_warning("%s: cannot be written: a restart of bfdd will be noticed by FRR's sessions",
			    path);
}

/* It comes back the way in which FRR would have sent it: so it is checked alike. */
static bool read_session(const char *line, struct config_session *session)
{
	struct frr_session message = {0};
	unsigned mult, ttl;
	int multihop, passive, shut;
	int demand = 0, independent = 0, echo = 0; /* an older version did not know these */
	char address[ADDR_TEXT], local[ADDR_TEXT], interface[IFNAMSIZ];

	if (sscanf(line, "%u %45s %45s %15s %d %u %u %u %u %d %d %d %d %d %u %u", &message.lid, address,
		   local, interface, &multihop, &message.min_tx, &message.min_rx, &mult, &ttl, &passive,
		   &shut, &demand, &independent, &echo, &message.min_echo_tx, &message.min_echo_rx) < 11)
		return false;
	if (!addr_parse(&message.peer, address) || (strcmp(local, "-") && !addr_parse(&message.local, local)))
		return false;
	if (strcmp(interface, "-"))
		strcpy(message.interface, interface);
	message.detect_mult = (uint8_t)mult;
	message.ttl = (uint8_t)ttl;
	message.flags = (multihop ? FRR_SESSION_MULTIHOP : 0) | (passive ? FRR_SESSION_PASSIVE : 0) |
			(shut ? FRR_SESSION_SHUTDOWN : 0) | (demand ? FRR_SESSION_DEMAND : 0) |
			(independent ? FRR_SESSION_CBIT : 0) | (echo ? FRR_SESSION_ECHO : 0);
	return !app_frr_convert(&message, session);
}

void app_frr_recall(const struct app *app, struct app_frr_table *table)
{
	struct app_frr_session *added;
	struct config_session session;
	char path[4096], line[LINE];
	FILE *file;

	path_of(app, "", path, sizeof(path));
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		added = read_session(line, &session) ? app_frr_add(table, &session) : NULL;
		if (added)
			added->connection = -1;
	}
	if (file)
		fclose(file);
}

/* The service manager lets go by itself of what is shut down. */
void app_frr_store(void *app, unsigned connection, int fd)
{
	sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=" NAME, &fd, 1);
}

unsigned app_frr_inherit(int *fds, unsigned most)
{
	static bool asked;
	char **names = NULL;
	int n = asked ? 0 : sd_listen_fds_with_names(0, &names);
	unsigned found = 0;

	asked = true;
	for (int i = 0; i < n; i++) {
		if (!strcmp(names[i], NAME) && found < most)
			fds[found++] = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	if (n > 0)
		free(names);
	return found;
}
