/* SPDX-License-Identifier: MIT */
/*
 * The addressing layer. Two rules of the kernel decide everything here: an
 * abstract name is exactly as long as the length says, and a path ends at its
 * NUL or, with 108 bytes, has none inside struct sockaddr_un.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/addr_private.h"

static const socklen_t name_offset = offsetof(struct sockaddr_un, sun_path);

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* Reads the escape at text. Returns its length, or 0. */
static size_t decode_escape(const char *text, char *byte)
{
	int high, low;

	if (text[1] == '\\') {
		*byte = '\\';
		return 2;
	}
	if (text[1] != 'x')
		return 0;
	high = hex_value(text[2]);
	if (high < 0)
		return 0;
	low = hex_value(text[3]);
	if (low < 0)
		return 0;
	*byte = (char)(high * 16 + low);
	return 4;
}

static size_t decode_byte(const char *text, char *byte)
{
	if (*text == '\\')
		return decode_escape(text, byte);
	*byte = *text;
	return 1;
}

/* Reads \{N} at text, where N is 1 or more. Returns its length, or 0. */
static size_t decode_count(const char *text, size_t *count)
{
	size_t used = 2;

	*count = 0;
	if (text[used] == '0')
		return 0;
	for (; text[used] >= '0' && text[used] <= '9'; used++)
		/* No name has so many bytes, so a larger count need not be
		 * exact. */
		if (*count < SIZE_MAX / 16)
			*count = *count * 10 + (size_t)(text[used] - '0');
	return *count > 0 && text[used] == '}' ? used + 1 : 0;
}

/*
 * Reads a piece of text: a byte, or a count for the byte before it, which is in
 * *byte. Returns its length, or 0; count is the number of bytes to add.
 */
static size_t decode_piece(const char *text, bool is_first, char *byte,
	size_t *count)
{
	size_t used;

	*count = 1;
	if (text[0] != '\\' || text[1] != '{')
		return decode_byte(text, byte);
	used = is_first ? 0 : decode_count(text, count);
	*count -= 1;
	return used;
}

static int fail_with(int error)
{
	errno = error;
	return -1;
}

static int is_name_valid(const char *name, size_t size)
{
	if (size == 0)
		return 0;
	return name[0] == '\0' || memchr(name, '\0', size) == NULL;
}

int unixaddr__decode(const char *text, char *name, size_t room, size_t *size)
{
	size_t used, count, filled = 0, first;
	char byte = '\0';

	if (*text == '@') {
		name[filled++] = '\0';
		text++;
	}
	for (first = filled; *text != '\0'; text += used) {
		used = decode_piece(text, filled == first, &byte, &count);
		if (used == 0)
			return fail_with(EINVAL);
		if (count >= room - filled)
			return fail_with(ENAMETOOLONG);
		memset(name + filled, byte, count);
		filled += count;
	}
	if (!is_name_valid(name, filled))
		return fail_with(EINVAL);
	name[filled] = '\0';
	*size = filled;
	return 0;
}

/* Sets addr to name: valid, in the form of sun_path, at most 108 bytes. name
 * may point into addr. */
static void set_name(struct unixaddr *addr, const char *name, size_t size)
{
	struct unixaddr made = { .sun.sun_family = AF_UNIX };
	bool is_path = name[0] != '\0';

	memcpy(made.sun.sun_path, name, size);
	made.length = name_offset + (socklen_t)size + is_path;
	*addr = made;
}

int unixaddr_parse(struct unixaddr *addr, const char *text)
{
	char name[UNIXMSG_NAME_SIZE_MAX + 1];
	size_t size;

	if (strcmp(text, "@") == 0) {
		unixaddr_set_unnamed(addr);
		return 0;
	}
	if (unixaddr__decode(text, name, sizeof(name), &size) < 0)
		return -1;
	set_name(addr, name, size);
	return 0;
}

static bool is_plain(char byte)
{
	return byte >= ' ' && byte <= '~' && byte != '\\';
}

/* Writes the text of one byte. Returns its length, at most 4. */
static size_t encode_byte(char byte, char *text)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char value = (unsigned char)byte;

	if (is_plain(byte)) {
		text[0] = byte;
		return 1;
	}
	text[0] = '\\';
	if (byte == '\\') {
		text[1] = '\\';
		return 2;
	}
	text[1] = 'x';
	text[2] = digits[value >> 4];
	text[3] = digits[value & 15];
	return 4;
}

/* Returns the number of equal bytes at bytes. */
static size_t measure_run(const char *bytes, size_t size)
{
	size_t run = 1;

	while (run < size && bytes[run] == bytes[0])
		run++;
	return run;
}

/*
 * Writes a count, because a name padded with NULs would be a row of a hundred
 * escapes, which nobody can read or type. Letters that repeat read best as they
 * are.
 */
size_t unixaddr__encode(const char *bytes, size_t size,
	char text[UNIXADDR_PIECE_SIZE], size_t *used)
{
	size_t run = measure_run(bytes, size);

	*used = encode_byte(bytes[0], text);
	if (*used < 4 || run < 4)
		return 1;
	*used += (size_t)snprintf(text + *used, UNIXADDR_PIECE_SIZE - *used,
		"\\{%zu}", run);
	return run;
}

/* Writes the text of addr, but leaves a path that begins with @ as it is.
 * Returns its length. */
static size_t encode_name(const struct unixaddr *addr, char *text)
{
	enum unixaddr_kind kind = unixaddr_get_kind(addr);
	size_t i, step, size, used = 0;
	const char *name = unixaddr_get_name(addr, &size);

	if (kind == UNIXADDR_ABSTRACT && size == 0)
		return encode_byte('\0', text);
	if (kind != UNIXADDR_PATH)
		text[used++] = '@';
	for (i = 0; i < size; used += step)
		i += unixaddr__encode(name + i, size - i, text + used, &step);
	return used;
}

/* Escapes the @ of a path that would look like an abstract name. */
static size_t encode_address(const struct unixaddr *addr, char *text)
{
	size_t used = encode_name(addr, text);

	if (unixaddr_get_kind(addr) != UNIXADDR_PATH || text[0] != '@')
		return used;
	memmove(text + 4, text + 1, used - 1);
	memcpy(text, "\\x40", 4);
	return used + 3;
}

char *unixaddr_format(const struct unixaddr *addr, char *text, size_t room)
{
	char whole[UNIXMSG_ADDR_TEXT_SIZE];
	size_t size = encode_address(addr, whole);

	if (size >= room) {
		errno = ENOSPC;
		return NULL;
	}
	memcpy(text, whole, size);
	text[size] = '\0';
	return text;
}

static int check_size(size_t size, size_t most)
{
	if (size <= most)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

int unixaddr_set_path(struct unixaddr *addr, const void *bytes, size_t size)
{
	if (size == 0 || memchr(bytes, '\0', size) != NULL) {
		errno = EINVAL;
		return -1;
	}
	if (check_size(size, UNIXMSG_NAME_SIZE_MAX) < 0)
		return -1;
	set_name(addr, bytes, size);
	return 0;
}

int unixaddr_set_abstract(struct unixaddr *addr, const void *bytes, size_t size)
{
	char name[UNIXMSG_NAME_SIZE_MAX] = { 0 };

	if (check_size(size, UNIXMSG_NAME_SIZE_MAX - 1) < 0)
		return -1;
	if (size > 0)
		memcpy(name + 1, bytes, size);
	set_name(addr, name, size + 1);
	return 0;
}

void unixaddr_set_unnamed(struct unixaddr *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->sun.sun_family = AF_UNIX;
	addr->length = name_offset;
}

int unixaddr_set_sockaddr(struct unixaddr *addr, const struct sockaddr *sa,
	socklen_t length)
{
	const char *name = (const char *)sa + name_offset;
	size_t size;

	if (length == 0) {
		unixaddr_set_unnamed(addr);
		return 0;
	}
	if (length < name_offset || length > sizeof(struct sockaddr_un) + 1) {
		errno = EINVAL;
		return -1;
	}
	if (sa->sa_family != AF_UNIX) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	size = length - name_offset;
	if (size == 0) {
		unixaddr_set_unnamed(addr);
		return 0;
	}
	if (size > UNIXMSG_NAME_SIZE_MAX)
		size = UNIXMSG_NAME_SIZE_MAX;
	set_name(addr, name, name[0] == '\0' ? size : strnlen(name, size));
	return 0;
}

void unixaddr__correct(struct unixaddr *addr, socklen_t length)
{
	if (length <= name_offset)
		unixaddr_set_unnamed(addr);
	else
		addr->length = length;
}

const struct sockaddr *unixaddr_get_sockaddr(const struct unixaddr *addr,
	socklen_t *length)
{
	/* The kernel refuses the length that it returns itself, 111. */
	if (addr->length > sizeof(addr->sun))
		*length = sizeof(addr->sun);
	else
		*length = addr->length;
	return (const struct sockaddr *)&addr->sun;
}

enum unixaddr_kind unixaddr_get_kind(const struct unixaddr *addr)
{
	if (addr->length <= name_offset)
		return UNIXADDR_UNNAMED;
	if (addr->sun.sun_path[0] == '\0')
		return UNIXADDR_ABSTRACT;
	return UNIXADDR_PATH;
}

const char *unixaddr_get_name(const struct unixaddr *addr, size_t *size)
{
	*size = 0;
	if (unixaddr_get_kind(addr) == UNIXADDR_UNNAMED)
		return addr->sun.sun_path;
	*size = addr->length - name_offset - 1;
	if (unixaddr_get_kind(addr) == UNIXADDR_ABSTRACT)
		return addr->sun.sun_path + 1;
	return addr->sun.sun_path;
}

bool unixaddr_is_equal(const struct unixaddr *a, const struct unixaddr *b)
{
	size_t a_size, b_size;
	const char *a_name = unixaddr_get_name(a, &a_size);
	const char *b_name = unixaddr_get_name(b, &b_size);

	return unixaddr_get_kind(a) == unixaddr_get_kind(b) &&
		a_size == b_size && memcmp(a_name, b_name, a_size) == 0;
}

/* FNV-1a, over the kind and the name. */
uint64_t unixaddr__hash(const struct unixaddr *addr)
{
	uint64_t hash = 0xcbf29ce484222325u;
	size_t i, size;
	const char *name = unixaddr_get_name(addr, &size);

	hash = (hash ^ unixaddr_get_kind(addr)) * 0x100000001b3u;
	for (i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
	return hash;
}
