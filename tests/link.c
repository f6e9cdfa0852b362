/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "link.h"

static int gram_dial(struct link *link, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	link->gram = unixgram_dial(address, options, deadline_us);
	if (link->gram == NULL)
		return -1;
	link->fd = unixgram_get_fd(link->gram);
	return 0;
}

static int gram_send(struct link *link, const void *data, size_t size)
{
	return unixgram_send(link->gram, data, size, UNIXMSG_NOW);
}

static int gram_recv(struct link *link, void *data, size_t room, size_t *size)
{
	return unixgram_recv(link->gram, data, room, size, NULL, UNIXMSG_NOW);
}

static int gram_close(struct link *link)
{
	return unixgram_close(link->gram);
}

static int packet_dial(struct link *link, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	link->packet = unixpacket_dial(address, options, deadline_us);
	if (link->packet == NULL)
		return -1;
	link->fd = unixpacket_get_fd(link->packet);
	return 0;
}

static int packet_send(struct link *link, const void *data, size_t size)
{
	return unixpacket_send(link->packet, data, size, UNIXMSG_NOW);
}

static int packet_recv(struct link *link, void *data, size_t room, size_t *size)
{
	return unixpacket_recv(link->packet, data, room, size, UNIXMSG_NOW);
}

static int packet_close(struct link *link)
{
	return unixpacket_close(link->packet);
}

static int stream_dial(struct link *link, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	link->stream = unixstream_dial(address, options, deadline_us);
	if (link->stream == NULL)
		return -1;
	link->fd = unixstream_get_fd(link->stream);
	return 0;
}

/* EINPROGRESS: the same message again goes on with it, as after EAGAIN. */
static int stream_send(struct link *link, const void *data, size_t size)
{
	int result = unixstream_send(link->stream, data, size, UNIXMSG_NOW);

	if (result < 0 && errno == EINPROGRESS)
		errno = EAGAIN;
	return result;
}

static int stream_recv(struct link *link, void *data, size_t room, size_t *size)
{
	return unixstream_recv(link->stream, data, room, size, UNIXMSG_NOW);
}

static int stream_close(struct link *link)
{
	return unixstream_close(link->stream);
}

static const struct network {
	const char *name;
	int (*dial)(struct link *link, const char *address,
		const struct unixdial_options *options, int64_t deadline_us);
	int (*send)(struct link *link, const void *data, size_t size);
	int (*recv)(struct link *link, void *data, size_t room, size_t *size);
	int (*close)(struct link *link);
} networks[LINK_NETWORKS] = {
	{ "unixgram", gram_dial, gram_send, gram_recv, gram_close },
	{ "unixpacket", packet_dial, packet_send, packet_recv, packet_close },
	{ "unix", stream_dial, stream_send, stream_recv, stream_close },
};

const char *link_get_network(enum link_network network)
{
	return networks[network].name;
}

int link_dial(struct link *link, enum link_network network, const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	memset(link, 0, sizeof(*link));
	link->network = network;
	return networks[network].dial(link, address, options, deadline_us);
}

int link_send(struct link *link, const void *data, size_t size)
{
	return networks[link->network].send(link, data, size);
}

int link_recv(struct link *link, void *data, size_t room, size_t *size)
{
	return networks[link->network].recv(link, data, room, size);
}

int link_close(struct link *link)
{
	int result = networks[link->network].close(link);

	memset(link, 0, sizeof(*link));
	return result;
}
