/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/addr_private.h"
#include "base/fd.h"
#include "name/diag.h"
#include "name/file.h"
#include "name/probe.h"

/*
 * File systems that belong to one kernel alone, where all processes see the
 * same inode of a file, see statfs(2). On others (NFS, 9p, FUSE and virtiofs
 * with it) an owner may be bound to another inode or in another kernel. A layer
 * of an overlay shows other inodes too, without a sign of it, when it is
 * accessed directly. But a socket bound through an overlay can be reached only
 * through it.
 */
static const uint32_t telling_types[] = {
	0xef53,     /* ext2, ext3, ext4 */
	0x01021994, /* tmpfs */
	0x858458f6, /* ramfs */
	0x58465342, /* xfs */
	0x9123683e, /* btrfs */
	0xf2f52010, /* f2fs */
	0x2fc12fc1, /* zfs */
	0xca451a4e, /* bcachefs */
	0x794c7630, /* overlay */
	0x52654973, /* reiserfs */
	0x3153464a, /* jfs */
	0x3434,     /* nilfs2 */
	0x24051905, /* ubifs */
	0x72b6,     /* jffs2 */
	0x137f,     /* minix */
	0x2468,     /* minix 2 */
	0x4d5a,     /* minix 3 */
};

static int check_refusal_tells(int path_fd)
{
	const size_t count = sizeof(telling_types) / sizeof(telling_types[0]);
	struct statfs found;
	size_t i;

	if (fstatfs(path_fd, &found) < 0)
		return -1;
	for (i = 0; i < count; i++)
		if ((uint32_t)found.f_type == telling_types[i])
			return 0;
	errno = EREMOTE;
	return -1;
}

static int connect_to(int fd, const char *path)
{
	struct unixaddr addr;
	socklen_t length;
	const struct sockaddr *sa;
	int result;

	/* The callers have made sure that it fits. */
	unixaddr_set_path(&addr, path, strlen(path));
	sa = unixaddr_get_sockaddr(&addr, &length);
	do
		result = connect(fd, sa, length);
	while (result < 0 && errno == EINTR);
	return result;
}

static bool leads_to(const char *path, int path_fd)
{
	struct stat wanted, found;

	return fstat(path_fd, &wanted) == 0 &&
		fstatat(AT_FDCWD, path, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
		unixfile__is_same(&found, wanted.st_dev, wanted.st_ino);
}

/*
 * Without /proc only the path itself is left. Somebody may replace the file
 * meanwhile, so we look before and after.
 */
static int connect_by_text(int fd, int path_fd, const char *dir,
	const char *leaf)
{
	char path[UNIXMSG_NAME_SIZE_MAX + 1];
	int result = -1, size = -1, saved;

	if (dir != NULL)
		size = snprintf(path, sizeof(path), "%s/%s", dir, leaf);
	if ((size_t)size >= sizeof(path)) {
		errno = ENOSYS;
		return -1;
	}
	if (leads_to(path, path_fd))
		result = connect_to(fd, path);
	saved = errno;
	if (!leads_to(path, path_fd))
		saved = EADDRINUSE;
	errno = saved;
	return result;
}

/* /proc/self/fd leads the kernel to the file of an O_PATH descriptor. */
static int connect_to_file(int fd, int path_fd, const char *dir,
	const char *leaf)
{
	char path[64];
	int result;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	result = connect_to(fd, path);
	if (result < 0 && errno == ENOENT)
		result = connect_by_text(fd, path_fd, dir, leaf);
	return result;
}

static int open_probe(void)
{
	return fd_lift(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

/*
 * Connects with a datagram socket. A live owner of another type never notices,
 * because the kernel refuses with EPROTOTYPE first. A live datagram owner does
 * not notice a connect at all. Only ECONNREFUSED means dead: after any other
 * answer, above all EACCES, the file may have an owner.
 */
int unixprobe__is_dead(int path_fd, const char *dir, const char *leaf)
{
	int fd = open_probe();
	int result;

	if (fd < 0)
		return -1;
	result = fd_close_with(fd, connect_to_file(fd, path_fd, dir, leaf));
	if (result < 0 && errno == ECONNREFUSED)
		return check_refusal_tells(path_fd);
	if (result == 0 || errno != ENOSYS)
		errno = EADDRINUSE;
	return -1;
}

/* The kernel's list has the sockets of this network namespace only. */
int unixprobe__is_alive(int path_fd, const char *dir, const char *leaf)
{
	int fd;

	if (unixdiag__is_bound(path_fd) == 1)
		return 0;
	fd = open_probe();
	if (fd < 0)
		return -1;
	if (fd_close_with(fd, connect_to_file(fd, path_fd, dir, leaf)) == 0)
		return 0;
	return errno == EPROTOTYPE ? 0 : -1;
}
