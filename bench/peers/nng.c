/* SPDX-License-Identifier: 0BSD */
/* Round trips over NNG's ipc: nng SIZE COUNT prints their median in ns. */
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char address[64];

static nng_socket open_pair(int is_server)
{
	nng_socket socket;
	int tries;

	if (nng_pair0_open(&socket) != 0)
		exit(1);
	if (is_server && nng_listen(socket, address, NULL, 0) == 0)
		return socket;
	/* The dial does not wait for a server to start. */
	for (tries = 0; !is_server && tries < 1000; tries++) {
		if (nng_dial(socket, address, NULL, 0) == 0)
			return socket;
		usleep(1000);
	}
	fputs("nng: cannot listen, or dial\n", stderr);
	exit(1);
}

static void serve(char *data, size_t room)
{
	nng_socket socket = open_pair(1);
	size_t size = room;

	while (nng_recv(socket, data, &size, 0) == 0) {
		nng_send(socket, data, size, 0);
		size = room;
	}
	exit(0);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double measure(nng_socket socket, char *data, size_t size, size_t count)
{
	double before, *times = malloc(count * sizeof(*times));
	size_t i;

	for (i = 0; i < count; i++) {
		before = now_ns();
		if (nng_send(socket, data, size, 0) != 0 ||
			nng_recv(socket, data, &size, 0) != 0)
			exit(1);
		times[i] = now_ns() - before;
	}
	qsort(times, count, sizeof(*times), compare);
	return times[count / 2];
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	char *data = calloc(1, size);
	nng_socket socket;
	pid_t pid;

	snprintf(address, sizeof(address), "abstract://unixmsg-bench-nng-%ld",
		(long)getpid());
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(data, size);
	}
	socket = open_pair(0);
	measure(socket, data, size, count / 10 + 1);
	printf("%.0f\n", measure(socket, data, size, count));
	fflush(stdout);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	_exit(0);
}
