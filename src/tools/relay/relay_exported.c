/* SPDX-License-Identifier: MIT */
/*
 * Datagrams to the service here. Each remote client has a socket of its own, a
 * peer of our service, so that the service here can tell clients apart, and
 * answers find the right one. Messages of clients without an address come from
 * one socket without a name.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/datagrams.h"
#include "tools/common/explain.h"
#include "tools/common/tool.h"
#include "tools/relay/relay.h"
#include "tools/relay/relay_front.h"
#include "tools/relay/relay_grams.h"

struct exported {
	struct datagrams clients;
	uint64_t unnamed; /* the peer for clients without an address, or 0 */
	uint64_t last;    /* number of a socket in --reply-directory */
};

static struct exported *get(const struct relay *relay)
{
	return relay->state;
}

static void count(struct relay *relay, enum relay_count reason)
{
	relay->books.counts[reason]++;
}

/* --- Sockets -------------------------------------------------------------- */

/* Users who can write to the directory could put other files in the place of
 * ours. */
static int check_directory(const struct relay *relay)
{
	const char *text = relay->options->reply_directory;
	struct unixaddr addr;
	struct stat found;
	const char *name;
	size_t size;

	if (text == NULL)
		return 0;
	if (unixaddr_parse(&addr, text) < 0)
		return tool_complain("--reply-directory: %s: %s",
			explain_text(text), strerror(errno));
	name = unixaddr_get_name(&addr, &size);
	if (unixaddr_get_kind(&addr) != UNIXADDR_PATH ||
		stat(name, &found) < 0 || !S_ISDIR(found.st_mode))
		return tool_complain("--reply-directory: %s: no directory",
			explain_text(text));
	if ((found.st_uid != geteuid() && found.st_uid != 0) ||
		(found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return tool_complain("--reply-directory: %s: others can write "
				     "there, or it is another user's",
			explain_text(text));
	return 0;
}

static int set_group(const struct relay *relay, struct unixconn *conn)
{
	struct unixaddr addr;
	size_t size;

	if (!relay->options->is_reply_group_wanted)
		return 0;
	if (unixconn_get_address(conn, &addr) < 0)
		return -1;
	return fchownat(AT_FDCWD, unixaddr_get_name(&addr, &size), (uid_t)-1,
		relay->options->reply_group, AT_SYMLINK_NOFOLLOW);
}

static struct unixconn *dial_at(struct relay *relay, const char *own,
	unsigned int flags)
{
	const struct unixdial_options how = {
		.own = own,
		.flags = flags,
		.own_mode = relay->options->is_reply_group_wanted ? 0660 : 0,
	};
	struct unixconn *conn = unixconn_dial("unixgram",
		relay->options->base.address, &how, UNIXMSG_NOW);
	int saved;

	if (conn == NULL || own == NULL || set_group(relay, conn) == 0)
		return conn;
	saved = errno;
	unixconn_close(conn);
	errno = saved;
	return NULL;
}

static struct unixconn *dial(struct relay *relay, bool is_named)
{
	char own[4096];
	int size;

	if (!is_named)
		return dial_at(relay, NULL, UNIXMSG_DIAL_UNNAMED);
	if (relay->options->reply_directory == NULL)
		return dial_at(relay, NULL, 0);
	size = snprintf(own, sizeof(own), "%s/%s.%" PRIu64,
		relay->options->reply_directory, relay->incarnation,
		++get(relay)->last);
	if (size > 0 && (size_t)size < sizeof(own))
		return dial_at(relay, own, 0);
	errno = ENAMETOOLONG;
	return NULL;
}

/* Returns the peer, or 0 after it counted why there is none. */
static uint64_t open_peer(struct relay *relay, bool is_named)
{
	struct unixconn *conn = dial(relay, is_named);
	uint64_t peer = 0;

	if (conn != NULL &&
		unixservice_add_conn(relay->service, conn, 0, &peer) == 0)
		return peer;
	tool_say(TOOL_VERBOSE, "%s: %s",
		explain_text(relay->options->base.address),
		explain_error(errno));
	count(relay, RELAY_LOST_REFUSED);
	relay_front_miss(relay);
	unixconn_close(conn);
	return 0;
}

/* --- Clients -------------------------------------------------------------- */

static void note_count(struct relay *relay)
{
	relay->books.open = get(relay)->clients.count;
}

static void forget(struct relay *relay, struct datagram_client *client)
{
	const uint64_t peer = client->peer;

	datagrams_remove(&get(relay)->clients, client);
	note_count(relay);
	unixservice_set_context(relay->service, peer, NULL);
	unixservice_reset_peer(relay->service, peer);
}

static uint64_t add_client(struct relay *relay, const char *subject,
	int64_t now_us)
{
	struct datagrams *clients = &get(relay)->clients;
	struct datagram_client *client =
		datagrams_get_surplus(clients, subject);
	uint64_t peer;

	if (client != NULL) {
		count(relay, RELAY_REPLACED);
		forget(relay, client);
	}
	peer = open_peer(relay, true);
	if (peer == 0)
		return 0;
	client = datagrams_add(clients, subject, peer, now_us);
	if (client == NULL) {
		count(relay, RELAY_LOST_MEMORY);
		unixservice_reset_peer(relay->service, peer);
		return 0;
	}
	unixservice_set_context(relay->service, peer, client);
	unixservice_keep_peer(relay->service, peer, true);
	note_count(relay);
	relay_wake_at(relay, datagrams_get_deadline_us(clients));
	return peer;
}

static uint64_t find_client(struct relay *relay, const char *subject)
{
	const int64_t now_us = unixdeadline_now_us();
	const struct datagram_client *client =
		datagrams_find_subject(&get(relay)->clients, subject, now_us);

	return client != NULL ? client->peer
			      : add_client(relay, subject, now_us);
}

static uint64_t find_unnamed(struct relay *relay)
{
	struct exported *exported = get(relay);

	if (exported->unnamed == 0) {
		exported->unnamed = open_peer(relay, false);
		unixservice_keep_peer(relay->service, exported->unnamed, true);
	}
	return exported->unnamed;
}

/* Number 0 is for all clients that cannot be answered. */
static bool is_unnamed(const char *reply)
{
	return strcmp(strrchr(reply, '.'), ".0") == 0;
}

/* Forgets a client that its own relay has closed. */
static void take_end(struct relay *relay, const char *subject)
{
	struct datagram_client *client =
		datagrams_find_subject(&get(relay)->clients, subject,
			unixdeadline_now_us());

	if (client != NULL)
		forget(relay, client);
}

static bool is_of_client(const struct frame *frame)
{
	return frame != NULL &&
		(frame->type == FRAME_DATAGRAM || frame->type == FRAME_RESET);
}

static void take_new(struct relay *relay, const struct nats_event *event,
	const struct frame *frame)
{
	uint64_t peer;

	if (!is_of_client(frame) || event->reply == NULL ||
		subject_prove(event->reply, &relay->names, SUBJECT_REPLY) < 0) {
		count(relay, RELAY_STRANGE);
		return;
	}
	if (frame->type == FRAME_RESET) {
		take_end(relay, event->reply);
		return;
	}
	count(relay, RELAY_ARRIVED);
	relay->books.counts[RELAY_ARRIVED_BYTES] += frame->size;
	peer = is_unnamed(event->reply) ? find_unnamed(relay)
					: find_client(relay, event->reply);
	if (peer != 0)
		relay_grams_deliver(relay, peer, frame);
}

/* --- Answers -------------------------------------------------------------- */

static int pass(struct relay *relay, uint64_t peer, const void *data,
	size_t size)
{
	const struct datagram_client *client =
		datagrams_find_peer(&get(relay)->clients, peer,
			unixdeadline_now_us());
	const struct frame frame = {
		.type = FRAME_DATAGRAM,
		.data = data,
		.size = size,
	};

	if (client != NULL)
		return relay_grams_pass(relay, client->subject, peer, &frame);
	count(relay, RELAY_LOST_UNKNOWN);
	return 0;
}

static void hold(struct relay *relay, uint64_t peer)
{
	unixservice_pause_peer(relay->service, peer);
}

static void release(struct relay *relay, uint64_t peer)
{
	unixservice_resume_peer(relay->service, peer);
}

static void lose(struct relay *relay, uint64_t peer, enum relay_count reason)
{
	(void)peer;
	count(relay, reason);
}

/* Takes a datagram of a client that stays with us; or forgets a client whose
 * relay is gone, so that an answer has found nobody. */
static void take(struct relay *relay, uint64_t number,
	const struct nats_event *event, const struct frame *frame)
{
	struct datagram_client *client =
		unixservice_get_context(relay->service, number);

	if (number == RELAY_GRAMS_NUMBER) {
		take_new(relay, event, frame);
		return;
	}
	if (event->status == 0) {
		count(relay, RELAY_STRANGE);
		return;
	}
	count(relay, RELAY_RETURNED);
	if (client != NULL)
		forget(relay, client);
}

static void take_closed(struct relay *relay, uint64_t peer)
{
	struct datagram_client *client =
		unixservice_get_context(relay->service, peer);

	if (peer == get(relay)->unnamed)
		get(relay)->unnamed = 0;
	if (client == NULL)
		return;
	datagrams_remove(&get(relay)->clients, client);
	note_count(relay);
}

static void watch(struct relay *relay, const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_CLOSED)
		take_closed(relay, event->peer);
	else if (event->kind == UNIXSERVICE_CUT)
		count(relay, RELAY_LOST_TOO_LARGE);
	else if (event->kind == UNIXSERVICE_LOST)
		relay_grams_note_loss(relay, event);
}

static void look(struct relay *relay, int64_t now_us)
{
	struct datagrams *clients = &get(relay)->clients;
	struct datagram_client *client;

	while ((client = datagrams_get_silent(clients, now_us)) != NULL)
		forget(relay, client);
	relay_wake_at(relay, datagrams_get_deadline_us(clients));
}

static bool is_empty(const struct relay *relay)
{
	return get(relay)->clients.count == 0;
}

static int open_way(struct relay *relay)
{
	struct exported *exported;

	if (check_directory(relay) < 0)
		return -1;
	exported = calloc(1, sizeof(*exported));
	if (exported != NULL &&
		datagrams_init(&exported->clients,
			relay->options->base.clients_max,
			relay->options->silence_us) == 0) {
		relay->state = exported;
		return 0;
	}
	free(exported);
	return tool_complain("%s", strerror(errno));
}

static void close_way(struct relay *relay)
{
	if (relay->state == NULL)
		return;
	datagrams_free(&get(relay)->clients);
	free(relay->state);
	relay->state = NULL;
}

const struct relay_way relay_exported_way = {
	.own = SUBJECT_REPLY,
	.common = SUBJECT_DATAGRAM,
	.open = open_way,
	.close = close_way,
	.pass = pass,
	.hold = hold,
	.release = release,
	.lose = lose,
	.watch = watch,
	.take = take,
	.take_new = take_new,
	.look = look,
	.is_empty = is_empty,
};
