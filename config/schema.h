/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that a configuration file may say, in one table: it drives reading, checking and what a reload does,
 * and the tests hold the manual page and the example against it. */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a key may stand: bits of a mask. */
enum schema_section {
	SCHEMA_TOP = 1,
	SCHEMA_PROFILE = 2,
	SCHEMA_PEER = 4,
	SCHEMA_SITE = 8,
	SCHEMA_SERVICE = 16,
	SCHEMA_STEERING = 32,
	SCHEMA_DAEMON = 64,
	SCHEMA_BIRD = 128,
	SCHEMA_FRR = 256,
	SCHEMA_UNSOLICITED = 1 << 16,
	SCHEMA_SBFD = 1 << 17,
	SCHEMA_KEY_CHAIN = 1 << 18,
	SCHEMA_KEY = 1 << 19, /* of a chain */
};

enum schema_type {
	SCHEMA_NAME, /* of this one, or of another */
	SCHEMA_BOOL,
	SCHEMA_INTEGER,
	SCHEMA_MILLISECONDS, /* whole or fractional; kept in microseconds, exactly */
	SCHEMA_ADDRESS,
	SCHEMA_INTERFACE,
	SCHEMA_PATH, /* absolute, as long as that of a socket may be */
	SCHEMA_NAMES,
	SCHEMA_PREFIXES,
	SCHEMA_INTERFACES,
	SCHEMA_DISCRIMINATOR,  /* a number, or an IPv4 address for its bits */
	SCHEMA_DISCRIMINATORS, /* of these */
	SCHEMA_NETWORKS,       /* where packets may come from: also link-local ones */
	SCHEMA_PEERS,	       /* names, also such as are addresses */
	SCHEMA_ENDPOINT,       /* of a socket */
	SCHEMA_TIME,	       /* RFC 3339; kept as Unix time in microseconds */
	SCHEMA_SECRET,	       /* no message shows it */
	SCHEMA_GROUPS,	       /* a list of groups: a section each */
	SCHEMA_GROUP,	       /* one section */
};

/* What it takes for a new value to hold. */
enum schema_reload {
	SCHEMA_LIVE,	/* a reload */
	SCHEMA_POLL,	/* a reload, and the peer agrees to it by a Poll Sequence (RFC 5880 6.8.3); no flap */
	SCHEMA_SESSION, /* a reload that ends the session and makes a new one */
	SCHEMA_RESTART, /* of the daemon */
};

enum schema_index {
	KEY_PROFILES,
	KEY_PEERS,
	KEY_SITES,
	KEY_SERVICES,
	KEY_STEERING,
	KEY_DAEMON,
	KEY_BIRD,
	KEY_FRR,
	KEY_UNSOLICITED,
	KEY_SBFD,
	KEY_REQUIRE_BGP,
	KEY_FLIGHT_RECORDER,
	KEY_NAME,
	KEY_TRANSMIT_INTERVAL, /* the first of the session's */
	KEY_RECEIVE_INTERVAL,
	KEY_DETECT_MULTIPLIER,
	KEY_MINIMUM_TTL,
	KEY_PASSIVE_MODE,
	KEY_PADDED_PDU_SIZE,
	KEY_RTT_INTERVAL,
	KEY_DEMAND_MODE,
	KEY_DEMAND_POLL_INTERVAL,
	KEY_CONTROL_PLANE_INDEPENDENT,
	KEY_DSCP,
	KEY_ECHO_MODE,
	KEY_ECHO_TRANSMIT_INTERVAL,
	KEY_ECHO_RECEIVE_INTERVAL,
	KEY_SHUTDOWN, /* the last of the session's */
	KEY_ADDRESS,
	KEY_LOCAL_ADDRESS,
	KEY_INTERFACE,
	KEY_VRF,
	KEY_MINIMUM_LINKS,
	KEY_MULTIHOP,
	KEY_TYPE,
	KEY_VIA,
	KEY_PROFILE,
	KEY_PEER_BIRD_METHOD,
	KEY_PEER_BIRD_PROTOCOL,
	KEY_SITE_PEERS,
	KEY_PREFIXES,
	KEY_SERVICE_SITES,
	KEY_WAIT_TO_RESTORE,
	KEY_WITHDRAW_DELAY,
	KEY_PROTOCOL,
	KEY_TABLE,
	KEY_RULE_PRIORITY,
	KEY_NEXTHOP_ID,
	KEY_HOLD_ON_STOP,
	KEY_FAST_FAILOVER,
	KEY_FAST_FAILOVER_MARK,
	KEY_REALTIME,
	KEY_REALTIME_PRIORITY,
	KEY_REALTIME_DEADLINE,
	KEY_KERNEL_FILTER,
	KEY_PACKET_SOCKET,
	KEY_EVENTS,
	KEY_DATAPLANE,
	KEY_KEEP_SESSIONS,
	KEY_BIRD_SOCKET,
	KEY_BIRD_METHOD,
	KEY_NEXT_HOP_TABLE, /* the first number of bird's */
	KEY_BIRD_TIMEOUT,   /* the last */
	KEY_FRR_VTYSH,
	KEY_FRR_PATHSPACE,
	KEY_FRR_BGP_INTERVAL,
	KEY_UNSOLICITED_INTERFACES,
	KEY_UNSOLICITED_PREFIXES,
	KEY_MAXIMUM, /* the first number of unsolicited's */
	KEY_EXPIRY,  /* the last */
	KEY_KEY_CHAINS,
	KEY_KEY_CHAIN,
	KEY_KEYS,
	KEY_KEY_ID,
	KEY_AUTH_TYPE,
	KEY_SECRET,
	KEY_SECRET_HEX,
	KEY_SECRET_FILE,
	KEY_SEND_START,
	KEY_SEND_END,
	KEY_ACCEPT_START,
	KEY_ACCEPT_END,
	KEY_REMOTE_DISCRIMINATOR,
	KEY_DISCRIMINATORS,
	KEY_SBFD_RECEIVE_INTERVAL, /* the first number of s-bfd's */
	KEY_SBFD_RATE,
	KEY_SBFD_SHUTDOWN, /* the last */
	KEY_SBFD_VRFS,
	SCHEMA_KEYS
};

struct schema_key {
	const char *name;
	enum schema_type type;
	unsigned sections;
	bool required;
	enum schema_reload reload;
	int64_t fallback, least, most; /* of numbers (microseconds for milliseconds) and booleans */
	size_t offset,
		size; /* of numbers and booleans: where in struct session_config, config_service, ... */
	enum schema_section opens; /* of groups */
	const char *help;
};

extern const struct schema_key schema_keys[SCHEMA_KEYS];

/* NULL: SECTION has no such key. */
const struct schema_key *schema_find(enum schema_section section, const char *name);
/* "profiles", "peers", ..., "the top level" for messages. */
const char *schema_section_name(enum schema_section section);
/* Writes a number or boolean into the struct that KEY's offset is meant in. */
void schema_store(const struct schema_key *key, void *base, int64_t value);

#endif
