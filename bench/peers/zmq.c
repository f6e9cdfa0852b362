/* SPDX-License-Identifier: 0BSD */
/*
 * ZeroMQ's ipc: zmq SIZE COUNT prints the median of round trips in ns, zmq SIZE
 * COUNT one-way the time of a message in ns.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

static char address[64];

static void *open_pair(void *context, int is_server)
{
	void *socket = zmq_socket(context, ZMQ_PAIR);

	if ((is_server ? zmq_bind(socket, address)
		       : zmq_connect(socket, address)) == 0)
		return socket;
	perror("zmq");
	exit(1);
}

static void serve(char *data, size_t size)
{
	void *socket = open_pair(zmq_ctx_new(), 1);

	while (zmq_recv(socket, data, size, 0) >= 0)
		zmq_send(socket, data, size, 0);
	exit(0);
}

/* Answers when all messages have arrived. */
static void collect(char *data, size_t size, size_t count)
{
	void *socket = open_pair(zmq_ctx_new(), 1);
	size_t i;

	for (;;) {
		for (i = 0; i < count; i++)
			if (zmq_recv(socket, data, size, 0) < 0)
				exit(1);
		zmq_send(socket, data, 1, 0);
	}
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

static double measure(void *socket, char *data, size_t size, size_t count)
{
	double before, *times = malloc(count * sizeof(*times));
	size_t i;

	for (i = 0; i < count; i++) {
		before = now_ns();
		if (zmq_send(socket, data, size, 0) < 0 ||
			zmq_recv(socket, data, size, 0) < 0)
			exit(1);
		times[i] = now_ns() - before;
	}
	qsort(times, count, sizeof(*times), compare);
	return times[count / 2];
}

static double measure_one_way(void *socket, char *data, size_t size,
	size_t count)
{
	const double before = now_ns();
	size_t i;

	for (i = 0; i < count; i++)
		if (zmq_send(socket, data, size, 0) < 0)
			exit(1);
	if (zmq_recv(socket, data, size, 0) < 0)
		exit(1);
	return (now_ns() - before) / (double)count;
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	double (*run)(void *, char *, size_t, size_t) =
		argc > 3 ? measure_one_way : measure;
	char *data = calloc(1, size);
	void *socket;
	pid_t pid;

	snprintf(address, sizeof(address), "ipc://@unixmsg-bench-zmq-%ld",
		(long)getpid());
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (argc > 3)
			collect(data, size, count);
		serve(data, size);
	}
	socket = open_pair(zmq_ctx_new(), 0);
	run(socket, data, size, count);
	printf("%.0f\n", run(socket, data, size, count));
	fflush(stdout);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	_exit(0);
}
