/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "adopt.h"
#include "answer.h"
#include "endpoint.h"
#include "msg_private.h"
#include "unixmsg/gram.h"

struct unixgram {
	struct endpoint end;
};

static struct unixgram *gram_new(void)
{
	struct unixgram *gram = calloc(1, sizeof(*gram));

	if (gram == NULL)
		return NULL;
	unixendpoint_set_up(&gram->end, -1, SOCK_DGRAM);
	return gram;
}

static struct unixgram *give_up(struct unixgram *gram)
{
	int saved = errno;

	unixgram_close(gram);
	errno = saved;
	return NULL;
}

struct unixgram *unixgram_open(const char *address,
	const struct unixname_options *options)
{
	struct unixgram *gram = gram_new();

	if (gram == NULL)
		return NULL;
	if (unixendpoint_open(&gram->end, SOCK_DGRAM) < 0 ||
		unixendpoint_bind(&gram->end, address, false, options) < 0)
		return give_up(gram);
	return gram;
}

/*
 * Connected first and bound then: while the socket had a name and no peer,
 * anybody could put a message into its queue.
 */
static int dial(struct endpoint *end, const char *server,
	const struct unixdial_options *options, int64_t deadline_us)
{
	if (unixendpoint_open(end, SOCK_DGRAM) < 0)
		return -1;
	end->stop_fd = options->stop_fd;
	if (unixendpoint_connect(end, server, options->flags, deadline_us) < 0)
		return -1;
	return unixanswer_bind(end, server, options->own);
}

struct unixgram *unixgram_dial(const char *server,
	const struct unixdial_options *options, int64_t deadline_us)
{
	struct unixdial_options defaults;
	struct unixgram *gram;

	unixdial_options_init(&defaults);
	if (options == NULL)
		options = &defaults;
	if (unixendpoint_check_dial(options) < 0)
		return NULL;
	gram = gram_new();
	if (gram == NULL)
		return NULL;
	if (dial(&gram->end, server, options, deadline_us) < 0)
		return give_up(gram);
	return gram;
}

struct unixgram *unixgram_adopt(int fd)
{
	struct unixgram *gram = gram_new();

	if (gram == NULL)
		return NULL;
	if (unixadopt_socket(&gram->end, fd, SOCK_DGRAM, false) == 0)
		return gram;
	free(gram);
	return NULL;
}

int unixgram_pair(struct unixgram *pair[2])
{
	struct unixgram *a = gram_new();
	struct unixgram *b = gram_new();

	if (a == NULL || b == NULL ||
		unixendpoint_open_pair(&a->end, &b->end, SOCK_DGRAM) < 0) {
		give_up(a);
		give_up(b);
		return -1;
	}
	pair[0] = a;
	pair[1] = b;
	return 0;
}

int unixgram_close(struct unixgram *gram)
{
	int result;

	if (gram == NULL)
		return 0;
	result = unixendpoint_close(&gram->end);
	free(gram);
	return result;
}

int unixgram_get_fd(const struct unixgram *gram)
{
	return gram->end.fd;
}

void unixgram_set_stop_fd(struct unixgram *gram, int stop_fd)
{
	gram->end.stop_fd = stop_fd;
}

int unixgram_set_unlink_on_close(struct unixgram *gram, bool is_wanted)
{
	return unixadopt_set_unlink(&gram->end, is_wanted);
}

int unixgram_get_address(const struct unixgram *gram, struct unixaddr *addr)
{
	return unixendpoint_get_address(&gram->end, addr);
}

int unixgram_get_peer(const struct unixgram *gram, struct unixaddr *addr)
{
	return unixendpoint_get_peer(&gram->end, addr);
}

int unixgram_check_answer(const struct unixgram *gram)
{
	return unixanswer_check(&gram->end);
}

int unixgram_get_size_max(const struct unixgram *gram, size_t *size)
{
	return unixendpoint_get_size_max(&gram->end, size);
}

int unixgram_send(struct unixgram *gram, const void *data, size_t size,
	int64_t deadline_us)
{
	return unixmsg_send_data_on(&gram->end, NULL, data, size, deadline_us);
}

int unixgram_send_to(struct unixgram *gram, const struct unixaddr *to,
	const void *data, size_t size, int64_t deadline_us)
{
	return unixmsg_send_data_on(&gram->end, to, data, size, deadline_us);
}

int unixgram_recv(struct unixgram *gram, void *data, size_t room, size_t *size,
	struct unixaddr *from, int64_t deadline_us)
{
	return unixmsg_recv_data_on(&gram->end, data, room, size, from,
		deadline_us);
}

int unixgram_send_msg(struct unixgram *gram, const struct unixmsg *msg,
	int64_t deadline_us)
{
	return unixmsg_send_on(&gram->end, msg, deadline_us);
}

int unixgram_recv_msg(struct unixgram *gram, struct unixmsg *msg,
	int64_t deadline_us)
{
	return unixmsg_recv_on(&gram->end, msg, deadline_us);
}

int unixgram_get_next_size(struct unixgram *gram, size_t *size,
	int64_t deadline_us)
{
	return unixmsg_peek_size_on(&gram->end, size, deadline_us);
}
