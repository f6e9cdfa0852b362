/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "network/handshake.h"

/* A server offers a lane only after so many messages: short connections cost
 * nothing more. */
static const unsigned int offer_after = 32;

/*
 * A server that has sent so many messages offers none any more. A client gives
 * up waiting after it has received twice as many, or has sent sent_most.
 */
static const unsigned int offer_before = 128;
static const unsigned int sent_most = 4096;

/* The largest ring that a server can make a client allocate. */
static const uint32_t client_ring_most = 1 << 20;

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
static void close_due(struct packet *packet)
{
	if (packet->due_fd > 0)
		fd_close(packet->due_fd);
	packet->due_fd = -1;
}

static void give_up(struct packet *packet)
{
	packet->stage = HANDSHAKE_OVER;
	packet->due = OFFER_NONE;
	close_due(packet);
	unixsegment__drop(&packet->mine);
	let_fds_in(packet, false);
}

/* Call both before another thread can use the connection. */

void unixhandshake__ask(struct packet *packet)
{
	struct unixaddr addr;
	socklen_t length;
	const struct sockaddr *sa;
	const int saved = errno;

	if (unixoffer__make_name(&addr, &packet->number) == 0) {
		sa = unixaddr_get_sockaddr(&addr, &length);
		if (bind(packet->conn.end.fd, sa, length) == 0) {
			packet->stage = HANDSHAKE_ASKED;
			packet->conn.end.is_refusing_fds = false;
			let_fds_in(packet, true);
		}
	}
	errno = saved;
}

void unixhandshake__await(struct packet *packet, uint32_t ring_size)
{
	struct unixaddr peer;
	const int saved = errno;

	packet->ring_size = ring_size;
	if (unixendpoint__get_peer(&packet->conn.end, &peer) == 0 &&
		unixoffer__read_name(&peer, &packet->number))
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

static void settle_due(struct packet *packet)
{
	if (packet->due == OFFER_GO)
		packet->is_out = true;
	packet->due = OFFER_NONE;
	close_due(packet);
}

void unixhandshake__say_due(struct packet *packet)
{
	const int saved = errno;

	if (packet->due == OFFER_NONE)
		return;
	if (packet->due == OFFER_HELLO && packet->sent >= offer_before)
		give_up(packet);
	else if (unixoffer__send(packet->conn.end.fd, packet->due,
			 packet->number, packet->due_fd) == 0)
		settle_due(packet);
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

static void offer(struct packet *packet)
{
	const int saved = errno;
	int fd = unixsegment__make(&packet->mine, packet->ring_size);

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
	if (packet->sent >= offer_before)
		give_up(packet);
	else if (packet->sent + packet->received >= offer_after)
		offer(packet);
}

void unixhandshake__note_sent(struct packet *packet)
{
	if (packet->stage == HANDSHAKE_OVER)
		return;
	packet->sent++;
	if (packet->stage == HANDSHAKE_ASKED && packet->sent >= sent_most)
		give_up(packet);
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

static void accept_offer(struct packet *packet, int memory_fd)
{
	struct segment theirs;
	uint32_t size;
	int fd = -1;

	if (memory_fd >= 0 &&
		unixsegment__map(&theirs, memory_fd, SEGMENT_RING_MOST) == 0) {
		size = theirs.size < client_ring_most ? theirs.size
						      : client_ring_most;
		fd = unixsegment__make(&packet->mine, size);
		if (fd < 0)
			unixsegment__drop(&theirs);
	}
	if (fd < 0) {
		say_no(packet);
		unixhandshake__say_due(packet);
	} else {
		set_up(packet, &theirs, OFFER_ACCEPT, fd, HANDSHAKE_ACCEPTED);
	}
}

static void take_acceptance(struct packet *packet, int memory_fd)
{
	struct segment theirs;

	if (memory_fd >= 0 && packet->due == OFFER_NONE &&
		unixsegment__map(&theirs, memory_fd, packet->ring_size) == 0) {
		set_up(packet, &theirs, OFFER_GO, -1, HANDSHAKE_OPEN);
	} else {
		say_no(packet);
		unixhandshake__say_due(packet);
	}
}

static void hear_no(struct packet *packet)
{
	if (packet->stage == HANDSHAKE_ACCEPTED)
		unixlane__forget(&packet->lane);
	give_up(packet);
}

/* Returns true if the side expects that kind in its stage. */
static bool is_expected(const struct packet *packet, enum offer_kind kind)
{
	const int stage = packet->stage;

	switch (stage) {
	case HANDSHAKE_ASKED:
		return kind == OFFER_HELLO;
	case HANDSHAKE_OFFERED:
		return kind == OFFER_ACCEPT || kind == OFFER_NO;
	case HANDSHAKE_ACCEPTED:
		return kind == OFFER_GO || kind == OFFER_NO;
	case HANDSHAKE_OPEN:
		return kind == OFFER_GO;
	default:
		return false;
	}
}

static void answer(struct packet *packet, enum offer_kind kind, int memory_fd)
{
	if (kind == OFFER_HELLO)
		accept_offer(packet, memory_fd);
	else if (kind == OFFER_ACCEPT)
		take_acceptance(packet, memory_fd);
	else if (kind == OFFER_NO)
		hear_no(packet);
	else if (packet->stage == HANDSHAKE_ACCEPTED)
		say(packet, OFFER_GO, -1, HANDSHAKE_OVER);
	else
		packet->stage = HANDSHAKE_OVER;
	if (kind == OFFER_GO)
		packet->is_in = true;
	if (kind != OFFER_NO)
		let_fds_in(packet, false);
}

int unixhandshake__hear(struct packet *packet)
{
	const int saved = errno;
	enum offer_kind kind;
	int memory_fd;

	if (packet->stage <= HANDSHAKE_COUNTING)
		return 0;
	if (unixoffer__peek(packet->conn.end.fd, packet->number, &kind) < 0)
		return -1;
	if (!is_expected(packet, kind))
		return 0;
	if (unixoffer__take(packet->conn.end.fd, &memory_fd) < 0)
		return -1;
	if (unixturn__take(&packet->lane.sending) < 0)
		return fd_close(memory_fd);
	answer(packet, kind, memory_fd);
	unixturn__give(&packet->lane.sending);
	fd_close(memory_fd);
	errno = saved;
	return 1;
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

void unixhandshake__dispose(struct packet *packet)
{
	if (packet->lane.mine.page != NULL)
		unixlane__close(&packet->lane);
	unixsegment__drop(&packet->mine);
	close_due(packet);
}
