/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tools/inspect/inspect_json.h"
#include "tools/inspect/inspect_peers.h"
#include "tools/inspect/inspect_relay.h"
#include "tools/inspect/inspect_text.h"

/* text is printable ASCII already, see inspect_text.h. */
static void print_string(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

/* Prints a comma first: print the first member of an object by hand. */
static void print_key(const char *key)
{
	printf(",\"%s\":", key);
}

static void print_text_or_null(const char *key, const char *text)
{
	print_key(key);
	if (text == NULL)
		fputs("null", stdout);
	else
		print_string(text);
}

static void print_number(const char *key, uint64_t number)
{
	print_key(key);
	printf("%" PRIu64, number);
}

static void print_number_or_null(const char *key, bool is_known,
	uint64_t number)
{
	if (is_known)
		print_number(key, number);
	else
		print_text_or_null(key, NULL);
}

static void print_bool(const char *key, bool is_true)
{
	print_key(key);
	fputs(is_true ? "true" : "false", stdout);
}

static void print_relay(const struct inspect_process *process)
{
	struct inspect_relay relay;
	const bool is_relay = inspect_relay_find(process, &relay);
	const char *role = relay.is_import ? "import" : "export";

	print_text_or_null("relay", is_relay ? role : NULL);
	print_text_or_null("service", is_relay ? relay.service : NULL);
}

static void print_process(const struct inspect_process *process)
{
	printf("{\"pid\":%d", (int)process->pid);
	print_text_or_null("command", process->told.command);
	print_number("uid", process->told.user);
	print_text_or_null("user", inspect_text_user(process->told.user));
	print_relay(process);
	putchar('}');
}

static void print_processes(const struct inspect_json *json,
	const struct inspect_socket *it)
{
	const struct inspect_process *process = NULL;
	const char *comma = "";

	print_key("processes");
	putchar('[');
	while (it != NULL) {
		process = inspect_snapshot_next_holder(json->snapshot,
			it->told.ino, process);
		if (process == NULL)
			break;
		fputs(comma, stdout);
		print_process(process);
		comma = ",";
	}
	putchar(']');
}

static const char *get_address(const struct inspect_socket *it)
{
	if (unixaddr_get_kind(&it->told.addr) == UNIXADDR_UNNAMED)
		return NULL;
	return inspect_text_address(&it->told.addr);
}

static void print_user(const struct inspect_socket *it)
{
	bool is_known = (it->told.has & UNIXDIAG_HAS_USER) != 0;

	print_number_or_null("uid", is_known, it->told.user);
	print_text_or_null("user",
		is_known ? inspect_text_user(it->told.user) : NULL);
}

static void print_lanes(const struct inspect_lanes *lanes)
{
	print_key("lanes");
	if (lanes == NULL || lanes->count == 0) {
		fputs("null", stdout);
		return;
	}
	printf("{\"connections\":%zu", lanes->count);
	print_number("bytes", lanes->bytes);
	print_number("resident_bytes", lanes->resident_bytes);
	putchar('}');
}

static void print_end(const struct inspect_json *json,
	const struct inspect_socket *it, bool is_waiting)
{
	printf("{\"inode\":%" PRIu32, it->told.ino);
	print_text_or_null("address", get_address(it));
	print_bool("waiting", is_waiting);
	print_user(it);
	print_processes(json, it);
	print_lanes(&it->lanes);
	putchar('}');
}

static void print_waiting(const struct inspect_json *json,
	const struct inspect_socket *it, const char *comma)
{
	const struct inspect_snapshot *snapshot = json->snapshot;
	size_t i;

	if (it->told.state != UNIXDIAG_LISTENING || it->told.receive_queue == 0)
		return;
	for (i = 0; i < snapshot->sockets_count; i++) {
		if (snapshot->sockets[i].waits_for != it)
			continue;
		fputs(comma, stdout);
		print_end(json, &snapshot->sockets[i], true);
		comma = ",";
	}
}

static void print_peers(const struct inspect_json *json,
	const struct inspect_socket *it)
{
	const struct inspect_socket *client;
	struct inspect_peers peers;
	const char *comma = "";

	print_key("peers");
	putchar('[');
	if (it != NULL) {
		inspect_peers_begin(&peers, json->snapshot, it);
		while (inspect_peers_next(&peers, &client)) {
			if (client == NULL)
				continue;
			fputs(comma, stdout);
			print_end(json, client, false);
			comma = ",";
		}
		print_waiting(json, it, comma);
	}
	putchar(']');
}

static void print_file(const struct inspect_file *file)
{
	const struct stat *status;
	char mode[8], senders[1024];

	print_key("file");
	if (file == NULL) {
		fputs("null", stdout);
		return;
	}
	status = &file->status;
	printf("{\"kind\":\"%s\"", inspect_file_get_kind(file));
	printf(",\"device\":\"%u:%u\"", major(status->st_dev),
		minor(status->st_dev));
	print_number("inode", status->st_ino);
	print_number("uid", status->st_uid);
	print_text_or_null("user", inspect_text_user(status->st_uid));
	print_number("gid", status->st_gid);
	print_text_or_null("group", inspect_text_group(status->st_gid));
	snprintf(mode, sizeof(mode), "%04o",
		(unsigned int)status->st_mode & 07777);
	print_text_or_null("mode", mode);
	print_number("links", status->st_nlink);
	print_bool("is_symbolic_link", file->is_link);
	inspect_file_describe_senders(file, senders, sizeof(senders));
	print_text_or_null("may_send",
		inspect_file_is_socket(file) ? senders : NULL);
	putchar('}');
}

static void print_backlog(const struct inspect_socket *it)
{
	print_key("backlog");
	if (it == NULL || it->told.state != UNIXDIAG_LISTENING ||
		(it->told.has & UNIXDIAG_HAS_QUEUE) == 0) {
		fputs("null", stdout);
		return;
	}
	printf("{\"waiting\":%" PRIu32 ",\"limit\":%" PRIu64
	       ",\"charged_bytes\":%" PRIu64 "}",
		it->told.receive_queue, inspect_socket_get_waiting_most(it),
		it->waiting_bytes);
}

/* For a listener: the sum of all connections that it has accepted. */
static void print_unread(const struct inspect_socket *it)
{
	bool is_known = it != NULL && (it->told.has & UNIXDIAG_HAS_QUEUE) != 0;
	bool is_gram = is_known && it->told.type == SOCK_DGRAM;
	uint64_t bytes = is_known ? it->told.receive_queue : 0;

	if (is_known && it->told.state == UNIXDIAG_LISTENING)
		bytes = it->unread_bytes;
	print_number_or_null("unread_bytes", is_known && !is_gram, bytes);
	print_number_or_null("first_message_bytes", is_gram, bytes);
}

static void print_nears(const struct inspect_nears *nears)
{
	size_t i, count = nears == NULL ? 0 : nears->count;

	print_key("near");
	putchar('[');
	for (i = 0; i < count; i++) {
		const struct inspect_socket *it = nears->near[i].socket;

		fputs(i == 0 ? "{\"address\":" : ",{\"address\":", stdout);
		print_string(inspect_text_address(&it->told.addr));
		print_text_or_null("network",
			inspect_text_network(it->told.type));
		print_text_or_null("why", nears->near[i].why);
		putchar('}');
	}
	putchar(']');
}

static void print_path(const struct inspect_finding *finding)
{
	print_text_or_null("path",
		finding->path == INSPECT_PATH_IN_PLACE
			? "in-place"
			: inspect_finding_get_mark(finding));
}

static void print_socket(const struct inspect_json *json,
	const struct inspect_socket *it)
{
	print_text_or_null("network",
		it == NULL ? NULL : inspect_text_network(it->told.type));
	print_text_or_null("bound_as", it == NULL ? NULL : get_address(it));
	print_number_or_null("inode", it != NULL,
		it == NULL ? 0 : it->told.ino);
	print_number_or_null("connections", it != NULL,
		it == NULL ? 0 : it->connections);
	print_backlog(it);
	print_unread(it);
	print_lanes(it == NULL ? NULL : &it->lanes);
	print_processes(json, it);
	print_peers(json, it);
}

static void print_alive(const struct inspect_finding *finding)
{
	if (finding->state == INSPECT_UNKNOWN)
		print_text_or_null("alive", NULL);
	else
		print_bool("alive", inspect_finding_is_alive(finding));
}

void inspect_json_begin(struct inspect_json *json,
	const struct inspect_snapshot *snapshot)
{
	json->snapshot = snapshot;
	json->has_begun = false;
	fputs("{\"sockets\":[", stdout);
}

void inspect_json_show(void *context, const struct inspect_finding *finding)
{
	struct inspect_json *json = context;

	fputs(json->has_begun ? ",\n{\"address\":" : "\n{\"address\":", stdout);
	json->has_begun = true;
	print_string(finding->address);
	print_text_or_null("state", inspect_finding_get_word(finding));
	print_text_or_null("meaning", inspect_finding_get_phrase(finding));
	print_alive(finding);
	print_socket(json, finding->socket);
	print_path(finding);
	print_file(finding->file);
	print_nears(finding->nears);
	putchar('}');
}

void inspect_json_end(struct inspect_json *json)
{
	fputs(json->has_begun ? "\n]}\n" : "]}\n", stdout);
}
