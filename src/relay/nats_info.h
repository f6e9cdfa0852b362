/* SPDX-License-Identifier: MIT */
/* nats_info: what a nats-server says of itself, in JSON in its INFO line. */
#ifndef UNIXMSG_RELAY_NATS_INFO_H
#define UNIXMSG_RELAY_NATS_INFO_H

#include <stdbool.h>
#include <stddef.h>

/* Further servers than these are ignored, and longer addresses too. */
#define NATS_URLS_MAX 16
#define NATS_URL_ROOM 72

struct nats_info {
	size_t payload_most; /* 0: the server gave no limit */
	bool has_headers;
	bool wants_tls;
	size_t urls_count;
	/* Other servers, HOST:PORT, of printable characters. */
	char urls[NATS_URLS_MAX][NATS_URL_ROOM];
};

/*
 * Reads the object; the text is changed. Returns 0, or -1 with EPROTO if it is
 * not JSON or a member has the wrong type. Members that are not known may have
 * any value.
 */
int nats_info_read(struct nats_info *info, char *text, size_t size);

#endif
