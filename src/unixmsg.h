/* SPDX-License-Identifier: MIT */
/*
 * unixmsg: whole messages between the processes of one machine, over Unix
 * domain sockets. See unix(7) for the sockets themselves; the library hides
 * nothing of them, and every endpoint gives its descriptor.
 *
 * Start here
 *
 * A server for many clients is a handler and a few calls, on any of the three
 * networks: unixmsg/service.h. It bounds the cost of each peer and refuses
 * everything beyond the bounds.
 *
 * A client, or a server with its own loop, uses a connection directly:
 * unixmsg/conn.h, and unixmsg/listener.h for the servers of connections. The
 * calls are the same on all networks, which have the names that Go gives them:
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
 *   the end     by SIGINT and SIGTERM               unixmsg/stop.h
 *   messages    descriptors, credentials, batches   unixmsg/msg.h
 *   supervisor  inherited sockets                   unixmsg/activation.h
 *   in front    the name of a running server, lent  unixmsg/takeover.h
 *
 * Each function and each structure has a manual page under its own name.
 *
 * The rules that hold for every function
 *
 * Results. 0, or a pointer, is success; -1, or NULL, is failure with the reason
 * in errno. Functions that send or receive return 1 for a message, also for an
 * empty one. They return 0 if there is none, which is no error: on receiving,
 * the peer has closed and will send no more; on sending, the policy has dropped
 * the message. They return -1 for an error, like all others. Success leaves
 * errno as it was.
 *
 * Each errno has one meaning:
 *   EINVAL          the caller's mistake: a malformed address, no such network,
 *                   options that make no sense, a negative deadline
 *   ENAMETOOLONG    the address is longer than the kernel's structure
 *   EMSGSIZE        the message is too big to send, or was truncated
 *   EFBIG           memory for a message cannot be that large
 *   EAGAIN          it would have to wait, and the caller forbids that
 *   ETIMEDOUT       the deadline came
 *   ECANCELED       the stop descriptor became readable
 *   EINPROGRESS     part of a framed message is sent, see unixconn_send
 *   EADDRINUSE      the name has a live owner, or may have one
 *   ENOTSOCK        a file that is no socket is at that path
 *   EPROTO          the peer sent bytes that are no message of this protocol
 *   EPERM           refused by policy: the directory's, the peer's, ours
 *   ENOTSUP         the network, the kernel, or the file system cannot do that
 *   ENOSYS          it needs /proc, or a newer kernel
 *   ENOTCONN        it has no peer, or no longer
 *   EISCONN         it has a peer, and sends to no other address
 *   EPIPE           the peer of a connection receives nothing any more
 *   ECONNRESET      the peer has closed, and has left messages unread
 *   ESHUTDOWN       the socket was shut down: no message can come any more
 *   ECONNREFUSED    nobody owns that name, or its owner does not listen
 *   ENOENT          there is nothing of that name, or nothing left
 *   EPROTOTYPE      a socket of another network
 *   EAFNOSUPPORT    a socket that is no Unix socket
 *   EBADF           that descriptor is not open
 *   ESTALE          another file, or another peer, is there now
 *   ESRCH           that process is dead
 *   ELOOP           too many symbolic links on the way
 *   EDQUOT          above a limit of a service
 *   EBUSY           within a handler, or while it is mapped
 *   ERANGE, ENOSPC  the caller's room is too small
 *   EMFILE, ENFILE, ENOMEM, ENOBUFS  a shortage: a later call may succeed
 *   EACCES, and others  as the kernel means them
 *
 * Deadlines. Every call that can wait takes one, see unixmsg/deadline.h.
 *
 * Ownership. Arguments stay the caller's. The result of an _open, _accept,
 * _dial or _adopt ends with the matching _close, which also closes the
 * descriptor, and removes the socket file if it is still ours. _close takes
 * NULL.
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
 * (pthread_cancel(3)) inside of a call: descriptors, locks and memory of that
 * call would stay. To end a wait, make its stop descriptor readable.
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
