/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr_private.h"
#include "support/scene.h"
#include "unixmsg/addr.h"

/* A string literal with the NULs in it, and its size. */
#define BYTES(text) text, sizeof(text) - 1

#define PATH(bytes) UNIXADDR_PATH, BYTES(bytes)
#define ABSTRACT(bytes) UNIXADDR_ABSTRACT, BYTES(bytes)

enum { FAMILY_SIZE = offsetof(struct sockaddr_un, sun_path) };

static const uint64_t seed = 0x243f6a8885a308d3;

/* A text, and the address that it stands for. */
struct example {
	const char *text;
	enum unixaddr_kind kind;
	const char *name;
	size_t size;
};

/* The first of several texts for one address: the one that is written. */
static const struct example written[] = {
	{ "@", UNIXADDR_UNNAMED, BYTES("") },
	{ "/run/echo.sock", PATH("/run/echo.sock") },
	{ "echo", PATH("echo") },
	{ "./@echo", PATH("./@echo") },
	{ "a@b", PATH("a@b") },
	{ "/a b~", PATH("/a b~") },
	{ "\\x40echo", PATH("@echo") },
	{ "\\x40", PATH("@") },
	{ "\\x40@", PATH("@@") },
	{ "a\\\\b", PATH("a\\b") },
	{ "\\\\", PATH("\\") },
	{ "\\\\x41", PATH("\\x41") },
	{ "\\x0a\\x1b[2J;uid=0;", PATH("\n\033[2J;uid=0;") },
	{ "\\x7f\\x80\\xff", PATH("\177\200\377") },
	{ "@echo", ABSTRACT("echo") },
	{ "@@", ABSTRACT("@") },
	{ "@/run/echo.sock", ABSTRACT("/run/echo.sock") },
	{ "@a\\x00b", ABSTRACT("a\0b") },
	{ "@\\x00", ABSTRACT("\0") },
	{ "@\\x00\\x00", ABSTRACT("\0\0") },
	{ "@a\\x00", ABSTRACT("a\0") },
	{ "@\\\\", ABSTRACT("\\") },
	{ "@ \\x0d\\x0a", ABSTRACT(" \r\n") },
	{ "\\x00", ABSTRACT("") },
	{ "@a\\x00\\x00\\x00", ABSTRACT("a\0\0\0") },
	{ "@a\\x00\\{4}", ABSTRACT("a\0\0\0\0") },
	{ "@\\x00\\{4}1\\x01\\{5}",
		ABSTRACT("\0\0\0\0"
			 "1"
			 "\1\1\1\1\1") },
	{ "@aaaa\\\\\\\\\\\\\\\\", ABSTRACT("aaaa\\\\\\\\") },
};

static const struct example understood[] = {
	{ "\\x00echo", ABSTRACT("echo") },
	{ "\\x00@", ABSTRACT("@") },
	{ "\\x00a\\x00b", ABSTRACT("a\0b") },
	{ "\\x41", PATH("A") },
	{ "\\x40\\x40", PATH("@@") },
	{ "\\x2frun", PATH("/run") },
	{ "\\xfF\\xFf", PATH("\377\377") },
	{ "@\\x41", ABSTRACT("A") },
	{ "\\x5cx41", PATH("\\x41") },
	{ "a\nb", PATH("a\nb") },
	{ "a\\{3}", PATH("aaa") },
	{ "a\\{1}b", PATH("ab") },
	{ "@@\\{2}", ABSTRACT("@@") },
	{ "@a\\x00\\{2}\\{3}", ABSTRACT("a\0\0\0\0") },
	{ "\\x00\\{3}", ABSTRACT("\0\0") },
	{ "\302\265", PATH("\302\265") },
};

static const char *const malformed[] = {
	"",
	"\\",
	"@\\",
	"a\\",
	"\\\\\\",
	"\\x",
	"\\x4",
	"@\\x4",
	"\\xg0",
	"\\x0g",
	"\\x 1",
	"\\x-1",
	"\\x+1",
	"\\X41",
	"\\n",
	"\\0",
	"\\@",
	"\\ x41",
	"/run/\\x0",
	"a\\x00",
	"a\\x00b",
	"/\\x00",
	"\\x40\\x00",
	"a\\x00@",
	"\\{2}",
	"@\\{2}",
	"a\\{",
	"a\\{}",
	"a\\{0}",
	"a\\{02}",
	"a\\{2",
	"a\\{-1}",
	"a\\{+1}",
	"a\\{1 }",
	"a\\{x}",
	"a\\{0x2}",
};

/* What no function of the library makes. */
static void spoil(struct unixaddr *addr)
{
	memset(addr, 0xa5, sizeof(*addr));
}

static void assert_left_alone(const struct unixaddr *addr)
{
	struct unixaddr spoilt;

	spoil(&spoilt);
	ck_assert_mem_eq(addr, &spoilt, sizeof(spoilt));
}

static socklen_t length_of(enum unixaddr_kind kind, size_t size)
{
	if (kind == UNIXADDR_UNNAMED)
		return FAMILY_SIZE;
	return (socklen_t)(FAMILY_SIZE + size + 1);
}

static void assert_address(const struct unixaddr *addr, enum unixaddr_kind kind,
	const void *bytes, size_t size)
{
	size_t found;
	const char *name = unixaddr_get_name(addr, &found);

	ck_assert_int_eq(addr->sun.sun_family, AF_UNIX);
	ck_assert_int_eq(unixaddr_get_kind(addr), kind);
	ck_assert_uint_eq(found, size);
	if (size > 0)
		ck_assert_mem_eq(name, bytes, size);
	ck_assert_uint_eq(addr->length, length_of(kind, size));
	if (kind == UNIXADDR_PATH)
		ck_assert_int_eq(name[size], '\0');
}

static void assert_equal(const struct unixaddr *a, const struct unixaddr *b)
{
	ck_assert(unixaddr_is_equal(a, b));
	ck_assert(unixaddr_is_equal(b, a));
	ck_assert_uint_eq(unixaddr__hash(a), unixaddr__hash(b));
}

static void assert_different(const struct unixaddr *a, const struct unixaddr *b)
{
	ck_assert(!unixaddr_is_equal(a, b));
	ck_assert(!unixaddr_is_equal(b, a));
	ck_assert_uint_ne(unixaddr__hash(a), unixaddr__hash(b));
}

static struct unixaddr parse(const char *text)
{
	struct unixaddr addr;

	spoil(&addr);
	ck_assert_msg(unixaddr_parse(&addr, text) == 0, "%s: %s", text,
		strerror(errno));
	return addr;
}

static struct unixaddr make(enum unixaddr_kind kind, const void *bytes,
	size_t size)
{
	struct unixaddr addr;
	int result = 0;

	spoil(&addr);
	if (kind == UNIXADDR_PATH)
		result = unixaddr_set_path(&addr, bytes, size);
	else if (kind == UNIXADDR_ABSTRACT)
		result = unixaddr_set_abstract(&addr, bytes, size);
	else
		unixaddr_set_unnamed(&addr);
	ck_assert_int_eq(result, 0);
	return addr;
}

/* Checks what holds for the text of every address. */
static void assert_text_is_good(const struct unixaddr *addr)
{
	char *text = malloc(UNIXMSG_ADDR_TEXT_SIZE);
	struct unixaddr back;
	const char *byte;

	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_eq(unixaddr_format(addr, text, UNIXMSG_ADDR_TEXT_SIZE),
		text);
	for (byte = text; *byte != '\0'; byte++)
		ck_assert_msg(*byte >= ' ' && *byte <= '~',
			"byte %#x is not printable", (unsigned char)*byte);
	back = parse(text);
	assert_equal(&back, addr);
	ck_assert_uint_eq(back.length, addr->length);
	free(text);
}

/* prefix and then count times the same, which may be an escape. */
static const char *repeat(const char *prefix, const char *part, size_t count)
{
	static char text[1024];
	size_t i;

	strcpy(text, prefix);
	for (i = 0; i < count; i++)
		strcat(text, part);
	return text;
}

START_TEST(a_text_is_parsed_as_it_is_written)
{
	const struct example *example = &written[_i];
	struct unixaddr addr = parse(example->text);

	assert_address(&addr, example->kind, example->name, example->size);
}
END_TEST

START_TEST(a_text_may_be_written_in_other_ways)
{
	const struct example *example = &understood[_i];
	struct unixaddr addr = parse(example->text);

	assert_address(&addr, example->kind, example->name, example->size);
}
END_TEST

START_TEST(a_malformed_text_is_refused)
{
	struct unixaddr addr;

	spoil(&addr);
	ck_assert_errno(unixaddr_parse(&addr, malformed[_i]), EINVAL);
	assert_left_alone(&addr);
}
END_TEST

START_TEST(an_empty_text_is_refused)
{
	struct unixaddr addr;

	spoil(&addr);
	ck_assert_errno(unixaddr_parse(&addr, ""), EINVAL);
	assert_left_alone(&addr);
}
END_TEST

/* An escape takes one byte of the room. */
START_TEST(a_path_may_have_108_bytes)
{
	const char *const parts[] = { "x", "\\x2f", "\\\\" };
	const char bytes[] = { 'x', '/', '\\' };
	char name[UNIXMSG_NAME_SIZE_MAX];
	struct unixaddr addr;
	size_t size;

	memset(name, bytes[_i], sizeof(name));
	for (size = 106; size <= 108; size++) {
		addr = parse(repeat("", parts[_i], size));
		assert_address(&addr, UNIXADDR_PATH, name, size);
	}
	spoil(&addr);
	ck_assert_errno(unixaddr_parse(&addr, repeat("", parts[_i], 109)),
		ENAMETOOLONG);
	assert_left_alone(&addr);
}
END_TEST

START_TEST(an_abstract_name_may_have_107_bytes)
{
	const char *const prefixes[] = { "@", "\\x00" };
	char name[UNIXMSG_NAME_SIZE_MAX];
	struct unixaddr addr;
	size_t size;

	memset(name, '\0', sizeof(name));
	for (size = 105; size <= 107; size++) {
		addr = parse(repeat(prefixes[_i], "\\x00", size));
		assert_address(&addr, UNIXADDR_ABSTRACT, name, size);
	}
	for (size = 108; size <= 109; size++) {
		spoil(&addr);
		ck_assert_errno(unixaddr_parse(&addr,
					repeat(prefixes[_i], "x", size)),
			ENAMETOOLONG);
		assert_left_alone(&addr);
	}
}
END_TEST

START_TEST(a_repeated_byte_is_bounded)
{
	const char *const texts[] = {
		"@\\x00\\{108}",
		"a\\{109}",
		"@echo\\x00\\{104}",
		"a\\{4294967297}",
		"a\\{18446744073709551617}",
		"a\\{99999999999999999999999999999999999999}",
	};
	struct unixaddr addr;

	spoil(&addr);
	ck_assert_errno(unixaddr_parse(&addr, texts[_i]), ENAMETOOLONG);
	assert_left_alone(&addr);
}
END_TEST

START_TEST(a_padded_name_has_a_short_text)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE], name[107] = "echo";
	struct unixaddr addr;

	addr = make(UNIXADDR_ABSTRACT, name, sizeof(name));
	ck_assert_str_eq(unixaddr_format(&addr, text, sizeof(text)),
		"@echo\\x00\\{103}");
	addr = parse(text);
	assert_address(&addr, UNIXADDR_ABSTRACT, name, sizeof(name));
}
END_TEST

START_TEST(an_address_is_written_as_text)
{
	const struct example *example = &written[_i];
	struct unixaddr addr =
		make(example->kind, example->name, example->size);
	char text[UNIXMSG_ADDR_TEXT_SIZE];

	ck_assert_ptr_eq(unixaddr_format(&addr, text, sizeof(text)), text);
	ck_assert_str_eq(text, example->text);
}
END_TEST

START_TEST(a_text_needs_room_for_its_nul)
{
	const struct example *example = &written[_i];
	struct unixaddr addr =
		make(example->kind, example->name, example->size);
	size_t room, size = strlen(example->text);
	char *text;

	for (room = 0; room <= size; room++) {
		text = malloc(room);
		ck_assert_null_errno(unixaddr_format(&addr, text, room),
			ENOSPC);
		free(text);
	}
	text = malloc(size + 1);
	ck_assert_ptr_eq(unixaddr_format(&addr, text, size + 1), text);
	ck_assert_str_eq(text, example->text);
	free(text);
}
END_TEST

/* Every value of a byte, alone and behind another: it may be special there. */
START_TEST(every_byte_can_be_written)
{
	const char byte = (char)_i;
	const char second[] = { 'x', byte };
	struct unixaddr addr;

	addr = make(UNIXADDR_ABSTRACT, &byte, 1);
	assert_text_is_good(&addr);
	addr = make(UNIXADDR_ABSTRACT, second, 2);
	assert_text_is_good(&addr);
	if (byte == '\0')
		return;
	addr = make(UNIXADDR_PATH, &byte, 1);
	assert_text_is_good(&addr);
	addr = make(UNIXADDR_PATH, second, 2);
	assert_text_is_good(&addr);
}
END_TEST

/* Bytes that need no escape, a short one, and a long one. */
START_TEST(every_size_can_be_written)
{
	const char bytes[] = { 'x', '@', '\\', '\377' };
	char name[UNIXMSG_NAME_SIZE_MAX];
	struct unixaddr addr;
	size_t size;

	memset(name, bytes[_i], sizeof(name));
	for (size = 0; size < sizeof(name); size++) {
		addr = make(UNIXADDR_ABSTRACT, name, size);
		assert_text_is_good(&addr);
		addr = make(UNIXADDR_PATH, name, size + 1);
		assert_text_is_good(&addr);
	}
}
END_TEST

/* Half of the bytes are those that parsing looks at. */
static char pick_byte(uint64_t *state)
{
	static const char special[] = { '\0', '@', '\\', 'x', '0', 'f', '\n' };
	uint64_t random = support_draw(state);

	if (random & 256)
		return special[(random >> 16) % sizeof(special)];
	return (char)(random >> 16);
}

static struct unixaddr pick_address(uint64_t *state)
{
	enum unixaddr_kind kind = UNIXADDR_PATH;
	size_t i,
		size = 1 +
		(size_t)(support_draw(state) % (UNIXMSG_NAME_SIZE_MAX - 1));
	char name[UNIXMSG_NAME_SIZE_MAX];

	for (i = 0; i < size; i++)
		name[i] = pick_byte(state);
	if (memchr(name, '\0', size) != NULL || support_draw(state) & 256)
		kind = UNIXADDR_ABSTRACT;
	return make(kind, name, size);
}

START_TEST(random_addresses_come_back_from_their_texts)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	uint64_t state = seed;
	struct unixaddr addr, back;
	int i;

	for (i = 0; i < 20000; i++) {
		addr = pick_address(&state);
		ck_assert_ptr_eq(unixaddr_format(&addr, text, sizeof(text)),
			text);
		ck_assert_msg(unixaddr_parse(&back, text) == 0 &&
				unixaddr_is_equal(&back, &addr),
			"seed %#" PRIx64 ", number %d: %s", seed, i, text);
	}
}
END_TEST

/* Texts of random bytes: what is accepted is written and read back. */
START_TEST(random_texts_are_refused_or_understood)
{
	char bytes[160];
	uint64_t state = seed;
	struct unixaddr addr;
	size_t i, size;
	int round, accepted = 0;

	for (round = 0; round < 20000; round++) {
		size = (size_t)(support_draw(&state) % sizeof(bytes));
		for (i = 0; i < size; i++)
			bytes[i] = pick_byte(&state);
		bytes[size] = '\0';
		spoil(&addr);
		if (unixaddr_parse(&addr, bytes) == 0) {
			assert_text_is_good(&addr);
			accepted++;
		} else {
			assert_left_alone(&addr);
		}
	}
	ck_assert_int_gt(accepted, 1000);
}
END_TEST

START_TEST(a_path_of_no_bytes_is_refused)
{
	struct unixaddr addr;

	spoil(&addr);
	ck_assert_errno(unixaddr_set_path(&addr, "", 0), EINVAL);
	assert_left_alone(&addr);
}
END_TEST

START_TEST(a_path_with_a_nul_is_refused)
{
	char bytes[UNIXMSG_NAME_SIZE_MAX];
	struct unixaddr addr;
	size_t i;

	for (i = 0; i < sizeof(bytes); i++) {
		memset(bytes, 'x', sizeof(bytes));
		bytes[i] = '\0';
		spoil(&addr);
		ck_assert_errno(unixaddr_set_path(&addr, bytes, sizeof(bytes)),
			EINVAL);
		assert_left_alone(&addr);
	}
}
END_TEST

START_TEST(bytes_for_a_path_are_bounded)
{
	char bytes[2 * UNIXMSG_NAME_SIZE_MAX];
	struct unixaddr addr;

	memset(bytes, 'x', sizeof(bytes));
	addr = make(UNIXADDR_PATH, bytes, 108);
	assert_address(&addr, UNIXADDR_PATH, bytes, 108);
	spoil(&addr);
	ck_assert_errno(unixaddr_set_path(&addr, bytes, 109), ENAMETOOLONG);
	ck_assert_errno(unixaddr_set_path(&addr, bytes, sizeof(bytes)),
		ENAMETOOLONG);
	assert_left_alone(&addr);
}
END_TEST

START_TEST(bytes_for_an_abstract_name_are_bounded)
{
	char bytes[2 * UNIXMSG_NAME_SIZE_MAX];
	struct unixaddr addr;

	memset(bytes, 'x', sizeof(bytes));
	addr = make(UNIXADDR_ABSTRACT, bytes, 107);
	assert_address(&addr, UNIXADDR_ABSTRACT, bytes, 107);
	spoil(&addr);
	ck_assert_errno(unixaddr_set_abstract(&addr, bytes, 108), ENAMETOOLONG);
	ck_assert_errno(unixaddr_set_abstract(&addr, bytes, sizeof(bytes)),
		ENAMETOOLONG);
	assert_left_alone(&addr);
}
END_TEST

START_TEST(bytes_are_taken_as_they_are)
{
	struct unixaddr addr;

	addr = make(UNIXADDR_PATH, "@\\x41\n", 6);
	assert_address(&addr, UNIXADDR_PATH, "@\\x41\n", 6);
	addr = make(UNIXADDR_ABSTRACT, "@\\x00\0", 6);
	assert_address(&addr, UNIXADDR_ABSTRACT, "@\\x00\0", 6);
}
END_TEST

START_TEST(an_abstract_name_of_no_bytes_is_a_name)
{
	struct unixaddr addr = make(UNIXADDR_ABSTRACT, NULL, 0);

	assert_address(&addr, UNIXADDR_ABSTRACT, "", 0);
}
END_TEST

START_TEST(an_address_may_be_made_of_its_own_bytes)
{
	struct unixaddr addr = make(UNIXADDR_PATH, BYTES("/run/echo"));
	const char *name;
	size_t size;

	name = unixaddr_get_name(&addr, &size);
	ck_assert_int_eq(unixaddr_set_path(&addr, name, size), 0);
	assert_address(&addr, UNIXADDR_PATH, BYTES("/run/echo"));
	ck_assert_int_eq(unixaddr_set_abstract(&addr, name, size), 0);
	assert_address(&addr, UNIXADDR_ABSTRACT, BYTES("/run/echo"));
}
END_TEST

/* A kernel's address in memory of exactly its size, for ASan to watch. */
static int take_over(struct unixaddr *addr, sa_family_t family,
	const char *bytes, size_t size, socklen_t length)
{
	size_t whole = FAMILY_SIZE + size;
	char *copy = malloc(whole);
	int result, saved;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, &family, sizeof(family));
	memcpy(copy + FAMILY_SIZE, bytes, size);
	result = unixaddr_set_sockaddr(addr, (struct sockaddr *)copy, length);
	saved = errno;
	free(copy);
	errno = saved;
	return result;
}

static struct unixaddr taken(const char *bytes, size_t size)
{
	struct unixaddr addr;

	spoil(&addr);
	ck_assert_int_eq(take_over(&addr, AF_UNIX, bytes, size,
				 (socklen_t)(FAMILY_SIZE + size)),
		0);
	return addr;
}

START_TEST(a_length_of_nothing_is_an_unbound_sender)
{
	char *nothing = calloc(1, 1);
	struct unixaddr addr;

	spoil(&addr);
	ck_assert_int_eq(unixaddr_set_sockaddr(&addr,
				 (struct sockaddr *)nothing, 0),
		0);
	assert_address(&addr, UNIXADDR_UNNAMED, "", 0);
	free(nothing);
}
END_TEST

START_TEST(a_family_alone_is_an_unnamed_socket)
{
	struct unixaddr addr = taken("", 0);

	assert_address(&addr, UNIXADDR_UNNAMED, "", 0);
}
END_TEST

START_TEST(a_path_is_taken_over_with_and_without_a_nul)
{
	struct unixaddr addr;

	addr = taken("/", 1);
	assert_address(&addr, UNIXADDR_PATH, "/", 1);
	addr = taken(BYTES("/run\0"));
	assert_address(&addr, UNIXADDR_PATH, "/run", 4);
	addr = taken(BYTES("/run\0rest"));
	assert_address(&addr, UNIXADDR_PATH, "/run", 4);
}
END_TEST

START_TEST(an_abstract_name_is_taken_over_whole)
{
	struct unixaddr addr;

	addr = taken(BYTES("\0"));
	assert_address(&addr, UNIXADDR_ABSTRACT, "", 0);
	addr = taken(BYTES("\0a\0b\0"));
	assert_address(&addr, UNIXADDR_ABSTRACT, "a\0b\0", 4);
}
END_TEST

START_TEST(every_length_of_the_kernel_is_taken_over)
{
	char bytes[UNIXMSG_NAME_SIZE_MAX];
	struct unixaddr addr;
	size_t size;

	memset(bytes, 'x', sizeof(bytes));
	for (size = 1; size <= sizeof(bytes); size++) {
		addr = taken(bytes, size);
		assert_address(&addr, UNIXADDR_PATH, bytes, size);
	}
	bytes[0] = '\0';
	for (size = 1; size <= sizeof(bytes); size++) {
		addr = taken(bytes, size);
		assert_address(&addr, UNIXADDR_ABSTRACT, bytes + 1, size - 1);
	}
}
END_TEST

/* The length counts a NUL for which struct sockaddr_un has no room. */
START_TEST(a_length_of_111_is_a_path_of_108_bytes)
{
	char bytes[UNIXMSG_NAME_SIZE_MAX];
	struct unixaddr addr;

	memset(bytes, 'x', sizeof(bytes));
	spoil(&addr);
	ck_assert_int_eq(take_over(&addr, AF_UNIX, bytes, sizeof(bytes), 111),
		0);
	assert_address(&addr, UNIXADDR_PATH, bytes, sizeof(bytes));
}
END_TEST

START_TEST(a_length_that_the_kernel_cannot_give_is_refused)
{
	const socklen_t lengths[] = { 1, 112, 113, 128, 1 << 20, UINT32_MAX };
	char bytes[UNIXMSG_NAME_SIZE_MAX];
	struct unixaddr addr;

	memset(bytes, 'x', sizeof(bytes));
	spoil(&addr);
	ck_assert_errno(take_over(&addr, AF_UNIX, bytes, sizeof(bytes),
				lengths[_i]),
		EINVAL);
	assert_left_alone(&addr);
}
END_TEST

START_TEST(another_family_is_refused)
{
	const sa_family_t families[] = { AF_UNSPEC, AF_INET, AF_INET6 };
	struct unixaddr addr;

	spoil(&addr);
	ck_assert_errno(take_over(&addr, families[_i], BYTES("0123456789abcd"),
				16),
		EAFNOSUPPORT);
	ck_assert_errno(take_over(&addr, families[_i], "", 0, FAMILY_SIZE),
		EAFNOSUPPORT);
	assert_left_alone(&addr);
}
END_TEST

/* A caller may let the kernel write right into the structure. */
START_TEST(an_address_may_be_taken_over_where_it_stands)
{
	const struct example *example = &written[_i];
	struct unixaddr addr =
		make(example->kind, example->name, example->size);
	socklen_t length;
	const struct sockaddr *sa = unixaddr_get_sockaddr(&addr, &length);

	ck_assert_int_eq(unixaddr_set_sockaddr(&addr, sa, length), 0);
	assert_address(&addr, example->kind, example->name, example->size);
}
END_TEST

START_TEST(a_system_call_gets_the_exact_length)
{
	char bytes[UNIXMSG_NAME_SIZE_MAX];
	struct unixaddr addr;
	socklen_t length;
	size_t size;

	memset(bytes, 'x', sizeof(bytes));
	for (size = 1; size <= sizeof(bytes); size++) {
		addr = make(UNIXADDR_PATH, bytes, size);
		ck_assert_ptr_eq(unixaddr_get_sockaddr(&addr, &length),
			&addr.sun);
		ck_assert_uint_eq(length,
			size < 108 ? FAMILY_SIZE + size + 1 : sizeof(addr.sun));
	}
	for (size = 0; size < sizeof(bytes); size++) {
		addr = make(UNIXADDR_ABSTRACT, bytes, size);
		unixaddr_get_sockaddr(&addr, &length);
		ck_assert_uint_eq(length, FAMILY_SIZE + 1 + size);
	}
	unixaddr_set_unnamed(&addr);
	unixaddr_get_sockaddr(&addr, &length);
	ck_assert_uint_eq(length, FAMILY_SIZE);
}
END_TEST

static int bind_socket(const struct unixaddr *addr)
{
	socklen_t length;
	const struct sockaddr *sa = unixaddr_get_sockaddr(addr, &length);
	int fd = open_socket(SOCK_DGRAM);

	ck_assert_int_eq(bind(fd, sa, length), 0);
	return fd;
}

/* What getsockname(2) gives, taken over from memory of exactly that size. */
static struct unixaddr own_address(int fd, socklen_t *length)
{
	struct sockaddr_storage storage;
	struct unixaddr addr;
	size_t size;

	*length = sizeof(storage);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&storage, length),
		0);
	size = *length < sizeof(struct sockaddr_un)
		? *length
		: sizeof(struct sockaddr_un);
	spoil(&addr);
	ck_assert_int_eq(take_over(&addr, AF_UNIX,
				 (char *)&storage + FAMILY_SIZE,
				 size - FAMILY_SIZE, *length),
		0);
	return addr;
}

/* The sender of a datagram that goes from one socket to the other. */
static struct unixaddr sender_address(int from, int to, socklen_t *length)
{
	struct sockaddr_storage storage;
	struct unixaddr addr;
	socklen_t to_length;
	struct unixaddr to_addr = own_address(to, length);
	const struct sockaddr *sa = unixaddr_get_sockaddr(&to_addr, &to_length);
	char byte;

	ck_assert_int_eq(sendto(from, "", 1, MSG_NOSIGNAL, sa, to_length), 1);
	*length = sizeof(storage);
	ck_assert_int_eq(recvfrom(to, &byte, 1, 0, (struct sockaddr *)&storage,
				 length),
		1);
	spoil(&addr);
	ck_assert_int_eq(unixaddr_set_sockaddr(&addr,
				 (struct sockaddr *)&storage, *length),
		0);
	return addr;
}

/* An absolute path of that many bytes where a file may be made. */
static struct unixaddr path_of_size(size_t size)
{
	char path[UNIXMSG_NAME_SIZE_MAX];
	size_t used = strlen(support_path(""));

	memset(path, 'x', sizeof(path));
	memcpy(path, support_path(""), used);
	return make(UNIXADDR_PATH, path, size);
}

START_TEST(the_kernel_agrees_about_paths)
{
	struct unixaddr addr = path_of_size((size_t)_i), found;
	struct unixaddr any = parse("@");
	int fd = bind_socket(&addr), other = bind_socket(&any);
	socklen_t length;

	found = own_address(fd, &length);
	ck_assert_uint_eq(length, addr.length);
	assert_equal(&found, &addr);
	assert_text_is_good(&found);
	found = sender_address(fd, other, &length);
	ck_assert_uint_eq(length, addr.length);
	assert_equal(&found, &addr);
	close(fd);
	close(other);
}
END_TEST

START_TEST(the_kernel_agrees_about_abstract_names)
{
	const struct example names[] = {
		{ "", ABSTRACT("echo") },
		{ "", ABSTRACT("a\0b") },
		{ "", ABSTRACT("\0\0\0") },
		{ "", ABSTRACT("a\nb\033") },
	};
	char name[64];
	struct unixaddr addr, found;
	socklen_t length;
	size_t size;
	int fd;

	/* Behind a name that is ours, so that no other test has it. */
	size = (size_t)snprintf(name, sizeof(name), "%s",
		support_abstract("") + 1);
	memcpy(name + size, names[_i].name, names[_i].size);
	size += names[_i].size;
	addr = make(UNIXADDR_ABSTRACT, name, size);
	fd = bind_socket(&addr);
	found = own_address(fd, &length);
	ck_assert_uint_eq(length, FAMILY_SIZE + 1 + size);
	assert_address(&found, UNIXADDR_ABSTRACT, name, size);
	assert_equal(&found, &addr);
	assert_text_is_good(&found);
	found = sender_address(fd, fd, &length);
	assert_equal(&found, &addr);
	close(fd);
}
END_TEST

START_TEST(the_kernel_chooses_an_abstract_name)
{
	struct unixaddr addr = parse("@"), found, sender;
	int fd = bind_socket(&addr);
	socklen_t length;
	size_t size;

	found = own_address(fd, &length);
	ck_assert_int_eq(unixaddr_get_kind(&found), UNIXADDR_ABSTRACT);
	unixaddr_get_name(&found, &size);
	ck_assert_uint_gt(size, 0);
	assert_text_is_good(&found);
	sender = sender_address(fd, fd, &length);
	assert_equal(&sender, &found);
	close(fd);
}
END_TEST

START_TEST(a_socket_without_a_name_is_unnamed)
{
	int fd = open_socket(SOCK_DGRAM);
	socklen_t length;
	struct unixaddr addr = own_address(fd, &length);

	ck_assert_uint_eq(length, FAMILY_SIZE);
	assert_address(&addr, UNIXADDR_UNNAMED, "", 0);
	close(fd);
}
END_TEST

START_TEST(a_sender_without_a_name_is_unnamed)
{
	struct unixaddr name = parse("@"), addr;
	int fd = open_socket(SOCK_DGRAM), other = bind_socket(&name);
	socklen_t length;

	addr = sender_address(fd, other, &length);
	ck_assert_uint_eq(length, 0);
	assert_address(&addr, UNIXADDR_UNNAMED, "", 0);
	close(fd);
	close(other);
}
END_TEST

/* The same by the way that the library itself goes. */
START_TEST(a_received_address_equals_a_parsed_one)
{
	struct unixaddr addr = path_of_size((size_t)_i), found;
	socklen_t length = UNIXMSG_ADDR_ROOM;
	int fd = bind_socket(&addr);

	spoil(&found);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&found.sun,
				 &length),
		0);
	unixaddr__correct(&found, length);
	assert_address(&found, UNIXADDR_PATH, addr.sun.sun_path, (size_t)_i);
	assert_equal(&found, &addr);
	close(fd);
}
END_TEST

START_TEST(a_received_address_may_be_unnamed)
{
	struct unixaddr addr;
	socklen_t length;

	for (length = 0; length <= FAMILY_SIZE; length++) {
		spoil(&addr);
		unixaddr__correct(&addr, length);
		assert_address(&addr, UNIXADDR_UNNAMED, "", 0);
	}
}
END_TEST

START_TEST(a_padded_name_is_another_name)
{
	char padded[UNIXMSG_NAME_SIZE_MAX - 1] = "echo";
	struct unixaddr exact = make(UNIXADDR_ABSTRACT, "echo", 4), other;

	other = make(UNIXADDR_ABSTRACT, padded, sizeof(padded));
	assert_different(&exact, &other);
	other = make(UNIXADDR_ABSTRACT, "echo", 5);
	assert_different(&exact, &other);
}
END_TEST

START_TEST(addresses_of_different_kinds_differ)
{
	struct unixaddr unnamed = parse("@"), path = parse("echo");
	struct unixaddr abstract = parse("@echo"), empty = parse("\\x00");

	assert_different(&path, &abstract);
	assert_different(&unnamed, &empty);
	assert_different(&unnamed, &path);
	assert_equal(&unnamed, &unnamed);
	assert_equal(&empty, &empty);
}
END_TEST

START_TEST(two_paths_to_one_file_are_two_addresses)
{
	struct unixaddr a = parse("/run/echo"), b = parse("/run/./echo");

	assert_different(&a, &b);
}
END_TEST

/* Every example differs from every other one. */
START_TEST(addresses_with_different_names_differ)
{
	struct unixaddr addr = parse(written[_i].text), other;
	size_t i;

	for (i = 0; i < COUNT(written); i++) {
		other = parse(written[i].text);
		if (i == (size_t)_i)
			assert_equal(&addr, &other);
		else
			assert_different(&addr, &other);
	}
}
END_TEST

/* Nothing but the name counts: not what lies behind it. */
START_TEST(what_lies_behind_a_name_does_not_count)
{
	struct unixaddr addr = parse("/run/echo"), other = addr;

	memset(other.sun.sun_path + 10, 'x', sizeof(other.sun.sun_path) - 10);
	memset(other.spare, 'x', sizeof(other.spare));
	assert_equal(&addr, &other);
}
END_TEST

/* Names that a server's clients may well have: they differ in a number. */
START_TEST(the_hash_spreads_names)
{
	int counts[1024] = { 0 };
	char name[32];
	struct unixaddr addr;
	int i, size;

	for (i = 0; i < 10240; i++) {
		size = snprintf(name, sizeof(name), "%05x", i);
		addr = make(UNIXADDR_ABSTRACT, name, (size_t)size);
		counts[unixaddr__hash(&addr) % COUNT(counts)]++;
	}
	for (i = 0; i < (int)COUNT(counts); i++)
		ck_assert_int_lt(counts[i], 40);
}
END_TEST

START_TEST(errno_is_kept_on_success)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr addr, other;
	socklen_t length;
	size_t size;

	errno = EXDEV;
	unixaddr_parse(&addr, "@\\x41");
	unixaddr_parse(&addr, "/run/echo");
	unixaddr_format(&addr, text, sizeof(text));
	unixaddr_set_path(&addr, "x", 1);
	unixaddr_set_abstract(&other, "x", 1);
	unixaddr_set_sockaddr(&other, unixaddr_get_sockaddr(&addr, &length), 3);
	unixaddr_get_name(&addr, &size);
	unixaddr_is_equal(&addr, &other);
	unixaddr__hash(&addr);
	unixaddr_set_unnamed(&addr);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

static TCase *make_parse(void)
{
	TCase *tcase = make_tcase("parse");

	tcase_add_loop_test(tcase, a_text_is_parsed_as_it_is_written, 0,
		COUNT(written));
	tcase_add_loop_test(tcase, a_text_may_be_written_in_other_ways, 0,
		COUNT(understood));
	tcase_add_loop_test(tcase, a_malformed_text_is_refused, 0,
		COUNT(malformed));
	tcase_add_test(tcase, an_empty_text_is_refused);
	tcase_add_loop_test(tcase, a_path_may_have_108_bytes, 0, 3);
	tcase_add_loop_test(tcase, an_abstract_name_may_have_107_bytes, 0, 2);
	tcase_add_loop_test(tcase, a_repeated_byte_is_bounded, 0, 6);
	tcase_add_test(tcase, random_texts_are_refused_or_understood);
	return tcase;
}

static TCase *make_format(void)
{
	TCase *tcase = make_tcase("format");

	tcase_add_loop_test(tcase, an_address_is_written_as_text, 0,
		COUNT(written));
	tcase_add_loop_test(tcase, a_text_needs_room_for_its_nul, 0,
		COUNT(written));
	tcase_add_loop_test(tcase, every_byte_can_be_written, 0, 256);
	tcase_add_loop_test(tcase, every_size_can_be_written, 0, 4);
	tcase_add_test(tcase, a_padded_name_has_a_short_text);
	tcase_add_test(tcase, random_addresses_come_back_from_their_texts);
	return tcase;
}

static TCase *make_set(void)
{
	TCase *tcase = make_tcase("set");

	tcase_add_test(tcase, a_path_of_no_bytes_is_refused);
	tcase_add_test(tcase, a_path_with_a_nul_is_refused);
	tcase_add_test(tcase, bytes_for_a_path_are_bounded);
	tcase_add_test(tcase, bytes_for_an_abstract_name_are_bounded);
	tcase_add_test(tcase, bytes_are_taken_as_they_are);
	tcase_add_test(tcase, an_abstract_name_of_no_bytes_is_a_name);
	tcase_add_test(tcase, an_address_may_be_made_of_its_own_bytes);
	tcase_add_test(tcase, errno_is_kept_on_success);
	return tcase;
}

static TCase *make_sockaddr(void)
{
	TCase *tcase = make_tcase("sockaddr");

	tcase_add_test(tcase, a_length_of_nothing_is_an_unbound_sender);
	tcase_add_test(tcase, a_family_alone_is_an_unnamed_socket);
	tcase_add_test(tcase, a_path_is_taken_over_with_and_without_a_nul);
	tcase_add_test(tcase, an_abstract_name_is_taken_over_whole);
	tcase_add_test(tcase, every_length_of_the_kernel_is_taken_over);
	tcase_add_test(tcase, a_length_of_111_is_a_path_of_108_bytes);
	tcase_add_loop_test(tcase,
		a_length_that_the_kernel_cannot_give_is_refused, 0, 6);
	tcase_add_loop_test(tcase, another_family_is_refused, 0, 3);
	tcase_add_loop_test(tcase, an_address_may_be_taken_over_where_it_stands,
		0, COUNT(written));
	tcase_add_test(tcase, a_system_call_gets_the_exact_length);
	tcase_add_test(tcase, a_received_address_may_be_unnamed);
	return tcase;
}

static TCase *make_kernel(void)
{
	TCase *tcase = make_tcase("kernel");

	tcase_add_loop_test(tcase, the_kernel_agrees_about_paths, 106, 109);
	tcase_add_loop_test(tcase, the_kernel_agrees_about_abstract_names, 0,
		4);
	tcase_add_test(tcase, the_kernel_chooses_an_abstract_name);
	tcase_add_test(tcase, a_socket_without_a_name_is_unnamed);
	tcase_add_test(tcase, a_sender_without_a_name_is_unnamed);
	tcase_add_loop_test(tcase, a_received_address_equals_a_parsed_one, 106,
		109);
	return tcase;
}

static TCase *make_equal(void)
{
	TCase *tcase = make_tcase("equal");

	tcase_add_test(tcase, a_padded_name_is_another_name);
	tcase_add_test(tcase, addresses_of_different_kinds_differ);
	tcase_add_test(tcase, two_paths_to_one_file_are_two_addresses);
	tcase_add_loop_test(tcase, addresses_with_different_names_differ, 0,
		COUNT(written));
	tcase_add_test(tcase, what_lies_behind_a_name_does_not_count);
	tcase_add_test(tcase, the_hash_spreads_names);
	return tcase;
}

int main(void)
{
	return support_run_cases("addr", make_parse(), make_format(),
		make_set(), make_sockaddr(), make_kernel(), make_equal());
}
