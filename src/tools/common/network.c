/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <string.h>
#include <sys/socket.h>

#include "tools/common/network.h"
#include "unixmsg.h"

/* The largest message in one frame; a stream could carry more. */
static const size_t frame_size_max = 16 << 20;

const struct network network_unixgram = {
	.name = "unixgram",
	.tool = "unixgram-echo",
	.type = SOCK_DGRAM,
};

const struct network network_unixpacket = {
	.name = "unixpacket",
	.tool = "seqpacket-echo",
	.type = SOCK_SEQPACKET,
	.is_connected = true,
};

const struct network network_unixstream = {
	.name = "unix",
	.tool = "unixstream-echo",
	.type = SOCK_STREAM,
	.is_connected = true,
	.is_stream = true,
};

const struct network *const networks[] = {
	&network_unixgram,
	&network_unixpacket,
	&network_unixstream,
	NULL,
};

const struct network *network_find(const char *name)
{
	static const struct {
		const char *name;
		const struct network *network;
	} names[] = {
		{ "unixgram", &network_unixgram },
		{ "dgram", &network_unixgram },
		{ "unixpacket", &network_unixpacket },
		{ "seqpacket", &network_unixpacket },
		{ "unix", &network_unixstream },
		{ "unixstream", &network_unixstream },
		{ "stream", &network_unixstream },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].network;
	return NULL;
}

const struct network *network_find_at(const char *address)
{
	const struct network *const *network;

	for (network = networks; *network != NULL; network++)
		if (unixowner_find(address, (*network)->type, NULL) == 0)
			return *network;
	return NULL;
}

size_t network_get_size_max(const struct network *network)
{
	struct unixconn *pair[2];
	size_t size = 0;

	if (network->is_stream)
		return frame_size_max;
	if (unixconn_pair(network->name, pair) < 0)
		return 0;
	unixconn_get_size_max(pair[0], &size);
	unixconn_close(pair[0]);
	unixconn_close(pair[1]);
	return size;
}
