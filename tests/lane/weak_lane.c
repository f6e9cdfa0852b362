/* SPDX-License-Identifier: MIT */
/* lane.c as it is, on a machine that orders memory weakly. */
#include <config.h>

#define UNIXMSG_TESTS_WEAK
#include "weak_calls.h"

#include "lane/lane.c"

int model_send_data(struct lane *lane, const void *data, size_t size)
{
	return unixlane__send_data(lane, data, size);
}

bool model_recv_data(struct lane *lane, void *data, size_t room, size_t *size)
{
	return unixlane__recv_data(lane, data, room, size);
}
