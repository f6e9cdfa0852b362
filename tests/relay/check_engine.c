/* SPDX-License-Identifier: MIT */
/* The engine against a server that follows the script of each test: a socket of
 * the test's own on loopback. */
#include <config.h>

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "support/engine_scene.h"
#include "unixmsg/deadline.h"

static const char info[] = "INFO {\"headers\":true,\"max_payload\":1000}\r\n";

static struct engine_scene scene;

/* The server. */
static int listener = -1, conn = -1;
static unsigned int port;
static char heard[65536];
static size_t heard_size;

static int open_listener(unsigned int *number)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length),
		0);
	*number = ntohs(address.sin_port);
	return fd;
}

static void set_up(void)
{
	listener = open_listener(&port);
	engine_scene_init(&scene, port);
}

static void tear_down(void)
{
	engine_scene_close(&scene);
	support_close(&conn);
	support_close(&listener);
}

static void accept_at(int fd)
{
	support_close(&conn);
	heard_size = 0;
	while ((conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) <
		0) {
		ck_assert(errno == EAGAIN || errno == EINTR);
		engine_scene_step(&scene, fd);
	}
}

static void say_bytes(const char *bytes, size_t size)
{
	ck_assert_int_eq(send(conn, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

static void say(const char *text)
{
	say_bytes(text, strlen(text));
}

/* Reads more; false at the end of the connection. */
static bool hear(void)
{
	ssize_t size;

	ck_assert_uint_lt(heard_size, sizeof(heard) - 1);
	while ((size = recv(conn, heard + heard_size,
			sizeof(heard) - 1 - heard_size, 0)) < 0) {
		if (errno == ECONNRESET)
			return false;
		ck_assert(errno == EAGAIN || errno == EINTR);
		engine_scene_step(&scene, conn);
	}
	heard_size += (size_t)size;
	heard[heard_size] = '\0';
	return size > 0;
}

static void forget(size_t size)
{
	heard_size -= size;
	memmove(heard, heard + size, heard_size + 1);
}

/* The next thing that arrives is this. */
static void expect(const char *text)
{
	while (heard_size < strlen(text))
		ck_assert(hear());
	ck_assert_msg(strncmp(heard, text, strlen(text)) == 0,
		"expected %s, heard %s", text, heard);
	forget(strlen(text));
}

/* Returns the line with CONNECT. */
static const char *expect_connect(void)
{
	static char line[4096];
	char *end;

	heard[heard_size] = '\0';
	while ((end = strchr(heard, '\n')) == NULL)
		ck_assert(hear());
	snprintf(line, sizeof(line), "%.*s", (int)(end - heard), heard);
	ck_assert_int_eq(strncmp(line, "CONNECT {", 9), 0);
	forget((size_t)(end + 1 - heard));
	return line;
}

static void expect_end(void)
{
	while (hear())
		;
}

static void greet_at(int fd)
{
	accept_at(fd);
	say(info);
	expect_connect();
}

static void bring_up_at(int fd)
{
	unsigned int ups = scene.ups;

	greet_at(fd);
	while (strstr(heard, "PING\r\n") == NULL)
		ck_assert(hear());
	heard_size = 0;
	say("PONG\r\n");
	engine_scene_wait(&scene, &scene.ups, ups + 1);
}

static void bring_up(void)
{
	engine_scene_open(&scene);
	bring_up_at(listener);
}

/* Coming up */

START_TEST(it_is_up_when_the_server_has_accepted_all)
{
	engine_scene_open(&scene);
	ck_assert_int_eq(engine_subscribe(scene.engine, "a.*", NULL), 1);
	ck_assert_int_eq(engine_subscribe(scene.engine, "b", "q"), 2);
	greet_at(listener);
	expect("SUB a.* 1\r\nSUB b q 2\r\nPING\r\n");
	ck_assert(!engine_is_up(scene.engine));
	ck_assert_errno(engine_scene_publish(&scene, "a", NULL, "x"), ENOTCONN);
	say("PONG\r\n");
	engine_scene_wait(&scene, &scene.ups, 1);
	ck_assert(engine_is_up(scene.engine));
	ck_assert_uint_eq(engine_get_counters(scene.engine)->connected, 1);
}
END_TEST

START_TEST(the_server_speaks_first)
{
	engine_scene_open(&scene);
	accept_at(listener);
	say("PING\r\n");
	expect_end();
	ck_assert_uint_eq(heard_size, 0);
	engine_scene_wait(&scene, &scene.failures, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, "not the protocol"));
}
END_TEST

START_TEST(it_logs_in_with_the_file_of_its_options)
{
	const char *path = support_path("credentials"), *line;
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fputs("user me\npassword \"secret\"\n", file);
	ck_assert_int_eq(fchmod(fileno(file), 0600), 0);
	fclose(file);
	scene.options.credentials = path;
	engine_scene_open(&scene);
	/* It is read once. */
	ck_assert_int_eq(unlink(path), 0);
	accept_at(listener);
	say(info);
	line = expect_connect();
	ck_assert_ptr_nonnull(strstr(line, "\"user\":\"me\""));
	ck_assert_ptr_nonnull(strstr(line, "\"pass\":\"\\\"secret\\\"\""));
}
END_TEST

START_TEST(without_its_credentials_there_is_no_engine)
{
	scene.options.credentials = support_path("none");
	ck_assert_null_errno(engine_new(&scene.options), ENOENT);
}
END_TEST

START_TEST(another_host_is_no_engine_unless_allowed)
{
	scene.options.servers = "10.0.0.1:4222";
	ck_assert_null_errno(engine_new(&scene.options), EPERM);
	scene.options.is_any_allowed = true;
	engine_scene_open(&scene);
}
END_TEST

static const struct {
	const char *text;
	const char *why;
} unfit[] = {
	{ "INFO {\"headers\":true,\"tls_required\":true}\r\n", "TLS" },
	{ "INFO {\"max_payload\":1000}\r\n", "headers" },
	{ "INFO {\"headers\":1}\r\n", "not the protocol" },
	{ "HTTP/1.1 400 Bad Request\r\n", "not the protocol" },
	{ "-ERR 'maximum connections exceeded'\r\n",
		"maximum connections exceeded" },
};

START_TEST(a_server_that_does_not_fit_is_left)
{
	engine_scene_open(&scene);
	accept_at(listener);
	say(unfit[_i].text);
	expect_end();
	engine_scene_wait(&scene, &scene.failures, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, unfit[_i].why));
	bring_up_at(listener);
}
END_TEST

START_TEST(a_server_of_our_own_user_will_do)
{
	scene.options.user = 12345;
	bring_up();
}
END_TEST

/* Whose end it is counts, not who listens. */
static void accept_as_stranger(void)
{
	ck_assert_int_eq(seteuid(65534), 0);
	accept_at(listener);
	ck_assert_int_eq(seteuid(0), 0);
	say(info);
}

START_TEST(a_server_of_another_user_gets_nothing)
{
	scene.options.user = 12345;
	engine_scene_open(&scene);
	accept_as_stranger();
	expect_end();
	ck_assert_uint_eq(heard_size, 0);
	engine_scene_wait(&scene, &scene.failures, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, "another user"));
	bring_up_at(listener);
}
END_TEST

START_TEST(a_server_of_the_user_that_was_given_will_do)
{
	scene.options.user = 65534;
	engine_scene_open(&scene);
	accept_as_stranger();
	expect_connect();
}
END_TEST

START_TEST(a_refused_login_is_told_and_tried_again)
{
	engine_scene_open(&scene);
	greet_at(listener);
	say("-ERR 'Authorization Violation'\r\n");
	expect_end();
	engine_scene_wait(&scene, &scene.failures, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, "Authorization Violation"));
	ck_assert_uint_eq(scene.downs, 0);
	bring_up_at(listener);
}
END_TEST

START_TEST(a_server_that_says_nothing_is_given_up)
{
	scene.options.connect_us = 1000;
	engine_scene_open(&scene);
	engine_scene_wait(&scene, &scene.failures, 2);
	ck_assert_ptr_nonnull(strstr(scene.why, strerror(ETIMEDOUT)));
}
END_TEST

/* Messages */

START_TEST(a_message_reaches_its_handler)
{
	engine_scene_open(&scene);
	ck_assert_int_eq(engine_subscribe(scene.engine, "a.*", NULL), 1);
	bring_up_at(listener);
	say("MSG a.7 1 r.1 5\r\nhello\r\n");
	engine_scene_wait(&scene, &scene.messages, 1);
	ck_assert_str_eq(scene.subject, "a.7");
	ck_assert_str_eq(scene.reply, "r.1");
	ck_assert_str_eq(scene.data, "hello");
	say("HMSG a.7 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
	engine_scene_wait(&scene, &scene.messages, 2);
	ck_assert_uint_eq(scene.status, NATS_NO_RESPONDERS);
}
END_TEST

START_TEST(a_message_of_no_subscription_ends_the_connection)
{
	static const char *const texts[] = { "MSG a 0 0\r\n\r\n",
		"MSG a 2 0\r\n\r\n", "MSG a 18446744073709551615 0\r\n\r\n" };

	engine_scene_open(&scene);
	ck_assert_int_eq(engine_subscribe(scene.engine, "a", NULL), 1);
	bring_up_at(listener);
	say(texts[_i]);
	expect_end();
	engine_scene_wait(&scene, &scene.downs, 1);
	ck_assert_uint_eq(scene.messages, 0);
}
END_TEST

START_TEST(what_is_published_reaches_the_server)
{
	bring_up();
	ck_assert_int_eq(engine_scene_publish(&scene, "a", "r", "hello"), 0);
	ck_assert_int_eq(engine_scene_publish(&scene, "a", NULL, ""), 0);
	expect("PUB a r 5\r\nhello\r\nPUB a 0\r\n\r\n");
	ck_assert_uint_eq(engine_get_counters(scene.engine)->published, 2);
}
END_TEST

START_TEST(what_was_not_flushed_is_due_at_once)
{
	bring_up();
	ck_assert_int_eq(engine_publish(scene.engine, "a", NULL, NULL, 0), 0);
	ck_assert_int_eq(engine_get_deadline_us(scene.engine), UNIXMSG_NOW);
	engine_run(scene.engine);
	ck_assert_int_gt(engine_get_deadline_us(scene.engine), UNIXMSG_NOW);
	expect("PUB a 0\r\n\r\n");
}
END_TEST

START_TEST(the_limit_of_the_server_is_kept)
{
	char text[1002] = "";

	bring_up();
	memset(text, 'x', 1001);
	ck_assert_errno(engine_scene_publish(&scene, "a", NULL, text),
		EMSGSIZE);
	say("INFO {\"headers\":true,\"max_payload\":1001}\r\nPING\r\n");
	expect("PONG\r\n");
	ck_assert_int_eq(engine_scene_publish(&scene, "a", NULL, text), 0);
}
END_TEST

START_TEST(our_own_limit_is_kept_too)
{
	scene.options.payload_most = 4;
	engine_scene_open(&scene);
	ck_assert_int_eq(engine_subscribe(scene.engine, "a", NULL), 1);
	bring_up_at(listener);
	ck_assert_errno(engine_scene_publish(&scene, "a", NULL, "12345"),
		EMSGSIZE);
	say("MSG a 1 5\r\n12345\r\n");
	engine_scene_wait(&scene, &scene.messages, 1);
	ck_assert(!scene.is_kept);
	ck_assert_uint_eq(scene.size, 5);
}
END_TEST

START_TEST(a_subscription_may_come_later)
{
	bring_up();
	ck_assert_int_eq(engine_subscribe(scene.engine, "late", NULL), 1);
	engine_flush(scene.engine);
	expect("SUB late 1\r\n");
}
END_TEST

START_TEST(a_subscription_is_taken_back_and_made_again)
{
	engine_scene_open(&scene);
	ck_assert_int_eq(engine_subscribe(scene.engine, "a", "q"), 1);
	ck_assert_int_eq(engine_subscribe(scene.engine, "b", NULL), 2);
	ck_assert_int_eq(engine_set_subscribed(scene.engine, 1, false), 0);
	greet_at(listener);
	expect("SUB b 2\r\nPING\r\n");
	say("PONG\r\n");
	engine_scene_wait(&scene, &scene.ups, 1);
	ck_assert_int_eq(engine_set_subscribed(scene.engine, 1, true), 0);
	ck_assert_int_eq(engine_set_subscribed(scene.engine, 1, true), 0);
	ck_assert_int_eq(engine_set_subscribed(scene.engine, 2, false), 0);
	engine_flush(scene.engine);
	expect("SUB a q 1\r\nUNSUB 2\r\n");
	ck_assert_errno(engine_set_subscribed(scene.engine, 0, true), EINVAL);
	ck_assert_errno(engine_set_subscribed(scene.engine, 3, true), EINVAL);
}
END_TEST

START_TEST(subscriptions_are_bounded_and_checked)
{
	int i;

	engine_scene_open(&scene);
	ck_assert_errno(engine_subscribe(scene.engine, "a\r\nPUB x 0", NULL),
		EINVAL);
	ck_assert_errno(engine_subscribe(scene.engine, "a", "q x"), EINVAL);
	for (i = 1; i <= ENGINE_SUBSCRIPTIONS_MAX; i++)
		ck_assert_int_eq(engine_subscribe(scene.engine, "a", NULL), i);
	ck_assert_errno(engine_subscribe(scene.engine, "a", NULL), ENOSPC);
}
END_TEST

START_TEST(a_refusal_is_told_and_the_connection_stays)
{
	bring_up();
	say("-ERR 'Permissions Violation for Publish to \"a\"'\r\nPING\r\n");
	expect("PONG\r\n");
	ck_assert_uint_eq(scene.refusals, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, "Publish to \"a\""));
	ck_assert(engine_is_up(scene.engine));
}
END_TEST

/* A server that does not read */

START_TEST(what_waits_for_a_stuck_server_is_bounded)
{
	enum { BOUND = 20000 };
	char text[1000] = "", line[1100];
	unsigned int published = 0, i;

	memset(text, 'x', sizeof(text) - 1);
	scene.options.output_most = BOUND;
	bring_up();
	while (engine_scene_publish(&scene, "a", NULL, text) == 0)
		published++;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_uint_le(engine_get_waiting(scene.engine), BOUND);
	ck_assert_uint_ge(engine_get_waiting(scene.engine), BOUND - 1100);
	ck_assert_int_gt(engine_get_deadline_us(scene.engine), UNIXMSG_NOW);
	snprintf(line, sizeof(line), "PUB a %zu\r\n%s\r\n", strlen(text), text);
	for (i = 0; i < published; i++)
		expect(line);
	ck_assert_uint_eq(engine_get_waiting(scene.engine), 0);
}
END_TEST

START_TEST(who_does_not_answer_is_left_after_some_pings)
{
	scene.options.ping_us = 1000;
	scene.options.pings_max = 3;
	bring_up();
	expect_end();
	ck_assert_str_eq(heard, "PING\r\nPING\r\nPING\r\n");
	engine_scene_wait(&scene, &scene.downs, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, "no answer to 3 PING"));
}
END_TEST

START_TEST(who_answers_stays)
{
	int i;

	scene.options.ping_us = 1000;
	/* So many that no answer is late, even on a busy machine. */
	scene.options.pings_max = 500;
	bring_up();
	for (i = 0; i < 600; i++) {
		expect("PING\r\n");
		say("PONG\r\n");
	}
	ck_assert_uint_eq(scene.downs, 0);
}
END_TEST

START_TEST(an_answer_confirms_what_was_published_before)
{
	scene.options.ping_us = 1000;
	scene.options.pings_max = 1000000;
	bring_up();
	/* It answers this one only later. */
	expect("PING\r\n");
	ck_assert_int_eq(engine_scene_publish(&scene, "a", NULL, "x"), 0);
	ck_assert(engine_is_confirmed(scene.engine));
	ck_assert_int_eq(engine_confirm(scene.engine), 0);
	engine_flush(scene.engine);
	while (strstr(heard, "PUB a 1\r\nx\r\nPING\r\n") == NULL)
		ck_assert(hear());
	say("PONG\r\nPING\r\n");
	while (strstr(heard, "PONG\r\n") == NULL)
		ck_assert(hear());
	ck_assert(!engine_is_confirmed(scene.engine));
	while (!engine_is_confirmed(scene.engine)) {
		say("PONG\r\n");
		engine_scene_step(&scene, conn);
	}
}
END_TEST

START_TEST(a_lost_connection_confirms_no_more)
{
	bring_up();
	ck_assert_int_eq(engine_confirm(scene.engine), 0);
	ck_assert(!engine_is_confirmed(scene.engine));
	support_close(&conn);
	engine_scene_wait(&scene, &scene.downs, 1);
	ck_assert(engine_is_confirmed(scene.engine));
	ck_assert_errno(engine_confirm(scene.engine), ENOTCONN);
}
END_TEST

/* Losses */

START_TEST(a_lost_connection_is_made_anew_with_its_subscriptions)
{
	engine_scene_open(&scene);
	ck_assert_int_eq(engine_subscribe(scene.engine, "a", NULL), 1);
	bring_up_at(listener);
	support_close(&conn);
	engine_scene_wait(&scene, &scene.downs, 1);
	ck_assert(!engine_is_up(scene.engine));
	greet_at(listener);
	expect("SUB a 1\r\nPING\r\n");
	say("PONG\r\n");
	engine_scene_wait(&scene, &scene.ups, 2);
	ck_assert_uint_eq(engine_get_counters(scene.engine)->lost, 1);
}
END_TEST

START_TEST(half_a_message_is_not_continued_on_the_next_connection)
{
	engine_scene_open(&scene);
	ck_assert_int_eq(engine_subscribe(scene.engine, "a", NULL), 1);
	bring_up_at(listener);
	say("MSG a 1 5\r\nhel");
	support_close(&conn);
	engine_scene_wait(&scene, &scene.downs, 1);
	bring_up_at(listener);
	ck_assert_uint_eq(scene.messages, 0);
	say("MSG a 1 2\r\nlo\r\n");
	engine_scene_wait(&scene, &scene.messages, 1);
	ck_assert_str_eq(scene.data, "lo");
}
END_TEST

START_TEST(what_waited_is_not_sent_on_the_next_connection)
{
	static char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	bring_up();
	while (engine_scene_publish(&scene, "a", NULL, text) == 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	support_close(&conn);
	engine_scene_wait(&scene, &scene.downs, 1);
	ck_assert_uint_eq(engine_get_waiting(scene.engine), 0);
	greet_at(listener);
	expect("PING\r\n");
}
END_TEST

START_TEST(the_last_words_of_the_server_are_told)
{
	bring_up();
	say("-ERR 'Slow Consumer'\r\n");
	support_close(&conn);
	engine_scene_wait(&scene, &scene.downs, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, "Slow Consumer"));
}
END_TEST

/* With the loss of the connection and all that was said before it. */
START_TEST(a_push_calls_nothing)
{
	const struct linger reset = { .l_onoff = 1 };

	engine_scene_open(&scene);
	ck_assert_int_eq(engine_subscribe(scene.engine, "a", NULL), 1);
	bring_up_at(listener);
	say("MSG a 1 1\r\nx\r\n");
	ck_assert_int_eq(setsockopt(conn, SOL_SOCKET, SO_LINGER, &reset,
				 sizeof(reset)),
		0);
	support_close(&conn);
	ck_assert_int_eq(engine_subscribe(scene.engine, "b", NULL), 2);
	engine_push(scene.engine);
	ck_assert_uint_eq(scene.messages, 0);
	ck_assert_uint_eq(scene.downs, 0);
	engine_scene_wait(&scene, &scene.downs, 1);
}
END_TEST

START_TEST(garbage_ends_the_connection)
{
	bring_up();
	say("MSG a\r\n");
	expect_end();
	engine_scene_wait(&scene, &scene.downs, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, "not the protocol"));
	bring_up_at(listener);
}
END_TEST

START_TEST(the_next_server_of_the_list_is_tried)
{
	char list[64];
	unsigned int dead;
	int fd = open_listener(&dead);

	close(fd);
	snprintf(list, sizeof(list), "127.0.0.1:%u,127.0.0.1:%u", dead, port);
	scene.options.servers = list;
	engine_scene_open(&scene);
	bring_up_at(listener);
	ck_assert_uint_eq(scene.failures, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, strerror(ECONNREFUSED)));
}
END_TEST

START_TEST(a_server_that_was_told_takes_over)
{
	char text[200];
	unsigned int second_port;
	int second = open_listener(&second_port);

	bring_up();
	snprintf(text, sizeof(text),
		"INFO {\"headers\":true,\"connect_urls\":"
		"[\"10.0.0.1:4222\",\"127.0.0.1:%u\"]}\r\nPING\r\n",
		second_port);
	say(text);
	expect("PONG\r\n");
	support_close(&listener);
	support_close(&conn);
	engine_scene_wait(&scene, &scene.downs, 1);
	bring_up_at(second);
	close(second);
}
END_TEST

static void tell_of_server(unsigned int other_port)
{
	char text[200];

	snprintf(text, sizeof(text),
		"INFO {\"headers\":true,\"connect_urls\":"
		"[\"127.0.0.1:%u\"]}\r\nPING\r\n",
		other_port);
	say(text);
	expect("PONG\r\n");
}

/* The list that it was found in is another one since it came up. */
START_TEST(a_server_that_was_told_keeps_its_name)
{
	char name[32];
	unsigned int second_port;
	int second = open_listener(&second_port);

	bring_up();
	tell_of_server(second_port);
	support_close(&listener);
	support_close(&conn);
	engine_scene_wait(&scene, &scene.downs, 1);
	bring_up_at(second);
	tell_of_server(1);
	support_close(&conn);
	engine_scene_wait(&scene, &scene.downs, 2);
	snprintf(name, sizeof(name), "127.0.0.1:%u: ", second_port);
	ck_assert_msg(strncmp(scene.why, name, strlen(name)) == 0, "%s",
		scene.why);
	close(second);
}
END_TEST

/* Goes to a network where our own sockets can only have this port. */
static int enter_network_of_one_port(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, result;
	FILE *file;

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	result = ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "we");
	if (result < 0 || file == NULL)
		return -1;
	fputs("40001 40001", file);
	return fclose(file);
}

static bool can_enter_network_of_one_port(void)
{
	int how;
	pid_t pid = fork();

	if (pid == 0)
		_exit(enter_network_of_one_port() == 0 ? 0 : 1);
	return pid > 0 && support_waitpid(pid, &how) == pid && how == 0;
}

START_TEST(a_socket_that_is_connected_with_itself_is_no_server)
{
	ck_assert_int_eq(enter_network_of_one_port(), 0);
	scene.options.servers = "127.0.0.1:40001";
	engine_scene_open(&scene);
	engine_scene_wait(&scene, &scene.failures, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, strerror(ECONNREFUSED)));
}
END_TEST

/* Nobody listens: the pauses between tries double, and have a bound. */
START_TEST(the_pause_between_tries_doubles_up_to_a_bound)
{
	static const int64_t pauses_us[] = { 1000, 2000, 4000, 8000, 8000,
		8000 };
	int64_t before_us, at_us;
	unsigned int i;

	support_close(&listener);
	engine_scene_open(&scene);
	for (i = 0; i < COUNT(pauses_us); i++) {
		before_us = unixdeadline_now_us();
		engine_scene_wait(&scene, &scene.failures, i + 1);
		/* On a busy machine a round may see two of them. */
		if (scene.failures > i + 1)
			continue;
		at_us = engine_get_deadline_us(scene.engine);
		ck_assert_int_ge(at_us, before_us + pauses_us[i]);
		ck_assert_int_le(at_us, unixdeadline_now_us() + pauses_us[i]);
	}
}
END_TEST

START_TEST(the_pause_is_short_again_once_it_stays_up)
{
	int64_t at_us;

	scene.options.ping_us = 1000;
	scene.options.pings_max = 1000;
	engine_scene_open(&scene);
	accept_at(listener);
	support_close(&conn);
	engine_scene_wait(&scene, &scene.failures, 1);
	bring_up_at(listener);
	expect("PING\r\n");
	say("PONG\r\n");
	/* Its answer comes after that PONG was taken. */
	say("PING\r\n");
	while (strstr(heard, "PONG\r\n") == NULL)
		ck_assert(hear());
	support_close(&conn);
	engine_scene_wait(&scene, &scene.downs, 1);
	at_us = engine_get_deadline_us(scene.engine);
	ck_assert_int_le(at_us, unixdeadline_now_us() + scene.options.retry_us);
}
END_TEST

static TCase *make_losses(void)
{
	TCase *tcase = make_tcase_with("losses", set_up, tear_down);

	tcase_add_test(tcase,
		a_lost_connection_is_made_anew_with_its_subscriptions);
	tcase_add_test(tcase,
		half_a_message_is_not_continued_on_the_next_connection);
	tcase_add_test(tcase, what_waited_is_not_sent_on_the_next_connection);
	tcase_add_test(tcase, the_last_words_of_the_server_are_told);
	tcase_add_test(tcase, a_push_calls_nothing);
	tcase_add_test(tcase, garbage_ends_the_connection);
	tcase_add_test(tcase, the_next_server_of_the_list_is_tried);
	tcase_add_test(tcase, a_server_that_was_told_takes_over);
	tcase_add_test(tcase, a_server_that_was_told_keeps_its_name);
	support_add_test_if(tcase,
		a_socket_that_is_connected_with_itself_is_no_server,
		can_enter_network_of_one_port(),
		"no network of our own, or no choice of its ports");
	tcase_add_test(tcase, the_pause_between_tries_doubles_up_to_a_bound);
	tcase_add_test(tcase, the_pause_is_short_again_once_it_stays_up);
	return tcase;
}

static TCase *make_up(void)
{
	TCase *tcase = make_tcase_with("up", set_up, tear_down);

	tcase_add_test(tcase, it_is_up_when_the_server_has_accepted_all);
	tcase_add_test(tcase, the_server_speaks_first);
	tcase_add_test(tcase, it_logs_in_with_the_file_of_its_options);
	tcase_add_test(tcase, without_its_credentials_there_is_no_engine);
	tcase_add_test(tcase, another_host_is_no_engine_unless_allowed);
	tcase_add_loop_test(tcase, a_server_that_does_not_fit_is_left, 0,
		(int)COUNT(unfit));
	tcase_add_test(tcase, a_refused_login_is_told_and_tried_again);
	tcase_add_test(tcase, a_server_that_says_nothing_is_given_up);
	tcase_add_test(tcase, a_server_of_our_own_user_will_do);
	support_add_root_test(tcase, a_server_of_another_user_gets_nothing);
	support_add_root_test(tcase,
		a_server_of_the_user_that_was_given_will_do);
	return tcase;
}

static TCase *make_messages(void)
{
	TCase *tcase = make_tcase_with("messages", set_up, tear_down);

	tcase_add_test(tcase, a_message_reaches_its_handler);
	tcase_add_loop_test(tcase,
		a_message_of_no_subscription_ends_the_connection, 0, 3);
	tcase_add_test(tcase, what_is_published_reaches_the_server);
	tcase_add_test(tcase, what_was_not_flushed_is_due_at_once);
	tcase_add_test(tcase, the_limit_of_the_server_is_kept);
	tcase_add_test(tcase, our_own_limit_is_kept_too);
	tcase_add_test(tcase, a_subscription_may_come_later);
	tcase_add_test(tcase, a_subscription_is_taken_back_and_made_again);
	tcase_add_test(tcase, subscriptions_are_bounded_and_checked);
	tcase_add_test(tcase, a_refusal_is_told_and_the_connection_stays);
	tcase_add_test(tcase, what_waits_for_a_stuck_server_is_bounded);
	tcase_add_test(tcase, who_does_not_answer_is_left_after_some_pings);
	tcase_add_test(tcase, who_answers_stays);
	tcase_add_test(tcase, an_answer_confirms_what_was_published_before);
	tcase_add_test(tcase, a_lost_connection_confirms_no_more);
	return tcase;
}

int main(void)
{
	return support_run_cases("engine", make_up(), make_messages(),
		make_losses());
}
