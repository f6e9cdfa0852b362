/* SPDX-License-Identifier: MIT */
/*
 * What a supervisor is told: the bytes that arrive are held against what is to
 * arrive. The first character of the input says which call, the rest is its
 * text: s status, a assignments, f store, u unstore, n an address that nobody
 * has, w the two variables of the watchdog, a line each.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"
#include "tools/common/utf8.h"
#include "unixmsg/addr.h"
#include "unixmsg/notify.h"

const char fuzz_noun[] = "notify";

enum { SIZE_MOST = 4096, NAME_SIZE_MOST = 255, INPUT_MOST = 8192 };

/* Where the environment says that the supervisor is. */
static int get_supervisor(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(sa_family_t);
	static char name[sizeof(sun.sun_path) + 1];
	static int fd = -1;

	if (fd < 0) {
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		fuzz_expect(bind(fd, (struct sockaddr *)&sun, length) == 0);
		length = sizeof(sun);
		fuzz_expect(
			getsockname(fd, (struct sockaddr *)&sun, &length) == 0);
		memcpy(name, sun.sun_path, sizeof(sun.sun_path));
		name[0] = '@';
	}
	fuzz_expect(setenv("NOTIFY_SOCKET", name, 1) == 0);
	return fd;
}

/* What has arrived is text and nothing else, if it was sent at all. */
static void check_arrival(int fd, int result, const char *text)
{
	char got[SIZE_MOST + 1];
	ssize_t size = recv(fd, got, sizeof(got), MSG_DONTWAIT);

	if (result == 1) {
		fuzz_expect(size == (ssize_t)strlen(text));
		fuzz_expect(memcmp(got, text, (size_t)size) == 0);
		size = recv(fd, got, sizeof(got), MSG_DONTWAIT);
	}
	fuzz_expect(size == -1 && errno == EAGAIN);
}

static void check_result(int result, int error, size_t size)
{
	if (size == 0)
		fuzz_expect(result == -1 && error == EINVAL);
	else if (size > SIZE_MOST)
		fuzz_expect(result == -1 && error == EMSGSIZE);
	else
		fuzz_expect(result == 1);
}

static bool is_control(const unsigned char *text, size_t size)
{
	if (size == 1)
		return text[0] < 0x20 || text[0] == 0x7f;
	return size == 2 && text[0] == 0xc2 && text[1] < 0xa0;
}

/* One line whatever is in it; at most four characters a byte. */
static char *escape_status(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text), size;
	char *line = malloc(sizeof("STATUS=") + 4 * left);
	char *end;

	fuzz_expect(line != NULL);
	end = stpcpy(line, "STATUS=");
	for (; left > 0; at += size, left -= size) {
		size = utf8_measure(at, left);
		if (size > 0 && !is_control(at, size)) {
			end = mempcpy(end, at, size);
			continue;
		}
		size = 1;
		end += sprintf(end, "\\x%02x", *at);
	}
	*end = '\0';
	return line;
}

static void try_status(int fd, const char *text)
{
	char *line = escape_status(text);
	int result = unixnotify_status(text, UNIXMSG_NOW);

	check_result(result, errno, strlen(line));
	check_arrival(fd, result, line);
	free(line);
}

static void try_send(int fd, const char *text)
{
	int result = unixnotify_send(text, UNIXMSG_NOW);

	check_result(result, errno, strlen(text));
	check_arrival(fd, result, text);
}

static bool is_name(const char *text)
{
	size_t size = strlen(text);

	return size > 0 && size <= NAME_SIZE_MOST &&
		fuzz_is_printable(text, size) && strchr(text, ':') == NULL;
}

static void try_store(int fd, const char *text)
{
	int result, passed = STDERR_FILENO;
	char line[NAME_SIZE_MOST + 32];

	result = unixnotify_store(text, &passed, 1, 0, UNIXMSG_NOW);
	fuzz_expect(result == (is_name(text) ? 1 : -1));
	fuzz_expect(result == 1 || errno == EINVAL);
	snprintf(line, sizeof(line), "FDSTORE=1\nFDNAME=%.*s", NAME_SIZE_MOST,
		text);
	check_arrival(fd, result, line);
}

static void try_unstore(int fd, const char *text)
{
	int result = unixnotify_unstore(text, UNIXMSG_NOW);
	char line[NAME_SIZE_MOST + 32];

	fuzz_expect(result == (is_name(text) ? 1 : -1));
	fuzz_expect(result == 1 || errno == EINVAL);
	snprintf(line, sizeof(line), "FDSTOREREMOVE=1\nFDNAME=%.*s",
		NAME_SIZE_MOST, text);
	check_arrival(fd, result, line);
}

/* Of abstract names only some that nobody has, and no paths. */
static void try_address(const char *text)
{
	char name[INPUT_MOST + 32];
	int wanted = EAFNOSUPPORT;

	if (*text == '@') {
		snprintf(name, sizeof(name), "@unixmsg-fuzz-%d-%s",
			(int)getpid(), text);
		wanted = strlen(name) > UNIXMSG_NAME_SIZE_MAX ? ENAMETOOLONG
							      : ECONNREFUSED;
		text = name;
	}
	if (*text == '/')
		return;
	setenv("NOTIFY_SOCKET", text, 1);
	if (*text == '\0')
		fuzz_expect(unixnotify_ready(UNIXMSG_NOW) == 0);
	else
		fuzz_expect(
			unixnotify_ready(UNIXMSG_NOW) == -1 && errno == wanted);
}

static int expect_watchdog(const char *period, const char *pid,
	uint64_t *number)
{
	uint64_t whose = (uint64_t)getpid();
	int result = fuzz_read_number(period, INT64_MAX, number);

	if (result < 1)
		return result;
	if (*number == 0 || fuzz_read_number(pid, INT_MAX, &whose) < 0)
		return -1;
	return whose == (uint64_t)getpid();
}

static void try_watchdog(const char *text)
{
	char *period = fuzz_copy_text((const uint8_t *)text, strlen(text));
	char *pid = period, own[16];
	int64_t period_us = -1;
	uint64_t number;
	int wanted;

	strsep(&pid, "\n");
	snprintf(own, sizeof(own), "%d", (int)getpid());
	if (pid != NULL && strcmp(pid, "$") == 0)
		pid = own;
	setenv("WATCHDOG_USEC", period, 1);
	unsetenv("WATCHDOG_PID");
	if (pid != NULL)
		setenv("WATCHDOG_PID", pid, 1);
	wanted = expect_watchdog(period, pid, &number);
	fuzz_expect(unixnotify_get_watchdog_us(&period_us) == wanted);
	fuzz_expect(wanted != -1 || errno == EPROTO);
	fuzz_expect(
		wanted == 1 ? period_us == (int64_t)number : period_us == -1);
	free(period);
}

static void try(char what, const char *text)
{
	int fd = get_supervisor();

	switch (what) {
	case 'a':
		try_send(fd, text);
		break;
	case 'f':
		try_store(fd, text);
		break;
	case 'u':
		try_unstore(fd, text);
		break;
	case 'n':
		try_address(text);
		break;
	case 'w':
		try_watchdog(text);
		break;
	default:
		try_status(fd, text);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int free_fd;
	char *text;
	char what;

	if (size > INPUT_MOST)
		size = INPUT_MOST;
	what = (char)fuzz_take_byte(&data, &size);
	text = fuzz_copy_text(data, size);
	get_supervisor();
	free_fd = fuzz_get_free_fd();
	try(what, text);
	fuzz_expect(fuzz_get_free_fd() == free_fd);
	free(text);
	return 0;
}
