/* SPDX-License-Identifier: MIT */
/*
 * Frames between relays: the head is read a second time, byte by byte. What is
 * taken comes back as the same bytes.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "relay/frame.h"

const char fuzz_noun[] = "frame";

static uint64_t read_slowly(const uint8_t *bytes, size_t count)
{
	uint64_t number = 0;

	while (count-- > 0)
		number = number << 8 | *bytes++;
	return number;
}

/* What each type has, in order: a sequence, a credit, data. */
static const char *const types[] = { "", "d", "c", "c", "", "sd", "c", "s", "",
	"sc", "sc" };

static bool is_right(const uint8_t *bytes, size_t size)
{
	bool has_sequence, has_credit, has_data;
	const char *has;

	if (size < 24 || bytes[0] != 1 || bytes[1] < 1 || bytes[1] > 10 ||
		read_slowly(bytes + 2, 6) != 0)
		return false;
	has = types[bytes[1]];
	has_sequence = strchr(has, 's') != NULL;
	has_credit = strchr(has, 'c') != NULL;
	has_data = strchr(has, 'd') != NULL;
	return (has_sequence || read_slowly(bytes + 8, 8) == 0) &&
		(has_credit || read_slowly(bytes + 16, 8) == 0) &&
		(has_data || size == 24);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char again[FRAME_HEAD_SIZE];
	uint8_t *copy = fuzz_copy(data, size);
	struct frame frame;
	int result = frame_decode(&frame, copy, size);

	fuzz_expect((result == 0) == is_right(copy, size));
	if (result < 0) {
		fuzz_expect(errno == EPROTO);
	} else {
		fuzz_expect(frame.sequence == read_slowly(copy + 8, 8));
		fuzz_expect(frame.credit == read_slowly(copy + 16, 8));
		fuzz_expect(frame.data == copy + 24);
		fuzz_expect(frame.size == size - 24);
		frame_encode(again, &frame);
		fuzz_expect(memcmp(again, copy, sizeof(again)) == 0);
	}
	free(copy);
	return 0;
}
