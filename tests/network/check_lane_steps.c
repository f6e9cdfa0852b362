/* SPDX-License-Identifier: MIT */
/* A lane is set up step by step, and each step may be the last one of a side,
 * or one that an older kernel does not know. */
#include <config.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/kernel.h"
#include "network/conn_private.h"
#include "network/handshake.h"
#include "support/scene.h"
#include "support/talk.h"

enum { RING = 4096, BEFORE = 15, AFTER = 8, STEPS_MOST = 2000 };

static struct unixconn *ends[2]; /* client and server */

static void talk(int count)
{
	while (count-- > 0) {
		pass_text(ends[0], ends[1], "text");
		pass_text(ends[1], ends[0], "text");
	}
}

static void close_both(void)
{
	close_conn(ends[0]);
	close_conn(ends[1]);
}

/* Leaves an end to the other process. */
static void let_go(struct unixconn *conn)
{
	close(conn->end.fd);
	conn->end.fd = -1;
}

static bool is_end(int result)
{
	return result == 0 ||
		(result < 0 && (errno == EPIPE || errno == ECONNRESET));
}

/* Exchanges so many messages, each with its number. Returns what was not 1. */
static int exchange(struct unixconn *conn, bool is_first, int count)
{
	int i, found, result;

	for (i = 0; i < count; i++) {
		if (is_first) {
			result = unixconn_send(conn, &i, sizeof(i),
				UNIXMSG_FOREVER);
			if (result != 1)
				return result;
		}
		result = unixconn_recv(conn, &found, sizeof(found), NULL,
			UNIXMSG_FOREVER);
		if (result != 1)
			return result;
		ck_assert_int_eq(found, i);
		if (is_first)
			continue;
		result = unixconn_send(conn, &i, sizeof(i), UNIXMSG_FOREVER);
		if (result != 1)
			return result;
	}
	return 1;
}

static pid_t start_survivor(int role)
{
	pid_t pid = support_fork();
	int result;

	if (pid != 0)
		return pid;
	let_go(ends[!role]);
	result = exchange(ends[role], role == 0, AFTER);
	if (result == 1)
		result = exchange(ends[role], role == 0, 1);
	_exit(is_end(result) ? 0 : 1);
}

static pid_t start_victim(int role)
{
	pid_t pid = support_fork();

	if (pid != 0)
		return pid;
	let_go(ends[!role]);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(1);
	raise(SIGSTOP);
	_exit(exchange(ends[role], role == 0, AFTER) == 1 &&
				unixconn_is_lane(ends[role])
			? 0
			: 1);
}

/* Has it begin or end so many system calls, and kills it. Returns false if it
 * has exited before. */
static bool kill_after(pid_t pid, int steps)
{
	int how;

	ck_assert_int_eq(support_waitpid(pid, &how), pid);
	ck_assert(WIFSTOPPED(how));
	while (steps-- > 0) {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		ck_assert_int_eq(support_waitpid(pid, &how), pid);
		if (WIFEXITED(how)) {
			ck_assert_int_eq(WEXITSTATUS(how), 0);
			return false;
		}
	}
	kill(pid, SIGKILL);
	ck_assert_int_eq(support_waitpid(pid, &how), pid);
	return true;
}

static bool kill_at_step(int role, int step)
{
	pid_t survivor, victim;
	bool was_killed;

	connect_lane(RING, &ends[0], &ends[1]);
	talk(BEFORE);
	survivor = start_survivor(!role);
	victim = start_victim(role);
	let_go(ends[0]);
	let_go(ends[1]);
	was_killed = kill_after(victim, step);
	support_wait_exit(survivor, 0);
	close_both();
	return was_killed;
}

/* The client, or the server. */
START_TEST(a_side_that_is_killed_at_any_step_has_ended)
{
	int step = 0;

	while (kill_at_step(_i, step))
		ck_assert_int_lt(++step, STEPS_MOST);
	ck_assert_int_gt(step, AFTER);
}
END_TEST

static bool can_trace(void)
{
	int how;
	pid_t pid = fork();

	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
	return pid > 0 && support_waitpid(pid, &how) == pid && how == 0;
}

#ifdef __NR_setsockopt
static const unsigned int setsockopt_number = __NR_setsockopt;
#else
static const unsigned int setsockopt_number = UINT32_MAX;
#endif

/* Returns -1 where the kernel has no such filters. */
static int forget_option(unsigned int option)
{
	/* The lower half of 64 bits. */
	const bool is_big_endian = *(const char *)&(const int){ 1 } == 0;
	const uint32_t place =
		(uint32_t)offsetof(struct seccomp_data, args[2]) +
		(is_big_endian ? 4 : 0);
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, setsockopt_number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, place),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, option, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { COUNT(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static bool can_forget(void)
{
	const int on = 1;
	int how, fd;
	pid_t pid = fork();

	if (pid == 0) {
		fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		_exit(forget_option(SO_PASSRIGHTS) == 0 &&
					setsockopt(fd, SOL_SOCKET,
						SO_PASSRIGHTS, &on,
						sizeof(on)) < 0 &&
					errno == ENOPROTOOPT
				? 0
				: 1);
	}
	return pid > 0 && support_waitpid(pid, &how) == pid && how == 0;
}

/* It lets all descriptors in, see let_fds_in. */
START_TEST(a_kernel_without_passrights_has_lanes_too)
{
	ck_assert_int_eq(forget_option(SO_PASSRIGHTS), 0);
	connect_lane(RING, &ends[0], &ends[1]);
	talk(BEFORE + AFTER);
	ck_assert(unixconn_is_lane(ends[0]) && unixconn_is_lane(ends[1]));
	close_both();
}
END_TEST

static TCase *make_steps(void)
{
	TCase *tcase = make_tcase("steps");

	tcase_set_timeout(tcase, 120);
	support_add_loop_test_if(tcase,
		a_side_that_is_killed_at_any_step_has_ended, 2, can_trace(),
		"no system calls are traced here");
	support_add_test_if(tcase, a_kernel_without_passrights_has_lanes_too,
		can_forget(), "no filters of system calls");
	return tcase;
}

int main(void)
{
	return support_run_cases("lane_steps", make_steps());
}
