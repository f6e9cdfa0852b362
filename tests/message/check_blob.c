/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/ends.h"
#include "support/support.h"

static const int64_t long_us = 60000000;
static const int all_seals =
	F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

static int open_blob(const char *text)
{
	int fd = unixblob_open(text, strlen(text));

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void expect_refused(int fd, int error)
{
	struct unixblob blob = { "old", 3 };

	ck_assert_int_ge(fd, 0);
	ck_assert_errno(unixblob_map(fd, SIZE_MAX, &blob), error);
	ck_assert_ptr_null(blob.data);
	close(fd);
}

static int make_memfd(unsigned int flags, size_t size, int seals)
{
	int fd = memfd_create("foreign", MFD_CLOEXEC | flags);

	if (fd < 0)
		return -1;
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	if (seals != 0)
		ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

START_TEST(what_was_put_in_is_what_comes_out)
{
	struct unixblob blob;
	int fd;

	errno = EXDEV;
	fd = open_blob("some bytes");
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(unixblob_map(fd, 10, &blob), 0);
	ck_assert_int_eq(errno, EXDEV);
	close(fd);
	ck_assert_uint_eq(blob.size, 10);
	ck_assert_mem_eq(blob.data, "some bytes", 10);
	unixblob_unmap(&blob);
	ck_assert_ptr_null(blob.data);
	ck_assert_uint_eq(blob.size, 0);
	unixblob_unmap(&blob);
}
END_TEST

START_TEST(an_empty_blob_is_a_blob)
{
	struct unixblob blob = { "old", 3 };
	int fd = unixblob_open(NULL, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unixblob_map(fd, 0, &blob), 0);
	ck_assert_ptr_null(blob.data);
	ck_assert_uint_eq(blob.size, 0);
	unixblob_unmap(&blob);
	close(fd);
}
END_TEST

START_TEST(every_size_around_a_page_is_kept)
{
	static const size_t sizes[] = { 1, 4095, 4096, 4097, 1000000 };
	char *bytes = malloc(1000000);
	struct unixblob blob;
	size_t i;
	int fd;

	ck_assert_ptr_nonnull(bytes);
	for (i = 0; i < 1000000; i++)
		bytes[i] = (char)(i + i / 251);
	for (i = 0; i < COUNT(sizes); i++) {
		fd = unixblob_open(bytes, sizes[i]);
		ck_assert_int_eq(unixblob_map(fd, sizes[i], &blob), 0);
		ck_assert_uint_eq(blob.size, sizes[i]);
		ck_assert_int_eq(memcmp(blob.data, bytes, sizes[i]), 0);
		unixblob_unmap(&blob);
		close(fd);
	}
	free(bytes);
}
END_TEST

START_TEST(a_blob_larger_than_its_bound_is_not_mapped)
{
	struct unixblob blob;
	int fd = open_blob("five!");

	ck_assert_errno(unixblob_map(fd, 4, &blob), EMSGSIZE);
	ck_assert_uint_eq(blob.size, 5);
	ck_assert_ptr_null(blob.data);
	unixblob_unmap(&blob);
	ck_assert_int_eq(unixblob_map(fd, 5, &blob), 0);
	unixblob_unmap(&blob);
	close(fd);
}
END_TEST

START_TEST(a_blob_larger_than_all_memory_is_told)
{
	const off_t size = ((off_t)1 << 32) + 5;
	struct unixblob blob;
	int fd = memfd_create("large", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	ck_assert_int_eq(unixblob_seal(fd), 0);
	ck_assert_errno(unixblob_map(fd, 5, &blob), EMSGSIZE);
	ck_assert(blob.size == SIZE_MAX || (off_t)blob.size == size);
	close(fd);
}
END_TEST

START_TEST(a_blob_can_be_filled_in_place)
{
	struct unixblob blob;
	int fd = unixblob_create(8192);
	char *bytes = mmap(NULL, 8192, PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(bytes, MAP_FAILED);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	bytes[5000] = 'x';
	ck_assert_int_eq(munmap(bytes, 8192), 0);
	ck_assert_int_eq(unixblob_seal(fd), 0);
	ck_assert_int_eq(unixblob_map(fd, 8192, &blob), 0);
	ck_assert_int_eq(((const char *)blob.data)[5000], 'x');
	ck_assert_int_eq(((const char *)blob.data)[5001], 0);
	unixblob_unmap(&blob);
	close(fd);
}
END_TEST

START_TEST(a_blob_that_is_still_mapped_to_be_written_is_not_sealed)
{
	int fd = unixblob_create(4096);
	char *bytes = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(bytes, MAP_FAILED);
	ck_assert_errno(unixblob_seal(fd), EBUSY);
	/* Nothing has been sealed, and it can be tried again. */
	bytes[0] = 'x';
	ck_assert_int_eq(munmap(bytes, 4096), 0);
	ck_assert_int_eq(unixblob_seal(fd), 0);
	close(fd);
}
END_TEST

START_TEST(nobody_changes_a_sealed_blob)
{
	int fd = open_blob("some bytes");

	ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & all_seals, all_seals);
	ck_assert_errno((int)pwrite(fd, "x", 1, 0), EPERM);
	ck_assert_errno((int)pwrite(fd, "x", 1, 10), EPERM);
	ck_assert_errno(ftruncate(fd, 9), EPERM);
	ck_assert_errno(ftruncate(fd, 11), EPERM);
	ck_assert_errno(fallocate(fd, 0, 0, 20), EPERM);
	ck_assert_errno(fallocate(fd,
				FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				4096),
		EPERM);
	ck_assert_ptr_eq(mmap(NULL, 10, PROT_WRITE, MAP_SHARED, fd, 0),
		MAP_FAILED);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	close(fd);
}
END_TEST

START_TEST(nobody_writes_through_another_opening)
{
	int fd = open_blob("some bytes"), other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(other, 0);
	ck_assert_errno((int)write(other, "x", 1), EPERM);
	ck_assert_errno(ftruncate(other, 0), EPERM);
	close(other);
	close(fd);
}
END_TEST

START_TEST(what_was_mapped_cannot_be_made_writable)
{
	struct unixblob blob;
	int fd = open_blob("some bytes");

	ck_assert_int_eq(unixblob_map(fd, 10, &blob), 0);
	ck_assert_int_eq(mprotect((void *)(uintptr_t)blob.data, 10,
				 PROT_READ | PROT_WRITE),
		-1);
	unixblob_unmap(&blob);
	close(fd);
}
END_TEST

START_TEST(a_file_that_lacks_a_seal_is_refused)
{
	int seals = _i;

	if (seals == all_seals)
		return;
	expect_refused(make_memfd(MFD_ALLOW_SEALING, 10, seals), EPERM);
}
END_TEST

START_TEST(a_file_that_is_sealed_by_others_will_do)
{
	int fd = make_memfd(MFD_ALLOW_SEALING, 10, all_seals);
	struct unixblob blob;

	ck_assert_int_eq(unixblob_map(fd, 10, &blob), 0);
	ck_assert_uint_eq(blob.size, 10);
	unixblob_unmap(&blob);
	close(fd);
}
END_TEST

START_TEST(what_is_no_memory_is_refused)
{
	int pipe[2];

	expect_refused(make_memfd(0, 10, 0), EPERM);
	expect_refused(open(support_path("file"), O_RDWR | O_CREAT | O_CLOEXEC,
			       0600),
		EPERM);
	expect_refused(open(support_dir(), O_RDONLY | O_CLOEXEC), EPERM);
	expect_refused(open("/dev/zero", O_RDWR | O_CLOEXEC), EPERM);
	expect_refused(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), EPERM);
	support_ready_init(pipe);
	expect_refused(pipe[0], EPERM);
	close(pipe[1]);
}
END_TEST

START_TEST(a_descriptor_that_is_none_is_told)
{
	struct unixblob blob;

	ck_assert_errno(unixblob_map(-1, 1, &blob), EBADF);
	ck_assert_errno(unixblob_seal(-1), EBADF);
	unixblob_unmap(&blob);
}
END_TEST

/* A file opened by its path alone allows nothing but to be held. */
START_TEST(a_path_is_refused)
{
	int fd = open_blob("path"), path_fd;
	struct unixblob blob;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	path_fd = open(path, O_PATH | O_CLOEXEC);
	ck_assert_int_ge(path_fd, 0);
	ck_assert_errno(unixblob_map(path_fd, 10, &blob), EBADF);
	close(path_fd);
	close(fd);
}
END_TEST

static bool has_huge_pages(void)
{
	int fd = memfd_create("huge",
		MFD_CLOEXEC | MFD_HUGETLB | MFD_ALLOW_SEALING);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* No page need be had for it: reading it would be the end of the reader. */
START_TEST(huge_pages_are_refused)
{
	expect_refused(make_memfd(MFD_HUGETLB | MFD_ALLOW_SEALING, 2097152,
			       all_seals),
		EPERM);
}
END_TEST

START_TEST(a_size_beyond_all_files_is_told)
{
	ck_assert_errno(unixblob_create(SIZE_MAX), EFBIG);
	ck_assert_errno(unixblob_create((size_t)INT64_MAX + 1), EFBIG);
}
END_TEST

START_TEST(without_descriptors_there_is_no_blob)
{
	int fd;

	support_limit_fds(0);
	fd = unixblob_open("x", 1);
	ck_assert_int_eq(errno, EMFILE);
	support_lift_fds_limit();
	ck_assert_int_eq(fd, -1);
}
END_TEST

/* Handing over */

static struct ends ends;

static void send_blob(int fd)
{
	struct unixmsg msg;

	unixmsg_init(&msg);
	msg.fds = &fd;
	msg.fds_count = 1;
	ck_assert_int_eq(unixconn_send_msg(ends.sender, &msg, UNIXMSG_NOW), 1);
	close(fd);
}

static int receive_blob(void)
{
	struct unixmsg msg;
	int fd = -1;

	unixmsg_init(&msg);
	msg.fds = &fd;
	msg.fds_room = 1;
	ck_assert_int_eq(unixconn_recv_msg(ends.receiver, &msg,
				 unixdeadline_after_us(long_us)),
		1);
	ck_assert_uint_eq(msg.fds_count, 1);
	return fd;
}

START_TEST(a_blob_is_handed_to_another_process)
{
	struct unixblob blob;
	pid_t pid;
	int fd;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_want(ends.receiver, UNIXMSG_WANT_FDS), 0);
	pid = support_fork();
	if (pid == 0) {
		send_blob(open_blob("from the child"));
		_exit(0);
	}
	fd = receive_blob();
	support_wait_exit(pid, 0);
	ck_assert_int_eq(unixblob_map(fd, 64, &blob), 0);
	close(fd);
	ck_assert_uint_eq(blob.size, 14);
	ck_assert_mem_eq(blob.data, "from the child", 14);
	unixblob_unmap(&blob);
	ends_close(&ends);
}
END_TEST

START_TEST(a_peer_that_keeps_its_blob_writable_is_refused)
{
	pid_t pid;

	ends_make(&ends, _i);
	ck_assert_int_eq(unixconn_want(ends.receiver, UNIXMSG_WANT_FDS), 0);
	pid = support_fork();
	if (pid == 0) {
		send_blob(unixblob_create(10));
		_exit(0);
	}
	expect_refused(receive_blob(), EPERM);
	support_wait_exit(pid, 0);
	ends_close(&ends);
}
END_TEST

enum { GIGABYTE = 1 << 30 };

static bool has_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long available = 0;
	char line[128];

	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "MemAvailable: %lu", &available) == 1)
			break;
	fclose(file);
	return available > 3ul << 20;
}

static void fill_and_send(void)
{
	int fd = unixblob_create(GIGABYTE);
	char *bytes = mmap(NULL, GIGABYTE, PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(bytes, MAP_FAILED);
	memset(bytes, 'g', GIGABYTE);
	bytes[GIGABYTE - 1] = 'e';
	ck_assert_int_eq(munmap(bytes, GIGABYTE), 0);
	ck_assert_int_eq(unixblob_seal(fd), 0);
	send_blob(fd);
	_exit(0);
}

START_TEST(a_gigabyte_is_a_message_like_any_other)
{
	struct unixblob blob;
	const char *bytes;
	pid_t pid;
	int fd;

	ends_make(&ends, ENDS_PACKET_PAIR);
	ck_assert_int_eq(unixconn_want(ends.receiver, UNIXMSG_WANT_FDS), 0);
	pid = support_fork();
	if (pid == 0)
		fill_and_send();
	fd = receive_blob();
	support_wait_exit(pid, 0);
	ck_assert_errno(unixblob_map(fd, GIGABYTE - 1, &blob), EMSGSIZE);
	ck_assert_uint_eq(blob.size, GIGABYTE);
	ck_assert_int_eq(unixblob_map(fd, GIGABYTE, &blob), 0);
	close(fd);
	bytes = blob.data;
	ck_assert_int_eq(bytes[0], 'g');
	ck_assert_int_eq(bytes[GIGABYTE / 2], 'g');
	ck_assert_int_eq(bytes[GIGABYTE - 1], 'e');
	unixblob_unmap(&blob);
	unixblob_unmap(&blob);
	ends_close(&ends);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("blob");

	tcase_add_test(tcase, what_was_put_in_is_what_comes_out);
	tcase_add_test(tcase, an_empty_blob_is_a_blob);
	tcase_add_test(tcase, every_size_around_a_page_is_kept);
	tcase_add_test(tcase, a_blob_larger_than_its_bound_is_not_mapped);
	tcase_add_test(tcase, a_blob_larger_than_all_memory_is_told);
	tcase_add_test(tcase, a_blob_can_be_filled_in_place);
	tcase_add_test(tcase,
		a_blob_that_is_still_mapped_to_be_written_is_not_sealed);
	tcase_add_test(tcase, nobody_changes_a_sealed_blob);
	tcase_add_test(tcase, nobody_writes_through_another_opening);
	tcase_add_test(tcase, what_was_mapped_cannot_be_made_writable);
	tcase_add_loop_test(tcase, a_file_that_lacks_a_seal_is_refused, 0,
		all_seals + 1);
	tcase_add_test(tcase, a_file_that_is_sealed_by_others_will_do);
	tcase_add_test(tcase, what_is_no_memory_is_refused);
	tcase_add_test(tcase, a_descriptor_that_is_none_is_told);
	tcase_add_test(tcase, a_path_is_refused);
	support_add_test_if(tcase, huge_pages_are_refused, has_huge_pages(),
		"no memfd of huge pages can be made");
	support_add_test_if(tcase, a_size_beyond_all_files_is_told,
		sizeof(size_t) == sizeof(int64_t),
		"no size is beyond all files");
	tcase_add_test(tcase, without_descriptors_there_is_no_blob);
	tcase_add_loop_test(tcase, a_blob_is_handed_to_another_process, 0,
		ENDS_KINDS);
	tcase_add_loop_test(tcase,
		a_peer_that_keeps_its_blob_writable_is_refused, 0, ENDS_KINDS);
	support_add_test_if(tcase, a_gigabyte_is_a_message_like_any_other,
		has_memory(), "less than 3 GiB of memory are available");
	return support_run_cases("blob", tcase);
}
