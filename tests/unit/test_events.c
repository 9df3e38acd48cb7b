// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>
#include <time.h>

#include "ops/events.h"
#include "tests/unit/log_fixture.h"

static void add(struct events *events, int n)
{
	events_add(events, LOG_LEVEL_DEBUG, "tick", USEC_S, json_pack("{s:i}", "n", n));
}

static json_int_t number(json_t *events, size_t i, const char *key)
{
	return json_integer_value(json_object_get(json_array_get(events, i), key));
}

static void test_history(void **state)
{
	struct events *events = events_create(3);
	json_t *all;

	for (int n = 1; n <= 2; n++)
		add(events, n);
	all = events_all(events);
	assert_int_equal(json_array_size(all), 2);
	assert_int_equal(number(all, 0, "n"), 1);
	json_decref(all);
	for (int n = 3; n <= 8; n++)
		add(events, n);
	all = events_all(events);
	assert_int_equal(json_array_size(all), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(number(all, i, "n"), 6 + i);
		assert_int_equal(number(all, i, "id"), 6 + i);
	}
	events_free(events); /* what was handed out lives on */
	assert_int_equal(number(all, 2, "n"), 8);
	json_decref(all);
}

static void test_fields(void **state)
{
	struct events *events = events_create(1);
	json_t *all, *event;

	/* fields never stand in for what events says itself */
	events_add(events, LOG_LEVEL_DEBUG, "state", 5 * USEC_S,
		   json_pack("{s:s, s:i}", "peer", "ams-1", "id", 77));
	all = events_all(events);
	event = json_array_get(all, 0);
	assert_string_equal(json_string_value(json_object_get(event, "event")), "state");
	assert_string_equal(json_string_value(json_object_get(event, "peer")), "ams-1");
	assert_int_equal(number(all, 0, "id"), 1);
	assert_int_equal(strlen(json_string_value(json_object_get(event, "at"))),
			 strlen("2026-01-31T12:34:56.123456Z"));
	json_decref(all);
	events_free(events);
}

static void test_keep_none(void **state)
{
	struct events *events = events_create(0);
	json_t *all;

	add(events, 1);
	all = events_all(events);
	assert_int_equal(json_array_size(all), 0);
	json_decref(all);
	events_free(events);
}

static void test_log_line(void **state)
{
	struct events *events = events_create(1);
	char text[2 * LOG_MESSAGE_MAX];

	events_add(events, LOG_LEVEL_WARNING, "state", USEC_S,
		   json_pack("{s:s, s:s, s:s, s:i, s:f, s:b, s:n, s:{s:i}}", "peer", "ams-1", "reason",
			     "a \"b\"\n", "empty", "", "n", 3, "ms", 16.667, "yes", 1, "none", "drops", "ttl",
			     2));
	assert_string_equal(
		written(),
		"bfdd: warning: state peer=ams-1 reason=\"a \\\"b\\\"\\n\" empty=\"\" n=3 ms=16.667 "
		"yes=true none=null drops={\"ttl\":2}\n");
	assert_string_equal(written(), "");
	add(events, 1); /* debug: not at this level */
	assert_string_equal(written(), "");

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	events_add(events, LOG_LEVEL_WARNING, "long", USEC_S, json_pack("{s:s, s:s}", "a", text, "b", text));
	assert_memory_equal(written(), "bfdd: warning: long a=xxx", strlen("bfdd: warning: long a=xxx"));
	events_free(events);
}

struct listener {
	struct events *events;
	unsigned handle, other, heard;
	bool leave, leave_other;
};

static void hear(void *context, json_t *event)
{
	struct listener *listener = context;

	listener->heard++;
	if (listener->leave)
		events_unsubscribe(listener->events, listener->handle);
	if (listener->leave_other)
		events_unsubscribe(listener->events, listener->other);
}

static void test_subscribers(void **state)
{
	struct events *events = events_create(2);
	struct listener a = {.events = events}, b = {.events = events}, c = {.events = events};

	a.handle = events_subscribe(events, hear, &a);
	b.handle = events_subscribe(events, hear, &b);
	c.handle = events_subscribe(events, hear, &c);
	assert_true(a.handle && b.handle && c.handle && a.handle != b.handle && b.handle != c.handle);
	add(events, 1);
	assert_int_equal(a.heard + b.heard + c.heard, 3);
	a.leave = true; /* itself, and one that would be called later, while events are handed out */
	a.leave_other = true;
	a.other = c.handle;
	add(events, 2);
	assert_int_equal(a.heard, 2);
	assert_int_equal(b.heard, 2);
	assert_int_equal(c.heard, 1);
	add(events, 3);
	assert_int_equal(a.heard, 2);
	assert_int_equal(b.heard, 3);
	/* a handle of before does not take away who has its place now */
	c.handle = events_subscribe(events, hear, &c);
	events_unsubscribe(events, a.handle);
	add(events, 4);
	assert_int_equal(c.heard, 2);
	events_free(events);
}

static void test_time(void **state)
{
	struct timespec mono, real, after;
	char text[EVENTS_TIME], again[EVENTS_TIME];
	struct tm tm = {0};
	usec_t now, said;
	unsigned us;
	char *rest;

	do { /* until nobody held us up between the two */
		clock_gettime(CLOCK_MONOTONIC, &mono);
		clock_gettime(CLOCK_REALTIME, &real);
		clock_gettime(CLOCK_MONOTONIC, &after);
	} while (after.tv_sec != mono.tv_sec || after.tv_nsec - mono.tv_nsec > 1000000);
	now = mono.tv_sec * USEC_S + mono.tv_nsec / 1000;
	assert_ptr_equal(events_time(now, text), text);
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	assert_non_null(rest);
	assert_int_equal(sscanf(rest, ".%6uZ", &us), 1);
	assert_int_equal(strlen(rest), strlen(".123456Z"));
	said = timegm(&tm) * USEC_S + us;
	assert_in_range(llabs(said - (real.tv_sec * USEC_S + real.tv_nsec / 1000)), 0, 10 * USEC_MS);
	/* an instant is told the same way each time, whatever the clocks are read as */
	for (int i = 0; i < 10000; i++)
		assert_string_equal(events_time(now, again), text);
	/* and distances are exact */
	events_time(now + 1, again);
	assert_string_not_equal(again, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_keep_none),
		cmocka_unit_test_setup_teardown(test_log_line, setup, teardown),
		cmocka_unit_test(test_subscribers),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
