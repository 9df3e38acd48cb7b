// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/detour.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the filter, by which tc(8) shows it and a successor finds it. */
#define HANDLE 1
#define PRIORITY 6784 /* micro-BFD's port */

/* The program, as the Makefile lets clang make it of detour.bpf.c. */
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	"detour_object: .incbin \"bfdd/io/detour.bpf.o\"\n"
	"detour_object_end:\n"
	".popsection\n");
extern const char detour_object[] __attribute__((visibility("hidden")));
extern const char detour_object_end[] __attribute__((visibility("hidden")));

struct detour {
	struct bpf_object *object;
	int program, map;
};

struct detour *detour_open(char *error, size_t size)
{
	struct detour *detour = calloc(1, sizeof(*detour));

	if (!detour) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	libbpf_set_print(NULL); /* it tells of what is there already, too */
	detour->object = bpf_object__open_mem(detour_object, detour_object_end - detour_object, NULL);
	if (!detour->object || bpf_object__load(detour->object)) {
		snprintf(error, size, "%s",
			 errno == EPERM
				 ? "eBPF is not permitted: CAP_BPF is missing, or does not count in this "
				   "container"
				 : strerror(errno));
		detour_close(detour);
		return NULL;
	}
	detour->map = bpf_object__find_map_fd_by_name(detour->object, "detours");
	detour->program = bpf_program__fd(bpf_object__find_program_by_name(detour->object, "detour"));
	return detour;
}

void detour_close(struct detour *detour)
{
	if (detour)
		bpf_object__close(detour->object);
	free(detour);
}

int detour_attach(struct detour *detour, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = HANDLE, .priority = PRIORITY, .prog_fd = detour->program,
		    .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST)
		return err;
	return bpf_tc_attach(&hook, &options);
}

/* The queueing discipline that the filter is in stays: others may have theirs there by now. */
void detour_detach(struct detour *detour, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = HANDLE, .priority = PRIORITY);

	detour_set(detour, ifindex, NULL, 0);
	bpf_tc_detach(&hook, &options);
}

int detour_set(struct detour *detour, uint32_t ifindex, const uint32_t *links, unsigned n)
{
	struct detour_ways ways = {.n = n < DETOUR_WAYS ? n : DETOUR_WAYS};

	if (!n) {
		if (bpf_map_delete_elem(detour->map, &ifindex) && errno != ENOENT)
			return -errno;
		return 0;
	}
	memcpy(ways.out, links, ways.n * sizeof(*links));
	return bpf_map_update_elem(detour->map, &ifindex, &ways, BPF_ANY) ? -errno : 0;
}
