/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the composition root have for each other, by file: app.c (life), app_peers.c (peers and
 * their paths), app_policy.c (policy and steering), app_commands.c (the control socket's answers) and so on.
 * Main thread only. */
#ifndef APP_PRIVATE_H
#define APP_PRIVATE_H

#include "app_types.h"

usec_t app_now(void);

/* The engine reads its commands each turn, so a full ring is a matter of microseconds. One that has been
 * stopped reads none, and needs none. There is an APP in scope. */
#define APP_UNTIL_TAKEN(command)                           \
	while (!(command) && !engine_stopped(app->engine)) \
	nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL)

/* app.c */
/* Routes may have become writable. */
void app_routes_wake(struct app *app);

/* app_keys.c */
/* CONFIG, just loaded, gets the chains that are there already, and the others become known. False: out of
 * memory. */
bool app_keys_take(struct app *app, struct config *config);
/* Lets go of those that app->config has not; after the engine was told of its peers. */
void app_keys_sweep(struct app *app);
/* The engine has let go. */
void app_keys_retired(struct app *app, const struct auth_chain *chain);
/* Once a second: keys begin and end. */
void app_keys_second(struct app *app);
void app_keys_close(struct app *app); /* after engine_free() */

/* app_state.c */
/* Makes the state folder and locks it. -1 with a message: another bfdd uses it, or it cannot be had. */
int app_state_lock(struct app *app, char *error, size_t size);
/* Takes away what a predecessor under other steering numbers left in the kernel, and notes ours. -1 with a
 * message. */
int app_state_steering(struct app *app, char *error, size_t size);

/* app_survive.c */
/* Before the engine is made; then before it has peers. */
void app_survive_open(struct app *app);
void app_survive_reserve(struct app *app);
/* engine_add(), or engine_resume() if the predecessor had such a session. */
int app_survive_add(struct app *app, struct app_peer *peer, const struct session_key *key);
/* All peers have had a chance. */
void app_survive_started(struct app *app);
/* Once a second. */
void app_survive_second(struct app *app);
json_t *app_survive_status(const struct app *app);
/* After engine_free(). HOLD: a successor is to go on. */
void app_survive_close(struct app *app, bool hold);

/* app_numbers.c */
/* After a map was made: app's numbers become those that the names had before this process began. True: the
 * map is to be made again. */
bool app_numbers_take(struct app *app);
/* A map was made. */
void app_numbers_keep(struct app *app);

/* app_links.c */
int app_links_open(struct app *app, char *error, size_t size); /* makes app->monitor; 0, or -1 with ERROR */
void app_links_begin(struct app *app);
void app_links_stop(struct app *app);
/* The engine is to see by itself when a link by which services may leave loses its carrier, where the kernel
 * would be late to tell. False: it could not be told now. */
bool app_links_watch(struct app *app);
void app_links_second(struct app *app);

/* app_peers.c */
/* Makes app->peers for CONFIG, those of OLD (may be NULL) carried over: malloc'ed, and nothing is changed
 * yet. NULL: out of memory. */
struct app_peer *app_peers_make(struct app *app, const struct config *config, const struct config *old);
/* Tells the engine what has changed since OLD, whose peers were BEFORE. After the policy, so that traffic has
 * left a path that goes. The caller resolves afterwards. */
void app_peers_tell(struct app *app, const struct app_peer *before, const struct config *old);
void app_peers_free(struct app *app);
/* Hands all peers that have their path to the engine, and starts it: when as many are waiting as it can take,
 * or all. 0 or -errno. */
int app_peers_begin(struct app *app);
/* Where services' traffic would leave: before a policy is built. */
void app_peers_find_gateways(struct app *app);
/* The engine could not take the session in this slot: another one, still saying goodbye, has its addresses.
 */
void app_peer_refused(struct app *app, unsigned slot);
/* The same for a new local address or interface of a session. */
void app_peer_path_refused(struct app *app, unsigned slot);
/* Events were lost: learns the sessions' states from a copy. */
void app_peers_recount(struct app *app);
/* A predecessor had it up, and it has not come again: it has failed. */
void app_peer_lost(struct app *app, struct app_peer *peer);
/* Looks again for each peer's interface and address, and tells the engine and the policy what changed. */
void app_peers_resolve(struct app *app);
void app_peer_event(struct app *app, const struct engine_event *event);
/* PEER, which has no session of its own, is up or down from now on. TOLD: down because somebody wants it so.
 */
void app_peer_computed(struct app *app, struct app_peer *peer, bool up, bool told);
/* Warns of sessions that have settled on a detection time above a second. */
void app_peers_warn(struct app *app);
struct app_peer *app_peer_by_slot(struct app *app, unsigned slot);
struct app_peer *app_peer_by_name(struct app *app, const char *name);
/* "ams-1 went down: control-expiry" in BUF, which it returns. */
const char *app_peer_cause(const struct app_peer *peer, uint8_t state, uint8_t diag, char *buf, size_t size);

/* It has a key chain of which nothing may be sent now. */
bool app_peer_lacks_key(const struct app_peer *peer);
/* "carrier on eth1": what the peer's path lacks, in BUF, which it returns; "" when it has all. */
const char *app_peer_waiting(const struct app *app, const struct app_peer *peer, char buf[APP_WAITING]);

/* app_echo.c */
/* Whether PEER's Echo packets must leave as frames. */
bool app_echo_needs_frames(const struct app_peer *peer);
/* Peers came, went or changed: opens and closes the sockets that Echo packets come in by. */
void app_echo_update(struct app *app);
/* The same, when PEER's state changed. */
void app_echo_peer(struct app *app, const struct app_peer *peer);
void app_echo_second(struct app *app);
void app_echo_free(struct app *app);

/* app_marks.c */
/* Finds what a predecessor left; before the engine's events are read. -1 with a message. */
int app_marks_open(struct app *app, char *error, size_t size);
/* The peers are others, or may be in other places. False: out of memory. */
bool app_marks_load(struct app *app);
/* Compares all with the kernel. */
void app_marks_update(struct app *app);
/* PEER's state or `failed` changed. */
void app_marks_peer(struct app *app, struct app_peer *peer);
/* Somebody deleted a route of our protocol number. */
void app_marks_lost(struct app *app, uint32_t table, const struct prefix *prefix);
void app_marks_second(struct app *app);
unsigned app_marks_count(struct app *app);
/* Takes all away, unless told to hold; later calls change nothing. */
void app_marks_stop(struct app *app);
void app_marks_free(struct app *app);
/* The next peer with this address behind AFTER, or the first one (NULL). */
struct app_peer *app_peer_by_address(struct app *app, const struct addr *addr, struct app_peer *after);

/* app_bird.c */
/* Begins, or goes on with another configuration and other peers; after app_marks_load(). */
void app_bird_load(struct app *app);
/* As app_marks_peer(). */
void app_bird_peer(struct app *app, struct app_peer *peer);
/* Enables what we disabled, unless told to hold; later calls change nothing. */
void app_bird_stop(struct app *app);
void app_bird_free(struct app *app);
/* NULL: not known. */
const char *app_bird_protocol(const struct app *app, const struct app_peer *peer);
json_t *app_bird_status(struct app *app);

/* app_bgp.c */
int app_bgp_open(struct app *app); /* -1: out of memory */
void app_bgp_load(struct app *app);
void app_bgp_free(struct app *app);
void app_bgp_second(struct app *app);
/* DAEMON told of PEER's session; of all; it does not answer any more. */
void app_bgp_hear(struct app *app, struct app_peer *peer, enum bgp_daemon daemon,
		  const struct bgp_view *view);
void app_bgp_told(struct app *app, enum bgp_daemon daemon);
void app_bgp_lost(struct app *app, enum bgp_daemon daemon);
/* False: no BGP session is known. */
bool app_bgp_view(const struct app *app, const struct app_peer *peer, struct view_bgp *view);

/* app_doors.c */
/* PEER's way in, when it has this interface and VRF. False: not to be had, which is told; try again later. */
bool app_doors_need(struct app *app, const struct app_peer *peer, uint32_t ifindex, uint32_t vrf);
/* The VRF of a peer of which nothing but our address is known: 0 if that is held outside of VRFs, or nowhere.
 * False: several VRFs hold it. */
bool app_doors_vrf_of(const struct app *app, const struct addr *local, uint32_t *vrf);
/* A way in for single-hop packets of whoever is in VRF, the index of its device. */
void app_doors_listen(struct app *app, uint8_t family, uint32_t vrf);
/* Closes those that nobody needs any more, and tells the engine which links are in VRFs. False: the engine
 * was busy. */
bool app_doors_sweep(struct app *app);
void app_doors_close(struct app *app);

/* app_lag.c: bonds and their members (RFC 7130) */
unsigned app_lag_count(const struct app *app, const struct config *file);
void app_lag_list(const struct app *app, const struct config *file, struct config_session *into);
/* Links may have changed: members come and go. */
void app_lag_links(struct app *app);
/* A member's state changed, or the peers are others: which members carry traffic, what the bonds' peers are.
 */
void app_lag_update(struct app *app);
/* What a bond's peer, or a member, lacks; and its interface. */
enum app_waiting app_lag_waits(const struct app *app, const struct app_peer *peer, uint32_t *ifindex);
/* The path that PEER's session is, or is one of. */
uint16_t app_lag_path(struct app *app, const struct app_peer *peer);
struct app_peer *app_lag_parent(const struct app *app, const struct app_peer *member);
/* PEER is no more. */
void app_lag_gone(struct app *app, const struct app_peer *peer);
/* HOLD: a successor is to go on. */
void app_lag_close(struct app *app, bool hold);

/* app_postmortem.c */
/* PEER left Up: its record is asked for, and kept when it comes. */
void app_postmortem_ask(struct app *app, const struct app_peer *peer);
/* The command. */
void app_postmortem(struct app *app, struct control_request *request, const json_t *args);

/* app_mtu.c: large packets */
/* Peers, interfaces or addresses may be others. */
void app_mtu_update(struct app *app);
/* What an interface must take for the peer's padded packets; 0: they are not padded. */
uint32_t app_mtu_needed(const struct app_peer *peer);
/* Of the one that the session uses; 0: not known. */
uint32_t app_mtu_interface(const struct app *app, const struct app_peer *peer);
/* What a router said may be why the peer does not hear us. */
void app_mtu_explain(struct app *app, struct postmortem *postmortem);
void app_mtu_close(struct app *app);

/* app_neighbours.c */
void app_neighbours_open(struct app *app);
/* Watches the neighbours that peers are now, and tells the engine what it has not been told. */
void app_neighbours_update(struct app *app);
/* Once a second: what could not be done. */
void app_neighbours_retry(struct app *app);
void app_neighbours_close(struct app *app);

/* app_policy.c */
void app_policy_range(const struct config_steering *steering, struct object_range *range);
/* Makes policy and map anew from configuration and links, and hands them to the engine. WHY (static) is for
 * whoever asks why a service moved. False: out of memory or numbers (told), and nothing was changed. */
bool app_policy_build(struct app *app, const char *why);
/* The kernel has this group. Where its routes never went the policy may think so (it takes a link that we
 * lost sight of for one that took its group along): it is told. */
void app_policy_group_there(struct app *app, uint32_t id);
/* The kernel removed a nexthop object of ours; with a group go its routes. */
void app_policy_group_gone(struct app *app, uint32_t id);
/* The record of each service of CONFIG, those of OLD's services carried over by name (OLD may be NULL).
 * malloc'ed. */
struct app_service *app_services_load(const struct app_service *old, const struct config *old_config,
				      const struct config *config);
/* A member's gateway interface came or went. */
void app_policy_resolve(struct app *app);
void app_policy_switch(struct app *app, const struct engine_event *event);
/* Which choices are in force, by the policy that app->map_engine belongs to; what is news is told as a switch
 * for REASON, unless that is NULL. */
void app_policy_learn(struct app *app, const struct policy *policy, const char *reason);
void app_policy_report(struct app *app, const struct steer_report *report);
/* Events were lost: learns from a copy which choices are in force. */
void app_policy_recount(struct app *app);
/* Compares the kernel's switch objects with what we ordered, SECONDS from now; or now. */
void app_policy_check_in(struct app *app, double seconds);
void app_policy_check(struct app *app);
void app_policy_ready(struct app *app, uint32_t table, uint8_t family, bool ready);
/* By session slot, TABLE_SLOTS of them; malloc'ed. */
uint16_t *app_policy_slot_paths(struct app *app);
/* Takes all three over. */
void app_policy_hand_over(struct app *app, struct app_map *map, struct policy *policy, uint16_t *paths);
void app_policy_stop(struct app *app);
void app_policy_free(struct app *app);

const struct config_service *app_rule_service(const struct app *app, unsigned rule); /* of the newest map */

/* app_follow.c */
/* Services, sites or peers may be others: the tables of services that follow get what is followed. */
void app_follow_tables(struct app *app);
/* Addresses of this host came or went; LOST: the kernel may have taken routes along. */
void app_follow_links(struct app *app, bool lost);
bool app_follow_uses(const struct app *app, uint32_t ifindex); /* routes that are followed leave there */
/* Adds to SERVICE's object what prefixes it has. */
void app_follow_view(struct app *app, const char *service, json_t *object);
void app_follow_close(struct app *app);

/* app_failover.c */
/* Before steering and map are made; a refusal is no error here and at the start. */
void app_failover_open(struct app *app);
void app_failover_start(struct app *app);
/* Whether it is in place, if that was not told last: now and then. */
void app_failover_tell(struct app *app);
/* The bit of GROUP, by name; 0: none. */
uint32_t app_failover_bit(struct app *app, const char *group);
/* "in place", "off" or why it is not in place; in BUF, or static. */
const char *app_failover_status(const struct app *app, char *buf, size_t size);
/* Before MAP is handed over. */
void app_failover_interfaces(struct app *app, const struct app_map *map);
/* Engine's thread, with each map and action; and before the steering thread is woken. */
void app_failover_map(struct app *app, const struct steer_map *map);
void app_failover_note(struct app *app, const struct policy_action *action);
bool app_failover_raise(struct app *app); /* true: then wake the mark's thread */

/* app_inherit.c */
bool app_policy_start(struct app *app, char *error, size_t size);
bool app_group_holds(const struct object_group *group, uint32_t nexthop);
bool app_rule_found(const struct object_set *found, const struct object_rule *rule);

/* app_reports.c */
/* The engine, or the steering thread, uses MAP no longer. */
void app_map_release(struct app *app, struct app_map *map);
/* app_map.c */
/* Where a service's packets towards PEER go. */
const struct addr *app_gateway(const struct config_peer *peer);
/* NULL: out of memory, nexthop ids or tables. *POLICY is the caller's to hand on. */
struct app_map *app_map_build(struct app *app, struct policy **policy);
void app_map_free(struct app_map *map);

/* app_dynamic.c: peers that come and go while we run */
/* Those that a predecessor had: app->config gets them. Before peers are made. */
void app_dynamic_start(struct app *app);
void app_dynamic_close(struct app *app);
/* FILE with the peers that there are now besides; FILE itself when there are none. Takes FILE over. NULL: out
 * of memory. */
struct config *app_dynamic_merge(struct app *app, struct config *file);
/* A source has other sessions than before: they are put in force, soon and together. */
void app_dynamic_soon(struct app *app);
void app_dynamic_within(struct app *app, double seconds);

/* app_sbfd.c: S-BFD's ports */
/* Opens and closes what the configuration wants now, and tells the engine how to answer. */
void app_sbfd_update(struct app *app);
bool app_sbfd_ready(const struct app *app); /* initiators have their port */
/* That port; 0: not open. */
uint16_t app_sbfd_port(const struct app *app);
/* engine_open_door(), where a door in a VRF may have the same port as one of the file's in none. */
bool app_sbfd_open_door(struct app *app, struct udp_door *door, char *error, size_t size);
void app_sbfd_free(struct app *app); /* after the engine */
json_t *app_sbfd_status(const struct app *app);

/* app_unsolicited.c: peers that began a session by themselves (RFC 9468) */
/* For app_dynamic.c. */
unsigned app_unsolicited_count(const struct app *app, const struct config *file);
void app_unsolicited_list(const struct app *app, const struct config *file, struct config_session *into);
void app_unsolicited_applied(struct app *app);
void app_unsolicited_start(struct app *app); /* those that a predecessor had */
void app_unsolicited_close(struct app *app);
/* Tells the engine who may begin one, if that is something else than before. */
void app_unsolicited_update(struct app *app);
void app_unsolicited_event(struct app *app, const struct engine_event *event);
void app_unsolicited_second(struct app *app);
/* Whether strangers in VRF, the index of its device, may begin one. */
bool app_unsolicited_hears(const struct app *app, uint32_t vrf);
json_t *app_unsolicited_status(const struct app *app); /* null: not configured */

/* app_frr.c */
/* The sessions that a predecessor had. Before peers are made. */
void app_frr_start(struct app *app);
/* Follows what the configuration in force says of FRR; refusals are told. At the start and after a reload. */
void app_frr_configure(struct app *app);
void app_frr_close(struct app *app);
/* A peer has another state, or the other side says something else. */
void app_frr_peer(struct app *app, const struct app_peer *peer);
/* After peers were made anew. */
void app_frr_peers(struct app *app);
json_t *app_frr_status(const struct app *app); /* null: not configured */

/* app_frr_version.c */
/* Asks the installed bfdd of FRR for its version, once; FN hears of it (valid during the call), if ever. */
struct app_frr_version;
struct app_frr_version *app_frr_version_ask(struct ev_loop *loop,
					    void (*fn)(void *context, const char *version), void *context);
void app_frr_version_free(struct app_frr_version *asked);

/* app_reload.c, app_commands.c */
/* Puts CONFIG, made of the same file as the one in force, in force. Takes it over. False: out of memory,
 * nothing was changed. */
bool app_take_peers(struct app *app, struct config *config);
void app_command(void *app, struct control_request *request, const char *command, const json_t *args);
/* Loads and applies; NULL with the errors as text in *ERROR (malloc'ed), else what changed. */
json_t *app_apply(struct app *app, char **error);

#endif
