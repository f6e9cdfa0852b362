/* SPDX-License-Identifier: MIT */
/*
 * The way to a path that a peer has chosen, past file systems that may hang.
 * The library is linked statically here, so the calls below are those that it
 * makes: they play an older kernel, a cold cache and a list of mounts.
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kernel.h"
#include "name/way.h"
#include "support/scene.h"
#include "support/syscall_play.h"

static int walk_error;      /* of each openat2(2): 0 for none */
static bool are_links_cold; /* a cached walk follows none */
static bool are_files_cold; /* nor does it find what is walked to by hand */
static int read_error;      /* of readlinkat(2) */
static bool is_by_hand;     /* the walk follows links itself */
static char mounts[2 * PATH_MAX];

FILE *fopen(const char *path, const char *mode)
{
	static FILE *(*real)(const char *path, const char *mode);

	if (real == NULL)
		real = (FILE * (*)(const char *, const char *))
			dlsym(RTLD_NEXT, "fopen");
	if (mounts[0] == '\0' || strcmp(path, "/proc/self/mountinfo") != 0)
		return real(path, mode);
	return fmemopen(mounts, strlen(mounts), "r");
}

ssize_t readlinkat(int fd, const char *path, char *target, size_t size)
{
	if (read_error == 0)
		return syscall(SYS_readlinkat, fd, path, target, size);
	errno = read_error;
	return -1;
}

static bool is_cold(const struct kernel_open_how *how)
{
	if ((how->resolve & KERNEL_RESOLVE_CACHED) == 0)
		return false;
	if ((how->resolve & KERNEL_RESOLVE_NO_SYMLINKS) == 0)
		is_by_hand = are_links_cold;
	return is_by_hand &&
		(are_files_cold ||
			(how->resolve & KERNEL_RESOLVE_NO_SYMLINKS) == 0);
}

/* What is not cold is warm, whatever the kernel has in its cache. */
static int walk(int fd, const char *path, const struct kernel_open_how *how)
{
	struct kernel_open_how warm = *how;

	if (walk_error != 0 || is_cold(how)) {
		errno = walk_error != 0 ? walk_error : EAGAIN;
		return -1;
	}
	warm.resolve &= ~(uint64_t)KERNEL_RESOLVE_CACHED;
	return (int)make_call(SYS_openat2, fd, (long)path, (long)&warm,
		sizeof(warm), 0);
}

static long play_call(long number, long a, long b, long c, long d, long e)
{
	if (number == SYS_openat2)
		return walk((int)a, (const char *)b,
			(const struct kernel_open_how *)c);
	return make_call(number, a, b, c, d, e);
}

/* A line of mountinfo, see proc(5). */
static void mount_at(const char *point, const char *type)
{
	snprintf(mounts, sizeof(mounts),
		"21 1 8:1 / / rw - ext4 /dev/root rw\n"
		"36 21 0:45 / %s rw shared:9 - %s server rw\n",
		point, type);
}

static void expect_opened(const char *path, bool may_follow)
{
	int fd = unixway__open(path, may_follow);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	close(fd);
}

static void expect_refused(const char *path, bool may_follow, int error)
{
	ck_assert_errno(unixway__open(path, may_follow), error);
}

/* Older kernels */

static void make_way(void)
{
	make_dir(support_path("a b"), 0700);
	make_file(support_path("a b/file"), "");
	walk_error = ENOSYS;
}

START_TEST(a_name_below_a_distant_mount_is_refused)
{
	make_way();
	mount_at(support_path("a\\040b"), "fuse.sshfs");
	expect_refused(support_path("a b/file"), false, EPERM);
}
END_TEST

START_TEST(a_name_below_a_distant_root_is_refused)
{
	make_way();
	mount_at("/", "nfs4");
	expect_refused(support_path("a b/file"), false, EPERM);
}
END_TEST

/* The last two are no escapes: the kernel writes three octal digits. */
static const struct {
	const char *point, *type;
} others[] = {
	{ "a\\040b", "ext4" },
	{ "a", "fuse.sshfs" },
	{ "a\\040b/file/below", "fuse.sshfs" },
	{ "a\\04", "fuse.sshfs" },
	{ "a\\0/0b", "fuse.sshfs" },
	{ "a\\080b", "fuse.sshfs" },
};

START_TEST(a_name_beside_a_distant_mount_is_opened)
{
	make_way();
	mount_at(support_path(others[_i].point), others[_i].type);
	expect_opened(support_path("a b/file"), false);
}
END_TEST

/* The last has no end of its mount point. */
static const char *const lines[] = {
	"\n",
	"36 21\n",
	"36 21 0:45 / /\n",
	"36 - fuse / /\n",
};

START_TEST(a_line_that_is_no_mount_is_passed_over)
{
	make_way();
	snprintf(mounts, sizeof(mounts), "%s", lines[_i]);
	expect_opened(support_path("a b/file"), false);
}
END_TEST

START_TEST(a_name_in_proc_is_refused_without_openat2)
{
	walk_error = ENOSYS;
	expect_refused("/proc/self/exe", false, EPERM);
	expect_opened("/", false);
}
END_TEST

/* Links that the kernel does not follow in its cache */

/* A file behind a link that is followed by hand. */
static const char *make_linked(void)
{
	make_dir(support_path("real"), 0700);
	make_file(support_path("real/file"), "");
	make_link("real", support_path("link"));
	are_links_cold = true;
	return support_path("link/file");
}

START_TEST(a_link_that_the_cache_lacks_is_followed)
{
	const char *path = make_linked();

	are_files_cold = _i == 1;
	expect_opened(path, true);
	expect_refused(path, false, ELOOP);
}
END_TEST

/* Those that are absolute have the path of our directory between. */
static const struct {
	const char *before, *after;
	bool is_absolute;
} targets[] = {
	{ "./real/file", "", false },
	{ "real//file", "", false },
	{ "real/../real/./file", "", false },
	{ "ab/../real/file", "", false },
	{ "a/../real/file", "", false },
	{ "", "/real/file", true },
	{ "/..", "/real/file", true },
	{ "../../../../../../../../..", "/real/file", true },
};

/* What the kernel opens is what is reached by hand. */
START_TEST(a_link_leads_where_its_target_does)
{
	const char *link = support_path("other");
	struct stat found;
	char target[PATH_MAX];
	int fd;

	make_linked();
	make_dir(support_path("ab"), 0700);
	make_dir(support_path("a"), 0700);
	snprintf(target, sizeof(target), "%s%s%s", targets[_i].before,
		targets[_i].is_absolute ? support_dir() : "",
		targets[_i].after);
	make_link(target, link);
	fd = unixway__open(link, true);
	ck_assert_msg(fd >= 0, "%s: %s", target, strerror(errno));
	ck_assert_int_eq(fstat(fd, &found), 0);
	assert_same_file(support_path("real/file"), &found);
	close(fd);
}
END_TEST

START_TEST(a_link_to_the_root_is_followed)
{
	make_linked();
	make_link("/", support_path("root"));
	expect_opened(support_path("root"), true);
}
END_TEST

START_TEST(a_link_to_nothing_is_told)
{
	make_linked();
	make_link("missing", support_path("other"));
	expect_refused(support_path("other"), true, ENOENT);
}
END_TEST

/* It is the link, its directory, and the directory that it leads to. */
static const struct {
	const char *point;
	bool are_files_cold;
} hindrances[] = {
	{ "link", false },
	{ "link", true },
	{ "real", false },
};

START_TEST(a_link_by_way_of_a_distant_mount_is_refused)
{
	const char *path = make_linked();

	are_files_cold = hindrances[_i].are_files_cold;
	mount_at(support_path(hindrances[_i].point), "nfs4");
	expect_refused(path, true, EPERM);
}
END_TEST

START_TEST(a_link_that_cannot_be_read_is_told)
{
	const char *path = make_linked();

	read_error = EIO;
	expect_refused(path, true, EIO);
}
END_TEST

START_TEST(a_link_with_too_long_a_rest_is_refused)
{
	char target[PATH_MAX], path[PATH_MAX];
	size_t size;

	make_linked();
	memset(target, '/', sizeof(target));
	snprintf(target + PATH_MAX / 2, sizeof(target) - PATH_MAX / 2, "%s",
		support_path("real"));
	make_link(target, support_path("long"));
	size = (size_t)snprintf(path, sizeof(path), "%s", support_path("long"));
	memset(path + size, '/', PATH_MAX / 2);
	path[size + PATH_MAX / 2] = '\0';
	expect_refused(path, true, ENAMETOOLONG);
}
END_TEST

/* Appends "/" and a name of NAME_MAX bytes. */
static void append_name(char *path)
{
	size_t size = strlen(path);

	path[size] = '/';
	memset(path + size + 1, 'x', NAME_MAX);
	path[size + 1 + NAME_MAX] = '\0';
}

/* The link stands half way down, and its target goes on: together they have
 * more bytes than a path may have. */
START_TEST(a_link_that_leads_too_deep_is_refused)
{
	char path[PATH_MAX + NAME_MAX + 2], link[sizeof(path) + 8];
	size_t half;

	snprintf(path, sizeof(path), "%s", support_dir());
	while (strlen(path) < PATH_MAX / 2) {
		append_name(path);
		make_dir(path, 0700);
	}
	half = strlen(path);
	snprintf(link, sizeof(link), "%s/link", path);
	for (append_name(path); strlen(path) < PATH_MAX; append_name(path))
		make_dir(path, 0700);
	make_link(path + half + 1, link);
	are_links_cold = true;
	expect_refused(link, true, ENAMETOOLONG);
}
END_TEST

/* Ways that nobody else can change */

START_TEST(a_way_is_safe_for_the_user_who_holds_it)
{
	const char *path = support_path("held/socket");

	make_dir(support_path("held"), 0700);
	ck_assert_int_eq(chown(support_dir(), 64001, 64001), 0);
	ck_assert_int_eq(chown(support_path("held"), 64001, 64001), 0);
	ck_assert(unixway__is_safe(path, 64001));
	ck_assert(!unixway__is_safe(path, 64002));
	ck_assert(!unixway__is_safe(path, 0));
	ck_assert_int_eq(chmod(support_path("held"), 0720), 0);
	ck_assert(!unixway__is_safe(path, 64001));
	ck_assert_int_eq(chmod(support_path("held"), 01720), 0);
	ck_assert(unixway__is_safe(path, 64001));
	ck_assert_int_eq(chown(support_dir(), 0, 0), 0);
}
END_TEST

static void tear_down(void)
{
	walk_error = read_error = 0;
	are_links_cold = are_files_cold = is_by_hand = false;
	mounts[0] = '\0';
	support_clear_dir();
}

static TCase *make_older(void)
{
	TCase *tcase = make_tcase_with("older", NULL, tear_down);

	tcase_add_test(tcase, a_name_below_a_distant_mount_is_refused);
	tcase_add_test(tcase, a_name_below_a_distant_root_is_refused);
	tcase_add_loop_test(tcase, a_name_beside_a_distant_mount_is_opened, 0,
		(int)COUNT(others));
	tcase_add_loop_test(tcase, a_line_that_is_no_mount_is_passed_over, 0,
		(int)COUNT(lines));
	tcase_add_test(tcase, a_name_in_proc_is_refused_without_openat2);
	return tcase;
}

static TCase *make_links(void)
{
	TCase *tcase = make_tcase_with("links", NULL, tear_down);

	tcase_add_loop_test(tcase, a_link_that_the_cache_lacks_is_followed, 0,
		2);
	tcase_add_loop_test(tcase, a_link_by_way_of_a_distant_mount_is_refused,
		0, (int)COUNT(hindrances));
	tcase_add_loop_test(tcase, a_link_leads_where_its_target_does, 0,
		(int)COUNT(targets));
	tcase_add_test(tcase, a_link_to_the_root_is_followed);
	tcase_add_test(tcase, a_link_to_nothing_is_told);
	tcase_add_test(tcase, a_link_that_cannot_be_read_is_told);
	tcase_add_test(tcase, a_link_with_too_long_a_rest_is_refused);
	tcase_add_test(tcase, a_link_that_leads_too_deep_is_refused);
	return tcase;
}

static TCase *make_users(void)
{
	TCase *tcase = make_tcase_with("users", NULL, tear_down);

	support_add_root_test(tcase, a_way_is_safe_for_the_user_who_holds_it);
	return tcase;
}

static bool is_openat2_known(void)
{
	const struct kernel_open_how how = { .flags = O_PATH | O_CLOEXEC };
	int fd = kernel_openat2(AT_FDCWD, "/", &how);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int main(void)
{
	if (!is_openat2_known()) {
		fprintf(stderr, "skip: no openat2(2) here\n");
		return SUPPORT_EXIT_SKIPPED;
	}
	return support_run_cases("way", make_older(), make_links(),
		make_users());
}
