/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_H
#define UNIXMSG_TOOLS_TAP_H

/* tap: the types and calls that all parts of the tap share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/tap/event.h"
#include "unixmsg.h"

/* The most messages, or bytes, of one side that the tap receives before it
 * sends them on together. */
enum { TAP_BATCH_MAX = 16, TAP_GATHERED = 64 << 10 };

struct network;
struct recorder;
struct tap_options;
struct tap_pair;
struct tap_user;

/* The user and group that the kernel reports for a writer that it cannot
 * name. */
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
	const char *server; /* the server's address */
	/* Whether the server has a file, and the user of that file. */
	bool has_file;
	uid_t file_user;
	int epoll_fd;
	struct recorder *printer; /* or NULL */
	struct recorder *writer;  /* or NULL */
	uint64_t not_shown;       /* by tap_sinks_count */
	uint64_t not_recorded;
	/* Room for one batch: TAP_GATHERED bytes and one message of the largest
	 * size. A message that has to wait moves to a copy, by tap_hold. */
	char *room;
	int fds[UNIXMSG_FDS_MAX];
	/* The tap accepts no new clients. */
	bool is_stopping;
	bool has_failed;
	/* The latest time for the loop to wake up. */
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

/* Returns the address at which clients reach the tap. */
const char *tap_get_address(const struct tap *tap);

/* Waits for events of epoll_ctl(2); EPOLLHUP and EPOLLERR always count. Returns
 * 0, or -1 after a complaint. */
int tap_watch(const struct tap *tap, struct tap_watch *watch, uint32_t events);
void tap_unwatch(const struct tap *tap, struct tap_watch *watch);

/* Has the loop wake up at that moment, or earlier. */
void tap_wake_at(struct tap *tap, int64_t moment_us);

/* Accepts no more clients, and prints why, if it is not NULL. */
void tap_stop(struct tap *tap, const char *why);

/* Complains that a client could not be connected to the server. If the server
 * has ended, stops instead. */
void tap_refuse(struct tap *tap, int error);

/* Complains that a message of that client could not be passed on; errno is the
 * reason. */
void tap_lose(struct tap *tap, uint64_t number, const struct unixmsg *msg);

/* True if error is a shortage of descriptors or memory, which may pass. */
bool tap_is_shortage(int error);

/* Makes msg ready to receive into the room of the tap, behind the used bytes:
 * TAP_GATHERED at most. */
void tap_prepare(struct tap *tap, struct unixmsg *msg, size_t used);

/* Finds out whether the tap is root. Call it before the tap changes its user to
 * connect as one of its clients. */
void tap_learn_user(void);

/* Returns the UNIXMSG_WANT_... flags of all sockets: root also passes the
 * credentials of each message on. */
unsigned int tap_get_wants(void);

/*
 * Makes *out the message that was received as msg, ready to be sent. As root,
 * *out has the credentials of its writer, or TAP_NOBODY if the writer is
 * unknown.
 */
void tap_readdress(struct unixmsg *out, const struct unixmsg *msg);

/*
 * Call it after a failed send. Returns true if the send failed because the
 * writer is dead or in another namespace. Then *out names the tap as the
 * process, but still the user and group of the writer: a message never seems to
 * come from root.
 */
bool tap_stand_in(struct unixmsg *out);

/* Sends a message that tap_readdress has made, without waiting. Returns as
 * unixconn_send_msg does. */
int tap_send(struct unixconn *conn, struct unixmsg *out);

/* Copies the payload, and moves the descriptors, to *held. Returns 0, or -1
 * with ENOMEM; then the descriptors are still in msg. */
int tap_hold(struct unixmsg *held, struct unixmsg *msg);
void tap_drop(struct unixmsg *held);

/* Counts an event, and has it shown and recorded. data has event->size bytes,
 * of which --snap may keep only the first. */
void tap_note(struct tap *tap, struct event *event, const void *data);

#endif
