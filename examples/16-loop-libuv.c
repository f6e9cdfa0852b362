/* SPDX-License-Identifier: 0BSD */
/*
 * An echo service in the loop of libuv. One handle covers all of its sockets,
 * peers and timers.
 *
 * Build:  cc 16-loop-libuv.c \
 *           $(pkg-config --cflags --libs unixmsg libuv) -o loop-libuv
 * Run:    ./loop-libuv, and in another terminal
 *         seqpacket-echo loop.sock hello
 *         Ctrl-C or SIGTERM ends the service.
 * See:    loop-libuv: listening on loop.sock
 *         and from the client:
 *         hello
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include <unixmsg.h>

/* Change this, the time to answer at the end, and the address in main. */
static const int64_t drain_us = 5000000;

static uv_poll_t poll_handle;
static uv_signal_t signals[2];
static int result;

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "loop-libuv: %s: %s\n", what, why);
	result = -1;
}

static int echo(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)context;
	unixservice_send(service, peer, msg->data, msg->size);
	return UNIXSERVICE_DONE;
}

/* The loop runs until its handles are closed. Call this after each call that
 * may complete the drain. */
static void end_if_drained(const struct unixservice *service)
{
	if (!unixservice_is_drained(service))
		return;
	uv_close((uv_handle_t *)&poll_handle, NULL);
	uv_close((uv_handle_t *)&signals[0], NULL);
	uv_close((uv_handle_t *)&signals[1], NULL);
}

static void service_ready(uv_poll_t *handle, int status, int events)
{
	struct unixservice *service = handle->data;

	(void)events;
	if (status < 0)
		fail("poll", uv_strerror(status));
	if (unixservice_dispatch(service) < 0)
		fail("dispatch", strerror(errno));
	end_if_drained(service);
}

/* A second signal drops the answers that are still queued. */
static void stop(uv_signal_t *handle, int signal_number)
{
	static int count;
	struct unixservice *service = handle->data;

	(void)signal_number;
	if (unixservice_stop(service,
		    unixdeadline_after_us(count++ == 0 ? drain_us : 0)) < 0)
		fail("stop", strerror(errno));
	end_if_drained(service);
}

static int start(uv_loop_t *loop, struct unixservice *service)
{
	const int numbers[] = { SIGINT, SIGTERM };
	int i, error;

	error = uv_poll_init(loop, &poll_handle, unixservice_get_fd(service));
	if (error < 0)
		return error;
	poll_handle.data = service;
	for (i = 0; i < 2; i++) {
		uv_signal_init(loop, &signals[i]);
		signals[i].data = service;
		error = uv_signal_start(&signals[i], stop, numbers[i]);
		if (error < 0)
			return error;
	}
	return uv_poll_start(&poll_handle, UV_READABLE, service_ready);
}

int main(void)
{
	const char *const address = "loop.sock";
	uv_loop_t *loop = uv_default_loop();
	struct unixservice *service = unixservice_new(echo, NULL, NULL);
	int error;

	if (service == NULL ||
		unixservice_listen(service, "unixpacket", address, NULL) < 0) {
		fail(address, strerror(errno));
		unixservice_close(service);
		return EXIT_FAILURE;
	}
	error = start(loop, service);
	if (error < 0) {
		fail("loop", uv_strerror(error));
	} else {
		fprintf(stderr, "loop-libuv: listening on %s\n", address);
		uv_run(loop, UV_RUN_DEFAULT);
		uv_loop_close(loop);
	}
	/* After the loop: the handle uses the service's descriptor. */
	if (unixservice_close(service) < 0)
		fail(address, strerror(errno));
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
