/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "tools/inherit.h"
#include "tools/network.h"
#include "tools/tool.h"

/* Each takes one: 1; 0 none is left; -1. */

static int take_gram(struct unixservice *service,
	struct unixactivation *activation)
{
	struct unixgram *gram = unixactivation_take_gram(activation, NULL);

	if (gram == NULL)
		return errno == ENOENT || errno == EPROTOTYPE ? 0 : -1;
	if (unixservice_add_gram(service, gram) == 0)
		return 1;
	unixgram_close(gram);
	return -1;
}

static int serve_listener(struct unixservice *service,
	struct unixlistener *listener, unsigned int flags)
{
	if (listener == NULL)
		return errno == ENOENT || errno == EPROTOTYPE ? 0 : -1;
	if (unixservice_add_listener(service, listener, flags) == 0)
		return 1;
	unixlistener_close(listener);
	return -1;
}

static int take_packet(struct unixservice *service,
	struct unixactivation *activation)
{
	struct unixpacket *packet;
	int result = serve_listener(service,
		unixactivation_take_packet_listener(activation, NULL), 0);

	if (result != 0)
		return result;
	packet = unixactivation_take_packet(activation, NULL);
	if (packet == NULL)
		return errno == ENOENT || errno == EPROTOTYPE ? 0 : -1;
	if (unixservice_add_packet(service, packet, NULL) == 0)
		return 1;
	unixpacket_close(packet);
	return -1;
}

static int take_stream(struct unixservice *service,
	struct unixactivation *activation)
{
	struct unixstream *stream;
	int result = serve_listener(service,
		unixactivation_take_stream_listener(activation, NULL),
		UNIXSERVICE_BYTES);

	if (result != 0)
		return result;
	stream = unixactivation_take_stream(activation, NULL);
	if (stream == NULL)
		return errno == ENOENT || errno == EPROTOTYPE ? 0 : -1;
	if (unixservice_add_stream(service, stream, UNIXSERVICE_BYTES, NULL) ==
		0)
		return 1;
	unixstream_close(stream);
	return -1;
}

static int take_one(struct unixservice *service, const struct network *network,
	struct unixactivation *activation)
{
	if (!network->is_connected)
		return take_gram(service, activation);
	if (network->is_stream)
		return take_stream(service, activation);
	return take_packet(service, activation);
}

static const char *get_setting(const struct network *network)
{
	if (!network->is_connected)
		return "ListenDatagram";
	return network->is_stream ? "ListenStream" : "ListenSequentialPacket";
}

static int complain(const struct network *network, size_t count)
{
	if (count == 0)
		tool_complain(
			"--inherit: no socket was handed over "
			"(LISTEN_FDS); give an ADDRESS instead, or have a "
			"supervisor start it");
	else
		tool_complain("--inherit: of the %zu descriptors handed over "
			      "none is for the network %s (systemd: %s=)",
			count, network->name, get_setting(network));
	return -1;
}

static int take_all(struct unixservice *service, const struct network *network,
	struct unixactivation *activation)
{
	int result, count = 0;

	while ((result = take_one(service, network, activation)) == 1)
		count++;
	if (result < 0) {
		tool_complain("--inherit: %s", strerror(errno));
		return -1;
	}
	if (count > 0)
		return 0;
	return complain(network, unixactivation_get_count(activation));
}

int inherit(struct unixservice *service, const struct network *network)
{
	struct unixactivation *activation = unixactivation_new();
	int result;

	if (activation == NULL) {
		tool_complain("--inherit: LISTEN_FDS and its like: %s",
			strerror(errno));
		return -1;
	}
	result = take_all(service, network, activation);
	unixactivation_free(activation);
	return result;
}
