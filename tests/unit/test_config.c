/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration files, broken and good (tests/config/). A file says what must be reported of it in its first
 * lines,
 * "# expect: [FILE:]LINE: [warning: ]MESSAGE", FILE being given for included ones, all relative to the
 * folder. Runs from the top folder of the sources; BFDD_SOURCE names another.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/schema.h"

#define BROKEN_LEAST 30 /* files: so that a wrong folder is no success */

/* libconfig leaves a string behind when it finds a syntax error. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

struct text {
	char *buf;
	size_t size;
	FILE *out;
	const char *file, *folder;
};

static void without(char *text, const char *part)
{
	size_t length = strlen(part);
	char *p;

	while (length && (p = strstr(text, part)))
		memmove(p, p + length, strlen(p + length) + 1);
}

/* Writes what an "expect" line says. */
static void report(void *context, const char *file, unsigned line, bool warning, const char *message)
{
	struct text *text = context;
	char buf[1024];

	assert_null(strchr(message, '\n'));
	if (strcmp(file, text->file) == 0)
		snprintf(buf, sizeof(buf), "%u: %s%s", line, warning ? "warning: " : "", message);
	else
		snprintf(buf, sizeof(buf), "%s:%u: %s%s", file, line, warning ? "warning: " : "", message);
	without(buf, text->folder);
	fprintf(text->out, "%s\n", buf);
}

static void text_begin(struct text *text, const char *file, const char *folder)
{
	*text = (struct text){.file = file, .folder = folder};
	text->out = open_memstream(&text->buf, &text->size);
	assert_non_null(text->out);
}

static char *read_whole(const char *file)
{
	static char buf[1 << 20];
	FILE *in = fopen(file, "r");
	size_t size;

	if (!in)
		fail_msg("cannot open %s: run from the top folder, or set BFDD_SOURCE", file);
	size = fread(buf, 1, sizeof(buf) - 1, in);
	fclose(in);
	buf[size] = '\0';
	return buf;
}

static void expected(const char *file, struct text *text)
{
	static const char head[] = "# expect: ";

	for (char *line = read_whole(file), *end; strncmp(line, head, sizeof(head) - 1) == 0;
	     line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		fprintf(text->out, "%s\n", line + sizeof(head) - 1);
	}
	fclose(text->out);
}

/* What is reported must be what the file expects. */
static struct config *load(const char *file, const char *folder)
{
	struct text found, wanted;
	struct config *config;

	text_begin(&found, file, folder);
	config = config_load(file, report, &found);
	fclose(found.out);
	text_begin(&wanted, file, folder);
	expected(file, &wanted);
	if (strcmp(found.buf, wanted.buf) != 0)
		fail_msg("%s\n--- expected\n%s--- reported\n%s", file, wanted.buf, found.buf);
	free(found.buf);
	free(wanted.buf);
	return config;
}

static unsigned for_each_conf(const char *folder, void (*fn)(const char *file, const char *folder))
{
	DIR *dir = opendir(folder);
	unsigned n = 0;

	if (!dir)
		fail_msg("cannot open %s: run from the top folder, or set BFDD_SOURCE", folder);
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *suffix = strrchr(entry->d_name, '.');
		char file[512];

		if (!suffix || strcmp(suffix, ".conf") != 0)
			continue;
		snprintf(file, sizeof(file), "%s%s", folder, entry->d_name);
		fn(file, folder);
		n++;
	}
	closedir(dir);
	return n;
}

static void broken(const char *file, const char *folder)
{
	struct config *config = load(file, folder);

	if (config)
		fail_msg("%s was taken", file);
}

static void good(const char *file, const char *folder)
{
	struct config *config = load(file, folder);

	if (!config)
		fail_msg("%s was refused", file);
	config_free(config);
}

static void test_broken(void **state)
{
	assert_true(for_each_conf("tests/config/broken/", broken) >= BROKEN_LEAST);
}

static void test_good(void **state)
{
	assert_true(for_each_conf("tests/config/good/", good) >= 4);
	assert_true(for_each_conf("config/examples/", good) >= 4);
	good("config/bfdd.conf.example", "");
}

static void assert_addr(const struct addr *addr, const char *text)
{
	char buf[ADDR_TEXT];

	assert_string_equal(addr_format(addr, buf), text);
}

static void assert_session(const struct config_peer *peer, uint32_t tx, uint32_t rx, uint8_t mult,
			   uint8_t ttl, bool passive, bool shutdown)
{
	assert_int_equal(peer->session.desired_min_tx, tx);
	assert_int_equal(peer->session.required_min_rx, rx);
	assert_int_equal(peer->session.detect_mult, mult);
	assert_int_equal(peer->session.min_ttl, ttl);
	assert_int_equal(peer->session.passive, passive);
	assert_int_equal(peer->session.shutdown, shutdown);
}

static void test_routing(void **state)
{
	struct config *config = load("tests/config/good/bird.conf", ""), *plain;
	const struct config_peer *peer = config->peers;

	assert_int_equal(config->npeers, 4);
	assert_int_equal(peer[0].bird_method, CONFIG_BIRD_TABLE);
	assert_string_equal(peer[0].bird_protocol, "");
	assert_int_equal(peer[1].bird_method, CONFIG_BIRD_TABLE | CONFIG_BIRD_DISABLE);
	assert_string_equal(peer[1].bird_protocol, "pb_1.x-y");
	assert_string_equal(peer[1].name, "b");
	assert_int_equal(peer[2].bird_method, CONFIG_BIRD_DISABLE);
	assert_int_equal(peer[3].bird_method, 0);
	assert_true(config->bird.wanted);
	assert_string_equal(config->bird.socket, "/run/bird.ctl");
	assert_true(config->bird.table == UINT32_MAX);
	assert_int_equal(config->bird.timeout, 50500);
	assert_true(config->vtysh.wanted);
	assert_string_equal(config->vtysh.path, "/usr/local/bin/vtysh");
	assert_string_equal(config->vtysh.pathspace, "edge");
	assert_int_equal(config->vtysh.bgp_interval, 0);
	assert_false(config->require_bgp);
	config_free(config);

	plain = load("tests/config/good/full.conf", "");
	assert_false(plain->bird.wanted || plain->vtysh.wanted);
	assert_int_equal(plain->peers[0].bird_method, 0);
	assert_true(plain->require_bgp);
	config_free(plain);
}

static void test_peers(void **state)
{
	struct config *config = load("tests/config/good/full.conf", "");
	const struct config_peer *peer = config->peers;

	assert_int_equal(config->npeers, 6);
	assert_string_equal(peer[0].name, "ams-1");
	assert_string_equal(peer[0].profile, "pni");
	assert_string_equal(peer[0].interface, "eth1");
	assert_addr(&peer[0].address, "192.0.2.1");
	assert_addr(&peer[0].local_address, "192.0.2.0");
	assert_int_equal(peer[0].type, SESSION_SINGLE_HOP);
	assert_session(&peer[0], 300000, 16600, 5, 255, false, false);
	assert_string_equal(peer[1].interface, "");
	assert_int_equal(peer[1].local_address.family, AF_UNSPEC);
	assert_session(&peer[1], 3300, 16600, 2, 255, false, true);
	assert_null(peer[2].profile);
	assert_addr(&peer[2].address, "2001:db8::1");
	assert_string_equal(peer[2].interface, "eth#3");
	assert_session(&peer[2], 300000, 300000, 3, 255, false, false);
	assert_session(&peer[3], 100000, 100000, 3, 255, false, false);
	assert_int_equal(peer[4].type, SESSION_MULTIHOP);
	assert_addr(&peer[4].via, "192.0.2.9");
	assert_session(&peer[4], 100000, 100000, 3, 250, true, false);
	assert_addr(&peer[5].via, "fe80::9");
	assert_session(&peer[5], 60000000, 3000, 3, 254, false, false);
	config_free(config);
}

static void assert_prefixes(const struct config_service *service, unsigned n, const char *const *texts)
{
	char buf[PREFIX_TEXT];

	assert_int_equal(service->nprefixes, n);
	for (unsigned i = 0; i < n; i++)
		assert_string_equal(prefix_format(&service->prefixes[i], buf), texts[i]);
}

static void test_services(void **state)
{
	static const char *const voice[] = {"10.0.0.0/8", "52.112.0.0/14", "198.51.101.7/32",
					    "2603:1063::/38"};
	struct config *config = load("tests/config/good/full.conf", "");
	const struct config_site *site = config->sites;
	const struct config_service *service = config->services;

	assert_int_equal(config->nsites, 3);
	assert_string_equal(site[0].name, "ams");
	assert_int_equal(site[0].line, 18);
	assert_int_equal(site[0].npeers, 2);
	assert_int_equal(site[0].peers[0], 1);
	assert_int_equal(site[0].peers[1], 0);
	assert_int_equal(site[2].peers[1], 5);
	assert_int_equal(config->nservices, 4);
	assert_string_equal(service[0].name, "voice");
	assert_prefixes(&service[0], 4, voice);
	assert_int_equal(service[0].nsites, 2);
	assert_int_equal(service[0].sites[0], 1);
	assert_int_equal(service[0].sites[1], 2);
	assert_int_equal(service[0].wait_to_restore, 500);
	assert_int_equal(service[1].wait_to_restore, 0);
	assert_int_equal(service[2].wait_to_restore, 60 * USEC_S);
	assert_false(service[0].follow);
	assert_int_equal(service[0].withdraw_delay, 10 * USEC_S);
	assert_true(service[3].follow);
	assert_int_equal(service[3].nprefixes, 0);
	assert_int_equal(service[3].withdraw_delay, 2500 * USEC_MS);
	config_free(config);
}

static void test_groups(void **state)
{
	struct config *config = load("tests/config/good/full.conf", "");

	assert_int_equal(config->steering.protocol, 200);
	assert_int_equal(config->steering.table, 4294963200);
	assert_int_equal(config->steering.rule_priority, 32510);
	assert_int_equal(config->steering.nexthop_id, 0xf0000000);
	assert_true(config->steering.hold_on_stop);
	assert_false(config->flight_recorder);
	assert_false(config->steering.fast_failover);
	assert_int_equal(config->steering.fast_failover_mark, 0x80000000);
	assert_false(config->daemon.realtime);
	assert_int_equal(config->daemon.realtime_priority, 1);
	assert_false(config->daemon.realtime_deadline);
	assert_false(config->daemon.packet_socket);
	assert_int_equal(config->daemon.events, 100000);
	config_free(config);
}

static void test_defaults(void **state)
{
	struct config *config = load("tests/config/good/empty.conf", "");

	assert_int_equal(config->npeers + config->nsites + config->nservices, 0);
	assert_int_equal(config->steering.protocol, 158);
	assert_int_equal(config->steering.table, 58800);
	assert_int_equal(config->steering.rule_priority, 1000);
	assert_int_equal(config->steering.nexthop_id, 1484783616);
	assert_false(config->steering.hold_on_stop);
	assert_true(config->flight_recorder);
	assert_true(config->steering.fast_failover);
	assert_int_equal(config->steering.fast_failover_mark, 0xff000000);
	assert_true(config->daemon.realtime);
	assert_int_equal(config->daemon.realtime_priority, 90);
	assert_true(config->daemon.realtime_deadline);
	assert_true(config->daemon.packet_socket);
	assert_int_equal(config->daemon.events, 1000);
	config_free(config);
}

/* Includes are found from wherever the daemon was started (broken/include-errors.conf: under their own names
 * and lines). */
static void test_include(void **state)
{
	char top[PATH_MAX], file[PATH_MAX + 64];
	struct config *config;

	assert_non_null(getcwd(top, sizeof(top)));
	snprintf(file, sizeof(file), "%s/tests/config/good/include.conf", top);
	assert_int_equal(chdir("/"), 0);
	config = load(file, "");
	assert_int_equal(chdir(top), 0);
	assert_non_null(config);
	assert_int_equal(config->npeers, 2);
	assert_int_equal(config->peers[1].session.desired_min_tx, 50000);
	assert_int_equal(config->sites[0].line, 6);
	assert_int_equal(config->services[0].wait_to_restore, USEC_S);
	config_free(config);
}

/* CONTENT as a file of its own. */
static struct config *load_text(const char *content, size_t size, char **reported)
{
	char file[] = "/tmp/test_config.XXXXXX";
	struct text found;
	struct config *config;
	int fd = mkstemp(file);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, size), size);
	close(fd);
	text_begin(&found, file, "");
	config = config_load(file, report, &found);
	fclose(found.out);
	unlink(file);
	*reported = found.buf;
	return config;
}

static void assert_refused(const char *content, size_t size, const char *wanted)
{
	char *reported;
	struct config *config = load_text(content, size, &reported);

	assert_null(config);
	assert_string_equal(reported, wanted);
	free(reported);
}

/* A terminal or a log gets one line, and nothing that it obeys. */
static void test_control_characters(void **state)
{
	static const char text[] = "peers = ( { name = \"a\\n\\x1b[2J\\x7f\"; address = \"192.0.2.1\"; } );";

	assert_refused(text, sizeof(text) - 1,
		       "1: name: \"a??[2J?\" is not a good name: letters, digits, dot, hyphen and underscore "
		       "only\n");
}

static void test_hostile_files(void **state)
{
	static const char nul[] = "# comment\nsites = ( );\0peer = 1;\n";
	char deep[20000], file[] = "/nowhere/bfdd.conf";
	struct text found;

	assert_refused(nul, sizeof(nul) - 1, "2: a NUL byte: this is not a text file\n");
	memset(deep, '(', sizeof(deep));
	memcpy(deep, "a=", 2);
	assert_refused(deep, sizeof(deep), "1: memory exhausted\n");
	assert_refused("\n/* never closed\nsites = 1;", 26, "2: a comment begins here and never ends\n");
	assert_refused("sites = ( );\n\"", 14, "2: a string begins here and never ends\n");
	text_begin(&found, file, "");
	assert_null(config_load(file, report, &found));
	assert_null(config_load("/", report, &found));
	fclose(found.out);
	assert_string_equal(
		found.buf,
		"0: cannot read it: No such file or directory\n/:0: cannot read it: Is a directory\n");
	free(found.buf);
}

/* The last line that a file can have, and comments at the end without a newline. */
static void test_ends(void **state)
{
	static const char *const ends[] = {"", "\n", "#", "# x", "// x", "/* x */", "\r\n", " \t"};
	char text[64], *reported;

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct config *config;

		snprintf(text, sizeof(text), "sites = ( );%s", ends[i]);
		config = load_text(text, strlen(text), &reported);
		assert_non_null(config);
		assert_string_equal(reported, "");
		free(reported);
		config_free(config);
	}
}

/* RFC 7419 is there without a word; a profile of the file with such a name goes before. */
static void test_common_intervals(void **state)
{
	static const struct {
		const char *name;
		uint32_t interval;
	} common[] = {
		{"rfc7419-3.3ms", 3300},   {"rfc7419-10ms", 10000},   {"rfc7419-20ms", 20000},
		{"rfc7419-50ms", 50000},   {"rfc7419-100ms", 100000}, {"rfc7419-1s", 1000000},
		{"rfc7419-10s", 10000000},
	};
	char text[512], *reported;

	for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++) {
		struct config *config;

		snprintf(text, sizeof(text),
			 "profiles = ( { name = \"rfc7419-50ms\"; detect-multiplier = 4; dscp = 46; } );\n"
			 "peers = ( { name = \"p\"; address = \"192.0.2.1\"; profile = \"%s\"; } );\n"
			 "unsolicited = ( { interfaces = [ \"eth1\" ]; prefixes = [ \"192.0.2.0/24\" ]; "
			 "profile = \"%s\"; } );\n",
			 common[i].name, common[i].name);
		config = load_text(text, strlen(text), &reported);
		assert_non_null(config);
		assert_string_equal(config->peers[0].profile, common[i].name);
		assert_string_equal(config->unsolicited[0].profile, common[i].name);
		assert_int_equal(config->unsolicited[0].session.desired_min_tx,
				 config->peers[0].session.desired_min_tx);
		if (common[i].interval == 50000) {
			assert_int_equal(config->peers[0].session.detect_mult, 4);
			assert_int_equal(config->peers[0].session.desired_min_tx, 300000);
			assert_int_equal(config->peers[0].session.dscp, 46);
		} else {
			assert_int_equal(config->peers[0].session.detect_mult, 3);
			assert_int_equal(config->peers[0].session.desired_min_tx, common[i].interval);
			assert_int_equal(config->peers[0].session.required_min_rx, common[i].interval);
			assert_int_equal(config->peers[0].session.dscp, SESSION_DSCP);
		}
		free(reported);
		config_free(config);
	}
}

static bool is_setting(const char *line)
{
	size_t length = strcspn(line, " ");

	for (unsigned i = 0; i < SCHEMA_KEYS; i++)
		if (strncmp(line, schema_keys[i].name, length) == 0 && !schema_keys[i].name[length] &&
		    strncmp(line + length, " = ", 3) == 0)
			return true;
	return strncmp(line, "};", 2) == 0;
}

/* The example with the settings it has commented out: they are the defaults, so nothing changes. */
static void test_example_defaults(void **state)
{
	struct config *with, *plain = load("config/bfdd.conf.example", "");
	char *content = NULL, *reported, *line, *next;
	unsigned taken = 0;
	size_t size;
	FILE *out = open_memstream(&content, &size);

	for (line = strdupa(read_whole("config/bfdd.conf.example")); *line; line = next) {
		char *hash = line + strspn(line, " "),
		     *setting = hash + 1 + strspn(hash + (*hash != '\0'), " ");

		next = strchr(line, '\n') + 1;
		if (*hash == '#' && is_setting(setting)) {
			line = setting;
			taken++;
		}
		fwrite(line, 1, (size_t)(next - line), out);
	}
	fclose(out);
	assert_int_equal(taken, 12 + 1 + 1 + 4 * 2 + 7 + 6 + 4 + 4 + 1 + 1 + 3);
	with = load_text(content, size, &reported);
	assert_string_equal(reported, "");
	assert_non_null(with);
	assert_false(config_policy_differs(plain, with));
	assert_null(config_needs_restart(plain, with));
	assert_memory_equal(&plain->peers[0].session, &with->peers[0].session, sizeof(struct session_config));
	assert_int_equal(plain->steering.hold_on_stop, with->steering.hold_on_stop);
	free(content);
	free(reported);
	config_free(with);
	config_free(plain);
}

static bool mentions(const char *text, const char *key)
{
	char setting[64];

	snprintf(setting, sizeof(setting), "%s = ", key);
	for (const char *p = text; (p = strstr(p, setting)); p++)
		if (p == text || strchr("\n ", p[-1]))
			return true;
	return false;
}

static void test_example_is_complete(void **state)
{
	const char *example = read_whole("config/bfdd.conf.example");

	for (unsigned i = 0; i < SCHEMA_KEYS; i++)
		if (!mentions(example, schema_keys[i].name))
			fail_msg("%s is not in the example", schema_keys[i].name);
}

/* The manual page has each key under its section's heading, with range and default as the schema has them. */
static void check_manual(const char *manual, const struct schema_key *key, enum schema_section section)
{
	double unit = key->type == SCHEMA_MILLISECONDS ? USEC_MS : 1;
	char heading[64], item[64], range[96], fallback[64], *part, *end;

	snprintf(heading, sizeof(heading), "\n.Ss %s\n", schema_section_name(section));
	snprintf(item, sizeof(item), "\n.It Ic %s\n", key->name);
	part = strstr(manual, heading);
	if (!part)
		fail_msg("the manual has no heading for %s", schema_section_name(section));
	part = strdup(part + 1);
	end = strstr(part, "\n.S");
	if (end)
		*end = '\0';
	end = strstr(part, item);
	if (!end)
		fail_msg("the manual has no %s in %s", key->name, schema_section_name(section));
	memmove(part, end + 1, strlen(end + 1) + 1);
	end = strstr(part, "\n.It");
	if (end)
		*end = '\0';
	snprintf(range, sizeof(range), "%.15g to %.15g", (double)key->least / unit, (double)key->most / unit);
	snprintf(fallback, sizeof(fallback), "Default: %.15g.", (double)key->fallback / unit);
	if (key->type == SCHEMA_BOOL)
		snprintf(fallback, sizeof(fallback), "Default: %s.", key->fallback ? "true" : "false");
	if (key->size && !strstr(part, fallback))
		fail_msg("the manual does not say of %s: %s", key->name, fallback);
	if (key->size && key->type != SCHEMA_BOOL && !strstr(part, range))
		fail_msg("the manual does not say of %s: %s", key->name, range);
	free(part);
}

static void test_manual_is_complete(void **state)
{
	char *manual = strdup(read_whole("docs/bfdd.conf.5"));

	for (unsigned i = 0; i < SCHEMA_KEYS; i++) {
		unsigned sections = schema_keys[i].sections;

		if ((i >= KEY_TRANSMIT_INTERVAL && i <= KEY_SHUTDOWN) || i == KEY_KEY_CHAIN)
			sections = SCHEMA_PROFILE; /* that of peers refers to it */
		for (unsigned bit = SCHEMA_TOP; bit <= SCHEMA_KEY; bit <<= 1)
			if (sections & bit)
				check_manual(manual, &schema_keys[i], bit);
	}
	free(manual);
}

static void test_schema(void **state)
{
	for (unsigned i = 0; i < SCHEMA_KEYS; i++) {
		const struct schema_key *key = &schema_keys[i];

		assert_non_null(key->name);
		assert_non_null(key->help);
		assert_true(key->sections != 0);
		assert_true(key->fallback >= key->least && key->fallback <= key->most);
		assert_true((key->type >= SCHEMA_BOOL && key->type <= SCHEMA_MILLISECONDS) ==
			    (key->size != 0));
		assert_true(key->size == 8 || key->most <= (key->size == 4 ? UINT32_MAX : 255));
		for (unsigned j = 0; j < i; j++)
			assert_true(!(key->sections & schema_keys[j].sections) ||
				    strcmp(key->name, schema_keys[j].name) != 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_routing),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_hostile_files),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_common_intervals),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_example_defaults),
		cmocka_unit_test(test_example_is_complete),
		cmocka_unit_test(test_manual_is_complete),
		cmocka_unit_test(test_schema),
	};
	const char *top = getenv("BFDD_SOURCE");

	if (top && chdir(top)) {
		perror(top);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
