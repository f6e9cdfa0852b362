/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/environment.h"

/* The state at exec counts, even if the process changes its users later. */
static bool is_set_user_id(void)
{
	return getauxval(AT_UID) != getauxval(AT_EUID) ||
		getauxval(AT_GID) != getauxval(AT_EGID);
}

const char *unixenvironment__get(const char *name)
{
	return is_set_user_id() ? NULL : getenv(name);
}

/* strtoull(3) accepts signs, spaces, and text behind a number. */
static int read_number(const char *text, uint64_t most, uint64_t *number)
{
	uint64_t value = 0, digit;

	for (; *text != '\0'; text++) {
		digit = (uint64_t)(*text - '0');
		if (*text < '0' || *text > '9' || value > (most - digit) / 10) {
			errno = EPROTO;
			return -1;
		}
		value = value * 10 + digit;
	}
	*number = value;
	return 1;
}

int unixenvironment__get_number(const char *name, uint64_t most,
	uint64_t *number)
{
	const char *text = unixenvironment__get(name);

	if (text == NULL || *text == '\0')
		return 0;
	return read_number(text, most, number);
}

int unixenvironment__is_ours(const char *name, bool otherwise)
{
	uint64_t pid;
	int result = unixenvironment__get_number(name, INT_MAX, &pid);

	if (result < 1)
		return result < 0 ? -1 : otherwise;
	return pid == (uint64_t)getpid();
}
