/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes and nexthop objects of other programs, as the kernel writes them, and to which services they lead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "netlink/follow_hops.h"

/* A message under construction. */
struct draft {
	struct netlink_message message;
	_Alignas(4) unsigned char bytes[8192];
};

static void begin(struct draft *draft, uint16_t type, const void *header, size_t size)
{
	memset(draft, 0, sizeof(*draft));
	draft->message = (struct netlink_message){
		.type = type, .data = draft->bytes, .size = NLMSG_ALIGN(size)};
	memcpy(draft->bytes, header, size);
}

static void put(struct draft *draft, uint16_t type, const void *data, size_t size)
{
	struct rtattr attr = {.rta_len = (uint16_t)RTA_LENGTH(size), .rta_type = type};

	memcpy(draft->bytes + draft->message.size, &attr, sizeof(attr));
	if (size)
		memcpy(draft->bytes + draft->message.size + RTA_LENGTH(0), data, size);
	draft->message.size += RTA_SPACE(size);
}

static void put_u32(struct draft *draft, uint16_t type, uint32_t value)
{
	put(draft, type, &value, sizeof(value));
}

static void put_addr(struct draft *draft, uint16_t type, const char *text)
{
	struct addr addr;

	assert_true(addr_parse(&addr, text));
	put(draft, type, addr.bytes, addr_size(addr.family));
}

static void begin_route(struct draft *draft, uint16_t type, const char *prefix, uint8_t protocol)
{
	struct prefix p;
	struct rtmsg header;

	assert_int_equal(prefix_parse(&p, prefix), PREFIX_OK);
	header = (struct rtmsg){.rtm_family = p.addr.family,
				.rtm_dst_len = p.length,
				.rtm_table = RT_TABLE_MAIN,
				.rtm_protocol = protocol,
				.rtm_type = RTN_UNICAST};
	begin(draft, type, &header, sizeof(header));
	put_u32(draft, RTA_TABLE, RT_TABLE_MAIN);
	if (p.length)
		put(draft, RTA_DST, p.addr.bytes, addr_size(p.addr.family));
	put_u32(draft, RTA_PRIORITY, 20);
}

static size_t via(const char *text, unsigned char buf[18])
{
	struct addr addr;
	uint16_t family;

	assert_true(addr_parse(&addr, text));
	family = addr.family;
	memcpy(buf, &family, sizeof(family));
	memcpy(buf + 2, addr.bytes, addr_size(addr.family));
	return 2 + addr_size(addr.family);
}

/* One more of a list of next hops, with a gateway of the route's family, or of another. */
static size_t next_hop(unsigned char *at, int ifindex, const char *gateway, bool other)
{
	unsigned char value[18];
	struct addr addr;
	struct rtnexthop hop = {.rtnh_ifindex = ifindex};
	struct rtattr attr = {.rta_type = other ? RTA_VIA : RTA_GATEWAY};
	size_t size;

	if (other) {
		size = via(gateway, value);
	} else {
		assert_true(addr_parse(&addr, gateway));
		size = addr_size(addr.family);
		memcpy(value, addr.bytes, size);
	}
	attr.rta_len = (uint16_t)RTA_LENGTH(size);
	hop.rtnh_len = (uint16_t)(RTNH_LENGTH(0) + attr.rta_len);
	memcpy(at, &hop, sizeof(hop));
	memcpy(at + RTNH_LENGTH(0), &attr, sizeof(attr));
	memcpy(at + RTNH_LENGTH(0) + RTA_LENGTH(0), value, size);
	return RTNH_ALIGN(hop.rtnh_len);
}

static void assert_hop(const struct follow_hop *hop, const char *gateway, uint32_t ifindex)
{
	char text[ADDR_TEXT];

	assert_string_equal(addr_format(&hop->gateway, text), gateway);
	assert_int_equal(hop->ifindex, ifindex);
}

static void test_gateway(void **state)
{
	struct follow_route route;
	struct draft draft;
	char text[PREFIX_TEXT];

	begin_route(&draft, RTM_NEWROUTE, "52.112.0.0/14", RTPROT_BIRD);
	put_addr(&draft, RTA_GATEWAY, "192.0.2.1");
	put_u32(&draft, RTA_OIF, 7);
	draft.message.flags = NLM_F_REPLACE;
	assert_true(follow_route_read(&draft.message, &route));
	assert_false(route.gone);
	assert_true(route.replaces && route.unicast);
	assert_int_equal(route.protocol, RTPROT_BIRD);
	assert_int_equal(route.table, RT_TABLE_MAIN);
	assert_int_equal(route.metric, 20);
	assert_int_equal(route.nexthop, 0);
	assert_string_equal(prefix_format(&route.prefix, text), "52.112.0.0/14");
	assert_int_equal(route.nhops, 1);
	assert_int_equal(route.total, 1);
	assert_hop(&route.hops[0], "192.0.2.1", 7);

	begin_route(&draft, RTM_DELROUTE, "2603:1063::/38", RTPROT_BGP);
	put_addr(&draft, RTA_GATEWAY, "fe80::1");
	assert_true(follow_route_read(&draft.message, &route));
	assert_true(route.gone);
	assert_hop(&route.hops[0], "fe80::1", 0);

	begin_route(&draft, RTM_NEWROUTE, "0.0.0.0/0", RTPROT_BGP);
	assert_true(follow_route_read(&draft.message, &route));
	assert_string_equal(prefix_format(&route.prefix, text), "0.0.0.0/0");
	assert_int_equal(route.nhops, 0);
	assert_int_equal(route.total, 1);
}

static void test_via(void **state)
{
	struct follow_route route;
	struct draft draft;
	unsigned char buf[18];
	size_t size = via("2001:db8::1", buf);

	begin_route(&draft, RTM_NEWROUTE, "52.112.0.0/14", RTPROT_BGP);
	put(&draft, RTA_VIA, buf, size);
	assert_true(follow_route_read(&draft.message, &route));
	assert_hop(&route.hops[0], "2001:db8::1", 0);
	for (size_t cut = 0; cut < size; cut++) {
		begin_route(&draft, RTM_NEWROUTE, "52.112.0.0/14", RTPROT_BGP);
		put(&draft, RTA_VIA, buf, cut);
		assert_true(follow_route_read(&draft.message, &route));
		assert_int_equal(route.nhops, 0);
	}
	buf[1] = 1; /* no such family */
	begin_route(&draft, RTM_NEWROUTE, "52.112.0.0/14", RTPROT_BGP);
	put(&draft, RTA_VIA, buf, size);
	assert_true(follow_route_read(&draft.message, &route));
	assert_int_equal(route.nhops, 0);
}

static void test_multipath(void **state)
{
	unsigned char list[FOLLOW_HOPS * 80];
	struct follow_route route;
	struct draft draft;
	size_t size = next_hop(list, 3, "192.0.2.1", false);

	size += next_hop(list + size, 4, "2001:db8::2", true);
	size += next_hop(list + size, 5, "192.0.2.9", false);
	begin_route(&draft, RTM_NEWROUTE, "52.112.0.0/14", RTPROT_BIRD);
	put(&draft, RTA_MULTIPATH, list, size);
	assert_true(follow_route_read(&draft.message, &route));
	assert_int_equal(route.nhops, 3);
	assert_int_equal(route.total, 3);
	assert_hop(&route.hops[0], "192.0.2.1", 3);
	assert_hop(&route.hops[1], "2001:db8::2", 4);
	assert_hop(&route.hops[2], "192.0.2.9", 5);
	/* Cut anywhere: what is whole counts. */
	for (size_t cut = 0; cut < size; cut++) {
		begin_route(&draft, RTM_NEWROUTE, "52.112.0.0/14", RTPROT_BIRD);
		put(&draft, RTA_MULTIPATH, list, cut);
		assert_true(follow_route_read(&draft.message, &route));
		assert_in_range(route.nhops, 0, 2);
	}
	/* Lengths that lie. */
	for (unsigned length = 0; length < 600; length++) {
		uint16_t lie = (uint16_t)(length < 300 ? length : 65535 - (length - 300));
		unsigned char copy[sizeof(list)];

		memcpy(copy, list, size);
		memcpy(copy, &lie, sizeof(lie));
		begin_route(&draft, RTM_NEWROUTE, "52.112.0.0/14", RTPROT_BIRD);
		put(&draft, RTA_MULTIPATH, copy, size);
		assert_true(follow_route_read(&draft.message, &route));
		assert_in_range(route.nhops, 0, 3);
	}
	/* More than are looked at. */
	size = 0;
	for (unsigned i = 0; i < FOLLOW_HOPS + 10; i++)
		size += next_hop(list + size, 3, "192.0.2.1", false);
	begin_route(&draft, RTM_NEWROUTE, "52.112.0.0/14", RTPROT_BIRD);
	put(&draft, RTA_MULTIPATH, list, size);
	assert_true(follow_route_read(&draft.message, &route));
	assert_int_equal(route.nhops, FOLLOW_HOPS);
	assert_int_equal(route.total, FOLLOW_HOPS + 10);
}

static void test_others(void **state)
{
	struct follow_nexthop nexthop;
	struct follow_route route;
	struct draft draft;
	struct rtmsg header = {.rtm_family = AF_INET, .rtm_dst_len = 33};

	begin(&draft, RTM_NEWROUTE, &header, sizeof(header));
	assert_false(follow_route_read(&draft.message, &route));
	header.rtm_dst_len = 0;
	header.rtm_family = AF_UNIX;
	begin(&draft, RTM_NEWROUTE, &header, sizeof(header));
	assert_false(follow_route_read(&draft.message, &route));
	header.rtm_family = AF_INET;
	header.rtm_type = RTN_UNREACHABLE;
	begin(&draft, RTM_NEWROUTE, &header, sizeof(header));
	assert_true(follow_route_read(&draft.message, &route));
	assert_false(route.unicast);
	header.rtm_type = RTN_UNICAST;
	header.rtm_tos = 16;
	begin(&draft, RTM_NEWROUTE, &header, sizeof(header));
	assert_true(follow_route_read(&draft.message, &route));
	assert_false(route.unicast);
	draft.message.size = sizeof(header) - 1;
	assert_false(follow_route_read(&draft.message, &route));
	begin(&draft, RTM_NEWLINK, &header, sizeof(header));
	assert_false(follow_route_read(&draft.message, &route));
	assert_false(follow_nexthop_read(&draft.message, &nexthop));
}

/* Peers of two services, one link-local on two links. */
static void make_peers(struct follow_hops *hops)
{
	struct follow_peer peers[5] = {{.ifindex = 4, .services = 1},
				       {.ifindex = 3, .services = 1},
				       {.ifindex = 3, .services = 2},
				       {.ifindex = 4, .services = 4},
				       {.services = 8}};
	static const char *const texts[5] = {"192.0.2.5", "192.0.2.1", "fe80::1", "fe80::1", "2001:db8::2"};
	struct addr guarded[2];

	for (unsigned i = 0; i < 5; i++)
		assert_true(addr_parse(&peers[i].gateway, texts[i]));
	assert_true(addr_parse(&guarded[0], "2001:db8::2"));
	assert_true(addr_parse(&guarded[1], "192.0.2.5"));
	assert_int_equal(follow_hops_peers(hops, peers, 5, guarded, 2), 1);
	assert_int_equal(follow_hops_peers(hops, peers, 5, guarded, 2), 0);
	peers[4].services = 16;
	assert_int_equal(follow_hops_peers(hops, peers, 5, guarded, 2), 1);
	peers[4].services = 8;
	assert_int_equal(follow_hops_peers(hops, peers, 5, guarded, 1), 1);
	assert_int_equal(follow_hops_peers(hops, peers, 5, guarded, 2), 1);
}

static uint16_t services_by(const struct follow_hops *hops, const char *gateway, uint32_t ifindex)
{
	struct follow_route route = {.nhops = 1, .total = 1, .hops[0].ifindex = ifindex};

	assert_true(addr_parse(&route.hops[0].gateway, gateway));
	return follow_hops_route(hops, &route);
}

static bool guarded(const struct follow_hops *hops, const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(&prefix, text), PREFIX_OK);
	return follow_hops_guarded(hops, &prefix);
}

static void test_peers(void **state)
{
	struct follow_hops hops = {0};

	assert_int_equal(services_by(&hops, "192.0.2.1", 3), 0);
	make_peers(&hops);
	assert_int_equal(services_by(&hops, "192.0.2.1", 3), 1);
	assert_int_equal(services_by(&hops, "192.0.2.1", 0), 1);
	assert_int_equal(services_by(&hops, "192.0.2.1", 4), 0);
	assert_int_equal(services_by(&hops, "192.0.2.2", 3), 0);
	assert_int_equal(services_by(&hops, "fe80::1", 3), 2);
	assert_int_equal(services_by(&hops, "fe80::1", 4), 4);
	assert_int_equal(services_by(&hops, "2001:db8::2", 9), 8);
	assert_true(guarded(&hops, "192.0.2.0/24"));
	assert_true(guarded(&hops, "192.0.2.5"));
	assert_false(guarded(&hops, "192.0.2.6"));
	assert_false(guarded(&hops, "192.0.2.0/30"));
	assert_true(guarded(&hops, "2001:db8::/32"));
	assert_true(guarded(&hops, "0.0.0.0/0"));
	assert_false(guarded(&hops, "2001:db8:0:1::/64"));
	follow_hops_free(&hops);
}

static bool set_nexthop(struct follow_hops *hops, uint32_t id, const char *gateway, bool gone)
{
	struct follow_nexthop nexthop;
	struct draft draft;
	struct nhmsg header = {.nh_family = AF_INET, .nh_protocol = RTPROT_ZEBRA};

	begin(&draft, gone ? RTM_DELNEXTHOP : RTM_NEWNEXTHOP, &header, sizeof(header));
	put_u32(&draft, NHA_ID, id);
	put_u32(&draft, NHA_OIF, 3);
	put_addr(&draft, NHA_GATEWAY, gateway);
	assert_true(follow_nexthop_read(&draft.message, &nexthop));
	assert_int_equal(nexthop.id, id);
	assert_int_equal(nexthop.protocol, RTPROT_ZEBRA);
	assert_int_equal(nexthop.gone, gone);
	assert_hop(&nexthop.hop, gateway, 3);
	return follow_hops_set(hops, &nexthop);
}

static bool set_group(struct follow_hops *hops, uint32_t id, unsigned n, const uint32_t *ids)
{
	struct nexthop_grp members[FOLLOW_HOPS + 2] = {0};
	struct follow_nexthop nexthop;
	struct draft draft;
	struct nhmsg header = {.nh_protocol = RTPROT_ZEBRA};

	for (unsigned i = 0; i < n; i++)
		members[i].id = ids[i];
	begin(&draft, RTM_NEWNEXTHOP, &header, sizeof(header));
	put_u32(&draft, NHA_ID, id);
	put(&draft, NHA_GROUP, members, n * sizeof(members[0]));
	assert_true(follow_nexthop_read(&draft.message, &nexthop));
	assert_int_equal(nexthop.nmembers, n < FOLLOW_HOPS ? n : FOLLOW_HOPS);
	return follow_hops_set(hops, &nexthop);
}

static uint16_t services_on(const struct follow_hops *hops, uint32_t id)
{
	struct follow_route route;
	struct draft draft;

	begin_route(&draft, RTM_NEWROUTE, "52.112.0.0/14", RTPROT_BGP);
	put_u32(&draft, RTA_NH_ID, id);
	assert_true(follow_route_read(&draft.message, &route));
	return follow_hops_route(hops, &route);
}

static void test_objects(void **state)
{
	uint32_t many[FOLLOW_HOPS + 2] = {10, 11};
	struct follow_hops hops = {0};

	make_peers(&hops);
	/* New ones carry no routes yet. */
	assert_false(set_nexthop(&hops, 11, "192.0.2.1", false));
	assert_false(set_nexthop(&hops, 10, "203.0.113.1", false));
	assert_false(set_group(&hops, 20, 2, many));
	assert_int_equal(services_on(&hops, 11), 1);
	assert_int_equal(services_on(&hops, 10), 0);
	assert_int_equal(services_on(&hops, 20), 1);
	assert_int_equal(services_on(&hops, 12), 0);
	/* The same again, and others in their place. */
	assert_false(set_nexthop(&hops, 11, "192.0.2.1", false));
	assert_false(set_nexthop(&hops, 10, "203.0.113.2", false));
	assert_true(set_nexthop(&hops, 11, "203.0.113.3", false));
	assert_int_equal(services_on(&hops, 20), 0);
	assert_true(set_nexthop(&hops, 10, "192.0.2.1", false));
	assert_int_equal(services_on(&hops, 20), 1);
	assert_true(set_group(&hops, 20, 1, &many[1]));
	assert_int_equal(services_on(&hops, 20), 0);
	/* What is gone, by a word or by not being listed. */
	assert_true(set_nexthop(&hops, 10, "192.0.2.1", true));
	assert_false(set_nexthop(&hops, 10, "192.0.2.1", true));
	assert_false(set_nexthop(&hops, 11, "203.0.113.3", true));
	assert_false(set_nexthop(&hops, 12, "192.0.2.1", false));
	follow_hops_list_begin(&hops);
	assert_false(set_nexthop(&hops, 13, "192.0.2.1", false));
	follow_hops_list_end(&hops);
	assert_int_equal(services_on(&hops, 12), 0);
	assert_int_equal(services_on(&hops, 13), 1);
	assert_int_equal(hops.nobjects, 1);
	assert_false(set_group(&hops, 21, FOLLOW_HOPS + 2, many));
	for (uint32_t id = 1000; id > 500; id--)
		assert_false(set_nexthop(&hops, id, "192.0.2.1", false));
	for (uint32_t id = 501; id <= 1000; id++)
		assert_int_equal(services_on(&hops, id), 1);
	follow_hops_free(&hops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gateway),	  cmocka_unit_test(test_via),
		cmocka_unit_test(test_multipath), cmocka_unit_test(test_others),
		cmocka_unit_test(test_peers),	  cmocka_unit_test(test_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
