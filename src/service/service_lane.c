/* SPDX-License-Identifier: MIT */
/*
 * Memory of lanes. A lane has a segment of each side. Both count, because the
 * kernel charges a page to the process that first touches it, and a peer can
 * have us read any page of its ring.
 */
#include <config.h>

#include <errno.h>

#include "network/handshake.h"
#include "service/service_private.h"

/* The memory of a lane that a server has offered to a connection of the
 * program. */
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

static void look_at_lane(struct unixservice *service, struct peer *peer,
	struct packet *packet)
{
	if (unixhandshake__is_ready(packet))
		offer_lane(service, peer, packet);
	else if (peer->lane_bytes > 0 && unixhandshake__has_none(packet))
		unixservice__count_lane(service, peer, 0);
	else if (peer->lane_bytes == 0 && packet->lane.mine.page != NULL)
		unixservice__count_lane(service, peer, get_bytes(packet));
}

void unixservice__look_at_lane(struct unixservice *service, struct peer *peer,
	struct unixconn *conn)
{
	const int saved = errno;

	look_at_lane(service, peer, unixhandshake__get(conn));
	errno = saved;
}

bool unixservice__spins_on_lane(struct unixservice *service,
	struct unixconn *conn, int64_t *spin_until_us)
{
	bool is_there;

	if (unixspin__get(&service->spin) == 0)
		return false;
	is_there = unixlane__has_record(&unixhandshake__get(conn)->lane);
	if (!is_there && *spin_until_us == 0)
		*spin_until_us =
			unixspin__begin(&service->spin, UNIXMSG_FOREVER);
	if (!is_there && unixspin__goes_on(*spin_until_us))
		return true;
	if (*spin_until_us > 0)
		unixspin__note(&service->spin, is_there);
	*spin_until_us = 0;
	return false;
}
