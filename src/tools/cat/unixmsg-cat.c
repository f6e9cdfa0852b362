/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>

#include "tools/cat/cat_options.h"
#include "tools/cat/cat_serve.h"
#include "tools/cat/cat_talk.h"
#include "tools/common/explain.h"
#include "tools/common/inherit.h"
#include "tools/common/tool.h"

static int run(int argc, char **argv)
{
	struct cat_options options;
	int status;

	status = cat_options_read(&options, argc, argv);
	if (status >= 0)
		return status;
	if (tool_catch_signals() < 0) {
		tool_complain("signals: %s", explain_error(errno));
		return TOOL_FAILED;
	}
	return options.base.is_server ? cat_serve(&options)
				      : cat_talk(&options);
}

int main(int argc, char **argv)
{
	int status;

	tool_init("unixmsg-cat");
	explain_choose_network();
	inherit_begin();
	status = run(argc, argv);
	inherit_end();
	return status;
}
