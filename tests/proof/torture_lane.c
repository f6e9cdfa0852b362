/* SPDX-License-Identifier: MIT */
/* What lanes are made of. */
#include <config.h>

#include <sys/socket.h>
#include <unistd.h>

#include "network/conn_private.h"
#include "network/handshake.h"
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

/* Both have talked enough, and say what they have to say. An error of the
 * socket would be told by the call that receives. */
static void come_to_terms(struct packet *client, struct packet *server)
{
	const int saved = errno;
	int i;

	unixhandshake__ask(client);
	unixhandshake__await(server, SIZE);
	server->received = 32;
	unixhandshake__note_received(server);
	for (i = 0; i < 3; i++) {
		unixhandshake__hear(client);
		unixhandshake__hear(server);
	}
	errno = saved;
}

static void pass(struct unixconn *from, struct unixconn *to, int number)
{
	int found = -1;

	ck_assert_int_eq(unixconn_send(from, &number, sizeof(number),
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv(to, &found, sizeof(found), NULL,
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(found, number);
}

/* Whatever fails, they go on without it. */
static void a_lane_comes_to_be(int kind)
{
	struct unixconn *client = unixconn__new(&unixnetwork__packet_lane);
	struct unixconn *server = unixconn__new(&unixnetwork__packet_lane);
	int i;

	(void)kind;
	ck_assert_int_eq(unixendpoint__open_pair(&client->end, &server->end,
				 SOCK_SEQPACKET),
		0);
	torture_begin();
	come_to_terms(unixhandshake__get(client), unixhandshake__get(server));
	torture_end_judged(0, 0);
	for (i = 0; i < 40; i++) {
		pass(client, server, i);
		pass(server, client, i);
	}
	ck_assert_int_eq(unixhandshake__get(client)->is_out,
		unixhandshake__get(server)->is_in);
	ck_assert_int_eq(unixhandshake__get(server)->is_out,
		unixhandshake__get(client)->is_in);
	unixconn_close(client);
	unixconn_close(server);
}

const struct scene torture_lane_scenes[] = {
	{ "a lane comes to be", a_lane_comes_to_be, 1 },
	{ "memory for a lane is made", memory_for_a_lane_is_made, 1 },
	{ "memory of a peer is mapped", memory_of_a_peer_is_mapped, 1 },
	{ NULL, NULL, 0 },
};
