/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

void fuzz_fail(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s: not so: %s\n", file, line, fuzz_noun,
		condition);
	abort();
}

void *fuzz_copy(const uint8_t *data, size_t size)
{
	/* Of no bytes malloc(3) may give NULL, which is no failure. */
	void *copy = malloc(size > 0 ? size : 1);

	fuzz_expect(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *fuzz_copy_text(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	fuzz_expect(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}

void fuzz_take(const uint8_t **data, size_t *size, void *bytes, size_t count)
{
	size_t there = *size < count ? *size : count;

	memset(bytes, 0, count);
	if (there == 0)
		return;
	memcpy(bytes, *data, there);
	*data += there;
	*size -= there;
}

uint8_t fuzz_take_byte(const uint8_t **data, size_t *size)
{
	uint8_t byte;

	fuzz_take(data, size, &byte, 1);
	return byte;
}

int fuzz_get_free_fd(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	fuzz_expect(fd >= 0);
	close(fd);
	return fd;
}

bool fuzz_is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* The most as text: of numbers of one length the order is that of texts. */
int fuzz_read_number(const char *text, uint64_t most, uint64_t *number)
{
	char limit[24];
	size_t size;

	if (text == NULL || *text == '\0')
		return 0;
	if (text[strspn(text, "0123456789")] != '\0')
		return -1;
	text += strspn(text, "0");
	size = strlen(text);
	snprintf(limit, sizeof(limit), "%ju", (uintmax_t)most);
	if (size > strlen(limit) ||
		(size == strlen(limit) && strcmp(text, limit) > 0))
		return -1;
	*number = strtoull(text, NULL, 10);
	return 1;
}

bool fuzz_is_printable(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}
