/* SPDX-License-Identifier: MIT */
/* The library is linked statically here, so this madvise(2) is the one that it
 * calls. */
#include <config.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "support/scene.h"

/* As an emulator that takes no notice of it. */
static bool is_every_advice_taken;

int madvise(void *memory, size_t size, int advice)
{
	if (is_every_advice_taken)
		return 0;
	return (int)syscall(SYS_madvise, memory, size, advice);
}

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

START_TEST(an_emulator_that_accepts_every_advice_is_not_trusted)
{
	is_every_advice_taken = true;
	errno = EXDEV;
	ck_assert_ptr_null(unixprocess__make());
	ck_assert_int_eq(errno, EXDEV);
	is_every_advice_taken = false;
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("ids");

	tcase_add_test(tcase, the_id_is_the_one_of_this_process);
	tcase_add_test(tcase, a_child_gets_its_own_id);
	tcase_add_test(tcase, without_memory_the_kernel_is_asked);
	tcase_add_test(tcase,
		an_emulator_that_accepts_every_advice_is_not_trusted);
	return support_run_cases("process", tcase);
}
