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

/* What a name is claimed with; the flags are those of UNIXMSG_LISTEN_... that
 * are about names, see unixmsg/listen.h. */
struct unixname_options {
	mode_t mode;
	uid_t user; /* (uid_t)-1: left as it is, and so group */
	gid_t group;
	unsigned int flags;
};

/* Fills in the defaults. */
void unixname__options_init(struct unixname_options *options);

/* A socket file that we made. */
struct unixname {
	int dir_fd;
	dev_t dev;
	ino_t ino; /* 0: not known yet */
	pid_t pid;
	bool is_kept;
	bool is_client; /* release does not wait for the lock */
	bool is_fresh;  /* and removes what nobody else can have replaced */
	/* Its directory as text, "" when that has no room in an address. */
	char dir[UNIXMSG_NAME_SIZE_MAX + 1];
	char leaf[NAME_MAX + 1];
};

/* claim.c */

/*
 * Binds fd to the address that text names, see unixmsg/listen.h. With
 * is_answered the name must reach us as a datagram's source, so it must fit
 * into an address, made absolute: ENAMETOOLONG otherwise. options may be NULL.
 * On success *name is for unixname__release, NULL where there is nothing to
 * remove. On failure nothing is left behind; fd stays the caller's. It waits
 * for the lock on the directory for a second at most, and not beyond
 * deadline_us.
 */
int unixname__claim(int fd, const char *text, bool is_answered,
	const struct unixname_options *options, int64_t deadline_us,
	struct unixname **name);

/*
 * The same for a client's path, in raw bytes, that nobody has had before or
 * will have: a random one. For the lock it does not wait.
 */
int unixname__claim_fresh(int fd, const char *path,
	const struct unixname_options *options, struct unixname **name);

/*
 * Removes leaf of the directory (dir as text, or NULL) if it is the socket file
 * that path_fd (O_PATH) names and nobody owns that. Errors: EADDRINUSE when
 * somebody does or may, or another file stands there now; ENOTSOCK; EAGAIN or
 * ETIMEDOUT when the lock on the directory cannot be had until deadline_us;
 * else as unlink(2). 0 when it is gone already.
 */
int unixname__remove_dead(int dir_fd, const char *dir, const char *leaf,
	int path_fd, int64_t deadline_us);

/* name.c */

/*
 * What path would name, with its directory open; nothing is claimed yet. Checks
 * that not everybody may rename there, unless flags say otherwise: EPERM.
 * ENOTSOCK for a path without a last part. NULL on failure.
 */
struct unixname *unixname__open(const char *path, unsigned int flags);

/* Frees name, and leaves its file alone: result, with its errno. */
int unixname__close(struct unixname *name, int result);

/* The file that stands there (O_PATH), no link is followed. -1 as openat(2). */
int unixname__open_leaf(const struct unixname *name);

/* The file found there is ours from now on. */
void unixname__remember(struct unixname *name, const struct stat *found);

/*
 * Removes the file if it is still ours, and frees name, which may be NULL.
 * Call it while the socket is open: that is what keeps the inode's number from
 * being given to another file. -1 with errno when the file is still there.
 */
int unixname__release(struct unixname *name);

/*
 * Makes the file at path ours, to be removed by release: path_fd (O_PATH)
 * names it, and somebody has bound a socket of ours to it. ESTALE when another
 * file stands there now.
 */
int unixname__take_up(const char *path, int path_fd, struct unixname **name);

/*
 * Makes this process the one that removes the file: a parent of ours may have
 * bound it before fork(2). ESTALE when the file is not there any more.
 */
int unixname__take_on(struct unixname *name);

/* Whether release leaves the file where it is. name may be NULL. */
void unixname__set_kept(struct unixname *name, bool is_kept);

/*
 * Long paths are reached through descriptors. ENOSYS when there is no /proc for
 * that.
 */
int unixname__check_proc(void);

/* Where a connect goes: an address, and a descriptor to close after use. */
struct unixname_target {
	struct unixaddr addr;
	int fd;
};

/*
 * Finds the address to connect to. A path that is too long for an address is
 * opened (O_PATH) and reached through /proc/self/fd. Errors: as
 * unixaddr_parse, open(2) and unixname__check_proc. EINVAL for a text that
 * names nobody ("@").
 */
int unixname__find(const char *text, struct unixname_target *target);

/*
 * The same for the file while it is set aside, see file.h: its owner is about
 * to be replaced, or the process that wanted to was killed. ENOENT for an
 * abstract name, and for a file that anybody may have put there, see aside.h.
 */
int unixname__find_aside(const char *text, struct unixname_target *target);

/* Looks at the file that a client of text would reach, as stat(2). */
int unixname__look(const char *text, struct stat *found);

void unixname__target_close(struct unixname_target *target);

#endif
