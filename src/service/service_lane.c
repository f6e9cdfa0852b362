/* SPDX-License-Identifier: MIT */
/*
 * Memory of lanes. A lane has a segment of each side. Both count, because the
 * kernel charges a page to the process that first touches it, and a peer can
 * have us read any page of its ring.
 */
#include <config.h>

#include "network/handshake.h"
#include "service/service_private.h"

void unixservice__count_lane(struct unixservice *service, struct peer *peer,
	uint64_t bytes)
{
	struct unixservice_counters *counters = &service->counters;

	counters->lanes -= peer->lane_bytes > 0;
	counters->lanes += bytes > 0;
	counters->lane_bytes += bytes - peer->lane_bytes;
	peer->user->lane_bytes += bytes - peer->lane_bytes;
	peer->lane_bytes = bytes;
	if (counters->lane_bytes > counters->lane_bytes_most)
		counters->lane_bytes_most = counters->lane_bytes;
}

/* Of a lane that the service has not offered. */
static uint64_t get_bytes(const struct packet *packet)
{
	return unixsegment__get_bytes(packet->lane.mine.size) +
		unixsegment__get_bytes(packet->lane.theirs.size);
}

static bool is_within(uint64_t bytes, uint64_t most)
{
	return most == 0 || bytes <= most;
}

static void offer_lane(struct unixservice *service, struct peer *peer,
	struct packet *packet)
{
	const struct unixservice_options *options = &service->options;
	const uint64_t bytes = 2 * unixsegment__get_bytes(packet->ring_size);

	if (!is_within(service->counters.lane_bytes + bytes,
		    options->lane_bytes_max) ||
		!is_within(peer->user->lane_bytes + bytes,
			options->lane_bytes_per_user_max)) {
		service->counters.lanes_limited++;
		unixhandshake__decline(packet);
		return;
	}
	unixhandshake__offer(packet);
	if (!unixhandshake__has_none(packet))
		unixservice__count_lane(service, peer, bytes);
}

void unixservice__look_at_lane(struct unixservice *service, struct peer *peer,
	struct unixconn *conn)
{
	struct packet *packet = unixhandshake__get(conn);

	if (unixhandshake__is_ready(packet))
		offer_lane(service, peer, packet);
	else if (peer->lane_bytes > 0 && unixhandshake__has_none(packet))
		unixservice__count_lane(service, peer, 0);
	else if (peer->lane_bytes == 0 && packet->lane.mine.page != NULL)
		unixservice__count_lane(service, peer, get_bytes(packet));
}
