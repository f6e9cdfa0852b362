/* SPDX-License-Identifier: MIT */
/* What lanes are made of. */
#include <config.h>

#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network/conn_private.h"
#include "network/handshake.h"
#include "proof/torture.h"

enum { SIZE = 65536 };

/* Memory that could not be had is none. */
static void expect_segment(const struct segment *segment, bool is_there)
{
	ck_assert_int_eq(segment->page != NULL, is_there);
}

static void memory_for_a_lane_is_made(int kind)
{
	struct segment segment;
	bool is_made;
	int fd;

	(void)kind;
	torture_begin();
	fd = unixsegment__make(&segment, SIZE, 0);
	is_made = torture_end(fd < 0 ? -1 : 0, 0);
	expect_segment(&segment, is_made);
	if (!is_made)
		fd = unixsegment__make(&segment, SIZE, 0);
	segment.ring[SIZE - 1] = 1;
	unixsegment__drop(&segment);
	close(fd);
}

static void memory_of_a_peer_is_mapped(int kind)
{
	struct segment mine, theirs;
	int fd = unixsegment__make(&mine, SIZE, 0);
	bool is_mapped;

	(void)kind;
	mine.ring[SIZE - 1] = 1;
	torture_begin();
	is_mapped = torture_end(unixsegment__map(&theirs, fd, SIZE), 0);
	expect_segment(&theirs, is_mapped);
	if (!is_mapped)
		ck_assert_int_eq(unixsegment__map(&theirs, fd, SIZE), 0);
	ck_assert_int_eq(theirs.ring[SIZE - 1], 1);
	unixsegment__drop(&theirs);
	unixsegment__drop(&mine);
	close(fd);
}

/* Both have talked enough, and say what they have to say. An error of the
 * socket would be told by the call that receives. */
static void come_to_terms(struct packet *client, struct packet *server)
{
	const int saved = errno;
	int i;

	unixhandshake__ask(client);
	if (!unixhandshake__can_be_proved(client)) {
		errno = saved;
		return;
	}
	unixhandshake__await(server, SIZE, geteuid());
	server->received = 32;
	unixhandshake__note_received(server);
	for (i = 0; i < 3; i++) {
		unixhandshake__hear(client);
		unixhandshake__hear(server);
	}
	errno = saved;
}

static void pass(struct unixconn *from, struct unixconn *to, int number)
{
	int found = -1;

	ck_assert_int_eq(unixconn_send(from, &number, sizeof(number),
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv(to, &found, sizeof(found), NULL,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(found, number);
}

/* Whatever fails, they go on without it. */
static void a_lane_comes_to_be(int kind)
{
	struct unixconn *client = unixconn__new(&unixnetwork__packet_lane);
	struct unixconn *server = unixconn__new(&unixnetwork__packet_lane);
	int i;

	(void)kind;
	ck_assert_int_eq(unixendpoint__open_pair(&client->end, &server->end,
				 SOCK_SEQPACKET),
		0);
	torture_begin();
	come_to_terms(unixhandshake__get(client), unixhandshake__get(server));
	torture_end_judged(0, 0);
	for (i = 0; i < 40; i++) {
		pass(client, server, i);
		pass(server, client, i);
	}
	ck_assert_int_eq(unixhandshake__get(client)->is_out,
		unixhandshake__get(server)->is_in);
	ck_assert_int_eq(unixhandshake__get(server)->is_out,
		unixhandshake__get(client)->is_in);
	unixconn_close(client);
	unixconn_close(server);
}

static struct unixconn *ask_for_lane(const char *name)
{
	const struct unixdial_options options = { .flags = UNIXMSG_DIAL_LANE };

	return unixconn_dial("unixpacket", name, &options, UNIXMSG_NOW);
}

/* One that was given up half way, and waits to be accepted, is passed over. */
static struct unixconn *accept_last(struct unixlistener *listener)
{
	struct unixconn *conn = NULL, *next;

	while ((next = unixlistener_accept(listener, UNIXMSG_NOW)) != NULL) {
		unixconn_close(conn);
		conn = next;
	}
	return conn;
}

static struct unixlistener *offer_lanes(const char *name)
{
	struct unixlistener *listener =
		unixlistener_open("unixpacket", name, NULL);

	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(unixlistener_set_lane(listener, SIZE), 0);
	return listener;
}

/* Both agree, or go on without it. */
static void talk(struct unixconn *client, struct unixconn *server)
{
	int i;

	for (i = 0; i < 40; i++) {
		pass(client, server, i);
		pass(server, client, i);
	}
	ck_assert_int_eq(unixconn_is_lane(client), unixconn_is_lane(server));
}

/* A failure may also cost it no more than the lane. */
static void a_client_asks_for_a_lane(int kind)
{
	const char *name = support_abstract("lane");
	struct unixlistener *listener = offer_lanes(name);
	struct unixconn *client, *server;

	(void)kind;
	torture_begin();
	client = ask_for_lane(name);
	if (!torture_end_judged(client == NULL ? -1 : 0, 0))
		client = ask_for_lane(name);
	server = accept_last(listener);
	ck_assert_ptr_nonnull(server);
	talk(client, server);
	unixconn_close(client);
	unixconn_close(server);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void a_listener_offers_lanes(int kind)
{
	const char *name = support_abstract("lane");
	struct unixlistener *listener = offer_lanes(name);
	struct unixconn *client = ask_for_lane(name), *server;

	(void)kind;
	ck_assert_ptr_nonnull(client);
	torture_begin();
	server = unixlistener_accept(listener, UNIXMSG_NOW);
	if (!torture_end_judged(server == NULL ? -1 : 0, 0)) {
		unixconn_close(client);
		client = ask_for_lane(name);
		server = accept_last(listener);
	}
	ck_assert_ptr_nonnull(server);
	talk(client, server);
	unixconn_close(client);
	unixconn_close(server);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static struct unixconn *reading, *writing;

static void open_lane(void)
{
	const char *name = support_abstract("lane");
	struct unixlistener *listener = offer_lanes(name);

	writing = ask_for_lane(name);
	reading = unixlistener_accept(listener, UNIXMSG_NOW);
	talk(writing, reading);
	ck_assert(unixconn_is_lane(writing));
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void close_lane(void)
{
	unixconn_close(reading);
	unixconn_close(writing);
}

/* In the ring, or by the socket. What was not reserved can be once more. */
static void a_message_is_written_in_place(int kind)
{
	const size_t size = kind == 0 ? 8 : SIZE / 2;
	static char got[SIZE / 2];
	void *data;
	int result;

	open_lane();
	torture_begin();
	result = unixlane_reserve(writing, size, &data, UNIXMSG_NOW);
	if (!torture_end(result, 1))
		ck_assert_int_eq(unixlane_reserve(writing, size, &data,
					 UNIXMSG_NOW),
			1);
	memset(data, 'x', size);
	ck_assert_int_eq(unixlane_commit(writing, size, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(reading, got, sizeof(got), NULL,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(got[size - 1], 'x');
	close_lane();
}

/* After a failure it is reserved, or not. */
static void a_message_is_committed(int kind)
{
	const size_t size = kind == 0 ? 8 : SIZE / 2;
	void *data;

	open_lane();
	ck_assert_int_eq(unixlane_reserve(writing, size, &data, UNIXMSG_NOW),
		1);
	memset(data, 'x', size);
	torture_begin();
	if (!torture_end(unixlane_commit(writing, size, UNIXMSG_NOW), 1))
		unixlane_cancel(writing);
	ck_assert_errno(unixlane_cancel(writing), EINVAL);
	close_lane();
}

static void a_message_is_read_in_place(int kind)
{
	const void *data;
	size_t size;
	int result;

	(void)kind;
	open_lane();
	ck_assert_int_eq(unixconn_send(writing, "text", 4, UNIXMSG_NOW), 1);
	torture_begin();
	result = unixlane_peek(reading, &data, &size, UNIXMSG_NOW);
	if (!torture_end(result, 1))
		ck_assert_int_eq(unixlane_peek(reading, &data, &size,
					 UNIXMSG_NOW),
			1);
	ck_assert_uint_eq(size, 4);
	ck_assert_mem_eq(data, "text", 4);
	torture_begin();
	torture_end(unixlane_release(reading), 0);
	close_lane();
}

static void the_size_over_a_lane_is_raised(int kind)
{
	size_t size, reached = 0, present;

	(void)kind;
	open_lane();
	ck_assert_int_eq(unixconn_get_size_max(writing, &size), 0);
	torture_begin();
	torture_end(unixconn_raise_size_max(writing, 2 * size, &reached), 0);
	ck_assert_int_eq(unixconn_get_size_max(writing, &present), 0);
	ck_assert_uint_ge(present, size);
	close_lane();
}

static void what_is_unread_over_a_lane_is_told(int kind)
{
	size_t bytes = 7;

	(void)kind;
	open_lane();
	torture_try(unixconn_get_unread(writing, &bytes), 0);
	ck_assert_uint_eq(bytes, 0);
	close_lane();
}

/* It has come in any case: its address may be missing. */
static void a_message_over_a_lane_has_an_address(int kind)
{
	struct unixaddr from;
	char data[8];
	struct unixmsg msg = {
		.data = data,
		.room = sizeof(data),
		.addr = &from,
	};

	(void)kind;
	open_lane();
	ck_assert_int_eq(unixconn_send(writing, "once", 4, UNIXMSG_NOW), 1);
	torture_begin();
	torture_end(unixconn_recv_msg(reading, &msg, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(msg.size, 4);
	close_lane();
}

/* Without memory the message stays. */
static void a_message_over_a_lane_fills_a_buffer(int kind)
{
	struct unixbuffer buffer;

	(void)kind;
	open_lane();
	ck_assert_int_eq(unixconn_send(writing, "once", 4, UNIXMSG_NOW), 1);
	unixbuffer_init(&buffer, 100000);
	torture_begin();
	if (!torture_end(unixconn_recv_buffer(reading, &buffer, NULL,
				 UNIXMSG_NOW),
		    1))
		ck_assert_int_eq(unixconn_recv_buffer(reading, &buffer, NULL,
					 UNIXMSG_NOW),
			1);
	ck_assert_uint_eq(buffer.size, 4);
	ck_assert_int_eq(memcmp(buffer.data, "once", 4), 0);
	unixbuffer_free(&buffer);
	close_lane();
}

static int send_back(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	(void)context;
	unixservice_send(service, peer, msg->data, msg->size);
	return UNIXSERVICE_DONE;
}

static struct unixservice *open_service(const char *name)
{
	const struct unixlisten_options options = { .lane_bytes = SIZE };
	struct unixservice *service = unixservice_new(send_back, NULL, NULL);

	ck_assert_ptr_nonnull(service);
	ck_assert_int_eq(unixservice_listen(service, "unixpacket", name,
				 &options),
		0);
	return service;
}

/* It may fail: the answers may never come. */
static void try_to_ask(struct unixservice *service, struct unixconn *client)
{
	const int saved = errno;
	char byte;

	unixconn_send(client, "?", 1, UNIXMSG_NOW);
	unixservice_run(service, UNIXMSG_NOW);
	unixconn_recv(client, &byte, 1, NULL, UNIXMSG_NOW);
	errno = saved;
}

/* The service may pause before it goes on. */
static void ask(struct unixservice *service, struct unixconn *client)
{
	char byte = '\0';

	ck_assert_int_eq(unixconn_send(client, "?", 1, UNIXMSG_NOW), 1);
	do
		unixservice_run(service, unixdeadline_after_us(1000));
	while (unixconn_recv(client, &byte, 1, NULL, UNIXMSG_NOW) < 0 &&
		errno == EAGAIN);
	ck_assert_int_eq(byte, '?');
}

static void expect_no_lane(struct unixservice *service)
{
	struct unixservice_counters counters;

	do {
		unixservice_run(service, unixdeadline_after_us(1000));
		unixservice_get_counters(service, &counters);
	} while (counters.peers > 0);
	ck_assert_uint_eq(counters.lanes, 0);
	ck_assert_uint_eq(counters.lane_bytes, 0);
}

/* A failure may cost the lane, or the client its connection. */
static void a_service_gives_a_lane(int kind)
{
	const char *name = support_abstract("lane");
	struct unixservice *service = open_service(name);
	struct unixconn *client = ask_for_lane(name);
	int i;

	(void)kind;
	ck_assert_ptr_nonnull(client);
	for (i = 0; i < 15; i++)
		ask(service, client);
	torture_begin();
	for (i = 0; i < 6; i++)
		try_to_ask(service, client);
	torture_end_judged(0, 0);
	if (torture_get_fault()->number == 0)
		ck_assert(unixconn_is_lane(client));
	ck_assert_int_eq(unixconn_close(client), 0);
	client = ask_for_lane(name);
	ck_assert_ptr_nonnull(client);
	for (i = 0; i < 40; i++)
		ask(service, client);
	ck_assert(unixconn_is_lane(client));
	ck_assert_int_eq(unixconn_close(client), 0);
	expect_no_lane(service);
	ck_assert_int_eq(unixservice_close(service), 0);
}

/* The lane needs memory for it. Without that it is not sent, or stays. What is
 * unread in both directions makes every reset an error. */
static void a_message_of_the_most_parts_goes_by_a_lane(int kind)
{
	static char data[SIZE / 2];
	static struct iovec parts[IOV_MAX];
	const size_t size = sizeof(data) / IOV_MAX;
	struct unixmsg msg = { .parts = parts, .parts_count = IOV_MAX };
	size_t i;

	(void)kind;
	for (i = 0; i < IOV_MAX; i++)
		parts[i] = (struct iovec){ data + i * size, size };
	open_lane();
	ck_assert_int_eq(unixconn_send(writing, "", 0, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send(reading, "", 0, UNIXMSG_NOW), 1);
	memset(data, 'x', sizeof(data));
	torture_begin();
	if (!torture_end(unixconn_send_msg(writing, &msg, UNIXMSG_NOW), 1))
		ck_assert_int_eq(unixconn_send_msg(writing, &msg, UNIXMSG_NOW),
			1);
	memset(data, 'y', sizeof(data));
	ck_assert_int_eq(unixconn_recv(reading, NULL, 0, NULL, UNIXMSG_NOW), 1);
	torture_begin();
	if (!torture_end(unixconn_recv_msg(reading, &msg, UNIXMSG_NOW), 1))
		ck_assert_int_eq(unixconn_recv_msg(reading, &msg, UNIXMSG_NOW),
			1);
	ck_assert_uint_eq(msg.size, sizeof(data));
	ck_assert_int_eq(data[sizeof(data) - 1], 'x');
	close_lane();
}

const struct scene torture_lane_scenes[] = {
	{ "a message is written in place", a_message_is_written_in_place, 2 },
	{ "a message is committed", a_message_is_committed, 2 },
	{ "a message is read in place", a_message_is_read_in_place, 1 },
	{ "a client asks for a lane", a_client_asks_for_a_lane, 1 },
	{ "a listener offers lanes", a_listener_offers_lanes, 1 },
	{ "a lane comes to be", a_lane_comes_to_be, 1 },
	{ "a service gives a lane", a_service_gives_a_lane, 1 },
	{ "the size over a lane is raised", the_size_over_a_lane_is_raised, 1 },
	{ "what is unread over a lane is told",
		what_is_unread_over_a_lane_is_told, 1 },
	{ "a message over a lane has an address",
		a_message_over_a_lane_has_an_address, 1 },
	{ "a message over a lane fills a buffer",
		a_message_over_a_lane_fills_a_buffer, 1 },
	{ "a message of the most parts goes by a lane",
		a_message_of_the_most_parts_goes_by_a_lane, 1 },
	{ "memory for a lane is made", memory_for_a_lane_is_made, 1 },
	{ "memory of a peer is mapped", memory_of_a_peer_is_mapped, 1 },
	{ NULL, NULL, 0 },
};
