/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "base/fd.h"
#include "unixmsg/stop.h"

int unixstop_open(void)
{
	sigset_t signals;
	int fd, error;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	fd = fd_lift(signalfd(-1, &signals, SFD_CLOEXEC));
	if (fd < 0)
		return -1;
	error = pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (error == 0)
		return fd;
	fd_close(fd);
	errno = error;
	return -1;
}
