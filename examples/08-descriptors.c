/* SPDX-License-Identifier: 0BSD */
/*
 * Descriptors in a message. A parent passes a file without a name to a worker
 * with fewer rights. The worker has asked for descriptors, and receives as many
 * as it has room for. The parent has not asked, and receives none.
 *
 * Here the program asks before the fork. A server or a client sets wants in the
 * options of the listener or the dial instead. After the connect it is too
 * late: the peer may already have sent.
 *
 * Build:  cc 08-descriptors.c $(pkg-config --cflags --libs unixmsg) \
 *           -o descriptors
 * Run:    ./descriptors, as root to see the worker change its user.
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

/* Change these: the number of descriptors that the worker receives with one
 * message, and the user that root's worker becomes (65534 is nobody). */
enum { fds_room = 1, worker_id = 65534 };
static const char secret[] = "a secret";

static int fail(const char *what)
{
	fprintf(stderr, "descriptors: %s: %s\n", what, strerror(errno));
	return -1;
}

/* A message may carry descriptors without bytes. They stay open here. */
static int send_fds(struct unixconn *packet, const int *fds, size_t count)
{
	return unixconn_send_fds(packet, NULL, 0, fds, count, UNIXMSG_FOREVER);
}

/* Returns 1, 0 at the end, -1 on failure. The received descriptors are ours to
 * close. */
static int receive_fds(struct unixconn *packet)
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

	/* The user comes last: without root we cannot change the groups. */
	if (geteuid() == 0 &&
		(setgroups(0, NULL) < 0 || setgid(worker_id) < 0 ||
			setuid(worker_id) < 0))
		return fail("privileges");
	while ((result = receive_fds(packet)) == 1)
		;
	if (result < 0)
		return -1;
	/* The parent has not asked for descriptors. */
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
	/* Before the fork: until then the kernel refuses descriptors. */
	if (unixconn_want(pair[1], UNIXMSG_WANT_FDS) == 0)
		child = fork();
	/* Each process closes the other's end, or it would never see the peer
	 * close. */
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
