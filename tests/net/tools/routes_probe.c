/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives routes, and settling at start and stop, against a real kernel: `routes_probe routes|settle`, or
 * `routes_probe bench N` for the time of each steering order with N routes; in a namespace as
 * netlink_probe's.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "netlink/apply.h"
#include "netlink/message.h"
#include "netlink/routes.h"
#include "netlink/steer.h"
#include "tests/net/tools/probe.h"

#define TABLE 5000
#define GROUP4 1900
#define GROUP6 1901

static struct routes *routes;
static unsigned refused, worked;
static bool ready4, ready6;
static int refused_error;
static usec_t slowest;

static void on_ready(void *context, uint32_t table, uint8_t family, bool ready)
{
	if (table == TABLE && family == AF_INET)
		ready4 = ready;
	else if (table == TABLE)
		ready6 = ready;
}

static void on_failed(void *context, uint32_t table, const struct prefix *prefix, int err)
{
	refused++;
	refused_error = err;
}

static void routes_open(void)
{
	struct routes_callbacks callbacks = {.ready = on_ready, .failed = on_failed};

	ready4 = ready6 = false;
	routes = routes_create(&range, &callbacks, error, sizeof(error));
	CHECK(routes);
	if (!routes)
		exit(1);
}

/* Until nothing is pending. */
static void work(void)
{
	for (worked = 0, slowest = 0; routes_pending(routes); worked++) {
		usec_t start = now(), took;

		routes_work(routes);
		took = now() - start;
		if (took > slowest)
			slowest = took;
	}
}

/* The Nth prefix: /24 in 40.0.0.0/6 and following, or /48. */
static struct prefix nth(uint8_t family, unsigned n)
{
	struct prefix prefix = {.addr = {.family = family}, .length = 24};

	if (family == AF_INET) {
		prefix.addr.bytes[0] = (uint8_t)(40 + (n >> 16));
		prefix.addr.bytes[1] = (uint8_t)(n >> 8);
		prefix.addr.bytes[2] = (uint8_t)n;
	} else {
		prefix.addr.bytes[0] = 0x26;
		prefix.addr.bytes[2] = (uint8_t)(n >> 16);
		prefix.addr.bytes[3] = (uint8_t)(n >> 8);
		prefix.addr.bytes[4] = (uint8_t)n;
		prefix.length = 48;
	}
	return prefix;
}

/* Prefixes FIRST to END - 1. */
static bool want(uint8_t family, uint32_t group, unsigned first, unsigned end)
{
	struct prefix *prefixes = calloc(end - first + 1, sizeof(*prefixes));
	bool done;

	for (unsigned i = first; i < end; i++)
		prefixes[i - first] = nth(family, i);
	done = routes_want(routes, TABLE, family, group, prefixes, end - first);
	free(prefixes);
	return done;
}

static unsigned count(uint8_t family, uint32_t group)
{
	struct object_set set;
	unsigned n = 0;

	CHECK(!steer_find(&range, &set, error, sizeof(error)));
	for (unsigned i = 0; i < set.nroutes; i++)
		n += set.routes[i].table == TABLE && set.routes[i].prefix.addr.family == family &&
		     set.routes[i].group == group;
	object_set_free(&set);
	return n;
}

static void make_groups(void)
{
	MUST("ip nexthop replace id 1001 via 10.0.0.1 dev a0 proto %d && "
	     "ip nexthop replace id 1002 via 10.0.1.2 dev a1 proto %d && "
	     "ip nexthop replace id 1003 via fe80::b0 dev a0 proto %d && "
	     "ip nexthop replace id %d group 1001/1002 proto %d && ip nexthop replace id %d group 1003 proto "
	     "%d && "
	     "ip nexthop replace id 1902 group 1002 proto %d",
	     OURS, OURS, OURS, GROUP4, OURS, GROUP6, OURS, OURS);
}

static void routes_fill(void)
{
	CHECK(want(AF_INET, GROUP4, 0, 5000) && want(AF_INET6, GROUP6, 0, 3000));
	CHECK(!routes_pending(routes)); /* the groups are not there yet */
	make_groups();
	routes_group(routes, GROUP4, true);
	CHECK(routes_pending(routes));
	routes_work(routes);
	CHECK(!ready4);
	work();
	CHECK(ready4 && !ready6 && count(AF_INET, GROUP4) == 5000 && !count(AF_INET6, GROUP6));
	routes_group(routes, GROUP6, true);
	work();
	CHECK(ready4 && ready6 && count(AF_INET6, GROUP6) == 3000 && !refused);
}

static void routes_change(void)
{
	/* A window that moves on: the common part is not touched, readiness stays. */
	CHECK(want(AF_INET, GROUP4, 1000, 5500) && ready4);
	work();
	CHECK(ready4 && count(AF_INET, GROUP4) == 4500 && worked < 40);
	CHECK(want(AF_INET, GROUP4, 1000, 5500) && !routes_pending(routes));
	/* Nothing in common: written at once, so it stays ready. */
	CHECK(want(AF_INET, GROUP4, 6000, 6100) && ready4);
	work();
	CHECK(ready4 && count(AF_INET, GROUP4) == 100);
	/* Another group. */
	routes_group(routes, 1902, true);
	CHECK(want(AF_INET, 1902, 6000, 6100) && !ready4);
	work();
	CHECK(ready4 && count(AF_INET, 1902) == 100 && !count(AF_INET, GROUP4));
	CHECK(want(AF_INET, GROUP4, 6000, 6100));
	work();
	CHECK(ready4 && count(AF_INET, GROUP4) == 100);
}

static void routes_trouble(void)
{
	/* The kernel took the group and its routes. */
	MUST("ip nexthop del id %d", GROUP4);
	CHECK(!count(AF_INET, GROUP4));
	routes_group(routes, GROUP4, false);
	CHECK(!ready4 && ready6 && !routes_pending(routes));
	make_groups();
	routes_group(routes, GROUP4, true);
	work();
	CHECK(ready4 && count(AF_INET, GROUP4) == 100 && !refused);
	/* It is gone, and nobody has told yet: one batch is refused, then a pause. */
	MUST("ip nexthop del id %d", GROUP4);
	CHECK(want(AF_INET, GROUP4, 6000, 7000));
	work();
	CHECK(refused == 64 && refused_error == -EINVAL && ready4);
	CHECK(routes_next(routes) > now() && routes_next(routes) <= now() + USEC_S);
	make_groups();
	while (!routes_pending(routes) && routes_next(routes) != USEC_NEVER)
		usleep(10000);
	work();
	CHECK(count(AF_INET, GROUP4) == 900 && routes_next(routes) == USEC_NEVER);
	routes_group(routes, GROUP4, false);
	routes_group(routes, GROUP4, true);
	work();
	CHECK(ready4 && count(AF_INET, GROUP4) == 1000);
	/* Emptied, although somebody was quicker with a part of it. */
	MUST("ip route flush table %d 41.0.0.0/8 >/dev/null 2>&1; ip route del 40.23.112.0/24 table %d",
	     TABLE, TABLE);
	CHECK(want(AF_INET, GROUP4, 0, 0) && !ready4);
	work();
	CHECK(!count(AF_INET, GROUP4) && refused == 64);
}

/* The next daemon finds what this one left. */
static void routes_inherited(void)
{
	struct object_set set;

	routes_free(routes);
	routes_open();
	CHECK(!steer_find(&range, &set, error, sizeof(error)) && set.nroutes == 3000);
	CHECK(routes_inherit(routes, set.routes, set.nroutes));
	routes_group(routes, GROUP6, true);
	CHECK(want(AF_INET6, GROUP6, 0, 3000) && ready6 && !routes_pending(routes));
	object_set_free(&set);
	routes_free(routes);
	routes_open();
	CHECK(!steer_find(&range, &set, error, sizeof(error)));
	CHECK(routes_inherit(routes, set.routes, set.nroutes) && routes_pending(routes));
	work(); /* nobody wants them */
	CHECK(!count(AF_INET6, GROUP6));
	object_set_free(&set);
	routes_free(routes);
}

static unsigned adopted;
static void adopt(void *context, const struct prefix *prefix)
{
	adopted++;
}

/* A table whose prefixes come and go one by one; it begins with what a list left in it. */
static void routes_followed(void)
{
	struct prefix first = nth(AF_INET, 6000), other = nth(AF_INET, 9000);

	routes_open();
	make_groups();
	routes_group(routes, GROUP4, true);
	CHECK(!routes_add(routes, TABLE, &first)); /* no such table */
	CHECK(want(AF_INET, GROUP4, 6000, 6100));
	work();
	CHECK(!routes_add(routes, TABLE, &other)); /* it has a list */
	CHECK(routes_follow(routes, TABLE, AF_INET, GROUP4, adopt, NULL) && adopted == 100 && ready4);
	CHECK(routes_follow(routes, TABLE, AF_INET, GROUP4, adopt, NULL) && adopted == 100);
	CHECK(!routes_pending(routes) && routes_add(routes, TABLE, &first) && !routes_pending(routes));
	CHECK(routes_add(routes, TABLE, &other) && routes_pending(routes));
	routes_remove(routes, TABLE, &first);
	work();
	CHECK(ready4 && count(AF_INET, GROUP4) == 100);
	for (unsigned i = 6000; i < 6100; i++)
		routes_remove(routes, TABLE, &(struct prefix){nth(AF_INET, i).addr, 24});
	work();
	CHECK(ready4 && count(AF_INET, GROUP4) == 1);
	/* The last one goes and comes before anything was written. */
	routes_remove(routes, TABLE, &other);
	CHECK(!ready4 && routes_pending(routes));
	CHECK(routes_add(routes, TABLE, &other) && ready4 && !routes_pending(routes));
	/* Another group, with the prefixes that are. */
	routes_group(routes, 1902, true);
	CHECK(routes_follow(routes, TABLE, AF_INET, 1902, adopt, NULL) && adopted == 100 && !ready4);
	work();
	CHECK(ready4 && count(AF_INET, 1902) == 1 && !count(AF_INET, GROUP4));
	for (unsigned i = 0; i < 20000; i++)
		CHECK(routes_add(routes, TABLE, &(struct prefix){nth(AF_INET, i).addr, 24}));
	work();
	CHECK(ready4 && count(AF_INET, 1902) == 20000);
	CHECK(want(AF_INET, 1902, 0, 0) && !ready4);
	work();
	CHECK(!count(AF_INET, 1902) && !count(AF_INET, GROUP4));
	routes_free(routes);
}

/* What is not ours, by number or by place, is neither found nor removed. */
static void settle_foreign(void)
{
	static const char foreign[] =
		"(ip nexthop show; ip rule show; ip -6 rule show; ip route show table all; "
		"ip -6 route show table all) | grep -v 'proto kernel' | sort >";
	struct object_set found;

	MUST("ip nexthop add id 1500 via 10.0.0.1 dev a0 proto %d && "
	     "ip nexthop add id 999 via 10.0.0.1 dev a0 proto %d && "
	     "ip nexthop add id 2000 group 999 proto %d && "
	     "ip route add 60.0.0.0/8 nhid 1500 table %d proto %d && "
	     "ip route add 60.0.0.0/8 nhid 2000 table 4999 proto %d && "
	     "ip route add 61.0.0.0/8 nhid 999 proto %d && "
	     "ip -6 route add 2001:db8:61::/48 via fe80::b0 dev a0 table %d proto %d && "
	     "ip rule add pref 750 lookup %d proto %d && ip rule add pref 699 lookup %d proto %d && "
	     "ip -6 rule add pref 750 lookup 5100 proto %d",
	     FOREIGN, OURS, OURS, TABLE, FOREIGN, OURS, OURS, TABLE, FOREIGN, TABLE, FOREIGN, TABLE, OURS,
	     OURS);
	MUST("%s before", foreign);
	CHECK(!steer_find(&range, &found, error, sizeof(error)));
	CHECK(!found.nnexthops && !found.ngroups && !found.nrules && !found.nroutes);
	object_set_free(&found);
	make_groups();
	/* Beside our group's routes: strays of ours on a nexthop, on a device, on a stranger's nexthop. */
	MUST("ip route add 50.0.0.0/8 nhid %d table %d proto %d && "
	     "ip route add 51.0.0.0/8 nhid 1001 table %d proto %d && "
	     "ip route add 52.0.0.0/8 dev a1 table %d proto %d && "
	     "ip route add 53.0.0.0/8 nhid 1500 table %d proto %d && "
	     "ip -6 route add 2001:db8:50::/48 nhid %d table 5099 proto %d && "
	     "ip rule add pref 700 lookup %d proto %d && ip -6 rule add pref 799 lookup 5099 proto %d",
	     GROUP4, TABLE, OURS, TABLE, OURS, TABLE, OURS, TABLE, OURS, GROUP6, OURS, TABLE, OURS, OURS);
	CHECK(!steer_find(&range, &found, error, sizeof(error)));
	CHECK(found.nnexthops == 3 && found.ngroups == 3 && found.nrules == 2 && found.nroutes == 5);
	object_set_free(&found);
	CHECK(!steer_remove(&range, error, sizeof(error)));
	MUST("%s after && diff before after >&2", foreign);
	CHECK(!steer_remove(&range, error, sizeof(error)));
}

/* From what a predecessor left to what is wanted, and what cannot be is told. */
static void settle_wanted(void)
{
	uint32_t a0 = if_nametoindex("a0"), a1 = if_nametoindex("a1");
	struct object_nexthop nexthops[] = {{1001, a0, ip("10.0.0.1")}, {1005, a1, ip("10.0.1.2")}};
	struct object_group groups[] = {{GROUP4, 1, {1001}}, {1903, 2, {1001, 1005}}};
	struct object_rule rules[] = {{AF_INET, 700, TABLE, 0}, {AF_INET, 701, TABLE + 1, 0}};
	struct object_route wanted_routes[] = {{TABLE, net("50.0.0.0/8"), GROUP4},
					       {TABLE + 1, net("50.0.0.0/8"), 1903}};
	struct object_set wanted = {nexthops, groups, rules, wanted_routes, 2, 2, 2, 2};
	struct object_set found;

	make_groups();
	CHECK(!steer_find(&range, &found, error, sizeof(error)));
	CHECK(!steer_settle(&range, &found, &wanted, error, sizeof(error)));
	object_set_free(&found);
	MUST("ip rule show pref 701 | grep -q 'lookup 5001' && "
	     "ip route show table 5001 | grep -q '50.0.0.0/8 nhid 1903' && "
	     "! ip nexthop | grep -qE 'id (1002|1003|1901|1902) '");
	CHECK(!steer_find(&range, &found, error, sizeof(error)));
	CHECK(found.nnexthops == 2 && found.ngroups == 2 && found.nrules == 2 && found.nroutes == 2);
	nexthops[1].ifindex = 4000;
	CHECK(steer_settle(&range, &found, &wanted, error, sizeof(error)) == -EINVAL);
	printf("       %s\n", error);
	CHECK(strstr(error, "nexthop 1005: "));
	object_set_free(&found);
	CHECK(!steer_remove(&range, error, sizeof(error)));
}

static void timed(const char *what, int err, usec_t start)
{
	printf("%-28s %8.3f ms%s\n", what, (double)(now() - start) / 1000, err ? " (failed)" : "");
	failures += err != 0;
}

#define TIMED(what, call)                     \
	do {                                  \
		usec_t timed_from = now();    \
		int err = call;               \
		timed(what, err, timed_from); \
	} while (0)

static void bench(unsigned n)
{
	struct netlink *nl = netlink_open(error, sizeof(error));
	struct object_nexthop first = {1001, if_nametoindex("a0"), ip("10.0.0.1")};
	struct object_group one = {GROUP4, 1, {1002}}, both = {GROUP4, 2, {1001, 1002}};
	struct object_rule rule = {AF_INET, 700, TABLE, 0};
	usec_t start;

	routes_open();
	make_groups();
	CHECK(want(AF_INET, GROUP4, 0, n));
	routes_group(routes, GROUP4, true);
	start = now();
	work();
	timed("fill", !ready4, start);
	printf("%-28s %8.3f ms in %u calls\n", "slowest slice", (double)slowest / 1000, worked);
	TIMED("rule add", apply_rule_add(nl, OURS, &rule));
	TIMED("rule del", apply_rule_del(nl, OURS, &rule));
	TIMED("rule add again", apply_rule_add(nl, OURS, &rule));
	TIMED("detach one of two", apply_nexthop_del(nl, 1001));
	TIMED("nexthop add", apply_nexthop_set(nl, OURS, &first));
	TIMED("group: one more", apply_group_set(nl, OURS, &both));
	TIMED("group: unchanged", apply_group_set(nl, OURS, &both));
	TIMED("group: one less", apply_group_set(nl, OURS, &one));
	TIMED("find everything", count(AF_INET, GROUP4) != n);
	TIMED("remove everything", steer_remove(&range, error, sizeof(error)));
	routes_free(routes);
	netlink_close(nl);
}

int main(int argc, char **argv)
{
	if (argc >= 2 && !strcmp(argv[1], "routes")) {
		routes_open();
		routes_fill();
		routes_change();
		routes_trouble();
		routes_inherited();
		routes_followed();
		CHECK(!steer_remove(&range, error, sizeof(error)));
	} else if (argc >= 2 && !strcmp(argv[1], "settle")) {
		settle_foreign();
		settle_wanted();
	} else if (argc == 3) {
		bench((unsigned)atoi(argv[2]));
	} else {
		fprintf(stderr, "routes_probe routes|settle|bench N\n");
		return 2;
	}
	printf("%u failures\n", failures);
	return failures != 0;
}
