/* SPDX-License-Identifier: MIT */
/*
 * unixowner: the owner of a name, for a message such as "in use by pid 123".
 * The owner is the process whose socket has the name. The call asks the kernel
 * (sock_diag(7), /proc), and the owner notices nothing. Decide nothing by the
 * result: it may be out of date when you get it.
 */
#ifndef UNIXMSG_OWNER_H
#define UNIXMSG_OWNER_H

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Room for a command name of 15 bytes, each escaped, and a NUL. */
#define UNIXMSG_COMMAND_SIZE 64

struct unixowner {
	/* A process that has the socket open. If no process has it open: a
	 * process that has a connection accepted from that socket. 0 if
	 * unknown: only root can see the descriptors of other users'
	 * processes. */
	pid_t pid;
	/* The effective user of the process. If pid is 0, the user who made the
	 * socket; (uid_t)-1 if that is unknown, too (before Linux 5.4). */
	uid_t user;
	/* The name of the process in printable ASCII; "" if pid is 0. */
	char command[UNIXMSG_COMMAND_SIZE];
	uint64_t reserved[8];
};

/*
 * Finds the owner of address. type is SOCK_DGRAM, SOCK_SEQPACKET or
 * SOCK_STREAM, or 0 for any of them; each type has its own abstract names, of
 * which 0 finds one. The call reads the kernel's whole list of sockets, and the
 * descriptors of all processes in /proc, which takes some milliseconds. owner
 * may be NULL if you only ask whether there is an owner: the call then does not
 * look at processes. Returns 0, or -1 with
 *
 *   ENOENT  no socket in this network namespace has that name
 *   EINVAL, ENAMETOOLONG  see unixaddr_parse
 *
 * or an error of open(2), socket(2), sock_diag(7).
 */
int unixowner_find(const char *address, int type, struct unixowner *owner);

#ifdef __cplusplus
}
#endif
#endif
