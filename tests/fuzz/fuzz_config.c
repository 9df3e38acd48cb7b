/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration files: whatever stands in one, it is either refused with a reason or is in harmony with
 * itself. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "tests/fuzz/fuzz.h"

const char *__lsan_default_suppressions(void);
/* libconfig 1.5 loses the beginning of a string that never ends. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig_yylex\nleak:strbuf_append\n";
}

static unsigned errors;

static void report(void *context, const char *file, unsigned line, bool warning, const char *message)
{
	promise(file && message && message[0] && !strchr(message, '\n'));
	errors += !warning;
}

static void same(void *context, enum config_change change, const struct config_peer *old,
		 const struct config_peer *new)
{
	promise(change == CONFIG_SAME);
}

/* The indices and values that the daemon builds on. */
static void check(const struct config *config)
{
	for (unsigned i = 0; i < config->npeers; i++) {
		const struct config_peer *peer = &config->peers[i];

		promise(peer->name[0] && strnlen(peer->name, CONFIG_NAME) < CONFIG_NAME);
		promise(addr_size(peer->address.family));
		promise(peer->session.detect_mult && peer->session.desired_min_tx);
	}
	for (unsigned i = 0; i < config->nsites; i++) {
		for (unsigned j = 0; j < config->sites[i].npeers; j++)
			promise(config->sites[i].peers[j] < config->npeers);
	}
	for (unsigned i = 0; i < config->nservices; i++) {
		const struct config_service *service = &config->services[i];

		for (unsigned j = 0; j < service->nsites; j++)
			promise(service->sites[j] < config->nsites);
		for (unsigned j = 1; j < service->nprefixes; j++)
			promise(prefix_compare(&service->prefixes[j - 1], &service->prefixes[j]) < 0);
		promise(service->wait_to_restore >= 0);
	}
	config_diff(config, config, same, NULL);
	promise(!config_policy_differs(config, config));
	promise(!config_needs_restart(config, config));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config;
	char path[64];
	int fd;

	/* Files of this machine are not part of the input. */
	if (memmem(data, size, "@include", 8))
		return 0;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	errors = 0;
	config = config_load(path, report, NULL);
	promise(!config == (errors > 0));
	if (config)
		check(config);
	config_free(config);
	close(fd);
	return 0;
}
