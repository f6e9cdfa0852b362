/* SPDX-License-Identifier: 0BSD */
/*
 * An echo service in the main loop of GLib, which GTK and many daemons use. One
 * source covers all of its sockets, peers and timers.
 *
 * Build:  cc 17-loop-glib.c \
 *           $(pkg-config --cflags --libs unixmsg glib-2.0) -o loop-glib
 * Run:    ./loop-glib, and in another terminal
 *         seqpacket-echo loop.sock hello
 *         Ctrl-C or SIGTERM ends the service.
 * See:    loop-glib: listening on loop.sock
 *         and from the client:
 *         hello
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib-unix.h>
#include <glib.h>

#include <unixmsg.h>

/* Change this, the time to answer at the end, and the address in main. */
static const int64_t drain_us = 5000000;

static GMainLoop *loop;
static int result;

static void fail(const char *what)
{
	fprintf(stderr, "loop-glib: %s: %s\n", what, strerror(errno));
	result = -1;
}

static int echo(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)context;
	unixservice_send(service, peer, msg->data, msg->size);
	return UNIXSERVICE_DONE;
}

/* Call this after each call that may complete the drain. */
static void end_if_drained(const struct unixservice *service)
{
	if (unixservice_is_drained(service))
		g_main_loop_quit(loop);
}

static gboolean service_ready(gint fd, GIOCondition condition, gpointer data)
{
	(void)fd;
	(void)condition;
	if (unixservice_dispatch(data) < 0)
		fail("dispatch");
	end_if_drained(data);
	return G_SOURCE_CONTINUE;
}

/* A second signal drops the answers that are still queued. */
static gboolean stop(gpointer data)
{
	static int count;

	if (unixservice_stop(data,
		    unixdeadline_after_us(count++ == 0 ? drain_us : 0)) < 0)
		fail("stop");
	end_if_drained(data);
	return G_SOURCE_CONTINUE;
}

static void run(struct unixservice *service)
{
	const guint sources[] = {
		g_unix_fd_add(unixservice_get_fd(service), G_IO_IN,
			service_ready, service),
		g_unix_signal_add(SIGINT, stop, service),
		g_unix_signal_add(SIGTERM, stop, service),
	};
	size_t i;

	g_main_loop_run(loop);
	for (i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
}

int main(void)
{
	const char *const address = "loop.sock";
	struct unixservice *service = unixservice_new(echo, NULL, NULL);

	loop = g_main_loop_new(NULL, FALSE);
	if (service == NULL ||
		unixservice_listen(service, "unixpacket", address, NULL) < 0) {
		fail(address);
	} else {
		fprintf(stderr, "loop-glib: listening on %s\n", address);
		run(service);
	}
	if (unixservice_close(service) < 0)
		fail(address);
	g_main_loop_unref(loop);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
