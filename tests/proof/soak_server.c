/* SPDX-License-Identifier: MIT */
/*
 * A server of the soak: it gives each message back, and tells who it is. Some
 * answer at once, others when a round is over; some run the service, others
 * have a loop of their own; some have a large buffer for datagrams, others
 * what everybody has; most offer lanes.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proof/soak.h"

enum { FDS_MOST = 64 };

static const int64_t drain_us = 60000000;
/* Larger messages go by the socket. */
static const size_t ring_bytes = 16384;

struct owed {
	struct owed *next;
	uint64_t peer;
	size_t size;
	char data[];
};

struct server {
	struct unixservice *service;
	uint32_t id;
	bool is_late, is_looping, is_small;
	struct owed *owed;
	struct owed **owed_end;
	uint64_t heard;
	/* Of the datagram sockets, which are the service's. */
	int fds[FDS_MOST];
	int fds_count;
};

/* Does what it is told to do wrong: whether to answer all the same. */
static bool do_wrong(struct server *server, uint64_t peer, char *data,
	size_t size)
{
	static const uint64_t when = 100;

	if (++server->heard % when != 0)
		return true;
	switch (soak_book->fault) {
	case SOAK_ALTERS:
		data[size - 1] ^= 1;
		return true;
	case SOAK_DROPS:
		return false;
	case SOAK_DOUBLES:
		unixservice_send(server->service, peer, data, size);
		return true;
	case SOAK_KEEPS_FDS:
		fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
		return true;
	default:
		return true;
	}
}

/* Those who have gone have no answer. */
static void send_answer(struct unixservice *service, uint64_t peer,
	const char *data, size_t size)
{
	SOAK_EXPECT(unixservice_send(service, peer, data, size) == 1 ||
		errno == ENOTCONN || errno == EPIPE);
}

static int owe(struct server *server, uint64_t peer, const char *data,
	size_t size)
{
	struct owed *owed = malloc(sizeof(*owed) + size);

	SOAK_EXPECT(owed != NULL);
	owed->next = NULL;
	owed->peer = peer;
	owed->size = size;
	memcpy(owed->data, data, size);
	*server->owed_end = owed;
	server->owed_end = &owed->next;
	return UNIXSERVICE_LATER;
}

static void pay(struct unixservice *service,
	const struct unixservice_event *event, void *context)
{
	struct server *server = context;
	struct owed *owed;

	if (event->kind != UNIXSERVICE_ROUND)
		return;
	while ((owed = server->owed) != NULL) {
		server->owed = owed->next;
		send_answer(service, owed->peer, owed->data, owed->size);
		free(owed);
	}
	server->owed_end = &server->owed;
}

static int answer(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	struct server *server = context;
	char *data = msg->data;

	if (msg->size < sizeof(struct soak_head))
		soak_fail("expected whole messages, got %zu bytes", msg->size);
	memcpy(data + offsetof(struct soak_head, server), &server->id,
		sizeof(server->id));
	if (!do_wrong(server, peer, data, msg->size))
		return UNIXSERVICE_DONE;
	if (server->is_late)
		return owe(server, peer, data, msg->size);
	send_answer(service, peer, data, msg->size);
	return UNIXSERVICE_DONE;
}

static int listen_at(struct server *server, int address,
	unsigned int name_flags)
{
	struct unixlisten_options options = { .flags = name_flags };
	const enum link_network network = soak_get_network(address);

	if (network == LINK_PACKET && server->id % 4 != 0)
		options.lane_bytes = ring_bytes;

	return unixservice_listen(server->service, link_get_network(network),
		soak_get_address(address), &options);
}

/* 0, or an errno. */
static int listen_all(struct server *server, int site, unsigned int name_flags)
{
	int address;

	if (soak_book->fault == SOAK_KEEPS_FILE)
		name_flags |= UNIXMSG_LISTEN_KEEP;
	for (address = 0; address < SOAK_ADDRESSES; address++)
		if (soak_get_site(address) == site &&
			listen_at(server, address, name_flags) < 0)
			return errno;
	return 0;
}

static struct unixservice *make_service(struct server *server)
{
	struct unixservice_options options = { .size_max = SOAK_SIZE_MOST };

	/* Clients are stopped for a while, and nothing may be late. */
	options.patience_us = drain_us;
	options.watcher = pay;
	if (server->is_small)
		options.send_buffer_bytes = 1;
	return unixservice_new(answer, server, &options);
}

static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	SOAK_EXPECT(sigprocmask(SIG_BLOCK, &signals, NULL) == 0);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static bool is_datagram_socket(int fd)
{
	socklen_t size = sizeof(int);
	int type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
		type == SOCK_DGRAM;
}

static void find_datagram_sockets(struct server *server)
{
	int fd;

	for (fd = 0; fd < FDS_MOST; fd++)
		if (is_datagram_socket(fd))
			server->fds[server->fds_count++] = fd;
}

static bool is_all_read(const struct server *server)
{
	int i, bytes;

	for (i = 0; i < server->fds_count; i++) {
		SOAK_EXPECT(ioctl(server->fds[i], SIOCOUTQ, &bytes) == 0);
		if (bytes > 0)
			return false;
	}
	return true;
}

/*
 * A client that sends to a datagram socket which is closed has the kernel throw
 * away what lies unread at the client: it stays open until all is read.
 */
static void await_readers(const struct server *server)
{
	while (!is_all_read(server))
		poll(NULL, 0, 2);
}

static void run(struct server *server, int signals)
{
	SOAK_EXPECT(unixservice_set_stop_fd(server->service, signals) == 0);
	SOAK_EXPECT(unixservice_run(server->service, UNIXMSG_FOREVER) == -1 &&
		errno == ECANCELED);
	SOAK_EXPECT(unixservice_drain(server->service,
			    unixdeadline_after_us(drain_us)) == 0);
}

/* As somebody else's loop would. */
static void loop(struct server *server, int signals)
{
	struct pollfd fds[] = {
		{ .fd = unixservice_get_fd(server->service), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};

	while (!unixservice_is_drained(server->service)) {
		SOAK_EXPECT(poll(fds, 2, -1) > 0 || errno == EINTR);
		SOAK_EXPECT(unixservice_dispatch(server->service) == 0);
		if (fds[1].revents == 0)
			continue;
		SOAK_EXPECT(unixservice_stop(server->service,
				    unixdeadline_after_us(drain_us)) == 0);
		fds[1].fd = -1;
	}
}

static void serve(struct server *server, int signals)
{
	if (server->is_looping)
		loop(server, signals);
	else
		run(server, signals);
	await_readers(server);
	unixservice_get_counters(server->service,
		&soak_get_server(server->id)->counters);
}

static void choose_ways(struct server *server)
{
	uint64_t state = soak_book->seed + server->id;

	server->is_late = soak_random(&state, 2) != 0;
	server->is_looping = soak_random(&state, 2) != 0;
	server->is_small = soak_random(&state, 2) != 0;
	server->owed_end = &server->owed;
}

void soak_serve(int site, uint32_t id, unsigned int name_flags, int ready)
{
	const int signals = open_signals();
	struct server server = { .id = id };
	int error;

	choose_ways(&server);
	server.service = make_service(&server);
	SOAK_EXPECT(server.service != NULL && signals >= 0);
	error = listen_all(&server, site, name_flags);
	find_datagram_sockets(&server);
	SOAK_EXPECT(write(ready, &error, sizeof(error)) == sizeof(error));
	close(ready);
	if (error == 0)
		serve(&server, signals);
	SOAK_EXPECT(unixservice_close(server.service) == 0);
	close(signals);
	exit(EXIT_SUCCESS);
}
