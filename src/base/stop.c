/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <signal.h>
#include <sys/signalfd.h>

#include "base/fd.h"
#include "unixmsg/stop.h"

int unixstop_open(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	fd = fd_lift(signalfd(-1, &signals, SFD_CLOEXEC));
	/* This call fails only for a wrong argument. */
	if (fd >= 0)
		pthread_sigmask(SIG_BLOCK, &signals, NULL);
	return fd;
}
