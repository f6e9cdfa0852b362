/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <sys/socket.h>

#include "tools/network.h"

/* No more than this in one frame, though a stream could carry it. */
static const size_t frame_size_max = 16 << 20;

static void *gram_dial(const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	return unixgram_dial(address, options, deadline_us);
}

static int gram_close(void *link)
{
	return unixgram_close(link);
}

static int gram_get_fd(const void *link)
{
	return unixgram_get_fd(link);
}

static int gram_get_address(const void *link, struct unixaddr *addr)
{
	return unixgram_get_address(link, addr);
}

static int gram_check_answer(const void *link)
{
	return unixgram_check_answer(link);
}

static void gram_set_spin_us(void *link, int64_t spin_us)
{
	unixgram_set_spin_us(link, spin_us);
}

static int gram_send(void *link, const void *data, size_t size,
	int64_t deadline_us)
{
	return unixgram_send(link, data, size, deadline_us);
}

static int gram_want(void *link, unsigned int wants)
{
	return unixgram_want(link, wants);
}

static int gram_recv(void *link, struct unixmsg *msg, int64_t deadline_us)
{
	return unixgram_recv_msg(link, msg, deadline_us);
}

const struct network network_unixgram = {
	.name = "unixgram",
	.tool = "unixgram-echo",
	.type = SOCK_DGRAM,
	.dial = gram_dial,
	.close = gram_close,
	.get_fd = gram_get_fd,
	.get_address = gram_get_address,
	.check_answer = gram_check_answer,
	.want = gram_want,
	.set_spin_us = gram_set_spin_us,
	.send = gram_send,
	.recv = gram_recv,
};

static void *packet_dial(const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	return unixpacket_dial(address, options, deadline_us);
}

static int packet_close(void *link)
{
	return unixpacket_close(link);
}

static int packet_get_fd(const void *link)
{
	return unixpacket_get_fd(link);
}

static int packet_get_address(const void *link, struct unixaddr *addr)
{
	return unixpacket_get_address(link, addr);
}

static void packet_set_spin_us(void *link, int64_t spin_us)
{
	unixpacket_set_spin_us(link, spin_us);
}

static int packet_send(void *link, const void *data, size_t size,
	int64_t deadline_us)
{
	return unixpacket_send(link, data, size, deadline_us);
}

static int packet_want(void *link, unsigned int wants)
{
	return unixpacket_want(link, wants);
}

static int packet_recv(void *link, struct unixmsg *msg, int64_t deadline_us)
{
	return unixpacket_recv_msg(link, msg, deadline_us);
}

const struct network network_unixpacket = {
	.name = "unixpacket",
	.tool = "seqpacket-echo",
	.type = SOCK_SEQPACKET,
	.is_connected = true,
	.dial = packet_dial,
	.close = packet_close,
	.get_fd = packet_get_fd,
	.get_address = packet_get_address,
	.want = packet_want,
	.set_spin_us = packet_set_spin_us,
	.send = packet_send,
	.recv = packet_recv,
};

static void *stream_dial(const char *address,
	const struct unixdial_options *options, int64_t deadline_us)
{
	return unixstream_dial(address, options, deadline_us);
}

static int stream_close(void *link)
{
	return unixstream_close(link);
}

static int stream_get_fd(const void *link)
{
	return unixstream_get_fd(link);
}

static int stream_get_address(const void *link, struct unixaddr *addr)
{
	return unixstream_get_address(link, addr);
}

static void stream_set_spin_us(void *link, int64_t spin_us)
{
	unixstream_set_spin_us(link, spin_us);
}

static int stream_send(void *link, const void *data, size_t size,
	int64_t deadline_us)
{
	return unixstream_send(link, data, size, deadline_us);
}

static int stream_recv(void *link, struct unixmsg *msg, int64_t deadline_us)
{
	return unixstream_recv(link, msg->parts[0].iov_base,
		msg->parts[0].iov_len, &msg->size, deadline_us);
}

const struct network network_unixstream = {
	.name = "unix",
	.tool = "unixstream-echo",
	.type = SOCK_STREAM,
	.is_connected = true,
	.is_stream = true,
	.dial = stream_dial,
	.close = stream_close,
	.get_fd = stream_get_fd,
	.get_address = stream_get_address,
	.set_spin_us = stream_set_spin_us,
	.send = stream_send,
	.recv = stream_recv,
};

size_t network_get_size_max(const struct network *network)
{
	struct unixgram *pair[2];
	size_t size = 0;

	if (network->is_stream)
		return frame_size_max;
	if (unixgram_pair(pair) < 0)
		return 0;
	unixgram_get_size_max(pair[0], &size);
	unixgram_close(pair[0]);
	unixgram_close(pair[1]);
	return size;
}
