/* SPDX-License-Identifier: MIT */
/*
 * endpoint: what sockets of all three networks have in common: a descriptor,
 * a name perhaps, a stop descriptor perhaps.
 */
#ifndef UNIXMSG_ENDPOINT_H
#define UNIXMSG_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr_private.h"
#include "base/spin.h"
#include "unixmsg/msg.h"

struct unixname;

struct endpoint {
	int fd;
	int stop_fd;
	int type;             /* SOCK_DGRAM, SOCK_SEQPACKET or SOCK_STREAM */
	unsigned int wants;   /* UNIXMSG_WANT_... */
	bool is_connected;    /* known for SOCK_DGRAM only */
	bool is_accepted;     /* or accepts: credentials mark its messages */
	bool is_stamped;      /* time stamps do */
	bool is_named;        /* the name of the peer does */
	bool is_refusing_fds; /* the kernel does, and did from the beginning */
	pid_t binder;         /* the process that has bound it, or 0 */
	struct unixname *name;
	struct spin spin; /* while it waits for messages */
};

/* What end is with fd, which may be -1, and nothing else. */
void unixendpoint__set_up(struct endpoint *end, int fd, int type);

/* How its calls wait, as options say: 0 and -1 are no stop_fd. */
void unixendpoint__set_stop_fd(struct endpoint *end, int stop_fd);
void unixendpoint__set_waits(struct endpoint *end, int stop_fd,
	int64_t spin_us);

/* Lets messages be told from the end of a connection, see endpoint.c. */
int unixendpoint__mark_messages(struct endpoint *end);

/* A new socket of type. */
int unixendpoint__open(struct endpoint *end, int type);

/*
 * What shall be received besides the payload: UNIXMSG_WANT_.... Also called
 * with 0 for a new socket, to refuse descriptors.
 */
int unixendpoint__want(struct endpoint *end, unsigned int wants);

/* Whether there is no other bit in wants. */
bool unixendpoint__knows_wants(unsigned int wants);

/* Two sockets that are connected to each other. */
int unixendpoint__open_pair(struct endpoint *a, struct endpoint *b, int type);

/*
 * Whether another process has bound it, and may use it still: adopted ones, and
 * those that were bound before the fork(2) that made us.
 */
bool unixendpoint__is_shared(const struct endpoint *end);

int unixendpoint__get_address(const struct endpoint *end,
	struct unixaddr *addr);
int unixendpoint__get_peer(const struct endpoint *end, struct unixaddr *addr);

/* The largest message that can be sent, in bytes. */
int unixendpoint__get_size_max(const struct endpoint *end, size_t *size);

/* Makes it wanted, or as much as the system allows: *reached. */
int unixendpoint__raise_size_max(const struct endpoint *end, size_t wanted,
	size_t *reached);

/* Makes the send buffer of fd bytes, as the kernel counts them, or as much as
 * the system allows: *reached. It is never made smaller. */
int unixendpoint__raise_buffer(int fd, size_t bytes, size_t *reached);

/* What was sent and nobody has read, as the kernel charges for it. */
int unixendpoint__get_unread(const struct endpoint *end, size_t *bytes);

#endif
