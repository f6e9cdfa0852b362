/* SPDX-License-Identifier: MIT */
/*
 * The moment between bind(2) and the mode that was asked for: another user
 * tries to get in exactly then. The library is linked statically here, so that
 * this bind is the one it calls.
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/scene.h"

static const mode_t modes[] = { 0600, 0660, 0666, 0222 };
static const mode_t umasks[] = { 0, 022, 077 };

static int hook_calls;
static mode_t mode_in_window;
static int error_in_window;

/* Returns the errno of another user's connect, or 0. */
static int connect_as_nobody(const struct sockaddr *sa, socklen_t length)
{
	int status;
	pid_t pid = support_fork();

	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

		support_as_nobody();
		_exit(connect(fd, sa, length) == 0 ? 0 : errno);
	}
	ck_assert_int_eq(support_waitpid(pid, &status), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int bind(int fd, const struct sockaddr *sa, socklen_t length)
{
	const char *path =
		((const struct sockaddr_un *)(const void *)sa)->sun_path;
	struct stat file;
	int result = (int)syscall(SYS_bind, fd, sa, length);

	if (result < 0)
		return -1;
	hook_calls++;
	ck_assert_int_eq(stat(path, &file), 0);
	mode_in_window = file.st_mode & 07777;
	error_in_window = connect_as_nobody(sa, length);
	return 0;
}

static void open_in_window(const struct unixlisten_options *options, int type)
{
	struct server server;

	hook_calls = 0;
	ck_assert_int_eq(open_server(&server, type, support_path("socket"),
				 options),
		0);
	ck_assert_int_eq(hook_calls, 1);
	ck_assert_int_eq(close_server(&server), 0);
}

/* _i: type, mode and umask. */
START_TEST(nobody_gets_in_before_the_mode_is_in_force)
{
	mode_t mode = modes[_i / 3 % 4], old;
	struct unixlisten_options options = { .mode = mode };

	support_path("made before the umask");
	old = umask(umasks[_i / 12]);
	open_in_window(&options, types[_i % 3]);
	umask(old);
	ck_assert_uint_eq(mode_in_window & ~mode, 0);
	if ((mode & 0002) == 0)
		ck_assert_int_eq(error_in_window, EACCES);
}
END_TEST

/* Before the owner is the right one, the mode would let in the wrong ones. */
START_TEST(nobody_gets_in_before_the_owner_is_set)
{
	struct unixlisten_options options = { .mode = 0666 };

	support_want_owner(&options, (uid_t)-1, 4711);
	open_in_window(&options, types[_i]);
	ck_assert_uint_eq(mode_in_window, 0);
	ck_assert_int_eq(error_in_window, EACCES);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("window");

	support_add_root_loop_test(tcase,
		nobody_gets_in_before_the_mode_is_in_force, 36);
	support_add_root_loop_test(tcase,
		nobody_gets_in_before_the_owner_is_set, 3);
	return support_run_cases("name_window", tcase);
}
