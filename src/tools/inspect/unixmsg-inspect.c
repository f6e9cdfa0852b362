/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/explain.h"
#include "tools/common/tool.h"
#include "tools/inspect/inspect_clean.h"
#include "tools/inspect/inspect_dot.h"
#include "tools/inspect/inspect_json.h"
#include "tools/inspect/inspect_lanes.h"
#include "tools/inspect/inspect_options.h"
#include "tools/inspect/inspect_report.h"
#include "tools/inspect/inspect_search.h"
#include "tools/inspect/inspect_table.h"
#include "tools/inspect/inspect_text.h"

/* One run of the tool, with the state of the chosen output. */
struct inspection {
	const struct inspect_options *options;
	struct inspect_snapshot snapshot;
	struct inspect_search search;
	inspect_show *show;
	void *context;
	struct inspect_table table;
	struct inspect_report report;
	struct inspect_json json;
	struct inspect_dot dot;
	struct inspect_clean clean;
	bool has_failed;
	size_t ownerless; /* sockets with processes that we cannot see */
	size_t shown;
};

/* True for text without a fault under --quiet; data is always printed. */
static bool is_silent(const struct inspection *inspection,
	const struct inspect_finding *finding)
{
	return tool_get_level() == TOOL_QUIET &&
		inspection->options->format == INSPECT_TEXT &&
		!inspection->options->is_cleaning &&
		inspect_finding_is_alive(finding);
}

/* Receives every finding, for each kind of output. */
static void take_finding(void *context, const struct inspect_finding *finding)
{
	struct inspection *inspection = context;
	const struct inspect_socket *it = finding->socket;

	inspection->shown++;
	if (it != NULL &&
		inspect_snapshot_next_holder(&inspection->snapshot,
			it->told.ino, NULL) == NULL)
		inspection->ownerless++;
	if (!inspect_finding_is_alive(finding) &&
		!inspection->options->is_cleaning)
		inspection->has_failed = true;
	if (!is_silent(inspection, finding))
		inspection->show(inspection->context, finding);
}

/* Prints one address a line, for programs. */
static void show_name(void *context, const struct inspect_finding *finding)
{
	(void)context;
	if (inspect_finding_is_alive(finding))
		printf("%s %s\n",
			finding->socket == NULL
				? "-"
				: inspect_text_network(
					  finding->socket->told.type),
			finding->address);
}

static void choose_show(struct inspection *inspection, inspect_show *show,
	void *context)
{
	inspection->show = show;
	inspection->context = context;
}

static void choose_report(struct inspection *inspection)
{
	choose_show(inspection, inspect_report_show, &inspection->report);
}

static void begin(struct inspection *inspection)
{
	const struct inspect_options *options = inspection->options;
	const struct inspect_snapshot *snapshot = &inspection->snapshot;

	if (options->is_cleaning) {
		inspection->clean.is_dry_run = options->is_dry_run;
		inspection->clean.is_quiet = tool_get_level() == TOOL_QUIET;
		choose_show(inspection, inspect_clean_show, &inspection->clean);
	} else if (options->format == INSPECT_JSON) {
		inspect_json_begin(&inspection->json, snapshot);
		choose_show(inspection, inspect_json_show, &inspection->json);
	} else if (options->format == INSPECT_DOT) {
		inspect_dot_begin(&inspection->dot, snapshot,
			options->names_count == 0);
		choose_show(inspection, inspect_dot_show, &inspection->dot);
	} else if (options->format == INSPECT_NAMES) {
		choose_show(inspection, show_name, NULL);
	} else {
		inspection->report.snapshot = snapshot;
		inspection->report.is_verbose =
			tool_get_level() == TOOL_VERBOSE;
		choose_report(inspection);
	}
}

static void complain_of_memory(struct inspection *inspection)
{
	inspection->has_failed = true;
	tool_complain("%s", strerror(ENOMEM));
}

static void end(struct inspection *inspection)
{
	const struct inspect_options *options = inspection->options;

	if (options->format == INSPECT_JSON)
		inspect_json_end(&inspection->json);
	if (options->format == INSPECT_DOT &&
		inspect_dot_end(&inspection->dot) < 0)
		complain_of_memory(inspection);
	if (inspection->clean.has_failed)
		inspection->has_failed = true;
}

/* Begins a table for many findings of one kind, if it is the output. */
static bool begin_table(struct inspection *inspection)
{
	if (inspection->show != inspect_report_show)
		return false;
	inspect_table_begin(&inspection->table, &inspection->snapshot);
	choose_show(inspection, inspect_table_show, &inspection->table);
	return true;
}

static void end_table(struct inspection *inspection)
{
	if (inspect_table_end(&inspection->table) < 0)
		complain_of_memory(inspection);
	choose_report(inspection);
}

static void complain_of_name(struct inspection *inspection, const char *name)
{
	const char *why = strerror(errno);

	if (errno == EINVAL)
		why = *name == '\0' || strcmp(name, "@") == 0
			? "names nobody"
			: "malformed: a backslash begins \\\\, \\xHH or "
			  "\\{N}, and a path has no \\x00";
	inspection->has_failed = true;
	tool_complain("%s: %s", explain_text(name), why);
}

static void print_directory_head(struct inspection *inspection,
	const char *name)
{
	if (inspection->options->names_count == 1 ||
		tool_get_level() == TOOL_QUIET)
		return;
	printf("%s%s:\n", inspection->report.has_begun ? "\n" : "",
		explain_text(name));
	inspection->report.has_begun = true;
}

static void inspect_directory(struct inspection *inspection, const char *name)
{
	bool is_table = begin_table(inspection);
	size_t before = inspection->shown;
	int result, error;

	inspection->clean.is_locked_out = false;
	result = inspect_search_directory(&inspection->search, name);
	error = errno;
	if (is_table && result == 0)
		print_directory_head(inspection, name);
	if (is_table)
		end_table(inspection);
	errno = error;
	if (result < 0)
		complain_of_name(inspection, name);
	else if (inspection->shown == before)
		tool_say(TOOL_NORMAL, "%s: no socket file in this directory",
			explain_text(name));
}

static void inspect_name(struct inspection *inspection, const char *name)
{
	if (inspect_search_address(&inspection->search, name) == 0)
		return;
	if (errno == EISDIR)
		inspect_directory(inspection, name);
	else
		complain_of_name(inspection, name);
}

static void inspect_all(struct inspection *inspection)
{
	bool is_table = begin_table(inspection);

	if (inspect_search_all(&inspection->search) < 0)
		complain_of_memory(inspection);
	if (is_table)
		end_table(inspection);
}

static void inspect(struct inspection *inspection)
{
	const struct inspect_options *options = inspection->options;
	int i;

	for (i = 0; i < options->names_count; i++)
		inspect_name(inspection, options->names[i]);
	if (options->names_count == 0)
		inspect_all(inspection);
}

static void tell_ownerless(const struct inspection *inspection)
{
	const size_t count = inspection->ownerless;
	const unsigned int denied = inspection->snapshot.denied;

	if (denied > 0)
		tool_say(TOOL_NORMAL,
			"%zu socket%s shown without a process: %u processes "
			"may not be looked into; root sees more",
			count, count == 1 ? "" : "s", denied);
	else
		tool_say(TOOL_NORMAL,
			"%zu socket%s shown without a process: others may be "
			"in other PID namespaces",
			count, count == 1 ? "" : "s");
}

static void tell_limits(struct inspection *inspection)
{
	int error = inspection->snapshot.error;

	if (error != 0) {
		inspection->has_failed = true;
		tool_complain("the kernel does not list its sockets: %s",
			error == ENOENT || error == EPROTONOSUPPORT
				? "it has no unix_diag, CONFIG_UNIX_DIAG"
				: strerror(error));
	} else if (inspection->ownerless > 0 &&
		inspection->options->format != INSPECT_NAMES) {
		tell_ownerless(inspection);
	}
}

static int finish(struct inspection *inspection)
{
	inspect_snapshot_free(&inspection->snapshot);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		tool_complain("standard output: %s", strerror(errno));
		return TOOL_FAILED;
	}
	return inspection->has_failed ? TOOL_FAILED : TOOL_OK;
}

static int take_snapshot(struct inspection *inspection)
{
	if (inspection->options->format == INSPECT_NAMES)
		return inspect_snapshot_take_names(&inspection->snapshot);
	if (inspect_snapshot_take(&inspection->snapshot) < 0)
		return -1;
	inspect_lanes_find(&inspection->snapshot);
	return 0;
}

int main(int argc, char **argv)
{
	static struct inspection inspection;
	struct inspect_options options;
	int status;

	tool_init("unixmsg-inspect");
	status = inspect_options_read(&options, argc, argv);
	if (status >= 0)
		return status;
	inspection.options = &options;
	if (take_snapshot(&inspection) < 0) {
		tool_complain("looking at the sockets: %s", strerror(errno));
		return TOOL_FAILED;
	}
	inspection.search.snapshot = &inspection.snapshot;
	inspection.search.show = take_finding;
	inspection.search.context = &inspection;
	begin(&inspection);
	inspect(&inspection);
	end(&inspection);
	tell_limits(&inspection);
	return finish(&inspection);
}
