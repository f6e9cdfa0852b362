/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdint.h>

#include "relay/subject.h"
#include "support/support.h"

static const struct subject_names ours = {
	.prefix = "uxg.1",
	.service = "echo",
	.host = "alpha",
	.incarnation = "00112233445566778899",
};

#define LONG_NAME "0123456789_-abcdefghijklmnOPQRST"

static char text[SUBJECT_ROOM];

START_TEST(each_kind_has_its_subject)
{
	static const char *const wanted[] = {
		"uxg.1.d.echo",
		"uxg.1.r.echo.alpha.00112233445566778899.7",
		"uxg.1.q.echo.open",
		"uxg.1.s.echo.alpha.00112233445566778899.7",
		"uxg.1.h.echo",
	};

	subject_format(text, &ours, (enum subject_kind)_i, 7);
	ck_assert_str_eq(text, wanted[_i]);
}
END_TEST

START_TEST(a_subscription_is_to_all_numbers)
{
	subject_format_all(text, &ours, SUBJECT_SESSION);
	ck_assert_str_eq(text, "uxg.1.s.echo.alpha.00112233445566778899.*");
}
END_TEST

START_TEST(the_longest_names_have_room)
{
	const struct subject_names names = {
		.prefix = LONG_NAME "." LONG_NAME,
		.service = LONG_NAME,
		.host = LONG_NAME,
		.incarnation = "ffffffffffffffffffff",
	};
	uint64_t number;

	subject_format(text, &names, SUBJECT_SESSION, UINT64_MAX);
	ck_assert_int_eq(subject_read(text, &names, SUBJECT_SESSION, &number),
		0);
	ck_assert_uint_eq(number, UINT64_MAX);
}
END_TEST

static const char *const no_names[] = { "", ".", "a.b", "a b", "a\n", "*", ">",
	"\xc3\xa4", "a/b", "$SYS", LONG_NAME "x" };

START_TEST(what_is_no_name_is_refused)
{
	ck_assert(!subject_is_name(no_names[_i]));
}
END_TEST

START_TEST(names_have_up_to_32_characters)
{
	ck_assert(subject_is_name("a"));
	ck_assert(subject_is_name(LONG_NAME));
	ck_assert_uint_eq(strlen(LONG_NAME), SUBJECT_NAME_MAX);
}
END_TEST

START_TEST(a_prefix_is_names_with_dots)
{
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "a.*",
		"a.>", "a b", LONG_NAME "x",
		"0123456789abcdef.0123456789abcdef."
		"0123456789abcdef.0123456789abcd" };
	size_t i;

	ck_assert(subject_is_prefix("uxg.1"));
	ck_assert(subject_is_prefix("uxg"));
	for (i = 0; i < COUNT(bad); i++)
		ck_assert_msg(!subject_is_prefix(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(two_incarnations_differ_and_are_names)
{
	char a[SUBJECT_INCARNATION_ROOM], b[SUBJECT_INCARNATION_ROOM];

	ck_assert_int_eq(subject_make_incarnation(a), 0);
	ck_assert_int_eq(subject_make_incarnation(b), 0);
	ck_assert_uint_eq(strlen(a), SUBJECT_INCARNATION_ROOM - 1);
	ck_assert(subject_is_name(a) && subject_is_name(b));
	ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(our_own_number_is_read)
{
	static const uint64_t numbers[] = { 0, 1, 10, UINT64_MAX };
	uint64_t number;

	subject_format(text, &ours, SUBJECT_REPLY, numbers[_i]);
	ck_assert_int_eq(subject_read(text, &ours, SUBJECT_REPLY, &number), 0);
	ck_assert_uint_eq(number, numbers[_i]);
}
END_TEST

#define OURS "uxg.1.s.echo.alpha.00112233445566778899"

static const char *const not_ours[] = {
	"",
	".",
	"7",
	OURS,
	OURS ".",
	OURS ".07",
	OURS ".+7",
	OURS ". 7",
	OURS ".7 ",
	OURS ".7\r\n",
	OURS ".*",
	OURS ".>",
	OURS ".7.8",
	OURS ".18446744073709551616",
	OURS ".18446744073709551623",
	"uxg.1.s.echo.alpha.00112233445566778898.7",
	"uxg.1.s.echo.beta.00112233445566778899.7",
	"uxg.1.s.else.alpha.00112233445566778899.7",
	"uxg.1.r.echo.alpha.00112233445566778899.7",
	"uxg.2.s.echo.alpha.00112233445566778899.7",
};

START_TEST(what_is_not_our_subject_has_no_number)
{
	uint64_t number = 42;

	ck_assert_errno(subject_read(not_ours[_i], &ours, SUBJECT_SESSION,
				&number),
		EPROTO);
	ck_assert_uint_eq(number, 42);
}
END_TEST

START_TEST(a_kind_without_numbers_has_none_to_read)
{
	uint64_t number;

	ck_assert_errno(subject_read("uxg.1.d.echo", &ours, SUBJECT_DATAGRAM,
				&number),
		EPROTO);
}
END_TEST

START_TEST(a_subject_of_another_host_is_proved)
{
	ck_assert_int_eq(subject_prove("uxg.1.s.echo.beta.0a.1", &ours,
				 SUBJECT_SESSION),
		0);
	ck_assert_int_eq(subject_prove("uxg.1.r.echo." LONG_NAME ".0a.12",
				 &ours, SUBJECT_REPLY),
		0);
}
END_TEST

static const char *const hostile[] = {
	"",
	"...",
	"1.2.3",
	"uxg.1.s.echo.beta.1",
	"uxg.1.s.echo.beta.0a.x.1",
	"uxg.1.s.echo.*.0a.1",
	"uxg.1.s.echo.>.0a.1",
	"uxg.1.s.echo.beta.*.1",
	"uxg.1.s.echo..0a.1",
	"uxg.1.s.echo.beta..1",
	"uxg.1.s.echo.beta.0a.",
	"uxg.1.s.echo.beta.0a.*",
	"uxg.1.s.echo.beta.0a.01",
	"uxg.1.s.echo.be ta.0a.1",
	"uxg.1.s.echo.beta.0a.1 5\r\nhello\r\nPUB x",
	"uxg.1.s.echo.be\r\nPUB x 0\r\n.0a.1",
	"uxg.1.s.else.beta.0a.1",
	"uxg.1.r.echo.beta.0a.1",
	"$SYS.REQ.SERVER.PING",
	"_INBOX.beta.0a.1",
	"uxg.1.s.echo." LONG_NAME "x.0a.1",
	"uxg.1.s.echo." LONG_NAME LONG_NAME LONG_NAME LONG_NAME LONG_NAME
		LONG_NAME ".0a.1",
};

START_TEST(a_hostile_subject_is_not_proved)
{
	ck_assert_errno(subject_prove(hostile[_i], &ours, SUBJECT_SESSION),
		EPROTO);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("subject");

	tcase_add_loop_test(tcase, each_kind_has_its_subject, 0, 5);
	tcase_add_test(tcase, a_subscription_is_to_all_numbers);
	tcase_add_test(tcase, the_longest_names_have_room);
	tcase_add_loop_test(tcase, what_is_no_name_is_refused, 0,
		(int)COUNT(no_names));
	tcase_add_test(tcase, names_have_up_to_32_characters);
	tcase_add_test(tcase, a_prefix_is_names_with_dots);
	tcase_add_test(tcase, two_incarnations_differ_and_are_names);
	tcase_add_loop_test(tcase, our_own_number_is_read, 0, 4);
	tcase_add_loop_test(tcase, what_is_not_our_subject_has_no_number, 0,
		(int)COUNT(not_ours));
	tcase_add_test(tcase, a_kind_without_numbers_has_none_to_read);
	tcase_add_test(tcase, a_subject_of_another_host_is_proved);
	tcase_add_loop_test(tcase, a_hostile_subject_is_not_proved, 0,
		(int)COUNT(hostile));
	return support_run_cases("subject", tcase);
}
