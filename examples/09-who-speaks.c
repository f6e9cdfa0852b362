/* SPDX-License-Identifier: 0BSD */
/*
 * The user who connects and the user who writes. The first is the client's
 * effective user at the connect, and never changes: use this one to decide. The
 * second is the real user of a message's sender, and comes with each message.
 * In a set-user-ID program the real user is the one who has started it.
 *
 * Build:  cc 09-who-speaks.c $(pkg-config --cflags --libs unixmsg) \
 *           -o who-speaks
 * Run:    ./who-speaks, as root to see the client change its user.
 * See:    user 0 connects
 *         user 0 writes: one
 *         user 0 writes: two
 *         and lives on
 *         user 65534 is refused
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: the names; the user and the group who may speak besides our
 * own; the user that root's client becomes (65534 is nobody). Any user may
 * connect to both names: the mode of the path allows it, and an abstract name
 * has none. */
static const char *const names[] = { "who.sock", "@who-example" };
static const mode_t mode = 0666;
static const uid_t allowed_user = 1000, other_user = 65534;
static const gid_t allowed_group = 4;
static const int64_t timeout_us = 2000000;
static int64_t deadline_us;

static int fail(const char *what)
{
	fprintf(stderr, "who-speaks: %s: %s\n", what, strerror(errno));
	return -1;
}

/* The effective user of root's client changes before its second message. */
static int run_client(const char *name)
{
	struct unixconn *packet =
		unixconn_dial("unixpacket", name, NULL, deadline_us);
	int result;

	if (packet == NULL)
		return fail(name);
	result = unixconn_recv(packet, NULL, 0, NULL, deadline_us);
	/* 0 means that the server has closed: it refuses this user. */
	if (result == 1 &&
		(unixconn_send(packet, "one", 3, deadline_us) < 0 ||
			(geteuid() == 0 && seteuid(other_user) < 0) ||
			unixconn_send(packet, "two", 3, deadline_us) < 0))
		result = -1;
	if (result < 0)
		fail("client");
	unixconn_close(packet);
	return result < 0 ? -1 : 0;
}

static int listen_to(struct unixconn *packet)
{
	char data[64];
	struct unixmsg msg = { .data = data, .room = sizeof(data) };
	int result;

	if (unixconn_send(packet, "", 0, deadline_us) < 0)
		return fail("send");
	while ((result = unixconn_recv_msg(packet, &msg, deadline_us)) == 1)
		if (msg.flags & UNIXMSG_HAS_CRED)
			printf("user %u writes: %.*s\n", msg.cred.uid,
				(int)msg.size, data);
	return result < 0 ? fail("receive") : 0;
}

/* Refuses a client whose user it cannot learn. */
static bool is_allowed(int fd)
{
	struct unixcred cred;
	bool result;

	if (unixpeer_get_cred(fd, &cred) < 0)
		return false;
	result = cred.uid == geteuid() || cred.uid == allowed_user ||
		unixpeer_is_in_group(fd, allowed_group) == 1;
	printf("user %u %s\n", cred.uid, result ? "connects" : "is refused");
	return result;
}

/* A process number may be reused, a pidfd never names another process. It needs
 * Linux 6.5. */
static int serve(struct unixlistener *listener)
{
	struct unixconn *packet = unixlistener_accept(listener, deadline_us);
	int pidfd, result = 0;

	if (packet == NULL)
		return fail("accept");
	if (is_allowed(unixconn_get_fd(packet))) {
		pidfd = unixpeer_open_pidfd(unixconn_get_fd(packet));
		if (pidfd < 0 && errno != ENOTSUP)
			fail("pidfd");
		result = listen_to(packet);
		if (pidfd >= 0 && unixpeer_is_alive(pidfd) == 1)
			puts("and lives on");
		if (pidfd >= 0)
			close(pidfd);
	}
	unixconn_close(packet);
	return result;
}

int main(void)
{
	struct unixlistener *listeners[2] = { NULL, NULL };
	const struct unixlisten_options options = {
		.mode = mode,
		.wants = UNIXMSG_WANT_CRED,
	};
	int i, result = 0, status = 0;
	pid_t child = -1;

	deadline_us = unixdeadline_after_us(timeout_us);
	for (i = 0; i < 2 && result == 0; i++) {
		listeners[i] =
			unixlistener_open("unixpacket", names[i], &options);
		if (listeners[i] == NULL)
			result = fail(names[i]);
	}
	if (result == 0 && (child = fork()) < 0)
		result = fail("fork");
	for (i = 0; i < 2 && result == 0; i++)
		result =
			child == 0 ? run_client(names[i]) : serve(listeners[i]);
	for (i = 0; i < 2; i++)
		if (unixlistener_close(listeners[i]) < 0)
			result = fail(names[i]);
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		result = -1;
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
