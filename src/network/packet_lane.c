/* SPDX-License-Identifier: MIT */
/*
 * packet_lane: unixpacket for a side that asks for a lane. The connection has a
 * lane when both sides ask for one, see handshake.h. Each direction uses the
 * socket until its sender has sent GO. A call that sleeps in its turn keeps no
 * other call waiting, see base/turn.h.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/wait.h"
#include "message/buffer_private.h"
#include "message/msg_private.h"
#include "network/dial_private.h"
#include "network/packet_lane.h"

/* Looks at the ring between two looks at the clock. */
static const int looks_most = 64;

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* A bound socket cannot be unbound, so this dials with a new one. */
static int dial_again(struct unixconn *conn, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	unixhandshake__dispose(unixhandshake__get(conn));
	unixhandshake__get(conn)->stage = HANDSHAKE_OVER;
	fd_close(conn->end.fd);
	unixendpoint__set_up(&conn->end, -1, SOCK_SEQPACKET);
	return unixdial__open(&conn->end, address, options, deadline_us);
}

static int lane_dial(struct unixconn *conn, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	struct packet *packet = unixhandshake__get(conn);

	if (unixdial__prepare(&conn->end, options) < 0)
		return -1;
	if (options->own == NULL)
		unixhandshake__ask(packet);
	if (unixdial__bind_and_connect(&conn->end, address, options,
		    deadline_us) < 0)
		return -1;
	return unixhandshake__can_be_proved(packet)
		? 0
		: dial_again(conn, address, options, deadline_us);
}

static bool lane_is_whole(const struct unixconn *conn)
{
	const struct packet *packet = (const struct packet *)conn;

	return packet->lane.mine.page == NULL &&
		packet->stage <= HANDSHAKE_READY;
}

static bool lane_is_lane(const struct unixconn *conn)
{
	const struct packet *packet = (const struct packet *)conn;

	return packet->is_in && packet->is_out;
}

static void lane_dispose(struct unixconn *conn)
{
	unixhandshake__dispose(unixhandshake__get(conn));
}

/*
 * Begins a change that a lane has to follow. The turn to send keeps the lane
 * from being set up meanwhile. A reserved message already holds the turn, but
 * then the lane is there, too.
 */
static bool begin_change(struct packet *packet)
{
	const int saved = errno;
	const bool has_turn = unixturn__take(&packet->lane.sending) == 0;

	errno = saved;
	return has_turn;
}

static void end_change(struct packet *packet, bool has_turn)
{
	if (has_turn)
		unixturn__give(&packet->lane.sending);
}

/* Sizes */

/* The program may have changed SO_SNDBUF. A lane with a lower limit than the
 * socket learns the new one when a message is too large for it. */
static void note_size_max(struct packet *packet, size_t size)
{
	const int saved = errno;

	if (packet->is_out && size != packet->lane.size_max &&
		unixturn__take(&packet->lane.sending) == 0) {
		unixlane__learn_size_max(&packet->lane);
		unixturn__give(&packet->lane.sending);
	}
	errno = saved;
}

/* Returns the same with and without a lane, so that a size given before the
 * lane begins stays true. */
static int lane_get_size_max(const struct unixconn *conn, size_t *size)
{
	if (unixlane__get_size_max(&conn->end, size) < 0)
		return -1;
	note_size_max(unixhandshake__get((struct unixconn *)conn), *size);
	return 0;
}

static int lane_raise_size_max(struct unixconn *conn, size_t wanted,
	size_t *reached)
{
	const size_t whole = wanted < SIZE_MAX - UNIXLANE_SPARE
		? wanted + UNIXLANE_SPARE
		: SIZE_MAX;

	if (unixendpoint__raise_size_max(&conn->end, whole, reached) < 0)
		return -1;
	return lane_get_size_max(conn, reached);
}

/* Bytes in the ring count as they are. Once the peer reads the ring, and the
 * ring is empty, only a bell can be on the socket. */
static int lane_get_unread(const struct unixconn *conn, size_t *bytes)
{
	const struct packet *packet = (const struct packet *)conn;
	size_t in_ring;

	if (unixendpoint__get_unread(&conn->end, bytes) < 0)
		return -1;
	if (!packet->is_out)
		return 0;
	in_ring = unixlane__get_unread(&packet->lane);
	*bytes = in_ring == 0 && unixlane__is_peer_reading(&packet->lane)
		? 0
		: *bytes + in_ring;
	return 0;
}

/* Receiving */

/* Completes msg after the lane has received it, as msg.c does after
 * recvmsg(2). */
static int complete(struct unixconn *conn, struct unixmsg *msg,
	struct msghdr *header, size_t size)
{
	msg->size = size;
	unixcontrol__take(header, msg, conn->end.wants);
	if (msg->addr != NULL &&
		unixendpoint__get_peer(&conn->end, msg->addr) < 0)
		unixaddr_set_unnamed(msg->addr);
	if ((header->msg_flags & MSG_CTRUNC) != 0 &&
		!unixmsg__is_mark_cut(&conn->end))
		msg->flags |= UNIXMSG_CUT_CONTROL;
	if ((header->msg_flags & MSG_TRUNC) == 0)
		return 1;
	msg->flags |= UNIXMSG_CUT;
	if ((msg->flags & UNIXMSG_PREFIX) != 0)
		return 1;
	unixmsg_close_fds(msg);
	return refuse(EMSGSIZE);
}

static void set_parts(struct msghdr *header, const struct unixmsg *msg,
	struct iovec *all)
{
	struct iovec part = { msg->data, msg->room };

	memset(header, 0, sizeof(*header));
	header->msg_iov = msg->parts == NULL ? &part : msg->parts;
	header->msg_iovlen = msg->parts == NULL ? 1 : msg->parts_count;
	unixpacketlane__shift_parts(header, all);
}

static int recv_by_lane(struct packet *packet, struct unixmsg *msg, int flags)
{
	union control_all control;
	struct msghdr header;
	struct parts parts;
	size_t size = 0;
	int result;

	set_parts(&header, msg, parts.all);
	header.msg_control = &control;
	header.msg_controllen =
		(socklen_t)unixmsg__get_control_size(&packet->conn.end);
	if ((msg->flags & UNIXMSG_PEEK) != 0)
		flags |= MSG_PEEK;
	result = unixlane__recv(&packet->lane, &header, &size, flags);
	return result < 1 ? result
			  : complete(&packet->conn, msg, &header, size);
}

/* AGAIN: a message of the offer has come, so the next message may come by the
 * lane. */
enum { AGAIN = 2 };

static int recv_without(struct packet *packet, struct unixmsg *msg)
{
	const int saved = errno;
	int result;

	if (unixturn__take(&packet->lane.receiving) < 0)
		return -1;
	result = packet->is_in ? 1 : unixhandshake__hear(packet);
	if (result > 0)
		result = AGAIN;
	else if (result == 0)
		result = unixmsg__recv_on(&packet->conn.end, msg, UNIXMSG_NOW);
	unixturn__give(&packet->lane.receiving);
	if (result == 1 && (msg->flags & UNIXMSG_PEEK) == 0)
		unixhandshake__note_received(packet);
	if (result >= 0)
		errno = saved;
	return result;
}

static int recv_now(struct packet *packet, struct unixmsg *msg, int flags)
{
	int result;

	do
		result = packet->is_in ? recv_by_lane(packet, msg, flags)
				       : recv_without(packet, msg);
	while (result == AGAIN);
	return result;
}

/* Looks at the ring for as long as reading the clock several times takes, if
 * spins pay. Returns true if something is there. */
static bool comes_soon(struct packet *packet, int64_t deadline_us)
{
	int i;

	if (!packet->is_in || deadline_us == UNIXMSG_NOW ||
		!unixspin__pays(&packet->conn.end.spin))
		return false;
	for (i = 0; i < looks_most; i++)
		if (unixlane__has_record(&packet->lane))
			return true;
	return false;
}

/* Spins until something is in the ring, without a system call, and with one
 * look at the clock for many looks at the ring. */
static void spin(struct packet *packet, struct wait *wait)
{
	int i = 0;

	while (packet->is_in && !unixlane__has_record(&packet->lane)) {
		if (++i % looks_most != 0)
			continue;
		wait->has_spun = true;
		if (!unixspin__goes_on(wait->spin_until_us))
			return;
	}
}

/* Most calls want nothing but the bytes. */
static bool recv_bytes_of(struct packet *packet, struct unixmsg *msg)
{
	return packet->is_in && msg->parts == NULL && msg->addr == NULL &&
		(msg->flags & UNIXMSG_PEEK) == 0 &&
		unixlane__recv_data(&packet->lane, msg->data, msg->room,
			&msg->size);
}

/* Spins, or lets others have the processor. Returns true if there may be
 * something in the ring. */
static bool has_come(struct packet *packet, struct wait *wait)
{
	if (!packet->is_in || wait->deadline_us == UNIXMSG_NOW)
		return false;
	if (wait->spin_until_us > 0)
		spin(packet, wait);
	else if (!unixlane__has_record(&packet->lane))
		unixlane__yield_for_news(&packet->lane);
	return true;
}

static int recv_checked(struct packet *packet, struct unixmsg *msg,
	int64_t deadline_us)
{
	const int saved = errno;
	struct wait wait;
	int result;

	unixwait__begin(&wait, &packet->conn.end, POLLIN, deadline_us);
	if (has_come(packet, &wait) && recv_bytes_of(packet, msg)) {
		unixwait__end(&wait);
		return 1;
	}
	while ((result = recv_now(packet, msg, wait.flags)) < 0)
		if (unixwait__again(&wait) < 0)
			return -1;
	unixwait__end(&wait);
	errno = saved;
	return result;
}

static int lane_recv_msg(struct unixconn *conn, struct unixmsg *msg,
	int64_t deadline_us)
{
	struct packet *packet = unixhandshake__get(conn);

	if (unixmsg__check_to_receive(&conn->end, msg) < 0)
		return -1;
	if (recv_bytes_of(packet, msg) ||
		(comes_soon(packet, deadline_us) && recv_bytes_of(packet, msg)))
		return 1;
	return recv_checked(packet, msg, deadline_us);
}

static int recv_data(struct packet *packet, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	struct unixmsg msg;
	int result;

	unixmsg_init(&msg);
	msg.data = data;
	msg.room = room;
	msg.addr = from;
	result = recv_checked(packet, &msg, deadline_us);
	unixmsg_close_fds(&msg);
	*size = msg.size;
	return result;
}

static int lane_recv(struct unixconn *conn, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us)
{
	struct packet *packet = unixhandshake__get(conn);

	if (packet->is_in && from == NULL &&
		(unixlane__recv_data(&packet->lane, data, room, size) ||
			(comes_soon(packet, deadline_us) &&
				unixlane__recv_data(&packet->lane, data, room,
					size))))
		return 1;
	return recv_data(packet, data, room, size, from, deadline_us);
}

/* A message that is too large is no error in a batch. */
static int recv_of_batch(struct unixconn *conn, struct unixmsg *msg,
	int64_t deadline_us)
{
	struct packet *packet = unixhandshake__get(conn);
	int result;

	unixmsg__reset(msg);
	if (recv_bytes_of(packet, msg))
		return 1;
	result = recv_checked(packet, msg, deadline_us);
	unixmsg_close_fds(msg);
	return result < 0 && errno == EMSGSIZE ? 1 : result;
}

static int lane_recv_batch(struct unixconn *conn, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us)
{
	const int saved = errno;
	int result;

	*received = 0;
	if (unixmsg__check_batch(msgs, count) < 0)
		return -1;
	if (count > UNIXMSG_BATCH_MAX)
		count = UNIXMSG_BATCH_MAX;
	result = recv_of_batch(conn, msgs, deadline_us);
	while (result == 1 && ++*received < count)
		result = recv_of_batch(conn, msgs + *received, UNIXMSG_NOW);
	if (*received == 0)
		return result;
	errno = saved;
	return 1;
}

static int lane_get_next_size(struct unixconn *conn, size_t *size,
	int64_t deadline_us)
{
	struct unixmsg msg;
	int result;

	unixmsg_init(&msg);
	msg.flags = UNIXMSG_PREFIX | UNIXMSG_PEEK;
	result = recv_checked(unixhandshake__get(conn), &msg, deadline_us);
	unixmsg_close_fds(&msg);
	*size = msg.size;
	return result;
}

static int lane_recv_buffer(struct unixconn *conn, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us)
{
	const int saved = errno;
	size_t size;
	int result = lane_get_next_size(conn, &size, deadline_us);

	buffer->size = 0;
	if (result < 1)
		return result;
	if (unixbuffer__reserve(buffer, size) < 0 && errno != EMSGSIZE)
		return -1;
	errno = saved;
	return lane_recv(conn, buffer->data, buffer->room, &buffer->size, from,
		deadline_us);
}

/* Without a copy */

static int check_lane(const struct unixconn *conn)
{
	return lane_is_lane(conn) ? 0 : refuse(ENOTSUP);
}

static int lane_reserve(struct unixconn *conn, size_t size, void **data,
	int64_t deadline_us)
{
	if (check_lane(conn) < 0)
		return -1;
	return unixlane__reserve(&unixhandshake__get(conn)->lane, size, data,
		deadline_us != UNIXMSG_NOW);
}

static int lane_commit(struct unixconn *conn, size_t size, int64_t deadline_us)
{
	struct packet *packet = unixhandshake__get(conn);
	struct wait wait;
	int saved = errno;

	if (check_lane(conn) < 0)
		return -1;
	unixwait__begin(&wait, &conn->end, POLLOUT, deadline_us);
	while (unixlane__commit(&packet->lane, size) < 0)
		if (unixwait__again(&wait) < 0)
			return -1;
	errno = saved;
	return 0;
}

static int lane_cancel(struct unixconn *conn)
{
	if (check_lane(conn) < 0)
		return -1;
	return unixlane__cancel(&unixhandshake__get(conn)->lane);
}

static int peek_waiting(struct packet *packet, const void **data, size_t *size,
	int64_t deadline_us)
{
	struct wait wait;
	int result;

	unixwait__begin(&wait, &packet->conn.end, POLLIN, deadline_us);
	has_come(packet, &wait);
	while ((result = unixlane__peek(&packet->lane, data, size,
			wait.flags)) < 0)
		if (unixwait__again(&wait) < 0)
			return -1;
	unixwait__end(&wait);
	return result;
}

static int lane_peek(struct unixconn *conn, const void **data, size_t *size,
	int64_t deadline_us)
{
	struct packet *packet = unixhandshake__get(conn);
	int result, saved = errno;

	if (check_lane(conn) < 0)
		return -1;
	if (unixlane__has_record(&packet->lane) ||
		comes_soon(packet, deadline_us)) {
		result =
			unixlane__peek(&packet->lane, data, size, MSG_DONTWAIT);
		if (result >= 0 || errno != EAGAIN)
			return result;
	}
	result = peek_waiting(packet, data, size, deadline_us);
	if (result >= 0)
		errno = saved;
	return result;
}

static int lane_release(struct unixconn *conn)
{
	if (check_lane(conn) < 0)
		return -1;
	return unixlane__release(&unixhandshake__get(conn)->lane);
}

static int want(struct packet *packet, unsigned int wants)
{
	if (unixendpoint__want(&packet->conn.end, wants) < 0)
		return -1;
	unixhandshake__let_memory_in(packet);
	if ((wants & (UNIXMSG_WANT_CRED | UNIXMSG_WANT_PIDFD)) != 0 &&
		packet->lane.mine.page != NULL)
		unixlane__shut_ring(&packet->lane);
	return 0;
}

static int lane_want(struct unixconn *conn, unsigned int wants)
{
	struct packet *packet = unixhandshake__get(conn);
	const bool has_turn = begin_change(packet);
	const int result = want(packet, wants);

	end_change(packet, has_turn);
	return result;
}

static int end_direction(struct packet *packet, int how)
{
	if (packet->lane.mine.page != NULL)
		unixlane__shutdown(&packet->lane, how);
	if (shutdown(packet->conn.end.fd, how) < 0)
		return -1;
	if (how != SHUT_WR)
		unixlane__end_reading(&packet->lane);
	return 0;
}

static int lane_shutdown(struct unixconn *conn, int how)
{
	struct packet *packet = unixhandshake__get(conn);
	const bool has_turn = begin_change(packet);
	const int result = end_direction(packet, how);

	end_change(packet, has_turn);
	return result;
}

/* Its name is unixpacket, and the list of networks does not have it. */
const struct network unixnetwork__packet_lane = {
	.name = "unixpacket",
	.type = SOCK_SEQPACKET,
	.size = sizeof(struct packet),
	.dial = lane_dial,
	.dispose = lane_dispose,
	.is_whole = lane_is_whole,
	.is_lane = lane_is_lane,
	.send = unixpacketlane__send,
	.send_msg = unixpacketlane__send_msg,
	.send_batch = unixpacketlane__send_batch,
	.recv = lane_recv,
	.recv_msg = lane_recv_msg,
	.recv_batch = lane_recv_batch,
	.recv_buffer = lane_recv_buffer,
	.get_next_size = lane_get_next_size,
	.reserve = lane_reserve,
	.commit = lane_commit,
	.cancel = lane_cancel,
	.peek = lane_peek,
	.release = lane_release,
	.want = lane_want,
	.shutdown = lane_shutdown,
	.get_unread = lane_get_unread,
	.get_size_max = lane_get_size_max,
	.raise_size_max = lane_raise_size_max,
};
