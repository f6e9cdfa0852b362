/* SPDX-License-Identifier: MIT */
/*
 * Everything is checked before anything is changed: if a number is wrong, its
 * descriptor may be somebody else's.
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

#include "base/environment.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "network/adopt.h"
#include "network/network.h"
#include "unixmsg/activation.h"

enum { FIRST_FD = 3, NAME_SIZE_MAX = 255 };

struct item {
	int fd;
	enum unixactivation_kind kind;
	const struct network *network; /* NULL: none of ours */
	const char *name;
};

struct unixactivation {
	size_t count;
	char *names;
	struct item items[];
};

/*
 * Returns the number that the kernel gives to this process and no other: the
 * inode of its pidfds in pidfs. Returns 0 before Linux 6.9, where all pidfds
 * have one inode.
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

/* A 32-bit kernel shows the lower half of the number. */
static int is_pidfd_id_ours(void)
{
	uint64_t id, own;
	int saved = errno;
	int result =
		unixenvironment__get_number("LISTEN_PIDFDID", UINT64_MAX, &id);

	if (result < 1)
		return result < 0 ? -1 : 1;
	own = get_pidfd_id();
	errno = saved;
	return own == 0 || (unsigned long)id == (unsigned long)own;
}

static int is_for_us(void)
{
	int result = unixenvironment__is_ours("LISTEN_PID", false);

	return result == 1 ? is_pidfd_id_ours() : result;
}

/*
 * The limit on descriptors proves nothing, as it may be lower than the number
 * of open ones. A check of each one stops at the first that is missing, however
 * large the number, and so bounds the memory that is needed.
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
	if (unixenvironment__get_number("LISTEN_FDS", INT_MAX - FIRST_FD,
		    &number) < 0)
		return -1;
	*count = (size_t)number;
	return check_fds(*count);
}

static enum unixactivation_kind find_kind(int fd, const struct network *network)
{
	int is_listening;
	socklen_t length = sizeof(is_listening);

	if (network == NULL ||
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening,
			&length) < 0)
		return UNIXACTIVATION_OTHER;
	return is_listening ? UNIXACTIVATION_LISTENER : UNIXACTIVATION_CONN;
}

static bool is_name(const char *name)
{
	size_t size = 0;

	for (; name[size] != '\0'; size++)
		if (name[size] < ' ' || name[size] > '~')
			return false;
	return size <= NAME_SIZE_MAX;
}

/* Every name but the last ends at a colon; an empty one is a name. */
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
	const char *names = unixenvironment__get("LISTEN_FDNAMES");
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

static int take_over_item(struct item *item, int fd)
{
	int saved = errno;

	item->fd = fd;
	item->network = unixadopt__find_network(fd);
	errno = saved;
	item->kind = find_kind(fd, item->network);
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int take_over(struct unixactivation *activation)
{
	size_t i;

	for (i = 0; i < activation->count; i++)
		if (take_over_item(&activation->items[i], FIRST_FD + (int)i) <
			0)
			return -1;
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

void unixactivation_close(struct unixactivation *activation)
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
	if (activation->items[index].network != NULL)
		item->network = activation->items[index].network->name;
	item->fd = activation->items[index].fd;
	return 0;
}

static bool is_left(const struct item *item, const char *name)
{
	return item->fd >= 0 && (name == NULL || strcmp(item->name, name) == 0);
}

/* A search; NULL and UNIXACTIVATION_ANY match anything. */
struct query {
	const char *name;
	enum unixactivation_kind kind;
	const struct network *network;
};

static int make_query(struct query *query, const char *name,
	enum unixactivation_kind kind, const char *network)
{
	query->name = name;
	query->kind = kind;
	query->network = NULL;
	if (network == NULL)
		return 0;
	query->network = unixnetwork__find(network);
	return query->network == NULL ? -1 : 0;
}

static bool is_of_kind(const struct item *item, const struct query *query)
{
	return (query->kind == UNIXACTIVATION_ANY ||
		       item->kind == query->kind) &&
		(query->network == NULL || item->network == query->network);
}

size_t unixactivation_count_left(const struct unixactivation *activation,
	const char *name, enum unixactivation_kind kind, const char *network)
{
	size_t i, count = 0;
	int saved = errno;
	struct query query;

	if (make_query(&query, name, kind, network) < 0) {
		errno = saved;
		return 0;
	}
	for (i = 0; i < activation->count; i++)
		count += is_left(&activation->items[i], name) &&
			is_of_kind(&activation->items[i], &query);
	return count;
}

static struct item *find(struct unixactivation *activation,
	const struct query *query)
{
	int error = ENOENT;
	struct item *item;
	size_t i;

	for (i = 0; i < activation->count; i++) {
		item = &activation->items[i];
		if (!is_left(item, query->name))
			continue;
		if (is_of_kind(item, query))
			return item;
		error = EPROTOTYPE;
	}
	errno = error;
	return NULL;
}

struct unixconn *unixactivation_take_conn(struct unixactivation *activation,
	const char *name, const char *network)
{
	struct unixconn *conn;
	struct item *item;
	struct query query;

	if (make_query(&query, name, UNIXACTIVATION_CONN, network) < 0)
		return NULL;
	item = find(activation, &query);
	if (item == NULL)
		return NULL;
	conn = unixconn_adopt(item->fd);
	if (conn != NULL)
		item->fd = -1;
	return conn;
}

struct unixlistener *unixactivation_take_listener(struct unixactivation
							  *activation,
	const char *name, const char *network)
{
	struct unixlistener *listener;
	struct item *item;
	struct query query;

	if (make_query(&query, name, UNIXACTIVATION_LISTENER, network) < 0)
		return NULL;
	item = find(activation, &query);
	if (item == NULL)
		return NULL;
	listener = unixlistener_adopt(item->fd);
	if (listener != NULL)
		item->fd = -1;
	return listener;
}

int unixactivation_take_fd(struct unixactivation *activation, const char *name,
	enum unixactivation_kind kind)
{
	const struct query query = { .name = name, .kind = kind };
	struct item *item = find(activation, &query);
	int fd;

	if (item == NULL)
		return -1;
	fd = item->fd;
	item->fd = -1;
	return fd;
}
