/* SPDX-License-Identifier: MIT */
/*
 * unixmsg: one message, with all that belongs to it.
 *
 * The plain calls of the networks (unixgram_send, unixpacket_recv and so on)
 * take a buffer and a size. Their _msg forms take this structure for more: a
 * payload in several parts, an address, a prefix of a message that is too
 * long, and what the kernel tells about what it had to cut.
 */
#ifndef UNIXMSG_MSG_H
#define UNIXMSG_MSG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "addr.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Flags that the caller sets before receiving. */

/* A message longer than the parts is no error: its beginning is delivered. */
#define UNIXMSG_PREFIX 0x1u

/* Flags that receiving sets. */

/* The payload was longer than the parts; size tells how long. */
#define UNIXMSG_CUT 0x100u
/* The peer sent descriptors, or other control data, that nobody asked for;
 * the kernel has thrown them away. */
#define UNIXMSG_CUT_CONTROL 0x200u

struct unixmsg {
	/* The payload: read when sending, filled when receiving. At most
	 * 1024 parts (IOV_MAX), more are EINVAL. The array and what it points to stay yours. */
	struct iovec *parts;
	size_t parts_count;
	/* Receiving sets it to the true size of the message in bytes, also
	 * when the message was cut. */
	size_t size;
	/* Datagrams: the sender of a received one is stored here; one is sent
	 * there; NULL: not wanted, or to the connected peer. Connections store
	 * the peer's address here when receiving, and refuse to send: EINVAL
	 * unless it is NULL. */
	struct unixaddr *addr;
	/* Before: UNIXMSG_PREFIX or 0; after receiving also UNIXMSG_CUT and
	 * UNIXMSG_CUT_CONTROL. Unknown bits are EINVAL; the flags that
	 * receiving sets are ignored and cleared. */
	unsigned int flags;
	/* For later versions. Leave them as unixmsg_init did. */
	uint64_t reserved[8];
};

/*
 * An empty message: no parts, no address, no flags. Use it again and again for
 * receiving without another unixmsg_init.
 */
void unixmsg_init(struct unixmsg *msg);

#ifdef __cplusplus
}
#endif
#endif
