/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/output.h"
#include "tools/common/tool.h"

static int complain(const char *what)
{
	tool_complain("%s: %s", what, explain_error(errno));
	return -1;
}

static const char *get_name(const struct output *output)
{
	return explain_text(output->tee);
}

static int open_tee(struct output *output, const struct options *options,
	int stop_fd)
{
	if (options->tee == NULL)
		return 0;
	output->tee_fd = open(options->tee,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	if (output->tee_fd < 0)
		return complain(get_name(output));
	output->copier =
		record_writer_new(output->tee_fd, options->format, stop_fd);
	return output->copier == NULL ? complain(get_name(output)) : 0;
}

int output_open(struct output *output, const struct options *options,
	int stop_fd)
{
	memset(output, 0, sizeof(*output));
	output->tee = options->tee;
	output->tee_fd = -1;
	output->printer =
		record_writer_new(STDOUT_FILENO, options->format, stop_fd);
	if (output->printer == NULL)
		return complain("standard output");
	return open_tee(output, options, stop_fd);
}

void output_close(struct output *output)
{
	record_writer_free(output->printer);
	record_writer_free(output->copier);
	if (output->tee_fd > 0)
		close(output->tee_fd);
	output->printer = NULL;
	output->copier = NULL;
	output->tee_fd = -1;
}

static int lose(struct output *output, const char *what)
{
	if (!output->is_lost)
		complain(what);
	output->is_lost = true;
	return -1;
}

int output_print(struct output *output, const struct record *record)
{
	int result = 0;

	if (output->printer != NULL &&
		record_write(output->printer, record) < 0)
		result = lose(output, "standard output");
	if (output->copier != NULL && record_write(output->copier, record) < 0)
		result = lose(output, get_name(output));
	return result;
}

int output_flush(struct output *output)
{
	int result = 0;

	if (output->printer != NULL && record_flush(output->printer) < 0)
		result = lose(output, "standard output");
	if (output->copier != NULL && record_flush(output->copier) < 0)
		result = lose(output, get_name(output));
	return result;
}
