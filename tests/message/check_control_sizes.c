/* SPDX-License-Identifier: MIT */
/*
 * Control data of the real kernel in buffers of every size, from none to more
 * than enough: whatever the kernel puts there is handed over or closed, and
 * what it has left out is told.
 */
#include <config.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/kernel.h"
#include "message/control.h"
#include "support/scene.h"

enum { FDS_MOST = 17 };

/* What the receiver has asked for, and how it came to the socket. */
enum {
	ALL_MARKS = UNIXMSG_WANT_CRED | UNIXMSG_WANT_PIDFD,
	WISHES = 4,
	ROOMS = 3,
};

static const unsigned int wishes[WISHES] = {
	0,
	UNIXMSG_WANT_CRED,
	UNIXMSG_WANT_PIDFD,
	ALL_MARKS,
};

/* How many descriptors come. */
static const size_t counts[] = { 0, 1, 2, 3, FDS_MOST };

/* For how many of them the caller has room. */
static const size_t rooms[ROOMS] = { 0, 1, FDS_MOST };

static int pair[2];
static unsigned int wants;
static int fds_open; /* before each message, and after it */

static bool set_option(int option)
{
	const int on = 1;

	return setsockopt(pair[1], SOL_SOCKET, option, &on, sizeof(on)) == 0;
}

/* A kernel before 6.5 has no pidfds to give: none are missed then. */
static void make_pair(int type, unsigned int wish)
{
	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), 0);
	support_let_fds_through(pair[1]);
	wants = wish | UNIXMSG_WANT_FDS;
	if (wish & UNIXMSG_WANT_CRED)
		ck_assert(set_option(SO_PASSCRED));
	if ((wish & UNIXMSG_WANT_PIDFD) && !set_option(SO_PASSPIDFD))
		wants &= ~UNIXMSG_WANT_PIDFD;
	fds_open = support_count_fds();
}

struct taken {
	struct unixmsg msg;
	struct msghdr header;
	int fds[FDS_MOST];
	int installed; /* by the kernel */
};

/* The buffer is exactly as large as it is said to be. */
static void receive(struct taken *taken, size_t size, size_t room)
{
	char byte = '\0';
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };

	memset(taken, 0, sizeof(*taken));
	unixmsg_init(&taken->msg);
	taken->msg.fds = taken->fds;
	taken->msg.fds_room = room;
	taken->header.msg_iov = &part;
	taken->header.msg_iovlen = 1;
	taken->header.msg_control = size > 0 ? malloc(size) : NULL;
	taken->header.msg_controllen = (socklen_t)size;
	ck_assert_int_eq(recvmsg(pair[1], &taken->header,
				 MSG_DONTWAIT | MSG_CMSG_CLOEXEC),
		1);
	ck_assert_int_eq(byte, 'x');
	taken->installed = support_count_fds() - fds_open;
	errno = EXDEV;
	unixcontrol__take(&taken->header, &taken->msg, wants);
	ck_assert_int_eq(errno, EXDEV);
	free(taken->header.msg_control);
}

static bool is_all_there(const struct unixmsg *msg, size_t sent)
{
	return msg->fds_count == sent &&
		((wants & UNIXMSG_WANT_CRED) == 0 ||
			(msg->flags & UNIXMSG_HAS_CRED) != 0) &&
		((wants & UNIXMSG_WANT_PIDFD) == 0 || msg->pidfd >= 0);
}

static bool is_told(const struct taken *taken)
{
	return (taken->header.msg_flags & MSG_CTRUNC) != 0 ||
		(taken->msg.flags & UNIXMSG_CUT_CONTROL) != 0;
}

static void check_cred(const struct unixmsg *msg)
{
	if ((msg->flags & UNIXMSG_HAS_CRED) == 0)
		return;
	ck_assert_int_eq(msg->cred.pid, getpid());
	ck_assert_uint_eq(msg->cred.uid, getuid());
	ck_assert_uint_eq(msg->cred.gid, getgid());
}

static void take_one(size_t size, size_t sent, size_t room)
{
	struct taken taken;
	const struct unixmsg *msg = &taken.msg;
	int kept;

	ck_assert_int_eq(support_send_fds(pair[0], "x", 1, STDERR_FILENO, sent),
		1);
	receive(&taken, size, room);
	kept = (int)msg->fds_count + (msg->pidfd >= 0);
	ck_assert_uint_le(msg->fds_count, room);
	ck_assert_int_eq(kept + (int)msg->fds_lost, taken.installed);
	ck_assert_int_eq(support_count_fds(), fds_open + kept);
	ck_assert_int_eq(is_told(&taken), !is_all_there(msg, sent));
	check_cred(msg);
	unixmsg_close_fds(&taken.msg);
	ck_assert_int_eq(support_count_fds(), fds_open);
}

/* More than enough for FDS_MOST descriptors and both marks. */
static const size_t size_most = CMSG_SPACE((FDS_MOST + 1) * sizeof(int)) +
	2 * CMSG_SPACE(2 * sizeof(uint64_t));

/* _i: type, wish, and room. */
START_TEST(nothing_is_leaked_and_what_is_missing_is_told)
{
	size_t size, i;

	make_pair(types[_i % TYPES], wishes[_i / TYPES % WISHES]);
	for (size = 0; size <= size_most; size++)
		for (i = 0; i < COUNT(counts); i++)
			take_one(size, counts[i], rooms[_i / TYPES / WISHES]);
	close_pipe(pair);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("sizes");

	tcase_add_loop_test(tcase,
		nothing_is_leaked_and_what_is_missing_is_told, 0,
		TYPES * WISHES * ROOMS);
	return support_run_cases("control_sizes", tcase);
}
