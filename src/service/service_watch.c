/* SPDX-License-Identifier: MIT */
/*
 * Descriptors in the loop of a service, and timers. A timer descriptor in the
 * loop, the clock, wakes programs that have our loop inside their own.
 */
#include <config.h>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "service/service_private.h"
#include "unixmsg/deadline.h"

int64_t unixservice__get_next_us(const struct unixservice *service)
{
	int64_t next_us = unixtimers__get_next(&service->peer_timers);
	int64_t source_us = unixtimers__get_next(&service->source_timers);

	if (source_us < next_us)
		next_us = source_us;
	if (service->is_stopping && service->deadline_us < next_us)
		next_us = service->deadline_us;
	return next_us;
}

/* Sets the clock to the first timer, unless our own round is running. */
static void arm_clock(struct unixservice *service)
{
	const int64_t next_us = unixservice__get_next_us(service);
	/* Zero would disarm it. */
	struct itimerspec timer = { .it_value.tv_nsec = 1 };

	if (service->is_running || next_us >= service->timer_us)
		return;
	if (next_us > 0) {
		timer.it_value.tv_sec = (time_t)(next_us / 1000000);
		timer.it_value.tv_nsec = (long)(next_us % 1000000) * 1000 + 1;
	}
	if (timerfd_settime(service->timer_fd, TFD_TIMER_ABSTIME, &timer,
		    NULL) == 0)
		service->timer_us = next_us;
}

static int make_clock(void)
{
	return fd_lift(
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

static void inherit(struct unixservice *service, struct peer *peer)
{
	(void)service;
	peer->is_inherited = true;
}

void unixservice__notice_fork(struct unixservice *service)
{
	const pid_t process = unixprocess__get(service->own_process);

	if (service->process == process)
		return;
	service->process = process;
	service->is_loop_shared = true;
	unixservice__for_each_peer(service, inherit);
}

static int watch_again(int epoll_fd, struct watch *watch)
{
	struct epoll_event event = {
		.events = watch->events,
		.data.ptr = watch,
	};

	if (watch->events == 0)
		return 0;
	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watch->fd, &event);
}

static int watch_peers_again(struct unixservice *service, int epoll_fd)
{
	struct peer *peer;
	uint32_t i;

	for (i = 0; i < service->places_count; i++) {
		peer = service->places[i].peer;
		if (peer != NULL && peer->sort->get_watch != NULL &&
			watch_again(epoll_fd, peer->sort->get_watch(peer)) < 0)
			return -1;
	}
	return 0;
}

static int watch_all_again(struct unixservice *service, int epoll_fd)
{
	struct source *source;

	for (source = service->sources; source != NULL; source = source->next)
		if (watch_again(epoll_fd, &source->watch) < 0)
			return -1;
	if (watch_again(epoll_fd, &service->clock) < 0 ||
		watch_again(epoll_fd, &service->stop) < 0)
		return -1;
	return watch_peers_again(service, epoll_fd);
}

/*
 * A child of fork(2) shares the epoll instance of its parent. The parent would
 * get events for entries that the child adds, with a pointer that means
 * something else in the parent's memory, and would miss entries that the child
 * removes. The descriptor numbers stay the same, as an outer loop knows them.
 */
int unixservice__keep_own_loop(struct unixservice *service)
{
	int epoll_fd, timer_fd, result = -1;

	unixservice__notice_fork(service);
	if (!service->is_loop_shared)
		return 0;
	timer_fd = make_clock();
	epoll_fd = fd_lift(epoll_create1(EPOLL_CLOEXEC));
	if (timer_fd >= 0 && epoll_fd >= 0 &&
		dup3(timer_fd, service->timer_fd, O_CLOEXEC) >= 0 &&
		watch_all_again(service, epoll_fd) == 0 &&
		dup3(epoll_fd, service->epoll_fd, O_CLOEXEC) >= 0) {
		service->is_loop_shared = false;
		service->timer_us = UNIXMSG_FOREVER;
		arm_clock(service);
		result = 0;
	}
	fd_close(timer_fd);
	return fd_close_with(epoll_fd, result);
}

/* Tells whether there is a loop to change. There is none when the service
 * closes, and nothing may be removed from the parent's loop. */
static bool is_looped(const struct unixservice *service)
{
	return service->epoll_fd >= 0 && !service->is_loop_shared;
}

int unixservice__watch(struct unixservice *service, struct watch *watch,
	uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };
	int operation = EPOLL_CTL_MOD;

	if (watch->events == events)
		return 0;
	unixservice__notice_fork(service);
	if (events != 0 && unixservice__keep_own_loop(service) < 0)
		return -1;
	if (!is_looped(service)) {
		watch->events = 0;
		return 0;
	}
	if (watch->events == 0)
		operation = EPOLL_CTL_ADD;
	else if (events == 0)
		operation = EPOLL_CTL_DEL;
	/* A descriptor that was closed has left the loop by itself. */
	if (epoll_ctl(service->epoll_fd, operation, watch->fd, &event) < 0 &&
		events != 0)
		return -1;
	watch->events = events;
	return 0;
}

void unixservice__set_clock(struct unixservice *service)
{
	if (!service->is_running &&
		unixservice__get_next_us(service) < service->timer_us &&
		unixservice__keep_own_loop(service) == 0)
		arm_clock(service);
}

static void clock_ready(struct unixservice *service, struct watch *watch)
{
	uint64_t count;

	(void)service;
	if (read(watch->fd, &count, sizeof(count)) > 0)
		service->timer_us = UNIXMSG_FOREVER;
}

int unixservice__start_clock(struct unixservice *service)
{
	service->timer_fd = make_clock();
	if (service->timer_fd < 0)
		return -1;
	service->clock.ready = clock_ready;
	service->clock.fd = service->timer_fd;
	return unixservice__watch(service, &service->clock, EPOLLIN);
}

void unixservice__set_peer_timer(struct unixservice *service, struct peer *peer,
	int64_t at_us)
{
	if (unixservice__is_gone(peer))
		return;
	unixtimers__set(&service->peer_timers, &peer->timer, at_us);
	unixservice__set_clock(service);
}

void unixservice__set_source_timer(struct unixservice *service,
	struct source *source, int64_t at_us)
{
	unixtimers__set(&service->source_timers, &source->timer, at_us);
	unixservice__set_clock(service);
}

void unixservice__look_at_clock(struct unixservice *service)
{
	if (!service->is_running)
		service->now_us = unixdeadline_now_us();
}

void unixservice__for_each_peer(struct unixservice *service,
	void (*act)(struct unixservice *service, struct peer *peer))
{
	uint32_t i;
	struct peer *peer;

	for (i = 0; i < service->places_count; i++) {
		peer = service->places[i].peer;
		if (peer != NULL && !unixservice__is_gone(peer))
			act(service, peer);
	}
}
