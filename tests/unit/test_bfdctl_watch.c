// SPDX-License-Identifier: GPL-2.0-or-later
/* bfdctl in a pseudo-terminal: colours, and `watch`. */
#include "tests/unit/bfdctl_fixture.h"

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

int main(void)
{
	int master, slave;
	const struct CMUnitTest tests[] = {
		TEST(test_watch),	  TEST(test_watch_event),   TEST(test_watch_hostile_names),
		TEST(test_watch_signals), TEST(test_watch_stop),    TEST(test_watch_size),
		TEST(test_watch_scroll),  TEST(test_watch_restart), TEST(test_colours),
	};

	if (openpty(&master, &slave, NULL, NULL, NULL)) {
		printf("no pseudo-terminal is to be had here: is /dev/pts mounted?\n");
		return 77;
	}
	close(master);
	close(slave);
	if (!prepare())
		return 1;
	return cleaned(cmocka_run_group_tests(tests, NULL, NULL));
}
