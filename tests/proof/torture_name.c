/* SPDX-License-Identifier: MIT */
/* Servers of all three networks that take a name, keep it and give it up. */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proof/torture.h"

/* It serves, and leaves nothing. */
static void serve_and_close(struct server *server, int type,
	const char *address)
{
	torture_be_served(server, type, address);
	ck_assert_int_eq(close_server(server), 0);
}

/* Whatever has failed: who tries again has the name. */
static void open_whatever_fails(int type, const char *address,
	const struct unixlisten_options *options)
{
	struct server server;

	torture_try(open_server(&server, type, address, options), 0);
	serve_and_close(&server, type, address);
}

static void a_free_path_is_taken(int kind)
{
	open_whatever_fails(types[kind], support_path("name"), NULL);
}

static void a_dead_file_is_replaced(int kind)
{
	const char *path = support_path("name");

	make_dead(SOCK_STREAM, path);
	open_whatever_fails(types[kind], path, NULL);
}

/* The file that has the name is in nobody's way, and stays. */
static void a_dead_file_is_replaced_by_another_name(int kind)
{
	const char *path = support_path("name");
	const char *other = support_path(".unixmsg-name");

	make_dead(SOCK_STREAM, path);
	make_file(other, "precious");
	open_whatever_fails(types[kind], path, NULL);
	ck_assert_int_eq(unlink(other), 0);
}

/* What cannot be done about it now is left for the next. */
static void a_file_that_was_set_aside_goes(int kind)
{
	const char *path = support_path("name");

	make_dead(SOCK_STREAM, support_path(".unixmsg-name"));
	open_whatever_fails(types[kind], path, NULL);
	torture_allow_files(NULL);
}

/* Its place is free, or a dead file or the file itself is there, as at the end
 * of a kill(2): each is a step of its way back. */
enum { PLACES_OF_OWNER = 3 };

static void make_way_back(int place, const char *path, const char *aside)
{
	if (place < 2)
		ck_assert_int_eq(rename(path, aside), 0);
	else
		ck_assert_int_eq(link(path, aside), 0);
	if (place == 1)
		make_dead(SOCK_STREAM, path);
}

/* Only one that could not come back may lose its name, to the next. */
static void a_live_owner_that_was_set_aside_comes_back(int kind)
{
	const int type = types[kind % TYPES];
	const char *path = support_path("name");
	struct server owner, other;
	int result;

	ck_assert_int_eq(open_server(&owner, type, path, NULL), 0);
	make_way_back(kind / TYPES, path, support_path(".unixmsg-name"));
	torture_begin();
	result = open_server(&other, type, path, NULL);
	if (result == 0 && fault_get_hits() > 0) {
		torture_end(0, 0);
		serve_and_close(&other, type, path);
	} else {
		torture_end_refused(result, EADDRINUSE);
	}
	ck_assert_int_eq(close_server(&owner), 0);
	ck_assert_int_eq(open_server(&other, type, path, NULL), 0);
	serve_and_close(&other, type, path);
	torture_allow_files(NULL);
}

static void a_free_abstract_name_is_taken(int kind)
{
	open_whatever_fails(types[kind], support_abstract("name"), NULL);
}

static void a_long_path_is_taken(int kind)
{
	char path[PATH_MAX + 1];

	snprintf(path, sizeof(path), "%s", make_long_path(300));
	open_whatever_fails(types[kind], path, NULL);
}

static void a_relative_path_is_taken(int kind)
{
	int here = open(".", O_PATH | O_CLOEXEC);

	ck_assert_int_eq(chdir(support_dir()), 0);
	open_whatever_fails(types[kind], "name", NULL);
	ck_assert_int_eq(fchdir(here), 0);
	close(here);
}

static void owner_and_mode_are_in_force(int kind)
{
	const char *path = support_path("name");
	struct unixlisten_options options = { .mode = 0666 };
	struct server server;

	support_want_owner(&options, geteuid(), getegid());
	torture_begin();
	if (!torture_end(open_server(&server, types[kind], path, &options),
		    0)) {
		/* A file that could not be looked at has stayed, shut to all
		 * but root: nobody can tell that it is dead. */
		chmod(path, 0600);
		ck_assert_int_eq(open_server(&server, types[kind], path,
					 &options),
			0);
	}
	ck_assert_uint_eq(mode_of(path), 0666);
	serve_and_close(&server, types[kind], path);
}

/* He serves on, and nothing is left beside his file. */
static void a_live_owner_stays(int kind)
{
	const char *path = support_path("name");
	struct server owner, other;

	ck_assert_int_eq(open_server(&owner, types[kind], path, NULL), 0);
	torture_begin();
	torture_end_refused(open_server(&other, types[kind], path, NULL),
		EADDRINUSE);
	assert_files(1);
	serve_and_close(&owner, types[kind], path);
}

static void what_is_no_socket_stays(int kind)
{
	const char *path = support_path("name");
	struct stat before;
	struct server server;

	make_file(path, "precious");
	before = look_at(path);
	torture_begin();
	torture_end_refused(open_server(&server, types[kind], path, NULL),
		ENOTSOCK);
	assert_untouched(path, &before);
	assert_files(1);
	ck_assert_int_eq(unlink(path), 0);
}

/*
 * The one or the other has the name at the end, and serves. The first one's
 * close finds a file that is not his, or none; what was his may lie about.
 */
static void a_live_owner_is_replaced(int kind)
{
	const char *path = support_path("name");
	struct unixlisten_options options = { .flags = UNIXMSG_LISTEN_REPLACE };
	struct server first, second;

	ck_assert_int_eq(open_server(&first, types[kind], path, NULL), 0);
	torture_begin();
	if (torture_end(open_server(&second, types[kind], path, &options), 0))
		serve_and_close(&second, types[kind], path);
	else
		torture_be_served(&first, types[kind], path);
	ck_assert_int_eq(close_server(&first), 0);
	torture_allow_files("unlinkat");
}

/* A file that could not be removed is in nobody's way. */
static void the_file_goes_when_its_owner_closes(int kind)
{
	const char *path = support_path("name");
	struct server server;

	ck_assert_int_eq(open_server(&server, types[kind], path, NULL), 0);
	torture_begin();
	if (torture_end(close_server(&server), 0))
		assert_missing(path);
	else
		torture_allow_files(NULL);
	ck_assert_int_eq(open_server(&server, types[kind], path, NULL), 0);
	serve_and_close(&server, types[kind], path);
}

static void an_inherited_socket_is_adopted(int kind)
{
	const char *path = support_path("name");
	int fd = open_listening(types[kind], path);
	struct server server;

	torture_try(adopt_server(&server, types[kind], fd), 0);
	serve_and_close(&server, types[kind], path);
	ck_assert_int_eq(unlink(path), 0);
}

static void an_inherited_file_can_be_removed(int kind)
{
	const char *path = support_path("name");
	struct server server;

	ck_assert_int_eq(adopt_server(&server, types[kind],
				 open_listening(types[kind], path)),
		0);
	torture_try(server_set_unlink(&server, true), 0);
	serve_and_close(&server, types[kind], path);
	assert_missing(path);
}

static void the_address_is_told(int kind)
{
	const char *path = support_path("name");
	struct unixaddr addr, wanted = address_of(path);
	struct server server;

	ck_assert_int_eq(open_server(&server, types[kind], path, NULL), 0);
	torture_try(server_get_address(&server, &addr), 0);
	ck_assert(unixaddr_is_equal(&addr, &wanted));
	serve_and_close(&server, types[kind], path);
}

static int want(struct server *server)
{
	const unsigned int wants =
		UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED | UNIXMSG_WANT_PIDFD;

	if (server->gram != NULL)
		return unixconn_want(server->gram, wants);
	return unixlistener_want(server->listener, wants);
}

static void a_server_may_want_more(int kind)
{
	const char *path = support_path("name");
	struct server server;

	ck_assert_int_eq(open_server(&server, types[kind], path, NULL), 0);
	torture_begin();
	if (!torture_end(want(&server), 0))
		torture_be_served(&server, types[kind], path);
	ck_assert_int_eq(want(&server), 0);
	serve_and_close(&server, types[kind], path);
}

static void the_owner_is_found(int kind)
{
	const char *path = support_path("name");
	struct unixowner owner;
	struct server server;

	ck_assert_int_eq(open_server(&server, types[kind], path, NULL), 0);
	torture_try(unixowner_find(path, types[kind], &owner), 0);
	ck_assert(owner.pid == getpid() || owner.pid == 0);
	serve_and_close(&server, types[kind], path);
}

/* Given back whatever has failed, and however far it had got. */
static void give_back_to(struct server *server, int kind, const char *path)
{
	struct unixtakeover *takeover = unixtakeover_open(path, UNIXMSG_NOW);

	ck_assert_msg(takeover != NULL, "again: %s", strerror(errno));
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
	assert_missing(support_path(".unixmsg=name"));
	serve_and_close(server, types[kind], path);
}

static void a_name_is_taken_over(int kind)
{
	const char *path = support_path("name");
	struct unixtakeover *takeover;
	struct server server;

	ck_assert_int_eq(open_server(&server, types[kind], path, NULL), 0);
	torture_begin();
	takeover = unixtakeover_open(path, UNIXMSG_NOW);
	if (torture_end(takeover == NULL ? -1 : 0, 0)) {
		ck_assert_str_eq(unixtakeover_get_address(takeover),
			support_path(".unixmsg=name"));
		ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
	}
	give_back_to(&server, kind, path);
}

static void a_name_is_given_back(int kind)
{
	const struct unixlisten_options options = {
		.flags = UNIXMSG_LISTEN_REPLACE,
	};
	const char *path = support_path("name");
	struct unixtakeover *takeover;
	struct server server, instead;

	ck_assert_int_eq(open_server(&server, types[kind], path, NULL), 0);
	takeover = unixtakeover_open(path, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(takeover);
	ck_assert_int_eq(open_server(&instead, types[kind], path, &options), 0);
	torture_begin();
	if (torture_end(unixtakeover_close(takeover, server_get_fd(&instead)),
		    1))
		torture_be_served(&server, types[kind], path);
	ck_assert_int_eq(close_server(&instead), 0);
	give_back_to(&server, kind, path);
}

static void a_name_is_given_back_at_a_second_try(int kind)
{
	const struct unixlisten_options options = {
		.flags = UNIXMSG_LISTEN_REPLACE,
	};
	const char *path = support_path("name");
	struct unixtakeover *takeover;
	struct server server, instead;
	bool is_final;
	int result;

	ck_assert_int_eq(open_server(&server, types[kind], path, NULL), 0);
	takeover = unixtakeover_open(path, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(takeover);
	ck_assert_int_eq(open_server(&instead, types[kind], path, &options), 0);
	torture_begin();
	result = unixtakeover_give_back(takeover, server_get_fd(&instead));
	is_final = result == 1 || errno == ESTALE;
	torture_end(result, 1);
	/* It may have the name, with our file under the hidden one. */
	if (!is_final)
		ck_assert(unixtakeover_give_back(takeover,
				  server_get_fd(&instead)) == 1 ||
			errno == ESTALE);
	if (result == 1 || !is_final)
		torture_be_served(&server, types[kind], path);
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 0);
	ck_assert_int_eq(close_server(&instead), 0);
	give_back_to(&server, kind, path);
}

/* Of a takeover that was killed, whose server has ended since. */
static void a_name_is_taken_over_again(int kind)
{
	const char *path = support_path("name");
	struct unixtakeover *takeover;
	struct server server;

	make_dead(types[kind], support_path(".unixmsg=name"));
	ck_assert_int_eq(open_server(&server, types[kind], path, NULL), 0);
	torture_begin();
	takeover = unixtakeover_open(path, UNIXMSG_NOW);
	if (torture_end(takeover == NULL ? -1 : 0, 0))
		ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
	give_back_to(&server, kind, path);
}

/* Who cannot be asked counts as alive, and gets the name back. */
static bool is_taken_for_alive(int result)
{
	return result == 1 && fault_get_hits() > 0 &&
		strcmp(torture_get_fault()->call, "connect") == 0;
}

/* What has stayed is in nobody's way. */
static void nothing_is_given_back_to_who_has_ended(int kind)
{
	const struct unixlisten_options options = {
		.flags = UNIXMSG_LISTEN_REPLACE,
	};
	const int type = types[kind % TYPES];
	const char *path = support_path("name");
	struct unixtakeover *takeover;
	struct server server, instead;
	int result;

	ck_assert_int_eq(open_server(&server, type, path, NULL), 0);
	takeover = unixtakeover_open(path, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(takeover);
	ck_assert_int_eq(open_server(&instead, type, path, &options), 0);
	ck_assert_int_eq(close_server(&server), 0);
	if (kind >= TYPES) {
		ck_assert_int_eq(server_set_unlink(&instead, false), 0);
		ck_assert_int_eq(close_server(&instead), 0);
	}
	torture_begin();
	result = unixtakeover_close(takeover,
		kind < TYPES ? server_get_fd(&instead) : -1);
	torture_end(result, is_taken_for_alive(result));
	if (kind < TYPES)
		ck_assert_int_eq(close_server(&instead), 0);
	ck_assert_int_eq(open_server(&server, type, path, NULL), 0);
	give_back_to(&server, kind % TYPES, path);
}

const struct scene torture_name_scenes[] = {
	{ "a free path is taken", a_free_path_is_taken, TYPES },
	{ "a dead file is replaced", a_dead_file_is_replaced, TYPES },
	{ "a dead file is replaced by another name",
		a_dead_file_is_replaced_by_another_name, TYPES },
	{ "a file that was set aside goes", a_file_that_was_set_aside_goes,
		TYPES },
	{ "a live owner that was set aside comes back",
		a_live_owner_that_was_set_aside_comes_back,
		PLACES_OF_OWNER *TYPES },
	{ "a free abstract name is taken", a_free_abstract_name_is_taken,
		TYPES },
	{ "a long path is taken", a_long_path_is_taken, TYPES },
	{ "a relative path is taken", a_relative_path_is_taken, TYPES },
	{ "owner and mode are in force", owner_and_mode_are_in_force, TYPES },
	{ "a live owner stays", a_live_owner_stays, TYPES },
	{ "what is no socket stays", what_is_no_socket_stays, TYPES },
	{ "a live owner is replaced", a_live_owner_is_replaced, TYPES },
	{ "the file goes when its owner closes",
		the_file_goes_when_its_owner_closes, TYPES },
	{ "an inherited socket is adopted", an_inherited_socket_is_adopted,
		TYPES },
	{ "an inherited file can be removed", an_inherited_file_can_be_removed,
		TYPES },
	{ "the address is told", the_address_is_told, TYPES },
	{ "a server may want more", a_server_may_want_more, TYPES },
	{ "the owner is found", the_owner_is_found, TYPES },
	{ "a name is taken over", a_name_is_taken_over, TYPES },
	{ "a name is taken over again", a_name_is_taken_over_again, TYPES },
	{ "a name is given back", a_name_is_given_back, TYPES },
	{ "a name is given back at a second try",
		a_name_is_given_back_at_a_second_try, TYPES },
	{ "nothing is given back to who has ended",
		nothing_is_given_back_to_who_has_ended, 2 * TYPES },
	{ NULL, NULL, 0 },
};
