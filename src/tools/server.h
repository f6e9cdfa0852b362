/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_SERVER_H
#define UNIXMSG_TOOLS_SERVER_H

/*
 * The inside of a serving tool: a loop around epoll(7), and a service that is
 * either one datagram socket or a listener with its connections. Nothing in
 * it waits but the loop.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "tools/options.h"
#include "tools/stats.h"

struct record_writer;
struct server;

/* A descriptor in the loop, and what to do when it is ready. */
struct watcher {
	void (*ready)(struct server *server, struct watcher *watcher);
	int fd;
	uint32_t events;
};

/* What a service does. */
struct service {
	/* Takes the name. NULL, errno, and nothing is left. */
	void *(*open)(struct server *server);
	/* The address in use, for a server that did not choose it. */
	int (*get_address)(const void *service, struct unixaddr *addr);
	/* The moment that the server set by server_wake_at has come. */
	void (*wake)(struct server *server, void *service);
	/* Takes what has been sent already, and nothing that comes later. */
	void (*drain)(struct server *server, void *service);
	/* Whether answers are still to be delivered. */
	bool (*is_busy)(const void *service);
	/* Gives up the name and what is left. -1: the file is still there. */
	int (*close)(void *service);
};

extern const struct service service_gram;
extern const struct service service_link;

struct server {
	const struct options *options;
	const struct service *service;
	void *state; /* the service's */
	struct server_stats stats;
	struct record_writer *printer;
	void *buffer;
	size_t room;
	int epoll_fd;
	int64_t wake_us;
	bool is_draining;
	bool is_failed;
};

/* Adds watcher, or tells that its events have changed. 0, or -1. */
int server_watch(struct server *server, struct watcher *watcher,
	uint32_t events);

/* Asks for service->wake at that moment or before. */
void server_wake_at(struct server *server, int64_t moment_us);

/* Whether --max-messages have been taken. */
bool server_is_full(const struct server *server);

/* Makes msg ready to receive into buffer; addr may be NULL. */
void server_prepare(const struct server *server, struct unixmsg *msg,
	struct iovec *part, struct unixaddr *addr);

/* What of UNIXMSG_WANT_... the service needs. */
unsigned int server_get_wants(const struct server *server);

/*
 * Counts and prints a message that has been received into buffer, or cut;
 * sender may be NULL.
 */
void server_take(struct server *server, const struct unixmsg *msg,
	const char *sender);

void server_count_answer(struct server *server, size_t size);

#endif
