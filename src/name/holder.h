/* SPDX-License-Identifier: MIT */
/*
 * holder: which processes have which socket open, as /proc tells. Of other
 * users' processes only root is told; of processes in other PID namespaces,
 * and where /proc is mounted with hidepid, nobody may be.
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

/* Called for each. -1 with errno ends the walk. */
typedef int unixholder_take(void *context, const struct unixholder *holder);

/*
 * Walks through the socket descriptors, of all kinds, of all processes. How
 * many processes could not be looked into is counted in denied. Processes that
 * end meanwhile are passed over. -1 with errno: what take or opendir(3) of
 * /proc gave.
 */
int unixholder__list(unixholder_take *take, void *context,
	unsigned int *denied);

/* Room for a name of 15 bytes, each escaped. */
#define UNIXHOLDER_COMMAND_SIZE 64

struct unixholder_process {
	uid_t user;                            /* the effective one */
	char command[UNIXHOLDER_COMMAND_SIZE]; /* printable ASCII */
};

/* -1 with errno: the process has ended, or /proc does not show it. */
int unixholder__read_process(pid_t pid, struct unixholder_process *process);

#endif
