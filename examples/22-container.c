/* SPDX-License-Identifier: 0BSD */
/*
 * Messages between containers, through a directory that both have mounted. Do
 * not mount the socket file: it would still be the old file after the server
 * has restarted.
 *
 * - The file's owner, group and mode decide which users may connect. The kernel
 *   compares its own numbers: user 0 of a container may be 100000 outside, a
 *   user without rights.
 * - The kernel translates user and process numbers for each reader, also in
 *   SCM_CREDENTIALS. A user without a number here appears as 65534, a process
 *   as 0. A message whose sender has neither comes without UNIXMSG_HAS_CRED.
 * - A pidfd needs no number: it shows if the process lives (Linux 6.5).
 * - An abstract name exists in one network namespace only.
 *
 * Build:  cc 22-container.c $(pkg-config --cflags --libs unixmsg) -o container
 * Run:    mkdir shared; ./container serve shared
 *         and in another terminal, as a container
 *         unshare -r -p -f -n ./container ask shared
 *         Ctrl-C or SIGTERM ends the server.
 * See:    container: listening on shared/service.sock and @container-example
 *         and on standard output:
 *         client is user 1000, process 4711, and lives
 *         says: I am user 0, process 1
 *         and from the client:
 *         @container-example: Connection refused
 *         server is user 0, process 0, and lives
 *         says: I am user 1000, process 4700
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: the names; the mode, here for all users; the timeout. */
static const char abstract_name[] = "@container-example";
static const char file_name[] = "service.sock";
static const mode_t mode = 0666;
static const int64_t patience_us = 5000000;

static int fail(const char *what)
{
	fprintf(stderr, "container: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Only prints. The file's mode decides, or the rules of a service; both compare
 * the kernel's numbers, not the translated ones. */
static int print_peer(const char *who, int fd)
{
	const int pidfd = unixpeer_open_pidfd(fd);
	struct unixcred cred;

	if (unixpeer_get_cred(fd, &cred) < 0)
		return fail(who);
	printf("%s is user %u, process %d", who, (unsigned int)cred.uid,
		(int)cred.pid);
	puts(unixpeer_is_alive(pidfd) == 1 ? ", and lives" : "");
	if (pidfd >= 0)
		close(pidfd);
	return 0;
}

/* Both sides print the peer, send their own numbers as they see them, and print
 * the peer's message. */
static int talk(struct unixconn *packet, const char *who)
{
	const int64_t deadline_us = unixdeadline_after_us(patience_us);
	char data[256];
	size_t i, size;

	if (print_peer(who, unixconn_get_fd(packet)) < 0)
		return -1;
	snprintf(data, sizeof(data), "I am user %u, process %d",
		(unsigned int)getuid(), (int)getpid());
	if (unixconn_send(packet, data, strlen(data), deadline_us) < 0 ||
		unixconn_recv(packet, data, sizeof(data), &size, deadline_us) <
			1)
		return fail(who);
	for (i = 0; i < size; i++)
		if (data[i] < ' ' || data[i] > '~')
			data[i] = '?'; /* no escape sequences */
	printf("says: %.*s\n", (int)size, data);
	return 0;
}

/* Serves one client after the other, until stopped. */
static int serve(const char *path, int stop_fd)
{
	struct unixlistener *listener, *abstract;
	const struct unixlisten_options options = { .mode = mode };
	struct unixconn *packet;

	listener = unixlistener_open("unixpacket", path, &options);
	abstract = unixlistener_open("unixpacket", abstract_name, NULL);
	if (listener == NULL || abstract == NULL)
		return fail(path);
	fprintf(stderr, "container: listening on %s and %s\n", path,
		abstract_name);
	unixlistener_set_stop_fd(listener, stop_fd);
	while ((packet = unixlistener_accept(listener, UNIXMSG_FOREVER))) {
		talk(packet, "client");
		unixconn_close(packet);
	}
	unixlistener_close(abstract);
	return unixlistener_close(listener);
}

static int ask(const char *path)
{
	struct unixconn *packet =
		unixconn_dial("unixpacket", abstract_name, NULL, UNIXMSG_NOW);
	int result;

	printf("%s: %s\n", abstract_name, strerror(packet ? 0 : errno));
	unixconn_close(packet);
	packet = unixconn_dial("unixpacket", path, NULL, UNIXMSG_NOW);
	result = packet == NULL ? fail(path) : talk(packet, "server");
	unixconn_close(packet);
	return result;
}

int main(int argc, char **argv)
{
	const char *const what = argc > 1 ? argv[1] : "serve";
	char path[4096];
	int result;

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	snprintf(path, sizeof(path), "%s/%s", argc > 2 ? argv[2] : ".",
		file_name);
	result = strcmp(what, "ask") == 0 ? ask(path)
					  : serve(path, unixstop_open());
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
