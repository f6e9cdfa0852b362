/* SPDX-License-Identifier: MIT */
/*
 * What each call can give us, from its manual page and from the kernel: not
 * what only a wrong argument brings about (EBADF, EFAULT, EINVAL), but for
 * EINVAL where older kernels or other file systems say it. EPERM and EACCES
 * also stand for a security module and for seccomp(2). EINTR is where a call
 * can sleep: a few random bytes, or a file in memory, make nobody wait.
 * What asks sock_diag has names of its own: diag_.
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include "proof/fault.h"

/* clang-format off */

/* Sorted by name. */
static const struct fault_call table[] = {
	{ "__getdelim", { EIO, ENOMEM } },
	{ "accept4", { EMFILE, ENFILE, ECONNABORTED, EINTR, EAGAIN, ENOMEM,
		ENOBUFS, EPERM } },
	{ "bind", { EADDRINUSE, EACCES, ENOENT, ENOTDIR, EROFS, ENOSPC, ENOMEM,
		ENAMETOOLONG, ELOOP } },
	{ "calloc", { ENOMEM } },
	{ "chmod", { EPERM, EACCES, EROFS, EIO, ENOENT } },
	{ "close", { EINTR, EIO } },
	{ "closedir", { EINTR, EIO } },
	{ "connect", { EACCES, ECONNREFUSED, EINTR, EAGAIN, ENOENT, EPROTOTYPE,
		ENOMEM, ENOBUFS, EPERM, ELOOP } },
	{ "diag_fstat", { ENOMEM, EIO } },
	{ "diag_getsockopt", { ENOPROTOOPT } },
	{ "diag_recvmsg", { EINTR, ENOMEM, ENOBUFS, EPERM } },
	{ "diag_sendto", { EINTR, ENOBUFS, ENOMEM, EPERM, ECONNREFUSED } },
	{ "diag_socket", { EMFILE, ENFILE, ENOMEM, ENOBUFS, EAFNOSUPPORT,
		EACCES, EPROTONOSUPPORT } },
	{ "dup2", { EBUSY, EINTR } },
	{ "dup3", { EBUSY, EINTR } },
	{ "epoll_create1", { EMFILE, ENFILE, ENOMEM } },
	{ "epoll_ctl", { ENOMEM, ENOSPC } },
	{ "epoll_wait", { EINTR } },
	{ "euidaccess", { EACCES, ENOENT, EIO, ENOMEM } },
	{ "eventfd", { EMFILE, ENFILE, ENOMEM, ENODEV } },
	{ "fchmod", { EPERM, EROFS, EIO } },
	{ "fchownat", { EPERM, EROFS, EIO, ENOMEM } },
	{ "fcntl", { EPERM, EMFILE, EBUSY } },
	{ "fdopen", { ENOMEM } },
	{ "fdopendir", { ENOMEM } },
	{ "fgets", { EIO, EINTR } },
	{ "flock", { EINTR, EWOULDBLOCK, ENOLCK } },
	{ "fopen", { EMFILE, ENFILE, ENOENT, EACCES, ENOMEM } },
	{ "fork", { EAGAIN, ENOMEM } },
	{ "fread", { EIO, ENOMEM } },
	{ "fstat", { ENOMEM, EIO } },
	{ "fstatat", { ENOMEM, EACCES, EIO, ENOENT } },
	{ "fstatfs", { ENOSYS, EIO, ENOMEM } },
	{ "ftruncate", { EIO, ENOSPC, EPERM } },
	{ "getcwd", { ENOENT, EACCES, ENOMEM } },
	{ "getgrgid", { EIO, EMFILE, ENOMEM } },
	{ "getgrnam", { EIO, EMFILE, ENOMEM } },
	{ "getgroups", { EPERM } },
	{ "getpeername", { ENOTCONN, ENOBUFS } },
	{ "getpwnam", { EIO, EMFILE, ENOMEM } },
	{ "getpwuid", { EIO, EMFILE, ENOMEM } },
	{ "getrandom", { ENOSYS, EPERM } },
	{ "getsockname", { ENOBUFS, EPERM } },
	{ "getsockopt", { ENOPROTOOPT, ENOMEM, EPERM, EMFILE } },
	{ "getxattr", { ENODATA, ENOTSUP, EACCES } },
	{ "inotify_add_watch", { ENOSPC, EACCES, ENOENT, ENOMEM } },
	{ "inotify_init1", { EMFILE, ENFILE, ENOMEM } },
	{ "ioctl", { EPERM, ENOTTY } },
	{ "linkat", { EEXIST, EPERM, EMLINK, ENOSPC, EROFS } },
	{ "listen", { ENOMEM, EACCES } },
	{ "lstat", { EACCES, ENOENT, EIO, ENOMEM } },
	{ "madvise", { ENOMEM, EINVAL } },
	{ "malloc", { ENOMEM } },
	{ "memfd_create", { EMFILE, ENFILE, ENOMEM, ENOSYS } },
	{ "mkdir", { EEXIST, EACCES, ENOSPC, EROFS, ENOENT, EDQUOT } },
	{ "mmap", { ENOMEM, EACCES, ENODEV, EAGAIN } },
	{ "open", { EMFILE, ENFILE, ENOENT, EACCES, ENOMEM, ENOTDIR } },
	{ "openat", { EMFILE, ENFILE, ENOENT, EACCES, ENOMEM, ENOTDIR } },
	{ "openat2", { EMFILE, ENFILE, ENOENT, EACCES, ENOMEM, ENOTDIR, ELOOP,
		EAGAIN, ENOSYS, EINVAL, EPERM } },
	{ "opendir", { EMFILE, ENFILE, ENOENT, EACCES, ENOMEM, EPERM } },
	{ "pipe2", { EMFILE, ENFILE } },
	{ "poll", { EINTR, ENOMEM } },
	{ "ppoll", { EINTR, ENOMEM } },
	{ "pread", { EINTR, EIO, ENOMEM } },
	{ "read", { EINTR, EIO, ENOMEM } },
	{ "readdir", { EIO, ENOENT } },
	{ "readlink", { EACCES, ENOENT, EIO, ENOMEM } },
	{ "readlinkat", { EACCES, ENOENT, EIO, ENOMEM } },
	{ "realloc", { ENOMEM } },
	{ "reallocarray", { ENOMEM } },
	{ "recv", { EAGAIN, EINTR, ECONNRESET, ENOMEM } },
	{ "recvfrom", { EAGAIN, EINTR, ECONNRESET, ENOMEM, ENOBUFS } },
	{ "recvmmsg", { EAGAIN, EINTR, ECONNRESET, ENOMEM } },
	{ "recvmsg", { EAGAIN, EINTR, ECONNRESET, ENOMEM, ENOBUFS } },
	{ "renameat", { EACCES, EBUSY, EROFS, ENOSPC, ENOENT, EPERM, EIO } },
	{ "scandir", { EACCES, ENOENT, EMFILE, ENOMEM } },
	{ "sched_setaffinity", { EINVAL, EPERM } },
	{ "send", { EAGAIN, EINTR, ENOBUFS, ENOMEM, ECONNREFUSED, ENOENT,
		EPIPE, ECONNRESET, EMSGSIZE, EPERM, ENOTCONN } },
	{ "sendmmsg", { EAGAIN, EINTR, ENOBUFS, ENOMEM, ECONNREFUSED, ENOENT,
		EPIPE, EMSGSIZE, ETOOMANYREFS, EPERM } },
	{ "sendmsg", { EAGAIN, EINTR, ENOBUFS, ENOMEM, ECONNREFUSED, ENOENT,
		EPIPE, ECONNRESET, EMSGSIZE, ETOOMANYREFS, EPERM, ENOTCONN } },
	{ "sendto", { EAGAIN, EINTR, ENOBUFS, ENOMEM, ECONNREFUSED } },
	{ "setegid", { EPERM, ENOMEM } },
	{ "seteuid", { EPERM, EAGAIN, ENOMEM } },
	{ "setgroups", { EPERM, ENOMEM } },
	{ "setrlimit", { EPERM } },
	{ "setsockopt", { ENOPROTOOPT, ENOMEM, EPERM, EINVAL } },
	{ "shutdown", { ENOTCONN, EPERM } },
	{ "signalfd", { EMFILE, ENFILE, ENOMEM, ENODEV } },
	{ "socket", { EMFILE, ENFILE, ENOMEM, ENOBUFS, EAFNOSUPPORT, EACCES } },
	{ "socketpair", { EMFILE, ENFILE, ENOMEM, EAFNOSUPPORT } },
	{ "stat", { EACCES, ENOENT, EIO, ENOMEM } },
	{ "strdup", { ENOMEM } },
	{ "syscall", { EEXIST, ENOSYS, EINVAL, EPERM, EACCES, EIO } },
	{ "timerfd_create", { EMFILE, ENFILE, ENOMEM, ENODEV } },
	{ "timerfd_settime", { ECANCELED } },
	{ "unlinkat", { EACCES, EBUSY, EPERM, EROFS, EIO, ENOENT } },
	{ "write", { EINTR, ENOSPC, EIO, EPIPE, EAGAIN } },
};

/* clang-format on */

bool fault_is_able(void)
{
	return sizeof(off_t) <= sizeof(long) && sizeof(time_t) <= sizeof(long);
}

const struct fault_call *fault_find(const char *name)
{
	size_t first = 0, behind = sizeof(table) / sizeof(table[0]);

	while (first < behind) {
		size_t middle = (first + behind) / 2;
		int order = strcmp(name, table[middle].name);

		if (order == 0)
			return &table[middle];
		if (order < 0)
			behind = middle;
		else
			first = middle + 1;
	}
	return NULL;
}
