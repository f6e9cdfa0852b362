/* SPDX-License-Identifier: 0BSD */
/*
 * A message that is too big for any socket. The sender writes it to memory,
 * seals the memory so that nobody can change it, and sends the descriptor. The
 * receiver checks the seal and the size before it maps the memory, and copies
 * nothing. It refuses memory that is not sealed or exceeds its bound.
 *
 * Build:  cc 12-big-message.c $(pkg-config --cflags --libs unixmsg) \
 *           -o big-message
 * Run:    ./big-message
 * See:    sealed: 67108864 bytes in 19 us, from x to x
 *         bigger: Message too long
 *         open: Operation not permitted
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: the size of the message, and the receiver's bound, in bytes. */
static const size_t big_size = 64 << 20, size_max = 64 << 20;

static int fail(const char *what)
{
	fprintf(stderr, "big-message: %s: %s\n", what, strerror(errno));
	return -1;
}

/*
 * Fills the memory in place; unixblob_open would copy. Unmaps it, because the
 * kernel does not seal memory that has a writable mapping.
 */
static int fill(int fd, size_t size)
{
	void *data =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (data == MAP_FAILED)
		return -1;
	memset(data, 'x', size);
	return munmap(data, size);
}

/* The sender may close the descriptor as soon as it is sent. */
static int send_blob(struct unixconn *packet, const char *name, size_t size,
	bool is_sealed)
{
	int result = -1, fd = unixblob_create(size);

	if (fd < 0)
		return fail("create");
	if (fill(fd, size) < 0)
		fail("fill");
	else if (is_sealed && unixblob_seal(fd) < 0)
		fail("seal");
	else if (unixconn_send_fds(packet, name, strlen(name), &fd, 1,
			 UNIXMSG_FOREVER) < 0)
		fail("send");
	else
		result = 0;
	close(fd);
	return result;
}

static void print_blob(int fd, const char *name)
{
	const int64_t start_us = unixdeadline_now_us();
	struct unixblob blob;
	const char *data;

	if (unixblob_map(fd, size_max, &blob) < 0) {
		printf("%s: %s\n", name, strerror(errno));
		return;
	}
	printf("%s: %zu bytes in %d us", name, blob.size,
		(int)(unixdeadline_now_us() - start_us));
	data = blob.data; /* NULL for an empty message */
	if (blob.size > 0)
		printf(", from %c to %c", data[0], data[blob.size - 1]);
	puts("");
	unixblob_unmap(&blob);
}

/* Returns 1, 0 at the end, -1 on failure. */
static int receive(struct unixconn *packet)
{
	char name[32];
	size_t size, count = 1;
	int fd,
		result = unixconn_recv_fds(packet, name, sizeof(name) - 1,
			&size, &fd, &count, UNIXMSG_FOREVER);

	if (result < 1)
		return result < 0 ? fail("receive") : 0;
	name[size] = '\0';
	if (count == 1) {
		print_blob(fd, name);
		close(fd);
	}
	return 1;
}

int main(void)
{
	struct unixconn *pair[2];
	int result, status;
	pid_t child = -1;

	if (unixconn_pair("unixpacket", pair) < 0) {
		fail("pair");
		return EXIT_FAILURE;
	}
	if (unixconn_want(pair[0], UNIXMSG_WANT_FDS) == 0)
		child = fork();
	unixconn_close(pair[child == 0 ? 0 : 1]);
	if (child == 0) {
		result = send_blob(pair[1], "sealed", big_size, true) < 0 ||
			send_blob(pair[1], "bigger", big_size + 1, true) < 0 ||
			send_blob(pair[1], "open", big_size, false) < 0;
		unixconn_close(pair[1]);
		return result ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (child < 0)
		result = fail("set-up");
	else
		while ((result = receive(pair[0])) == 1)
			;
	unixconn_close(pair[0]);
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		result = -1;
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
