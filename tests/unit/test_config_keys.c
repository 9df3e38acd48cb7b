/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key chains in the configuration: what is taken, what is refused, that no message tells a secret. In a
 * folder of its own, because the modes of files count. Runs from the top folder of the sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/rfc3339.h"

#define SECRET "geheim"
#define HEAD "key-chains = ( { name = \"c\"; keys = ( "
#define TAIL " ); } ); peers = ( { name = \"p\"; address = \"192.0.2.1\"; key-chain = \"c\"; } );\n"

/* libconfig leaves a string behind when it finds a syntax error. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static char folder[] = "/tmp/bfdd-keys-XXXXXX";
static char reported[4096];

static const char *in_folder(const char *name)
{
	static char path[4][128];
	static unsigned turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	FILE *out;

	unlink(in_folder(name));
	out = fopen(in_folder(name), "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	assert_int_equal(chmod(in_folder(name), mode), 0);
}

static void report(void *context, const char *file, unsigned line, bool warning, const char *message)
{
	size_t used = strlen(reported);
	char text[1024], *at;

	snprintf(text, sizeof(text), "%s", message);
	while ((at = strstr(text, folder))) /* "/tmp/..." is written as "." */
		memmove(at, at + strlen(folder) - 1, strlen(at + strlen(folder) - 1) + 1), *at = '.';
	snprintf(reported + used, sizeof(reported) - used, "%s%s\n", warning ? "warning: " : "", text);
}

static struct config *load_text(const char *text, mode_t mode)
{
	reported[0] = '\0';
	write_file("bfdd.conf", text, mode);
	return config_load(in_folder("bfdd.conf"), report, NULL);
}

/* KEYS may name files in the folder as "./NAME". */
static struct config *load_keys(const char *keys, mode_t mode)
{
	char text[4096] = HEAD;
	const char *at, *dot;

	for (at = keys; (dot = strstr(at, "\"./")); at = dot + 2)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s\"%s", (int)(dot - at), at,
			 folder);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", at, TAIL);
	return load_text(text, mode);
}

static void refused(const char *keys, const char *expected)
{
	struct config *config = load_keys(keys, 0600);

	assert_null(config);
	assert_string_equal(reported, expected);
	assert_null(strstr(reported, SECRET));
}

static void taken(const char *keys, mode_t mode, const char *expected)
{
	struct config *config = load_keys(keys, mode);

	assert_string_equal(reported, expected);
	assert_non_null(config);
	config_free(config);
}

static const struct auth_key *first_key(const struct config *config)
{
	assert_int_equal(config->nchains, 1);
	assert_ptr_equal(config->peers[0].session.auth, config->chains[0]);
	return config->chains[0]->keys;
}

/* In Demand mode each key that may be repeated is one too many, wherever the mode comes from. */
static void silence_needs_meticulous_keys(void **state)
{
	static const char text[] =
		"key-chains = ( { name = \"good\"; keys = ( { type = \"meticulous-keyed-md5\"; secret = "
		"\"" SECRET
		"\"; } ); }, { name = \"bad\"; keys = ( { type = \"meticulous-keyed-md5\"; secret = \"" SECRET
		"\"; }, { id = 7; type = \"keyed-sha1\"; secret = \"" SECRET "\"; } ); } );\n"
		"profiles = ( { name = \"quiet\"; demand-mode = true; } );\n"
		"peers = ( { name = \"p\"; address = \"192.0.2.1\"; profile = \"quiet\"; key-chain = "
		"\"bad\"; },"
		" { name = \"q\"; address = \"192.0.2.2\"; profile = \"quiet\"; key-chain = \"good\"; },"
		" { name = \"r\"; address = \"192.0.2.3\"; key-chain = \"bad\"; } );\n";
	struct config *config = load_text(text, 0600);

	assert_non_null(config);
	assert_string_equal(reported,
			    "warning: demand-mode: key 7 of key chain \"bad\" is keyed-sha1: whoever has "
			    "heard an answer can repeat it and hide a failure; take a meticulous "
			    "type\n");
	config_free(config);
}

static void keys_are_read(void **state)
{
	struct config *config;
	const struct auth_key *key;

	write_file("key", "of a file\n", 0600);
	config = load_keys(
		"{ id = 255; type = \"keyed-md5\"; secret = \"" SECRET "\"; }, "
		"{ type = \"meticulous-hmac-sha1\"; secret-file = \"./key\"; "
		"send-start = \"2001-01-01T00:00:00Z\"; send-end = \"2099-01-01T00:00:00.5+01:00\"; "
		"accept-start = \"1999-12-31T00:00:00-00:30\"; accept-end = \"2100-03-01T00:00:00z\"; }",
		0600);
	assert_string_equal(reported, "");
	key = first_key(config);
	assert_string_equal(config->chains[0]->name, "c");
	assert_int_equal(config->chains[0]->nkeys, 2);
	assert_int_equal(key[0].id, 255);
	assert_int_equal(key[0].type, AUTH_MD5);
	assert_int_equal(key[0].size, strlen(SECRET));
	assert_string_equal((const char *)key[0].secret, SECRET);
	assert_true(key[0].send_start == AUTH_ALWAYS && key[0].accept_start == AUTH_ALWAYS);
	assert_true(key[0].send_end == AUTH_EVER && key[0].accept_end == AUTH_EVER);
	assert_int_equal(key[1].id, 0);
	assert_int_equal(key[1].type, AUTH_METICULOUS_HMAC_SHA1);
	assert_string_equal((const char *)key[1].secret, "of a file");
	assert_true(key[1].send_start == 978307200 * USEC_S);
	assert_true(key[1].send_end == 4070905200 * USEC_S + 500000);
	assert_true(key[1].accept_start == 946600200 * USEC_S);
	assert_true(key[1].accept_end == 4107542400 * USEC_S);
	/* The younger one. */
	assert_ptr_equal(auth_chain_sends(config->chains[0]), &key[1]);
	config_free(config);
}

static void files_end_with_at_most_one_newline(void **state)
{
	static const char *const texts[] = {"x", "x\n", "x\n\n", " x ", "\nx"};
	static const char *const secrets[] = {"x", "x", "x\n", " x ", "\nx"};

	for (unsigned i = 0; i < 5; i++) {
		struct config *config;

		write_file("key", texts[i], 0600);
		config = load_keys("{ type = \"keyed-sha1\"; secret-file = \"./key\"; }", 0600);
		assert_non_null(config);
		assert_int_equal(first_key(config)->size, strlen(secrets[i]));
		assert_string_equal((const char *)first_key(config)->secret, secrets[i]);
		config_free(config);
	}
}

static void secrets_are_read_in_hexadecimal(void **state)
{
	static const uint8_t expected[] = {0x00, 0xff, 0x1a, 0xB2};
	static const char *const bad[] = {"0",	   "000",   "0g",  "g0", "0x00",
					  "00 11", "00:11", " 00", "-1", "0\xc3\xa9"};
	char keys[256], digits[2 * AUTH_SECRET_MAX + 8];
	struct config *config = load_keys("{ type = \"keyed-sha1\"; secret-hex = \"00ff1aB2\"; }", 0600);

	assert_non_null(config);
	assert_string_equal(reported, "");
	assert_int_equal(first_key(config)->size, sizeof(expected));
	assert_memory_equal(first_key(config)->secret, expected, sizeof(expected));
	config_free(config);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(keys, sizeof(keys), "{ type = \"keyed-sha1\"; secret-hex = \"%s\"; }", bad[i]);
		refused(keys, "secret-hex: expects pairs of hexadecimal digits\n");
	}
	refused("{ type = \"keyed-sha1\"; secret-hex = \"\"; }", "secret-hex: a secret must not be empty\n");
	refused("{ type = \"keyed-sha1\"; secret-hex = 11; }",
		"secret-hex: expects a secret in quotes, not a number\n");
	refused("{ type = \"keyed-sha1\"; secret-hex = \"00\"; secret = \"" SECRET "\"; }",
		"only one of \"secret-file\", \"secret\" and \"secret-hex\" may be there\n");
	for (unsigned bytes = 19; bytes < sizeof(digits) / 2; bytes++) {
		memset(digits, 'a', 2 * bytes);
		digits[2 * bytes] = '\0';
		snprintf(keys, sizeof(keys), "{ type = \"keyed-sha1\"; secret-hex = \"%s\"; }", digits);
		if (bytes <= 20)
			taken(keys, 0600, "");
		else
			refused(keys,
				"secret-hex: the secret is too long for keyed-sha1: at most 20 bytes\n");
		snprintf(keys, sizeof(keys), "{ type = \"hmac-sha1\"; secret-hex = \"%s\"; }", digits);
		if (bytes <= AUTH_SECRET_MAX)
			taken(keys, 0600, "");
		else
			refused(keys, "secret-hex: the secret is too long for hmac-sha1: at most 64 bytes\n");
	}
	taken("{ type = \"keyed-md5\"; secret-hex = \"11\"; }", 0644,
	      "warning: secret-hex: everybody can read this file; take \"secret-file\", or change its "
	      "mode\n");
}

static void wrong_keys_are_errors(void **state)
{
	refused("", "keys: there is none\n");
	refused("{ id = 1; type = \"keyed-sha1\"; }",
		"\"secret-file\" is missing, or \"secret\" or \"secret-hex\"\n");
	refused("{ type = \"keyed-sha1\"; secret = \"" SECRET "\"; secret-file = \"/x\"; }",
		"only one of \"secret-file\", \"secret\" and \"secret-hex\" may be there\n");
	refused("{ type = \"sha1\"; secret = \"" SECRET "\"; }",
		"type: \"sha1\" is none of simple-password, keyed-md5, meticulous-keyed-md5, keyed-sha1, "
		"meticulous-keyed-sha1, hmac-sha1, meticulous-hmac-sha1\n");
	refused("{ secret = \"" SECRET "\"; }", "\"type\" is missing: what is made of the secret\n");
	refused("{ type = \"none\"; secret = \"" SECRET "\"; }",
		"type: \"none\" is none of simple-password, keyed-md5, meticulous-keyed-md5, keyed-sha1, "
		"meticulous-keyed-sha1, hmac-sha1, meticulous-hmac-sha1\n");
	refused("{ id = 256; type = \"keyed-md5\"; secret = \"" SECRET "\"; }",
		"id: 256 is out of range (0 to 255)\n");
	refused("{ id = 1; type = \"keyed-md5\"; secret = \"" SECRET
		"\"; }, { id = 1; type = \"keyed-sha1\"; "
		"secret = \"" SECRET "\"; }",
		"id: 1 is that of another key of this chain\n");
	refused("{ type = \"keyed-md5\"; secret = 12345; }",
		"secret: expects a secret in quotes, not a number\n");
	refused("{ type = \"keyed-md5\"; secret = \"" SECRET "\"; password = \"" SECRET "\"; }",
		"unknown key \"password\" in keys\n");
}

static void secrets_of_a_wrong_length_are_errors(void **state)
{
	static const struct {
		const char *type;
		unsigned most;
	} types[] = {{"simple-password", 16},	    {"keyed-md5", 16},
		     {"meticulous-keyed-md5", 16},  {"keyed-sha1", 20},
		     {"meticulous-keyed-sha1", 20}, {"hmac-sha1", 64},
		     {"meticulous-hmac-sha1", 64}};
	char keys[256], expected[256];

	for (unsigned i = 0; i < sizeof(types) / sizeof(*types); i++) {
		snprintf(keys, sizeof(keys), "{ type = \"%s\"; secret = \"%0*d\"; }", types[i].type,
			 (int)types[i].most, 0);
		taken(keys, 0600, "");
		snprintf(keys, sizeof(keys), "{ type = \"%s\"; secret = \"%0*d\"; }", types[i].type,
			 (int)types[i].most + 1, 0);
		snprintf(expected, sizeof(expected),
			 "secret: the secret is too long for %s: at most %u bytes\n", types[i].type,
			 types[i].most);
		refused(keys, expected);
		snprintf(keys, sizeof(keys), "%0*d", (int)types[i].most + 1, 0);
		write_file("key", keys, 0600);
		snprintf(keys, sizeof(keys), "{ type = \"%s\"; secret-file = \"./key\"; }", types[i].type);
		snprintf(expected, sizeof(expected),
			 "secret-file: the secret is too long for %s: at most %u bytes\n", types[i].type,
			 types[i].most);
		refused(keys, expected);
	}
	refused("{ type = \"keyed-md5\"; secret = \"\"; }", "secret: a secret must not be empty\n");
	write_file("key", "\n", 0600);
	refused("{ type = \"keyed-md5\"; secret-file = \"./key\"; }",
		"secret-file: a secret must not be empty\n");
}

static void files_that_cannot_be_read_are_errors(void **state)
{
	refused("{ type = \"keyed-md5\"; secret-file = \"./none\"; }",
		"secret-file: ./none: No such file or directory\n");
	refused("{ type = \"keyed-md5\"; secret-file = \"./\"; }", "secret-file: ./ is not a file\n");
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	refused("{ type = \"keyed-md5\"; secret-file = \"./fifo\"; }", "secret-file: ./fifo is not a file\n");
	refused("{ type = \"keyed-md5\"; secret-file = \"/dev/zero\"; }",
		"secret-file: /dev/zero is not a file\n");
}

static void times_are_checked(void **state)
{
#define TIMED(times) "{ type = \"keyed-md5\"; secret = \"" SECRET "\"; " times " }"
	refused(TIMED("send-start = \"tomorrow\";"),
		"send-start: \"tomorrow\" is not a time such as 2026-01-31T18:00:00Z\n");
	refused(TIMED("send-start = \"2027-01-01T00:00:00Z\"; send-end = \"2027-01-01T00:00:00Z\";"),
		"send-end: is not after send-start\n");
	refused(TIMED("accept-start = \"2027-01-01T00:00:01Z\"; accept-end = \"2027-01-01T00:00:00Z\";"),
		"accept-end: is not after accept-start\n");
	taken(TIMED("send-end = \"2001-01-01T00:00:00Z\";"), 0600,
	      "warning: key chain \"c\" has no key to send now: its peers are sent nothing\n");
}

static void chains_are_named(void **state)
{
	struct config *config = load_text(
		"key-chains = ( { name = \"ams\"; keys = ( { type = \"keyed-md5\"; "
		"secret = \"" SECRET "\"; } ); }, { name = \"fra\"; keys = ( { type = "
		"\"keyed-md5\"; secret = \"" SECRET "\"; } ); }, { name = \"idle\"; keys "
		"= ( { type = \"keyed-md5\"; secret = \"" SECRET "\"; } ); } );\n"
		"profiles = ( { name = \"q\"; key-chain = \"ams\"; } );\n"
		"peers = ( { name = \"a\"; address = \"192.0.2.1\"; profile = \"q\"; },\n"
		"{ name = \"b\"; address = \"192.0.2.3\"; profile = \"q\"; key-chain = "
		"\"fra\"; },\n{ name = \"c\"; address = \"192.0.2.5\"; } );\n",
		0600);

	assert_string_equal(reported, "warning: key chain \"idle\" is used by no peer\n");
	assert_ptr_equal(config->peers[0].session.auth, config->chains[0]);
	assert_ptr_equal(config->peers[1].session.auth, config->chains[1]);
	assert_null(config->peers[2].session.auth);
	config_free(config);
	assert_null(load_text(
		"profiles = ( { name = \"q\"; key-chain = \"amz\"; } );\n"
		"key-chains = ( { name = \"ams\"; keys = ( { type = \"keyed-md5\"; secret = \"" SECRET
		"\"; } ); } );\npeers = ( { name = \"a\"; address = \"192.0.2.1\"; profile = \"q\"; "
		"}, { name = \"b\"; address = \"192.0.2.3\"; key-chain = \"x\"; } );\n",
		0600));
	assert_string_equal(reported,
			    "unknown key chain \"amz\"; did you mean \"ams\"?\nunknown key chain \"x\"\n");
}

static void everybodys_files_are_warned_of(void **state)
{
	write_file("key", "x", 0604);
	taken("{ type = \"keyed-md5\"; secret-file = \"./key\"; }", 0644,
	      "warning: secret-file: ./key can be read by everybody\n");
	write_file("key", "x", 0640);
	taken("{ type = \"keyed-md5\"; secret-file = \"./key\"; }", 0644, "");
	taken("{ type = \"keyed-md5\"; secret = \"" SECRET "\"; }", 0644,
	      "warning: secret: everybody can read this file; take \"secret-file\", or change its mode\n");
	taken("{ type = \"keyed-md5\"; secret = \"" SECRET "\"; }", 0640, "");
}

static void note(void *context, enum config_change change, const struct config_peer *old,
		 const struct config_peer *new)
{
	*(enum config_change *)context = change;
}

static enum config_change change_to(const struct config *old, const char *keys)
{
	struct config *new = load_keys(keys, 0600);
	enum config_change change = CONFIG_ADDED;

	assert_non_null(new);
	config_diff(old, new, note, &change);
	config_free(new);
	return change;
}

static void another_key_is_no_other_session(void **state)
{
	static const char key[] = "{ id = 1; type = \"keyed-md5\"; secret = \"" SECRET "\"; }";
	struct config *old = load_keys(key, 0600);

	assert_non_null(old);
	assert_int_equal(change_to(old, key), CONFIG_SAME);
	assert_int_equal(change_to(old, "{ id = 1; type = \"keyed-md5\"; secret = \"other\"; }"),
			 CONFIG_TIMERS);
	assert_int_equal(change_to(old, "{ id = 2; type = \"keyed-md5\"; secret = \"" SECRET "\"; }"),
			 CONFIG_TIMERS);
	config_free(old);
}

/* FRR knows nothing of keys: the file's peer of that address has them. */
static void frr_leaves_keys_alone(void **state)
{
	struct config *file = load_keys("{ type = \"keyed-md5\"; secret = \"" SECRET "\"; }", 0600), *merged;
	struct session_config usual = {
		.desired_min_tx = 50000, .required_min_rx = 60000, .detect_mult = 4, .min_ttl = 255};
	struct config_session sessions[2] = {{.lid = 1, .session = usual}, {.lid = 2, .session = usual}};

	assert_non_null(file);
	sessions[0].source = sessions[1].source = CONFIG_FRR;
	addr_parse(&sessions[0].address, "192.0.2.1");
	addr_parse(&sessions[1].address, "192.0.2.9");
	merged = config_merge(file, sessions, 2);
	assert_int_equal(merged->npeers, 2);
	assert_int_equal(merged->peers[0].frr_lid, 1);
	assert_ptr_equal(merged->peers[0].session.auth, file->chains[0]);
	assert_null(merged->peers[1].session.auth);
	config_free(merged);
	config_free(file);
}

/* Fail closed: who needs no entry of his own needs the key of his profile all the same. */
static void unsolicited_peers_have_their_profiles_keys(void **state)
{
	struct config *config = load_text(
		"key-chains = ( { name = \"c\"; keys = ( { type = \"keyed-md5\"; secret = \"" SECRET
		"\"; } ); } );\nprofiles = ( { name = \"q\"; key-chain = \"c\"; } );\n"
		"unsolicited = ( { interfaces = [ \"eth1\" ]; prefixes = [ \"192.0.2.0/24\" ]; "
		"profile = \"q\"; } );\n",
		0600);

	assert_non_null(config);
	assert_int_equal(config->nunsolicited, 1);
	assert_ptr_equal(config->unsolicited[0].session.auth, config->chains[0]);
	config_free(config);
}

/* Nor is less asked for than the profile says. */
static void types_without_authentication_refuse_keys(void **state)
{
#define SBFD_PEER                                                                                    \
	"{ name = \"a\"; address = \"192.0.2.1\"; local-address = \"192.0.2.2\"; type = \"s-bfd\"; " \
	"remote-discriminator = 7; "
#define SBFD_HEAD                                                                            \
	"key-chains = ( { name = \"c\"; keys = ( { type = \"keyed-md5\"; secret = \"" SECRET \
	"\"; } ); } );\nprofiles = ( { name = \"q\"; key-chain = \"c\"; } );\n"
	assert_null(load_text(SBFD_HEAD "peers = ( " SBFD_PEER "profile = \"q\"; } );\n", 0600));
	assert_string_equal(reported, "profile: its key-chain does not go with type \"s-bfd\"\n");
	assert_null(load_text(SBFD_HEAD "peers = ( " SBFD_PEER "key-chain = \"c\"; } );\n", 0600));
	assert_string_equal(reported, "key-chain: does not go with type \"s-bfd\"\n");
}

static void the_example_is_taken(void **state)
{
	char text[8192], with[8192] = "", *at, *path;
	FILE *in = fopen("docs/examples/authentication.conf", "r");
	struct config *config;

	assert_non_null(in);
	text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
	fclose(in);
	for (at = text; (path = strstr(at, "/etc/bfdd")); at = path + strlen("/etc/bfdd"))
		snprintf(with + strlen(with), sizeof(with) - strlen(with), "%.*s%s", (int)(path - at), at,
			 folder);
	strcat(with, at);
	write_file("ams-1.key", "0123456789abcdef0123\n", 0600);
	write_file("ams-2.key", "0123456789abcdef0124\n", 0600);
	write_file("frr.key", "f", 0600);
	config = load_text(with, 0644);
	assert_string_equal(reported, "");
	assert_non_null(config);
	assert_int_equal(config->nchains, 2);
	assert_int_equal(auth_chain_sends(config->peers[0].session.auth)->id, 1);
	assert_int_equal(auth_chain_sends(config->peers[2].session.auth)->id, 7);
	config_free(config);
}

static void rfc3339(void **state)
{
	static const struct {
		const char *text;
		int64_t time;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1969-12-31T23:59:59.999999Z", -1},
		{"2000-02-29T12:00:00Z", 951825600000000},
		{"2026-11-22T18:00:00+05:30", 1795350600000000},
		{"2026-11-22 18:00:00-08:00", 1795399200000000},
		{"1985-04-12T23:20:50.52Z", 482196050520000},
		{"1990-12-31T23:59:60Z", 662688000000000},
		{"0001-01-01T00:00:00Z", -62135596800000000},
		{"9999-12-31T23:59:59.9999999999Z", 253402300799999999},
	};
	static const char *const bad[] = {
		"",
		"2026",
		"2026-11-22",
		"2026-11-22T18:00:00",
		"2026-11-22T18:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-04-00T00:00:00Z",
		"2026-04-01T24:00:00Z",
		"2026-04-01T23:60:00Z",
		"2026-04-01T23:00:61Z",
		"2026-04-01T23:00:00.Z",
		"2026-04-01T23:00:00+24:00",
		"2026-04-01T23:00:00+1:00",
		"2026-04-01T23:00:00+01",
		"2026-04-01T23:00:00Z ",
		" 2026-04-01T23:00:00Z",
		"02026-04-01T23:00:00Z",
		"2026-4-1T23:00:00Z",
		"0000-01-01T00:00:00Z",
		"-026-04-01T23:00:00Z",
	};
	int64_t time = 77;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (rfc3339_parse(bad[i], &time))
			fail_msg("%s was taken", bad[i]);
	assert_int_equal(time, 77);
	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (!rfc3339_parse(good[i].text, &time) || time != good[i].time)
			fail_msg("%s: %lld", good[i].text, (long long)time);
	}
}

static int make_folder(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"bfdd.conf", "key", "fifo", "ams-1.key", "ams-2.key", "frr.key"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(in_folder(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_read),
		cmocka_unit_test(silence_needs_meticulous_keys),
		cmocka_unit_test(secrets_are_read_in_hexadecimal),
		cmocka_unit_test(files_end_with_at_most_one_newline),
		cmocka_unit_test(wrong_keys_are_errors),
		cmocka_unit_test(secrets_of_a_wrong_length_are_errors),
		cmocka_unit_test(files_that_cannot_be_read_are_errors),
		cmocka_unit_test(times_are_checked),
		cmocka_unit_test(chains_are_named),
		cmocka_unit_test(everybodys_files_are_warned_of),
		cmocka_unit_test(another_key_is_no_other_session),
		cmocka_unit_test(frr_leaves_keys_alone),
		cmocka_unit_test(unsolicited_peers_have_their_profiles_keys),
		cmocka_unit_test(types_without_authentication_refuse_keys),
		cmocka_unit_test(the_example_is_taken),
		cmocka_unit_test(rfc3339),
	};
	const char *top = getenv("BFDD_SOURCE");

	if (top && chdir(top)) {
		perror(top);
		return 1;
	}
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
