/* SPDX-License-Identifier: MIT */
/* lane_recv.c as it is, on a machine that orders memory weakly. */
#include <config.h>

#define UNIXMSG_TESTS_WEAK
#include "weak_calls.h"

#include "lane/lane_recv.c"
