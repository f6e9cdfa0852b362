/* SPDX-License-Identifier: MIT */
/*
 * name: the life of a bound name, from claim (claim.c) to release (name.c), and
 * the way to a name that somebody else has bound.
 */
#ifndef UNIXMSG_NAME_PRIVATE_H
#define UNIXMSG_NAME_PRIVATE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/addr_private.h"
#include "unixmsg/listen.h"

struct stat;

/* Options of a claim. The flags are those UNIXMSG_LISTEN_... that concern
 * names, see unixmsg/listen.h. */
struct unixname_options {
	mode_t mode;
	uid_t user; /* (uid_t)-1: not changed, like the group */
	gid_t group;
	unsigned int flags;
};

/* Fills in the defaults. */
void unixname__options_init(struct unixname_options *options);

/* A socket file of ours. */
struct unixname {
	int dir_fd;
	dev_t dev;
	ino_t ino; /* 0: not known yet */
	pid_t pid;
	bool is_kept;
	bool is_client; /* release does not wait for the lock */
	bool is_fresh;  /* nobody else can have replaced it */
	/* Its directory as text, "" if that does not fit into an address. */
	char dir[UNIXMSG_NAME_SIZE_MAX + 1];
	char leaf[NAME_MAX + 1];
};

/* claim.c */

/*
 * Binds fd to the address in text, see unixmsg/listen.h. With is_answered peers
 * answer to the name, so its absolute path must fit into an address:
 * ENAMETOOLONG otherwise. options may be NULL. On success pass *name to
 * unixname__release; it is NULL if there is nothing to remove. On failure
 * nothing is left behind, and fd stays the caller's. Waits for the lock on the
 * directory for a second at most, and not beyond deadline_us.
 */
int unixname__claim(int fd, const char *text, bool is_answered,
	const struct unixname_options *options, int64_t deadline_us,
	struct unixname **name);

/*
 * Does the same for a client's path, in raw bytes, which is random: nobody has
 * had it before or will have it. It does not wait for the lock.
 */
int unixname__claim_fresh(int fd, const char *path,
	const struct unixname_options *options, struct unixname **name);

/*
 * Removes leaf from the directory (dir as text, or NULL) if it is the socket
 * file of path_fd (O_PATH) and nobody owns that. Errors: EADDRINUSE when
 * somebody does or may, or another file has the name now; ENOTSOCK; EAGAIN or
 * ETIMEDOUT when the lock on the directory is not free until deadline_us; else
 * those of unlink(2). Returns 0 when it is already gone.
 */
int unixname__remove_dead(int dir_fd, const char *dir, const char *leaf,
	int path_fd, int64_t deadline_us);

/* name.c */

/*
 * Makes a name of path and opens its directory; it claims nothing yet. Fails
 * with EPERM if everybody may rename files there, unless flags allow that, and
 * with ENOTSOCK for a path without a last part. Returns NULL on failure.
 */
struct unixname *unixname__open(const char *path, unsigned int flags);

/* Frees name, leaves its file alone, and returns result with its errno. */
int unixname__close(struct unixname *name, int result);

/* Opens the file there (O_PATH), not through a link. Returns like openat(2). */
int unixname__open_leaf(const struct unixname *name);

/* Records the file in found as ours. */
void unixname__remember(struct unixname *name, const struct stat *found);

/*
 * Removes the file if it is still ours, and frees name, which may be NULL. Call
 * it while the socket is open, so that no other file can get the inode's
 * number. Returns -1 with errno when the file is still there.
 */
int unixname__release(struct unixname *name);

/*
 * Makes the file at path ours, so that release removes it. path_fd (O_PATH) is
 * that file, and a socket of ours is bound to it. Fails with ESTALE when
 * another file has the name now.
 */
int unixname__take_up(const char *path, int path_fd, struct unixname **name);

/*
 * Makes this process the one that removes the file: a parent may have bound it
 * before fork(2). Fails with ESTALE when the file is no longer there.
 */
int unixname__take_on(struct unixname *name);

/* Sets whether release leaves the file in place. name may be NULL. */
void unixname__set_kept(struct unixname *name, bool is_kept);

/*
 * Checks that there is /proc, because long paths are reached through
 * descriptors. Fails with ENOSYS if not.
 */
int unixname__check_proc(void);

/* The target of a connect: an address, and a descriptor to close after use. */
struct unixname_target {
	struct unixaddr addr;
	int fd;
};

/*
 * Finds the address to connect to. A path that is too long for an address is
 * opened (O_PATH) and reached through /proc/self/fd. Errors are those of
 * unixaddr_parse, open(2) and unixname__check_proc, and EINVAL for a text that
 * names no socket ("@").
 */
int unixname__find(const char *text, struct unixname_target *target);

/*
 * Does the same for a file while it is set aside, see file.h: its owner is
 * about to be replaced, or the process that was to do so was killed. Fails with
 * ENOENT for an abstract name, and for a file that anybody may have put there,
 * see aside.h.
 */
int unixname__find_aside(const char *text, struct unixname_target *target);

/* Looks at the file that a client of text would reach, like stat(2). */
int unixname__look(const char *text, struct stat *found);

void unixname__target_close(struct unixname_target *target);

#endif
