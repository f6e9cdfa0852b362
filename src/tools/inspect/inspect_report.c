/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "tools/inspect/inspect_peers.h"
#include "tools/inspect/inspect_relay.h"
#include "tools/inspect/inspect_report.h"
#include "tools/inspect/inspect_text.h"

/* The most peers, or processes, in a report without --verbose. */
static const size_t named_most = 8;

/* Prints "  label      text"; an empty label continues the line before. */
static void __attribute__((format(printf, 2, 3)))
print_line(const char *label, const char *format, ...)
{
	va_list list;

	printf("  %-10s ", label);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
}

/* Returns the "s" of "17 connections", or "". */
static const char *get_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* The line of a process, and a second one of a relay. */
static void print_process(const char *label,
	const struct inspect_process *process, const char *address,
	const char *lane)
{
	struct inspect_relay relay;

	print_line(label, "pid %d (%s) of user %s%s%s", (int)process->pid,
		process->told.command, inspect_text_user(process->told.user),
		address, lane);
	if (inspect_relay_find(process, &relay))
		print_line("", "which says that it %s the service %s",
			relay.is_import ? "imports" : "exports", relay.service);
}

static void print_unknown_holder(const struct inspect_socket *it)
{
	if (it->told.has & UNIXDIAG_HAS_USER)
		print_line("process",
			"made by user %s; it cannot be seen from "
			"here",
			inspect_text_user(it->told.user));
	else
		print_line("process", "cannot be seen from here");
}

static void print_holders(const struct inspect_report *report,
	const struct inspect_socket *it)
{
	const struct inspect_process *process;
	const char *label = "process";
	size_t count = 0;

	process = inspect_snapshot_next_holder(report->snapshot, it->told.ino,
		NULL);
	if (process == NULL)
		print_unknown_holder(it);
	while (process != NULL) {
		if (count++ < named_most || report->is_verbose)
			print_process(label, process, "", "");
		label = "";
		process = inspect_snapshot_next_holder(report->snapshot,
			it->told.ino, process);
	}
	if (count > named_most && !report->is_verbose)
		print_line("", "and %zu more, see --verbose",
			count - named_most);
}

static void print_file(const struct inspect_finding *finding)
{
	const struct stat *status = &finding->file->status;

	print_line("file", "owner %s, group %s, mode %04o%s%s",
		inspect_text_user(status->st_uid),
		inspect_text_group(status->st_gid),
		(unsigned int)status->st_mode & 07777,
		status->st_nlink > 1 ? "; it has other names too" : "",
		finding->file->is_link ? "; reached by a symbolic link" : "");
}

static void print_senders(const struct inspect_file *file)
{
	char text[1024];

	inspect_file_describe_senders(file, text, sizeof(text));
	print_line("may send", "%s", text);
	if (inspect_file_describe_way(file, text, sizeof(text)))
		print_line("", "who may pass %s", text);
}

static void print_access(const struct inspect_finding *finding)
{
	if (finding->file != NULL) {
		print_file(finding);
		if (inspect_file_is_socket(finding->file))
			print_senders(finding->file);
	} else if (finding->socket != NULL && finding->address[0] == '@') {
		print_line("may send",
			"everybody in this network namespace: an abstract name "
			"has no permissions");
	}
}

static void print_lanes(const struct inspect_socket *it)
{
	const struct inspect_lanes *lanes = &it->lanes;

	if (lanes->count > 0)
		print_line("lanes",
			"%zu connection%s by %" PRIu64
			" bytes of shared memory, %" PRIu64 " resident",
			lanes->count, lanes->count == 1 ? " sends" : "s send",
			lanes->bytes, lanes->resident_bytes);
}

/* Returns "; lane of 69632 bytes, 8192 resident", or "". */
static const char *format_lane(const struct inspect_socket *it, char *text,
	size_t room)
{
	text[0] = '\0';
	if (it->lanes.count > 0)
		snprintf(text, room,
			"; lane of %" PRIu64 " bytes, %" PRIu64 " resident",
			it->lanes.bytes, it->lanes.resident_bytes);
	return text;
}

static const char *get_maker(const struct inspect_socket *it)
{
	if (it->told.has & UNIXDIAG_HAS_USER)
		return inspect_text_user(it->told.user);
	return "unknown";
}

/* Prints a peer: its process, and its address if it has one. */
static void print_client(const struct inspect_report *report, const char *label,
	const struct inspect_socket *client)
{
	const struct inspect_process *process = NULL;
	char address[UNIXMSG_ADDR_TEXT_SIZE + 16] = "", lane[80];

	if (client == NULL) {
		print_line(label, "a peer that cannot be seen from here");
		return;
	}
	if (unixaddr_get_kind(&client->told.addr) != UNIXADDR_UNNAMED)
		snprintf(address, sizeof(address), ", bound to %s",
			inspect_text_address(&client->told.addr));
	process = inspect_snapshot_next_holder(report->snapshot,
		client->told.ino, NULL);
	if (process != NULL)
		print_process(label, process, address,
			format_lane(client, lane, sizeof(lane)));
	else
		print_line(label, "a process that cannot be seen, of user %s%s",
			get_maker(client), address);
}

static void print_clients(const struct inspect_report *report,
	const struct inspect_socket *it)
{
	const struct inspect_socket *client;
	struct inspect_peers peers;
	size_t count = 0;

	inspect_peers_begin(&peers, report->snapshot, it);
	while (inspect_peers_next(&peers, &client))
		if (count++ < named_most || report->is_verbose)
			print_client(report, "", client);
	if (count > named_most && !report->is_verbose)
		print_line("", "and %zu more, see --verbose",
			count - named_most);
}

static void print_peers(const struct inspect_report *report,
	const struct inspect_socket *it)
{
	if (it->peer != NULL)
		print_client(report, "talks to", it->peer);
	if (it->told.type == SOCK_DGRAM && it->connections == 0)
		print_line("peers",
			"none connected; the kernel does not record senders "
			"that do not connect");
	else if (it->told.type == SOCK_DGRAM ||
		it->told.state == UNIXDIAG_LISTENING)
		print_line("peers", "%zu connected", it->connections);
	if (it->connections > 0)
		print_clients(report, it);
}

static void print_waiting(const struct inspect_report *report,
	const struct inspect_socket *it)
{
	const struct inspect_snapshot *snapshot = report->snapshot;
	size_t i, count = 0;

	print_line("backlog",
		"%" PRIu32 " connection%s of at most %" PRIu64 " wait%s",
		it->told.receive_queue, get_plural(it->told.receive_queue),
		inspect_socket_get_waiting_most(it),
		it->told.receive_queue == 1 ? "s" : "");
	for (i = 0; i < snapshot->sockets_count; i++) {
		if (snapshot->sockets[i].waits_for != it)
			continue;
		if (count++ < named_most || report->is_verbose)
			print_client(report, "", &snapshot->sockets[i]);
	}
}

static void print_gram_unread(const struct inspect_socket *it)
{
	if (it->told.receive_queue > 0)
		print_line("unread",
			"the first message has %" PRIu32 " byte%s; the kernel "
			"does not tell how many messages there are",
			it->told.receive_queue,
			get_plural(it->told.receive_queue));
	else
		print_line("unread",
			"no message, or an empty one comes first: the kernel "
			"tells the size of the first only");
	if (it->charged_bytes > 0)
		print_line("",
			"its connected senders are charged %" PRIu64
			" bytes of buffer for unread messages",
			it->charged_bytes);
}

static void print_unread(const struct inspect_socket *it)
{
	bool is_listening = it->told.state == UNIXDIAG_LISTENING;
	uint64_t bytes =
		is_listening ? it->unread_bytes : it->told.receive_queue;

	print_line("unread", "%" PRIu64 " byte%s%s%s", bytes, get_plural(bytes),
		is_listening ? " in the connections it has accepted" : "",
		it->told.type == SOCK_SEQPACKET && bytes > 0
			? "; the kernel does not tell in how many messages"
			: "");
	if (it->waiting_bytes > 0)
		print_line("",
			"clients that wait are charged %" PRIu64
			" bytes of buffer for what they have sent",
			it->waiting_bytes);
}

static void print_queues(const struct inspect_report *report,
	const struct inspect_socket *it)
{
	if ((it->told.has & UNIXDIAG_HAS_QUEUE) == 0)
		return;
	if (it->told.state == UNIXDIAG_LISTENING)
		print_waiting(report, it);
	if (it->told.type == SOCK_DGRAM)
		print_gram_unread(it);
	else if (it->told.state != UNIXDIAG_BOUND)
		print_unread(it);
}

static void print_bound(const struct inspect_finding *finding)
{
	const char *bound = inspect_text_address(&finding->socket->told.addr);
	const char *mark = inspect_finding_get_mark(finding);

	if (mark == NULL && strcmp(bound, finding->address) == 0)
		return;
	print_line("bound as", "%s%s%s", bound,
		mark == NULL ? "" : ", which is ", mark == NULL ? "" : mark);
}

static void print_socket(const struct inspect_report *report,
	const struct inspect_finding *finding)
{
	const struct inspect_socket *it = finding->socket;

	print_holders(report, it);
	print_access(finding);
	print_bound(finding);
	if (finding->is_shared)
		print_line("shared",
			"sockets of other types have this name too; clients "
			"get the one of their own type");
	print_queues(report, it);
	print_lanes(it);
	print_peers(report, it);
}

static void print_nears(const struct inspect_nears *nears)
{
	size_t i;

	for (i = 0; i < nears->count; i++) {
		const struct unixdiag_socket *told =
			&nears->near[i].socket->told;

		print_line(i == 0 ? "see also" : "", "%s %s",
			inspect_text_network(told->type),
			inspect_text_address(&told->addr));
		print_line("", "  %s", nears->near[i].why);
	}
}

static void print_head(const struct inspect_finding *finding)
{
	const char *phrase = inspect_finding_get_phrase(finding);
	const char *address = finding->address;

	if (finding->socket != NULL)
		printf("%s: %s, %s\n", address,
			inspect_text_network(finding->socket->told.type),
			phrase);
	else if (finding->state == INSPECT_NOT_A_SOCKET)
		printf("%s: not a socket but a %s\n", address, phrase);
	else
		printf("%s: %s\n", address, phrase);
}

void inspect_report_show(void *context, const struct inspect_finding *finding)
{
	struct inspect_report *report = context;

	if (report->has_begun)
		putchar('\n');
	report->has_begun = true;
	print_head(finding);
	if (finding->socket != NULL)
		print_socket(report, finding);
	else
		print_access(finding);
	if (finding->connections_left > 0)
		print_line("left over",
			"%zu connection%s that the listener has accepted "
			"before it closed",
			finding->connections_left,
			get_plural(finding->connections_left));
	if (finding->nears != NULL)
		print_nears(finding->nears);
}
