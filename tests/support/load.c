/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/files.h"
#include "support/load.h"
#include "support/scene.h"

enum { PATTERN_SIZE = 65536, EVENTS_MOST = 256 };

static const int64_t connect_us = 30000000;

int load_choose(int taste, int full)
{
	return support_is_full() ? full : taste;
}

/* It lies where the test does. */
static void become_server(const char *const *arguments)
{
	enum { ARGUMENTS_MOST = 32 };
	const char *list[ARGUMENTS_MOST] = { "service_server" };
	char path[4096];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 32);
	int i;

	if (size < 0)
		_exit(EXIT_FAILURE);
	path[size] = '\0';
	strcpy(strrchr(path, '/') + 1, list[0]);
	for (i = 0; i < ARGUMENTS_MOST - 2 && arguments[i] != NULL; i++)
		list[i + 1] = arguments[i];
	execv(path, (char **)list);
	perror(path);
	_exit(EXIT_FAILURE);
}

static int read_character(FILE *file)
{
	int character;

	do {
		clearerr(file);
		character = getc(file);
	} while (character == EOF && ferror(file) && errno == EINTR);
	return character;
}

/* false when no more lines come: the one before stays. */
static bool take_line(struct load_server *server)
{
	char line[sizeof(server->counters)];
	size_t size = 0;
	int character;

	do {
		character = read_character(server->out);
		if (character == EOF)
			return false;
		ck_assert_uint_lt(size, sizeof(line) - 1);
		line[size++] = (char)character;
	} while (character != '\n');
	line[size] = '\0';
	strcpy(server->counters, line);
	return true;
}

static void read_line(struct load_server *server)
{
	ck_assert_msg(take_line(server), "the server has gone");
}

void load_server_start(struct load_server *server, const char *log,
	const char *const *arguments)
{
	int pipe[2];

	support_ready_init(pipe);
	server->pid = support_fork();
	if (server->pid == 0) {
		dup2(pipe[1], STDOUT_FILENO);
		if (log != NULL &&
			dup2(open(log, O_WRONLY | O_CREAT | O_APPEND, 0600),
				STDERR_FILENO) < 0)
			_exit(EXIT_FAILURE);
		become_server(arguments);
	}
	close(pipe[1]);
	server->out = fdopen(pipe[0], "re");
	ck_assert_ptr_nonnull(server->out);
	read_line(server);
	ck_assert_str_eq(server->counters, "ready\n");
}

void load_server_ask(struct load_server *server)
{
	ck_assert_int_eq(kill(server->pid, SIGUSR1), 0);
	read_line(server);
}

uint64_t load_server_get(const struct load_server *server, const char *name)
{
	char key[64];
	const char *found;

	snprintf(key, sizeof(key), "\"%s\":", name);
	found = strstr(server->counters, key);
	ck_assert_msg(found != NULL, "no counter %s", name);
	return strtoull(found + strlen(key), NULL, 10);
}

void load_server_await(struct load_server *server, const char *name,
	uint64_t value)
{
	do
		load_server_ask(server);
	while (load_server_get(server, name) < value);
}

/* What unixmsg/service.h says is true at any moment. */
static void check_counters(const struct load_server *server)
{
	static const char *const ends[] = { "answered", "unanswered", "refused",
		"limited", "cut", "unnamed", "dropped", "late", "gone",
		"failed", "stopped", "unproved", "waiting" };
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < COUNT(ends); i++)
		sum += load_server_get(server, ends[i]);
	ck_assert_uint_eq(load_server_get(server, "received"), sum);
}

void load_server_drain(struct load_server *server)
{
	ck_assert_int_eq(kill(server->pid, SIGTERM), 0);
	read_line(server);
}

static void read_last_line(struct load_server *server)
{
	while (take_line(server))
		continue;
}

void load_server_stop(struct load_server *server)
{
	ck_assert_int_eq(kill(server->pid, SIGTERM), 0);
	read_last_line(server);
	support_wait_exit(server->pid, EXIT_SUCCESS);
	fclose(server->out);
	check_counters(server);
	ck_assert_uint_eq(load_server_get(server, "waiting"), 0);
	ck_assert_uint_eq(load_server_get(server, "queued"), 0);
	ck_assert_uint_eq(load_server_get(server, "queued_bytes"), 0);
}

int64_t load_get_cpu_us(pid_t pid)
{
	struct timespec time;
	clockid_t clock;

	ck_assert_int_eq(clock_getcpuclockid(pid, &clock), 0);
	ck_assert_int_eq(clock_gettime(clock, &time), 0);
	return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

/* What the machine makes of one that does nothing: signals cost it too. */
static pid_t start_idler(void)
{
	pid_t pid = support_fork();

	while (pid == 0)
		pause();
	return pid;
}

double load_measure_cpu(pid_t pid, int64_t duration_us)
{
	const pid_t idler = start_idler();
	const int64_t start_us = unixdeadline_now_us();
	const int64_t used_us = load_get_cpu_us(pid) - load_get_cpu_us(idler);
	int64_t more_us, passed_us;

	/* The time is what is measured here, not what is waited for. */
	support_poll(NULL, 0, (int)(duration_us / 1000));
	passed_us = unixdeadline_now_us() - start_us;
	more_us = load_get_cpu_us(pid) - load_get_cpu_us(idler) - used_us;
	stop_child(idler);
	return 100.0 * (double)more_us / (double)passed_us;
}

/* It is there where the sanitizer is. */
extern void __asan_init(void) __attribute__((weak));

bool load_is_memory_kept(void)
{
	return __asan_init != NULL;
}

size_t load_get_resident_bytes(pid_t pid)
{
	const size_t kib = files_get_kib(pid, "Rss");

	ck_assert_uint_gt(kib, 0);
	return kib * 1024;
}

static int64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* Messages. */

static uint32_t mix(uint32_t client, uint32_t number)
{
	uint32_t value = client * 2654435761u ^ number * 2246822519u;

	value ^= value >> 15;
	value *= 3266489917u;
	return value ^ value >> 13;
}

/* Bytes that no two messages are likely to have in the same place. */
static const char *get_pattern(uint32_t client, uint32_t number)
{
	static char pattern[PATTERN_SIZE + LOAD_SIZE_MOST];
	uint32_t i;

	if (pattern[0] == '\0')
		for (i = 0; i < sizeof(pattern); i++)
			pattern[i] = (char)(mix(i, 1) | 1);
	return pattern + mix(client, number) % PATTERN_SIZE;
}

static uint32_t get_size(const struct load *load, uint32_t client,
	uint32_t number)
{
	const uint32_t least = sizeof(struct load_head);

	return least + mix(number, client) % (load->size_most - least + 1);
}

static size_t make_request(const struct load *load,
	const struct load_client *client, char *request)
{
	struct load_head head = {
		.client = (uint32_t)(client - load->clients),
		.number = client->sent,
		.answer_bytes = load->answer_bytes,
	};

	head.size = get_size(load, head.client, head.number);
	memcpy(request, &head, sizeof(head));
	memcpy(request + sizeof(head), get_pattern(head.client, head.number),
		head.size - sizeof(head));
	return head.size;
}

static void check_answer(const struct load *load,
	const struct load_client *client, const char *answer, size_t size)
{
	struct load_head head;

	ck_assert_uint_ge(size, sizeof(head));
	memcpy(&head, answer, sizeof(head));
	ck_assert_uint_eq(head.client, (uint32_t)(client - load->clients));
	ck_assert_uint_eq(head.size, get_size(load, head.client, head.number));
	ck_assert_uint_eq(size,
		head.size > head.answer_bytes ? head.size : head.answer_bytes);
	ck_assert(memcmp(answer + sizeof(head),
			  get_pattern(head.client, head.number),
			  head.size - sizeof(head)) == 0);
}

void load_init(struct load *load, enum link_network network,
	const char *address)
{
	memset(load, 0, sizeof(*load));
	load->network = network;
	load->address = address;
	load->clients_count = 1;
	load->window = 1;
	load->size_most = 64;
	load->epoll_fd = -1;
}

static void watch(struct load *load, struct load_client *client,
	uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	if (client->events == events)
		return;
	ck_assert_int_eq(epoll_ctl(load->epoll_fd,
				 client->events == 0 ? EPOLL_CTL_ADD
						     : EPOLL_CTL_MOD,
				 client->link.fd, &event),
		0);
	client->events = events;
}

void load_open(struct load *load)
{
	const int64_t deadline_us = unixdeadline_after_us(connect_us);
	int i;

	load->clients =
		calloc((size_t)load->clients_count, sizeof(*load->clients));
	load->times = malloc(sizeof(*load->times));
	ck_assert(load->clients != NULL && load->times != NULL);
	histogram_init(load->times);
	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	ck_assert_int_ge(load->epoll_fd, 0);
	for (i = 0; i < load->clients_count; i++) {
		ck_assert_msg(link_dial(&load->clients[i].link, load->network,
				      load->address, NULL, deadline_us) == 0,
			"client %d: %s", i, strerror(errno));
		watch(load, &load->clients[i], EPOLLIN);
	}
}

void load_close(struct load *load)
{
	int i;

	for (i = 0; i < load->clients_count; i++)
		link_close(&load->clients[i].link);
	close(load->epoll_fd);
	free(load->clients);
	free(load->times);
}

uint32_t load_send(struct load *load, struct load_client *client,
	uint32_t messages)
{
	static char request[LOAD_SIZE_MOST];
	uint32_t count;

	for (count = 0; count < messages; count++) {
		if (link_send(&client->link, request,
			    make_request(load, client, request)) < 0) {
			client->is_refused = errno != EAGAIN;
			ck_assert(!client->is_refused || load->may_end);
			break;
		}
		if (client->sent++ == client->answered)
			client->sent_ns = now_ns();
	}
	return count;
}

/* Those before it are lost: nothing comes out of order. */
static void note_answer(struct load *load, struct load_client *client,
	uint32_t number)
{
	ck_assert_uint_lt(number, client->sent);
	if (number < client->answered) {
		load->late++;
		return;
	}
	load->lost += number - client->answered;
	if (number == client->answered)
		histogram_add(load->times,
			(uint64_t)(now_ns() - client->sent_ns));
	client->answered = number + 1;
	client->sent_ns = now_ns();
}

/* That the server went with requests unread is told once. */
static int receive(const struct load *load, struct load_client *client,
	char *answer, size_t *size)
{
	int result = link_recv(&client->link, answer, LOAD_SIZE_MOST, size);

	if (result < 0 && errno == ECONNRESET && load->may_end)
		result = link_recv(&client->link, answer, LOAD_SIZE_MOST, size);
	return result;
}

uint32_t load_take(struct load *load, struct load_client *client)
{
	static char answer[LOAD_SIZE_MOST];
	struct load_head head;
	uint32_t count = 0;
	size_t size;

	while (receive(load, client, answer, &size) == 1) {
		check_answer(load, client, answer, size);
		memcpy(&head, answer, sizeof(head));
		note_answer(load, client, head.number);
		count++;
	}
	ck_assert(errno == EAGAIN || load->may_end);
	return count;
}

static void go_on(struct load *load, struct load_client *client, uint32_t until)
{
	uint32_t wanted = load->window - (client->sent - client->answered);

	if (wanted > until - client->sent)
		wanted = until - client->sent;
	watch(load, client,
		load_send(load, client, wanted) < wanted ? EPOLLIN | EPOLLOUT
							 : EPOLLIN);
}

/* Gives up what has not come in time. */
static void lose_late(struct load *load, uint32_t until)
{
	const int64_t since_ns = now_ns() - load->patience_us * 1000;
	struct load_client *client;
	int i;

	for (i = 0; i < load->clients_count; i++) {
		client = &load->clients[i];
		if (client->answered == client->sent ||
			client->sent_ns > since_ns)
			continue;
		load->lost += client->sent - client->answered;
		client->answered = client->sent;
		go_on(load, client, until);
	}
}

static bool is_done(const struct load *load, uint32_t until)
{
	int i;

	for (i = 0; i < load->clients_count; i++)
		if (load->clients[i].answered != until)
			return false;
	return true;
}

static void turn(struct load *load, uint32_t until)
{
	struct epoll_event events[EVENTS_MOST];
	int i, count;

	count = epoll_wait(load->epoll_fd, events, EVENTS_MOST,
		load->patience_us > 0 ? 10 : -1);
	for (i = 0; i < count; i++) {
		load_take(load, events[i].data.ptr);
		go_on(load, events[i].data.ptr, until);
	}
	if (load->patience_us > 0)
		lose_late(load, until);
}

void load_run_until(struct load *load, uint32_t until)
{
	int i;

	for (i = 0; i < load->clients_count; i++) {
		ck_assert_uint_le(load->clients[i].sent, until);
		go_on(load, &load->clients[i], until);
	}
	while (!is_done(load, until) && !(load->is_fragile && load->lost > 0))
		turn(load, until);
}

/* All clients have sent the same number before. */
void load_run(struct load *load, uint32_t messages)
{
	load_run_until(load, load->clients[0].sent + messages);
}
