/* SPDX-License-Identifier: MIT */
/* Sends by the lane, and by the socket while there is none. */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/wait.h"
#include "message/msg_private.h"
#include "network/packet_lane.h"

/* A sender without a lane looks for an offer after so many sends, since it may
 * never receive. A client stops looking after sends_most: a server that has
 * read so many has offered a lane, or offers none. */
static const unsigned int sends_between = 16;
static const unsigned int sends_most = 4096;

static int refuse(int error)
{
	errno = error;
	return -1;
}

static int check_size(struct packet *packet, const struct msghdr *header)
{
	size_t most;

	if (unixlane__get_size_max(&packet->conn.end, &most) < 0)
		return -1;
	return unixlane__add_up(header) <= most ? 0 : refuse(EMSGSIZE);
}

static int send_plain(struct packet *packet, const struct msghdr *header)
{
	struct msghdr plain = *header;

	plain.msg_iov++;
	plain.msg_iovlen--;
	if (check_size(packet, header) < 0 ||
		unixmsg__send_packed(&packet->conn.end, &plain, UNIXMSG_NOW) <
			0)
		return -1;
	unixhandshake__note_sent(packet);
	return 0;
}

/* Sends by the socket until there is a lane, perhaps no message at all. */
static int send_without(struct packet *packet, const struct msghdr *headers,
	size_t count, size_t *sent)
{
	int result = 0;

	*sent = 0;
	if (unixturn__take(&packet->lane.sending) < 0)
		return -1;
	for (;;) {
		unixhandshake__say_due(packet);
		if (packet->is_out || *sent == count)
			break;
		result = send_plain(packet, &headers[*sent]);
		if (result < 0)
			break;
		++*sent;
	}
	unixturn__give(&packet->lane.sending);
	return result;
}

static bool is_to_look(const struct packet *packet)
{
	const unsigned int sent = packet->sent;

	return packet->stage > HANDSHAKE_READY &&
		(packet->stage != HANDSHAKE_ASKED || sent < sends_most) &&
		sent - packet->looked >= sends_between;
}

static int hear_now_and_then(struct packet *packet)
{
	const int saved = errno;
	int result;

	if (!is_to_look(packet))
		return 0;
	packet->looked = packet->sent;
	if (unixturn__take(&packet->lane.receiving) < 0) {
		errno = saved;
		return 0;
	}
	result = unixhandshake__hear(packet);
	unixturn__give(&packet->lane.receiving);
	if (result >= 0 || (errno != EAGAIN && errno != EMFILE))
		return result;
	errno = saved;
	return 0;
}

static int send_now(struct packet *packet, const struct msghdr *headers,
	size_t count, size_t *sent, bool is_patient)
{
	const int saved = errno;
	size_t some = 0;

	*sent = 0;
	if (!packet->is_out) {
		if (hear_now_and_then(packet) < 0 ||
			send_without(packet, headers, count, sent) < 0)
			return -1;
		errno = saved;
		if (*sent == count)
			return 0;
	}
	if (unixlane__send(&packet->lane, headers + *sent, count - *sent, &some,
		    is_patient) == 0) {
		*sent = count;
		return 0;
	}
	*sent += some;
	return -1;
}

static int send_headers(struct packet *packet, const struct msghdr *headers,
	size_t count, size_t *sent, int64_t deadline_us)
{
	const bool is_patient = deadline_us != UNIXMSG_NOW;
	struct wait wait;
	size_t some;
	int saved = errno;

	*sent = 0;
	unixwait__begin(&wait, &packet->conn.end, POLLOUT, deadline_us);
	while (send_now(packet, headers + *sent, count - *sent, &some,
		       is_patient) < 0) {
		*sent += some;
		if (unixwait__again(&wait) < 0)
			return -1;
	}
	*sent = count;
	errno = saved;
	return 0;
}

static int send_data(struct packet *packet, const void *data, size_t size,
	int64_t deadline_us)
{
	struct iovec parts[2] = { { 0 }, { (void *)data, size } };
	const struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
	size_t sent;

	return send_headers(packet, &header, 1, &sent, deadline_us);
}

int unixpacketlane__send(struct unixconn *conn, const void *data, size_t size,
	int64_t deadline_us)
{
	struct packet *packet = unixhandshake__get(conn);
	int result = 0;

	if (packet->is_out)
		result = unixlane__send_data(&packet->lane, data, size);
	if (result == 0)
		return send_data(packet, data, size, deadline_us);
	return result < 0 ? -1 : 0;
}

int unixpacketlane__send_msg(struct unixconn *conn, const struct unixmsg *msg,
	int64_t deadline_us)
{
	union control_all control;
	struct msghdr header;
	struct iovec part;
	struct parts parts;
	size_t sent;

	if (unixmsg__pack(&conn->end, msg, &header, &part, &control) < 0)
		return -1;
	unixpacketlane__shift_parts(&header, parts.all);
	return send_headers(unixhandshake__get(conn), &header, 1, &sent,
		deadline_us);
}

/* Sends messages of a batch together; each has one part. */
static int send_together(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us)
{
	struct msghdr headers[UNIXMSG_BATCH_MAX];
	struct iovec parts[UNIXMSG_BATCH_MAX][2];
	size_t i;

	for (i = 0; i < count; i++) {
		parts[i][1] = (struct iovec){ msgs[i].data, msgs[i].room };
		headers[i] =
			(struct msghdr){ .msg_iov = parts[i], .msg_iovlen = 2 };
	}
	return send_headers(unixhandshake__get(conn), headers, count, sent,
		deadline_us);
}

static size_t count_together(const struct unixmsg *msgs, size_t count)
{
	size_t i;

	for (i = 0; i < count && i < UNIXMSG_BATCH_MAX; i++)
		if (msgs[i].parts != NULL)
			break;
	return i;
}

static int send_some(struct unixconn *conn, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us)
{
	const size_t together = count_together(msgs, count);

	if (together > 0)
		return send_together(conn, msgs, together, sent, deadline_us);
	*sent = 0;
	if (unixpacketlane__send_msg(conn, msgs, deadline_us) < 0)
		return -1;
	*sent = 1;
	return 0;
}

int unixpacketlane__send_batch(struct unixconn *conn,
	const struct unixmsg *msgs, size_t count, size_t *sent,
	int64_t deadline_us)
{
	size_t some;
	int result = 0;

	*sent = 0;
	if (unixmsg__check_batch_to_send(&conn->end, msgs, count) < 0)
		return -1;
	while (result == 0 && *sent < count) {
		result = send_some(conn, msgs + *sent, count - *sent, &some,
			deadline_us);
		*sent += some;
	}
	return result;
}
