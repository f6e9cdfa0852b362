/* SPDX-License-Identifier: 0BSD */
/*
 * Open files as part of a message. A parent passes a file, which has no name,
 * to a worker with fewer rights. The worker has asked for descriptors and gets
 * as many as it has room for, however many were sent; the parent has not asked
 * and gets none. Processes that meet at an address ask by wants, in the options
 * of the listener and of the dial: asked after the connect, it is too late for
 * what the other side sends at once.
 *
 * Build:  cc 08-descriptors.c $(pkg-config --cflags --libs unixmsg) \
 *           -o descriptors
 * Run:    ./descriptors, as root to see the worker become another user.
 * See:    user 65534: 1 descriptors, 0 lost: a secret
 *         user 65534: 1 descriptors, 2 lost: a secret
 *         user 65534: send: Operation not permitted
 *         parent: the end
 *         and before Linux 6.16 the last two are:
 *         user 65534: send: Success
 *         parent: a message that has lost its descriptors
 */
#define _DEFAULT_SOURCE 1 /* setgroups */

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: how many descriptors the worker takes with one message, and
 * who it is when root starts it (65534 is nobody). */
enum { fds_room = 1, worker_id = 65534 };
static const char secret[] = "a secret";

static int fail(const char *what)
{
	fprintf(stderr, "descriptors: %s: %s\n", what, strerror(errno));
	return -1;
}

/* A message may be descriptors alone. They stay open here. */
static int send_fds(struct unixconn *packet, const int *fds, size_t count)
{
	return unixconn_send_fds(packet, NULL, 0, fds, count, UNIXMSG_FOREVER);
}

/* 1, 0 at the end, -1. What has come is ours now, and so ours to close. */
static int take_fds(struct unixconn *packet)
{
	char data[sizeof(secret)];
	int fds[fds_room], result;
	struct unixmsg msg = { .fds = fds, .fds_room = fds_room };
	ssize_t size = 0;

	result = unixconn_recv_msg(packet, &msg, UNIXMSG_FOREVER);
	if (result < 1)
		return result < 0 ? fail("receive") : 0;
	if (msg.fds_count > 0)
		size = pread(fds[0], data, sizeof(data), 0);
	if (size < 0)
		result = fail("read");
	else
		printf("user %u: %zu descriptors, %zu lost: %.*s\n", getuid(),
			msg.fds_count, msg.fds_lost, (int)size, data);
	unixmsg_close_fds(&msg);
	return result;
}

static int work(struct unixconn *packet)
{
	int fd = STDERR_FILENO, result;

	/* The user last: he has no right to change the rest. */
	if (geteuid() == 0 &&
		(setgroups(0, NULL) < 0 || setgid(worker_id) < 0 ||
			setuid(worker_id) < 0))
		return fail("privileges");
	while ((result = take_fds(packet)) == 1)
		;
	if (result < 0)
		return -1;
	/* The other way, to one who has not asked. */
	result = send_fds(packet, &fd, 1);
	printf("user %u: send: %s\n", getuid(),
		strerror(result < 0 ? errno : 0));
	return result < 0 && errno != EPERM ? -1 : 0;
}

static int give(struct unixconn *packet, int fd)
{
	struct unixmsg msg = { 0 };
	int result, fds[] = { fd, fd, fd };

	if (write(fd, secret, strlen(secret)) < 0 ||
		send_fds(packet, fds, 1) < 0 || send_fds(packet, fds, 3) < 0 ||
		unixconn_shutdown(packet, SHUT_WR) < 0)
		return fail("give");
	result = unixconn_recv_msg(packet, &msg, UNIXMSG_FOREVER);
	if (result < 0)
		return fail("receive");
	if (result == 0)
		puts("parent: the end");
	else if (msg.flags & UNIXMSG_CUT_CONTROL)
		puts("parent: a message that has lost its descriptors");
	return 0;
}

int main(void)
{
	struct unixconn *pair[2];
	int result, status;
	FILE *file = NULL;
	pid_t child = -1;

	if (unixconn_pair("unixpacket", pair) < 0) {
		fail("pair");
		return EXIT_FAILURE;
	}
	/* Asked before anything is sent: what comes earlier is refused. */
	if (unixconn_want(pair[1], UNIXMSG_WANT_FDS) == 0)
		child = fork();
	/* Each keeps its own end alone, or would not see the other's end. */
	unixconn_close(pair[child == 0 ? 0 : 1]);
	if (child == 0) {
		result = work(pair[1]);
		unixconn_close(pair[1]);
		return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (child < 0 || (file = tmpfile()) == NULL)
		result = fail("set-up");
	else
		result = give(pair[0], fileno(file));
	unixconn_close(pair[0]);
	if (file != NULL)
		fclose(file);
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		result = -1;
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
