/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"
#include "tools/tap/pcapng.h"

static const struct event opened = {
	.kind = EVENT_OPENED,
	.connection = 7,
	.time_ns = 1764457200123456789,
	.has_cred = true,
	.cred = { .pid = 77, .uid = 1000, .gid = 100 },
};

static const struct event request = {
	.kind = EVENT_MESSAGE,
	.connection = 7,
	.time_ns = 1764457200123456790,
	.size = 5,
	.kept = 5,
	.fds = 2,
};

static const struct event answer = {
	.kind = EVENT_MESSAGE,
	.is_answer = true,
	.connection = UINT64_MAX,
	.time_ns = 1764457200123456791,
	.size = 200000,
	.kept = 3,
};

static const struct event empty = {
	.kind = EVENT_MESSAGE,
	.connection = 8,
	.time_ns = 1,
};

static const struct event end = {
	.kind = EVENT_ENDED,
	.is_answer = true,
	.connection = 7,
	.time_ns = 1764457201000000000,
};

static const struct event closed = {
	.kind = EVENT_CLOSED,
	.connection = 7,
	.time_ns = 1764457201000000001,
};

static const struct event left_out = {
	.kind = EVENT_LEFT_OUT,
	.left_out = 12,
};

/* A recording in memory, and its size. */
static char *bytes;
static size_t size;

static void free_bytes(void)
{
	free(bytes);
	bytes = NULL;
}

static void write_event(struct pcapng_writer *writer, const struct event *event,
	const char *data)
{
	ck_assert_int_eq(pcapng_write(writer, event, data), 0);
}

static void write_recording(void)
{
	struct pcapng_writer writer = {
		.network = "unixpacket",
		.address = "/run/some.sock",
		.dissector = "json",
	};

	writer.file = open_memstream(&bytes, &size);
	ck_assert_ptr_nonnull(writer.file);
	ck_assert_int_eq(pcapng_write_begin(&writer), 0);
	write_event(&writer, &opened, NULL);
	write_event(&writer, &request, "hello");
	write_event(&writer, &left_out, NULL);
	write_event(&writer, &answer, "abc");
	write_event(&writer, &empty, NULL);
	write_event(&writer, &end, NULL);
	write_event(&writer, &closed, NULL);
	ck_assert_int_eq(pcapng_write_end(&writer), 0);
	fclose(writer.file);
}

static FILE *open_bytes(const char *from, size_t count)
{
	FILE *file = fmemopen((void *)(uintptr_t)from, count, "r");

	ck_assert_ptr_nonnull(file);
	return file;
}

static void expect_event(struct pcapng_reader *reader,
	const struct event *wanted, const char *text)
{
	struct event event;
	const void *data;

	ck_assert_int_eq(pcapng_read(reader, &event, &data), 1);
	ck_assert_int_eq(event.kind, wanted->kind);
	ck_assert_int_eq(event.is_answer, wanted->is_answer);
	ck_assert_uint_eq(event.connection, wanted->connection);
	ck_assert_int_eq(event.time_ns, wanted->time_ns);
	ck_assert_uint_eq(event.size, wanted->size);
	ck_assert_uint_eq(event.kept, strlen(text));
	ck_assert_uint_eq(event.fds, wanted->fds);
	ck_assert_mem_eq(data, text, event.kept);
}

START_TEST(what_was_written_is_read)
{
	struct pcapng_reader reader;
	struct event event;
	const void *data;
	FILE *file;

	write_recording();
	file = open_bytes(bytes, size);
	ck_assert_int_eq(pcapng_read_begin(&reader, file), 0);
	ck_assert_str_eq(reader.network, "unixpacket");
	expect_event(&reader, &opened, "");
	expect_event(&reader, &request, "hello");
	expect_event(&reader, &answer, "abc");
	expect_event(&reader, &empty, "");
	expect_event(&reader, &end, "");
	expect_event(&reader, &closed, "");
	ck_assert_int_eq(pcapng_read(&reader, &event, &data), 0);
	ck_assert_uint_eq(reader.packets, 6);
	pcapng_read_end(&reader);
	fclose(file);
}
END_TEST

START_TEST(a_packet_tells_how_many_before_it_were_left_out)
{
	struct pcapng_reader reader;
	struct event event;
	const void *data;
	FILE *file;

	write_recording();
	file = open_bytes(bytes, size);
	ck_assert_int_eq(pcapng_read_begin(&reader, file), 0);
	while (pcapng_read(&reader, &event, &data) == 1)
		ck_assert_uint_eq(event.left_out,
			event.connection == UINT64_MAX ? 12 : 0);
	pcapng_read_end(&reader);
	fclose(file);
}
END_TEST

START_TEST(a_payload_of_any_size_keeps_the_blocks_aligned)
{
	struct pcapng_writer writer = { .network = "unix", .address = "" };
	struct pcapng_reader reader;
	char data[9] = "abcdefgh";
	struct event event = request;
	const void *read_data;
	FILE *file;

	writer.file = open_memstream(&bytes, &size);
	ck_assert_int_eq(pcapng_write_begin(&writer), 0);
	for (event.size = 0; event.size < sizeof(data); event.size++) {
		event.kept = event.size;
		write_event(&writer, &event, data);
	}
	fclose(writer.file);
	ck_assert_uint_eq(size % 4, 0);
	file = open_bytes(bytes, size);
	ck_assert_int_eq(pcapng_read_begin(&reader, file), 0);
	while (pcapng_read(&reader, &event, &read_data) == 1)
		ck_assert_mem_eq(read_data, data, event.kept);
	ck_assert_uint_eq(reader.packets, sizeof(data));
	pcapng_read_end(&reader);
	fclose(file);
}
END_TEST

/* Reads all; returns the last result, and why. */
static int read_all(const char *from, size_t count, const char **why)
{
	struct pcapng_reader reader;
	struct event event;
	const void *data;
	FILE *file = open_bytes(from, count);
	int result = pcapng_read_begin(&reader, file), error;

	if (result == 0)
		do
			result = pcapng_read(&reader, &event, &data);
		while (result == 1);
	error = errno;
	*why = reader.why;
	pcapng_read_end(&reader);
	fclose(file);
	errno = error;
	return result;
}

START_TEST(a_recording_that_is_cut_is_refused)
{
	const char *why;
	size_t cut;
	int wholes = 0;

	write_recording();
	for (cut = 1; cut < size; cut++) {
		if (read_all(bytes, cut, &why) == 0) {
			wholes++;
			continue;
		}
		ck_assert_int_eq(errno, EBADMSG);
		ck_assert_ptr_nonnull(strstr(why, "is cut"));
	}
	/* Between two blocks: behind the head, and behind each packet. */
	ck_assert_int_eq(wholes, 7);
}
END_TEST

START_TEST(a_foreign_file_is_refused)
{
	static const char *const texts[] = { "\n", "hello, this is some text" };
	char other[] = "other-tap";
	const char *why;
	char *program;
	size_t i;

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(read_all(texts[i], strlen(texts[i]), &why),
			-1);
		ck_assert_int_eq(errno, EBADMSG);
	}
	write_recording();
	program = memmem(bytes, size, "unixmsg-tap", 11);
	ck_assert_ptr_nonnull(program);
	memcpy(program, other, sizeof(other));
	ck_assert_int_eq(read_all(bytes, size, &why), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_str_eq(why, "is no recording of unixmsg-tap");
}
END_TEST

/* The file begins with a section and an interface; then come packets. */
static char *find_block(size_t number)
{
	char *block;
	uint32_t block_size;

	for (block = bytes; number-- > 0; block += le32toh(block_size))
		memcpy(&block_size, block + 4, sizeof(block_size));
	return block;
}

static void expect_foreign(void)
{
	const char *why;

	ck_assert_int_eq(read_all(bytes, size, &why), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_str_eq(why, "is no recording of unixmsg-tap");
}

/* The option if_tsresol: 9, one byte, which says 10^-9 s, and its padding. */
START_TEST(times_of_another_resolution_are_refused)
{
	static const char option[] = { 9, 0, 1, 0, 9, 0, 0, 0 };
	static const char wrong[] = { 10, 0, 2, 0, 6 };
	char *there, kept;
	size_t i;

	write_recording();
	there = memmem(bytes, size, option, sizeof(option));
	ck_assert_ptr_nonnull(there);
	for (i = 0; i < sizeof(wrong); i += 2) {
		kept = there[i];
		there[i] = wrong[i];
		expect_foreign();
		there[i] = kept;
	}
}
END_TEST

START_TEST(a_packet_of_another_interface_is_refused)
{
	write_recording();
	find_block(2)[8] = 1;
	expect_foreign();
}
END_TEST

START_TEST(no_changed_byte_does_harm)
{
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0xff };
	const char *why;
	size_t i, j;

	write_recording();
	for (i = 0; i < size; i++)
		for (j = 0; j < sizeof(values); j++) {
			const char kept = bytes[i];

			bytes[i] = (char)values[j];
			if (read_all(bytes, size, &why) < 0)
				ck_assert_int_eq(errno, EBADMSG);
			bytes[i] = kept;
		}
}
END_TEST

static TCase *make_pcapng(void)
{
	TCase *tcase = make_tcase_with("pcapng", NULL, free_bytes);

	tcase_add_test(tcase, what_was_written_is_read);
	tcase_add_test(tcase, a_packet_tells_how_many_before_it_were_left_out);
	tcase_add_test(tcase, a_payload_of_any_size_keeps_the_blocks_aligned);
	tcase_add_test(tcase, a_recording_that_is_cut_is_refused);
	tcase_add_test(tcase, a_foreign_file_is_refused);
	tcase_add_test(tcase, times_of_another_resolution_are_refused);
	tcase_add_test(tcase, a_packet_of_another_interface_is_refused);
	tcase_add_test(tcase, no_changed_byte_does_harm);
	return tcase;
}

int main(void)
{
	return support_run_cases("pcapng", make_pcapng());
}
