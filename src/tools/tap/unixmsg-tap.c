/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>

#include "tools/common/explain.h"
#include "tools/common/tool.h"
#include "tools/tap/tap_name.h"
#include "tools/tap/tap_options.h"
#include "tools/tap/tap_replay.h"
#include "tools/tap/tap_run.h"

static int run(int argc, char **argv)
{
	struct tap_options options;
	int status = tap_options_read(&options, argc, argv);

	if (status >= 0)
		return status;
	if (tool_catch_signals() < 0) {
		tool_complain("signals: %s", explain_error(errno));
		return TOOL_FAILED;
	}
	if (options.is_restoring)
		return tap_name_restore(options.address);
	if (options.replay != NULL)
		return tap_replay(&options);
	return tap_run(&options);
}

int main(int argc, char **argv)
{
	tool_init("unixmsg-tap");
	explain_choose_network();
	return run(argc, argv);
}
