/* SPDX-License-Identifier: MIT */
/*
 * What datagram peers that were closed have not read, against the real kernel.
 * What a service does with it is in check_service_limits.
 */
#include <config.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proof/fault.h"
#include "service/service_sender.h"
#include "support/scene.h"

enum { UNREAD_MOST = 1024, DEBTORS = 3, LARGE = 100000 };

static struct user user, other;
static struct unread_list unread;
static struct budget budget;
static struct sender senders[DEBTORS];
static int fds[DEBTORS];
static char bytes[LARGE];

static void set_up(void)
{
	memset(&user, 0, sizeof(user));
	memset(&other, 0, sizeof(other));
	unixunread__init(&unread);
	ck_assert_int_eq(unixbudget__init(&budget, open_socket(SOCK_DGRAM), 0),
		0);
}

static void tear_down(void)
{
	unixunread__free(&unread);
	close(budget.fd);
	unixbudget__free(&budget);
}

static void make_sender(struct sender *sender, struct user *of,
	const char *name)
{
	memset(sender, 0, sizeof(*sender));
	sender->peer.user = of;
	sender->addr = address_of(name);
}

static void send_large(struct sender *sender)
{
	socklen_t length;
	const struct sockaddr *sa =
		unixaddr_get_sockaddr(&sender->addr, &length);

	ck_assert_int_eq(sendto(budget.fd, bytes, LARGE, MSG_DONTWAIT, sa,
				 length),
		LARGE);
	unixbudget__charge(&budget, &sender->account, LARGE);
}

/* They read nothing yet. */
static void make_readers(void)
{
	char name[16] = "reader0";
	int i;

	for (i = 0; i < DEBTORS; i++) {
		name[6] = (char)('0' + i);
		make_sender(&senders[i], &user, support_path(name));
		fds[i] = open_bound(SOCK_DGRAM, support_path(name));
	}
}

static void close_readers(void)
{
	int i;

	for (i = 0; i < DEBTORS; i++)
		close(fds[i]);
}

static void settle(const struct user *of)
{
	/* It is time for another list whenever one is wanted. */
	budget.list_us = 0;
	unixunread__look(&unread, &budget, of);
}

START_TEST(who_was_closed_unknown_is_looked_up_by_name)
{
	make_readers();
	send_large(&senders[0]);
	unixunread__add(&unread, &senders[0]);
	/* Not yet: it is no time for a list. */
	budget.list_us = INT64_MAX;
	unixunread__look(&unread, &budget, &user);
	ck_assert_uint_eq(user.unread_count, 1);
	settle(&user);
	ck_assert_uint_eq(user.unread_count, 1);
	ck_assert_uint_ne(unread.list[0].account.ino, 0);
	/* Somebody else keeps the level up. */
	send_large(&senders[1]);
	ck_assert_int_eq(recv(fds[0], bytes, LARGE, MSG_DONTWAIT), LARGE);
	settle(&user);
	ck_assert_uint_eq(user.unread_count, 0);
	ck_assert_uint_eq(unread.count, 0);
	close_readers();
}
END_TEST

START_TEST(messages_to_another_user_are_not_asked_about)
{
	make_readers();
	send_large(&senders[0]);
	senders[0].peer.user = &other;
	unixunread__add(&unread, &senders[0]);
	close_readers();
	settle(&user);
	ck_assert_uint_eq(other.unread_count, 1);
	settle(&other);
	ck_assert_uint_eq(other.unread_count, 0);
}
END_TEST

START_TEST(what_was_held_is_held_again_by_the_same_name_and_user)
{
	struct sender again;

	make_sender(&senders[0], &user, "@reader");
	senders[0].account.bytes = 4711;
	unixunread__add(&unread, &senders[0]);
	make_sender(&again, &other, "@reader");
	unixunread__resume(&unread, &again);
	ck_assert_uint_eq(again.account.bytes, 0);
	make_sender(&again, &user, "@another");
	unixunread__resume(&unread, &again);
	ck_assert_uint_eq(again.account.bytes, 0);
	make_sender(&again, &user, "@reader");
	unixunread__resume(&unread, &again);
	ck_assert_uint_eq(again.account.bytes, 4711);
	ck_assert_uint_eq(user.unread_count, 0);
	unixunread__resume(&unread, &again);
	ck_assert_uint_eq(unread.count, 0);
}
END_TEST

START_TEST(a_user_gets_nothing_of_another_that_has_its_name)
{
	struct sender again;
	int i;

	for (i = 0; i < 2; i++) {
		make_sender(&senders[i], i == 0 ? &other : &user, "@reader");
		senders[i].account.bytes = 4711 + (size_t)i;
		unixunread__add(&unread, &senders[i]);
	}
	make_sender(&again, &user, "@reader");
	unixunread__resume(&unread, &again);
	ck_assert_uint_eq(again.account.bytes, 4712);
	ck_assert_uint_eq(user.unread_count, 0);
	ck_assert_uint_eq(other.unread_count, 1);
}
END_TEST

/* Who reads nothing costs no more than a few questions at a time. */
START_TEST(not_all_are_asked_about_at_once)
{
	int i;

	make_readers();
	for (i = 0; i < DEBTORS; i++) {
		send_large(&senders[i]);
		unixunread__add(&unread, &senders[i]);
	}
	settle(&user);
	ck_assert_uint_eq(user.unread_count, DEBTORS);
	for (i = 0; i < DEBTORS; i++)
		ck_assert_int_eq(recv(fds[i], bytes, LARGE, MSG_DONTWAIT),
			LARGE);
	settle(&user);
	ck_assert_uint_eq(user.unread_count, 0);
	close_readers();
}
END_TEST

START_TEST(there_are_no_more_than_so_many)
{
	int i;

	make_sender(&senders[0], &user, "@reader");
	for (i = 0; i < 2 * UNREAD_MOST + 5; i++)
		unixunread__add(&unread, &senders[0]);
	ck_assert_uint_eq(unread.count, UNREAD_MOST);
	ck_assert_uint_eq(user.unread_count, UNREAD_MOST);
}
END_TEST

START_TEST(without_memory_it_is_forgotten)
{
	make_sender(&senders[0], &user, "@reader");
	fault_fail_one("reallocarray", 0, ENOMEM);
	unixunread__add(&unread, &senders[0]);
	fault_stop();
	ck_assert_uint_eq(fault_get_hits(), 1);
	ck_assert_uint_eq(user.unread_count, 0);
	unixunread__add(&unread, &senders[0]);
	ck_assert_uint_eq(user.unread_count, 1);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("unread", set_up, tear_down);

	tcase_add_test(tcase, who_was_closed_unknown_is_looked_up_by_name);
	tcase_add_test(tcase, messages_to_another_user_are_not_asked_about);
	tcase_add_test(tcase,
		what_was_held_is_held_again_by_the_same_name_and_user);
	tcase_add_test(tcase, a_user_gets_nothing_of_another_that_has_its_name);
	tcase_add_test(tcase, not_all_are_asked_about_at_once);
	tcase_add_test(tcase, there_are_no_more_than_so_many);
	support_add_test_if(tcase, without_memory_it_is_forgotten,
		fault_is_able(), "calls cannot be made to fail here");
	return support_run_cases("unread", tcase);
}
