/* SPDX-License-Identifier: MIT */
/*
 * What a supervisor says by variables, about eight descriptors that are there.
 * The input is lines: the first character says what a line is.
 *
 *   F, P, N, I  sets LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, LISTEN_PIDFDID to
 *               the rest; as a whole, "$" is the number of this process
 *   T           takes one: a digit for the kind, and the name, none for any
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"
#include "unixmsg/activation.h"

const char fuzz_noun[] = "activation";

enum { FIRST = 3, COUNT = 8, ASIDE = 100 };

/* What is handed over, and what is looked for. */
struct sort {
	enum unixactivation_kind kind;
	const char *network;
};

static const struct sort sorts[COUNT] = {
	{ UNIXACTIVATION_CONN, "unixgram" },
	{ UNIXACTIVATION_LISTENER, "unixpacket" },
	{ UNIXACTIVATION_LISTENER, "unix" },
	{ UNIXACTIVATION_CONN, "unixpacket" },
	{ UNIXACTIVATION_CONN, "unix" },
	{ UNIXACTIVATION_OTHER, NULL },
	{ UNIXACTIVATION_CONN, "unixgram" },
	{ UNIXACTIVATION_LISTENER, "unix" },
};

static const struct sort wishes[] = {
	{ UNIXACTIVATION_ANY, NULL },
	{ UNIXACTIVATION_OTHER, NULL },
	{ UNIXACTIVATION_CONN, "unixgram" },
	{ UNIXACTIVATION_LISTENER, "unixpacket" },
	{ UNIXACTIVATION_LISTENER, "unix" },
	{ UNIXACTIVATION_CONN, "unixpacket" },
	{ UNIXACTIVATION_CONN, "unix" },
};

static bool is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static int move_aside(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, ASIDE);

	fuzz_expect(moved >= 0);
	close(fd);
	return moved;
}

static int make_listener(int type)
{
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	fuzz_expect(
		bind(fd, (struct sockaddr *)&any, sizeof(sa_family_t)) == 0);
	fuzz_expect(listen(fd, 1) == 0);
	return fd;
}

static int make_fd(const struct sort *sort)
{
	const int type = sort->network == NULL           ? 0
		: strcmp(sort->network, "unixgram") == 0 ? SOCK_DGRAM
		: strcmp(sort->network, "unix") == 0     ? SOCK_STREAM
							 : SOCK_SEQPACKET;
	int pair[2];

	if (type == SOCK_DGRAM)
		return socket(AF_UNIX, SOCK_DGRAM, 0);
	if (sort->kind == UNIXACTIVATION_LISTENER)
		return make_listener(type);
	if (type == 0)
		fuzz_expect(pipe(pair) == 0);
	else
		fuzz_expect(socketpair(AF_UNIX, type, 0, pair) == 0);
	close(pair[1]);
	return pair[0];
}

/* Made aside first, so that none is where another one belongs. */
static void make_fds(void)
{
	int i, made[COUNT];

	for (i = 0; i < COUNT; i++) {
		close(FIRST + i);
		made[i] = make_fd(&sorts[i]);
		fuzz_expect(made[i] >= 0);
		made[i] = move_aside(made[i]);
	}
	for (i = 0; i < COUNT; i++) {
		fuzz_expect(dup2(made[i], FIRST + i) == FIRST + i);
		close(made[i]);
	}
}

static void close_fds(void)
{
	int i;

	for (i = 0; i < COUNT; i++)
		close(FIRST + i);
}

static uint64_t get_pidfd_inode(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct stat status;

	fuzz_expect(fd >= 0 && fstat(fd, &status) == 0);
	close(fd);
	return status.st_ino;
}

static void set_variable(const char *name, const char *value, uint64_t own)
{
	char number[24];

	snprintf(number, sizeof(number), "%ju", (uintmax_t)own);
	setenv(name, strcmp(value, "$") == 0 ? number : value, 1);
}

static void set_line(const char *line)
{
	switch (line[0]) {
	case 'F':
		set_variable("LISTEN_FDS", line + 1, (uint64_t)getpid());
		break;
	case 'P':
		set_variable("LISTEN_PID", line + 1, (uint64_t)getpid());
		break;
	case 'N':
		setenv("LISTEN_FDNAMES", line + 1, 1);
		break;
	case 'I':
		set_variable("LISTEN_PIDFDID", line + 1, get_pidfd_inode());
		break;
	}
}

static void set_variables(const char *text)
{
	char *lines = fuzz_copy_text((const uint8_t *)text, strlen(text));
	char *rest = lines, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		set_line(line);
	free(lines);
}

/* What is to come of the variables: one of two counts, or an error. */
struct expected {
	int error;
	uint64_t count;
	bool may_be_none;
	char *names;
};

/* As many parts as descriptors, each of them a name. */
static bool are_names(const char *names, uint64_t count)
{
	uint64_t colons = 0;
	size_t size = 0;

	for (; *names != '\0'; names++) {
		colons += *names == ':';
		size = *names == ':' ? 0 : size + 1;
		if (!fuzz_is_printable(names, 1) || size > 255)
			return false;
	}
	return colons + 1 == count;
}

static int count_open(void)
{
	int fd = FIRST;

	while (fuzz_is_open(fd))
		fd++;
	return fd - FIRST;
}

static void expect_fds(struct expected *expected)
{
	const char *names = getenv("LISTEN_FDNAMES");
	int result = fuzz_read_number(getenv("LISTEN_FDS"), INT_MAX - FIRST,
		&expected->count);

	if (result < 0)
		expected->error = EPROTO;
	else if (expected->count > (uint64_t)count_open())
		expected->error = EBADF;
	else if (names != NULL && expected->count > 0 &&
		!are_names(names, expected->count))
		expected->error = EPROTO;
	if (names != NULL)
		expected->names =
			fuzz_copy_text((const uint8_t *)names, strlen(names));
}

static void expect(struct expected *expected)
{
	uint64_t pid = 0, id = 0;
	int result, id_result;

	memset(expected, 0, sizeof(*expected));
	result = fuzz_read_number(getenv("LISTEN_PID"), INT_MAX, &pid);
	if (result < 0)
		expected->error = EPROTO;
	if (result < 1 || pid != (uint64_t)getpid())
		return;
	id_result = fuzz_read_number(getenv("LISTEN_PIDFDID"), UINT64_MAX, &id);
	if (id_result < 0) {
		expected->error = EPROTO;
		return;
	}
	expected->may_be_none = id_result == 1 && id != get_pidfd_inode();
	expect_fds(expected);
}

static void check_environment(void)
{
	fuzz_expect(getenv("LISTEN_FDS") == NULL);
	fuzz_expect(getenv("LISTEN_PID") == NULL);
	fuzz_expect(getenv("LISTEN_FDNAMES") == NULL);
	fuzz_expect(getenv("LISTEN_PIDFDID") == NULL);
}

/* Close-on-exec are those that were taken over, and no other. */
static void check_fds(size_t count)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		fuzz_expect(fcntl(FIRST + (int)i, F_GETFD) ==
			(i < count ? FD_CLOEXEC : 0));
}

static void check_items(const struct unixactivation *activation,
	const char *names)
{
	size_t i, size, count = unixactivation_get_count(activation);
	struct unixactivation_item item;

	for (i = 0; i < count; i++) {
		fuzz_expect(unixactivation_get_item(activation, i, &item) == 0);
		fuzz_expect(item.fd == FIRST + (int)i);
		fuzz_expect(i >= COUNT ||
			(item.kind == sorts[i].kind &&
				is_same(item.network, sorts[i].network)));
		if (names == NULL) {
			fuzz_expect(strcmp(item.name, "unknown") == 0);
			continue;
		}
		size = strcspn(names, ":");
		fuzz_expect(strlen(item.name) == size);
		fuzz_expect(memcmp(item.name, names, size) == 0);
		names += size + 1;
	}
	fuzz_expect(unixactivation_get_item(activation, count, &item) == -1);
	fuzz_expect(errno == EINVAL);
}

/* The one that is to be taken; -1 there is none, and why in *error. */
static int find_item(const struct unixactivation *activation, const char *name,
	const struct sort *wish, int *error)
{
	struct unixactivation_item item;
	size_t i;

	*error = ENOENT;
	for (i = 0; i < unixactivation_get_count(activation); i++) {
		unixactivation_get_item(activation, i, &item);
		if (item.fd < 0 || (name && strcmp(name, item.name) != 0))
			continue;
		if (wish->kind == UNIXACTIVATION_ANY ||
			(wish->kind == item.kind &&
				is_same(wish->network, item.network)))
			return item.fd;
		*error = EPROTOTYPE;
	}
	return -1;
}

/* Takes it as what it is, and closes it; gives the descriptor it had. */
static int take_and_close(struct unixactivation *activation, const char *name,
	const struct sort *wish)
{
	struct unixlistener *listener;
	struct unixconn *conn;
	int fd = -1;

	if (wish->kind == UNIXACTIVATION_CONN) {
		conn = unixactivation_take_conn(activation, name,
			wish->network);
		fd = conn != NULL ? unixconn_get_fd(conn) : -1;
		fuzz_expect(conn == NULL || unixconn_close(conn) == 0);
	} else if (wish->kind == UNIXACTIVATION_LISTENER) {
		listener = unixactivation_take_listener(activation, name,
			wish->network);
		fd = listener != NULL ? unixlistener_get_fd(listener) : -1;
		fuzz_expect(
			listener == NULL || unixlistener_close(listener) == 0);
	} else {
		fd = unixactivation_take_fd(activation, name, wish->kind);
		fuzz_expect(fd < 0 || close(fd) == 0);
	}
	return fd;
}

static size_t count_left(const struct unixactivation *activation,
	const char *name, const struct sort *wish)
{
	return unixactivation_count_left(activation, name, wish->kind,
		wish->network);
}

static void take(struct unixactivation *activation, const char *line)
{
	const char *name = line[0] != '\0' && line[1] != '\0' ? line + 1 : NULL;
	const struct sort *wish = &wishes[0];
	int error, wanted;
	size_t left;

	if (line[0] >= '0' && line[0] <= '6')
		wish = &wishes[line[0] - '0'];
	left = count_left(activation, name, wish);
	wanted = find_item(activation, name, wish, &error);
	fuzz_expect((left > 0) == (wanted >= 0));
	fuzz_expect(take_and_close(activation, name, wish) == wanted);
	if (wanted < 0)
		fuzz_expect(errno == error);
	else
		fuzz_expect(!fuzz_is_open(wanted));
	fuzz_expect(count_left(activation, name, wish) == left - (wanted >= 0));
}

static void take_all(struct unixactivation *activation, const char *text)
{
	char *lines = fuzz_copy_text((const uint8_t *)text, strlen(text));
	char *rest = lines, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] == 'T')
			take(activation, line + 1);
	free(lines);
}

static void use(struct unixactivation *activation,
	const struct expected *expected, const char *text)
{
	size_t i, count = unixactivation_get_count(activation);

	fuzz_expect(count == expected->count ||
		(expected->may_be_none && count == 0));
	check_fds(count);
	check_items(activation, expected->names);
	take_all(activation, text);
	unixactivation_close(activation);
	for (i = 0; i < COUNT; i++)
		fuzz_expect(fuzz_is_open(FIRST + (int)i) == (i >= count));
}

/* With an inode that is not ours nobody looks at the other variables. */
static void check_failure(const struct expected *expected, int error)
{
	fuzz_expect(error == expected->error);
	check_fds(0);
}

static void try(const char *text)
{
	struct unixactivation *activation;
	struct expected expected;

	set_variables(text);
	expect(&expected);
	activation = unixactivation_new();
	check_environment();
	if (activation == NULL) {
		check_failure(&expected, errno);
	} else {
		fuzz_expect(expected.error == 0 || expected.may_be_none);
		if (expected.error != 0)
			expected.count = 0;
		use(activation, &expected, text);
	}
	free(expected.names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy_text(data, size);

	make_fds();
	try(text);
	close_fds();
	fuzz_expect(!fuzz_is_open(ASIDE));
	free(text);
	return 0;
}
