/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "relay/subject.h"

static const char name_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789_-";

static int fail(void)
{
	errno = EPROTO;
	return -1;
}

static bool is_size_of_name(size_t size)
{
	return size > 0 && size <= SUBJECT_NAME_MAX;
}

bool subject_is_name(const char *text)
{
	size_t size = strspn(text, name_characters);

	return is_size_of_name(size) && text[size] == '\0';
}

bool subject_is_prefix(const char *text)
{
	size_t size;

	if (strlen(text) > SUBJECT_PREFIX_MAX)
		return false;
	for (;; text += size + 1) {
		size = strspn(text, name_characters);
		if (!is_size_of_name(size))
			return false;
		if (text[size] != '.')
			return text[size] == '\0';
	}
}

int subject_make_incarnation(char text[SUBJECT_INCARNATION_ROOM])
{
	unsigned char bytes[(SUBJECT_INCARNATION_ROOM - 1) / 2];
	size_t i;

	/* getrandom(2) gives so few bytes whole, and without EINTR once the
	 * pool is ready. */
	while (getrandom(bytes, sizeof(bytes), 0) < 0)
		if (errno != EINTR)
			return -1;
	for (i = 0; i < sizeof(bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static bool is_numbered(enum subject_kind kind)
{
	return kind == SUBJECT_REPLY || kind == SUBJECT_SESSION;
}

/* Each message has two subjects: what printf(3) does for them would take an
 * eighth of a relay's time. Texts that are too long are cut. */
static char *put(char *at, const char *end, const char *text)
{
	while (*text != '\0' && at < end)
		*at++ = *text++;
	*at = '\0';
	return at;
}

static void format(char *text, const struct subject_names *names,
	enum subject_kind kind, const char *number)
{
	static const char *const letters[] = { ".d.", ".r.", ".q.", ".s.",
		".h." };
	const char *end = &text[SUBJECT_ROOM - 1];

	text = put(text, end, names->prefix);
	text = put(text, end, letters[kind]);
	text = put(text, end, names->service);
	if (kind == SUBJECT_OPEN)
		put(text, end, ".open");
	if (!is_numbered(kind))
		return;
	text = put(put(text, end, "."), end, names->host);
	text = put(put(text, end, "."), end, names->incarnation);
	put(put(text, end, "."), end, number);
}

void subject_format(char text[SUBJECT_ROOM], const struct subject_names *names,
	enum subject_kind kind, uint64_t number)
{
	char digits[sizeof("18446744073709551615")];
	char *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do
		*--first = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	format(text, names, kind, first);
}

void subject_format_all(char text[SUBJECT_ROOM],
	const struct subject_names *names, enum subject_kind kind)
{
	format(text, names, kind, "*");
}

/* Reads the digits behind the last dot; what is wrong with them shows when
 * subject_read writes them anew. */
static uint64_t read_digits(const char *text)
{
	const char *digit = strrchr(text, '.');
	uint64_t number = 0;

	while (digit != NULL && *++digit >= '0' && *digit <= '9')
		number = number * 10 + (uint64_t)(*digit - '0');
	return number;
}

int subject_read(const char *text, const struct subject_names *names,
	enum subject_kind kind, uint64_t *number)
{
	char again[SUBJECT_ROOM];
	uint64_t read = read_digits(text);

	subject_format(again, names, kind, read);
	if (!is_numbered(kind) || strcmp(text, again) != 0)
		return fail();
	*number = read;
	return 0;
}

/* Cuts off the text behind the last dot, and returns it; "" without a dot. */
static char *cut_last(char *text)
{
	char *dot = strrchr(text, '.');

	if (dot == NULL)
		return text + strlen(text);
	*dot = '\0';
	return dot + 1;
}

int subject_prove(const char *text, const struct subject_names *names,
	enum subject_kind kind)
{
	struct subject_names theirs = *names;
	char copy[SUBJECT_ROOM];
	uint64_t number;

	if (strlen(text) >= sizeof(copy))
		return fail();
	memcpy(copy, text, strlen(text) + 1);
	cut_last(copy);
	theirs.incarnation = cut_last(copy);
	theirs.host = cut_last(copy);
	if (!subject_is_name(theirs.host) ||
		!subject_is_name(theirs.incarnation))
		return fail();
	return subject_read(text, &theirs, kind, &number);
}
