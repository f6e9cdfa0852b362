/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <string.h>

#include "tools/common/network.h"
#include "tools/echo/echo.h"

/* The tool is also installed under Go's name of the network, and uses the name
 * by which it was called. */
static const char *choose_name(const char *path)
{
	static const char other[] = "unixpacket-echo";
	const char *slash = path == NULL ? NULL : strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;

	return name != NULL && strcmp(name, other) == 0 ? other
							: "seqpacket-echo";
}

int main(int argc, char **argv)
{
	return echo_main(choose_name(argv[0]), &network_unixpacket, argc, argv);
}
