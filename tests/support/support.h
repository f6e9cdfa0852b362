/* SPDX-License-Identifier: MIT */
/*
 * support: what the tests of several nouns share: a directory of their own,
 * other processes, and what to do about tests that cannot run here.
 *
 * A failed step is a failed test; nothing here returns an error.
 */
#ifndef UNIXMSG_TESTS_SUPPORT_H
#define UNIXMSG_TESTS_SUPPORT_H

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "unixmsg/listen.h"

/* What automake takes for "skipped". */
#define SUPPORT_EXIT_SKIPPED 77

/*
 * The tag of what takes long by its number of rounds: with CK_EXCLUDE_TAGS=load
 * it is left out.
 */
#define SUPPORT_LOAD "load"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* As glibc has it; not every libc does. */
#ifndef TEMP_FAILURE_RETRY
#define TEMP_FAILURE_RETRY(call)                                \
	({                                                      \
		__typeof__(call) support_result;                \
		do                                              \
			support_result = (call);                \
		while (support_result == -1 && errno == EINTR); \
		support_result;                                 \
	})
#endif

/* The call gives -1 and leaves this in errno. */
#define ck_assert_errno(call, expected) \
	support_assert_errno((call) == -1, expected, #call)

/* The same for a call that gives NULL. */
#define ck_assert_null_errno(call, expected) \
	support_assert_errno((call) == NULL, expected, #call)

#define support_assert_errno(has_failed, expected, text)                     \
	do {                                                                 \
		int support_wanted = (expected);                             \
		bool support_failed = (has_failed);                          \
		int support_errno = errno;                                   \
		ck_assert_msg(support_failed, "%s: succeeded, not %s", text, \
			strerror(support_wanted));                           \
		ck_assert_msg(support_errno == support_wanted,               \
			"%s: %s (%d), not %s (%d)", text,                    \
			strerror(support_errno), support_errno,              \
			strerror(support_wanted), support_wanted);           \
	} while (0)

/*
 * A directory that no other test uses: an absolute, short path. It is made by
 * the first call in a process, others may pass through it (mode 0711), and it
 * goes with the process that made it, with all that is in it. Call it before
 * the test forks: else the child gets another one.
 */
const char *support_dir(void);

/* From now on names that the library makes for clients lie below it. */
void support_make_names_here(void);

/* Removes all that is in it. */
void support_clear_dir(void);

/* The path of name in support_dir. The text is good for seven more calls. */
const char *support_path(const char *name);

/* An abstract name, "@..." as text, that no other test uses. As above. */
const char *support_abstract(const char *name);

/* Returns when the process sleeps: in the call that it was about to make. */
void support_wait_until_asleep(pid_t pid);

/* How many descriptors this process has open, also without /proc. */
int support_count_fds(void);

/* Closes what is open there, and leaves -1. */
void support_close(int *fd);

/* The address space of this process, in bytes. */
size_t support_get_address_space(void);

/* xorshift64*: the next number after state, which is not 0. A test has the same
 * numbers in every run. */
uint64_t support_draw(uint64_t *state);

/*
 * How many more descriptors this process may open, for the rest of its life or
 * until the limit is lifted: as many again as the hard limit allows, and errno
 * is kept.
 */
void support_limit_fds(int more);
void support_lift_fds_limit(void);

/*
 * Which descriptors are open, of those that a test may have; and that what has
 * been opened since, at least so many, is closed on exec.
 */
enum { SUPPORT_FDS = 128 };
void support_list_fds(bool is_open[SUPPORT_FDS]);
void support_expect_cloexec(const bool was_open[SUPPORT_FDS], int least);

/*
 * SIGALRM every period_us, until that is 0. There is no SA_RESTART: each wait
 * is interrupted. The handler NULL counts them.
 */
void support_set_alarms(suseconds_t period_us, void (*handler)(int signal));
extern volatile sig_atomic_t support_alarms;

/*
 * Whether the kernel can refuse descriptors on behalf of the one they are sent
 * to (SO_PASSRIGHTS, Linux 6.16); and to let them through to socket again, as
 * on older kernels.
 */
bool support_can_refuse_fds(void);
void support_let_fds_through(int socket);

/*
 * What a program does that uses nothing of ours: sends size bytes with count
 * copies of fd. Gives what sendmsg(2) gives; does not wait, unless tests beside
 * this one have as many in flight as their user may have: for those.
 */
ssize_t support_send_fds(int socket, const void *bytes, size_t size, int fd,
	size_t count);

/*
 * Who waits for POLLOUT before each short message has no more than two of them
 * in flight then. A flood of descriptors leaves room by that for the tests
 * beside it: all of one user count together, up to RLIMIT_NOFILE.
 */
void support_send_few_at_once(int socket);

/*
 * A pipe for processes to wait for one another: each _wait takes one _tell,
 * whichever comes first. Make it before the fork.
 */
void support_ready_init(int pipe[2]);
void support_ready_tell(int pipe[2]);
void support_ready_wait(int pipe[2]);

/*
 * fork(2). The child dies when its parent does, and has to end by _exit: what
 * exit does at the end belongs to the test. Assertions work there too.
 */
pid_t support_fork(void);

/* Whether connections of unixpacket get lanes, see lanes.h. */
bool support_has_lanes(void);

/* waitpid(2), whatever signals come meanwhile; how may be NULL. */
pid_t support_waitpid(pid_t pid, int *how);

/* Waits for the child, which must exit; gives its status. */
int support_get_exit_status(pid_t pid);

/* Waits for the child, which must exit with this status. */
void support_wait_exit(pid_t pid, int status);

/* poll(2), whatever signals come meanwhile: timeout_ms is the time in all. */
int support_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
bool support_is_readable(int fd);

/*
 * How much of what could go on for ever is done, by $UNIXMSG_TESTS: a taste of
 * it when that is not set, as in make check; with "long" many rounds of each
 * race, as in make coverage; with "full" also load at its full size, as in
 * make proof-all.
 */
bool support_is_long(void);
bool support_is_full(void);

/* Whether this is root with root's rights, who can become another user. */
bool support_is_root(void);

/* Whether this process has a right, CAP_..., of which root has few in a
 * container. */
bool support_has_right(unsigned int right);

/* Whether a child can have namespaces of its own: unshare(2). */
bool support_can_unshare(int flags);

/* Whether buffers may go beyond the bound for all (SO_SNDBUFFORCE). */
bool support_can_force_buffers(void);

/* Makes a child of root's, for the rest of its life, a user without rights. */
void support_as_nobody(void);

/* Has options ask for them; -1 is for nothing. */
void support_want_owner(struct unixlisten_options *options, uid_t user,
	gid_t group);

/*
 * Adds test if it is able to run here, else tells on stderr why not; the loop
 * form runs it so many times, with _i from 0.
 */
void support_add_test_if(TCase *tcase, const TTest *test, bool is_able,
	const char *why_not);
void support_add_loop_test_if(TCase *tcase, const TTest *test, int times,
	bool is_able, const char *why_not);
void support_add_root_test(TCase *tcase, const TTest *test);
void support_add_root_loop_test(TCase *tcase, const TTest *test, int times);

/*
 * A test of what is done at the limit of descriptors, with _i from start to
 * end - 1. It is not added under valgrind, which has a limit of its own.
 */
void support_add_limited_test(TCase *tcase, const TTest *test, int start,
	int end);

/* Each test is also a test that no descriptor is leaked: a fixture. */
void count_fds(void);
void check_fds(void);

/* A tcase with that fixture, one within it, and a time limit. */
TCase *make_tcase_with(const char *name, SFun set_up, SFun tear_down);

/* The same without a fixture of its own. */
TCase *make_tcase(const char *name);

/* Runs the tests of suite and frees it; gives what main returns. */
int support_run(Suite *suite);

/* The same for a suite of these tcases. */
#define support_run_cases(name, ...) \
	support_run_array(name, (TCase *const[]){ __VA_ARGS__, NULL })
int support_run_array(const char *name, TCase *const *tcases);

#endif
