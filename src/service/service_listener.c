/* SPDX-License-Identifier: MIT */
/* Listeners, and the connections that they accept. */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/wait.h"
#include "message/cred_private.h"
#include "network/listener_private.h"
#include "service/service_private.h"
#include "unixmsg/peer.h"

/* Connections before other sockets get their turn. */
enum { TURN = 16 };

/* A user with a larger part of all descriptors leaves too few to others. */
enum { HOARD_PART = 4 };

/* The pause in accepting when descriptors or memory have run out. */
static const int64_t rest_us = 100000;

struct listeners {
	struct source source;
	struct unixlistener *listener;
	unsigned int wants; /* of its connections */
	bool is_bytes;
	bool is_pause_told;
};

/* A connection that has just been accepted. */
struct accepted {
	struct unixconn *conn;
	int fd;
	bool has_cred;
	struct unixcred cred;
};

/* A connection inherits the options that the listener had when the client
 * connected. That may have been before unixlistener_want. */
static void want_again(const struct listeners *listeners, struct unixconn *conn)
{
	if (listeners->wants != 0)
		unixconn_want(conn, listeners->wants);
}

static int accept_one(const struct listeners *listeners,
	struct accepted *accepted)
{
	accepted->conn = unixlistener_accept(listeners->listener, UNIXMSG_NOW);
	if (accepted->conn == NULL)
		return -1;
	accepted->fd = unixconn_get_fd(accepted->conn);
	want_again(listeners, accepted->conn);
	accepted->has_cred =
		unixpeer_get_cred(accepted->fd, &accepted->cred) == 0;
	if (!accepted->has_cred)
		accepted->cred = unixcred__get_unknown();
	return 0;
}

static void turn_away(struct unixservice *service, struct accepted *accepted,
	enum unixservice_event_kind kind, int error)
{
	struct unixservice_event event;

	unixservice__event_init(&event, kind, NULL, error);
	event.has_cred = accepted->has_cred;
	event.cred = accepted->cred;
	unixservice__tell(service, &event);
	unixconn_close(accepted->conn);
}

static const struct unixcred *get_cred(const struct accepted *accepted)
{
	return accepted->has_cred ? &accepted->cred : NULL;
}

/* Serves the connection. is_last: it has the last descriptor. */
static int give_place(struct unixservice *service,
	const struct listeners *listeners, const struct accepted *accepted,
	bool is_last)
{
	uid_t uid = accepted->has_cred ? accepted->cred.uid : (uid_t)-1;
	struct user *user =
		unixusers__get(&service->users, uid, service->now_us);
	int result = -1;

	if (user == NULL)
		return -1;
	user->holds++;
	errno = EDQUOT;
	if (unixservice__make_place(service, user) &&
		(!is_last || unixservice__make_descriptor(service, user)))
		result = unixservice__open_link(service, accepted->conn,
			listeners->is_bytes, user, get_cred(accepted));
	user->holds--;
	return result;
}

static void admit(struct unixservice *service,
	const struct listeners *listeners, struct accepted *accepted,
	bool is_last)
{
	service->counters.connections++;
	if (!unixaccess__is_allowed(&service->access,
		    listeners->source.is_abstract, get_cred(accepted),
		    accepted->fd)) {
		service->counters.connections_refused++;
		turn_away(service, accepted, UNIXSERVICE_REFUSED, EPERM);
	} else if (give_place(service, listeners, accepted, is_last) < 0) {
		service->counters.connections_limited++;
		turn_away(service, accepted, UNIXSERVICE_LIMITED, errno);
	}
}

/* The listener stays readable, so the loop would spin if it watched on. */
static void rest(struct unixservice *service, struct listeners *listeners,
	int error)
{
	struct unixservice_event event;

	service->counters.pauses++;
	unixservice__watch(service, &listeners->source.watch, 0);
	unixservice__set_source_timer(service, &listeners->source,
		service->now_us + rest_us);
	if (listeners->is_pause_told)
		return;
	listeners->is_pause_told = true;
	unixservice__event_init(&event, UNIXSERVICE_PAUSED, NULL, error);
	unixservice__tell(service, &event);
}

static int reserve_spare(struct unixservice *service)
{
	if (service->spare_fd < 0)
		service->spare_fd = fd_lift(eventfd(0, EFD_CLOEXEC));
	return service->spare_fd < 0 ? -1 : 0;
}

static bool is_one_user_heavy(const struct unixservice *service)
{
	const struct user *most =
		unixusers__get_most_connected(&service->users);
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	return most != NULL &&
		unixusers__count_connections(most) >
		limit.rlim_cur / HOARD_PART;
}

/*
 * Accepts a connection with the spare descriptor, when none is left and one
 * user has many. The connection stays if it can replace a connection of that
 * user, as with places. Returns whether more connections may wait; if not,
 * errno says why.
 */
static bool accept_by_spare(struct unixservice *service,
	struct listeners *listeners)
{
	struct accepted accepted;
	int saved = errno;

	if ((saved != EMFILE && saved != ENFILE) || service->spare_fd < 0 ||
		!is_one_user_heavy(service)) {
		errno = saved;
		return false;
	}
	fd_close(service->spare_fd);
	service->spare_fd = -1;
	if (accept_one(listeners, &accepted) < 0) {
		saved = errno;
		reserve_spare(service);
		errno = saved;
		return false;
	}
	admit(service, listeners, &accepted, true);
	reserve_spare(service);
	return true;
}

static void finish(struct unixservice *service, struct listeners *listeners)
{
	unixservice__watch(service, &listeners->source.watch, 0);
	listeners->source.is_done = true;
}

/* Tells whether EINVAL means that the socket is shut down. Other calls on the
 * way fail with it too. The test itself may fail and change error. */
static bool is_shut_down(const struct listeners *listeners, int *error)
{
	if (*error != EINVAL)
		return false;
	errno = EINVAL;
	if (unixwait__is_shut(listeners->source.watch.fd))
		return true;
	*error = errno;
	return false;
}

/* Ends a turn when no connection was accepted, for the reason in error. */
static void end_turn(struct unixservice *service, struct listeners *listeners,
	int error)
{
	const bool is_shut = is_shut_down(listeners, &error);

	if (error != EAGAIN && !is_shut)
		rest(service, listeners, error);
	else if (listeners->source.is_retired)
		finish(service, listeners);
	else if (is_shut)
		unixservice__lose_source(service, &listeners->source);
}

static void listeners_ready(struct unixservice *service, struct watch *watch)
{
	struct listeners *listeners = watch->owner;
	struct accepted accepted;
	int turn;

	/* A watcher or a handler may stop the service, or pause this. */
	for (turn = TURN; turn > 0 && !listeners->source.is_done &&
		!listeners->source.is_paused;
		turn--) {
		if (accept_one(listeners, &accepted) == 0) {
			listeners->is_pause_told = false;
			admit(service, listeners, &accepted, false);
			continue;
		}
		if (accept_by_spare(service, listeners))
			continue;
		end_turn(service, listeners, errno);
		return;
	}
}

static int listeners_get_address(const struct source *source,
	struct unixaddr *addr)
{
	return unixlistener_get_address(((const struct listeners *)source)
						->listener,
		addr);
}

static void listeners_wake(struct unixservice *service, struct source *source)
{
	if (source->is_done || source->is_paused)
		return;
	reserve_spare(service);
	if (unixservice__watch(service, &source->watch, EPOLLIN) < 0)
		unixservice__set_source_timer(service, source,
			service->now_us + rest_us);
}

/* Leaves the connections that wait at a shared socket to the other process. */
static int listeners_stop(struct unixservice *service, struct source *source)
{
	struct listeners *listeners = (struct listeners *)source;
	bool is_shared;
	int result = unixlistener__retire(listeners->listener, &is_shared);

	if (is_shared)
		finish(service, listeners);
	return result;
}

static int listeners_set_unlink(struct source *source, bool is_wanted)
{
	return unixlistener_set_unlink_on_close(((struct listeners *)source)
							->listener,
		is_wanted);
}

static int listeners_close(struct source *source)
{
	struct listeners *listeners = (struct listeners *)source;
	int result = unixlistener_close(listeners->listener);
	int saved = errno;

	free(listeners);
	errno = saved;
	return result;
}

static const struct source_sort listeners_sort = {
	.get_address = listeners_get_address,
	.wake = listeners_wake,
	.stop = listeners_stop,
	.set_unlink = listeners_set_unlink,
	.close = listeners_close,
};

static int set_up(struct unixservice *service, struct listeners *listeners)
{
	if ((listeners->wants | unixlistener__get_wants(listeners->listener)) !=
			0 &&
		unixlistener_want(listeners->listener, listeners->wants) < 0)
		return -1;
	if (reserve_spare(service) < 0)
		return -1;
	return unixservice__add_source(service, &listeners->source,
		&listeners_sort);
}

int unixservice_add_listener(struct unixservice *service,
	struct unixlistener *listener, unsigned int flags)
{
	const int type = unixlistener__get_type(listener);
	struct listeners *listeners;
	int saved = errno;

	if (unixservice__check_open(service) < 0 ||
		unixservice__check_bytes(type, flags) < 0)
		return -1;
	listeners = calloc(1, sizeof(*listeners));
	if (listeners == NULL)
		return -1;
	listeners->listener = listener;
	listeners->is_bytes = (flags & UNIXMSG_LISTEN_BYTES) != 0;
	listeners->wants = unixservice__choose_wants(service, type,
		listeners->is_bytes, unixlistener__get_wants(listener));
	listeners->source.watch.ready = listeners_ready;
	listeners->source.watch.owner = listeners;
	listeners->source.watch.fd = unixlistener_get_fd(listener);
	listeners->source.tag = unixlistener__get_tag(listener);
	if (set_up(service, listeners) == 0) {
		unixlistener__hold_lanes(listener);
		errno = saved;
		return 0;
	}
	free(listeners);
	return -1;
}
