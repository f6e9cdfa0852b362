/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tools/common/utf8.h"

/* The size by the first byte; 0 if no character can begin with it. */
static size_t measure_claimed(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

/* Detects overlong forms, surrogates and codes that are too large. */
static bool is_second_byte(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return second >= 0x80 && second <= 0xbf;
	}
}

size_t utf8_measure(const void *text, size_t size)
{
	const unsigned char *byte = text;
	size_t claimed = size > 0 ? measure_claimed(byte[0]) : 0;

	if (claimed > size)
		return 0;
	if (claimed > 1 && !is_second_byte(byte[0], byte[1]))
		return 0;
	for (size_t i = 2; i < claimed; i++)
		if (byte[i] < 0x80 || byte[i] > 0xbf)
			return 0;
	return claimed;
}

bool utf8_is_valid(const void *text, size_t size)
{
	const char *at = text;

	while (size > 0) {
		size_t step = utf8_measure(at, size);

		if (step == 0)
			return false;
		at += step;
		size -= step;
	}
	return true;
}

static char trail(uint32_t code, unsigned int shift)
{
	return (char)(0x80 | ((code >> shift) & 0x3f));
}

size_t utf8_encode(uint32_t code, char *text)
{
	size_t size = 0;

	if (code < 0x80) {
		text[size++] = (char)code;
		return size;
	}
	if (code < 0x800) {
		text[size++] = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		text[size++] = (char)(0xe0 | code >> 12);
		text[size++] = trail(code, 6);
	} else {
		text[size++] = (char)(0xf0 | code >> 18);
		text[size++] = trail(code, 12);
		text[size++] = trail(code, 6);
	}
	text[size++] = trail(code, 0);
	return size;
}
