/* SPDX-License-Identifier: MIT */
/*
 * Each call opens a socket, connects it and sends. It connects because that is
 * how it can wait for room in a full queue, see msg.c. The socket has no name
 * because nobody answers.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/deadline_private.h"
#include "base/environment.h"
#include "base/fd.h"
#include "message/msg_private.h"
#include "unixmsg/notify.h"

/* systemd reads that much, and ignores anything longer. */
enum { TEXT_SIZE_MAX = 4096, NAME_SIZE_MAX = 255 };

struct text {
	size_t size;
	char bytes[TEXT_SIZE_MAX + 1];
};

static int fail(int error)
{
	errno = error;
	return -1;
}

static void print(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The numbers and names were checked, so there is room for them. */
static void print(struct text *text, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	text->size = (size_t)vsnprintf(text->bytes, sizeof(text->bytes), format,
		values);
	va_end(values);
}

/* The bytes are the name itself, without escapes. */
static int read_address(const char *text, struct unixaddr *addr)
{
	if (*text == '/')
		return unixaddr_set_path(addr, text, strlen(text));
	if (*text != '@')
		return fail(EAFNOSUPPORT);
	if (text[1] == '\0')
		return fail(EINVAL);
	return unixaddr_set_abstract(addr, text + 1, strlen(text + 1));
}

static int connect_to(struct endpoint *end, const struct unixaddr *addr)
{
	socklen_t length;
	const struct sockaddr *sa = unixaddr_get_sockaddr(addr, &length);

	while (connect(end->fd, sa, length) < 0)
		if (errno != EINTR)
			return -1;
	end->is_connected = true;
	return 0;
}

static int send_to(const struct unixaddr *addr, const struct unixmsg *msg,
	int64_t deadline_us)
{
	struct endpoint end;
	int result;

	if (unixendpoint__open(&end, SOCK_DGRAM) < 0)
		return -1;
	result = connect_to(&end, addr);
	if (result == 0)
		result = unixmsg__send_on(&end, msg, deadline_us);
	return fd_close_with(end.fd, result);
}

/* Returns 1, 0 or -1 like the public functions. */
static int tell(const void *text, size_t size, const int *fds, size_t count,
	int64_t deadline_us)
{
	const char *address = unixenvironment__get("NOTIFY_SOCKET");
	struct iovec part = { .iov_base = (void *)text, .iov_len = size };
	struct unixaddr addr;
	struct unixmsg msg;
	int saved = errno;

	if (unixdeadline__check(deadline_us) < 0)
		return -1;
	if (address == NULL || *address == '\0')
		return 0;
	if (read_address(address, &addr) < 0)
		return -1;
	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	msg.fds = (int *)fds;
	msg.fds_count = count;
	if (send_to(&addr, &msg, deadline_us) < 0)
		return -1;
	errno = saved;
	return 1;
}

int unixnotify_send(const char *assignments, int64_t deadline_us)
{
	size_t size = strlen(assignments);

	/* An empty datagram once stopped systemd (CVE-2016-7795). */
	if (size == 0)
		return fail(EINVAL);
	if (size > TEXT_SIZE_MAX)
		return fail(EMSGSIZE);
	return tell(assignments, size, NULL, 0, deadline_us);
}

int unixnotify_ready(int64_t deadline_us)
{
	return unixnotify_send("READY=1", deadline_us);
}

int unixnotify_stopping(int64_t deadline_us)
{
	return unixnotify_send("STOPPING=1", deadline_us);
}

int unixnotify_watchdog(int64_t deadline_us)
{
	return unixnotify_send("WATCHDOG=1", deadline_us);
}

int unixnotify_reloading(int64_t deadline_us)
{
	struct text text;

	print(&text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		unixdeadline_now_us());
	return tell(text.bytes, text.size, NULL, 0, deadline_us);
}

int unixnotify_extend_us(uint64_t more_us, int64_t deadline_us)
{
	struct text text;

	print(&text, "EXTEND_TIMEOUT_USEC=%" PRIu64, more_us);
	return tell(text.bytes, text.size, NULL, 0, deadline_us);
}

static bool is_between(char byte, int low, int high)
{
	return (unsigned char)byte >= low && (unsigned char)byte <= high;
}

/*
 * Returns how many bytes have to follow the first one, and the range of the
 * second. That range excludes overlong forms, surrogates, codes that are too
 * large, and the control characters above ASCII.
 */
static int get_rest(unsigned char first, int *low, int *high)
{
	*low = first == 0xc2 || first == 0xe0 ? 0xa0 : 0x80;
	*high = 0xbf;
	if (first == 0xed)
		*high = 0x9f;
	if (first == 0xf0)
		*low = 0x90;
	if (first == 0xf4)
		*high = 0x8f;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

/* Returns the number of bytes of the printable character at text, or 0. */
static size_t measure(const char *text)
{
	int i, low, high, rest;

	if (is_between(*text, ' ', '~'))
		return 1;
	rest = get_rest((unsigned char)*text, &low, &high);
	for (i = 1; i <= rest; i++, low = 0x80, high = 0xbf)
		if (!is_between(text[i], low, high))
			return 0;
	return rest > 0 ? (size_t)rest + 1 : 0;
}

static int add(struct text *text, const char *bytes, size_t size)
{
	if (size > TEXT_SIZE_MAX - text->size)
		return fail(EMSGSIZE);
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	return 0;
}

static int add_escape(struct text *text, unsigned char byte)
{
	char escape[sizeof("\\xHH")];

	snprintf(escape, sizeof(escape), "\\x%02x", byte);
	return add(text, escape, sizeof(escape) - 1);
}

static int add_line(struct text *text, const char *line)
{
	size_t size;
	int result;

	while (*line != '\0') {
		size = measure(line);
		if (size > 0)
			result = add(text, line, size);
		else
			result = add_escape(text, (unsigned char)*line);
		if (result < 0)
			return -1;
		line += size > 0 ? size : 1;
	}
	return 0;
}

int unixnotify_status(const char *status, int64_t deadline_us)
{
	struct text text;

	print(&text, "STATUS=");
	if (add_line(&text, status) < 0)
		return -1;
	return tell(text.bytes, text.size, NULL, 0, deadline_us);
}

int unixnotify_get_watchdog_us(int64_t *period_us)
{
	int saved = errno, result;
	uint64_t number;

	result = unixenvironment__get_number("WATCHDOG_USEC", INT64_MAX,
		&number);
	if (result < 1)
		return result;
	if (number == 0)
		return fail(EPROTO);
	result = unixenvironment__is_ours("WATCHDOG_PID", true);
	if (result < 1)
		return result;
	*period_us = (int64_t)number;
	errno = saved;
	return 1;
}

/*
 * All copies of the pipe's write end get closed: ours at once, the supervisor's
 * when it reads the message. Then the read end hangs up.
 */
static int wait_for_end(int pipe[2], int64_t deadline_us)
{
	static const char text[] = "BARRIER=1";
	int result = tell(text, sizeof(text) - 1, &pipe[1], 1, deadline_us);

	pipe[1] = fd_close(pipe[1]);
	if (result == 1 && unixdeadline__wait(pipe[0], 0, -1, deadline_us) < 0)
		return -1;
	return result;
}

int unixnotify_barrier(int64_t deadline_us)
{
	int pipe[2], result;

	if (pipe2(pipe, O_CLOEXEC) < 0)
		return -1;
	pipe[0] = fd_lift(pipe[0]);
	pipe[1] = fd_lift(pipe[1]);
	if (pipe[0] < 0 || pipe[1] < 0) {
		fd_close(pipe[0]);
		return fd_close_with(pipe[1], -1);
	}
	result = wait_for_end(pipe, deadline_us);
	return fd_close_with(pipe[0], result);
}

/* Accepts a name that LISTEN_FDNAMES can give to the next process. */
static int check_name(const char *name)
{
	size_t size = 0;

	for (; name[size] != '\0'; size++)
		if (!is_between(name[size], ' ', '~') || name[size] == ':')
			return fail(EINVAL);
	return size > 0 && size <= NAME_SIZE_MAX ? 0 : fail(EINVAL);
}

int unixnotify_store(const char *name, const int *fds, size_t count,
	unsigned int flags, int64_t deadline_us)
{
	struct text text;
	const char *poll = "";

	if (check_name(name) < 0)
		return -1;
	if (count == 0 || count > UNIXMSG_FDS_MAX ||
		(flags & ~UNIXNOTIFY_STORE_CLOSED) != 0)
		return fail(EINVAL);
	if (flags & UNIXNOTIFY_STORE_CLOSED)
		poll = "\nFDPOLL=0";
	print(&text, "FDSTORE=1\nFDNAME=%s%s", name, poll);
	return tell(text.bytes, text.size, fds, count, deadline_us);
}

int unixnotify_unstore(const char *name, int64_t deadline_us)
{
	struct text text;

	if (check_name(name) < 0)
		return -1;
	print(&text, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return tell(text.bytes, text.size, NULL, 0, deadline_us);
}
