// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands of bfdctl. */
#include "tests/unit/bfdctl_fixture.h"

static void test_exit_status(void **state)
{
	assert_int_equal(RUN("status"), 0);
	assert_int_equal(RUN("peer", "ams-1"), 0);
	assert_string_equal(errors, "");
	assert_int_equal(RUN("peer", "nope"), 1);
	assert_string_equal(output, "");
	assert_string_equal(errors, "bfdctl: there is no peer nope\nbfdctl: second line\n");
	assert_int_equal(RUN("--json", "peer", "nope"), 1);
	assert_string_equal(output, "");
	assert_int_equal(RUN("peer", "gone"), 3);
	assert_non_null(strstr(errors, "the daemon closed the connection"));
	stop_daemon();
	assert_int_equal(RUN("status"), 3);
	assert_non_null(strstr(errors, "bfdctl: no daemon answers on /tmp/bfdctl-"));
	assert_string_equal(output, "");
}

static void test_usage(void **state)
{
	static const char *const wrong[][5] = {
		{"peer"},
		{"peers", "ams-1"},
		{"peer", "a", "b"},
		{"nonsense"},
		{"peers", "--follow"},
		{"events", "--last", "x"},
		{"events", "--last", "-1"},
		{"--nonsense"},
		{"--json", "watch"},
		{"--json", "help"},
		{"watch"},
		{"status", "--last", "1"},
		{"postmortem", "a", "1", "b"},
		{"postmortem", "--write", "x"},
		{"peers", "--write", "x"},
		{"-jw", "x", "postmortem", "a"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(run(wrong[i]), 2);
		assert_string_equal(output, "");
		assert_string_not_equal(errors, "");
	}
	assert_int_equal(run((const char *const[]){NULL}), 2);
	assert_int_equal(RUN("help"), 0);
	assert_non_null(strstr(output, "usage: bfdctl"));
	assert_int_equal(RUN("--version"), 0);
	assert_int_equal(strncmp(output, "bfdctl ", 7), 0);
}

static void test_json(void **state)
{
	static const struct {
		const char *words[4];
		json_type type;
		size_t size;
	} cases[] = {
		{{"--json", "status"}, JSON_OBJECT, 0},	   {{"--json", "peers"}, JSON_ARRAY, 5},
		{{"peer", "ams-1", "-j"}, JSON_OBJECT, 0}, {{"--json", "sites"}, JSON_ARRAY, 2},
		{{"--json", "services"}, JSON_ARRAY, 2},   {{"--json", "events"}, JSON_ARRAY, 5},
		{{"-jn2", "events"}, JSON_ARRAY, 2},	   {{"--json", "reload"}, JSON_OBJECT, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json;

		assert_int_equal(run(cases[i].words), 0);
		assert_string_equal(errors, "");
		assert_safe(output);
		json = json_loads(output, JSON_REJECT_DUPLICATES,
				  NULL); /* fails if more than white space follows */
		assert_non_null(json);
		assert_int_equal(json_typeof(json), cases[i].type);
		assert_int_equal(json_array_size(json), cases[i].size);
		json_decref(json);
	}
	assert_int_equal(RUN("--json", "events"), 0);
	assert_non_null(strstr(output, "\"ms\": 16.667\n"));
}

static void test_hostile_names(void **state)
{
	static const char *const words[][3] = {
		{"status"}, {"peers"},	{"peer", "event"},	 {"sites"},	 {"services"},
		{"events"}, {"reload"}, {"peer", "\033[2J\x9b"}, {"postmortem"}, {"postmortem", "evil"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		run(words[i]);
		assert_safe(output);
		assert_safe(errors);
	}
	assert_int_equal(RUN("peer", "\033[2J"), 1);
	assert_non_null(strstr(errors, "\\x1b[2J"));
	assert_int_equal(RUN("peers"), 0);
	assert_non_null(strstr(output, "\\x1b[2J\\x1b]0;owned\\x07"));
}

static void test_tables(void **state)
{
	stop_daemon();
	start_daemon("2"); /* none of the hostile names */
	assert_int_equal(RUN("peers"), 0);
	assert_string_equal(
		output,
		"PEER   ADDRESS      INTERFACE  STATE  SENDS  DETECTS             SINCE      DOWNS  NOTE\n"
		"ams-1  192.0.2.1    eth1       up     50 ms  3 x 50 ms = 150 ms  2d03h ago      0\n"
		"ams-2  2001:db8::2  eth1       down     1 s  -                   2d03h ago      1  "
		"control-expiry\n");
	assert_int_equal(RUN("sites"), 0);
	assert_string_equal(output, "SITE  STATE       USABLE PATHS  IN USE  NOT USABLE\n"
				    "ams   usable            1 of 2       1  ams-2\n"
				    "fra   not usable        0 of 0       0\n");
	assert_int_equal(RUN("services"), 0);
	assert_non_null(strstr(output, "voice "));
	assert_non_null(strstr(
		output, "ams (IPv4), fra (IPv6)  ams 1/2 in use, fra 1/1         2  5h00m ago: peer ams-2 "
			"down (in 412 us)\n"));
}

static void test_postmortem(void **state)
{
	char file[sizeof(folder) + 16], bytes[32];
	FILE *capture;

	assert_int_equal(RUN("postmortem", "ams-1"), 0);
	assert_non_null(strstr(output, "ams-1 went down at "));
	assert_non_null(strstr(
		output, "): peer-silent\nnothing came\n\n"
			"session             192.0.2.0 with 192.0.2.1 on eth1\n"
			"the peer sends      each 10 ms; dead after 30 ms\n"
			"we send             each 10 ms; the peer waits 30 ms\n"
			"further downs       2, not recorded\n\n"
			"     MS  WHAT  STATE  DIAGNOSTIC      FLAGS  TTL  NOTE\n"
			"-30.000  in    up     none                   255\n"
			"-25.500  out   up     none            P      255\n"
			" -9.250  in    up     none                    17  dropped: ttl\n"
			" -5.125  late                                     we woke up 1.5 ms late\n"
			"  0.000  DOWN  down   control-expiry              nothing came for 30.0 ms\n"));
	snprintf(file, sizeof(file), "%s/capture", folder);
	assert_int_equal(RUN("postmortem", "evil", "-w", file), 1);
	assert_string_equal(errors, "bfdctl: what the daemon sent is no capture\n");
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(RUN("postmortem", "ams-1", "2", "--write", file), 0);
	assert_string_equal(output, "");
	capture = fopen(file, "re");
	assert_non_null(capture);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), capture), 24);
	assert_memory_equal(bytes, "\x4d\x3c\xb2\xa1\2\0\4\0", 8);
	fclose(capture);
	unlink(file);
}

static void test_no_peers(void **state)
{
	stop_daemon();
	start_daemon("0");
	assert_int_equal(RUN("peers"), 0);
	assert_string_equal(output, "no peers\n");
	assert_int_equal(RUN("--json", "peers"), 0);
	assert_string_equal(output, "[]\n");
}

/* What `status` says more than this client knows. */
static void test_polls(void **state)
{
	assert_int_equal(RUN("peer", "ams-1"), 0);
	assert_non_null(strstr(output, "the remote is to be silent; polls each 500 ms\n"));
	assert_non_null(strstr(output, "min 0.21 ms, mean 0.23 ms, p99 0.25 ms, max 0.25 ms\n"));
	assert_non_null(strstr(output, "last 0.25 ms, jitter 0.002 ms, 2 measured, 1 unanswered\n"));
	assert_non_null(strstr(output, "set; the remote's: no\n"));
	assert_int_equal(RUN("peer", "ams-2"), 0);
	assert_null(strstr(output, "silent"));
	assert_null(strstr(output, "measured"));
	assert_non_null(strstr(output, "48\n"));
	assert_int_equal(RUN("poll", "ams-1"), 0);
	assert_string_equal(output, "ams-1 is asked; 'bfdctl peer' tells when it has answered\n");
	assert_int_equal(RUN("poll"), 2);
}

static void test_unknown_fields(void **state)
{
	assert_int_equal(RUN("status"), 0);
	assert_non_null(strstr(output, "\nsessions            total 5, up 4, down 1\n"));
	assert_non_null(strstr(
		output, "\nengine              wakeups 12345678, tick-mode no, stall-max 1.203 ms, drops "
			"(no-session 4)\n"));
	assert_non_null(strstr(output, "\nlater               -\n"));
	assert_non_null(strstr(output, "\nnew-"));
}

static void test_many_peers(void **state)
{
	json_t *json;

	stop_daemon();
	start_daemon("500");
	assert_int_equal(RUN("--json", "peers"), 0);
	json = json_loads(output, 0, NULL);
	assert_int_equal(json_array_size(json), 500);
	json_decref(json);
}

/* Whoever connects gets LINE, and the end. Takes the daemon's place. */
static void answer(const char *line)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	char byte;

	stop_daemon();
	unlink(path);
	strcpy(addr.sun_path, path);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 1), 0);
	daemon_pid = fork();
	if (daemon_pid)
		close(listener);
	while (!daemon_pid) {
		fd = accept(listener, NULL, NULL);
		while (read(fd, &byte, 1) == 1 && byte != '\n')
			;
		if (write(fd, line, strlen(line)) < 0)
			_exit(1);
		close(fd);
	}
}

static void test_broken_answers(void **state)
{
	static const char *const broken[] = {
		"\n",
		"{\n",
		"[]\n",
		"{\"ok\":true,\"data\":{}}\n",
		"{\"ok\":true,\"data\":[}\n",
		"{\"ok\":true,\"data\":[]\n",
		"{\"ok\":true,\"data\":[]}x\n",
		"{\"ok\":true,\"data\":[{\"name\":\"a\"}{}]}\n",
		"{\"ok\":true,\"data\":[{\"name\":\"a\"},]}\n",
		"{\"ok\":true,\"data\":[{\"name\":\"a\"},{\"na\n",
		"{\"ok\":true,\"data\":[1,\"\xff\"]}\n",
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		answer(broken[i]);
		assert_int_equal(RUN("--json", "peers"), 3);
		assert_non_null(strstr(errors, "what came is none"));
		assert_int_equal(RUN("peers"), 3);
		assert_non_null(strstr(errors, "what came is none"));
	}
	answer("{\"ok\":true,\"data\":[{\"name\":\"a\"}]}"); /* no newline */
	assert_int_equal(RUN("peers"), 3);
	assert_non_null(strstr(errors, "the daemon closed the connection"));
	answer(" {\"ok\":false, \"error\":\"busy\"}\n");
	assert_int_equal(RUN("peers"), 1);
	assert_string_equal(errors, "bfdctl: busy\n");
	answer("{\"ok\":true,\"data\":[ {\"name\" : \"a\"} , {} ] }\n");
	assert_int_equal(RUN("--json", "peers"), 0);
	assert_string_equal(output, "[\n{\n  \"name\": \"a\"\n},\n{}\n]\n");
}

static void test_too_many_clients(void **state)
{
	int fds[64];

	for (int i = 0; i < 64; i++)
		assert_true((fds[i] = dial()) >= 0);
	assert_int_equal(RUN("status"), 1);
	assert_string_equal(errors, "bfdctl: too many clients\n");
	for (int i = 0; i < 64; i++)
		close(fds[i]);
}

static void test_follow(void **state)
{
	static char followed[OUTPUT];
	size_t used = 0;
	int out[2];
	char *line, *end;
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = spawn((const char *const[]){"--json", "events", "--follow", "--last", "2", NULL}, out[1],
		    open("/dev/null", O_WRONLY | O_CLOEXEC));
	close(out[1]);
	followed[0] = '\0';
	assert_true(read_until(out[0], followed, &used, "\"id\":5"));
	assert_int_equal(RUN("peer", "event"), 0);
	assert_true(read_until(out[0], followed, &used, "\"id\":6"));
	stop_daemon();
	assert_false(read_until(out[0], followed, &used, NULL));
	assert_int_equal(exit_status(pid), 3);
	close(out[0]);
	assert_int_equal(lines_in(followed), 3);
	for (line = followed; *line; line = end + 1) {
		json_t *event;

		end = strchr(line, '\n');
		*end = '\0';
		event = json_loads(line, 0, NULL);
		assert_true(json_is_object(event));
		json_decref(event);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exit_status),	   TEST(test_usage),
		TEST(test_json),	   TEST(test_hostile_names),
		TEST(test_tables),	   TEST(test_no_peers),
		TEST(test_polls),	   TEST(test_unknown_fields),
		TEST(test_many_peers),	   TEST(test_too_many_clients),
		TEST(test_follow),	   TEST(test_postmortem),
		TEST(test_broken_answers),
	};

	if (!prepare())
		return 1;
	return cleaned(cmocka_run_group_tests(tests, NULL, NULL));
}
