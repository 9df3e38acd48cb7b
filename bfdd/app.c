/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's life: opens everything in an order in which a refusal leaves nothing behind, joins the parts,
 * and takes them apart at a clean stop. The engine starts before anything is told to it; what a predecessor
 * left in the kernel is settled before that, so that the policy begins with what is true.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cap-ng.h>

#include "app_private.h"
#include "core/table.h"
#include "ops/view.h"

#define LINGER (3 * USEC_S)
/* Of each RT_PERIOD_US, in us; together they fit one processor. The engine's longest turns take 2 to 3 ms,
 * with 10,000 sessions; steering waits for the kernel more than it runs. */
#define ENGINE_BUDGET 2000
#define STEER_BUDGET 1000
#define STALL_WORTH_TELLING (20 * USEC_MS)

usec_t app_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * USEC_S + now.tv_nsec / 1000;
}

/* What the engine gives to the steering thread; in the engine's thread. */

_Static_assert((int)STEER_DETACH == (int)POLICY_DETACH && (int)STEER_GROUP == (int)POLICY_GROUP &&
		       (int)STEER_RULE_DEL == (int)POLICY_RULE_DEL &&
		       (int)STEER_RULE_ADD == (int)POLICY_RULE_ADD,
	       "orders are the policy's actions");

static void order(void *context, const struct policy_action *action, usec_t detected)
{
	struct app *app = context;

	app_failover_note(app, action);
	if (!steer_order(app->steer, &(struct steer_order){
					     .kind = action->kind,
					     .member = action->member,
					     .group = action->group,
					     .rule = action->rule,
					     .way = action->way,
					     .mask = action->mask,
					     .detected = detected,
				     }))
		atomic_fetch_add(&app->orders_lost, 1);
}

static void order_map(void *context, void *map)
{
	struct app *app = context;

	if (!steer_order(app->steer, &(struct steer_order){.kind = STEER_MAP, .map = map}))
		atomic_fetch_add(&app->orders_lost, 1);
	app_failover_map(app, map);
	app->retire = true;
}

static void flush_orders(void *context)
{
	struct app *app = context;
	bool raised;

	/* The first decision after a map is the adoption: what it builds is on its way. */
	if (app->retire && !steer_order(app->steer, &(struct steer_order){.kind = STEER_RETIRE}))
		atomic_fetch_add(&app->orders_lost, 1);
	app->retire = false;
	raised = app_failover_raise(app);
	steer_flush(app->steer);
	if (raised)
		mark_flush(app->mark);
}

/* What comes back; in the main thread. */

static void engine_event(void *context, const struct engine_event *event)
{
	struct app *app = context;

	switch (event->kind) {
	case ENGINE_STATE:
	case ENGINE_NEGOTIATED:
		app_peer_event(app, event);
		break;
	case ENGINE_ADD_FAILED:
		app_peer_refused(app, event->slot);
		break;
	case ENGINE_PATH_FAILED:
		app_peer_path_refused(app, event->slot);
		break;
	case ENGINE_REMOVED:
		break;
	case ENGINE_UNSOLICITED:
		app_unsolicited_event(app, event);
		break;
	case ENGINE_KEYS_RETIRED:
		app_keys_retired(app, event->keys);
		break;
	case ENGINE_POLICY_RETIRED:
		policy_free(event->policy);
		free(event->slot_path);
		if (event->map) {
			struct app_map *old = event->map;

			app->map_engine = old->next;
			app_map_release(app, old);
		}
		break;
	case ENGINE_SWITCH:
		app_policy_switch(app, event);
		break;
	case ENGINE_STALL:
		if (event->lateness >=
		    STALL_WORTH_TELLING) /* the others are counted; the history has better uses */
			events_add(app->events, LOG_LEVEL_WARNING, "stall", event->at,
				   json_pack("{s:o}", "late", view_ms(event->lateness)));
		break;
	case ENGINE_LOST_EVENTS:
		log_warning("%u events of the engine were lost: too many at once", event->count);
		app_peers_recount(app);
		app_policy_recount(app);
		break;
	}
}

static void on_engine(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct app *app = watcher->data;

	engine_poll_events(app->engine, engine_event, app);
}

static void steer_report(void *context, const struct steer_report *report)
{
	app_policy_report(context, report);
}

static void on_steer(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct app *app = watcher->data;

	/* What the orders were given for is told first: it is their reason. */
	engine_poll_events(app->engine, engine_event, app);
	if (steer_poll_reports(app->steer, steer_report, app))
		app_policy_check_in(app, 0.);
	if (atomic_load(&app->orders_lost) != app->orders_lost_seen) {
		app->orders_lost_seen = atomic_load(&app->orders_lost);
		log_error("steering: more orders than the steering thread could take; comparing with the "
			  "kernel");
		app_policy_check_in(app, 0.);
	}
}

static void route_refused(void *context, uint32_t table, const struct prefix *prefix, int error)
{
	struct app *app = context;
	char text[PREFIX_TEXT];

	if (!app->routes_refused++)
		log_error("steering: the kernel refused the route to %s in table %u: %s",
			  prefix_format(prefix, text), table, strerror(-error));
}

static void tables_ready(void *context, uint32_t table, uint8_t family, bool ready)
{
	app_policy_ready(context, table, family, ready);
}

void app_routes_wake(struct app *app)
{
	if (routes_pending(app->routes))
		ev_idle_start(app->loop, &app->routes_idle);
}

static void on_routes_idle(struct ev_loop *loop, ev_idle *watcher, int revents)
{
	struct app *app = watcher->data;

	routes_work(app->routes);
	if (!routes_pending(app->routes))
		ev_idle_stop(loop, watcher);
}

static void on_second(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct app *app = watcher->data;

	if (app->routes_refused > 1)
		log_error("steering: and %u more routes", app->routes_refused - 1);
	app->routes_refused = 0;
	app_routes_wake(app);
	app_peers_warn(app);
	app_neighbours_retry(app);
	app_links_second(app);
	app_echo_second(app);
	app_marks_second(app);
	app_bgp_second(app);
	app_failover_tell(app);
	app_survive_second(app);
	app_unsolicited_second(app);
	app_keys_second(app);
}

static void on_retry(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct app *app = watcher->data;

	if (app->peers_dirty)
		app_peers_resolve(app);
	else
		ev_timer_stop(loop, watcher);
}

static void on_check(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	app_policy_check(watcher->data);
}

/* Start */

static bool may(unsigned capability, const char *name, const char *why, char *error, size_t size)
{
	if (capng_have_capability(CAPNG_EFFECTIVE, capability))
		return true;
	snprintf(error, size,
		 "%s is missing, needed %s: run as root, or give it (systemd: AmbientCapabilities=%s; a "
		 "file: setcap)",
		 name, why, name);
	return false;
}

static struct rt_thread thread(const struct app *app, const char *name, unsigned budget)
{
	struct rt_thread thread = {.wanted = app->config->daemon.realtime,
				   .priority = app->config->daemon.realtime_priority,
				   .deadline = app->config->daemon.realtime_deadline,
				   .runtime_us = budget};

	snprintf(thread.name, sizeof(thread.name), "%s", name);
	return thread;
}

static int open_engine(struct app *app, char *error, size_t size)
{
	const struct engine_config engine = {
		.thread_start = rt_thread_start,
		.thread_context = &app->engine_thread,
		.standby_start = app->config->daemon.realtime ? rt_thread_start : NULL,
		.standby_context = &app->standby_thread,
		.steering = {.order = order, .map = order_map, .flush = flush_orders, .context = app},
		.presume_for = APP_PRESUME_FOR,
		.recorder = app->config->flight_recorder,
		.state_file = app->survive.file,
	};
	app->engine_thread = thread(app, "bfdd-engine", ENGINE_BUDGET);
	app->standby_thread = thread(app, "bfdd-standby", 0);
	app->standby_thread.deadline = false; /* which could not be bound to a processor */
	app->engine = engine_create(&engine, error, size);
	if (app->engine)
		app_survive_reserve(app);
	return app->engine ? app_links_open(app, error, size) : -1;
}

static int open_steering(struct app *app, char *error, size_t size)
{
	const struct routes_callbacks routes = {
		.ready = tables_ready, .failed = route_refused, .context = app};
	struct steer_config steer = {
		.range = app->range,
		.thread_start = rt_thread_start,
		.thread_context = &app->steer_thread,
	};

	app->steer_thread = thread(app, "bfdd-steer", STEER_BUDGET);
	app->mark_thread = thread(app, "bfdd-mark", STEER_BUDGET);
	app_failover_open(app);
	steer.mark = app->mark;
	app->steer = steer_create(&steer, error, size);
	app->routes = app->steer ? routes_create(&app->range, &routes, error, size) : NULL;
	return app->routes ? 0 : -1;
}

static void await_scheduling(const struct rt_thread *thread)
{
	while (atomic_load(&thread->got) == RT_UNKNOWN)
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static int start_steering(struct app *app, char *error, size_t size)
{
	int err = steer_start(app->steer);

	app->steer_runs = !err;
	if (err) {
		snprintf(error, size, "cannot start the steering thread: %s", strerror(-err));
		return -1;
	}
	app_failover_start(app);
	await_scheduling(&app->steer_thread);
	await_scheduling(&app->engine_thread);
	return 0;
}

/* A predecessor's sessions go on before anything else is done that they do not need: their peers wait. */
static int start_sessions(struct app *app, char *error, size_t size)
{
	int err;

	app_survive_open(app);
	if (open_engine(app, error, size))
		return -1;
	err = app_peers_begin(app);
	if (err) {
		snprintf(error, size, "cannot start the engine thread: %s", strerror(-err));
		return err;
	}
	app_neighbours_open(app);
	app_neighbours_update(app);
	app_echo_update(app); /* peers whose Echo packets a predecessor sent back wait for that, too */
	if (app->config->daemon.kernel_filter) /* which their first packets need not wait for */
		APP_UNTIL_TAKEN(engine_filter(app->engine));
	return 0;
}

static void watch(struct app *app)
{
	ev_io_init(&app->engine_watcher, on_engine, engine_event_fd(app->engine), EV_READ);
	ev_io_init(&app->steer_watcher, on_steer, steer_report_fd(app->steer), EV_READ);
	ev_idle_init(&app->routes_idle, on_routes_idle);
	ev_timer_init(&app->second_timer, on_second, 1., 1.);
	ev_timer_init(&app->retry_timer, on_retry, APP_RETRY_PEERS, APP_RETRY_PEERS);
	ev_init(&app->check_timer, on_check);
	app->engine_watcher.data = app->steer_watcher.data = app;
	app->routes_idle.data = app->second_timer.data = app->retry_timer.data = app->check_timer.data = app;
	ev_set_priority(&app->engine_watcher, EV_MAXPRI);
	ev_io_start(app->loop, &app->engine_watcher);
	ev_io_start(app->loop, &app->steer_watcher);
	ev_timer_start(app->loop, &app->second_timer);
	app_links_begin(app);
}

static int start(struct app *app, char *error, size_t size)
{
	capng_get_caps_process();
	if (app_state_lock(app, error, size) ||
	    !may(CAP_NET_ADMIN, "CAP_NET_ADMIN", "to steer routes", error, size) ||
	    !may(CAP_NET_RAW, "CAP_NET_RAW", "to send BFD packets", error, size))
		return -1;
	malloc_trim(0); /* what reading the file took; locked pages would stay */
	app->memory_locked = app->config->daemon.realtime ? rt_lock_memory() : -ENOTSUP;
	app_policy_range(&app->config->steering, &app->range);
	app->events = events_create(app->config->daemon.events);
	app->slot_peer = calloc(TABLE_SLOTS, sizeof(*app->slot_peer));
	if (!app_keys_take(app, app->config)) {
		snprintf(error, size, "out of memory");
		return -1;
	}
	app_dynamic_start(app);
	app->services = app_services_load(NULL, NULL, app->config);
	app->peers = app_peers_make(app, app->config, NULL);
	app->npeers = app->config->npeers;
	app->postmortems = app->config->flight_recorder ? postmortems_create() : NULL;
	if (app_bgp_open(app) || !app->events || !app->slot_peer || !app->services || !app->peers) {
		snprintf(error, size, "out of memory");
		return -1;
	}
	if (start_sessions(app, error, size) || open_steering(app, error, size))
		return -1;
	app->control = control_create(app->loop, app->options.control_path, app_command, app, error, size);
	if (!app->control)
		return -1;
	watch(app);
	if (start_steering(app, error, size))
		return -1;
	app_peers_find_gateways(app);
	if (!app_policy_start(app, error, size) || app_marks_open(app, error, size))
		return -1;
	app_bird_load(app);
	app_bgp_load(app);
	app_peers_resolve(app);
	app_survive_started(app);
	app->links_changed = false;
	app->ready = true;
	app_frr_configure(app);
	return 0;
}

static void say_started(struct app *app)
{
	events_add(app->events, LOG_LEVEL_NOTICE, "start", app_now(),
		   json_pack("{s:i s:i s:i s:s s:s s:b}", "peers", (int)app->config->npeers, "sites",
			     (int)app->config->nsites, "services", (int)app->config->nservices,
			     "engine-scheduling", rt_class_name(atomic_load(&app->engine_thread.got)),
			     "steering-scheduling", rt_class_name(atomic_load(&app->steer_thread.got)),
			     "memory-locked", !app->memory_locked));
	if (!app->config->daemon.realtime)
		return;
	if (atomic_load(&app->engine_thread.got) == RT_ORDINARY)
		log_warning("no real-time scheduling (CAP_SYS_NICE is missing, or the system refuses it): "
			    "a busy host can delay detection");
	if (app->memory_locked)
		log_warning("memory cannot be locked (%s): paging can delay detection; raise LimitMEMLOCK or "
			    "give CAP_IPC_LOCK",
			    strerror(-app->memory_locked));
}

struct app *app_create(struct ev_loop *loop, const struct app_options *options, struct config *config,
		       char *error, size_t size)
{
	struct app *app = calloc(1, sizeof(*app));

	if (!app) {
		config_free(config);
		snprintf(error, size, "out of memory");
		return NULL;
	}
	app->loop = loop;
	app->options = *options;
	app->config = config;
	app->started = app_now();
	app->loaded_at = app->started;
	app->lock_fd = -1;
	if (start(app, error, size)) {
		app->failed = true;
		app_free(app);
		return NULL;
	}
	say_started(app);
	return app;
}

static void unwatch(struct app *app)
{
	app_links_stop(app);
	ev_io_stop(app->loop, &app->engine_watcher);
	ev_io_stop(app->loop, &app->steer_watcher);
	ev_idle_stop(app->loop, &app->routes_idle);
	ev_timer_stop(app->loop, &app->second_timer);
	ev_timer_stop(app->loop, &app->retry_timer);
	ev_timer_stop(app->loop, &app->check_timer);
}

void app_hold(struct app *app)
{
	app->hold = true;
}

/* A start that was refused leaves to the next one what it found. */
static bool leaves_sessions(const struct app *app)
{
	return app->hold || app->config->steering.hold_on_stop || (app->failed && app->survive.alive);
}

void app_free(struct app *app)
{
	bool hold = leaves_sessions(app);

	unwatch(app);
	app_dynamic_close(app);
	control_free(app->control);
	if (app->engine_runs)
		engine_stop(app->engine, hold || app->failed ? ENGINE_HOLD : LINGER);
	if (app->steer_runs)
		steer_stop(app->steer); /* the map is freed with the others below */
	mark_stop(app->mark);
	if (!app->failed) {
		app_policy_stop(app);
		app_marks_stop(app);
		app_bird_stop(app);
	}
	if (app->engine_runs)
		engine_poll_events(app->engine, engine_event, app);
	if (app->steer_runs)
		steer_poll_reports(app->steer, steer_report, app);
	app_neighbours_close(app);
	app_mtu_close(app);
	app_lag_close(app, hold);
	app_doors_close(app);
	app_echo_free(app);
	app_follow_close(app);
	monitor_free(app->monitor);
	routes_free(app->routes);
	engine_free(app->engine);
	app_keys_close(app);
	app_sbfd_free(app);
	app_survive_close(app, hold);
	steer_free(app->steer);
	mark_free(app->mark);
	app_policy_free(app);
	app_bird_free(app);
	app_bgp_free(app);
	app_marks_free(app);
	app_peers_free(app);
	postmortems_free(app->postmortems);
	events_free(app->events);
	free(app->services);
	free(app->slot_peer);
	config_free(app->config);
	if (app->lock_fd >= 0)
		close(app->lock_fd);
	free(app);
}
