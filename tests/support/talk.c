/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdlib.h>

#include "support/support.h"
#include "support/talk.h"

int64_t in_time(void)
{
	return unixdeadline_after_us(30000000);
}

void make_pair(const char *network, struct unixconn **near,
	struct unixconn **far)
{
	struct unixconn *pair[2];

	ck_assert_int_eq(unixconn_pair(network, pair), 0);
	*near = pair[0];
	*far = pair[1];
}

struct unixconn *dial_conn(const char *network, const char *address)
{
	struct unixconn *conn =
		unixconn_dial(network, address, NULL, in_time());

	ck_assert_msg(conn != NULL, "%s: %s", address, strerror(errno));
	return conn;
}

struct unixconn *accept_conn(struct unixlistener *listener)
{
	struct unixconn *conn = unixlistener_accept(listener, in_time());

	ck_assert_msg(conn != NULL, "%s", strerror(errno));
	return conn;
}

void close_conn(struct unixconn *conn)
{
	ck_assert_int_eq(unixconn_close(conn), 0);
}

void end_conn(struct unixconn **conn)
{
	close_conn(*conn);
	*conn = NULL;
}

void send_text(struct unixconn *conn, const char *text)
{
	int result = unixconn_send(conn, text, strlen(text), in_time());

	ck_assert_msg(result == 1, "%s", strerror(errno));
}

void receive_text(struct unixconn *conn, const char *text,
	struct unixaddr *from, int64_t until)
{
	char bytes[256];
	size_t size = SIZE_MAX;
	int result = unixconn_recv_from(conn, bytes, sizeof(bytes), &size, from,
		until);

	ck_assert_msg(result == 1, "%d, not \"%s\"", result, text);
	ck_assert_uint_eq(size, strlen(text));
	ck_assert_mem_eq(bytes, text, size);
}

void expect_text(struct unixconn *conn, const char *text)
{
	receive_text(conn, text, NULL, UNIXMSG_NOW);
}

void await_text(struct unixconn *conn, const char *text)
{
	receive_text(conn, text, NULL, in_time());
}

void expect_nothing(struct unixconn *conn)
{
	ck_assert_errno(unixconn_recv(conn, NULL, 0, NULL, UNIXMSG_NOW),
		EAGAIN);
}

void pass_text(struct unixconn *from, struct unixconn *to, const char *text)
{
	send_text(from, text);
	expect_text(to, text);
}

void connect_lane(uint64_t lane_bytes, struct unixconn **client,
	struct unixconn **server)
{
	const struct unixlisten_options how = { .lane_bytes = lane_bytes };
	const struct unixdial_options asking = { .flags = UNIXMSG_DIAL_LANE };
	const char *name = support_abstract("lane");
	struct unixlistener *listener =
		unixlistener_open("unixpacket", name, &how);

	ck_assert_ptr_nonnull(listener);
	*client = unixconn_dial("unixpacket", name, &asking, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(*client);
	*server = accept_conn(listener);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

void expect_address(const struct unixaddr *addr, const char *text)
{
	char found[UNIXMSG_ADDR_TEXT_SIZE];

	ck_assert_str_eq(unixaddr_format(addr, found, sizeof(found)), text);
}

unsigned char *make_payload(size_t size, unsigned int seed)
{
	unsigned char *bytes = malloc(size + 1);
	size_t i;

	ck_assert_ptr_nonnull(bytes);
	for (i = 0; i < size; i++)
		bytes[i] = (unsigned char)(i + i / 251 + seed);
	return bytes;
}
