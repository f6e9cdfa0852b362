/* SPDX-License-Identifier: MIT */
/* Who may talk: the rules, what they say by default, and how it is told. */
#include <config.h>

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/service_scene.h"

static struct scene scene;
static struct client client;

/* Users and groups that nobody has. */
enum { MAN = 64001, HIS_GROUP = 64002, OTHER_GROUP = 64003 };

static const char *get_address(int kind)
{
	static const char *const names[KINDS] = { "g", "p", "f", "b" };

	return support_abstract(names[kind]);
}

static void become(void)
{
	const gid_t groups[] = { OTHER_GROUP };

	ck_assert_int_eq(setgroups(1, groups), 0);
	ck_assert_int_eq(setresgid(HIS_GROUP, HIS_GROUP, HIS_GROUP), 0);
	ck_assert_int_eq(setresuid(MAN, MAN, MAN), 0);
}

/* A man of another user says one thing, and goes. */
static void say_as_man(int kind, const char *address)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		become();
		client_dial_at(&client, kind, address);
		client_try_send(&client, "man", 3);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	scene_serve(&scene);
}

static uint64_t count_refused(int kind)
{
	if (kind == GRAM)
		return scene_count(&scene).refused;
	return scene_count(&scene).connections_refused;
}

/* Whether he may talk. */
static void check_man(int kind, const char *address, bool is_allowed)
{
	uint64_t before = count_refused(kind);

	scene.heard = 0;
	say_as_man(kind, address);
	ck_assert_uint_eq(scene.heard, is_allowed);
	ck_assert_uint_eq(count_refused(kind) - before, !is_allowed);
}

static void check_root(int kind, const char *address, bool is_allowed)
{
	scene.heard = 0;
	client_dial_at(&client, kind, address);
	client_try_send(&client, "root", 4);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, is_allowed);
	client_close(&client);
	scene_serve(&scene);
}

static const char *open_path(int kind)
{
	scene_open_kind(&scene, kind, scene_be_silent, NULL);
	ck_assert_int_eq(chmod(scene_address(kind), 0666), 0);
	return scene_address(kind);
}

START_TEST(on_a_path_its_mode_decides)
{
	const char *path = open_path(_i);

	check_man(_i, path, true);
	check_root(_i, path, true);
}
END_TEST

START_TEST(a_user_may_be_denied)
{
	const char *path = open_path(_i);

	ck_assert_int_eq(unixservice_deny_user(scene.service, MAN), 0);
	check_man(_i, path, false);
	check_root(_i, path, true);
	ck_assert_int_eq(scene.error[UNIXSERVICE_REFUSED], EPERM);
}
END_TEST

START_TEST(a_group_may_be_denied)
{
	const char *path = open_path(_i);

	ck_assert_int_eq(unixservice_deny_group(scene.service, HIS_GROUP), 0);
	check_man(_i, path, false);
	check_root(_i, path, true);
}
END_TEST

/* The kernel vouches for those of connections only. */
START_TEST(supplementary_groups_of_connections_count)
{
	const char *path = open_path(_i);

	ck_assert_int_eq(unixservice_deny_group(scene.service, OTHER_GROUP), 0);
	check_man(_i, path, _i == GRAM);
	scene_close(&scene);
	path = open_path(_i);
	ck_assert_int_eq(unixservice_allow_group(scene.service, OTHER_GROUP),
		0);
	check_man(_i, path, _i != GRAM);
}
END_TEST

START_TEST(who_is_not_allowed_may_not)
{
	const char *path = open_path(_i);

	ck_assert_int_eq(unixservice_allow_user(scene.service, 0), 0);
	check_man(_i, path, false);
	check_root(_i, path, true);
	ck_assert_int_eq(unixservice_allow_user(scene.service, MAN), 0);
	check_man(_i, path, true);
}
END_TEST

START_TEST(a_group_may_be_allowed)
{
	const char *path = open_path(_i);

	ck_assert_int_eq(unixservice_allow_group(scene.service, HIS_GROUP), 0);
	check_man(_i, path, true);
	check_root(_i, path, false);
}
END_TEST

START_TEST(who_is_denied_may_not_in_any_case)
{
	const char *path = open_path(_i);

	ck_assert_int_eq(unixservice_allow_user(scene.service, MAN), 0);
	unixservice_allow_anyone(scene.service);
	ck_assert_int_eq(unixservice_deny_group(scene.service, HIS_GROUP), 0);
	check_man(_i, path, false);
}
END_TEST

START_TEST(nobody_is_no_user)
{
	open_path(_i);
	ck_assert_errno(unixservice_allow_user(scene.service, (uid_t)-1),
		EINVAL);
	ck_assert_errno(unixservice_deny_user(scene.service, (uid_t)-1),
		EINVAL);
	ck_assert_errno(unixservice_allow_group(scene.service, (gid_t)-1),
		EINVAL);
	ck_assert_errno(unixservice_deny_group(scene.service, (gid_t)-1),
		EINVAL);
}
END_TEST

/* The kernel would let in everybody. */

static void open_abstract(int kind)
{
	scene_open(&scene, scene_be_silent, NULL);
	scene_listen_at(&scene, kind, get_address(kind));
}

START_TEST(an_abstract_name_is_for_our_own_user_and_root)
{
	open_abstract(_i);
	check_man(_i, get_address(_i), false);
	check_root(_i, get_address(_i), true);
}
END_TEST

START_TEST(an_abstract_name_is_for_whom_it_is_told)
{
	open_abstract(_i);
	ck_assert_int_eq(unixservice_allow_user(scene.service, MAN), 0);
	check_man(_i, get_address(_i), true);
	check_root(_i, get_address(_i), false);
	unixservice_allow_anyone(scene.service);
	check_root(_i, get_address(_i), true);
}
END_TEST

START_TEST(an_abstract_name_may_be_for_anyone)
{
	open_abstract(_i);
	unixservice_allow_anyone(scene.service);
	check_man(_i, get_address(_i), true);
	ck_assert_int_eq(unixservice_deny_user(scene.service, MAN), 0);
	check_man(_i, get_address(_i), false);
	check_root(_i, get_address(_i), true);
}
END_TEST

/* In a queue that nobody has asked for credentials yet. */
static const struct early {
	unsigned int wants;
	bool is_anyone;
	unsigned int heard;
} earlies[] = {
	{ 0, false, 0 },
	{ UNIXMSG_WANT_CRED, false, 1 },
	{ 0, true, 1 },
};

START_TEST(datagrams_from_before_say_who_wrote_them_if_that_was_wanted)
{
	const struct early *early = &earlies[_i];
	struct unixconn *gram =
		unixconn_open("unixgram", get_address(GRAM), NULL);

	ck_assert_ptr_nonnull(gram);
	ck_assert_int_eq(unixconn_want(gram, early->wants), 0);
	client_dial_at(&client, GRAM, get_address(GRAM));
	client_try_send(&client, "early", 5);
	scene_open(&scene, scene_be_silent, NULL);
	if (early->is_anyone)
		unixservice_allow_anyone(scene.service);
	ck_assert_int_eq(unixservice_add_conn(scene.service, gram, 0, NULL), 0);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, early->heard);
	ck_assert_uint_eq(scene_count(&scene).refused, 1 - early->heard);
	client_try_send(&client, "late", 4);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, early->heard + 1);
}
END_TEST

/* A set-user-ID program: who connects is the effective user, who writes a
 * datagram the real one. */
START_TEST(the_kernels_word_on_set_user_id_programs)
{
	const char *address = open_path(_i);
	pid_t pid;

	ck_assert_int_eq(unixservice_deny_user(scene.service, MAN), 0);
	pid = support_fork();
	if (pid == 0) {
		ck_assert_int_eq(seteuid(MAN), 0);
		client_dial_at(&client, _i, address);
		client_try_send(&client, "man", 3);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, _i == GRAM);
}
END_TEST

static unsigned int questions; /* who we are */

uid_t geteuid(void)
{
	questions++;
	return (uid_t)syscall(SYS_geteuid);
}

/* What comes while the service does nothing else. */
static void run_for_a_moment(void)
{
	ck_assert_errno(unixservice_run(scene.service,
				unixdeadline_after_us(20000)),
		ETIMEDOUT);
}

static void say_as_man_often(int count)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		become();
		client_dial_at(&client, GRAM, get_address(GRAM));
		while (count-- > 0)
			client_try_send(&client, "man", 3);
		_exit(0);
	}
	support_wait_exit(pid, 0);
}

/* As daemons do when they have what only root can get. */
START_TEST(our_own_user_is_the_one_when_serving_begins)
{
	enum { MESSAGES = 8 };

	scene_open(&scene, scene_be_silent, NULL);
	scene_listen_at(&scene, GRAM, get_address(GRAM));
	say_as_man_often(1);
	run_for_a_moment();
	ck_assert_uint_eq(scene.heard, 0);
	say_as_man_often(MESSAGES);
	ck_assert_int_eq(seteuid(MAN), 0);
	questions = 0;
	run_for_a_moment();
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_uint_eq(scene.heard, MESSAGES);
	ck_assert_uint_eq(questions, 1);
}
END_TEST

/* Telling. */

START_TEST(refusals_of_a_peer_are_told_once)
{
	int i;

	open_path(GRAM);
	ck_assert_int_eq(unixservice_deny_user(scene.service, 0), 0);
	client_dial(&client, GRAM);
	for (i = 0; i < 5; i++) {
		client_ask(&client, &scene, "hello");
	}
	ck_assert_uint_eq(scene_count(&scene).refused, 5);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_REFUSED], 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_OPENED], 0);
}
END_TEST

/* A man of another user sends from an abstract name of these bytes. */
static void say_from(const char *service, const char *name, size_t size)
{
	struct unixaddr own, to = address_of(service);
	pid_t pid = support_fork();
	socklen_t length;
	const struct sockaddr *sa;
	int fd;

	if (pid == 0) {
		become();
		fd = open_socket(SOCK_DGRAM);
		ck_assert_int_eq(unixaddr_set_abstract(&own, name, size), 0);
		sa = unixaddr_get_sockaddr(&own, &length);
		ck_assert_int_eq(bind(fd, sa, length), 0);
		sa = unixaddr_get_sockaddr(&to, &length);
		ck_assert_int_eq(sendto(fd, "x", 1, 0, sa, length), 1);
		_exit(0);
	}
	support_wait_exit(pid, 0);
	scene_serve(&scene);
}

/* He may bind what he likes: nobody else loses his place. */
START_TEST(who_is_refused_takes_nobodys_place)
{
	struct unixservice_options options = scene_options();
	struct client clients[2];
	int i;

	options.peers_max = 2;
	scene_open_kind(&scene, GRAM, scene_be_silent, &options);
	ck_assert_int_eq(chmod(scene_address(GRAM), 0666), 0);
	ck_assert_int_eq(unixservice_deny_user(scene.service, MAN), 0);
	for (i = 0; i < 2; i++) {
		client_dial(&clients[i], GRAM);
		client_ask(&clients[i], &scene, "hello");
	}
	for (i = 0; i < 4; i++)
		say_from(scene_address(GRAM), support_abstract("man") + i + 1,
			10);
	ck_assert_uint_eq(scene_count(&scene).refused, 4);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	ck_assert_uint_eq(scene_count(&scene).peers, 2);
	client_close(&clients[0]);
	client_close(&clients[1]);
}
END_TEST

/* Nor does he hide who has the name that he has taken. */
START_TEST(who_is_refused_adds_no_peer_of_anothers_name)
{
	const char *name = support_abstract("man");
	struct unixaddr to = address_of(scene_address(GRAM));
	struct unixconn *gram = unixconn_open("unixgram", name, NULL);
	uint64_t first;

	scene_open_kind(&scene, GRAM, scene_be_silent, NULL);
	ck_assert_int_eq(chmod(scene_address(GRAM), 0666), 0);
	ck_assert_int_eq(unixservice_deny_user(scene.service, MAN), 0);
	ck_assert_int_eq(unixconn_send_to(gram, &to, "hello", 5, UNIXMSG_NOW),
		1);
	scene_serve(&scene);
	first = scene.peer;
	unixconn_close(gram);
	say_from(scene_address(GRAM), name + 1, strlen(name) - 1);
	ck_assert_uint_eq(scene_count(&scene).refused, 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 1);
	gram = unixconn_open("unixgram", name, NULL);
	ck_assert_int_eq(unixconn_send_to(gram, &to, "again", 5, UNIXMSG_NOW),
		1);
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 2);
	ck_assert_uint_eq(scene.peer, first);
	unixconn_close(gram);
}
END_TEST

START_TEST(it_is_told_who_was_refused)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "user %d, pid ", MAN);
	open_path(_i);
	ck_assert_int_eq(unixservice_deny_user(scene.service, MAN), 0);
	say_as_man(_i, scene_address(_i));
	ck_assert_uint_eq(scene.told[UNIXSERVICE_REFUSED], 1);
	ck_assert_ptr_nonnull(
		strstr(scene.line[UNIXSERVICE_REFUSED], expected));
	ck_assert_ptr_nonnull(strstr(scene.line[UNIXSERVICE_REFUSED],
		_i == GRAM ? ": message refused" : ": connection refused"));
}
END_TEST

static void check_printable(const char *text)
{
	for (; *text != '\0'; text++)
		ck_assert(*text >= 0x20 && *text < 0x7f);
}

/*
 * Who he is is told by the kernel, never by his name, and his name is told as
 * text that nobody takes for anything else.
 */
/* The kernel tells nothing of who sent before it was asked to. */
START_TEST(nothing_is_told_of_who_sent_before_the_service)
{
	struct unixconn *gram = open_gram(scene_address(GRAM));
	char large[64] = { 0 };
	struct unixservice_options options = scene_options();

	options.size_max = sizeof(large) - 1;
	client_dial(&client, GRAM);
	client_send(&client, large, sizeof(large));
	scene_open(&scene, scene_echo, &options);
	ck_assert_int_eq(unixservice_add_conn(scene.service, gram, 0, NULL), 0);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).cut, 1);
	ck_assert_ptr_null(strstr(scene.line[UNIXSERVICE_CUT], "user"));
	client_send(&client, large, sizeof(large));
	scene_serve(&scene);
	ck_assert_ptr_nonnull(strstr(scene.line[UNIXSERVICE_CUT], "user"));
}
END_TEST

/* In others the user that stands for no user is anybody. */
static bool is_first_namespace(void)
{
	FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned int first, outside, count = 0;
	int found;

	if (file == NULL)
		return false;
	found = fscanf(file, "%u %u %u", &first, &outside, &count);
	fclose(file);
	return found == 3 && count == UINT32_MAX;
}

/* Of a socket that nobody shares, too: it was open before it was served. */
START_TEST(who_sent_before_the_service_is_answered)
{
	struct unixconn *gram = open_gram(scene_address(GRAM));

	client_dial(&client, GRAM);
	client_say(&client, "early");
	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(unixservice_add_conn(scene.service, gram, 0, NULL), 0);
	scene_serve(&scene);
	client_hear(&client, "early");
	ck_assert_uint_eq(scene_count(&scene).unproved, 0);
}
END_TEST

START_TEST(a_name_cannot_pretend)
{
	static const char *const names[] = { "x;uid=0;", "a\nuser 0, pid 1",
		"\033[2Jgone\x7f\xff", "\"}, {\"peer\":1,\"uid\":0,\"" };
	const char *service = support_path("s");
	struct unixservice_peer_info info;
	char line[1000], name[108];

	snprintf(name, sizeof(name), "%s%s", support_abstract(""), names[_i]);
	scene_open(&scene, scene_be_silent, NULL);
	scene_listen_at(&scene, GRAM, service);
	ck_assert_int_eq(chmod(service, 0666), 0);
	/* With the NUL at its end. */
	say_from(service, name + 1, strlen(name + 1) + 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_OPENED], 1);
	ck_assert_int_eq(unixservice_get_peer_info(scene.service, scene.peer,
				 &info),
		0);
	ck_assert_uint_eq(info.cred.uid, MAN);
	ck_assert_uint_lt(unixservice_format_peer(&info, line, sizeof(line)),
		sizeof(line));
	check_printable(line);
	ck_assert_ptr_nonnull(strstr(line, "\"uid\":64001,"));
	ck_assert_ptr_null(strstr(line, "\"uid\":0"));
	check_printable(scene.line[UNIXSERVICE_OPENED]);
}
END_TEST

static TCase *make_rule_tests(void)
{
	TCase *tcase = make_scene_tcase("rules");

	support_add_root_loop_test(tcase, on_a_path_its_mode_decides, KINDS);
	support_add_root_loop_test(tcase, a_user_may_be_denied, KINDS);
	support_add_root_loop_test(tcase, a_group_may_be_denied, KINDS);
	support_add_root_loop_test(tcase,
		supplementary_groups_of_connections_count, KINDS);
	support_add_root_loop_test(tcase, who_is_not_allowed_may_not, KINDS);
	support_add_root_loop_test(tcase, a_group_may_be_allowed, KINDS);
	support_add_root_loop_test(tcase, who_is_denied_may_not_in_any_case,
		KINDS);
	tcase_add_test(tcase, nobody_is_no_user);
	support_add_root_loop_test(tcase,
		an_abstract_name_is_for_our_own_user_and_root, KINDS);
	support_add_root_loop_test(tcase,
		an_abstract_name_is_for_whom_it_is_told, KINDS);
	support_add_root_loop_test(tcase, an_abstract_name_may_be_for_anyone,
		KINDS);
	support_add_root_test(tcase,
		our_own_user_is_the_one_when_serving_begins);
	support_add_root_loop_test(tcase,
		the_kernels_word_on_set_user_id_programs, KINDS);
	return tcase;
}

static TCase *make_telling_tests(void)
{
	TCase *tcase = make_scene_tcase("telling");

	tcase_add_loop_test(tcase,
		datagrams_from_before_say_who_wrote_them_if_that_was_wanted, 0,
		COUNT(earlies));
	support_add_root_test(tcase, refusals_of_a_peer_are_told_once);
	support_add_root_test(tcase, who_is_refused_takes_nobodys_place);
	support_add_root_test(tcase,
		who_is_refused_adds_no_peer_of_anothers_name);
	support_add_root_loop_test(tcase, it_is_told_who_was_refused, KINDS);
	tcase_add_test(tcase, nothing_is_told_of_who_sent_before_the_service);
	support_add_test_if(tcase, who_sent_before_the_service_is_answered,
		is_first_namespace(), "a user namespace");
	support_add_root_loop_test(tcase, a_name_cannot_pretend, 4);
	return tcase;
}

int main(void)
{
	return support_run_cases("service_access", make_rule_tests(),
		make_telling_tests());
}
