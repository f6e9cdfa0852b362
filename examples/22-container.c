/* SPDX-License-Identifier: 0BSD */
/*
 * From container to container, through a directory that both have mounted: not
 * the socket file, which would stay that of a server that has gone.
 *
 * - The file's owner, group and mode decide who gets in, by the kernel's
 *   numbers: user 0 of a container may be 100000 outside, and a stranger there.
 * - Numbers of users and processes are translated for whoever reads them, with
 *   SCM_CREDENTIALS too. Who has none here is user 65534, process 0; a message
 *   of one who has neither comes without UNIXMSG_HAS_CRED.
 * - A pidfd needs no number: it tells whether the process lives (Linux 6.5).
 * - An abstract name is there in one network namespace and in no other.
 *
 * Build:  cc 22-container.c $(pkg-config --cflags --libs unixmsg) -o container
 * Run:    mkdir shared; ./container serve shared; Ctrl-C or SIGTERM ends it,
 *         and for a container: unshare -r -p -f -n ./container ask shared
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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: where; who may connect, here all; how long to wait. */
static const char abstract_name[] = "@container-example";
static const char file_name[] = "service.sock";
static const mode_t mode = 0666;
static const int64_t patience_us = 5000000;

static int fail(const char *what)
{
	fprintf(stderr, "container: %s: %s\n", what, strerror(errno));
	return -1;
}

/* For the log. What decides is the file's mode, or the rules of a service;
 * both go by the kernel's numbers, whatever they look like in here. */
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

/* The same on both sides: who is there, who we are in here, what he says. */
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
			data[i] = '?'; /* what he says commands no terminal */
	printf("says: %.*s\n", (int)size, data);
	return 0;
}

/* One client after the other, until stopped. */
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
