/* SPDX-License-Identifier: 0BSD */
/*
 * Sends a message to itself. The example is CMakeLists.txt beside it.
 */
#include <stdio.h>

#include <unixmsg.h>

static int say_hello(struct unixconn *from, struct unixconn *to)
{
	char data[64];
	size_t size;

	if (unixconn_send(from, "hello", 5, UNIXMSG_FOREVER) < 0 ||
		unixconn_recv(to, data, sizeof(data), &size, UNIXMSG_FOREVER) !=
			1)
		return -1;
	printf("%.*s: %zu bytes\n", (int)size, data, size);
	return 0;
}

int main(void)
{
	struct unixconn *pair[2];
	int result;

	if (unixconn_pair("unixpacket", pair) < 0) {
		perror("hello");
		return 1;
	}
	result = say_hello(pair[0], pair[1]);
	if (result < 0)
		perror("hello");
	unixconn_close(pair[0]);
	unixconn_close(pair[1]);
	return result == 0 ? 0 : 1;
}
