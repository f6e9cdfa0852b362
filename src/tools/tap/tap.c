/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/tap/recorder.h"
#include "tools/tap/tap.h"
#include "tools/tap/tap_options.h"

const char *tap_get_address(const struct tap *tap)
{
	return tap->options->front != NULL ? tap->options->front
					   : tap->options->address;
}

int tap_watch(const struct tap *tap, struct tap_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (watch->is_listed && watch->events == events)
		return 0;
	if (epoll_ctl(tap->epoll_fd,
		    watch->is_listed ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd,
		    &event) < 0)
		return tool_complain("epoll: %s", strerror(errno));
	watch->is_listed = true;
	watch->events = events;
	return 0;
}

void tap_unwatch(const struct tap *tap, struct tap_watch *watch)
{
	if (watch->is_listed)
		epoll_ctl(tap->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->is_listed = false;
}

void tap_wake_at(struct tap *tap, int64_t moment_us)
{
	if (moment_us < tap->wake_us)
		tap->wake_us = moment_us;
}

void tap_stop(struct tap *tap, const char *why)
{
	if (!tap->is_stopping && why != NULL)
		tool_say(TOOL_NORMAL, "%s", why);
	tap->is_stopping = true;
}

void tap_refuse(struct tap *tap, int error)
{
	tap->refused++;
	if (error == ECONNREFUSED || error == ENOENT) {
		tap_stop(tap, "the server has ended");
		return;
	}
	tap->has_failed = true;
	tool_complain("a client could not be connected to the server: %s",
		explain_error(error));
}

void tap_lose(struct tap *tap, uint64_t number, const struct unixmsg *msg)
{
	tool_complain("%s %ju: a message of %zu bytes could not be passed on: "
		      "%s",
		tap->network->is_connected ? "connection" : "client",
		(uintmax_t)number, msg->size, strerror(errno));
	tap->has_failed = true;
}

bool tap_is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
		error == ENOBUFS;
}

void tap_prepare(struct tap *tap, struct unixmsg *msg, size_t used)
{
	unixmsg_init(msg);
	msg->data = tap->room + used;
	msg->room = tap->options->size_max;
	msg->fds = tap->fds;
	msg->fds_room = UNIXMSG_FDS_MAX;
}

/* As root we send the credentials of each writer: otherwise the kernel would
 * name root. */
static bool is_root;

void tap_learn_user(void)
{
	is_root = geteuid() == 0;
}

unsigned int tap_get_wants(void)
{
	return UNIXMSG_WANT_FDS | (is_root ? UNIXMSG_WANT_CRED : 0);
}

void tap_readdress(struct unixmsg *out, const struct unixmsg *msg)
{
	const struct unixcred unknown = { 0, TAP_NOBODY, TAP_NOBODY };

	unixmsg_init(out);
	out->data = msg->data;
	out->room = msg->size;
	out->fds = msg->fds;
	out->fds_count = msg->fds_count;
	if (!is_root)
		return;
	out->flags = UNIXMSG_SEND_CRED;
	out->cred = (msg->flags & UNIXMSG_HAS_CRED) != 0 ? msg->cred : unknown;
}

bool tap_stand_in(struct unixmsg *out)
{
	if ((errno != ESRCH && errno != EPERM) || out->flags == 0 ||
		out->cred.pid == getpid())
		return false;
	out->cred.pid = getpid();
	return true;
}

int tap_send(struct unixconn *conn, struct unixmsg *out)
{
	int result = unixconn_send_msg(conn, out, UNIXMSG_NOW);

	if (result < 0 && tap_stand_in(out))
		result = unixconn_send_msg(conn, out, UNIXMSG_NOW);
	return result;
}

int tap_hold(struct unixmsg *held, struct unixmsg *msg)
{
	const size_t fds_size = msg->fds_count * sizeof(*msg->fds);
	unsigned char *memory = malloc(fds_size + msg->size + 1);

	if (memory == NULL)
		return -1;
	*held = *msg;
	held->addr = NULL;
	held->fds = (int *)(void *)memory;
	held->data = memory + fds_size;
	if (fds_size > 0)
		memcpy(held->fds, msg->fds, fds_size);
	memcpy(held->data, msg->data, msg->size);
	msg->fds_count = 0;
	return 0;
}

void tap_drop(struct unixmsg *held)
{
	unixmsg_close_fds(held);
	free(held->fds);
	unixmsg_init(held);
}

static int64_t get_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void count(struct tap *tap, const struct event *event)
{
	struct tap_count *direction = &tap->counts[event->is_answer];

	if (event->kind != EVENT_MESSAGE)
		return;
	direction->messages++;
	direction->bytes += event->size;
	tap->fds_count += event->fds;
}

static bool is_enough(const struct tap *tap)
{
	const uint64_t most = tap->options->messages_max;

	return most > 0 &&
		tap->counts[0].messages + tap->counts[1].messages >= most;
}

void tap_note(struct tap *tap, struct event *event, const void *data)
{
	const size_t snap = tap->options->snap;

	/* After --count N messages, the tap only passes further messages on. */
	if (is_enough(tap))
		return;
	count(tap, event);
	event->time_ns = get_time_ns();
	event->kept = event->size < snap ? event->size : snap;
	if (tap->printer != NULL)
		recorder_put(tap->printer, event, data);
	if (tap->writer != NULL)
		recorder_put(tap->writer, event, data);
	if (is_enough(tap))
		tap_stop(tap, NULL);
}
