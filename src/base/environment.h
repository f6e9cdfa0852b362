/* SPDX-License-Identifier: MIT */
/* environment: the variables that a supervisor sets. */
#ifndef UNIXMSG_ENVIRONMENT_H
#define UNIXMSG_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Returns the value of a variable, or NULL when it is not set. A program that
 * was started set-user-ID or set-group-ID ignores them all. Else its user could
 * make it write to any socket that only root can reach, or name descriptors
 * that are not meant for it.
 *
 * This is not secure_getenv(3). That also hides the environment when a security
 * module changes the context at exec, as SELinux may for a service, and from
 * programs with file capabilities. They would not hear their supervisor, which
 * would wait for READY=1 in vain.
 */
const char *unixenvironment__get(const char *name);

/*
 * Reads a variable that is a decimal number up to most, which is 9 or more:
 * digits and nothing else. Returns 1 with *number; 0 when it is not set, or is
 * empty, as when it is cleared for one command; -1 with EPROTO.
 */
int unixenvironment__get_number(const char *name, uint64_t most,
	uint64_t *number);

/*
 * Tells whether a variable that holds a process id means this process. Returns
 * 1; 0 when it means another; otherwise when it is not set; -1 with EPROTO.
 */
int unixenvironment__is_ours(const char *name, bool otherwise);

#endif
