/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/perf/perf_service.h"

enum { EVENTS = 64 };

static int open_plain(struct perf_case *it)
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

/* Returns the number of bytes, or -1. */
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

/* The library's service: its handler counts down the bytes to receive. */
struct perf_service {
	struct unixservice *service;
	int stop_fd; /* ends unixservice_run */
	size_t left;
};

static int answer(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	struct perf_service *own = context;

	unixservice_send(service, peer, msg->data, msg->size);
	own->left -= msg->size < own->left ? msg->size : own->left;
	if (own->left == 0)
		eventfd_write(own->stop_fd, 1);
	return UNIXSERVICE_DONE;
}

/* On success the service owns the link. */
static int add_link(struct perf_case *it, struct perf_end *link)
{
	const unsigned int flags =
		perf_network_is_stream(it->network) ? UNIXMSG_LISTEN_BYTES : 0;

	if (unixservice_add_conn(it->own->service, link->link, flags, NULL) < 0)
		return -1;
	link->link = NULL;
	link->fd = -1;
	return 0;
}

static int open_library(struct perf_case *it)
{
	size_t i;

	it->own = calloc(1, sizeof(*it->own));
	if (it->own == NULL)
		return -1;
	it->own->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	it->own->service = unixservice_new(answer, it->own, NULL);
	if (it->own->stop_fd < 0 || it->own->service == NULL)
		return -1;
	for (i = 0; i < it->clients_count; i++)
		if (add_link(it, &it->links[i]) < 0)
			return -1;
	return 0;
}

static int run_library(struct perf_case *it, size_t bytes)
{
	struct perf_service *own = it->own;
	eventfd_t count;

	own->left = bytes;
	if (unixservice_set_stop_fd(own->service, own->stop_fd) < 0)
		return -1;
	if (unixservice_run(own->service, UNIXMSG_FOREVER) < 0 &&
		errno != ECANCELED)
		return -1;
	return eventfd_read(own->stop_fd, &count);
}

int perf_service_open(struct perf_case *it)
{
	return it->is_library ? open_library(it) : open_plain(it);
}

int perf_service_run(struct perf_case *it, void *data, size_t room,
	size_t bytes)
{
	if (it->is_library)
		return run_library(it, bytes);
	return run_plain(it, data, room, bytes);
}

void perf_service_close(struct perf_case *it)
{
	if (it->epoll >= 0)
		close(it->epoll);
	it->epoll = -1;
	if (it->own == NULL)
		return;
	unixservice_close(it->own->service);
	if (it->own->stop_fd >= 0)
		close(it->own->stop_fd);
	free(it->own);
	it->own = NULL;
}
