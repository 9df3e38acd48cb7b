/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client of BIRD's control socket against one that answers well, slowly, wrongly or not at all. */
#include <dirent.h>
#include <ev.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/log.h"
#include "routing/bird.h"

#define TIMEOUT (100 * USEC_MS)
#define ROUNDS 10000

enum manner {
	WELL,
	MUTE,	    /* accepts and says nothing */
	DEAF,	    /* greets, and never answers */
	RUDE,	    /* greets as somebody else */
	GARBLED,    /* answers what is no line */
	RESTRICTED, /* 8007 to orders */
	HANGS_UP,   /* in the middle of an answer */
	ENDLESS,    /* an answer that never ends */
};

/* One protocol, one connection. */
struct fake {
	enum manner manner;
	char path[64], reason[200], log[4096];
	int listener, fd;
	ev_io accepts, reads;
	ev_timer more;
	bool down, bytewise;
	char line[512];
	size_t used;
	unsigned connections;
};

static struct ev_loop *loop;
static struct fake fake;

static struct {
	unsigned protocols, told, lost, done;
	unsigned code;
	struct bird_protocol last;
	char text[200];
} heard;

static void say(const char *text)
{
	size_t size = strlen(text);

	for (size_t at = 0; at < size && fake.fd >= 0; at += fake.bytewise ? 1 : size)
		assert_int_equal(send(fake.fd, text + at, fake.bytewise ? 1 : size, MSG_NOSIGNAL),
				 fake.bytewise ? 1 : (ssize_t)size);
}

static void hang_up(void)
{
	if (fake.fd < 0)
		return;
	ev_io_stop(loop, &fake.reads);
	ev_timer_stop(loop, &fake.more);
	close(fake.fd);
	fake.fd = -1;
}

static void on_more(struct ev_loop *on, ev_timer *watcher, int revents)
{
	say("1006-  and more\n");
}

static void show(void)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "2002-Name Proto Table State Since Info\n1002-pa BGP --- %s 1\n1006-%s%s\n"
		 "   BGP state: %s\n     Neighbor address: 192.0.2.1\n",
		 fake.down ? "down" : "up", *fake.reason ? "  Message: " : "", fake.reason,
		 fake.down ? "Down" : "Established");
	say(text);
	if (fake.manner == HANGS_UP)
		hang_up();
	else if (fake.manner == ENDLESS)
		ev_timer_again(loop, &fake.more);
	else
		say("0000 \n");
}

static void order(const char *line)
{
	bool disable = !strncmp(line, "disable 'pa' \"", 14), enable = !strcmp(line, "enable 'pa'");

	if (fake.manner == RESTRICTED) {
		say("8007 Access denied\n");
	} else if (!disable && !enable) {
		say("9001 syntax error, unexpected CF_SYM_UNDEFINED\n");
	} else if (fake.down == disable) {
		say(disable ? "0008-pa: already disabled\n0000 \n" : "0010-pa: already enabled\n0000 \n");
	} else {
		fake.down = disable;
		fake.reason[0] = '\0';
		if (disable)
			snprintf(fake.reason, sizeof(fake.reason), "%.*s", (int)strcspn(line + 14, "\""),
				 line + 14);
		say(disable ? "0009-pa: disabled\n0000 \n" : "0011-pa: enabled\n0000 \n");
	}
}

static void answer(const char *line)
{
	if (strlen(fake.log) + strlen(line) + 2 < sizeof(fake.log))
		strcat(strcat(fake.log, line), "|");
	if (fake.manner == DEAF)
		return;
	if (fake.manner == GARBLED)
		say("nothing that BIRD would say\n");
	else if (!strcmp(line, "show protocols all"))
		show();
	else
		order(line);
}

static void on_reads(struct ev_loop *on, ev_io *watcher, int revents)
{
	char buf[512];
	ssize_t n = recv(fake.fd, buf, sizeof(buf), 0);

	if (n <= 0) {
		hang_up();
		return;
	}
	for (ssize_t i = 0; i < n && fake.fd >= 0; i++) {
		if (buf[i] != '\n') {
			fake.line[fake.used++] = buf[i];
			assert_true(fake.used < sizeof(fake.line));
			continue;
		}
		fake.line[fake.used] = '\0';
		fake.used = 0;
		answer(fake.line);
	}
}

static void on_accepts(struct ev_loop *on, ev_io *watcher, int revents)
{
	hang_up();
	fake.fd = accept4(fake.listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fake.fd >= 0);
	fake.connections++;
	fake.used = 0;
	ev_io_set(&fake.reads, fake.fd, EV_READ);
	ev_io_start(loop, &fake.reads);
	if (fake.manner == RUDE)
		say("220 mail.example.net ESMTP\n");
	else if (fake.manner != MUTE)
		say("0001 BIRD 2.0.12 ready.\n");
}

static void hear_protocol(void *context, const struct bird_protocol *protocol)
{
	heard.protocols++;
	heard.last = *protocol;
}

static void hear_told(void *context)
{
	heard.told++;
}

static void hear_lost(void *context)
{
	heard.lost++;
}

static void hear_done(void *context, const char *name, bool enable, unsigned code, const char *text)
{
	heard.done++;
	heard.code = code;
}

static struct bird *begin(enum manner manner)
{
	static const struct bird_callbacks callbacks = {
		.protocol = hear_protocol, .told = hear_told, .lost = hear_lost, .done = hear_done};
	struct bird *bird;

	memset(&heard, 0, sizeof(heard));
	fake.manner = manner;
	fake.down = fake.bytewise = false;
	fake.reason[0] = fake.log[0] = '\0';
	fake.connections = 0;
	bird = bird_create(loop, fake.path, TIMEOUT, &callbacks);
	assert_non_null(bird);
	return bird;
}

static void finish(struct bird *bird)
{
	bird_free(bird);
	hang_up();
}

static void on_limit(struct ev_loop *on, ev_timer *watcher, int revents)
{
	*(bool *)watcher->data = true;
}

/* Runs the loop until *COUNT is LEAST or SECONDS are over; whether it is. */
static bool runs_until(const unsigned *count, unsigned least, double seconds)
{
	bool over = false;
	ev_timer limit;

	ev_timer_init(&limit, on_limit, seconds, 0.);
	limit.data = &over;
	ev_timer_start(loop, &limit);
	while (*count < least && !over)
		ev_run(loop, EVRUN_ONCE);
	ev_timer_stop(loop, &limit);
	return *count >= least;
}

static struct bird_status status_of(const struct bird *bird)
{
	struct bird_status status;

	bird_status(bird, &status);
	return status;
}

static void test_tells(void **state)
{
	struct bird *bird = begin(WELL);

	assert_false(bird_disable(bird, "pa", "too early"));
	fake.bytewise = true;
	assert_true(runs_until(&heard.told, 1, 5.));
	assert_int_equal(heard.protocols, 1);
	assert_string_equal(heard.last.bgp_state, "Established");
	assert_true(status_of(bird).connected);
	assert_string_equal(status_of(bird).version, "2.0.12");
	assert_true(status_of(bird).told > 0);
	assert_true(runs_until(&heard.told, 2, 5.)); /* by itself */
	finish(bird);
}

static void test_orders(void **state)
{
	struct bird *bird = begin(WELL);

	assert_true(runs_until(&heard.told, 1, 5.));
	assert_false(bird_disable(bird, "p\"a", "x"));
	assert_false(bird_disable(bird, "", "x"));
	assert_true(bird_disable(bird, "pa", "bfdd: a \"quoted\"\nreason"));
	assert_true(runs_until(&heard.done, 1, 5.));
	assert_int_equal(heard.code, BIRD_DISABLED);
	assert_true(fake.down);
	assert_string_equal(fake.reason, "bfdd: a 'quoted'?reason");
	bird_ask(bird);
	assert_true(runs_until(&heard.told, 2, 5.));
	assert_true(heard.last.down && heard.last.ours);
	assert_true(bird_disable(bird, "pa", "again"));
	assert_true(runs_until(&heard.done, 2, 5.));
	assert_int_equal(heard.code, BIRD_ALREADY_DISABLED);
	assert_true(bird_enable(bird, "pa"));
	assert_true(runs_until(&heard.done, 3, 5.));
	assert_int_equal(heard.code, BIRD_ENABLED);
	/* One is under way; of those that wait for the same protocol the last holds. */
	fake.log[0] = '\0';
	assert_true(bird_disable(bird, "pa", "1"));
	assert_true(bird_disable(bird, "pa", "2"));
	assert_true(bird_enable(bird, "pa"));
	assert_true(runs_until(&heard.done, 5, 5.));
	assert_string_equal(fake.log, "disable 'pa' \"1\"|enable 'pa'|");
	assert_true(bird_disable(bird, "unknown", "x"));
	assert_true(runs_until(&heard.done, 6, 5.));
	assert_int_equal(heard.code, 9001);
	assert_true(status_of(bird).connected);
	finish(bird);
}

static void test_queue_is_bounded(void **state)
{
	struct bird *bird = begin(WELL);
	char name[16];
	unsigned n = 0;

	assert_true(runs_until(&heard.told, 1, 5.));
	do
		snprintf(name, sizeof(name), "p%u", n);
	while (n < 100000 && bird_enable(bird, name) && ++n);
	assert_true(n >= 16 && n < 100000);
	assert_true(runs_until(&heard.done, n, 5.));
	assert_true(bird_enable(bird, "pa"));
	finish(bird);
}

/* Each of these costs the connection, is said in the status, and is tried again. */
static void test_trouble(void **state)
{
	static const struct {
		enum manner manner;
		const char *trouble;
	} cases[] = {
		{MUTE, "no answer within the time"},	     {DEAF, "no answer within the time"},
		{RUDE, "it says what cannot be understood"}, {GARBLED, "it says what cannot be understood"},
		{HANGS_UP, "it closed the connection"},	     {ENDLESS, "no answer within the time"},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bird *bird = begin(cases[i].manner);

		assert_true(runs_until(&fake.connections, 2, 10.));
		assert_string_equal(status_of(bird).trouble, cases[i].trouble);
		assert_int_equal(heard.told, 0);
		assert_int_equal(heard.lost > 0, cases[i].manner != MUTE && cases[i].manner != RUDE);
		fake.manner = WELL;
		assert_true(runs_until(&heard.told, 1, 10.));
		assert_true(status_of(bird).connected);
		assert_string_equal(status_of(bird).trouble, "");
		finish(bird);
	}
}

static void test_restricted(void **state)
{
	struct bird *bird = begin(RESTRICTED);

	assert_true(runs_until(&heard.told, 1, 5.));
	assert_true(bird_disable(bird, "pa", "x"));
	assert_true(runs_until(&heard.done, 1, 5.));
	assert_int_equal(heard.code, BIRD_ACCESS_DENIED);
	assert_true(status_of(bird).connected);
	assert_int_equal(status_of(bird).refusals, 1);
	assert_string_equal(status_of(bird).trouble, "it refuses to disable: Access denied");
	finish(bird);
}

static void test_absent(void **state)
{
	char path[sizeof(fake.path)];
	unsigned never = 0;
	struct bird *bird;

	strcpy(path, fake.path);
	strcat(fake.path, ".not");
	bird = begin(WELL);
	assert_false(runs_until(&never, 1, .5));
	assert_false(status_of(bird).connected);
	assert_string_equal(status_of(bird).trouble, "cannot connect: No such file or directory");
	assert_false(bird_finish(bird, USEC_S));
	finish(bird);
	strcpy(fake.path, path);
}

static unsigned descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void rounds(struct bird *bird, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned done = heard.done;

		assert_true(i % 2 ? bird_enable(bird, "pa") : bird_disable(bird, "pa", "bfdd: round"));
		assert_true(runs_until(&heard.done, done + 1, 5.));
	}
}

static void test_leaks_nothing(void **state)
{
	struct bird *bird = begin(WELL);
	struct mallinfo2 before, after;
	unsigned open;

	assert_true(runs_until(&heard.told, 1, 5.));
	rounds(bird, 100);
	before = mallinfo2();
	open = descriptors();
	rounds(bird, ROUNDS);
	after = mallinfo2();
	assert_int_equal(descriptors(), open);
	assert_true(after.uordblks <= before.uordblks);
	assert_int_equal(status_of(bird).connections, 1);
	finish(bird);
}

static int set_up(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	log_init(0); /* the trouble is wanted */
	loop = ev_default_loop(EVFLAG_AUTO);
	snprintf(fake.path, sizeof(fake.path), "/tmp/bfdd-test-bird-%d", (int)getpid());
	strcpy(address.sun_path, fake.path);
	fake.fd = -1;
	fake.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fake.listener, (const struct sockaddr *)&address, sizeof(address)) ||
	    listen(fake.listener, 8))
		return -1;
	ev_io_init(&fake.accepts, on_accepts, fake.listener, EV_READ);
	ev_init(&fake.reads, on_reads);
	ev_init(&fake.more, on_more);
	fake.more.repeat = .02;
	ev_io_start(loop, &fake.accepts);
	return 0;
}

static int tear_down(void **state)
{
	ev_io_stop(loop, &fake.accepts);
	close(fake.listener);
	unlink(fake.path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tells),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_queue_is_bounded),
		cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_restricted),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
