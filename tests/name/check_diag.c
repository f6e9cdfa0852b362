/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/addr_private.h"
#include "name/diag.h"
#include "support/scene.h"

/* A netlink message in the making. */
static unsigned char message[1024];
static size_t message_size;

static void put(const void *data, size_t size)
{
	ck_assert_uint_le(message_size + size, sizeof(message));
	if (size > 0)
		memcpy(message + message_size, data, size);
	message_size += size;
	while (message_size % 4 != 0)
		message[message_size++] = 0;
}

static void begin_message(uint16_t type, uint16_t flags)
{
	struct nlmsghdr head = {
		.nlmsg_type = type,
		.nlmsg_flags = flags,
		.nlmsg_seq = 77,
	};

	memset(message, 0, sizeof(message));
	message_size = 0;
	put(&head, sizeof(head));
}

static void end_message(void)
{
	uint32_t length = (uint32_t)message_size;

	memcpy(message, &length, sizeof(length));
}

static void begin_socket(void)
{
	struct unix_diag_msg body = {
		.udiag_family = AF_UNIX,
		.udiag_type = SOCK_SEQPACKET,
		.udiag_state = UNIXDIAG_LISTENING,
		.udiag_ino = 4711,
		.udiag_cookie = { 0x11223344, 0x55667788 },
	};

	begin_message(SOCK_DIAG_BY_FAMILY, 0);
	put(&body, sizeof(body));
}

static void put_attribute(uint16_t type, const void *data, size_t size)
{
	struct nlattr head = {
		.nla_len = (uint16_t)(sizeof(head) + size),
		.nla_type = type,
	};

	put(&head, sizeof(head));
	put(data, size);
}

static void put_numbers(uint16_t type, uint32_t first, uint32_t second)
{
	const uint32_t numbers[] = { first, second };

	put_attribute(type, numbers, sizeof(numbers));
}

/* All that the kernel tells of a socket. */
static void make_socket(void)
{
	const uint32_t memory[] = { 1, 2222, 3, 4444, 5, 6, 7, 8, 9 };
	const uint32_t user = 1000, peer = 4712;

	begin_socket();
	put_attribute(UNIX_DIAG_NAME, "/run/x", 7);
	put_numbers(UNIX_DIAG_VFS, 99, 0x0fe00003);
	put_attribute(UNIX_DIAG_PEER, &peer, 4);
	put_numbers(UNIX_DIAG_ICONS, 5001, 5002);
	put_numbers(UNIX_DIAG_RQLEN, 3, 128);
	put_attribute(UNIX_DIAG_MEMINFO, memory, sizeof(memory));
	put_attribute(UNIX_DIAG_SHUTDOWN, "\2", 1);
	put_attribute(7, &user, 4);
	end_message();
}

/* Parses a copy that ends with its block of memory, so that tools can see. */
static ssize_t parse(size_t size, struct unixdiag_message *parsed)
{
	unsigned char *copy = malloc(size);
	ssize_t used;
	int saved;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, message, size);
	used = unixdiag__parse(copy, size, parsed);
	saved = errno;
	free(copy);
	errno = saved;
	return used;
}

static void assert_refused(void)
{
	struct unixdiag_message parsed;

	end_message();
	ck_assert_errno(parse(message_size, &parsed), EBADMSG);
}

START_TEST(a_socket_is_read_with_all_that_is_told_of_it)
{
	struct unixdiag_message parsed;
	const struct unixdiag_socket *it = &parsed.socket;
	char text[UNIXMSG_ADDR_TEXT_SIZE];

	make_socket();
	ck_assert_int_eq(unixdiag__parse(message, message_size, &parsed),
		(ssize_t)message_size);
	ck_assert_int_eq(parsed.kind, UNIXDIAG_SOCKET);
	ck_assert_uint_eq(parsed.sequence, 77);
	ck_assert(!parsed.is_interrupted);
	ck_assert_uint_eq(it->has, 0x7f);
	ck_assert_int_eq(it->type, SOCK_SEQPACKET);
	ck_assert_int_eq(it->state, UNIXDIAG_LISTENING);
	ck_assert_uint_eq(it->ino, 4711);
	ck_assert_uint_eq(it->cookie, 0x5566778811223344);
	ck_assert_str_eq(unixaddr_format(&it->addr, text, sizeof(text)),
		"/run/x");
	ck_assert_uint_eq(it->file.ino, 99);
	ck_assert_uint_eq(it->file.dev, makedev(254, 3));
	ck_assert_uint_eq(it->peer, 4712);
	ck_assert_uint_eq(it->pending_count, 2);
	ck_assert_uint_eq(unixdiag__get_pending(it, 1), 5002);
	ck_assert_uint_eq(it->receive_queue, 3);
	ck_assert_uint_eq(it->send_queue, 128);
	ck_assert_uint_eq(it->receive_limit_bytes, 2222);
	ck_assert_uint_eq(it->send_limit_bytes, 4444);
	ck_assert_uint_eq(it->shutdown, 2);
	ck_assert_uint_eq(it->user, 1000);
}
END_TEST

START_TEST(what_is_not_told_is_not_there)
{
	struct unixdiag_message parsed;

	begin_socket();
	end_message();
	ck_assert_int_eq(parse(message_size, &parsed), (ssize_t)message_size);
	ck_assert_uint_eq(parsed.socket.has, 0);
	ck_assert_int_eq(unixaddr_get_kind(&parsed.socket.addr),
		UNIXADDR_UNNAMED);
}
END_TEST

static const struct {
	const char *bytes;
	size_t size;
	const char *text;
} names[] = {
	{ "", 0, "@" },
	{ "\0", 1, "\\x00" },
	{ "\0a", 2, "@a" },
	{ "\0a\0\0", 4, "@a\\x00\\x00" },
	{ "/a\0rest", 7, "/a" },
	{ "/a", 2, "/a" },
};

START_TEST(a_name_is_read_exactly)
{
	struct unixdiag_message parsed;
	char text[UNIXMSG_ADDR_TEXT_SIZE];

	begin_socket();
	put_attribute(UNIX_DIAG_NAME, names[_i].bytes, names[_i].size);
	end_message();
	ck_assert_int_gt(parse(message_size, &parsed), 0);
	ck_assert_str_eq(unixaddr_format(&parsed.socket.addr, text,
				 sizeof(text)),
		names[_i].text);
}
END_TEST

START_TEST(a_path_of_108_bytes_is_read)
{
	struct unixdiag_message parsed;
	char path[109];
	size_t size;

	memset(path, 'p', sizeof(path));
	path[108] = '\0';
	begin_socket();
	put_attribute(UNIX_DIAG_NAME, path, sizeof(path));
	end_message();
	ck_assert_int_gt(parse(message_size, &parsed), 0);
	unixaddr_get_name(&parsed.socket.addr, &size);
	ck_assert_uint_eq(size, 108);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_refused)
{
	char name[110];

	memset(name, _i == 0 ? '\0' : 'x', sizeof(name));
	begin_socket();
	put_attribute(UNIX_DIAG_NAME, name, sizeof(name));
	assert_refused();
}
END_TEST

static const struct {
	int32_t error;
	uint16_t type;
	enum unixdiag_kind kind;
	int expected;
} ends[] = {
	{ 0, NLMSG_DONE, UNIXDIAG_END, 0 },
	{ -ENOENT, NLMSG_DONE, UNIXDIAG_END, ENOENT },
	{ 5, NLMSG_DONE, UNIXDIAG_END, 0 },
	{ INT32_MIN, NLMSG_DONE, UNIXDIAG_END, 0 },
	{ -EPROTONOSUPPORT, NLMSG_ERROR, UNIXDIAG_ERROR, EPROTONOSUPPORT },
	{ 0, NLMSG_ERROR, UNIXDIAG_ERROR, EBADMSG },
	{ INT32_MIN, NLMSG_ERROR, UNIXDIAG_ERROR, EBADMSG },
	{ 0, NLMSG_NOOP, UNIXDIAG_OTHER, 0 },
};

START_TEST(the_end_is_read_with_its_error)
{
	struct unixdiag_message parsed;

	begin_message(ends[_i].type, 0);
	put(&ends[_i].error, sizeof(ends[_i].error));
	end_message();
	ck_assert_int_gt(parse(message_size, &parsed), 0);
	ck_assert_int_eq(parsed.kind, ends[_i].kind);
	ck_assert_int_eq(parsed.error, ends[_i].expected);
}
END_TEST

START_TEST(an_end_without_an_error_is_one)
{
	struct unixdiag_message parsed;

	begin_message(NLMSG_DONE, NLM_F_DUMP_INTR);
	end_message();
	ck_assert_int_gt(parse(message_size, &parsed), 0);
	ck_assert_int_eq(parsed.kind, UNIXDIAG_END);
	ck_assert_int_eq(parsed.error, 0);
	ck_assert(parsed.is_interrupted);
}
END_TEST

START_TEST(an_error_without_a_number_is_refused)
{
	begin_message(NLMSG_ERROR, 0);
	assert_refused();
}
END_TEST

START_TEST(a_socket_of_another_family_is_passed_over)
{
	struct unixdiag_message parsed;

	make_socket();
	message[sizeof(struct nlmsghdr)] = AF_INET;
	ck_assert_int_gt(parse(message_size, &parsed), 0);
	ck_assert_int_eq(parsed.kind, UNIXDIAG_OTHER);
}
END_TEST

START_TEST(an_attribute_of_later_kernels_is_passed_over)
{
	struct unixdiag_message parsed;

	begin_socket();
	put_attribute(200, "whatever", 8);
	put_attribute(UNIX_DIAG_SHUTDOWN, "\1", 1);
	end_message();
	ck_assert_int_gt(parse(message_size, &parsed), 0);
	ck_assert_uint_eq(parsed.socket.has, UNIXDIAG_HAS_SHUTDOWN);
}
END_TEST

/* Attributes, and one byte less than each must have. */
static const struct {
	uint16_t type;
	size_t size;
} shorts[] = {
	{ UNIX_DIAG_VFS, 7 },
	{ UNIX_DIAG_PEER, 3 },
	{ UNIX_DIAG_RQLEN, 7 },
	{ UNIX_DIAG_MEMINFO, 15 },
	{ UNIX_DIAG_SHUTDOWN, 0 },
	{ 7, 3 },
};

START_TEST(an_attribute_that_is_too_short_is_refused)
{
	static const char data[16];

	begin_socket();
	put_attribute(shorts[_i].type, data, shorts[_i].size);
	assert_refused();
}
END_TEST

static const uint16_t lengths[] = { 0, 1, 3, 13, 0x7fff, 0xffff };

START_TEST(an_attribute_of_a_wrong_length_is_refused)
{
	begin_socket();
	put_numbers(UNIX_DIAG_VFS, 1, 2);
	memcpy(message + message_size - 12, &lengths[_i], 2);
	assert_refused();
}
END_TEST

START_TEST(a_message_of_a_wrong_length_is_refused)
{
	static const uint32_t sizes[] = { 0, 15, 10000, UINT32_MAX };
	struct unixdiag_message parsed;

	make_socket();
	memcpy(message, &sizes[_i], sizeof(sizes[_i]));
	ck_assert_errno(parse(message_size, &parsed), EBADMSG);
}
END_TEST

START_TEST(a_socket_without_a_body_is_refused)
{
	begin_message(SOCK_DIAG_BY_FAMILY, 0);
	put("\1\1\1", 4);
	assert_refused();
}
END_TEST

/* Neither the buffer nor the message may end anywhere and be believed. */
START_TEST(a_message_that_is_cut_anywhere_is_refused)
{
	struct unixdiag_message parsed;
	size_t size;

	make_socket();
	for (size = 1; size < message_size; size++)
		ck_assert_errno(parse(size, &parsed), EBADMSG);
}
END_TEST

/* What comes out does not matter here, only that nothing else is read. */
START_TEST(any_change_of_a_byte_is_survived)
{
	static const unsigned char values[] = { 0, 1, 3, 0x7f, 0x80, 0xff };
	struct unixdiag_message parsed;
	size_t i, j;

	make_socket();
	for (i = 0; i < message_size; i++) {
		unsigned char kept = message[i];

		for (j = 0; j < COUNT(values); j++) {
			message[i] = values[j];
			ck_assert_int_le(parse(message_size, &parsed),
				(ssize_t)message_size);
		}
		message[i] = kept;
	}
}
END_TEST

START_TEST(messages_follow_one_another)
{
	struct unixdiag_message parsed;
	unsigned char two[2048];
	size_t first;

	make_socket();
	first = message_size;
	memcpy(two, message, first);
	begin_message(NLMSG_DONE, 0);
	end_message();
	memcpy(two + first, message, message_size);
	ck_assert_int_eq(unixdiag__parse(two, first + message_size, &parsed),
		(ssize_t)first);
	ck_assert_int_eq(unixdiag__parse(two + first, message_size, &parsed),
		(ssize_t)message_size);
	ck_assert_int_eq(parsed.kind, UNIXDIAG_END);
}
END_TEST

/* The socket that is looked for in a real list, and what was found. */
struct wanted {
	uint32_t ino;
	size_t found;
	struct unixdiag_socket socket;
	uint32_t pending[8];
};

static int take_wanted(void *context, const struct unixdiag_socket *socket)
{
	struct wanted *wanted = context;
	size_t i;

	if (socket == NULL) {
		wanted->found = 0;
		return 0;
	}
	if (socket->ino != wanted->ino)
		return 0;
	wanted->found++;
	wanted->socket = *socket;
	for (i = 0; i < socket->pending_count && i < COUNT(wanted->pending);
		i++)
		wanted->pending[i] = unixdiag__get_pending(socket, i);
	return 0;
}

static uint32_t get_ino(int fd)
{
	struct stat status;

	ck_assert_int_eq(fstat(fd, &status), 0);
	return (uint32_t)status.st_ino;
}

static void look_for(int fd, struct wanted *wanted)
{
	memset(wanted, 0, sizeof(*wanted));
	wanted->ino = get_ino(fd);
	ck_assert_int_eq(unixdiag__list(take_wanted, wanted), 0);
	ck_assert_uint_eq(wanted->found, 1);
}

static void identify(const char *path, struct unixdiag_file *file)
{
	struct unixdiag_mount mount = { 0 };
	int fd = open(path, O_PATH | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unixdiag__identify(fd, &mount, file), 0);
	close(fd);
}

START_TEST(a_socket_is_listed_with_the_file_it_is_bound_to)
{
	const char *path = support_path("file.sock");
	struct unixdiag_file file;
	struct wanted wanted;
	struct stat status;
	int fd = open_bound(types[_i], path);

	identify(path, &file);
	ck_assert_int_eq(stat(path, &status), 0);
	look_for(fd, &wanted);
	ck_assert_int_eq(wanted.socket.type, types[_i]);
	ck_assert_int_eq(wanted.socket.state, UNIXDIAG_BOUND);
	ck_assert(wanted.socket.has & UNIXDIAG_HAS_FILE);
	ck_assert_uint_eq(wanted.socket.file.ino, file.ino);
	ck_assert_uint_eq(wanted.socket.file.dev, file.dev);
	ck_assert_uint_eq(file.ino, (uint32_t)status.st_ino);
	close(fd);
}
END_TEST

START_TEST(its_name_is_listed_exactly)
{
	const char *text = support_abstract("a\\x00b\\x00");
	struct unixaddr addr;
	struct wanted wanted;
	int fd = open_bound(types[_i], text);

	look_for(fd, &wanted);
	ck_assert_int_eq(unixaddr_parse(&addr, text), 0);
	ck_assert(unixaddr_is_equal(&wanted.socket.addr, &addr));
	ck_assert_uint_eq(wanted.socket.has & UNIXDIAG_HAS_FILE, 0);
	close(fd);
}
END_TEST

START_TEST(a_bound_path_of_108_bytes_is_listed)
{
	char path[109];
	struct unixaddr addr;
	struct wanted wanted;
	int fd;

	memset(path, 'p', sizeof(path));
	memcpy(path, support_dir(), strlen(support_dir()));
	path[strlen(support_dir())] = '/';
	path[108] = '\0';
	fd = open_bound(SOCK_DGRAM, path);
	look_for(fd, &wanted);
	ck_assert_int_eq(unixaddr_parse(&addr, path), 0);
	ck_assert(unixaddr_is_equal(&wanted.socket.addr, &addr));
	close(fd);
}
END_TEST

START_TEST(an_unnamed_pair_knows_its_peers)
{
	struct wanted wanted;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, types[_i] | SOCK_CLOEXEC, 0, pair),
		0);
	look_for(pair[0], &wanted);
	ck_assert_uint_eq(wanted.socket.peer, get_ino(pair[1]));
	ck_assert_int_eq(unixaddr_get_kind(&wanted.socket.addr),
		UNIXADDR_UNNAMED);
	ck_assert_uint_gt(wanted.socket.send_limit_bytes, 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(a_listener_tells_its_backlog_and_who_waits)
{
	const char *path = support_path("listen.sock");
	int fd = open_bound(SOCK_SEQPACKET, path);
	struct wanted wanted;
	int first, second;

	ck_assert_int_eq(listen(fd, 5), 0);
	first = open_connected(SOCK_SEQPACKET, path);
	second = open_connected(SOCK_SEQPACKET, path);
	look_for(fd, &wanted);
	ck_assert_int_eq(wanted.socket.state, UNIXDIAG_LISTENING);
	ck_assert_uint_eq(wanted.socket.receive_queue, 2);
	ck_assert_uint_eq(wanted.socket.send_queue, 5);
	ck_assert_int_eq(unixdiag__list_pending(take_wanted, &wanted), 0);
	ck_assert_uint_eq(wanted.socket.pending_count, 2);
	ck_assert_uint_eq(wanted.pending[0], get_ino(first));
	ck_assert_uint_eq(wanted.pending[1], get_ino(second));
	close(first);
	close(second);
	close(fd);
}
END_TEST

/* A datagram socket tells of the first message only. */
START_TEST(what_is_unread_is_told)
{
	static const uint32_t expected[] = { 5, 8, 8 };
	struct wanted wanted;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, types[_i] | SOCK_CLOEXEC, 0, pair),
		0);
	ck_assert_int_eq(write(pair[1], "hello", 5), 5);
	ck_assert_int_eq(write(pair[1], "you", 3), 3);
	look_for(pair[0], &wanted);
	ck_assert_uint_eq(wanted.socket.receive_queue, expected[_i]);
	look_for(pair[1], &wanted);
	ck_assert_uint_gt(wanted.socket.send_queue, 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(more_sockets_than_fit_into_one_answer_are_listed)
{
	static int pairs[500][2];
	struct wanted wanted;
	size_t i;

	for (i = 0; i < COUNT(pairs); i++)
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pairs[i]) < 0)
			break;
	ck_assert_uint_ge(i, 100);
	while (i-- > 0) {
		look_for(pairs[i][1], &wanted);
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
}
END_TEST

static int refuse_all(void *context, const struct unixdiag_socket *socket)
{
	(void)socket;
	++*(int *)context;
	errno = E2BIG;
	return -1;
}

START_TEST(who_takes_may_end_the_list)
{
	int calls = 0, fd = open_socket(SOCK_DGRAM);
	int before = support_count_fds();

	ck_assert_errno(unixdiag__list(refuse_all, &calls), E2BIG);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(support_count_fds(), before);
	close(fd);
}
END_TEST

START_TEST(without_descriptors_there_is_no_list)
{
	struct wanted wanted = { 0 };

	support_limit_fds(0);
	ck_assert_errno(unixdiag__list(take_wanted, &wanted), EMFILE);
	support_lift_fds_limit();
}
END_TEST

/* One socket, by its number and cookie. */

static uint64_t get_cookie(int fd)
{
	uint64_t cookie;
	socklen_t length = sizeof(cookie);

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie,
				 &length),
		0);
	return cookie;
}

static void find(int fd, struct wanted *wanted)
{
	memset(wanted, 0, sizeof(*wanted));
	wanted->ino = get_ino(fd);
	ck_assert_int_eq(unixdiag__find(wanted->ino, get_cookie(fd),
				 take_wanted, wanted),
		0);
	ck_assert_uint_eq(wanted->found, 1);
}

START_TEST(one_socket_is_found_with_what_is_unread)
{
	static const uint32_t expected[] = { 5, 8, 8 };
	struct wanted wanted;
	char bytes[8];
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, types[_i] | SOCK_CLOEXEC, 0, pair),
		0);
	find(pair[0], &wanted);
	ck_assert(wanted.socket.has & UNIXDIAG_HAS_QUEUE);
	ck_assert_uint_eq(wanted.socket.receive_queue, 0);
	ck_assert_int_eq(wanted.socket.type, types[_i]);
	ck_assert_uint_eq(wanted.socket.cookie, get_cookie(pair[0]));
	ck_assert_int_eq(write(pair[1], "hello", 5), 5);
	ck_assert_int_eq(write(pair[1], "you", 3), 3);
	find(pair[0], &wanted);
	ck_assert_uint_eq(wanted.socket.receive_queue, expected[_i]);
	while (recv(pair[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	find(pair[0], &wanted);
	ck_assert_uint_eq(wanted.socket.receive_queue, 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

/* It hides what is behind it. */
START_TEST(an_empty_datagram_at_the_head_looks_like_none)
{
	struct wanted wanted;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
				 pair),
		0);
	ck_assert_int_eq(send(pair[1], "", 0, 0), 0);
	ck_assert_int_eq(send(pair[1], "behind", 6, 0), 6);
	find(pair[0], &wanted);
	ck_assert_uint_eq(wanted.socket.receive_queue, 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(the_list_gives_what_a_socket_is_found_by)
{
	int fd = open_bound(SOCK_DGRAM, support_path("find.sock"));
	struct wanted wanted;

	look_for(fd, &wanted);
	ck_assert_uint_eq(wanted.socket.cookie, get_cookie(fd));
	close(fd);
}
END_TEST

START_TEST(another_cookie_is_another_socket)
{
	int fd = open_socket(SOCK_DGRAM), calls = 0;
	uint64_t cookie = get_cookie(fd);

	ck_assert_errno(unixdiag__find(get_ino(fd), cookie + 1, refuse_all,
				&calls),
		ESTALE);
	ck_assert_errno(unixdiag__find(get_ino(fd),
				cookie + ((uint64_t)1 << 32), refuse_all,
				&calls),
		ESTALE);
	ck_assert_int_eq(calls, 0);
	close(fd);
}
END_TEST

START_TEST(without_descriptors_nothing_is_found)
{
	int fd = open_socket(SOCK_DGRAM), calls = 0;
	uint64_t cookie = get_cookie(fd);
	uint32_t ino = get_ino(fd);

	support_limit_fds(0);
	ck_assert_errno(unixdiag__find(ino, cookie, refuse_all, &calls),
		EMFILE);
	ck_assert_int_eq(calls, 0);
	support_lift_fds_limit();
	close(fd);
}
END_TEST

static int is_bound(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC), result;

	ck_assert_int_ge(fd, 0);
	result = unixdiag__is_bound(fd);
	close(fd);
	return result;
}

/* Whatever it is called by now. */
START_TEST(the_file_of_a_socket_is_found)
{
	const char *path = support_path("before"), *moved = support_path("now");
	int fd = open_bound(types[_i], path);
	struct unixdiag_file found, wanted;

	ck_assert_int_eq(rename(path, moved), 0);
	identify(moved, &wanted);
	errno = ELIBSCN;
	ck_assert_int_eq(unixdiag__find_file(fd, &found), 0);
	ck_assert_uint_eq(found.ino, wanted.ino);
	ck_assert_uint_eq(found.dev, wanted.dev);
	ck_assert_int_eq(is_bound(moved), 1);
	ck_assert_int_eq(errno, ELIBSCN);
	close(fd);
	ck_assert_int_eq(is_bound(moved), 0);
}
END_TEST

START_TEST(a_socket_without_a_file_has_none)
{
	int fd = open_socket(types[_i]);
	struct unixdiag_file found;

	ck_assert_errno(unixdiag__find_file(fd, &found), ENOENT);
	ck_assert_int_eq(is_bound(support_dir()), 0);
	close(fd);
}
END_TEST

START_TEST(without_descriptors_no_file_is_found)
{
	int fd = open_bound(types[_i], support_path("socket"));
	int path_fd = open(support_path("socket"), O_PATH | O_CLOEXEC);
	struct unixdiag_file found;

	support_limit_fds(0);
	ck_assert_errno(unixdiag__find_file(fd, &found), EMFILE);
	ck_assert_errno(unixdiag__is_bound(path_fd), EMFILE);
	support_lift_fds_limit();
	close(path_fd);
	close(fd);
}
END_TEST

START_TEST(what_is_no_descriptor_is_bound_nowhere)
{
	ck_assert_errno(unixdiag__is_bound(-1), EBADF);
}
END_TEST

static void send_error(int to_fd, int error)
{
	struct sockaddr_nl to;
	socklen_t length = sizeof(to);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct {
		struct nlmsghdr header;
		struct nlmsgerr body;
	} report = {
		.header.nlmsg_len = sizeof(report),
		.header.nlmsg_type = NLMSG_ERROR,
		.header.nlmsg_seq = 2,
		.body.error = -error,
	};

	ck_assert_int_eq(getsockname(to_fd, (struct sockaddr *)&to, &length),
		0);
	ck_assert_int_eq(sendto(fd, &report, sizeof(report), 0,
				 (struct sockaddr *)&to, length),
		(ssize_t)sizeof(report));
	close(fd);
}

/* Whoever may send to our socket knows the number we are about to use. */
START_TEST(only_the_kernel_is_believed)
{
	int fd = open_socket(SOCK_DGRAM), diag_fd = unixdiag__open();
	struct wanted wanted = { .ino = get_ino(fd) };

	ck_assert_int_ge(diag_fd, 0);
	/* It has a number once it has sent something. */
	ck_assert_int_eq(unixdiag__find_by(diag_fd, 1, wanted.ino,
				 get_cookie(fd), take_wanted, &wanted),
		0);
	send_error(diag_fd, EPERM);
	ck_assert_int_eq(unixdiag__find_by(diag_fd, 2, wanted.ino,
				 get_cookie(fd), take_wanted, &wanted),
		0);
	ck_assert_uint_eq(wanted.found, 2);
	close(diag_fd);
	close(fd);
}
END_TEST

START_TEST(a_socket_that_was_closed_is_not_found)
{
	int fd = open_socket(SOCK_DGRAM), calls = 0;
	uint32_t ino = get_ino(fd);
	uint64_t cookie = get_cookie(fd);
	int before;

	close(fd);
	before = support_count_fds();
	ck_assert_errno(unixdiag__find(ino, cookie, refuse_all, &calls),
		ENOENT);
	ck_assert_int_eq(calls, 0);
	ck_assert_int_eq(support_count_fds(), before);
}
END_TEST

START_TEST(who_takes_one_socket_may_refuse_it)
{
	int fd = open_socket(SOCK_DGRAM), calls = 0;
	int before = support_count_fds();

	ck_assert_errno(unixdiag__find(get_ino(fd), get_cookie(fd), refuse_all,
				&calls),
		E2BIG);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(support_count_fds(), before);
	close(fd);
}
END_TEST

START_TEST(finding_keeps_errno)
{
	int fd = open_socket(SOCK_DGRAM);
	struct wanted wanted;

	errno = EXDEV;
	find(fd, &wanted);
	ck_assert_int_eq(errno, EXDEV);
	close(fd);
}
END_TEST

START_TEST(a_number_of_no_socket_is_an_error)
{
	int calls = 0;

	ck_assert_errno(unixdiag__find(0, 0, refuse_all, &calls), EINVAL);
	ck_assert_int_eq(calls, 0);
}
END_TEST

/* stat(2) gives another device number there than sock_diag. */
static int mount_overlay(const char *root)
{
	char text[512], upper[128], work[128], merged[128];

	if (unshare(CLONE_NEWNS) < 0 ||
		mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0 ||
		mount("none", root, "tmpfs", 0, "") < 0)
		return -1;
	snprintf(upper, sizeof(upper), "%s/upper", root);
	snprintf(work, sizeof(work), "%s/work", root);
	snprintf(merged, sizeof(merged), "%s/merged", root);
	mkdir(upper, 0755);
	mkdir(work, 0755);
	mkdir(merged, 0755);
	snprintf(text, sizeof(text), "lowerdir=/usr/bin,upperdir=%s,workdir=%s",
		upper, work);
	return mount("overlay", merged, "overlay", 0, text);
}

static void check_overlay(const char *root)
{
	char path[108];
	struct unixdiag_file file;
	struct wanted wanted;
	int fd;

	snprintf(path, sizeof(path), "%s/merged/x.sock", root);
	fd = open_bound(SOCK_DGRAM, path);
	identify(path, &file);
	look_for(fd, &wanted);
	ck_assert_uint_eq(wanted.socket.file.ino, file.ino);
	ck_assert_uint_eq(wanted.socket.file.dev, file.dev);
	close(fd);
}

START_TEST(a_file_on_overlayfs_is_identified)
{
	const char *root = support_path("root");
	pid_t pid;

	ck_assert_int_eq(mkdir(root, 0755), 0);
	pid = support_fork();
	if (pid == 0) {
		if (mount_overlay(root) == 0)
			check_overlay(root);
		else
			fprintf(stderr, "skip: overlayfs: no mount: %s\n",
				strerror(errno));
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

static TCase *make_good(void)
{
	TCase *tcase = make_tcase("good bytes");

	tcase_add_test(tcase, a_socket_is_read_with_all_that_is_told_of_it);
	tcase_add_test(tcase, what_is_not_told_is_not_there);
	tcase_add_loop_test(tcase, a_name_is_read_exactly, 0, COUNT(names));
	tcase_add_test(tcase, a_path_of_108_bytes_is_read);
	tcase_add_loop_test(tcase, the_end_is_read_with_its_error, 0,
		COUNT(ends));
	tcase_add_test(tcase, an_end_without_an_error_is_one);
	tcase_add_test(tcase, a_socket_of_another_family_is_passed_over);
	tcase_add_test(tcase, an_attribute_of_later_kernels_is_passed_over);
	tcase_add_test(tcase, messages_follow_one_another);
	return tcase;
}

static TCase *make_bad(void)
{
	TCase *tcase = make_tcase("bad bytes");

	tcase_add_loop_test(tcase, a_name_that_is_too_long_is_refused, 0, 2);
	tcase_add_test(tcase, an_error_without_a_number_is_refused);
	tcase_add_loop_test(tcase, an_attribute_that_is_too_short_is_refused, 0,
		COUNT(shorts));
	tcase_add_loop_test(tcase, an_attribute_of_a_wrong_length_is_refused, 0,
		COUNT(lengths));
	tcase_add_loop_test(tcase, a_message_of_a_wrong_length_is_refused, 0,
		4);
	tcase_add_test(tcase, a_socket_without_a_body_is_refused);
	tcase_add_test(tcase, a_message_that_is_cut_anywhere_is_refused);
	tcase_add_test(tcase, any_change_of_a_byte_is_survived);
	return tcase;
}

START_TEST(a_socket_without_a_peer_has_none)
{
	struct unixdiag_socket peer;
	int fd = open_socket(SOCK_DGRAM);

	ck_assert_errno(unixdiag__find_peer(fd, &peer), ENOENT);
	ck_assert_errno(unixdiag__find_peer(-1, &peer), EBADF);
	close(fd);
}
END_TEST

static TCase *make_real(void)
{
	TCase *tcase = make_tcase("the kernel");

	tcase_add_loop_test(tcase,
		a_socket_is_listed_with_the_file_it_is_bound_to, 0, TYPES);
	tcase_add_loop_test(tcase, its_name_is_listed_exactly, 0, TYPES);
	tcase_add_test(tcase, a_bound_path_of_108_bytes_is_listed);
	tcase_add_loop_test(tcase, an_unnamed_pair_knows_its_peers, 0, TYPES);
	tcase_add_test(tcase, a_listener_tells_its_backlog_and_who_waits);
	tcase_add_loop_test(tcase, what_is_unread_is_told, 0, TYPES);
	tcase_add_test(tcase, more_sockets_than_fit_into_one_answer_are_listed);
	tcase_add_test(tcase, who_takes_may_end_the_list);
	tcase_add_test(tcase, without_descriptors_there_is_no_list);
	tcase_add_loop_test(tcase, one_socket_is_found_with_what_is_unread, 0,
		TYPES);
	tcase_add_test(tcase, an_empty_datagram_at_the_head_looks_like_none);
	tcase_add_test(tcase, the_list_gives_what_a_socket_is_found_by);
	tcase_add_test(tcase, another_cookie_is_another_socket);
	tcase_add_test(tcase, without_descriptors_nothing_is_found);
	tcase_add_loop_test(tcase, the_file_of_a_socket_is_found, 0, TYPES);
	tcase_add_loop_test(tcase, a_socket_without_a_file_has_none, 0, TYPES);
	tcase_add_loop_test(tcase, without_descriptors_no_file_is_found, 0,
		TYPES);
	tcase_add_test(tcase, what_is_no_descriptor_is_bound_nowhere);
	support_add_test_if(tcase, only_the_kernel_is_believed,
		support_has_right(CAP_NET_ADMIN),
		"no right to send to netlink sockets");
	tcase_add_test(tcase, a_socket_that_was_closed_is_not_found);
	tcase_add_test(tcase, who_takes_one_socket_may_refuse_it);
	tcase_add_test(tcase, a_socket_without_a_peer_has_none);
	tcase_add_test(tcase, finding_keeps_errno);
	tcase_add_test(tcase, a_number_of_no_socket_is_an_error);
	support_add_root_test(tcase, a_file_on_overlayfs_is_identified);
	return tcase;
}

int main(void)
{
	return support_run_cases("diag", make_good(), make_bad(), make_real());
}
