/* SPDX-License-Identifier: MIT */
/*
 * Addresses: the input is text to be parsed, the bytes of a name, and what a
 * system call may have filled in. Whatever address comes of it, its text is
 * printable and gives the same address again.
 */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr_private.h"
#include "fuzz.h"

const char fuzz_noun[] = "addr";

/* Bytes of a name that are kept; no room that is tried is larger. */
#define SLOW_ROOM 8192

/* A text read slowly: what it says, or all that is wrong with it. */
struct slow {
	char *bytes;
	size_t size;
	bool is_malformed;
};

static int read_hex(const char *digits)
{
	char pair[3] = { 0 };

	if (!isxdigit((unsigned char)digits[0]) ||
		!isxdigit((unsigned char)digits[1]))
		return -1;
	memcpy(pair, digits, 2);
	return (int)strtol(pair, NULL, 16);
}

static size_t read_escape(const char *text, char *byte)
{
	int value;

	*byte = '\\';
	if (text[1] == '\\')
		return 2;
	if (text[1] != 'x')
		return 0;
	value = read_hex(text + 2);
	*byte = (char)value;
	return value < 0 ? 0 : 4;
}

/* \{N}: how often the byte before it is meant, and how long that text is. */
static size_t read_count(const char *text, size_t *count)
{
	char *end;
	unsigned long number = strtoul(text + 2, &end, 10);

	*count = 1;
	if (text[2] < '1' || text[2] > '9' || *end != '}')
		return 0;
	/* More than every room that is tried, and than what is kept. */
	*count = number < SLOW_ROOM ? number : SLOW_ROOM;
	return (size_t)(end + 1 - text);
}

static void add_slowly(struct slow *slow, char byte, size_t count)
{
	for (; count > 0; count--) {
		if (slow->size < SLOW_ROOM)
			slow->bytes[slow->size] = byte;
		slow->size++;
	}
}

static void read_slowly(struct slow *slow, const char *text)
{
	const char *begin = text;
	size_t used = 1, count;
	char byte = '\0';

	slow->bytes = malloc(SLOW_ROOM);
	fuzz_expect(slow->bytes != NULL);
	slow->size = 0;
	for (; *text != '\0' && used > 0; text += used) {
		used = count = 1;
		/* Only the first `@' is a sign, a second one is a name's. */
		if (slow->size == 0 && *text == '@') {
			begin++;
			add_slowly(slow, '\0', 1);
			continue;
		}
		if (*text != '\\') {
			byte = *text;
		} else if (text[1] != '{') {
			used = read_escape(text, &byte);
		} else {
			used = text == begin ? 0 : read_count(text, &count);
			count--;
		}
		add_slowly(slow, byte, count);
	}
	slow->is_malformed = used == 0 || slow->size == 0 ||
		(slow->bytes[0] != '\0' &&
			memchr(slow->bytes, '\0',
				slow->size < SLOW_ROOM ? slow->size
						       : SLOW_ROOM) != NULL);
}

static void check_failure(const struct slow *slow, int error, size_t most)
{
	if (error == EINVAL)
		fuzz_expect(slow->is_malformed);
	else
		fuzz_expect(error == ENAMETOOLONG && slow->size > most);
}

static void check_name(const struct unixaddr *addr, const char *bytes,
	size_t size)
{
	bool is_path = bytes[0] != '\0';
	const char *name;
	size_t got;

	name = unixaddr_get_name(addr, &got);
	fuzz_expect(got == (is_path ? size : size - 1));
	fuzz_expect(memcmp(name, bytes + !is_path, got) == 0);
	fuzz_expect(unixaddr_get_kind(addr) ==
		(is_path ? UNIXADDR_PATH : UNIXADDR_ABSTRACT));
	if (is_path)
		fuzz_expect(name[got] == '\0');
}

static void check_sockaddr(const struct unixaddr *addr)
{
	struct unixaddr again;
	socklen_t length;
	const struct sockaddr *sa = unixaddr_get_sockaddr(addr, &length);

	fuzz_expect(length >= offsetof(struct sockaddr_un, sun_path));
	fuzz_expect(length <= sizeof(struct sockaddr_un));
	fuzz_expect(unixaddr_set_sockaddr(&again, sa, length) == 0);
	fuzz_expect(unixaddr_is_equal(addr, &again));
}

/* What is true of every address. */
static void check_address(const struct unixaddr *addr)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE], cut[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr again;
	size_t size;

	fuzz_expect(unixaddr_format(addr, text, sizeof(text)) == text);
	size = strlen(text);
	fuzz_expect(fuzz_is_printable(text, size));
	fuzz_expect(unixaddr_parse(&again, text) == 0);
	fuzz_expect(unixaddr_is_equal(addr, &again));
	fuzz_expect(again.length == addr->length);
	fuzz_expect(unixaddr__hash(addr) == unixaddr__hash(&again));
	fuzz_expect(unixaddr_format(addr, cut, size) == NULL);
	fuzz_expect(errno == ENOSPC);
	fuzz_expect(unixaddr_format(addr, cut, size + 1) == cut);
	check_sockaddr(addr);
}

static void try_parse(const char *text, const struct slow *slow)
{
	struct unixaddr addr;

	if (unixaddr_parse(&addr, text) < 0) {
		check_failure(slow, errno, UNIXMSG_NAME_SIZE_MAX);
		return;
	}
	check_address(&addr);
	if (strcmp(text, "@") == 0) {
		fuzz_expect(unixaddr_get_kind(&addr) == UNIXADDR_UNNAMED);
		return;
	}
	fuzz_expect(!slow->is_malformed && slow->size <= UNIXMSG_NAME_SIZE_MAX);
	check_name(&addr, slow->bytes, slow->size);
}

/* As long paths are read: into memory of any size. */
static void try_decode(const char *text, const struct slow *slow, size_t room)
{
	char *name;
	size_t size;

	if (room > SLOW_ROOM)
		room = SLOW_ROOM;
	name = malloc(room);
	fuzz_expect(name != NULL);
	if (unixaddr__decode(text, name, room, &size) < 0) {
		check_failure(slow, errno, room - 1);
	} else {
		fuzz_expect(!slow->is_malformed && size == slow->size);
		fuzz_expect(memcmp(name, slow->bytes, size) == 0);
		fuzz_expect(name[size] == '\0');
	}
	free(name);
}

static void try_text(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy_text(data, size);
	struct slow slow;

	read_slowly(&slow, text);
	try_parse(text, &slow);
	try_decode(text, &slow, slow.size + 2);
	try_decode(text, &slow, slow.size / 2 + 2);
	free(slow.bytes);
	free(text);
}

static void try_bytes(const uint8_t *data, size_t size)
{
	struct unixaddr addr;
	const char *name;
	size_t got;

	if (unixaddr_set_path(&addr, data, size) == 0) {
		check_address(&addr);
		check_name(&addr, (const char *)data, size);
	} else {
		fuzz_expect(size == 0 || size > UNIXMSG_NAME_SIZE_MAX ||
			memchr(data, '\0', size) != NULL);
	}
	if (unixaddr_set_abstract(&addr, data, size) == 0) {
		check_address(&addr);
		name = unixaddr_get_name(&addr, &got);
		fuzz_expect(got == size);
		fuzz_expect(size == 0 || memcmp(name, data, size) == 0);
	} else {
		fuzz_expect(errno == ENAMETOOLONG);
		fuzz_expect(size > UNIXMSG_NAME_SIZE_MAX - 1);
	}
}

/* The name as the kernel would give it, with each length it may give. */
static void try_sockaddr(const uint8_t *data, size_t size)
{
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		char room[sizeof(struct sockaddr_un) + 1];
	} sa = { .un.sun_family = AF_UNIX };
	const size_t offset = offsetof(struct sockaddr_un, sun_path);
	struct unixaddr addr;

	if (size > sizeof(sa.room) - offset)
		size = sizeof(sa.room) - offset;
	if (size > 0)
		memcpy(sa.room + offset, data, size);
	fuzz_expect(unixaddr_set_sockaddr(&addr, &sa.any,
			    (socklen_t)(offset + size)) == 0);
	check_address(&addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);

	try_text(copy, size);
	try_bytes(copy, size);
	try_sockaddr(copy, size);
	free(copy);
	return 0;
}
