/* SPDX-License-Identifier: MIT */
/* sweep: what clients that died left behind. */
#ifndef UNIXMSG_SWEEP_H
#define UNIXMSG_SWEEP_H

/*
 * Removes some dead socket files from a directory in which all socket files
 * are ours. The work is bounded whatever lies there: it looks at a few live
 * ones at most, in another part of the directory each time. Failures leave
 * files for the next time. dir_fd is dir, open; it is taken over and closed.
 * errno is kept.
 */
void unixsweep_directory(int dir_fd, const char *dir);

#endif
