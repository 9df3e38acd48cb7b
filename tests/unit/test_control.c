// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket: what is answered, and its file. */
#include "tests/unit/control_fixture.h"

static void test_answers(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	say(fd, "{\"command\": \"echo\", \"args\": [\"a\", \"b\"]}\n");
	expect(daemon, fd, "{\"ok\":true,\"data\":[\"a\",\"b\"]}\n");
	say(fd, "{\"command\": \"echo\"}\r\n");
	expect(daemon, fd, "{\"ok\":true,\"data\":[]}\n");
	say(fd, "{\"command\": \"x\\u001b\\\"y\", \"other\": 1}\n");
	expect(daemon, fd, "{\"ok\":false,\"error\":\"no command x\\u001B\\\"y\"}\n");
	close(fd);
}

static void test_answers_after_half_close(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	say(fd, "{\"command\": \"echo\"}\n{\"command\": \"echo\"}\n{\"half");
	shutdown(fd, SHUT_WR);
	expect_end(daemon, fd, "{\"ok\":true,\"data\":[]}\n{\"ok\":true,\"data\":[]}\n");
}

static void test_pieces(void **state)
{
	static const char line[] = "{\"command\": \"echo\", \"args\": [\"a\"]}\n";
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		expect(daemon, fd, "");
		say_bytes(fd, line + i, 1);
	}
	expect(daemon, fd, "{\"ok\":true,\"data\":[\"a\"]}\n");
	close(fd);
}

/* An answer in pieces is the same as one in whole. */
static void test_list(void **state)
{
	struct daemon *daemon = *state;
	char expected[3 * LIST_ELEMENT + 64], element[LIST_ELEMENT + 1];
	int fd = dial(daemon);

	memset(element, 'x', LIST_ELEMENT);
	element[LIST_ELEMENT] = '\0';
	say(fd, "{\"command\": \"list\"}\n");
	expect(daemon, fd, "{\"ok\":true,\"data\":[]}\n");
	say(fd, "{\"command\": \"list\", \"args\": [\"1\"]}\n");
	snprintf(expected, sizeof(expected), "{\"ok\":true,\"data\":[\"%s\"]}\n", element);
	expect(daemon, fd, expected);
	say(fd, "{\"command\": \"list\", \"args\": [\"3\"]}\n{\"command\": \"hold\"}\n");
	snprintf(expected, sizeof(expected), "{\"ok\":true,\"data\":[\"%s\",\"%s\",\"%s\"]}\n", element,
		 element, element);
	expect(daemon, fd, expected);
	settle(daemon);
	close(fd);
	settle(daemon);
	control_reply_written(daemon->held, write_list, &(json_int_t){2}); /* to nobody */
	settle(daemon);
	expect_alive(daemon);
}

static void test_order(void **state)
{
	struct daemon *daemon = *state;
	char line[64], expected[8192] = "";
	int fd = dial(daemon);

	say(fd, "{\"command\": \"hold\"}\n");
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "{\"command\": \"echo\", \"args\": [\"%d\"]}\n", i);
		say(fd, line);
		snprintf(expected + strlen(expected), 64, "{\"ok\":true,\"data\":[\"%d\"]}\n", i);
	}
	expect(daemon, fd, ""); /* all wait for the first */
	assert_int_equal(daemon->handled, 1);
	control_reply(daemon->held, json_null());
	settle(daemon);
	expect(daemon, fd,
	       (memmove(expected + 24, expected, strlen(expected) + 1),
		memcpy(expected, "{\"ok\":true,\"data\":null}\n", 24), expected));
	close(fd);
}

static void test_client_gone_while_held(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	say(fd, "{\"command\": \"hold\"}\n");
	settle(daemon);
	assert_non_null(daemon->held);
	close(fd);
	settle(daemon);
	control_reply(daemon->held, json_pack("{}"));
	settle(daemon);
	expect_alive(daemon);
}

static void test_free_while_held(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	say(fd, "{\"command\": \"hold\"}\n");
	settle(daemon);
	control_free(daemon->control);
	daemon->control = NULL;
	control_stream(daemon->held, json_pack("{}"), stream_closed, daemon);
	assert_int_equal(daemon->closed, 1);
	close(fd);
}

static void test_stream(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);
	json_t *event = json_pack("{s:i}", "id", 1);

	say(fd, "{\"command\": \"follow\"}\n");
	expect(daemon, fd, "{\"ok\":true,\"data\":[0]}\n");
	control_push(daemon->stream, event);
	control_push(daemon->stream, event);
	expect(daemon, fd, "{\"data\":{\"id\":1}}\n{\"data\":{\"id\":1}}\n");
	say(fd, "{\"command\": \"echo\"}\n"); /* a stream hears nothing but its end */
	expect(daemon, fd, "");
	control_push(daemon->stream, event);
	close(fd);
	settle(daemon);
	assert_int_equal(daemon->closed, 1);
	json_decref(event);
	expect_alive(daemon);
}

static void test_stream_free(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	say(fd, "{\"command\": \"follow\"}\n");
	settle(daemon);
	control_free(daemon->control);
	daemon->control = NULL;
	assert_int_equal(daemon->closed, 1);
	expect_end(daemon, fd, "{\"ok\":true,\"data\":[0]}\n");
}

static void test_big_answer(void **state)
{
	struct daemon *daemon = *state;
	size_t total = 0, size = 5000000;
	char line[128], buf[65536], *last = NULL;
	ssize_t n = 1;
	int fd = dial(daemon);

	snprintf(line, sizeof(line), "{\"command\": \"big\", \"args\": [\"%zu\"]}\n{\"command\": \"echo\"}\n",
		 size);
	say(fd, line);
	for (int i = 0; i < 100000 && !last; i++) {
		ev_run(daemon->loop, EVRUN_NOWAIT);
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		if (n <= 0)
			continue;
		buf[n] = '\0';
		total += (size_t)n;
		last = strstr(buf, "{\"ok\":true,\"data\":[]}\n");
	}
	assert_non_null(last);
	assert_int_equal(total, size + strlen("{\"ok\":true,\"data\":\"\"}\n") +
					strlen("{\"ok\":true,\"data\":[]}\n"));
	close(fd);
}

static void test_socket_file(void **state)
{
	struct daemon *daemon = *state;
	struct stat st;

	assert_int_equal(lstat(daemon->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	/* another one refuses, and leaves the first alone */
	assert_null(control_create(daemon->loop, daemon->path, handle, daemon, daemon->error,
				   sizeof(daemon->error)));
	assert_non_null(strstr(daemon->error, "a daemon already answers on /tmp/bfdd-control-"));
	expect_alive(daemon);
	/* a file that is no longer ours stays */
	unlink(daemon->path);
	close(open(daemon->path, O_CREAT | O_WRONLY, 0600));
	control_free(daemon->control);
	assert_int_equal(lstat(daemon->path, &st), 0);
	/* and is not replaced */
	start(daemon);
	assert_null(daemon->control);
	assert_non_null(strstr(daemon->error, "something that is no socket is in the way"));
	unlink(daemon->path);
}

static void test_stale_socket(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct daemon *daemon = *state;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	control_free(daemon->control);
	strcpy(addr.sun_path, daemon->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	start(daemon);
	assert_non_null(daemon->control);
	expect_alive(daemon);
}

/* A daemon that is there but too busy to accept. */
static void test_busy_daemon(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct daemon *daemon = *state;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client;

	control_free(daemon->control);
	strcpy(addr.sun_path, daemon->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 0), 0);
	client = dial(daemon);
	start(daemon);
	assert_null(daemon->control);
	assert_non_null(strstr(daemon->error, "already answers"));
	close(fd);
	close(client);
	unlink(daemon->path);
}

static void test_directory(void **state)
{
	struct daemon *daemon = *state;
	char folder[100], path[128];
	struct control *control;
	struct stat st;

	snprintf(folder, sizeof(folder), "%s/new", daemon->folder);
	snprintf(path, sizeof(path), "%s/control", folder);
	control = control_create(daemon->loop, path, handle, daemon, daemon->error, sizeof(daemon->error));
	assert_non_null(control);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	control_free(control);
	assert_int_equal(rmdir(folder), 0);

	snprintf(path, sizeof(path), "%s/new/er/control", daemon->folder);
	assert_null(control_create(daemon->loop, path, handle, daemon, daemon->error, sizeof(daemon->error)));
	assert_non_null(strstr(daemon->error, "cannot make the control socket's directory"));
	assert_non_null(strstr(daemon->error, "/new/er: No such file or directory"));
}

static void test_path_length(void **state)
{
	struct daemon *daemon = *state;
	char path[200];
	size_t used = (size_t)snprintf(path, sizeof(path), "%s/", daemon->folder);
	struct control *control;

	memset(path + used, 'x', sizeof(path) - used);
	path[108] = '\0';
	assert_null(control_create(daemon->loop, path, handle, daemon, daemon->error, sizeof(daemon->error)));
	assert_non_null(strstr(daemon->error, "a path of 1 to 107 bytes is needed"));
	assert_null(control_create(daemon->loop, "", handle, daemon, daemon->error, sizeof(daemon->error)));
	path[107] = '\0';
	control = control_create(daemon->loop, path, handle, daemon, daemon->error, sizeof(daemon->error));
	assert_non_null(control);
	control_free(control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),	    TEST(test_answers_after_half_close),
		TEST(test_pieces),	    TEST(test_list),
		TEST(test_order),	    TEST(test_client_gone_while_held),
		TEST(test_free_while_held), TEST(test_stream),
		TEST(test_stream_free),	    TEST(test_big_answer),
		TEST(test_socket_file),	    TEST(test_stale_socket),
		TEST(test_busy_daemon),	    TEST(test_directory),
		TEST(test_path_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
