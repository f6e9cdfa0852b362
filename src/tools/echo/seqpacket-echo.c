/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tools/common/network.h"
#include "tools/echo/echo.h"

int main(int argc, char **argv)
{
	return echo_main("seqpacket-echo", &network_unixpacket, argc, argv);
}
