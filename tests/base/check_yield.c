/* SPDX-License-Identifier: MIT */
/* Times are so long ago that no test can be too slow for them. */
#include <config.h>

#include "base/yield.h"
#include "support/support.h"
#include "unixmsg/deadline.h"

static const int64_t long_us = 100000000;

START_TEST(it_may_yield_at_first)
{
	struct yield yield = { 0 };

	ck_assert_int_gt(unixyield__begin(&yield), 0);
}
END_TEST

START_TEST(it_rests_for_longer_than_it_has_lost)
{
	struct yield yield = { 0 };
	const int64_t now_us = unixdeadline_now_us();

	unixyield__rest(&yield, now_us - long_us);
	ck_assert_int_eq(unixyield__begin(&yield), 0);
	ck_assert_int_ge(yield.rest_until_us, now_us + 16 * long_us);
}
END_TEST

START_TEST(a_rest_ends)
{
	struct yield yield = { 0 };

	yield.rest_until_us = unixdeadline_now_us();
	ck_assert_int_gt(unixyield__begin(&yield), 0);
}
END_TEST

START_TEST(what_takes_long_is_late)
{
	const int64_t now_us = unixdeadline_now_us();

	ck_assert(unixyield__is_late(now_us - long_us));
	ck_assert(!unixyield__is_late(now_us + long_us));
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("rests");

	tcase_add_test(tcase, it_may_yield_at_first);
	tcase_add_test(tcase, it_rests_for_longer_than_it_has_lost);
	tcase_add_test(tcase, a_rest_ends);
	tcase_add_test(tcase, what_takes_long_is_late);
	return support_run_cases("yield", tcase);
}
