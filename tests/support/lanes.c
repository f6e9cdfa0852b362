/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <pthread.h>
#include <string.h>

#include "network/conn_private.h"
#include "network/listener_private.h"
#include "support/lanes.h"
#include "support/support.h"
#include "unixmsg.h"

enum { RING = 4096, MESSAGES = 32 };

struct unixconn *__real_unixconn_dial(const char *network, const char *address,
	const struct unixdial_options *options, int64_t deadline_us);
struct unixlistener *__real_unixlistener_open(const char *network,
	const char *address, const struct unixlisten_options *options);
struct unixconn *__real_unixlistener_accept(struct unixlistener *listener,
	int64_t deadline_us);
int __real_unixconn_pair(const char *network, struct unixconn *pair[2]);
int __real_unixconn_close(struct unixconn *conn);
int __real_unixservice_listen(struct unixservice *service, const char *network,
	const char *address, const struct unixlisten_options *options);

struct unixconn *__wrap_unixconn_dial(const char *network, const char *address,
	const struct unixdial_options *options, int64_t deadline_us);
struct unixlistener *__wrap_unixlistener_open(const char *network,
	const char *address, const struct unixlisten_options *options);
struct unixconn *__wrap_unixlistener_accept(struct unixlistener *listener,
	int64_t deadline_us);
int __wrap_unixconn_pair(const char *network, struct unixconn *pair[2]);
int __wrap_unixconn_close(struct unixconn *conn);
int __wrap_unixservice_listen(struct unixservice *service, const char *network,
	const char *address, const struct unixlisten_options *options);

/* Clients of this process that nobody has accepted yet. The thread that dials
 * goes on with its client: no other thread may settle its lane. */
enum { CLIENTS = 64 };
static struct packet *clients[CLIENTS];
static pthread_t dialers[CLIENTS];

static bool is_wanted(const char *network)
{
	return support_has_lanes() && network != NULL &&
		(strcmp(network, "unixpacket") == 0 ||
			strcmp(network, "seqpacket") == 0);
}

static struct packet *get_lane_packet(struct unixconn *conn)
{
	return conn != NULL && conn->network == &unixnetwork__packet_lane
		? unixhandshake__get(conn)
		: NULL;
}

static void offer(struct packet *server)
{
	server->received = MESSAGES;
	unixhandshake__note_received(server);
	if (unixhandshake__is_ready(server))
		unixhandshake__offer(server);
}

void lanes_settle(struct packet *client, struct packet *server)
{
	offer(server);
	ck_assert_int_eq(unixhandshake__hear(client), 1);
	ck_assert_int_eq(unixhandshake__hear(server), 1);
	ck_assert_int_eq(unixhandshake__hear(client), 1);
	ck_assert_int_eq(unixhandshake__hear(server), 1);
	ck_assert(client->is_in && client->is_out);
	ck_assert(server->is_in && server->is_out);
}

static void keep_client(struct packet *client)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		if (clients[i] == NULL) {
			dialers[i] = pthread_self();
			clients[i] = client;
			return;
		}
}

static void forget_client(const struct packet *client)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		if (clients[i] == client)
			clients[i] = NULL;
}

/* Nothing may be on its way: it would come before what is said. */
static bool is_quiet(struct packet *packet)
{
	size_t unread = 1;

	return unixconn_get_unread(&packet->conn, &unread) == 0 && unread == 0;
}

/* The client of a service may have sent something, or be gone: the rest comes
 * with the messages to come. */
static void begin(struct packet *client, struct packet *server)
{
	const int saved = errno;
	int i;

	offer(server);
	for (i = 0; i < 2; i++)
		if (unixhandshake__hear(client) != 1 ||
			unixhandshake__hear(server) != 1)
			break;
	errno = saved;
}

static void find_client(struct packet *server)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		if (clients[i] != NULL &&
			clients[i]->key.number == server->key.number)
			break;
	if (i == CLIENTS)
		return;
	if (pthread_equal(dialers[i], pthread_self())) {
		if (server->is_held)
			begin(clients[i], server);
		else if (is_quiet(clients[i]))
			lanes_settle(clients[i], server);
	}
	clients[i] = NULL;
}

struct unixconn *__wrap_unixconn_dial(const char *network, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	struct unixconn *conn;
	struct packet *packet;

	if (!is_wanted(network))
		return __real_unixconn_dial(network, address, options,
			deadline_us);
	conn = unixconn__dial(&unixnetwork__packet_lane, address, options,
		deadline_us);
	packet = get_lane_packet(conn);
	if (packet != NULL && packet->stage == HANDSHAKE_ASKED)
		keep_client(packet);
	return conn;
}

struct unixlistener *__wrap_unixlistener_open(const char *network,
	const char *address, const struct unixlisten_options *options)
{
	struct unixlistener *listener =
		__real_unixlistener_open(network, address, options);

	if (listener != NULL && is_wanted(network))
		ck_assert_int_eq(unixlistener_set_lane(listener, RING), 0);
	return listener;
}

struct unixconn *__wrap_unixlistener_accept(struct unixlistener *listener,
	int64_t deadline_us)
{
	struct unixconn *conn =
		__real_unixlistener_accept(listener, deadline_us);
	struct packet *packet = get_lane_packet(conn);

	if (packet != NULL && packet->stage == HANDSHAKE_COUNTING)
		find_client(packet);
	return conn;
}

/* The service decides about the lanes, but see find_client. */
int __wrap_unixservice_listen(struct unixservice *service, const char *network,
	const char *address, const struct unixlisten_options *options)
{
	struct unixlisten_options how = { 0 };

	if (options != NULL)
		how = *options;
	if (is_wanted(network))
		how.lane_bytes = RING;
	return __real_unixservice_listen(service, network, address, &how);
}

int __wrap_unixconn_pair(const char *network, struct unixconn *pair[2])
{
	struct unixconn *ends[2];
	int i, saved;

	if (!is_wanted(network))
		return __real_unixconn_pair(network, pair);
	for (i = 0; i < 2; i++)
		ends[i] = unixconn__new(&unixnetwork__packet_lane);
	if (unixendpoint__open_pair(&ends[0]->end, &ends[1]->end,
		    SOCK_SEQPACKET) < 0) {
		saved = errno;
		__real_unixconn_close(ends[0]);
		__real_unixconn_close(ends[1]);
		errno = saved;
		return -1;
	}
	unixhandshake__ask(unixhandshake__get(ends[0]));
	unixhandshake__can_be_proved(unixhandshake__get(ends[0]));
	unixhandshake__await(unixhandshake__get(ends[1]), RING, geteuid());
	lanes_settle(unixhandshake__get(ends[0]), unixhandshake__get(ends[1]));
	memcpy(pair, ends, sizeof(ends));
	return 0;
}

int __wrap_unixconn_close(struct unixconn *conn)
{
	if (get_lane_packet(conn) != NULL)
		forget_client(get_lane_packet(conn));
	return __real_unixconn_close(conn);
}
