/* SPDX-License-Identifier: MIT */
/*
 * struct unixcred: a process's identity as the kernel vouches for it.
 * unixmsg/peer.h describes the identity of a connection's peer, unixmsg/msg.h
 * that of a message's writer.
 */
#ifndef UNIXMSG_CRED_H
#define UNIXMSG_CRED_H

#include <sys/types.h>

/*
 * pid is 0 for a process of another PID namespace. It is for logs only: once
 * the process is reaped, another one can get the number. An unknown process has
 * 0, (uid_t)-1 and (gid_t)-1, which no process can have.
 */
struct unixcred {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

#endif
