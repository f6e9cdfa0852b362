/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tools/perf_service.h"

enum { EVENTS = 64 };

int perf_service_open(struct perf_case *it)
{
	struct epoll_event event = { .events = EPOLLIN };
	size_t i;

	it->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (it->epoll < 0)
		return -1;
	for (i = 0; i < it->clients_count; i++) {
		event.data.ptr = &it->links[i];
		if (epoll_ctl(it->epoll, EPOLL_CTL_ADD, it->links[i].fd,
			    &event) < 0)
			return -1;
	}
	return 0;
}

/* How many bytes, or -1. */
static ssize_t answer_plain(struct perf_end *link, void *data, size_t room)
{
	ssize_t got = recv(link->fd, data, room, MSG_DONTWAIT);

	if (got <= 0)
		return -1;
	return send(link->fd, data, (size_t)got, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int run_plain(struct perf_case *it, void *data, size_t room,
	size_t bytes)
{
	struct epoll_event events[EVENTS];
	ssize_t answered;
	int i, ready;

	while (bytes > 0) {
		ready = epoll_wait(it->epoll, events, EVENTS, -1);
		if (ready < 0)
			return -1;
		for (i = 0; i < ready; i++) {
			answered = answer_plain(events[i].data.ptr, data, room);
			if (answered < 0)
				return -1;
			bytes -= (size_t)answered;
		}
	}
	return 0;
}

/* Its bytes, or messages as they come. */
static ssize_t answer_stream(struct perf_end *link, void *data, size_t room)
{
	size_t size;

	if (unixstream_read(link->link, data, room, &size, UNIXMSG_NOW) < 1 ||
		unixstream_write(link->link, data, size, NULL,
			UNIXMSG_FOREVER) < 0)
		return -1;
	return (ssize_t)size;
}

static ssize_t answer_packet(struct perf_end *link, void *data, size_t room)
{
	size_t size;

	if (unixpacket_recv(link->link, data, room, &size, UNIXMSG_NOW) < 1 ||
		unixpacket_send(link->link, data, size, UNIXMSG_NOW) < 0)
		return -1;
	return (ssize_t)size;
}

static int run_library(struct perf_case *it, void *data, size_t room,
	size_t bytes)
{
	const bool is_stream = perf_network_is_stream(it->network);
	struct epoll_event events[EVENTS];
	struct perf_end *link;
	ssize_t answered;
	int i, ready;

	while (bytes > 0) {
		ready = epoll_wait(it->epoll, events, EVENTS, -1);
		if (ready < 0)
			return -1;
		for (i = 0; i < ready; i++) {
			link = events[i].data.ptr;
			answered = is_stream ? answer_stream(link, data, room)
					     : answer_packet(link, data, room);
			if (answered < 0)
				return -1;
			bytes -= (size_t)answered;
		}
	}
	return 0;
}

int perf_service_run(struct perf_case *it, void *data, size_t room,
	size_t bytes)
{
	if (it->is_library)
		return run_library(it, data, room, bytes);
	return run_plain(it, data, room, bytes);
}
