/* SPDX-License-Identifier: MIT */
/*
 * Many processes at one name. UNIXMSG_ROUNDS=100 in the environment makes the
 * races a hundred times as long.
 */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/scene.h"

/* Many at once. */

enum { CLAIMERS = 8, ROUNDS = 300 };

/* What a claimer tells: how its claim went, then how its release went. */
struct outcome {
	int claim;
	int is_reached;
	int release;
};

struct race {
	int go[2], end[2], claims[2], releases[2];
	pid_t pids[CLAIMERS];
	/* How many of them know nothing of locks. */
	int foreigners;
};

static void report(int fd, const struct outcome *outcome)
{
	ck_assert_int_eq(write(fd, outcome, sizeof(*outcome)),
		sizeof(*outcome));
}

static void collect(int fd, struct outcome *outcome)
{
	ssize_t got;

	do
		got = read(fd, outcome, sizeof(*outcome));
	while (got < 0 && errno == EINTR);
	ck_assert_int_eq(got, sizeof(*outcome));
}

static void claim_once(struct race *race, const char *path)
{
	struct outcome outcome = { 0 };
	struct unixconn *gram;
	char byte;

	support_ready_wait(race->go);
	gram = unixconn_open("unixgram", path, NULL);
	outcome.claim = gram == NULL ? errno : 0;
	report(race->claims[1], &outcome);
	support_ready_wait(race->end);
	if (gram != NULL)
		outcome.is_reached =
			unixconn_recv(gram, &byte, 1, NULL, UNIXMSG_NOW) == 1;
	outcome.release = unixconn_close(gram);
	report(race->releases[1], &outcome);
}

/* A server of which there are many: it tries, and looks, and takes away. */
static int bind_as_others_do(const char *path)
{
	int fd = open_socket(SOCK_DGRAM);

	if (bind_to(fd, path) == 0)
		return fd;
	if (errno == EADDRINUSE && try_to_reach(path) == ECONNREFUSED) {
		unlink(path);
		if (bind_to(fd, path) == 0)
			return fd;
	}
	close(fd);
	errno = EADDRINUSE;
	return -1;
}

static void claim_as_others_do(struct race *race, const char *path)
{
	struct outcome outcome = { 0 };
	char byte;
	int fd;

	support_ready_wait(race->go);
	fd = bind_as_others_do(path);
	outcome.claim = fd < 0 ? errno : 0;
	report(race->claims[1], &outcome);
	support_ready_wait(race->end);
	if (fd >= 0) {
		outcome.is_reached = recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
		if (outcome.is_reached)
			unlink(path);
		close(fd);
	}
	report(race->releases[1], &outcome);
}

static void claim_for_ever(struct race *race, int number, const char *path)
{
	for (;;)
		if (number < race->foreigners)
			claim_as_others_do(race, path);
		else
			claim_once(race, path);
}

static void start_race_with(struct race *race, int foreign_ones,
	const char *path)
{
	int i;

	race->foreigners = foreign_ones;
	support_ready_init(race->go);
	support_ready_init(race->end);
	support_ready_init(race->claims);
	support_ready_init(race->releases);
	for (i = 0; i < CLAIMERS; i++) {
		race->pids[i] = support_fork();
		if (race->pids[i] == 0)
			claim_for_ever(race, i, path);
	}
}

static void start_race(struct race *race, const char *path)
{
	start_race_with(race, 0, path);
}

static void end_race(struct race *race)
{
	int i;

	for (i = 0; i < CLAIMERS; i++)
		stop_child(race->pids[i]);
	close_pipe(race->go);
	close_pipe(race->end);
	close_pipe(race->claims);
	close_pipe(race->releases);
}

static void tell_all(int pipe[2])
{
	static const char bytes[CLAIMERS];

	ck_assert_int_eq(write(pipe[1], bytes, sizeof(bytes)), sizeof(bytes));
}

/* Lets all of them claim at once, and returns how many have won. */
static int run_claims(struct race *race)
{
	struct outcome outcome;
	int i, winners = 0;

	tell_all(race->go);
	for (i = 0; i < CLAIMERS; i++) {
		collect(race->claims[0], &outcome);
		winners += outcome.claim == 0;
		if (outcome.claim != 0)
			ck_assert_int_eq(outcome.claim, EADDRINUSE);
	}
	return winners;
}

/* Lets them release, and returns how many have had a message. */
static int run_releases(struct race *race)
{
	struct outcome outcome;
	int i, reached = 0;

	tell_all(race->end);
	for (i = 0; i < CLAIMERS; i++) {
		collect(race->releases[0], &outcome);
		reached += outcome.is_reached;
		ck_assert_int_eq(outcome.release, 0);
	}
	return reached;
}

START_TEST(of_many_claims_one_wins)
{
	const char *path = support_path("socket");
	struct race race;
	int i;

	start_race(&race, path);
	for (i = 0; i < rounds(ROUNDS); i++) {
		if (_i == 1)
			make_dead(SOCK_STREAM, path);
		ck_assert_int_eq(run_claims(&race), 1);
		assert_files(1);
		send_to(path);
		ck_assert_int_eq(run_releases(&race), 1);
		assert_files(0);
	}
	end_race(&race);
}
END_TEST

START_TEST(of_many_claims_none_wins_against_a_live_owner)
{
	const char *path = support_path("socket");
	struct unixconn *gram = open_gram(path);
	struct stat before = look_at(path);
	struct race race;
	char byte;
	int i;

	start_race(&race, path);
	for (i = 0; i < rounds(ROUNDS); i++) {
		ck_assert_int_eq(run_claims(&race), 0);
		ck_assert_int_eq(run_releases(&race), 0);
		assert_untouched(path, &before);
		send_to(path);
		ck_assert_int_eq(unixconn_recv(gram, &byte, 1, NULL,
					 UNIXMSG_NOW),
			1);
	}
	end_race(&race);
	assert_files(1);
	close_gram(gram);
}
END_TEST

/*
 * A foreign server can take away what is ours, and then the winner is told
 * wrong; but who is reached by the name is always one alone.
 */
START_TEST(among_foreign_servers_one_is_reached)
{
	const char *path = support_path("socket");
	struct race race;
	int i;

	start_race_with(&race, 1 + _i / 2 * 3, path);
	for (i = 0; i < rounds(ROUNDS); i++) {
		if (_i % 2 == 1)
			make_dead(SOCK_STREAM, path);
		ck_assert_int_ge(run_claims(&race), 1);
		send_to(path);
		ck_assert_int_eq(run_releases(&race), 1);
		unlink(path);
	}
	end_race(&race);
}
END_TEST

/* One of us against one of them: what he has got he keeps. */
static void race_one_against_one(const char *path, int go[2], int end[2])
{
	struct unixconn *gram;

	for (;;) {
		support_ready_wait(go);
		gram = unixconn_open("unixgram", path, NULL);
		if (gram == NULL)
			ck_assert_int_eq(errno, EADDRINUSE);
		support_ready_tell(end);
		support_ready_wait(go);
		ck_assert_int_eq(unixconn_close(gram), 0);
		support_ready_tell(end);
	}
}

START_TEST(a_foreign_server_keeps_its_name)
{
	const char *path = support_path("socket");
	int go[2], end[2], i, fd;
	char byte;
	pid_t pid;

	support_ready_init(go);
	support_ready_init(end);
	pid = support_fork();
	if (pid == 0)
		race_one_against_one(path, go, end);
	for (i = 0; i < rounds(2000); i++) {
		if (_i == 1)
			make_dead(SOCK_STREAM, path);
		support_ready_tell(go);
		fd = bind_as_others_do(path);
		support_ready_wait(end);
		send_to(path);
		if (fd >= 0)
			ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
		support_ready_tell(go);
		support_ready_wait(end);
		assert_files(fd >= 0);
		if (fd >= 0) {
			ck_assert_int_eq(unlink(path), 0);
			close(fd);
		}
	}
	stop_child(pid);
	close_pipe(go);
	close_pipe(end);
}
END_TEST

/* Servers that end when they have lost, of a type that changes. */

enum { LOST = 3 };

static void serve_once(int type, const char *path, int claims[2], int end[2])
{
	struct server server;
	int result = open_server(&server, type, path, NULL);

	support_ready_tell(claims);
	if (result < 0)
		_exit(errno == EADDRINUSE ? LOST : 1);
	support_ready_wait(end);
	_exit(close_server(&server) == 0 ? 0 : 1);
}

/* Waits for the end of those that have lost; returns who has won. */
static pid_t await_losers(const pid_t *pids)
{
	pid_t winner = 0;
	int i, how, lost;

	for (lost = 0; lost < CLAIMERS - 1; lost++) {
		ck_assert_int_gt(support_waitpid(-1, &how), 0);
		ck_assert(WIFEXITED(how));
		ck_assert_int_eq(WEXITSTATUS(how), LOST);
	}
	for (i = 0; i < CLAIMERS; i++)
		if (kill(pids[i], 0) == 0)
			winner = pids[i];
	return winner;
}

/* Told by a connect of another type, so that nobody has to accept. */
static void assert_answers(const char *path, int type)
{
	ck_assert_int_eq(try_to_reach(path),
		type == SOCK_DGRAM ? 0 : EPROTOTYPE);
	assert_is_socket(path);
	assert_files(1);
}

START_TEST(the_winner_serves_on_when_the_losers_have_ended)
{
	const char *path = support_path("socket");
	int claims[2], end[2], i, j, type;
	pid_t pids[CLAIMERS], winner;

	support_ready_init(claims);
	support_ready_init(end);
	for (i = 0; i < rounds(100); i++) {
		type = types[i % TYPES];
		if (_i == 1)
			make_dead(types[i / TYPES % TYPES], path);
		for (j = 0; j < CLAIMERS; j++) {
			pids[j] = support_fork();
			if (pids[j] == 0)
				serve_once(type, path, claims, end);
		}
		for (j = 0; j < CLAIMERS; j++)
			support_ready_wait(claims);
		winner = await_losers(pids);
		ck_assert_int_gt(winner, 0);
		assert_answers(path, type);
		support_ready_tell(end);
		support_wait_exit(winner, 0);
		assert_files(0);
	}
	close_pipe(claims);
	close_pipe(end);
}
END_TEST

START_TEST(a_live_owner_serves_on_when_all_have_lost)
{
	const char *path = support_path("socket");
	int claims[2], end[2], i, j, type = types[_i];
	int fd = open_listening(type, path);
	struct stat before = look_at(path);
	pid_t pids[CLAIMERS];

	support_ready_init(claims);
	support_ready_init(end);
	for (i = 0; i < rounds(30); i++) {
		for (j = 0; j < CLAIMERS; j++) {
			pids[j] = support_fork();
			if (pids[j] == 0)
				serve_once(types[j % TYPES], path, claims, end);
		}
		for (j = 0; j < CLAIMERS; j++) {
			support_ready_wait(claims);
			support_wait_exit(pids[j], LOST);
		}
		assert_untouched(path, &before);
		assert_answers(path, type);
	}
	assert_hears_nothing(fd, type);
	close(fd);
	close_pipe(claims);
	close_pipe(end);
}
END_TEST

/*
 * Claims while others release, in no order at all: who has the name is who can
 * be reached by it, for as long as he has it.
 */
static void claim_and_release(const char *path, int times)
{
	struct unixconn *gram;
	char byte;

	while (times-- > 0) {
		gram = unixconn_open("unixgram", path, NULL);
		if (gram == NULL) {
			ck_assert_int_eq(errno, EADDRINUSE);
			continue;
		}
		send_to(path);
		ck_assert_int_eq(unixconn_recv(gram, &byte, 1, NULL,
					 UNIXMSG_NOW),
			1);
		close_gram(gram);
	}
}

START_TEST(who_has_a_name_has_it_alone)
{
	const char *path = support_path("socket");
	pid_t pids[CLAIMERS];
	int i;

	for (i = 0; i < CLAIMERS; i++) {
		pids[i] = support_fork();
		if (pids[i] == 0) {
			claim_and_release(path, rounds(2000));
			_exit(0);
		}
	}
	for (i = 0; i < CLAIMERS; i++)
		support_wait_exit(pids[i], 0);
	assert_files(0);
}
END_TEST

/* Somebody else's hands. */

/* Puts links to the victim, files and nothing at path, in turn. */
static void swap_for_ever(const char *path)
{
	const char *spare = support_path("spare");

	for (;;) {
		unlink(spare);
		make_link("victim", spare);
		rename(spare, path);
		unlink(path);
		make_file(spare, "foreign");
		rename(spare, path);
		unlink(path);
	}
}

/* The mode differs from the victim's, and needs to be set after bind. */
START_TEST(a_path_that_is_swapped_harms_nobody)
{
	const char *path = support_path("socket");
	const char *victim = support_path("victim");
	struct unixlisten_options options = { .mode = 0666 };
	struct stat before;
	struct unixconn *gram;
	int fd = -1, i, won = 0, lost = 0;
	pid_t pid;

	if (_i == 0)
		make_file(victim, "precious");
	else
		fd = open_bound(SOCK_DGRAM, victim);
	before = look_at(victim);
	umask(077);
	pid = support_fork();
	if (pid == 0)
		swap_for_ever(path);
	for (i = 0; i < 5000; i++) {
		gram = unixconn_open("unixgram", path, &options);
		won += gram != NULL;
		lost += gram == NULL;
		unixconn_close(gram);
	}
	stop_child(pid);
	umask(022);
	assert_untouched(victim, &before);
	if (fd >= 0)
		close(fd);
	else
		assert_content(victim, "precious");
	ck_assert_int_gt(won, 0);
	ck_assert_int_gt(lost, 0);
}
END_TEST

/*
 * Puts what is no socket at path, again and again, and looks at each thing
 * before it takes it away: by a descriptor, whatever its name is by then.
 */
static void check_thing(const char *path, int fd, const struct stat *before)
{
	struct stat after;

	ck_assert_int_eq(fstat(fd, &after), 0);
	ck_assert_uint_eq(after.st_mode, before->st_mode);
	ck_assert_uint_eq(after.st_uid, before->st_uid);
	ck_assert_uint_eq(after.st_gid, before->st_gid);
	ck_assert_uint_eq(after.st_nlink, before->st_nlink);
	ck_assert_int_eq(after.st_size, before->st_size);
	assert_same_file(path, before);
	close(fd);
}

static int put_thing(const char *path, const char *spare, int kind)
{
	if (kind == 0)
		make_file(spare, "foreign");
	else if (kind == 1)
		make_link("victim", spare);
	else
		make_dir(spare, 0755);
	unlink(path);
	/* Never over another: that would be a race with ourselves. */
	while (syscall(SYS_renameat2, AT_FDCWD, spare, AT_FDCWD, path,
		       RENAME_NOREPLACE) < 0)
		unlink(path);
	return open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static void put_things(const char *path, int times, int ready[2], int on[2])
{
	const char *spare = support_path("spare");
	struct stat before;
	int i, fd;

	for (i = 0; i < times; i++) {
		fd = put_thing(path, spare, i % 3);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(fstat(fd, &before), 0);
		support_ready_tell(ready);
		support_ready_wait(on);
		check_thing(path, fd, &before);
		if (remove(path) < 0)
			ck_abort_msg("remove: %s", strerror(errno));
	}
	support_ready_tell(ready);
}

/* Tries while things come and go; between ready and on one stays. */
START_TEST(what_comes_into_our_way_stays)
{
	const char *path = support_path("socket");
	struct unixlisten_options options = { .mode = 0666 };
	struct unixconn *gram;
	int ready[2], on[2], i, times = rounds(3000);
	pid_t pid;

	support_ready_init(ready);
	support_ready_init(on);
	if (_i == 1)
		options.flags = UNIXMSG_LISTEN_REPLACE;
	make_file(support_path("victim"), "precious");
	pid = support_fork();
	if (pid == 0) {
		put_things(path, times, ready, on);
		_exit(0);
	}
	for (i = 0; i < times; i++) {
		/* Once without an order, once when it surely is there. */
		unixconn_close(unixconn_open("unixgram", path, &options));
		support_ready_wait(ready);
		gram = unixconn_open("unixgram", path, &options);
		ck_assert_ptr_null(gram);
		support_ready_tell(on);
	}
	support_ready_wait(ready);
	support_wait_exit(pid, 0);
	assert_content(support_path("victim"), "precious");
	assert_files(1);
	close_pipe(ready);
	close_pipe(on);
}
END_TEST

/* What the one who tries to get in counts, where both can see it. */
struct attempts {
	atomic_int refused;
	atomic_int let_in;
};

static void hammer_for_ever(struct attempts *attempts, const char *path)
{
	int found;

	for (;;) {
		found = try_to_reach(path);
		if (found == 0)
			attempts->let_in++;
		else if (found == EACCES)
			attempts->refused++;
	}
}

static const mode_t hammer_umasks[] = { 0, 022, 077 };

/* A datagram socket can be connected to as soon as it is bound. */
START_TEST(nobody_gets_in_before_the_mode_is_in_force)
{
	const char *path = support_path("socket");
	struct attempts *attempts = mmap(NULL, sizeof(*attempts),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct unixlisten_options options;
	struct unixconn *gram;
	pid_t pid;
	int i;

	ck_assert_ptr_ne(attempts, MAP_FAILED);
	memset(&options, 0, sizeof(options));
	options.mode = _i % 2 == 0 ? 0600 : 0660;
	if (_i / 2 % 2 == 1)
		support_want_owner(&options, (uid_t)-1, 1);
	umask(hammer_umasks[_i / 4]);
	pid = support_fork();
	if (pid == 0) {
		support_as_nobody();
		hammer_for_ever(attempts, path);
	}
	for (i = 0; i < 1000 || attempts->refused < 500; i++) {
		gram = unixconn_open("unixgram", path, &options);
		ck_assert_ptr_nonnull(gram);
		close_gram(gram);
	}
	stop_child(pid);
	umask(022);
	ck_assert_int_eq(attempts->let_in, 0);
	munmap(attempts, sizeof(*attempts));
}
END_TEST

/* Two owners in turn, neither of which lets him in. */
START_TEST(nobody_gets_in_while_a_name_is_taken_over)
{
	const char *path = support_path("socket");
	struct attempts *attempts = mmap(NULL, sizeof(*attempts),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct unixlisten_options options = { .flags = UNIXMSG_LISTEN_REPLACE };
	struct unixconn *gram, *before;
	pid_t pid;
	int i;

	ck_assert_ptr_ne(attempts, MAP_FAILED);
	if (_i == 1)
		support_want_owner(&options, (uid_t)-1, 1);
	umask(0);
	gram = unixconn_open("unixgram", path, &options);
	pid = support_fork();
	if (pid == 0) {
		support_as_nobody();
		hammer_for_ever(attempts, path);
	}
	for (i = 0; i < 1000 || attempts->refused < 500; i++) {
		before = gram;
		gram = unixconn_open("unixgram", path, &options);
		ck_assert_ptr_nonnull(gram);
		close_gram(before);
	}
	stop_child(pid);
	umask(022);
	ck_assert_int_eq(attempts->let_in, 0);
	close_gram(gram);
	assert_files(0);
	munmap(attempts, sizeof(*attempts));
}
END_TEST

static TCase *make_claims(void)
{
	TCase *tcase = make_tcase("claims");

	tcase_add_loop_test(tcase, of_many_claims_one_wins, 0, 2);
	tcase_add_test(tcase, of_many_claims_none_wins_against_a_live_owner);
	tcase_add_test(tcase, who_has_a_name_has_it_alone);
	tcase_add_loop_test(tcase,
		the_winner_serves_on_when_the_losers_have_ended, 0, 2);
	tcase_add_loop_test(tcase, a_live_owner_serves_on_when_all_have_lost, 0,
		TYPES);
	return tcase;
}

static TCase *make_foreigners(void)
{
	TCase *tcase = make_tcase("foreigners");

	tcase_add_loop_test(tcase, among_foreign_servers_one_is_reached, 0, 4);
	tcase_add_loop_test(tcase, a_foreign_server_keeps_its_name, 0, 2);
	tcase_add_loop_test(tcase, a_path_that_is_swapped_harms_nobody, 0, 2);
	tcase_add_loop_test(tcase, what_comes_into_our_way_stays, 0, 2);
	return tcase;
}

static TCase *make_windows(void)
{
	TCase *tcase = make_tcase("windows");

	support_add_root_loop_test(tcase,
		nobody_gets_in_before_the_mode_is_in_force, 12);
	support_add_root_loop_test(tcase,
		nobody_gets_in_while_a_name_is_taken_over, 2);
	return tcase;
}

int main(void)
{
	return support_run_cases("name races", make_claims(), make_foreigners(),
		make_windows());
}
