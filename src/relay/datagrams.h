/* SPDX-License-Identifier: MIT */
/*
 * datagrams: the remote clients of a datagram service, as its relay knows them.
 * Each has a local socket of its own, a peer of the relay's service, so the
 * service can tell them apart and answer them. The caller finds a client here
 * by the reply subject of a datagram that arrives, or by the peer of an answer.
 *
 * Their number is bounded. When there are as many as may be, a new client takes
 * the place of the longest silent one on the host that has the most. So a host
 * whose clients come and go in great number takes no place of the others. A
 * client that is silent for too long is forgotten.
 */
#ifndef UNIXMSG_RELAY_DATAGRAMS_H
#define UNIXMSG_RELAY_DATAGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "relay/subject.h"

struct datagram_host;

struct datagram_client {
	char subject[SUBJECT_ROOM]; /* proved by the caller */
	uint64_t peer;
	int64_t used_us;
	/* Only datagrams.c uses the rest. */
	struct datagram_host *host;
	struct datagram_client *next_of_subject;
	struct datagram_client *next_of_peer;
	struct datagram_client *older;
	struct datagram_client *newer;
};

struct datagrams {
	struct datagram_client **of_subject; /* chains */
	struct datagram_client **of_peer;
	size_t chains_count; /* a power of two */
	uint64_t key;        /* random: nobody can choose one chain for all */
	struct datagram_host *hosts; /* that have clients */
	struct datagram_client *oldest;
	struct datagram_client *newest;
	size_t count;
	size_t most;
	int64_t silence_us;
};

/* Returns 0, or -1 with ENOMEM or an errno of getrandom(2). */
int datagrams_init(struct datagrams *datagrams, size_t most,
	int64_t silence_us);

/* Frees all clients; their peers are the caller's. */
void datagrams_free(struct datagrams *datagrams);

/*
 * Adds a client. Returns it, or NULL with ENOSPC (there are as many as may be),
 * EEXIST (the subject or the peer is known), or ENOMEM.
 */
struct datagram_client *datagrams_add(struct datagrams *datagrams,
	const char *subject, uint64_t peer, int64_t now_us);

/* Return the client, which counts as used now, or NULL. */
struct datagram_client *datagrams_find_subject(struct datagrams *datagrams,
	const char *subject, int64_t now_us);
struct datagram_client *datagrams_find_peer(struct datagrams *datagrams,
	uint64_t peer, int64_t now_us);

void datagrams_remove(struct datagrams *datagrams,
	struct datagram_client *client);

/*
 * Returns the client that makes room for a new one with that subject, for the
 * caller to remove with its peer; or NULL if there is room.
 */
struct datagram_client *datagrams_get_surplus(const struct datagrams *datagrams,
	const char *subject);

/* Returns a client that was silent too long, for the caller to remove with its
 * peer; or NULL. */
struct datagram_client *datagrams_get_silent(const struct datagrams *datagrams,
	int64_t now_us);

/* Returns when the next client will be silent too long, or UNIXMSG_FOREVER. */
int64_t datagrams_get_deadline_us(const struct datagrams *datagrams);

#endif
