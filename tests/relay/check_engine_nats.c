/* SPDX-License-Identifier: MIT */
/* The engine with a real nats-server, where one is installed. */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "support/engine_scene.h"

enum { PAYLOAD_MOST = 65536 };

static const char *const programs[] = { "/usr/sbin/nats-server",
	"/usr/bin/nats-server", "/usr/local/bin/nats-server" };

static struct engine_scene scene, other;
static pid_t server;
static int log_fd;
static unsigned int port;

static const char *find_program(void)
{
	size_t i;

	for (i = 0; i < COUNT(programs); i++)
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	return NULL;
}

static const char *write_file(const char *name, const char *text)
{
	const char *path = support_path(name);
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fchmod(fileno(file), 0600), 0);
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

static const char *write_config(void)
{
	char text[1024], number[16] = "-1";

	if (port != 0)
		snprintf(number, sizeof(number), "%u", port);
	snprintf(text, sizeof(text),
		"listen: \"127.0.0.1:%s\"\n"
		"max_payload: %d\n"
		"authorization { users: [ { user: \"relay\","
		" password: \"a \\\"b\\\"\", permissions: {"
		" publish: [\"uxg.1.>\"], subscribe: [\"uxg.1.>\"] } } ] }\n",
		number, PAYLOAD_MOST);
	return write_file("nats.conf", text);
}

/* Reads what the server logs until it is ready. */
static void wait_until_ready(int log)
{
	static const char sign[] = "client connections on 127.0.0.1:";
	char text[8192] = "", *at;
	size_t size = 0;
	ssize_t step;

	while (strstr(text, "Server is ready") == NULL) {
		step = TEMP_FAILURE_RETRY(
			read(log, text + size, sizeof(text) - 1 - size));
		ck_assert_msg(step > 0, "nats-server ends: %s", text);
		size += (size_t)step;
		text[size] = '\0';
	}
	at = strstr(text, sign);
	ck_assert_ptr_nonnull(at);
	port = (unsigned int)strtoul(at + strlen(sign), NULL, 10);
}

/* At the port that it had before, or at any. A program in Go would end when it
 * logs into a pipe that nobody reads from: it stays open. */
static void start_server(void)
{
	const char *config = write_config(), *program = find_program();
	int log[2];

	ck_assert_int_eq(pipe(log), 0);
	server = support_fork();
	if (server == 0) {
		dup2(log[1], STDERR_FILENO);
		close(log[0]);
		close(log[1]);
		execl(program, program, "-c", config, (char *)NULL);
		_exit(127);
	}
	close(log[1]);
	wait_until_ready(log[0]);
	log_fd = log[0];
}

static void kill_server(void)
{
	if (server == 0)
		return;
	kill(server, SIGKILL);
	support_waitpid(server, NULL);
	close(log_fd);
	server = 0;
}

static void set_up(void)
{
	port = 0;
	start_server();
	engine_scene_init(&scene, port);
	scene.options.credentials =
		write_file("credentials", "user relay\npassword a \"b\"\n");
	other = scene;
	other.options.context = &other;
}

static void tear_down(void)
{
	engine_scene_close(&scene);
	engine_scene_close(&other);
	kill_server();
}

static void bring_up(struct engine_scene *it, const char *subject)
{
	engine_scene_open(it);
	if (subject != NULL)
		ck_assert_int_eq(engine_subscribe(it->engine, subject, NULL),
			1);
	engine_scene_wait(it, &it->ups, 1);
}

/* Rounds of both. */
static void wait_of_both(const unsigned int *number, unsigned int least)
{
	while (*number < least) {
		engine_scene_step(&scene, engine_get_fd(other.engine));
		engine_run(other.engine);
	}
}

START_TEST(it_comes_up_with_its_credentials)
{
	bring_up(&scene, "uxg.1.a");
	ck_assert_uint_eq(scene.failures, 0);
}
END_TEST

START_TEST(a_wrong_password_is_told)
{
	scene.options.credentials =
		write_file("wrong", "user relay\npassword a b\n");
	engine_scene_open(&scene);
	engine_scene_wait(&scene, &scene.failures, 2);
	ck_assert_msg(strstr(scene.why, "Authorization Violation") != NULL,
		"%s", scene.why);
	ck_assert_uint_eq(scene.ups, 0);
}
END_TEST

START_TEST(a_message_and_its_answer_pass)
{
	bring_up(&scene, "uxg.1.a");
	bring_up(&other, "uxg.1.r.*");
	ck_assert_int_eq(engine_scene_publish(&other, "uxg.1.a", "uxg.1.r.7",
				 "hello"),
		0);
	wait_of_both(&scene.messages, 1);
	ck_assert_str_eq(scene.subject, "uxg.1.a");
	ck_assert_str_eq(scene.reply, "uxg.1.r.7");
	ck_assert_str_eq(scene.data, "hello");
	ck_assert_int_eq(engine_scene_publish(&scene, scene.reply, NULL, ""),
		0);
	wait_of_both(&other.messages, 1);
	ck_assert_str_eq(other.subject, "uxg.1.r.7");
	ck_assert_uint_eq(other.size, 0);
	ck_assert_uint_eq(other.status, 0);
}
END_TEST

START_TEST(nobody_there_is_told_at_once)
{
	bring_up(&scene, "uxg.1.s.*");
	ck_assert_int_eq(engine_scene_publish(&scene, "uxg.1.none", "uxg.1.s.3",
				 "x"),
		0);
	engine_scene_wait(&scene, &scene.messages, 1);
	ck_assert_uint_eq(scene.status, NATS_NO_RESPONDERS);
	ck_assert_str_eq(scene.subject, "uxg.1.s.3");
}
END_TEST

START_TEST(our_own_messages_do_not_come_back)
{
	bring_up(&scene, "uxg.1.>");
	bring_up(&other, NULL);
	ck_assert_int_eq(engine_scene_publish(&scene, "uxg.1.x", NULL, "mine"),
		0);
	ck_assert_int_eq(engine_scene_publish(&other, "uxg.1.x", NULL,
				 "theirs"),
		0);
	wait_of_both(&scene.messages, 1);
	ck_assert_str_eq(scene.data, "theirs");
}
END_TEST

START_TEST(publishing_without_permission_is_told)
{
	bring_up(&scene, NULL);
	ck_assert_int_eq(engine_scene_publish(&scene, "elsewhere", NULL, "x"),
		0);
	engine_scene_wait(&scene, &scene.refusals, 1);
	ck_assert_msg(strstr(scene.why, "Permissions Violation") != NULL, "%s",
		scene.why);
	ck_assert(engine_is_up(scene.engine));
}
END_TEST

START_TEST(subscribing_without_permission_keeps_it_down)
{
	engine_scene_open(&scene);
	ck_assert_int_eq(engine_subscribe(scene.engine, "elsewhere", NULL), 1);
	engine_scene_wait(&scene, &scene.failures, 2);
	ck_assert_msg(strstr(scene.why, "Permissions Violation") != NULL, "%s",
		scene.why);
	ck_assert_uint_eq(scene.ups, 0);
}
END_TEST

START_TEST(the_largest_message_passes_and_no_larger_one)
{
	static char bytes[PAYLOAD_MOST + 1];
	struct iovec part = { bytes, PAYLOAD_MOST + 1 };

	bring_up(&scene, "uxg.1.a");
	bring_up(&other, NULL);
	ck_assert_errno(engine_publish(other.engine, "uxg.1.a", NULL, &part, 1),
		EMSGSIZE);
	part.iov_len--;
	ck_assert_int_eq(engine_publish(other.engine, "uxg.1.a", NULL, &part,
				 1),
		0);
	engine_flush(other.engine);
	wait_of_both(&scene.messages, 1);
	ck_assert_uint_eq(scene.size, PAYLOAD_MOST);
	ck_assert(scene.is_kept);
	ck_assert(engine_is_up(other.engine));
}
END_TEST

START_TEST(a_killed_server_is_found_again)
{
	bring_up(&scene, "uxg.1.a");
	kill_server();
	engine_scene_wait(&scene, &scene.downs, 1);
	ck_assert_errno(engine_scene_publish(&scene, "uxg.1.a", NULL, "x"),
		ENOTCONN);
	start_server();
	engine_scene_wait(&scene, &scene.ups, 2);
	bring_up(&other, NULL);
	ck_assert_int_eq(engine_scene_publish(&other, "uxg.1.a", NULL, "again"),
		0);
	wait_of_both(&scene.messages, 1);
	ck_assert_str_eq(scene.data, "again");
}
END_TEST

START_TEST(a_stopped_server_is_left_and_found_again)
{
	scene.options.ping_us = 20000;
	scene.options.connect_us = 200000;
	bring_up(&scene, NULL);
	kill(server, SIGSTOP);
	engine_scene_wait(&scene, &scene.downs, 1);
	ck_assert_ptr_nonnull(strstr(scene.why, "no answer to 4 PING"));
	/* The kernel still connects, for a server that says nothing. */
	engine_scene_wait(&scene, &scene.failures, 1);
	kill(server, SIGCONT);
	engine_scene_wait(&scene, &scene.ups, 2);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("nats-server", set_up, tear_down);
	bool is_there = find_program() != NULL;
	static const TTest *const *const tests[] = {
		&it_comes_up_with_its_credentials,
		&a_wrong_password_is_told,
		&a_message_and_its_answer_pass,
		&nobody_there_is_told_at_once,
		&our_own_messages_do_not_come_back,
		&publishing_without_permission_is_told,
		&subscribing_without_permission_keeps_it_down,
		&the_largest_message_passes_and_no_larger_one,
		&a_killed_server_is_found_again,
		&a_stopped_server_is_left_and_found_again,
	};
	size_t i;

	for (i = 0; i < COUNT(tests); i++)
		support_add_test_if(tcase, *tests[i], is_there,
			"no nats-server");
	return support_run_cases("engine_nats", tcase);
}
