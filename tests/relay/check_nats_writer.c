/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/nats_writer.h"
#include "support/support.h"
#include "tools/common/json.h"

enum { BOUND = 1000 };

static struct nats_writer writer;

static void set_up(void)
{
	ck_assert_int_eq(nats_writer_init(&writer, BOUND), 0);
}

static void tear_down(void)
{
	nats_writer_free(&writer);
}

static size_t get_size(void)
{
	size_t size;

	nats_writer_get(&writer, &size);
	return size;
}

static void expect(const char *text)
{
	size_t size;
	const void *data = nats_writer_get(&writer, &size);

	ck_assert_uint_eq(size, strlen(text));
	ck_assert_mem_eq(data, text, size);
	nats_writer_sent(&writer, size);
}

static int publish(const char *subject, const char *reply, const char *text)
{
	struct iovec part = { (void *)text, strlen(text) };

	return nats_put_publish(&writer, subject, reply, &part, 1);
}

/* Commands */

START_TEST(a_subscription_may_share_a_queue)
{
	ck_assert_int_eq(nats_put_subscribe(&writer, "a.*", NULL, 7), 0);
	ck_assert_int_eq(nats_put_subscribe(&writer, "a", "q", 8), 0);
	ck_assert_int_eq(nats_put_unsubscribe(&writer, UINT64_MAX), 0);
	expect("SUB a.* 7\r\nSUB a q 8\r\nUNSUB 18446744073709551615\r\n");
}
END_TEST

START_TEST(a_message_is_all_its_parts)
{
	char first[] = "fi\0st", second[] = "\r\n";
	struct iovec parts[] = { { first, 5 }, { NULL, 0 }, { second, 2 } };
	size_t size;
	const char *data;

	ck_assert_int_eq(nats_put_publish(&writer, "a", "r.1", parts, 3), 0);
	data = nats_writer_get(&writer, &size);
	ck_assert_uint_eq(size, sizeof("PUB a r.1 7\r\nfi_st\r\n\r\n") - 1);
	ck_assert_mem_eq(data, "PUB a r.1 7\r\nfi\0st\r\n\r\n", size);
}
END_TEST

START_TEST(a_message_may_be_empty_and_without_a_reply)
{
	ck_assert_int_eq(nats_put_publish(&writer, "a", NULL, NULL, 0), 0);
	expect("PUB a 0\r\n\r\n");
}
END_TEST

START_TEST(a_ping_and_its_answer_are_lines)
{
	ck_assert_int_eq(nats_put_ping(&writer), 0);
	ck_assert_int_eq(nats_put_pong(&writer), 0);
	expect("PING\r\nPONG\r\n");
}
END_TEST

/* CONNECT */

/* Reads the text of a member of the object behind CONNECT as a server does. */
static void expect_member(const char *wanted, const char *value)
{
	char copy[4096], *name, *text;
	size_t size, name_size, text_size = 0;
	const char *data = nats_writer_get(&writer, &size);
	struct json json;
	bool is_found = false;

	ck_assert_uint_lt(size, sizeof(copy));
	ck_assert_mem_eq(data, "CONNECT ", 8);
	ck_assert_mem_eq(data + size - 2, "\r\n", 2);
	memcpy(copy, data + 8, size - 8);
	json_init(&json, copy, size - 10);
	ck_assert(json_accept(&json, '{'));
	do {
		ck_assert_int_eq(json_take_string(&json, &name, &name_size), 0);
		ck_assert(json_accept(&json, ':'));
		json_skip_blanks(&json);
		is_found = name_size == strlen(wanted) &&
			memcmp(name, wanted, name_size) == 0;
		if (is_found)
			ck_assert_int_eq(json_take_string(&json, &text,
						 &text_size),
				0);
		else
			ck_assert_int_eq(json_skip_value(&json), 0);
	} while (!is_found && json_accept(&json, ','));
	ck_assert_int_eq(is_found, value != NULL);
	if (value == NULL)
		return;
	ck_assert_uint_eq(text_size, strlen(value));
	ck_assert_mem_eq(text, value, text_size);
}

static const char *const logins[] = { "plain", "", "\"},\"x\":\"", "\\", "\\\"",
	"\r\nPUB a 0\r\n\r\n", "\x01\x1f\x7f", "\xc3\xa4\xe2\x82\xac",
	"a b\t" };

START_TEST(credentials_arrive_as_they_are)
{
	const struct nats_login login = { .name = logins[_i],
		.user = logins[_i],
		.password = logins[_i] };
	size_t size;
	const char *data;

	ck_assert_int_eq(nats_put_connect(&writer, &login), 0);
	data = nats_writer_get(&writer, &size);
	ck_assert_ptr_eq(memchr(data, '\n', size), data + size - 1);
	expect_member("name", logins[_i]);
	expect_member("user", logins[_i]);
	expect_member("pass", logins[_i]);
}
END_TEST

START_TEST(without_credentials_none_are_sent)
{
	const struct nats_login login = { .name = "n" };

	ck_assert_int_eq(nats_put_connect(&writer, &login), 0);
	expect_member("user", NULL);
	expect_member("pass", NULL);
	expect_member("name", "n");
}
END_TEST

START_TEST(the_longest_credentials_have_room_in_a_line)
{
	char most[NATS_LOGIN_MAX + 1] = "";
	const struct nats_login login = { most, most, most };

	nats_writer_free(&writer);
	ck_assert_int_eq(nats_writer_init(&writer, 8192), 0);
	memset(most, '\x01', NATS_LOGIN_MAX);
	ck_assert_int_eq(nats_put_connect(&writer, &login), 0);
	ck_assert_uint_lt(get_size(), 4096);
	expect_member("pass", most);
}
END_TEST

START_TEST(what_is_no_text_is_no_credential)
{
	char more[NATS_LOGIN_MAX + 2] = "";
	const struct nats_login bad[] = { { .user = "\xff" },
		{ .password = "\xc3" }, { .name = "\xed\xa0\x80" },
		{ .password = more } };

	memset(more, 'x', NATS_LOGIN_MAX + 1);
	ck_assert_errno(nats_put_connect(&writer, &bad[_i]), EINVAL);
	ck_assert_uint_eq(get_size(), 0);
}
END_TEST

/* Subjects */

static const char *const no_subjects[] = { "", " ", "a b", "a\r\nPUB x 0\r\n",
	"a\n", "a\t", "\x7f", "\xc3\xa4" };

START_TEST(a_subject_ends_no_command)
{
	const char *bad = no_subjects[_i];

	ck_assert_errno(publish(bad, NULL, "x"), EINVAL);
	ck_assert_errno(publish("a", bad, "x"), EINVAL);
	ck_assert_errno(nats_put_subscribe(&writer, bad, NULL, 1), EINVAL);
	ck_assert_errno(nats_put_subscribe(&writer, "a", bad, 1), EINVAL);
	ck_assert_uint_eq(get_size(), 0);
}
END_TEST

START_TEST(a_subject_too_long_is_refused)
{
	char subject[1025] = "";

	memset(subject, 'x', 1024);
	ck_assert_errno(publish(subject, NULL, "x"), EINVAL);
}
END_TEST

/* Bounds */

START_TEST(a_command_without_room_is_not_begun)
{
	char payload[BOUND - sizeof("PUB a 978\r\n\r\n") + 2] = "";

	memset(payload, 'x', sizeof(payload) - 1);
	ck_assert_int_eq(publish("a", NULL, payload), 0);
	ck_assert_uint_eq(get_size(), BOUND);
	ck_assert_errno(nats_put_ping(&writer), EAGAIN);
	ck_assert_uint_eq(get_size(), BOUND);
	nats_writer_sent(&writer, 5);
	ck_assert_errno(nats_put_ping(&writer), EAGAIN);
	nats_writer_sent(&writer, 1);
	ck_assert_int_eq(nats_put_ping(&writer), 0);
	ck_assert_uint_eq(get_size(), BOUND);
}
END_TEST

START_TEST(what_never_has_room_is_too_long)
{
	char payload[BOUND + 1] = "";

	memset(payload, 'x', BOUND);
	ck_assert_errno(publish("a", NULL, payload), EMSGSIZE);
	payload[BOUND - 1] = '\0';
	ck_assert_errno(publish("a", NULL, payload), EMSGSIZE);
	ck_assert_uint_eq(get_size(), 0);
}
END_TEST

START_TEST(parts_that_are_more_than_memory_are_too_long)
{
	struct iovec parts[] = { { &writer, SIZE_MAX }, { &writer, 2 } };

	ck_assert_errno(nats_put_publish(&writer, "a", NULL, parts, 2),
		EMSGSIZE);
}
END_TEST

START_TEST(the_server_limits_payloads)
{
	nats_writer_set_payload_most(&writer, 4);
	ck_assert_errno(publish("a", NULL, "12345"), EMSGSIZE);
	ck_assert_int_eq(publish("a", NULL, "1234"), 0);
	nats_writer_set_payload_most(&writer, 0);
	ck_assert_int_eq(publish("a", NULL, "12345"), 0);
	expect("PUB a 4\r\n1234\r\nPUB a 5\r\n12345\r\n");
}
END_TEST

START_TEST(the_order_holds_while_some_is_sent)
{
	char wanted[64], text[8];
	unsigned int put = 0, sent = 0;
	size_t size, length;
	const char *data;

	while (put < 5000) {
		snprintf(text, sizeof(text), "%06u", put);
		if (publish("a", NULL, text) == 0) {
			put++;
			continue;
		}
		ck_assert_int_eq(errno, EAGAIN);
		data = nats_writer_get(&writer, &size);
		length = (size_t)snprintf(wanted, sizeof(wanted),
			"PUB a 6\r\n%06u\r\n", sent++);
		ck_assert_uint_ge(size, length);
		ck_assert_mem_eq(data, wanted, length);
		nats_writer_sent(&writer, length);
	}
}
END_TEST

START_TEST(a_new_connection_begins_with_nothing)
{
	ck_assert_int_eq(nats_put_ping(&writer), 0);
	nats_writer_sent(&writer, 2);
	nats_writer_reset(&writer);
	ck_assert_int_eq(nats_put_pong(&writer), 0);
	expect("PONG\r\n");
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("nats_writer", set_up, tear_down);

	tcase_add_test(tcase, a_subscription_may_share_a_queue);
	tcase_add_test(tcase, a_message_is_all_its_parts);
	tcase_add_test(tcase, a_message_may_be_empty_and_without_a_reply);
	tcase_add_test(tcase, a_ping_and_its_answer_are_lines);
	tcase_add_loop_test(tcase, credentials_arrive_as_they_are, 0,
		(int)COUNT(logins));
	tcase_add_test(tcase, without_credentials_none_are_sent);
	tcase_add_test(tcase, the_longest_credentials_have_room_in_a_line);
	tcase_add_loop_test(tcase, what_is_no_text_is_no_credential, 0, 4);
	tcase_add_loop_test(tcase, a_subject_ends_no_command, 0,
		(int)COUNT(no_subjects));
	tcase_add_test(tcase, a_subject_too_long_is_refused);
	tcase_add_test(tcase, a_command_without_room_is_not_begun);
	tcase_add_test(tcase, what_never_has_room_is_too_long);
	tcase_add_test(tcase, parts_that_are_more_than_memory_are_too_long);
	tcase_add_test(tcase, the_server_limits_payloads);
	tcase_add_test(tcase, the_order_holds_while_some_is_sent);
	tcase_add_test(tcase, a_new_connection_begins_with_nothing);
	return support_run_cases("nats_writer", tcase);
}
