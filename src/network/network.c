/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "network/network.h"

static const struct network *const networks[] = {
	&unixnetwork__gram,
	&unixnetwork__packet,
	&unixnetwork__stream,
};

enum { NETWORKS = sizeof(networks) / sizeof(networks[0]) };

/* Other usual names: the types of sockets, and unixstream, which Go lacks. */
static const struct {
	const char *name;
	const struct network *network;
} others[] = {
	{ "dgram", &unixnetwork__gram },
	{ "seqpacket", &unixnetwork__packet },
	{ "stream", &unixnetwork__stream },
	{ "unixstream", &unixnetwork__stream },
};

static const struct network *find_other(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i].name, name) == 0)
			return others[i].network;
	errno = EINVAL;
	return NULL;
}

const struct network *unixnetwork__find(const char *name)
{
	size_t i;

	if (name == NULL)
		name = "";
	for (i = 0; i < NETWORKS; i++)
		if (strcmp(networks[i]->name, name) == 0)
			return networks[i];
	return find_other(name);
}

const struct network *unixnetwork__find_type(int type)
{
	size_t i;

	for (i = 0; i < NETWORKS; i++)
		if (networks[i]->type == type)
			return networks[i];
	errno = EINVAL;
	return NULL;
}

const struct network *unixnetwork__find_lane(const struct network *network)
{
	if (network == &unixnetwork__packet)
		return &unixnetwork__packet_lane;
	errno = ENOTSUP;
	return NULL;
}
