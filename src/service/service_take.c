/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <sys/socket.h>

#include "service/service_private.h"

static const unsigned char skips_most = 64;

bool unixservice__is_try_due(struct backoff *backoff)
{
	if (backoff->skip == 0)
		return true;
	backoff->skip--;
	return false;
}

void unixservice__note_try(struct backoff *backoff, bool was_there)
{
	if (was_there)
		backoff->skips = 0;
	else if (backoff->skips < skips_most)
		backoff->skips = (unsigned char)(2 * backoff->skips + 1);
	backoff->skip = backoff->skips;
}

int unixservice__check_bytes(int type, unsigned int flags)
{
	const unsigned int known =
		type == SOCK_STREAM ? UNIXMSG_LISTEN_BYTES : 0;

	if ((flags & ~known) == 0)
		return 0;
	errno = EINVAL;
	return -1;
}

unsigned int unixservice__choose_wants(const struct unixservice *service,
	int type, bool is_bytes, unsigned int wants)
{
	return type == SOCK_STREAM && !is_bytes
		? 0
		: service->options.wants | wants;
}

void unixservice__prepare(const struct unixservice *service,
	struct unixmsg *msg, struct unixaddr *addr)
{
	unixmsg_init(msg);
	msg->data = service->buffer;
	msg->room = service->options.size_max;
	msg->addr = addr;
	/* The watcher gets the beginning of a truncated message. */
	msg->flags = UNIXMSG_PREFIX;
	msg->fds = service->fds;
	msg->fds_room = service->options.fds_max;
}

/* Hides the rest of the buffer, which holds earlier messages of others. So the
 * handler can also send msg on as it is. */
static void show_no_more(struct unixmsg *msg)
{
	if (msg->size < msg->room)
		msg->room = msg->size;
	msg->flags &= ~UNIXMSG_PREFIX;
}

void unixservice__count(struct unixservice *service, struct peer *peer,
	struct unixmsg *msg)
{
	struct unixservice_counters *counters = &service->counters;

	show_no_more(msg);
	counters->received++;
	counters->received_bytes += msg->size;
	counters->waiting++;
	counters->fds_lost += msg->fds_lost;
	if (peer == NULL)
		return;
	peer->received++;
	unixservice__note_activity(service, peer);
}

void unixservice__reject(struct unixservice *service, uint64_t *counter,
	struct unixmsg *msg, struct unixservice_event *event)
{
	unixservice__end(service, counter);
	if (event != NULL) {
		event->msg = msg;
		unixservice__tell(service, event);
	}
	unixmsg_close_fds(msg);
}

/* Counts a message without an answer, or records that one is due later. */
static void note_result(struct unixservice *service, struct peer *peer,
	int result)
{
	struct unixservice_counters *counters = &service->counters;

	if (service->call.is_unnamed)
		unixservice__end(service, &counters->unnamed);
	else if (result != UNIXSERVICE_LATER)
		unixservice__end(service, &counters->unanswered);
	else if (peer == NULL)
		unixservice__end(service, &counters->unnamed);
	else if (unixservice__is_gone(peer))
		unixservice__end(service, &counters->gone);
	else
		peer->owed++;
}

void unixservice__take(struct unixservice *service, struct peer *peer,
	uint64_t tag, struct unixmsg *msg)
{
	struct call *call = &service->call;
	int result;

	*call = (struct call){ .peer = peer, .tag = tag, .is_on = true };
	result = service->handler(service, peer == NULL ? 0 : peer->id, msg,
		service->context);
	unixmsg_close_fds(msg);
	call->is_on = false;
	if (!call->is_settled)
		note_result(service, peer, result);
	call->peer = NULL;
	if (peer == NULL)
		return;
	if (result == UNIXSERVICE_CLOSE)
		unixservice__finish(service, peer);
	else
		unixservice__disconnect_if_done(service, peer);
}
