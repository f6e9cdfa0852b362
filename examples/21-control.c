/* SPDX-License-Identifier: 0BSD */
/*
 * A control socket like that of wpa_supplicant. A command is a datagram of
 * text, and so is its answer. A client that has sent ATTACH also receives
 * events. The service forgets a client that is silent for ten minutes, unless
 * it is attached.
 *
 * Build:  cc 21-control.c $(pkg-config --cflags --libs unixmsg) -o control
 * Run:    ./control, and in other terminals
 *         unixgram-echo control.sock PING STATUS 'LOG hello' NONSENSE
 *         socat - UNIX-CLIENT:control.sock,type=2,bind=$PWD/own.sock
 *         where you type ATTACH. Ctrl-C or SIGTERM ends the service.
 * See:    control: listening on control.sock
 *         and from unixgram-echo, which complains that this is no echo:
 *         PONG
 *         clients=1
 *         attached=0
 *         commands=2
 *         OK
 *         UNKNOWN COMMAND
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unixmsg.h>

/* Change these, and the mode in main. drain_us is the time to answer at the
 * end. */
static const char address[] = "control.sock";
static const int64_t drain_us = 5000000;
enum { size_max = 1024 };

/* The context of an attached client. */
static char attached[] = "attached";

static int fail(const char *what)
{
	fprintf(stderr, "control: %s: %s\n", what, strerror(errno));
	return -1;
}

/* A send to a client that has closed without DETACH makes the service forget
 * it. */
static void tell_attached(struct unixservice *service, const char *text)
{
	char event[size_max + 4];
	int size = snprintf(event, sizeof(event), "<3>%s", text);
	uint64_t peer = 0;

	while ((peer = unixservice_get_next_peer(service, peer)) != 0)
		if (unixservice_get_context(service, peer) == attached)
			unixservice_send(service, peer, event, (size_t)size);
}

static const char *get_status(struct unixservice *service)
{
	static char text[128];
	struct unixservice_counters counters;
	uint64_t peer = 0;
	int count = 0;

	unixservice_get_counters(service, &counters);
	while ((peer = unixservice_get_next_peer(service, peer)) != 0)
		count += unixservice_get_context(service, peer) == attached;
	snprintf(text, sizeof(text), "clients=%d\nattached=%d\ncommands=%d",
		(int)counters.peers, count, (int)counters.received);
	return text;
}

/* An attached client may stay silent. Fails for a client without an address. */
static const char *attach(struct unixservice *service, uint64_t peer, void *how)
{
	const int result = unixservice_set_context(service, peer, how);

	unixservice_keep_peer(service, peer, how != NULL);
	return result < 0 ? "FAIL" : "OK";
}

static const char *obey(struct unixservice *service, uint64_t peer,
	const char *command)
{
	if (strcmp(command, "PING") == 0)
		return "PONG";
	if (strcmp(command, "STATUS") == 0)
		return get_status(service);
	if (strcmp(command, "ATTACH") == 0)
		return attach(service, peer, attached);
	if (strcmp(command, "DETACH") == 0)
		return attach(service, peer, NULL);
	if (strncmp(command, "LOG ", 4) == 0)
		return "OK";
	return "UNKNOWN COMMAND";
}

/* Sends the answer before an event: the first message to the sender counts as
 * its answer. */
static int handle(struct unixservice *service, uint64_t peer,
	struct unixmsg *msg, void *context)
{
	char command[size_max + 1];
	const char *answer;

	(void)context;
	memcpy(command, msg->data, msg->size);
	command[msg->size] = '\0';
	command[strcspn(command, "\n")] = '\0'; /* typed in socat */
	answer = obey(service, peer, command);
	unixservice_send(service, peer, answer, strlen(answer));
	if (strncmp(command, "LOG ", 4) == 0)
		tell_attached(service, command + 4);
	return UNIXSERVICE_DONE;
}

int main(void)
{
	const struct unixservice_options options = { .size_max = size_max };
	const struct unixlisten_options how = { .mode = 0660 };
	struct unixservice *service = unixservice_new(handle, NULL, &options);
	int result, stop_fd = unixstop_open();

	if (service == NULL || stop_fd < 0 ||
		unixservice_listen(service, "unixgram", address, &how) < 0) {
		result = fail(address);
	} else {
		fprintf(stderr, "control: listening on %s\n", address);
		result = unixservice_serve(service, stop_fd, drain_us);
	}
	if (unixservice_close(service) < 0)
		result = fail(address);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
