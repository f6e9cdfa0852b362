/* SPDX-License-Identifier: MIT */
/* What lanes are made of. */
#include <config.h>

#include <unistd.h>

#include "lane/segment.h"
#include "proof/torture.h"

enum { SIZE = 65536 };

/* Memory that could not be had is none. */
static void expect_segment(const struct segment *segment, bool is_there)
{
	ck_assert_int_eq(segment->page != NULL, is_there);
}

static void memory_for_a_lane_is_made(int kind)
{
	struct segment segment;
	bool is_made;
	int fd;

	(void)kind;
	torture_begin();
	fd = unixsegment__make(&segment, SIZE);
	is_made = torture_end(fd < 0 ? -1 : 0, 0);
	expect_segment(&segment, is_made);
	if (!is_made)
		fd = unixsegment__make(&segment, SIZE);
	segment.ring[SIZE - 1] = 1;
	unixsegment__drop(&segment);
	close(fd);
}

static void memory_of_a_peer_is_mapped(int kind)
{
	struct segment mine, theirs;
	int fd = unixsegment__make(&mine, SIZE);
	bool is_mapped;

	(void)kind;
	mine.ring[SIZE - 1] = 1;
	torture_begin();
	is_mapped = torture_end(unixsegment__map(&theirs, fd, SIZE), 0);
	expect_segment(&theirs, is_mapped);
	if (!is_mapped)
		ck_assert_int_eq(unixsegment__map(&theirs, fd, SIZE), 0);
	ck_assert_int_eq(theirs.ring[SIZE - 1], 1);
	unixsegment__drop(&theirs);
	unixsegment__drop(&mine);
	close(fd);
}

const struct scene torture_lane_scenes[] = {
	{ "memory for a lane is made", memory_for_a_lane_is_made, 1 },
	{ "memory of a peer is mapped", memory_of_a_peer_is_mapped, 1 },
	{ NULL, NULL, 0 },
};
