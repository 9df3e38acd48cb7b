/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a received packet was dropped. Each reason is a counter, of the session where one is known. */
#ifndef CORE_DROP_H
#define CORE_DROP_H

/* X(identifier, "name in JSON") */
#define DROP_REASONS(X)                                                                                      \
	X(DROP_SHORT, "short")				   /* shorter than a mandatory section */            \
	X(DROP_VERSION, "version")			   /* not version 1 */                               \
	X(DROP_LENGTH, "length")			   /* Length below 24, or 26 with A */               \
	X(DROP_TRUNCATED, "truncated")			   /* Length beyond the datagram */                  \
	X(DROP_DETECT_MULT_ZERO, "detect-mult-zero")	   /* */                                             \
	X(DROP_MULTIPOINT, "multipoint")		   /* M bit set */                                   \
	X(DROP_MY_DISCR_ZERO, "my-discriminator-zero")	   /* */                                             \
	X(DROP_YOUR_DISCR_ZERO, "your-discriminator-zero") /* and the packet says Init or Up */              \
	X(DROP_AUTH_LENGTH, "auth-length")		   /* Auth Len below its type's, or beyond Length */ \
	X(DROP_UNKNOWN_DISCR, "unknown-discriminator")	   /* Your Discriminator selects no session */       \
	X(DROP_NO_SESSION, "no-session")	   /* Your Discriminator 0 and nobody expected here */       \
	X(DROP_WRONG_PEER, "wrong-peer")	   /* the session's addresses are others */                  \
	X(DROP_WRONG_INTERFACE, "wrong-interface") /* */                                                     \
	X(DROP_WRONG_PORT, "wrong-port")	   /* a multihop session's packet at 3784, or the reverse */ \
	X(DROP_TTL, "ttl")			   /* GTSM (RFC 5881 5), or minimum-ttl */                   \
	X(DROP_AUTH_UNEXPECTED, "auth-unexpected") /* A set, session without authentication */               \
	X(DROP_AUTH_MISSING, "auth-missing")	   /* A clear, session with authentication */                \
	X(DROP_AUTH_TYPE, "auth-type")		   /* no key of ours is of its Auth Type */                  \
	X(DROP_AUTH_UNKNOWN_KEY, "auth-unknown-key") /* no key that holds now has its Key ID */              \
	X(DROP_AUTH_DIGEST, "auth-digest")	     /* wrong: another secret, or forged */                  \
	X(DROP_AUTH_SEQUENCE, "auth-sequence")	     /* right, but old, repeated or too far ahead */         \
	X(DROP_AUTH_PASSWORD, "auth-password")	     /* wrong */                                             \
	X(DROP_ADMIN_DOWN, "admin-down")	     /* we are AdminDown: 6.8.6 discards */                  \
	X(DROP_NO_PATH, "no-path")		     /* our interface or address is away */                  \
	X(DROP_HEADERS, "headers")		     /* IP or UDP wrong, at a packet socket */               \
	X(DROP_NO_INITIATOR, "not-an-initiator")     /* S-BFD: D clear, or from port 7784 */                 \
	X(DROP_NO_REFLECTION, "not-a-reflection")    /* S-BFD: no reflector of ours answers so */            \
	X(DROP_UNSOLICITED, "unsolicited-limit")     /* would begin a session, but there are enough */       \
	X(DROP_ECHO_UNKNOWN, "echo-unknown")	     /* no session of ours sent it */                        \
	X(DROP_ECHO_FORGED, "echo-forged")	     /* in a session's name, without our key */              \
	X(DROP_ECHO_LATE, "echo-late")		     /* after the detection time, or twice */                \
	X(DROP_RATE, "rate-limited")		     /* more than a session can want, see io/gate.h */

enum drop {
	DROP_NONE,
#define DROP_ENUM(id, name) id,
	DROP_REASONS(DROP_ENUM)
#undef DROP_ENUM
		DROP_COUNT
};

/* The reason's name in JSON; "none" for DROP_NONE. */
const char *drop_name(enum drop drop);

#endif
