/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/bgp.h"

#include <string.h>

void bgp_answers(struct bgp_daemons *daemons, enum bgp_daemon daemon, usec_t now)
{
	if (!daemons->since[daemon])
		daemons->since[daemon] = now;
}

void bgp_silent(struct bgp_daemons *daemons, enum bgp_daemon daemon)
{
	daemons->again[daemon] |= daemons->since[daemon] != 0;
	daemons->since[daemon] = 0;
}

void bgp_hear(struct bgp_session *session, enum bgp_daemon daemon, const struct bgp_view *view)
{
	bool seen_up = session->views[daemon].seen_up || view->established || view->seen_up;

	session->views[daemon] = *view;
	session->views[daemon].known = true;
	session->views[daemon].seen_up = seen_up;
}

void bgp_forget(struct bgp_session *session, enum bgp_daemon daemon)
{
	session->views[daemon] = (struct bgp_view){0};
}

const struct bgp_view *bgp_view(const struct bgp_session *session, enum bgp_daemon *daemon)
{
	const struct bgp_view *best = NULL;

	for (int i = 0; i < BGP_DAEMONS; i++) {
		const struct bgp_view *view = &session->views[i];

		if (!view->known || (best && (best->established || !view->established)))
			continue;
		best = view;
		if (daemon)
			*daemon = i;
	}
	return best;
}

bool bgp_is_down(const struct bgp_session *session, const struct bgp_daemons *daemons, usec_t now)
{
	enum bgp_daemon daemon = BGP_BIRD;
	const struct bgp_view *view = bgp_view(session, &daemon);

	if (!view || view->established)
		return false;
	return view->seen_up || !daemons->again[daemon] || now - daemons->since[daemon] >= BGP_SETTLE;
}

static enum bgp_odd odd_now(const struct bgp_session *session, bool bfd_up, bool bfd_independent)
{
	const struct bgp_view *view = bgp_view(session, NULL);

	if (!view)
		return BGP_FITS;
	if (view->established != bfd_up)
		return bfd_up ? BGP_MISSING : BGP_WITHOUT_BFD;
	return bfd_up && view->neighbour_restarts && !bfd_independent ? BGP_SHARES_FATE : BGP_FITS;
}

bool bgp_watch(struct bgp_session *session, bool bfd_up, bool bfd_independent, usec_t now)
{
	enum bgp_odd odd = odd_now(session, bfd_up, bfd_independent);
	bool over = odd == BGP_FITS && session->odd_told;

	if (odd != session->odd) {
		session->odd = odd;
		session->odd_since = now;
		session->odd_told = false;
		return over;
	}
	if (odd == BGP_FITS || session->odd_told || now - session->odd_since < BGP_ODD_AFTER)
		return false;
	session->odd_told = true;
	return true;
}

const char *bgp_odd_text(enum bgp_odd odd)
{
	static const char *const texts[] = {
		[BGP_FITS] = "BGP and BFD agree",
		[BGP_WITHOUT_BFD] = "BGP is up, but BFD is not: nothing but the hold timer watches the path",
		[BGP_MISSING] = "BFD is up, but BGP is not",
		[BGP_SHARES_FATE] =
			("BGP's graceful restart is on, but the peer's BFD shares the fate of its control "
			 "plane (C bit clear): its restarts look like failures"),
	};

	return texts[odd];
}

const char *bgp_daemon_name(enum bgp_daemon daemon)
{
	return daemon == BGP_BIRD ? "bird" : "frr";
}

void bgp_word(const char *text, char buf[BGP_TEXT])
{
	size_t n = 0;

	for (; *text && n < BGP_TEXT - 1; text++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')
			buf[n++] = c;
	}
	buf[n] = '\0';
}
