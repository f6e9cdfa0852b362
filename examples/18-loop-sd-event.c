/* SPDX-License-Identifier: 0BSD */
/*
 * An echo service in the loop of libsystemd, sd-event(3). One source covers all
 * of its sockets, peers and timers.
 *
 * Build:  cc 18-loop-sd-event.c \
 *           $(pkg-config --cflags --libs unixmsg libsystemd) \
 *           -o loop-sd-event
 * Run:    ./loop-sd-event, and in another terminal
 *         seqpacket-echo loop.sock hello
 *         Ctrl-C or SIGTERM ends the service.
 * See:    loop-sd-event: listening on loop.sock
 *         and from the client:
 *         hello
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <systemd/sd-event.h>

#include <unixmsg.h>

/* Change this, the time to answer at the end, and the address in main. */
static const int64_t drain_us = 5000000;

static int fail(const char *what, int error)
{
	fprintf(stderr, "loop-sd-event: %s: %s\n", what, strerror(error));
	return -error;
}

static int echo(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)context;
	unixservice_send(service, peer, msg->data, msg->size);
	return UNIXSERVICE_DONE;
}

/* Call this after each call that may complete the drain. */
static int end_if_drained(sd_event_source *source,
	const struct unixservice *service)
{
	if (!unixservice_is_drained(service))
		return 0;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int service_ready(sd_event_source *source, int fd, uint32_t events,
	void *data)
{
	(void)fd;
	(void)events;
	/* sd-event disables a source whose callback fails: end the loop. */
	if (unixservice_dispatch(data) < 0)
		return sd_event_exit(sd_event_source_get_event(source),
			fail("dispatch", errno));
	return end_if_drained(source, data);
}

/* A second signal drops the answers that are still queued. */
static int stop(sd_event_source *source, const struct signalfd_siginfo *info,
	void *data)
{
	static int count;

	(void)info;
	if (unixservice_stop(data,
		    unixdeadline_after_us(count++ == 0 ? drain_us : 0)) < 0)
		fail("stop", errno);
	return end_if_drained(source, data);
}

/* Returns 0, or a negative errno as sd-event does. */
static int run(struct unixservice *service)
{
	sd_event *event = NULL;
	sigset_t signals;
	int result;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	result = sd_event_new(&event);
	if (result >= 0)
		result =
			sd_event_add_signal(event, NULL, SIGINT, stop, service);
	if (result >= 0)
		result = sd_event_add_signal(event, NULL, SIGTERM, stop,
			service);
	if (result >= 0)
		result = sd_event_add_io(event, NULL,
			unixservice_get_fd(service), EPOLLIN, service_ready,
			service);
	if (result >= 0)
		result = sd_event_loop(event);
	sd_event_unref(event);
	return result;
}

int main(void)
{
	const char *const address = "loop.sock";
	struct unixservice *service = unixservice_new(echo, NULL, NULL);
	int result;

	if (service == NULL ||
		unixservice_listen(service, "unixpacket", address, NULL) < 0) {
		result = fail(address, errno);
	} else {
		fprintf(stderr, "loop-sd-event: listening on %s\n", address);
		result = run(service);
		if (result < 0)
			fail("loop", -result);
	}
	if (unixservice_close(service) < 0)
		result = fail(address, errno);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
