/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tools/echo.h"
#include "tools/network.h"

int main(int argc, char **argv)
{
	return echo_main("unixgram-echo", &network_unixgram, argc, argv);
}
