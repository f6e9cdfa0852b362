/* SPDX-License-Identifier: MIT */
/*
 * Every call of the library that can fail, fails: see torture.h for the
 * scenes, fault_table.c for the calls and what they give, torture_choice.h for
 * what of it is played.
 */
#include <config.h>

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "proof/fault.h"
#include "proof/torture.h"
#include "proof/torture_choice.h"

/* A call in a loop is tried so many times. */
enum { TRIES_OF_SITE = 8, SITES_MOST = 512, SCENES_MOST = 512 };

/* So many failures of each scene when not all of them. */
enum { SOME = 4, SOME_WHEN_LONG = 12 };

/* No call of ours gives it: it has to stay. */
static const int untouched = EL2HLT;

static const struct scene *const lists[] = {
	torture_activation_scenes,
	torture_gram_scenes,
	torture_lane_scenes,
	torture_link_scenes,
	torture_message_scenes,
	torture_name_scenes,
	torture_notify_scenes,
	torture_rest_scenes,
	torture_service_scenes,
};

/* Shared with the process that plays the scene, which may die of it. */
struct progress {
	char name[96];
	char what[96];
	unsigned int failures;
	bool is_over;
};

static struct progress *progresses;

struct part {
	const struct scene *scene;
	int kind;
};

static const struct part *this_part;
static struct part parts[SCENES_MOST];
static int parts_count;

/* The round that is being played. */
static struct fault fault;
static bool is_begun, is_over, are_files_allowed;

/* A failure in a scene: NULL is any call, 0 any errno, NULL any scene. */
struct rule {
	const char *call;
	int error;
	const char *scene; /* a part of its name */
};

/* Failures that change nothing. */
static const struct rule harmless[] = {
	/* What is interrupted, or not ready yet, is tried again. */
	{ NULL, EINTR, NULL },
	{ NULL, EAGAIN, NULL },
	{ "accept4", ECONNABORTED, NULL },
	/* Nothing is left to be done about it. */
	{ "close", 0, NULL },
	{ "closedir", 0, NULL },
	/* The process is asked for its id each time. */
	{ "madvise", 0, NULL },
	{ "mmap", 0, "a service is made" },
	/* Older kernels do not know SO_PASSRIGHTS. */
	{ "setsockopt", ENOPROTOOPT, NULL },
	/* The lock is for those who know it: others cannot be waited for. */
	{ "flock", 0, NULL },
	/* A name that was taken may be free again. */
	{ "bind", EADDRINUSE, NULL },
	/* A directory that may not be read may be passed through. */
	{ "open", EACCES, NULL },
	/* There is another way to a name that nobody else uses, to a mode and
	 * to a file where /proc is missing. */
	{ "syscall", 0, NULL },
	{ "chmod", ENOENT, NULL },
	{ "connect", ENOENT, "dead file" },
	/* What has gone by itself needs not be removed. */
	{ "openat", ENOENT, "replaced" },
	{ "fstatat", ENOENT, "replaced" },
	{ "renameat", ENOENT, "replaced" },
	/* What may have been set aside is looked at where that can be. */
	{ "openat", 0, "by another name" },
	{ "fstat", 0, "by another name" },
	/* That nobody is there is true, and whoever is there has to go. */
	{ "connect", ECONNREFUSED, "dead file" },
	{ "connect", 0, "live owner is replaced" },
	{ "connect", 0, "taken over" },
	{ "connect", 0, "given back" },
	/* The one who was replaced has lost it, be it there or not. */
	{ "unlinkat", 0, "live owner is replaced" },
	/* There is no telling where we are: the path stays relative. */
	{ "getcwd", 0, "relative path" },
	/* A client takes the next of three directories. */
	{ "bind", 0, "dials" },
	{ "calloc", 0, "dials" },
	{ "fchmod", 0, "dials" },
	{ "fstat", 0, "dials" },
	{ "fstatat", 0, "dials" },
	{ "getrandom", 0, "dials" },
	{ "getsockname", 0, "dials" },
	{ "mkdir", 0, "dials" },
	{ "open", 0, "dials" },
	/* Whether others may pass cannot be told: it is tried. */
	{ "stat", 0, "dials" },
	/* Whose it is cannot be told: the file gets the narrower mode. */
	{ "stat", 0, "address of its own" },
	/* What cannot be swept away stays for the next. */
	{ "fdopendir", 0, "dials" },
	{ "readdir", 0, "dials" },
	{ NULL, 0, "sweeps" },
	{ NULL, 0, "set aside" },
	/* The server may be still on its way. */
	{ "connect", ENOENT, "waits" },
	{ "connect", ECONNREFUSED, "waits" },
	{ "connect", EACCES, "waits" },
	{ "connect", ENOENT, "deadline" },
	{ "connect", ECONNREFUSED, "deadline" },
	{ "connect", EACCES, "deadline" },
	{ "connect", ENOENT, "found again" },
	{ "connect", ECONNREFUSED, "found again" },
	{ "connect", EACCES, "found again" },
	{ "sendmsg", ECONNREFUSED, "found again" },
	{ "sendmsg", ENOTCONN, "found again" },
	{ "sendto", ECONNREFUSED, "found again" },
	/* It keeps strangers out meanwhile; else nothing is received. */
	{ "bind", 0, "found again" },
	{ "calloc", 0, "found again" },
	{ "connect", 0, "found again" },
	{ "getsockname", 0, "found again" },
	{ "setsockopt", 0, "found again" },
	{ "socket", 0, "found again" },
	/* That the queue is empty cannot be made sure. */
	{ "recv", 0, "found again" },
	/* Whose file it is that has our name is asked where that can be. */
	{ "diag_fstat", 0, NULL },
	{ "diag_getsockopt", 0, NULL },
	{ "diag_recvmsg", 0, NULL },
	{ "diag_sendto", 0, NULL },
	{ "diag_socket", 0, NULL },
	/* The kernel had no room for its list: it is asked again. */
	{ "diag_socket", ENOBUFS, "can be removed" },
	{ "diag_sendto", ENOBUFS, "can be removed" },
	{ "diag_recvmsg", ENOBUFS, "can be removed" },
	{ "diag_socket", ENOBUFS, "owner is found" },
	{ "diag_sendto", ENOBUFS, "owner is found" },
	{ "diag_recvmsg", ENOBUFS, "owner is found" },
	/* stat(2) tells the device too, but for some file systems. */
	{ "fopen", 0, "can be removed" },
	{ "fgets", 0, "can be removed" },
	{ "fopen", 0, "owner is found" },
	{ "fgets", 0, "owner is found" },
	/* The process is told when it can be. */
	{ "open", 0, "owner is found" },
	{ "opendir", 0, "owner is found" },
	{ "read", 0, "owner is found" },
	{ "readdir", 0, "owner is found" },
	{ "readlinkat", 0, "owner is found" },
	/* It is raised as far as it can be; who may not go beyond the bound
	 * of all asks for that at another socket. */
	{ "setsockopt", 0, "is raised" },
	{ "getsockopt", 0, "is raised" },
	{ "socket", 0, "is raised" },
	/* A map that is missing or hidden tells nothing about nobody's number:
	 * then others may pass to the client's file, as to a stranger's. */
	{ "fopen", ENOENT, "dials" },
	{ "fopen", EACCES, "dials" },
	{ "fgets", EIO, "dials" },
	{ "fopen", ENOENT, "looked into" },
	{ "fopen", EACCES, "looked into" },
	{ "fgets", EIO, "looked into" },
	/* What cannot be looked at is not judged. */
	{ "stat", 0, "looked into" },
	{ "lstat", EACCES, "looked into" },
	{ "lstat", EIO, "looked into" },
	{ "lstat", ENOMEM, "looked into" },
	/* A way that cannot be looked at is not safe: the file is held. */
	{ "stat", 0, "is proved" },
	/* There are other walks; a link is followed. */
	{ "openat2", ENOSYS, NULL },
	{ "openat2", EINVAL, NULL },
	{ "openat2", EPERM, NULL },
	{ "openat2", ELOOP, NULL },
	/* Who is connected already is found in the list. */
	{ "connect", EPERM, "is proved" },
	/* The file is open, so it says that /proc is missing. */
	{ "connect", ENOENT, "is proved" },
	{ "fopen", ENOENT, "is proved" },
	/* What it is cannot be told: it is of no kind. */
	{ "getsockopt", 0, "handed over" },
	/* Most are not, and are told so. */
	{ "getpeername", ENOTCONN, "service" },
	/* Nor need it be known whose message it is. */
	{ "getpeername", 0, "a lane has an address" },
	/* It is told when nothing is left to receive. */
	{ "recv", 0, "most parts" },
	/* There is no hidden name before. */
	{ "openat", ENOENT, "taken over" },
	/* Nor has another the name. */
	{ "openat", ENOENT, "who has ended" },
	{ "fstatat", ENOENT, "who has ended" },
	/* Who it is stays unknown. */
	{ "getsockopt", 0, "connection is given" },
	{ "getsockopt", 0, "a peer is opened" },
	{ "getpeername", 0, "connection is given" },
	{ "getpeername", 0, "a peer is opened" },
	{ "getpeername", 0, "resets a peer" },
	/* The send buffer is raised where that can be. */
	{ "setsockopt", 0, "service listens" },
	{ "getsockopt", 0, "service listens" },
	{ "socket", 0, "service listens" },
	{ "setsockopt", 0, "socket is given" },
	{ "getsockopt", 0, "socket is given" },
	{ "socket", 0, "socket is given" },
	/* It is for the loops of others, and set again with the next. */
	{ "timerfd_settime", 0, "service stops" },
	{ "timerfd_settime", 0, "a peer is opened" },
	{ "timerfd_settime", 0, "socket is paused" },
	/* Senders are not told: what they go on sending is taken too. */
	{ "shutdown", 0, "service stops" },
	/* What is short while the peer is proved is waited for; there are
	 * other ways, and an unsafe one has its file held. */
	{ "stat", 0, "given later" },
	{ "openat2", EMFILE, "given later" },
	{ "openat2", ENFILE, "given later" },
	{ "openat2", ENOMEM, "given later" },
	{ "fopen", EMFILE, "given later" },
	{ "fopen", ENFILE, "given later" },
	{ "fopen", ENOENT, "given later" },
	{ "fopen", ENOMEM, "given later" },
	{ "fstat", ENOMEM, "given later" },
	{ "getsockname", ENOBUFS, "given later" },
	{ "getpeername", ENOBUFS, "given later" },
	{ "socket", EMFILE, "given later" },
	{ "socket", ENFILE, "given later" },
	{ "socket", ENOMEM, "given later" },
	{ "socket", ENOBUFS, "given later" },
	{ "connect", EPERM, "given later" },
	{ "connect", ENOENT, "given later" },
	{ "connect", ENOMEM, "given later" },
	{ "connect", ENOBUFS, "given later" },
	/* It is kept, and goes later. */
	{ "send", ENOBUFS, "given later" },
	{ "sendmsg", ENOBUFS, "given later" },
	{ "sendto", ENOBUFS, "given later" },
};

/* What has to be harmless: it is never told. */
static const struct rule hidden[] = {
	{ NULL, EINTR, NULL },
	{ "setsockopt", ENOPROTOOPT, "pair of datagram sockets" },
};

/* What cannot be: the kernel would have to lie. They are not tried. */
static const struct rule impossible[] = {
	/* There is an owner. */
	{ "connect", ECONNREFUSED, "live owner" },
	{ "connect", ECONNREFUSED, "taken over" },
	{ "connect", ECONNREFUSED, "given back" },
	/* It can be, but comes too late: the name is ours already. */
	{ "listen", 0, "live owner is replaced" },
	/* There is a file. */
	{ "fstatat", ENOENT, "live owner is replaced" },
	{ "fstatat", ENOENT, "closes" },
	{ "renameat", ENOENT, "closes" },
	{ "fstatat", ENOENT, "drained" },
	{ "renameat", ENOENT, "drained" },
	{ "fstatat", ENOENT, "service stops" },
	{ "renameat", ENOENT, "service stops" },
	{ "unlinkat", ENOENT, NULL },
	/* Nothing more can come, and all that has come is there. */
	{ "accept4", EAGAIN, "drained" },
	{ "recv", EAGAIN, "drained" },
	{ "recvmsg", EAGAIN, "drained" },
	/* There is a peer. */
	{ "getpeername", ENOTCONN, "adopted" },
	{ "getpeername", ENOTCONN, "that was handed" },
	/* What an epoll instance or a timer would say at its close is lost. */
	{ "dup3", EINTR, "loop of its own" },
	/* The supervisor reads, and is waited for without an end. */
	{ "sendmsg", EAGAIN, "works off" },
};

/* What is told in the place of an errno. */
static const struct {
	struct rule rule;
	int told;
} translations[] = {
	{ { NULL, EAGAIN, NULL }, ETIMEDOUT },
	/* Older kernels do not know the option. */
	{ { "getsockopt", ENOPROTOOPT, NULL }, ENOTSUP },
	{ { "setsockopt", ENOPROTOOPT, NULL }, ENOTSUP },
	/* Whether anybody is there cannot be found out. */
	{ { "connect", 0, "is replaced" }, EADDRINUSE },
	{ { "connect", 0, "set aside" }, EADDRINUSE },
	/* The hidden name is gone, or the one that was taken. */
	{ { "openat", ENOENT, "given back" }, ESTALE },
	{ { "openat", ENOENT, "given back" }, EEXIST },
	{ { "openat", ENOENT, "taken over again" }, EEXIST },
	/* Who cannot be asked counts as alive. */
	{ { "connect", 0, "taken over again" }, EBUSY },
	{ { "connect", 0, "who has ended" }, EADDRINUSE },
	{ { "connect", 0, "who has ended" }, ECONNREFUSED },
	/* The name leads nowhere. */
	{ { "openat2", ENOENT, "a peer is opened" }, EPERM },
	{ { "openat2", ELOOP, "a peer is opened" }, EPERM },
	/* Without it no link is followed. */
	{ { "openat2", EAGAIN, "a peer is opened" }, EPERM },
	{ { "openat2", EINVAL, "a peer is opened" }, EPERM },
	{ { "openat2", ENOSYS, "a peer is opened" }, EPERM },
	/* Whether nobody is one user is not known: he may not be our server. */
	{ { "fgets", EIO, "looked into" }, EACCES },
	/* It was there, and then it is not. */
	{ { "fstatat", ENOENT, "can be removed" }, ESTALE },
	/* It goes and comes again and again. */
	{ { "openat", ENOENT, NULL }, EADDRINUSE },
	{ { "fstatat", ENOENT, NULL }, EADDRINUSE },
	{ { "renameat", ENOENT, NULL }, EADDRINUSE },
	/* The server does not come. */
	{ { "connect", 0, "deadline" }, ETIMEDOUT },
	{ { "connect", 0, "waits" }, ETIMEDOUT },
	{ { "connect", 0, "found again" }, ETIMEDOUT },
	{ { "sendmsg", 0, "found again" }, ETIMEDOUT },
	{ { "sendto", 0, "found again" }, ETIMEDOUT },
	/* It is closed, as it cannot be read on. */
	{ { "epoll_ctl", 0, "peer is resumed" }, ENOTCONN },
	/* The peer is gone; a stream that has failed half way ends. */
	{ { "send", 0, "given later" }, EPIPE },
	{ { "sendto", 0, "given later" }, EPIPE },
	{ { "sendto", EPIPE, "given later" }, ENOTCONN },
	{ { "sendto", ECONNREFUSED, "given later" }, ENOTCONN },
	{ { "sendto", ENOENT, "given later" }, ENOTCONN },
	{ { "openat2", ENOENT, "given later" }, ENOTCONN },
	{ { "connect", ECONNREFUSED, "given later" }, ENOTCONN },
};

static bool is_ruled(const struct rule *rule, const char *call, int error,
	const char *scene)
{
	return (rule->call == NULL || strcmp(rule->call, call) == 0) &&
		(rule->error == 0 || rule->error == error) &&
		(rule->scene == NULL || strstr(scene, rule->scene) != NULL);
}

static bool is_among(const struct rule *rules, size_t count, const char *call,
	int error, const char *scene)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (is_ruled(&rules[i], call, error, scene))
			return true;
	return false;
}

static bool is_harmless(const char *call, int error, const char *scene)
{
	return is_among(harmless, COUNT(harmless), call, error, scene);
}

static bool is_hidden(const char *call, int error, const char *scene)
{
	return is_among(hidden, COUNT(hidden), call, error, scene);
}

static bool is_impossible(const char *call, int error, const char *scene)
{
	return is_among(impossible, COUNT(impossible), call, error, scene);
}

static bool is_told_as(int told)
{
	const char *scene = this_part->scene->name;
	size_t i;

	if (is_hidden(fault.call, fault.error, scene))
		return false;
	if (told == fault.error)
		return true;
	for (i = 0; i < COUNT(translations); i++)
		if (translations[i].told == told &&
			is_ruled(&translations[i].rule, fault.call, fault.error,
				scene))
			return true;
	return false;
}

void torture_begin(void)
{
	is_begun = true;
	errno = untouched;
	fault_start(&fault);
}

bool torture_end_judged(int result, int wanted)
{
	int error = errno;

	fault_stop();
	is_over = true;
	if (result == wanted) {
		ck_assert_msg(error == untouched,
			"success has changed errno to %s", strerror(error));
		return true;
	}
	ck_assert_msg(result == -1, "it gives %d", result);
	ck_assert_msg(fault_get_hits() > 0, "it fails by itself: %s",
		strerror(error));
	ck_assert_msg(is_told_as(error), "it tells %s", strerror(error));
	return false;
}

bool torture_end(int result, int wanted)
{
	if (!torture_end_judged(result, wanted))
		return false;
	ck_assert_msg(fault_get_hits() == 0 || torture_is_harmless(),
		"a failure was passed over");
	return true;
}

const struct fault *torture_get_fault(void)
{
	return &fault;
}

const char *torture_get_scene(void)
{
	return this_part->scene->name;
}

bool torture_is_harmless(void)
{
	return is_harmless(fault.call, fault.error, this_part->scene->name);
}

bool torture_end_made(const void *made)
{
	return torture_end(made == NULL ? -1 : 0, 0);
}

void torture_end_refused(int result, int error)
{
	if (result == -1 && errno == error) {
		fault_stop();
		is_over = true;
		return;
	}
	ck_assert_msg(!torture_end(result, -2), "it is not refused");
}

void torture_allow_files(const char *call)
{
	are_files_allowed |= fault_get_hits() > 0 &&
		(call == NULL || strcmp(call, fault.call) == 0);
}

static char left[PATH_MAX];

static int note_file(const char *path, const struct stat *status, int type,
	struct FTW *place)
{
	(void)status;
	(void)place;
	if (type != FTW_D)
		snprintf(left, sizeof(left), "%s", path);
	return 0;
}

static void check_files(void)
{
	left[0] = '\0';
	ck_assert_int_eq(nftw(support_dir(), note_file, 16, FTW_PHYS), 0);
	ck_assert_msg(are_files_allowed || left[0] == '\0', "left behind: %s",
		left);
	support_clear_dir();
}

static void play(const struct part *part)
{
	int fds = support_count_fds();
	long blocks = fault_get_blocks();

	is_begun = is_over = are_files_allowed = false;
	part->scene->play(part->kind);
	fault_stop();
	ck_assert_msg(is_begun && is_over, "the scene has no begin or no end");
	ck_assert_msg(support_count_fds() == fds, "descriptors: %d more",
		support_count_fds() - fds);
	ck_assert_msg(fault_get_blocks() == blocks, "memory: %ld blocks more",
		fault_get_blocks() - blocks);
	check_files();
}

/* What can fail in a scene: each is a round. */
struct round {
	unsigned int number;
	const struct fault_call *call;
	int error;
	bool is_forever;
};

struct plan {
	struct round *rounds;
	size_t count;
};

static void add_round(struct plan *plan, unsigned int number,
	const struct fault_call *call, int error, bool is_forever)
{
	plan->rounds = realloc(plan->rounds,
		(plan->count + 1) * sizeof(*plan->rounds));
	ck_assert_ptr_nonnull(plan->rounds);
	plan->rounds[plan->count++] =
		(struct round){ number, call, error, is_forever };
}

/* What makes a call be made again would do so for ever. */
static bool is_tried_again(int error)
{
	return error == EINTR || error == ECONNABORTED;
}

static void add_rounds(struct plan *plan, unsigned int number,
	const struct fault_call *call)
{
	const char *scene = this_part->scene->name;
	int i, error;

	for (i = 0; i < FAULT_ERRORS_MOST && call->errors[i] != 0; i++) {
		error = call->errors[i];
		if (is_impossible(call->name, error, scene))
			continue;
		add_round(plan, number, call, error, false);
		if (!is_tried_again(error))
			add_round(plan, number, call, error, true);
	}
}

static bool is_worn_out(const struct fault_record *record)
{
	static struct {
		const void *site;
		int tries;
	} sites[SITES_MOST];
	int i;

	for (i = 0; i < SITES_MOST; i++) {
		if (sites[i].site == NULL)
			sites[i].site = record->site;
		if (sites[i].site == record->site)
			return ++sites[i].tries > TRIES_OF_SITE;
	}
	return true;
}

/* Nothing fails: that tells what there is to fail. */
static void make_plan(struct plan *plan, const struct part *part)
{
	const struct fault_record *records;
	unsigned int i, count;

	memset(&fault, 0, sizeof(fault));
	play(part);
	records = fault_get_records(&count);
	for (i = 0; i < count; i++)
		if (!is_worn_out(&records[i]))
			add_rounds(plan, i + 1, fault_find(records[i].call));
}

static void play_round(const struct part *part, const struct round *round,
	struct progress *progress)
{
	fault.number = round->number;
	fault.call = round->call->name;
	fault.error = round->error;
	fault.is_forever = round->is_forever;
	snprintf(progress->what, sizeof(progress->what),
		"call %u, %s, fails %s: %s", round->number, fault.call,
		fault.is_forever ? "from then on" : "once",
		strerror(fault.error));
	play(part);
	progress->failures += fault_get_hits() > 0;
}

START_TEST(a_failure_is_told_and_the_next_is_served)
{
	const struct part *part = &parts[_i];
	struct progress *progress = &progresses[_i];
	struct plan plan = { 0 };
	size_t i, count;

	this_part = part;
	setenv("XDG_RUNTIME_DIR", support_dir(), 1);
	setenv("TMPDIR", support_dir(), 1);
	make_plan(&plan, part);
	count = torture_choose(plan.rounds, plan.count, sizeof(*plan.rounds),
		support_is_long() ? SOME_WHEN_LONG : SOME, (unsigned int)_i);
	for (i = 0; i < count; i++)
		play_round(part, &plan.rounds[i], progress);
	free(plan.rounds);
	progress->is_over = true;
}
END_TEST

static void add_scene(const struct scene *scene)
{
	int kind;

	for (kind = 0; kind < scene->kinds && parts_count < SCENES_MOST; kind++)
		parts[parts_count++] = (struct part){ scene, kind };
}

static void find_scenes(void)
{
	const struct scene *scene;
	size_t i;

	for (i = 0; i < COUNT(lists); i++)
		for (scene = lists[i]; scene->name != NULL; scene++)
			if (torture_is_scene_wanted(scene->name))
				add_scene(scene);
	progresses = mmap(NULL, SCENES_MOST * sizeof(*progresses),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void tell_where_it_ended(void)
{
	int i;

	for (i = 0; i < parts_count; i++)
		if (!progresses[i].is_over)
			printf("scene %d, %s, kind %d: %s\n", i,
				parts[i].scene->name, parts[i].kind,
				progresses[i].what);
}

static void tell(void)
{
	unsigned int failures = 0;
	char line[96];
	int i;

	tell_where_it_ended();
	for (i = 0; i < parts_count; i++)
		failures += progresses[i].failures;
	snprintf(line, sizeof(line),
		"torture of the library: %d scenes, %u failures, %s",
		parts_count, failures,
		torture_is_all_wanted() ? "all there are" : "a choice");
	torture_tell_totals(line);
}

int main(void)
{
	TCase *tcase = make_tcase("failures");
	int status;

	if (!fault_is_able()) {
		fprintf(stderr, "skip: calls have other names here\n");
		return SUPPORT_EXIT_SKIPPED;
	}
	torture_keep_fd();
	find_scenes();
	if (progresses == MAP_FAILED)
		return EXIT_FAILURE;
	tcase_set_timeout(tcase, torture_is_all_wanted() ? 400 : 60);
	tcase_add_loop_test(tcase, a_failure_is_told_and_the_next_is_served, 0,
		parts_count);
	status = support_run_cases("torture", tcase);
	tell();
	return status;
}
