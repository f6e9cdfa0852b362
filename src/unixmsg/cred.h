/* SPDX-License-Identifier: MIT */
/*
 * struct unixcred: a process's identity as the kernel vouches for it. Whose,
 * and of which moment, is said where one is given: unixmsg/peer.h for the peer
 * of a connection, unixmsg/msg.h for the writer of a message.
 */
#ifndef UNIXMSG_CRED_H
#define UNIXMSG_CRED_H

#include <sys/types.h>

/*
 * pid is 0 for a process of another PID namespace, and is for logs only: once
 * the process is reaped the number is given to another. Where nothing is known
 * of anybody they are 0, (uid_t)-1 and (gid_t)-1, which no process can be.
 */
struct unixcred {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

#endif
