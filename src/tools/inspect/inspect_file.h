/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_FILE_H
#define UNIXMSG_TOOLS_INSPECT_FILE_H

/* The file at a path, and the users who may send to it if it is a socket. */

#include <stdbool.h>
#include <sys/stat.h>

#include "name/diag.h"

struct inspect_file {
	int fd;             /* O_PATH, of the target of a link */
	bool is_link;       /* the path's last step is a symbolic link */
	struct stat status; /* of the target */
	struct unixdiag_file id;
	bool has_acl; /* an access list adds to the mode */
};

/*
 * Opens path, from dir_fd on as openat(2) does. Returns -1 with errno: ENOENT
 * and ENOTDIR if it does not exist, or why it cannot be seen.
 */
int inspect_file_open(struct inspect_file *file, int dir_fd, const char *path,
	struct unixdiag_mount *mount);

void inspect_file_close(struct inspect_file *file);

bool inspect_file_is_socket(const struct inspect_file *file);

/* Returns the kind of the file: "socket", "regular file", ... */
const char *inspect_file_get_kind(const struct inspect_file *file);

/* True if we may send to it, and so may probe for an owner. */
bool inspect_file_may_send(const struct inspect_file *file);

/*
 * Writes the users who may send: "user alice; group adm". Only the write bits
 * count, and root needs none.
 */
void inspect_file_describe_senders(const struct inspect_file *file, char *text,
	size_t room);

/*
 * Writes the directory on the way that admits only some users, and these users:
 * "/run/app: user alice; group adm". False if all directories admit all users.
 */
bool inspect_file_describe_way(const struct inspect_file *file, char *text,
	size_t room);

#endif
