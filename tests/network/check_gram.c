/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/scene.h"
#include "support/talk.h"

static const uid_t nobody_id = 65534;
static const int64_t short_us = 30000;

static struct unixconn *dial_as(const char *address, const char *own)
{
	struct unixdial_options options = { .own = own };

	return unixconn_dial("unixgram", address, &options, UNIXMSG_NOW);
}

static void reply(struct unixconn *server, const struct unixaddr *to,
	const char *text)
{
	int result =
		unixconn_send_to(server, to, text, strlen(text), UNIXMSG_NOW);

	ck_assert_msg(result == 1, "%s", strerror(errno));
}

static void get_address(struct unixconn *gram, struct unixaddr *addr)
{
	ck_assert_int_eq(unixconn_get_address(gram, addr), 0);
}

static void expect_own_address(struct unixconn *gram, const char *text)
{
	struct unixaddr addr;

	get_address(gram, &addr);
	expect_address(&addr, text);
}

static const char *get_path(struct unixconn *gram)
{
	static struct unixaddr addr;
	size_t size;

	get_address(gram, &addr);
	ck_assert_int_eq(unixaddr_get_kind(&addr), UNIXADDR_PATH);
	return unixaddr_get_name(&addr, &size);
}

/* One message there and one back, to the address that came with it. */
static void echo(struct unixconn *server, struct unixconn *client)
{
	struct unixaddr from;

	send_text(client, "question");
	receive_text(server, "question", &from, in_time());
	reply(server, &from, "answer");
	await_text(client, "answer");
}

/* A server on a path and one on an abstract name. */
static const char *name_server(int i)
{
	return i == 0 ? support_path("server") : support_abstract("server");
}

enum { SERVERS = 2 };

static int send_foreign(int fd, struct unixconn *to, const char *text)
{
	const struct sockaddr *sa;
	struct unixaddr addr;
	socklen_t length;

	get_address(to, &addr);
	sa = unixaddr_get_sockaddr(&addr, &length);
	return (int)sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		sa, length);
}

/* Addresses */

START_TEST(a_client_and_a_server_talk)
{
	const char *name = name_server(_i);
	struct unixconn *server = open_gram(name);
	struct unixconn *client = dial_conn("unixgram", name);

	echo(server, client);
	echo(server, client);
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(a_server_answers_many_clients)
{
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *clients[10];
	size_t i;

	for (i = 0; i < COUNT(clients); i++)
		clients[i] = dial_conn("unixgram", name_server(_i));
	for (i = 0; i < COUNT(clients); i++)
		echo(server, clients[i]);
	for (i = 0; i < COUNT(clients); i++)
		close_gram(clients[i]);
	close_gram(server);
}
END_TEST

START_TEST(both_ends_know_their_addresses)
{
	const char *name = name_server(_i);
	struct unixconn *server = open_gram(name);
	struct unixconn *client = dial_conn("unixgram", name);
	struct unixaddr own, peer, from;

	expect_own_address(server, name);
	ck_assert_errno(unixconn_get_peer(server, &peer), ENOTCONN);
	ck_assert_int_eq(unixconn_get_peer(client, &peer), 0);
	expect_address(&peer, name);
	get_address(client, &own);
	send_text(client, "hello");
	receive_text(server, "hello", &from, in_time());
	ck_assert(unixaddr_is_equal(&own, &from));
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(a_client_is_given_an_address_of_the_servers_kind)
{
	const enum unixaddr_kind kinds[] = { UNIXADDR_PATH, UNIXADDR_ABSTRACT };
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *client = dial_conn("unixgram", name_server(_i));
	struct unixaddr addr;

	get_address(client, &addr);
	ck_assert_int_eq(unixaddr_get_kind(&addr), kinds[_i]);
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(a_sender_without_a_name_is_unnamed_and_cannot_be_answered)
{
	struct unixconn *server = open_gram(name_server(_i));
	int fd = open_socket(SOCK_DGRAM);
	struct unixaddr from;

	memset(&from, 0xff, sizeof(from));
	ck_assert_int_eq(send_foreign(fd, server, "who"), 3);
	receive_text(server, "who", &from, in_time());
	ck_assert_int_eq(unixaddr_get_kind(&from), UNIXADDR_UNNAMED);
	ck_assert_errno(unixconn_send_to(server, &from, "x", 1, UNIXMSG_NOW),
		EINVAL);
	close(fd);
	close_gram(server);
}
END_TEST

START_TEST(the_sender_of_a_cut_message_is_told)
{
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *client = dial_conn("unixgram", name_server(_i));
	struct unixaddr from;
	size_t size = 0;
	char byte;

	send_text(client, "too long");
	ck_assert_errno(unixconn_recv_from(server, &byte, 1, &size, &from,
				UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_uint_eq(size, 8);
	reply(server, &from, "too long");
	await_text(client, "too long");
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(messages_carry_an_address_both_ways)
{
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *client = dial_conn("unixgram", name_server(_i));
	struct unixaddr addr;
	struct unixmsg msg;

	send_text(client, "");
	unixmsg_init(&msg);
	msg.addr = &addr;
	ck_assert_int_eq(unixconn_recv_msg(server, &msg, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_send_msg(server, &msg, UNIXMSG_NOW), 1);
	await_text(client, "");
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(the_kernel_chooses_a_name_for_a_server)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixconn *server = open_gram("@"), *client;
	struct unixaddr addr;

	get_address(server, &addr);
	unixaddr_format(&addr, text, sizeof(text));
	ck_assert_uint_gt(strlen(text), 1);
	ck_assert_int_eq(text[0], '@');
	client = dial_conn("unixgram", text);
	echo(server, client);
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(an_abstract_name_may_fill_its_room)
{
	struct unixconn *server;
	char name[UNIXMSG_NAME_SIZE_MAX + 1];
	int fd = open_socket(SOCK_DGRAM);

	snprintf(name, sizeof(name), "%s", support_abstract(""));
	memset(name + strlen(name), 'a', sizeof(name) - 1 - strlen(name));
	name[sizeof(name) - 1] = '\0';
	server = open_gram(name);
	expect_own_address(server, name);
	ck_assert_int_eq(send_foreign(fd, server, "full"), 4);
	await_text(server, "full");
	close(fd);
	close_gram(server);
}
END_TEST

START_TEST(a_path_may_be_longer_than_an_address)
{
	char path[PATH_MAX] = "";
	struct unixconn *server, *client;
	struct unixaddr from;
	int i;

	snprintf(path, sizeof(path), "%s", support_path("d"));
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(mkdir(path, 0700), 0);
		strcat(path, "/0123456789012345678901234567890123456789");
	}
	server = open_gram(path);
	client = dial_conn("unixgram", path);
	send_text(client, "far");
	receive_text(server, "far", &from, in_time());
	reply(server, &from, "away");
	await_text(client, "away");
	close_gram(client);
	close_gram(server);
	ck_assert_errno(access(path, F_OK), ENOENT);
}
END_TEST

/* Errors of sending and dialling */

START_TEST(a_connected_endpoint_sends_to_nobody_else)
{
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *other = open_gram(support_abstract("other"));
	struct unixconn *client = dial_conn("unixgram", name_server(_i));
	struct unixaddr addr;

	get_address(other, &addr);
	ck_assert_errno(unixconn_send_to(client, &addr, "x", 1, UNIXMSG_NOW),
		EISCONN);
	get_address(server, &addr);
	ck_assert_errno(unixconn_send_to(client, &addr, "x", 1, UNIXMSG_NOW),
		EISCONN);
	expect_nothing(other);
	expect_nothing(server);
	close_gram(client);
	close_gram(other);
	close_gram(server);
}
END_TEST

START_TEST(a_pair_sends_to_nobody_else)
{
	struct unixconn *pair[2];
	struct unixconn *other = open_gram(support_abstract("other"));
	struct unixaddr addr;

	get_address(other, &addr);
	ck_assert_int_eq(unixconn_pair("unixgram", pair), 0);
	ck_assert_errno(unixconn_send_to(pair[0], &addr, "x", 1, UNIXMSG_NOW),
		EISCONN);
	close_gram(pair[0]);
	close_gram(pair[1]);
	close_gram(other);
}
END_TEST

START_TEST(an_endpoint_that_is_not_connected_needs_a_destination)
{
	struct unixconn *server = open_gram(name_server(_i));

	ck_assert_errno(unixconn_send(server, "x", 1, UNIXMSG_FOREVER),
		ENOTCONN);
	close_gram(server);
}
END_TEST

static void expect_send_to(struct unixconn *gram, const char *to, int expected)
{
	struct unixaddr addr;

	ck_assert_int_eq(unixaddr_parse(&addr, to), 0);
	ck_assert_errno(unixconn_send_to(gram, &addr, "x", 1, UNIXMSG_FOREVER),
		expected);
}

static void make_dead_socket(const char *path)
{
	struct unixlisten_options options = { .flags = UNIXMSG_LISTEN_KEEP };
	struct unixconn *gram;

	gram = unixconn_open("unixgram", path, &options);
	ck_assert_ptr_nonnull(gram);
	close_gram(gram);
}

START_TEST(a_destination_that_cannot_be_reached_is_told)
{
	const char *packets = support_abstract("packets");
	struct unixlistener *listener =
		unixlistener_open("unixpacket", support_path("packets"),
			&(struct unixlisten_options){ .backlog = 1 });
	struct unixconn *gram = open_gram(support_path("self"));

	make_dead_socket(support_path("dead"));
	expect_send_to(gram, support_path("nothing"), ENOENT);
	expect_send_to(gram, support_path("no/directory"), ENOENT);
	expect_send_to(gram, packets, ECONNREFUSED);
	expect_send_to(gram, support_path("dead"), ECONNREFUSED);
	expect_send_to(gram, support_path("packets"), EPROTOTYPE);
	close_gram(gram);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

static void expect_dial(const char *address, int expected)
{
	int before = support_count_fds();

	ck_assert_null_errno(unixconn_dial("unixgram", address, NULL,
				     UNIXMSG_NOW),
		expected);
	ck_assert_int_eq(support_count_fds(), before);
}

START_TEST(a_server_that_cannot_be_reached_is_told)
{
	struct unixlistener *packets =
		unixlistener_open("unixpacket", support_path("packets"),
			&(struct unixlisten_options){ .backlog = 1 });
	struct unixlistener *streams =
		unixlistener_open("unix", support_path("streams"),
			&(struct unixlisten_options){ .backlog = 1 });
	int fd = open(support_path("file"), O_CREAT | O_CLOEXEC, 0600);

	close(fd);
	make_dead_socket(support_path("dead"));
	expect_dial(support_path("nothing"), ENOENT);
	expect_dial(support_path("no/directory"), ENOENT);
	expect_dial(support_path("file"), ECONNREFUSED);
	expect_dial(support_path("dead"), ECONNREFUSED);
	expect_dial(support_abstract("nothing"), ECONNREFUSED);
	expect_dial(support_path("packets"), EPROTOTYPE);
	expect_dial(support_path("streams"), EPROTOTYPE);
	ck_assert_int_eq(unixlistener_close(packets), 0);
	ck_assert_int_eq(unixlistener_close(streams), 0);
}
END_TEST

START_TEST(an_address_that_names_nobody_is_refused)
{
	char name[UNIXMSG_NAME_SIZE_MAX + 2] = "@";

	memset(name + 1, 'a', UNIXMSG_NAME_SIZE_MAX);
	expect_dial("@", EINVAL);
	expect_dial("", EINVAL);
	expect_dial("\\q", EINVAL);
	expect_dial(name, ENAMETOOLONG);
	ck_assert_null_errno(unixconn_open("unixgram", "", NULL), EINVAL);
	ck_assert_null_errno(unixconn_open("unixgram", name, NULL),
		ENAMETOOLONG);
	ck_assert_null_errno(unixconn_open("unixgram", support_path("no/dir"),
				     NULL),
		ENOENT);
}
END_TEST

START_TEST(unknown_dial_options_are_refused)
{
	struct unixconn *server = open_gram(name_server(_i));
	struct unixdial_options options;
	size_t i;

	memset(&options, 0, sizeof(options));
	/* The first that is no UNIXMSG_DIAL_.... */
	for (options.flags = 16; options.flags != 0; options.flags <<= 1)
		ck_assert_null_errno(unixconn_dial("unixgram", name_server(_i),
					     &options, UNIXMSG_NOW),
			EINVAL);
	for (i = 0; i < COUNT(options.reserved); i++) {
		memset(&options, 0, sizeof(options));
		options.reserved[i] = 1;
		ck_assert_null_errno(unixconn_dial("unixgram", name_server(_i),
					     &options, UNIXMSG_NOW),
			EINVAL);
	}
	close_gram(server);
}
END_TEST

START_TEST(a_restarted_server_is_not_taken_for_the_old_one)
{
	const char *name = name_server(_i);
	struct unixconn *server = open_gram(name);
	struct unixconn *client = dial_conn("unixgram", name);

	close_gram(server);
	server = open_gram(name);
	ck_assert_errno(unixconn_send(client, "x", 1, UNIXMSG_FOREVER),
		ECONNREFUSED);
	expect_nothing(server);
	close_gram(client);
	client = dial_conn("unixgram", name);
	echo(server, client);
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(nobody_else_can_slip_a_message_in)
{
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *client = dial_conn("unixgram", name_server(_i));
	struct unixconn *other = open_gram(support_abstract("other"));
	struct unixaddr addr;
	int fd = open_socket(SOCK_DGRAM);

	get_address(client, &addr);
	ck_assert_errno(send_foreign(fd, client, "evil"), EPERM);
	ck_assert_errno(unixconn_send_to(other, &addr, "evil", 4, UNIXMSG_NOW),
		EPERM);
	expect_nothing(client);
	echo(server, client);
	close(fd);
	close_gram(other);
	close_gram(client);
	close_gram(server);
}
END_TEST

/* The address that a client is given */

static void expect_file(const char *path, mode_t mode)
{
	struct stat file;

	ck_assert_msg(lstat(path, &file) == 0, "%s: %s", path, strerror(errno));
	ck_assert(S_ISSOCK(file.st_mode));
	ck_assert_uint_eq(file.st_uid, geteuid());
	ck_assert_uint_eq(file.st_mode & 07777, mode);
}

static const char *name_directory(const char *base)
{
	static char name[PATH_MAX];

	snprintf(name, sizeof(name), "%s/unixmsg-%u", base,
		(unsigned int)geteuid());
	return name;
}

static void expect_directory(const char *base)
{
	struct stat dir;

	ck_assert_int_eq(lstat(name_directory(base), &dir), 0);
	ck_assert(S_ISDIR(dir.st_mode));
	ck_assert_uint_eq(dir.st_mode & 07777, 0711);
}

/* after is what follows base/unixmsg-UID: a slash, or a dot beside it. */
static void expect_file_under(struct unixconn *client, const char *base,
	char after, mode_t mode)
{
	const char *path = get_path(client);
	size_t size = strlen(name_directory(base));

	ck_assert_msg(strncmp(path, name_directory(base), size) == 0,
		"%s is not under %s", path, base);
	ck_assert_int_eq(path[size], after);
	expect_file(path, mode);
}

/* Who serves root's socket may be anybody. */
static mode_t own_mode(void)
{
	return geteuid() == 0 ? 0666 : 0600;
}

static const char *make_directory(const char *name, mode_t mode)
{
	const char *path = support_path(name);

	ck_assert_int_eq(mkdir(path, mode), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

static void close_and_assert_missing(struct unixconn *client)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", get_path(client));
	close_gram(client);
	assert_missing(path);
}

START_TEST(a_client_of_our_own_server_lives_in_the_runtime_directory)
{
	const char *run = make_directory("run", geteuid() == 0 ? 0711 : 0700);
	struct unixconn *server = open_gram(support_path("server")), *client;

	setenv("XDG_RUNTIME_DIR", run, 1);
	umask(_i == 0 ? 0 : 0077);
	client = dial_conn("unixgram", support_path("server"));
	expect_directory(run);
	expect_file_under(client, run, '/', own_mode());
	echo(server, client);
	close_and_assert_missing(client);
	close_gram(server);
}
END_TEST

START_TEST(directories_that_do_not_exist_are_passed_over)
{
	static const char *const useless[] = { "/nowhere", "relative", "" };
	struct unixconn *server = open_gram(support_path("server")), *client;

	setenv("XDG_RUNTIME_DIR", useless[_i], 1);
	client = dial_conn("unixgram", support_path("server"));
	expect_file_under(client, support_dir(), '/', own_mode());
	echo(server, client);
	close_and_assert_missing(client);
	setenv("TMPDIR", useless[_i], 1);
	client = dial_conn("unixgram", support_path("server"));
	expect_file_under(client, "/tmp", '/', own_mode());
	echo(server, client);
	close_and_assert_missing(client);
	close_gram(server);
}
END_TEST

START_TEST(a_directory_that_is_too_long_is_passed_over)
{
	char longest[200] = "/";
	struct unixconn *server = open_gram(support_path("server")), *client;

	memset(longest + 1, 'l', sizeof(longest) - 2);
	setenv("XDG_RUNTIME_DIR", longest, 1);
	client = dial_conn("unixgram", support_path("server"));
	expect_file_under(client, support_dir(), '/', own_mode());
	close_and_assert_missing(client);
	close_gram(server);
}
END_TEST

START_TEST(a_directory_of_ours_is_put_right)
{
	struct unixconn *server = open_gram(support_path("server")), *client;

	ck_assert_int_eq(mkdir(name_directory(support_dir()), 0700), 0);
	client = dial_conn("unixgram", support_path("server"));
	expect_directory(support_dir());
	expect_file_under(client, support_dir(), '/', own_mode());
	close_and_assert_missing(client);
	close_gram(server);
}
END_TEST

/* The mode of an address that was asked for: 0 leaves it to the library. */
START_TEST(an_own_address_has_the_mode_that_was_asked_for)
{
	static const mode_t modes[] = { 0, 0600, 0620, 0666 };
	struct unixconn *server = open_gram(support_path("server")), *client;
	struct unixdial_options options;

	memset(&options, 0, sizeof(options));
	options.own = support_path("own");
	options.own_mode = modes[_i];
	umask(0077);
	client = unixconn_dial("unixgram", support_path("server"), &options,
		UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	expect_file(support_path("own"), _i == 0 ? own_mode() : modes[_i]);
	echo(server, client);
	close_and_assert_missing(client);
	close_gram(server);
}
END_TEST

/* What somebody may have put where our directory should be. */

static void squat_by_directory(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0777), 0);
	ck_assert_int_eq(chown(path, nobody_id, nobody_id), 0);
}

static void squat_by_link(const char *path)
{
	const char *target = make_directory("target", 0777);

	ck_assert_int_eq(symlink(target, path), 0);
}

static void squat_by_file(const char *path)
{
	int fd = open(path, O_CREAT | O_CLOEXEC, 0666);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void dial_beside(void (*squat)(const char *))
{
	struct unixconn *server = open_gram(support_path("server")), *client;

	squat(name_directory(support_dir()));
	client = dial_conn("unixgram", support_path("server"));
	expect_file_under(client, support_dir(), '.', own_mode());
	echo(server, client);
	close_and_assert_missing(client);
	close_gram(server);
}

START_TEST(a_link_in_the_place_of_our_directory_is_not_followed)
{
	dial_beside(squat_by_link);
	ck_assert_int_eq(rmdir(support_path("target")), 0);
}
END_TEST

START_TEST(a_file_in_the_place_of_our_directory_is_left_alone)
{
	dial_beside(squat_by_file);
	ck_assert_int_eq(access(name_directory(support_dir()), F_OK), 0);
}
END_TEST

START_TEST(a_directory_of_another_user_does_not_prevent_dialling)
{
	dial_beside(squat_by_directory);
	ck_assert_int_eq(rmdir(name_directory(support_dir())), 0);
}
END_TEST

/* A server without rights, in a directory of its own; ends at its peer's
 * second message. */
static void serve_as_nobody(const char *path, int ready[2])
{
	struct unixconn *server;
	struct unixaddr from;

	support_as_nobody();
	server = open_gram(path);
	support_ready_tell(ready);
	receive_text(server, "question", &from, in_time());
	reply(server, &from, "answer");
	await_text(server, "bye");
	close_gram(server);
	_exit(0);
}

START_TEST(a_server_of_another_user_can_answer)
{
	const char *dir = make_directory("nobody", 0711), *path;
	int ready[2];
	struct unixconn *client;
	pid_t pid;

	ck_assert_int_eq(chown(dir, nobody_id, nobody_id), 0);
	setenv("XDG_RUNTIME_DIR", make_directory("run", 0700), 1);
	path = support_path("nobody/server");
	support_ready_init(ready);
	pid = support_fork();
	if (pid == 0)
		serve_as_nobody(path, ready);
	support_ready_wait(ready);
	client = dial_conn("unixgram", path);
	expect_file_under(client, support_dir(), '/', 0666);
	send_text(client, "question");
	await_text(client, "answer");
	send_text(client, "bye");
	support_wait_exit(pid, 0);
	close_and_assert_missing(client);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

/* The runtime directory is missing, relative, or has too long a path: for a
 * name, or for any file. */
static void set_useless(int i)
{
	char name[106] = "open/", path[PATH_MAX + 1] = "/";

	unsetenv("XDG_RUNTIME_DIR");
	memset(path + 1, 'l', sizeof(path) - 2);
	memset(name + 5, 'l', sizeof(name) - 6);
	if (i == 1)
		setenv("XDG_RUNTIME_DIR", "relative", 1);
	else if (i == 2)
		setenv("XDG_RUNTIME_DIR", make_directory(name, 0700), 1);
	else if (i == 3)
		setenv("XDG_RUNTIME_DIR", path, 1);
}

/* As an ordinary user, whose server can be known. */
static void be_served_without(int i, const char *base)
{
	struct unixconn *server, *client;

	if (support_is_root())
		support_as_nobody();
	set_useless(i);
	setenv("TMPDIR", base, 1);
	server = open_gram(support_path("open/server"));
	client = dial_conn("unixgram", support_path("open/server"));
	expect_file_under(client, base, '/', own_mode());
	echo(server, client);
	close_and_assert_missing(client);
	close_gram(server);
	_exit(0);
}

START_TEST(clients_of_our_own_server_do_without_a_runtime_directory)
{
	const char *base = make_directory("open", 01777);
	pid_t pid = support_fork();

	if (pid == 0)
		be_served_without(_i, base);
	support_wait_exit(pid, 0);
}
END_TEST

/* Who serves a socket of root's may have given up its rights. */
static void be_client_of_root(const char *server, const char *base)
{
	struct unixconn *client;

	support_as_nobody();
	client = dial_conn("unixgram", server);
	expect_file_under(client, base, '/', 0666);
	send_text(client, "question");
	await_text(client, "answer");
	close_and_assert_missing(client);
	_exit(0);
}

START_TEST(a_client_of_roots_server_lives_where_all_may_pass)
{
	const char *run = make_directory("run", 0700);
	struct unixlisten_options options = { .mode = 0666 };
	struct unixconn *server;
	struct unixaddr from;
	pid_t pid;

	ck_assert_int_eq(chown(run, nobody_id, nobody_id), 0);
	setenv("XDG_RUNTIME_DIR", run, 1);
	setenv("TMPDIR", run, 1);
	server = unixconn_open("unixgram", support_path("server"), &options);
	ck_assert_ptr_nonnull(server);
	pid = support_fork();
	if (pid == 0)
		be_client_of_root(support_path("server"), "/tmp");
	receive_text(server, "question", &from, in_time());
	reply(server, &from, "answer");
	support_wait_exit(pid, 0);
	close_gram(server);
}
END_TEST

static void be_stranger(const char *server)
{
	support_as_nobody();
	ck_assert_null_errno(unixconn_dial("unixgram", server, NULL,
				     UNIXMSG_NOW),
		EACCES);
	_exit(0);
}

START_TEST(a_server_lets_nobody_else_in_by_default)
{
	struct unixconn *server = open_gram(support_path("server"));
	pid_t pid = support_fork();

	if (pid == 0)
		be_stranger(support_path("server"));
	support_wait_exit(pid, 0);
	close_gram(server);
}
END_TEST

/* Whether the server can answer */

START_TEST(a_server_of_our_own_can_answer)
{
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *client = dial_conn("unixgram", name_server(_i));

	errno = EXDEV;
	ck_assert_int_eq(unixconn_check_answer(client), 0);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_errno(unixconn_check_answer(server), ENOTCONN);
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(a_directory_that_keeps_the_server_out_is_told)
{
	const char *path = support_path("server");
	struct unixlisten_options options = { 0 };
	struct unixconn *server, *client;

	support_want_owner(&options, nobody_id, (gid_t)-1);
	server = unixconn_open("unixgram", path, &options);
	ck_assert_ptr_nonnull(server);
	make_directory("private", 0700);
	client = dial_as(path, support_path("private/own"));
	ck_assert_ptr_nonnull(client);
	ck_assert_errno(unixconn_check_answer(client), EACCES);
	ck_assert_int_eq(chmod(support_path("private"), 0711), 0);
	ck_assert_int_eq(unixconn_check_answer(client), 0);
	ck_assert_int_eq(chmod(support_path("private/own"), 0600), 0);
	ck_assert_errno(unixconn_check_answer(client), EACCES);
	close_gram(client);
	close_gram(server);
}
END_TEST

/* An address of one's own */

START_TEST(a_client_may_choose_its_address)
{
	const char *own =
		_i == 0 ? support_path("own") : support_abstract("own");
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *client = dial_as(name_server(_i), own);

	ck_assert_ptr_nonnull(client);
	expect_own_address(client, own);
	echo(server, client);
	close_gram(client);
	assert_missing(support_path("own"));
	close_gram(server);
}
END_TEST

START_TEST(a_client_may_have_the_kernel_choose)
{
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *client = dial_as(name_server(_i), "@");
	struct unixaddr addr;

	ck_assert_ptr_nonnull(client);
	get_address(client, &addr);
	ck_assert_int_eq(unixaddr_get_kind(&addr), UNIXADDR_ABSTRACT);
	echo(server, client);
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(an_address_that_is_taken_is_left_to_its_owner)
{
	const char *name = name_server(_i);
	struct unixconn *server = open_gram(name), *client;
	int before = support_count_fds();

	ck_assert_null_errno(dial_as(name, name), EADDRINUSE);
	ck_assert_int_eq(support_count_fds(), before);
	client = dial_conn("unixgram", name);
	echo(server, client);
	close_gram(client);
	close_gram(server);
}
END_TEST

/* It answers from a directory where a relative path would mean nothing. */
static void serve_elsewhere(struct unixconn *server)
{
	struct unixaddr from;

	ck_assert_int_eq(chdir("/"), 0);
	receive_text(server, "question", &from, in_time());
	reply(server, &from, "answer");
	_exit(0);
}

START_TEST(a_relative_address_is_answered_from_anywhere)
{
	static const char *const names[] = { "own", "./own", "././own" };
	struct unixconn *server = open_gram(support_path("server")), *client;
	pid_t pid = support_fork();

	if (pid == 0)
		serve_elsewhere(server);
	ck_assert_int_eq(chdir(support_dir()), 0);
	client = dial_as(support_path("server"), names[_i]);
	ck_assert_ptr_nonnull(client);
	expect_own_address(client, support_path("own"));
	send_text(client, "question");
	await_text(client, "answer");
	support_wait_exit(pid, 0);
	ck_assert_int_eq(chdir("/"), 0);
	close_gram(client);
	assert_missing(support_path("own"));
	close_gram(server);
}
END_TEST

START_TEST(an_address_that_cannot_be_answered_is_refused)
{
	char deep[PATH_MAX], own[PATH_MAX + 8];
	struct unixconn *server = open_gram(support_path("server"));

	snprintf(deep, sizeof(deep), "%s/%0100d", support_dir(), 0);
	snprintf(own, sizeof(own), "%s/own", deep);
	ck_assert_int_eq(mkdir(deep, 0700), 0);
	ck_assert_null_errno(dial_as(support_path("server"), own),
		ENAMETOOLONG);
	ck_assert_int_eq(chdir(deep), 0);
	ck_assert_null_errno(dial_as(support_path("server"), "own"),
		ENAMETOOLONG);
	ck_assert_int_eq(count_files("."), 0);
	close_gram(server);
}
END_TEST

START_TEST(an_own_address_fits_up_to_the_last_byte)
{
	char own[UNIXMSG_NAME_SIZE_MAX + 2];
	struct unixconn *server = open_gram(support_path("server")), *client;

	snprintf(own, sizeof(own), "%s/", support_dir());
	memset(own + strlen(own), 'o', sizeof(own) - strlen(own));
	own[UNIXMSG_NAME_SIZE_MAX] = '\0';
	client = dial_as(support_path("server"), own);
	ck_assert_ptr_nonnull(client);
	expect_own_address(client, own);
	echo(server, client);
	close_gram(client);
	assert_missing(own);
	own[UNIXMSG_NAME_SIZE_MAX] = 'o';
	own[UNIXMSG_NAME_SIZE_MAX + 1] = '\0';
	ck_assert_null_errno(dial_as(support_path("server"), own),
		ENAMETOOLONG);
	close_gram(server);
}
END_TEST

/* A server that is still on its way */

static void come_late(const char *name, pid_t client)
{
	struct unixconn *server;
	struct unixaddr from;

	support_wait_until_asleep(client);
	server = open_gram(name);
	receive_text(server, "question", &from, in_time());
	reply(server, &from, "answer");
	await_text(server, "bye");
	close_gram(server);
	_exit(0);
}

static struct unixconn *dial_waiting(const char *name, int64_t deadline_us)
{
	struct unixdial_options options = { .flags = UNIXMSG_DIAL_WAIT };

	return unixconn_dial("unixgram", name, &options, deadline_us);
}

static void meet_late(const char *name, int64_t deadline_us)
{
	pid_t test = getpid(), pid = support_fork();
	struct unixconn *client;

	if (pid == 0)
		come_late(name, test);
	errno = EXDEV;
	client = dial_waiting(name, deadline_us);
	ck_assert_ptr_nonnull(client);
	ck_assert_int_eq(errno, EXDEV);
	send_text(client, "question");
	await_text(client, "answer");
	send_text(client, "bye");
	support_wait_exit(pid, 0);
	close_gram(client);
}

START_TEST(dialling_waits_for_a_server_that_is_late)
{
	meet_late(name_server(_i), in_time());
	meet_late(name_server(_i), UNIXMSG_FOREVER);
}
END_TEST

START_TEST(dialling_waits_where_a_dead_server_was)
{
	make_dead_socket(support_path("server"));
	meet_late(support_path("server"), in_time());
}
END_TEST

START_TEST(dialling_does_not_wait_for_ever)
{
	int64_t deadline_us = unixdeadline_after_us(short_us);

	ck_assert_null_errno(dial_waiting(name_server(_i), deadline_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), deadline_us);
	ck_assert_null_errno(dial_waiting(name_server(_i), 1), ETIMEDOUT);
	ck_assert_null_errno(dial_waiting(name_server(_i), INT64_MIN), EINVAL);
	ck_assert_null_errno(dial_waiting(name_server(_i), UNIXMSG_NOW),
		EAGAIN);
}
END_TEST

START_TEST(the_stop_ends_a_dial_that_waits)
{
	struct unixdial_options options;
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	memset(&options, 0, sizeof(options));
	options.flags = UNIXMSG_DIAL_WAIT;
	options.stop_fd = stop_fd;
	ck_assert_null_errno(unixconn_dial("unixgram", name_server(_i),
				     &options, UNIXMSG_FOREVER),
		ECANCELED);
	close(stop_fd);
}
END_TEST

START_TEST(the_stop_of_the_dial_stays_with_the_client)
{
	struct unixconn *server = open_gram(name_server(_i)), *client;
	struct unixdial_options options;
	int stop_fd = eventfd(1, EFD_CLOEXEC);

	memset(&options, 0, sizeof(options));
	options.stop_fd = stop_fd;
	client = unixconn_dial("unixgram", name_server(_i), &options,
		UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	ck_assert_errno(unixconn_recv(client, NULL, 0, NULL, UNIXMSG_FOREVER),
		ECANCELED);
	close_gram(client);
	close_gram(server);
	close(stop_fd);
}
END_TEST

START_TEST(dialling_does_not_wait_for_what_will_not_change)
{
	struct unixlistener *listener =
		unixlistener_open("unixpacket", support_path("packets"),
			&(struct unixlisten_options){ .backlog = 1 });

	ck_assert_null_errno(dial_waiting(support_path("packets"),
				     UNIXMSG_FOREVER),
		EPROTOTYPE);
	ck_assert_null_errno(dial_waiting("@", UNIXMSG_FOREVER), EINVAL);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

/* A full queue */

static int send_text_to(struct unixconn *gram, const struct unixaddr *to,
	int64_t deadline_us)
{
	if (to == NULL)
		return unixconn_send(gram, "x", 1, deadline_us);
	return unixconn_send_to(gram, to, "x", 1, deadline_us);
}

static int fill(struct unixconn *gram, const struct unixaddr *to)
{
	int count = 0;

	while (send_text_to(gram, to, UNIXMSG_NOW) == 1)
		ck_assert_int_lt(count++, 100000);
	ck_assert_int_eq(errno, EAGAIN);
	return count;
}

/* A full server, and who wants to send to it: connected, or by address. */
struct crowd {
	struct unixconn *server, *sender;
	struct unixaddr addr;
	const struct unixaddr *to;
	int count;
};

static void make_crowd(struct crowd *crowd, bool is_connected)
{
	crowd->server = open_gram(support_abstract("server"));
	get_address(crowd->server, &crowd->addr);
	crowd->to = is_connected ? NULL : &crowd->addr;
	crowd->sender = is_connected
		? dial_conn("unixgram", support_abstract("server"))
		: open_gram("@");
	crowd->count = fill(crowd->sender, crowd->to);
}

static void end_crowd(struct crowd *crowd)
{
	close_gram(crowd->sender);
	close_gram(crowd->server);
}

static void drain(struct crowd *crowd)
{
	while (crowd->count-- > 0)
		await_text(crowd->server, "x");
}

START_TEST(sending_to_a_full_queue_keeps_to_its_deadline)
{
	struct crowd crowd;
	int64_t until_us;

	make_crowd(&crowd, _i);
	ck_assert_errno(send_text_to(crowd.sender, crowd.to, UNIXMSG_NOW),
		EAGAIN);
	ck_assert_errno(send_text_to(crowd.sender, crowd.to, 1), ETIMEDOUT);
	until_us = unixdeadline_after_us(short_us);
	ck_assert_errno(send_text_to(crowd.sender, crowd.to, until_us),
		ETIMEDOUT);
	ck_assert_int_ge(unixdeadline_now_us(), until_us);
	drain(&crowd);
	expect_nothing(crowd.server);
	end_crowd(&crowd);
}
END_TEST

START_TEST(the_stop_ends_a_wait_for_a_full_queue)
{
	int stop_fd = eventfd(1, EFD_CLOEXEC);
	struct crowd crowd;

	make_crowd(&crowd, _i);
	unixconn_set_stop_fd(crowd.sender, stop_fd);
	ck_assert_errno(send_text_to(crowd.sender, crowd.to, UNIXMSG_FOREVER),
		ECANCELED);
	end_crowd(&crowd);
	close(stop_fd);
}
END_TEST

static void send_while_it_is_drained(struct crowd *crowd, int64_t deadline_us)
{
	pid_t test = getpid(), pid = support_fork();

	if (pid == 0) {
		support_wait_until_asleep(test);
		drain(crowd);
		_exit(0);
	}
	ck_assert_int_eq(send_text_to(crowd->sender, crowd->to, deadline_us),
		1);
	support_wait_exit(pid, 0);
	await_text(crowd->server, "x");
	expect_nothing(crowd->server);
}

START_TEST(a_sender_goes_on_when_the_queue_has_room_again)
{
	struct crowd crowd;

	make_crowd(&crowd, _i);
	send_while_it_is_drained(&crowd, in_time());
	crowd.count = fill(crowd.sender, crowd.to);
	send_while_it_is_drained(&crowd, UNIXMSG_FOREVER);
	end_crowd(&crowd);
}
END_TEST

static int64_t get_cpu_us(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
		usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

START_TEST(waiting_for_a_full_queue_costs_little)
{
	const int64_t wait_us = 300000;
	struct crowd crowd;
	int64_t begin_us;

	make_crowd(&crowd, _i);
	begin_us = get_cpu_us();
	ck_assert_errno(send_text_to(crowd.sender, crowd.to,
				unixdeadline_after_us(wait_us)),
		ETIMEDOUT);
	ck_assert_int_lt(get_cpu_us() - begin_us, wait_us / 5);
	end_crowd(&crowd);
}
END_TEST

START_TEST(a_full_queue_of_one_does_not_stop_messages_to_another)
{
	struct unixconn *other = open_gram(support_abstract("other"));
	struct unixaddr addr;
	struct crowd crowd;

	make_crowd(&crowd, false);
	get_address(other, &addr);
	reply(crowd.sender, &addr, "through");
	await_text(other, "through");
	end_crowd(&crowd);
	close_gram(other);
}
END_TEST

/* Pairs, and empty datagrams */

START_TEST(a_pair_talks_both_ways)
{
	struct unixconn *pair[2];
	struct unixaddr from;

	ck_assert_int_eq(unixconn_pair("unixgram", pair), 0);
	send_text(pair[0], "there");
	receive_text(pair[1], "there", &from, in_time());
	ck_assert_int_eq(unixaddr_get_kind(&from), UNIXADDR_UNNAMED);
	send_text(pair[1], "back");
	await_text(pair[0], "back");
	close_gram(pair[0]);
	ck_assert_errno(unixconn_send(pair[1], "x", 1, UNIXMSG_FOREVER),
		ECONNREFUSED);
	close_gram(pair[1]);
}
END_TEST

START_TEST(an_empty_datagram_is_a_message)
{
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *client = dial_conn("unixgram", name_server(_i));
	int foreign = open_socket(SOCK_DGRAM), i;
	struct unixaddr from;
	char byte;
	size_t size = 7;

	for (i = 0; i < 1000; i++) {
		ck_assert_int_eq(unixconn_send(client, NULL, 0, UNIXMSG_NOW),
			1);
		ck_assert_int_eq(unixconn_recv_from(server, &byte, 1, &size,
					 &from, UNIXMSG_NOW),
			1);
		ck_assert_uint_eq(size, 0);
		reply(server, &from, "");
		await_text(client, "");
	}
	ck_assert_int_eq(send_foreign(foreign, server, ""), 0);
	receive_text(server, "", &from, in_time());
	ck_assert_int_eq(unixaddr_get_kind(&from), UNIXADDR_UNNAMED);
	expect_nothing(server);
	close(foreign);
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(a_datagram_into_no_room_is_cut)
{
	struct unixconn *server = open_gram(name_server(_i));
	struct unixconn *client = dial_conn("unixgram", name_server(_i));
	struct unixaddr from, own;
	size_t size = 0;

	send_text(client, "much");
	get_address(client, &own);
	ck_assert_errno(unixconn_recv_from(server, NULL, 0, &size, &from,
				UNIXMSG_NOW),
		EMSGSIZE);
	ck_assert_uint_eq(size, 4);
	ck_assert(unixaddr_is_equal(&from, &own));
	expect_nothing(server);
	close_gram(client);
	close_gram(server);
}
END_TEST

/* Descriptors and leftovers */

START_TEST(descriptors_are_closed_on_exec)
{
	struct unixconn *server, *client, *own, *pair[2];
	bool was_open[SUPPORT_FDS];

	support_list_fds(was_open);
	server = open_gram(name_server(_i));
	client = dial_conn("unixgram", name_server(_i));
	own = dial_as(name_server(_i), support_path("own"));
	ck_assert_ptr_nonnull(own);
	ck_assert_int_eq(unixconn_pair("unixgram", pair), 0);
	/* Directories that are held open are among them. */
	support_expect_cloexec(was_open, 5);
	close_gram(pair[0]);
	close_gram(pair[1]);
	close_gram(own);
	close_gram(client);
	close_gram(server);
}
END_TEST

static struct unixconn *dial_limited(const char *server, int more)
{
	struct unixconn *client;

	support_limit_fds(more);
	client = dial_as(server, support_path("own"));
	support_lift_fds_limit();
	return client;
}

START_TEST(a_dial_that_runs_out_of_descriptors_leaves_nothing_behind)
{
	const char *name = name_server(_i);
	struct unixconn *server = open_gram(name), *client = NULL;
	int before = support_count_fds(), more;

	for (more = 0; more < 16; more++) {
		client = dial_limited(name, more);
		if (client != NULL)
			break;
		ck_assert_int_eq(errno, EMFILE);
		ck_assert_int_eq(support_count_fds(), before);
		assert_missing(support_path("own"));
	}
	ck_assert_ptr_nonnull(client);
	ck_assert_int_gt(more, 0);
	close_gram(client);
	close_gram(server);
}
END_TEST

START_TEST(closing_nothing_is_no_error)
{
	errno = EXDEV;
	close_conn(NULL);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* The list of tests */

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, SERVERS);
}

static TCase *make_addresses(void)
{
	TCase *tcase =
		make_tcase_with("addresses", support_make_names_here, NULL);

	add(tcase, a_client_and_a_server_talk);
	add(tcase, a_server_answers_many_clients);
	add(tcase, both_ends_know_their_addresses);
	add(tcase, a_client_is_given_an_address_of_the_servers_kind);
	add(tcase, a_sender_without_a_name_is_unnamed_and_cannot_be_answered);
	add(tcase, the_sender_of_a_cut_message_is_told);
	add(tcase, messages_carry_an_address_both_ways);
	tcase_add_test(tcase, the_kernel_chooses_a_name_for_a_server);
	tcase_add_test(tcase, an_abstract_name_may_fill_its_room);
	tcase_add_test(tcase, a_path_may_be_longer_than_an_address);
	return tcase;
}

static TCase *make_errors(void)
{
	TCase *tcase = make_tcase_with("errors", support_make_names_here, NULL);

	add(tcase, a_connected_endpoint_sends_to_nobody_else);
	tcase_add_test(tcase, a_pair_sends_to_nobody_else);
	add(tcase, an_endpoint_that_is_not_connected_needs_a_destination);
	tcase_add_test(tcase, a_destination_that_cannot_be_reached_is_told);
	tcase_add_test(tcase, a_server_that_cannot_be_reached_is_told);
	tcase_add_test(tcase, an_address_that_names_nobody_is_refused);
	add(tcase, unknown_dial_options_are_refused);
	add(tcase, a_restarted_server_is_not_taken_for_the_old_one);
	add(tcase, nobody_else_can_slip_a_message_in);
	tcase_add_test(tcase, closing_nothing_is_no_error);
	return tcase;
}

static TCase *make_answers(void)
{
	TCase *tcase =
		make_tcase_with("answers", support_make_names_here, NULL);

	tcase_add_loop_test(tcase,
		a_client_of_our_own_server_lives_in_the_runtime_directory, 0,
		2);
	tcase_add_loop_test(tcase,
		directories_that_do_not_exist_are_passed_over, 0, 3);
	tcase_add_test(tcase, a_directory_that_is_too_long_is_passed_over);
	tcase_add_loop_test(tcase,
		clients_of_our_own_server_do_without_a_runtime_directory, 0, 4);
	tcase_add_test(tcase, a_directory_of_ours_is_put_right);
	tcase_add_loop_test(tcase,
		an_own_address_has_the_mode_that_was_asked_for, 0, 4);
	tcase_add_test(tcase,
		a_link_in_the_place_of_our_directory_is_not_followed);
	tcase_add_test(tcase,
		a_file_in_the_place_of_our_directory_is_left_alone);
	support_add_root_test(tcase,
		a_directory_of_another_user_does_not_prevent_dialling);
	support_add_root_test(tcase, a_server_of_another_user_can_answer);
	support_add_root_test(tcase,
		a_client_of_roots_server_lives_where_all_may_pass);
	support_add_root_test(tcase, a_server_lets_nobody_else_in_by_default);
	add(tcase, a_server_of_our_own_can_answer);
	support_add_root_test(tcase,
		a_directory_that_keeps_the_server_out_is_told);
	return tcase;
}

static TCase *make_own(void)
{
	TCase *tcase =
		make_tcase_with("own addresses", support_make_names_here, NULL);

	add(tcase, a_client_may_choose_its_address);
	add(tcase, a_client_may_have_the_kernel_choose);
	add(tcase, an_address_that_is_taken_is_left_to_its_owner);
	tcase_add_loop_test(tcase, a_relative_address_is_answered_from_anywhere,
		0, 3);
	tcase_add_test(tcase, an_address_that_cannot_be_answered_is_refused);
	tcase_add_test(tcase, an_own_address_fits_up_to_the_last_byte);
	return tcase;
}

static TCase *make_waits(void)
{
	TCase *tcase = make_tcase_with("waits", support_make_names_here, NULL);

	add(tcase, dialling_waits_for_a_server_that_is_late);
	tcase_add_test(tcase, dialling_waits_where_a_dead_server_was);
	add(tcase, dialling_does_not_wait_for_ever);
	add(tcase, the_stop_ends_a_dial_that_waits);
	add(tcase, the_stop_of_the_dial_stays_with_the_client);
	tcase_add_test(tcase, dialling_does_not_wait_for_what_will_not_change);
	return tcase;
}

/* The index of the loop: 1 for a connected sender. */
static TCase *make_queues(void)
{
	TCase *tcase = make_tcase_with("queues", support_make_names_here, NULL);

	add(tcase, sending_to_a_full_queue_keeps_to_its_deadline);
	add(tcase, the_stop_ends_a_wait_for_a_full_queue);
	add(tcase, a_sender_goes_on_when_the_queue_has_room_again);
	add(tcase, waiting_for_a_full_queue_costs_little);
	tcase_add_test(tcase,
		a_full_queue_of_one_does_not_stop_messages_to_another);
	return tcase;
}

static TCase *make_messages(void)
{
	TCase *tcase =
		make_tcase_with("messages", support_make_names_here, NULL);

	tcase_add_test(tcase, a_pair_talks_both_ways);
	add(tcase, an_empty_datagram_is_a_message);
	add(tcase, a_datagram_into_no_room_is_cut);
	add(tcase, descriptors_are_closed_on_exec);
	add(tcase, a_dial_that_runs_out_of_descriptors_leaves_nothing_behind);
	return tcase;
}

int main(void)
{
	return support_run_cases("gram", make_addresses(), make_errors(),
		make_answers(), make_own(), make_waits(), make_queues(),
		make_messages());
}
