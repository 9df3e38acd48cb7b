/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/link_flags.h"

#include <net/if.h>
#include <sys/ioctl.h>

/* By index: a name may have gone to another link, and for one that nobody has the kernel would load a module.
 */
bool link_flags_running(int fd, uint32_t ifindex, bool *running)
{
	struct ifreq request = {.ifr_ifindex = (int)ifindex};

	if (ioctl(fd, SIOCGIFNAME, &request) || ioctl(fd, SIOCGIFFLAGS, &request))
		return false;
	*running = request.ifr_flags & IFF_RUNNING;
	return true;
}
