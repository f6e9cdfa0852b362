/* SPDX-License-Identifier: 0BSD */
/*
 * Abstract names, with a server and a client in one program. An abstract name
 * is no file: it has no owner and no mode, and exists until its last descriptor
 * is closed. Every process in the network namespace can use it, and no process
 * outside. Any user may connect to it or bind it first, so both sides check the
 * peer's user.
 *
 * Build:  cc 06-abstract.c $(pkg-config --cflags --libs unixmsg) -o abstract
 * Run:    ./abstract
 * See:    client: peer at @abstract-example, user 0
 *         client: hello
 *         server: peer at @982ae, user 0
 *         server: hello
 *         server: the end
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

static int fail(const char *who, const char *what)
{
	fprintf(stderr, "abstract: %s: %s: %s\n", who, what, strerror(errno));
	return -1;
}

/* Refuses a peer of another user. */
static int check_peer(const char *who, const struct unixconn *packet)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr peer;
	struct unixcred cred;

	if (unixconn_get_peer(packet, &peer) < 0)
		return fail(who, "peer's address");
	unixaddr_format(&peer, text, sizeof(text));
	if (unixpeer_get_cred(unixconn_get_fd(packet), &cred) < 0)
		return fail(who, "peer's user");
	printf("%s: peer at %s, user %u\n", who, text, cred.uid);
	if (cred.uid == geteuid())
		return 0;
	errno = EPERM;
	return fail(who, "peer's user");
}

static int receive(const char *who, struct unixconn *packet,
	int64_t deadline_us)
{
	char data[256];
	size_t size;
	int result =
		unixconn_recv(packet, data, sizeof(data), &size, deadline_us);

	if (result < 0)
		return fail(who, "receive");
	if (result == 0)
		printf("%s: the end\n", who);
	else
		printf("%s: %.*s\n", who, (int)size, data);
	return result;
}

static int talk(const char *who, struct unixconn *packet, int64_t deadline_us)
{
	if (check_peer(who, packet) < 0)
		return -1;
	if (unixconn_send(packet, "hello", 5, deadline_us) < 0)
		return fail(who, "send");
	return receive(who, packet, deadline_us) == 1 ? 0 : -1;
}

static int run_client(const char *name, const char *own, int64_t deadline_us)
{
	const struct unixdial_options options = { .own = own };
	struct unixconn *packet;
	int result;

	packet = unixconn_dial("unixpacket", name, &options, deadline_us);
	if (packet == NULL)
		return fail("client", name);
	result = talk("client", packet, deadline_us);
	unixconn_close(packet);
	return result;
}

static int run_server(struct unixlistener *listener, int64_t deadline_us)
{
	struct unixconn *packet = unixlistener_accept(listener, deadline_us);
	int result;

	if (packet == NULL)
		return fail("server", "accept");
	result = talk("server", packet, deadline_us);
	if (result == 0)
		result = receive("server", packet, deadline_us);
	unixconn_close(packet);
	return result;
}

int main(void)
{
	/* Change these. For "@" the kernel chooses a free name; NULL for own
	 * means no name. A name may hold any bytes: "@two\\x00parts". */
	const char *const name = "@abstract-example", *const own = "@";
	const int64_t timeout_us = 2000000;

	const int64_t deadline_us = unixdeadline_after_us(timeout_us);
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixlistener *listener =
		unixlistener_open("unixpacket", name, NULL);
	struct unixaddr addr;
	int result = -1, status = 0;
	pid_t child;

	if (listener == NULL) {
		fail("server", name);
		return EXIT_FAILURE;
	}
	/* The name that was bound: for "@" the kernel has chosen it. */
	if (unixlistener_get_address(listener, &addr) < 0) {
		fail("server", "address");
		unixlistener_close(listener);
		return EXIT_FAILURE;
	}
	unixaddr_format(&addr, text, sizeof(text));
	child = fork();
	if (child < 0)
		fail("server", "fork");
	else if (child == 0)
		result = run_client(text, own, deadline_us);
	else
		result = run_server(listener, deadline_us);
	unixlistener_close(listener);
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		result = -1;
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
