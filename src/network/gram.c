/* SPDX-License-Identifier: MIT */
/* unixgram: datagrams. Their connection is only the address to send to. */
#include <config.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/deadline_private.h"
#include "base/endpoint.h"
#include "message/msg_private.h"
#include "network/answer.h"
#include "network/dial_private.h"
#include "network/network.h"

/* The pause between two servers that come and go. */
static const int64_t retry_us = 1000;

struct gram {
	struct unixconn conn;
	/* The server to reconnect to, or NULL. */
	char *server;
	bool is_dialled;
	/* The number of reconnects times SERVER_STATES, plus an enum
	 * server_state. */
	atomic_uint_fast64_t server_state;
};

/* The state between a dialled socket and its server. */
enum server_state {
	SERVER_CONNECTED,
	SERVER_LOST_SHUT, /* no server, and closed to all senders */
	/* No server, and open to any sender: nothing is received. */
	SERVER_LOST_OPEN,
	SERVER_STATES,
};

static enum server_state get_server_state(const struct gram *gram)
{
	return atomic_load(&gram->server_state) % SERVER_STATES;
}

static int check_connected(const struct gram *gram)
{
	if (get_server_state(gram) == SERVER_CONNECTED)
		return 0;
	errno = ENOTCONN;
	return -1;
}

/*
 * Connects first and binds then: a socket with a name and without a peer would
 * accept messages from anybody.
 */
static int dial(struct gram *gram, const char *server,
	const struct unixdial_options *options, int64_t deadline_us)
{
	struct endpoint *end = &gram->conn.end;

	if ((options->flags & UNIXMSG_DIAL_RECONNECT) != 0) {
		gram->server = strdup(server);
		if (gram->server == NULL)
			return -1;
	}
	if (unixendpoint__open(end, SOCK_DGRAM) < 0)
		return -1;
	unixendpoint__set_waits(end, options->stop_fd, options->spin_us);
	if (unixdial__connect(end, server, options->flags, deadline_us) < 0)
		return -1;
	gram->is_dialled = true;
	/* With credentials wanted, connect(2) would bind it to an abstract
	 * name, so they are asked for last. The server can send nothing until
	 * it is bound. */
	if ((options->flags & UNIXMSG_DIAL_UNNAMED) == 0 &&
		unixanswer__bind(end, server, options, deadline_us) < 0)
		return -1;
	return unixendpoint__want(end, options->wants);
}

static int gram_dial(struct unixconn *conn, const char *server,
	const struct unixdial_options *options, int64_t deadline_us)
{
	return dial((struct gram *)conn, server, options, deadline_us);
}

static void gram_dispose(struct unixconn *conn)
{
	free(((struct gram *)conn)->server);
}

static int gram_check_peer(const struct unixconn *conn)
{
	return check_connected((const struct gram *)conn);
}

/*
 * ECONNRESET is about an earlier event and not this message: the kernel reports
 * once that a peer that was connected to us has disconnected.
 */
static bool is_server_gone(const struct gram *gram)
{
	return gram->server != NULL &&
		(errno == ECONNREFUSED || errno == ENOTCONN ||
			errno == ECONNRESET);
}

/*
 * Without a peer anybody could put messages into the queue. Now nobody can, or
 * only the new server, which does not know us yet. So all messages in it are
 * dropped.
 */
static void empty_queue(const struct gram *gram)
{
	int saved = errno;

	while (recv(gram->conn.end.fd, NULL, 0, MSG_DONTWAIT) >= 0)
		continue;
	errno = saved;
}

/* Connects to a socket of our own, and closes that one. Nothing may be sent to
 * it: a send would fail and remove the peer again. */
static int connect_to_nobody(const struct gram *gram)
{
	struct endpoint nobody;
	struct unixaddr addr;
	int result = -1;

	if (unixendpoint__open(&nobody, SOCK_DGRAM) < 0)
		return -1;
	if (unixdial__bind(&nobody, "@", true, NULL, UNIXMSG_NOW) == 0 &&
		unixendpoint__get_address(&nobody, &addr) == 0)
		result = unixdial__connect_to(&gram->conn.end, &addr);
	unixdial__close(&nobody);
	return result;
}

/*
 * When a send finds the peer dead, the kernel disconnects the socket, and from
 * then on anybody can send to it. So it needs another peer at once. state is
 * from before that send, as another thread may have reconnected since.
 */
static void shut_out_strangers(struct gram *gram, uint_fast64_t state)
{
	uint_fast64_t shut = state + SERVER_LOST_SHUT;
	int saved = errno;

	if (!gram->is_dialled || (saved != ECONNREFUSED && saved != ENOTCONN) ||
		!atomic_compare_exchange_strong(&gram->server_state, &state,
			shut))
		return;
	/* The state is not LOST_OPEN before that is known: a receive would fail
	 * meanwhile. */
	if (connect_to_nobody(gram) == 0)
		empty_queue(gram);
	else
		atomic_compare_exchange_strong(&gram->server_state, &shut,
			state + SERVER_LOST_OPEN);
	errno = saved;
}

/* A socket that is open to anybody may have received messages from anybody. */
static int check_to_receive(const struct gram *gram)
{
	if (get_server_state(gram) != SERVER_LOST_OPEN)
		return 0;
	empty_queue(gram);
	errno = ENOTCONN;
	return -1;
}

static int send_to_server(struct gram *gram, const struct msghdr *header,
	int64_t deadline_us)
{
	const uint_fast64_t state = atomic_load(&gram->server_state);
	int result;

	if (check_connected(gram) < 0)
		return -1;
	result = unixmsg__send_packed(&gram->conn.end, header, deadline_us);
	if (result < 0)
		shut_out_strangers(gram, state);
	return result;
}

/* A relative path is looked up anew, so do not chdir(2) with one. */
static int reconnect(struct gram *gram, int64_t deadline_us)
{
	unsigned int flags = deadline_us == UNIXMSG_NOW ? 0 : UNIXMSG_DIAL_WAIT;
	const uint_fast64_t state = atomic_load(&gram->server_state);

	/* Another thread was quicker. */
	if (state % SERVER_STATES == SERVER_CONNECTED)
		return 0;
	if (unixdial__connect(&gram->conn.end, gram->server, flags,
		    deadline_us) < 0)
		return -1;
	empty_queue(gram);
	atomic_store(&gram->server_state,
		(state / SERVER_STATES + 1) * SERVER_STATES);
	unixnetwork__note(&gram->conn.counts.reconnects, 1);
	return 0;
}

static int send_or_reconnect(struct gram *gram, const struct msghdr *header,
	int64_t deadline_us)
{
	int result = send_to_server(gram, header, deadline_us);

	/* The server may come and go once more in between. A call that does not
	 * wait tries only once more. */
	while (result < 0 && is_server_gone(gram)) {
		if (reconnect(gram, deadline_us) < 0)
			return -1;
		result = send_to_server(gram, header, deadline_us);
		if (result == 0 || deadline_us == UNIXMSG_NOW)
			break;
		if (is_server_gone(gram) &&
			unixdeadline__pause(retry_us, gram->conn.end.stop_fd,
				deadline_us) < 0)
			return -1;
	}
	return result;
}

/* The first try does not wait, so that waits can be counted. */
static int send_packed(struct gram *gram, const struct msghdr *header,
	int64_t deadline_us)
{
	int saved = errno;

	if (send_to_server(gram, header, UNIXMSG_NOW) == 0)
		return 0;
	if (errno == EAGAIN && deadline_us != UNIXMSG_NOW)
		unixnetwork__note(&gram->conn.counts.waited, 1);
	else if (!is_server_gone(gram))
		return -1;
	if (send_or_reconnect(gram, header, deadline_us) < 0)
		return -1;
	errno = saved;
	return 0;
}

static int gram_send_to(struct unixconn *conn, const struct unixaddr *to,
	const void *data, size_t size, int64_t deadline_us)
{
	struct iovec part = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr header;

	if (unixmsg__pack_part(&conn->end, &part, to, &header) < 0)
		return -1;
	return send_packed((struct gram *)conn, &header, deadline_us);
}

static int gram_send(struct unixconn *conn, const void *data, size_t size,
	int64_t deadline_us)
{
	return gram_send_to(conn, NULL, data, size, deadline_us);
}

static int gram_send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us)
{
	union control_all control;
	struct msghdr header;
	struct iovec part;

	if (unixmsg__pack(&conn->end, msg, &header, &part, &control) < 0)
		return -1;
	return send_packed((struct gram *)conn, &header, deadline_us);
}

static int gram_send_batch(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us)
{
	struct gram *gram = (struct gram *)conn;
	const uint_fast64_t state = atomic_load(&gram->server_state);

	if (check_connected(gram) < 0)
		return -1;
	if (unixmsg__send_batch_on(&conn->end, msgs, count, sent,
		    deadline_us) == 0)
		return 0;
	shut_out_strangers(gram, state);
	return -1;
}

static int gram_recv(struct unixconn *conn, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	if (check_to_receive((struct gram *)conn) < 0)
		return -1;
	return unixmsg__recv_data_on(&conn->end, data, room, size, from,
		deadline_us);
}

static int gram_recv_msg(struct unixconn *conn, struct unixmsg *msg,
	int64_t deadline_us)
{
	if (check_to_receive((struct gram *)conn) < 0)
		return -1;
	return unixmsg__recv_on(&conn->end, msg, deadline_us);
}

static int gram_recv_batch(struct unixconn *conn, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us)
{
	if (check_to_receive((struct gram *)conn) < 0)
		return -1;
	return unixmsg__recv_batch_on(&conn->end, msgs, count, received,
		deadline_us);
}

static int gram_recv_buffer(struct unixconn *conn, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us)
{
	if (check_to_receive((struct gram *)conn) < 0)
		return -1;
	return unixmsg__recv_buffer_on(&conn->end, buffer, from, deadline_us);
}

static int gram_get_next_size(struct unixconn *conn, size_t *size,
	int64_t deadline_us)
{
	if (check_to_receive((struct gram *)conn) < 0)
		return -1;
	return unixmsg__peek_size_on(&conn->end, size, deadline_us);
}

static int gram_want(struct unixconn *conn, unsigned int wants)
{
	return unixendpoint__want(&conn->end, wants);
}

static int gram_get_size_max(const struct unixconn *conn, size_t *size)
{
	return unixendpoint__get_size_max(&conn->end, size);
}

static int gram_raise_size_max(struct unixconn *conn, size_t wanted,
	size_t *reached)
{
	return unixendpoint__raise_size_max(&conn->end, wanted, reached);
}

const struct network unixnetwork__gram = {
	.name = "unixgram",
	.type = SOCK_DGRAM,
	.size = sizeof(struct gram),
	.dial = gram_dial,
	.dispose = gram_dispose,
	.check_peer = gram_check_peer,
	.send = gram_send,
	.send_to = gram_send_to,
	.send_msg = gram_send_msg,
	.send_batch = gram_send_batch,
	.recv = gram_recv,
	.recv_msg = gram_recv_msg,
	.recv_batch = gram_recv_batch,
	.recv_buffer = gram_recv_buffer,
	.get_next_size = gram_get_next_size,
	.want = gram_want,
	.get_size_max = gram_get_size_max,
	.raise_size_max = gram_raise_size_max,
};
