/* SPDX-License-Identifier: MIT */
/* Events for the watcher, within the rate that it allows. */
#include <config.h>

#include <string.h>

#include "message/cred_private.h"
#include "service/service_private.h"

static const int64_t second_ns = 1000000000;

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

/* Events that peers can cause as often as they like. */
static bool is_bounded(enum unixservice_event_kind kind)
{
	return kind == UNIXSERVICE_REFUSED || kind == UNIXSERVICE_LIMITED ||
		kind == UNIXSERVICE_CUT || kind == UNIXSERVICE_LOST ||
		kind == UNIXSERVICE_UNPROVED;
}

/* Returns false if no event is left of the rate. */
static bool take_from_rate(struct unixservice *service)
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
		if (!take_from_rate(service)) {
			service->suppressed++;
			service->counters.events_suppressed++;
			return;
		}
		event->suppressed = service->suppressed;
		service->suppressed = 0;
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
