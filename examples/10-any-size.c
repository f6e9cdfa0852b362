/* SPDX-License-Identifier: 0BSD */
/*
 * Messages of any size. The receiver's buffer grows up to a bound that the
 * receiver sets. A longer message is lost, and the next one arrives as usual.
 * The sender's own send buffer limits its messages; the sender can raise it.
 *
 * Build:  cc 10-any-size.c $(pkg-config --cflags --libs unixmsg) -o any-size
 * Run:    ./any-size
 * See:    sender:   250000 bytes: Message too long
 *         sender:   largest was 212960, is 400000
 *         receiver:    100 bytes: received, room is 100
 *         receiver:  50000 bytes: received, room is 50000
 *         receiver: 250000 bytes: received, room is 250000
 *         receiver: 400000 bytes: Message too long
 *         receiver:      0 bytes: received, room is 250000
 *         receiver:      5 bytes: received, room is 250000
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixmsg.h>

/* Change these: the receiver's bound, the largest message that the sender wants
 * to send, and the sizes that it sends. Without CAP_NET_ADMIN the limit is
 * twice net.core.wmem_max. */
static const size_t room_max = 300000, wanted = 400000;
static const size_t sizes[] = { 100, 50000, 250000, 400000, 0, 5 };

static int fail(const char *what)
{
	fprintf(stderr, "any-size: %s: %s\n", what, strerror(errno));
	return -1;
}

static int raise_size_max(struct unixconn *packet)
{
	size_t before, reached;

	if (unixconn_get_size_max(packet, &before) < 0 ||
		unixconn_raise_size_max(packet, wanted, &reached) < 0)
		return fail("raise");
	printf("sender:   largest was %zu, is %zu\n", before, reached);
	return 0;
}

/* A send that fails has sent nothing, so the same message can be sent again. */
static int send_zeros(struct unixconn *packet, size_t size)
{
	char *data = calloc(1, size + 1);
	int result;

	if (data == NULL)
		return fail("memory");
	result = unixconn_send(packet, data, size, UNIXMSG_FOREVER);
	if (result < 0 && errno == EMSGSIZE) {
		printf("sender:   %6zu bytes: %s\n", size, strerror(errno));
		result = raise_size_max(packet);
		if (result == 0)
			result = unixconn_send(packet, data, size,
				UNIXMSG_FOREVER);
	}
	free(data);
	return result < 0 ? fail("send") : 0;
}

static int send_all(struct unixconn *packet)
{
	const size_t count = sizeof(sizes) / sizeof(sizes[0]);
	size_t i;

	for (i = 0; i < count; i++)
		if (send_zeros(packet, sizes[i]) < 0)
			return -1;
	return 0;
}

/*
 * unixconn_get_next_size leaves the message in the queue. A program can thus
 * choose a receiver by the size. unixconn_recv_buffer does not need this call.
 */
static int receive_all(struct unixconn *packet)
{
	struct unixbuffer buffer;
	size_t next;
	int result;

	unixbuffer_init(&buffer, room_max);
	while ((result = unixconn_get_next_size(packet, &next,
			UNIXMSG_FOREVER)) == 1) {
		printf("receiver: %6zu bytes: ", next);
		result = unixconn_recv_buffer(packet, &buffer, NULL,
			UNIXMSG_NOW);
		if (result == 1)
			printf("received, room is %zu\n", buffer.room);
		else
			puts(strerror(errno));
		/* A message that was too big is lost; the next may fit. */
		if (result < 0 && errno != EMSGSIZE)
			break;
	}
	unixbuffer_free(&buffer);
	return result < 0 ? fail("receive") : 0;
}

int main(void)
{
	struct unixconn *pair[2];
	int result, status;
	pid_t child;

	if (unixconn_pair("unixpacket", pair) < 0) {
		fail("pair");
		return EXIT_FAILURE;
	}
	child = fork();
	if (child == 0) {
		unixconn_close(pair[0]);
		result = send_all(pair[1]);
		unixconn_close(pair[1]);
		return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	unixconn_close(pair[1]);
	result = child < 0 ? fail("fork") : receive_all(pair[0]);
	unixconn_close(pair[0]);
	if (child > 0 && (waitpid(child, &status, 0) < 0 || status != 0))
		result = -1;
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
