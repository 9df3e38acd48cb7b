/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives netlink/ against a real kernel: `netlink_probe SCENARIO PEER-NAMESPACE`, inside a namespace whose
 * links a0 and a1 end in b0 and b1 of the peer's (20-netlink.sh makes them). Prints each check; exits 1 when
 * one failed.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netlink/monitor.h"
#include "netlink/nl.h"
#include "netlink/steer.h"
#include "tests/net/tools/probe.h"

static const char *peer;

/* The monitor: what its callbacks told last, and how often. */
static struct {
	struct monitor *monitor;
	unsigned links, addresses, gone, resyncs, rules;
	uint32_t lost[64];
	unsigned nlost;
	struct monitor_lost rule;
} seen;

static void on_link(void *context, const struct monitor_link *link, bool gone)
{
	seen.links++;
}

static void on_address(void *context, uint32_t ifindex, const struct addr *addr, uint8_t length, bool gone)
{
	if (gone)
		seen.gone++;
	else
		seen.addresses++;
}

static void on_lost(void *context, const struct monitor_lost *lost)
{
	if (lost->kind == MONITOR_LOST_RULE) {
		seen.rules++;
		seen.rule = *lost;
	} else if (seen.nlost < 64) {
		seen.lost[seen.nlost++] = lost->id;
	}
}

static void on_resync(void *context)
{
	seen.resyncs++;
}

static bool lost(uint32_t id)
{
	for (unsigned i = 0; i < seen.nlost; i++)
		if (seen.lost[i] == id)
			return true;
	return false;
}

static void read_monitor(int timeout)
{
	struct pollfd fd = {.fd = monitor_fd(seen.monitor), .events = POLLIN};

	if (poll(&fd, 1, timeout) > 0)
		monitor_read(seen.monitor);
}

/* Reads notifications until CONDITION holds. */
#define WAIT_FOR(condition)                              \
	do {                                             \
		usec_t wait_end = now() + WAIT;          \
		while (!(condition) && now() < wait_end) \
			read_monitor(100);               \
		CHECK(condition);                        \
	} while (0)

/* Everything that was notified up to now has been read: a change of our own comes back last. */
static void drain(void)
{
	static unsigned n;
	unsigned mark = seen.addresses;

	sh("ip addr add 198.18.%u.1/32 dev lo", ++n);
	WAIT_FOR(seen.addresses > mark);
}

static const struct monitor_link *named(const char *name)
{
	return monitor_link_by_name(seen.monitor, name);
}

static bool has(uint32_t ifindex, const char *text)
{
	struct addr addr = ip(text);

	return monitor_has_address(seen.monitor, ifindex, &addr);
}

static bool local_is(uint32_t ifindex, const char *to, const char *expected)
{
	struct addr addr = ip(to), local, want;
	uint32_t found = 0;

	if (!monitor_local_for(seen.monitor, 0, ifindex, &addr, &local, &found))
		return !expected;
	if (!expected)
		return false;
	want = ip(expected);
	return addr_equal(&local, &want) && found && (!ifindex || found == ifindex);
}

static void monitor_open(void)
{
	struct monitor_callbacks callbacks = {
		.link = on_link, .address = on_address, .lost = on_lost, .resync = on_resync};

	memset(&seen, 0, sizeof(seen));
	seen.monitor = monitor_create(OURS, &callbacks, error, sizeof(error));
	if (!seen.monitor) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
}

static void monitor_links(void)
{
	uint32_t a1;

	CHECK(seen.links >= 3 && named("a0") && named("a0")->carrier && named("a0")->up);
	CHECK(!seen.nlost && !seen.resyncs);
	MUST("nsenter --net=/run/netns/%s ip link set b0 down", peer);
	WAIT_FOR(!named("a0")->carrier);
	CHECK(named("a0")->up);
	MUST("nsenter --net=/run/netns/%s ip link set b0 up", peer);
	WAIT_FOR(named("a0")->carrier);
	a1 = named("a1")->ifindex;
	MUST("ip link set a1 down && ip link set a1 name a9");
	WAIT_FOR(named("a9") && !named("a1"));
	CHECK(named("a9")->ifindex == a1 && !named("a9")->up);
	MUST("ip link set a9 name a1 && ip link set a1 up");
	WAIT_FOR(named("a1") && named("a1")->carrier);
	MUST("ip addr add fe80::a1/64 dev a1 nodad"); /* gone with the link */
	WAIT_FOR(has(a1, "fe80::a1"));
	MUST("ip link add c0 type veth peer name c1");
	WAIT_FOR(named("c0") && named("c1") && !named("c0")->carrier);
	MUST("ip link del c0");
	WAIT_FOR(!named("c0") && !named("c1"));
}

static void monitor_addresses(void)
{
	uint32_t a0 = named("a0")->ifindex, a1 = named("a1")->ifindex;
	struct addr held = ip("10.0.1.1");
	unsigned mark = seen.addresses;

	MUST("ip addr add 10.9.0.2/24 dev a0 && ip addr add 10.9.0.1/24 dev a0");
	WAIT_FOR(has(a0, "10.9.0.1") && has(a0, "10.9.0.2"));
	CHECK(seen.addresses == mark + 2);
	CHECK(local_is(a0, "10.9.0.77", "10.9.0.1") && local_is(0, "10.9.0.77", "10.9.0.1"));
	CHECK(local_is(a1, "10.9.0.77", NULL) && local_is(a0, "10.8.0.1", NULL));
	CHECK(local_is(a0, "10.0.0.1", "10.0.0.0"));	     /* /31 */
	CHECK(local_is(0, "2001:db8:1::1", "2001:db8:1::")); /* /127 */
	CHECK(local_is(a0, "fe80::b0", "fe80::a0") && local_is(a1, "fe80::b0", "fe80::a1"));
	CHECK(local_is(0, "fe80::b0", NULL));
	CHECK(monitor_holder(seen.monitor, 0, &held) == a1);
	mark = seen.gone;
	MUST("ip addr del 10.9.0.1/24 dev a0"); /* the primary: takes the secondary along or promotes it */
	WAIT_FOR(!has(a0, "10.9.0.1") && seen.gone > mark);
	MUST("ip addr flush dev a0 to 10.9.0.0/24; ip addr add 10.5.0.1 peer 10.6.0.1/32 dev a0");
	WAIT_FOR(has(a0, "10.5.0.1"));
	CHECK(local_is(0, "10.6.0.1", "10.5.0.1"));
	/* The same address in two subnets: there until both have gone. */
	MUST("ip addr add 10.9.1.1/24 dev a0 && ip addr add 10.9.1.1/32 dev a0 && "
	     "ip addr del 10.9.1.1/24 dev a0");
	drain();
	CHECK(has(a0, "10.9.1.1"));
	MUST("ip addr del 10.9.1.1/32 dev a0");
	WAIT_FOR(!has(a0, "10.9.1.1"));
	/* Thirty seconds tentative, then one that gets through, then one that the peer has already. */
	MUST("sysctl -qw net.ipv6.conf.a0.accept_dad=1 net.ipv6.conf.a0.dad_transmits=30");
	MUST("ip addr add 2001:db8:5::1/64 dev a0");
	drain();
	CHECK(!has(a0, "2001:db8:5::1"));
	MUST("sysctl -qw net.ipv6.conf.a0.dad_transmits=1 && ip addr add 2001:db8:5::2/64 dev a0");
	WAIT_FOR(has(a0, "2001:db8:5::2"));
	MUST("nsenter --net=/run/netns/%s ip addr add 2001:db8:5::3/64 dev b0 nodad", peer);
	MUST("ip addr add 2001:db8:5::3/64 dev a0; for i in $(seq 50); do "
	     "ip -6 addr show dev a0 dadfailed | grep -q 5::3 && exit 0; sleep 0.1; done; exit 1");
	drain();
	CHECK(!has(a0, "2001:db8:5::3"));
}

static void make_nexthops(void)
{
	MUST("ip nexthop replace id 101 via 10.0.0.1 dev a0 proto %d", OURS);
	MUST("ip nexthop replace id 102 via 10.0.1.2 dev a1 proto %d", OURS);
	MUST("ip nexthop replace id 201 group 101/102 proto %d", OURS);
	MUST("ip nexthop replace id 202 group 101 proto %d", OURS);
	MUST("ip nexthop replace id 301 via 10.0.0.1 dev a0 proto %d", FOREIGN);
}

/* The kernel says nothing of what it deletes with a carrier; the monitor does. */
static void monitor_lost_objects(void)
{
	make_nexthops();
	drain();
	CHECK(!seen.nlost);
	MUST("nsenter --net=/run/netns/%s ip link set b0 down", peer);
	WAIT_FOR(lost(202));
	CHECK(seen.nlost == 2 && lost(101) && lost(202));
	MUST("ip nexthop show id 201 | grep -q 'group 102 '");
	CHECK(sh("ip nexthop show id 202 2>/dev/null | grep -q group") != 0);
	MUST("nsenter --net=/run/netns/%s ip link set b0 up", peer);
	WAIT_FOR(named("a0")->carrier);
	make_nexthops();
	seen.nlost = 0;
	MUST("ip nexthop del id 102");
	WAIT_FOR(lost(102));
	CHECK(seen.nlost == 1);
	MUST("ip link set a0 down");
	WAIT_FOR(lost(201) && lost(202));
	CHECK(seen.nlost == 4 && lost(101));
	MUST("ip link set a0 up");
	WAIT_FOR(named("a0")->carrier);
	seen.nlost = 0;
	make_nexthops();
	MUST("ip nexthop del id 101");
	WAIT_FOR(lost(202));
	CHECK(seen.nlost == 2 && lost(101));
	MUST("ip rule add pref 750 lookup 5001 proto %d && ip rule add pref 751 lookup 5001 proto %d && "
	     "ip -6 rule add pref 752 lookup 5002 proto %d",
	     OURS, FOREIGN, OURS);
	MUST("ip rule del pref 751 && ip rule del pref 750");
	WAIT_FOR(seen.rules == 1);
	CHECK(seen.rule.family == AF_INET && seen.rule.priority == 750 && seen.rule.table == 5001);
	MUST("ip -6 rule del pref 752");
	WAIT_FOR(seen.rules == 2);
	CHECK(seen.rule.family == AF_INET6 && seen.rule.priority == 752 && seen.rule.table == 5002);
}

static int buffer_size(void)
{
	int size = 0;
	socklen_t length = sizeof(size);

	getsockopt(monitor_fd(seen.monitor), SOL_SOCKET, SO_RCVBUF, &size, &length);
	return size;
}

static void buffer_tiny(void)
{
	int size = 1;

	setsockopt(monitor_fd(seen.monitor), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

/* Overflows: everything is read again, and exactly the differences are told. */
static void monitor_overflow(void)
{
	int before = buffer_size();
	unsigned mark = seen.addresses, gone = seen.gone, links = seen.links;

	make_nexthops();
	drain();
	mark = seen.addresses;
	seen.nlost = 0;
	buffer_tiny();
	MUST("for i in $(seq 0 1999); do echo addr add 10.20.$((i / 250)).$((i %% 250))/32 dev a1; done |"
	     "ip -batch -");
	MUST("ip nexthop del id 201; ip addr del 10.5.0.1 peer 10.6.0.1/32 dev a0");
	WAIT_FOR(seen.resyncs == 1);
	CHECK(buffer_size() == 2 * before);
	CHECK(seen.addresses == mark + 2000 && seen.gone == gone + 1 && seen.links == links);
	CHECK(has(named("a1")->ifindex, "10.20.7.249") && !has(named("a0")->ifindex, "10.5.0.1"));
	CHECK(seen.nlost == 1 && lost(201));
	buffer_tiny();
	MUST("ip addr flush dev a1 to 10.20.0.0/22"); /* 4 x 250 */
	WAIT_FOR(seen.resyncs == 2);
	CHECK(seen.addresses == mark + 2000 && seen.gone == gone + 1001);
	drain();
	CHECK(seen.addresses == mark + 2001 && seen.resyncs == 2);
}

static void scenario_monitor(void)
{
	monitor_open();
	monitor_links();
	monitor_addresses();
	monitor_lost_objects();
	monitor_overflow();
	monitor_free(seen.monitor);
}

/* The steering thread. */
static struct steer *steer;
static struct steer_report reports[64];
static unsigned nreports;
static bool map_reported;

static void on_report(void *context, const struct steer_report *report)
{
	reports[nreports++ % 64] = *report;
	map_reported |= report->order.kind == STEER_RETIRE;
}

static void order(struct steer_order order)
{
	order.detected = now();
	while (!steer_order(steer, &order)) {
		steer_flush(steer);
		usleep(100);
	}
}

/* Gives one order and waits for its report. */
static const struct steer_report *carried(struct steer_order wanted)
{
	struct pollfd fd = {.fd = steer_report_fd(steer), .events = POLLIN};

	nreports = 0;
	order(wanted);
	steer_flush(steer);
	for (usec_t end = now() + WAIT; !nreports && now() < end;)
		if (poll(&fd, 1, 100) > 0)
			steer_poll_reports(steer, on_report, NULL);
	if (!nreports) {
		fprintf(stderr, "no report\n");
		exit(1);
	}
	return &reports[0];
}

static int result(struct steer_order wanted)
{
	return carried(wanted)->error;
}

static struct object_nexthop member(uint32_t id, const char *link, const char *gateway)
{
	struct object_nexthop nexthop = {.id = id, .gateway = ip(gateway)};

	nexthop.ifindex = link ? named(link)->ifindex : 0;
	return nexthop;
}

static void steer_maps(struct steer_map *first, struct steer_map *second)
{
	static struct steer_group groups[2], fewer[1];
	static struct object_rule rules[] = {{AF_INET, 700, 5000, 0}, {AF_INET6, 701, 5000, 0}};

	groups[0] = (struct steer_group){.id = 1900, .nmembers = 3};
	groups[0].members[0] = member(1100, "a1", "10.0.1.2"); /* /30 */
	groups[0].members[1] = member(1001, "a0", "10.0.0.1"); /* /31 */
	groups[0].members[2] = member(1002, NULL, "10.0.2.1");
	groups[1] = (struct steer_group){.id = 1901, .nmembers = 2};
	groups[1].members[0] = member(1003, "a0", "fe80::b0");
	groups[1].members[1] = member(1004, "a1", "2001:db8:ffff::1"); /* in no subnet */
	*first = (struct steer_map){2, 2, groups, rules};
	fewer[0] = groups[0];
	fewer[0].members[0].gateway = ip("192.0.2.77"); /* in no subnet */
	*second = (struct steer_map){1, 1, fewer, rules};
}

static void steer_orders(struct steer_map *first)
{
	const struct steer_report *report = carried((struct steer_order){.kind = STEER_MAP, .map = first});
	usec_t detected;

	CHECK(!report->error && report->order.map == first);
	report = carried((struct steer_order){.kind = STEER_RETIRE});
	CHECK(!report->error && !report->order.map);
	report = carried((struct steer_order){.kind = STEER_GROUP, .group = 0, .mask = 7});
	detected = report->order.detected;
	CHECK(!report->error && report->attached == 3 && report->order.mask == 7);
	CHECK(report->held >= detected && report->held < detected + WAIT);
	MUST("ip nexthop show id 1900 | grep -q 'group 1001/1100 .*proto %d'", OURS);
	CHECK(!result((struct steer_order){.kind = STEER_GROUP, .group = 1, .mask = 3}));
	MUST("ip route add 50.0.0.0/8 table 5000 nhid 1900 proto %d && "
	     "ip route add 2001:db8:50::/48 table 5000 nhid 1901 proto %d",
	     OURS, OURS);
	CHECK(!result((struct steer_order){.kind = STEER_RULE_ADD, .rule = 0}));
	CHECK(!result((struct steer_order){.kind = STEER_RULE_ADD, .rule = 0}));
	CHECK(!result((struct steer_order){.kind = STEER_RULE_ADD, .rule = 1}));
	MUST("test $(ip rule show pref 700 | wc -l) = 1 && ip -6 rule show pref 701 | grep -q 'proto %d'",
	     OURS);
	/* The far end's loopback answers through each link. */
	MUST("ping -qc1 -W2 50.0.0.1 >/dev/null");
	CHECK(!result((struct steer_order){.kind = STEER_DETACH, .group = 0, .member = 0}));
	MUST("ip route get 50.0.0.1 | grep -q 'dev a0' && ping -qc1 -W2 50.0.0.1 >/dev/null");
	CHECK(!result((struct steer_order){.kind = STEER_DETACH, .group = 0, .member = 0}));
	CHECK(!result((struct steer_order){.kind = STEER_DETACH, .group = 1, .member = 1}));
	MUST("ip route get 2001:db8:50::1 | grep -q 'via fe80::b0 dev a0'");
	MUST("ping -qc1 -W2 2001:db8:50::1 >/dev/null");
	CHECK(!result((struct steer_order){.kind = STEER_RULE_DEL, .rule = 0}));
	CHECK(!result((struct steer_order){.kind = STEER_RULE_DEL, .rule = 0}));
	CHECK(sh("ip route get 50.0.0.1 2>/dev/null | grep -q 'dev a'") != 0);
	CHECK(result((struct steer_order){.kind = STEER_RULE_ADD, .rule = 9}) == -EINVAL);
	CHECK(result((struct steer_order){.kind = STEER_DETACH, .group = 0, .member = 9}) == -EINVAL);
}

static void count_message(void *context, const struct netlink_message *message)
{
	++*(unsigned *)context;
}

static void steer_troubles(void)
{
	struct steer_order both = {.kind = STEER_GROUP, .group = 0, .mask = 3};
	struct netlink *watch = netlink_open(error, sizeof(error));
	const struct steer_report *report;
	unsigned changes = 0;

	CHECK(!result(both));
	/* What is so already is not written again: a replace holds the routing lock. */
	CHECK(watch && !netlink_subscribe(watch, RTNLGRP_NEXTHOP));
	CHECK(!result(both));
	while (!netlink_receive(watch, count_message, &changes))
		;
	CHECK(!changes);
	MUST("nsenter --net=/run/netns/%s ip link set b0 down", peer);
	WAIT_FOR(!named("a0")->carrier);
	report = carried(both);
	CHECK(report->error == -ENETDOWN && report->attached == 1);
	MUST("nsenter --net=/run/netns/%s ip link set b0 up", peer);
	WAIT_FOR(named("a0")->carrier);
	MUST("ip nexthop flush proto %d >/dev/null 2>&1", OURS);
	report = carried(both);
	CHECK(!report->error && report->attached == 3);
	/* An id that somebody else has taken. */
	MUST("ip nexthop del id 1100 && ip nexthop add id 1100 via 10.0.1.2 dev a1 proto %d", FOREIGN);
	report = carried(both);
	CHECK(report->error == -EEXIST && report->attached == 2);
	MUST("ip nexthop show id 1100 | grep -q 'proto %d' && ip nexthop del id 1100", FOREIGN);
	CHECK(!result(both));
	netlink_close(watch);
}

/* To the kernel a deletion without a mark fits rules with any, and the eldest goes. */
static void steer_marks(struct steer_map *first)
{
	static struct object_rule marks[] = {{AF_INET, 710, 5001, 0x100}, {AF_INET, 710, 5001, 0x200}};
	static struct object_rule plain[] = {{AF_INET, 710, 5001, 0}};
	static struct steer_map with = {.nrules = 2, .rules = marks}, without = {.nrules = 1, .rules = plain};
	struct netlink *watch = netlink_open(error, sizeof(error));
	unsigned changes = 0;

	CHECK(!result((struct steer_order){.kind = STEER_MAP, .map = &with}));
	CHECK(!result((struct steer_order){.kind = STEER_RULE_ADD, .rule = 0}));
	CHECK(!result((struct steer_order){.kind = STEER_RULE_ADD, .rule = 1}));
	CHECK(!result((struct steer_order){.kind = STEER_MAP, .map = &without}));
	CHECK(!result((struct steer_order){.kind = STEER_RULE_ADD, .rule = 0}));
	MUST("test $(ip rule show pref 710 | wc -l) = 3");
	CHECK(!result((struct steer_order){.kind = STEER_RULE_DEL, .rule = 0}));
	MUST("test $(ip rule show pref 710 | grep -c 'fwmark 0/0x[12]00 lookup 5001 proto %d') = 2", OURS);
	MUST("test $(ip rule show pref 710 | wc -l) = 2");
	/* Gone already, by another hand. */
	CHECK(!result((struct steer_order){.kind = STEER_RULE_DEL, .rule = 0}));
	MUST("test $(ip rule show pref 710 | wc -l) = 2");
	/* A reload to marks where the plain one never stood: not so much as touched. */
	CHECK(!result((struct steer_order){.kind = STEER_MAP, .map = &with}));
	CHECK(watch && !netlink_subscribe(watch, RTNLGRP_IPV4_RULE));
	CHECK(!result((struct steer_order){.kind = STEER_RETIRE}));
	while (!netlink_receive(watch, count_message, &changes))
		;
	CHECK(!changes);
	/* And where it did. */
	CHECK(!result((struct steer_order){.kind = STEER_MAP, .map = &without}));
	CHECK(!result((struct steer_order){.kind = STEER_RULE_ADD, .rule = 0}));
	CHECK(!result((struct steer_order){.kind = STEER_MAP, .map = &with}));
	CHECK(!result((struct steer_order){.kind = STEER_RETIRE}));
	MUST("test $(ip rule show pref 710 | grep -c 'fwmark 0/0x[12]00 lookup 5001 proto %d') = 2", OURS);
	MUST("test $(ip rule show pref 710 | wc -l) = 2");
	CHECK(!result((struct steer_order){.kind = STEER_RULE_DEL, .rule = 0}));
	MUST("ip rule show pref 710 | grep 'fwmark 0/0x200 lookup 5001'");
	CHECK(!result((struct steer_order){.kind = STEER_RULE_DEL, .rule = 1}));
	CHECK(!result((struct steer_order){.kind = STEER_MAP, .map = first}));
	CHECK(!result((struct steer_order){.kind = STEER_RETIRE}));
	netlink_close(watch);
}

static void steer_reload(struct steer_map *first, struct steer_map *second)
{
	const struct steer_report *report;

	CHECK(!result((struct steer_order){.kind = STEER_GROUP, .group = 1, .mask = 3}));
	report = carried((struct steer_order){.kind = STEER_MAP, .map = second});
	CHECK(!report->error);
	/* What is no longer wanted stays until the new has been built. */
	MUST("ip -6 rule | grep -q 'proto %d' && ip nexthop | grep -q 'id 1901 '", OURS);
	report = carried((struct steer_order){.kind = STEER_RETIRE});
	CHECK(!report->error && report->order.map == first);
	MUST("ip nexthop show id 1900 | grep -q 'group 1001/1100 '");
	CHECK(sh("ip -6 rule | grep -q 'proto %d'", OURS) != 0);
	CHECK(sh("ip nexthop | grep -qE 'id (1901|1003|1004) '") != 0);
	CHECK(!result((struct steer_order){.kind = STEER_GROUP, .group = 0, .mask = 3}));
	MUST("ip nexthop show id 1100 | grep -q 'via 192.0.2.77 dev a1'");
	/* A main thread that does not read: orders go on, maps come back, the rest is counted. */
	nreports = 0;
	map_reported = false;
	for (unsigned i = 0; i < 6000; i++)
		order((struct steer_order){.kind = STEER_RULE_DEL, .rule = 0});
	order((struct steer_order){.kind = STEER_MAP, .map = first});
	order((struct steer_order){.kind = STEER_RETIRE});
	CHECK(steer_stop(steer) == first);
	CHECK(steer_poll_reports(steer, on_report, NULL) + nreports == 6002);
	CHECK(nreports < 6002 && nreports > 4000 && map_reported);
}

static void scenario_steer(void)
{
	struct steer_config config = {.range = range};
	struct steer_map first, second;

	monitor_open();
	steer_maps(&first, &second);
	steer = steer_create(&config, error, sizeof(error));
	CHECK(steer && !steer_start(steer));
	steer_orders(&first);
	steer_troubles();
	steer_marks(&first);
	steer_reload(&first, &second);
	steer_free(steer);
	monitor_free(seen.monitor);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "netlink_probe monitor|steer PEER-NAMESPACE\n");
		return 2;
	}
	peer = argv[2];
	if (!strcmp(argv[1], "monitor"))
		scenario_monitor();
	else
		scenario_steer();
	printf("%u failures\n", failures);
	return failures != 0;
}
