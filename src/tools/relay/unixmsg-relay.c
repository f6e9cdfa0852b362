/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>

#include "tools/common/explain.h"
#include "tools/common/inherit.h"
#include "tools/common/tool.h"
#include "tools/relay/relay_options.h"
#include "tools/relay/relay_run.h"

static int run(int argc, char **argv)
{
	struct relay_options options;
	int status = relay_options_read(&options, argc, argv);

	if (status >= 0)
		return status;
	if (tool_catch_signals() < 0) {
		tool_complain("signals: %s", explain_error(errno));
		return TOOL_FAILED;
	}
	return relay_run(&options);
}

int main(int argc, char **argv)
{
	int status;

	inherit_begin();
	tool_init("unixmsg-relay");
	explain_choose_network();
	status = run(argc, argv);
	inherit_end();
	return status;
}
