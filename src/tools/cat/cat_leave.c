/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <string.h>
#include <sys/socket.h>

#include "tools/cat/cat_leave.h"
#include "unixmsg.h"

static bool read_bytes_away(struct unixconn *conn)
{
	char bytes[4096];

	return recv(unixconn_get_fd(conn), bytes, sizeof(bytes), MSG_DONTWAIT) >
		0;
}

/* recv(2) cannot tell an empty message from the end. */
static bool read_message_away(struct unixconn *conn)
{
	struct unixmsg msg;
	char byte;

	unixmsg_init(&msg);
	msg.data = &byte;
	msg.room = sizeof(byte);
	msg.flags = UNIXMSG_PREFIX;
	return unixconn_recv_msg(conn, &msg, UNIXMSG_NOW) == 1;
}

void cat_leave(struct unixconn *conn)
{
	const bool is_stream = strcmp(unixconn_get_network(conn), "unix") == 0;

	unixconn_set_stop_fd(conn, -1);
	unixconn_shutdown(conn, SHUT_RDWR);
	while (is_stream ? read_bytes_away(conn) : read_message_away(conn))
		continue;
}
