/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <string.h>

#include "message/cred_private.h"
#include "service/service_private.h"

static const int64_t second_ns = 1000000000;
static const unsigned char skips_most = 64;

bool unixservice__is_eager(struct eagerness *eagerness)
{
	if (eagerness->skip == 0)
		return true;
	eagerness->skip--;
	return false;
}

void unixservice__note_another(struct eagerness *eagerness, bool was_there)
{
	if (was_there)
		eagerness->skips = 0;
	else if (eagerness->skips < skips_most)
		eagerness->skips = (unsigned char)(2 * eagerness->skips + 1);
	eagerness->skip = eagerness->skips;
}

void unixservice__prepare(const struct unixservice *service,
	struct unixmsg *msg, struct unixaddr *addr)
{
	unixmsg_init(msg);
	msg->data = service->buffer;
	msg->room = service->options.size_max;
	msg->addr = addr;
	/* What is cut is counted, and told with its beginning. */
	msg->flags = UNIXMSG_PREFIX;
	msg->fds = service->fds;
	msg->fds_room = service->options.fds_max;
}

/*
 * Behind it in the buffer lies what others have sent. As it is now it can also
 * be sent on.
 */
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
	unixservice__enliven(service, peer);
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

/* The handler has given no answer, by now or for good. */
static void settle(struct unixservice *service, struct peer *peer, int result)
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
		settle(service, peer, result);
	call->peer = NULL;
	if (peer == NULL || unixservice__is_gone(peer))
		return;
	if (result == UNIXSERVICE_CLOSE)
		unixservice__finish(service, peer);
	else
		unixservice__part_if_done(service, peer);
}

void unixservice__event_init(struct unixservice_event *event,
	enum unixservice_event_kind kind, const struct peer *peer, int error)
{
	memset(event, 0, sizeof(*event));
	event->kind = kind;
	event->error = error;
	event->cred = unixcred__get_unknown();
	if (peer == NULL)
		return;
	event->peer = peer->id;
	event->has_cred = peer->has_cred;
	event->cred = peer->cred;
}

/* What peers can make happen as often as they like. */
static bool is_bounded(enum unixservice_event_kind kind)
{
	return kind == UNIXSERVICE_REFUSED || kind == UNIXSERVICE_LIMITED ||
		kind == UNIXSERVICE_CUT || kind == UNIXSERVICE_LOST ||
		kind == UNIXSERVICE_UNPROVED;
}

static bool is_within_rate(struct unixservice *service)
{
	const unsigned int rate = service->options.event_rate;
	const int64_t now_ns = service->now_us * 1000;

	if (rate == 0)
		return true;
	if (service->event_due_ns < now_ns)
		service->event_due_ns = now_ns;
	if (service->event_due_ns - now_ns >= second_ns)
		return false;
	service->event_due_ns += second_ns / rate;
	return true;
}

void unixservice__tell(struct unixservice *service,
	struct unixservice_event *event)
{
	bool was_telling;

	if (service->options.watcher == NULL)
		return;
	if (is_bounded(event->kind)) {
		if (!is_within_rate(service)) {
			service->untold++;
			service->counters.events_untold++;
			return;
		}
		event->untold = service->untold;
		service->untold = 0;
	}
	was_telling = service->is_telling;
	service->is_telling = true;
	service->options.watcher(service, event, service->context);
	service->is_telling = was_telling;
}

void unixservice__tell_of(struct unixservice *service,
	enum unixservice_event_kind kind, const struct peer *peer, int error)
{
	struct unixservice_event event;
	struct unixaddr addr;

	if (service->options.watcher == NULL)
		return;
	unixservice__event_init(&event, kind, peer, error);
	peer->sort->get_address(peer, &addr);
	if (unixaddr_get_kind(&addr) != UNIXADDR_UNNAMED)
		event.addr = &addr;
	unixservice__tell(service, &event);
}
