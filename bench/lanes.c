/* SPDX-License-Identifier: 0BSD */
/*
 * Compares the lane of unixpacket with plain send(2) and recv(2) on a packet
 * socket. "lanes CPU CPU ROUNDS [JOB]" prints a table in Markdown with a line
 * for each job, or for the jobs with JOB in the name. A line has the medians of
 * plain calls and of the library, their ratio, and the bar: the least ratio
 * wanted. Jobs take turns, so that all see the same machine.
 *
 * A round of a job lasts some milliseconds. Messages have numbers, and the
 * receiver checks them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <unixmsg.h>

enum { rounds_most = 101, size_most = 65536, settle_count = 100 };

/* The messages, or round trips, between two looks at the clock; and the most of
 * these looks. */
enum { bulk = 64, trips = 16, times_most = 10000 };

static const uint64_t last = UINT64_MAX;
static const int64_t round_ns = 20000000;
static const uint64_t ring_bytes = 1 << 20;

/* Virtual processors may be near each other at one time, and far at another.
 * They are near if a cache line goes to and fro within this time. */
static const double near_ns = 250;

enum way {
	plain,
	plain_spinning,
	packet,
	packet_named,
	lane,
	lane_batch,
	in_place
};

/* One side of a connection. */
struct side {
	enum way way;
	int fd;                /* of plain sides */
	struct unixconn *conn; /* of others */
	size_t size;
};

struct job {
	const char *name;
	bool is_round_trip;
	bool is_one_cpu; /* both sides on the first CPU */
	size_t size;
	enum way base;
	enum way way;
	int64_t spin_us;
	/* The library shall be this many times as fast; near_bar, if not 0, is
	 * for processors that are near. */
	double bar;
	double near_bar;
};

static const struct job jobs[] = {
	{ .name = "one way, 64 B, one CPU",
		.is_one_cpu = true,
		.size = 64,
		.way = lane,
		.bar = 30 },
	{ .name = "one way, 1 KiB, one CPU",
		.is_one_cpu = true,
		.size = 1024,
		.way = lane,
		.bar = 10 },
	{ .name = "one way, 64 KiB, one CPU",
		.is_one_cpu = true,
		.size = 65536,
		.way = lane,
		.bar = 1.4 },
	{ .name = "one way, 64 B, sleeping",
		.size = 64,
		.way = lane,
		.bar = 2.5,
		.near_bar = 6 },
	{ .name = "one way, 64 B, spinning",
		.size = 64,
		.way = lane,
		.spin_us = 50,
		.bar = 5,
		.near_bar = 10 },
	{ .name = "one way, 64 B, spinning, batches of 64",
		.size = 64,
		.way = lane_batch,
		.spin_us = 50,
		.bar = 5,
		.near_bar = 10 },
	{ .name = "one way, 64 B, spinning, in place",
		.size = 64,
		.way = in_place,
		.spin_us = 50,
		.bar = 5,
		.near_bar = 10 },
	{ .name = "one way, 1 KiB, spinning",
		.size = 1024,
		.way = lane,
		.spin_us = 50,
		.bar = 5 },
	{ .name = "one way, 64 KiB, spinning",
		.size = 65536,
		.way = lane,
		.spin_us = 50,
		.bar = 1.2 },
	{ .name = "one way, 64 B, no lane",
		.size = 64,
		.way = packet,
		.bar = 0.95 },
	{ .name = "one way, 1 KiB, no lane",
		.size = 1024,
		.way = packet,
		.bar = 0.95 },
	{ .name = "one way, 64 B, no lane, a client with a name",
		.size = 64,
		.way = packet_named,
		.bar = 0.95 },
	{ .name = "one way, 1 KiB, no lane, a client with a name",
		.size = 1024,
		.way = packet_named,
		.bar = 0.95 },
	{ .name = "round trip, 64 B, both spin",
		.is_round_trip = true,
		.size = 64,
		.base = plain_spinning,
		.way = lane,
		.spin_us = 1000000,
		.bar = 1 / 0.12 },
	{ .name = "round trip, 64 B, spin 2 us, then sleep",
		.is_round_trip = true,
		.size = 64,
		.way = lane,
		.spin_us = 2,
		.bar = 1 / 0.10 },
	{ .name = "round trip, 64 B, blocking",
		.is_round_trip = true,
		.size = 64,
		.way = lane,
		.bar = 1 / 1.1 },
	{ .name = "round trip, 64 B, blocking, one CPU",
		.is_round_trip = true,
		.is_one_cpu = true,
		.size = 64,
		.way = lane,
		.bar = 1 / 1.25 },
	{ .name = "round trip, 64 B, one CPU, spin 2 us against none",
		.is_round_trip = true,
		.is_one_cpu = true,
		.size = 64,
		.base = lane,
		.way = lane,
		.spin_us = 2,
		.bar = 1 / 1.1 },
	{ .name = "round trip, 64 B, one CPU, spin 50 us against none",
		.is_round_trip = true,
		.is_one_cpu = true,
		.size = 64,
		.base = lane,
		.way = lane,
		.spin_us = 50,
		.bar = 1 / 1.1 },
};

enum { jobs_count = sizeof(jobs) / sizeof(jobs[0]) };

static void die(const char *what)
{
	fprintf(stderr, "lanes: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((unsigned int)cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		die("sched_setaffinity");
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The calls that are measured. They wait for ever. */

static void send_one(struct side *side, void *data)
{
	if (side->way == plain || side->way == plain_spinning) {
		if (send(side->fd, data, side->size, MSG_NOSIGNAL) < 0)
			die("send");
	} else if (unixconn_send(side->conn, data, side->size,
			   UNIXMSG_FOREVER) < 0) {
		die("unixconn_send");
	}
}

static ssize_t recv_plain(struct side *side, void *data)
{
	const int flags = side->way == plain_spinning ? MSG_DONTWAIT : 0;
	ssize_t got;

	do
		got = recv(side->fd, data, size_most, flags);
	while (got < 0 && errno == EAGAIN);
	return got;
}

static void recv_one(struct side *side, void *data)
{
	size_t size;

	if (side->way == plain || side->way == plain_spinning)
		size = (size_t)recv_plain(side, data);
	else if (unixconn_recv(side->conn, data, size_most, &size,
			 UNIXMSG_FOREVER) != 1)
		die("unixconn_recv");
	if (size != side->size)
		die("a message has the wrong size");
}

/* The same in place: writes only the number. */

static void write_one(struct side *side, uint64_t number)
{
	void *data;

	if (unixlane_reserve(side->conn, side->size, &data, UNIXMSG_FOREVER) <
		0)
		die("unixlane_reserve");
	memcpy(data, &number, sizeof(number));
	if (unixlane_commit(side->conn, side->size, UNIXMSG_FOREVER) < 0)
		die("unixlane_commit");
}

/* Returns false if the message is on the socket. */
static bool read_one(struct side *side, uint64_t *number)
{
	const void *data;
	size_t size;

	if (unixlane_peek(side->conn, &data, &size, UNIXMSG_FOREVER) != 1)
		die("unixlane_peek");
	if (data == NULL)
		return false;
	if (size != side->size)
		die("a message has the wrong size");
	memcpy(number, data, sizeof(*number));
	if (unixlane_release(side->conn) < 0)
		die("unixlane_release");
	return true;
}

/* Sends messages with numbers, in bulk. */

static void send_bulk(struct side *side, char *data, uint64_t first)
{
	struct unixmsg msgs[bulk] = { 0 };
	size_t i, sent;

	for (i = 0; i < bulk; i++, data += side->size, first++) {
		memcpy(data, &first, sizeof(first));
		if (side->way == in_place)
			write_one(side, first);
		else if (side->way != lane_batch)
			send_one(side, data);
		msgs[i].data = data;
		msgs[i].room = side->size;
	}
	if (side->way == lane_batch &&
		unixconn_send_batch(side->conn, msgs, bulk, &sent,
			UNIXMSG_FOREVER) < 0)
		die("unixconn_send_batch");
}

static void recv_all(struct side *side, char *data)
{
	uint64_t number, wanted = 0;

	for (;;) {
		if (side->way != in_place || !read_one(side, &number)) {
			recv_one(side, data);
			memcpy(&number, data, sizeof(number));
		}
		if (number == last)
			return;
		if (number != wanted++)
			die("messages are out of order");
	}
}

static char *get_room(void)
{
	static char room[bulk * size_most];

	return room;
}

/* The receiver's answer to the last message ends a round. */
static double measure_one_way(struct side *side)
{
	char *room = get_room();
	const int64_t begin = now_ns();
	uint64_t count = 0;

	do {
		send_bulk(side, room, count);
		count += bulk;
	} while (now_ns() - begin < round_ns);
	memcpy(room, &last, sizeof(last));
	send_one(side, room);
	recv_one(side, room);
	return (double)(now_ns() - begin) / (double)count;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double measure_trip(struct side *side, char *room)
{
	const int64_t begin = now_ns();
	int i;

	for (i = 0; i < trips; i++) {
		send_one(side, room);
		recv_one(side, room);
	}
	return (double)(now_ns() - begin) / trips;
}

/* Returns the median, because other programs may need a processor meanwhile. */
static double measure_round_trips(struct side *side)
{
	static double times[times_most];
	char *room = get_room();
	const int64_t begin = now_ns();
	size_t count = 0;

	memset(room, 0, side->size);
	do
		times[count++] = measure_trip(side, room);
	while (count < times_most && now_ns() - begin < round_ns);
	qsort(times, count, sizeof(double), compare);
	return times[count / 2];
}

static void echo(struct side *side, char *room)
{
	uint64_t number;

	do {
		recv_one(side, room);
		memcpy(&number, room, sizeof(number));
		send_one(side, room);
	} while (number != last);
}

/* Connections */

/* Round trips, until the lane is there. */
static void settle(struct side *side, bool is_first)
{
	char *room = get_room();
	int i;

	memset(room, 0, side->size);
	for (i = 0; i < settle_count; i++) {
		if (is_first)
			send_one(side, room);
		recv_one(side, room);
		if (!is_first)
			send_one(side, room);
	}
	if ((side->way >= lane) !=
		(side->conn != NULL && unixconn_is_lane(side->conn)))
		die("the lane");
}

static const char *get_address(void)
{
	static char address[64];

	snprintf(address, sizeof(address), "@unixmsg-bench-lanes-%ld",
		(long)getpid());
	return address;
}

static void connect_side(struct side *side, const char *address,
	int64_t spin_us)
{
	const struct unixdial_options options = {
		.own = side->way == packet_named ? "@" : NULL,
		.flags = side->way < lane ? 0 : UNIXMSG_DIAL_LANE,
		.spin_us = spin_us,
	};

	side->conn =
		unixconn_dial("unixpacket", address, &options, UNIXMSG_FOREVER);
	if (side->conn == NULL)
		die(address);
}

static void accept_side(struct side *side, struct unixlistener *listener,
	int64_t spin_us)
{
	side->conn = unixlistener_accept(listener, UNIXMSG_FOREVER);
	if (side->conn == NULL)
		die("unixlistener_accept");
	unixconn_set_spin_us(side->conn, spin_us);
}

/* The second side: a process that ends with the first one. */
static void serve(struct side *side, bool is_round_trip, int cpu)
{
	char *room = get_room();

	pin(cpu);
	settle(side, false);
	if (is_round_trip) {
		echo(side, room);
	} else {
		recv_all(side, room);
		send_one(side, room);
	}
	recv_one(side, room);
	exit(0);
}

static double measure_side(struct side *side, bool is_round_trip)
{
	double result;

	settle(side, true);
	result = is_round_trip ? measure_round_trips(side)
			       : measure_one_way(side);
	memcpy(get_room(), &last, sizeof(last));
	if (is_round_trip) {
		send_one(side, get_room());
		recv_one(side, get_room());
	}
	send_one(side, get_room());
	return result;
}

static pid_t start(struct side sides[2], const struct job *job,
	const int cpus[2], int64_t spin_us)
{
	struct unixlisten_options options = { .lane_bytes = ring_bytes };
	struct unixlistener *listener = NULL;
	const char *address = get_address();
	const bool has_conn = sides[0].way >= packet;
	int pair[2];
	pid_t pid;

	if (sides[0].way < lane)
		options.lane_bytes = 0;
	if (has_conn)
		listener = unixlistener_open("unixpacket", address, &options);
	else if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0)
		sides[0].fd = pair[0], sides[1].fd = pair[1];
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (has_conn)
			accept_side(&sides[1], listener, spin_us);
		serve(&sides[1], job->is_round_trip,
			cpus[job->is_one_cpu ? 0 : 1]);
	}
	if (has_conn)
		connect_side(&sides[0], address, spin_us);
	else
		close(pair[1]);
	unixlistener_close(listener);
	return pid;
}

static double measure(const struct job *job, enum way way, int64_t spin_us,
	const int cpus[2])
{
	struct side sides[2] = {
		{ .way = way, .size = job->size },
		{ .way = way, .size = job->size },
	};
	const pid_t pid = start(sides, job, cpus, spin_us);
	double result;
	int status;

	result = measure_side(&sides[0], job->is_round_trip);
	unixconn_close(sides[0].conn);
	if (way < packet)
		close(sides[0].fd);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		exit(1);
	return result;
}

/*
 * Writes the cache line in turn with another process. Returns the shortest of
 * many times of a turn for both, because other programs may need a processor.
 */
static double take_turns(_Atomic uint32_t *line, uint32_t first)
{
	const uint32_t turns = 1000;
	double took_ns, best_ns = 1e9;
	int64_t begin;
	uint32_t i, j;

	for (i = 0; i < 100; i++) {
		begin = now_ns();
		for (j = 0; j < turns; j++, first += 2) {
			while (atomic_load(line) != first)
				;
			atomic_store(line, first + 1);
		}
		took_ns = (double)(now_ns() - begin) / turns;
		if (took_ns < best_ns)
			best_ns = took_ns;
	}
	return best_ns;
}

/* Returns how long a cache line takes from one processor to the other, and
 * back. */
static double measure_line(const int cpus[2])
{
	_Atomic uint32_t *line = mmap(NULL, sizeof(*line),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const pid_t pid = fork();
	double result;

	if (pid < 0 || line == MAP_FAILED)
		die("fork");
	pin(cpus[pid == 0]);
	result = take_turns(line, pid == 0);
	if (pid == 0)
		exit(0);
	waitpid(pid, NULL, 0);
	munmap((void *)line, sizeof(*line));
	return result;
}

struct results {
	double base[rounds_most];
	double ours[rounds_most];
	double ratios[rounds_most];
};

static void measure_both(const struct job *job, const int cpus[2],
	struct results *results, size_t round)
{
	results->base[round] = measure(job, job->base, 0, cpus);
	results->ours[round] = measure(job, job->way, job->spin_us, cpus);
	results->ratios[round] = results->base[round] / results->ours[round];
}

static void report(const struct job *job, struct results *results,
	size_t rounds, bool is_near)
{
	const bool is_other = is_near && job->near_bar > 0;
	double *const all[] = { results->base, results->ours, results->ratios };
	size_t i;

	for (i = 0; i < 3; i++)
		qsort(all[i], rounds, sizeof(double), compare);
	printf("| %s | %.0f | %.0f | %.2f | %.2f..%.2f | %.2f |\n", job->name,
		results->base[rounds / 2], results->ours[rounds / 2],
		results->ratios[rounds / 2], results->ratios[rounds / 4],
		results->ratios[rounds - 1 - rounds / 4],
		is_other ? job->near_bar : job->bar);
}

int main(int argc, char **argv)
{
	static struct results results[jobs_count];
	const int cpus[2] = { argc > 1 ? atoi(argv[1]) : 0,
		argc > 2 ? atoi(argv[2]) : 1 };
	size_t i, j, rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 11;
	const char *only = argc > 4 ? argv[4] : "";
	double line_ns;

	if (rounds < 1 || rounds > rounds_most)
		rounds = 11;
	line_ns = measure_line(cpus);
	printf("A cache line goes to and fro in %.0f ns: the CPUs are %s.\n\n",
		line_ns, line_ns < near_ns ? "near" : "far");
	fflush(stdout);
	pin(cpus[0]);
	for (i = 0; i < rounds; i++)
		for (j = 0; j < jobs_count; j++)
			if (strstr(jobs[j].name, only) != NULL)
				measure_both(&jobs[j], cpus, &results[j], i);
	puts("| job | plain, ns | lane, ns | times as fast | middle half"
	     " | bar |\n|---|---|---|---|---|---|");
	for (j = 0; j < jobs_count; j++)
		if (strstr(jobs[j].name, only) != NULL)
			report(&jobs[j], &results[j], rounds,
				line_ns < near_ns);
	return 0;
}
