/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <pthread.h>
#include <sys/syscall.h>

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

static int ready[2];

static void *wait_for_it(void *mine)
{
	const pid_t thread = (pid_t)syscall(SYS_gettid);

	if (write(ready[1], &thread, sizeof(thread)) != sizeof(thread) ||
		unixturn__take(mine) < 0)
		return mine;
	unixturn__give(mine);
	return NULL;
}

/* Whoever works may need the processor for that. */
START_TEST(who_waits_long_for_it_sleeps)
{
	struct turn mine = { 0 };
	pthread_t other;
	pid_t thread;
	void *failed;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(unixturn__take(&mine), 0);
	ck_assert_int_eq(pthread_create(&other, NULL, wait_for_it, &mine), 0);
	ck_assert_int_eq(read(ready[0], &thread, sizeof(thread)),
		sizeof(thread));
	support_wait_until_asleep(thread);
	unixturn__give(&mine);
	ck_assert_int_eq(pthread_join(other, &failed), 0);
	ck_assert_ptr_null(failed);
	close_pipe(ready);
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
	tcase_add_test(tcase, who_waits_long_for_it_sleeps);
	tcase_add_test(tcase, two_threads_never_have_it_at_once);
	return support_run_cases("turn", tcase);
}
