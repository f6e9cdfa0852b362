/* SPDX-License-Identifier: MIT */
/*
 * Whoever may open a directory may hold flock(2) on it, and keeps nobody from
 * anything. The library is linked statically here: the calls below are the
 * ones it makes.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "name/name_private.h"
#include "support/scene.h"

enum { DEADS = 6 };

static char run_dir[128], client_dir[256];

static unsigned int pauses, exclusive_tries;
static bool is_hidden_at_bind, is_restored_at_pause;

int flock(int fd, int operation)
{
	if ((operation & ~LOCK_NB) == LOCK_EX)
		exclusive_tries++;
	return (int)syscall(SYS_flock, fd, operation);
}

static const char *hidden(void)
{
	return support_path("in-his-hands");
}

int bind(int fd, const struct sockaddr *sa, socklen_t length)
{
	int result = (int)syscall(SYS_bind, fd, sa, length);

	if (is_hidden_at_bind && result == 0) {
		is_hidden_at_bind = false;
		ck_assert_int_eq(rename(support_path("socket"), hidden()), 0);
	}
	return result;
}

/* The pauses of those who wait. */
int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	const sigset_t *mask)
{
	(void)fds;
	(void)count;
	(void)mask;
	ck_assert_ptr_nonnull(timeout);
	pauses++;
	if (is_restored_at_pause) {
		is_restored_at_pause = false;
		ck_assert_int_eq(rename(hidden(), support_path("socket")), 0);
	}
	nanosleep(timeout, NULL);
	return 0;
}

static int lock_directory(const char *path, int operation)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(syscall(SYS_flock, fd, operation), 0);
	return fd;
}

static void make_client_dir(void)
{
	snprintf(run_dir, sizeof(run_dir), "%s", support_path("run"));
	snprintf(client_dir, sizeof(client_dir), "%s/unixmsg-%ju", run_dir,
		(uintmax_t)geteuid());
	make_dir(run_dir, 0711);
	make_dir(client_dir, 0711);
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", run_dir, 1), 0);
	ck_assert_int_eq(setenv("TMPDIR", run_dir, 1), 0);
}

static void make_files(int type, int count, int *fds)
{
	char path[300];
	int i;

	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%d-%d", client_dir,
			fds != NULL, i);
		if (fds == NULL)
			make_dead(type, path);
		else
			fds[i] = open_bound(type, path);
	}
}

static const int operations[] = { LOCK_EX, LOCK_SH };

/* Who may wait does not do it for that either. */
static int64_t get_dial_deadline(int number)
{
	return number < 2 ? UNIXMSG_NOW : UNIXMSG_FOREVER;
}

/* Dead and live files of others lie there. */
START_TEST(a_dial_waits_for_no_lock)
{
	struct unixconn *server = open_gram(support_path("socket"));
	struct unixconn *gram;
	int lives[2], lock;

	make_client_dir();
	make_files(SOCK_DGRAM, DEADS, NULL);
	make_files(SOCK_DGRAM, COUNT(lives), lives);
	lock = lock_directory(client_dir, operations[_i % 2]);
	pauses = exclusive_tries = 0;
	gram = unixconn_dial("unixgram", support_path("socket"), NULL,
		get_dial_deadline(_i));
	ck_assert_ptr_nonnull(gram);
	ck_assert_uint_le(exclusive_tries, 1);
	ck_assert_int_eq(count_files(client_dir), DEADS + COUNT(lives) + 1);
	close_gram(gram);
	ck_assert_uint_eq(pauses, 0);
	ck_assert_int_eq(count_files(client_dir), DEADS + COUNT(lives));
	close(lock);
	close(lives[0]);
	close(lives[1]);
	close_gram(server);
}
END_TEST

START_TEST(a_dial_with_an_own_address_waits_for_no_lock)
{
	struct unixconn *server = open_gram(support_path("socket"));
	struct unixdial_options options = { .own = support_path("own") };
	struct unixconn *gram;
	int lock = lock_directory(support_dir(), operations[_i]);

	make_dead(SOCK_DGRAM, options.own);
	pauses = 0;
	gram = unixconn_dial("unixgram", support_path("socket"), &options,
		UNIXMSG_NOW);
	ck_assert_ptr_nonnull(gram);
	close_gram(gram);
	ck_assert_uint_eq(pauses, 0);
	assert_missing(options.own);
	close(lock);
	close_gram(server);
}
END_TEST

START_TEST(a_sweep_that_has_the_lock_removes_the_dead)
{
	struct unixconn *server = open_gram(support_path("socket"));
	struct unixconn *gram;

	make_client_dir();
	make_files(SOCK_DGRAM, DEADS, NULL);
	gram = unixconn_dial("unixgram", support_path("socket"), NULL,
		UNIXMSG_NOW);
	ck_assert_ptr_nonnull(gram);
	ck_assert_int_eq(count_files(client_dir), 1);
	close_gram(gram);
	close_gram(server);
}
END_TEST

/* What stands in the way of a claim, and what it asks for. */
static void make_nothing(int type, const char *path)
{
	(void)type;
	(void)path;
}

struct way {
	void (*make)(int type, const char *path);
	unsigned int flags;
};

static const struct way ways[] = {
	{ make_nothing, 0 },
	{ make_dead, 0 },
	{ make_dead, UNIXMSG_LISTEN_REPLACE },
};

START_TEST(a_claim_goes_on_without_the_lock)
{
	const struct way *way = &ways[_i / 2];
	const char *path = support_path("socket");
	int lock = lock_directory(support_dir(), operations[_i % 2]);
	struct unixlisten_options options = { .flags = way->flags };
	struct server server;

	way->make(SOCK_DGRAM, path);
	ck_assert_int_eq(open_server(&server, SOCK_STREAM, path, &options), 0);
	ck_assert_int_eq(try_to_reach(path), EPROTOTYPE);
	assert_files(1);
	ck_assert_int_eq(close_server(&server), 0);
	assert_files(0);
	close(lock);
}
END_TEST

START_TEST(a_live_owner_is_replaced_without_the_lock)
{
	const char *path = support_path("socket");
	int lock = lock_directory(support_dir(), operations[_i]);
	int owner = open_listening(SOCK_SEQPACKET, path);
	struct unixlisten_options options = { .flags = UNIXMSG_LISTEN_REPLACE };
	struct server server;

	ck_assert_int_eq(open_server(&server, SOCK_DGRAM, path, &options), 0);
	ck_assert_int_eq(try_to_reach(path), 0);
	assert_files(1);
	ck_assert_int_eq(close_server(&server), 0);
	close(owner);
	close(lock);
}
END_TEST

/*
 * Another claim took the file for the dead one that it wants to remove, and
 * puts it back: ours is gone for a moment.
 */
START_TEST(who_gives_our_file_back_has_not_won)
{
	const char *path = support_path("socket");
	int lock = lock_directory(support_dir(), LOCK_EX);
	int fd = open_socket(SOCK_DGRAM);
	struct unixname *name;

	is_hidden_at_bind = is_restored_at_pause = true;
	ck_assert_int_eq(unixname__claim(fd, path, false, NULL, UNIXMSG_NOW,
				 &name),
		0);
	ck_assert(!is_restored_at_pause);
	ck_assert_int_eq(try_to_reach(path), 0);
	ck_assert_int_eq(unixname__release(name), 0);
	assert_files(0);
	close(fd);
	close(lock);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("locks");

	tcase_add_loop_test(tcase, a_dial_waits_for_no_lock, 0,
		2 * COUNT(operations));
	tcase_add_loop_test(tcase, a_dial_with_an_own_address_waits_for_no_lock,
		0, COUNT(operations));
	tcase_add_test(tcase, a_sweep_that_has_the_lock_removes_the_dead);
	tcase_add_loop_test(tcase, a_claim_goes_on_without_the_lock, 0,
		COUNT(ways) * COUNT(operations));
	tcase_add_loop_test(tcase, a_live_owner_is_replaced_without_the_lock, 0,
		COUNT(operations));
	tcase_add_test(tcase, who_gives_our_file_back_has_not_won);
	return support_run_cases("name_lock", tcase);
}
