/* SPDX-License-Identifier: MIT */
/*
 * Connections. The service does not read a connection while an answer to it is
 * queued, unless the program wants that, so further requests stay in the kernel
 * at the client's expense. It still notices when such a client ends: once no
 * answer can be delivered any more, the kernel reports a hang-up even to a
 * caller that waits for no other event.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/wait.h"
#include "network/conn_private.h"
#include "network/handshake.h"
#include "service/service_link.h"
#include "unixmsg/peer.h"

/* Messages from one connection before others get their turn. */
enum { TURN = 16 };

/* The most bytes to read at once from a byte stream. */
static const size_t bytes_most = 65536;

static bool is_readable(const struct link *link)
{
	return link->peer.life <= PEER_READ_ONLY &&
		!unixlink__is_of_parent(link) &&
		(link->peer.outbox.first == NULL || link->is_duplex) &&
		link->read_us == 0;
}

static bool is_writable(const struct link *link)
{
	return link->peer.outbox.first != NULL && link->write_us == 0;
}

/* epoll reports a hang-up again and again, whatever events it waits for. So a
 * link with a known hang-up and nothing else to do leaves the loop. */
static uint32_t choose_events(const struct link *link)
{
	if (is_readable(link))
		return is_writable(link) ? EPOLLIN | EPOLLOUT : EPOLLIN;
	if (is_writable(link))
		return EPOLLOUT;
	/* The kernel reports no end of a datagram peer. */
	if (link->is_gram || link->peer.life == PEER_READ_ONLY ||
		link->peer.life == PEER_GONE)
		return 0;
	return EPOLLHUP;
}

static int watch_link(struct unixservice *service, struct link *link)
{
	return unixservice__watch(service, &link->watch, choose_events(link));
}

/* Returns until when queued messages may wait while the peer reads none. */
static int64_t get_late_us(const struct unixservice *service,
	const struct peer *peer)
{
	const struct queued *first = peer->outbox.first;
	const int64_t patience_us = service->options.patience_us;
	int64_t since_us;

	if (first == NULL || patience_us == 0)
		return UNIXMSG_FOREVER;
	since_us = first->since_us > peer->active_us ? first->since_us
						     : peer->active_us;
	return patience_us < UNIXMSG_FOREVER - since_us ? since_us + patience_us
							: UNIXMSG_FOREVER;
}

/* Sets the timer to the first time that is due. */
static void plan(struct unixservice *service, struct link *link)
{
	const int64_t idle_us =
		link->peer.is_kept ? 0 : service->options.idle_us;
	int64_t at_us = get_late_us(service, &link->peer);

	if (idle_us > 0 && idle_us < at_us - link->peer.active_us)
		at_us = link->peer.active_us + idle_us;
	if (link->read_us > 0 && link->read_us < at_us)
		at_us = link->read_us;
	if (link->write_us > 0 && link->write_us < at_us)
		at_us = link->write_us;
	if (at_us != UNIXMSG_FOREVER)
		unixservice__set_peer_timer(service, &link->peer, at_us);
}

static void pause_reading(struct unixservice *service, struct link *link,
	int64_t until_us)
{
	link->read_us = until_us;
	plan(service, link);
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

/* Ends sending, which tells a client that waits for (the rest of) an answer. */
static void link_stop_sending(struct unixservice *service, struct peer *peer)
{
	struct link *link = (struct link *)peer;
	const bool is_due =
		!(link->watch.seen & EPOLLHUP) && !peer->is_inherited;

	if ((is_due && unixconn_shutdown(link->conn, SHUT_WR) < 0) ||
		watch_link(service, link) < 0)
		unixservice__disconnect(service, peer, errno);
}

/* Closes a connection: its client would take the next answer for the answer to
 * the truncated message. */
static void refuse_cut(struct unixservice *service, struct link *link,
	struct unixmsg *msg)
{
	struct unixservice_event event;

	/* A stream stores nothing of it: the buffer holds another message. */
	if (link->is_stream)
		msg->room = 0;
	unixservice__event_init(&event, UNIXSERVICE_CUT, &link->peer, EMSGSIZE);
	unixservice__reject(service, &service->counters.cut, msg, &event);
	if (!link->is_gram)
		unixservice__disconnect(service, &link->peer, EMSGSIZE);
}

static int receive(struct link *link, struct unixmsg *msg)
{
	if (!link->is_stream)
		return link->conn->network->recv_msg(link->conn, msg,
			UNIXMSG_NOW);
	if (link->is_bytes) {
		if (msg->room > bytes_most)
			msg->room = bytes_most;
		return unixstream__recv_bytes(link->conn, msg);
	}
	return unixconn_recv(link->conn, msg->data, msg->room, &msg->size,
		UNIXMSG_NOW);
}

/*
 * After a peer has closed with unread answers, the kernel first reports
 * ECONNRESET once, and then gives the messages of the peer.
 */
static bool note_first_reset(struct link *link)
{
	if (errno != ECONNRESET || link->is_reset)
		return false;
	link->is_reset = true;
	return true;
}

/*
 * A datagram socket has no end of file. But no more messages will arrive once
 * it is shut down, by unixservice_stop or another process; and after an error
 * the kernel has dropped messages to the peer.
 */
static void note_empty(struct unixservice *service, struct link *link)
{
	if (!link->is_gram)
		return;
	if (link->is_reset)
		unixservice__disconnect(service, &link->peer, ECONNRESET);
	else if (unixwait__is_shut(link->watch.fd))
		unixservice__finish(service, &link->peer);
}

/* Receives one message. Returns whether there may be more. */
static bool take_one(struct unixservice *service, struct link *link)
{
	struct unixmsg msg;
	int result;

	unixservice__prepare(service, &msg, NULL);
	result = receive(link, &msg);
	if (link->has_lane) {
		unixservice__look_at_lane(service, &link->peer, link->conn);
		link->is_awake = result == 1 && unixconn_is_lane(link->conn);
	}
	if (result < 0 && errno == EAGAIN) {
		note_empty(service, link);
		return false;
	}
	if (result < 0 && link->has_lane && errno == EMFILE) {
		pause_reading(service, link,
			service->now_us + UNIXLINK_SHORTAGE_US);
		return false;
	}
	if (result < 0 && note_first_reset(link))
		return true;
	if (result < 0 && errno != EMSGSIZE) {
		unixservice__disconnect(service, &link->peer, errno);
		return false;
	}
	if (result == 0) {
		/* We may still be able to send, so due answers are sent. */
		unixservice__note_end(service, &link->peer);
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

/* Returns true if the user has sent too much, and the peer has to wait. */
static bool pause_above_rate(struct unixservice *service, struct link *link)
{
	int64_t next_us =
		unixusers__get_next_us(&service->users, link->peer.user);

	if (next_us <= service->now_us)
		return false;
	pause_reading(service, link, next_us);
	return true;
}

static void trim_stream(struct unixservice *service, struct link *link)
{
	size_t bytes = unixstream__trim(link->conn);

	if (bytes != link->peer.partial_bytes)
		unixservice__note_partial(service, &link->peer, bytes);
}

static bool spins_on(struct unixservice *service, struct link *link)
{
	return link->is_awake && (link->watch.seen & EPOLLHUP) == 0 &&
		unixservice__spins_on_lane(service, link->conn,
			&link->spin_until_us);
}

static void read_some(struct unixservice *service, struct link *link)
{
	int taken = 0;
	bool is_more = true;

	while (is_readable(link) && is_more && taken < TURN) {
		if (taken == 1 && !link->has_lane && !has_input(link) &&
			!unixservice__is_try_due(&link->backoff))
			break;
		if (pause_above_rate(service, link) || spins_on(service, link))
			break;
		is_more = take_one(service, link);
		if (taken == 1)
			unixservice__note_try(&link->backoff, is_more);
		taken++;
	}
	if (unixservice__is_gone(&link->peer))
		return;
	/* poll(2) does not report bytes that were read ahead. */
	if (taken == TURN && is_more && has_input(link))
		pause_reading(service, link, service->now_us + 1);
	if (link->is_stream)
		trim_stream(service, link);
	if (watch_link(service, link) < 0)
		unixservice__disconnect(service, &link->peer, errno);
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

	if ((watch->seen & (EPOLLHUP | EPOLLERR)) && !link->is_gram)
		unixservice__hang_up(service, &link->peer);
	go_on(service, link);
}

/* Tells whether the peer was silent for too long. Restarts the time of a peer
 * that has a reason to be silent. */
static bool judge_silence(const struct unixservice *service, struct peer *peer)
{
	/* A peer that waits for our answer, or that we do not read, is not
	 * silent. */
	if (peer->outbox.first == NULL &&
		((peer->owed > 0 && peer->life != PEER_READ_ONLY) ||
			((struct link *)peer)->read_us > 0))
		peer->active_us = service->now_us;
	return service->options.idle_us > 0 && !peer->is_kept &&
		service->now_us - peer->active_us >= service->options.idle_us;
}

/*
 * Closes a peer that is late or silent, and counts its queued answers in
 * counter. The service did not read the peer while answers were queued. So it
 * reads the messages of the peer to the end first; the peer cannot send more.
 */
static void close_after_reading(struct unixservice *service, struct link *link,
	uint64_t *counter)
{
	struct peer *peer = &link->peer;
	const bool was_read = peer->outbox.first == NULL;

	unixservice__drop_all(service, peer, counter);
	if (was_read || peer->life != PEER_READING || peer->is_inherited) {
		unixservice__disconnect(service, peer, ETIMEDOUT);
		return;
	}
	/* Reading what the peer has sent may take some rounds. */
	peer->active_us = service->now_us;
	peer->send_error = ETIMEDOUT;
	unixservice__stop_sending(service, peer, ETIMEDOUT);
	if (!unixservice__is_gone(peer))
		unixconn_shutdown(link->conn, SHUT_RD);
}

static bool is_late(const struct unixservice *service, const struct peer *peer)
{
	return service->now_us >= get_late_us(service, peer);
}

/* poll(2) reports room only once three quarters of the queue are free, and
 * nothing if the peer has shut down its reading side. So try a send. */
static void try_before_giving_up(struct unixservice *service, struct link *link)
{
	struct peer *peer = &link->peer;

	if (peer->outbox.first != NULL &&
		(is_late(service, peer) || judge_silence(service, peer)))
		go_on(service, link);
}

/* Tells whether a pause is over, and ends it then. */
static bool end_pause(const struct unixservice *service, int64_t *until_us)
{
	if (*until_us == 0 || service->now_us < *until_us)
		return false;
	*until_us = 0;
	return true;
}

static void link_wake(struct unixservice *service, struct peer *peer)
{
	struct link *link = (struct link *)peer;
	bool is_due;

	unixservice__disconnect_if_done(service, peer);
	try_before_giving_up(service, link);
	if (unixservice__is_gone(peer))
		return;
	if (is_late(service, peer)) {
		close_after_reading(service, link, &service->counters.late);
		return;
	}
	if (judge_silence(service, peer)) {
		service->counters.idle++;
		close_after_reading(service, link, &service->counters.gone);
		return;
	}
	is_due = end_pause(service, &link->read_us);
	is_due |= end_pause(service, &link->write_us);
	if (is_due)
		go_on(service, link);
	plan(service, link);
}

/* poll(2) does not report bytes that were read ahead. */
static void begin_reading(struct unixservice *service, struct link *link)
{
	if (has_input(link))
		pause_reading(service, link, service->now_us);
}

static int link_pause(struct unixservice *service, struct peer *peer,
	bool is_wanted)
{
	struct link *link = (struct link *)peer;
	const bool is_paused = link->read_us == UNIXMSG_FOREVER;

	if (is_wanted == is_paused)
		return 0;
	link->read_us = is_wanted ? UNIXMSG_FOREVER : 0;
	if (!is_wanted)
		begin_reading(service, link);
	return watch_link(service, link);
}

/* Leaves the link to the process that has forked us and may still serve it. */
static void leave_link(struct unixservice *service, struct link *link)
{
	unixservice__finish(service, &link->peer);
	/* It only stops reading, which cannot fail. */
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

	if (peer->is_inherited) {
		leave_link(service, link);
		return;
	}
	/* From now on the peer's own sends fail at once. */
	unixconn_shutdown(link->conn, SHUT_RD);
	/* The end of file was read before, so nothing would report it again. */
	if (peer->life == PEER_WRITE_ONLY)
		unixservice__finish(service, peer);
}

static struct watch *link_get_watch(struct peer *peer)
{
	return &((struct link *)peer)->watch;
}

static void link_get_address(const struct peer *peer, struct unixaddr *addr)
{
	const struct link *link = (const struct link *)peer;

	if (unixconn_get_peer(link->conn, addr) < 0)
		unixaddr_set_unnamed(addr);
}

/*
 * Leaves the loop first: if another process has a copy of the descriptor, epoll
 * would report it even after the close.
 */
static void link_close(struct unixservice *service, struct peer *peer)
{
	struct link *link = (struct link *)peer;

	unixservice__watch(service, &link->watch, 0);
	unixconn_close(link->conn);
}

static const struct peer_sort packet_sort = {
	.network = "unixpacket",
	.send = unixlink__send_to_packet,
	.await = link_await,
	.resume = link_resume,
	.wake = link_wake,
	.stop_sending = link_stop_sending,
	.look_at_silence = link_look_at_silence,
	.pause = link_pause,
	.stop = link_stop,
	.get_size_max = unixlink__get_size_max,
	.get_address = link_get_address,
	.get_watch = link_get_watch,
	.close = link_close,
};

static const struct peer_sort lane_sort = {
	.network = "unixpacket",
	.send = unixlink__send_by_lane,
	.await = link_await,
	.resume = link_resume,
	.wake = link_wake,
	.stop_sending = link_stop_sending,
	.look_at_silence = link_look_at_silence,
	.pause = link_pause,
	.stop = link_stop,
	.get_size_max = unixlink__get_size_max,
	.get_address = link_get_address,
	.get_watch = link_get_watch,
	.close = link_close,
};

static const struct peer_sort stream_sort = {
	.network = "unix",
	.carries = unixlink__stream_carries,
	.send = unixlink__send_to_stream,
	.await = link_await,
	.resume = link_resume,
	.wake = link_wake,
	.stop_sending = link_stop_sending,
	.look_at_silence = link_look_at_silence,
	.pause = link_pause,
	.stop = link_stop,
	.get_size_max = unixlink__get_size_max,
	.get_address = link_get_address,
	.get_watch = link_get_watch,
	.close = link_close,
};

/* It has no stop_sending: nothing would report when the peer has ended. */
static const struct peer_sort gram_sort = {
	.network = "unixgram",
	.send = unixlink__send_to_packet,
	.await = link_await,
	.resume = link_resume,
	.wake = link_wake,
	.look_at_silence = link_look_at_silence,
	.pause = link_pause,
	.stop = link_stop,
	.get_size_max = unixlink__get_size_max,
	.get_address = link_get_address,
	.get_watch = link_get_watch,
	.close = link_close,
};

static const struct peer_sort *get_sort(const struct link *link)
{
	if (link->is_gram)
		return &gram_sort;
	if (link->has_lane)
		return &lane_sort;
	return link->is_stream ? &stream_sort : &packet_sort;
}

static struct link *make_link(struct unixconn *conn, bool is_bytes)
{
	struct link *link = calloc(1, sizeof(*link));

	if (link == NULL)
		return NULL;
	link->conn = conn;
	link->peer.tag = conn->tag;
	link->is_stream = conn->end.type == SOCK_STREAM;
	link->is_gram = conn->end.type == SOCK_DGRAM;
	link->is_bytes = is_bytes;
	link->has_lane = conn->network->is_lane != NULL;
	link->watch.ready = link_ready;
	link->watch.owner = link;
	link->watch.fd = unixconn_get_fd(conn);
	return link;
}

/* On failure the connection stays the caller's, and link is freed. */
static int open_link(struct unixservice *service, struct link *link,
	struct user *user, const struct unixcred *cred)
{
	struct peer *peer = &link->peer;

	link->is_duplex = service->options.read_while_queued;
	if (unixservice__watch(service, &link->watch, EPOLLIN) < 0) {
		free(link);
		return -1;
	}
	if (unixservice__enter(service, peer, get_sort(link), user, cred) < 0) {
		unixservice__watch(service, &link->watch, 0);
		free(link);
		return -1;
	}
	if (link->has_lane)
		unixhandshake__hold(unixhandshake__get(link->conn));
	peer->is_opened = true;
	unixservice__tell_of(service, UNIXSERVICE_OPENED, peer, 0);
	if (unixservice__is_gone(peer))
		return 0;
	plan(service, link);
	if (link->read_us == 0)
		begin_reading(service, link);
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
	const unsigned int wants = unixconn__get_wants(conn);
	const unsigned int chosen = unixservice__choose_wants(service,
		conn->end.type, is_bytes, wants);

	if ((wants | chosen) != 0 && unixconn_want(conn, chosen) < 0)
		return -1;
	return add_link(service, make_link(conn, is_bytes), peer);
}
