/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packet sockets as doors, on lo in a network namespace of its own: what they take and what they leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/packet.h"
#include "io/udp.h"

static struct udp *udp;
static unsigned ngot;
static uint8_t got[512];
static size_t got_size;
static struct table_origin from;
static usec_t stamped;

static void take(void *context, const uint8_t *data, size_t size, const struct table_origin *origin,
		 usec_t stamp)
{
	assert_true(size <= sizeof(got));
	memcpy(got, data, size);
	got_size = size;
	from = *origin;
	stamped = stamp;
	ngot++;
}

/* An IPv4 or IPv6 datagram to PORT of lo, from a socket: its checksum is left to hardware that is not there.
 */
static void send_to(int family, uint16_t port, const void *data, size_t size, int ttl)
{
	struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool six = family == AF_INET6;
	int fd = socket(family, SOCK_DGRAM, 0);

	assert_return_code(fd, errno);
	if (six)
		setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
	else
		setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	assert_int_equal(sendto(fd, data, size, 0, six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
				six ? sizeof(v6) : sizeof(v4)),
			 size);
	close(fd);
}

/* On lo a packet is delivered before sendto() has returned. */
static unsigned receive(void)
{
	ngot = 0;
	udp_receive(udp, take, NULL);
	return ngot;
}

static struct udp_door door_for(uint8_t family)
{
	return (struct udp_door){
		.fd = -1, .port = BFD_PORT_ECHO, .family = family, .type = SESSION_ECHO, .ifindex = 1};
}

static int open_door(struct udp_door *door)
{
	char error[200];

	assert_int_equal(udp_open_door(door, error, sizeof(error)), 0);
	assert_true(udp_adopt(udp, door));
	return door->fd;
}

static void one_port_is_heard(void **state)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (unsigned i = 0; i < 2; i++) {
		struct udp_door door = door_for(families[i]);
		struct timespec now;
		struct pollfd wait = {.events = POLLIN};

		send_to(families[i], BFD_PORT_ECHO, "early", 5, 255);
		open_door(&door);
		send_to(families[i], BFD_PORT_ECHO + 1, "other", 5, 255);
		send_to(families[1 - i], BFD_PORT_ECHO, "family", 6, 255);
		assert_int_equal(receive(), 0);
		send_to(families[i], BFD_PORT_ECHO, "here", 4, 254);
		wait.fd = udp_wait_fd(udp);
		assert_int_equal(poll(&wait, 1, 5000), 1);
		assert_int_equal(receive(), 1);
		assert_int_equal(got_size, 4);
		assert_memory_equal(got, "here", 4);
		assert_int_equal(from.ttl, 254);
		assert_int_equal(from.ifindex, 1);
		assert_int_equal(from.type, SESSION_ECHO);
		assert_int_equal(from.local.family, families[i]);
		assert_int_equal(from.local.bytes[families[i] == AF_INET ? 3 : 15], 1);
		assert_true(addr_equal(&from.local, &from.peer));
		assert_true(from.port);
		clock_gettime(CLOCK_REALTIME, &now);
		assert_in_range(stamped, (now.tv_sec - 10) * USEC_S, (now.tv_sec + 1) * USEC_S);
		udp_release(udp, door.fd);
		close(door.fd);
	}
}

static void large_ones_are_no_danger(void **state)
{
	struct udp_door door = door_for(AF_INET);
	uint8_t data[9300];
	uint64_t before = udp_malformed(udp);

	memset(data, 7, sizeof(data));
	open_door(&door);
	send_to(AF_INET, BFD_PORT_ECHO, data, PACKET_SIZE_MAX, 255);
	assert_int_equal(receive(), 1);
	assert_int_equal(got_size, PACKET_SIZE_MAX);
	/* Padded (RFC 9764): what follows the packet is counted, and not handed on. */
	for (unsigned i = 0; i < 20; i++)
		send_to(AF_INET, BFD_PORT_ECHO, data, 9000, 255);
	assert_int_equal(receive(), 20);
	assert_in_range(got_size, PACKET_SIZE_MAX, sizeof(got));
	assert_int_equal(from.size, 9000);
	send_to(AF_INET, BFD_PORT_ECHO, data, sizeof(data), 255);
	assert_int_equal(receive(), 0);
	assert_int_equal(udp_malformed(udp), before + 1);
	udp_release(udp, door.fd);
	close(door.fd);
}

static void an_interface_that_is_not_there_is_an_error(void **state)
{
	struct udp_door door = door_for(AF_INET);
	char error[200] = "";

	door.ifindex = 4711;
	assert_int_equal(udp_open_door(&door, error, sizeof(error)), -1);
	assert_non_null(strstr(error, "3785"));
	close(door.fd);
}

static int setup(void **state)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	char error[200];
	int fd;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		return -1;
	close(fd);
	udp = udp_open(error, sizeof(error));
	return udp ? 0 : -1;
}

static int teardown(void **state)
{
	udp_close(udp);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_port_is_heard),
		cmocka_unit_test(large_ones_are_no_danger),
		cmocka_unit_test(an_interface_that_is_not_there_is_an_error),
	};

	if (geteuid()) {
		print_message("not root: skipped\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
