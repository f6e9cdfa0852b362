/* SPDX-License-Identifier: MIT */
/*
 * unixowner: who owns a name, to tell a person: "in use by pid 123". It asks
 * the kernel (sock_diag(7), /proc), and the owner notices nothing. Decide
 * nothing by it: the answer may be old when it arrives.
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
	/* A process that has the socket open, or else a connection that was
	 * accepted from it; 0 if the kernel does not tell: only root sees into
	 * the processes of others. */
	pid_t pid;
	/* The effective user of the process; without a process the user who
	 * made the socket, or (uid_t)-1 if that is unknown, too (before Linux
	 * 5.4). */
	uid_t user;
	/* The name of the process in printable ASCII; "" without a process. */
	char command[UNIXMSG_COMMAND_SIZE];
	uint64_t reserved[8];
};

/*
 * Finds the owner of address. type is SOCK_DGRAM, SOCK_SEQPACKET or
 * SOCK_STREAM, or 0 for any of them; each type has its own abstract names. It
 * reads all of the kernel's list and /proc, which takes some milliseconds.
 * Returns 0, or -1 with
 *
 *   ENOENT  nobody in this network namespace owns it
 *   EINVAL, ENAMETOOLONG  see unixaddr_parse
 *
 * or an error of open(2), socket(2), sock_diag(7).
 */
int unixowner_find(const char *address, int type, struct unixowner *owner);

#ifdef __cplusplus
}
#endif
#endif
