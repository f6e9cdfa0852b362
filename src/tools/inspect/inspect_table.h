/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_TABLE_H
#define UNIXMSG_TOOLS_INSPECT_TABLE_H

/* Prints findings as a table for people, one line each. */

#include "tools/inspect/inspect_finding.h"

#define INSPECT_TABLE_COLUMNS 8

struct inspect_table {
	const struct inspect_snapshot *snapshot;
	/* The cells of all rows, one after the other. */
	char **cells;
	size_t cells_count;
	size_t cells_room;
	size_t widths[INSPECT_TABLE_COLUMNS];
	bool is_short; /* no memory: rows are missing */
};

void inspect_table_begin(struct inspect_table *table,
	const struct inspect_snapshot *snapshot);

/* An inspect_show; its context is a struct inspect_table. */
void inspect_table_show(void *context, const struct inspect_finding *finding);

/* Prints all rows and frees them. Returns -1 without memory. */
int inspect_table_end(struct inspect_table *table);

#endif
