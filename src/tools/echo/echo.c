/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>

#include "tools/common/explain.h"
#include "tools/common/inherit.h"
#include "tools/common/options.h"
#include "tools/common/serve.h"
#include "tools/common/tool.h"
#include "tools/echo/client.h"
#include "tools/echo/echo.h"

static int run(const struct network *network, int argc, char **argv)
{
	struct options options;
	int status;

	status = options_read(&options, network, argc, argv);
	if (status >= 0)
		return status;
	if (tool_catch_signals() < 0) {
		tool_complain("signals: %s", explain_error(errno));
		return TOOL_FAILED;
	}
	return options.is_server ? serve(&options, &serve_echo)
				 : client(&options);
}

int echo_main(const char *name, const struct network *network, int argc,
	char **argv)
{
	int status;

	tool_init(name);
	inherit_begin();
	status = run(network, argc, argv);
	inherit_end();
	return status;
}
