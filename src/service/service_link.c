/* SPDX-License-Identifier: MIT */
/*
 * Connections. One that has no room for an answer is not read from until it has
 * taken it: what its client goes on sending stays in the kernel, at the
 * client's expense. Its end is seen meanwhile: when no answer can be taken any
 * more the kernel tells of a hang-up, to whoever waits for nothing else.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "network/conn_private.h"
#include "service/service_private.h"
#include "unixmsg/peer.h"

/* Messages of a connection before the others' turn. */
enum { TURN = 16 };

/* How long nothing is sent to a peer when the kernel has no memory for it. */
static const int64_t shortage_us = 10000;

/* No more than this of a byte stream at once. */
static const size_t bytes_most = 65536;

struct link {
	struct peer peer;
	struct watch watch;
	struct unixconn *conn;
	bool is_stream;
	int64_t resume_us; /* when it may be read from again; 0: now */
	bool is_bytes;
	bool is_reset; /* the kernel has said so, which it does once */
	struct eagerness eagerness;
};

static bool is_readable(const struct link *link)
{
	return link->peer.life <= PEER_DEAF &&
		link->peer.outbox.first == NULL && link->resume_us == 0;
}

/* A hang-up is told whatever is asked for, again and again: where it is known
 * and nothing can be done, the link is taken out of the loop. */
static uint32_t choose_events(const struct link *link)
{
	if (is_readable(link))
		return EPOLLIN;
	if (link->peer.outbox.first != NULL && link->resume_us == 0)
		return EPOLLOUT;
	return link->peer.life == PEER_DEAF ? 0 : EPOLLHUP;
}

static int watch_link(struct unixservice *service, struct link *link)
{
	return unixservice__watch(service, &link->watch, choose_events(link));
}

/* Until when what is kept may lie there while the peer takes nothing of it. */
static int64_t get_late_us(const struct unixservice *service,
	const struct peer *peer)
{
	const struct kept *first = peer->outbox.first;
	const int64_t patience_us = service->options.patience_us;
	int64_t since_us;

	if (first == NULL || patience_us == 0)
		return UNIXMSG_FOREVER;
	since_us = first->since_us > peer->active_us ? first->since_us
						     : peer->active_us;
	return patience_us < UNIXMSG_FOREVER - since_us ? since_us + patience_us
							: UNIXMSG_FOREVER;
}

/* Sets the timer to what comes first. */
static void plan(struct unixservice *service, struct link *link)
{
	const int64_t idle_us =
		link->peer.is_kept ? 0 : service->options.idle_us;
	int64_t at_us = get_late_us(service, &link->peer);

	if (idle_us > 0 && idle_us < at_us - link->peer.active_us)
		at_us = link->peer.active_us + idle_us;
	if (link->resume_us > 0 && link->resume_us < at_us)
		at_us = link->resume_us;
	if (at_us != UNIXMSG_FOREVER)
		unixservice__set_peer_timer(service, &link->peer, at_us);
}

static void pause_link(struct unixservice *service, struct link *link,
	int64_t until_us)
{
	link->resume_us = until_us;
	plan(service, link);
}

static int send_to_stream(struct link *link, const struct unixmsg *msg,
	size_t *done)
{
	const char *data;
	size_t size, written = 0;
	int result;

	/* They are put together where they are kept. */
	if (msg->parts != NULL) {
		errno = EAGAIN;
		return -1;
	}
	data = msg->data;
	size = msg->room;
	if (!link->is_bytes)
		return link->conn->network->send(link->conn, data, size,
			UNIXMSG_NOW);
	result = link->conn->network->write(link->conn, data + *done,
		size - *done, &written, UNIXMSG_NOW);
	*done += written;
	if (result < 0 && errno == EAGAIN && *done > 0)
		errno = EINPROGRESS;
	return result;
}

/*
 * Part of it may have gone: another message would be taken for the rest, and
 * the same once more for a new one.
 */
static int give_up_stream(struct link *link, int result)
{
	link->peer.is_spoilt = result < 0 && errno != EAGAIN &&
		errno != EINPROGRESS && errno != EINVAL && errno != EMSGSIZE;
	return result;
}

/* Past what is for programs: the service keeps its own books, and has no policy
 * but its own. */
static int send_to_packet(struct unixconn *conn, const struct unixmsg *msg)
{
	if (unixservice__is_plain(msg))
		return conn->network->send(conn, msg->data, msg->room,
			UNIXMSG_NOW);
	return conn->network->send_msg(conn, msg, UNIXMSG_NOW);
}

/*
 * However large the buffer, the kernel has no room for more than it can
 * allocate at once, and polling says that it has.
 */
static int refuse_too_large(const struct unixconn *conn,
	const struct unixmsg *msg, int result)
{
	size_t most;

	if (result < 0 && errno == ENOBUFS) {
		if (unixconn_get_size_max(conn, &most) == 0 &&
			unixoutbox__get_size(msg) > most)
			errno = EMSGSIZE;
		else
			errno = ENOBUFS;
	}
	return result;
}

static int link_send(struct unixservice *service, struct peer *peer,
	const struct unixmsg *msg, size_t *done)
{
	struct link *link = (struct link *)peer;
	int result;

	if (link->is_stream)
		return give_up_stream(link, send_to_stream(link, msg, done));
	result = refuse_too_large(link->conn, msg,
		send_to_packet(link->conn, msg));
	/* Polling would say at once that there is room. */
	if (result < 0 && errno == ENOBUFS)
		pause_link(service, link, service->now_us + shortage_us);
	return result;
}

static int link_await(struct unixservice *service, struct peer *peer)
{
	plan(service, (struct link *)peer);
	return watch_link(service, (struct link *)peer);
}

static int link_resume(struct unixservice *service, struct peer *peer)
{
	return watch_link(service, (struct link *)peer);
}

/* A client that waits for an answer, or for the rest of one, is told. */
static void link_deafen(struct unixservice *service, struct peer *peer)
{
	struct link *link = (struct link *)peer;

	if (!(link->watch.seen & EPOLLHUP) && !peer->is_inherited)
		shutdown(link->watch.fd, SHUT_WR);
	if (watch_link(service, link) < 0)
		unixservice__part(service, peer, errno);
}

/* Its next answer would be taken for that of the message that was cut. */
static void refuse_cut(struct unixservice *service, struct link *link,
	struct unixmsg *msg)
{
	struct unixservice_event event;

	/* Nothing of it was stored: what lies there was another's. */
	if (link->is_stream)
		msg->room = 0;
	unixservice__event_init(&event, UNIXSERVICE_CUT, &link->peer, EMSGSIZE);
	unixservice__reject(service, &service->counters.cut, msg, &event);
	unixservice__part(service, &link->peer, EMSGSIZE);
}

static int receive(struct link *link, struct unixmsg *msg)
{
	if (!link->is_stream)
		return link->conn->network->recv_msg(link->conn, msg,
			UNIXMSG_NOW);
	if (link->is_bytes)
		return unixconn_read(link->conn, msg->data,
			msg->room < bytes_most ? msg->room : bytes_most,
			&msg->size, UNIXMSG_NOW);
	return unixconn_recv(link->conn, msg->data, msg->room, &msg->size,
		UNIXMSG_NOW);
}

/*
 * A peer that has closed with answers unread: the kernel says so first, and
 * gives what it has sent then.
 */
static bool is_first_reset(struct link *link)
{
	if (errno != ECONNRESET || link->is_reset)
		return false;
	link->is_reset = true;
	return true;
}

/* Whether there may be more. */
static bool take_one(struct unixservice *service, struct link *link)
{
	struct unixmsg msg;
	int result;

	unixservice__prepare(service, &msg, NULL);
	result = receive(link, &msg);
	if (result < 0 && errno == EAGAIN)
		return false;
	if (result < 0 && is_first_reset(link))
		return true;
	if (result < 0 && errno != EMSGSIZE) {
		unixservice__part(service, &link->peer, errno);
		return false;
	}
	if (result == 0) {
		/* Half of it may be open still: what is owed goes out. */
		unixservice__finish(service, &link->peer);
		return false;
	}
	unixusers__count(&service->users, link->peer.user, service->now_us);
	unixservice__count(service, &link->peer, &msg);
	if (!link->is_bytes && msg.size > service->options.size_max)
		refuse_cut(service, link, &msg);
	else
		unixservice__take(service, &link->peer, link->peer.tag, &msg);
	return is_readable(link);
}

static bool has_input(const struct link *link)
{
	return link->is_stream && unixstream__has_input(link->conn);
}

static bool is_within_rate(struct unixservice *service, struct link *link)
{
	int64_t next_us =
		unixusers__get_next_us(&service->users, link->peer.user);

	if (next_us <= service->now_us)
		return true;
	pause_link(service, link, next_us);
	return false;
}

static void trim_stream(struct unixservice *service, struct link *link)
{
	size_t bytes = unixstream__trim(link->conn);

	if (bytes != link->peer.partial_bytes)
		unixservice__note_partial(service, &link->peer, bytes);
}

static void read_some(struct unixservice *service, struct link *link)
{
	int taken = 0;
	bool is_more = true;

	while (is_readable(link) && is_more && taken < TURN) {
		if (taken == 1 && !has_input(link) &&
			!unixservice__is_eager(&link->eagerness))
			break;
		if (!is_within_rate(service, link))
			break;
		is_more = take_one(service, link);
		if (taken == 1)
			unixservice__note_another(&link->eagerness, is_more);
		taken++;
	}
	if (unixservice__is_gone(&link->peer))
		return;
	/* Polling does not tell of what was read ahead. */
	if (taken == TURN && is_more && has_input(link))
		pause_link(service, link, service->now_us + 1);
	if (link->is_stream)
		trim_stream(service, link);
	if (unixservice__is_gone(&link->peer))
		return;
	if (watch_link(service, link) < 0)
		unixservice__part(service, &link->peer, errno);
}

static void go_on(struct unixservice *service, struct link *link)
{
	if (link->peer.outbox.first != NULL)
		unixservice__flush(service, &link->peer);
	if (is_readable(link))
		read_some(service, link);
}

static void link_ready(struct unixservice *service, struct watch *watch)
{
	struct link *link = watch->owner;

	if ((watch->seen & (EPOLLHUP | EPOLLERR)) &&
		!unixservice__is_gone(&link->peer))
		unixservice__deafen(service, &link->peer, EPIPE);
	if (!unixservice__is_gone(&link->peer))
		go_on(service, link);
}

static bool is_idle(const struct unixservice *service, struct peer *peer)
{
	/* It is not its silence that we owe it an answer, or do not listen. */
	if (peer->outbox.first == NULL &&
		((peer->owed > 0 && peer->life != PEER_DEAF) ||
			((struct link *)peer)->resume_us > 0))
		peer->active_us = service->now_us;
	return service->options.idle_us > 0 && !peer->is_kept &&
		service->now_us - peer->active_us >= service->options.idle_us;
}

/*
 * It has not been read from while answers to it were kept, which are counted in
 * counter: what it has sent is read to the end before it is closed. It cannot
 * send more.
 */
static void close_after_reading(struct unixservice *service, struct link *link,
	uint64_t *counter)
{
	struct peer *peer = &link->peer;
	const bool was_read = peer->outbox.first == NULL;

	unixservice__drop_all(service, peer, counter);
	if (was_read || peer->life != PEER_READING || peer->is_inherited) {
		unixservice__part(service, peer, ETIMEDOUT);
		return;
	}
	peer->deaf_error = ETIMEDOUT;
	unixservice__deafen(service, peer, ETIMEDOUT);
	if (!unixservice__is_gone(peer))
		shutdown(link->watch.fd, SHUT_RD);
}

static void link_wake(struct unixservice *service, struct peer *peer)
{
	struct link *link = (struct link *)peer;

	unixservice__part_if_done(service, peer);
	if (unixservice__is_gone(peer))
		return;
	if (service->now_us >= get_late_us(service, peer)) {
		close_after_reading(service, link, &service->counters.late);
		return;
	}
	if (is_idle(service, peer)) {
		service->counters.idle++;
		close_after_reading(service, link, &service->counters.gone);
		return;
	}
	if (link->resume_us > 0 && service->now_us >= link->resume_us) {
		link->resume_us = 0;
		go_on(service, link);
	}
	if (!unixservice__is_gone(peer))
		plan(service, link);
}

/* The process that has forked us may serve it still: it is left to that. */
static void leave_link(struct unixservice *service, struct link *link)
{
	unixservice__finish(service, &link->peer);
	/* Not to be read from any more, which cannot fail. */
	if (!unixservice__is_gone(&link->peer))
		watch_link(service, link);
}

static void link_look_at_silence(struct unixservice *service, struct peer *peer)
{
	if (peer->life != PEER_ENDED)
		plan(service, (struct link *)peer);
}

static void link_stop(struct unixservice *service, struct peer *peer)
{
	struct link *link = (struct link *)peer;

	/* What the peer sends from now on is an error to it at once. */
	if (!peer->is_inherited)
		shutdown(link->watch.fd, SHUT_RD);
	else
		leave_link(service, link);
}

static struct watch *link_get_watch(struct peer *peer)
{
	return &((struct link *)peer)->watch;
}

static size_t link_get_size_max(const struct peer *peer)
{
	const struct link *link = (const struct link *)peer;
	size_t size;

	if (!link->is_bytes && unixconn_get_size_max(link->conn, &size) == 0)
		return size;
	return SIZE_MAX;
}

static void link_get_address(const struct peer *peer, struct unixaddr *addr)
{
	const struct link *link = (const struct link *)peer;

	if (unixconn_get_peer(link->conn, addr) < 0)
		unixaddr_set_unnamed(addr);
}

/*
 * Taken out of the loop first: somebody may hold a copy of the descriptor, and
 * the loop would go on with it.
 */
static void link_close(struct unixservice *service, struct peer *peer)
{
	struct link *link = (struct link *)peer;

	unixservice__watch(service, &link->watch, 0);
	unixconn_close(link->conn);
}

static const struct peer_sort packet_sort = {
	.network = "unixpacket",
	.fds_max = UNIXMSG_FDS_MAX,
	.send = link_send,
	.await = link_await,
	.resume = link_resume,
	.wake = link_wake,
	.deafen = link_deafen,
	.look_at_silence = link_look_at_silence,
	.stop = link_stop,
	.get_size_max = link_get_size_max,
	.get_address = link_get_address,
	.get_watch = link_get_watch,
	.close = link_close,
};

static const struct peer_sort stream_sort = {
	.network = "unix",
	.send = link_send,
	.await = link_await,
	.resume = link_resume,
	.wake = link_wake,
	.deafen = link_deafen,
	.look_at_silence = link_look_at_silence,
	.stop = link_stop,
	.get_size_max = link_get_size_max,
	.get_address = link_get_address,
	.get_watch = link_get_watch,
	.close = link_close,
};

static struct link *make_link(struct unixconn *conn, bool is_bytes)
{
	struct link *link = calloc(1, sizeof(*link));

	if (link == NULL)
		return NULL;
	link->conn = conn;
	link->peer.tag = conn->tag;
	link->is_stream = conn->end.type == SOCK_STREAM;
	link->is_bytes = is_bytes;
	link->watch.ready = link_ready;
	link->watch.owner = link;
	link->watch.fd = unixconn_get_fd(conn);
	return link;
}

/* On failure the connection stays the caller's, and link is gone. */
static int open_link(struct unixservice *service, struct link *link,
	struct user *user, const struct unixcred *cred)
{
	struct peer *peer = &link->peer;

	if (unixservice__watch(service, &link->watch, EPOLLIN) < 0) {
		free(link);
		return -1;
	}
	if (unixservice__enter(service, peer,
		    link->is_stream ? &stream_sort : &packet_sort, user,
		    cred) < 0) {
		unixservice__watch(service, &link->watch, 0);
		free(link);
		return -1;
	}
	peer->is_opened = true;
	unixservice__tell_of(service, UNIXSERVICE_OPENED, peer, 0);
	if (unixservice__is_gone(peer))
		return 0;
	plan(service, link);
	if (has_input(link))
		pause_link(service, link, service->now_us);
	if (service->is_stopping)
		link_stop(service, peer);
	return 0;
}

int unixservice__open_link(struct unixservice *service, struct unixconn *conn,
	bool is_bytes, struct user *user, const struct unixcred *cred)
{
	struct link *link = make_link(conn, is_bytes);

	return link == NULL ? -1 : open_link(service, link, user, cred);
}

static int add_link(struct unixservice *service, struct link *link,
	uint64_t *peer)
{
	struct unixcred cred;
	bool has_cred;
	struct user *user;
	int saved = errno;

	if (link == NULL)
		return -1;
	unixservice__look_at_clock(service);
	has_cred = unixpeer_get_cred(link->watch.fd, &cred) == 0;
	user = unixusers__get(&service->users, has_cred ? cred.uid : (uid_t)-1,
		service->now_us);
	if (user == NULL) {
		free(link);
		return -1;
	}
	if (open_link(service, link, user, has_cred ? &cred : NULL) < 0)
		return -1;
	if (peer != NULL)
		*peer = link->peer.id;
	errno = saved;
	return 0;
}

int unixservice__add_link(struct unixservice *service, struct unixconn *conn,
	bool is_bytes, uint64_t *peer)
{
	if (conn->end.type == SOCK_SEQPACKET &&
		unixconn_want(conn,
			service->options.wants | unixconn__get_wants(conn)) < 0)
		return -1;
	return add_link(service, make_link(conn, is_bytes), peer);
}
