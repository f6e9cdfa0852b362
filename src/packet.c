/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "adopt.h"
#include "endpoint.h"
#include "listener_private.h"
#include "msg_private.h"
#include "unixmsg/packet.h"

struct unixpacket {
	struct endpoint end;
};

struct unixlistener *unixpacket_listen(const char *address, int backlog,
	const struct unixname_options *options)
{
	return unixlistener_new(SOCK_SEQPACKET, address, backlog, options, 0);
}

struct unixpacket *unixpacket_accept(struct unixlistener *listener,
	int64_t deadline_us)
{
	struct unixpacket *packet = malloc(sizeof(*packet));

	if (packet == NULL)
		return NULL;
	if (unixlistener_accept(listener, SOCK_SEQPACKET, &packet->end,
		    deadline_us) == 0)
		return packet;
	free(packet);
	return NULL;
}

struct unixpacket *unixpacket_dial(const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	struct unixpacket *packet = malloc(sizeof(*packet));

	if (packet == NULL)
		return NULL;
	if (unixendpoint_dial(&packet->end, SOCK_SEQPACKET, address, options,
		    deadline_us) == 0)
		return packet;
	free(packet);
	return NULL;
}

/*
 * Who had it before may have marked its messages by credentials, and may have
 * it still: then that serves us as well.
 */
static int take_over_marks(struct endpoint *end)
{
	int has_cred, has_stamp;
	socklen_t length = sizeof(int);

	if (getsockopt(end->fd, SOL_SOCKET, SO_PASSCRED, &has_cred, &length) <
			0 ||
		getsockopt(end->fd, SOL_SOCKET, SO_TIMESTAMPNS, &has_stamp,
			&length) < 0)
		return -1;
	end->is_accepted = has_cred != 0;
	end->is_stamped = has_stamp != 0;
	if (has_cred || has_stamp)
		return 0;
	return unixendpoint_mark_messages(end);
}

struct unixpacket *unixpacket_adopt(int fd)
{
	struct unixpacket *packet = malloc(sizeof(*packet));

	if (packet == NULL)
		return NULL;
	if (unixadopt_socket(&packet->end, fd, SOCK_SEQPACKET, false) == 0 &&
		take_over_marks(&packet->end) == 0)
		return packet;
	free(packet);
	return NULL;
}

int unixpacket_pair(struct unixpacket *pair[2])
{
	struct unixpacket *a = malloc(sizeof(*a));
	struct unixpacket *b = malloc(sizeof(*b));

	if (a == NULL || b == NULL ||
		unixendpoint_open_pair(&a->end, &b->end, SOCK_SEQPACKET) < 0) {
		free(a);
		free(b);
		return -1;
	}
	pair[0] = a;
	pair[1] = b;
	return 0;
}

int unixpacket_close(struct unixpacket *packet)
{
	int result;

	if (packet == NULL)
		return 0;
	result = unixendpoint_close(&packet->end);
	free(packet);
	return result;
}

int unixpacket_get_fd(const struct unixpacket *packet)
{
	return packet->end.fd;
}

void unixpacket_set_stop_fd(struct unixpacket *packet, int stop_fd)
{
	packet->end.stop_fd = stop_fd;
}

void unixpacket_set_spin_us(struct unixpacket *packet, int64_t spin_us)
{
	unixspin_set(&packet->end.spin, spin_us);
}

int unixpacket_want(struct unixpacket *packet, unsigned int wants)
{
	return unixendpoint_want(&packet->end, wants);
}

int unixpacket_get_address(const struct unixpacket *packet,
	struct unixaddr *addr)
{
	return unixendpoint_get_address(&packet->end, addr);
}

int unixpacket_get_peer(const struct unixpacket *packet, struct unixaddr *addr)
{
	return unixendpoint_get_peer(&packet->end, addr);
}

int unixpacket_get_size_max(const struct unixpacket *packet, size_t *size)
{
	return unixendpoint_get_size_max(&packet->end, size);
}

int unixpacket_shutdown(struct unixpacket *packet, int how)
{
	return shutdown(packet->end.fd, how);
}

int unixpacket_send(struct unixpacket *packet, const void *data, size_t size,
	int64_t deadline_us)
{
	return unixmsg_send_data_on(&packet->end, data, size, deadline_us);
}

int unixpacket_recv(struct unixpacket *packet, void *data, size_t room,
	size_t *size, int64_t deadline_us)
{
	return unixmsg_recv_data_on(&packet->end, data, room, size, NULL,
		deadline_us);
}

int unixpacket_send_msg(struct unixpacket *packet, const struct unixmsg *msg,
	int64_t deadline_us)
{
	return unixmsg_send_on(&packet->end, msg, deadline_us);
}

int unixpacket_recv_msg(struct unixpacket *packet, struct unixmsg *msg,
	int64_t deadline_us)
{
	return unixmsg_recv_on(&packet->end, msg, deadline_us);
}

int unixpacket_get_next_size(struct unixpacket *packet, size_t *size,
	int64_t deadline_us)
{
	return unixmsg_peek_size_on(&packet->end, size, deadline_us);
}

int unixpacket_raise_size_max(struct unixpacket *packet, size_t wanted,
	size_t *reached)
{
	return unixendpoint_raise_size_max(&packet->end, wanted, reached);
}

int unixpacket_get_unread(const struct unixpacket *packet, size_t *bytes)
{
	return unixendpoint_get_unread(&packet->end, bytes);
}

int unixpacket_recv_buffer(struct unixpacket *packet, struct unixbuffer *buffer,
	int64_t deadline_us)
{
	return unixmsg_recv_buffer_on(&packet->end, buffer, NULL, deadline_us);
}

int unixpacket_send_batch(struct unixpacket *packet, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us)
{
	return unixmsg_send_batch_on(&packet->end, msgs, count, sent,
		deadline_us);
}

int unixpacket_recv_batch(struct unixpacket *packet, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us)
{
	return unixmsg_recv_batch_on(&packet->end, msgs, count, received,
		deadline_us);
}
