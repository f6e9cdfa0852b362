/* SPDX-License-Identifier: 0BSD */
/*
 * A service in front of another service. It passes the requests of its clients
 * on to the back service, and the answers back to the clients. It connects to
 * the back service at the first request, and again after the back service has
 * closed. Answers arrive in the order of the requests.
 *
 * Build:  cc 24-front.c $(pkg-config --cflags --libs unixmsg) -o front
 * Run:    seqpacket-echo --listen back.sock, in another terminal
 *         ./front unixpacket back.sock (or any other network), in a third one
 *         unixgram-echo front.sock hello; Ctrl-C or SIGTERM ends each.
 * See:    front: listening on front.sock
 *         and from the client:
 *         hello
 *         and without the back service:
 *         back.sock: No such file or directory
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: the address; the most requests that may wait; the time to
 * answer at the end. */
static const char address[] = "front.sock";
enum { WAITING_MAX = 64 };
static const int64_t drain_us = 5000000;

struct front {
	const char *network, *address;
	uint64_t back; /* the back service, 0 while there is none */
	/* The peers that wait for answers, in the order of their requests. */
	uint64_t waiting[WAITING_MAX];
	size_t first, count;
};

static int fail(const char *what)
{
	fprintf(stderr, "front: %s: %s\n", what, strerror(errno));
	return -1;
}

static uint64_t take_first(struct front *front)
{
	uint64_t peer = front->waiting[front->first];

	front->first = (front->first + 1) % WAITING_MAX;
	front->count--;
	return peer;
}

/* The requests that a closed back service has not answered get no answer. */
static void watch(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	struct front *front = context;

	if (event->kind != UNIXSERVICE_CLOSED || event->peer != front->back)
		return;
	front->back = 0;
	while (front->count > 0)
		unixservice_settle(service, take_first(front));
}

static int ask(struct unixservice *service, struct front *front,
	const struct unixmsg *msg)
{
	errno = EAGAIN;
	if (front->count == WAITING_MAX)
		return -1;
	if (front->back == 0 &&
		unixservice_open_peer(service, front->network, front->address,
			0, &front->back) < 0)
		return -1;
	return unixservice_push(service, front->back, msg->data, msg->size) == 1
		? 0
		: -1;
}

static int handle(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	struct front *front = context;
	char text[256];

	if (peer == 0) /* it has no address for an answer */
		return UNIXSERVICE_DONE;
	if (peer == front->back) {
		if (front->count > 0)
			unixservice_send(service, take_first(front), msg->data,
				msg->size);
		return UNIXSERVICE_DONE;
	}
	if (ask(service, front, msg) == 0) {
		front->waiting[(front->first + front->count++) % WAITING_MAX] =
			peer;
		return UNIXSERVICE_LATER;
	}
	snprintf(text, sizeof(text), "%s: %s", front->address, strerror(errno));
	unixservice_send(service, peer, text, strlen(text));
	return UNIXSERVICE_DONE;
}

static int serve(struct unixservice *service, int stop_fd)
{
	/* Datagrams of the back service arrive at the same socket. */
	if (unixservice_listen(service, "unixgram", address, NULL) < 0)
		return fail(address);
	fprintf(stderr, "front: listening on %s\n", address);
	return unixservice_serve(service, stop_fd, drain_us) < 0 ? fail("serve")
								 : 0;
}

int main(int argc, char **argv)
{
	const struct unixservice_options options = { .watcher = watch };
	struct front front = { .network = "unixpacket",
		.address = "back.sock" };
	struct unixservice *service = unixservice_new(handle, &front, &options);
	int result, stop_fd = unixstop_open();

	if (argc == 3) {
		front.network = argv[1];
		front.address = argv[2];
	}
	if (service == NULL || stop_fd < 0)
		result = fail("set-up");
	else
		result = serve(service, stop_fd);
	if (unixservice_close(service) < 0)
		result = fail(address);
	close(stop_fd);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
