/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service/access.h"
#include "support/scene.h"

/* Ids of nobody here. */
enum { FIRST = 70001, SECOND, THIRD };

static struct access rules;

static void set_up(void)
{
	memset(&rules, 0, sizeof(rules));
}

static void tear_down(void)
{
	unixaccess__free(&rules);
}

static void add(struct ids *ids, unsigned int id)
{
	ck_assert_int_eq(unixaccess__add(ids, id), 0);
}

static bool is_allowed(bool is_abstract, uid_t uid, gid_t gid)
{
	const struct unixcred cred = { .pid = 1, .uid = uid, .gid = gid };

	return unixaccess__is_allowed(&rules, is_abstract, &cred, -1);
}

/* Lists */

START_TEST(an_id_is_in_the_list_once)
{
	const unsigned int ids[] = { 0, 7, 0, 4294967294, 7, 4294967294 };
	size_t i;

	for (i = 0; i < COUNT(ids); i++)
		add(&rules.users_allowed, ids[i]);
	ck_assert_uint_eq(rules.users_allowed.count, 3);
}
END_TEST

START_TEST(nobody_cannot_be_added)
{
	ck_assert_errno(unixaccess__add(&rules.users_denied, (uid_t)-1),
		EINVAL);
	ck_assert_uint_eq(rules.users_denied.count, 0);
	ck_assert(is_allowed(false, FIRST, FIRST));
}
END_TEST

START_TEST(adding_keeps_errno)
{
	errno = EXDEV;
	add(&rules.users_denied, 1);
	add(&rules.users_denied, 1);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(many_ids_are_all_found)
{
	unsigned int i;

	for (i = 0; i < 1000; i++)
		add(&rules.users_allowed, 2 * i);
	for (i = 0; i < 1000; i++) {
		ck_assert(is_allowed(false, 2 * i, FIRST));
		ck_assert(!is_allowed(false, 2 * i + 1, FIRST));
	}
}
END_TEST

/* The rules as a table */

enum rule {
	ALLOW_USER = 0x1,
	ALLOW_GROUP = 0x2,
	DENY_USER = 0x4,
	DENY_GROUP = 0x8,
	ALLOW_OTHER = 0x10,
	DENY_OTHER = 0x20,
	ANYONE = 0x40,
	RULES = 0x80,
};

enum who {
	STRANGER,
	OURSELVES,
	ROOT,
	UNKNOWN,
	WHOS,
};

/* The contract once more, as unixmsg/service.h says it. */
static bool is_expected(int rule, bool is_abstract, enum who who)
{
	const bool is_anything_allowed =
		(rule & (ALLOW_USER | ALLOW_GROUP | ALLOW_OTHER)) != 0;

	if (who == UNKNOWN)
		return (rule & (DENY_USER | DENY_GROUP | DENY_OTHER)) == 0 &&
			((rule & ANYONE) != 0 ||
				(!is_abstract && !is_anything_allowed));
	if (rule & (DENY_USER | DENY_GROUP))
		return false;
	if (rule & (ANYONE | ALLOW_USER | ALLOW_GROUP))
		return true;
	if (is_anything_allowed)
		return false;
	return !is_abstract || who != STRANGER;
}

static void make_rules(int rule, uid_t uid, gid_t gid)
{
	rules.is_anyone = (rule & ANYONE) != 0;
	if (rule & ALLOW_USER)
		add(&rules.users_allowed, uid);
	if (rule & ALLOW_GROUP)
		add(&rules.groups_allowed, gid);
	if (rule & DENY_USER)
		add(&rules.users_denied, uid);
	if (rule & DENY_GROUP)
		add(&rules.groups_denied, gid);
	if (rule & ALLOW_OTHER)
		add(&rules.users_allowed, THIRD);
	if (rule & DENY_OTHER)
		add(&rules.groups_denied, THIRD);
}

static void check_who(int rule, bool is_abstract, enum who who)
{
	struct unixcred cred = { .pid = 1, .uid = FIRST, .gid = SECOND };

	if (who == OURSELVES)
		cred.uid = geteuid();
	if (who == ROOT)
		cred.uid = 0;
	make_rules(rule, cred.uid, cred.gid);
	ck_assert_msg(unixaccess__is_allowed(&rules, is_abstract,
			      who == UNKNOWN ? NULL : &cred,
			      -1) == is_expected(rule, is_abstract, who),
		"rules %#x, abstract %d, who %d", (unsigned int)rule,
		is_abstract, (int)who);
	unixaccess__free(&rules);
	memset(&rules, 0, sizeof(rules));
}

START_TEST(the_rules_are_those_of_the_contract)
{
	int rule, is_abstract, who;

	for (rule = 0; rule < RULES; rule++)
		for (is_abstract = 0; is_abstract < 2; is_abstract++)
			for (who = 0; who < WHOS; who++)
				check_who(rule, is_abstract != 0,
					(enum who)who);
}
END_TEST

START_TEST(ids_of_users_and_of_groups_are_not_mixed_up)
{
	add(&rules.users_allowed, FIRST);
	add(&rules.groups_allowed, SECOND);
	ck_assert(!is_allowed(false, SECOND, FIRST));
	add(&rules.users_denied, SECOND);
	add(&rules.groups_denied, FIRST);
	ck_assert(is_allowed(false, FIRST, SECOND));
	ck_assert(is_allowed(true, FIRST, SECOND));
}
END_TEST

/* Our own user is the effective one. */
START_TEST(on_an_abstract_name_we_and_root_may_talk_when_we_are_another)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		ck_assert_int_eq(setresuid(SECOND, FIRST, FIRST), 0);
		ck_assert(is_allowed(true, FIRST, THIRD));
		ck_assert(is_allowed(true, 0, THIRD));
		ck_assert(!is_allowed(true, SECOND, THIRD));
		_exit(0);
	}
	support_wait_exit(pid, 0);
}
END_TEST

/* Connections of other users, with the groups they have. */

static const gid_t supplementary[] = { SECOND, THIRD };

struct guest {
	int listener;
	int fd;
	pid_t pid;
	struct unixcred cred;
};

static void visit(const char *address, int type)
{
	int fd = open_socket(type);
	char byte;

	ck_assert_int_eq(setgroups(COUNT(supplementary), supplementary), 0);
	ck_assert_int_eq(setresgid(FIRST, FIRST, FIRST), 0);
	ck_assert_int_eq(setresuid(FIRST, FIRST, FIRST), 0);
	ck_assert_int_eq(connect_to(fd, address), 0);
	ck_assert_int_eq(TEMP_FAILURE_RETRY(read(fd, &byte, 1)), 0);
	_exit(0);
}

static void receive_guest(struct guest *guest, int type)
{
	const char *address = support_abstract("access");

	guest->listener = open_listening(type, address);
	guest->pid = support_fork();
	if (guest->pid == 0)
		visit(address, type);
	guest->fd = (int)TEMP_FAILURE_RETRY(
		accept4(guest->listener, NULL, NULL, SOCK_CLOEXEC));
	ck_assert_int_ge(guest->fd, 0);
	ck_assert_int_eq(unixpeer_get_cred(guest->fd, &guest->cred), 0);
	ck_assert_uint_eq(guest->cred.uid, FIRST);
	ck_assert_uint_eq(guest->cred.gid, FIRST);
}

static void dismiss(struct guest *guest)
{
	close(guest->fd);
	close(guest->listener);
	support_wait_exit(guest->pid, 0);
}

static bool may_talk(const struct guest *guest)
{
	return unixaccess__is_allowed(&rules, true, &guest->cred, guest->fd);
}

static const struct {
	unsigned int allowed; /* groups; 0 for none */
	unsigned int denied;
	bool is_expected;
} groups[] = {
	{ 0, 0, false },
	{ FIRST, 0, true },
	{ SECOND, 0, true },
	{ THIRD, 0, true },
	{ THIRD + 1, 0, false },
	{ 1, 0, false },
	{ FIRST, SECOND, false },
	{ SECOND, FIRST, false },
	{ THIRD, THIRD, false },
	{ FIRST, THIRD + 1, true },
	{ SECOND, THIRD + 1, true },
};

static const int connected_types[] = { SOCK_STREAM, SOCK_SEQPACKET };

START_TEST(supplementary_groups_of_a_connection_count)
{
	const size_t row = (size_t)_i / COUNT(connected_types);
	struct guest guest;

	receive_guest(&guest,
		connected_types[(size_t)_i % COUNT(connected_types)]);
	if (groups[row].allowed != 0)
		add(&rules.groups_allowed, groups[row].allowed);
	if (groups[row].denied != 0)
		add(&rules.groups_denied, groups[row].denied);
	ck_assert(may_talk(&guest) == groups[row].is_expected);
	dismiss(&guest);
}
END_TEST

START_TEST(a_denied_supplementary_group_outweighs_an_allowed_user)
{
	struct guest guest;

	receive_guest(&guest, SOCK_SEQPACKET);
	rules.is_anyone = true;
	add(&rules.users_allowed, FIRST);
	ck_assert(may_talk(&guest));
	add(&rules.groups_denied, THIRD + 1);
	ck_assert(may_talk(&guest));
	add(&rules.groups_denied, THIRD);
	ck_assert(!may_talk(&guest));
	dismiss(&guest);
}
END_TEST

START_TEST(of_a_datagram_only_the_group_that_came_with_it_counts)
{
	add(&rules.groups_allowed, SECOND);
	ck_assert(!is_allowed(true, FIRST, FIRST));
	ck_assert(is_allowed(true, FIRST, SECOND));
}
END_TEST

/* A socket of which the kernel knows no groups: a listener. */
START_TEST(unknown_groups_allow_nothing_and_are_denied)
{
	struct unixcred cred = { .pid = 1, .uid = FIRST, .gid = FIRST };
	int fd = open_listening(SOCK_STREAM, support_abstract("listener"));

	add(&rules.groups_allowed, SECOND);
	ck_assert(!unixaccess__is_allowed(&rules, false, &cred, fd));
	add(&rules.users_allowed, FIRST);
	ck_assert(unixaccess__is_allowed(&rules, false, &cred, fd));
	add(&rules.groups_denied, THIRD);
	ck_assert(!unixaccess__is_allowed(&rules, false, &cred, fd));
	close(fd);
}
END_TEST

static TCase *make_table(void)
{
	TCase *tcase = make_tcase_with("table", set_up, tear_down);

	tcase_add_test(tcase, an_id_is_in_the_list_once);
	tcase_add_test(tcase, nobody_cannot_be_added);
	tcase_add_test(tcase, adding_keeps_errno);
	tcase_add_test(tcase, many_ids_are_all_found);
	tcase_add_test(tcase, the_rules_are_those_of_the_contract);
	tcase_add_test(tcase, ids_of_users_and_of_groups_are_not_mixed_up);
	support_add_root_test(tcase,
		on_an_abstract_name_we_and_root_may_talk_when_we_are_another);
	return tcase;
}

static TCase *make_groups(void)
{
	TCase *tcase = make_tcase_with("groups", set_up, tear_down);

	support_add_root_loop_test(tcase,
		supplementary_groups_of_a_connection_count,
		(int)(COUNT(groups) * COUNT(connected_types)));
	support_add_root_test(tcase,
		a_denied_supplementary_group_outweighs_an_allowed_user);
	tcase_add_test(tcase,
		of_a_datagram_only_the_group_that_came_with_it_counts);
	tcase_add_test(tcase, unknown_groups_allow_nothing_and_are_denied);
	return tcase;
}

int main(void)
{
	return support_run_cases("access", make_table(), make_groups());
}
