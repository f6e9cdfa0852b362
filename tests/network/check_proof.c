/* SPDX-License-Identifier: MIT */
/*
 * An answer gets to the one who wrote, whatever the name that he has given to
 * bind(2) leads to on our side.
 */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "support/service_scene.h"

/* Nobody has it. */
enum { STRANGER = 64001 };

static struct unixconn *server;
static struct unixaddr to;
static int held_fd;

static void set_up(void)
{
	server = unixconn_open("unixgram", support_path("server"), NULL);
	ck_assert_ptr_nonnull(server);
	held_fd = -1;
}

static void tear_down(void)
{
	if (held_fd >= 0)
		close(held_fd);
	unixconn_close(server);
	support_clear_dir();
}

static struct unixcred get_writer(uid_t uid)
{
	struct unixcred writer = { .pid = 1, .uid = uid, .gid = uid };

	return writer;
}

static int prove(const char *name, uid_t uid)
{
	const struct unixcred writer = get_writer(uid);
	struct unixaddr from;

	ck_assert_int_eq(unixaddr_parse(&from, name), 0);
	return unixconn_prove_sender(server, &from, &writer, &to, &held_fd);
}

static void expect_answer_at(int fd)
{
	char byte = 0;

	ck_assert_int_eq(unixconn_send_to(server, &to, "a", 1, UNIXMSG_NOW), 1);
	ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
	ck_assert_int_eq(byte, 'a');
}

START_TEST(a_client_that_has_dialled_is_proved)
{
	struct unixconn *client = unixconn_dial("unixgram",
		support_path("server"), NULL, UNIXMSG_NOW);
	const struct unixcred writer = get_writer(geteuid());
	struct unixaddr from;

	ck_assert_ptr_nonnull(client);
	ck_assert_int_eq(unixconn_get_address(client, &from), 0);
	ck_assert_int_eq(unixconn_prove_sender(server, &from, &writer, &to,
				 &held_fd),
		0);
	expect_answer_at(unixconn_get_fd(client));
	unixconn_close(client);
}
END_TEST

START_TEST(a_socket_of_the_writer_is_proved)
{
	int fd = open_bound(SOCK_DGRAM, support_path("client"));

	ck_assert_int_eq(prove(support_path("client"), geteuid()), 0);
	expect_answer_at(fd);
	close(fd);
}
END_TEST

START_TEST(a_socket_of_another_user_is_refused)
{
	int fd = open_bound(SOCK_DGRAM, support_path("victim"));

	ck_assert_errno(prove(support_path("victim"), STRANGER), EPERM);
	close(fd);
}
END_TEST

START_TEST(a_connected_socket_of_another_user_is_refused)
{
	struct unixconn *client = unixconn_dial("unixgram",
		support_path("server"), NULL, UNIXMSG_NOW);
	const struct unixcred writer = get_writer(STRANGER);
	struct unixaddr from;

	ck_assert_ptr_nonnull(client);
	ck_assert_int_eq(unixconn_get_address(client, &from), 0);
	ck_assert_errno(unixconn_prove_sender(server, &from, &writer, &to,
				&held_fd),
		EPERM);
	unixconn_close(client);
}
END_TEST

START_TEST(a_link_to_a_socket_of_another_name_is_refused)
{
	int fd = open_bound(SOCK_DGRAM, support_path("victim"));

	make_link(support_path("victim"), support_path("client"));
	ck_assert_errno(prove(support_path("client"), geteuid()), EPERM);
	close(fd);
}
END_TEST

START_TEST(a_link_to_our_own_socket_is_refused)
{
	make_link(support_path("server"), support_path("client"));
	ck_assert_errno(prove(support_path("client"), geteuid()), EPERM);
}
END_TEST

START_TEST(our_own_address_is_refused)
{
	ck_assert_errno(prove(support_path("server"), geteuid()), EPERM);
}
END_TEST

START_TEST(a_relative_name_is_refused)
{
	ck_assert_errno(prove("client", geteuid()), EPERM);
}
END_TEST

/*
 * When a link was read last may have to be noted by the kernel, which it does
 * once a day: then it follows the link not in its cache.
 */
static void set_time_of_reading(const char *path, bool is_noted)
{
	struct timespec times[2] = { { 0 }, { .tv_nsec = UTIME_OMIT } };

	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &times[0]), 0);
	times[0].tv_sec += is_noted ? 3600 : -172800;
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW),
		0);
}

START_TEST(a_name_through_a_directory_that_is_a_link_is_proved)
{
	char target[PATH_MAX];
	int fd;

	make_dir(support_path("real"), 0700);
	snprintf(target, sizeof(target), "%s",
		_i % 2 == 0 ? support_path("real") : "real/./../real/");
	make_link(target, support_path("link"));
	fd = open_bound(SOCK_DGRAM, support_path("link/client"));
	set_time_of_reading(support_path("link"), _i < 2);
	ck_assert_int_eq(prove(support_path("link/client"), geteuid()), 0);
	expect_answer_at(fd);
	close(fd);
}
END_TEST

/* Makes a chain of links, the last of which leads to the directory real. */
static void make_chain(int count)
{
	char target[32] = "real", name[32];
	int i;

	make_dir(support_path("real"), 0700);
	for (i = 1; i <= count; i++) {
		snprintf(name, sizeof(name), "link%d", i);
		make_link(target, support_path(name));
		snprintf(target, sizeof(target), "%s", name);
	}
}

static void forget_reading(int count)
{
	char name[32];
	int i;

	for (i = 1; i <= count; i++) {
		snprintf(name, sizeof(name), "link%d", i);
		set_time_of_reading(support_path(name), false);
	}
}

START_TEST(a_chain_of_links_is_followed_as_far_as_the_kernel_does)
{
	int fd;

	make_chain(41);
	fd = open_bound(SOCK_DGRAM, support_path("link40/client"));
	forget_reading(41);
	ck_assert_int_eq(prove(support_path("link40/client"), geteuid()), 0);
	expect_answer_at(fd);
	forget_reading(41);
	ck_assert_errno(prove(support_path("link41/client"), geteuid()), ELOOP);
	close(fd);
}
END_TEST

START_TEST(what_is_no_socket_is_refused)
{
	make_file(support_path("client"), "");
	ck_assert_errno(prove(support_path("client"), geteuid()), EPERM);
}
END_TEST

START_TEST(a_descriptor_of_ours_is_no_name_of_others)
{
	char name[64];
	int socket_fd = open_bound(SOCK_DGRAM, support_path("victim"));
	int fd = open(support_path("victim"), O_PATH | O_CLOEXEC);

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ck_assert_errno(prove(name, geteuid()), EPERM);
	close(fd);
	close(socket_fd);
}
END_TEST

START_TEST(a_sender_that_is_gone_is_told)
{
	make_dead(SOCK_DGRAM, support_path("dead"));
	ck_assert_errno(prove(support_path("dead"), geteuid()), ECONNREFUSED);
	ck_assert_errno(prove(support_path("nobody"), geteuid()), ENOENT);
}
END_TEST

START_TEST(nobody_vouches_for_a_message_without_credentials)
{
	struct unixaddr from;
	int fd = open_bound(SOCK_DGRAM, support_path("client"));

	ck_assert_int_eq(unixaddr_parse(&from, support_path("client")), 0);
	ck_assert_errno(unixconn_prove_sender(server, &from, NULL, &to,
				&held_fd),
		EPERM);
	close(fd);
}
END_TEST

START_TEST(without_an_address_there_is_no_answer)
{
	const struct unixcred writer = get_writer(geteuid());
	struct unixaddr from;

	unixaddr_set_unnamed(&from);
	ck_assert_errno(unixconn_prove_sender(server, &from, &writer, &to,
				&held_fd),
		EINVAL);
}
END_TEST

START_TEST(an_answer_goes_to_the_file_that_was_proved)
{
	int fd, victim = open_bound(SOCK_DGRAM, support_path("victim"));

	/* Others may write here: the name is no hold. */
	make_dir(support_path("open"), 0700);
	ck_assert_int_eq(chmod(support_path("open"), 0777), 0);
	fd = open_bound(SOCK_DGRAM, support_path("open/client"));
	ck_assert_int_eq(prove(support_path("open/client"), geteuid()), 0);
	ck_assert_int_ge(held_fd, 0);
	ck_assert_int_eq(rename(support_path("open/client"),
				 support_path("open/other")),
		0);
	make_link(support_path("victim"), support_path("open/client"));
	expect_answer_at(fd);
	assert_hears_nothing(victim, SOCK_DGRAM);
	close(victim);
	close(fd);
}
END_TEST

START_TEST(a_file_that_was_given_away_does_not_make_its_socket_the_writers)
{
	int fd = open_bound(SOCK_DGRAM, support_path("victim"));

	ck_assert_int_eq(chown(support_path("victim"), STRANGER, STRANGER), 0);
	ck_assert_errno(prove(support_path("victim"), STRANGER), EPERM);
	close(fd);
}
END_TEST

START_TEST(an_abstract_name_of_our_own_user_is_proved)
{
	int fd = open_bound(SOCK_DGRAM, support_abstract("client"));

	ck_assert_int_eq(prove(support_abstract("client"), geteuid()), 0);
	expect_answer_at(fd);
	close(fd);
}
END_TEST

START_TEST(an_abstract_name_of_another_user_is_refused)
{
	int fd = open_bound(SOCK_DGRAM, support_abstract("client"));

	ck_assert_errno(prove(support_abstract("client"), STRANGER), EPERM);
	close(fd);
}
END_TEST

START_TEST(an_abstract_name_of_a_connected_socket_is_looked_up)
{
	int fd = open_bound(SOCK_DGRAM, support_abstract("client"));

	ck_assert_int_eq(connect_to(fd, support_path("server")), 0);
	ck_assert_errno(prove(support_abstract("client"), STRANGER), EPERM);
	close(fd);
}
END_TEST

/* A service */

static struct scene scene;

START_TEST(an_answer_that_may_go_to_another_is_not_sent)
{
	int fd, victim = open_bound(SOCK_DGRAM, support_path("victim"));

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	fd = open_bound(SOCK_DGRAM, support_path("client"));
	ck_assert_int_eq(rename(support_path("client"), support_path("other")),
		0);
	make_link(support_path("victim"), support_path("client"));
	ck_assert_int_eq(connect_to(fd, scene_address(GRAM)), 0);
	ck_assert_int_eq(send(fd, "forged", 6, 0), 6);
	scene_serve(&scene);
	assert_hears_nothing(victim, SOCK_DGRAM);
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_uint_eq(scene_count(&scene).unproved, 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_UNPROVED], 1);
	ck_assert_int_eq(scene.error[UNIXSERVICE_UNPROVED], EPERM);
	scene_close(&scene);
	close(fd);
	close(victim);
}
END_TEST

START_TEST(a_service_does_not_answer_itself)
{
	int fd;

	scene_open_kind(&scene, GRAM, scene_echo, NULL);
	fd = open_bound(SOCK_DGRAM, support_path("client"));
	ck_assert_int_eq(rename(support_path("client"), support_path("other")),
		0);
	make_link(scene_address(GRAM), support_path("client"));
	ck_assert_int_eq(connect_to(fd, scene_address(GRAM)), 0);
	ck_assert_int_eq(send(fd, "once", 4, 0), 4);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 1);
	scene_close(&scene);
	close(fd);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("proof");
	TCase *tcase = make_tcase_with("senders", set_up, tear_down);

	tcase_add_test(tcase, a_client_that_has_dialled_is_proved);
	tcase_add_test(tcase, a_socket_of_the_writer_is_proved);
	tcase_add_test(tcase, a_socket_of_another_user_is_refused);
	tcase_add_test(tcase, a_connected_socket_of_another_user_is_refused);
	tcase_add_test(tcase, a_link_to_a_socket_of_another_name_is_refused);
	tcase_add_test(tcase, a_link_to_our_own_socket_is_refused);
	tcase_add_test(tcase, our_own_address_is_refused);
	tcase_add_test(tcase, a_relative_name_is_refused);
	tcase_add_loop_test(tcase,
		a_name_through_a_directory_that_is_a_link_is_proved, 0, 4);
	tcase_add_test(tcase,
		a_chain_of_links_is_followed_as_far_as_the_kernel_does);
	tcase_add_test(tcase, what_is_no_socket_is_refused);
	tcase_add_test(tcase, a_descriptor_of_ours_is_no_name_of_others);
	tcase_add_test(tcase, a_sender_that_is_gone_is_told);
	tcase_add_test(tcase, nobody_vouches_for_a_message_without_credentials);
	tcase_add_test(tcase, without_an_address_there_is_no_answer);
	tcase_add_test(tcase, an_answer_goes_to_the_file_that_was_proved);
	support_add_root_test(tcase,
		a_file_that_was_given_away_does_not_make_its_socket_the_writers);
	tcase_add_test(tcase, an_abstract_name_of_our_own_user_is_proved);
	tcase_add_test(tcase, an_abstract_name_of_another_user_is_refused);
	tcase_add_test(tcase,
		an_abstract_name_of_a_connected_socket_is_looked_up);
	suite_add_tcase(suite, tcase);
	tcase = make_tcase_with("service", NULL, support_clear_dir);
	tcase_add_test(tcase, an_answer_that_may_go_to_another_is_not_sent);
	tcase_add_test(tcase, a_service_does_not_answer_itself);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return support_run(make_suite());
}
