/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <pthread.h>

#include "base/turn.h"
#include "support/scene.h"

static struct turn turn;
static unsigned long total; /* of whoever has the turn */

START_TEST(who_comes_first_has_it_until_it_is_given_back)
{
	struct turn mine = { 0 };

	errno = EXDEV;
	ck_assert_int_eq(unixturn__take(&mine), 0);
	unixturn__give(&mine);
	ck_assert_int_eq(unixturn__take(&mine), 0);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(who_waits_lets_nobody_wait_for_it)
{
	struct turn mine = { 0 };

	ck_assert_int_eq(unixturn__take(&mine), 0);
	unixturn__begin_wait(&mine);
	ck_assert_errno(unixturn__take(&mine), EAGAIN);
	unixturn__end_wait(&mine);
	unixturn__give(&mine);
	ck_assert_int_eq(unixturn__take(&mine), 0);
}
END_TEST

static void *add(void *most)
{
	int i;

	for (i = 0; i < *(int *)most; i++) {
		if (unixturn__take(&turn) < 0)
			return most;
		total++;
		unixturn__give(&turn);
	}
	return NULL;
}

START_TEST(two_threads_never_have_it_at_once)
{
	int most = rounds(200000);
	pthread_t other;
	void *failed;

	ck_assert_int_eq(pthread_create(&other, NULL, add, &most), 0);
	ck_assert_ptr_null(add(&most));
	ck_assert_int_eq(pthread_join(other, &failed), 0);
	ck_assert_ptr_null(failed);
	ck_assert_uint_eq(total, 2ul * (unsigned long)most);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("turns");

	tcase_add_test(tcase, who_comes_first_has_it_until_it_is_given_back);
	tcase_add_test(tcase, who_waits_lets_nobody_wait_for_it);
	tcase_add_test(tcase, two_threads_never_have_it_at_once);
	return support_run_cases("turn", tcase);
}
