/* SPDX-License-Identifier: 0BSD */
/*
 * Who has connected, who has written a message, and is he still there? An
 * abstract name has no permissions, so a service on one must ask.
 *
 * unixpeer_get_cred is the effective user of whoever connected, frozen at that
 * moment. The credentials of a message are the real user of whoever wrote it:
 * another process may, if the connection was handed on. A pid is for logs
 * only; a pidfd never means another process.
 *
 * Build:  cc 08-who-speaks.c $(pkg-config --cflags --libs unixmsg) \
 *           -o who-speaks
 * Run:    ./who-speaks
 * See:    connected: user 1000, allowed
 *         message of user 1000: hello
 *         the process is there
 *         the process has ended
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

static int fail(const char *what)
{
	fprintf(stderr, "who-speaks: %s: %s\n", what, strerror(errno));
	return 1;
}

/* Our own user, root, and whoever is in that group. Change it. */
static bool is_allowed(int fd, const struct unixcred *cred)
{
	const gid_t group = 4;

	return cred->uid == geteuid() || cred->uid == 0 ||
		unixpeer_is_in_group(fd, group) == 1;
}

/* Connects, speaks, and waits until it is told that it was heard. */
static int run_client(const char *address, int64_t deadline_us)
{
	struct unixpacket *packet = unixpacket_dial(address, NULL, deadline_us);
	int result = 0;

	if (packet == NULL)
		return fail(address);
	if (unixpacket_send(packet, "hello", 5, deadline_us) < 0 ||
		unixpacket_recv(packet, NULL, 0, NULL, deadline_us) < 0)
		result = fail("client");
	unixpacket_close(packet);
	return result;
}

static int take_message(struct unixpacket *packet, int64_t deadline_us)
{
	char data[64];
	struct iovec part = { .iov_base = data, .iov_len = sizeof(data) };
	struct unixmsg msg;

	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	if (unixpacket_recv_msg(packet, &msg, deadline_us) < 1)
		return fail("receive");
	/* Without the flag nobody vouches for cred. */
	if ((msg.flags & UNIXMSG_HAS_CRED) != 0)
		printf("message of user %u: %.*s\n", msg.cred.uid,
			(int)msg.size, data);
	return 0;
}

static void print_alive(int pidfd)
{
	int is_alive = unixpeer_is_alive(pidfd);

	if (is_alive >= 0)
		printf("the process %s\n", is_alive ? "is there" : "has ended");
}

/* The answer lets the client end; after wait(2) it is gone for sure. */
static int serve(struct unixpacket *packet, int64_t deadline_us)
{
	int pidfd, status, fd = unixpacket_get_fd(packet);
	struct unixcred cred;
	bool is_in;

	if (unixpeer_get_cred(fd, &cred) < 0)
		return fail("peer");
	is_in = is_allowed(fd, &cred);
	printf("connected: user %u, %s\n", cred.uid,
		is_in ? "allowed" : "refused");
	if (!is_in || take_message(packet, deadline_us) != 0)
		return 1;
	pidfd = unixpeer_open_pidfd(fd);
	if (pidfd < 0)
		fail("pidfd"); /* Before Linux 6.5: ENOTSUP. */
	else
		print_alive(pidfd);
	if (unixpacket_send(packet, "", 0, deadline_us) < 0)
		return fail("send");
	wait(&status);
	if (pidfd >= 0) {
		print_alive(pidfd);
		close(pidfd);
	}
	return 0;
}

int main(void)
{
	const char *address = "@who-speaks";
	int64_t deadline_us = unixdeadline_after_us(5000000);
	struct unixlistener *listener = unixpacket_listen(address, 0, NULL);
	struct unixpacket *packet;
	int result;

	if (listener == NULL ||
		unixlistener_want(listener, UNIXMSG_WANT_CRED) < 0)
		return fail(address);
	fflush(stdout);
	if (fork() == 0)
		return run_client(address, deadline_us);
	packet = unixpacket_accept(listener, deadline_us);
	if (packet == NULL)
		return fail("accept");
	result = serve(packet, deadline_us);
	unixpacket_close(packet);
	unixlistener_close(listener);
	return result;
}
