/* SPDX-License-Identifier: MIT */
/*
 * holder: the processes that have a socket open, by /proc. Only root sees the
 * descriptors of other users' processes. Perhaps nobody sees processes in other
 * PID namespaces, or where /proc is mounted with hidepid.
 */
#ifndef UNIXMSG_HOLDER_H
#define UNIXMSG_HOLDER_H

#include <stdint.h>
#include <sys/types.h>

/* One descriptor of one process. */
struct unixholder {
	uint64_t ino; /* of the socket: N in "socket:[N]" */
	pid_t pid;
	int fd;
};

/* Called for each descriptor. A return of -1 with errno ends the walk. */
typedef int unixholder_take(void *context, const struct unixholder *holder);

/*
 * Walks through the socket descriptors, of all kinds, of all processes. Counts
 * in denied the processes that it may not look into. Passes over processes that
 * end meanwhile. Returns -1 with an errno of take, an errno of opendir(3) for
 * /proc, or EMFILE, ENFILE or ENOMEM.
 */
int unixholder__list(unixholder_take *take, void *context,
	unsigned int *denied);

/* Room for a name of 15 bytes, all of them escaped. */
#define UNIXHOLDER_COMMAND_SIZE 64

struct unixholder_process {
	uid_t user;                            /* the effective one */
	char command[UNIXHOLDER_COMMAND_SIZE]; /* printable ASCII */
};

/* Returns -1 with errno if the process has ended or /proc hides it. */
int unixholder__read_process(pid_t pid, struct unixholder_process *process);

#endif
