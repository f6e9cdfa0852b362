/* SPDX-License-Identifier: MIT */
/*
 * What stands in the place of each call: ld(1) sends a call of NAME to
 * __wrap_NAME, and __real_NAME is the one of the C library. fault.wrap has the
 * same names.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "proof/fault.h"

#define SITE __builtin_return_address(0)

/* clang-format off */

/* A call that fails with result. */
#define WRAP(type, result, name, parameters, arguments)                       \
	WRAP_DIAG(type, result, name, false, parameters, arguments)

/* The same for one that has another name when it asks sock_diag. */
#define WRAP_DIAG(type, result, name, is_diag, parameters, arguments)         \
type __real_##name parameters;                                                \
type __wrap_##name parameters;                                                \
type __wrap_##name parameters                                                 \
{                                                                             \
	if (fault_strikes((is_diag) ? "diag_" #name : #name, SITE))           \
		return result;                                                \
	return __real_##name arguments;                                       \
}

WRAP_DIAG(int, -1, getsockopt, option == SO_COOKIE,
	(int fd, int level, int option, void *value, socklen_t *length),
	(fd, level, option, value, length))

/* AF_UNSPEC for what is no socket. */
static int get_family(int fd)
{
	int family = AF_UNSPEC, saved = errno;
	socklen_t length = sizeof(family);

	__real_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length);
	errno = saved;
	return family;
}

static bool is_netlink(int fd)
{
	return get_family(fd) == AF_NETLINK;
}

WRAP(int, -1, accept4, (int fd, struct sockaddr *sa, socklen_t *length,
	int flags), (fd, sa, length, flags))
WRAP(int, -1, bind, (int fd, const struct sockaddr *sa, socklen_t length),
	(fd, sa, length))
WRAP(int, -1, chmod, (const char *path, mode_t mode), (path, mode))
WRAP(int, -1, connect, (int fd, const struct sockaddr *sa, socklen_t length),
	(fd, sa, length))
WRAP(int, -1, epoll_create1, (int flags), (flags))
WRAP(int, -1, euidaccess, (const char *path, int mode), (path, mode))
WRAP(int, -1, eventfd, (unsigned int value, int flags), (value, flags))
WRAP(int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, -1, fchownat, (int fd, const char *path, uid_t user, gid_t group,
	int flags), (fd, path, user, group, flags))
WRAP(DIR *, NULL, fdopendir, (int fd), (fd))
WRAP(FILE *, NULL, fdopen, (int fd, const char *mode), (fd, mode))
WRAP(char *, NULL, fgets, (char *text, int room, FILE *file),
	(text, room, file))
WRAP(int, -1, flock, (int fd, int operation), (fd, operation))
WRAP(FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
WRAP(size_t, 0, fread, (void *data, size_t size, size_t count, FILE *file),
	(data, size, count, file))
WRAP_DIAG(int, -1, fstat, get_family(fd) != AF_UNSPEC,
	(int fd, struct stat *found), (fd, found))
WRAP(int, -1, fstatat, (int fd, const char *path, struct stat *found,
	int flags), (fd, path, found, flags))
WRAP(int, -1, fstatfs, (int fd, struct statfs *found), (fd, found))
WRAP(int, -1, ftruncate, (int fd, off_t size), (fd, size))
WRAP(char *, NULL, getcwd, (char *path, size_t room), (path, room))
WRAP(struct group *, NULL, getgrgid, (gid_t group), (group))
WRAP(struct group *, NULL, getgrnam, (const char *name), (name))
WRAP(int, -1, getgroups, (int room, gid_t *groups), (room, groups))
WRAP(int, -1, getpeername, (int fd, struct sockaddr *sa, socklen_t *length),
	(fd, sa, length))
WRAP(struct passwd *, NULL, getpwnam, (const char *name), (name))
WRAP(struct passwd *, NULL, getpwuid, (uid_t user), (user))
WRAP(ssize_t, -1, getrandom, (void *data, size_t size, unsigned int flags),
	(data, size, flags))
WRAP(int, -1, getsockname, (int fd, struct sockaddr *sa, socklen_t *length),
	(fd, sa, length))
WRAP(ssize_t, -1, getxattr, (const char *path, const char *name, void *value,
	size_t room), (path, name, value, room))
WRAP(int, -1, inotify_add_watch, (int fd, const char *path, uint32_t mask),
	(fd, path, mask))
WRAP(int, -1, inotify_init1, (int flags), (flags))
WRAP(int, -1, linkat, (int from_fd, const char *from, int to_fd,
	const char *to, int flags), (from_fd, from, to_fd, to, flags))
WRAP(int, -1, listen, (int fd, int backlog), (fd, backlog))
WRAP(int, -1, madvise, (void *at, size_t size, int advice),
	(at, size, advice))
WRAP(int, -1, memfd_create, (const char *name, unsigned int flags),
	(name, flags))
WRAP(int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(void *, MAP_FAILED, mmap, (void *at, size_t size, int protection,
	int flags, int fd, off_t offset),
	(at, size, protection, flags, fd, offset))
WRAP(DIR *, NULL, opendir, (const char *path), (path))
WRAP(int, -1, pipe2, (int fds[2], int flags), (fds, flags))
WRAP(int, -1, poll, (struct pollfd *fds, nfds_t count, int timeout),
	(fds, count, timeout))
WRAP(ssize_t, -1, pread, (int fd, void *data, size_t size, off_t at),
	(fd, data, size, at))
WRAP(ssize_t, -1, read, (int fd, void *data, size_t size), (fd, data, size))
WRAP(struct dirent *, NULL, readdir, (DIR *dir), (dir))
WRAP(ssize_t, -1, readlink, (const char *path, char *link, size_t room),
	(path, link, room))
WRAP(ssize_t, -1, readlinkat, (int fd, const char *path, char *link,
	size_t room), (fd, path, link, room))
WRAP(ssize_t, -1, recv, (int fd, void *data, size_t room, int flags),
	(fd, data, room, flags))
WRAP(int, -1, recvmmsg, (int fd, struct mmsghdr *headers, unsigned int count,
	int flags, struct timespec *timeout),
	(fd, headers, count, flags, timeout))
WRAP(ssize_t, -1, recvfrom, (int fd, void *data, size_t room, int flags,
	struct sockaddr *sa, socklen_t *length),
	(fd, data, room, flags, sa, length))
WRAP_DIAG(ssize_t, -1, recvmsg, is_netlink(fd),
	(int fd, struct msghdr *header, int flags),
	(fd, header, flags))
WRAP(int, -1, renameat, (int from_fd, const char *from, int to_fd,
	const char *to), (from_fd, from, to_fd, to))

/*
 * One that sends: Linux raises SIGPIPE for streams alone, others for all, so
 * that the flag is missing can only be seen here. Netlink has no such end.
 */
#define WRAP_SEND(type, name, parameters, arguments)                          \
type __real_##name parameters;                                                \
type __wrap_##name parameters;                                                \
type __wrap_##name parameters                                                 \
{                                                                             \
	bool is_diag = is_netlink(fd);                                        \
									      \
	if (fault_is_on() && !(flags & MSG_NOSIGNAL) && !is_diag) {           \
		fprintf(stderr, "fault: %s without MSG_NOSIGNAL\n", #name);   \
		abort();                                                      \
	}                                                                     \
	if (fault_strikes(is_diag ? "diag_" #name : #name, SITE))             \
		return -1;                                                    \
	return __real_##name arguments;                                       \
}

WRAP_SEND(ssize_t, send, (int fd, const void *data, size_t size, int flags),
	(fd, data, size, flags))
WRAP_SEND(int, sendmmsg, (int fd, struct mmsghdr *headers, unsigned int count,
	int flags), (fd, headers, count, flags))
WRAP_SEND(ssize_t, sendmsg, (int fd, const struct msghdr *header, int flags),
	(fd, header, flags))
WRAP_SEND(ssize_t, sendto, (int fd, const void *data, size_t size, int flags,
	const struct sockaddr *sa, socklen_t length),
	(fd, data, size, flags, sa, length))
WRAP(int, -1, sched_setaffinity, (pid_t pid, size_t size,
	const cpu_set_t *cpus), (pid, size, cpus))
WRAP(int, -1, setegid, (gid_t group), (group))
WRAP(int, -1, seteuid, (uid_t user), (user))
WRAP(int, -1, setgroups, (size_t count, const gid_t *groups), (count, groups))
WRAP(int, -1, setrlimit, (int resource, const struct rlimit *limit),
	(resource, limit))
WRAP(int, -1, setsockopt, (int fd, int level, int option, const void *value,
	socklen_t length), (fd, level, option, value, length))
WRAP(int, -1, shutdown, (int fd, int how), (fd, how))
WRAP(int, -1, signalfd, (int fd, const sigset_t *signals, int flags),
	(fd, signals, flags))
WRAP_DIAG(int, -1, socket, family == AF_NETLINK,
	(int family, int type, int protocol),
	(family, type, protocol))
WRAP(int, -1, socketpair, (int family, int type, int protocol, int fds[2]),
	(family, type, protocol, fds))
WRAP(int, -1, stat, (const char *path, struct stat *found), (path, found))
WRAP(int, -1, lstat, (const char *path, struct stat *found), (path, found))
WRAP(int, -1, dup2, (int fd, int to), (fd, to))
WRAP(int, -1, dup3, (int fd, int to, int flags), (fd, to, flags))
WRAP(int, -1, timerfd_create, (int clock, int flags), (clock, flags))
WRAP(int, -1, timerfd_settime, (int fd, int flags,
	const struct itimerspec *value, struct itimerspec *old),
	(fd, flags, value, old))
WRAP(int, -1, unlinkat, (int fd, const char *path, int flags),
	(fd, path, flags))
WRAP(ssize_t, -1, write, (int fd, const void *data, size_t size),
	(fd, data, size))

/* A call that has variable arguments, one at the most that counts. */
#define WRAP_VARIADIC(name, parameters, arguments, last)                      \
int __real_##name(parameters, ...);                                           \
int __wrap_##name(parameters, ...);                                           \
int __wrap_##name(parameters, ...)                                            \
{                                                                             \
	va_list list;                                                         \
	long more;                                                            \
	if (fault_strikes(#name, SITE))                                       \
		return -1;                                                    \
	va_start(list, last);                                                 \
	more = va_arg(list, long);                                            \
	va_end(list);                                                         \
	return __real_##name(arguments, more);                                \
}

#define PAIR(a, b) a, b
#define TRIPLE(a, b, c) a, b, c
WRAP_VARIADIC(fcntl, PAIR(int fd, int command), PAIR(fd, command), command)
WRAP_VARIADIC(ioctl, PAIR(int fd, unsigned long request), PAIR(fd, request),
	request)
WRAP_VARIADIC(open, PAIR(const char *path, int flags), PAIR(path, flags),
	flags)
WRAP_VARIADIC(openat, TRIPLE(int fd, const char *path, int flags),
	TRIPLE(fd, path, flags), flags)

/* clang-format on */

/*
 * Those we make by number: renameat2(2), which has five arguments, openat2(2)
 * and fchmodat2(2).
 */
static const long openat2_number = 437; /* alike everywhere */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	long a, b, c, d, e;
	va_list list;

	if (fault_strikes(number == openat2_number ? "openat2" : "syscall",
		    SITE))
		return -1;
	va_start(list, number);
	a = va_arg(list, long);
	b = va_arg(list, long);
	c = va_arg(list, long);
	d = va_arg(list, long);
	e = va_arg(list, long);
	va_end(list);
	return __real_syscall(number, a, b, c, d, e);
}

/* The calls of a child are not among those of its parent. */
pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __wrap_fork(void)
{
	pid_t pid;

	if (fault_strikes("fork", SITE))
		return -1;
	pid = __real_fork();
	if (pid != 0)
		return pid;
	fault_stop();
	fault_begin_child();
	return 0;
}

void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status)
{
	fault_end_child();
	__real__exit(status);
}

/* Only to add one takes memory: the others cannot fail as they are called. */
int __real_epoll_ctl(int epoll_fd, int operation, int fd,
	struct epoll_event *event);
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd,
	struct epoll_event *event);
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd,
	struct epoll_event *event)
{
	if (operation == EPOLL_CTL_ADD && fault_strikes("epoll_ctl", SITE))
		return -1;
	return __real_epoll_ctl(epoll_fd, operation, fd, event);
}

/* The descriptor is gone, whatever close(2) says. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	int result = __real_close(fd);

	return fault_strikes("close", SITE) ? -1 : result;
}

int __real_closedir(DIR *dir);
int __wrap_closedir(DIR *dir);
int __wrap_closedir(DIR *dir)
{
	int result = __real_closedir(dir);

	return fault_strikes("closedir", SITE) ? -1 : result;
}

/* Memory, which is counted. */

static void *count_block(void *block)
{
	if (block != NULL)
		fault_count_blocks(1);
	return block;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (fault_strikes("malloc", SITE))
		return NULL;
	return count_block(__real_malloc(size));
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	if (fault_strikes("calloc", SITE))
		return NULL;
	return count_block(__real_calloc(count, size));
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size)
{
	void *other;

	if (fault_strikes("realloc", SITE))
		return NULL;
	other = __real_realloc(block, size);
	return block == NULL ? count_block(other) : other;
}

void *__real_reallocarray(void *block, size_t count, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
	void *other;

	if (fault_strikes("reallocarray", SITE))
		return NULL;
	other = __real_reallocarray(block, count, size);
	return block == NULL ? count_block(other) : other;
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
	if (fault_strikes("strdup", SITE))
		return NULL;
	return count_block(__real_strdup(text));
}

/* The line is freed by who called. */
ssize_t __real___getdelim(char **line, size_t *room, int end, FILE *file);
ssize_t __wrap___getdelim(char **line, size_t *room, int end, FILE *file);
ssize_t __wrap___getdelim(char **line, size_t *room, int end, FILE *file)
{
	const bool is_new = *line == NULL;
	ssize_t size;

	if (fault_strikes("__getdelim", SITE))
		return -1;
	size = __real___getdelim(line, room, end, file);
	if (is_new)
		count_block(*line);
	return size;
}

/* With optimization a header of glibc makes it the call above. */
ssize_t __wrap_getline(char **line, size_t *room, FILE *file);
ssize_t __wrap_getline(char **line, size_t *room, FILE *file)
{
	return __wrap___getdelim(line, room, '\n', file);
}

/* A block for each entry and one for the list: all freed by who called. */
int __real_scandir(const char *path, struct dirent ***list,
	int (*filter)(const struct dirent *),
	int (*compare)(const struct dirent **, const struct dirent **));
int __wrap_scandir(const char *path, struct dirent ***list,
	int (*filter)(const struct dirent *),
	int (*compare)(const struct dirent **, const struct dirent **));
int __wrap_scandir(const char *path, struct dirent ***list,
	int (*filter)(const struct dirent *),
	int (*compare)(const struct dirent **, const struct dirent **))
{
	int count;

	if (fault_strikes("scandir", SITE))
		return -1;
	count = __real_scandir(path, list, filter, compare);
	if (count >= 0)
		fault_count_blocks(count + (*list != NULL));
	return count;
}

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block)
{
	if (block != NULL)
		fault_count_blocks(-1);
	__real_free(block);
}

/* Time, which passes as fast as somebody waits for it. */

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = __real_clock_gettime(clock, now);
	int64_t passed_ns = fault_get_passed_ns() + now->tv_nsec;

	now->tv_sec += (time_t)(passed_ns / 1000000000);
	now->tv_nsec = (long)(passed_ns % 1000000000);
	return result;
}

static bool is_pause(const struct pollfd *fds, nfds_t count)
{
	while (count > 0 && fds[count - 1].fd < 0)
		count--;
	return count == 0;
}

/* How long to sleep really, in ns; what is left of it passes afterwards. */
static int64_t get_sleep_ns(int64_t time_ns)
{
	return fault_is_time_ours() ? 0 : time_ns / fault_get_haste();
}

int __real_ppoll(struct pollfd *fds, nfds_t count,
	const struct timespec *timeout, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t count,
	const struct timespec *timeout, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t count,
	const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec sleep;
	int64_t time_ns, sleep_ns;
	int ready;

	if (fault_strikes("ppoll", SITE))
		return -1;
	if (timeout == NULL)
		return __real_ppoll(fds, count, timeout, mask);
	time_ns = (int64_t)timeout->tv_sec * 1000000000 + timeout->tv_nsec;
	sleep_ns = is_pause(fds, count) ? 0 : get_sleep_ns(time_ns);
	sleep.tv_sec = (time_t)(sleep_ns / 1000000000);
	sleep.tv_nsec = (long)(sleep_ns % 1000000000);
	ready = __real_ppoll(fds, count, &sleep, mask);
	if (ready == 0)
		fault_pass_time(time_ns - sleep_ns);
	return ready;
}

int __real_epoll_wait(int fd, struct epoll_event *events, int room,
	int timeout);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int room,
	int timeout);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int room, int timeout)
{
	int ready, sleep_ms;

	if (fault_strikes("epoll_wait", SITE))
		return -1;
	if (timeout <= 0)
		return __real_epoll_wait(fd, events, room, timeout);
	/* Not to look without a pause is what others are after. */
	sleep_ms = (int)((get_sleep_ns((int64_t)timeout * 1000000) + 999999) /
		1000000);
	ready = __real_epoll_wait(fd, events, room, sleep_ms);
	if (ready == 0)
		fault_pass_time((int64_t)(timeout - sleep_ms) * 1000000);
	return ready;
}
