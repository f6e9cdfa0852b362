/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "relay/datagrams.h"
#include "unixmsg/deadline.h"

/* A host on which a relay has clients of the service. */
struct datagram_host {
	char name[SUBJECT_ROOM];
	size_t count; /* of its clients */
	struct datagram_host *next;
};

static struct datagram_client *fail(int error)
{
	errno = error;
	return NULL;
}

static size_t round_up(size_t count)
{
	size_t power = 1;

	while (power < count)
		power *= 2;
	return power;
}

static int draw_key(uint64_t *key)
{
	/* getrandom(2) gives so few bytes whole, and without EINTR once the
	 * pool is ready. */
	while (getrandom(key, sizeof(*key), 0) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

int datagrams_init(struct datagrams *datagrams, size_t most, int64_t silence_us)
{
	memset(datagrams, 0, sizeof(*datagrams));
	datagrams->most = most;
	datagrams->silence_us = silence_us;
	datagrams->chains_count = round_up(most);
	if (draw_key(&datagrams->key) < 0)
		return -1;
	datagrams->of_subject = calloc(datagrams->chains_count,
		sizeof(struct datagram_client *));
	datagrams->of_peer = calloc(datagrams->chains_count,
		sizeof(struct datagram_client *));
	if (datagrams->of_subject != NULL && datagrams->of_peer != NULL)
		return 0;
	datagrams_free(datagrams);
	errno = ENOMEM;
	return -1;
}

/* Mixes all bits of the value into all bits of the sum. */
static uint64_t mix(uint64_t sum, uint64_t value)
{
	sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 29;
}

static struct datagram_client **get_chain_of_subject(const struct datagrams
							     *datagrams,
	const char *subject)
{
	uint64_t sum = datagrams->key;

	for (; *subject != '\0'; subject++)
		sum = mix(sum, (unsigned char)*subject);
	return &datagrams->of_subject[sum & (datagrams->chains_count - 1)];
}

static struct datagram_client **get_chain_of_peer(const struct datagrams
							  *datagrams,
	uint64_t peer)
{
	uint64_t sum = mix(datagrams->key, peer);

	return &datagrams->of_peer[sum & (datagrams->chains_count - 1)];
}

static struct datagram_client *look_up_subject(const struct datagrams
						       *datagrams,
	const char *subject)
{
	struct datagram_client *it = *get_chain_of_subject(datagrams, subject);

	while (it != NULL && strcmp(it->subject, subject) != 0)
		it = it->next_of_subject;
	return it;
}

static struct datagram_client *look_up_peer(const struct datagrams *datagrams,
	uint64_t peer)
{
	struct datagram_client *it = *get_chain_of_peer(datagrams, peer);

	while (it != NULL && it->peer != peer)
		it = it->next_of_peer;
	return it;
}

/* The order of use */

static void leave_order(struct datagrams *datagrams,
	struct datagram_client *client)
{
	if (client->older != NULL)
		client->older->newer = client->newer;
	else
		datagrams->oldest = client->newer;
	if (client->newer != NULL)
		client->newer->older = client->older;
	else
		datagrams->newest = client->older;
}

static void join_order(struct datagrams *datagrams,
	struct datagram_client *client, int64_t now_us)
{
	client->used_us = now_us;
	client->newer = NULL;
	client->older = datagrams->newest;
	if (client->older != NULL)
		client->older->newer = client;
	else
		datagrams->oldest = client;
	datagrams->newest = client;
}

static struct datagram_client *use(struct datagrams *datagrams,
	struct datagram_client *client, int64_t now_us)
{
	if (client == NULL)
		return NULL;
	leave_order(datagrams, client);
	join_order(datagrams, client, now_us);
	return client;
}

struct datagram_client *datagrams_find_subject(struct datagrams *datagrams,
	const char *subject, int64_t now_us)
{
	return use(datagrams, look_up_subject(datagrams, subject), now_us);
}

struct datagram_client *datagrams_find_peer(struct datagrams *datagrams,
	uint64_t peer, int64_t now_us)
{
	return use(datagrams, look_up_peer(datagrams, peer), now_us);
}

/* Hosts */

/* Reads the host: the subject of a client, without its number and the
 * incarnation of its relay. A relay that starts again is on the same host. */
static void read_host(char name[SUBJECT_ROOM], const char *subject)
{
	char *dot;
	int i;

	memcpy(name, subject, strlen(subject) + 1);
	for (i = 0; i < 2 && (dot = strrchr(name, '.')) != NULL; i++)
		*dot = '\0';
}

static struct datagram_host *find_host(const struct datagrams *datagrams,
	const char *name)
{
	struct datagram_host *it = datagrams->hosts;

	while (it != NULL && strcmp(it->name, name) != 0)
		it = it->next;
	return it;
}

static struct datagram_host *join_host(struct datagrams *datagrams,
	const char *subject)
{
	char name[SUBJECT_ROOM];
	struct datagram_host *host;

	read_host(name, subject);
	host = find_host(datagrams, name);
	if (host == NULL) {
		host = calloc(1, sizeof(*host));
		if (host == NULL)
			return NULL;
		memcpy(host->name, name, strlen(name) + 1);
		host->next = datagrams->hosts;
		datagrams->hosts = host;
	}
	host->count++;
	return host;
}

static void leave_host(struct datagrams *datagrams, struct datagram_host *host)
{
	struct datagram_host **place = &datagrams->hosts;

	if (--host->count > 0)
		return;
	while (*place != host)
		place = &(*place)->next;
	*place = host->next;
	free(host);
}

/* Counts the client that own is to get, too. */
static size_t get_count(const struct datagram_host *host,
	const struct datagram_host *own)
{
	return host->count + (host == own);
}

static size_t get_most(const struct datagrams *datagrams,
	const struct datagram_host *own)
{
	const struct datagram_host *it;
	size_t most = 0;

	for (it = datagrams->hosts; it != NULL; it = it->next)
		if (get_count(it, own) > most)
			most = get_count(it, own);
	return most;
}

struct datagram_client *datagrams_get_surplus(const struct datagrams *datagrams,
	const char *subject)
{
	struct datagram_client *it = datagrams->oldest;
	const struct datagram_host *own;
	char name[SUBJECT_ROOM];
	size_t most;

	if (datagrams->count < datagrams->most ||
		strlen(subject) >= sizeof(name))
		return NULL;
	read_host(name, subject);
	own = find_host(datagrams, name);
	most = get_most(datagrams, own);
	while (it != NULL && get_count(it->host, own) < most)
		it = it->newer;
	return it;
}

/* Coming and going */

static void join_chains(struct datagrams *datagrams,
	struct datagram_client *client)
{
	struct datagram_client **chain =
		get_chain_of_subject(datagrams, client->subject);

	client->next_of_subject = *chain;
	*chain = client;
	chain = get_chain_of_peer(datagrams, client->peer);
	client->next_of_peer = *chain;
	*chain = client;
}

struct datagram_client *datagrams_add(struct datagrams *datagrams,
	const char *subject, uint64_t peer, int64_t now_us)
{
	struct datagram_client *client;

	if (look_up_subject(datagrams, subject) != NULL ||
		look_up_peer(datagrams, peer) != NULL)
		return fail(EEXIST);
	if (datagrams->count >= datagrams->most ||
		strlen(subject) >= sizeof(client->subject))
		return fail(ENOSPC);
	client = calloc(1, sizeof(*client));
	if (client == NULL)
		return NULL;
	client->host = join_host(datagrams, subject);
	if (client->host == NULL) {
		free(client);
		return NULL;
	}
	memcpy(client->subject, subject, strlen(subject) + 1);
	client->peer = peer;
	join_chains(datagrams, client);
	join_order(datagrams, client, now_us);
	datagrams->count++;
	return client;
}

void datagrams_remove(struct datagrams *datagrams,
	struct datagram_client *client)
{
	struct datagram_client **place =
		get_chain_of_subject(datagrams, client->subject);

	while (*place != client)
		place = &(*place)->next_of_subject;
	*place = client->next_of_subject;
	place = get_chain_of_peer(datagrams, client->peer);
	while (*place != client)
		place = &(*place)->next_of_peer;
	*place = client->next_of_peer;
	leave_order(datagrams, client);
	leave_host(datagrams, client->host);
	datagrams->count--;
	free(client);
}

void datagrams_free(struct datagrams *datagrams)
{
	struct datagram_client *it, *next;

	for (it = datagrams->oldest; it != NULL; it = next) {
		next = it->newer;
		leave_host(datagrams, it->host);
		free(it);
	}
	datagrams->oldest = datagrams->newest = NULL;
	datagrams->count = 0;
	free(datagrams->of_subject);
	free(datagrams->of_peer);
	datagrams->of_subject = datagrams->of_peer = NULL;
}

int64_t datagrams_get_deadline_us(const struct datagrams *datagrams)
{
	if (datagrams->oldest == NULL ||
		datagrams->silence_us >
			UNIXMSG_FOREVER - datagrams->oldest->used_us)
		return UNIXMSG_FOREVER;
	return datagrams->oldest->used_us + datagrams->silence_us;
}

struct datagram_client *datagrams_get_silent(const struct datagrams *datagrams,
	int64_t now_us)
{
	return now_us < datagrams_get_deadline_us(datagrams)
		? NULL
		: datagrams->oldest;
}
