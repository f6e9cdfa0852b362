/* SPDX-License-Identifier: MIT */
/*
 * A client that keeps WINDOW requests of SIZE bytes on the way to an echo
 * server of SOCK_SEQPACKET, SOCK_STREAM or SOCK_DGRAM, and prints the answers
 * received a second. A request begins with the length of the rest, big-endian,
 * as frames on a stream do.
 *
 *	window seqpacket|stream|dgram PATH WINDOW SIZE COUNT
 */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static char data[1 << 16], answer[1 << 16];

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int dial(int type, const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	/* Answers to datagrams need a name, which the kernel chooses. */
	if (type == SOCK_DGRAM &&
		bind(fd, (struct sockaddr *)&sa, sizeof(sa.sun_family)) < 0)
		return -1;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -1;
	return fd;
}

/* Runs until count answers have arrived, or as many bytes of a stream. */
static int run(int fd, int is_stream, long window, size_t size, long count)
{
	long sent = 0, received = 0;
	size_t bytes = 0;
	ssize_t got;

	while (received < count) {
		for (; sent < count && sent - received < window; sent++)
			if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)
				return -1;
		got = recv(fd, answer, is_stream ? sizeof(answer) : size, 0);
		if (got <= 0)
			return -1;
		bytes += (size_t)got;
		received = (long)(bytes / size);
	}
	return 0;
}

static double get_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	int type = SOCK_SEQPACKET;
	size_t size;
	double began;
	long count;
	int fd;

	if (argc != 6) {
		fprintf(stderr,
			"usage: window seqpacket|stream|dgram PATH "
			"WINDOW SIZE COUNT\n");
		return 2;
	}
	size = strtoul(argv[4], NULL, 10);
	count = strtol(argv[5], NULL, 10);
	if (size < 4 || size > sizeof(data))
		return 2;
	data[2] = (char)((size - 4) >> 8);
	data[3] = (char)(size - 4);
	if (strcmp(argv[1], "stream") == 0)
		type = SOCK_STREAM;
	if (strcmp(argv[1], "dgram") == 0)
		type = SOCK_DGRAM;
	fd = dial(type, argv[2]);
	if (fd < 0)
		return fail(argv[2]);
	began = get_seconds();
	if (run(fd, type == SOCK_STREAM, strtol(argv[3], NULL, 10), size,
		    count) < 0)
		return fail("window");
	printf("%.0f\n", (double)count / (get_seconds() - began));
	return 0;
}
