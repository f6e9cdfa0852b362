/* SPDX-License-Identifier: MIT */
/*
 * acknowledge none|first|each NETWORK ADDRESS: a service that takes what
 * programs of others send to it, and acknowledges no message, the first of each
 * peer, or each. NETWORK is as of unixservice_listen, or "bytes".
 *
 * Of each message it prints a line: how many bytes and descriptors it has, and
 * what is printable of its beginning; of bytes all as it is. On SIGTERM it
 * prints its counters and ends.
 */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unixmsg.h"

static const char *wish;
static bool is_bytes;

static bool is_wanted(struct unixservice *service, uint64_t peer)
{
	if (strcmp(wish, "first") != 0)
		return strcmp(wish, "each") == 0;
	if (unixservice_get_context(service, peer) != NULL)
		return false;
	unixservice_set_context(service, peer, service);
	return true;
}

static void print_message(const struct unixmsg *msg)
{
	const char *byte = msg->data;
	size_t i;

	if (is_bytes) {
		fwrite(byte, msg->size, 1, stdout);
		return;
	}
	printf("%zu bytes, %zu descriptors: ", msg->size, msg->fds_count);
	for (i = 0; i < msg->size && i < 60; i++)
		putchar(isprint((unsigned char)byte[i]) ? byte[i] : '.');
	putchar('\n');
}

static int take(struct unixservice *service, uint64_t peer, struct unixmsg *msg,
	void *context)
{
	(void)context;
	print_message(msg);
	fflush(stdout);
	if (is_wanted(service, peer))
		unixservice_send(service, peer, "taken", 5);
	return UNIXSERVICE_DONE;
}

static struct unixservice *open_service(const char *network,
	const char *address)
{
	const struct unixservice_options options = {
		.wants = UNIXMSG_WANT_FDS,
		.fds_max = 1,
	};
	struct unixservice *service = unixservice_new(take, NULL, &options);
	struct unixlisten_options how = { 0 };

	is_bytes = strcmp(network, "bytes") == 0;
	if (is_bytes)
		how.flags = UNIXMSG_LISTEN_BYTES;
	if (service == NULL)
		return NULL;
	if (unixservice_set_stop_fd(service, unixstop_open()) == 0 &&
		unixservice_listen(service, is_bytes ? "unix" : network,
			address, &how) == 0)
		return service;
	unixservice_close(service);
	return NULL;
}

static void report(const struct unixservice *service)
{
	struct unixservice_counters counters;
	char text[4096];

	unixservice_get_counters(service, &counters);
	unixservice_format_counters(&counters, text, sizeof(text));
	puts(text);
}

int main(int argc, char *argv[])
{
	struct unixservice *service;

	if (argc != 4)
		return 2;
	wish = argv[1];
	service = open_service(argv[2], argv[3]);
	if (service == NULL) {
		perror("acknowledge");
		return EXIT_FAILURE;
	}
	fprintf(stderr, "acknowledge: listening on %s\n", argv[3]);
	if (unixservice_run(service, UNIXMSG_FOREVER) < 0 && errno != ECANCELED)
		perror("acknowledge");
	unixservice_drain(service, UNIXMSG_FOREVER);
	report(service);
	return unixservice_close(service) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
