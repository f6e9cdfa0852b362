/* SPDX-License-Identifier: MIT */
/* The loop of a service, and its end. */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include "base/deadline_private.h"
#include "service/service_private.h"

enum { EVENTS_MOST = 64 };

static bool is_all_taken(const struct unixservice *service)
{
	const struct source *source;

	for (source = service->sources; source != NULL; source = source->next)
		if (!source->is_done)
			return false;
	return true;
}

static bool is_any_connected(const struct unixservice *service)
{
	uint32_t i;
	const struct peer *peer;

	for (i = 0; i < service->places_count; i++) {
		peer = service->places[i].peer;
		if (peer != NULL && !peer->sort->is_memory_only)
			return true;
	}
	return false;
}

bool unixservice_is_drained(const struct unixservice *service)
{
	return service->is_stopping && service->counters.waiting == 0 &&
		service->counters.queued == 0 && is_all_taken(service) &&
		!is_any_connected(service);
}

static void give_up_peer(struct unixservice *service, struct peer *peer)
{
	uint64_t *counter = &service->counters.stopped;

	unixservice__drop_all(service, peer, counter);
	for (; peer->owed > 0; peer->owed--)
		unixservice__end(service, counter);
	unixservice__disconnect(service, peer, ECANCELED);
}

static void give_up(struct unixservice *service)
{
	struct source *source;

	service->deadline_us = UNIXMSG_FOREVER;
	for (source = service->sources; source != NULL; source = source->next) {
		unixservice__watch(service, &source->watch, 0);
		source->is_done = true;
	}
	unixservice__for_each_peer(service, give_up_peer);
}

static void wake_all(struct unixservice *service)
{
	struct source *source;
	struct peer *peer;

	while ((source = (struct source *)
			       unixtimers__take(&service->source_timers,
				       service->now_us)) != NULL)
		source->sort->wake(service, source);
	while ((peer = (struct peer *)unixtimers__take(&service->peer_timers,
			service->now_us)) != NULL)
		peer->sort->wake(service, peer);
	if (service->is_stopping && service->now_us >= service->deadline_us)
		give_up(service);
}

static void tell_round(struct unixservice *service)
{
	struct unixservice_event event;

	if (service->options.watcher == NULL)
		return;
	unixservice__event_init(&event, UNIXSERVICE_ROUND, NULL, 0);
	unixservice__tell(service, &event);
}

/* Polls for a while before it sleeps, see spin.h. */
static int spin(struct unixservice *service, struct epoll_event *events,
	int timeout_ms)
{
	int count = epoll_wait(service->epoll_fd, events, EVENTS_MOST, 0);
	int64_t until_us = UNIXMSG_FOREVER;

	if (count != 0)
		return count;
	if (timeout_ms > 0)
		until_us = unixdeadline_after_us((int64_t)timeout_ms * 1000);
	until_us = unixspin__begin(&service->spin, until_us);
	if (until_us == 0)
		return 0;
	while (count == 0 && unixspin__goes_on(until_us))
		count = epoll_wait(service->epoll_fd, events, EVENTS_MOST, 0);
	unixspin__note(&service->spin, count > 0);
	return count;
}

static int wait_for_events(struct unixservice *service,
	struct epoll_event *events, int timeout_ms)
{
	int count;

	if (timeout_ms != 0 && unixspin__get(&service->spin) > 0) {
		count = spin(service, events, timeout_ms);
		if (count != 0)
			return count;
	}
	return epoll_wait(service->epoll_fd, events, EVENTS_MOST, timeout_ms);
}

/* Handles everything that is ready, once. */
static int turn(struct unixservice *service, int timeout_ms)
{
	struct epoll_event events[EVENTS_MOST];
	struct watch *watch;
	int i, count;

	if (unixservice__keep_own_loop(service) < 0)
		return -1;
	count = wait_for_events(service, events, timeout_ms);
	if (count < 0 && errno != EINTR)
		return -1;
	service->now_us = unixdeadline_now_us();
	for (i = 0; i < count; i++) {
		watch = events[i].data.ptr;
		watch->seen = events[i].events;
		watch->ready(service, watch);
	}
	wake_all(service);
	tell_round(service);
	unixservice__free_gone(service);
	unixservice__free_sources(service);
	return 0;
}

/* A round inside a watcher would free the peer that its caller works on. */
static int check_idle(const struct unixservice *service)
{
	if (!service->is_running && !service->is_telling)
		return 0;
	errno = EBUSY;
	return -1;
}

static int begin(struct unixservice *service)
{
	if (check_idle(service) < 0)
		return -1;
	unixaccess__forget_own_user(&service->access);
	service->is_running = true;
	return 0;
}

int unixservice_dispatch(struct unixservice *service)
{
	int result, saved = errno;

	if (begin(service) < 0)
		return -1;
	result = turn(service, 0);
	service->is_running = false;
	unixservice__set_clock(service);
	if (result == 0)
		errno = saved;
	return result;
}

/* Only wakes the loop; unixservice_run reports the stop. */
static void stop_ready(struct unixservice *service, struct watch *watch)
{
	struct pollfd stop = { .fd = watch->fd, .events = POLLIN };

	/* A handler may have set another descriptor in this round. If poll(2)
	 * fails, this counts as a stop, or epoll would report it again and
	 * again. */
	if (poll(&stop, 1, 0) == 0)
		return;
	service->is_stop_seen = true;
	unixservice__watch(service, watch, 0);
}

int unixservice_set_stop_fd(struct unixservice *service, int stop_fd)
{
	int saved = errno;

	if (stop_fd == 0)
		stop_fd = -1;
	unixservice__watch(service, &service->stop, 0);
	errno = saved;
	service->is_stop_seen = false;
	service->stop.ready = stop_ready;
	service->stop.fd = stop_fd;
	if (stop_fd < 0)
		return 0;
	return unixservice__watch(service, &service->stop, EPOLLIN);
}

/* Returns the timeout for epoll_wait(2), rounded up. */
static int get_timeout_ms(const struct unixservice *service,
	int64_t deadline_us)
{
	int64_t next_us = unixservice__get_next_us(service);
	int64_t left_us;

	if (deadline_us < next_us)
		next_us = deadline_us;
	if (next_us == UNIXMSG_FOREVER)
		return -1;
	if (next_us <= service->now_us)
		return 0;
	left_us = next_us - unixdeadline_now_us();
	if (left_us <= 0)
		return 0;
	if (left_us > (int64_t)INT32_MAX * 1000 - 1000)
		return INT32_MAX;
	return (int)((left_us + 999) / 1000);
}

static int run(struct unixservice *service, int64_t deadline_us)
{
	bool is_late = false;

	for (;;) {
		if (unixservice_is_drained(service))
			return 0;
		if (service->is_stop_seen) {
			unixservice_set_stop_fd(service, -1);
			errno = ECANCELED;
			return -1;
		}
		if (is_late) {
			errno = deadline_us == UNIXMSG_NOW ? EAGAIN : ETIMEDOUT;
			return -1;
		}
		if (turn(service, get_timeout_ms(service, deadline_us)) < 0)
			return -1;
		is_late = service->now_us >= deadline_us;
	}
}

int unixservice_run(struct unixservice *service, int64_t deadline_us)
{
	int result, saved = errno;

	if (unixdeadline__check(deadline_us) < 0 || begin(service) < 0)
		return -1;
	result = run(service, deadline_us);
	service->is_running = false;
	unixservice__set_clock(service);
	if (result == 0)
		errno = saved;
	return result;
}

static void stop_peer(struct unixservice *service, struct peer *peer)
{
	if (peer->sort->stop != NULL)
		peer->sort->stop(service, peer);
}

int unixservice_stop(struct unixservice *service, int64_t deadline_us)
{
	int error, saved = errno;

	if (unixdeadline__check(deadline_us) < 0)
		return -1;
	unixservice__notice_fork(service);
	unixservice__look_at_clock(service);
	service->deadline_us = deadline_us;
	if (service->is_stopping) {
		unixservice__set_clock(service);
		return 0;
	}
	service->is_stopping = true;
	error = unixservice__retire_sources(service);
	unixservice__for_each_peer(service, stop_peer);
	unixservice__set_clock(service);
	errno = error == 0 ? saved : error;
	return error == 0 ? 0 : -1;
}

int unixservice_drain(struct unixservice *service, int64_t deadline_us)
{
	int result, error = 0;

	if (unixdeadline__check(deadline_us) < 0 || check_idle(service) < 0)
		return -1;
	if (unixservice_stop(service, deadline_us) < 0)
		error = errno;
	result = unixservice_run(service, UNIXMSG_FOREVER);
	if (result == 0 && error != 0) {
		errno = error;
		return -1;
	}
	return result;
}

int unixservice_serve(struct unixservice *service, int stop_fd,
	int64_t timeout_us)
{
	int saved = errno;

	if (stop_fd <= 0 || timeout_us < 0) {
		errno = EINVAL;
		return -1;
	}
	if (check_idle(service) < 0 ||
		unixservice_set_stop_fd(service, stop_fd) < 0)
		return -1;
	if (unixservice_run(service, UNIXMSG_FOREVER) < 0 && errno != ECANCELED)
		return -1;
	errno = saved;
	return unixservice_drain(service, unixdeadline_after_us(timeout_us));
}
