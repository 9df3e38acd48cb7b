#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The engine's test again, with the filter in the kernel before its sockets.
KERNEL_FILTER=1 exec "$(dirname "$0")/10-engine.sh"
