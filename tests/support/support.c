/* SPDX-License-Identifier: MIT */
/*
 * Directories: Check runs each test in a process of its own, which may end in
 * the middle (an assertion that fails, the time limit). So what a test does
 * not remove itself the runner does: each directory lies in one of the run.
 */
#include <config.h>

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/kernel.h"
#include "support/files.h"
#include "support/support.h"

static const uid_t nobody_id = 65534;

enum { TEXTS = 8, DIR_SIZE = 64 };

static char run_dir[DIR_SIZE] = "/tmp";
static char test_dir[DIR_SIZE];
static pid_t test_dir_owner;

static int skipped;

/* Processes that the test has forked end as well, and remove nothing. */
static void remove_test_dir(void)
{
	if (test_dir_owner == getpid())
		files_remove(test_dir);
}

/* false with errno. Check knows no assertions outside of tests. */
static bool make_dir(char *dir, const char *parent, const char *prefix)
{
	char made[DIR_SIZE];

	snprintf(made, sizeof(made), "%.40s/%sXXXXXX", parent, prefix);
	if (mkdtemp(made) == NULL || chmod(made, 0711) < 0)
		return false;
	strcpy(dir, made);
	return true;
}

const char *support_dir(void)
{
	if (test_dir_owner == 0) {
		ck_assert(make_dir(test_dir, run_dir, ""));
		test_dir_owner = getpid();
		ck_assert_int_eq(atexit(remove_test_dir), 0);
	}
	return test_dir;
}

void support_make_names_here(void)
{
	ck_assert_int_eq(setenv("TMPDIR", support_dir(), 1), 0);
	ck_assert_int_eq(unsetenv("XDG_RUNTIME_DIR"), 0);
}

static int remove_below(const char *path, const struct stat *status, int type,
	struct FTW *place)
{
	(void)status;
	(void)type;
	return place->level == 0 ? 0 : remove(path);
}

void support_clear_dir(void)
{
	ck_assert_int_eq(nftw(support_dir(), remove_below, 16,
				 FTW_DEPTH | FTW_PHYS),
		0);
}

static char *next_text(void)
{
	static char texts[TEXTS][PATH_MAX];
	static int last;

	last = (last + 1) % TEXTS;
	return texts[last];
}

const char *support_path(const char *name)
{
	char *text = next_text();

	snprintf(text, PATH_MAX, "%s/%s", support_dir(), name);
	return text;
}

/* A child of the test's means the same name by it as the test does. */
const char *support_abstract(const char *name)
{
	static pid_t pid;
	char *text = next_text();

	if (pid == 0)
		pid = getpid();
	snprintf(text, PATH_MAX, "@unixmsg-test-%d-%s", (int)pid, name);
	return text;
}

/* Where there is no /proc, those that a test can have come to. */
static int count_fds_one_by_one(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 65536; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

void support_wait_until_asleep(pid_t pid)
{
	char path[64], state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	do {
		file = fopen(path, "re");
		ck_assert_ptr_nonnull(file);
		ck_assert_int_eq(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
		fclose(file);
	} while (state != 'S');
}

int support_count_fds(void)
{
	int count = files_count("/proc/self/fd");

	if (count < 0 && errno == ENOENT)
		return count_fds_one_by_one();
	ck_assert_int_ge(count, 0);
	return count - 1;
}

size_t support_get_address_space(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	size_t pages;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%zu", &pages), 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

uint64_t support_draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

void support_close(int *fd)
{
	if (*fd >= 0)
		ck_assert_int_eq(close(*fd), 0);
	*fd = -1;
}

void support_limit_fds(int more)
{
	struct rlimit limit;
	int fd;

	for (fd = 0; more > 0 || fcntl(fd, F_GETFD) >= 0; fd++)
		more -= fcntl(fd, F_GETFD) < 0;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)fd;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

void support_lift_fds_limit(void)
{
	const int saved = errno;
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	errno = saved;
}

static int set_passrights(int socket, int value)
{
	return setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &value,
		sizeof(value));
}

bool support_can_refuse_fds(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool can = set_passrights(fd, 0) == 0;

	close(fd);
	return can;
}

void support_let_fds_through(int socket)
{
	if (set_passrights(socket, 1) < 0)
		ck_assert_int_eq(errno, ENOPROTOOPT);
}

static void put_fds(struct msghdr *header, int fd, size_t count)
{
	static union {
		struct cmsghdr align;
		char room[CMSG_SPACE(253 * sizeof(int))];
	} control;
	struct cmsghdr *item;

	header->msg_control = &control;
	header->msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof(int));
	memset(&control, 0, sizeof(control));
	item = CMSG_FIRSTHDR(header);
	item->cmsg_level = SOL_SOCKET;
	item->cmsg_type = SCM_RIGHTS;
	item->cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(int));
	while (count-- > 0)
		memcpy(CMSG_DATA(item) + count * sizeof(int), &fd, sizeof(fd));
}

ssize_t support_send_fds(int socket, const void *bytes, size_t size, int fd,
	size_t count)
{
	struct iovec part = { .iov_base = (void *)bytes, .iov_len = size };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (count > 0)
		put_fds(&header, fd, count);
	/* Not by libc: musl takes no more than 252, and says ENOMEM. */
	do
		sent = syscall(SYS_sendmsg, socket, &header,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == ETOOMANYREFS && sched_yield() == 0);
	return sent;
}

void support_send_few_at_once(int socket)
{
	const int least = 1;

	ck_assert_int_eq(setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &least,
				 sizeof(least)),
		0);
}

void support_ready_init(int pipe[2])
{
	ck_assert_int_eq(pipe2(pipe, O_CLOEXEC), 0);
}

void support_ready_tell(int pipe[2])
{
	ck_assert_int_eq(write(pipe[1], "", 1), 1);
}

void support_ready_wait(int pipe[2])
{
	ssize_t got;
	char byte;

	do
		got = read(pipe[0], &byte, 1);
	while (got < 0 && errno == EINTR);
	ck_assert_int_eq(got, 1);
}

/* Nothing is told of a parent that has gone before. */
static void die_with_parent(pid_t parent)
{
	ck_assert_int_eq(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
}

bool support_has_lanes(void)
{
	return getenv("UNIXMSG_LANES") != NULL;
}

pid_t support_fork(void)
{
	pid_t parent = getpid(), pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		die_with_parent(parent);
	return pid;
}

pid_t support_waitpid(pid_t pid, int *how)
{
	pid_t ended;

	do
		ended = waitpid(pid, how, 0);
	while (ended < 0 && errno == EINTR);
	return ended;
}

int support_get_exit_status(pid_t pid)
{
	int how;

	ck_assert_int_eq(support_waitpid(pid, &how), pid);
	ck_assert_msg(WIFEXITED(how), "a child ended by signal %d",
		WTERMSIG(how));
	return WEXITSTATUS(how);
}

void support_wait_exit(pid_t pid, int status)
{
	ck_assert_int_eq(support_get_exit_status(pid), status);
}

static int64_t get_now_ms(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int support_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	const int64_t end_ms = get_now_ms() + timeout_ms;
	int left_ms = timeout_ms, ready, saved = errno;

	while ((ready = poll(fds, count, left_ms)) < 0 && errno == EINTR) {
		if (timeout_ms > 0)
			left_ms = (int)(end_ms - get_now_ms());
		if (timeout_ms > 0 && left_ms < 0)
			left_ms = 0;
	}
	if (ready >= 0)
		errno = saved;
	return ready;
}

bool support_is_readable(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return support_poll(&ready, 1, 0) == 1;
}

static bool is_extent(const char *name)
{
	const char *extent = getenv("UNIXMSG_TESTS");

	return extent != NULL && strcmp(extent, name) == 0;
}

bool support_is_full(void)
{
	return is_extent("full");
}

bool support_is_long(void)
{
	return is_extent("long") || support_is_full();
}

static bool become_nobody(void)
{
	return setgroups(0, NULL) == 0 &&
		setresgid(nobody_id, nobody_id, nobody_id) == 0 &&
		setresuid(nobody_id, nobody_id, nobody_id) == 0;
}

/* No assertions: Check knows none outside of tests. */
static bool can_become_nobody(void)
{
	int how;
	pid_t pid = fork();

	if (pid == 0)
		_exit(become_nobody() ? 0 : 1);
	return pid > 0 && support_waitpid(pid, &how) == pid && how == 0;
}

/* In a container root may lack root's rights, or know no other users. */
bool support_is_root(void)
{
	static enum { UNKNOWN, ROOT, NOT_ROOT } state;

	if (state == UNKNOWN)
		state = geteuid() == 0 && can_become_nobody() ? ROOT : NOT_ROOT;
	return state == ROOT;
}

bool support_has_right(unsigned int right)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, rights) == 0 &&
		(rights[right / 32].effective >> right % 32 & 1) != 0;
}

bool support_can_unshare(int flags)
{
	int how;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(flags) == 0 ? 0 : 1);
	return pid > 0 && support_waitpid(pid, &how) == pid && how == 0;
}

bool support_can_force_buffers(void)
{
	const int bytes = 1 << 16;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool can = setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes,
			   sizeof(bytes)) == 0;

	close(fd);
	return can;
}

/* The kernel forgets the death signal when a process changes its user. */
void support_as_nobody(void)
{
	pid_t parent = getppid();

	ck_assert(become_nobody());
	die_with_parent(parent);
}

void support_want_owner(struct unixlisten_options *options, uid_t user,
	gid_t group)
{
	if (user != (uid_t)-1) {
		options->user = user;
		options->flags |= UNIXMSG_LISTEN_USER;
	}
	if (group != (gid_t)-1) {
		options->group = group;
		options->flags |= UNIXMSG_LISTEN_GROUP;
	}
}

void support_add_loop_test_if(TCase *tcase, const TTest *test, int times,
	bool is_able, const char *why_not)
{
	if (is_able) {
		tcase_add_loop_test(tcase, test, 0, times);
		return;
	}
	fprintf(stderr, "skipped: %s: %s\n", test->name, why_not);
	skipped += times;
}

void support_add_test_if(TCase *tcase, const TTest *test, bool is_able,
	const char *why_not)
{
	support_add_loop_test_if(tcase, test, 1, is_able, why_not);
}

/*
 * Valgrind refuses to lower the hard limit and does not tell the kernel of the
 * soft one, so that descriptors beyond it are made, and closed behind us.
 */
static bool is_limit_the_kernels(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload == NULL || strstr(preload, "vgpreload") == NULL;
}

void support_add_limited_test(TCase *tcase, const TTest *test, int start,
	int end)
{
	if (is_limit_the_kernels())
		tcase_add_loop_test(tcase, test, start, end);
	else
		support_add_loop_test_if(tcase, test, end - start, false,
			"valgrind has a limit of descriptors of its own");
}

void support_add_root_test(TCase *tcase, const TTest *test)
{
	support_add_root_loop_test(tcase, test, 1);
}

void support_add_root_loop_test(TCase *tcase, const TTest *test, int times)
{
	support_add_loop_test_if(tcase, test, times, support_is_root(),
		"not root, or root without root's rights");
}

void support_list_fds(bool is_open[SUPPORT_FDS])
{
	int fd;

	for (fd = 0; fd < SUPPORT_FDS; fd++)
		is_open[fd] = fcntl(fd, F_GETFD) >= 0;
}

void support_expect_cloexec(const bool was_open[SUPPORT_FDS], int least)
{
	int fd, flags, found = 0;

	for (fd = 0; fd < SUPPORT_FDS; fd++) {
		flags = fcntl(fd, F_GETFD);
		if (flags < 0 || was_open[fd])
			continue;
		ck_assert_int_eq(flags, FD_CLOEXEC);
		found++;
	}
	ck_assert_int_ge(found, least);
}

volatile sig_atomic_t support_alarms;

static void count_alarm(int signal)
{
	(void)signal;
	support_alarms++;
}

void support_set_alarms(suseconds_t period_us, void (*handler)(int signal))
{
	const struct sigaction action = {
		.sa_handler = handler == NULL ? count_alarm : handler,
	};
	const struct itimerval often = { { 0, period_us }, { 0, period_us } };

	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static int fds_at_start;

void count_fds(void)
{
	fds_at_start = support_count_fds();
}

void check_fds(void)
{
	ck_assert_int_eq(support_count_fds(), fds_at_start);
}

TCase *make_tcase_with(const char *name, SFun set_up, SFun tear_down)
{
	TCase *tcase = make_tcase(name);

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	return tcase;
}

TCase *make_tcase(const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, count_fds, check_fds);
	return tcase;
}

static int get_exit_status(SRunner *runner)
{
	if (srunner_ntests_failed(runner) > 0)
		return EXIT_FAILURE;
	if (srunner_ntests_run(runner) == 0)
		return SUPPORT_EXIT_SKIPPED;
	return EXIT_SUCCESS;
}

int support_run(Suite *suite)
{
	SRunner *runner;
	int status;

	if (!make_dir(run_dir, "/tmp", "unixmsg.")) {
		perror("/tmp");
		return EXIT_FAILURE;
	}
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	files_remove(run_dir);
	status = get_exit_status(runner);
	srunner_free(runner);
	if (skipped > 0)
		printf("cases: 0 passed, 0 failed, %d skipped\n", skipped);
	return status;
}

int support_run_array(const char *name, TCase *const *tcases)
{
	Suite *suite = suite_create(name);

	while (*tcases != NULL)
		suite_add_tcase(suite, *tcases++);
	return support_run(suite);
}
