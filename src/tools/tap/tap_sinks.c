/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/record.h"
#include "tools/common/tool.h"
#include "tools/tap/pcapng.h"
#include "tools/tap/recorder.h"
#include "tools/tap/show.h"
#include "tools/tap/tap_options.h"
#include "tools/tap/tap_sinks.h"

/* The most bytes by which a slow disk or terminal may be behind. */
enum { QUEUE_SIZE = 32 << 20 };

/* --- Lines on standard output, in the process of the printer -------------- */

static struct show show;

static int complain_of_output(void)
{
	return tool_complain("standard output: %s", strerror(errno));
}

static int begin_show(void *context)
{
	(void)context;
	return 0;
}

static int take_show(const struct event *event, const void *data, void *context)
{
	(void)context;
	return show_event(&show, event, data) < 0 ? complain_of_output() : 0;
}

static int flush_show(void *context)
{
	(void)context;
	return record_flush(show.writer) < 0 ? complain_of_output() : 0;
}

static const struct recorder_sink show_sink = {
	.begin = begin_show,
	.take = take_show,
	.flush = flush_show,
	.end = flush_show,
};

static int open_printer(struct tap *tap)
{
	if (!tap->options->is_showing)
		return 0;
	show.format = tap->options->format;
	show.has_colours = isatty(STDOUT_FILENO) && show.format != SHOW_JSON &&
		getenv("NO_COLOR") == NULL;
	show.writer = record_writer_new(STDOUT_FILENO, RECORD_TEXT, -1);
	if (show.writer != NULL)
		tap->printer = recorder_start(&show_sink, QUEUE_SIZE);
	return tap->printer != NULL ? 0 : complain_of_output();
}

/* --- The file, in the process of the writer ------------------------------- */

static struct pcapng_writer file;
static const char *file_name;

static int complain_of_file(void)
{
	return tool_complain("%s: %s", explain_text(file_name),
		errno == EEXIST ? "exists already, and is left alone"
				: strerror(errno));
}

static int check_file(int result)
{
	if (result < 0 || fflush(file.file) != 0)
		return complain_of_file();
	return 0;
}

static int begin_file(void *context)
{
	(void)context;
	return check_file(pcapng_write_begin(&file));
}

static int take_file(const struct event *event, const void *data, void *context)
{
	(void)context;
	return pcapng_write(&file, event, data) < 0 ? complain_of_file() : 0;
}

static int flush_file(void *context)
{
	(void)context;
	return check_file(0);
}

static int end_file(void *context)
{
	(void)context;
	return check_file(pcapng_write_end(&file));
}

static const struct recorder_sink file_sink = {
	.begin = begin_file,
	.take = take_file,
	.flush = flush_file,
	.end = end_file,
};

static FILE *open_file(const char *name)
{
	FILE *opened;
	int fd;

	if (strcmp(name, "-") == 0)
		return stdout;
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	opened = fdopen(fd, "w");
	if (opened == NULL)
		close(fd);
	return opened;
}

static int open_writer(struct tap *tap)
{
	if (tap->options->file == NULL)
		return 0;
	file_name = tap->options->file;
	file.network = tap->network->name;
	file.address = tap->options->address;
	file.dissector = tap->options->dissector;
	file.file = open_file(file_name);
	if (file.file != NULL)
		tap->writer = recorder_start(&file_sink, QUEUE_SIZE);
	return tap->writer != NULL ? 0 : complain_of_file();
}

/* --- In the process of the tap -------------------------------------------- */

int tap_sinks_open(struct tap *tap)
{
	return open_writer(tap) < 0 ? -1 : open_printer(tap);
}

/* The process has complained. The tap still passes messages on. */
static void sink_ready(struct tap_watch *watch, uint32_t events)
{
	struct tap *tap = watch->context;

	(void)events;
	tap_unwatch(tap, watch);
	tap->has_failed = true;
	tool_complain("messages are no longer %s",
		tap->writer != NULL && watch->fd == recorder_get_fd(tap->writer)
			? "recorded"
			: "shown");
}

static int watch_sink(struct tap *tap, struct tap_watch *watch,
	const struct recorder *recorder)
{
	if (recorder == NULL)
		return 0;
	watch->fd = recorder_get_fd(recorder);
	watch->ready = sink_ready;
	watch->context = tap;
	return tap_watch(tap, watch, EPOLLIN);
}

int tap_sinks_watch(struct tap *tap)
{
	static struct tap_watch watches[2];

	if (watch_sink(tap, &watches[0], tap->printer) < 0)
		return -1;
	return watch_sink(tap, &watches[1], tap->writer);
}

void tap_sinks_count(struct tap *tap)
{
	if (tap->printer != NULL)
		tap->not_shown = recorder_get_left_out(tap->printer);
	if (tap->writer != NULL)
		tap->not_recorded = recorder_get_left_out(tap->writer);
}

int tap_sinks_close(struct tap *tap)
{
	const int stop_fd = tool_get_second_stop_fd();
	int result;

	tap_sinks_count(tap);
	result = recorder_finish(tap->writer, stop_fd);
	if (recorder_finish(tap->printer, stop_fd) < 0)
		result = -1;
	tap->writer = tap->printer = NULL;
	record_writer_free(show.writer);
	show.writer = NULL;
	return result;
}
