/* SPDX-License-Identifier: MIT */
/* Messages that the program sends, and messages that it settles. */
#include <config.h>

#include <errno.h>

#include "message/msg_private.h"
#include "service/service_private.h"

static int refuse_unnamed(struct unixservice *service)
{
	struct call *call = &service->call;

	if (call->is_on && call->peer == NULL && !call->is_settled)
		call->is_unnamed = true;
	errno = EINVAL;
	return -1;
}

/* Drops the address, which does not matter, and makes one part plain data. */
static void make_plain(struct unixmsg *plain, const struct unixmsg *msg)
{
	*plain = *msg;
	plain->addr = NULL;
	if (msg->parts_count != 1)
		return;
	plain->data = msg->parts->iov_base;
	plain->room = msg->parts->iov_len;
	plain->parts = NULL;
	plain->parts_count = 0;
}

static bool can_carry(const struct peer *peer, const struct unixmsg *msg)
{
	return msg->fds_count <= UNIXMSG_FDS_MAX &&
		(peer->sort->carries == NULL || peer->sort->carries(peer, msg));
}

static int send_to_peer(struct unixservice *service, uint64_t id,
	const struct unixmsg *msg)
{
	struct peer *peer;
	int result, saved = errno;

	if (id == 0)
		return refuse_unnamed(service);
	peer = unixservice__find(service, id);
	if (peer == NULL)
		return -1;
	if (!can_carry(peer, msg)) {
		errno = EINVAL;
		return -1;
	}
	unixservice__look_at_clock(service);
	result = unixservice__send_now(service, peer, msg);
	if (result >= 0)
		errno = saved;
	return result;
}

int unixservice_send_msg(struct unixservice *service, uint64_t id,
	const struct unixmsg *msg)
{
	struct unixmsg plain;

	if (unixmsg__check(msg, UNIXMSG_SEND_CRED) < 0)
		return -1;
	if (msg->parts_count != 1 && msg->addr == NULL)
		return send_to_peer(service, id, msg);
	make_plain(&plain, msg);
	return send_to_peer(service, id, &plain);
}

int unixservice_send(struct unixservice *service, uint64_t id, const void *data,
	size_t size)
{
	const struct unixmsg msg = { .data = (void *)data, .room = size };

	return send_to_peer(service, id, &msg);
}

int unixservice_push(struct unixservice *service, uint64_t id, const void *data,
	size_t size)
{
	const bool was_pushing = service->is_pushing;
	int result;

	service->is_pushing = true;
	result = unixservice_send(service, id, data, size);
	service->is_pushing = was_pushing;
	return result;
}

size_t unixservice_push_all(struct unixservice *service, const void *data,
	size_t size, unixservice_filter *filter, void *context)
{
	size_t reached = 0;
	uint64_t id = 0;
	int saved = errno;

	while ((id = unixservice_get_next_peer(service, id)) != 0)
		if (filter == NULL || filter(service, id, context))
			reached +=
				unixservice_push(service, id, data, size) == 1;
	errno = saved;
	return reached;
}

int unixservice_settle(struct unixservice *service, uint64_t id)
{
	struct peer *peer = unixservice__find(service, id);
	int saved = errno;

	if (peer == NULL)
		return -1;
	if (peer->owed == 0) {
		errno = EINVAL;
		return -1;
	}
	peer->owed--;
	unixservice__end(service, &service->counters.unanswered);
	unixservice__disconnect_if_done(service, peer);
	errno = saved;
	return 0;
}
