/* SPDX-License-Identifier: MIT */
/* The sockets that peers come from: datagram sockets and listeners. */
#include <config.h>

#include <errno.h>
#include <sys/epoll.h>

#include "service/service_private.h"

int unixservice__check_open(const struct unixservice *service)
{
	if (!service->is_stopping)
		return 0;
	errno = EINVAL;
	return -1;
}

/* After a failure it still retires all other sources. */
int unixservice__retire_sources(struct unixservice *service)
{
	struct source *source;
	int error = 0;

	for (source = service->sources; source != NULL; source = source->next) {
		if (source->is_retired)
			continue;
		source->is_retired = true;
		if (source->sort->stop(service, source) < 0 && error == 0)
			error = errno;
		/* A source that rests would never become ready. */
		if (!source->is_done && !source->is_paused)
			unixservice__watch(service, &source->watch, EPOLLIN);
	}
	return error;
}

static bool is_over(const struct source *source)
{
	return source->is_retired && source->is_done &&
		(source->sort->is_used == NULL ||
			!source->sort->is_used(source));
}

/* The names were given up before, so nothing can fail. */
static void free_source(struct unixservice *service, struct source *source)
{
	unixservice__watch(service, &source->watch, 0);
	unixtimers__clear(&service->source_timers, &source->timer);
	unixtimers__unreserve(&service->source_timers);
	source->sort->close(source);
}

/*
 * After _stop, sockets are open until the service is closed: a client that
 * sends to a closed datagram socket loses the answers that it has not read.
 */
void unixservice__free_sources(struct unixservice *service)
{
	struct source *source, **place = &service->sources;

	if (service->is_stopping)
		return;
	while ((source = *place) != NULL) {
		if (!is_over(source)) {
			place = &source->next;
			continue;
		}
		*place = source->next;
		free_source(service, source);
	}
}

int unixservice_unlisten(struct unixservice *service)
{
	int error, saved = errno;

	if (unixservice__check_open(service) < 0)
		return -1;
	unixservice__notice_fork(service);
	error = unixservice__retire_sources(service);
	errno = error == 0 ? saved : error;
	return error == 0 ? 0 : -1;
}

void unixservice__lose_source(struct unixservice *service,
	struct source *source)
{
	struct unixservice_event event;
	struct unixaddr addr;

	unixservice__watch(service, &source->watch, 0);
	source->is_done = true;
	unixservice__event_init(&event, UNIXSERVICE_SHUT, NULL, EINVAL);
	if (source->sort->get_address(source, &addr) == 0 &&
		unixaddr_get_kind(&addr) != UNIXADDR_UNNAMED)
		event.addr = &addr;
	unixservice__tell(service, &event);
}

int unixservice__add_source(struct unixservice *service, struct source *source,
	const struct source_sort *sort)
{
	struct unixaddr addr;
	struct source **last = &service->sources;

	source->sort = sort;
	if (sort->get_address(source, &addr) < 0 ||
		unixtimers__reserve(&service->source_timers) < 0)
		return -1;
	source->is_abstract = unixaddr_get_kind(&addr) == UNIXADDR_ABSTRACT;
	if (unixservice__watch(service, &source->watch, EPOLLIN) < 0) {
		unixtimers__unreserve(&service->source_timers);
		return -1;
	}
	while (*last != NULL)
		last = &(*last)->next;
	*last = source;
	return 0;
}

static int set_paused(struct unixservice *service, uint64_t tag, bool is_wanted)
{
	struct source *source;
	int found = 0, saved = errno;

	unixservice__look_at_clock(service);
	for (source = service->sources; source != NULL; source = source->next) {
		if (source->tag != tag || source->is_done)
			continue;
		found++;
		source->is_paused = is_wanted;
		if (is_wanted)
			unixservice__watch(service, &source->watch, 0);
		else
			unixservice__set_source_timer(service, source,
				service->now_us);
	}
	errno = found > 0 ? saved : ENOENT;
	return found > 0 ? 0 : -1;
}

int unixservice_pause_socket(struct unixservice *service, uint64_t tag)
{
	return set_paused(service, tag, true);
}

int unixservice_resume_socket(struct unixservice *service, uint64_t tag)
{
	return set_paused(service, tag, false);
}
