/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "adopt.h"
#include "answer.h"
#include "deadline_private.h"
#include "endpoint.h"
#include "gram_private.h"
#include "msg_private.h"
#include "proof.h"

/* Between two servers that have come and gone. */
static const int64_t retry_us = 1000;

struct unixgram {
	struct endpoint end;
	enum unixgram_policy policy;
	/* Where to connect again; NULL: nowhere. */
	char *server;
	bool is_dialled;
	/* How often it was connected, and above that enum bond. */
	atomic_uint_fast64_t bond;
	/* Two threads may send at once. */
	atomic_uint_fast64_t sent;
	atomic_uint_fast64_t dropped;
	atomic_uint_fast64_t failed;
	atomic_uint_fast64_t waited;
	atomic_uint_fast64_t reconnects;
	atomic_uint_fast64_t received;
	atomic_uint_fast64_t cut;
};

/* Whether a dialled endpoint has its server. */
enum bond {
	BOND_HOLDS,
	BOND_SHUT, /* to all: it has no server */
	BOND_OPEN, /* and could not be shut: nothing is received */
	BONDS,
};

static void note(atomic_uint_fast64_t *counter, uint64_t more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static enum bond get_bond(const struct unixgram *gram)
{
	return atomic_load(&gram->bond) % BONDS;
}

static int check_bond(const struct unixgram *gram)
{
	if (get_bond(gram) == BOND_HOLDS)
		return 0;
	errno = ENOTCONN;
	return -1;
}

static struct unixgram *gram_new(void)
{
	struct unixgram *gram = calloc(1, sizeof(*gram));

	if (gram == NULL)
		return NULL;
	unixendpoint_set_up(&gram->end, -1, SOCK_DGRAM);
	return gram;
}

static struct unixgram *give_up(struct unixgram *gram)
{
	int saved = errno;

	unixgram_close(gram);
	errno = saved;
	return NULL;
}

struct unixgram *unixgram_open_wanting(const char *address,
	const struct unixname_options *options, unsigned int wants)
{
	struct unixgram *gram = gram_new();

	if (gram == NULL)
		return NULL;
	if (unixendpoint_open(&gram->end, SOCK_DGRAM) < 0 ||
		unixendpoint_want(&gram->end, wants) < 0 ||
		unixendpoint_bind(&gram->end, address, false, options,
			UNIXMSG_FOREVER) < 0)
		return give_up(gram);
	return gram;
}

struct unixgram *unixgram_open(const char *address,
	const struct unixname_options *options)
{
	return unixgram_open_wanting(address, options, 0);
}

/*
 * Connected first and bound then: while the socket had a name and no peer,
 * anybody could put a message into its queue.
 */
static int dial(struct unixgram *gram, const char *server,
	const struct unixdial_options *options, int64_t deadline_us)
{
	struct endpoint *end = &gram->end;

	if ((options->flags & UNIXMSG_DIAL_RECONNECT) != 0) {
		gram->server = strdup(server);
		if (gram->server == NULL)
			return -1;
	}
	if (unixendpoint_open(end, SOCK_DGRAM) < 0)
		return -1;
	end->stop_fd = options->stop_fd;
	if (unixendpoint_connect(end, server, options->flags, deadline_us) < 0)
		return -1;
	gram->is_dialled = true;
	return unixanswer_bind(end, server, options, deadline_us);
}

struct unixgram *unixgram_dial(const char *server,
	const struct unixdial_options *options, int64_t deadline_us)
{
	struct unixdial_options defaults;
	struct unixgram *gram;

	unixdial_options_init(&defaults);
	if (options == NULL)
		options = &defaults;
	if (unixendpoint_check_dial(options,
		    UNIXMSG_DIAL_WAIT | UNIXMSG_DIAL_RECONNECT) < 0)
		return NULL;
	gram = gram_new();
	if (gram == NULL)
		return NULL;
	if (dial(gram, server, options, deadline_us) < 0)
		return give_up(gram);
	return gram;
}

struct unixgram *unixgram_adopt(int fd)
{
	struct unixgram *gram = gram_new();

	if (gram == NULL)
		return NULL;
	if (unixadopt_socket(&gram->end, fd, SOCK_DGRAM, false) == 0)
		return gram;
	free(gram);
	return NULL;
}

int unixgram_pair(struct unixgram *pair[2])
{
	struct unixgram *a = gram_new();
	struct unixgram *b = gram_new();

	if (a == NULL || b == NULL ||
		unixendpoint_open_pair(&a->end, &b->end, SOCK_DGRAM) < 0) {
		give_up(a);
		give_up(b);
		return -1;
	}
	pair[0] = a;
	pair[1] = b;
	return 0;
}

int unixgram_close(struct unixgram *gram)
{
	int result;

	if (gram == NULL)
		return 0;
	result = unixendpoint_close(&gram->end);
	free(gram->server);
	free(gram);
	return result;
}

bool unixgram_is_shared(const struct unixgram *gram)
{
	return unixendpoint_is_shared(&gram->end);
}

int unixgram_retire(struct unixgram *gram, bool *is_shared)
{
	return unixendpoint_retire(&gram->end, is_shared);
}

int unixgram_get_fd(const struct unixgram *gram)
{
	return gram->end.fd;
}

void unixgram_set_stop_fd(struct unixgram *gram, int stop_fd)
{
	gram->end.stop_fd = stop_fd;
}

void unixgram_set_spin_us(struct unixgram *gram, int64_t spin_us)
{
	unixspin_set(&gram->end.spin, spin_us);
}

int unixgram_set_unlink_on_close(struct unixgram *gram, bool is_wanted)
{
	return unixadopt_set_unlink(&gram->end, is_wanted);
}

int unixgram_want(struct unixgram *gram, unsigned int wants)
{
	return unixendpoint_want(&gram->end, wants);
}

unsigned int unixgram_get_wants(const struct unixgram *gram)
{
	return gram->end.wants;
}

int unixgram_get_address(const struct unixgram *gram, struct unixaddr *addr)
{
	return unixendpoint_get_address(&gram->end, addr);
}

int unixgram_get_peer(const struct unixgram *gram, struct unixaddr *addr)
{
	return check_bond(gram) < 0 ? -1
				    : unixendpoint_get_peer(&gram->end, addr);
}

int unixgram_check_answer(const struct unixgram *gram)
{
	return unixanswer_check(&gram->end);
}

int unixgram_get_size_max(const struct unixgram *gram, size_t *size)
{
	return unixendpoint_get_size_max(&gram->end, size);
}

static bool is_server_gone(const struct unixgram *gram)
{
	return gram->server != NULL &&
		(errno == ECONNREFUSED || errno == ENOTCONN);
}

/*
 * While it had no peer anybody could put messages into its queue. Now nobody
 * can, or the new server, which does not know us yet: all that is there is to
 * go.
 */
static void empty_queue(const struct unixgram *gram)
{
	int saved = errno;

	while (recv(gram->end.fd, NULL, 0, MSG_DONTWAIT) >= 0)
		continue;
	errno = saved;
}

/*
 * Connects to a socket that is closed then. To send to that one would fail and
 * take the peer away again.
 */
static int connect_to_nobody(const struct unixgram *gram)
{
	struct endpoint nobody;
	struct unixaddr addr;
	int result = -1;

	if (unixendpoint_open(&nobody, SOCK_DGRAM) < 0)
		return -1;
	if (unixendpoint_bind(&nobody, "@", true, NULL, UNIXMSG_NOW) == 0 &&
		unixendpoint_get_address(&nobody, &addr) == 0)
		result = unixendpoint_connect_to(&gram->end, &addr);
	unixendpoint_close(&nobody);
	return result;
}

/*
 * The kernel takes the peer away when a send finds it dead, and from then on
 * everybody's messages get through: so another peer has to be had at once. bond
 * is from before that send: somebody else may have connected again since.
 */
static void shut_out_strangers(struct unixgram *gram, uint_fast64_t bond)
{
	int saved = errno;

	if (!gram->is_dialled || (saved != ECONNREFUSED && saved != ENOTCONN) ||
		!atomic_compare_exchange_strong(&gram->bond, &bond,
			bond + BOND_OPEN))
		return;
	if (connect_to_nobody(gram) == 0) {
		empty_queue(gram);
		atomic_store(&gram->bond, bond + BOND_SHUT);
	}
	errno = saved;
}

/* What nobody has shut out could be anybody's. */
static int check_to_receive(const struct unixgram *gram)
{
	if (get_bond(gram) != BOND_OPEN)
		return 0;
	empty_queue(gram);
	errno = ENOTCONN;
	return -1;
}

static int send_to_server(struct unixgram *gram, const struct msghdr *header,
	int64_t deadline_us)
{
	const uint_fast64_t bond = atomic_load(&gram->bond);
	int result;

	if (check_bond(gram) < 0)
		return -1;
	result = unixmsg_send_packed(&gram->end, header, deadline_us);
	if (result < 0)
		shut_out_strangers(gram, bond);
	return result;
}

/* A relative path is looked up anew: keep to absolute ones, or do not chdir. */
static int reconnect(struct unixgram *gram, int64_t deadline_us)
{
	unsigned int flags = deadline_us == UNIXMSG_NOW ? 0 : UNIXMSG_DIAL_WAIT;
	const uint_fast64_t bond = atomic_load(&gram->bond);

	/* Another thread was quicker. */
	if (bond % BONDS == BOND_HOLDS)
		return 0;
	if (unixendpoint_connect(&gram->end, gram->server, flags, deadline_us) <
		0)
		return -1;
	empty_queue(gram);
	atomic_store(&gram->bond, (bond / BONDS + 1) * BONDS);
	note(&gram->reconnects, 1);
	return 0;
}

static int send_or_reconnect(struct unixgram *gram, const struct msghdr *header,
	int64_t deadline_us)
{
	int result = send_to_server(gram, header, deadline_us);

	/* It may come and go once more in between: again and again, no. */
	while (result < 0 && is_server_gone(gram)) {
		if (reconnect(gram, deadline_us) < 0)
			return -1;
		result = send_to_server(gram, header, deadline_us);
		if (result == 0 || deadline_us == UNIXMSG_NOW)
			break;
		if (is_server_gone(gram) &&
			unixdeadline_pause(retry_us, gram->end.stop_fd,
				deadline_us) < 0)
			return -1;
	}
	return result;
}

/* The first attempt does not wait, so that waiting can be counted. */
static int send_or_wait(struct unixgram *gram, const struct msghdr *header,
	int64_t deadline_us)
{
	if (gram->policy != UNIXGRAM_WAIT || deadline_us == UNIXMSG_NOW)
		return send_or_reconnect(gram, header, UNIXMSG_NOW);
	if (send_to_server(gram, header, UNIXMSG_NOW) == 0)
		return 0;
	if (errno != EAGAIN && !is_server_gone(gram))
		return -1;
	if (errno == EAGAIN)
		note(&gram->waited, 1);
	return send_or_reconnect(gram, header, deadline_us);
}

static int count_failed(struct unixgram *gram)
{
	note(&gram->failed, 1);
	return -1;
}

/* 0, 1 when the policy has dropped it, or -1. */
static int send_packed(struct unixgram *gram, const struct msghdr *header,
	int64_t deadline_us)
{
	int saved = errno;

	if (send_or_wait(gram, header, deadline_us) == 0) {
		note(&gram->sent, 1);
		errno = saved;
		return 0;
	}
	if (gram->policy == UNIXGRAM_DROP && errno == EAGAIN) {
		note(&gram->dropped, 1);
		errno = saved;
		return 1;
	}
	return count_failed(gram);
}

int unixgram_send_msg(struct unixgram *gram, const struct unixmsg *msg,
	int64_t deadline_us)
{
	union control_all control;
	struct msghdr header;

	if (unixmsg_pack(&gram->end, msg, &header, &control) < 0)
		return count_failed(gram);
	return send_packed(gram, &header, deadline_us);
}

int unixgram_send_to(struct unixgram *gram, const struct unixaddr *to,
	const void *data, size_t size, int64_t deadline_us)
{
	struct iovec part = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr header;

	if (unixmsg_pack_part(&gram->end, &part, to, &header) < 0)
		return count_failed(gram);
	return send_packed(gram, &header, deadline_us);
}

int unixgram_prove_sender(const struct unixgram *gram,
	const struct unixaddr *from, const struct unixcred *writer,
	struct unixaddr *to, int *held_fd)
{
	struct unixproof proof;

	if (unixproof_find(&proof, gram->end.fd, from, writer, 0) < 0)
		return -1;
	*to = proof.to;
	*held_fd = proof.fd;
	return 0;
}

int unixgram_send(struct unixgram *gram, const void *data, size_t size,
	int64_t deadline_us)
{
	return unixgram_send_to(gram, NULL, data, size, deadline_us);
}

/* Passes on what receiving has given. */
static int count_received(struct unixgram *gram, int result)
{
	if (result == 1)
		note(&gram->received, 1);
	else if (errno == EMSGSIZE)
		note(&gram->cut, 1);
	return result;
}

int unixgram_recv(struct unixgram *gram, void *data, size_t room, size_t *size,
	struct unixaddr *from, int64_t deadline_us)
{
	if (check_to_receive(gram) < 0)
		return -1;
	return count_received(gram,
		unixmsg_recv_data_on(&gram->end, data, room, size, from,
			deadline_us));
}

int unixgram_recv_msg(struct unixgram *gram, struct unixmsg *msg,
	int64_t deadline_us)
{
	if (check_to_receive(gram) < 0)
		return -1;
	return count_received(gram,
		unixmsg_recv_on(&gram->end, msg, deadline_us));
}

int unixgram_recv_buffer(struct unixgram *gram, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us)
{
	if (check_to_receive(gram) < 0)
		return -1;
	return count_received(gram,
		unixmsg_recv_buffer_on(&gram->end, buffer, from, deadline_us));
}

int unixgram_send_batch(struct unixgram *gram, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us)
{
	const uint_fast64_t bond = atomic_load(&gram->bond);
	int result;

	*sent = 0;
	if (check_bond(gram) < 0)
		return count_failed(gram);
	result = unixmsg_send_batch_on(&gram->end, msgs, count, sent,
		deadline_us);
	note(&gram->sent, *sent);
	if (result == 0)
		return 0;
	shut_out_strangers(gram, bond);
	return count_failed(gram);
}

/* Whoever asked for the beginning of a message has received it. */
static size_t count_cut(const struct unixmsg *msgs, size_t count)
{
	const unsigned int mask = UNIXMSG_CUT | UNIXMSG_PREFIX;
	size_t i, cut = 0;

	for (i = 0; i < count; i++)
		cut += (msgs[i].flags & mask) == UNIXMSG_CUT;
	return cut;
}

int unixgram_recv_batch(struct unixgram *gram, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us)
{
	size_t cut;
	int result;

	*received = 0;
	if (check_to_receive(gram) < 0)
		return -1;
	result = unixmsg_recv_batch_on(&gram->end, msgs, count, received,
		deadline_us);
	cut = count_cut(msgs, *received);

	note(&gram->received, *received - cut);
	note(&gram->cut, cut);
	return result;
}

int unixgram_raise_size_max(struct unixgram *gram, size_t wanted,
	size_t *reached)
{
	return unixendpoint_raise_size_max(&gram->end, wanted, reached);
}

int unixgram_get_unread(const struct unixgram *gram, size_t *bytes)
{
	return unixendpoint_get_unread(&gram->end, bytes);
}

int unixgram_set_policy(struct unixgram *gram, enum unixgram_policy policy)
{
	switch (policy) {
	case UNIXGRAM_WAIT:
	case UNIXGRAM_DROP:
	case UNIXGRAM_FAIL:
		gram->policy = policy;
		return 0;
	}
	errno = EINVAL;
	return -1;
}

static uint64_t get_count(const atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void unixgram_get_counters(const struct unixgram *gram,
	struct unixgram_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	counters->sent = get_count(&gram->sent);
	counters->dropped = get_count(&gram->dropped);
	counters->failed = get_count(&gram->failed);
	counters->waited = get_count(&gram->waited);
	counters->reconnects = get_count(&gram->reconnects);
	counters->received = get_count(&gram->received);
	counters->cut = get_count(&gram->cut);
}

int unixgram_get_next_size(struct unixgram *gram, size_t *size,
	int64_t deadline_us)
{
	if (check_to_receive(gram) < 0)
		return -1;
	return unixmsg_peek_size_on(&gram->end, size, deadline_us);
}
