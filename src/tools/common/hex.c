/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdbool.h>

#include "tools/common/hex.h"

int hex_get_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int fail(const char *what, const char **why)
{
	*why = what;
	errno = EBADMSG;
	return -1;
}

/* Decodes the two digits at *at; on failure *at points at the mistake. */
static int take_byte(const char *text, size_t size, size_t *at,
	const char **why)
{
	int high = hex_get_value(text[*at]);
	int low;

	if (high < 0)
		return fail("not a hex digit", why);
	if (++*at == size)
		return fail("odd number of hex digits", why);
	low = hex_get_value(text[*at]);
	if (is_blank(text[*at]))
		return fail("blank inside a byte", why);
	if (low < 0)
		return fail("not a hex digit", why);
	++*at;
	return high << 4 | low;
}

int hex_decode(char *text, size_t *size, const char **why, size_t *column)
{
	size_t out = 0;
	size_t at = 0;

	while (at < *size) {
		int byte;

		if (is_blank(text[at])) {
			at++;
			continue;
		}
		byte = take_byte(text, *size, &at, why);
		if (byte < 0) {
			*column = at < *size ? at + 1 : 0;
			return -1;
		}
		text[out++] = (char)byte;
	}
	*size = out;
	return 0;
}
