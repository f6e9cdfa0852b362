/* SPDX-License-Identifier: MIT */
/*
 * threads: whether this process has more than one.
 *
 * With one thread nothing has to be atomic, and an atomic change costs as much
 * as copying a short message. glibc knows since 2.32; other libraries do not
 * say, so we assume that there are more.
 */
#ifndef UNIXMSG_THREADS_H
#define UNIXMSG_THREADS_H

#include <features.h>
#include <stdbool.h>

#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 32)
#define THREADS_ARE_COUNTED
extern char __libc_single_threaded; /* see <sys/single_threaded.h> */
#endif
#endif

/* Returns true if no other thread exists. None appears before the caller makes
 * one. */
static inline bool threads_is_single(void)
{
#ifdef THREADS_ARE_COUNTED
	return __libc_single_threaded;
#else
	return false;
#endif
}

#endif
