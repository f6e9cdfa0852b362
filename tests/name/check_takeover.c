/* SPDX-License-Identifier: MIT */
/*
 * UNIXMSG_LISTEN_REPLACE, and whether a file goes with its socket. Owners are
 * sockets without the library, bound by kind: the last one does not listen.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/scene.h"

enum { OWNERS = 4 };

static const int owner_types[OWNERS] = { SOCK_DGRAM, SOCK_SEQPACKET,
	SOCK_STREAM, SOCK_SEQPACKET };

static int open_owner(int kind, const char *path)
{
	if (kind == OWNERS - 1)
		return open_bound(owner_types[kind], path);
	return open_listening(owner_types[kind], path);
}

static struct unixlisten_options options_with(unsigned int flags)
{
	struct unixlisten_options options = { .flags = flags };

	return options;
}

static int try_replace(struct server *server, int type, const char *path)
{
	struct unixlisten_options options =
		options_with(UNIXMSG_LISTEN_REPLACE);

	return open_server(server, type, path, &options);
}

static struct server replace(int type, const char *path)
{
	struct server server;

	ck_assert_msg(try_replace(&server, type, path) == 0, "%s: %s", path,
		strerror(errno));
	return server;
}

static struct server serve(int type, const char *path)
{
	struct server server;

	ck_assert_int_eq(open_server(&server, type, path, NULL), 0);
	return server;
}

/* A client of the path reaches this server. */

static void assert_gram_is_reached(struct unixconn *gram, const char *path)
{
	char byte = 0;

	send_to(path);
	ck_assert_int_eq(unixconn_recv(gram, &byte, 1, NULL, UNIXMSG_NOW), 1);
	ck_assert_int_eq(byte, 'x');
}

static void assert_listener_is_reached(const struct unixlistener *listener,
	int type, const char *path)
{
	int fd = open_socket(type), accepted;

	ck_assert_int_eq(connect_to(fd, path), 0);
	accepted = accept4(unixlistener_get_fd(listener), NULL, NULL,
		SOCK_CLOEXEC);
	ck_assert_int_ge(accepted, 0);
	close(accepted);
	close(fd);
}

static void assert_is_reached(const struct server *server, int type,
	const char *path)
{
	if (type == SOCK_DGRAM)
		assert_gram_is_reached(server->gram, path);
	else
		assert_listener_is_reached(server->listener, type, path);
}

/* Over live owners. */

START_TEST(new_clients_reach_the_new_owner)
{
	int kind = _i / TYPES, type = types[_i % TYPES];
	const char *path = support_path("socket");
	int fd = open_owner(kind, path);
	struct stat before = look_at(path);
	struct server server = replace(type, path);

	ck_assert_uint_ne(look_at(path).st_ino, before.st_ino);
	ck_assert_uint_eq(mode_of(path), 0600);
	assert_is_reached(&server, type, path);
	assert_files(1);
	end_server(&server);
	assert_files(0);
	close(fd);
}
END_TEST

START_TEST(the_old_owner_hears_nothing)
{
	int kind = _i / TYPES, type = types[_i % TYPES];
	const char *path = support_path("socket");
	int fd = open_owner(kind, path);
	struct server server = replace(type, path);

	if (kind == OWNERS - 1)
		ck_assert_int_eq(listen(fd, 1), 0);
	assert_is_reached(&server, type, path);
	assert_hears_nothing(fd, owner_types[kind]);
	end_server(&server);
	close(fd);
}
END_TEST

START_TEST(the_name_is_gone_for_the_old_owner)
{
	int old_type = types[_i / TYPES], type = types[_i % TYPES];
	const char *path = support_path("socket");
	struct server old = serve(old_type, path), server = replace(type, path);
	struct stat before = look_at(path);

	errno = EXDEV;
	end_server(&old);
	ck_assert_int_eq(errno, EXDEV);
	assert_untouched(path, &before);
	assert_is_reached(&server, type, path);
	end_server(&server);
	assert_files(0);
}
END_TEST

START_TEST(the_new_owner_may_go_first)
{
	int old_type = types[_i / TYPES], type = types[_i % TYPES];
	const char *path = support_path("socket");
	struct server old = serve(old_type, path), server = replace(type, path);

	end_server(&server);
	assert_files(0);
	end_server(&old);
}
END_TEST

START_TEST(a_replaced_owner_may_replace_in_turn)
{
	const char *path = support_path("socket");
	struct server servers[5];
	size_t i;

	servers[0] = serve(types[_i], path);
	for (i = 1; i < COUNT(servers); i++) {
		servers[i] = replace(types[_i], path);
		end_server(&servers[i - 1]);
		assert_is_reached(&servers[i], types[_i], path);
	}
	end_server(&servers[i - 1]);
	assert_files(0);
}
END_TEST

START_TEST(a_name_that_was_replaced_is_not_given_back)
{
	const char *path = support_path("socket");
	struct server old = serve(types[_i], path);
	struct server server = replace(types[_i], path);

	end_server(&server);
	ck_assert_int_eq(try_to_reach(path), ENOENT);
	end_server(&old);
	assert_files(0);
}
END_TEST

/* What was connected before. */

START_TEST(packet_connections_of_the_old_owner_go_on)
{
	const char *path = support_path("socket");
	struct server old = serve(SOCK_SEQPACKET, path), server;
	struct unixconn *clients[2], *accepted[2];
	char byte;
	int i;

	clients[0] = unixconn_dial("unixpacket", path, NULL, UNIXMSG_NOW);
	accepted[0] = unixlistener_accept(old.listener, UNIXMSG_NOW);
	/* The second one waits to be accepted. */
	clients[1] = unixconn_dial("unixpacket", path, NULL, UNIXMSG_NOW);
	server = replace(types[_i], path);
	accepted[1] = unixlistener_accept(old.listener, UNIXMSG_NOW);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(unixconn_send(clients[i], "x", 1, UNIXMSG_NOW),
			1);
		ck_assert_int_eq(unixconn_recv(accepted[i], &byte, 1, NULL,
					 UNIXMSG_NOW),
			1);
		ck_assert_int_eq(unixconn_send(accepted[i], "y", 1,
					 UNIXMSG_NOW),
			1);
		ck_assert_int_eq(unixconn_recv(clients[i], &byte, 1, NULL,
					 UNIXMSG_NOW),
			1);
		ck_assert_int_eq(byte, 'y');
		ck_assert_int_eq(unixconn_close(clients[i]), 0);
		ck_assert_int_eq(unixconn_close(accepted[i]), 0);
	}
	end_server(&old);
	end_server(&server);
}
END_TEST

START_TEST(stream_connections_of_the_old_owner_go_on)
{
	const char *path = support_path("socket");
	struct server old = serve(SOCK_STREAM, path), server;
	struct unixconn *client, *accepted;
	char byte;

	client = unixconn_dial("unix", path, NULL, UNIXMSG_NOW);
	accepted = unixlistener_accept(old.listener, UNIXMSG_NOW);
	server = replace(types[_i], path);
	ck_assert_int_eq(unixconn_send(client, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(accepted, &byte, 1, NULL, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_close(client), 0);
	ck_assert_int_eq(unixconn_recv(accepted, &byte, 1, NULL, UNIXMSG_NOW),
		0);
	ck_assert_int_eq(unixconn_close(accepted), 0);
	end_server(&old);
	end_server(&server);
}
END_TEST

/* The kernel checks the sender of an answer, not the name it came by. */
START_TEST(datagram_clients_of_the_old_owner_go_on)
{
	const char *path = support_path("socket");
	struct server old = serve(SOCK_DGRAM, path), server;
	struct unixdial_options options = { .own = support_path("own") };
	struct unixconn *client;
	struct unixaddr from;
	char byte;

	client = unixconn_dial("unixgram", path, &options, UNIXMSG_NOW);
	server = replace(types[_i], path);
	ck_assert_int_eq(unixconn_send(client, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv_from(old.gram, &byte, 1, NULL, &from,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_send_to(old.gram, &from, "y", 1, UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv(client, &byte, 1, NULL, UNIXMSG_NOW), 1);
	ck_assert_int_eq(byte, 'y');
	end_server(&old);
	ck_assert_errno(unixconn_send(client, "x", 1, UNIXMSG_NOW),
		ECONNREFUSED);
	close_gram(client);
	end_server(&server);
}
END_TEST

/* Where nobody lives. */

START_TEST(a_dead_file_is_replaced_as_ever)
{
	const char *path = support_path("socket");
	struct server server;

	make_dead(types[_i / TYPES], path);
	server = replace(types[_i % TYPES], path);
	assert_is_reached(&server, types[_i % TYPES], path);
	assert_files(1);
	end_server(&server);
	assert_files(0);
}
END_TEST

START_TEST(nothing_need_be_there)
{
	const char *path = support_path("socket");
	struct server server = replace(types[_i], path);

	assert_is_reached(&server, types[_i], path);
	end_server(&server);
	assert_files(0);
}
END_TEST

START_TEST(what_is_no_socket_is_not_replaced)
{
	const char *path = support_path("thing");
	struct server server;
	struct stat before;
	int files;

	foreigners[_i / TYPES].make(path);
	files = count_files(support_dir());
	before = look_at(path);
	ck_assert_errno(try_replace(&server, types[_i % TYPES], path),
		ENOTSOCK);
	assert_untouched(path, &before);
	assert_files(files);
	if (_i / TYPES == FOREIGN_FILE)
		assert_content(path, "precious");
}
END_TEST

START_TEST(a_link_to_a_live_owner_is_not_followed)
{
	const char *path = support_path("link"), *live = support_path("live");
	int fd = open_owner(_i, live);
	struct stat before, live_before = look_at(live);
	struct server server;

	make_link("live", path);
	before = look_at(path);
	ck_assert_errno(try_replace(&server, SOCK_DGRAM, path), ENOTSOCK);
	assert_untouched(path, &before);
	assert_untouched(live, &live_before);
	close(fd);
}
END_TEST

START_TEST(an_abstract_name_cannot_be_taken_over)
{
	const char *name = support_abstract("name");
	struct server old = serve(types[_i], name), server;

	ck_assert_errno(try_replace(&server, types[_i], name), EADDRINUSE);
	assert_is_reached(&old, types[_i], name);
	end_server(&old);
	server = replace(types[_i], name);
	end_server(&server);
}
END_TEST

/* The other options. */

START_TEST(the_mode_is_what_was_asked_for)
{
	const mode_t modes[] = { 0600, 0660, 0666, 0222 };
	const mode_t umasks[] = { 0, 022, 077 };
	const char *path = support_path("socket");
	struct unixlisten_options options =
		options_with(UNIXMSG_LISTEN_REPLACE);
	int fd = open_owner(_i % OWNERS, path);
	struct server server;

	options.mode = modes[_i % 4];
	umask(umasks[_i / 4]);
	ck_assert_int_eq(open_server(&server, types[_i % TYPES], path,
				 &options),
		0);
	umask(022);
	ck_assert_uint_eq(mode_of(path), modes[_i % 4]);
	end_server(&server);
	close(fd);
}
END_TEST

START_TEST(owner_and_group_are_what_was_asked_for)
{
	const char *path = support_path("socket");
	struct unixlisten_options options =
		options_with(UNIXMSG_LISTEN_REPLACE);
	int fd = open_owner(_i, path);
	struct server server;

	options.mode = 0620;
	support_want_owner(&options, 65534, 65533);
	ck_assert_int_eq(open_server(&server, types[_i % TYPES], path,
				 &options),
		0);
	ck_assert_uint_eq(look_at(path).st_uid, 65534);
	ck_assert_uint_eq(look_at(path).st_gid, 65533);
	ck_assert_uint_eq(mode_of(path), 0620);
	end_server(&server);
	assert_files(0);
	close(fd);
}
END_TEST

START_TEST(a_file_that_has_replaced_may_be_kept)
{
	const char *path = support_path("socket");
	struct unixlisten_options options =
		options_with(UNIXMSG_LISTEN_REPLACE | UNIXMSG_LISTEN_KEEP);
	struct server old = serve(types[_i], path), server;

	ck_assert_int_eq(open_server(&server, types[_i], path, &options), 0);
	end_server(&server);
	end_server(&old);
	ck_assert_int_eq(try_to_reach(path), ECONNREFUSED);
	assert_files(1);
}
END_TEST

START_TEST(a_long_path_is_replaced)
{
	const char *path = make_long_path(300);
	struct server old = serve(types[_i], path);
	struct server server = replace(types[_i], path);
	struct stat before = look_at(path);

	end_server(&old);
	assert_untouched(path, &before);
	end_server(&server);
	assert_missing(path);
}
END_TEST

/* Replacing that fails. */

static void assert_given_back(const char *path, const struct stat *before)
{
	assert_same_file(path, before);
	ck_assert_int_eq(count_files(support_path("sub")), 1);
}

/* Nobody may give a file to root, or to root's group. */
static void fail_to_replace(const char *path, int kind, int type,
	bool is_by_group)
{
	struct unixlisten_options options =
		options_with(UNIXMSG_LISTEN_REPLACE);
	struct stat before;
	struct server server;
	int fd;

	if (support_is_root())
		support_as_nobody();
	fd = open_owner(kind, path);
	before = look_at(path);
	if (is_by_group)
		support_want_owner(&options, (uid_t)-1, 0);
	else
		support_want_owner(&options, 0, (gid_t)-1);
	ck_assert_errno(open_server(&server, type, path, &options), EPERM);
	assert_given_back(path, &before);
	ck_assert_int_eq(try_to_reach(path), kind == 0 ? 0 : EPROTOTYPE);
	close(fd);
}

START_TEST(a_replace_that_fails_gives_the_name_back)
{
	const char *path = support_path("sub/socket");
	pid_t pid;

	make_dir(support_path("sub"), 01777);
	pid = support_fork();
	if (pid == 0) {
		count_fds();
		fail_to_replace(path, _i / 2 % OWNERS, types[_i / 2 / OWNERS],
			_i % 2 == 1);
		check_fds();
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

/* Of a file that may not be given to anybody: a mistake in the options. */
START_TEST(a_mistake_in_the_options_changes_nothing)
{
	const char *path = support_path("socket");
	struct unixlisten_options options = options_with(0x80000000u);
	int fd = open_owner(_i, path);
	struct stat before = look_at(path);
	struct server server;

	options.flags |= UNIXMSG_LISTEN_REPLACE;
	ck_assert_errno(open_server(&server, SOCK_DGRAM, path, &options),
		EINVAL);
	assert_untouched(path, &before);
	close(fd);
}
END_TEST

/* Running out of descriptors at each of the steps. */
START_TEST(a_replace_without_descriptors_gives_the_name_back)
{
	const char *path = support_path("socket");
	int fd = open_owner(_i / TYPES, path), result = -1, i;
	struct stat before = look_at(path);
	struct server server;

	for (i = 0; result < 0; i++) {
		support_limit_fds(i);
		result = try_replace(&server, types[_i % TYPES], path);
		if (result < 0)
			ck_assert_int_eq(errno, EMFILE);
		support_lift_fds_limit();
		if (result < 0)
			assert_same_file(path, &before);
		assert_files(1);
	}
	ck_assert_int_ge(i, 3);
	end_server(&server);
	close(fd);
}
END_TEST

START_TEST(a_directory_of_everybody_is_refused)
{
	const char *path = support_path("sub/socket");
	struct stat before;
	struct server server;
	int fd;

	make_dir(support_path("sub"), 0777);
	fd = open_owner(_i, path);
	before = look_at(path);
	ck_assert_errno(try_replace(&server, types[_i % TYPES], path), EPERM);
	assert_untouched(path, &before);
	close(fd);
}
END_TEST

/* In a sticky directory another's file is not ours to rename. */
START_TEST(the_owner_of_another_user_stays)
{
	const char *path = support_path("socket");
	int fd = open_owner(_i, path);
	struct stat before;
	pid_t pid;

	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert_int_eq(chmod(support_dir(), 01777), 0);
	before = look_at(path);
	pid = support_fork();
	if (pid == 0) {
		struct server server;

		support_as_nobody();
		ck_assert_errno(try_replace(&server, types[_i % TYPES], path),
			EPERM);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	assert_untouched(path, &before);
	close(fd);
}
END_TEST

/* Many at once. */

enum { CLAIMERS = 8 };

struct race {
	int go[2], end[2], results[2];
	pid_t pids[CLAIMERS];
};

struct result {
	int error;
	bool is_reached;
};

static void tell(int pipe[2], int error, bool is_reached)
{
	const struct result result = { error, is_reached };

	ck_assert_int_eq(write(pipe[1], &result, sizeof(result)),
		sizeof(result));
}

static struct result hear(int pipe[2])
{
	struct result result;

	ck_assert_int_eq(TEMP_FAILURE_RETRY(
				 read(pipe[0], &result, sizeof(result))),
		sizeof(result));
	return result;
}

static void claim_for_ever(struct race *race, const char *path,
	unsigned int flags)
{
	const struct unixlisten_options options = options_with(flags);
	struct unixconn *gram;
	bool is_reached;
	char byte;

	for (;;) {
		support_ready_wait(race->go);
		gram = unixconn_open("unixgram", path, &options);
		tell(race->results, gram == NULL ? errno : 0, false);
		support_ready_wait(race->end);
		is_reached = gram != NULL &&
			unixconn_recv(gram, &byte, 1, NULL, UNIXMSG_NOW) == 1;
		tell(race->results, unixconn_close(gram), is_reached);
	}
}

/* The first ones replace, the others do not. */
static void start_race(struct race *race, const char *path, int replacers)
{
	int i;

	support_ready_init(race->go);
	support_ready_init(race->end);
	support_ready_init(race->results);
	for (i = 0; i < CLAIMERS; i++) {
		race->pids[i] = support_fork();
		if (race->pids[i] == 0)
			claim_for_ever(race, path,
				i < replacers ? UNIXMSG_LISTEN_REPLACE : 0);
	}
}

static void end_race(struct race *race)
{
	int i;

	for (i = 0; i < CLAIMERS; i++)
		stop_child(race->pids[i]);
	close_pipe(race->go);
	close_pipe(race->end);
	close_pipe(race->results);
}

/* How many have had the name at one time or another. */
static int run_claims(struct race *race)
{
	struct result result;
	int i, winners = 0;

	for (i = 0; i < CLAIMERS; i++)
		support_ready_tell(race->go);
	for (i = 0; i < CLAIMERS; i++) {
		result = hear(race->results);
		winners += result.error == 0;
		if (result.error != 0)
			ck_assert_int_eq(result.error, EADDRINUSE);
	}
	return winners;
}

static int run_releases(struct race *race)
{
	struct result result;
	int i, reached = 0;

	for (i = 0; i < CLAIMERS; i++)
		support_ready_tell(race->end);
	for (i = 0; i < CLAIMERS; i++) {
		result = hear(race->results);
		reached += result.is_reached;
		ck_assert_int_eq(result.error, 0);
	}
	return reached;
}

/* A race begins over nothing, a dead file, or a live owner: -1 or his fd. */
static int prepare(int how, const char *path)
{
	if (how == 1)
		make_dead(SOCK_STREAM, path);
	return how == 2 ? open_bound(SOCK_DGRAM, path) : -1;
}

START_TEST(of_many_that_replace_all_succeed_and_one_is_reached)
{
	const char *path = support_path("socket");
	struct race race;
	int i, fd;

	start_race(&race, path, CLAIMERS);
	for (i = 0; i < rounds(300); i++) {
		fd = prepare(_i, path);
		ck_assert_int_eq(run_claims(&race), CLAIMERS);
		assert_files(1);
		send_to(path);
		ck_assert_int_eq(run_releases(&race), 1);
		assert_files(0);
		if (fd >= 0)
			assert_hears_nothing(fd, SOCK_DGRAM);
		close(fd);
	}
	end_race(&race);
}
END_TEST

/* Others that want the name only when it is free get it, or do not. */
START_TEST(of_many_that_replace_or_do_not_one_is_reached)
{
	const char *path = support_path("socket");
	struct race race;
	int i, fd;

	start_race(&race, path, CLAIMERS / 2);
	for (i = 0; i < rounds(300); i++) {
		fd = prepare(_i, path);
		ck_assert_int_ge(run_claims(&race), CLAIMERS / 2);
		assert_files(1);
		send_to(path);
		ck_assert_int_eq(run_releases(&race), 1);
		assert_files(0);
		close(fd);
	}
	end_race(&race);
}
END_TEST

/* Servers that come and go, each over the one before. */
static void serve_in_turn(const char *path, int type, int times)
{
	struct server before = serve(type, path), server;
	int i;

	for (i = 0; i < times; i++) {
		server = replace(type, path);
		end_server(&before);
		before = server;
	}
	end_server(&server);
}

/* Every connection is made; whether it is served is the server's matter. */
START_TEST(a_client_that_waits_never_fails)
{
	const char *path = support_path("socket");
	struct unixdial_options options = { .flags = UNIXMSG_DIAL_WAIT };
	struct unixconn *client;
	int made = 0, how;
	pid_t pid;

	pid = support_fork();
	if (pid == 0) {
		struct server last;

		serve_in_turn(path, SOCK_SEQPACKET, rounds(300));
		last = serve(SOCK_SEQPACKET, path);
		for (;;)
			unixconn_close(unixlistener_accept(last.listener,
				UNIXMSG_FOREVER));
	}
	do {
		client = unixconn_dial("unixpacket", path, &options,
			unixdeadline_after_us(20000000));
		ck_assert_msg(client != NULL, "after %d: %s", made,
			strerror(errno));
		ck_assert_int_eq(unixconn_close(client), 0);
	} while (++made < rounds(2000));
	ck_assert_int_eq(waitpid(pid, &how, WNOHANG), 0);
	stop_child(pid);
}
END_TEST

/* Whether close removes the file. */

START_TEST(a_file_stays_when_it_is_not_to_go)
{
	const char *path = support_path("socket");
	struct server server = serve(types[_i], path);

	ck_assert_int_eq(server_set_unlink(&server, false), 0);
	end_server(&server);
	assert_is_socket(path);
}
END_TEST

START_TEST(a_file_that_was_to_be_kept_may_go_after_all)
{
	const char *path = support_path("socket");
	struct unixlisten_options options = options_with(UNIXMSG_LISTEN_KEEP);
	struct server server;

	ck_assert_int_eq(open_server(&server, types[_i], path, &options), 0);
	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	end_server(&server);
	assert_files(0);
}
END_TEST

START_TEST(the_last_word_counts)
{
	const char *path = support_path("socket");
	struct server server = serve(types[_i], path);

	errno = EXDEV;
	ck_assert_int_eq(server_set_unlink(&server, false), 0);
	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	ck_assert_int_eq(server_set_unlink(&server, false), 0);
	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	ck_assert_int_eq(errno, EXDEV);
	end_server(&server);
	assert_files(0);
}
END_TEST

START_TEST(a_file_of_another_in_its_place_stays_whatever_was_said)
{
	const char *path = support_path("socket");
	struct server old = serve(types[_i], path);
	struct server server = replace(types[_i], path);

	ck_assert_int_eq(server_set_unlink(&old, true), 0);
	end_server(&old);
	assert_is_reached(&server, types[_i], path);
	end_server(&server);
}
END_TEST

/* What the parent has said before is the parent's. */
START_TEST(a_child_takes_nothing_away_unless_it_asks_itself)
{
	const char *path = support_path("socket");
	struct server server = serve(types[_i], path);
	pid_t pid;

	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	pid = support_fork();
	if (pid == 0) {
		end_server(&server);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	assert_is_reached(&server, types[_i], path);
	end_server(&server);
	assert_files(0);
}
END_TEST

START_TEST(a_child_that_asks_owns_the_file_and_its_parent_none_after_it)
{
	const char *path = support_path("socket");
	struct server server = serve(types[_i], path), next;
	pid_t pid = support_fork();

	if (pid == 0) {
		ck_assert_int_eq(server_set_unlink(&server, true), 0);
		end_server(&server);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	assert_files(0);
	next = serve(types[_i], path);
	end_server(&server);
	assert_is_reached(&next, types[_i], path);
	end_server(&next);
	assert_files(0);
}
END_TEST

START_TEST(an_abstract_name_takes_either_word)
{
	struct server server = serve(types[_i], support_abstract("name"));

	ck_assert_int_eq(server_set_unlink(&server, false), 0);
	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	end_server(&server);
}
END_TEST

START_TEST(a_file_that_is_gone_is_no_error)
{
	const char *path = support_path("socket");
	struct server server = serve(types[_i], path);

	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(server_set_unlink(&server, true), 0);
	end_server(&server);
}
END_TEST

static TCase *make_owners(void)
{
	TCase *tcase = make_tcase("owners");

	tcase_add_loop_test(tcase, new_clients_reach_the_new_owner, 0,
		OWNERS * TYPES);
	tcase_add_loop_test(tcase, the_old_owner_hears_nothing, 0,
		OWNERS * TYPES);
	tcase_add_loop_test(tcase, the_name_is_gone_for_the_old_owner, 0,
		TYPES * TYPES);
	tcase_add_loop_test(tcase, the_new_owner_may_go_first, 0,
		TYPES * TYPES);
	tcase_add_loop_test(tcase, a_replaced_owner_may_replace_in_turn, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_name_that_was_replaced_is_not_given_back,
		0, TYPES);
	tcase_add_loop_test(tcase, packet_connections_of_the_old_owner_go_on, 0,
		TYPES);
	tcase_add_loop_test(tcase, stream_connections_of_the_old_owner_go_on, 0,
		TYPES);
	tcase_add_loop_test(tcase, datagram_clients_of_the_old_owner_go_on, 0,
		TYPES);
	return tcase;
}

static TCase *make_others(void)
{
	TCase *tcase = make_tcase("others");

	tcase_add_loop_test(tcase, a_dead_file_is_replaced_as_ever, 0,
		TYPES * TYPES);
	tcase_add_loop_test(tcase, nothing_need_be_there, 0, TYPES);
	tcase_add_loop_test(tcase, what_is_no_socket_is_not_replaced, 0,
		FOREIGNERS * TYPES);
	tcase_add_loop_test(tcase, a_link_to_a_live_owner_is_not_followed, 0,
		OWNERS);
	tcase_add_loop_test(tcase, an_abstract_name_cannot_be_taken_over, 0,
		TYPES);
	tcase_add_loop_test(tcase, the_mode_is_what_was_asked_for, 0, 12);
	support_add_root_loop_test(tcase,
		owner_and_group_are_what_was_asked_for, OWNERS);
	tcase_add_loop_test(tcase, a_file_that_has_replaced_may_be_kept, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_long_path_is_replaced, 0, TYPES);
	return tcase;
}

static TCase *make_failures(void)
{
	TCase *tcase = make_tcase("failures");

	tcase_add_loop_test(tcase, a_replace_that_fails_gives_the_name_back, 0,
		2 * OWNERS * TYPES);
	tcase_add_loop_test(tcase, a_mistake_in_the_options_changes_nothing, 0,
		OWNERS);
	tcase_add_loop_test(tcase,
		a_replace_without_descriptors_gives_the_name_back, 0,
		OWNERS * TYPES);
	tcase_add_loop_test(tcase, a_directory_of_everybody_is_refused, 0,
		OWNERS);
	support_add_root_loop_test(tcase, the_owner_of_another_user_stays,
		OWNERS);
	return tcase;
}

static TCase *make_races(void)
{
	TCase *tcase = make_tcase("races");

	tcase_add_loop_test(tcase,
		of_many_that_replace_all_succeed_and_one_is_reached, 0, 3);
	tcase_add_loop_test(tcase,
		of_many_that_replace_or_do_not_one_is_reached, 0, 3);
	tcase_add_test(tcase, a_client_that_waits_never_fails);
	return tcase;
}

static TCase *make_unlinks(void)
{
	TCase *tcase = make_tcase("unlinks");

	tcase_add_loop_test(tcase, a_file_stays_when_it_is_not_to_go, 0, TYPES);
	tcase_add_loop_test(tcase, a_file_that_was_to_be_kept_may_go_after_all,
		0, TYPES);
	tcase_add_loop_test(tcase, the_last_word_counts, 0, TYPES);
	tcase_add_loop_test(tcase,
		a_file_of_another_in_its_place_stays_whatever_was_said, 0,
		TYPES);
	tcase_add_loop_test(tcase,
		a_child_takes_nothing_away_unless_it_asks_itself, 0, TYPES);
	tcase_add_loop_test(tcase,
		a_child_that_asks_owns_the_file_and_its_parent_none_after_it, 0,
		TYPES);
	tcase_add_loop_test(tcase, an_abstract_name_takes_either_word, 0,
		TYPES);
	tcase_add_loop_test(tcase, a_file_that_is_gone_is_no_error, 0, TYPES);
	return tcase;
}

int main(void)
{
	return support_run_cases("takeover", make_owners(), make_others(),
		make_failures(), make_races(), make_unlinks());
}
