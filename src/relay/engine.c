/* SPDX-License-Identifier: MIT */
/*
 * A connection passes these states. Every failure in one of them leads
 * back to the first, after a pause:
 *
 *	WAITING     for the time of the next try
 *	CONNECTING  until connect(2) has come to an end
 *	GREETING    until the server has sent INFO
 *	PROVING     CONNECT, all subscriptions and PING were sent; the answer to
 *	            the last one means that the server has accepted them all
 *	UP
 */
#include <config.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/credentials.h"
#include "relay/engine.h"
#include "relay/nats_writer.h"
#include "relay/servers.h"
#include "relay/subject.h"
#include "relay/tcp_owner.h"
#include "unixmsg/deadline.h"

enum state { WAITING, CONNECTING, GREETING, PROVING, UP };

enum {
	/* The most bytes of a read, and reads of a round: so the peers in the
	 * loop get their turn. */
	READ_SIZE = 65536,
	READS_MAX = 16,
	DOUBLINGS_MAX = 20,
};

struct subscription {
	char subject[SUBJECT_ROOM];
	char queue[SUBJECT_NAME_MAX + 1];
	bool is_off;
};

struct engine {
	struct engine_options options;
	struct engine_counters counters;
	struct servers servers;
	struct credentials credentials;
	char name[NATS_LOGIN_MAX + 1];
	struct subscription subscriptions[ENGINE_SUBSCRIPTIONS_MAX];
	unsigned int subscriptions_count;
	struct nats_reader reader;
	struct nats_writer writer;
	struct server server; /* the present one; the list may change */
	enum state state;
	int epoll;
	int fd;
	uint32_t events;    /* that fd is watched for */
	int64_t at_us;      /* of the next try, its end, or the next PING */
	unsigned int pings; /* without an answer */
	/* On this connection: PING sent, PONG received, and the number of the
	 * PONG that confirms everything sent before. */
	uint64_t asked, answered, confirming;
	unsigned int retries; /* since the engine stayed up */
	char said[200];       /* by the server, before it closes */
};

static int fail(int error)
{
	errno = error;
	return -1;
}

void engine_options_init(struct engine_options *options)
{
	memset(options, 0, sizeof(*options));
	options->user = (uid_t)-1;
	options->name = "unixmsg-relay";
	options->connect_us = 2000000;
	options->ping_us = 1000000;
	options->pings_max = 4;
	options->retry_us = 100000;
	options->retry_most_us = 2000000;
	options->payload_most = 1 << 20;
	/* Two of the largest payloads do not fit, one always does. */
	options->output_most = (1 << 20) + 2 * NATS_LINE_MAX;
}

static void tell(struct engine *engine, enum engine_change change,
	const char *why)
{
	if (engine->options.on_change != NULL)
		engine->options.on_change(engine->options.context, change, why);
}

/* The loop forgets a closed socket by itself. */
static void close_socket(struct engine *engine)
{
	if (engine->fd >= 0)
		close(engine->fd);
	engine->fd = -1;
	engine->events = 0;
	engine->asked = engine->answered = engine->confirming = 0;
	nats_reader_reset(&engine->reader);
	nats_writer_reset(&engine->writer);
}

static int64_t get_pause(const struct engine *engine)
{
	const struct engine_options *options = &engine->options;
	int64_t pause_us = options->retry_us;
	unsigned int i;

	for (i = 0; i < engine->retries && pause_us < options->retry_most_us;
		i++)
		pause_us *= 2;
	return pause_us < options->retry_most_us ? pause_us
						 : options->retry_most_us;
}

/* The only way back from any state. */
static void lose(struct engine *engine, const char *why)
{
	bool was_up = engine->state == UP;
	char text[400];

	snprintf(text, sizeof(text), "%s: %s%s%s", engine->server.text, why,
		*engine->said != '\0' ? ", after: " : "", engine->said);
	close_socket(engine);
	engine->state = WAITING;
	engine->at_us = unixdeadline_after_us(get_pause(engine));
	if (engine->retries < DOUBLINGS_MAX)
		engine->retries++;
	if (was_up)
		engine->counters.lost++;
	else
		engine->counters.failed++;
	tell(engine, was_up ? ENGINE_DOWN : ENGINE_FAILED, text);
}

static void lose_by(struct engine *engine, int error)
{
	lose(engine,
		error == EPROTO ? "not the protocol of nats-server"
				: strerror(error));
}

static int watch(struct engine *engine, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int operation = engine->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (engine->events == events)
		return 0;
	if (epoll_ctl(engine->epoll, operation, engine->fd, &event) < 0)
		return -1;
	engine->events = events;
	return 0;
}

/* Connecting */

static int begin_connecting(struct engine *engine)
{
	const struct server *server = &engine->server;
	const int yes = 1;

	engine->fd = socket(server->address.any.sa_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (engine->fd < 0 || watch(engine, EPOLLIN | EPOLLOUT) < 0)
		return -1;
	/* Small frames must not wait for the answers to those before. */
	if (setsockopt(engine->fd, IPPROTO_TCP, TCP_NODELAY, &yes,
		    sizeof(yes)) < 0)
		return -1;
	/* An interrupted connect(2) goes on, too. */
	if (connect(engine->fd, &server->address.any, server->length) < 0 &&
		errno != EINPROGRESS && errno != EINTR)
		return -1;
	return 0;
}

static void try_next_server(struct engine *engine)
{
	engine->server = *servers_take(&engine->servers);
	engine->state = CONNECTING;
	engine->at_us = unixdeadline_after_us(engine->options.connect_us);
	*engine->said = '\0';
	if (begin_connecting(engine) < 0)
		lose_by(engine, errno);
}

static in_port_t get_own_port(const struct engine *engine)
{
	struct sockaddr_in6 own = { .sin6_port = 0 };
	socklen_t length = sizeof(own);

	/* The port is at the same place in both kinds of addresses. */
	getsockname(engine->fd, (struct sockaddr *)&own, &length);
	return own.sin6_port;
}

/*
 * If nobody listens at the port of the server, the kernel may choose that very
 * port for our own end, and connects the socket with itself. Then no server
 * could come back there.
 */
static int check_connected(struct engine *engine)
{
	if (get_own_port(engine) == engine->server.address.v6.sin6_port)
		return fail(ECONNREFUSED);
	return watch(engine, EPOLLIN);
}

static void end_connecting(struct engine *engine)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(engine->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error == 0 && check_connected(engine) < 0)
		error = errno;
	if (error != 0)
		lose_by(engine, error);
	else
		engine->state = GREETING;
}

static const char *get_text(const char *text)
{
	return *text == '\0' ? NULL : text;
}

static int put_subscription(struct engine *engine, unsigned int index)
{
	const struct subscription *it = &engine->subscriptions[index];

	if (it->is_off)
		return nats_put_unsubscribe(&engine->writer, index + 1);
	return nats_put_subscribe(&engine->writer, it->subject,
		get_text(it->queue), index + 1);
}

static int put_ping(struct engine *engine)
{
	if (nats_put_ping(&engine->writer) < 0)
		return -1;
	engine->asked++;
	return 0;
}

static int put_greeting(struct engine *engine)
{
	const struct nats_login login = {
		.name = engine->name,
		.user = get_text(engine->credentials.user),
		.password = get_text(engine->credentials.password),
	};
	unsigned int i;

	if (nats_put_connect(&engine->writer, &login) < 0)
		return -1;
	for (i = 0; i < engine->subscriptions_count; i++)
		if (!engine->subscriptions[i].is_off &&
			put_subscription(engine, i) < 0)
			return -1;
	return put_ping(engine);
}

static size_t get_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void learn(struct engine *engine, const struct nats_info *info)
{
	size_t most = engine->options.payload_most;

	if (info->payload_most > 0)
		most = get_least(most, info->payload_most);
	nats_writer_set_payload_most(&engine->writer, most);
	servers_learn(&engine->servers, info);
}

/* Another user may take the port, to get our password. Root and our own user
 * have the password anyway. */
static bool is_user_right(const struct engine *engine)
{
	uid_t user;

	if (engine->options.user == (uid_t)-1)
		return true;
	return tcp_owner_find(engine->fd, &user) == 0 &&
		(user == engine->options.user || user == 0 ||
			user == geteuid());
}

/* Without headers there is no status 503, and a peer that is gone is noticed
 * late. */
static void greet(struct engine *engine, const struct nats_info *info)
{
	if (!is_user_right(engine)) {
		lose(engine, "another user has its port");
	} else if (info->wants_tls) {
		lose(engine, "it wants TLS: let a nats-server here do that");
	} else if (!info->has_headers) {
		lose(engine, "it is too old: it knows no headers");
	} else {
		learn(engine, info);
		engine->state = PROVING;
		if (put_greeting(engine) < 0)
			lose_by(engine, errno);
	}
}

/* Events */

static void take_pong(struct engine *engine)
{
	engine->pings = 0;
	engine->answered++;
	if (engine->state == UP) {
		/* It has stayed up for a while. */
		engine->retries = 0;
		return;
	}
	engine->state = UP;
	engine->at_us = unixdeadline_after_us(engine->options.ping_us);
	engine->counters.connected++;
	tell(engine, ENGINE_UP, engine->server.text);
}

static void take_error(struct engine *engine, const char *text)
{
	snprintf(engine->said, sizeof(engine->said), "%s", text);
	if (engine->state != UP) {
		lose(engine, "it refuses us");
		return;
	}
	engine->counters.refused++;
	tell(engine, ENGINE_REFUSED, engine->said);
}

static void take_message(struct engine *engine, const struct nats_event *event)
{
	if (event->number == 0 || event->number > engine->subscriptions_count) {
		lose_by(engine, EPROTO);
		return;
	}
	engine->counters.received++;
	engine->options.on_message(engine->options.context, event);
}

/* If there is no room for a PONG, the server does not read, so it will miss our
 * PING, too. */
static void take_event(struct engine *engine, const struct nats_event *event)
{
	if (engine->state == GREETING) {
		if (event->kind == NATS_INFO)
			greet(engine, event->info);
		else if (event->kind == NATS_ERROR)
			take_error(engine, event->text);
		else
			lose_by(engine, EPROTO);
		return;
	}
	switch (event->kind) {
	case NATS_INFO:
		learn(engine, event->info);
		break;
	case NATS_MESSAGE:
		take_message(engine, event);
		break;
	case NATS_PING:
		nats_put_pong(&engine->writer);
		break;
	case NATS_PONG:
		take_pong(engine);
		break;
	case NATS_ERROR:
		take_error(engine, event->text);
		break;
	case NATS_OK:
		break;
	}
}

static bool is_connected(const struct engine *engine)
{
	return engine->state >= GREETING;
}

/* Takes all that has arrived; a handler or an event may end the connection. */
static void take_events(struct engine *engine)
{
	struct nats_event event;
	int result = 1;

	while (is_connected(engine) &&
		(result = nats_reader_take(&engine->reader, &event)) == 1)
		take_event(engine, &event);
	if (result < 0)
		lose_by(engine, errno);
}

/* Returns true if there may be more. */
static bool read_once(struct engine *engine)
{
	size_t room;
	void *place = nats_reader_get_room(&engine->reader, &room);
	ssize_t size = recv(engine->fd, place, get_least(room, READ_SIZE), 0);

	if (size > 0) {
		nats_reader_add(&engine->reader, (size_t)size);
		take_events(engine);
		return is_connected(engine);
	}
	if (size == 0)
		lose(engine, "it has closed the connection");
	else if (errno == EINTR)
		return true;
	else if (errno != EAGAIN)
		lose_by(engine, errno);
	return false;
}

static void read_all(struct engine *engine)
{
	int count = 0;

	while (count++ < READS_MAX && read_once(engine))
		;
}

/* Sends until nothing waits, or there is no room. Returns -1 if the connection
 * is lost. */
static int write_all(struct engine *engine)
{
	const void *data;
	size_t size;
	ssize_t sent;

	while (data = nats_writer_get(&engine->writer, &size), size > 0) {
		sent = send(engine->fd, data, size, MSG_NOSIGNAL);
		if (sent >= 0)
			nats_writer_sent(&engine->writer, (size_t)sent);
		else if (errno == EAGAIN)
			return watch(engine, EPOLLIN | EPOLLOUT);
		else if (errno != EINTR)
			return -1;
	}
	return watch(engine, EPOLLIN);
}

void engine_push(struct engine *engine)
{
	if (is_connected(engine))
		write_all(engine);
}

/* The last words of a server tell more than an error of send. */
void engine_flush(struct engine *engine)
{
	if (is_connected(engine) && write_all(engine) < 0)
		read_all(engine);
	if (is_connected(engine) && engine_get_waiting(engine) > 0 &&
		!(engine->events & EPOLLOUT))
		lose(engine, "it has closed the connection");
}

/* Time */

static void ping(struct engine *engine)
{
	char why[64];

	if (engine->pings >= engine->options.pings_max) {
		snprintf(why, sizeof(why), "no answer to %u PING",
			engine->pings);
		lose(engine, why);
		return;
	}
	engine->pings++;
	engine->at_us = unixdeadline_after_us(engine->options.ping_us);
	/* A PING without room counts as well: the server does not read. */
	put_ping(engine);
}

static void do_what_is_due(struct engine *engine)
{
	if (unixdeadline_now_us() < engine->at_us)
		return;
	if (engine->state == WAITING)
		try_next_server(engine);
	else if (engine->state == UP)
		ping(engine);
	else
		lose(engine, strerror(ETIMEDOUT));
}

void engine_run(struct engine *engine)
{
	struct epoll_event event = { .events = 0 };

	/* A zero timeout is never interrupted. */
	if (engine->fd >= 0 && epoll_wait(engine->epoll, &event, 1, 0) > 0) {
		if (engine->state == CONNECTING)
			end_connecting(engine);
		else
			read_all(engine);
	}
	do_what_is_due(engine);
	engine_flush(engine);
}

int engine_get_fd(const struct engine *engine)
{
	return engine->epoll;
}

int64_t engine_get_deadline_us(const struct engine *engine)
{
	if (is_connected(engine) && engine_get_waiting(engine) > 0 &&
		!(engine->events & EPOLLOUT))
		return UNIXMSG_NOW;
	return engine->at_us;
}

/* Calls */

int engine_subscribe(struct engine *engine, const char *subject,
	const char *queue)
{
	unsigned int index = engine->subscriptions_count;
	struct subscription *it = &engine->subscriptions[index];

	if (index == ENGINE_SUBSCRIPTIONS_MAX)
		return fail(ENOSPC);
	if (!nats_is_subject(subject) ||
		strlen(subject) >= sizeof(it->subject) ||
		(queue != NULL && !subject_is_name(queue)))
		return fail(EINVAL);
	snprintf(it->subject, sizeof(it->subject), "%s", subject);
	snprintf(it->queue, sizeof(it->queue), "%s",
		queue == NULL ? "" : queue);
	if (engine->state >= PROVING && put_subscription(engine, index) < 0)
		return -1;
	engine->subscriptions_count++;
	return (int)index + 1;
}

int engine_set_subscribed(struct engine *engine, int number, bool is_wanted)
{
	const unsigned int index = (unsigned int)number - 1;
	struct subscription *it;

	if (number < 1 || index >= engine->subscriptions_count)
		return fail(EINVAL);
	it = &engine->subscriptions[index];
	if (it->is_off != is_wanted)
		return 0;
	it->is_off = !is_wanted;
	if (engine->state < PROVING || put_subscription(engine, index) == 0)
		return 0;
	it->is_off = is_wanted;
	return -1;
}

int engine_publish(struct engine *engine, const char *subject,
	const char *reply, const struct iovec *parts, size_t parts_count)
{
	if (engine->state != UP)
		return fail(ENOTCONN);
	if (nats_put_publish(&engine->writer, subject, reply, parts,
		    parts_count) < 0)
		return -1;
	engine->counters.published++;
	return 0;
}

int engine_confirm(struct engine *engine)
{
	if (engine->state != UP)
		return fail(ENOTCONN);
	if (put_ping(engine) < 0)
		return -1;
	engine->confirming = engine->asked;
	return 0;
}

bool engine_is_confirmed(const struct engine *engine)
{
	return engine->answered >= engine->confirming;
}

bool engine_is_up(const struct engine *engine)
{
	return engine->state == UP;
}

size_t engine_get_waiting(const struct engine *engine)
{
	size_t size;

	nats_writer_get(&engine->writer, &size);
	return size;
}

const struct engine_counters *engine_get_counters(const struct engine *engine)
{
	return &engine->counters;
}

/* Beginning and end */

static int take_options(struct engine *engine,
	const struct engine_options *options)
{
	engine->options = *options;
	if (strlen(options->name) > NATS_LOGIN_MAX)
		return fail(EINVAL);
	snprintf(engine->name, sizeof(engine->name), "%s", options->name);
	if (servers_init(&engine->servers, options->servers,
		    options->is_any_allowed) < 0)
		return -1;
	return options->credentials == NULL
		? 0
		: credentials_read(&engine->credentials, options->credentials);
}

static int open_parts(struct engine *engine)
{
	engine->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (engine->epoll < 0)
		return -1;
	if (nats_reader_init(&engine->reader, engine->options.payload_most) < 0)
		return -1;
	return nats_writer_init(&engine->writer, engine->options.output_most);
}

struct engine *engine_new(const struct engine_options *options)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	int saved;

	if (engine == NULL)
		return NULL;
	engine->fd = engine->epoll = -1;
	if (take_options(engine, options) == 0 && open_parts(engine) == 0)
		return engine;
	saved = errno;
	engine_close(engine);
	errno = saved;
	return NULL;
}

void engine_close(struct engine *engine)
{
	if (engine == NULL)
		return;
	if (engine->fd >= 0)
		close(engine->fd);
	if (engine->epoll >= 0)
		close(engine->epoll);
	nats_reader_free(&engine->reader);
	nats_writer_free(&engine->writer);
	credentials_clear(&engine->credentials);
	free(engine);
}
