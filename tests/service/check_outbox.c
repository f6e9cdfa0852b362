/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/outbox.h"
#include "support/scene.h"

static const uint64_t seed = 0xbe5466cf34e90c6c;

static struct outbox outbox;

static void set_up(void)
{
	unixoutbox__init(&outbox);
}

static void empty(void)
{
	while (outbox.first != NULL)
		unixoutbox__remove(&outbox, &outbox.first);
}

static struct queued *add(const char *text, const int *fds, size_t fds_count)
{
	struct iovec part = {
		.iov_base = (void *)text,
		.iov_len = strlen(text),
	};
	struct unixmsg msg;

	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	msg.fds = (int *)fds;
	msg.fds_count = fds_count;
	return unixoutbox__add(&outbox, &msg);
}

static struct queued **find(const char *text)
{
	struct queued **place = &outbox.first;

	while (*place != NULL &&
		((*place)->size != strlen(text) ||
			memcmp((*place)->data, text, strlen(text)) != 0))
		place = &(*place)->next;
	ck_assert_ptr_nonnull(*place);
	return place;
}

static void take_out(const char *text)
{
	unixoutbox__remove(&outbox, find(text));
}

/* One letter each, in order. */
static void expect(const char *letters)
{
	const struct queued *queued = outbox.first;
	size_t count = strlen(letters);

	ck_assert_uint_eq(outbox.count, count);
	ck_assert_uint_eq(outbox.bytes, count * (1 + UNIXOUTBOX_OVERHEAD));
	for (; *letters != '\0'; letters++, queued = queued->next) {
		ck_assert_ptr_nonnull(queued);
		ck_assert_uint_eq(queued->size, 1);
		ck_assert_int_eq(queued->data[0], *letters);
	}
	ck_assert_ptr_null(queued);
}

static void add_letters(const char *letters)
{
	char text[2] = "";

	for (; *letters != '\0'; letters++) {
		text[0] = *letters;
		ck_assert_ptr_nonnull(add(text, NULL, 0));
	}
}

/* Order */

START_TEST(what_is_kept_is_in_the_order_it_came)
{
	expect("");
	add_letters("abc");
	expect("abc");
}
END_TEST

START_TEST(any_of_them_can_be_taken_out)
{
	static const char *const rest[] = { "bc", "ac", "ab" };
	const char text[2] = { (char)('a' + _i) };

	add_letters("abc");
	take_out(text);
	expect(rest[_i]);
	add_letters("d");
	ck_assert_int_eq(outbox.first->next->next->data[0], 'd');
	ck_assert_uint_eq(outbox.count, 3);
}
END_TEST

START_TEST(what_comes_after_the_last_was_taken_out_is_found)
{
	add_letters("a");
	take_out("a");
	expect("");
	add_letters("b");
	expect("b");
	add_letters("c");
	take_out("c");
	add_letters("d");
	expect("bd");
}
END_TEST

START_TEST(most_is_how_many_there_have_been)
{
	add_letters("abc");
	take_out("b");
	add_letters("d");
	ck_assert_uint_eq(outbox.count_most, 3);
	add_letters("e");
	ck_assert_uint_eq(outbox.count_most, 4);
	empty();
	ck_assert_uint_eq(outbox.count_most, 4);
	expect("");
}
END_TEST

START_TEST(random_operations_agree_with_a_text)
{
	char letters[64] = "", letter[2] = "";
	uint64_t state = seed;
	size_t count = 0, index;
	int step;

	printf("seed %#" PRIx64 "\n", seed);
	for (step = 0; step < 20000; step++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		letter[0] = (char)('a' + step % 26);
		if (count == 0 || (count < 26 && state >> 62 < 2)) {
			letters[count++] = letter[0];
			add_letters(letter);
		} else {
			struct queued **place = &outbox.first;

			index = (size_t)(state >> 33) % count;
			memmove(letters + index, letters + index + 1,
				count-- - index);
			while (index-- > 0)
				place = &(*place)->next;
			unixoutbox__remove(&outbox, place);
		}
		letters[count] = '\0';
		expect(letters);
	}
}
END_TEST

/* What is in it */

START_TEST(a_message_is_a_copy_of_all_its_parts)
{
	char first[] = "first ", second[] = "second";
	struct iovec parts[] = {
		{ .iov_base = first, .iov_len = 6 },
		{ .iov_base = NULL, .iov_len = 0 },
		{ .iov_base = second, .iov_len = 6 },
		{ .iov_base = first, .iov_len = 0 },
	};
	struct unixmsg msg;
	struct queued *queued;

	unixmsg_init(&msg);
	msg.parts = parts;
	msg.parts_count = COUNT(parts);
	ck_assert_uint_eq(unixoutbox__get_size(&msg), 12);
	queued = unixoutbox__add(&outbox, &msg);
	ck_assert_ptr_nonnull(queued);
	memset(first, 'x', 6);
	memset(second, 'x', 6);
	ck_assert_uint_eq(queued->size, 12);
	ck_assert_int_eq(memcmp(queued->data, "first second", 12), 0);
	ck_assert_uint_eq(outbox.bytes, 12 + UNIXOUTBOX_OVERHEAD);
}
END_TEST

START_TEST(a_new_message_has_nothing_done)
{
	const struct queued *queued = add("text", NULL, 0);

	ck_assert_ptr_nonnull(queued);
	ck_assert_uint_eq(queued->done, 0);
	ck_assert(!queued->is_begun && !queued->is_answer);
	ck_assert_int_eq(queued->since_us, 0);
	ck_assert_uint_eq(queued->fds_count, 0);
}
END_TEST

START_TEST(a_message_may_be_empty_or_have_no_parts)
{
	struct unixmsg msg;

	unixmsg_init(&msg);
	ck_assert_uint_eq(unixoutbox__get_size(&msg), 0);
	ck_assert_ptr_nonnull(unixoutbox__add(&outbox, &msg));
	ck_assert_ptr_nonnull(add("", NULL, 0));
	ck_assert_uint_eq(outbox.count, 2);
	ck_assert_uint_eq(outbox.bytes, 2 * UNIXOUTBOX_OVERHEAD);
}
END_TEST

START_TEST(keeping_keeps_errno)
{
	int fd = STDERR_FILENO;

	errno = EXDEV;
	ck_assert_ptr_nonnull(add("text", &fd, 1));
	unixoutbox__remove(&outbox, &outbox.first);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* Sizes */

static const size_t sums[][3] = {
	{ SIZE_MAX, 0, 0 },
	{ SIZE_MAX / 2, SIZE_MAX / 2, 1 },
	{ SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1, 0 },
	{ SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1, 100 },
	{ SIZE_MAX, 2, 0 },
	{ SIZE_MAX - 2, 1, 0 },
};

/* Parts that overlap may be more than there is memory. */
START_TEST(more_than_fits_into_memory_is_refused)
{
	struct iovec parts[3];
	struct unixmsg msg;
	size_t i;

	for (i = 0; i < 3; i++) {
		parts[i].iov_base = &msg;
		parts[i].iov_len = sums[_i][i];
	}
	unixmsg_init(&msg);
	msg.parts = parts;
	msg.parts_count = 3;
	ck_assert_uint_ge(unixoutbox__get_size(&msg), SIZE_MAX - 1);
	ck_assert_null_errno(unixoutbox__add(&outbox, &msg), ENOMEM);
	expect("");
}
END_TEST

START_TEST(more_descriptors_than_fit_into_memory_are_refused)
{
	static const size_t counts[] = { SIZE_MAX, SIZE_MAX / 4 + 1 };
	int fd = STDERR_FILENO;

	ck_assert_null_errno(add("a", &fd, counts[_i]), ENOMEM);
	expect("");
}
END_TEST

/* Descriptors */

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void assert_same_object(int a, int b)
{
	struct stat of_a, of_b;

	ck_assert_int_ne(a, b);
	ck_assert_int_eq(fstat(a, &of_a), 0);
	ck_assert_int_eq(fstat(b, &of_b), 0);
	ck_assert_uint_eq(of_a.st_ino, of_b.st_ino);
	ck_assert_uint_eq(of_a.st_dev, of_b.st_dev);
}

START_TEST(descriptors_are_kept_open_when_their_owner_closes_his)
{
	/* Lengths at which the descriptors are not where the data ends. */
	static const char *const texts[] = { "", "1", "12", "123", "1234" };
	int fds[2], other;
	struct queued *queued;

	ck_assert_int_eq(pipe2(fds, 0), 0);
	queued = add(texts[_i], fds, 2);
	ck_assert_ptr_nonnull(queued);
	ck_assert_uint_eq(queued->fds_count, 2);
	assert_same_object(queued->fds[0], fds[0]);
	assert_same_object(queued->fds[1], fds[1]);
	ck_assert_int_eq(fcntl(queued->fds[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(memcmp(queued->data, texts[_i], strlen(texts[_i])), 0);
	other = queued->fds[1];
	close(fds[0]);
	close(fds[1]);
	ck_assert_int_eq(write(other, "x", 1), 1);
	unixoutbox__remove(&outbox, &outbox.first);
	ck_assert(!is_open(other));
}
END_TEST

START_TEST(without_descriptors_left_a_message_is_not_kept)
{
	const int fds[] = { 0, 1, 2, 2, 1, 0 };
	int before = support_count_fds();

	add_letters("a");
	support_limit_fds(_i);
	if (_i < (int)COUNT(fds))
		ck_assert_null_errno(add("b", fds, COUNT(fds)), EMFILE);
	else
		ck_assert_ptr_nonnull(add("b", fds, COUNT(fds)));
	support_lift_fds_limit();
	if (_i == (int)COUNT(fds))
		take_out("b");
	ck_assert_int_eq(support_count_fds(), before);
	expect("a");
	add_letters("c");
	expect("ac");
}
END_TEST

START_TEST(what_is_no_descriptor_is_not_kept)
{
	int fds[] = { 0, 1, -1, 2 };
	int before = support_count_fds();

	ck_assert_null_errno(add("a", fds, COUNT(fds)), EBADF);
	ck_assert_int_eq(support_count_fds(), before);
	expect("");
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("outbox", set_up, empty);

	tcase_add_test(tcase, what_is_kept_is_in_the_order_it_came);
	tcase_add_loop_test(tcase, any_of_them_can_be_taken_out, 0, 3);
	tcase_add_test(tcase, what_comes_after_the_last_was_taken_out_is_found);
	tcase_add_test(tcase, most_is_how_many_there_have_been);
	tcase_add_test(tcase, random_operations_agree_with_a_text);
	tcase_add_test(tcase, a_message_is_a_copy_of_all_its_parts);
	tcase_add_test(tcase, a_new_message_has_nothing_done);
	tcase_add_test(tcase, a_message_may_be_empty_or_have_no_parts);
	tcase_add_test(tcase, keeping_keeps_errno);
	tcase_add_loop_test(tcase, more_than_fits_into_memory_is_refused, 0,
		(int)COUNT(sums));
	tcase_add_loop_test(tcase,
		more_descriptors_than_fit_into_memory_are_refused, 0, 2);
	tcase_add_loop_test(tcase,
		descriptors_are_kept_open_when_their_owner_closes_his, 0, 5);
	tcase_add_loop_test(tcase,
		without_descriptors_left_a_message_is_not_kept, 0, 7);
	tcase_add_test(tcase, what_is_no_descriptor_is_not_kept);
	return support_run_cases("outbox", tcase);
}
