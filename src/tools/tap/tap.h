/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_H
#define UNIXMSG_TOOLS_TAP_H

/* tap: the types and calls that all parts of the tap share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/tap/event.h"
#include "unixmsg.h"

/* The tap receives so many messages, or that many bytes, of one side, and then
 * sends them on together. */
enum { TAP_BATCH_MAX = 16, TAP_GATHERED = 64 << 10 };

struct network;
struct recorder;
struct tap_options;
struct tap_pair;
struct tap_user;

/* User and group that the kernel tells of a writer whom it cannot name. */
enum { TAP_NOBODY = 65534 };

/* A descriptor that the loop waits for. */
struct tap_watch {
	int fd;
	void (*ready)(struct tap_watch *watch, uint32_t events);
	void *context;
	/* Only tap.c uses these. */
	bool is_listed;
	uint32_t events;
};

/* The traffic in one direction. */
struct tap_count {
	uint64_t messages;
	uint64_t bytes;
};

struct tap {
	const struct tap_options *options;
	const struct network *network;
	const char *server; /* where the server is reached */
	/* Its file, unless it has an abstract name. */
	bool has_file;
	uid_t file_user;
	int epoll_fd;
	struct recorder *printer; /* or NULL */
	struct recorder *writer;  /* or NULL */
	uint64_t not_shown;       /* by tap_sinks_count */
	uint64_t not_recorded;
	/* Room for one batch: TAP_GATHERED bytes and one message of the largest
	 * size. tap_hold copies a message that cannot go on. */
	char *room;
	int fds[UNIXMSG_FDS_MAX];
	/* Why no more is let in. */
	bool is_stopping;
	bool has_failed;
	/* The loop wakes up then at the latest. */
	int64_t wake_us;
	struct tap_pair *pairs;
	size_t pairs_count, pairs_most;
	struct tap_user *users; /* of the pairs */
	size_t fds_held, fds_most;
	bool is_full_told;
	/* Counters. */
	uint64_t connections;
	uint64_t refused;
	struct tap_count counts[2]; /* to the server, to the client */
	uint64_t fds_count;
};

/* Where clients reach the tap. */
const char *tap_get_address(const struct tap *tap);

/* Waits for events of epoll_ctl(2); EPOLLHUP and EPOLLERR always count. 0, or
 * -1 after a complaint. */
int tap_watch(const struct tap *tap, struct tap_watch *watch, uint32_t events);
void tap_unwatch(const struct tap *tap, struct tap_watch *watch);

/* Has the loop wake up at that moment, or earlier. */
void tap_wake_at(struct tap *tap, int64_t moment_us);

/* Lets nobody more in, which why tells the user. */
void tap_stop(struct tap *tap, const char *why);

/* Tells that a client could not be connected to the server, and stops if that
 * has ended. */
void tap_refuse(struct tap *tap, int error);

/* Tells by errno why a message of that client could not be passed on. */
void tap_lose(struct tap *tap, uint64_t number, const struct unixmsg *msg);

/* Whether descriptors or memory are short, which may pass. */
bool tap_is_shortage(int error);

/* Makes msg ready to receive into the room of the tap, behind the used bytes:
 * TAP_GATHERED at most. */
void tap_prepare(struct tap *tap, struct unixmsg *msg, size_t used);

/* Asks once whether the tap is root. That has to be before it becomes one of
 * its clients, to connect as that user. */
void tap_learn_user(void);

/* Returns what all sockets receive beside the bytes: root passes the
 * credentials of each message on. */
unsigned int tap_get_wants(void);

/* Makes *out the message that was received as msg, ready to be sent. Root names
 * its writer, and TAP_NOBODY if the writer is unknown. */
void tap_readdress(struct unixmsg *out, const struct unixmsg *msg);

/*
 * After a send that has failed: true if it failed because the writer is dead or
 * in another namespace. Then *out names the tap as the process, but still the
 * writer's user and group: a message never becomes one of root.
 */
bool tap_stand_in(struct unixmsg *out);

/* Sends without waiting what tap_readdress has made, as unixconn_send_msg. */
int tap_send(struct unixconn *conn, struct unixmsg *out);

/* Copies payload and descriptors, which *held owns then. 0, or -1 with ENOMEM
 * and msg's descriptors still msg's. */
int tap_hold(struct unixmsg *held, struct unixmsg *msg);
void tap_drop(struct unixmsg *held);

/* Counts an event, and has it shown and recorded; data has event->size bytes,
 * of which less may be kept. */
void tap_note(struct tap *tap, struct event *event, const void *data);

#endif
