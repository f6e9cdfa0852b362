/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "support/scene.h"

START_TEST(the_id_is_the_one_of_this_process)
{
	pid_t *process;

	errno = EXDEV;
	process = unixprocess__make();
	ck_assert_int_eq(unixprocess__get(process), getpid());
	ck_assert_int_eq(unixprocess__get(process), getpid());
	unixprocess__free(process);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

static pid_t ask_in_child(pid_t *process)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(unixprocess__get(process) == getpid() &&
					unixprocess__get(process) == getpid()
				? 0
				: 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

START_TEST(a_child_gets_its_own_id)
{
	pid_t *process = unixprocess__make();

	ck_assert_int_eq(unixprocess__get(process), getpid());
	ck_assert_int_eq(ask_in_child(process), 0);
	ck_assert_int_eq(unixprocess__get(process), getpid());
	unixprocess__free(process);
}
END_TEST

START_TEST(without_memory_the_kernel_is_asked)
{
	ck_assert_int_eq(unixprocess__get(NULL), getpid());
	ck_assert_int_eq(ask_in_child(NULL), 0);
	unixprocess__free(NULL);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("ids");

	tcase_add_test(tcase, the_id_is_the_one_of_this_process);
	tcase_add_test(tcase, a_child_gets_its_own_id);
	tcase_add_test(tcase, without_memory_the_kernel_is_asked);
	return support_run_cases("process", tcase);
}
