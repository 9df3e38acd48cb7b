/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key chains. Secrets are copied into the chains and wiped where they were read; no message shows one. What
 * is wrong with a key is an error: the alternative would be less authentication than was asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/chain.h"
#include "config/resolve.h"

static int64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * USEC_S + now.tv_nsec / 1000;
}

static const struct sections *keys_of(const struct section *section)
{
	static const struct sections none;

	return section_has(section, KEY_KEYS) ? section->values[KEY_KEYS].groups : &none;
}

/* The bytes at *SIZE are the secret; a newline at its end is not of it. False, and reported. */
static bool read_file(const char *path, uint8_t buf[AUTH_SECRET_MAX + 2], size_t *size,
		      const struct place *at, struct reports *reports)
{
	/* What is no file would be waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat stat;
	ssize_t got = -1;

	if (fd < 0 || fstat(fd, &stat)) {
		report_error(reports, at, "secret-file: %s: %s", path, strerror(errno));
	} else if (!S_ISREG(stat.st_mode)) {
		report_error(reports, at, "secret-file: %s is not a file", path);
	} else {
		got = read(fd, buf, AUTH_SECRET_MAX + 2);
		if (got < 0)
			report_error(reports, at, "secret-file: %s: %s", path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	if (got < 0)
		return false;
	*size = (size_t)got - (got && buf[got - 1] == '\n');
	return true;
}

static void take_secret(struct auth_key *key, const uint8_t *secret, size_t size, const char *what,
			const struct place *at, struct reports *reports)
{
	unsigned most = auth_secret_most(key->type);

	if (!size)
		report_error(reports, at, "%s: a secret must not be empty", what);
	else if (size > most)
		report_error(reports, at, "%s: the secret is too long for %s: at most %u bytes", what,
			     auth_type_name(key->type), most);
	if (!size || size > most)
		return;
	memcpy(key->secret, secret, size);
	key->size = (uint8_t)size;
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* RFC 5880 6.7.2 to 6.7.4. BUF holds the longest secret and a byte more, which tells that it is too long.
 * False, and reported. */
static bool read_hex(const char *text, uint8_t buf[AUTH_SECRET_MAX + 2], size_t *size, const struct place *at,
		     struct reports *reports)
{
	for (*size = 0; *text && *size <= AUTH_SECRET_MAX; text += 2) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0) {
			report_error(reports, at, "secret-hex: expects pairs of hexadecimal digits");
			return false;
		}
		buf[(*size)++] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* The parser's memory, which it will not read again. */
static void wipe(const char *text)
{
	if (text)
		explicit_bzero((char *)(uintptr_t)text, strlen(text));
}

static const enum schema_index secret_keys[] = {KEY_SECRET, KEY_SECRET_HEX, KEY_SECRET_FILE};
#define SECRET_KEYS (sizeof(secret_keys) / sizeof(*secret_keys))

/* Which of these is there; KEY_SECRET_FILE also if none is. */
static enum schema_index secret_key(const struct section *section, unsigned *count)
{
	enum schema_index found = KEY_SECRET_FILE;

	*count = 0;
	for (unsigned i = 0; i < SECRET_KEYS; i++)
		if (section->values[secret_keys[i]].state != VALUE_ABSENT) {
			found = secret_keys[i];
			++*count;
		}
	return found;
}

static void resolve_secret(struct resolver *resolver, const struct section *section, struct auth_key *key)
{
	struct reports *reports = resolver->reports;
	uint8_t buf[AUTH_SECRET_MAX + 2];
	unsigned count;
	enum schema_index from = secret_key(section, &count);
	const char *text = section_text(section, from), *name = schema_keys[from].name;
	const struct place *at = section_place(section, from);
	size_t size;

	if (count != 1)
		report_error(reports, &section->at,
			     count ? "only one of \"secret-file\", \"secret\" and \"secret-hex\" may be there"
				   : "\"secret-file\" is missing, or \"secret\" or \"secret-hex\"");
	else if (text && key->type && from == KEY_SECRET)
		take_secret(key, (const uint8_t *)text, strlen(text), name, at, reports);
	else if (text && key->type &&
		 (from == KEY_SECRET_HEX ? read_hex : read_file)(text, buf, &size, at, reports))
		take_secret(key, buf, size, name, at, reports);
	explicit_bzero(buf, sizeof(buf));
	wipe(section_text(section, KEY_SECRET));
	wipe(section_text(section, KEY_SECRET_HEX));
}

static int64_t time_of(const struct section *section, enum schema_index key, int64_t fallback)
{
	return section_has(section, key) ? section->values[key].number : fallback;
}

static void resolve_times(struct resolver *resolver, const struct section *section, struct auth_key *key)
{
	key->send_start = time_of(section, KEY_SEND_START, AUTH_ALWAYS);
	key->send_end = time_of(section, KEY_SEND_END, AUTH_EVER);
	key->accept_start = time_of(section, KEY_ACCEPT_START, AUTH_ALWAYS);
	key->accept_end = time_of(section, KEY_ACCEPT_END, AUTH_EVER);
	if (key->send_end <= key->send_start)
		report_error(resolver->reports, section_place(section, KEY_SEND_END),
			     "send-end: is not after send-start");
	if (key->accept_end <= key->accept_start)
		report_error(resolver->reports, section_place(section, KEY_ACCEPT_END),
			     "accept-end: is not after accept-start");
}

static void resolve_key(struct resolver *resolver, const struct section *section, struct auth_key *key)
{
	const char *type = section_text(section, KEY_AUTH_TYPE);

	key->id = (uint8_t)section_number(section, KEY_KEY_ID);
	key->type = type ? auth_type_find(type) : AUTH_NONE;
	if (type && !key->type)
		report_error(resolver->reports, section_place(section, KEY_AUTH_TYPE),
			     "type: \"%s\" is none of simple-password, keyed-md5, meticulous-keyed-md5, "
			     "keyed-sha1, meticulous-keyed-sha1, hmac-sha1, meticulous-hmac-sha1",
			     type);
	resolve_secret(resolver, section, key);
	resolve_times(resolver, section, key);
}

/* Packets name a key by its number, and the sequence of keys gives no answer to which of two is meant. */
static void check_twice(struct resolver *resolver, const struct sections *keys)
{
	bool seen[UINT8_MAX + 1] = {false};

	for (unsigned i = 0; i < keys->n; i++) {
		int64_t id = section_number(&keys->list[i], KEY_KEY_ID);

		if (keys->list[i].values[KEY_KEY_ID].state == VALUE_BAD)
			continue;
		if (seen[id])
			report_error(resolver->reports, section_place(&keys->list[i], KEY_KEY_ID),
				     "id: %d is that of another key of this chain", (int)id);
		seen[id] = true;
	}
}

static struct auth_chain *resolve_chain(struct resolver *resolver, const struct section *section)
{
	const char *name = section_text(section, KEY_NAME);
	const struct sections *keys = keys_of(section);
	unsigned nkeys = keys->n < AUTH_KEYS ? keys->n : AUTH_KEYS;
	struct auth_chain *chain = chain_create(name ? name : "", nkeys, resolver->reports);

	if (!chain)
		return NULL;
	if (section_has(section, KEY_KEYS) && !keys->n)
		report_error(resolver->reports, section_place(section, KEY_KEYS), "keys: there is none");
	if (keys->n > AUTH_KEYS)
		report_error(resolver->reports, section_place(section, KEY_KEYS),
			     "keys: %u are too many, at most %d", keys->n, AUTH_KEYS);
	for (unsigned i = 0; i < chain->nkeys; i++)
		resolve_key(resolver, &keys->list[i], &chain->keys[i]);
	check_twice(resolver, keys);
	auth_chain_renew(chain, wall_clock());
	return chain;
}

bool resolve_keys(struct resolver *resolver)
{
	const struct sections *sections = &resolver->tree->key_chains;
	struct config *config = resolver->config;

	config->chains = report_calloc(resolver->reports, sections->n, sizeof(struct auth_chain *));
	resolver->chain_used = report_calloc(resolver->reports, sections->n, sizeof(*resolver->chain_used));
	if (!config->chains || !resolver->chain_used)
		return false;
	for (; config->nchains < sections->n; config->nchains++) {
		config->chains[config->nchains] = resolve_chain(resolver, &sections->list[config->nchains]);
		if (!config->chains[config->nchains])
			return false;
	}
	return true;
}

struct auth_chain *resolve_key_chain(struct resolver *resolver, const struct section *section, bool report)
{
	const char *name = section_text(section, KEY_KEY_CHAIN);
	unsigned index;

	if (!name)
		return NULL;
	if (names_find(&resolver->chains, name, &index)) {
		resolver->chain_used[index] = true;
		return resolver->config->chains[index];
	}
	if (report)
		names_report_unknown(&resolver->chains, "key chain", name,
				     section_place(section, KEY_KEY_CHAIN), resolver->reports);
	return NULL;
}

static bool others_read(const char *path)
{
	struct stat stat_;

	return !stat(path, &stat_) && stat_.st_mode & S_IROTH;
}

static void warn_of_key(struct resolver *resolver, const struct section *section)
{
	const char *path = section_text(section, KEY_SECRET_FILE);
	unsigned count;
	enum schema_index from = secret_key(section, &count);
	const struct place *at = section_place(section, from);

	if (path && others_read(path))
		report_warning(resolver->reports, at, "secret-file: %s can be read by everybody", path);
	else if (!path && others_read(at->file))
		report_warning(resolver->reports, at,
			       "%s: everybody can read this file; take \"secret-file\", or change its mode",
			       schema_keys[from].name);
}

void resolve_keys_warn(struct resolver *resolver)
{
	const struct sections *sections = &resolver->tree->key_chains;

	for (unsigned i = 0; i < sections->n; i++) {
		const struct section *section = &sections->list[i];
		const struct auth_chain *chain = resolver->config->chains[i];
		const struct sections *keys = keys_of(section);

		for (unsigned k = 0; k < keys->n; k++)
			warn_of_key(resolver, &keys->list[k]);
		if (!resolver->chain_used[i])
			report_warning(resolver->reports, &section->at, "key chain \"%s\" is used by no peer",
				       chain->name);
		else if (!auth_chain_sends(chain))
			report_warning(resolver->reports, &section->at,
				       "key chain \"%s\" has no key to send now: its peers are sent nothing",
				       chain->name);
	}
}
