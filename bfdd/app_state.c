/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state folder: who runs here, and under which numbers the kernel's objects of ours go. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app_private.h"

static int refuse(char *error, size_t size, const char *format, const char *what)
{
	snprintf(error, size, format, what, strerror(errno));
	return -1;
}

int app_state_lock(struct app *app, char *error, size_t size)
{
	char path[4096], pid[32] = "";
	ssize_t n;

	if (mkdir(app->options.state_dir, 0755) && errno != EEXIST)
		return refuse(error, size, "cannot make the state folder %s: %s", app->options.state_dir);
	snprintf(path, sizeof(path), "%s/lock", app->options.state_dir);
	app->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (app->lock_fd < 0)
		return refuse(error, size, "cannot open %s: %s", path);
	if (flock(app->lock_fd, LOCK_EX | LOCK_NB)) {
		n = read(app->lock_fd, pid, sizeof(pid) - 1);
		pid[strcspn(pid, "\n")] = '\0';
		snprintf(error, size,
			 "another bfdd%s%s%s uses the state folder %s: stop it, or give this one another "
			 "with -S",
			 n > 0 ? " (pid " : "", n > 0 ? pid : "", n > 0 ? ")" : "", app->options.state_dir);
		return -1;
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(app->lock_fd, 0) || pwrite(app->lock_fd, pid, n, 0) != n)
		return refuse(error, size, "cannot write %s: %s", path);
	return 0;
}

/* The fifth number came later. */
static bool read_steering(FILE *file, struct config_steering *steering)
{
	unsigned protocol, fast_failover = false;

	if (fscanf(file, "%u %u %u %u %u", &protocol, &steering->table, &steering->rule_priority,
		   &steering->nexthop_id, &fast_failover) < 4)
		return false;
	steering->protocol = (uint8_t)protocol;
	steering->fast_failover = fast_failover;
	/* The bounds of the schema: the kernel's own tables and rules are never ours, whatever a file says.
	 */
	return protocol >= 5 && protocol <= UINT8_MAX && steering->table <= UINT32_MAX - CONFIG_TABLES &&
	       steering->nexthop_id <= UINT32_MAX - CONFIG_NEXTHOPS && steering->table >= 256 &&
	       steering->rule_priority >= 1 && steering->rule_priority <= 32766 - CONFIG_RULES &&
	       steering->nexthop_id >= 1;
}

int app_state_steering(struct app *app, char *error, size_t size)
{
	const struct config_steering *now = &app->config->steering;
	struct config_steering before = {0};
	struct object_range range;
	char path[4096], temporary[4096];
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), "%s/steering", app->options.state_dir);
	snprintf(temporary, sizeof(temporary), "%s/steering.new", app->options.state_dir);
	file = fopen(path, "re");
	ok = file && read_steering(file, &before);
	if (file && !ok)
		log_warning("%s is not what a bfdd wrote: what an earlier one with other steering numbers "
			    "left is not found",
			    path);
	if (file)
		fclose(file);
	if (ok && (before.protocol != now->protocol || before.table != now->table ||
		   before.rule_priority != now->rule_priority || before.nexthop_id != now->nexthop_id)) {
		app_policy_range(&before, &range);
		log_notice("the steering numbers changed: taking away what an earlier bfdd left under the "
			   "old ones");
		if (steer_remove(&range, error, size))
			return -1;
	}
	if (ok && before.fast_failover && (!now->fast_failover || before.rule_priority != now->rule_priority))
		mark_remove(before.rule_priority);
	file = fopen(temporary, "we");
	ok = file && fprintf(file, "%u %u %u %u %u\n", now->protocol, now->table, now->rule_priority,
			     now->nexthop_id, now->fast_failover) > 0;
	if (file && fclose(file))
		ok = false;
	if (!ok || rename(temporary, path))
		return refuse(error, size, "cannot write %s: %s", path);
	return 0;
}
