/* SPDX-License-Identifier: MIT */
/*
 * Nobody but the peer can write to a connection. But many programs send on what
 * others have given to them, bytes and descriptors: a message of the offer may
 * be data that another user has made up. So a message counts only if it is
 * proved. Without proof it is data, the program gets it, and nothing changes.
 *
 *	What a stranger may try            What stops it
 *
 *	To read the number in              The number only tells the messages
 *	/proc/net/unix, and to have        of this connection from others. HELLO
 *	HELLO sent on                      also needs its memory.
 *	HELLO without memory, or with      It has to be sealed, and its kind and
 *	any file                           size are checked.
 *	HELLO with the stranger's memory   Its owner has to be the server's user
 *	                                   (SO_PEERCRED). No other user can make
 *	                                   such a file.
 *	HELLO with memory that the         The server has written the number and
 *	server gave to the stranger        the network namespace of the client
 *	                                   into its memory. Both together belong
 *	                                   to one client.
 *	HELLO from another user who has    The writer (SCM_CREDENTIALS) has to
 *	got the server's socket            be that user as well.
 *	A server whose user has no number  All such users look the same, so the
 *	in the client's user namespace     client dials again, without a lane.
 *	ACCEPT, GO, NO                     They need the secret in the memory of
 *	                                   HELLO, which only the client gets.
 *	ACCEPT with other memory           It has to be the writer's and have
 *	                                   the secret too. Else the reply is NO.
 *	To fill the client's table of      The client keeps a descriptor free
 *	descriptors, so that the memory    for HELLO, or asks for no lane. If
 *	does not arrive                    another thread takes it, the message
 *	                                   is neither proved nor refuted, and
 *	                                   waits (EMFILE) until one is free. If
 *	                                   one is free and the memory does not
 *	                                   arrive, a security module refuses it.
 *	                                   Then the message is dropped: the
 *	                                   program must not get an offer.
 *
 * A HELLO without proof would reach the client's program. So the server says it
 * only when its own user is the one that the client sees: not if the socket was
 * made by another user (socket activation), or if the server has changed its
 * user since.
 *
 * A side answers in its turn to send, which it takes before it receives the
 * message: so no message of another thread gets between the two.
 */
#include <config.h>

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "network/handshake.h"
#include "network/proof.h"
#include "unixmsg/peer.h"

/* A server offers a lane only after so many messages: short connections cost
 * nothing more. */
static const unsigned int offer_after = 32;

/*
 * A server that has sent so many messages offers none any more. A client gives
 * up waiting after it has received twice as many. The sends of a client prove
 * nothing: HELLO may lie among messages that it has not received yet.
 */
static const unsigned int offer_before = 128;

/* The largest ring that a server can make a client allocate. */
static const uint32_t client_ring_most = 1 << 20;

/* The most looks at an offer whose descriptor is lost though one was free:
 * another thread may have had that one for a moment. */
static const int looks_most = 8;

static const unsigned int wants_beside = UNIXMSG_WANT_CRED | UNIXMSG_WANT_PIDFD;

static void let_fds_in(const struct packet *packet, bool is_on)
{
	const int saved = errno, value = is_on;

	/* Before Linux 6.16 the kernel always lets descriptors in. */
	if ((packet->conn.end.wants & UNIXMSG_WANT_FDS) == 0)
		setsockopt(packet->conn.end.fd, SOL_SOCKET, SO_PASSRIGHTS,
			&value, sizeof(value));
	errno = saved;
}

/* 0 is no descriptor of ours, see fd.h: a struct packet of zeros has none. */
static int close_ours(int fd)
{
	return fd > 0 ? fd_close(fd) : -1;
}

static void close_due(struct packet *packet)
{
	packet->due_fd = close_ours(packet->due_fd);
}

static int keep_spare(struct packet *packet)
{
	packet->spare_fd = fd_lift(eventfd(0, EFD_CLOEXEC));
	return packet->spare_fd < 0 ? -1 : 0;
}

static void free_spare(struct packet *packet)
{
	packet->spare_fd = close_ours(packet->spare_fd);
}

static void give_up(struct packet *packet)
{
	packet->stage = HANDSHAKE_OVER;
	packet->due = OFFER_NONE;
	close_due(packet);
	free_spare(packet);
	unixsegment__drop(&packet->mine);
	let_fds_in(packet, false);
}

/* Before another thread can use the connection */

static int bind_name(struct packet *packet)
{
	const int fd = packet->conn.end.fd;
	struct unixaddr addr;
	socklen_t length;
	const struct sockaddr *sa;

	if (unixoffer__get_space(fd, &packet->key.space) < 0 ||
		unixoffer__make_name(&addr, &packet->key.number) < 0)
		return -1;
	sa = unixaddr_get_sockaddr(&addr, &length);
	return bind(fd, sa, length);
}

void unixhandshake__ask(struct packet *packet)
{
	const int saved = errno;

	packet->process = getpid();
	if (keep_spare(packet) == 0 && bind_name(packet) == 0) {
		packet->stage = HANDSHAKE_ASKED;
		unixhandshake__let_memory_in(packet);
	} else {
		free_spare(packet);
	}
	errno = saved;
}

void unixhandshake__let_memory_in(struct packet *packet)
{
	if (packet->stage != HANDSHAKE_ASKED &&
		packet->stage != HANDSHAKE_OFFERED)
		return;
	packet->conn.end.is_refusing_fds = false;
	let_fds_in(packet, true);
}

static bool find_server(struct packet *packet)
{
	struct unixcred server;

	if (unixpeer_get_cred(packet->conn.end.fd, &server) < 0 ||
		unixproof__is_anybody(server.uid) != 0)
		return false;
	packet->server = server.uid;
	return true;
}

bool unixhandshake__can_be_proved(struct packet *packet)
{
	const int saved = errno;
	const bool can =
		packet->stage != HANDSHAKE_ASKED || find_server(packet);

	errno = saved;
	return can;
}

static bool has_asked(struct packet *packet)
{
	struct unixaddr peer;

	return unixendpoint__get_peer(&packet->conn.end, &peer) == 0 &&
		unixoffer__read_name(&peer, &packet->key.number) &&
		unixoffer__get_space(packet->conn.end.fd, &packet->key.space) ==
		0;
}

void unixhandshake__await(struct packet *packet, uint32_t ring_size,
	uid_t server)
{
	const int saved = errno;

	packet->ring_size = ring_size;
	packet->server = server;
	packet->process = getpid();
	if (has_asked(packet))
		packet->stage = HANDSHAKE_COUNTING;
	errno = saved;
}

/* Saying */

static void say_no(struct packet *packet)
{
	give_up(packet);
	packet->due = OFFER_NO;
}

/* Gives up what is due, after it could not be sent. */
static void refuse_due(struct packet *packet)
{
	if (packet->due == OFFER_ACCEPT) {
		unixlane__forget(&packet->lane);
		say_no(packet);
	} else if (packet->due == OFFER_HELLO) {
		give_up(packet);
	} else {
		packet->due = OFFER_NONE;
	}
}

static void finish_due(struct packet *packet)
{
	if (packet->due == OFFER_GO)
		packet->is_out = true;
	packet->due = OFFER_NONE;
	close_due(packet);
}

/* The user may have changed since the memory was made. */
static bool is_hello_late(const struct packet *packet)
{
	return packet->due == OFFER_HELLO &&
		(packet->sent >= offer_before || geteuid() != packet->server);
}

void unixhandshake__say_due(struct packet *packet)
{
	const int saved = errno;

	if (packet->due == OFFER_NONE)
		return;
	if (is_hello_late(packet))
		give_up(packet);
	else if (unixoffer__send(packet->conn.end.fd, packet->due, &packet->key,
			 packet->due_fd) == 0)
		finish_due(packet);
	else if (errno != EAGAIN)
		refuse_due(packet);
	errno = saved;
}

static void say(struct packet *packet, enum offer_kind kind, int fd,
	enum handshake_stage stage)
{
	packet->stage = stage;
	packet->due = kind;
	packet->due_fd = fd;
	unixhandshake__say_due(packet);
}

static int make_segment(struct packet *packet, uint32_t size)
{
	struct stat own;
	int fd = -1;

	if (fstat(packet->conn.end.fd, &own) == 0)
		fd = unixsegment__make(&packet->mine, size, own.st_ino);
	if (fd >= 0)
		packet->mine.page->key = packet->key;
	return fd;
}

/* Makes memory that the client can prove to be ours. */
static int make_first_segment(struct packet *packet)
{
	struct segment_key *key = &packet->key;
	int fd;

	if (getrandom(key->secret, sizeof(key->secret), 0) < 0)
		return -1;
	fd = make_segment(packet, packet->ring_size);
	if (fd < 0 || unixsegment__read_key(fd, packet->server, key) == 0)
		return fd;
	return fd_close(fd);
}

static void offer(struct packet *packet)
{
	const int saved = errno;
	int fd = make_first_segment(packet);

	if (fd < 0) {
		give_up(packet);
	} else {
		packet->conn.end.is_refusing_fds = false;
		let_fds_in(packet, true);
		say(packet, OFFER_HELLO, fd, HANDSHAKE_OFFERED);
	}
	errno = saved;
}

static void consider_offer(struct packet *packet)
{
	if (packet->stage != HANDSHAKE_COUNTING)
		return;
	if (packet->sent + packet->received < offer_after)
		return;
	if (packet->is_held)
		packet->stage = HANDSHAKE_READY;
	else
		offer(packet);
}

void unixhandshake__hold(struct packet *packet)
{
	packet->is_held = true;
}

void unixhandshake__offer(struct packet *packet)
{
	if (unixturn__take(&packet->lane.sending) < 0)
		return;
	offer(packet);
	unixturn__give(&packet->lane.sending);
}

void unixhandshake__decline(struct packet *packet)
{
	if (unixturn__take(&packet->lane.sending) < 0)
		return;
	give_up(packet);
	unixturn__give(&packet->lane.sending);
}

bool unixhandshake__has_none(const struct packet *packet)
{
	return packet->stage == HANDSHAKE_OVER && packet->mine.page == NULL &&
		packet->lane.mine.page == NULL;
}

void unixhandshake__note_sent(struct packet *packet)
{
	if (packet->stage == HANDSHAKE_OVER)
		return;
	packet->sent++;
	consider_offer(packet);
}

/* Hearing. To hold both turns, take the one to receive first. */

static void set_up(struct packet *packet, struct segment *theirs,
	enum offer_kind kind, int fd, enum handshake_stage stage)
{
	struct lane *lane = &packet->lane;

	if (unixlane__set_up(lane, &packet->conn.end, &packet->mine, theirs) <
		0) {
		unixsegment__drop(theirs);
		fd_close(fd);
		say(packet, OFFER_NO, -1, HANDSHAKE_OVER);
		unixsegment__drop(&packet->mine);
		return;
	}
	if ((packet->conn.end.wants & wants_beside) != 0)
		unixlane__shut_ring(lane);
	say(packet, kind, fd, stage);
}

static void say_no_now(struct packet *packet)
{
	say_no(packet);
	unixhandshake__say_due(packet);
}

static void accept_offer(struct packet *packet, int memory_fd)
{
	struct segment theirs;
	uint32_t size;
	int fd = -1;

	if (unixsegment__map(&theirs, memory_fd, SEGMENT_RING_MOST) == 0) {
		size = theirs.size < client_ring_most ? theirs.size
						      : client_ring_most;
		fd = make_segment(packet, size);
		if (fd < 0)
			unixsegment__drop(&theirs);
	}
	if (fd < 0)
		say_no_now(packet);
	else
		set_up(packet, &theirs, OFFER_ACCEPT, fd, HANDSHAKE_ACCEPTED);
}

/* Tells whether memory is of the user who wrote the message, and for this
 * connection. Stores the key that is in it. */
static bool is_of_writer(const struct packet *packet,
	const struct offer_memory *memory, struct segment_key *key)
{
	return memory->fd >= 0 && memory->has_writer &&
		unixsegment__read_key(memory->fd, memory->writer, key) == 0 &&
		key->number == packet->key.number &&
		key->space == packet->key.space;
}

static bool has_lost_memory(const struct packet *packet,
	const struct offer_memory *memory)
{
	return memory->is_lost && memory->has_writer &&
		memory->writer == packet->server;
}

/*
 * Looks at what comes with HELLO, while the spare descriptor is free. Fails
 * with EMFILE if the descriptor of the memory is lost all the same, and none is
 * free: another thread has taken the spare one.
 */
static int look_at_hello(struct packet *packet, struct offer_memory *memory)
{
	const int fd = packet->conn.end.fd;
	int i;

	for (i = 0; i < looks_most; i++) {
		free_spare(packet);
		if (unixoffer__receive(fd, MSG_PEEK, memory) < 0)
			return -1;
		if (!has_lost_memory(packet, memory))
			return 0;
		if (keep_spare(packet) < 0) {
			errno = EMFILE;
			return -1;
		}
	}
	return 0;
}

/* Proves HELLO before it is received. Returns as unixhandshake__hear does. */
static int take_hello(struct packet *packet)
{
	struct offer_memory memory;
	struct segment_key key;

	if (look_at_hello(packet, &memory) < 0)
		return -1;
	/* A later offer stays welcome: this one may have been made up. */
	if (has_lost_memory(packet, &memory))
		return unixoffer__drop(packet->conn.end.fd) < 0 ? -1 : 1;
	if (!is_of_writer(packet, &memory, &key) ||
		memory.writer != packet->server) {
		fd_close(memory.fd);
		keep_spare(packet);
		return 0;
	}
	if (unixoffer__drop(packet->conn.end.fd) < 0)
		return fd_close(memory.fd);
	packet->key = key;
	accept_offer(packet, memory.fd);
	let_fds_in(packet, false);
	fd_close(memory.fd);
	return 1;
}

static bool is_same_secret(const struct segment_key *a,
	const struct segment_key *b)
{
	return a->secret[0] == b->secret[0] && a->secret[1] == b->secret[1];
}

static void take_acceptance(struct packet *packet,
	const struct offer_memory *memory)
{
	struct segment theirs;
	struct segment_key key;

	if (packet->due == OFFER_NONE && is_of_writer(packet, memory, &key) &&
		is_same_secret(&key, &packet->key) &&
		unixsegment__map(&theirs, memory->fd, packet->ring_size) == 0)
		set_up(packet, &theirs, OFFER_GO, -1, HANDSHAKE_OPEN);
	else
		say_no_now(packet);
}

static void hear_no(struct packet *packet)
{
	if (packet->stage == HANDSHAKE_ACCEPTED)
		unixlane__forget(&packet->lane);
	give_up(packet);
}

static void hear_go(struct packet *packet)
{
	if (packet->stage == HANDSHAKE_ACCEPTED)
		say(packet, OFFER_GO, -1, HANDSHAKE_OVER);
	else
		packet->stage = HANDSHAKE_OVER;
	unixlane__begin_reading(&packet->lane);
	packet->is_in = true;
}

/* Takes a message that has the secret. */
static int take_answer(struct packet *packet, enum offer_kind kind)
{
	struct offer_memory memory;

	if (unixoffer__receive(packet->conn.end.fd, 0, &memory) < 0)
		return -1;
	if (kind == OFFER_ACCEPT)
		take_acceptance(packet, &memory);
	else if (kind == OFFER_GO)
		hear_go(packet);
	else
		hear_no(packet);
	if (kind != OFFER_NO)
		let_fds_in(packet, false);
	fd_close(memory.fd);
	return 1;
}

/* Returns true if the side expects that kind in its stage. */
static bool is_expected(const struct packet *packet, enum offer_kind kind)
{
	static const unsigned int expected[] = {
		[HANDSHAKE_ASKED] = 1 << OFFER_HELLO,
		[HANDSHAKE_OFFERED] = 1 << OFFER_ACCEPT | 1 << OFFER_NO,
		[HANDSHAKE_ACCEPTED] = 1 << OFFER_GO | 1 << OFFER_NO,
		[HANDSHAKE_OPEN] = 1 << OFFER_GO,
	};

	return (expected[packet->stage] >> kind & 1) != 0;
}

static int take_message(struct packet *packet, enum offer_kind kind)
{
	if (!is_expected(packet, kind))
		return 0;
	return kind == OFFER_HELLO ? take_hello(packet)
				   : take_answer(packet, kind);
}

int unixhandshake__hear(struct packet *packet)
{
	const int saved = errno;
	enum offer_kind kind;
	int result;

	if (packet->stage <= HANDSHAKE_READY)
		return 0;
	if (unixoffer__peek(packet->conn.end.fd, &packet->key, &kind) < 0)
		return -1;
	if (kind == OFFER_NONE)
		return 0;
	if (unixturn__take(&packet->lane.sending) < 0)
		return -1;
	result = take_message(packet, kind);
	unixturn__give(&packet->lane.sending);
	if (result >= 0)
		errno = saved;
	return result;
}

void unixhandshake__note_received(struct packet *packet)
{
	if (packet->stage == HANDSHAKE_OVER)
		return;
	packet->received++;
	if (unixturn__take(&packet->lane.sending) < 0)
		return;
	if (packet->stage == HANDSHAKE_ASKED &&
		packet->received >= 2 * offer_before)
		give_up(packet);
	consider_offer(packet);
	unixhandshake__say_due(packet);
	unixturn__give(&packet->lane.sending);
}

/*
 * If a message of the offer is unread at the close, the kernel reports a reset
 * to the peer. The program has read everything, so that would be wrong. A side
 * can await only one.
 */
static void drop_unheard(const struct packet *packet)
{
	const int fd = packet->conn.end.fd;
	enum offer_kind kind;

	if (packet->stage > HANDSHAKE_READY && packet->process == getpid() &&
		unixoffer__peek(fd, &packet->key, &kind) == 0 &&
		is_expected(packet, kind))
		unixoffer__drop(fd);
}

void unixhandshake__dispose(struct packet *packet)
{
	const int saved = errno;

	drop_unheard(packet);
	errno = saved;
	if (packet->lane.mine.page != NULL)
		unixlane__close(&packet->lane);
	unixsegment__drop(&packet->mine);
	close_due(packet);
	free_spare(packet);
}
