/* SPDX-License-Identifier: MIT */
/*
 * unixmsg: whole messages between the processes of one machine, over Unix
 * domain sockets. See unix(7) for the sockets themselves; the library hides
 * nothing of them, and every endpoint gives its descriptor.
 *
 * Where to begin
 *
 * A server for many clients is a handler and a few calls, on any of the three
 * networks: unixmsg/service.h. It bounds what a peer can cost and sheds what is
 * beyond the bounds.
 *
 * A client, or a server with a loop of its own, uses a connection directly:
 * unixmsg/conn.h, and unixmsg/listener.h for the servers of connections. The
 * calls are the same on all networks, which are named as Go names them:
 *
 *   unixgram    datagrams
 *   unixpacket  connections that keep message boundaries
 *   unix        byte streams, and framed messages on them
 *
 * unixmsg(7) helps to choose, unixmsg-security(7) tells who attacks a service
 * and what holds against it. These belong to it:
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
 * Results. 0, or a pointer, is success; -1, or NULL, is failure with the
 * reason in errno. Functions that send or receive give 1 for a message that has
 * passed, also an empty one; 0 for none, which is no error: receiving, the peer
 * has closed and will send no more; sending, the policy has dropped it. -1 is
 * an error for them, too. errno is kept as it was on success.
 *
 * The words of errno, each with one meaning:
 *   EINVAL        the caller's mistake: a malformed address, no such network,
 *                 options that cannot be meant, a negative deadline
 *   ENAMETOOLONG  the address does not fit into the room the kernel has
 *   EMSGSIZE      the message is too big to be sent, or was cut
 *   EFBIG         memory for a message cannot be that large
 *   EAGAIN        it would have to wait, and was told not to
 *   ETIMEDOUT     the deadline came
 *   ECANCELED     the stop descriptor became readable
 *   EINPROGRESS   part of a framed message has gone, see unixconn_send
 *   EADDRINUSE    the name has a live owner, or may have one
 *   ENOTSOCK      something that is no socket stands at that path
 *   EPROTO        the peer sent what is no message of this protocol
 *   EPERM         refused by policy: the directory's, the peer's, ours
 *   ENOTSUP       the network, the kernel, or the file system, does not do that
 *   ENOSYS        it takes /proc, or a newer kernel
 *   ENOTCONN      it has no peer (any more)
 *   EISCONN       it has one, and sends to no other address
 *   EPIPE         the peer of a connection takes nothing any more
 *   ECONNRESET    the peer has closed, and has left messages unread
 *   ESHUTDOWN     the socket was shut down: no message can come any more
 *   ECONNREFUSED  nobody owns that name, or its owner does not listen
 *   ENOENT        nothing is there, or left, of that name
 *   EPROTOTYPE    a socket of another network
 *   EAFNOSUPPORT  a socket that is no Unix socket
 *   EBADF         that descriptor is not open
 *   ESTALE        another file, or another peer, stands there now
 *   ESRCH         that process has died
 *   ELOOP         too many symbolic links on the way
 *   EDQUOT        above a limit of a service
 *   EBUSY         within a handler, or while it is mapped
 *   ERANGE, ENOSPC  the caller's room is too small
 *   EMFILE, ENFILE, ENOMEM, ENOBUFS  a shortage: later it may go
 *   EACCES, and others, as the kernel means them
 *
 * Deadlines. A call that can wait takes one, see unixmsg/deadline.h.
 *
 * Ownership. What a function is given stays the caller's. What an _open,
 * _accept, _dial or _adopt gives is ended by the matching _close, which
 * also closes the descriptor and removes the socket file if it is still
 * ours. _close takes NULL.
 *
 * Always: descriptors are close-on-exec, no call raises SIGPIPE, EINTR is
 * handled inside, descriptors that a peer sends unasked are never kept. No
 * descriptor that the library opens, accepts or receives gets a number below 3:
 * a program that runs with some of these closed cannot print to a peer by
 * mistake. One that is adopted keeps its number.
 * Never: signal handlers, threads, umask, chdir, output, memory whose size
 * a peer chooses.
 *
 * Threads. Functions on different objects may run at once. On one object
 * one thread may send while another receives; two that send, or two that
 * receive, are as safe as the kernel's calls are: messages stay whole, and
 * who gets which is not told. Framed streams are the exception, see there.
 * _close needs the object to itself. Do not cancel a thread (pthread_cancel(3))
 * inside of a call: what the call had opened stays open, what it had locked or
 * allocated stays so. To end a wait, make its stop descriptor readable.
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
