/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr_private.h"
#include "probe.h"

/*
 * Connects with a datagram socket. A live owner of another type never hears
 * of it: the kernel refuses with EPROTOTYPE first; a live datagram owner sees
 * nothing of a connect. ECONNREFUSED is the only answer that says dead: all
 * others, EACCES above all, leave the file to whoever may be there.
 */
int unixprobe_is_dead(int path_fd)
{
	struct unixaddr addr;
	socklen_t length;
	const struct sockaddr *sa;
	char path[64];
	int fd, result, size;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* The way by which the kernel finds what an O_PATH descriptor names. */
	size = snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	unixaddr_set_path(&addr, path, (size_t)size);
	sa = unixaddr_get_sockaddr(&addr, &length);
	do
		result = connect(fd, sa, length);
	while (result < 0 && errno == EINTR);
	if (result < 0 && errno == ECONNREFUSED) {
		close(fd);
		return 0;
	}
	close(fd);
	errno = EADDRINUSE;
	return -1;
}
