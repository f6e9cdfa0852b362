/* SPDX-License-Identifier: MIT */
/* ring.c as it is, on a machine that orders memory weakly. */
#define UNIXMSG_TESTS_WEAK
#include "weak_calls.h"

#include "lane/ring.c"
