/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the kernel's routing lock (RTNL), as a program does that changes very many routes, only for as long
 * as a test wants: until its standard input ends, or for 20 s.
 *
 *   rtnl_hold        prints "held" once the lock is held, and exits with 0 once it is free again; 77: this
 *                    kernel cannot be made to
 *
 * An ethtool request is read from user space with the lock held. Half of ours lies in a page that is not
 * there, and userfaultfd(2) lets us say when it comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LONGEST 20000 /* ms */

static unsigned char *pages;
static size_t page_size;

static void cannot(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(77);
}

static void *ask(void *arg)
{
	/* The command in the first page, what comes behind it in the second. */
	struct ifreq request = {.ifr_name = "lo", .ifr_data = (char *)pages + page_size - sizeof(uint32_t)};
	uint32_t command = ETHTOOL_GFEATURES;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(request.ifr_data, &command, sizeof(command));
	if (fd < 0)
		cannot("socket");
	ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	return NULL;
}

static int watch_page(void *page)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.range = {.start = (uintptr_t)page, .len = page_size},
					.mode = UFFDIO_REGISTER_MODE_MISSING};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		cannot("userfaultfd");
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		cannot("userfaultfd");
	return fd;
}

static void give_page(int fd, void *page)
{
	struct uffdio_zeropage zero = {.range = {.start = (uintptr_t)page, .len = page_size}};

	if (ioctl(fd, UFFDIO_ZEROPAGE, &zero)) {
		perror("UFFDIO_ZEROPAGE");
		exit(1);
	}
}

int main(void)
{
	struct pollfd fault, input = {.fd = 0, .events = POLLIN};
	pthread_t thread;

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		cannot("mmap");
	fault = (struct pollfd){.fd = watch_page(pages + page_size), .events = POLLIN};
	if (pthread_create(&thread, NULL, ask, NULL))
		cannot("thread");
	if (poll(&fault, 1, LONGEST) != 1) {
		printf("the kernel does not read this request\n");
		exit(77);
	}
	printf("held\n");
	fflush(stdout);
	poll(&input, 1, LONGEST);
	give_page(fault.fd, pages + page_size);
	pthread_join(thread, NULL);
	return 0;
}
