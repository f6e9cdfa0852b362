/* SPDX-License-Identifier: MIT */
/* users: what a service knows of each user: his peers, and his rate. */
#ifndef UNIXMSG_USERS_H
#define UNIXMSG_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One of his peers, in the order of their silence. */
struct member {
	struct member *more_silent;
	struct member *livelier;
};

struct user {
	struct user *next; /* in its bucket */
	uid_t uid;
	unsigned int peers_count;
	/* Those of them that are memory only, service_peer.c counts. */
	unsigned int light_count;
	/* What peers of his that were closed have not read, service_debt.c. */
	unsigned int debts_count;
	/* What is kept for his peers, and what has come of their messages that
	 * are not whole yet, service_share.c counts. */
	uint64_t kept_bytes;
	uint64_t partial_bytes;
	/* Somebody holds on to it for a moment. */
	unsigned int holds;
	/* His peers, the one that was silent for longest first. */
	struct member *silent;
	struct member *lively;
	/* When all that he has sent would be due at the rate allowed. */
	int64_t due_ns;
};

enum { USERS_BUCKETS = 64 };

struct users {
	struct user *buckets[USERS_BUCKETS];
	/* Of the rate: between two messages, and how far he may be ahead. */
	int64_t interval_ns;
	int64_t ahead_ns;
};

/* rate messages a second, burst at once; 0 for no limit. */
void unixusers__init(struct users *users, unsigned int rate,
	unsigned int burst);

/*
 * The user, made when he is new. He is kept while he has peers or holds, and
 * then until nothing more is known of him, so ask again each time. NULL with
 * ENOMEM.
 */
struct user *unixusers__get(struct users *users, uid_t uid, int64_t now_us);

/* Puts a peer at the lively end, takes it out. */
void unixusers__add_peer(struct user *user, struct member *peer);
void unixusers__remove_peer(struct user *user, struct member *peer);

/* The user with most peers, with most connections, with most bytes; NULL when
 * there are none. */
struct user *unixusers__get_greatest(const struct users *users);
struct user *unixusers__get_most_connected(const struct users *users);
struct user *unixusers__get_most_kept(const struct users *users);
struct user *unixusers__get_most_partial(const struct users *users);
unsigned int unixusers__count_connections(const struct user *user);

/* When he may send one message more; a moment of the past: now. */
int64_t unixusers__get_next_us(const struct users *users,
	const struct user *user);

/* He has sent one. */
void unixusers__count(const struct users *users, struct user *user,
	int64_t now_us);

void unixusers__free(struct users *users);

#endif
