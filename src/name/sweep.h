/* SPDX-License-Identifier: MIT */
/* sweep: what clients that died left behind. */
#ifndef UNIXMSG_SWEEP_H
#define UNIXMSG_SWEEP_H

/*
 * Removes some dead socket files of ours, whose names begin with start, from a
 * directory. With "" all socket files that are there have to be ours. The work
 * is bounded whatever lies there: it looks at a few live ones at most, in
 * another part of the directory each time. Failures leave files for the next
 * time. dir_fd is dir, open; it is taken over and closed. errno is kept.
 */
void unixsweep__directory(int dir_fd, const char *dir, const char *start);

#endif
