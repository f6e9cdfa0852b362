/* SPDX-License-Identifier: MIT */
/*
 * unixstream: byte streams (SOCK_STREAM, Go's "unix"), and whole messages on
 * them for peers that have only streams.
 *
 * Choose one way for a connection. _read and _write carry bytes as they come.
 * _send and _recv carry messages: each is preceded by its length in four
 * bytes, big-endian.
 *
 * Threads: as unixmsg.h says, but on one stream only one thread at a time may
 * call _recv or _read, and only one _send or _write, since a message may take
 * several system calls.
 */
#ifndef UNIXMSG_STREAM_H
#define UNIXMSG_STREAM_H

#include "addr.h"
#include "deadline.h"
#include "dial.h"
#include "listener.h"
#include "name.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unixstream;

/*
 * Listens at address, see unixmsg/addr.h and unixmsg/name.h; what is made is
 * ended by unixlistener_close, see unixmsg/listener.h. backlog is how many
 * connections may wait to be accepted, 0 or less for the system's largest
 * (net.core.somaxconn); options may be NULL. May wait for the lock on the
 * directory, no longer than unixmsg/name.h says. NULL on failure, nothing is
 * left behind. Errors: EINVAL, ENAMETOOLONG, EADDRINUSE, ENOTSOCK, EPERM, and
 * those of socket(2), bind(2), listen(2), open(2), chown(2), malloc(3).
 */
struct unixlistener *unixstream_listen(const char *address, int backlog,
	const struct unixname_options *options);

/*
 * Takes the next connection; several threads may wait in it. The connection
 * begins with the listener's stop descriptor. NULL with EAGAIN, ETIMEDOUT,
 * ECANCELED, EPROTOTYPE (a listener for unixpacket), EMFILE or ENFILE (the
 * connection goes on waiting in the backlog, and the listener stays readable:
 * pause before you poll again), EINVAL (somebody who shares the listener has
 * shut it down: nobody can connect any more, and no wait would end), or those
 * of accept(2), malloc(3).
 */
struct unixstream *unixstream_accept(struct unixlistener *listener,
	int64_t deadline_us);

/*
 * Connects to the listener at address, see unixmsg/dial.h for options, which
 * may be NULL, and errors. Waits while the listener's backlog is full. NULL on
 * failure, nothing is left behind.
 */
struct unixstream *unixstream_dial(const char *address,
	const struct unixdial_options *options, int64_t deadline_us);

/*
 * Makes a stream of a connected descriptor that somebody else has opened. It
 * belongs to the stream then, and becomes close-on-exec. NULL on failure, fd
 * stays yours: ENOTSOCK, EAFNOSUPPORT (no Unix socket), EPROTOTYPE (another
 * type), EINVAL (it listens), EBADF, or those of malloc(3).
 */
struct unixstream *unixstream_adopt(int fd);

/*
 * Two streams that are each other's peer, for a parent and a child. pair is
 * untouched on failure. Errors: those of socketpair(2), malloc(3).
 */
int unixstream_pair(struct unixstream *pair[2]);

/*
 * Closes the descriptor, removes the file of its own address if it has one,
 * frees stream, which may be NULL, and what it has read ahead. The peer still
 * receives what was sent, then ECONNRESET if its bytes lay unread in the
 * kernel, then the end. -1 with errno when a file could not be removed; stream
 * is gone all the same.
 */
int unixstream_close(struct unixstream *stream);

/* The descriptor, for poll(2) and socket options. It stays stream's. */
int unixstream_get_fd(const struct unixstream *stream);

/* See unixmsg/deadline.h. -1 for none. */
void unixstream_set_stop_fd(struct unixstream *stream, int stop_fd);

/* See unixmsg/deadline.h. 0 for off. */
void unixstream_set_spin_us(struct unixstream *stream, int64_t spin_us);

/* Our address and the peer's: unnamed for a client that has bound none.
 * Errors: those of getsockname(2) and getpeername(2). */
int unixstream_get_address(const struct unixstream *stream,
	struct unixaddr *addr);
int unixstream_get_peer(const struct unixstream *stream, struct unixaddr *addr);

/*
 * Ends one direction, or both: how is SHUT_WR, SHUT_RD or SHUT_RDWR as for
 * shutdown(2). After SHUT_WR the peer receives what was sent and then the end;
 * it can still send. Errors: EINVAL, ENOTCONN.
 */
int unixstream_shutdown(struct unixstream *stream, int how);

/*
 * Reads what is there, at least one byte, at most room. 1 and *size; 0 when
 * the peer has closed or ended its direction; -1 with ECONNRESET (the peer
 * closed while bytes of ours lay unread at its side: it comes once, behind the
 * bytes that it has sent, where a unixpacket tells it before), EAGAIN,
 * ETIMEDOUT, ECANCELED, or those of recv(2). With a room of 0 it gives 1 and
 * size 0 at once. size may be NULL.
 */
int unixstream_read(struct unixstream *stream, void *data, size_t room,
	size_t *size, int64_t deadline_us);

/*
 * Writes all size bytes. 0, or -1 with EPIPE, ECONNRESET, EAGAIN, ETIMEDOUT,
 * ECANCELED, or those of send(2). *written, unless NULL, tells in every case
 * how many bytes the kernel has taken: go on behind them.
 */
int unixstream_write(struct unixstream *stream, const void *data, size_t size,
	size_t *written, int64_t deadline_us);

/*
 * Sends size bytes at data as one message with its length before it. 0, or -1
 * with EMSGSIZE (more than 4 GiB - 1), EAGAIN, ETIMEDOUT, ECANCELED (nothing
 * of it has gone), EPIPE, ECONNRESET, or those of send(2); and with
 *
 *   EINPROGRESS  the deadline or the stop came in the middle of the message.
 *                Call again with the same message, and the rest of it goes;
 *                with one of another size that is EINVAL. If you close
 *                instead, the peer is told with EPROTO.
 */
int unixstream_send(struct unixstream *stream, const void *data, size_t size,
	int64_t deadline_us);

/*
 * Receives one message into data, which has room for room bytes; *size, which
 * may be NULL, is its true size. 1 a message, perhaps an empty one; 0 the peer
 * has closed between two messages; -1 with
 *
 *   EMSGSIZE  it is larger than room. It is passed over, *size is set, and the
 *             next call receives the next message.
 *   EPROTO    the peer has closed in the middle of a message
 *   ENOMEM    no memory to read ahead
 *   EAGAIN, ETIMEDOUT, ECANCELED  what has arrived of a message is kept for
 *             the next call
 *   or those of recv(2).
 *
 * It reads ahead, into memory of 64 KiB that grows with what has arrived of a
 * message, up to twice room; one of 32 KiB or more behind another of its size
 * comes into data without a copy, and what lies there behind a message, or
 * without one, is of no meaning. poll(2) on the descriptor does not tell of
 * messages that were read ahead, so receive with UNIXMSG_NOW until EAGAIN
 * before you poll.
 */
int unixstream_recv(struct unixstream *stream, void *data, size_t room,
	size_t *size, int64_t deadline_us);

#ifdef __cplusplus
}
#endif
#endif
