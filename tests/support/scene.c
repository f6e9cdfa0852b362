/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/files.h"
#include "support/scene.h"

int rounds(int times)
{
	const char *factor = getenv("UNIXMSG_ROUNDS");
	int number = factor == NULL ? 1 : atoi(factor);

	if (number > 1)
		return times * number;
	return support_is_long() ? times : (times + 3) / 4;
}

/* Endpoints that have a name, of all three networks. */

const int types[TYPES] = { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM };

int open_server(struct server *server, int type, const char *address,
	const struct unixlisten_options *options)
{
	server->gram = NULL;
	server->listener = NULL;
	if (type == SOCK_DGRAM)
		server->gram = unixconn_open("unixgram", address, options);
	else if (type == SOCK_SEQPACKET)
		server->listener =
			unixlistener_open("unixpacket", address, options);
	else
		server->listener = unixlistener_open("unix", address, options);
	return server->gram == NULL && server->listener == NULL ? -1 : 0;
}

int open_as(struct server *server, int type, unsigned int flags, mode_t mode)
{
	struct unixlisten_options options = { .flags = flags, .mode = mode };

	return open_server(server, type, support_path("socket"), &options);
}

int adopt_server(struct server *server, int type, int fd)
{
	memset(server, 0, sizeof(*server));
	if (type == SOCK_DGRAM)
		server->gram = unixconn_adopt(fd);
	else
		server->listener = unixlistener_adopt(fd);
	return server->gram == NULL && server->listener == NULL ? -1 : 0;
}

int server_get_fd(const struct server *server)
{
	return server->gram != NULL ? unixconn_get_fd(server->gram)
				    : unixlistener_get_fd(server->listener);
}

int server_get_address(const struct server *server, struct unixaddr *addr)
{
	if (server->gram != NULL)
		return unixconn_get_address(server->gram, addr);
	return unixlistener_get_address(server->listener, addr);
}

int server_set_unlink(struct server *server, bool is_wanted)
{
	if (server->gram != NULL)
		return unixconn_set_unlink_on_close(server->gram, is_wanted);
	return unixlistener_set_unlink_on_close(server->listener, is_wanted);
}

void end_server(struct server *server)
{
	ck_assert_int_eq(close_server(server), 0);
}

/* One of the two is NULL, and closing that does nothing. */
int close_server(struct server *server)
{
	int result = unixconn_close(server->gram);

	return unixlistener_close(server->listener) < 0 ? -1 : result;
}

struct unixconn *open_gram(const char *path)
{
	struct unixconn *gram = unixconn_open("unixgram", path, NULL);

	ck_assert_msg(gram != NULL, "%s: %s", path, strerror(errno));
	return gram;
}

void close_gram(struct unixconn *gram)
{
	ck_assert_int_eq(unixconn_close(gram), 0);
}

/* Sockets without the library. */

struct unixaddr address_of(const char *text)
{
	struct unixaddr addr;

	ck_assert_int_eq(unixaddr_parse(&addr, text), 0);
	return addr;
}

int open_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

int bind_to(int fd, const char *path)
{
	struct unixaddr addr = address_of(path);
	socklen_t length;
	const struct sockaddr *sa = unixaddr_get_sockaddr(&addr, &length);

	return bind(fd, sa, length);
}

int connect_to(int fd, const char *path)
{
	struct unixaddr addr = address_of(path);
	socklen_t length;
	const struct sockaddr *sa = unixaddr_get_sockaddr(&addr, &length);

	return (int)TEMP_FAILURE_RETRY(connect(fd, sa, length));
}

int open_connected(int type, const char *address)
{
	int fd = open_socket(type);

	ck_assert_int_eq(connect_to(fd, address), 0);
	return fd;
}

int open_bound(int type, const char *path)
{
	int fd = open_socket(type);

	ck_assert_int_eq(bind_to(fd, path), 0);
	return fd;
}

int open_listening(int type, const char *address)
{
	int fd = open_bound(type, address);

	if (type != SOCK_DGRAM)
		ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

void make_dead(int type, const char *path)
{
	ck_assert_int_eq(close(open_bound(type, path)), 0);
}

int try_to_reach(const char *path)
{
	int fd = open_socket(SOCK_DGRAM);
	int found = connect_to(fd, path) < 0 ? errno : 0;

	close(fd);
	return found;
}

void send_to(const char *path)
{
	int fd = open_connected(SOCK_DGRAM, path);

	ck_assert_int_eq(send(fd, "x", 1, MSG_NOSIGNAL), 1);
	close(fd);
}

void assert_hears_nothing(int fd, int type)
{
	char byte;

	if (type == SOCK_DGRAM) {
		ck_assert_errno(recv(fd, &byte, 1, MSG_DONTWAIT), EAGAIN);
		return;
	}
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_errno(accept4(fd, NULL, NULL, SOCK_CLOEXEC), EAGAIN);
}

/* What stands at a path, down to the moment of its last change. */

struct stat look_at(const char *path)
{
	struct stat found;

	ck_assert_msg(lstat(path, &found) == 0, "%s: %s", path,
		strerror(errno));
	return found;
}

void assert_same(const struct stat *a, const struct stat *b)
{
	ck_assert_uint_eq(a->st_dev, b->st_dev);
	ck_assert_uint_eq(a->st_ino, b->st_ino);
	ck_assert_uint_eq(a->st_mode, b->st_mode);
	ck_assert_uint_eq(a->st_nlink, b->st_nlink);
	ck_assert_uint_eq(a->st_uid, b->st_uid);
	ck_assert_uint_eq(a->st_gid, b->st_gid);
	ck_assert_int_eq(a->st_size, b->st_size);
	ck_assert_int_eq(a->st_mtim.tv_sec, b->st_mtim.tv_sec);
	ck_assert_int_eq(a->st_mtim.tv_nsec, b->st_mtim.tv_nsec);
	ck_assert_int_eq(a->st_ctim.tv_sec, b->st_ctim.tv_sec);
	ck_assert_int_eq(a->st_ctim.tv_nsec, b->st_ctim.tv_nsec);
}

void assert_untouched(const char *path, const struct stat *before)
{
	struct stat after = look_at(path);

	assert_same(before, &after);
}

void assert_same_file(const char *path, const struct stat *before)
{
	struct stat after = look_at(path);

	ck_assert_uint_eq(before->st_dev, after.st_dev);
	ck_assert_uint_eq(before->st_ino, after.st_ino);
	ck_assert_uint_eq(before->st_mode, after.st_mode);
	ck_assert_uint_eq(before->st_uid, after.st_uid);
	ck_assert_uint_eq(before->st_gid, after.st_gid);
	ck_assert_uint_eq(before->st_nlink, after.st_nlink);
}

mode_t mode_of(const char *path)
{
	return look_at(path).st_mode & 07777;
}

void assert_is_socket(const char *path)
{
	ck_assert(S_ISSOCK(look_at(path).st_mode));
}

void assert_missing(const char *path)
{
	ck_assert_errno(access(path, F_OK), ENOENT);
}

int count_files(const char *path)
{
	int count = files_count(path);

	ck_assert_int_ge(count, 0);
	return count;
}

void assert_files(int count)
{
	ck_assert_int_eq(count_files(support_dir()), count);
}

void make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

void make_dir(const char *path, mode_t mode)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

void make_link(const char *target, const char *path)
{
	ck_assert_int_eq(symlink(target, path), 0);
}

/* Things that are no sockets. */

static void make_regular(const char *path)
{
	make_file(path, "precious");
}

static void make_directory(const char *path)
{
	make_dir(path, 0755);
}

static void make_fifo(const char *path)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void make_dangling_link(const char *path)
{
	make_link("nowhere", path);
}

static void make_link_to_file(const char *path)
{
	make_file(support_path("victim"), "precious");
	make_link("victim", path);
}

static void make_link_to_dead_socket(const char *path)
{
	make_dead(SOCK_DGRAM, support_path("victim"));
	make_link("victim", path);
}

static void make_link_to_directory(const char *path)
{
	make_dir(support_path("victim"), 0755);
	make_link("victim", path);
}

const struct foreign foreigners[FOREIGNERS] = {
	{ "regular file", make_regular },
	{ "directory", make_directory },
	{ "fifo", make_fifo },
	{ "dangling link", make_dangling_link },
	{ "link to a file", make_link_to_file },
	{ "link to a dead socket", make_link_to_dead_socket },
	{ "link to a directory", make_link_to_directory },
};

void assert_content(const char *path, const char *text)
{
	char found[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(read(fd, found, sizeof(found) - 1), 0);
	ck_assert_str_eq(found, text);
	close(fd);
}

const char *make_long_path(size_t size)
{
	static char path[PATH_MAX + 1];
	size_t used = strlen(strcpy(path, support_dir())), part;

	while (size - used > 64) {
		part = size - used - 32 < 200 ? size - used - 32 : 200;
		path[used] = '/';
		memset(path + used + 1, 'd', part - 1);
		used += part;
		path[used] = '\0';
		make_dir(path, 0700);
	}
	path[used] = '/';
	memset(path + used + 1, 's', size - used - 1);
	path[size] = '\0';
	return path;
}

void stop_child(pid_t pid)
{
	int how;

	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_int_eq(TEMP_FAILURE_RETRY(waitpid(pid, &how, WUNTRACED)),
		pid);
	if (!WIFSTOPPED(how))
		return;
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(support_waitpid(pid, NULL), pid);
}

void close_pipe(int pipe[2])
{
	close(pipe[0]);
	close(pipe[1]);
}
