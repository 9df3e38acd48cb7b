/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's answers as people read them. Fields that are missing, new or of another type do no harm. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <jansson.h>
#include <stdio.h>

struct table;

void show_status(json_t *status, FILE *out);
void show_status_line(json_t *status, FILE *out); /* the most important of it, without a newline */
void show_peers(json_t *peers, FILE *out);
/* The same in pieces, each peer on its own: thousands of them need not be there at once. */
struct table *show_peers_add(struct table *table, json_t *peer); /* TABLE: NULL at first; returns it */
void show_peers_end(struct table *table, FILE *out);
void show_peer(json_t *peer, FILE *out);
/* Of show_peer(): Poll Sequences and what hangs on them. */
void show_polls(json_t *peer, FILE *out);
void show_poll(json_t *poll, FILE *out);
void show_sites(json_t *sites, FILE *out);
void show_services(json_t *services, FILE *out);
void show_events(json_t *events, FILE *out);
void show_event(json_t *event, FILE *out);
void show_postmortems(json_t *list, FILE *out);
void show_postmortem(json_t *postmortem, FILE *out);
void show_reload(json_t *report, FILE *out);

#endif
