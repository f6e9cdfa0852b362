/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/inspect/inspect_table.h"
#include "tools/inspect/inspect_text.h"

enum column {
	NETWORK,
	STATE,
	WAITING,
	UNREAD,
	PEERS,
	USER,
	PROCESS,
	ADDRESS,
};

static const char *const titles[INSPECT_TABLE_COLUMNS] = {
	"NETWORK",
	"STATE",
	"WAITING",
	"UNREAD",
	"PEERS",
	"USER",
	"PROCESS",
	"ADDRESS",
};

static bool is_number(enum column column)
{
	return column == WAITING || column == UNREAD || column == PEERS;
}

static void add_cell(struct inspect_table *table, const char *text)
{
	size_t column = table->cells_count % INSPECT_TABLE_COLUMNS;
	size_t width = strlen(text);
	char *copy = strdup(text);

	if (copy == NULL ||
		inspect_grow(&table->cells, &table->cells_room,
			table->cells_count, sizeof(*table->cells)) < 0) {
		free(copy);
		table->is_short = true;
		return;
	}
	table->cells[table->cells_count++] = copy;
	if (table->widths[column] < width)
		table->widths[column] = width;
}

void inspect_table_begin(struct inspect_table *table,
	const struct inspect_snapshot *snapshot)
{
	size_t i;

	memset(table, 0, sizeof(*table));
	table->snapshot = snapshot;
	for (i = 0; i < INSPECT_TABLE_COLUMNS; i++)
		add_cell(table, titles[i]);
}

static void add_waiting(struct inspect_table *table,
	const struct inspect_socket *it)
{
	char text[32];

	if (it->told.state != UNIXDIAG_LISTENING ||
		(it->told.has & UNIXDIAG_HAS_QUEUE) == 0) {
		add_cell(table, "-");
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu32 "/%" PRIu64,
		it->told.receive_queue, inspect_socket_get_waiting_most(it));
	add_cell(table, text);
}

static void add_unread(struct inspect_table *table,
	const struct inspect_socket *it)
{
	char text[32];
	uint64_t bytes = it->told.receive_queue;

	if (it->told.state == UNIXDIAG_LISTENING)
		bytes = it->unread_bytes;
	/*
	 * The kernel reports the size of the first datagram only, and for
	 * waiting connections the bytes that it charges their clients.
	 */
	snprintf(text, sizeof(text), "%" PRIu64 "%s", bytes,
		(it->told.type == SOCK_DGRAM && bytes > 0) ||
				it->waiting_bytes > 0
			? "+"
			: "");
	add_cell(table, text);
}

static void add_peers(struct inspect_table *table,
	const struct inspect_socket *it)
{
	char text[32];
	bool is_single = it->told.type != SOCK_DGRAM &&
		it->told.state == UNIXDIAG_CONNECTED;

	snprintf(text, sizeof(text), "%zu",
		is_single ? (size_t)1 : it->connections);
	add_cell(table, text);
}

/* Adds the first process, its user, and the number of others. */
static void add_owner(struct inspect_table *table,
	const struct inspect_socket *it)
{
	const struct inspect_process *first, *next;
	char text[128], more[32] = "";
	size_t others = 0;

	first = inspect_snapshot_next_holder(table->snapshot, it->told.ino,
		NULL);
	if (first == NULL) {
		add_cell(table,
			it->told.has & UNIXDIAG_HAS_USER
				? inspect_text_user(it->told.user)
				: "?");
		add_cell(table, "?");
		return;
	}
	for (next = first; next != NULL; others++)
		next = inspect_snapshot_next_holder(table->snapshot,
			it->told.ino, next);
	if (others > 1)
		snprintf(more, sizeof(more), " +%zu", others - 1);
	snprintf(text, sizeof(text), "%d %s%s", (int)first->pid,
		first->told.command, more);
	add_cell(table, inspect_text_user(first->told.user));
	add_cell(table, text);
}

static void add_socket(struct inspect_table *table,
	const struct inspect_socket *it)
{
	add_waiting(table, it);
	add_unread(table, it);
	add_peers(table, it);
	add_owner(table, it);
}

static void add_state(struct inspect_table *table,
	const struct inspect_finding *finding)
{
	const char *mark = inspect_finding_get_mark(finding);
	char text[64];

	snprintf(text, sizeof(text), "%s%s%s",
		inspect_finding_get_word(finding), mark == NULL ? "" : ",",
		mark == NULL ? "" : mark);
	add_cell(table, text);
}

/* Adds the owner of a file without a socket. */
static void add_file(struct inspect_table *table,
	const struct inspect_file *file)
{
	add_cell(table, "-");
	add_cell(table, "-");
	add_cell(table, "-");
	add_cell(table,
		file == NULL ? "-" : inspect_text_user(file->status.st_uid));
	add_cell(table, "-");
}

void inspect_table_show(void *context, const struct inspect_finding *finding)
{
	struct inspect_table *table = context;

	add_cell(table,
		finding->socket == NULL
			? "-"
			: inspect_text_network(finding->socket->told.type));
	add_state(table, finding);
	if (finding->socket != NULL)
		add_socket(table, finding->socket);
	else
		add_file(table, finding->file);
	add_cell(table, finding->address);
}

static void print_cell(const struct inspect_table *table, size_t index)
{
	enum column column = (enum column)(index % INSPECT_TABLE_COLUMNS);
	int width = (int)table->widths[column];

	if (column == ADDRESS)
		printf("%s\n", table->cells[index]);
	else if (is_number(column))
		printf("%*s  ", width, table->cells[index]);
	else
		printf("%-*s  ", width, table->cells[index]);
}

int inspect_table_end(struct inspect_table *table)
{
	bool has_rows = table->cells_count > INSPECT_TABLE_COLUMNS;
	size_t i;

	for (i = 0; i < table->cells_count; i++)
		if (has_rows && !table->is_short)
			print_cell(table, i);
	for (i = 0; i < table->cells_count; i++)
		free(table->cells[i]);
	free(table->cells);
	return table->is_short ? -1 : 0;
}
