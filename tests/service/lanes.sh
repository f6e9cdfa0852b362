#!/bin/sh
# SPDX-License-Identifier: MIT
# What services do they do over lanes as well, as far as their clients are in
# the same process: see support/lanes.c.

: "${srcdir:?}"
programs='service service_access service_answers service_books service_drain
	service_events service_fork service_forward service_life service_limits
	service_open service_queue service_silence'
# shellcheck source=tests/network/lanes.sh
. "$srcdir/tests/network/lanes.sh"
