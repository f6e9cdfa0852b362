/* SPDX-License-Identifier: MIT */
/* environment: what a supervisor says by variables. */
#ifndef UNIXMSG_ENVIRONMENT_H
#define UNIXMSG_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The value of a variable, NULL when it is not set. A program that was started
 * set-user-ID or set-group-ID believes none: else its user could have it write
 * to any socket that only root can reach, or name descriptors that are not for
 * it.
 *
 * This is not secure_getenv(3). That also hides the environment when a security
 * module changes the context at exec, as SELinux may for a service, and
 * from programs with file capabilities: there the supervisor's own words would
 * be lost, and it would wait for READY=1 in vain.
 */
const char *unixenvironment__get(const char *name);

/*
 * A variable that is a decimal number up to most: digits and nothing else. 1
 * with *number; 0 when it is not set, or empty, which is how it is taken away
 * for one command; -1 with EPROTO.
 */
int unixenvironment__get_number(const char *name, uint64_t most,
	uint64_t *number);

/*
 * Whether a variable that holds a process id means this process: 1, 0 when it
 * means another, otherwise when it is not set; -1 with EPROTO.
 */
int unixenvironment__is_ours(const char *name, bool otherwise);

#endif
