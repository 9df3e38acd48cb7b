/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/port.h"

static void lines(void **state)
{
	static const char v4[] =
		"  423: 00000000:0EC8 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        "
		"0 20715 2 0000000000000000 0";
	static const char v6[] =
		" 2423: 00000000000000000000000000000000:12B0 00000000000000000000000000000000:0000 07 "
		"00000000:00000000 00:00000000 00000000   101        0 4294967297 2 0000000000000000 0";
	unsigned long inode = 0;

	assert_true(port_line(v4, 3784, &inode));
	assert_int_equal(inode, 20715);
	assert_false(port_line(v4, 3785, &inode));
	assert_true(port_line(v6, 4784, &inode));
	assert_int_equal(inode, 4294967297);
	assert_false(port_line("   sl  local_address rem_address   st tx_queue", 3784, &inode));
	assert_false(port_line("", 0, &inode));
	assert_false(port_line("  1: 00000000:0EC8 00000000:0000 07", 3784, &inode));
}

static void ourselves(void **state)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char holder[PORT_HOLDER], pid[32];
	uint16_t port;

	assert_return_code(bind(fd, (struct sockaddr *)&name, size), 0);
	assert_return_code(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	port = ntohs(name.sin_port);
	snprintf(pid, sizeof(pid), "(pid %d)", getpid());
	assert_ptr_equal(port_holder(AF_INET, port, holder), holder);
	assert_non_null(strstr(holder, "test_port"));
	assert_non_null(strstr(holder, pid));
	/* Ours is IPv4's alone. */
	assert_string_equal(port_holder(AF_INET6, port, holder), "another program");
	close(fd);
	assert_string_equal(port_holder(AF_INET, port, holder), "another program");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(ourselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
