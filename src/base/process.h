/* SPDX-License-Identifier: MIT */
/*
 * process: the id of this process, without a system call each time.
 *
 * A service compares it in every round to notice fork(2), where one more system
 * call for each short message can be measured.
 */
#ifndef UNIXMSG_PROCESS_H
#define UNIXMSG_PROCESS_H

#include <sys/types.h>

/*
 * Returns memory that holds the id, and that the kernel empties in a child of
 * fork(2); free it with _free. Returns NULL if that is not possible: _get then
 * asks the kernel each time. Keeps errno.
 */
pid_t *unixprocess__make(void);

/* process may be NULL. */
void unixprocess__free(pid_t *process);

/* Returns as unixprocess__get does, if process is NULL or empty. */
pid_t unixprocess__ask(pid_t *process);

/* Returns the id of this process. */
static inline pid_t unixprocess__get(pid_t *process)
{
	if (process != NULL && *process != 0)
		return *process;
	return unixprocess__ask(process);
}

#endif
