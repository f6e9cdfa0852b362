/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdint.h>
#include <string.h>

#include "tools/common/network.h"
#include "tools/perf/perf_way.h"

static const char *const names[PERF_NETWORKS] = {
	[PERF_UNIXGRAM] = "unixgram",
	[PERF_UNIXPACKET] = "unixpacket",
	[PERF_UNIX] = "unix",
	[PERF_TCP] = "tcp",
	[PERF_UDP] = "udp",
};

/* The room of an IPv4 packet, without its header and that of UDP. */
static const size_t udp_size_max = 65535 - 20 - 8;

/* Limits our memory; a stream has no limit. */
static const size_t stream_size_max = 64 << 20;

const char *perf_network_get_name(enum perf_network network)
{
	return names[network];
}

int perf_network_find(const char *name)
{
	const struct network *network = network_find(name);
	int i;

	if (network != NULL)
		name = network->name;
	for (i = 0; i < PERF_NETWORKS; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

bool perf_network_is_connected(enum perf_network network)
{
	return network != PERF_UNIXGRAM && network != PERF_UDP;
}

bool perf_network_is_stream(enum perf_network network)
{
	return network == PERF_UNIX || network == PERF_TCP;
}

size_t perf_network_get_size_max(enum perf_network network)
{
	if (network == PERF_UDP)
		return udp_size_max;
	if (perf_network_is_stream(network))
		return stream_size_max;
	return network_get_size_max(&network_unixgram);
}
