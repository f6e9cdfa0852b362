/* SPDX-License-Identifier: MIT */
/*
 * endpoint: the common part of the sockets of all three networks: a descriptor,
 * perhaps a name, perhaps a stop descriptor.
 */
#ifndef UNIXMSG_ENDPOINT_H
#define UNIXMSG_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr_private.h"
#include "base/spin.h"

struct unixname;

struct endpoint {
	int fd;
	int stop_fd;
	int type;             /* SOCK_DGRAM, SOCK_SEQPACKET or SOCK_STREAM */
	unsigned int wants;   /* UNIXMSG_WANT_... */
	bool is_connected;    /* known for SOCK_DGRAM only */
	bool is_accepted;     /* or accepts: credentials mark its messages */
	bool is_stamped;      /* time stamps mark them */
	bool is_named;        /* the name of the peer marks them */
	bool is_refusing_fds; /* the kernel refuses them, and always did */
	pid_t binder;         /* the process that has bound it, or 0 */
	struct unixname *name;
	struct spin spin; /* while it waits for messages */
};

/* Initialises end with fd, which may be -1. */
void unixendpoint__set_up(struct endpoint *end, int fd, int type);

/* Set how calls on end wait: 0 and -1 mean no stop_fd. */
void unixendpoint__set_stop_fd(struct endpoint *end, int stop_fd);
void unixendpoint__set_waits(struct endpoint *end, int stop_fd,
	int64_t spin_us);

/* Marks messages, so that an empty one differs from the end of a connection,
 * see endpoint.c. */
int unixendpoint__mark_messages(struct endpoint *end);

/* Opens a new socket of type. */
int unixendpoint__open(struct endpoint *end, int type);

/*
 * Sets what to receive besides the payload: UNIXMSG_WANT_.... Is also called
 * with 0 for a new socket, to refuse descriptors.
 */
int unixendpoint__want(struct endpoint *end, unsigned int wants);

/* Tells whether wants has no unknown bit. */
bool unixendpoint__knows_wants(unsigned int wants);

/* Opens two sockets that are connected to each other. */
int unixendpoint__open_pair(struct endpoint *a, struct endpoint *b, int type);

/*
 * Tells whether another process has bound the socket and may still use it. That
 * is so for adopted sockets, and for those bound before the fork(2) that made
 * us.
 */
bool unixendpoint__is_shared(const struct endpoint *end);

int unixendpoint__get_address(const struct endpoint *end,
	struct unixaddr *addr);
int unixendpoint__get_peer(const struct endpoint *end, struct unixaddr *addr);

/* Gets the size of the largest message that can be sent. */
int unixendpoint__get_size_max(const struct endpoint *end, size_t *size);

/* Raises that size to wanted, or as far as the system allows: *reached. */
int unixendpoint__raise_size_max(const struct endpoint *end, size_t wanted,
	size_t *reached);

/* Raises the send buffer of fd to bytes, as the kernel counts them, or as far
 * as the system allows: *reached. Never lowers it. */
int unixendpoint__raise_buffer(int fd, size_t bytes, size_t *reached);

/* Gets the bytes sent and not yet read, as the kernel charges them. */
int unixendpoint__get_unread(const struct endpoint *end, size_t *bytes);

#endif
