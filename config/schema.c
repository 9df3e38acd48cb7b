/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <string.h>

#include "config/config.h"
#include "config/schema.h"

#define IN(type, member) .offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define RANGE(fallback_, least_, most_) .fallback = fallback_, .least = least_, .most = most_
#define BOTH (SCHEMA_PROFILE | SCHEMA_PEER)

const struct schema_key schema_keys[SCHEMA_KEYS] = {
	[KEY_PROFILES] = {"profiles", SCHEMA_GROUPS, SCHEMA_TOP, .opens = SCHEMA_PROFILE,
			  .help = "values that several peers share"},
	[KEY_PEERS] = {"peers", SCHEMA_GROUPS, SCHEMA_TOP, .opens = SCHEMA_PEER,
		       .help = "whom BFD is spoken with"},
	[KEY_SITES] = {"sites", SCHEMA_GROUPS, SCHEMA_TOP, .opens = SCHEMA_SITE,
		       .help = "peers that share traffic as long as they are up"},
	[KEY_SERVICES] = {"services", SCHEMA_GROUPS, SCHEMA_TOP, .opens = SCHEMA_SERVICE,
			  .help = "prefixes and the sites that carry them"},
	[KEY_STEERING] = {"steering", SCHEMA_GROUP, SCHEMA_TOP, .opens = SCHEMA_STEERING,
			  .help = "what is ours in the kernel's routing"},
	[KEY_DAEMON] = {"daemon", SCHEMA_GROUP, SCHEMA_TOP, .opens = SCHEMA_DAEMON,
			.help = "the daemon itself"},
	[KEY_FRR] = {"frr", SCHEMA_GROUP, SCHEMA_TOP, .opens = SCHEMA_FRR,
		     .help = "FRR: to be the data plane of its bfdd, and to ask for its BGP sessions"},
	[KEY_BIRD] = {"bird", SCHEMA_GROUP, SCHEMA_TOP, .opens = SCHEMA_BIRD,
		      .help = "how BIRD is made to follow"},
	[KEY_UNSOLICITED] = {"unsolicited", SCHEMA_GROUPS, SCHEMA_TOP, .opens = SCHEMA_UNSOLICITED,
			     .help = "who may begin a session that is not in this file (RFC 9468)"},
	[KEY_SBFD] = {"s-bfd", SCHEMA_GROUP, SCHEMA_TOP, .opens = SCHEMA_SBFD,
		      .help = "the reflector of S-BFD: who asks is answered (RFC 7880)"},
	[KEY_REQUIRE_BGP] = {"require-bgp", SCHEMA_BOOL, SCHEMA_TOP, .reload = SCHEMA_LIVE, RANGE(true, 0, 1),
			     IN(config, require_bgp),
			     .help = "a path whose BGP session is known to be down carries no service"},
	[KEY_FLIGHT_RECORDER] = {"flight-recorder", SCHEMA_BOOL, SCHEMA_TOP, .reload = SCHEMA_RESTART,
				 RANGE(true, 0, 1), IN(config, flight_recorder),
				 .help = "keep each session's last packets for bfdctl postmortem"},

	[KEY_NAME] = {"name", SCHEMA_NAME, BOTH | SCHEMA_SITE | SCHEMA_SERVICE | SCHEMA_KEY_CHAIN,
		      .required = true, .reload = SCHEMA_SESSION,
		      .help = "what it is called, here and by bfdctl"},

	[KEY_TRANSMIT_INTERVAL] = {"transmit-interval", SCHEMA_MILLISECONDS, BOTH, .reload = SCHEMA_POLL,
				   RANGE(300 * USEC_MS, 3 * USEC_MS, 60 * USEC_S),
				   IN(session_config, desired_min_tx),
				   .help = "the shortest time between packets that we send"},
	[KEY_RECEIVE_INTERVAL] = {"receive-interval", SCHEMA_MILLISECONDS, BOTH, .reload = SCHEMA_POLL,
				  RANGE(300 * USEC_MS, 3 * USEC_MS, 60 * USEC_S),
				  IN(session_config, required_min_rx),
				  .help = "the shortest time between packets that we can receive"},
	[KEY_DETECT_MULTIPLIER] =
		{"detect-multiplier", SCHEMA_INTEGER, BOTH, .reload = SCHEMA_LIVE, RANGE(3, 1, 255),
		 IN(session_config, detect_mult),
		 .help = "after how many missing packets of ours the peer calls the path dead"},
	[KEY_MINIMUM_TTL] = {"minimum-ttl", SCHEMA_INTEGER, BOTH, .reload = SCHEMA_LIVE, RANGE(254, 1, 255),
			     IN(session_config, min_ttl),
			     .help = "the least TTL a multihop packet may arrive with"},
	[KEY_PASSIVE_MODE] = {"passive-mode", SCHEMA_BOOL, BOTH, .reload = SCHEMA_LIVE, RANGE(false, 0, 1),
			      IN(session_config, passive), .help = "silent until the peer speaks"},
	[KEY_PADDED_PDU_SIZE] = {"padded-pdu-size", SCHEMA_INTEGER, BOTH, .reload = SCHEMA_LIVE,
				 RANGE(0, 0, 65507), IN(session_config, padded_pdu_size),
				 .help = "bytes that packets are padded to, to prove the path's MTU"},
	[KEY_RTT_INTERVAL] = {"rtt-interval", SCHEMA_MILLISECONDS, BOTH, .reload = SCHEMA_LIVE,
			      RANGE(0, 0, 3600 * USEC_S), IN(session_config, rtt_interval),
			      .help = "how often the round-trip time is measured; 0: never"},
	[KEY_DEMAND_MODE] = {"demand-mode", SCHEMA_BOOL, BOTH, .reload = SCHEMA_POLL, RANGE(false, 0, 1),
			     IN(session_config, demand_mode),
			     .help = "the peer is to be silent, and is asked whether it is there"},
	[KEY_DEMAND_POLL_INTERVAL] = {"demand-poll-interval", SCHEMA_MILLISECONDS, BOTH,
				      .reload = SCHEMA_LIVE, RANGE(1000 * USEC_MS, 0, 3600 * USEC_S),
				      IN(session_config, demand_poll_interval),
				      .help = "how often; 0: only by bfdctl poll"},
	[KEY_CONTROL_PLANE_INDEPENDENT] =
		{"control-plane-independent", SCHEMA_BOOL, BOTH, .reload = SCHEMA_LIVE, RANGE(false, 0, 1),
		 IN(session_config, control_plane_independent),
		 .help = "tell the peer that a restart of routing here is no reason for a Down"},
	[KEY_DSCP] = {"dscp", SCHEMA_INTEGER, BOTH, .reload = SCHEMA_LIVE, RANGE(SESSION_DSCP, 0, 63),
		      IN(session_config, dscp), .help = "the class of service of our packets"},
	[KEY_ECHO_MODE] = {"echo-mode", SCHEMA_BOOL, BOTH, .reload = SCHEMA_LIVE, RANGE(false, 0, 1),
			   IN(session_config, echo),
			   .help = "send Echo packets, which the peer's hardware or kernel sends back"},
	[KEY_ECHO_TRANSMIT_INTERVAL] = {"echo-transmit-interval", SCHEMA_MILLISECONDS, BOTH,
					.reload = SCHEMA_LIVE, RANGE(50 * USEC_MS, 3 * USEC_MS, 60 * USEC_S),
					IN(session_config, echo_tx),
					.help = "the shortest time between Echo packets that we send"},
	[KEY_ECHO_RECEIVE_INTERVAL] = {"echo-receive-interval", SCHEMA_MILLISECONDS, BOTH,
				       .reload = SCHEMA_LIVE, RANGE(0, 0, 60 * USEC_S),
				       IN(session_config, echo_rx),
				       .help = "the shortest time between the peer's Echo packets that we "
					       "send back; 0: none are"},
	[KEY_SHUTDOWN] = {"shutdown", SCHEMA_BOOL, BOTH, .reload = SCHEMA_LIVE, RANGE(false, 0, 1),
			  IN(session_config, shutdown), .help = "held in AdminDown"},

	[KEY_ADDRESS] = {"address", SCHEMA_ADDRESS, SCHEMA_PEER, .required = true, .reload = SCHEMA_SESSION,
			 .help = "the peer's address"},
	[KEY_LOCAL_ADDRESS] = {"local-address", SCHEMA_ADDRESS, SCHEMA_PEER, .reload = SCHEMA_SESSION,
			       .help = "ours; found on the interface if absent"},
	[KEY_INTERFACE] = {"interface", SCHEMA_INTERFACE, SCHEMA_PEER, .reload = SCHEMA_SESSION,
			   .help = "the interface towards the peer"},
	[KEY_VRF] = {"vrf", SCHEMA_INTERFACE, SCHEMA_PEER | SCHEMA_UNSOLICITED, .reload = SCHEMA_SESSION,
		     .help = "the VRF that the peer is in, by the name of its device"},
	[KEY_MINIMUM_LINKS] = {"minimum-links", SCHEMA_INTEGER, SCHEMA_PEER, .reload = SCHEMA_LIVE,
			       RANGE(1, 1, 64), IN(config_peer, minimum_links),
			       .help = "how many members of a bond must be up for its peer to be up"},
	[KEY_MULTIHOP] = {"multihop", SCHEMA_BOOL, SCHEMA_PEER, .reload = SCHEMA_SESSION, RANGE(false, 0, 1),
			  IN(config_peer, type), .help = "RFC 5883 instead of RFC 5881"},
	[KEY_TYPE] = {"type", SCHEMA_NAME, SCHEMA_PEER, .reload = SCHEMA_SESSION,
		      .help = "which kind of BFD it is"},
	[KEY_VIA] = {"via", SCHEMA_ADDRESS, SCHEMA_PEER, .reload = SCHEMA_LIVE,
		     .help = "the gateway that a service takes towards a multihop peer"},
	[KEY_PROFILE] = {"profile", SCHEMA_NAME, SCHEMA_PEER | SCHEMA_UNSOLICITED, .reload = SCHEMA_POLL,
			 .help = "where values come from that the peer does not set itself"},

	[KEY_PEER_BIRD_METHOD] = {"bird-method", SCHEMA_NAME, SCHEMA_PEER, .reload = SCHEMA_LIVE,
				  .help = "how BIRD follows this peer, if not as the others"},
	[KEY_PEER_BIRD_PROTOCOL] = {"bird-protocol", SCHEMA_NAME, SCHEMA_PEER, .reload = SCHEMA_LIVE,
				    .help = "the name of BIRD's protocol with the peer; found by the "
					    "neighbour's address if absent"},

	[KEY_SITE_PEERS] = {"peers", SCHEMA_PEERS, SCHEMA_SITE, .required = true, .reload = SCHEMA_LIVE,
			    .help = "the peers that make the site"},

	[KEY_PREFIXES] = {"prefixes", SCHEMA_PREFIXES, SCHEMA_SERVICE, .required = true,
			  .reload = SCHEMA_LIVE, .help = "the destinations that are steered"},
	[KEY_SERVICE_SITES] = {"sites", SCHEMA_NAMES, SCHEMA_SERVICE, .required = true, .reload = SCHEMA_LIVE,
			       .help = "the sites in order of preference"},
	[KEY_WAIT_TO_RESTORE] =
		{"wait-to-restore", SCHEMA_MILLISECONDS, SCHEMA_SERVICE, .reload = SCHEMA_LIVE,
		 RANGE(60 * USEC_S, 0, 86400 * USEC_S), IN(config_service, wait_to_restore),
		 .help = "how long a better site must have been back before it is used again"},
	[KEY_WITHDRAW_DELAY] =
		{"withdraw-delay", SCHEMA_MILLISECONDS, SCHEMA_SERVICE, .reload = SCHEMA_LIVE,
		 RANGE(10 * USEC_S, 0, 86400 * USEC_S), IN(config_service, withdraw_delay),
		 .help = "how long a followed prefix stays when BGP has it by none of the peers"},

	[KEY_PROTOCOL] = {"protocol", SCHEMA_INTEGER, SCHEMA_STEERING, .reload = SCHEMA_RESTART,
			  RANGE(158, 5, 255), IN(config_steering, protocol),
			  .help = "the number that marks routes, rules and nexthops as ours"},
	[KEY_TABLE] = {"table", SCHEMA_INTEGER, SCHEMA_STEERING, .reload = SCHEMA_RESTART,
		       RANGE(58800, 256, UINT32_MAX - (CONFIG_TABLES - 1)), IN(config_steering, table),
		       .help = "the first of our routing tables"},
	[KEY_RULE_PRIORITY] = {"rule-priority", SCHEMA_INTEGER, SCHEMA_STEERING, .reload = SCHEMA_RESTART,
			       RANGE(1000, 1, 32766 - CONFIG_RULES), IN(config_steering, rule_priority),
			       .help = "the first priority of our rules: that of a service's first site"},
	[KEY_NEXTHOP_ID] = {"nexthop-id", SCHEMA_INTEGER, SCHEMA_STEERING, .reload = SCHEMA_RESTART,
			    RANGE(0x58800000, 1, UINT32_MAX - (CONFIG_NEXTHOPS - 1)),
			    IN(config_steering, nexthop_id), .help = "the first id of our nexthop objects"},
	[KEY_HOLD_ON_STOP] = {"hold-on-stop", SCHEMA_BOOL, SCHEMA_STEERING, .reload = SCHEMA_LIVE,
			      RANGE(false, 0, 1), IN(config_steering, hold_on_stop),
			      .help = "stop as for a restart: routes, rules and sessions stay"},
	[KEY_FAST_FAILOVER] = {"fast-failover", SCHEMA_BOOL, SCHEMA_STEERING, .reload = SCHEMA_RESTART,
			       RANGE(true, 0, 1), IN(config_steering, fast_failover),
			       .help = "take traffic off dead sites without waiting for the routing lock"},
	[KEY_FAST_FAILOVER_MARK] = {"fast-failover-mark", SCHEMA_INTEGER, SCHEMA_STEERING,
				    .reload = SCHEMA_RESTART, RANGE(0xff000000, 1, UINT32_MAX),
				    IN(config_steering, fast_failover_mark),
				    .help = "the bits of the packet mark that it may use"},

	[KEY_REALTIME] = {"realtime", SCHEMA_BOOL, SCHEMA_DAEMON, .reload = SCHEMA_RESTART, RANGE(true, 0, 1),
			  IN(config_daemon, realtime),
			  .help = "ask for real-time scheduling and locked memory"},
	[KEY_REALTIME_PRIORITY] = {"realtime-priority", SCHEMA_INTEGER, SCHEMA_DAEMON,
				   .reload = SCHEMA_RESTART, RANGE(90, 1, 99),
				   IN(config_daemon, realtime_priority), .help = "SCHED_FIFO's priority"},
	[KEY_REALTIME_DEADLINE] = {"realtime-deadline", SCHEMA_BOOL, SCHEMA_DAEMON, .reload = SCHEMA_RESTART,
				   RANGE(true, 0, 1), IN(config_daemon, realtime_deadline),
				   .help = "ask for SCHED_DEADLINE before SCHED_FIFO"},
	[KEY_KERNEL_FILTER] = {"kernel-filter", SCHEMA_BOOL, SCHEMA_DAEMON, .reload = SCHEMA_RESTART,
			       RANGE(true, 0, 1), IN(config_daemon, kernel_filter),
			       .help = "let a program in the kernel take what a steady peer repeats"},
	[KEY_PACKET_SOCKET] = {"packet-socket", SCHEMA_BOOL, SCHEMA_DAEMON, .reload = SCHEMA_LIVE,
			       RANGE(true, 0, 1), IN(config_daemon, packet_socket),
			       .help = "send packets to neighbours as whole Ethernet frames"},
	[KEY_EVENTS] = {"events", SCHEMA_INTEGER, SCHEMA_DAEMON, .reload = SCHEMA_RESTART,
			RANGE(1000, 10, 100000), IN(config_daemon, events),
			.help = "how many events the history keeps"},

	[KEY_DATAPLANE] = {"dataplane", SCHEMA_ENDPOINT, SCHEMA_FRR, .reload = SCHEMA_LIVE,
			   .help = "the socket, in the words of FRR's --dplaneaddr"},
	[KEY_KEEP_SESSIONS] = {"keep-sessions", SCHEMA_MILLISECONDS, SCHEMA_FRR, .reload = SCHEMA_LIVE,
			       RANGE(60 * USEC_S, 0, 86400 * USEC_S), IN(config_frr, keep_sessions),
			       .help = "how long FRR's sessions stay when FRR has gone"},

	[KEY_BIRD_SOCKET] = {"socket", SCHEMA_PATH, SCHEMA_BIRD, .reload = SCHEMA_LIVE,
			     .help = "BIRD's control socket"},
	[KEY_BIRD_METHOD] = {"method", SCHEMA_NAME, SCHEMA_BIRD, .reload = SCHEMA_LIVE,
			     .help = "next-hop-table, disable, both or none"},
	[KEY_NEXT_HOP_TABLE] = {"next-hop-table", SCHEMA_INTEGER, SCHEMA_BIRD, .reload = SCHEMA_LIVE,
				RANGE(58799, 256, UINT32_MAX), IN(config_bird, table),
				.help = "the routing table that has the peers that are down"},
	[KEY_BIRD_TIMEOUT] = {"timeout", SCHEMA_MILLISECONDS, SCHEMA_BIRD, .reload = SCHEMA_LIVE,
			      RANGE(1000 * USEC_MS, 50 * USEC_MS, 60 * USEC_S), IN(config_bird, timeout),
			      .help = "how long BIRD may take to answer"},

	[KEY_FRR_VTYSH] = {"vtysh", SCHEMA_PATH, SCHEMA_FRR, .reload = SCHEMA_LIVE,
			   .help = "the program that FRR is asked by"},
	[KEY_FRR_PATHSPACE] = {"pathspace", SCHEMA_NAME, SCHEMA_FRR, .reload = SCHEMA_LIVE,
			       .help = "which FRR, where there are several: its option -N"},
	[KEY_FRR_BGP_INTERVAL] = {"bgp-interval", SCHEMA_MILLISECONDS, SCHEMA_FRR, .reload = SCHEMA_LIVE,
				  RANGE(5000 * USEC_MS, 0, 3600 * USEC_S), IN(config_vtysh, bgp_interval),
				  .help = "how often FRR is asked for its BGP sessions; 0: never"},

	[KEY_UNSOLICITED_INTERFACES] = {"interfaces", SCHEMA_INTERFACES, SCHEMA_UNSOLICITED, .required = true,
					.reload = SCHEMA_LIVE, .help = "where they may come in"},
	[KEY_UNSOLICITED_PREFIXES] = {"prefixes", SCHEMA_NETWORKS, SCHEMA_UNSOLICITED, .required = true,
				      .reload = SCHEMA_LIVE, .help = "whose addresses they may have"},
	[KEY_MAXIMUM] = {"maximum", SCHEMA_INTEGER, SCHEMA_UNSOLICITED, .reload = SCHEMA_LIVE,
			 RANGE(100, 1, CONFIG_UNSOLICITED_MOST), IN(config_unsolicited, maximum),
			 .help = "how many sessions there may be of this entry"},
	[KEY_EXPIRY] = {"expiry", SCHEMA_MILLISECONDS, SCHEMA_UNSOLICITED, .reload = SCHEMA_LIVE,
			RANGE(60 * USEC_S, USEC_S, 86400 * USEC_S), IN(config_unsolicited, expiry),
			.help = "how long a session that is down is kept"},

	[KEY_KEY_CHAINS] = {"key-chains", SCHEMA_GROUPS, SCHEMA_TOP, .opens = SCHEMA_KEY_CHAIN,
			    .help = "keys by which packets are authenticated"},
	[KEY_KEY_CHAIN] = {"key-chain", SCHEMA_NAME, BOTH, .reload = SCHEMA_LIVE,
			   .help = "whose keys authenticate packets; none is taken without"},
	[KEY_KEYS] = {"keys", SCHEMA_GROUPS, SCHEMA_KEY_CHAIN, .required = true, .reload = SCHEMA_LIVE,
		      .opens = SCHEMA_KEY, .help = "its keys"},
	[KEY_KEY_ID] = {"id", SCHEMA_INTEGER, SCHEMA_KEY, .reload = SCHEMA_LIVE, RANGE(0, 0, 255),
			IN(auth_key, id), .help = "the number by which packets name the key"},
	[KEY_AUTH_TYPE] = {"type", SCHEMA_NAME, SCHEMA_KEY, .required = true, .reload = SCHEMA_LIVE,
			   .help = "what is made of the secret"},
	[KEY_SECRET] = {"secret", SCHEMA_SECRET, SCHEMA_KEY, .reload = SCHEMA_LIVE,
			.help = "the secret itself"},
	[KEY_SECRET_HEX] = {"secret-hex", SCHEMA_SECRET, SCHEMA_KEY, .reload = SCHEMA_LIVE,
			    .help = "the secret itself, in hexadecimal"},
	[KEY_SECRET_FILE] = {"secret-file", SCHEMA_PATH, SCHEMA_KEY, .reload = SCHEMA_LIVE,
			     .help = "the file that has the secret"},
	[KEY_SEND_START] = {"send-start", SCHEMA_TIME, SCHEMA_KEY, .reload = SCHEMA_LIVE,
			    .help = "from when on it is sent"},
	[KEY_SEND_END] = {"send-end", SCHEMA_TIME, SCHEMA_KEY, .reload = SCHEMA_LIVE,
			  .help = "from when on it is not sent any more"},
	[KEY_ACCEPT_START] = {"accept-start", SCHEMA_TIME, SCHEMA_KEY, .reload = SCHEMA_LIVE,
			      .help = "from when on it is accepted"},
	[KEY_ACCEPT_END] = {"accept-end", SCHEMA_TIME, SCHEMA_KEY, .reload = SCHEMA_LIVE,
			    .help = "from when on it is not accepted any more"},
	[KEY_REMOTE_DISCRIMINATOR] = {"remote-discriminator", SCHEMA_DISCRIMINATOR, SCHEMA_PEER,
				      .reload = SCHEMA_SESSION,
				      .help = "of S-BFD: which of the reflector's is asked for"},
	[KEY_DISCRIMINATORS] = {"discriminators", SCHEMA_DISCRIMINATORS, SCHEMA_SBFD, .required = true,
				.reload = SCHEMA_LIVE, .help = "which are ours to answer for"},
	[KEY_SBFD_RECEIVE_INTERVAL] = {"receive-interval", SCHEMA_MILLISECONDS, SCHEMA_SBFD,
				       .reload = SCHEMA_LIVE, RANGE(10 * USEC_MS, 3 * USEC_MS, 60 * USEC_S),
				       IN(config_sbfd, reflector.required_min_rx),
				       .help = "the shortest time between packets of one initiator"},
	[KEY_SBFD_RATE] = {"rate", SCHEMA_INTEGER, SCHEMA_SBFD, .reload = SCHEMA_LIVE,
			   RANGE(10000, 100, 1000000), IN(config_sbfd, rate),
			   .help = "how many packets a second are answered, of all initiators"},
	[KEY_SBFD_SHUTDOWN] = {"shutdown", SCHEMA_BOOL, SCHEMA_SBFD, .reload = SCHEMA_LIVE,
			       RANGE(false, 0, 1), IN(config_sbfd, reflector.admin_down),
			       .help = "answer AdminDown"},
	[KEY_SBFD_VRFS] = {"vrfs", SCHEMA_INTERFACES, SCHEMA_SBFD, .reload = SCHEMA_LIVE,
			   .help = "where it answers, besides outside of VRFs"},
};

const struct schema_key *schema_find(enum schema_section section, const char *name)
{
	for (size_t i = 0; i < SCHEMA_KEYS; i++)
		if ((schema_keys[i].sections & section) && !strcmp(schema_keys[i].name, name))
			return &schema_keys[i];
	return NULL;
}

const char *schema_section_name(enum schema_section section)
{
	for (size_t i = 0; i < SCHEMA_KEYS; i++)
		if (schema_keys[i].opens == section)
			return schema_keys[i].name;
	return "the top level";
}

void schema_store(const struct schema_key *key, void *base, int64_t value)
{
	char *to = (char *)base + key->offset;

	switch (key->size) {
	case 1:
		*(uint8_t *)to = (uint8_t)value;
		break;
	case 4:
		*(uint32_t *)to = (uint32_t)value;
		break;
	default:
		assert(key->size == sizeof(int64_t));
		*(int64_t *)to = value;
	}
}
