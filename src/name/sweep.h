/* SPDX-License-Identifier: MIT */
/* sweep: removes files that dead clients have left behind. */
#ifndef UNIXMSG_SWEEP_H
#define UNIXMSG_SWEEP_H

/*
 * Removes some dead socket files of ours, whose names begin with start, from a
 * directory. With "" all socket files there must be ours. The work is bounded,
 * whatever the directory holds: it looks at a few live files at most, in
 * another part of the directory each time. Leaves failures for the next time.
 * dir_fd is dir, open; the call closes it. Keeps errno.
 */
void unixsweep__directory(int dir_fd, const char *dir, const char *start);

#endif
