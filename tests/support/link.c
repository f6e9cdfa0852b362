/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "support/link.h"

const char *link_get_network(enum link_network network)
{
	static const char *const names[LINK_NETWORKS] = {
		[LINK_GRAM] = "unixgram",
		[LINK_PACKET] = "unixpacket",
		[LINK_STREAM] = "unix",
	};

	return names[network];
}

int link_dial(struct link *link, enum link_network network, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	memset(link, 0, sizeof(*link));
	link->network = network;
	link->conn = unixconn_dial(link_get_network(network), address, options,
		deadline_us);
	if (link->conn == NULL)
		return -1;
	link->fd = unixconn_get_fd(link->conn);
	return 0;
}

/* EINPROGRESS: the same message again goes on with it, as after EAGAIN. */
int link_send(struct link *link, const void *data, size_t size)
{
	int result = unixconn_send(link->conn, data, size, UNIXMSG_NOW);

	if (result < 0 && errno == EINPROGRESS)
		errno = EAGAIN;
	return result;
}

int link_recv(struct link *link, void *data, size_t room, size_t *size)
{
	return unixconn_recv(link->conn, data, room, size, UNIXMSG_NOW);
}

int link_close(struct link *link)
{
	int result = unixconn_close(link->conn);

	memset(link, 0, sizeof(*link));
	return result;
}
