#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel side, function by function: monitor, steering thread, packet filter, routes, settling at start and stop.
# BUILD: where the probes are (build). BENCH=N: also times each order with N routes.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
NS=bfnl$$
PEER=bfnp$$
WORK=$(mktemp -d /tmp/bfnl.XXXXXX)

cleanup() {
	ip netns del $NS 2>/dev/null
	ip netns del $PEER 2>/dev/null
	rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# `ip -n` and `ip netns exec` fail in a chroot.
at() { # NAMESPACE COMMAND...
	local namespace=$1
	shift
	nsenter --net="/run/netns/$namespace" "$@"
}

die() { echo "20-netlink: $*" >&2; exit 1; }

# Two namespaces: a0 - b0 (a /31, a /127 and fe80::), a1 - b1 (a /30), and what answers at the far end's
# loopback.
world() {
	local n i
	for n in $NS $PEER; do
		ip netns del $n 2>/dev/null
		ip netns add $n || return 1
		at $n ip link set lo up || return 1
		at $n sysctl -qw net.ipv6.conf.{all,default}.{accept_dad,accept_ra}=0 \
			net.ipv6.conf.default.addr_gen_mode=1 || return 1
	done
	for i in 0 1; do
		at $NS ip link add a$i type veth peer name b$i netns $PEER || return 1
		at $NS ip addr add fe80::a$i/64 dev a$i nodad || return 1
		at $PEER ip addr add fe80::b$i/64 dev b$i nodad || return 1
		at $NS ip link set a$i up || return 1
		at $PEER ip link set b$i up || return 1
	done
	at $NS ip addr add 10.0.0.0/31 dev a0 && at $PEER ip addr add 10.0.0.1/31 dev b0 &&
		at $NS ip addr add 10.0.1.1/30 dev a1 && at $PEER ip addr add 10.0.1.2/30 dev b1 &&
		at $NS ip addr add 2001:db8:1::/127 dev a0 nodad &&
		at $PEER ip addr add 2001:db8:1::1/127 dev b0 nodad &&
		at $PEER ip addr add 50.0.0.1/32 dev lo &&
		at $PEER ip addr add 2001:db8:50::1/128 dev lo nodad || return 1
	# A carrier is reported by a work queue.
	for ((i = 0; i < 50; i++)); do
		[ "$(at $NS ip -br link show up | grep -c ' UP ')" = 2 ] && return 0
		sleep 0.1
	done
	return 1
}

probe() {
	local what="$*" program
	program=$(readlink -f "$BUILD/tests/net/tools/$1") || die "no $1 in $BUILD"
	shift
	world || die "cannot make the namespaces"
	echo "== $what"
	(cd "$WORK" && at $NS "$program" "$@") || failed+=" ($what)"
}

failed=
probe netlink_probe monitor $PEER
probe netlink_probe steer $PEER
if nft list tables >/dev/null 2>&1; then
	probe firewall_probe
fi
probe routes_probe routes
probe routes_probe settle
[ -z "${BENCH:-}" ] || probe routes_probe bench "$BENCH"
[ -z "$failed" ] || die "failed:$failed"
echo "20-netlink: passed"
