/* SPDX-License-Identifier: MIT */
/*
 * The walk over control data, on such as no kernel gives: what it makes of it
 * is compared with a second walk that goes byte by byte. Descriptors in it are
 * real, so that closing them can be seen.
 */
#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/kernel.h"
#include "message/control.h"
#include "support/support.h"

enum { ROOM = 512, FDS = 64, WANT_ALL = 7 };

/* Control data in memory of exactly its size: what lies behind is not read. */
struct made {
	unsigned char bytes[ROOM];
	size_t size;
	int fds[FDS];
	size_t fds_count;
};

/* What is to be made of it. */
struct expected {
	int taken[FDS];
	size_t taken_count;
	int closed[FDS];
	size_t closed_count;
	size_t lost;
	int pidfd;
	bool has_cred;
	struct unixcred cred;
};

static size_t align(size_t size)
{
	return (size + sizeof(size_t) - 1) / sizeof(size_t) * sizeof(size_t);
}

static void add_item(struct made *made, int level, int type, const void *data,
	size_t size)
{
	struct cmsghdr header = {
		.cmsg_len = (socklen_t)(sizeof(header) + size),
		.cmsg_level = level,
		.cmsg_type = type,
	};
	unsigned char *at = made->bytes + made->size;

	ck_assert_uint_le(made->size + sizeof(header) + align(size), ROOM);
	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), data, size);
	made->size += sizeof(header) + align(size);
}

static int make_fd(struct made *made)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_lt(made->fds_count, FDS);
	made->fds[made->fds_count++] = fd;
	return fd;
}

static void add_rights(struct made *made, size_t count)
{
	int fds[FDS];
	size_t i;

	for (i = 0; i < count; i++)
		fds[i] = make_fd(made);
	add_item(made, SOL_SOCKET, SCM_RIGHTS, fds, count * sizeof(int));
}

static void add_pidfd(struct made *made, int fd)
{
	add_item(made, SOL_SOCKET, SCM_PIDFD, &fd, sizeof(fd));
}

static void add_cred(struct made *made, pid_t pid, uid_t uid, gid_t gid)
{
	struct ucred cred = { .pid = pid, .uid = uid, .gid = gid };

	add_item(made, SOL_SOCKET, SCM_CREDENTIALS, &cred, sizeof(cred));
}

/* The second walk */

static void expect_fds(struct expected *to, const unsigned char *data,
	size_t size, size_t room)
{
	int fd;

	for (; size >= sizeof(fd); size -= sizeof(fd), data += sizeof(fd)) {
		memcpy(&fd, data, sizeof(fd));
		if (to->taken_count < room) {
			to->taken[to->taken_count++] = fd;
		} else {
			to->closed[to->closed_count++] = fd;
			to->lost++;
		}
	}
}

static void expect_pidfd(struct expected *to, const unsigned char *data,
	size_t size, unsigned int wants)
{
	int fd;

	if (size < sizeof(fd))
		return;
	memcpy(&fd, data, sizeof(fd));
	if (fd < 0)
		return;
	if ((wants & UNIXMSG_WANT_PIDFD) != 0 && to->pidfd < 0)
		to->pidfd = fd;
	else
		to->closed[to->closed_count++] = fd;
}

static void expect_cred(struct expected *to, const unsigned char *data,
	size_t size, unsigned int wants)
{
	struct ucred cred;

	if ((wants & UNIXMSG_WANT_CRED) == 0 || size < sizeof(cred))
		return;
	memcpy(&cred, data, sizeof(cred));
	if (cred.pid == 0 && cred.uid == 65534 && cred.gid == 65534)
		return;
	to->has_cred = true;
	to->cred = (struct unixcred){ cred.pid, cred.uid, cred.gid };
}

static void walk_slowly(const struct made *made, unsigned int wants,
	size_t room, struct expected *to)
{
	struct cmsghdr header;
	const unsigned char *data;
	size_t at = 0, size;

	memset(to, 0, sizeof(*to));
	to->pidfd = -1;
	while (made->size - at >= sizeof(header)) {
		memcpy(&header, made->bytes + at, sizeof(header));
		if (header.cmsg_len < sizeof(header) ||
			header.cmsg_len > made->size - at)
			return;
		data = made->bytes + at + sizeof(header);
		size = header.cmsg_len - sizeof(header);
		if (header.cmsg_level == SOL_SOCKET) {
			if (header.cmsg_type == SCM_RIGHTS)
				expect_fds(to, data, size, room);
			else if (header.cmsg_type == SCM_PIDFD)
				expect_pidfd(to, data, size, wants);
			else if (header.cmsg_type == SCM_CREDENTIALS)
				expect_cred(to, data, size, wants);
		}
		at += align(header.cmsg_len);
		if (at > made->size)
			return;
	}
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool is_among(int fd, const int *fds, size_t count)
{
	while (count > 0)
		if (fds[--count] == fd)
			return true;
	return false;
}

/* Closed is what was to be closed, and nothing else. */
static void compare_fds(const struct made *made, const struct expected *wanted)
{
	size_t i;

	for (i = 0; i < made->fds_count; i++)
		ck_assert_int_eq(is_open(made->fds[i]),
			!is_among(made->fds[i], wanted->closed,
				wanted->closed_count));
}

static void compare(const struct unixmsg *msg, const struct expected *wanted)
{
	ck_assert_uint_eq(msg->fds_count, wanted->taken_count);
	ck_assert_mem_eq(msg->fds, wanted->taken,
		wanted->taken_count * sizeof(int));
	ck_assert_uint_eq(msg->fds_lost, wanted->lost);
	ck_assert_int_eq(msg->pidfd, wanted->pidfd);
	ck_assert_int_eq((msg->flags & UNIXMSG_CUT_CONTROL) != 0,
		wanted->lost > 0);
	ck_assert_int_eq((msg->flags & UNIXMSG_HAS_CRED) != 0,
		wanted->has_cred);
	if (!wanted->has_cred)
		return;
	ck_assert_int_eq(msg->cred.pid, wanted->cred.pid);
	ck_assert_uint_eq(msg->cred.uid, wanted->cred.uid);
	ck_assert_uint_eq(msg->cred.gid, wanted->cred.gid);
}

/* Takes made both ways; what it was made of is closed afterwards. */
/*
 * Numbers that a length out of nowhere makes: the first three are this
 * program's own, and would be moved.
 */
static bool is_any_low(const struct expected *wanted)
{
	size_t i;

	for (i = 0; i < wanted->taken_count; i++)
		if (wanted->taken[i] >= 0 && wanted->taken[i] <= STDERR_FILENO)
			return true;
	return wanted->pidfd >= 0 && wanted->pidfd <= STDERR_FILENO;
}

static void take(struct made *made, unsigned int wants, size_t room)
{
	int fds[FDS] = { 0 };
	struct msghdr header = { .msg_controllen = (socklen_t)made->size };
	struct expected wanted;
	struct unixmsg msg;
	size_t i;

	header.msg_control = malloc(made->size + (made->size == 0));
	ck_assert_ptr_nonnull(header.msg_control);
	memcpy(header.msg_control, made->bytes, made->size);
	unixmsg_init(&msg);
	msg.fds = fds;
	msg.fds_room = room;
	walk_slowly(made, wants, room, &wanted);
	if (!is_any_low(&wanted)) {
		unixcontrol__take(&header, &msg, wants);
		compare(&msg, &wanted);
		compare_fds(made, &wanted);
	}
	free(header.msg_control);
	for (i = 0; i < made->fds_count; i++)
		if (is_open(made->fds[i]))
			close(made->fds[i]);
}

/* All that can come at once, as the kernel orders it. */
static void make_all(struct made *made)
{
	static const uint64_t stamp[2] = { 1, 2 };

	memset(made, 0, sizeof(*made));
	add_item(made, SOL_SOCKET, SCM_TIMESTAMPNS, stamp, sizeof(stamp));
	add_cred(made, 1, 2, 3);
	add_rights(made, 3);
	add_pidfd(made, make_fd(made));
}

START_TEST(what_was_asked_for_is_handed_over)
{
	struct made made;
	unsigned int wants;
	size_t room;

	for (wants = 0; wants <= WANT_ALL; wants++)
		for (room = 0; room < 6; room++) {
			make_all(&made);
			take(&made, wants, room);
		}
}
END_TEST

START_TEST(nothing_is_taken_from_no_control_data)
{
	struct made made = { .size = 0 };
	struct msghdr header = { .msg_controllen = 0 };
	struct unixmsg msg;

	take(&made, WANT_ALL, 1);
	unixmsg_init(&msg);
	msg.fds_count = 7;
	msg.fds_lost = 7;
	msg.pidfd = 7;
	unixcontrol__take(&header, &msg, WANT_ALL);
	ck_assert_uint_eq(msg.fds_count, 0);
	ck_assert_uint_eq(msg.fds_lost, 0);
	ck_assert_int_eq(msg.pidfd, -1);
}
END_TEST

/* The kernel counts whole items, aligned; the room for them is as well. */
START_TEST(control_data_may_end_anywhere)
{
	struct made made;
	size_t size, whole;

	make_all(&made);
	whole = made.size;
	take(&made, WANT_ALL, 2);
	for (size = 0; size < whole; size += sizeof(size_t)) {
		make_all(&made);
		made.size = size;
		take(&made, WANT_ALL, 2);
	}
}
END_TEST

static size_t find_item(const struct made *made, int number)
{
	struct cmsghdr header;
	size_t at = 0;

	while (number-- > 0) {
		memcpy(&header, made->bytes + at, sizeof(header));
		at += align(header.cmsg_len);
	}
	return at;
}

/*
 * A length that swallows its neighbours makes their bytes descriptors, and
 * other people's might be among them: only numbers that are ours stay.
 */
static bool is_harmless(const struct made *made)
{
	struct expected wanted;
	size_t i;

	walk_slowly(made, 0, 0, &wanted);
	for (i = 0; i < wanted.closed_count; i++)
		if (wanted.closed[i] >= 0 && wanted.closed[i] < FDS + 256 &&
			!is_among(wanted.closed[i], made->fds, made->fds_count))
			return false;
	return true;
}

static size_t choose_room(const struct made *made, size_t room)
{
	return is_harmless(made) ? room : FDS;
}

START_TEST(an_item_may_claim_any_length)
{
	static const size_t absurd[] = { 512, INT32_MAX, UINT32_MAX,
		SIZE_MAX / 2, SIZE_MAX - 7, SIZE_MAX };
	struct made made;
	size_t length, i;

	for (i = 0; i < 128 + COUNT(absurd); i++) {
		length = i < 128 ? i : absurd[i - 128];
		make_all(&made);
		memcpy(made.bytes + find_item(&made, _i), &length,
			sizeof(length));
		take(&made, WANT_ALL, choose_room(&made, 2));
	}
}
END_TEST

START_TEST(an_unknown_item_is_passed_over)
{
	static const int levels[] = { SOL_SOCKET, 0, 6, -1 };
	static const int types[] = { SCM_RIGHTS, SCM_CREDENTIALS, 3, SCM_PIDFD,
		0, 99, -1 };
	struct made made;
	size_t i, j;
	int zero = 0;

	for (i = 0; i < COUNT(levels); i++)
		for (j = 0; j < COUNT(types); j++) {
			if (levels[i] == SOL_SOCKET && types[j] != 3 &&
				types[j] != 99)
				continue;
			memset(&made, 0, sizeof(made));
			add_item(&made, levels[i], types[j], &zero,
				sizeof(zero));
			add_rights(&made, 1);
			take(&made, WANT_ALL, 1);
			ck_assert(is_open(STDIN_FILENO));
		}
}
END_TEST

START_TEST(descriptors_of_several_items_are_added_up)
{
	struct made made;
	size_t room;

	for (room = 0; room < 8; room++) {
		memset(&made, 0, sizeof(made));
		add_rights(&made, 2);
		add_rights(&made, 0);
		add_cred(&made, 1, 2, 3);
		add_rights(&made, 1);
		add_rights(&made, 3);
		take(&made, UNIXMSG_WANT_FDS, room);
	}
}
END_TEST

START_TEST(the_first_of_several_pidfds_is_kept)
{
	struct made made;
	unsigned int wants;

	for (wants = 0; wants <= WANT_ALL; wants++) {
		memset(&made, 0, sizeof(made));
		add_pidfd(&made, make_fd(&made));
		add_pidfd(&made, make_fd(&made));
		take(&made, wants, 0);
	}
}
END_TEST

/* What the kernel puts there for a process that is gone. */
START_TEST(an_error_number_is_no_pidfd)
{
	static const int errors[] = { -1, -EINVAL, -ESRCH, INT32_MIN };
	struct made made;
	size_t i;

	for (i = 0; i < COUNT(errors); i++) {
		memset(&made, 0, sizeof(made));
		add_pidfd(&made, errors[i]);
		take(&made, WANT_ALL, 0);
		memset(&made, 0, sizeof(made));
		add_pidfd(&made, errors[i]);
		add_pidfd(&made, make_fd(&made));
		take(&made, WANT_ALL, 0);
	}
}
END_TEST

START_TEST(placeholders_are_no_credentials)
{
	static const struct ucred creds[] = {
		{ 0, 65534, 65534 },
		{ 1, 65534, 65534 },
		{ 0, 0, 65534 },
		{ 0, 65534, 0 },
		{ 0, 0, 0 },
	};
	struct made made;
	size_t i;

	for (i = 0; i < COUNT(creds); i++) {
		memset(&made, 0, sizeof(made));
		add_cred(&made, creds[i].pid, creds[i].uid, creds[i].gid);
		take(&made, WANT_ALL, 0);
	}
}
END_TEST

static void add_anything(struct made *made)
{
	static const int levels[] = { SOL_SOCKET, SOL_SOCKET, SOL_SOCKET, 41 };
	static const int types[] = { SCM_CREDENTIALS, 3, 35, 2 };
	unsigned char bytes[40];
	size_t i;

	switch (rand() % 4) {
	case 0:
		add_rights(made, (size_t)rand() % 5);
		break;
	case 1:
		add_pidfd(made, rand() % 3 == 0 ? -ESRCH : make_fd(made));
		break;
	default:
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)rand();
		i = (size_t)rand() % 4;
		add_item(made, levels[i], types[i], bytes,
			(size_t)rand() % sizeof(bytes));
	}
}

/* No length is made shorter: what would be read then might be any number. */
static void spoil(struct made *made, int items)
{
	size_t at, length;

	if (items == 0 || rand() % 2 == 0)
		return;
	at = find_item(made, rand() % items);
	memcpy(&length, made->bytes + at, sizeof(length));
	length = rand() % 2 == 0 ? length + (size_t)rand() % 600
				 : (size_t)rand() % sizeof(struct cmsghdr);
	memcpy(made->bytes + at, &length, sizeof(length));
}

START_TEST(whatever_comes_is_taken_as_the_slow_walk_takes_it)
{
	struct made made;
	int i, items;

	srand((unsigned int)_i);
	for (i = 0; i < 4000; i++) {
		memset(&made, 0, sizeof(made));
		for (items = 0; items < rand() % 7; items++)
			add_anything(&made);
		spoil(&made, items);
		take(&made, (unsigned int)rand() % (WANT_ALL + 1),
			choose_room(&made, (size_t)rand() % 6));
	}
}
END_TEST

START_TEST(descriptors_are_put_as_the_kernel_takes_them)
{
	int fds[UNIXMSG_FDS_MAX];
	union control_all control;
	struct msghdr header = { .msg_controllen = 0 };
	struct unixmsg msg;
	struct cmsghdr *item;
	size_t i;

	for (i = 0; i < COUNT(fds); i++)
		fds[i] = (int)i;
	unixmsg_init(&msg);
	msg.fds = fds;
	for (i = 1; i <= COUNT(fds); i++) {
		msg.fds_count = i;
		memset(&control, 0xff, sizeof(control));
		unixcontrol__put(&header, &control, &msg);
		ck_assert_ptr_eq(header.msg_control, &control);
		ck_assert_uint_eq(header.msg_controllen,
			CMSG_SPACE(i * sizeof(int)));
		item = CMSG_FIRSTHDR(&header);
		ck_assert_int_eq(item->cmsg_level, SOL_SOCKET);
		ck_assert_int_eq(item->cmsg_type, SCM_RIGHTS);
		ck_assert_uint_eq(item->cmsg_len, CMSG_LEN(i * sizeof(int)));
		ck_assert_mem_eq(CMSG_DATA(item), fds, i * sizeof(int));
	}
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("control");

	tcase_add_test(tcase, what_was_asked_for_is_handed_over);
	tcase_add_test(tcase, nothing_is_taken_from_no_control_data);
	tcase_add_test(tcase, control_data_may_end_anywhere);
	tcase_add_loop_test(tcase, an_item_may_claim_any_length, 0, 4);
	tcase_add_test(tcase, an_unknown_item_is_passed_over);
	tcase_add_test(tcase, descriptors_of_several_items_are_added_up);
	tcase_add_test(tcase, the_first_of_several_pidfds_is_kept);
	tcase_add_test(tcase, an_error_number_is_no_pidfd);
	tcase_add_test(tcase, placeholders_are_no_credentials);
	tcase_add_loop_test(tcase,
		whatever_comes_is_taken_as_the_slow_walk_takes_it, 0, 3);
	tcase_add_test(tcase, descriptors_are_put_as_the_kernel_takes_them);
	return support_run_cases("control", tcase);
}
