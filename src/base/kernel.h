/* SPDX-License-Identifier: MIT */
/*
 * Constants of newer kernels that the headers of older systems lack. A call
 * finds out whether the running kernel knows them. The numbers are those of
 * asm-generic; alpha, mips, parisc and sparc have others.
 */
#ifndef UNIXMSG_KERNEL_H
#define UNIXMSG_KERNEL_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 6.6. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif
/* The f_type that statfs(2) gives for a pidfd since Linux 6.9. */
#ifndef PIDFS_MAGIC
#define PIDFS_MAGIC 0x50494446
#endif

/* Linux 5.6. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

struct kernel_open_how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

enum {
	KERNEL_RESOLVE_NO_MAGICLINKS = 0x02,
	KERNEL_RESOLVE_NO_SYMLINKS = 0x04,
	KERNEL_RESOLVE_CACHED = 0x20, /* since 5.12 */
};

static inline int kernel_openat2(int dir_fd, const char *path,
	const struct kernel_open_how *how)
{
	return (int)syscall(SYS_openat2, dir_fd, path, how, sizeof(*how));
}

#endif
