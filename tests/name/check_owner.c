/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/scene.h"

static struct unixowner find(const char *address, int type)
{
	struct unixowner owner;

	memset(&owner, 0xa5, sizeof(owner));
	ck_assert_msg(unixowner_find(address, type, &owner) == 0, "%s: %s",
		address, strerror(errno));
	return owner;
}

static void assert_is_mine(const char *address, int type)
{
	struct unixowner owner = find(address, type);

	ck_assert_int_eq(owner.pid, getpid());
	ck_assert_uint_eq(owner.user, geteuid());
}

static void assert_nobody_owns(const char *address, int type, int error)
{
	struct unixowner owner;

	ck_assert_errno(unixowner_find(address, type, &owner), error);
}

/* A process that has a name until it is told to end. */
struct holder {
	int ready[2], end[2];
	pid_t pid;
};

static void hold(struct holder *holder, int fd)
{
	support_ready_tell(holder->ready);
	support_ready_wait(holder->end);
	close(fd);
	_exit(0);
}

static bool start_holder(struct holder *holder)
{
	support_ready_init(holder->ready);
	support_ready_init(holder->end);
	holder->pid = support_fork();
	return holder->pid == 0;
}

static void end_holder(struct holder *holder)
{
	support_ready_tell(holder->end);
	support_wait_exit(holder->pid, 0);
	close_pipe(holder->ready);
	close_pipe(holder->end);
}

/* Which names. */

START_TEST(the_owner_of_a_path_is_found)
{
	const char *path = support_path("socket");
	int type = types[_i / 2];
	int fd = open_listening(type, path);

	errno = EXDEV;
	assert_is_mine(path, _i % 2 == 0 ? type : 0);
	ck_assert_int_eq(errno, EXDEV);
	close(fd);
}
END_TEST

START_TEST(the_owner_of_an_abstract_name_is_found)
{
	const char *name = support_abstract("name");
	int type = types[_i / 2];
	int fd = open_listening(type, name);

	assert_is_mine(name, _i % 2 == 0 ? type : 0);
	close(fd);
}
END_TEST

START_TEST(an_owner_of_another_type_is_not_told)
{
	const char *const addresses[] = { support_path("socket"),
		support_abstract("name") };
	int type = types[_i / TYPES], other = types[_i % TYPES], fd;
	size_t i;

	for (i = 0; i < COUNT(addresses) && type != other; i++) {
		fd = open_listening(type, addresses[i]);
		assert_nobody_owns(addresses[i], other, ENOENT);
		close(fd);
	}
}
END_TEST

START_TEST(an_owner_that_does_not_listen_is_found)
{
	const char *path = support_path("socket");
	int fd = open_bound(types[_i], path);

	assert_is_mine(path, 0);
	close(fd);
}
END_TEST

START_TEST(each_type_of_an_abstract_name_has_its_own)
{
	const char *name = support_abstract("name");
	int fd = open_listening(SOCK_STREAM, name);
	struct holder holder;

	if (start_holder(&holder))
		hold(&holder, open_bound(SOCK_DGRAM, name));
	support_ready_wait(holder.ready);
	assert_is_mine(name, SOCK_STREAM);
	ck_assert_int_eq(find(name, SOCK_DGRAM).pid, holder.pid);
	end_holder(&holder);
	close(fd);
}
END_TEST

START_TEST(a_long_path_has_an_owner_too)
{
	const char *path = make_long_path(_i == 0 ? 109 : 1000);
	struct unixconn *gram = open_gram(path);

	assert_is_mine(path, SOCK_DGRAM);
	close_gram(gram);
	assert_nobody_owns(path, SOCK_DGRAM, ENOENT);
}
END_TEST

START_TEST(links_are_followed)
{
	const char *path = support_path("sub/socket");
	int fd;

	make_dir(support_path("sub"), 0700);
	fd = open_bound(SOCK_DGRAM, path);
	make_link("sub", support_path("way"));
	make_link("sub/socket", support_path("link"));
	assert_is_mine(support_path("way/socket"), 0);
	assert_is_mine(support_path("link"), 0);
	close(fd);
}
END_TEST

START_TEST(a_relative_path_is_good)
{
	int fd = open_bound(SOCK_DGRAM, support_path("socket"));

	ck_assert_int_eq(chdir(support_dir()), 0);
	assert_is_mine("socket", 0);
	assert_is_mine("./socket", 0);
	ck_assert_int_eq(chdir("/"), 0);
	close(fd);
}
END_TEST

START_TEST(another_link_to_the_file_is_good)
{
	const char *path = support_path("socket"), *other = support_path("b");
	int fd = open_bound(SOCK_DGRAM, path);

	ck_assert_int_eq(rename(path, other), 0);
	assert_is_mine(other, 0);
	assert_nobody_owns(path, 0, ENOENT);
	close(fd);
}
END_TEST

START_TEST(who_has_taken_over_is_told)
{
	const char *path = support_path("socket");
	struct unixlisten_options options = { .flags = UNIXMSG_LISTEN_REPLACE };
	struct holder holder;
	int fd = open_bound(SOCK_DGRAM, path);

	assert_is_mine(path, 0);
	if (start_holder(&holder)) {
		struct unixconn *gram =
			unixconn_open("unixgram", path, &options);

		ck_assert_ptr_nonnull(gram);
		hold(&holder, fd);
	}
	support_ready_wait(holder.ready);
	ck_assert_int_eq(find(path, 0).pid, holder.pid);
	end_holder(&holder);
	close(fd);
}
END_TEST

/* Nobody. */

START_TEST(a_dead_file_has_no_owner)
{
	const char *path = support_path("socket");

	make_dead(types[_i], path);
	assert_nobody_owns(path, 0, ENOENT);
}
END_TEST

START_TEST(without_room_for_an_owner_only_its_presence_is_told)
{
	const char *path = support_path("socket");
	int type = types[_i], other = types[(_i + 1) % TYPES];
	int fd = open_listening(type, path);

	ck_assert_int_eq(unixowner_find(path, type, NULL), 0);
	ck_assert_int_eq(unixowner_find(path, 0, NULL), 0);
	ck_assert_errno(unixowner_find(path, other, NULL), ENOENT);
	close(fd);
	ck_assert_errno(unixowner_find(path, type, NULL), ENOENT);
	unlink(path);
}
END_TEST

START_TEST(nobody_owns_what_is_not_there)
{
	assert_nobody_owns(support_path("socket"), 0, ENOENT);
	assert_nobody_owns(support_path("no/socket"), 0, ENOENT);
	assert_nobody_owns(support_abstract("name"), 0, ENOENT);
}
END_TEST

START_TEST(nobody_owns_what_is_no_socket)
{
	make_file(support_path("file"), "");
	make_dir(support_path("sub"), 0700);
	assert_nobody_owns(support_path("file"), 0, ENOENT);
	assert_nobody_owns(support_path("sub"), 0, ENOENT);
}
END_TEST

START_TEST(a_malformed_address_is_refused)
{
	static char text[2 * PATH_MAX];

	assert_nobody_owns("", 0, EINVAL);
	assert_nobody_owns("a\\x00b", 0, EINVAL);
	assert_nobody_owns("@\\q", 0, EINVAL);
	memset(text, 'x', sizeof(text) - 1);
	assert_nobody_owns(text, 0, ENAMETOOLONG);
	memcpy(text, "@", 1);
	text[109] = '\0';
	assert_nobody_owns(text, 0, ENAMETOOLONG);
}
END_TEST

/* Which process. */

START_TEST(a_process_is_told_with_its_name)
{
	const char *const names[][2] = { { "plain", "plain" }, { "a b", "a b" },
		{ "x\n\033[31m", "x\\x0a\\x1b[31m" },
		{ "fifteen-bytes-0", "fifteen-bytes-0" } };
	const char *path = support_path("socket");
	struct holder holder;
	struct unixowner owner;

	if (start_holder(&holder)) {
		prctl(PR_SET_NAME, names[_i][0]);
		hold(&holder, open_bound(SOCK_DGRAM, path));
	}
	support_ready_wait(holder.ready);
	owner = find(path, 0);
	ck_assert_int_eq(owner.pid, holder.pid);
	ck_assert_str_eq(owner.command, names[_i][1]);
	end_holder(&holder);
}
END_TEST

/* A parent is told rather than its children, and they when it has closed. */
START_TEST(a_name_may_have_many_holders)
{
	const char *path = support_path("socket");
	int fd = open_bound(SOCK_DGRAM, path);
	struct unixowner owner;
	struct holder holder;

	if (start_holder(&holder))
		hold(&holder, fd);
	support_ready_wait(holder.ready);
	owner = find(path, 0);
	ck_assert_int_eq(owner.pid,
		getpid() < holder.pid ? getpid() : holder.pid);
	close(fd);
	ck_assert_int_eq(find(path, 0).pid, holder.pid);
	end_holder(&holder);
	assert_nobody_owns(path, 0, ENOENT);
}
END_TEST

static void send_descriptor(int through, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { (void *)"x", 1 };
	struct msghdr msg = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	ck_assert_int_eq(sendmsg(through, &msg, MSG_NOSIGNAL), 1);
}

/* On its way to somebody: there is an owner, and no process. */
START_TEST(an_owner_without_a_process_is_told)
{
	const char *path = support_path("socket");
	int fd = open_bound(SOCK_DGRAM, path), pair[2];
	struct unixowner owner;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
				 pair),
		0);
	send_descriptor(pair[0], fd);
	close(fd);
	owner = find(path, 0);
	ck_assert_int_eq(owner.pid, 0);
	ck_assert_str_eq(owner.command, "");
	ck_assert(owner.user == geteuid() || owner.user == (uid_t)-1);
	close_pipe(pair);
	assert_nobody_owns(path, 0, ENOENT);
}
END_TEST

START_TEST(the_user_is_told)
{
	const char *name = support_abstract("name");
	struct holder holder;
	struct unixowner owner;

	if (start_holder(&holder)) {
		support_as_nobody();
		hold(&holder, open_bound(SOCK_DGRAM, name));
	}
	support_ready_wait(holder.ready);
	owner = find(name, 0);
	ck_assert_int_eq(owner.pid, holder.pid);
	ck_assert_uint_eq(owner.user, 65534);
	end_holder(&holder);
}
END_TEST

START_TEST(to_others_the_process_is_not_told)
{
	const char *path = support_path("socket");
	int fd = open_bound(SOCK_DGRAM, path);
	pid_t pid = support_fork();

	if (pid == 0) {
		struct unixowner owner;

		close(fd);
		support_as_nobody();
		owner = find(path, 0);
		ck_assert_int_eq(owner.pid, 0);
		ck_assert(owner.user == 0 || owner.user == (uid_t)-1);
		ck_assert_str_eq(owner.command, "");
		_exit(0);
	}
	support_wait_exit(pid, 0);
	close(fd);
}
END_TEST

START_TEST(the_owner_notices_nothing)
{
	const char *path = support_path("socket");
	int fd = open_listening(types[_i], path);

	assert_is_mine(path, 0);
	assert_hears_nothing(fd, types[_i]);
	close(fd);
}
END_TEST

START_TEST(among_many_connections_the_listener_is_told)
{
	const char *path = support_path("socket");
	struct unixlistener *listener =
		unixlistener_open("unixpacket", path, NULL);
	struct unixconn *client, *packet;
	struct holder holder;

	client = unixconn_dial("unixpacket", path, NULL, UNIXMSG_NOW);
	packet = unixlistener_accept(listener, UNIXMSG_NOW);
	if (start_holder(&holder)) {
		unixlistener_close(listener);
		hold(&holder, unixconn_get_fd(packet));
	}
	support_ready_wait(holder.ready);
	ck_assert_int_eq(unixconn_close(packet), 0);
	assert_is_mine(path, SOCK_SEQPACKET);
	end_holder(&holder);
	ck_assert_int_eq(unixconn_close(client), 0);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

/* The kernel's list is that of one network namespace. */
START_TEST(owners_elsewhere_are_not_told)
{
	const char *path = support_path("socket");
	int fd = open_bound(SOCK_DGRAM, path);
	pid_t pid = support_fork();

	if (pid == 0) {
		ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
		assert_nobody_owns(path, 0, ENOENT);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	close(fd);
}
END_TEST

static TCase *make_names(void)
{
	TCase *tcase = make_tcase("names");

	tcase_add_loop_test(tcase, the_owner_of_a_path_is_found, 0, 2 * TYPES);
	tcase_add_loop_test(tcase, the_owner_of_an_abstract_name_is_found, 0,
		2 * TYPES);
	tcase_add_loop_test(tcase, an_owner_of_another_type_is_not_told, 0,
		TYPES * TYPES);
	tcase_add_loop_test(tcase, an_owner_that_does_not_listen_is_found, 0,
		TYPES);
	tcase_add_test(tcase, each_type_of_an_abstract_name_has_its_own);
	tcase_add_loop_test(tcase, a_long_path_has_an_owner_too, 0, 2);
	tcase_add_test(tcase, links_are_followed);
	tcase_add_test(tcase, a_relative_path_is_good);
	tcase_add_test(tcase, another_link_to_the_file_is_good);
	tcase_add_test(tcase, who_has_taken_over_is_told);
	return tcase;
}

static TCase *make_nobody(void)
{
	TCase *tcase = make_tcase("nobody");

	tcase_add_loop_test(tcase, a_dead_file_has_no_owner, 0, TYPES);
	tcase_add_loop_test(tcase,
		without_room_for_an_owner_only_its_presence_is_told, 0, TYPES);
	tcase_add_test(tcase, nobody_owns_what_is_not_there);
	tcase_add_test(tcase, nobody_owns_what_is_no_socket);
	tcase_add_test(tcase, a_malformed_address_is_refused);
	support_add_test_if(tcase, owners_elsewhere_are_not_told,
		support_can_unshare(CLONE_NEWNET), "no network namespaces");
	return tcase;
}

static TCase *make_processes(void)
{
	TCase *tcase = make_tcase("processes");

	tcase_add_loop_test(tcase, a_process_is_told_with_its_name, 0, 4);
	tcase_add_test(tcase, a_name_may_have_many_holders);
	tcase_add_test(tcase, an_owner_without_a_process_is_told);
	support_add_test_if(tcase, the_user_is_told,
		support_is_root() && support_has_right(CAP_SYS_PTRACE),
		"not root with the right to look at others' processes");
	support_add_root_test(tcase, to_others_the_process_is_not_told);
	tcase_add_loop_test(tcase, the_owner_notices_nothing, 0, TYPES);
	tcase_add_test(tcase, among_many_connections_the_listener_is_told);
	return tcase;
}

int main(void)
{
	return support_run_cases("owner", make_names(), make_nobody(),
		make_processes());
}
