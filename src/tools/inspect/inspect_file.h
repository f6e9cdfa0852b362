/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_FILE_H
#define UNIXMSG_TOOLS_INSPECT_FILE_H

/* What stands at a path, and who may send to it if it is a socket. */

#include <stdbool.h>
#include <sys/stat.h>

#include "name/diag.h"

struct inspect_file {
	int fd;             /* O_PATH: of what a link leads to */
	bool is_link;       /* the path's last step is a symbolic link */
	struct stat status; /* of what it leads to */
	struct unixdiag_file id;
	bool has_acl; /* an access list says more than the mode */
};

/*
 * Looks at path, from dir_fd on as openat(2) does. -1 with errno: ENOENT and
 * ENOTDIR when nothing is there, else why it cannot be seen.
 */
int inspect_file_open(struct inspect_file *file, int dir_fd, const char *path,
	struct unixdiag_mount *mount);

void inspect_file_close(struct inspect_file *file);

bool inspect_file_is_socket(const struct inspect_file *file);

/* What kind of file it is: "socket", "regular file", ... */
const char *inspect_file_get_kind(const struct inspect_file *file);

/* Whether we may ask if anybody is there: the right to send to it. */
bool inspect_file_may_send(const struct inspect_file *file);

/*
 * In words, who may send: "user alice; group adm". Only the write bits count.
 * Nobody needs the others, and root needs none.
 */
void inspect_file_describe_senders(const struct inspect_file *file, char *text,
	size_t room);

/*
 * In words, which directory on the way lets not everybody through, and whom:
 * "/run/app: user alice; group adm". False when all do.
 */
bool inspect_file_describe_way(const struct inspect_file *file, char *text,
	size_t room);

#endif
