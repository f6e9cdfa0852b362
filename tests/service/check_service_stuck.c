/* SPDX-License-Identifier: MIT */
/*
 * Peers that do not read delay nobody. Two servers run side by side, only one
 * of them beset by stuck clients, and the same honest clients talk to both in
 * turns: what the machine does besides falls on both. A taste of it by default;
 * all figures with UNIXMSG_TESTS=full.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/load.h"
#include "support/scene.h"

enum {
	ROUNDS_MOST = 64,
	/* Longer than a busy machine stands still; of the bounds, where many
	 * wait in vain, not so long. */
	PATIENCE_US = 20000000,
	PATIENCE_BOUNDS_US = 1000000,
	/* What everybody gets with net.core.wmem_max as it comes. */
	BUFFER_COMMON = 425984,
	BUFFER_LARGE = 4194304,
};

#define show(...)                                     \
	do {                                          \
		if (support_is_full())                \
			fprintf(stderr, __VA_ARGS__); \
	} while (0)

/* One setting of the comparison. */
struct setting {
	enum link_network network;
	int stuck_count;
	bool is_unconnected; /* the stuck: only bound, to be sent to */
	uint32_t answer_bytes;
	int send_buffer;
	int honest_count;
	uint32_t window;
	unsigned int batch; /* of the service; 0: one by one */
	bool has_empty;     /* every honest client has got an empty answer */
	int requests;       /* of each that is stuck */
	int rounds;
	int64_t patience_us;
	uint32_t messages; /* of each honest client in a round */
};

struct side {
	struct load_server server;
	struct load load;
	double medians[ROUNDS_MOST];
	double p99s[ROUNDS_MOST];
};

struct result {
	double median_us; /* with nobody stuck */
	double p99_us;
	double median_ratio;
	double p99_ratio;
	double best_ratio; /* of the medians of the best rounds */
	double cpu; /* percent of a core, with nothing to do but the stuck */
	uint64_t lost;
};

static int compare(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static double get_median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return values[count / 2];
}

static void start_side(struct side *side, const struct setting *setting,
	const char *address)
{
	char buffer[64], batch[32];
	const char *const arguments[] = { buffer, batch, "patience=600000000",
		"queue_total=18446744073709551615",
		link_get_network(setting->network), address, NULL };

	snprintf(buffer, sizeof(buffer), "send_buffer=%d",
		setting->send_buffer);
	snprintf(batch, sizeof(batch), "batch=%u", setting->batch);
	load_server_start(&side->server, NULL, arguments);
	load_init(&side->load, setting->network, address);
	side->load.clients_count = setting->honest_count;
	side->load.window = setting->window;
	side->load.answer_bytes = setting->answer_bytes;
	side->load.patience_us = setting->patience_us;
	side->load.is_fragile = true;
	load_open(&side->load);
	load_run(&side->load, 1);
}

static void end_side(struct side *side)
{
	load_close(&side->load);
	stop_child(side->server.pid);
	fclose(side->server.out);
}

/* Until the kernel takes no more of a connection, which is not read on. */
static void ask_connected(const struct setting *setting, const char *address)
{
	struct load load;
	struct pollfd entry = { .events = POLLOUT };
	int i, left;

	load_init(&load, setting->network, address);
	load.clients_count = setting->stuck_count;
	load.answer_bytes = setting->answer_bytes;
	load_open(&load);
	for (i = 0; i < load.clients_count; i++) {
		left = setting->requests;
		entry.fd = load.clients[i].link.fd;
		while ((left -= (int)load_send(&load, &load.clients[i],
				(uint32_t)left)) > 0)
			if (support_poll(&entry, 1, 1000) == 0)
				break;
	}
}

static void ask_unconnected(const struct setting *setting, const char *address)
{
	const struct sockaddr_un any = { .sun_family = AF_UNIX };
	const struct unixaddr server = address_of(address);
	const struct sockaddr *sa = (const struct sockaddr *)&server.sun;
	struct load_head head = { .size = sizeof(head) };
	int i, k, fd;

	head.answer_bytes = setting->answer_bytes;
	for (i = 0; i < setting->stuck_count; i++) {
		fd = open_socket(SOCK_DGRAM);
		ck_assert_int_eq(bind(fd, (const struct sockaddr *)&any,
					 sizeof(any.sun_family)),
			0);
		for (k = 0; k < setting->requests; k++)
			ck_assert_int_eq(TEMP_FAILURE_RETRY(
						 sendto(fd, &head, sizeof(head),
							 0, sa, server.length)),
				sizeof(head));
	}
}

/* Ends with the test, or when it is killed. */
static pid_t start_stuck(const struct setting *setting, const char *address)
{
	int ready[2];
	pid_t pid;

	support_ready_init(ready);
	pid = support_fork();
	if (pid == 0) {
		if (setting->is_unconnected)
			ask_unconnected(setting, address);
		else
			ask_connected(setting, address);
		support_ready_tell(ready);
		for (;;)
			pause();
	}
	support_ready_wait(ready);
	close_pipe(ready);
	return pid;
}

static void run_round(struct side *side, int round, uint32_t messages)
{
	histogram_init(side->load.times);
	load_run(&side->load, messages);
	side->medians[round] =
		(double)histogram_get_quantile(side->load.times, 0.5) / 1e3;
	side->p99s[round] =
		(double)histogram_get_quantile(side->load.times, 0.99) / 1e3;
}

static void get_empty_answers(struct side *side)
{
	struct pollfd entry = { .events = POLLIN };
	char byte;
	int i;

	for (i = 0; i < side->load.clients_count; i++) {
		entry.fd = side->load.clients[i].link.fd;
		ck_assert_int_eq(TEMP_FAILURE_RETRY(send(entry.fd, "", 0, 0)),
			0);
		ck_assert_int_eq(support_poll(&entry, 1, -1), 1);
		ck_assert_int_eq(TEMP_FAILURE_RETRY(
					 recv(entry.fd, &byte, 1, 0)),
			0);
	}
}

static int run_rounds(const struct setting *setting, struct side *free,
	struct side *beset)
{
	int i;

	for (i = 0; i < setting->rounds && beset->load.lost == 0; i++) {
		run_round(free, i, setting->messages);
		run_round(beset, i, setting->messages);
	}
	return i;
}

/* get_median has sorted them: the first is the best. */
static struct result compare_sides(struct side *free, struct side *beset,
	int rounds)
{
	struct result result = { .lost = beset->load.lost };

	result.median_us = get_median(free->medians, rounds);
	result.median_ratio =
		get_median(beset->medians, rounds) / result.median_us;
	result.p99_us = get_median(free->p99s, rounds);
	result.p99_ratio = get_median(beset->p99s, rounds) / result.p99_us;
	result.best_ratio = beset->medians[0] / free->medians[0];
	return result;
}

static struct result measure(const struct setting *setting)
{
	static struct side free, beset;
	struct result result;
	pid_t stuck;
	int rounds;

	start_side(&free, setting, support_abstract("free"));
	start_side(&beset, setting, support_abstract("beset"));
	stuck = start_stuck(setting, beset.load.address);
	if (setting->has_empty)
		get_empty_answers(&beset);
	rounds = run_rounds(setting, &free, &beset);
	result = compare_sides(&free, &beset, rounds);
	result.cpu =
		load_measure_cpu(beset.server.pid, load_choose(50000, 300000));
	ck_assert_uint_eq(free.load.lost, 0);
	stop_child(stuck);
	end_side(&beset);
	end_side(&free);
	return result;
}

static void show_head(void)
{
	show("network    stuck       answer  buffer   clients window | "
	     "median p99 us, beset/free: median p99 | lost | cpu %%\n");
}

static void show_result(const struct setting *setting,
	const struct result *result)
{
	show("%-10s %4d %-6s %6u %7d %5d %5u | %7.0f %7.0f | %6.2f %6.2f | "
	     "%4llu | %5.1f\n",
		link_get_network(setting->network), setting->stuck_count,
		setting->is_unconnected ? "bound" : "", setting->answer_bytes,
		setting->send_buffer, setting->honest_count, setting->window,
		result->median_us, result->p99_us, result->median_ratio,
		result->p99_ratio, (unsigned long long)result->lost,
		result->cpu);
}

static struct setting make_setting(enum link_network network, int stuck_count,
	uint32_t answer_bytes, int send_buffer)
{
	const struct setting setting = {
		.network = network,
		.stuck_count = stuck_count,
		.answer_bytes = answer_bytes,
		.send_buffer = send_buffer,
		.honest_count = 4,
		.window = 1,
		.requests = 30,
		.rounds = load_choose(11, 21),
		.patience_us = PATIENCE_US,
		.messages = answer_bytes > 16384 ? 50 : 200,
	};

	return setting;
}

/*
 * What the machine does besides can spoil most rounds, but not all of them; one
 * that is stuck spoils all.
 */
static void check_ratio(const struct result *result)
{
	ck_assert_uint_eq(result->lost, 0);
	ck_assert_msg(result->best_ratio < 4, "%.2f times as long",
		result->best_ratio);
}

static void check_unchanged(const struct setting *setting)
{
	const struct result result = measure(setting);

	show_result(setting, &result);
	check_ratio(&result);
}

static const int buffers[] = { BUFFER_COMMON, BUFFER_LARGE };

START_TEST(twenty_stuck_datagram_clients_delay_nobody)
{
	const struct setting setting =
		make_setting(LINK_GRAM, 20, 4096, buffers[_i]);

	check_unchanged(&setting);
}
END_TEST

/* Enough honest ones for a queue, of several requests each. */
START_TEST(stuck_clients_delay_nobody_in_batches)
{
	struct setting setting =
		make_setting(LINK_GRAM, 20, 4096, BUFFER_LARGE);

	setting.batch = 16;
	setting.honest_count = 8;
	setting.window = 4;
	check_unchanged(&setting);
}
END_TEST

/*
 * Where little is left of the buffer they get one answer after the other, but
 * they get them.
 */
START_TEST(stuck_clients_do_not_stop_those_with_several_requests)
{
	struct setting setting = make_setting(LINK_GRAM, 20, 4096, buffers[_i]);
	struct result result;

	setting.window = 4;
	result = measure(&setting);
	show_result(&setting, &result);
	ck_assert_uint_eq(result.lost, 0);
}
END_TEST

/* An empty message that waits looks like none: nobody can tell any more. */
START_TEST(who_has_got_an_empty_answer_goes_on_getting_others)
{
	struct setting setting =
		make_setting(LINK_GRAM, 20, 4096, BUFFER_LARGE);

	setting.has_empty = true;
	check_unchanged(&setting);
}
END_TEST

START_TEST(stuck_clients_that_are_only_bound_delay_nobody)
{
	struct setting setting = make_setting(LINK_GRAM, 20, 4096, buffers[_i]);

	setting.is_unconnected = true;
	check_unchanged(&setting);
}
END_TEST

START_TEST(stuck_connections_delay_nobody)
{
	static const enum link_network networks[] = { LINK_PACKET,
		LINK_STREAM };
	const struct setting setting =
		make_setting(networks[_i], 20, 4096, BUFFER_LARGE);

	check_unchanged(&setting);
}
END_TEST

static void show_bounds(uint32_t answer_bytes, int send_buffer,
	bool is_unconnected)
{
	static const int counts[] = { 1, 20, 50, 100, 200, 400 };
	struct setting setting;
	struct result result;
	size_t i;

	for (i = 0; i < COUNT(counts); i++) {
		setting = make_setting(LINK_GRAM, counts[i], answer_bytes,
			send_buffer);
		setting.rounds = 7;
		setting.patience_us = PATIENCE_BOUNDS_US;
		setting.is_unconnected = is_unconnected;
		result = measure(&setting);
		show_result(&setting, &result);
	}
}

START_TEST(the_bounds_are_what_they_are)
{
	static const uint32_t sizes[] = { 64, 4096, 65536, 204800 };
	size_t i, k;

	show_head();
	for (i = 0; i < COUNT(buffers); i++)
		for (k = 0; k < COUNT(sizes); k++)
			show_bounds(sizes[k], buffers[i], _i == 1);
}
END_TEST

/* A client that was stopped */

struct flood {
	struct load load;
	int end[2];
	int ended[2];
	pid_t pid;
};

static void run_flood(struct flood *flood)
{
	struct load *load = &flood->load;

	load_open(load);
	support_ready_tell(flood->ended);
	while (!support_is_readable(flood->end[0])) {
		load_send(load, &load->clients[0], 16);
		load_take(load, &load->clients[0]);
	}
	load_run(load, 0);
	ck_assert_uint_eq(load->late, 0);
	if (load->network != LINK_GRAM)
		ck_assert_uint_eq(load->lost, 0);
	show("%s: flooded, stopped and went on: %u requests, %llu lost\n",
		link_get_network(load->network), load->clients[0].sent,
		(unsigned long long)load->lost);
	_exit(EXIT_SUCCESS);
}

static void start_flood(struct flood *flood, enum link_network network,
	const char *address)
{
	int status;

	support_ready_init(flood->end);
	support_ready_init(flood->ended);
	load_init(&flood->load, network, address);
	flood->load.size_most = 1024;
	flood->load.patience_us = PATIENCE_US;
	flood->pid = support_fork();
	if (flood->pid == 0)
		run_flood(flood);
	support_ready_wait(flood->ended);
	/* In the midst of it. */
	support_poll(NULL, 0, 20);
	ck_assert_int_eq(kill(flood->pid, SIGSTOP), 0);
	ck_assert_int_eq(TEMP_FAILURE_RETRY(
				 waitpid(flood->pid, &status, WUNTRACED)),
		flood->pid);
	ck_assert(WIFSTOPPED(status));
}

static void end_flood(struct flood *flood)
{
	support_ready_tell(flood->end);
	ck_assert_int_eq(kill(flood->pid, SIGCONT), 0);
	support_wait_exit(flood->pid, EXIT_SUCCESS);
	close_pipe(flood->end);
	close_pipe(flood->ended);
}

START_TEST(a_client_that_is_stopped_delays_nobody_and_loses_no_order)
{
	struct setting setting =
		make_setting((enum link_network)_i, 0, 0, BUFFER_LARGE);
	static struct side free, beset;
	struct result result;
	struct flood flood;
	size_t memory;
	int rounds;

	setting.honest_count = 49;
	setting.messages = (uint32_t)load_choose(20, 100);
	start_side(&free, &setting, support_abstract("free"));
	start_side(&beset, &setting, support_abstract("beset"));
	memory = load_get_resident_bytes(beset.server.pid);
	start_flood(&flood, setting.network, beset.load.address);
	rounds = run_rounds(&setting, &free, &beset);
	ck_assert_int_eq(rounds, setting.rounds);
	result = compare_sides(&free, &beset, rounds);
	memory = load_get_resident_bytes(beset.server.pid) - memory;
	result.cpu = load_measure_cpu(beset.server.pid, 300000);
	show("%s: one of 50 stopped: median %.0f us, times %.2f, p99 %.0f us, "
	     "times %.2f, %zu KiB more, idle at %.2f %%\n",
		link_get_network(setting.network), result.median_us,
		result.median_ratio, result.p99_us, result.p99_ratio,
		memory / 1024, result.cpu);
	ck_assert_uint_eq(beset.load.lost, 0);
	check_ratio(&result);
	if (load_is_memory_kept())
		fprintf(stderr, "skip: memory: a sanitizer keeps it\n");
	else
		ck_assert_int_le((int64_t)memory, 3 << 20);
	ck_assert(result.cpu < 5);
	end_flood(&flood);
	end_side(&beset);
	end_side(&free);
}
END_TEST

START_TEST(clients_that_fill_and_read_and_fill_lose_nothing)
{
	const enum link_network network = (enum link_network)_i;
	const char *address = support_abstract("fill");
	const char *const arguments[] = { link_get_network(network), address,
		NULL };
	const int rounds = load_choose(3, 30);
	struct load_server server;
	struct load load;
	int i, k;

	load_server_start(&server, NULL, arguments);
	load_init(&load, network, address);
	load.clients_count = 100;
	load.answer_bytes = 4096;
	load.window = 20;
	load_open(&load);
	for (i = 0; i < rounds; i++) {
		for (k = 0; k < load.clients_count; k++)
			load_send(&load, &load.clients[k], 20);
		load_server_ask(&server);
		for (k = 0; k < load.clients_count; k++)
			load_send(&load, &load.clients[k],
				(uint32_t)(i + 1) * 20 - load.clients[k].sent);
		load_run_until(&load, (uint32_t)(i + 1) * 20);
	}
	ck_assert_uint_eq(load.lost, 0);
	load_close(&load);
	load_server_stop(&server);
	ck_assert_uint_eq(load_server_get(&server, "answered"),
		(uint64_t)(100 * 20 * rounds));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("service_stuck");
	TCase *tcase = make_tcase("stuck");

	tcase_set_timeout(tcase, load_choose(60, 600));
	tcase_add_loop_test(tcase, twenty_stuck_datagram_clients_delay_nobody,
		0, 2);
	tcase_add_test(tcase, stuck_clients_delay_nobody_in_batches);
	tcase_add_loop_test(tcase,
		stuck_clients_do_not_stop_those_with_several_requests, 0, 2);
	tcase_add_test(tcase,
		who_has_got_an_empty_answer_goes_on_getting_others);
	tcase_add_loop_test(tcase,
		stuck_clients_that_are_only_bound_delay_nobody, 0, 2);
	tcase_add_loop_test(tcase, stuck_connections_delay_nobody, 0, 2);
	suite_add_tcase(suite, tcase);
	tcase = make_tcase("stopped");
	tcase_set_timeout(tcase, load_choose(60, 600));
	tcase_add_loop_test(tcase,
		a_client_that_is_stopped_delays_nobody_and_loses_no_order, 0,
		LINK_NETWORKS);
	tcase_add_loop_test(tcase,
		clients_that_fill_and_read_and_fill_lose_nothing, 0,
		LINK_NETWORKS);
	suite_add_tcase(suite, tcase);
	if (support_is_full()) {
		tcase = make_tcase("bounds");
		tcase_set_timeout(tcase, 600);
		tcase_add_loop_test(tcase, the_bounds_are_what_they_are, 0, 2);
		suite_add_tcase(suite, tcase);
	}
	return support_run(suite);
}
