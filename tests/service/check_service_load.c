/* SPDX-License-Identifier: MIT */
/*
 * A service under load: many clients, floods, want of descriptors, an end in
 * the middle. A taste of it by default; as much as was promised, and the
 * figures, with UNIXMSG_TESTS=full.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/files.h"
#include "support/load.h"
#include "support/scene.h"

static const int64_t measure_us = 300000;

/* Descriptors of the server besides those of its peers. */
enum { FILES_BESIDES = 64 };

/* As figure lines, so that a full run can be read. */
#define show(...)                                     \
	do {                                          \
		if (support_is_full())                \
			fprintf(stderr, __VA_ARGS__); \
	} while (0)

/* The tests' own limit goes to all children. */
static bool can_have_files(rlim_t count)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= count)
		return true;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur >= count;
}

static const char *number(const char *name, int value)
{
	static char texts[8][64];
	static int last;

	last = (last + 1) % 8;
	snprintf(texts[last], sizeof(texts[last]), "%s=%d", name, value);
	return texts[last];
}

static void start_on(struct load_server *server, enum link_network network,
	const char *address, const char *option)
{
	const char *const arguments[] = { option, link_get_network(network),
		address, NULL };

	load_server_start(server, NULL,
		option == NULL ? arguments + 1 : arguments);
}

static void show_times(const struct load *load, int messages, int64_t start_us)
{
	const double passed_s =
		(double)(unixdeadline_now_us() - start_us) / 1e6;

	show("%s: %d clients, %d messages each: %.0f a second, "
	     "median %.0f us, p99 %.0f us\n",
		link_get_network(load->network), load->clients_count, messages,
		load->clients_count * (double)messages / passed_s,
		(double)histogram_get_quantile(load->times, 0.5) / 1e3,
		(double)histogram_get_quantile(load->times, 0.99) / 1e3);
}

/* Many clients at once */

static int get_many(void)
{
	return load_choose(100, 1000);
}

static void run_many(enum link_network network, const char *address)
{
	const int messages = load_choose(30, 1000);
	struct load load;
	int64_t start_us;

	load_init(&load, network, address);
	load.clients_count = get_many();
	load.size_most = 1024;
	load_open(&load);
	start_us = unixdeadline_now_us();
	load_run(&load, (uint32_t)messages);
	show_times(&load, messages, start_us);
	ck_assert_uint_eq(load.lost, 0);
	ck_assert_uint_eq(load.late, 0);
	load_close(&load);
}

static pid_t start_many(enum link_network network, const char *address)
{
	pid_t pid = support_fork();

	if (pid == 0) {
		run_many(network, address);
		_exit(EXIT_SUCCESS);
	}
	return pid;
}

START_TEST(all_of_many_clients_are_answered_in_order_and_unaltered)
{
	const char *gram = support_abstract("gram");
	const char *packet = support_abstract("packet");
	const char *const arguments[] = { number("peers", 2 * get_many()),
		"unixgram", gram, "unixpacket", packet, NULL };
	const uint64_t messages =
		2 * (uint64_t)get_many() * (uint64_t)load_choose(30, 1000);
	struct load_server server;
	pid_t pids[2];

	load_server_start(&server, NULL, arguments);
	pids[0] = start_many(LINK_GRAM, gram);
	pids[1] = start_many(LINK_PACKET, packet);
	support_wait_exit(pids[0], EXIT_SUCCESS);
	support_wait_exit(pids[1], EXIT_SUCCESS);
	load_server_stop(&server);
	ck_assert_uint_eq(load_server_get(&server, "received"), messages);
	ck_assert_uint_eq(load_server_get(&server, "answered"), messages);
}
END_TEST

/* The end, in the middle of it */

struct storm {
	struct load load;
	int ended[2];
	int gone[2];
	int answers[2];
	pid_t pid;
};

static bool is_refused(const struct load *load)
{
	int i;

	for (i = 0; i < load->clients_count; i++)
		if (!load->clients[i].is_refused)
			return false;
	return true;
}

/*
 * What was sent and not read, and what was answered and not read, is more than
 * there is room for on the way back: a drain waits for those who read.
 */
static uint64_t read_on(struct storm *storm)
{
	struct pollfd gone = { .fd = storm->gone[0], .events = POLLIN };
	struct load *load = &storm->load;
	uint64_t answers = 0;
	bool is_gone;
	int i;

	do {
		is_gone = poll(&gone, 1, 1) > 0;
		for (i = 0; i < load->clients_count; i++)
			answers += load_take(load, &load->clients[i]);
	} while (!is_gone);
	support_ready_wait(storm->gone);
	return answers;
}

static void run_storm(struct storm *storm)
{
	struct load *load = &storm->load;
	uint64_t answers = 0;
	int i;

	load_open(load);
	while (!is_refused(load))
		for (i = 0; i < load->clients_count; i++) {
			load_send(load, &load->clients[i], 8);
			answers += load_take(load, &load->clients[i]);
		}
	support_ready_tell(storm->ended);
	answers += read_on(storm);
	ck_assert_uint_eq(load->late, 0);
	ck_assert_int_eq(write(storm->answers[1], &answers, sizeof(answers)),
		sizeof(answers));
	_exit(EXIT_SUCCESS);
}

static void start_storm(struct storm *storm, enum link_network network,
	const char *address)
{
	support_ready_init(storm->ended);
	support_ready_init(storm->gone);
	support_ready_init(storm->answers);
	load_init(&storm->load, network, address);
	storm->load.clients_count = 10;
	storm->load.may_end = true;
	storm->pid = support_fork();
	if (storm->pid == 0)
		run_storm(storm);
}

static uint64_t end_storm(struct storm *storm)
{
	uint64_t answers;

	support_ready_wait(storm->ended);
	support_ready_tell(storm->gone);
	ck_assert_int_eq(TEMP_FAILURE_RETRY(read(storm->answers[0], &answers,
				 sizeof(answers))),
		sizeof(answers));
	support_wait_exit(storm->pid, EXIT_SUCCESS);
	close_pipe(storm->ended);
	close_pipe(storm->gone);
	close_pipe(storm->answers);
	return answers;
}

START_TEST(every_message_taken_before_the_end_is_answered_or_counted)
{
	const char *address = support_abstract("stop");
	const enum link_network network = (enum link_network)_i;
	struct load_server server;
	struct storm storm;
	uint64_t answered, answers;

	start_on(&server, network, address, "linger=1");
	start_storm(&storm, network, address);
	load_server_await(&server, "received",
		(uint64_t)load_choose(5000, 200000));
	load_server_drain(&server);
	answers = end_storm(&storm);
	load_server_stop(&server);
	answered = load_server_get(&server, "answered");
	show("%s: stopped after %llu messages, %llu answered\n",
		link_get_network(network),
		(unsigned long long)load_server_get(&server, "received"),
		(unsigned long long)answered);
	ck_assert_uint_eq(answers, answered);
	/* Nobody was killed, and all of them read. */
	ck_assert_uint_eq(load_server_get(&server, "received"),
		answered + load_server_get(&server, "dropped"));
}
END_TEST

/* Want of descriptors */

START_TEST(a_service_without_descriptors_waits_idly_and_goes_on)
{
	const char *address = support_abstract("files");
	const enum link_network network = (enum link_network)_i;
	struct load_server server;
	struct load first, second, third;
	double cpu;

	start_on(&server, network, address, "files=40");
	load_init(&first, network, address);
	load_init(&second, network, address);
	first.clients_count = 40;
	second.clients_count = load_choose(20, 200);
	load_open(&first);
	load_open(&second);
	/* One user has them all: more of his own are closed. */
	load_server_await(&server, "connections_limited", 1);
	cpu = load_measure_cpu(server.pid, load_choose(1, 10) * measure_us);
	show("%s: %.2f %% of a core while nobody can be accepted\n",
		link_get_network(network), cpu);
	ck_assert(cpu < 5.0);
	load_close(&first);
	load_close(&second);
	load_init(&third, network, address);
	third.clients_count = 4;
	load_open(&third);
	load_run(&third, 20);
	load_close(&third);
	load_server_stop(&server);
}
END_TEST

/* Floods */

/* What was sent by those who have gone may still be in its hands. */
static void await_fds(const struct load_server *server, int count)
{
	while (files_count_fds(server->pid) > count)
		support_poll(NULL, 0, 1);
}

static void flood_with_connections(const char *address, int count)
{
	enum { OPEN = 100 };
	int fds[OPEN], i;

	support_as_nobody();
	for (i = 0; i < count; i++) {
		if (i >= OPEN)
			close(fds[i % OPEN]);
		fds[i % OPEN] = open_connected(SOCK_SEQPACKET, address);
	}
	_exit(EXIT_SUCCESS);
}

START_TEST(a_flood_of_connections_takes_no_place_of_others)
{
	const char *address = support_path("flood");
	const int count = load_choose(2000, 50000);
	const char *const arguments[] = { "peers_per_user=20", "peers=30",
		"event_rate=5", "unixpacket", address, NULL };
	struct load_server server;
	struct load load;
	pid_t pid;

	load_server_start(&server, NULL, arguments);
	ck_assert_int_eq(chmod(address, 0666), 0);
	load_init(&load, LINK_PACKET, address);
	load.clients_count = 10;
	load_open(&load);
	load_run(&load, 1);
	pid = support_fork();
	if (pid == 0)
		flood_with_connections(address, count);
	load_run(&load, (uint32_t)load_choose(200, 5000));
	support_wait_exit(pid, EXIT_SUCCESS);
	load_run(&load, 1);
	load_server_await(&server, "connections", (uint64_t)count + 10);
	await_fds(&server, FILES_BESIDES);
	load_close(&load);
	load_server_stop(&server);
	show("%d connections: %llu limited, %llu evicted\n", count,
		(unsigned long long)load_server_get(&server,
			"connections_limited"),
		(unsigned long long)load_server_get(&server, "evicted"));
	ck_assert_uint_le(load_server_get(&server, "peers_most"), 30);
	ck_assert_uint_gt(load_server_get(&server, "connections_limited"), 0);
}
END_TEST

/* Takes the answers meanwhile, or there never is any. */
static void await_room(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN | POLLOUT };
	char answer[64];

	ck_assert_int_eq(support_poll(&entry, 1, -1), 1);
	while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		continue;
}

/* As connect_raw, with an address that can be answered. */
static int connect_named(int type, const char *address)
{
	const struct sockaddr_un any = { .sun_family = AF_UNIX };
	int fd = open_socket(type);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&any,
				 sizeof(any.sun_family)),
		0);
	ck_assert_int_eq(connect_to(fd, address), 0);
	return fd;
}

static void await_room_only(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLOUT };

	ck_assert_int_eq(support_poll(&entry, 1, -1), 1);
}

static void flood_with_fds(int socket, int count)
{
	enum { MANY = 64 };

	support_send_few_at_once(socket);
	while (count > 0) {
		await_room(socket);
		/* EPERM: the kernel refuses them on the server's behalf. */
		if (support_send_fds(socket, "x", 1, STDERR_FILENO, MANY) ==
				1 ||
			errno == EPERM)
			count--;
		else
			ck_assert_int_eq(errno, EAGAIN);
	}
}

static void flood_fds_through(enum link_network network, const char *option)
{
	static const int socket_types[] = { SOCK_DGRAM, SOCK_SEQPACKET,
		SOCK_STREAM };
	const char *address = support_abstract("fds");
	struct load_server server;
	struct load load;
	int fd, before;

	start_on(&server, network, address, option);
	load_init(&load, network, address);
	load_open(&load);
	load_run(&load, 1);
	before = files_count_fds(server.pid);
	fd = open_connected(socket_types[network], address);
	flood_with_fds(fd, load_choose(200, 10000));
	close(fd);
	load_run(&load, 1);
	await_fds(&server, before + 1);
	load_close(&load);
	load_server_stop(&server);
}

START_TEST(a_flood_of_descriptors_leaves_none_behind)
{
	flood_fds_through((enum link_network)_i, NULL);
}
END_TEST

START_TEST(a_flood_of_wanted_descriptors_leaves_none_behind)
{
	flood_fds_through((enum link_network)_i, "fds=2");
}
END_TEST

START_TEST(a_flood_of_empty_messages_stops_nobody)
{
	const char *address = support_abstract("empty");
	const enum link_network network = (enum link_network)_i;
	struct load_server server;
	struct load load;
	int fd, count = load_choose(5000, 200000);
	ssize_t sent;

	start_on(&server, network, address, NULL);
	load_init(&load, network, address);
	load_open(&load);
	fd = connect_named(network == LINK_GRAM ? SOCK_DGRAM : SOCK_SEQPACKET,
		address);
	while (count > 0) {
		sent = send(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL);
		count -= sent == 0;
		ck_assert(sent == 0 || errno == EAGAIN);
		/* Nobody reads the answers; then nobody reads on. */
		if (sent < 0 && network == LINK_PACKET)
			break;
		if (sent < 0)
			await_room_only(fd);
	}
	load_run(&load, 100);
	close(fd);
	load_close(&load);
	load_server_stop(&server);
	ck_assert_uint_ge(load_server_get(&server, "answered"), 100);
}
END_TEST

static void expect_answer_and_end(int fd)
{
	char byte;

	ck_assert_int_eq(TEMP_FAILURE_RETRY(recv(fd, &byte, 1, 0)), 1);
	ck_assert_int_eq(byte, 'x');
	ck_assert_int_eq(TEMP_FAILURE_RETRY(recv(fd, &byte, 1, 0)), 0);
}

START_TEST(half_closed_peers_get_their_answers)
{
	const char *address = support_abstract("half");
	int i, fd, count = load_choose(500, 20000);
	struct load_server server;

	start_on(&server, LINK_PACKET, address, NULL);
	for (i = 0; i < count; i++) {
		fd = open_connected(SOCK_SEQPACKET, address);
		ck_assert_int_eq(TEMP_FAILURE_RETRY(
					 send(fd, "x", 1, MSG_NOSIGNAL)),
			1);
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		expect_answer_and_end(fd);
		close(fd);
	}
	load_server_stop(&server);
	ck_assert_uint_eq(load_server_get(&server, "answered"),
		(uint64_t)count);
}
END_TEST

/* The answer of each message goes when the next has come. */
START_TEST(peers_that_go_before_their_answer_leave_nothing_behind)
{
	static const int socket_types[] = { SOCK_DGRAM, SOCK_SEQPACKET };
	const char *address = support_abstract("vanish");
	const enum link_network network = (enum link_network)_i;
	int i, fd, count = load_choose(500, 20000);
	const char *const arguments[] = { "later=1", "drain=1",
		link_get_network(network), address, NULL };
	struct load_server server;

	load_server_start(&server, NULL, arguments);
	for (i = 0; i < count; i++) {
		fd = connect_named(socket_types[network], address);
		ck_assert_int_eq(TEMP_FAILURE_RETRY(
					 send(fd, "0123456789abcdef", 16, 0)),
			16);
		close(fd);
	}
	load_server_await(&server, "received", (uint64_t)count);
	load_server_stop(&server);
	ck_assert_uint_le(load_server_get(&server, "peers"), 1024);
	ck_assert_uint_gt(load_server_get(&server, "gone") +
			load_server_get(&server, "answered"),
		0);
}
END_TEST

static void expect_printable(const char *path)
{
	FILE *file = fopen(path, "re");
	int byte, count = 0;

	ck_assert_ptr_nonnull(file);
	while ((byte = getc(file)) != EOF) {
		ck_assert_msg(byte == '\n' || (byte >= ' ' && byte < 0x7f),
			"byte %d in the log", byte);
		count++;
	}
	ck_assert_int_gt(count, 0);
	fclose(file);
}

START_TEST(names_with_escape_codes_reach_no_terminal)
{
	static const char *const names[] = { "a\nb\r\x1b[2J\x1b]0;x\x07",
		("\xff\xfe\x80\x9b"
		 "31m"),
		"\"\\'$(x)`" };
	const char *address = support_abstract("names");
	const char *log = support_path("log");
	const char *const arguments[] = { "log=1", "size=64", "unixgram",
		address, NULL };
	struct load_server server;
	struct unixaddr addr;
	size_t i;
	int fd;

	load_server_start(&server, log, arguments);
	for (i = 0; i < COUNT(names); i++) {
		fd = open_socket(SOCK_DGRAM);
		unixaddr_set_abstract(&addr, names[i], strlen(names[i]));
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr.sun,
					 addr.length),
			0);
		ck_assert_int_eq(connect_to(fd, address), 0);
		ck_assert_int_eq(TEMP_FAILURE_RETRY(send(fd, names[i], 4, 0)),
			4);
		ck_assert_int_eq(TEMP_FAILURE_RETRY(send(fd, log, 65, 0)), 65);
		close(fd);
	}
	load_server_await(&server, "received", 2 * COUNT(names));
	load_server_stop(&server);
	expect_printable(log);
}
END_TEST

/* Each message is too large, and each of them would be worth a line. */
START_TEST(a_flood_of_events_is_a_short_log)
{
	const char *address = support_abstract("log");
	const char *log = support_path("log");
	const char *const arguments[] = { "log=1", "size=1", "event_rate=10",
		"unixgram", address, NULL };
	const int count = load_choose(5000, 500000);
	const int64_t start_us = unixdeadline_now_us();
	struct load_server server;
	int64_t passed_s;
	FILE *file;
	int i, byte, lines = 0;
	int fd;

	load_server_start(&server, log, arguments);
	fd = open_connected(SOCK_DGRAM, address);
	for (i = 0; i < count; i++)
		ck_assert_int_eq(TEMP_FAILURE_RETRY(
					 send(fd, "too large", 9, 0)),
			9);
	load_server_await(&server, "cut", (uint64_t)count);
	passed_s = (unixdeadline_now_us() - start_us) / 1000000;
	close(fd);
	load_server_stop(&server);
	file = fopen(log, "re");
	while ((byte = getc(file)) != EOF)
		lines += byte == '\n';
	fclose(file);
	show("%d events: %d lines in %d s\n", count, lines, (int)passed_s);
	ck_assert_int_ge(lines, 10);
	ck_assert_int_le(lines, 10 * (passed_s + 3));
	ck_assert_uint_eq(load_server_get(&server, "events_suppressed"),
		(uint64_t)(count - lines));
}
END_TEST

/* Memory */

START_TEST(an_idle_connection_costs_less_than_a_kibibyte)
{
	const char *address = support_abstract("idle");
	const int count = load_choose(2000, 10000);
	const enum link_network network = _i == 0 ? LINK_PACKET : LINK_STREAM;
	struct load_server server;
	struct load load;
	size_t before, after;
	double cpu;

	start_on(&server, network, address, "peers=4294967295");
	load_server_ask(&server);
	before = load_get_resident_bytes(server.pid);
	load_init(&load, network, address);
	load.clients_count = count;
	load_open(&load);
	load_server_await(&server, "connections", (uint64_t)count);
	after = load_get_resident_bytes(server.pid);
	cpu = load_measure_cpu(server.pid, measure_us);
	show("%s: %d idle connections: %zu KiB resident, %zu bytes each, "
	     "%.2f %% of a core\n",
		link_get_network(network), count, after / 1024,
		(after - before) / (size_t)count, cpu);
	if (load_is_memory_kept()) {
		fprintf(stderr, "skip: memory: a sanitizer keeps it\n");
	} else {
		ck_assert_uint_le(after - before, (size_t)count * 1024);
		ck_assert_uint_le(after, 20 << 20);
	}
	load_run(&load, 2);
	after = load_get_resident_bytes(server.pid);
	show("%s: after two messages each: %zu bytes each\n",
		link_get_network(network), (after - before) / (size_t)count);
	load_close(&load);
	load_server_stop(&server);
}
END_TEST

static TCase *make_load_tcase(const char *name)
{
	TCase *tcase = make_tcase(name);

	tcase_set_timeout(tcase, load_choose(60, 600));
	return tcase;
}

static void add_many(Suite *suite)
{
	TCase *tcase = make_load_tcase("many");
	const int files = 2 * get_many() + FILES_BESIDES;
	const int idle_files = load_choose(2000, 10000) + FILES_BESIDES;

	support_add_test_if(tcase,
		all_of_many_clients_are_answered_in_order_and_unaltered,
		can_have_files((rlim_t)files), "RLIMIT_NOFILE is too low");
	support_add_loop_test_if(tcase,
		an_idle_connection_costs_less_than_a_kibibyte, 2,
		can_have_files((rlim_t)idle_files), "RLIMIT_NOFILE is too low");
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("service_load");
	TCase *tcase = make_load_tcase("load");

	add_many(suite);
	tcase_add_loop_test(tcase,
		every_message_taken_before_the_end_is_answered_or_counted, 0,
		LINK_NETWORKS);
	tcase_add_loop_test(tcase,
		a_service_without_descriptors_waits_idly_and_goes_on,
		LINK_PACKET, LINK_NETWORKS);
	suite_add_tcase(suite, tcase);
	tcase = make_load_tcase("floods");
	support_add_root_test(tcase,
		a_flood_of_connections_takes_no_place_of_others);
	tcase_add_loop_test(tcase, a_flood_of_descriptors_leaves_none_behind, 0,
		LINK_NETWORKS);
	tcase_add_loop_test(tcase,
		a_flood_of_wanted_descriptors_leaves_none_behind, 0,
		LINK_NETWORKS);
	tcase_add_loop_test(tcase, a_flood_of_empty_messages_stops_nobody, 0,
		LINK_STREAM);
	tcase_add_test(tcase, half_closed_peers_get_their_answers);
	tcase_add_loop_test(tcase,
		peers_that_go_before_their_answer_leave_nothing_behind, 0,
		LINK_STREAM);
	tcase_add_test(tcase, names_with_escape_codes_reach_no_terminal);
	tcase_add_test(tcase, a_flood_of_events_is_a_short_log);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
