/* SPDX-License-Identifier: MIT */
/*
 * struct unixcred: the identity of a process, which the kernel vouches for.
 * unixmsg/peer.h describes the identity of a connection's peer, unixmsg/msg.h
 * that of a message's writer.
 */
#ifndef UNIXMSG_CRED_H
#define UNIXMSG_CRED_H

#include <sys/types.h>

/*
 * pid is 0 if the process has no number in our PID namespace. Use pid in logs
 * only: once the process is reaped, another one can get the number. For an
 * unknown process pid is 0, uid is (uid_t)-1 and gid is (gid_t)-1; no process
 * has these ids.
 */
struct unixcred {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

#endif
