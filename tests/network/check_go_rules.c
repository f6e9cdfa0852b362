/* SPDX-License-Identifier: MIT */
/*
 * What the tests of Go's net package pin down for Unix sockets, which many
 * programs have come to rely on: each test here names one such behaviour. Where
 * ours differs on purpose the comment says so, and ours is tested.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/scene.h"
#include "support/talk.h"

/* The same for addresses of which only the kind is known beforehand. */
static void assert_kind(const struct unixaddr *addr, enum unixaddr_kind kind)
{
	ck_assert_int_eq(unixaddr_get_kind(addr), kind);
}

static struct unixdial_options bound_to(const char *own)
{
	struct unixdial_options options = { .own = own };

	return options;
}

/* Datagrams. */

/* TestReadUnixgramWithUnnamedSocket: whole, and the source address is nil. */
START_TEST(a_datagram_of_an_unbound_sender_is_whole_and_from_nobody)
{
	const char *path = support_path("socket");
	struct unixconn *gram = open_gram(path);
	struct unixaddr from = address_of(path);
	char data[8];
	size_t size;

	send_to(path);
	ck_assert_int_eq(unixconn_recv_from(gram, data, sizeof(data), &size,
				 &from, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, 1);
	ck_assert_int_eq(data[0], 'x');
	assert_kind(&from, UNIXADDR_UNNAMED);
	close_gram(gram);
}
END_TEST

/* TestUnixgramZeroBytePayload: success, 0 bytes, from nobody. */
START_TEST(an_empty_datagram_arrives)
{
	const char *path = support_path("socket");
	struct unixconn *gram = open_gram(path);
	int fd = open_socket(SOCK_DGRAM);
	struct unixaddr from;
	size_t size = 99;
	char byte;

	ck_assert_int_eq(connect_to(fd, path), 0);
	ck_assert_int_eq(send(fd, "", 0, 0), 0);
	ck_assert_int_eq(unixconn_recv_from(gram, &byte, 1, &size, &from,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, 0);
	assert_kind(&from, UNIXADDR_UNNAMED);
	close(fd);
	close_gram(gram);
}
END_TEST

/*
 * TestUnixgramZeroByteBuffer: no error about the address family. Go gives 0
 * and the message is lost in silence; ours says EMSGSIZE and how long it was,
 * and unixconn_get_next_size asks before.
 */
START_TEST(a_buffer_of_no_size_is_told_what_it_lost)
{
	const char *path = support_path("socket");
	struct unixconn *gram = open_gram(path);
	struct unixaddr from;
	size_t size = 99;

	send_to(path);
	ck_assert_int_eq(unixconn_get_next_size(gram, &size, UNIXMSG_NOW), 1);
	ck_assert_uint_eq(size, 1);
	ck_assert_errno(unixconn_recv_from(gram, NULL, 0, &size, &from,
				UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_uint_eq(size, 1);
	ck_assert_errno(unixconn_recv(gram, NULL, 0, &size, UNIXMSG_NOW),
		EAGAIN);
	close_gram(gram);
}
END_TEST

/* TestUnixgramWrite, connected: no send-to ("pre-connected"), plain works. */
START_TEST(a_dialled_endpoint_sends_to_its_server_only)
{
	const char *path = support_path("socket");
	struct unixaddr to = address_of(path);
	struct unixdial_options options = bound_to(support_path("own"));
	struct unixconn *gram = open_gram(path), *client;
	struct unixmsg msg;
	char byte;

	client = unixconn_dial("unixgram", path, &options, UNIXMSG_NOW);
	ck_assert_errno(unixconn_send_to(client, &to, "x", 1, UNIXMSG_NOW),
		EISCONN);
	unixmsg_init(&msg);
	msg.addr = &to;
	ck_assert_errno(unixconn_send_msg(client, &msg, UNIXMSG_NOW), EISCONN);
	ck_assert_int_eq(unixconn_send(client, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(gram, &byte, 1, NULL, UNIXMSG_NOW), 1);
	close_gram(client);
	close_gram(gram);
}
END_TEST

/* TestUnixgramWrite, unconnected: send-to works, plain does not. */
START_TEST(an_open_endpoint_needs_to_be_told_where_to_send)
{
	const char *path = support_path("socket");
	struct unixaddr to = address_of(path);
	struct unixconn *gram = open_gram(path);
	struct unixconn *other = open_gram(support_path("other"));
	struct unixmsg msg;
	char byte;

	ck_assert_errno(unixconn_send(other, "x", 1, UNIXMSG_NOW), ENOTCONN);
	ck_assert_int_eq(unixconn_send_to(other, &to, "x", 1, UNIXMSG_NOW), 1);
	unixmsg_init(&msg);
	msg.addr = &to;
	ck_assert_int_eq(unixconn_send_msg(other, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(gram, &byte, 1, NULL, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(gram, &byte, 1, NULL, UNIXMSG_NOW), 1);
	close_gram(other);
	close_gram(gram);
}
END_TEST

/* In the order of types; all but the first have connections. */
static const char *const networks[TYPES] = { "unixgram", "unixpacket", "unix" };

/* Names of both ends. */

static struct unixlistener *listen_at(const char *network, const char *path)
{
	struct unixlistener *listener = unixlistener_open(network, path, NULL);

	ck_assert_msg(listener != NULL, "%s", strerror(errno));
	return listener;
}

static void close_listener(struct unixlistener *listener)
{
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void assert_addresses(struct unixconn *conn, const char *own,
	const char *peer)
{
	struct unixaddr addr;

	ck_assert_int_eq(unixconn_get_address(conn, &addr), 0);
	expect_address(&addr, own);
	ck_assert_int_eq(unixconn_get_peer(conn, &addr), 0);
	expect_address(&addr, peer);
}

/* TestUnixConnLocalAndRemoteNames, with and without a name of the client. */
START_TEST(both_ends_of_a_connection_have_their_names)
{
	const char *path = support_path("socket");
	const char *own = _i < 2 ? support_path("own") : NULL;
	struct unixdial_options options = bound_to(own);
	struct unixlistener *listener = listen_at(networks[1 + _i % 2], path);
	struct unixconn *client, *server;
	struct unixaddr addr;

	client = unixconn_dial(networks[1 + _i % 2], path, &options,
		UNIXMSG_NOW);
	server = unixlistener_accept(listener, UNIXMSG_NOW);
	ck_assert_int_eq(unixlistener_get_address(listener, &addr), 0);
	expect_address(&addr, path);
	assert_addresses(server, path, own == NULL ? "@" : own);
	assert_addresses(client, own == NULL ? "@" : own, path);
	close_conn(client);
	close_conn(server);
	close_listener(listener);
	assert_files(0);
}
END_TEST

/*
 * TestUnixgramConnLocalAndRemoteNames. A client that has given no name is "@"
 * in Go, and cannot be answered; ours has always a name.
 */
START_TEST(both_ends_of_datagrams_have_their_names)
{
	const char *path = support_path("socket"), *own = support_path("own");
	struct unixdial_options options = bound_to(_i == 0 ? own : NULL);
	struct unixconn *gram = open_gram(path), *client;
	struct unixaddr addr;

	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", support_dir(), 1), 0);
	client = unixconn_dial("unixgram", path, &options, UNIXMSG_NOW);
	ck_assert_int_eq(unixconn_get_address(gram, &addr), 0);
	expect_address(&addr, path);
	ck_assert_errno(unixconn_get_peer(gram, &addr), ENOTCONN);
	ck_assert_int_eq(unixconn_get_address(client, &addr), 0);
	if (_i == 0)
		expect_address(&addr, own);
	assert_kind(&addr, UNIXADDR_PATH);
	ck_assert_int_eq(unixconn_get_peer(client, &addr), 0);
	expect_address(&addr, path);
	close_gram(client);
	close_gram(gram);
}
END_TEST

/* The seven rules of TestUnixUnlink. */

/* A second listener on a copy of the first one's descriptor. */
static struct unixlistener *copy(const struct unixlistener *listener)
{
	int fd = dup(unixlistener_get_fd(listener));
	struct unixlistener *second = unixlistener_adopt(fd);

	ck_assert_ptr_nonnull(second);
	return second;
}

/* Listen, close. */
START_TEST(the_listener_that_made_the_file_removes_it)
{
	const char *path = support_path("socket");

	close_listener(listen_at("unix", path));
	assert_missing(path);
}
END_TEST

/* FileListener, close. */
START_TEST(a_listener_of_a_copied_descriptor_does_not)
{
	const char *path = support_path("socket");
	struct unixlistener *first = listen_at("unix", path),
			    *second = copy(first);

	close_listener(second);
	assert_is_socket(path);
	close_listener(first);
	assert_missing(path);
}
END_TEST

/* Nor does closing the descriptor that File gave. */
START_TEST(closing_a_copied_descriptor_does_not_either)
{
	const char *path = support_path("socket");
	struct unixlistener *listener = listen_at("unix", path);

	close(dup(unixlistener_get_fd(listener)));
	assert_is_socket(path);
	close_listener(listener);
}
END_TEST

/*
 * Listen, close twice: a file that somebody has made after the first close
 * outlives the second. Here nothing can be closed twice; so a copy, which
 * holds the same socket, is closed the second time.
 */
START_TEST(only_the_first_close_removes_it)
{
	const char *path = support_path("socket");
	struct unixlistener *first = listen_at("unix", path),
			    *second = copy(first);

	ck_assert_int_eq(unixlistener_set_unlink_on_close(second, true), 0);
	close_listener(first);
	assert_missing(path);
	make_file(path, "foreign");
	close_listener(second);
	assert_content(path, "foreign");
}
END_TEST

/* Go removes whatever stands at the path then; ours looks which file it is. */
START_TEST(the_first_close_too_leaves_what_is_not_its_own)
{
	const char *path = support_path("socket");
	struct unixlistener *listener = listen_at("unix", path);

	ck_assert_int_eq(unlink(path), 0);
	make_file(path, "foreign");
	close_listener(listener);
	assert_content(path, "foreign");
}
END_TEST

/* Listen, SetUnlinkOnClose. */
START_TEST(the_switch_is_honoured_by_the_one_that_made_the_file)
{
	const char *path = support_path("socket");
	struct unixlistener *listener = listen_at("unix", path);

	ck_assert_int_eq(unixlistener_set_unlink_on_close(listener, true), 0);
	close_listener(listener);
	assert_missing(path);
	listener = listen_at("unix", path);
	ck_assert_int_eq(unixlistener_set_unlink_on_close(listener, false), 0);
	close_listener(listener);
	assert_is_socket(path);
}
END_TEST

/* FileListener, SetUnlinkOnClose. */
START_TEST(the_switch_is_honoured_by_a_copy)
{
	const char *path = support_path("socket");
	struct unixlistener *first = listen_at("unix", path),
			    *second = copy(first);

	ck_assert_int_eq(unixlistener_set_unlink_on_close(second, true), 0);
	close_listener(second);
	assert_missing(path);
	close_listener(first);
	first = listen_at("unix", path);
	second = copy(first);
	ck_assert_int_eq(unixlistener_set_unlink_on_close(second, false), 0);
	close_listener(second);
	assert_is_socket(path);
	close_listener(first);
}
END_TEST

/* Abstract names. */

/* TestUnixgramAutobind: the client sees as its peer what the server is told. */
START_TEST(the_kernel_chooses_a_name)
{
	struct unixconn *gram = open_gram("@"), *client;
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr addr, peer;

	ck_assert_int_eq(unixconn_get_address(gram, &addr), 0);
	unixaddr_format(&addr, text, sizeof(text));
	ck_assert_uint_gt(strlen(text), 1);
	ck_assert_int_eq(text[0], '@');
	client = dial_conn("unixgram", text);
	ck_assert_int_eq(unixconn_get_peer(client, &peer), 0);
	ck_assert(unixaddr_is_equal(&addr, &peer));
	close_gram(client);
	close_gram(gram);
}
END_TEST

/* TestUnixAutobindClose: there is no path to be removed. */
START_TEST(a_listener_with_a_chosen_name_can_be_closed)
{
	struct server server;

	ck_assert_int_eq(open_server(&server, types[_i], "@", NULL), 0);
	ck_assert_int_eq(close_server(&server), 0);
}
END_TEST

/* TestUnixgramLinuxAbstractLongName: as long as sun_path with its marker. */
START_TEST(an_abstract_name_fills_the_address)
{
	struct unixconn *gram;
	char name[109], byte;

	memset(name, 'n', sizeof(name));
	memcpy(name, support_abstract("long"),
		strlen(support_abstract("long")));
	name[108] = '\0';
	gram = open_gram(name);
	send_to(name);
	ck_assert_int_eq(unixconn_recv(gram, &byte, 1, NULL, UNIXMSG_NOW), 1);
	close_gram(gram);
}
END_TEST

/* Descriptors that are copied: as by File in Go */

START_TEST(a_copy_of_a_connection_writes)
{
	const char *path = support_path("socket");
	struct unixlistener *listener = listen_at(networks[1 + _i], path);
	struct unixconn *client, *server, *second;
	char byte = 0;

	client = unixconn_dial(networks[1 + _i], path, NULL, UNIXMSG_NOW);
	server = unixlistener_accept(listener, UNIXMSG_NOW);
	second = unixconn_adopt(dup(unixconn_get_fd(client)));
	close_conn(client);
	ck_assert_int_eq(unixconn_send(second, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(server, &byte, 1, NULL, UNIXMSG_NOW), 1);
	ck_assert_int_eq(byte, 'x');
	close_conn(second);
	close_conn(server);
	close_listener(listener);
}
END_TEST

START_TEST(a_copy_of_a_listener_accepts_at_the_same_address)
{
	const char *const names[] = { support_path("socket"),
		support_abstract("name") };
	struct unixlistener *first = listen_at("unix", names[_i]);
	struct unixlistener *second = copy(first);
	struct unixconn *client, *stream;
	struct unixaddr addr;

	ck_assert_int_eq(unixlistener_get_address(second, &addr), 0);
	expect_address(&addr, names[_i]);
	client = unixconn_dial("unix", names[_i], NULL, UNIXMSG_NOW);
	stream = accept_conn(second);
	close_conn(client);
	close_conn(stream);
	close_listener(second);
	close_listener(first);
}
END_TEST

/*
 * TestFilePacketConn: it sends to its own old address and tells it. Ours
 * removes its file when the original is closed, so that one is told to keep it.
 */
START_TEST(a_copy_of_a_datagram_socket_sends_to_its_own_address)
{
	const char *const names[] = { support_path("socket"),
		support_abstract("name") };
	struct unixconn *first = open_gram(names[_i]), *second;
	struct unixaddr addr;
	char byte;

	second = unixconn_adopt(dup(unixconn_get_fd(first)));
	ck_assert_int_eq(unixconn_set_unlink_on_close(first, false), 0);
	close_gram(first);
	ck_assert_int_eq(unixconn_get_address(second, &addr), 0);
	expect_address(&addr, names[_i]);
	ck_assert_int_eq(unixconn_send_to(second, &addr, "x", 1, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv(second, &byte, 1, NULL, UNIXMSG_NOW), 1);
	close_gram(second);
}
END_TEST

/* Errors. */

/* TestDialError, TestListenError: a directory that is not there. */
START_TEST(a_missing_directory_is_an_error_on_all_networks)
{
	const char *path = support_path("no/socket");
	struct server server;

	ck_assert_errno(open_server(&server, types[_i], path, NULL), ENOENT);
	ck_assert_null_errno(unixconn_dial(networks[_i], path, NULL,
				     UNIXMSG_NOW),
		ENOENT);
}
END_TEST

/*
 * The same: the name "//". To dial a directory is to find nobody there, or not
 * to be let in: connect(2) asks for write permission first.
 */
START_TEST(two_slashes_are_an_error_on_all_networks)
{
	int error = eaccess("/", W_OK) == 0 ? ECONNREFUSED : EACCES;
	struct server server;

	ck_assert_errno(open_server(&server, types[_i], "//", NULL), ENOTSOCK);
	ck_assert_null_errno(unixconn_dial(networks[_i], "//", NULL,
				     UNIXMSG_NOW),
		error);
}
END_TEST

/* Go's own tests remove each file of a unixgram socket; ours goes by itself. */
START_TEST(files_of_datagram_sockets_go_by_themselves)
{
	const char *path = support_path("socket");
	struct unixdial_options options = bound_to(support_path("own"));
	struct unixconn *gram = open_gram(path);

	close_gram(unixconn_dial("unixgram", path, &options, UNIXMSG_NOW));
	close_gram(gram);
	assert_files(0);
}
END_TEST

static TCase *make_datagrams(void)
{
	TCase *tcase = make_tcase("datagrams");

	tcase_add_test(tcase,
		a_datagram_of_an_unbound_sender_is_whole_and_from_nobody);
	tcase_add_test(tcase, an_empty_datagram_arrives);
	tcase_add_test(tcase, a_buffer_of_no_size_is_told_what_it_lost);
	tcase_add_test(tcase, a_dialled_endpoint_sends_to_its_server_only);
	tcase_add_test(tcase, an_open_endpoint_needs_to_be_told_where_to_send);
	tcase_add_test(tcase, files_of_datagram_sockets_go_by_themselves);
	return tcase;
}

static TCase *make_names(void)
{
	TCase *tcase = make_tcase("names");

	tcase_add_loop_test(tcase, both_ends_of_a_connection_have_their_names,
		0, 4);
	tcase_add_loop_test(tcase, both_ends_of_datagrams_have_their_names, 0,
		2);
	tcase_add_test(tcase, the_kernel_chooses_a_name);
	tcase_add_loop_test(tcase, a_listener_with_a_chosen_name_can_be_closed,
		0, TYPES);
	tcase_add_test(tcase, an_abstract_name_fills_the_address);
	tcase_add_loop_test(tcase,
		a_missing_directory_is_an_error_on_all_networks, 0, TYPES);
	tcase_add_loop_test(tcase, two_slashes_are_an_error_on_all_networks, 0,
		TYPES);
	return tcase;
}

static TCase *make_unlinks(void)
{
	TCase *tcase = make_tcase("unlinks");

	tcase_add_test(tcase, the_listener_that_made_the_file_removes_it);
	tcase_add_test(tcase, a_listener_of_a_copied_descriptor_does_not);
	tcase_add_test(tcase, closing_a_copied_descriptor_does_not_either);
	tcase_add_test(tcase, only_the_first_close_removes_it);
	tcase_add_test(tcase, the_first_close_too_leaves_what_is_not_its_own);
	tcase_add_test(tcase,
		the_switch_is_honoured_by_the_one_that_made_the_file);
	tcase_add_test(tcase, the_switch_is_honoured_by_a_copy);
	return tcase;
}

static TCase *make_copies(void)
{
	TCase *tcase = make_tcase("copies");

	tcase_add_loop_test(tcase, a_copy_of_a_connection_writes, 0, 2);
	tcase_add_loop_test(tcase,
		a_copy_of_a_listener_accepts_at_the_same_address, 0, 2);
	tcase_add_loop_test(tcase,
		a_copy_of_a_datagram_socket_sends_to_its_own_address, 0, 2);
	return tcase;
}

int main(void)
{
	return support_run_cases("go rules", make_datagrams(), make_names(),
		make_unlinks(), make_copies());
}
