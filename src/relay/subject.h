/* SPDX-License-Identifier: MIT */
/*
 * subject: where a relay's messages go on the engine.
 *
 *	PREFIX.d.SERVICE                         datagrams to a service
 *	PREFIX.r.SERVICE.HOST.INCARNATION.N      answers to datagram client N
 *	PREFIX.q.SERVICE.open                    new sessions
 *	PREFIX.s.SERVICE.HOST.INCARNATION.N      session N of that relay
 *	PREFIX.h.SERVICE                         is the service there?
 *
 * A subject is made of names from the command line and of counters only: the
 * engine takes a newline in a subject for the end of a command, so no byte of a
 * client may ever get into one. A subject that another relay has sent is proved
 * before anything is published to it.
 */
#ifndef UNIXMSG_RELAY_SUBJECT_H
#define UNIXMSG_RELAY_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most characters of a name, and of a prefix. */
#define SUBJECT_NAME_MAX 32
#define SUBJECT_PREFIX_MAX 64

/* Room for each subject, and for an incarnation, with its NUL. */
#define SUBJECT_ROOM 192
#define SUBJECT_INCARNATION_ROOM 21

enum subject_kind {
	SUBJECT_DATAGRAM,
	SUBJECT_REPLY, /* numbered */
	SUBJECT_OPEN,
	SUBJECT_SESSION, /* numbered */
	SUBJECT_HEALTH,
};

/* The caller checks them: subject_is_prefix, and subject_is_name. */
struct subject_names {
	const char *prefix;
	const char *service;
	const char *host;
	const char *incarnation;
};

/* A name is 1 to SUBJECT_NAME_MAX of A-Z a-z 0-9 _ -; a prefix is such names
 * with dots between them. */
bool subject_is_name(const char *text);
bool subject_is_prefix(const char *text);

/* Makes an incarnation of random bits, so that no subject of a relay that has
 * ended leads to the next one. Returns 0, or -1 with errno (getrandom(2)). */
int subject_make_incarnation(char text[SUBJECT_INCARNATION_ROOM]);

/* Write our own subject of that kind. A kind that is not numbered ignores
 * number. The second one has * in its place, for a subscription to all. */
void subject_format(char text[SUBJECT_ROOM], const struct subject_names *names,
	enum subject_kind kind, uint64_t number);
void subject_format_all(char text[SUBJECT_ROOM],
	const struct subject_names *names, enum subject_kind kind);

/*
 * Reads the number of our own subject of a numbered kind. Returns -1 with
 * EPROTO if text is not exactly what subject_format makes of that number.
 */
int subject_read(const char *text, const struct subject_names *names,
	enum subject_kind kind, uint64_t *number);

/*
 * Proves a subject of a numbered kind that another relay of our service and
 * prefix has sent. Returns 0, or -1 with EPROTO.
 */
int subject_prove(const char *text, const struct subject_names *names,
	enum subject_kind kind);

#endif
