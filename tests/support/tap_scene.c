/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/tap_scene.h"
#include "tools/common/tool.h"
#include "tools/tap/tap_name.h"
#include "tools/tap/tap_options.h"
#include "tools/tap/tap_replay.h"
#include "tools/tap/tap_run.h"

enum { ARGUMENTS_MOST = 8, FDS_MOST = 1024 };

void tap_scene_prepare(int output, int errors)
{
	int fd;

	dup2(output, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	for (fd = STDERR_FILENO + 1; fd < FDS_MOST; fd++)
		close(fd);
}

static int run(int argc, char **argv)
{
	struct tap_options options;
	int status = tap_options_read(&options, argc, argv);

	if (status >= 0)
		return status;
	if (tool_catch_signals() < 0)
		return 99;
	if (options.is_restoring)
		return tap_name_restore(options.address);
	if (options.replay != NULL)
		return tap_replay(&options);
	return tap_run(&options);
}

void tap_scene_run(const char *const *arguments)
{
	char *argv[ARGUMENTS_MOST + 1];
	int argc = 0;

	for (; argc < ARGUMENTS_MOST && arguments[argc] != NULL; argc++)
		argv[argc] = strdup(arguments[argc]);
	argv[argc] = NULL;
	tool_init("unixmsg-tap");
	_exit(run(argc, argv));
}
