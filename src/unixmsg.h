/* SPDX-License-Identifier: MIT */
/*
 * unixmsg: whole messages between the processes of one machine, over Unix
 * domain sockets. See unix(7) for the sockets themselves. The library hides
 * nothing of them: each connection, listener and service gives you its
 * descriptor.
 *
 * Start here
 *
 * A server for many clients is a handler and a few calls, on any of the three
 * networks: unixmsg/service.h. It bounds the cost of each peer and refuses
 * everything beyond the bounds.
 *
 * A client, or a server with its own loop, uses a connection directly:
 * unixmsg/conn.h, and unixmsg/listener.h for the servers of connections. The
 * calls are the same on all three networks. The networks have the names that Go
 * gives them:
 *
 *   unixgram    datagrams
 *   unixpacket  connections that keep message boundaries
 *   unix        byte streams, and framed messages on them
 *
 * unixmsg(7) helps to choose; unixmsg-security(7) describes the attacks on a
 * service and the defences. The other headers:
 *
 *   addresses   paths and abstract names            unixmsg/addr.h
 *   names       mode, owner, dead files             unixmsg/listen.h
 *   clients     waiting for a server, own address   unixmsg/dial.h
 *   deadlines   how long a call waits               unixmsg/deadline.h
 *   stopping    by SIGINT and SIGTERM               unixmsg/stop.h
 *   messages    descriptors, credentials, batches   unixmsg/msg.h
 *   lanes       in place, in shared memory          unixmsg/lane.h
 *   supervisor  inherited sockets                   unixmsg/activation.h
 *   takeover    the name of a running server        unixmsg/takeover.h
 *
 * Each function and each structure has a manual page under its own name.
 *
 * The rules that hold for every function
 *
 * Results. 0, or a pointer, is success; -1, or NULL, is failure with the reason
 * in errno. Functions that send or receive return 1 for a message, even an
 * empty one. 0 is no error: a receive returns it if the peer has closed and
 * will send no more, a send if the policy dropped the message. -1 is an error,
 * as everywhere. Success leaves errno as it was.
 *
 * Each errno has one meaning:
 *   EINVAL          the caller's mistake: a malformed address, no such network,
 *                   options that make no sense, a negative deadline
 *   ENAMETOOLONG    the address is longer than the kernel's structure
 *   EMSGSIZE        the message is too big to send, or was truncated
 *   EFBIG           a memory file cannot be that large
 *   EAGAIN          the call would have to wait, and the caller forbids that
 *   ETIMEDOUT       the deadline has passed
 *   ECANCELED       the stop descriptor became readable
 *   EINPROGRESS     only part of a framed message was sent, see unixconn_send
 *   EADDRINUSE      the name has a live owner, or may have one
 *   ENOTSOCK        a file that is no socket is at that path
 *   EPROTO          the peer sent bytes that are no message of this protocol
 *   EPERM           a policy forbids it: the directory's, the peer's, or ours
 *   ENOTSUP         the network, the kernel, or the file system cannot do that
 *   ENOSYS          the call needs /proc, or a newer kernel
 *   ENOTCONN        the socket or the service has no such peer, or no longer
 *                   has it
 *   EISCONN         the socket is connected, and sends to its peer only
 *   EPIPE           the peer of a connection no longer receives
 *   ECONNRESET      the peer has closed, and has left messages unread
 *   ESHUTDOWN       the socket was shut down: no message can come any more
 *   ECONNREFUSED    no socket has that name, or its owner does not listen
 *   ENOENT          nothing has that name, or nothing is left
 *   EPROTOTYPE      the socket is of another network
 *   EAFNOSUPPORT    the socket is no Unix socket
 *   EBADF           that descriptor is not open
 *   ESTALE          another file, or another peer, is there now
 *   ESRCH           that process is dead
 *   ELOOP           too many symbolic links on the way
 *   EDQUOT          above a limit of a service
 *   EBUSY           not now: a handler is running, a message is half sent or
 *                   half read, a mapping or another takeover exists
 *   ERANGE, ENOSPC  the caller's room is too small
 *   EMFILE, ENFILE, ENOMEM, ENOBUFS  a shortage: a later call may succeed
 *   EACCES, and others  as the kernel means them
 *
 * Deadlines. Every call that can wait takes one, see unixmsg/deadline.h.
 *
 * Ownership. Arguments stay the caller's. The matching _close ends the result
 * of an _open, _accept, _dial or _adopt: it closes the descriptor, and removes
 * the socket file if that file is still ours. _close takes NULL.
 *
 * Always: descriptors are close-on-exec, no call raises SIGPIPE, every call
 * handles EINTR, and descriptors that a peer sends unasked are never kept. No
 * descriptor that the library opens, accepts or receives gets a number below 3,
 * so a program that has closed one of these cannot print to a peer by mistake.
 * An adopted descriptor keeps its number.
 *
 * Never: signal handlers, threads, umask, chdir, output, memory whose size a
 * peer chooses.
 *
 * Threads. Functions on different objects may run at once. On one object, one
 * thread may send while another receives. Concurrent sends, or receives, on one
 * object keep messages whole, as the kernel's calls do; which thread receives
 * which message is unspecified. Framed streams are the exception, see
 * unixmsg/conn.h. _close needs the object to itself. Do not cancel a thread
 * (pthread_cancel(3)) during a call: the call would leak descriptors, locks and
 * memory. To end a wait, make its stop descriptor readable.
 */
#ifndef UNIXMSG_H
#define UNIXMSG_H

#include "unixmsg/activation.h"
#include "unixmsg/addr.h"
#include "unixmsg/blob.h"
#include "unixmsg/buffer.h"
#include "unixmsg/conn.h"
#include "unixmsg/cred.h"
#include "unixmsg/deadline.h"
#include "unixmsg/dial.h"
#include "unixmsg/lane.h"
#include "unixmsg/listen.h"
#include "unixmsg/listener.h"
#include "unixmsg/msg.h"
#include "unixmsg/notify.h"
#include "unixmsg/owner.h"
#include "unixmsg/peer.h"
#include "unixmsg/service.h"
#include "unixmsg/stop.h"
#include "unixmsg/takeover.h"

#endif
