/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "service/users.h"

static const int64_t second_ns = 1000000000;

void unixusers__init(struct users *users, unsigned int rate, unsigned int burst)
{
	memset(users, 0, sizeof(*users));
	if (rate == 0)
		return;
	users->interval_ns = second_ns / rate;
	if (burst > 1)
		users->ahead_ns = users->interval_ns * (int64_t)(burst - 1);
}

/* Nothing would be lost: the user would be made anew just the same. */
static bool is_forgettable(const struct user *user, int64_t now_us)
{
	return user->peers_count == 0 && user->unread_count == 0 &&
		user->holds == 0 && user->due_ns <= now_us * 1000;
}

/* Finds the user, and frees forgettable ones on the way. */
static struct user *find(struct user **place, uid_t uid, int64_t now_us)
{
	struct user *user;

	while ((user = *place) != NULL) {
		if (user->uid == uid)
			return user;
		if (is_forgettable(user, now_us)) {
			*place = user->next;
			free(user);
			continue;
		}
		place = &user->next;
	}
	return NULL;
}

struct user *unixusers__get(struct users *users, uid_t uid, int64_t now_us)
{
	struct user **bucket = &users->buckets[uid % USERS_BUCKETS];
	struct user *user = find(bucket, uid, now_us);

	if (user != NULL)
		return user;
	user = calloc(1, sizeof(*user));
	if (user == NULL)
		return NULL;
	user->uid = uid;
	user->next = *bucket;
	*bucket = user;
	return user;
}

void unixusers__add_peer(struct user *user, struct member *peer)
{
	peer->newer = NULL;
	peer->older = user->newest;
	if (user->newest == NULL)
		user->oldest = peer;
	else
		user->newest->newer = peer;
	user->newest = peer;
	user->peers_count++;
}

void unixusers__remove_peer(struct user *user, struct member *peer)
{
	if (peer->older == NULL)
		user->oldest = peer->newer;
	else
		peer->older->newer = peer->newer;
	if (peer->newer == NULL)
		user->newest = peer->older;
	else
		peer->newer->older = peer->older;
	user->peers_count--;
}

static uint64_t count_peers(const struct user *user)
{
	return user->peers_count;
}

static uint64_t count_connections(const struct user *user)
{
	return unixusers__count_connections(user);
}

static uint64_t count_queued(const struct user *user)
{
	return user->queued_bytes;
}

static uint64_t count_partial(const struct user *user)
{
	return user->partial_bytes;
}

unsigned int unixusers__count_connections(const struct user *user)
{
	return user->peers_count - user->light_count;
}

static struct user *get_first_by(const struct users *users,
	uint64_t (*count)(const struct user *user))
{
	struct user *user, *greatest = NULL;
	size_t i;

	for (i = 0; i < USERS_BUCKETS; i++)
		for (user = users->buckets[i]; user != NULL; user = user->next)
			if (greatest == NULL || count(user) > count(greatest))
				greatest = user;
	return greatest;
}

struct user *unixusers__get_greatest(const struct users *users)
{
	return get_first_by(users, count_peers);
}

struct user *unixusers__get_most_connected(const struct users *users)
{
	return get_first_by(users, count_connections);
}

struct user *unixusers__get_most_queued(const struct users *users)
{
	return get_first_by(users, count_queued);
}

struct user *unixusers__get_most_partial(const struct users *users)
{
	return get_first_by(users, count_partial);
}

int64_t unixusers__get_next_us(const struct users *users,
	const struct user *user)
{
	if (users->interval_ns == 0 || user->due_ns == 0)
		return 0;
	return (user->due_ns - users->ahead_ns + 999) / 1000;
}

void unixusers__count(const struct users *users, struct user *user,
	int64_t now_us)
{
	const int64_t now_ns = now_us * 1000;

	if (users->interval_ns == 0)
		return;
	if (user->due_ns < now_ns)
		user->due_ns = now_ns;
	user->due_ns += users->interval_ns;
}

void unixusers__free(struct users *users)
{
	struct user *user;
	size_t i;

	for (i = 0; i < USERS_BUCKETS; i++)
		while ((user = users->buckets[i]) != NULL) {
			users->buckets[i] = user->next;
			free(user);
		}
}
