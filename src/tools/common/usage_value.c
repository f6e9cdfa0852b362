/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "tools/common/explain.h"
#include "tools/common/tool.h"
#include "tools/common/usage.h"

int usage_complain(const struct usage_option *option, const char *value,
	const char *wanted)
{
	return tool_complain("--%s: '%s' is not %s", option->name,
		*value == '\0' ? "" : explain_text(value), wanted);
}

int usage_read_flag(const struct usage_option *option, const char *value,
	void *place)
{
	(void)option;
	(void)value;
	*(bool *)place = true;
	return 0;
}

int usage_read_bits(const struct usage_option *option, const char *value,
	void *place)
{
	(void)value;
	*(unsigned int *)place |= (unsigned int)option->least;
	return 0;
}

int usage_read_level(const struct usage_option *option, const char *value,
	void *place)
{
	(void)value;
	(void)place;
	tool_set_level((enum tool_level)option->least);
	return 0;
}

int usage_read_text(const struct usage_option *option, const char *value,
	void *place)
{
	(void)option;
	*(const char **)place = value;
	return 0;
}

/* Names the upper limit only if somebody may reach it. */
static int complain_of_number(const struct usage_option *option,
	const char *value)
{
	char wanted[80];

	if (option->most < UINT32_MAX)
		snprintf(wanted, sizeof(wanted),
			"a whole number from %ju to %ju",
			(uintmax_t)option->least, (uintmax_t)option->most);
	else
		snprintf(wanted, sizeof(wanted), "a whole number, %ju at least",
			(uintmax_t)option->least);
	return usage_complain(option, value, wanted);
}

/* Accepts digits only: no sign, no blanks. */
int usage_read_count(const struct usage_option *option, const char *value,
	void *place)
{
	uint64_t *number = place;

	errno = 0;
	*number = strtoull(value, NULL, 10);
	if (*value != '\0' && value[strspn(value, "0123456789")] == '\0' &&
		errno == 0 && *number >= option->least &&
		*number <= option->most)
		return 0;
	return complain_of_number(option, value);
}

int usage_read_size(const struct usage_option *option, const char *value,
	void *place)
{
	uint64_t number;
	int result = usage_read_count(option, value, &number);

	*(size_t *)place = (size_t)number;
	return result;
}

int usage_read_lane(const struct usage_option *option, const char *value,
	void *place)
{
	uint64_t *bytes = place;

	*bytes = 65536;
	if (value == NULL)
		return 0;
	if (usage_read_count(option, value, bytes) < 0)
		return -1;
	return (*bytes & (*bytes - 1)) == 0
		? 0
		: usage_complain(option, value, "a power of two");
}

int usage_read_uint(const struct usage_option *option, const char *value,
	void *place)
{
	uint64_t number;
	int result = usage_read_count(option, value, &number);

	*(unsigned int *)place = (unsigned int)number;
	return result;
}

int usage_read_us(const struct usage_option *option, const char *value,
	void *place)
{
	uint64_t number;
	int result = usage_read_count(option, value, &number);

	*(int64_t *)place = (int64_t)number;
	return result;
}

int usage_read_mode(const struct usage_option *option, const char *value,
	void *place)
{
	unsigned long mode = strtoul(value, NULL, 8);

	if (*value == '\0' || value[strspn(value, "01234567")] != '\0' ||
		mode > 0777)
		return usage_complain(option, value,
			"an octal number up to 777");
	*(mode_t *)place = (mode_t)mode;
	return 0;
}

int usage_read_seconds(const struct usage_option *option, const char *value,
	void *place)
{
	const double most = 1e9;
	char *end;
	double seconds = strtod(value, &end);

	if (value[strspn(value, "0123456789.")] != '\0' || end == value ||
		*end != '\0' || seconds > most)
		return usage_complain(option, value, "a number of seconds");
	*(int64_t *)place = (int64_t)(seconds * 1e6);
	if (*(uint64_t *)place < option->least)
		return usage_complain(option, value,
			"a number of seconds above 0");
	return 0;
}

static void list_words(const char *const *words, char *text, size_t room)
{
	size_t used = 0;

	for (; *words != NULL && used < room; words++)
		used += (size_t)snprintf(text + used, room - used, "%s%s",
			used == 0 ? "one of " : ", ", *words);
}

int usage_read_word(const struct usage_option *option, const char *value,
	void *place)
{
	char wanted[128] = "";
	int i;

	for (i = 0; option->words[i] != NULL; i++)
		if (strcmp(value, option->words[i]) == 0) {
			*(int *)place = i;
			return 0;
		}
	list_words(option->words, wanted, sizeof(wanted));
	return usage_complain(option, value, wanted);
}

static int read_id(const struct usage_option *option, const char *value,
	const char *wanted, uint64_t *id)
{
	const struct usage_option number = {
		.name = option->name,
		.most = UINT32_MAX - 1,
	};

	if (*value == '\0' || value[strspn(value, "0123456789")] != '\0')
		return usage_complain(option, value, wanted);
	return usage_read_count(&number, value, id);
}

/* Tries the name first, since a user may be called 1000. */
int usage_read_user(const struct usage_option *option, const char *value,
	void *place)
{
	const struct passwd *entry = getpwnam(value);
	uint64_t id = entry != NULL ? entry->pw_uid : 0;

	if (entry == NULL && read_id(option, value, "a known user", &id) < 0)
		return -1;
	*(uid_t *)place = (uid_t)id;
	return 0;
}

int usage_read_group(const struct usage_option *option, const char *value,
	void *place)
{
	const struct group *entry = getgrnam(value);
	uint64_t id = entry != NULL ? entry->gr_gid : 0;

	if (entry == NULL && read_id(option, value, "a known group", &id) < 0)
		return -1;
	*(gid_t *)place = (gid_t)id;
	return 0;
}
