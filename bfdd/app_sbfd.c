/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What S-BFD (RFC 7880, 7881) needs of UDP: the reflector's port, while there is one, and while there are
 * initiators the port that they all send from and are answered at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "io/udp.h"

#define PORT 57784 /* tried first, so that it is the same after a restart */
#define TRIES 16

/* The reflector in a VRF. */
struct place {
	uint32_t vrf; /* 0: none */
	struct udp_door doors[2];
};

struct app_sbfd {
	struct udp_door answers[2], reflector[2]; /* IPv4, IPv6 */
	uint16_t port;				  /* of the initiators; 0: not open */
	bool reflects;				  /* its doors are open */
	struct place places[CONFIG_SBFD_VRFS];
	struct config_sbfd config; /* as the engine has it */
	bool told;		   /* of trouble */
};

static void share(const struct app_sbfd *sbfd, bool on)
{
	for (unsigned i = 0; sbfd && i < 2; i++) {
		if (sbfd->port)
			udp_share_door(&sbfd->answers[i], on);
		if (sbfd->reflects)
			udp_share_door(&sbfd->reflector[i], on);
	}
}

bool app_sbfd_open_door(struct app *app, struct udp_door *door, char *error, size_t size)
{
	bool ok;

	share(app->sbfd, door->vrf);
	ok = engine_open_door(app->engine, door, error, size);
	share(app->sbfd, false);
	return ok;
}

/* Both or none; false with a message. */
static bool open_both(struct app *app, struct udp_door doors[2], uint16_t port, uint8_t type, uint32_t vrf,
		      char *error, size_t size)
{
	for (unsigned i = 0; i < 2; i++) {
		doors[i] = (struct udp_door){
			.fd = -1, .port = port, .family = i ? AF_INET6 : AF_INET, .type = type, .vrf = vrf};
		if (app_sbfd_open_door(app, &doors[i], error, size))
			continue;
		if (i)
			APP_UNTIL_TAKEN(engine_close_door(app->engine, &doors[0]));
		return false;
	}
	return true;
}

static void close_both(struct app *app, struct udp_door doors[2])
{
	for (unsigned i = 0; i < 2; i++)
		APP_UNTIL_TAKEN(engine_close_door(app->engine, &doors[i]));
}

static void complain(struct app_sbfd *sbfd, const char *what, const char *why)
{
	if (!sbfd->told)
		log_error("S-BFD: %s: %s", what, why);
	sbfd->told = true;
}

static void open_answers(struct app *app, struct app_sbfd *sbfd)
{
	char error[256] = "";

	for (unsigned i = 0; i < TRIES && !sbfd->port; i++) {
		uint16_t port = (uint16_t)(i ? BFD_SOURCE_PORT_MIN + rand() % (65536 - BFD_SOURCE_PORT_MIN)
					     : PORT);

		if (open_both(app, sbfd->answers, port, SESSION_SBFD, 0, error, sizeof(error)))
			sbfd->port = port;
	}
	if (!sbfd->port)
		complain(sbfd, "no port for initiators", error);
	else
		engine_sbfd_port(app->engine, sbfd->port);
}

static bool initiates(const struct config *config)
{
	for (unsigned i = 0; i < config->npeers; i++)
		if (config->peers[i].type == SESSION_SBFD)
			return true;
	return false;
}

static void update_answers(struct app *app, struct app_sbfd *sbfd)
{
	bool wanted = initiates(app->config);

	if (wanted && !sbfd->port) {
		open_answers(app, sbfd);
	} else if (!wanted && sbfd->port) {
		engine_sbfd_port(app->engine, 0);
		close_both(app, sbfd->answers);
		sbfd->port = 0;
	}
}

static uint32_t vrf_called(const struct app *app, const char *name)
{
	const struct monitor_link *link = monitor_link_by_name(app->monitor, name);

	return link && link->kind == MONITOR_VRF ? link->ifindex : 0;
}

static bool wanted_in(const struct app *app, uint32_t vrf)
{
	const struct config_sbfd *config = &app->config->sbfd;

	for (unsigned i = 0; config->wanted && i < config->nvrfs; i++)
		if (vrf_called(app, config->vrfs[i]) == vrf)
			return true;
	return false;
}

static struct place *place_of(struct app_sbfd *sbfd, uint32_t vrf)
{
	for (unsigned i = 0; i < CONFIG_SBFD_VRFS; i++)
		if (sbfd->places[i].vrf == vrf)
			return &sbfd->places[i];
	return NULL;
}

/* The devices come and go, and may be renamed. */
static void update_places(struct app *app, struct app_sbfd *sbfd)
{
	const struct config_sbfd *config = &app->config->sbfd;
	char error[256] = "";

	for (unsigned i = 0; i < CONFIG_SBFD_VRFS; i++) {
		struct place *place = &sbfd->places[i];

		if (!place->vrf || wanted_in(app, place->vrf))
			continue;
		close_both(app, place->doors);
		place->vrf = 0;
	}
	for (unsigned i = 0; sbfd->reflects && i < config->nvrfs; i++) {
		uint32_t vrf = vrf_called(app, config->vrfs[i]);
		struct place *place = vrf && !place_of(sbfd, vrf) ? place_of(sbfd, 0) : NULL;

		if (!place)
			continue;
		if (open_both(app, place->doors, BFD_PORT_SBFD, TABLE_REFLECTOR, vrf, error, sizeof(error)))
			place->vrf = vrf;
		else
			complain(sbfd, config->vrfs[i], error);
	}
}

static void update_reflector(struct app *app, struct app_sbfd *sbfd)
{
	const struct config_sbfd *config = &app->config->sbfd;
	char error[256] = "";

	if (memcmp(config, &sbfd->config, sizeof(*config)) != 0 &&
	    engine_reflector(app->engine, config->wanted ? &config->reflector : NULL, config->rate))
		sbfd->config = *config;
	if (config->wanted && !sbfd->reflects) {
		sbfd->reflects = open_both(app, sbfd->reflector, BFD_PORT_SBFD, TABLE_REFLECTOR, 0, error,
					   sizeof(error));
		if (!sbfd->reflects)
			complain(sbfd, "no reflector", error);
	} else if (!config->wanted && sbfd->reflects) {
		close_both(app, sbfd->reflector);
		sbfd->reflects = false;
	}
	update_places(app, sbfd);
}

void app_sbfd_update(struct app *app)
{
	if (!app->sbfd && !app->config->sbfd.wanted && !initiates(app->config))
		return;
	if (!app->sbfd)
		app->sbfd = calloc(1, sizeof(*app->sbfd));
	if (!app->sbfd)
		return;
	update_answers(app, app->sbfd);
	update_reflector(app, app->sbfd);
}

bool app_sbfd_ready(const struct app *app)
{
	return app->sbfd && app->sbfd->port;
}

uint16_t app_sbfd_port(const struct app *app)
{
	return app->sbfd ? app->sbfd->port : 0;
}

void app_sbfd_free(struct app *app)
{
	free(app->sbfd);
	app->sbfd = NULL;
}

json_t *app_sbfd_status(const struct app *app)
{
	const struct app_sbfd *sbfd = app->sbfd;
	struct engine_stats stats;
	json_t *vrfs;

	if (!sbfd || (!sbfd->port && !app->config->sbfd.wanted))
		return json_null();
	engine_stats(app->engine, &stats);
	vrfs = json_array();
	for (unsigned i = 0; i < CONFIG_SBFD_VRFS; i++) {
		const struct monitor_link *link = monitor_link_by_index(app->monitor, sbfd->places[i].vrf);

		if (link)
			json_array_append_new(vrfs, view_text(link->name));
	}
	return json_pack("{s:o s:b s:o s:I s:i}", "source-port",
			 sbfd->port ? json_integer(sbfd->port) : json_null(), "reflector", sbfd->reflects,
			 "vrfs", vrfs, "reflected", (json_int_t)stats.reflected, "discriminators",
			 (int)app->config->sbfd.reflector.n);
}
