/* SPDX-License-Identifier: MIT */
/* users: the peers and the rate of each user of a service. */
#ifndef UNIXMSG_USERS_H
#define UNIXMSG_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A peer of the user, in the order of silence. */
struct member {
	struct member *older;
	struct member *newer;
};

struct user {
	struct user *next; /* in its bucket */
	uid_t uid;
	unsigned int peers_count;
	/* The datagram senders among them, counted in service_peer.c. */
	unsigned int light_count;
	/* Closed peers with unread messages, see service_unread.c. */
	unsigned int unread_count;
	/* Bytes queued for the user's peers, and received bytes of incomplete
	 * messages from them; and the memory of their lanes. Counted in
	 * service_books.c. */
	uint64_t queued_bytes;
	uint64_t partial_bytes;
	uint64_t lane_bytes;
	/* Callers that need the user for a moment. */
	unsigned int holds;
	/* The user's peers, the longest silent one first. */
	struct member *oldest;
	struct member *newest;
	/* The time at which all messages so far would be due at the allowed
	 * rate. */
	int64_t due_ns;
};

enum { USERS_BUCKETS = 64 };

struct users {
	struct user *buckets[USERS_BUCKETS];
	/* The time between two messages, and how far a user may be ahead. */
	int64_t interval_ns;
	int64_t ahead_ns;
};

/* Allows rate messages a second, burst at once; 0 for no limit. */
void unixusers__init(struct users *users, unsigned int rate,
	unsigned int burst);

/*
 * Returns the user, made if it is new, or NULL with ENOMEM. A user without
 * peers or holds is freed once nothing about it has to be known, so ask again
 * each time.
 */
struct user *unixusers__get(struct users *users, uid_t uid, int64_t now_us);

/* Adds a peer as the least silent one, or removes it. */
void unixusers__add_peer(struct user *user, struct member *peer);
void unixusers__remove_peer(struct user *user, struct member *peer);

/* Return the user with the most peers, connections or bytes, or NULL. */
struct user *unixusers__get_greatest(const struct users *users);
struct user *unixusers__get_most_connected(const struct users *users);
struct user *unixusers__get_most_queued(const struct users *users);
struct user *unixusers__get_most_partial(const struct users *users);
unsigned int unixusers__count_connections(const struct user *user);

/* Returns when the user may send one more message; a past time means now. */
int64_t unixusers__get_next_us(const struct users *users,
	const struct user *user);

/* Counts a message of the user. */
void unixusers__count(const struct users *users, struct user *user,
	int64_t now_us);

void unixusers__free(struct users *users);

#endif
