/* SPDX-License-Identifier: MIT */
/* What proves a message of the offer of a lane, and what is data for all that.
 * The guards stand at the head of handshake.c. */
#include <config.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "network/conn_private.h"
#include "network/handshake.h"
#include "support/scene.h"
#include "support/talk.h"

enum { RING = 65536, SAID = 40, SOON = 40 };

static struct unixconn *client, *server;
static const char *name;
static struct unixlistener *listener;

static struct packet *as_packet(struct unixconn *conn)
{
	return unixhandshake__get(conn);
}

static void open_listener(const char *address)
{
	name = address;
	listener = unixlistener_open("unixpacket", address, NULL);
	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(unixlistener_set_lane(listener, RING), 0);
}

static void dial(void)
{
	client = unixconn__dial(&unixnetwork__packet_lane, name, NULL,
		UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
}

static void accept_one(void)
{
	server = accept_conn(listener);
}

static void open_both(void)
{
	open_listener(support_abstract("proof"));
	dial();
	accept_one();
}

static void close_both(void)
{
	close_conn(client);
	close_conn(server);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void talk(int count)
{
	while (count-- > 0) {
		pass_text(client, server, "text");
		pass_text(server, client, "text");
	}
}

static void expect_lane(bool is_there)
{
	ck_assert_int_eq(unixconn_is_lane(client), is_there);
	ck_assert_int_eq(unixconn_is_lane(server), is_there);
}

static void say(struct unixconn *from, enum offer_kind kind,
	const struct segment_key *key, int memory_fd)
{
	ck_assert_int_eq(unixoffer__send(unixconn_get_fd(from), kind, key,
				 memory_fd),
		0);
	if (memory_fd >= 0)
		close(memory_fd);
}

static void expect_data(struct unixconn *conn)
{
	char data[2 * SAID];
	size_t size;

	ck_assert_int_eq(unixconn_recv(conn, data, sizeof(data), &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, SAID);
	ck_assert_mem_eq(data, "unixlane", 8);
}

/* The memory that the server would make. */
static int make_memory(const struct segment_key *key)
{
	struct segment segment;
	int fd = unixsegment__make(&segment, RING, 0);

	ck_assert_int_ge(fd, 0);
	segment.page->key = *key;
	unixsegment__drop(&segment);
	return fd;
}

static int make_sealed(unsigned int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, RING), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* The program gets the message, and a later offer is taken. */
static void expect_no_hello(void)
{
	expect_data(client);
	ck_assert_int_eq(as_packet(client)->stage, HANDSHAKE_ASKED);
	talk(SOON);
	expect_lane(true);
}

START_TEST(hello_with_all_that_proves_it_is_an_offer)
{
	open_both();
	say(server, OFFER_HELLO, &as_packet(client)->key,
		make_memory(&as_packet(client)->key));
	expect_nothing(client);
	ck_assert_int_ne(as_packet(client)->stage, HANDSHAKE_ASKED);
	close_both();
}
END_TEST

START_TEST(a_number_alone_proves_nothing)
{
	open_both();
	say(server, OFFER_HELLO, &as_packet(client)->key, -1);
	expect_no_hello();
	close_both();
}
END_TEST

START_TEST(a_file_that_can_shrink_proves_nothing)
{
	int fd = _i == 0  ? make_sealed(F_SEAL_GROW)
		: _i == 1 ? make_sealed(F_SEAL_SHRINK | F_SEAL_GROW)
			  : dup(STDERR_FILENO);

	open_both();
	say(server, OFFER_HELLO, &as_packet(client)->key, fd);
	expect_no_hello();
	close_both();
}
END_TEST

/* Only root can make such memory: others would get it by a server that sends on
 * what they give to it. */
START_TEST(memory_of_another_user_proves_nothing)
{
	int fd;

	open_both();
	fd = make_memory(&as_packet(client)->key);
	ck_assert_int_eq(fchown(fd, 1, 1), 0);
	say(server, OFFER_HELLO, &as_packet(client)->key, fd);
	expect_no_hello();
	close_both();
}
END_TEST

/* Of another number, or of the same in another network namespace. */
START_TEST(memory_of_another_connection_proves_nothing)
{
	struct segment_key key;

	open_both();
	key = as_packet(client)->key;
	key.number += _i == 0;
	key.space += _i == 1;
	say(server, OFFER_HELLO, &as_packet(client)->key, make_memory(&key));
	expect_no_hello();
	close_both();
}
END_TEST

START_TEST(another_number_is_none_of_ours)
{
	struct segment_key key;

	open_both();
	key = as_packet(client)->key;
	key.number++;
	say(server, OFFER_HELLO, &key, make_memory(&as_packet(client)->key));
	expect_no_hello();
	close_both();
}
END_TEST

/* It has got the server's socket, and makes memory of its own. */
START_TEST(another_user_than_the_server_proves_nothing)
{
	pid_t pid;

	open_both();
	pid = support_fork();
	if (pid == 0) {
		support_as_nobody();
		say(server, OFFER_HELLO, &as_packet(client)->key,
			make_memory(&as_packet(client)->key));
		_exit(0);
	}
	support_wait_exit(pid, 0);
	expect_no_hello();
	close_both();
}
END_TEST

/* One bit of the secret is wrong. */
static void expect_answer_to_be_data(struct unixconn *from, struct unixconn *to,
	enum offer_kind kind)
{
	struct segment_key key = as_packet(from)->key;
	const int stage = as_packet(to)->stage;

	key.secret[1] ^= 1;
	say(from, kind, &key,
		kind == OFFER_ACCEPT ? make_memory(&as_packet(to)->key) : -1);
	expect_data(to);
	ck_assert_int_eq(as_packet(to)->stage, stage);
}

START_TEST(answers_to_the_server_have_the_secret)
{
	const enum offer_kind kinds[] = { OFFER_ACCEPT, OFFER_NO };

	open_both();
	talk(16);
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OFFERED);
	as_packet(client)->key.secret[0] = as_packet(server)->key.secret[0];
	as_packet(client)->key.secret[1] = as_packet(server)->key.secret[1];
	expect_answer_to_be_data(client, server, kinds[_i]);
	talk(SOON);
	expect_lane(true);
	close_both();
}
END_TEST

START_TEST(answers_to_the_client_have_the_secret)
{
	const enum offer_kind kinds[] = { OFFER_GO, OFFER_NO };

	open_both();
	talk(16);
	expect_nothing(client);
	ck_assert_int_eq(as_packet(client)->stage, HANDSHAKE_ACCEPTED);
	expect_answer_to_be_data(server, client, kinds[_i]);
	talk(SOON);
	expect_lane(true);
	close_both();
}
END_TEST

/* In the stage of the other, or with no question before it. */
START_TEST(what_nobody_waits_for_is_data)
{
	open_both();
	talk(16);
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OFFERED);
	say(client, OFFER_GO, &as_packet(server)->key, -1);
	expect_data(server);
	ck_assert(!as_packet(server)->is_in);
	close_both();
}
END_TEST

/* None, or some that was not made for this connection. */
START_TEST(acceptance_needs_memory_too)
{
	struct segment_key key;
	int fd = -1;

	open_both();
	talk(16);
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OFFERED);
	key = as_packet(server)->key;
	key.secret[1] ^= 1;
	if (_i == 1)
		fd = make_memory(&key);
	say(client, OFFER_ACCEPT, &as_packet(server)->key, fd);
	expect_nothing(server);
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OVER);
	ck_assert_ptr_null(as_packet(server)->lane.mine.page);
	ck_assert_ptr_null(as_packet(server)->mine.page);
	close_both();
}
END_TEST

/* A client would take the offer for data. The memory belongs to the user for
 * files, see setfsuid(2). */
START_TEST(a_server_with_another_user_than_at_listen_offers_nothing)
{
	open_both();
	ck_assert_int_eq(_i == 0 ? seteuid(1) : setfsuid(1), 0);
	talk(SOON);
	ck_assert_int_eq(seteuid(0), 0);
	setfsuid(0);
	expect_lane(false);
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OVER);
	close_both();
}
END_TEST

static char large[8192];

/* By few messages: a client does not wait for an offer for ever. */
static void fill(struct unixconn *conn, int *count)
{
	for (*count = 0; send(unixconn_get_fd(conn), large, sizeof(large),
				 MSG_DONTWAIT) > 0;
		++*count)
		;
	ck_assert_int_eq(errno, EAGAIN);
}

static void read_all(struct unixconn *conn, int count)
{
	size_t size;

	while (count-- > 0) {
		ck_assert_int_eq(unixconn_recv(conn, large, sizeof(large),
					 &size, UNIXMSG_NOW),
			1);
		ck_assert_uint_eq(size, sizeof(large));
	}
}

START_TEST(an_offer_that_waits_is_not_made_by_another_user)
{
	int count;

	open_both();
	talk(15);
	fill(server, &count);
	pass_text(client, server, "text");
	pass_text(client, server, "text");
	ck_assert_int_eq(as_packet(server)->due, OFFER_HELLO);
	read_all(client, count);
	ck_assert_int_eq(seteuid(1), 0);
	talk(SOON);
	ck_assert_int_eq(seteuid(0), 0);
	expect_lane(false);
	close_both();
}
END_TEST

/* It may come as soon as the client has bound its name. */
static void dial_without_user(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWUSER), 0);
	dial();
	ck_assert_int_eq(as_packet(client)->stage, HANDSHAKE_OVER);
	ck_assert_int_eq(unixconn_send(client, "text", 4, UNIXMSG_FOREVER), 1);
	close_conn(client);
	_exit(0);
}

START_TEST(who_does_not_know_the_servers_user_asks_for_nothing)
{
	struct unixconn *first;
	struct unixaddr addr;
	char text[8];
	pid_t pid;

	open_listener(support_abstract("proof"));
	pid = support_fork();
	if (pid == 0)
		dial_without_user();
	support_wait_exit(pid, 0);
	first = accept_conn(listener);
	ck_assert_int_eq(unixconn_recv(first, text, sizeof(text), NULL,
				 UNIXMSG_NOW),
		0);
	close_conn(first);
	accept_one();
	ck_assert_int_eq(unixconn_get_peer(server, &addr), 0);
	ck_assert_int_eq(unixaddr_get_kind(&addr), UNIXADDR_UNNAMED);
	ck_assert_int_eq(unixconn_recv(server, text, sizeof(text), NULL,
				 UNIXMSG_NOW),
		1);
	close_conn(server);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

static void echo_from_another_network(void)
{
	char text[8];
	int i;

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	dial();
	for (i = 0; i < SOON; i++) {
		ck_assert_int_eq(unixconn_send(client, "text", 4,
					 UNIXMSG_FOREVER),
			1);
		ck_assert_int_eq(unixconn_recv(client, text, sizeof(text), NULL,
					 UNIXMSG_FOREVER),
			1);
	}
	_exit(unixconn_is_lane(client) ? 0 : 1);
}

START_TEST(another_network_namespace_is_no_hindrance)
{
	uint64_t ours;
	char text[8];
	pid_t pid;

	open_listener(support_path("proof"));
	pid = support_fork();
	if (pid == 0)
		echo_from_another_network();
	server = unixlistener_accept(listener, UNIXMSG_FOREVER);
	ck_assert_ptr_nonnull(server);
	ck_assert_int_eq(unixoffer__get_space(unixlistener_get_fd(listener),
				 &ours),
		0);
	ck_assert_uint_ne(as_packet(server)->key.space, ours);
	while (unixconn_recv(server, text, sizeof(text), NULL,
		       UNIXMSG_FOREVER) == 1)
		ck_assert_int_eq(unixconn_send(server, "text", 4,
					 UNIXMSG_FOREVER),
			1);
	support_wait_exit(pid, 0);
	close_conn(server);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

static void expect_no_memory(struct unixconn *conn)
{
	ck_assert_int_eq(as_packet(conn)->stage, HANDSHAKE_OVER);
	ck_assert_ptr_null(as_packet(conn)->lane.mine.page);
	ck_assert_ptr_null(as_packet(conn)->lane.theirs.page);
	ck_assert_ptr_null(as_packet(conn)->mine.page);
}

/* The server maps no more than the size of its own ring. */
START_TEST(a_client_whose_memory_is_refused_goes_on_without)
{
	open_both();
	talk(16);
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OFFERED);
	as_packet(server)->ring_size = RING / 2;
	talk(SOON);
	expect_lane(false);
	expect_no_memory(client);
	expect_no_memory(server);
	close_both();
}
END_TEST

/* Its largest message would have no room beside a bell. */
START_TEST(a_client_with_a_small_send_buffer_declines)
{
	const int least = 1;

	open_both();
	talk(16);
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OFFERED);
	ck_assert_int_eq(setsockopt(unixconn_get_fd(client), SOL_SOCKET,
				 SO_SNDBUF, &least, sizeof(least)),
		0);
	pass_text(server, client, "text");
	expect_nothing(server);
	expect_no_memory(client);
	expect_no_memory(server);
	pass_text(server, client, "text");
	close_both();
}
END_TEST

/* Else a message of another thread could get before the answer. */
START_TEST(nothing_is_taken_without_the_turn_to_send)
{
	struct turn *sending;

	open_both();
	talk(16);
	sending = &as_packet(client)->lane.sending;
	ck_assert(unixturn__try(sending));
	unixturn__begin_wait(sending);
	ck_assert_errno(unixhandshake__hear(as_packet(client)), EAGAIN);
	unixturn__give(sending);
	ck_assert_int_eq(unixhandshake__hear(as_packet(client)), 1);
	talk(SOON);
	expect_lane(true);
	close_both();
}
END_TEST

static TCase *make_hellos(void)
{
	TCase *tcase = make_tcase("hellos");

	tcase_add_test(tcase, hello_with_all_that_proves_it_is_an_offer);
	tcase_add_test(tcase, a_number_alone_proves_nothing);
	tcase_add_loop_test(tcase, a_file_that_can_shrink_proves_nothing, 0, 3);
	support_add_root_test(tcase, memory_of_another_user_proves_nothing);
	tcase_add_loop_test(tcase, memory_of_another_connection_proves_nothing,
		0, 2);
	tcase_add_test(tcase, another_number_is_none_of_ours);
	support_add_root_test(tcase,
		another_user_than_the_server_proves_nothing);
	return tcase;
}

static TCase *make_answers(void)
{
	TCase *tcase = make_tcase("answers");

	tcase_add_loop_test(tcase, answers_to_the_server_have_the_secret, 0, 2);
	tcase_add_loop_test(tcase, answers_to_the_client_have_the_secret, 0, 2);
	tcase_add_test(tcase, what_nobody_waits_for_is_data);
	tcase_add_loop_test(tcase, acceptance_needs_memory_too, 0, 2);
	tcase_add_test(tcase, a_client_whose_memory_is_refused_goes_on_without);
	tcase_add_test(tcase, a_client_with_a_small_send_buffer_declines);
	tcase_add_test(tcase, nothing_is_taken_without_the_turn_to_send);
	return tcase;
}

static TCase *make_users(void)
{
	TCase *tcase = make_tcase("users");

	support_add_root_loop_test(tcase,
		a_server_with_another_user_than_at_listen_offers_nothing, 2);
	support_add_root_test(tcase,
		an_offer_that_waits_is_not_made_by_another_user);
	support_add_test_if(tcase,
		who_does_not_know_the_servers_user_asks_for_nothing,
		support_can_unshare(CLONE_NEWUSER), "no user namespaces");
	support_add_test_if(tcase, another_network_namespace_is_no_hindrance,
		support_can_unshare(CLONE_NEWNET), "no network namespaces");
	return tcase;
}

int main(void)
{
	return support_run_cases("lane_proof", make_hellos(), make_answers(),
		make_users());
}
