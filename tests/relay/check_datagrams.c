/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "relay/datagrams.h"
#include "support/support.h"
#include "unixmsg/deadline.h"

enum { MOST = 5, SILENCE = 100 };

static const uint64_t seed = 0x1f8e0c7745ab92d6;

static struct datagrams datagrams;

static void set_up(void)
{
	ck_assert_int_eq(datagrams_init(&datagrams, MOST, SILENCE), 0);
}

static void tear_down(void)
{
	datagrams_free(&datagrams);
}

static const char *subject_of(unsigned int number)
{
	static char text[SUBJECT_ROOM];

	snprintf(text, sizeof(text), "uxg.1.r.echo.alpha.0a.%u", number);
	return text;
}

static struct datagram_client *add(unsigned int number, int64_t now_us)
{
	struct datagram_client *client = datagrams_add(&datagrams,
		subject_of(number), 1000 + number, now_us);

	ck_assert_ptr_nonnull(client);
	return client;
}

START_TEST(a_client_is_found_by_its_subject_and_by_its_peer)
{
	struct datagram_client *client = add(1, 0);

	add(2, 0);
	ck_assert_ptr_eq(datagrams_find_subject(&datagrams, subject_of(1), 0),
		client);
	ck_assert_ptr_eq(datagrams_find_peer(&datagrams, 1001, 0), client);
	ck_assert_str_eq(client->subject, subject_of(1));
	ck_assert_ptr_null(
		datagrams_find_subject(&datagrams, subject_of(3), 0));
	ck_assert_ptr_null(datagrams_find_peer(&datagrams, 1, 0));
}
END_TEST

START_TEST(a_removed_client_is_not_found)
{
	datagrams_remove(&datagrams, add(1, 0));
	ck_assert_ptr_null(
		datagrams_find_subject(&datagrams, subject_of(1), 0));
	ck_assert_ptr_null(datagrams_find_peer(&datagrams, 1001, 0));
	ck_assert_int_eq(datagrams_get_deadline_us(&datagrams),
		UNIXMSG_FOREVER);
	add(1, 0);
}
END_TEST

START_TEST(one_too_many_is_refused_and_the_others_stay)
{
	unsigned int i;

	for (i = 0; i < MOST; i++)
		add(i, 0);
	ck_assert_null_errno(datagrams_add(&datagrams, subject_of(MOST), 1, 0),
		ENOSPC);
	for (i = 0; i < MOST; i++)
		ck_assert_ptr_nonnull(
			datagrams_find_subject(&datagrams, subject_of(i), 0));
	datagrams_remove(&datagrams, datagrams_find_peer(&datagrams, 1000, 0));
	add(MOST, 0);
}
END_TEST

static void add_of(const char *host, unsigned int number, int64_t now_us)
{
	char text[SUBJECT_ROOM];

	snprintf(text, sizeof(text), "uxg.1.r.echo.%s.%u", host, number);
	ck_assert_ptr_nonnull(
		datagrams_add(&datagrams, text, 1000 + number, now_us));
}

static void expect_surplus(const char *host, unsigned int number)
{
	char text[SUBJECT_ROOM];

	snprintf(text, sizeof(text), "uxg.1.r.echo.%s.99", host);
	ck_assert_uint_eq(datagrams_get_surplus(&datagrams, text)->peer,
		1000 + number);
}

START_TEST(there_is_no_surplus_while_there_is_room)
{
	unsigned int i;

	for (i = 1; i < MOST; i++)
		add(i, 0);
	ck_assert_ptr_null(datagrams_get_surplus(&datagrams, subject_of(0)));
}
END_TEST

START_TEST(the_host_with_the_most_clients_makes_room_by_its_oldest)
{
	add_of("beta.1", 1, 0);
	add_of("alpha.1", 2, 1);
	add_of("beta.1", 3, 2);
	add_of("alpha.2", 4, 3);
	add_of("alpha.1", 5, 4);
	expect_surplus("gamma.1", 2);
	expect_surplus("alpha.1", 2);
	expect_surplus("beta.1", 1);
	datagrams_find_peer(&datagrams, 1002, 5);
	expect_surplus("gamma.1", 4);
}
END_TEST

START_TEST(of_hosts_with_as_many_the_oldest_client_makes_room)
{
	add_of("alpha.1", 1, 0);
	add_of("beta.1", 2, 1);
	add_of("gamma.1", 3, 2);
	add_of("gamma.1", 4, 3);
	add_of("beta.1", 5, 4);
	expect_surplus("delta.1", 2);
}
END_TEST

START_TEST(a_host_without_clients_is_forgotten)
{
	add_of("alpha.1", 1, 0);
	add_of("beta.1", 2, 0);
	ck_assert_ptr_nonnull(datagrams.hosts);
	datagrams_remove(&datagrams, datagrams.oldest);
	datagrams_remove(&datagrams, datagrams.oldest);
	ck_assert_ptr_null(datagrams.hosts);
}
END_TEST

START_TEST(a_subject_or_a_peer_is_there_once)
{
	add(1, 0);
	ck_assert_null_errno(datagrams_add(&datagrams, subject_of(1), 5, 0),
		EEXIST);
	ck_assert_null_errno(datagrams_add(&datagrams, subject_of(2), 1001, 0),
		EEXIST);
	ck_assert_uint_eq(datagrams.count, 1);
}
END_TEST

START_TEST(a_subject_without_room_is_refused)
{
	char text[SUBJECT_ROOM + 1] = "";

	memset(text, 'x', SUBJECT_ROOM);
	ck_assert_null_errno(datagrams_add(&datagrams, text, 1, 0), ENOSPC);
	text[SUBJECT_ROOM - 1] = '\0';
	ck_assert_ptr_nonnull(datagrams_add(&datagrams, text, 1, 0));
}
END_TEST

START_TEST(a_silent_client_is_given_and_not_before)
{
	struct datagram_client *client = add(1, 7);

	ck_assert_int_eq(datagrams_get_deadline_us(&datagrams), 7 + SILENCE);
	ck_assert_ptr_null(datagrams_get_silent(&datagrams, 6 + SILENCE));
	ck_assert_ptr_eq(datagrams_get_silent(&datagrams, 7 + SILENCE), client);
}
END_TEST

START_TEST(what_arrives_and_what_is_answered_both_count_as_use)
{
	struct datagram_client *client = add(1, 0);

	add(2, 10);
	if (_i == 0)
		datagrams_find_subject(&datagrams, subject_of(1), 20);
	else
		datagrams_find_peer(&datagrams, 1001, 20);
	ck_assert_int_eq(datagrams_get_deadline_us(&datagrams), 10 + SILENCE);
	datagrams_remove(&datagrams,
		datagrams_get_silent(&datagrams, 10 + SILENCE));
	ck_assert_ptr_null(datagrams_get_silent(&datagrams, 10 + SILENCE));
	ck_assert_ptr_eq(datagrams_get_silent(&datagrams, 20 + SILENCE),
		client);
}
END_TEST

START_TEST(a_silence_may_last_for_ever)
{
	datagrams.silence_us = UNIXMSG_FOREVER;
	add(1, 1);
	ck_assert_int_eq(datagrams_get_deadline_us(&datagrams),
		UNIXMSG_FOREVER);
	ck_assert_ptr_null(
		datagrams_get_silent(&datagrams, UNIXMSG_FOREVER - 1));
}
END_TEST

/* Held against a plain list of when each client was used. */
START_TEST(random_operations_agree_with_a_plain_list)
{
	enum { NUMBERS = 12 };
	int64_t used[NUMBERS] = { 0 }, oldest;
	uint64_t state = seed;
	unsigned int number, i, count = 0;
	struct datagram_client *client;
	int64_t now;

	printf("seed %#" PRIx64 "\n", seed);
	for (now = 1; now < 20000; now++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		number = (unsigned int)(state >> 33) % NUMBERS;
		client = datagrams_find_peer(&datagrams, 1000 + number, now);
		ck_assert_int_eq(client != NULL, used[number] != 0);
		if (client != NULL && state >> 62 == 0) {
			datagrams_remove(&datagrams, client);
			used[number] = 0;
			count--;
		} else if (client != NULL || count < MOST) {
			if (client == NULL) {
				add(number, now);
				count++;
			}
			used[number] = now;
		}
		ck_assert_uint_eq(datagrams.count, count);
		for (oldest = INT64_MAX, i = 0; i < NUMBERS; i++)
			if (used[i] != 0 && used[i] < oldest)
				oldest = used[i];
		ck_assert_int_eq(datagrams_get_deadline_us(&datagrams),
			count == 0 ? UNIXMSG_FOREVER : oldest + SILENCE);
	}
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("datagrams", set_up, tear_down);

	tcase_add_test(tcase, a_client_is_found_by_its_subject_and_by_its_peer);
	tcase_add_test(tcase, a_removed_client_is_not_found);
	tcase_add_test(tcase, one_too_many_is_refused_and_the_others_stay);
	tcase_add_test(tcase, there_is_no_surplus_while_there_is_room);
	tcase_add_test(tcase,
		the_host_with_the_most_clients_makes_room_by_its_oldest);
	tcase_add_test(tcase,
		of_hosts_with_as_many_the_oldest_client_makes_room);
	tcase_add_test(tcase, a_host_without_clients_is_forgotten);
	tcase_add_test(tcase, a_subject_or_a_peer_is_there_once);
	tcase_add_test(tcase, a_subject_without_room_is_refused);
	tcase_add_test(tcase, a_silent_client_is_given_and_not_before);
	tcase_add_loop_test(tcase,
		what_arrives_and_what_is_answered_both_count_as_use, 0, 2);
	tcase_add_test(tcase, a_silence_may_last_for_ever);
	tcase_add_test(tcase, random_operations_agree_with_a_plain_list);
	return support_run_cases("datagrams", tcase);
}
