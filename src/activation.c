/* SPDX-License-Identifier: MIT */
/*
 * Nothing is changed before everything has been checked: until then a
 * descriptor that a wrong number names may be somebody else's.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "environment.h"
#include "fd.h"
#include "kernel.h"
#include "unixmsg/activation.h"

enum { FIRST_FD = 3, NAME_SIZE_MAX = 255 };

struct item {
	int fd;
	enum unixactivation_kind kind;
	const char *name;
};

struct unixactivation {
	size_t count;
	char *names;
	struct item items[];
};

/*
 * The number that the kernel gives this process and no other: what pidfs says
 * is the inode of its pidfds. 0 before Linux 6.9, where all pidfds have one
 * inode.
 */
static uint64_t get_pidfd_id(void)
{
	int fd = fd_lift((int)syscall(SYS_pidfd_open, getpid(), 0));
	struct statfs system;
	struct stat status;
	uint64_t id = 0;

	if (fd < 0)
		return 0;
	if (fstatfs(fd, &system) == 0 && system.f_type == PIDFS_MAGIC &&
		fstat(fd, &status) == 0)
		id = status.st_ino;
	fd_close(fd);
	return id;
}

/* A kernel with 32 bits shows the lower half of the number. */
static int is_pidfd_id_ours(void)
{
	uint64_t id, own;
	int saved = errno;
	int result =
		unixenvironment_get_number("LISTEN_PIDFDID", UINT64_MAX, &id);

	if (result < 1)
		return result < 0 ? -1 : 1;
	own = get_pidfd_id();
	errno = saved;
	return own == 0 || (unsigned long)id == (unsigned long)own;
}

static int is_for_us(void)
{
	int result = unixenvironment_is_ours("LISTEN_PID", false);

	return result == 1 ? is_pidfd_id_ours() : result;
}

/*
 * The limit on descriptors says nothing: it may have been lowered below what is
 * open. Asking for each stops at the first that is missing, however large the
 * number, and so bounds the memory that is needed.
 */
static int check_fds(size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (fcntl(FIRST_FD + (int)i, F_GETFD) < 0)
			return -1;
	return 0;
}

static int find_fds(size_t *count)
{
	uint64_t number = 0;
	int result = is_for_us();

	*count = 0;
	if (result < 1)
		return result;
	if (unixenvironment_get_number("LISTEN_FDS", INT_MAX - FIRST_FD,
		    &number) < 0)
		return -1;
	*count = (size_t)number;
	return check_fds(*count);
}

static bool get_option(int fd, int option, int *value)
{
	socklen_t length = sizeof(*value);

	return getsockopt(fd, SOL_SOCKET, option, value, &length) == 0;
}

static enum unixactivation_kind find_kind(int fd)
{
	int domain, type, is_listening;

	if (!get_option(fd, SO_DOMAIN, &domain) || domain != AF_UNIX ||
		!get_option(fd, SO_TYPE, &type) ||
		!get_option(fd, SO_ACCEPTCONN, &is_listening))
		return UNIXACTIVATION_OTHER;
	if (type == SOCK_DGRAM)
		return UNIXACTIVATION_GRAM;
	if (type == SOCK_SEQPACKET)
		return is_listening ? UNIXACTIVATION_PACKET_LISTENER
				    : UNIXACTIVATION_PACKET;
	return is_listening ? UNIXACTIVATION_STREAM_LISTENER
			    : UNIXACTIVATION_STREAM;
}

static bool is_name(const char *name)
{
	size_t size = 0;

	for (; name[size] != '\0'; size++)
		if (name[size] < ' ' || name[size] > '~')
			return false;
	return size <= NAME_SIZE_MAX;
}

/* Every name ends at a colon but the last one; an empty one is a name. */
static int split_names(struct unixactivation *activation)
{
	char *rest = activation->names;
	const char *name;
	size_t i;

	for (i = 0; i < activation->count; i++) {
		name = strsep(&rest, ":");
		if (name == NULL || !is_name(name))
			break;
		activation->items[i].name = name;
	}
	if (i == activation->count && rest == NULL)
		return 0;
	errno = EPROTO;
	return -1;
}

static int set_names(struct unixactivation *activation)
{
	const char *names = unixenvironment_get("LISTEN_FDNAMES");
	size_t i;

	for (i = 0; i < activation->count; i++)
		activation->items[i].name = "unknown";
	if (names == NULL || activation->count == 0)
		return 0;
	activation->names = strdup(names);
	if (activation->names == NULL)
		return -1;
	return split_names(activation);
}

static int take_over(struct unixactivation *activation)
{
	size_t i;

	for (i = 0; i < activation->count; i++) {
		activation->items[i].fd = FIRST_FD + (int)i;
		activation->items[i].kind = find_kind(FIRST_FD + (int)i);
		if (fcntl(FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC) < 0)
			return -1;
	}
	return 0;
}

static struct unixactivation *make_activation(size_t count)
{
	struct unixactivation *activation = calloc(1,
		sizeof(*activation) + count * sizeof(activation->items[0]));

	if (activation == NULL)
		return NULL;
	activation->count = count;
	if (set_names(activation) == 0 && take_over(activation) == 0)
		return activation;
	free(activation->names);
	free(activation);
	return NULL;
}

static void forget_environment(void)
{
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("LISTEN_PIDFDID");
}

struct unixactivation *unixactivation_new(void)
{
	struct unixactivation *activation = NULL;
	int saved = errno;
	size_t count;

	if (find_fds(&count) == 0)
		activation = make_activation(count);
	forget_environment();
	if (activation != NULL)
		errno = saved;
	return activation;
}

void unixactivation_free(struct unixactivation *activation)
{
	size_t i;

	if (activation == NULL)
		return;
	for (i = 0; i < activation->count; i++)
		fd_close(activation->items[i].fd);
	free(activation->names);
	free(activation);
}

size_t unixactivation_get_count(const struct unixactivation *activation)
{
	return activation->count;
}

int unixactivation_get_item(const struct unixactivation *activation,
	size_t index, struct unixactivation_item *item)
{
	if (index >= activation->count) {
		errno = EINVAL;
		return -1;
	}
	memset(item, 0, sizeof(*item));
	item->name = activation->items[index].name;
	item->kind = activation->items[index].kind;
	item->fd = activation->items[index].fd;
	return 0;
}

static bool is_left(const struct item *item, const char *name)
{
	return item->fd >= 0 && (name == NULL || strcmp(item->name, name) == 0);
}

static bool is_of_kind(const struct item *item, enum unixactivation_kind kind)
{
	return kind == UNIXACTIVATION_ANY || item->kind == kind;
}

size_t unixactivation_count_left(const struct unixactivation *activation,
	const char *name, enum unixactivation_kind kind)
{
	size_t i, count = 0;

	for (i = 0; i < activation->count; i++)
		count += is_left(&activation->items[i], name) &&
			is_of_kind(&activation->items[i], kind);
	return count;
}

static struct item *find(struct unixactivation *activation, const char *name,
	enum unixactivation_kind kind)
{
	int error = ENOENT;
	struct item *item;
	size_t i;

	for (i = 0; i < activation->count; i++) {
		item = &activation->items[i];
		if (!is_left(item, name))
			continue;
		if (is_of_kind(item, kind))
			return item;
		error = EPROTOTYPE;
	}
	errno = error;
	return NULL;
}

struct unixgram *unixactivation_take_gram(struct unixactivation *activation,
	const char *name)
{
	struct item *item = find(activation, name, UNIXACTIVATION_GRAM);
	struct unixgram *gram;

	if (item == NULL)
		return NULL;
	gram = unixgram_adopt(item->fd);
	if (gram != NULL)
		item->fd = -1;
	return gram;
}

static struct unixlistener *take_listener(struct unixactivation *activation,
	const char *name, enum unixactivation_kind kind)
{
	struct item *item = find(activation, name, kind);
	struct unixlistener *listener;

	if (item == NULL)
		return NULL;
	listener = unixlistener_adopt(item->fd);
	if (listener != NULL)
		item->fd = -1;
	return listener;
}

struct unixlistener *unixactivation_take_packet_listener(struct unixactivation
								 *activation,
	const char *name)
{
	return take_listener(activation, name, UNIXACTIVATION_PACKET_LISTENER);
}

struct unixlistener *unixactivation_take_stream_listener(struct unixactivation
								 *activation,
	const char *name)
{
	return take_listener(activation, name, UNIXACTIVATION_STREAM_LISTENER);
}

struct unixpacket *unixactivation_take_packet(struct unixactivation *activation,
	const char *name)
{
	struct item *item = find(activation, name, UNIXACTIVATION_PACKET);
	struct unixpacket *packet;

	if (item == NULL)
		return NULL;
	packet = unixpacket_adopt(item->fd);
	if (packet != NULL)
		item->fd = -1;
	return packet;
}

struct unixstream *unixactivation_take_stream(struct unixactivation *activation,
	const char *name)
{
	struct item *item = find(activation, name, UNIXACTIVATION_STREAM);
	struct unixstream *stream;

	if (item == NULL)
		return NULL;
	stream = unixstream_adopt(item->fd);
	if (stream != NULL)
		item->fd = -1;
	return stream;
}

int unixactivation_take_fd(struct unixactivation *activation, const char *name,
	enum unixactivation_kind kind)
{
	struct item *item = find(activation, name, kind);
	int fd;

	if (item == NULL)
		return -1;
	fd = item->fd;
	item->fd = -1;
	return fd;
}
