/* SPDX-License-Identifier: MIT */
/*
 * Most tests claim with a datagram socket: what is claimed is the same for all
 * types. Each test is also a test that no descriptor is leaked: see check_fds.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

#include "name/name_private.h"
#include "support/scene.h"

/* Owners that live. */

START_TEST(a_live_owner_stays)
{
	int owner_type = types[_i / 3], type = types[_i % 3];
	const char *path = support_path("socket");
	int fd = open_bound(owner_type, path);
	struct stat before = look_at(path);
	struct server server;

	ck_assert_errno(open_server(&server, type, path, NULL), EADDRINUSE);
	assert_untouched(path, &before);
	assert_files(1);
	close(fd);
}
END_TEST

START_TEST(a_live_datagram_owner_hears_nothing)
{
	const char *path = support_path("socket");
	int fd = open_bound(SOCK_DGRAM, path);
	struct server server;

	ck_assert_errno(open_server(&server, types[_i], path, NULL),
		EADDRINUSE);
	assert_hears_nothing(fd, SOCK_DGRAM);
	close(fd);
}
END_TEST

START_TEST(a_live_listener_hears_nothing)
{
	int owner_type = types[1 + _i / 3], type = types[_i % 3];
	const char *path = support_path("socket");
	int fd = open_bound(owner_type, path);
	struct server server;

	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_errno(open_server(&server, type, path, NULL), EADDRINUSE);
	assert_hears_nothing(fd, owner_type);
	close(fd);
}
END_TEST

START_TEST(an_owner_that_does_not_listen_yet_stays_and_hears_nothing)
{
	int owner_type = types[1 + _i / 3], type = types[_i % 3];
	const char *path = support_path("socket");
	int fd = open_bound(owner_type, path);
	struct server server;

	ck_assert_errno(open_server(&server, type, path, NULL), EADDRINUSE);
	ck_assert_int_eq(listen(fd, 1), 0);
	assert_hears_nothing(fd, owner_type);
	ck_assert_int_eq(try_to_reach(path), EPROTOTYPE);
	close(fd);
}
END_TEST

/* A mode that keeps everybody out tells nothing about the owner. */
START_TEST(an_owner_who_lets_nobody_in_stays)
{
	const char *path = support_path("socket");
	int fd = open_bound(SOCK_DGRAM, path);
	pid_t pid;

	ck_assert_int_eq(chmod(support_dir(), 0777), 0);
	ck_assert_int_eq(chmod(path, 0), 0);
	pid = support_fork();
	if (pid == 0) {
		const struct unixlisten_options options = {
			.mode = 0600,
			.flags = UNIXMSG_LISTEN_UNSAFE_DIRECTORY,
		};

		support_as_nobody();
		ck_assert_null_errno(unixconn_open("unixgram", path, &options),
			EADDRINUSE);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	close(fd);
	ck_assert_int_eq(mode_of(path), 0);
}
END_TEST

START_TEST(an_abstract_name_has_one_owner)
{
	const char *name = support_abstract("name");
	struct server owner, server;

	ck_assert_int_eq(open_server(&owner, types[_i], name, NULL), 0);
	ck_assert_errno(open_server(&server, types[_i], name, NULL),
		EADDRINUSE);
	ck_assert_int_eq(close_server(&owner), 0);
	ck_assert_int_eq(open_server(&server, types[_i], name, NULL), 0);
	ck_assert_int_eq(close_server(&server), 0);
}
END_TEST

START_TEST(an_abstract_name_has_nothing_to_remove)
{
	const char *const names[] = { support_abstract("name"), "@" };
	int fd = open_socket(SOCK_DGRAM);
	struct unixname *name = (struct unixname *)&fd;

	ck_assert_int_eq(unixname__claim(fd, names[_i], false, NULL,
				 UNIXMSG_NOW, &name),
		0);
	ck_assert_ptr_null(name);
	ck_assert_int_eq(unixname__release(name), 0);
	close(fd);
}
END_TEST

/* Files whose owner is gone. */

START_TEST(a_dead_file_is_replaced)
{
	int dead_type = types[_i / 3], type = types[_i % 3];
	const char *path = support_path("socket");
	struct server server;

	make_dead(dead_type, path);
	ck_assert_int_eq(try_to_reach(path), ECONNREFUSED);
	ck_assert_int_eq(open_server(&server, type, path, NULL), 0);
	ck_assert_int_eq(try_to_reach(path),
		type == SOCK_DGRAM ? 0 : EPROTOTYPE);
	assert_files(1);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}
END_TEST

/* 32 bits do not hold its time: stat(2) would fail. */
START_TEST(a_dead_file_of_the_year_2100_is_replaced)
{
	const struct timespec times[2] = { { .tv_sec = (time_t)4102444800 },
		{ .tv_sec = (time_t)4102444800 } };
	const char *path = support_path("socket");

	ck_assert_uint_eq(sizeof(times[0].tv_sec), 8);
	make_dead(SOCK_STREAM, path);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	close_gram(open_gram(path));
	assert_files(0);
}
END_TEST

/* For root: to others a file that keeps them out tells nothing. */
START_TEST(a_dead_file_of_any_mode_is_replaced)
{
	const mode_t modes[] = { 0, 0400, 0444, 0222, 07777 };
	const char *path = support_path("socket");

	make_dead(SOCK_STREAM, path);
	ck_assert_int_eq(chmod(path, modes[_i]), 0);
	close_gram(open_gram(path));
	assert_files(0);
}
END_TEST

START_TEST(a_dead_file_with_another_link_is_replaced)
{
	const char *path = support_path("socket"), *other = support_path("b");
	struct unixconn *gram;

	make_dead(SOCK_STREAM, path);
	ck_assert_int_eq(link(path, other), 0);
	gram = open_gram(path);
	ck_assert_int_eq(try_to_reach(path), 0);
	ck_assert_int_eq(try_to_reach(other), ECONNREFUSED);
	close_gram(gram);
	assert_files(1);
}
END_TEST

/* In a sticky directory it is not ours to remove. */
START_TEST(a_dead_file_of_another_user_stays)
{
	const char *path = support_path("socket");
	struct stat before;
	pid_t pid;

	make_dead(SOCK_STREAM, path);
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert_int_eq(chmod(support_dir(), 01777), 0);
	before = look_at(path);
	pid = support_fork();
	if (pid == 0) {
		support_as_nobody();
		ck_assert_null_errno(unixconn_open("unixgram", path, NULL),
			EPERM);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	assert_untouched(path, &before);
	assert_files(1);
}
END_TEST

/* Things that are no sockets. */

START_TEST(what_is_no_socket_is_not_touched)
{
	const struct foreign *foreign = &foreigners[_i / 3];
	const char *path = support_path("thing");
	const char *victim = support_path("victim");
	struct stat before, victim_before = { 0 };
	struct server server;
	int files;

	foreign->make(path);
	files = count_files(support_dir());
	before = look_at(path);
	if (files == 2)
		victim_before = look_at(victim);
	ck_assert_errno(open_server(&server, types[_i % 3], path, NULL),
		ENOTSOCK);
	assert_untouched(path, &before);
	if (files == 2)
		assert_untouched(victim, &victim_before);
	if (_i / 3 == FOREIGN_FILE)
		assert_content(path, "precious");
	assert_files(files);
}
END_TEST

START_TEST(a_link_to_a_live_socket_is_not_followed)
{
	const char *path = support_path("link"), *live = support_path("live");
	int fd = open_bound(SOCK_DGRAM, live);
	struct stat before, live_before = look_at(live);

	make_link("live", path);
	before = look_at(path);
	ck_assert_null_errno(unixconn_open("unixgram", path, NULL), ENOTSOCK);
	assert_untouched(path, &before);
	assert_untouched(live, &live_before);
	ck_assert_int_eq(try_to_reach(live), 0);
	close(fd);
}
END_TEST

START_TEST(a_device_is_not_touched)
{
	const char *path = support_path("null");
	struct stat before;

	ck_assert_int_eq(mknod(path, S_IFCHR | 0600, makedev(1, 3)), 0);
	before = look_at(path);
	ck_assert_null_errno(unixconn_open("unixgram", path, NULL), ENOTSOCK);
	assert_untouched(path, &before);
}
END_TEST

START_TEST(a_path_that_names_no_file_is_refused)
{
	const char *const names[] = { "", "sub/", "sub/.", "sub/..", "no/" };
	const char *path = support_path(names[_i]);
	struct stat before;

	make_dir(support_path("sub"), 0755);
	before = look_at(support_path("sub"));
	ck_assert_null_errno(unixconn_open("unixgram", path, NULL), ENOTSOCK);
	assert_untouched(support_path("sub"), &before);
	assert_files(1);
}
END_TEST

START_TEST(what_stands_in_the_root_directory_is_not_touched)
{
	struct stat before = look_at("/usr");
	struct server server;

	ck_assert_errno(open_server(&server, types[_i], "/usr", NULL),
		ENOTSOCK);
	assert_untouched("/usr", &before);
}
END_TEST

START_TEST(a_socket_with_a_slash_behind_it_stays)
{
	const char *path = support_path("socket");

	make_dead(SOCK_DGRAM, path);
	ck_assert_null_errno(unixconn_open("unixgram", support_path("socket/"),
				     NULL),
		ENOTSOCK);
	assert_files(1);
}
END_TEST

/* Directories. */

START_TEST(a_directory_must_be_there)
{
	struct server server;

	ck_assert_errno(open_server(&server, types[_i],
				support_path("no/socket"), NULL),
		ENOENT);
	assert_files(0);
}
END_TEST

START_TEST(a_file_is_no_directory)
{
	make_file(support_path("file"), "");
	ck_assert_null_errno(unixconn_open("unixgram",
				     support_path("file/socket"), NULL),
		ENOTDIR);
}
END_TEST

START_TEST(a_directory_of_everybody_is_refused)
{
	const mode_t modes[] = { 0777, 0702, 0707, 0773 };
	struct server server;

	make_dir(support_path("sub"), modes[_i]);
	ck_assert_errno(open_server(&server, types[_i % 3],
				support_path("sub/socket"), NULL),
		EPERM);
	ck_assert_int_eq(count_files(support_path("sub")), 0);
}
END_TEST

START_TEST(a_directory_that_is_safe_is_good)
{
	const mode_t modes[] = { 0700, 0755, 0775, 02770, 01777, 03777 };

	make_dir(support_path("sub"), modes[_i]);
	close_gram(open_gram(support_path("sub/socket")));
	ck_assert_int_eq(mode_of(support_path("sub")), modes[_i]);
}
END_TEST

START_TEST(an_unsafe_directory_may_be_asked_for)
{
	struct unixlisten_options options;
	struct unixconn *gram;

	memset(&options, 0, sizeof(options));
	options.flags = UNIXMSG_LISTEN_UNSAFE_DIRECTORY;
	make_dir(support_path("sub"), 0777);
	gram = unixconn_open("unixgram", support_path("sub/socket"), &options);
	ck_assert_ptr_nonnull(gram);
	close_gram(gram);
}
END_TEST

START_TEST(a_link_to_an_unsafe_directory_is_refused)
{
	make_dir(support_path("sub"), 0777);
	make_link("sub", support_path("link"));
	ck_assert_null_errno(unixconn_open("unixgram",
				     support_path("link/socket"), NULL),
		EPERM);
}
END_TEST

/* The directory cannot be opened for reading then, nor locked. */
START_TEST(a_directory_need_not_be_readable)
{
	const char *path = support_path("sub/socket");
	pid_t pid;

	make_dir(support_path("sub"), 01733);
	pid = support_fork();
	if (pid == 0) {
		support_as_nobody();
		make_dead(SOCK_DGRAM, path);
		close_gram(open_gram(path));
		assert_missing(path);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	ck_assert_int_eq(count_files(support_path("sub")), 0);
}
END_TEST

START_TEST(a_directory_must_be_writable)
{
	const char *path = support_path("socket");
	pid_t pid = support_fork();

	if (pid == 0) {
		support_as_nobody();
		ck_assert_null_errno(unixconn_open("unixgram", path, NULL),
			EACCES);
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

/* Mode and owner. */

static const mode_t modes[] = { 0600, 0660, 0666, 0222, 0200, 0777, 0400 };
static const mode_t umasks[] = { 0, 022, 077, 0777 };

START_TEST(the_mode_is_what_was_asked_for)
{
	mode_t mode = modes[(size_t)_i / COUNT(umasks)];
	mode_t mask = umasks[(size_t)_i % COUNT(umasks)];
	const char *path = support_path("socket");
	struct unixlisten_options options = { .mode = mode };
	struct server server;
	size_t i;

	for (i = 0; i < TYPES; i++) {
		umask(mask);
		ck_assert_int_eq(open_server(&server, types[i], path, &options),
			0);
		ck_assert_uint_eq(umask(022), mask);
		ck_assert_uint_eq(mode_of(path), mode);
		ck_assert_int_eq(close_server(&server), 0);
	}
}
END_TEST

START_TEST(the_mode_is_0600_by_default)
{
	const char *path = support_path("socket");
	struct unixconn *gram;

	umask(umasks[_i]);
	gram = open_gram(path);
	ck_assert_uint_eq(umask(022), umasks[_i]);
	ck_assert_uint_eq(mode_of(path), 0600);
	close_gram(gram);
}
END_TEST

START_TEST(the_mode_of_a_dead_file_does_not_stay)
{
	const char *path = support_path("socket");
	struct unixconn *gram;

	make_dead(SOCK_DGRAM, path);
	ck_assert_int_eq(chmod(path, 0666), 0);
	gram = open_gram(path);
	ck_assert_uint_eq(mode_of(path), 0600);
	close_gram(gram);
}
END_TEST

START_TEST(owner_and_group_are_what_was_asked_for)
{
	const struct {
		uid_t user, group, found_user, found_group;
	} wanted[] = {
		{ 65534, 65533, 65534, 65533 },
		{ 65534, (gid_t)-1, 65534, 0 },
		{ (uid_t)-1, 65533, 0, 65533 },
		{ 0, 0, 0, 0 },
	};
	const char *path = support_path("socket");
	struct unixlisten_options options = { .mode = 0620 };
	struct server server;
	struct stat found;
	size_t i;

	support_want_owner(&options, wanted[_i].user, wanted[_i].group);
	for (i = 0; i < TYPES; i++) {
		ck_assert_int_eq(open_server(&server, types[i], path, &options),
			0);
		found = look_at(path);
		ck_assert_uint_eq(found.st_uid, wanted[_i].found_user);
		ck_assert_uint_eq(found.st_gid, wanted[_i].found_group);
		ck_assert_uint_eq(found.st_mode & 07777, 0620);
		ck_assert_int_eq(close_server(&server), 0);
		assert_files(0);
	}
}
END_TEST

START_TEST(an_owner_that_may_not_be_set_leaves_nothing_behind)
{
	pid_t pid;

	make_dir(support_path("sub"), 01777);
	pid = support_fork();
	if (pid == 0) {
		struct unixlisten_options options;
		struct server server;

		count_fds();
		support_as_nobody();
		memset(&options, 0, sizeof(options));
		if (_i / 3 == 0)
			support_want_owner(&options, 0, (gid_t)-1);
		else
			support_want_owner(&options, (uid_t)-1, 0);
		ck_assert_errno(open_server(&server, types[_i % 3],
					support_path("sub/socket"), &options),
			EPERM);
		check_fds();
		_exit(0);
	}
	support_wait_exit(pid, 0);
	ck_assert_int_eq(count_files(support_path("sub")), 0);
}
END_TEST

/* Options. */

static void assert_refused(const struct unixlisten_options *options)
{
	const char *const addresses[] = { support_path("socket"),
		support_abstract("name"), "@" };
	struct server server;
	size_t i, j;

	for (i = 0; i < COUNT(addresses); i++)
		for (j = 0; j < TYPES; j++)
			ck_assert_errno(open_server(&server, types[j],
						addresses[i], options),
				EINVAL);
	assert_files(0);
}

START_TEST(unknown_flags_are_refused)
{
	struct unixlisten_options options = { 0 };
	unsigned int flag;

	for (flag = 0x40; flag != 0; flag <<= 1) {
		options.flags = flag | UNIXMSG_LISTEN_KEEP;
		assert_refused(&options);
	}
}
END_TEST

START_TEST(modes_beyond_0777_are_refused)
{
	const mode_t odd[] = { 01000, 02000, 04000, 010600, S_IFSOCK | 0600,
		(mode_t)-1 };
	struct unixlisten_options options = { .mode = odd[_i] };

	assert_refused(&options);
}
END_TEST

START_TEST(reserved_fields_must_be_zero)
{
	struct unixlisten_options options;
	size_t i;

	for (i = 0; i < COUNT(options.reserved); i++) {
		memset(&options, 0, sizeof(options));
		options.reserved[i] = UINT64_C(1) << (8 * i);
		assert_refused(&options);
	}
}
END_TEST

START_TEST(what_cannot_be_meant_is_refused)
{
	static const struct unixlisten_options wrong[] = {
		{ .user = 1 },
		{ .group = 1 },
		{ .user = (uid_t)-1, .flags = UNIXMSG_LISTEN_USER },
		{ .group = (gid_t)-1, .flags = UNIXMSG_LISTEN_GROUP },
		{ .backlog = -1 },
		{ .stop_fd = -2 },
		{ .spin_us = -1 },
		{ .unused = 1 },
		{ .wants = 8 },
	};

	assert_refused(&wrong[_i]);
}
END_TEST

/* An id of 0 is root's where it is asked for, and nothing where it is not. */
START_TEST(all_zero_is_the_defaults)
{
	const struct unixlisten_options options = { 0 };
	const char *path = support_path("socket");
	struct server server;
	size_t i;

	for (i = 0; i < TYPES; i++) {
		ck_assert_int_eq(open_server(&server, types[i], path, &options),
			0);
		ck_assert_uint_eq(mode_of(path), 0600);
		ck_assert_uint_eq(look_at(path).st_uid, geteuid());
		ck_assert_int_eq(close_server(&server), 0);
	}
}
END_TEST

START_TEST(a_malformed_address_is_refused)
{
	const char *const texts[] = { "", "\\x4", "a\\x00b", "@\\q" };
	struct server server;
	size_t i;

	for (i = 0; i < TYPES; i++)
		ck_assert_errno(open_server(&server, types[i], texts[_i], NULL),
			EINVAL);
}
END_TEST

/* Release. */

START_TEST(the_file_goes_when_its_owner_closes)
{
	const char *path = support_path("socket");
	struct server server;

	ck_assert_int_eq(open_server(&server, types[_i], path, NULL), 0);
	assert_is_socket(path);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}
END_TEST

START_TEST(a_file_may_be_kept)
{
	const char *path = support_path("socket");
	struct unixlisten_options options = { .flags = UNIXMSG_LISTEN_KEEP };
	struct server server;

	ck_assert_int_eq(open_server(&server, types[_i], path, &options), 0);
	ck_assert_int_eq(close_server(&server), 0);
	assert_is_socket(path);
	ck_assert_int_eq(try_to_reach(path), ECONNREFUSED);
	close_gram(open_gram(path));
}
END_TEST

/* Whatever somebody has put there instead of ours stays. */
START_TEST(a_foreign_file_in_its_place_stays)
{
	const char *path = support_path("thing");
	struct unixconn *gram = open_gram(path);
	struct stat before;
	int files;

	ck_assert_int_eq(unlink(path), 0);
	foreigners[_i].make(path);
	files = count_files(support_dir());
	before = look_at(path);
	close_gram(gram);
	assert_untouched(path, &before);
	assert_files(files);
}
END_TEST

START_TEST(a_foreign_socket_in_its_place_stays)
{
	const char *path = support_path("socket");
	struct unixconn *gram = open_gram(path), *other;
	struct stat before;

	ck_assert_int_eq(unlink(path), 0);
	other = open_gram(path);
	before = look_at(path);
	close_gram(gram);
	assert_untouched(path, &before);
	ck_assert_int_eq(try_to_reach(path), 0);
	close_gram(other);
	assert_files(0);
}
END_TEST

START_TEST(a_file_that_is_gone_is_no_error)
{
	const char *path = support_path("socket");
	struct unixconn *gram = open_gram(path);

	ck_assert_int_eq(unlink(path), 0);
	close_gram(gram);
	assert_files(0);
}
END_TEST

START_TEST(a_directory_that_is_gone_is_no_error)
{
	const char *path = support_path("sub/socket");
	struct unixconn *gram;

	make_dir(support_path("sub"), 0700);
	gram = open_gram(path);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(support_path("sub")), 0);
	close_gram(gram);
}
END_TEST

START_TEST(the_file_goes_from_a_directory_that_was_renamed)
{
	struct unixconn *gram;

	make_dir(support_path("sub"), 0700);
	gram = open_gram(support_path("sub/socket"));
	ck_assert_int_eq(rename(support_path("sub"), support_path("moved")), 0);
	close_gram(gram);
	ck_assert_int_eq(count_files(support_path("moved")), 0);
}
END_TEST

/* The directory of that name is another one then. */
START_TEST(a_file_in_a_directory_of_the_old_name_stays)
{
	const char *path = support_path("sub/socket");
	struct unixconn *gram, *other;

	make_dir(support_path("sub"), 0700);
	gram = open_gram(path);
	ck_assert_int_eq(rename(support_path("sub"), support_path("moved")), 0);
	make_dir(support_path("sub"), 0700);
	other = open_gram(path);
	close_gram(gram);
	ck_assert_int_eq(try_to_reach(path), 0);
	close_gram(other);
}
END_TEST

START_TEST(a_child_takes_nothing_away)
{
	const char *path = support_path("socket");
	struct server server;
	pid_t pid;

	ck_assert_int_eq(open_server(&server, types[_i], path, NULL), 0);
	pid = support_fork();
	if (pid == 0) {
		ck_assert_int_eq(close_server(&server), 0);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	assert_is_socket(path);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}
END_TEST

START_TEST(an_accepted_connection_takes_nothing_away)
{
	const char *path = support_path("socket");
	struct unixlistener *listener =
		unixlistener_open("unixpacket", path, NULL);
	struct unixconn *client, *packet;

	ck_assert_ptr_nonnull(listener);
	client = unixconn_dial("unixpacket", path, NULL, UNIXMSG_NOW);
	packet = unixlistener_accept(listener, UNIXMSG_FOREVER);
	ck_assert_int_eq(unixconn_close(packet), 0);
	ck_assert_int_eq(unixconn_close(client), 0);
	assert_is_socket(path);
	ck_assert_int_eq(unixlistener_close(listener), 0);
	assert_files(0);
}
END_TEST

START_TEST(the_own_address_of_a_client_goes_too)
{
	const char *path = support_path("socket"), *own = support_path("own");
	struct unixconn *gram = open_gram(path), *client;
	struct unixdial_options options = { .own = own };

	client = unixconn_dial("unixgram", path, &options, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	assert_is_socket(own);
	close_gram(client);
	assert_missing(own);
	close_gram(gram);
}
END_TEST

START_TEST(a_file_that_may_not_be_removed_is_told)
{
	const char *path = support_path("socket");
	pid_t pid = support_fork();

	if (pid == 0) {
		struct unixconn *gram;

		count_fds();
		gram = open_gram(path);
		support_as_nobody();
		ck_assert_errno(unixconn_close(gram), EACCES);
		check_fds();
		_exit(0);
	}
	support_wait_exit(pid, 0);
	assert_is_socket(path);
	assert_files(1);
}
END_TEST

START_TEST(nothing_is_closed_without_a_name)
{
	ck_assert_int_eq(unixname__release(NULL), 0);
}
END_TEST

START_TEST(a_failed_claim_leaves_the_descriptor_open)
{
	int fd = open_socket(SOCK_DGRAM);
	struct unixname *name;

	ck_assert_errno(unixname__claim(fd, support_path("no/socket"), false,
				NULL, UNIXMSG_NOW, &name),
		ENOENT);
	ck_assert_int_eq(unixname__claim(fd, support_path("socket"), false,
				 NULL, UNIXMSG_NOW, &name),
		0);
	ck_assert_int_eq(unixname__release(name), 0);
	close(fd);
}
END_TEST

START_TEST(errno_is_kept_on_success)
{
	const char *const addresses[] = { support_path("a"), support_path("b"),
		support_abstract("c"), "@" };
	struct unixlisten_options options = { .mode = 0666 };
	struct server server;
	size_t i;

	make_dead(SOCK_STREAM, addresses[1]);
	for (i = 0; i < COUNT(addresses); i++) {
		errno = EXDEV;
		ck_assert_int_eq(open_server(&server, types[_i], addresses[i],
					 &options),
			0);
		ck_assert_int_eq(errno, EXDEV);
		ck_assert_int_eq(close_server(&server), 0);
		ck_assert_int_eq(errno, EXDEV);
	}
}
END_TEST

/* Running out of descriptors at each of the steps. */
START_TEST(a_claim_without_descriptors_leaves_nothing_behind)
{
	const char *path = support_path("socket");
	struct unixconn *gram = NULL;
	int i;

	for (i = 0; gram == NULL; i++) {
		if (_i == 1 && access(path, F_OK) < 0)
			make_dead(SOCK_DGRAM, path);
		support_limit_fds(i);
		gram = unixconn_open("unixgram", path, NULL);
		if (gram == NULL)
			ck_assert_int_eq(errno, EMFILE);
		support_lift_fds_limit();
		if (gram == NULL)
			assert_files(_i);
	}
	ck_assert_int_ge(i, 2);
	close_gram(gram);
}
END_TEST

/* Relative and long paths. */

START_TEST(a_relative_path_is_good_after_a_chdir)
{
	struct server server;

	ck_assert_int_eq(chdir(support_dir()), 0);
	ck_assert_int_eq(open_server(&server, types[_i], "socket", NULL), 0);
	ck_assert_int_eq(chdir("/"), 0);
	assert_is_socket(support_path("socket"));
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
}
END_TEST

START_TEST(the_kernel_is_told_the_absolute_path)
{
	const char *const paths[] = { "socket", "./socket", "././socket" };
	struct unixaddr addr, wanted = address_of(support_path("socket"));
	struct unixconn *gram;

	ck_assert_int_eq(chdir(support_dir()), 0);
	gram = open_gram(paths[_i]);
	ck_assert_int_eq(unixconn_get_address(gram, &addr), 0);
	ck_assert(unixaddr_is_equal(&addr, &wanted));
	close_gram(gram);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(a_file_name_may_begin_with_an_at)
{
	const char *const paths[] = { "./@socket", "\\x40socket" };
	struct unixconn *gram;

	ck_assert_int_eq(chdir(support_dir()), 0);
	gram = open_gram(paths[_i]);
	assert_is_socket(support_path("@socket"));
	close_gram(gram);
	assert_files(0);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

/* 108 is what an address has room for, 4095 what the kernel takes. */
static const size_t sizes[] = { 107, 108, 109, 110, 111, 150, 300, 1000, 4094,
	4095 };

START_TEST(a_datagram_server_may_have_a_long_path)
{
	const char *path = make_long_path(sizes[_i]);
	struct unixconn *gram = open_gram(path), *client;
	struct unixdial_options options = { .own = support_path("own") };
	char byte;

	client = unixconn_dial("unixgram", path, &options, UNIXMSG_NOW);
	ck_assert_msg(client != NULL, "%s", strerror(errno));
	ck_assert_int_eq(unixconn_send(client, "x", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(unixconn_recv(gram, &byte, 1, NULL, UNIXMSG_NOW), 1);
	close_gram(client);
	close_gram(gram);
	assert_missing(path);
}
END_TEST

/* _i: packets or a stream, and the size. */
START_TEST(a_listener_may_have_a_long_path)
{
	const char *network = _i % 2 == 0 ? "unixpacket" : "unix";
	const char *path = make_long_path(sizes[_i / 2]);
	struct unixlistener *listener = unixlistener_open(network, path, NULL);
	struct unixconn *client;

	ck_assert_ptr_nonnull(listener);
	client = unixconn_dial(network, path, NULL, UNIXMSG_NOW);
	ck_assert_msg(client != NULL, "%s", strerror(errno));
	ck_assert_int_eq(unixconn_close(client), 0);
	ck_assert_int_eq(unixlistener_close(listener), 0);
	assert_missing(path);
}
END_TEST

START_TEST(rules_hold_for_a_long_path)
{
	const char *path = make_long_path(300);
	struct unixconn *gram;

	make_file(path, "precious");
	ck_assert_null_errno(unixconn_open("unixgram", path, NULL), ENOTSOCK);
	assert_content(path, "precious");
	ck_assert_int_eq(unlink(path), 0);
	gram = open_gram(path);
	ck_assert_uint_eq(mode_of(path), 0600);
	ck_assert_null_errno(unixconn_open("unixgram", path, NULL), EADDRINUSE);
	/* A dead one in its place. */
	ck_assert_int_eq(rename(path, support_path("dead")), 0);
	close_gram(gram);
	ck_assert_int_eq(rename(support_path("dead"), path), 0);
	close_gram(open_gram(path));
	assert_missing(path);
}
END_TEST

START_TEST(a_path_longer_than_the_kernel_takes_is_refused)
{
	static char path[2 * PATH_MAX];
	const size_t too_long[] = { PATH_MAX, PATH_MAX + 1, sizeof(path) - 1 };
	struct server server;

	memset(path, '/', too_long[_i]);
	path[too_long[_i] - 1] = 's';
	ck_assert_errno(open_server(&server, types[_i], path, NULL),
		ENAMETOOLONG);
	ck_assert_null_errno(unixconn_dial("unixpacket", path, NULL,
				     UNIXMSG_NOW),
		ENAMETOOLONG);
}
END_TEST

START_TEST(a_file_name_longer_than_the_kernel_takes_is_refused)
{
	char name[NAME_MAX + 2];

	memset(name, 's', sizeof(name));
	name[NAME_MAX + 1] = '\0';
	ck_assert_null_errno(unixconn_open("unixgram", support_path(name),
				     NULL),
		ENAMETOOLONG);
	assert_files(0);
}
END_TEST

/* The server could not answer. */
START_TEST(an_own_address_without_room_is_refused)
{
	const char *path = support_path("socket");
	struct unixconn *gram = open_gram(path);
	struct unixdial_options options = { .own = make_long_path(109) };

	ck_assert_null_errno(unixconn_dial("unixgram", path, &options,
				     UNIXMSG_NOW),
		ENAMETOOLONG);
	assert_missing(options.own);
	close_gram(gram);
}
END_TEST

START_TEST(a_relative_own_address_must_fit_when_it_is_absolute)
{
	const char *path = support_path("socket");
	struct unixconn *gram = open_gram(path);
	struct unixdial_options options;
	char *slash, *dir = strdup(make_long_path(109));

	slash = strrchr(dir, '/');
	*slash = '\0';
	ck_assert_int_eq(chdir(dir), 0);
	memset(&options, 0, sizeof(options));
	options.own = slash + 1;
	ck_assert_null_errno(unixconn_dial("unixgram", path, &options,
				     UNIXMSG_NOW),
		ENAMETOOLONG);
	ck_assert_int_eq(count_files("."), 0);
	ck_assert_int_eq(chdir("/"), 0);
	free(dir);
	close_gram(gram);
}
END_TEST

START_TEST(nobody_is_found_by_the_wildcard)
{
	struct unixname_target target;

	ck_assert_errno(unixname__find("@", &target), EINVAL);
	ck_assert_null_errno(unixconn_dial("unixgram", "@", NULL, UNIXMSG_NOW),
		EINVAL);
}
END_TEST

/* The lock on the directory. */

static int lock_fd = -1;

static void lock_dir_for(int operation)
{
	lock_fd = open(support_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(lock_fd, 0);
	ck_assert_int_eq(flock(lock_fd, operation | LOCK_NB), 0);
}

static void lock_dir(void)
{
	lock_dir_for(LOCK_EX);
}

static void assert_lock_is_free(void)
{
	lock_dir();
	close(lock_fd);
}

static volatile sig_atomic_t is_unlocked;

static void unlock_dir(int signal)
{
	(void)signal;
	is_unlocked = 1;
	flock(lock_fd, LOCK_UN);
}

static void unlock_dir_after(suseconds_t after_us)
{
	const struct sigaction action = { .sa_handler = unlock_dir };
	const struct itimerval timer = { { 0, 0 }, { 0, after_us } };

	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* Had it not waited, it would be over before the lock is. */
START_TEST(a_claim_over_a_dead_file_waits_for_the_lock)
{
	const char *path = support_path("socket");
	struct unixconn *gram;

	make_dead(SOCK_DGRAM, path);
	lock_dir();
	unlock_dir_after(30000);
	gram = open_gram(path);
	ck_assert_int_eq(is_unlocked, 1);
	close(lock_fd);
	close_gram(gram);
}
END_TEST

/* The other is one who binds: beside him nothing may be taken away. */
START_TEST(a_claim_over_a_dead_file_waits_for_who_binds)
{
	const char *path = support_path("socket");
	struct unixconn *gram;

	make_dead(SOCK_DGRAM, path);
	lock_dir_for(LOCK_SH);
	unlock_dir_after(300000);
	gram = open_gram(path);
	ck_assert_int_eq(is_unlocked, 1);
	close(lock_fd);
	close_gram(gram);
}
END_TEST

START_TEST(a_claim_of_a_free_name_needs_no_lock)
{
	const char *path = support_path("socket");
	struct unixconn *gram;

	lock_dir();
	gram = open_gram(path);
	close(lock_fd);
	close_gram(gram);
}
END_TEST

START_TEST(a_live_owner_is_told_without_the_lock)
{
	const char *path = support_path("socket");
	int fd = open_bound(SOCK_DGRAM, path);

	lock_dir();
	ck_assert_null_errno(unixconn_open("unixgram", path, NULL), EADDRINUSE);
	close(lock_fd);
	close(fd);
}
END_TEST

START_TEST(what_is_no_socket_is_told_without_the_lock)
{
	const char *path = support_path("file");

	make_file(path, "");
	lock_dir();
	ck_assert_null_errno(unixconn_open("unixgram", path, NULL), ENOTSOCK);
	close(lock_fd);
}
END_TEST

START_TEST(a_release_does_not_wait_for_ever_for_the_lock)
{
	struct unixconn *gram = open_gram(support_path("socket"));

	lock_dir();
	close_gram(gram);
	assert_files(0);
	close(lock_fd);
}
END_TEST

START_TEST(the_lock_is_given_back)
{
	const char *path = support_path("socket");
	struct unixconn *gram;

	make_dead(SOCK_DGRAM, path);
	gram = open_gram(path);
	assert_lock_is_free();
	ck_assert_null_errno(unixconn_open("unixgram", path, NULL), EADDRINUSE);
	assert_lock_is_free();
	close_gram(gram);
	assert_lock_is_free();
}
END_TEST

/* Its descriptors are copies: one of them left open keeps a lock. */
START_TEST(the_lock_is_given_back_though_a_child_lives)
{
	struct unixconn *gram = open_gram(support_path("socket"));
	int is_over[2];
	pid_t pid;

	support_ready_init(is_over);
	pid = support_fork();
	if (pid == 0) {
		support_ready_wait(is_over);
		_exit(0);
	}
	close_gram(gram);
	assert_lock_is_free();
	support_ready_tell(is_over);
	support_wait_exit(pid, 0);
	close(is_over[0]);
	close(is_over[1]);
}
END_TEST

static TCase *make_owners(void)
{
	TCase *tcase = make_tcase("owners");

	tcase_add_loop_test(tcase, a_live_owner_stays, 0, 9);
	tcase_add_loop_test(tcase, a_live_datagram_owner_hears_nothing, 0, 3);
	tcase_add_loop_test(tcase, a_live_listener_hears_nothing, 0, 6);
	tcase_add_loop_test(tcase,
		an_owner_that_does_not_listen_yet_stays_and_hears_nothing, 0,
		6);
	support_add_root_test(tcase, an_owner_who_lets_nobody_in_stays);
	tcase_add_loop_test(tcase, an_abstract_name_has_one_owner, 0, 3);
	tcase_add_loop_test(tcase, an_abstract_name_has_nothing_to_remove, 0,
		2);
	tcase_add_loop_test(tcase, a_dead_file_is_replaced, 0, 9);
	tcase_add_test(tcase, a_dead_file_of_the_year_2100_is_replaced);
	support_add_root_loop_test(tcase, a_dead_file_of_any_mode_is_replaced,
		5);
	tcase_add_test(tcase, a_dead_file_with_another_link_is_replaced);
	support_add_root_test(tcase, a_dead_file_of_another_user_stays);
	return tcase;
}

static TCase *make_strangers(void)
{
	TCase *tcase = make_tcase("strangers");

	tcase_add_loop_test(tcase, what_is_no_socket_is_not_touched, 0,
		3 * FOREIGNERS);
	tcase_add_test(tcase, a_link_to_a_live_socket_is_not_followed);
	support_add_root_test(tcase, a_device_is_not_touched);
	tcase_add_loop_test(tcase, a_path_that_names_no_file_is_refused, 0, 5);
	tcase_add_loop_test(tcase,
		what_stands_in_the_root_directory_is_not_touched, 0, TYPES);
	tcase_add_test(tcase, a_socket_with_a_slash_behind_it_stays);
	return tcase;
}

static TCase *make_directories(void)
{
	TCase *tcase = make_tcase("directories");

	tcase_add_loop_test(tcase, a_directory_must_be_there, 0, 3);
	tcase_add_test(tcase, a_file_is_no_directory);
	tcase_add_loop_test(tcase, a_directory_of_everybody_is_refused, 0, 4);
	tcase_add_loop_test(tcase, a_directory_that_is_safe_is_good, 0, 6);
	tcase_add_test(tcase, an_unsafe_directory_may_be_asked_for);
	tcase_add_test(tcase, a_link_to_an_unsafe_directory_is_refused);
	support_add_root_test(tcase, a_directory_need_not_be_readable);
	support_add_root_test(tcase, a_directory_must_be_writable);
	return tcase;
}

static TCase *make_modes(void)
{
	TCase *tcase = make_tcase("modes");

	tcase_add_loop_test(tcase, the_mode_is_what_was_asked_for, 0,
		COUNT(modes) * COUNT(umasks));
	tcase_add_loop_test(tcase, the_mode_is_0600_by_default, 0,
		COUNT(umasks));
	tcase_add_test(tcase, the_mode_of_a_dead_file_does_not_stay);
	support_add_root_loop_test(tcase,
		owner_and_group_are_what_was_asked_for, 4);
	support_add_root_loop_test(tcase,
		an_owner_that_may_not_be_set_leaves_nothing_behind, 6);
	return tcase;
}

static TCase *make_options(void)
{
	TCase *tcase = make_tcase("options");

	tcase_add_test(tcase, unknown_flags_are_refused);
	tcase_add_loop_test(tcase, modes_beyond_0777_are_refused, 0, 6);
	tcase_add_test(tcase, reserved_fields_must_be_zero);
	tcase_add_loop_test(tcase, what_cannot_be_meant_is_refused, 0, 9);
	tcase_add_test(tcase, all_zero_is_the_defaults);
	tcase_add_loop_test(tcase, a_malformed_address_is_refused, 0, 4);
	return tcase;
}

static TCase *make_releases(void)
{
	TCase *tcase = make_tcase("releases");

	tcase_add_loop_test(tcase, the_file_goes_when_its_owner_closes, 0, 3);
	tcase_add_loop_test(tcase, a_file_may_be_kept, 0, 3);
	tcase_add_loop_test(tcase, a_foreign_file_in_its_place_stays, 0,
		FOREIGNERS);
	tcase_add_test(tcase, a_foreign_socket_in_its_place_stays);
	tcase_add_test(tcase, a_file_that_is_gone_is_no_error);
	tcase_add_test(tcase, a_directory_that_is_gone_is_no_error);
	tcase_add_test(tcase, the_file_goes_from_a_directory_that_was_renamed);
	tcase_add_test(tcase, a_file_in_a_directory_of_the_old_name_stays);
	tcase_add_loop_test(tcase, a_child_takes_nothing_away, 0, 3);
	tcase_add_test(tcase, an_accepted_connection_takes_nothing_away);
	tcase_add_test(tcase, the_own_address_of_a_client_goes_too);
	support_add_root_test(tcase, a_file_that_may_not_be_removed_is_told);
	tcase_add_test(tcase, nothing_is_closed_without_a_name);
	tcase_add_test(tcase, a_failed_claim_leaves_the_descriptor_open);
	tcase_add_loop_test(tcase, errno_is_kept_on_success, 0, 3);
	tcase_add_loop_test(tcase,
		a_claim_without_descriptors_leaves_nothing_behind, 0, 2);
	return tcase;
}

static TCase *make_paths(void)
{
	TCase *tcase = make_tcase("paths");

	tcase_add_loop_test(tcase, a_relative_path_is_good_after_a_chdir, 0, 3);
	tcase_add_loop_test(tcase, the_kernel_is_told_the_absolute_path, 0, 3);
	tcase_add_loop_test(tcase, a_file_name_may_begin_with_an_at, 0, 2);
	tcase_add_loop_test(tcase, a_datagram_server_may_have_a_long_path, 0,
		COUNT(sizes));
	tcase_add_loop_test(tcase, a_listener_may_have_a_long_path, 0,
		2 * COUNT(sizes));
	tcase_add_test(tcase, rules_hold_for_a_long_path);
	tcase_add_loop_test(tcase,
		a_path_longer_than_the_kernel_takes_is_refused, 0, 3);
	tcase_add_test(tcase,
		a_file_name_longer_than_the_kernel_takes_is_refused);
	tcase_add_test(tcase, an_own_address_without_room_is_refused);
	tcase_add_test(tcase,
		a_relative_own_address_must_fit_when_it_is_absolute);
	tcase_add_test(tcase, nobody_is_found_by_the_wildcard);
	return tcase;
}

static TCase *make_locks(void)
{
	TCase *tcase = make_tcase("locks");

	tcase_add_test(tcase, a_claim_over_a_dead_file_waits_for_the_lock);
	tcase_add_test(tcase, a_claim_over_a_dead_file_waits_for_who_binds);
	tcase_add_test(tcase, a_claim_of_a_free_name_needs_no_lock);
	tcase_add_test(tcase, a_live_owner_is_told_without_the_lock);
	tcase_add_test(tcase, what_is_no_socket_is_told_without_the_lock);
	tcase_add_test(tcase, a_release_does_not_wait_for_ever_for_the_lock);
	tcase_add_test(tcase, the_lock_is_given_back);
	tcase_add_test(tcase, the_lock_is_given_back_though_a_child_lives);
	return tcase;
}

int main(void)
{
	return support_run_cases("name", make_owners(), make_strangers(),
		make_directories(), make_modes(), make_options(),
		make_releases(), make_paths(), make_locks());
}
