/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lane/segment.h"
#include "support/scene.h"

enum { SIZE = 65536 };

static const int all_seals =
	F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

static struct segment mine, theirs;
static int fd;

static void set_up(void)
{
	fd = unixsegment__make(&mine, SIZE, 0);
	ck_assert_int_ge(fd, 0);
}

static void tear_down(void)
{
	unixsegment__drop(&theirs);
	unixsegment__drop(&mine);
	close(fd);
}

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* One as a peer would make it, who may leave out seals, or lie. */
static int make_other(off_t file_size, uint32_t said_size, int seals)
{
	int other = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint32_t words[3] = { mine.page->magic, mine.page->version, said_size };

	ck_assert_int_ge(other, 0);
	ck_assert_int_eq(ftruncate(other, file_size), 0);
	if (file_size > 0)
		ck_assert_int_eq(pwrite(other, words, sizeof(words), 0),
			sizeof(words));
	ck_assert_int_eq(fcntl(other, F_ADD_SEALS, seals), 0);
	return other;
}

static void expect_refused(int other, int error)
{
	ck_assert_int_ge(other, 0);
	ck_assert_errno(unixsegment__map(&theirs, other, SIZE), error);
	ck_assert_ptr_null(theirs.page);
	close(other);
}

START_TEST(what_one_process_writes_the_other_reads)
{
	pid_t pid;

	ck_assert_int_eq(unixsegment__map(&theirs, fd, SIZE), 0);
	ck_assert_uint_eq(theirs.size, SIZE);
	pid = support_fork();
	if (pid == 0) {
		mine.ring[5] = 'x';
		_exit(0);
	}
	support_wait_exit(pid, 0);
	ck_assert_int_eq(theirs.ring[5], 'x');
}
END_TEST

START_TEST(the_ring_lies_there_twice)
{
	ck_assert_int_eq(unixsegment__map(&theirs, fd, SIZE), 0);
	memcpy(mine.ring + SIZE - 4, "in a row", 8);
	ck_assert_mem_eq(mine.ring, " row", 4);
	ck_assert_mem_eq(theirs.ring + SIZE - 4, "in a row", 8);
}
END_TEST

START_TEST(it_begins_with_nothing)
{
	ck_assert_uint_eq(mine.page->head, 0);
	ck_assert_uint_eq(mine.page->tail, 0);
	ck_assert_uint_eq(mine.page->event, 0);
}
END_TEST

START_TEST(the_descriptor_closes_on_exec)
{
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(who_has_the_descriptor_cannot_write)
{
	void *writable =
		mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert_ptr_eq(writable, MAP_FAILED);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_errno(pwrite(fd, "x", 1, 0), EPERM);
}
END_TEST

START_TEST(a_mapping_for_reading_stays_one)
{
	ck_assert_int_eq(unixsegment__map(&theirs, fd, SIZE), 0);
	ck_assert_errno(mprotect(theirs.page, page_size(),
				PROT_READ | PROT_WRITE),
		EACCES);
}
END_TEST

START_TEST(nobody_takes_the_memory_away)
{
	const int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	ck_assert_errno(ftruncate(fd, 0), EPERM);
	ck_assert_errno(ftruncate(fd, 2 * SIZE), EPERM);
	ck_assert_errno(fallocate(fd, hole, 0, SIZE), EPERM);
	ck_assert_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
}
END_TEST

START_TEST(sizes_that_are_none_are_not_made)
{
	static const uint32_t sizes[] = { 0, 1, 2048, SIZE + 1, SIZE - 8,
		3 * SIZE, 2u * SEGMENT_RING_MOST, UINT32_MAX };
	struct segment segment;

	ck_assert_errno(unixsegment__make(&segment, sizes[_i], 0), EINVAL);
	ck_assert_ptr_null(segment.page);
}
END_TEST

START_TEST(all_other_sizes_are_made)
{
	struct segment segment;
	uint32_t size = SEGMENT_RING_LEAST;
	int made;

	for (; size <= SEGMENT_RING_MOST; size *= 2) {
		if (size < page_size())
			continue;
		made = unixsegment__make(&segment, size, 0);
		ck_assert_int_ge(made, 0);
		ck_assert_int_eq(unixsegment__map(&theirs, made, size), 0);
		ck_assert_uint_eq(theirs.size, size);
		unixsegment__drop(&theirs);
		unixsegment__drop(&segment);
		close(made);
	}
}
END_TEST

START_TEST(without_a_seal_it_is_refused)
{
	static const int seals[] = { F_SEAL_SHRINK, F_SEAL_GROW,
		F_SEAL_FUTURE_WRITE, F_SEAL_SEAL };
	const off_t size = (off_t)page_size() + SIZE;

	expect_refused(make_other(size, SIZE, all_seals & ~seals[_i]), EPERM);
}
END_TEST

START_TEST(what_is_no_memory_file_is_refused)
{
	int pipe_fds[2];

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	close(pipe_fds[1]);
	expect_refused(pipe_fds[0], EPERM);
	expect_refused(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), EPERM);
}
END_TEST

START_TEST(huge_pages_are_refused)
{
	int huge = memfd_create("huge",
		MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);

	ck_assert_int_ge(huge, 0);
	ck_assert_int_eq(fcntl(huge, F_ADD_SEALS, all_seals), 0);
	expect_refused(huge, EPERM);
}
END_TEST

START_TEST(a_closed_descriptor_is_told)
{
	ck_assert_errno(unixsegment__map(&theirs, -1, SIZE), EBADF);
}
END_TEST

START_TEST(a_file_of_another_size_is_refused)
{
	const off_t page = (off_t)page_size();
	const off_t sizes[] = { 0, 1, page, page + SIZE - 8, page + SIZE + 1,
		page + 3 * SIZE, page + 2ll * SEGMENT_RING_MOST };

	expect_refused(make_other(sizes[_i], SIZE, all_seals), EPROTO);
}
END_TEST

START_TEST(a_ring_that_is_too_large_is_refused)
{
	ck_assert_errno(unixsegment__map(&theirs, fd, SIZE / 2), EMSGSIZE);
	ck_assert_ptr_null(theirs.page);
}
END_TEST

START_TEST(another_layout_is_refused)
{
	const off_t size = (off_t)page_size() + SIZE;

	expect_refused(make_other(size, SIZE / 2, all_seals), EPROTO);
	mine.page->version++;
	expect_refused(make_other(size, SIZE, all_seals), EPROTO);
	mine.page->version--;
	mine.page->magic++;
	expect_refused(make_other(size, SIZE, all_seals), EPROTO);
}
END_TEST

START_TEST(a_key_that_is_not_there_is_not_read)
{
	const int other = make_other(16, SIZE, all_seals);
	struct segment_key key;

	ck_assert_errno(unixsegment__read_key(other, geteuid(), &key), EPROTO);
	close(other);
}
END_TEST

START_TEST(it_can_be_dropped_twice)
{
	unixsegment__drop(&mine);
	ck_assert_ptr_null(mine.page);
	unixsegment__drop(&mine);
}
END_TEST

static TCase *make_memory(void)
{
	TCase *tcase = make_tcase_with("memory", set_up, tear_down);

	tcase_add_test(tcase, what_one_process_writes_the_other_reads);
	tcase_add_test(tcase, the_ring_lies_there_twice);
	tcase_add_test(tcase, it_begins_with_nothing);
	tcase_add_test(tcase, the_descriptor_closes_on_exec);
	tcase_add_test(tcase, who_has_the_descriptor_cannot_write);
	tcase_add_test(tcase, a_mapping_for_reading_stays_one);
	tcase_add_test(tcase, nobody_takes_the_memory_away);
	tcase_add_loop_test(tcase, sizes_that_are_none_are_not_made, 0, 8);
	tcase_add_test(tcase, all_other_sizes_are_made);
	tcase_add_test(tcase, a_key_that_is_not_there_is_not_read);
	tcase_add_test(tcase, it_can_be_dropped_twice);
	return tcase;
}

static TCase *make_strangers(void)
{
	TCase *tcase = make_tcase_with("strangers", set_up, tear_down);
	int huge = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);

	tcase_add_loop_test(tcase, without_a_seal_it_is_refused, 0, 4);
	tcase_add_test(tcase, what_is_no_memory_file_is_refused);
	support_add_test_if(tcase, huge_pages_are_refused, huge >= 0,
		"no huge pages here");
	tcase_add_test(tcase, a_closed_descriptor_is_told);
	tcase_add_loop_test(tcase, a_file_of_another_size_is_refused, 0, 7);
	tcase_add_test(tcase, a_ring_that_is_too_large_is_refused);
	tcase_add_test(tcase, another_layout_is_refused);
	if (huge >= 0)
		close(huge);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("segment");

	suite_add_tcase(suite, make_memory());
	suite_add_tcase(suite, make_strangers());
	return support_run(suite);
}
