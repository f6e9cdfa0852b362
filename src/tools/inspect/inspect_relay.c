/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "tools/inspect/inspect_relay.h"

static const char import_option[] = "--import";
static const char export_option[] = "--export";

/* The length of the shortest abbreviations that mean only these options. */
static const size_t least_size = sizeof("--im") - 1;

/* The beginning of a command line: words that end with a NUL. */
struct words {
	char text[4096];
	size_t size;
};

static bool read_words(struct words *words, pid_t pid)
{
	char path[64];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size = read(fd, words->text, sizeof(words->text));
	fd_close(fd);
	words->size = size > 0 ? (size_t)size : 0;
	return size > 0;
}

/* Returns the word after word, or the first one if word is NULL; NULL if no
 * complete word is left. */
static const char *get_next(const struct words *words, const char *word)
{
	const char *end = words->text + words->size;
	const char *next = word == NULL ? words->text : strchr(word, '\0') + 1;

	if (memchr(next, '\0', (size_t)(end - next)) == NULL)
		return NULL;
	return next;
}

static bool is_option(const char *word, const char *option)
{
	const size_t size = strcspn(word, "=");

	return size >= least_size && size <= strlen(option) &&
		strncmp(word, option, size) == 0;
}

/* Returns the value of an option, which follows a = or is the next word. */
static const char *get_value(const struct words *words, const char *word)
{
	const char *sign = strchr(word, '=');

	return sign != NULL ? sign + 1 : get_next(words, word);
}

bool inspect_relay_find(const struct inspect_process *process,
	struct inspect_relay *relay)
{
	const char *word = NULL, *value = NULL;
	struct words words;

	relay->is_import = false;
	if (strcmp(process->told.command, "unixmsg-relay") != 0 ||
		!read_words(&words, process->pid))
		return false;
	while (value == NULL && (word = get_next(&words, word)) != NULL) {
		relay->is_import = is_option(word, import_option);
		if (relay->is_import || is_option(word, export_option))
			value = get_value(&words, word);
	}
	if (value == NULL || !subject_is_name(value))
		return false;
	memcpy(relay->service, value, strlen(value) + 1);
	return true;
}
