/* SPDX-License-Identifier: 0BSD */
/* Round trips over libqb's ipc: qb SIZE COUNT prints their median in ns. */
#include <poll.h>
#include <qb/qbipcc.h>
#include <qb/qbipcs.h>
#include <qb/qbloop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char name[32];
static qb_loop_t *loop;

static int32_t job_add(enum qb_loop_priority priority, void *data,
	qb_loop_job_dispatch_fn dispatch)
{
	return qb_loop_job_add(loop, priority, data, dispatch);
}

static int32_t dispatch_add(enum qb_loop_priority priority, int32_t fd,
	int32_t events, void *data, qb_ipcs_dispatch_fn_t dispatch)
{
	return qb_loop_poll_add(loop, priority, fd, events, data, dispatch);
}

static int32_t dispatch_mod(enum qb_loop_priority priority, int32_t fd,
	int32_t events, void *data, qb_ipcs_dispatch_fn_t dispatch)
{
	return qb_loop_poll_mod(loop, priority, fd, events, data, dispatch);
}

static int32_t dispatch_del(int32_t fd)
{
	return qb_loop_poll_del(loop, fd);
}

static int32_t accept_all(qb_ipcs_connection_t *connection, uid_t user,
	gid_t group)
{
	(void)connection;
	(void)user;
	(void)group;
	return 0;
}

static int32_t answer(qb_ipcs_connection_t *connection, void *data, size_t size)
{
	qb_ipcs_response_send(connection, data, size);
	return 0;
}

static int32_t closed(qb_ipcs_connection_t *connection)
{
	(void)connection;
	return 0;
}

static void serve(int ready)
{
	struct qb_ipcs_service_handlers handlers = {
		.connection_accept = accept_all,
		.msg_process = answer,
		.connection_closed = closed,
	};
	struct qb_ipcs_poll_handlers polling = {
		.job_add = job_add,
		.dispatch_add = dispatch_add,
		.dispatch_mod = dispatch_mod,
		.dispatch_del = dispatch_del,
	};
	qb_ipcs_service_t *service =
		qb_ipcs_create(name, 0, QB_IPC_NATIVE, &handlers);

	loop = qb_loop_create();
	qb_ipcs_poll_handlers_set(service, &polling);
	if (qb_ipcs_run(service) != 0 || write(ready, "", 1) != 1)
		exit(1);
	qb_loop_run(loop);
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

static double measure(qb_ipcc_connection_t *connection, char *data, size_t size,
	size_t count)
{
	double before, *times = malloc(count * sizeof(*times));
	struct qb_ipc_request_header *header = (void *)data;
	struct iovec part = { .iov_base = data, .iov_len = size };
	size_t i;

	header->id = QB_IPC_MSG_USER_START + 1;
	header->size = (int32_t)size;
	for (i = 0; i < count; i++) {
		before = now_ns();
		if (qb_ipcc_sendv_recv(connection, &part, 1, data, size, -1) <
			0)
			exit(1);
		times[i] = now_ns() - before;
	}
	qsort(times, count, sizeof(*times), compare);
	return times[count / 2];
}

static qb_ipcc_connection_t *dial(size_t size)
{
	qb_ipcc_connection_t *connection = qb_ipcc_connect(name, size + 65536);

	if (connection != NULL)
		return connection;
	perror("qb");
	exit(1);
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	char *data, byte;
	qb_ipcc_connection_t *connection;
	int ready[2];
	pid_t pid;

	/* A message has a header. */
	if (size < sizeof(struct qb_ipc_response_header))
		size = sizeof(struct qb_ipc_response_header);
	data = calloc(1, size);
	snprintf(name, sizeof(name), "unixmsg-bench-%ld", (long)getpid());
	if (pipe(ready) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return 1;
	connection = dial(size);
	measure(connection, data, size, count / 10 + 1);
	printf("%.0f\n", measure(connection, data, size, count));
	fflush(stdout);
	/* Also removes the shared memory of the connection. */
	qb_ipcc_disconnect(connection);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return 0;
}
