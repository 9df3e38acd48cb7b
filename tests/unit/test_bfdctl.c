// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The real bfdctl against tests/net/tools/control_fake: exit statuses, JSON, what hostile names do to a
 * terminal, and `watch` in a pseudo-terminal. Both programs are looked for in $BUILD, or where this one was
 * built.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include <cmocka.h>
#include <jansson.h>

#include "ops/escape.h"

#define PATIENCE 20 /* s that anything may take */
#define OUTPUT (1 << 20)

static char bfdctl[PATH_MAX + 64], fake[PATH_MAX + 64], folder[] = "/tmp/bfdctl-XXXXXX", path[128];
static pid_t daemon_pid;

static void find_programs(void)
{
	char self[PATH_MAX] = "";
	const char *build = getenv("BUILD");

	if (!build) {
		assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
		for (int i = 0; i < 3; i++) /* BUILD/tests/unit/test_bfdctl */
			*strrchr(self, '/') = '\0';
		build = self;
	}
	snprintf(bfdctl, sizeof(bfdctl), "%s/bfdctl", build);
	snprintf(fake, sizeof(fake), "%s/tests/net/tools/control_fake", build);
}

static int dial(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void start_daemon(const char *peers)
{
	time_t end = time(NULL) + PATIENCE;
	int fd;

	daemon_pid = fork();
	if (daemon_pid == 0) {
		execl(fake, fake, path, peers, NULL);
		fprintf(stderr, "%s: %s\n", fake, strerror(errno));
		_exit(127);
	}
	while ((fd = dial()) < 0) {
		assert_true(time(NULL) < end);
		assert_int_equal(waitpid(daemon_pid, NULL, WNOHANG), 0);
		usleep(1000);
	}
	close(fd);
}

static void stop_daemon(void)
{
	if (!daemon_pid)
		return;
	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, NULL, 0);
	daemon_pid = 0;
}

static int setup(void **state)
{
	start_daemon("5");
	return 0;
}

static int teardown(void **state)
{
	stop_daemon();
	return 0;
}

static int exit_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads until FD's end, or until TEXT was seen among what came (then true). */
static bool read_until(int fd, char *out, size_t *used, const char *text)
{
	time_t end = time(NULL) + PATIENCE;
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	ssize_t n;

	while (!text || !strstr(out, text)) {
		assert_true(time(NULL) < end);
		if (poll(&pfd, 1, 1000) <= 0)
			continue;
		n = read(fd, out + *used, OUTPUT - 1 - *used);
		if (n <= 0)
			return false;
		*used += (size_t)n;
		out[*used] = '\0';
	}
	return true;
}

static pid_t spawn(const char *const *words, int out, int err)
{
	const char *argv[16] = {bfdctl, "-s", path};
	pid_t pid;

	for (int i = 0; words[i]; i++)
		argv[3 + i] = words[i];
	pid = fork();
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		execv(bfdctl, (char **)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static char output[OUTPUT], errors[OUTPUT];

/* Runs bfdctl; what it wrote is in output and errors. Returns its exit status. */
static int run(const char *const *words)
{
	size_t used = 0;
	int out[2];
	FILE *file = tmpfile();
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = spawn(words, out[1], fileno(file));
	close(out[1]);
	output[0] = '\0';
	read_until(out[0], output, &used, NULL);
	close(out[0]);
	rewind(file);
	errors[fread(errors, 1, sizeof(errors) - 1, file)] = '\0';
	fclose(file);
	return exit_status(pid);
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void assert_safe(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		size_t length = *p == '\n' ? 1 : escape_plain(p);

		if (!length)
			fail_msg("byte %02x in: %s", *p, text);
		p += length;
	}
}

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
	static const char *const wrong[][4] = {
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
		{"status"},   {"peers"},  {"peer", "event"}, {"sites"},
		{"services"}, {"events"}, {"reload"},	     {"peer", "\033[2J\x9b"}};

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

static size_t lines_in(const char *text)
{
	size_t lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
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

struct watch {
	pid_t pid;
	int fd;
	struct termios before;
	char screen[OUTPUT];
	size_t used;
};

static void start_watch(struct watch *watch, unsigned short rows, unsigned short columns)
{
	struct winsize size = {.ws_row = rows, .ws_col = columns};
	int slave;

	assert_int_equal(openpty(&watch->fd, &slave, NULL, NULL, &size), 0);
	tcgetattr(slave, &watch->before);
	watch->pid = fork();
	if (watch->pid == 0) {
		setenv("TERM", "xterm", 1);
		login_tty(slave);
		close(watch->fd);
		execl(bfdctl, bfdctl, "-s", path, "watch", NULL);
		_exit(127);
	}
	close(slave);
	watch->used = 0;
	watch->screen[0] = '\0';
}

/* TEXT appears on the screen after what was seen last. */
static void see(struct watch *watch, const char *text)
{
	char *at;

	assert_true(read_until(watch->fd, watch->screen, &watch->used, text));
	at = strstr(watch->screen, text) + strlen(text);
	watch->used -= (size_t)(at - watch->screen);
	memmove(watch->screen, at, watch->used + 1);
}

static void press(struct watch *watch, const char *keys)
{
	assert_int_equal(write(watch->fd, keys, strlen(keys)), strlen(keys));
}

static void end_watch(struct watch *watch)
{
	struct termios after;

	see(watch, "\033[?25h\033[?1049l"); /* the cursor and the other screen are back */
	assert_int_equal(exit_status(watch->pid), 0);
	tcgetattr(watch->fd, &after);
	assert_int_equal(after.c_lflag, watch->before.c_lflag);
	close(watch->fd);
}

/* What the next frame says of the daemon's age. */
static void uptime(struct watch *watch, char text[32])
{
	see(watch, ", for ");
	assert_true(read_until(watch->fd, watch->screen, &watch->used, ";"));
	snprintf(text, 32, "%.*s", (int)strcspn(watch->screen, ";"), watch->screen);
}

static void test_watch(void **state)
{
	static struct watch watch;
	char first[32], later[32];
	struct termios now;

	start_watch(&watch, 24, 200);
	see(&watch, "\033[?1049h\033[?25l");
	see(&watch, "\033[31m4 of 5 sessions up\033[0m");
	see(&watch, "ams (IPv4), fra (IPv6)");
	see(&watch, "\033[32mup\033[0m");
	see(&watch, "\033[31mdown\033[0m");
	see(&watch, "q quits");
	tcgetattr(watch.fd, &now);
	assert_int_equal(now.c_lflag & (ICANON | ECHO), 0);
	uptime(&watch, first);
	do /* goes on by itself */
		uptime(&watch, later);
	while (!strcmp(first, later));
	press(&watch, "q");
	end_watch(&watch);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

/* An event is shown before the next second has passed. Each try begins just after the watch has asked; on a
 * busy machine some may take long, but not all. */
static void test_watch_event(void **state)
{
	static struct watch watch;
	int64_t begin, fastest = INT64_MAX;
	char last[32], next[32], text[32];

	start_watch(&watch, 24, 100);
	uptime(&watch, next);
	for (int i = 0; i < 5; i++) {
		strcpy(last, next);
		while (!strcmp(last, next))
			uptime(&watch, next);
		begin = now_ms();
		assert_int_equal(RUN("peer", "event"), 0);
		snprintf(text, sizeof(text), "%d of 5 sessions up", i % 2 ? 4 : 3);
		see(&watch, text);
		if (now_ms() - begin < fastest)
			fastest = now_ms() - begin;
	}
	assert_in_range(fastest, 0, 600);
	press(&watch, "q");
	end_watch(&watch);
}

static void test_watch_hostile_names(void **state)
{
	static struct watch watch;

	start_watch(&watch, 24, 200);
	assert_true(read_until(watch.fd, watch.screen, &watch.used, "q quits"));
	assert_non_null(strstr(watch.screen, "\\x1b[2J\\x1b]0;owned\\x07"));
	assert_null(strstr(watch.screen, "\033]0;"));
	assert_null(strstr(watch.screen, "\033[2J"));
	assert_null(strchr(watch.screen, '\007'));
	press(&watch, "q");
	end_watch(&watch);
}

static void test_watch_signals(void **state)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	static struct watch watch;

	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		start_watch(&watch, 24, 80);
		see(&watch, "q quits");
		kill(watch.pid, ending[i]);
		end_watch(&watch);
	}
}

static void test_watch_stop(void **state)
{
	static struct watch watch;
	int status;

	start_watch(&watch, 24, 80);
	see(&watch, "q quits");
	press(&watch, "\032"); /* Ctrl-Z */
	see(&watch, "\033[?1049l");
	assert_int_equal(waitpid(watch.pid, &status, WUNTRACED), watch.pid);
	assert_true(WIFSTOPPED(status));
	kill(watch.pid, SIGCONT);
	see(&watch, "\033[?1049h");
	see(&watch, "q quits");
	press(&watch, "q");
	end_watch(&watch);
}

/* The longest line between two line ends in SCREEN, without escape sequences. */
static size_t widest(const char *screen)
{
	size_t width = 0, most = 0;

	for (; *screen; screen++) {
		if (*screen == '\033')
			screen += strcspn(screen, "mKJHhl");
		else
			width = *screen == '\n' ? 0 : width + (*screen != '\r' && (*screen & 0xc0) != 0x80);
		if (width > most)
			most = width;
		if (!*screen)
			break;
	}
	return most;
}

static void test_watch_size(void **state)
{
	struct winsize narrow = {.ws_row = 10, .ws_col = 30};
	static struct watch watch;

	start_watch(&watch, 24, 60);
	assert_true(read_until(watch.fd, watch.screen, &watch.used, "q quits"));
	assert_in_range(widest(watch.screen), 50, 60);
	see(&watch, "q quits");
	assert_int_equal(ioctl(watch.fd, TIOCSWINSZ, &narrow), 0);
	see(&watch, "\033[H");
	assert_true(read_until(watch.fd, watch.screen, &watch.used, "\033[J"));
	assert_in_range(widest(watch.screen), 25, 30);
	assert_in_range(lines_in(watch.screen), 5, 9);
	press(&watch, "q");
	end_watch(&watch);
}

static void test_watch_scroll(void **state)
{
	static struct watch watch;

	stop_daemon();
	start_daemon("100");
	start_watch(&watch, 20, 120);
	see(&watch, "peers 1 to 12 of 100");
	press(&watch, "j");
	see(&watch, "peers 2 to 13 of 100");
	press(&watch, " ");
	see(&watch, "peers 14 to 25 of 100");
	press(&watch, "\033[A");
	see(&watch, "peers 13 to 24 of 100");
	press(&watch, "bbbb");
	see(&watch, "peers 1 to 12 of 100");
	press(&watch, "           ");
	see(&watch, "peers 89 to 100 of 100");
	press(&watch, "q");
	end_watch(&watch);
}

static void test_watch_restart(void **state)
{
	static struct watch watch;

	stop_daemon();
	start_watch(&watch, 24, 100); /* before there is a daemon */
	see(&watch, "no answer for ");
	start_daemon("5");
	see(&watch, "sessions up");
	stop_daemon();
	see(&watch, "no answer for ");
	see(&watch, "no daemon answers on /tmp/bfdctl-");
	see(&watch, "sessions up"); /* the last that was known stays */
	start_daemon("5");
	see(&watch, "the daemon was restarted");
	press(&watch, "q");
	end_watch(&watch);
}

static void test_colours(void **state)
{
	static const char *const no_color[] = {NULL, "1", ""};
	static char text[OUTPUT];

	for (int i = 0; i < 3; i++) {
		size_t used = 0;
		int master, slave;
		pid_t pid;

		assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
		if (no_color[i])
			setenv("NO_COLOR", no_color[i], 1);
		pid = spawn((const char *const[]){"peers", NULL}, slave, slave);
		unsetenv("NO_COLOR");
		close(slave);
		text[0] = '\0';
		read_until(master, text, &used, NULL);
		close(master);
		assert_int_equal(exit_status(pid), 0);
		if (i == 1)
			assert_null(strchr(text, '\033'));
		else
			assert_non_null(strstr(text, "\033[32mup\033[0m"));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exit_status),
		TEST(test_usage),
		TEST(test_json),
		TEST(test_hostile_names),
		TEST(test_tables),
		TEST(test_no_peers),
		TEST(test_unknown_fields),
		TEST(test_many_peers),
		TEST(test_too_many_clients),
		TEST(test_follow),
		TEST(test_watch),
		TEST(test_watch_event),
		TEST(test_watch_hostile_names),
		TEST(test_watch_signals),
		TEST(test_watch_stop),
		TEST(test_watch_size),
		TEST(test_watch_scroll),
		TEST(test_watch_restart),
		TEST(test_colours),
	};
	int failed;

	find_programs();
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/control", folder);
	unsetenv("NO_COLOR");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(folder);
	return failed;
}
