/* SPDX-License-Identifier: MIT */
/*
 * aside: files that were set aside, see file.h, by a process that was killed
 * before it had done with them.
 */
#ifndef UNIXMSG_ASIDE_H
#define UNIXMSG_ASIDE_H

#include <stdbool.h>

struct stat;

/* Whether there is such a file of leaf: mostly somebody is just at work. */
bool unixaside__is_there(int dir_fd, const char *leaf);

/*
 * Whether a file with such a name is no trap: others may have put theirs there
 * where they may make files and not rename ours.
 */
bool unixaside__is_trusted(int dir_fd, const struct stat *found);

/*
 * The file itself (O_PATH), for those who dial. ENOENT as well where the bit
 * that keeps files to their owners lets anybody make such a file, and it is
 * neither ours nor root's.
 */
int unixaside__open(int dir_fd, const char *leaf);

/*
 * Under the lock, where nobody is at work: removes what was set aside of leaf
 * when nobody owns it, and puts it back when somebody does and no live one has
 * the name since. dir is the directory as text, or NULL. What fails is left for
 * the next time; errno is kept.
 */
void unixaside__settle(int dir_fd, const char *dir, const char *leaf);

/*
 * The leaf that entry, a name found in a directory, was set aside of. NULL when
 * it is none of ours.
 */
const char *unixaside__get_leaf(const char *entry);

#endif
