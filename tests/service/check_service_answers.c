/* SPDX-License-Identifier: MIT */
/* Answers: now, later, several, to others, pushed, kept, and never. */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/service_private.h"
#include "support/service_scene.h"

static struct scene scene;
static struct client client, other;

static void answer(uint64_t peer, const char *text)
{
	int result = unixservice_send(scene.service, peer, text, strlen(text));

	ck_assert_msg(result == 1, "%d, %s", result, strerror(errno));
}

static void open_with_client(int kind, scene_act *act)
{
	scene_open_with(&scene, &client, kind, act, NULL);
}

/* The client says so and is heard: the number of its peer. */
static uint64_t hear(struct client *from, const char *text)
{
	client_ask(from, &scene, text);
	ck_assert_str_eq(scene.data, text);
	return scene.peer;
}

START_TEST(an_answer_comes_later)
{
	open_with_client(_i, scene_put_off);
	hear(&client, "hello");
	client_hear_nothing(&client);
	ck_assert_uint_eq(scene_count(&scene).waiting, 1);
	answer(scene.peer, "at last");
	client_hear(&client, "at last");
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
}
END_TEST

START_TEST(answers_come_in_another_order)
{
	uint64_t first, second;

	open_with_client(_i, scene_put_off);
	client_dial(&other, _i);
	first = hear(&client, "first");
	second = hear(&other, "second");
	ck_assert_uint_ne(first, second);
	answer(second, "to the second");
	answer(first, "to the first");
	client_hear(&client, "to the first");
	client_hear(&other, "to the second");
	ck_assert_uint_eq(scene_count(&scene).answered, 2);
}
END_TEST

/* Each send settles one, as long as there is one. */
START_TEST(each_message_put_off_is_one_answer)
{
	open_with_client(_i, scene_put_off);
	hear(&client, "1");
	hear(&client, "2");
	ck_assert_uint_eq(scene_count(&scene).waiting, 2);
	answer(scene.peer, "one");
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
	answer(scene.peer, "two");
	ck_assert_uint_eq(scene_count(&scene).answered, 2);
	answer(scene.peer, "three");
	ck_assert_uint_eq(scene_count(&scene).answered, 2);
	ck_assert_uint_eq(scene_count(&scene).pushed, 1);
}
END_TEST

static int answer_twice(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	scene_echo(at, peer, msg);
	return scene_echo(at, peer, msg);
}

START_TEST(one_message_may_have_several_answers)
{
	open_with_client(_i, answer_twice);
	hear(&client, "hello");
	client_hear(&client, "hello");
	client_hear(&client, "hello");
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
	ck_assert_uint_eq(scene_count(&scene).pushed, 1);
	ck_assert_uint_eq(scene_count(&scene).sent_bytes, 10);
}
END_TEST

START_TEST(a_message_may_have_no_answer)
{
	open_with_client(_i, scene_be_silent);
	hear(&client, "hello");
	ck_assert_uint_eq(scene_count(&scene).unanswered, 1);
	ck_assert_errno(unixservice_settle(scene.service, scene.peer), EINVAL);
}
END_TEST

START_TEST(a_message_put_off_may_be_settled)
{
	uint64_t peer;

	open_with_client(_i, scene_put_off);
	peer = hear(&client, "hello");
	ck_assert_int_eq(unixservice_settle(scene.service, peer), 0);
	ck_assert_uint_eq(scene_count(&scene).unanswered, 1);
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
	ck_assert_errno(unixservice_settle(scene.service, peer), EINVAL);
	ck_assert_int_eq(unixservice_close_peer(scene.service, peer), 0);
	ck_assert_errno(unixservice_settle(scene.service, peer), ENOTCONN);
}
END_TEST

/* An answer at once and "later" besides owe nothing more. */
static int answer_and_put_off(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	scene_echo(at, peer, msg);
	return UNIXSERVICE_LATER;
}

START_TEST(an_answer_at_once_settles_what_is_put_off)
{
	open_with_client(_i, answer_and_put_off);
	hear(&client, "hello");
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
}
END_TEST

static int tell_other(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	(void)peer;
	if (at->other != 0)
		ck_assert_int_eq(unixservice_send(at->service, at->other,
					 msg->data, msg->size),
			1);
	return UNIXSERVICE_DONE;
}

START_TEST(a_message_may_go_to_another_peer)
{
	open_with_client(_i, tell_other);
	client_dial(&other, _i);
	scene.other = hear(&other, "here I am");
	hear(&client, "for another");
	client_hear(&other, "for another");
	client_hear_nothing(&client);
	ck_assert_uint_eq(scene_count(&scene).unanswered, 2);
	ck_assert_uint_eq(scene_count(&scene).pushed, 1);
	ck_assert_uint_eq(scene_count(&scene).answered, 0);
}
END_TEST

/* One asks, another's message is the answer. */
START_TEST(the_answer_may_come_from_another_peer)
{
	open_with_client(_i, scene_put_off);
	client_dial(&other, _i);
	scene.other = hear(&client, "a question");
	scene.act = tell_other;
	hear(&other, "an answer");
	client_hear(&client, "an answer");
	client_hear_nothing(&other);
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
	ck_assert_uint_eq(scene_count(&scene).unanswered, 1);
	ck_assert_uint_eq(scene_count(&scene).pushed, 0);
}
END_TEST

START_TEST(a_peer_is_told_without_having_asked)
{
	open_with_client(_i, scene_be_silent);
	hear(&client, "hello");
	answer(scene.peer, "news");
	answer(scene.peer, "more");
	client_hear(&client, "news");
	client_hear(&client, "more");
	ck_assert_uint_eq(scene_count(&scene).pushed, 2);
	ck_assert_uint_eq(scene_count(&scene).answered, 0);
}
END_TEST

static int answer_in_parts(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	struct iovec parts[3] = { { (void *)"<", 1 }, { NULL, 0 },
		{ (void *)">", 1 } };
	struct unixmsg reply;

	parts[1] = (struct iovec){ msg->data, msg->room };
	unixmsg_init(&reply);
	reply.parts = parts;
	reply.parts_count = 3;
	ck_assert_int_eq(unixservice_send_msg(at->service, peer, &reply), 1);
	return UNIXSERVICE_DONE;
}

START_TEST(an_answer_of_several_parts_is_one_message)
{
	open_with_client(_i, answer_in_parts);
	hear(&client, "hello");
	client_hear(&client, "<hello>");
	hear(&client, "once more");
	client_hear(&client, "<once more>");
	ck_assert_uint_eq(scene_count(&scene).answered, 2);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
}
END_TEST

START_TEST(an_answer_without_parts_is_empty)
{
	struct unixmsg reply;

	open_with_client(_i, scene_put_off);
	hear(&client, "hello");
	unixmsg_init(&reply);
	ck_assert_int_eq(unixservice_send_msg(scene.service, scene.peer,
				 &reply),
		1);
	scene_serve(&scene);
	client_hear(&client, "");
}
END_TEST

/* Peers that are gone. */

START_TEST(a_peer_that_is_gone_is_not_connected)
{
	uint64_t peer;
	struct unixservice_peer_info info;

	open_with_client(_i, scene_be_silent);
	peer = hear(&client, "hello");
	ck_assert_int_eq(unixservice_close_peer(scene.service, peer), 0);
	ck_assert_errno(unixservice_send(scene.service, peer, "x", 1),
		ENOTCONN);
	ck_assert_errno(unixservice_close_peer(scene.service, peer), ENOTCONN);
	ck_assert_errno(unixservice_settle(scene.service, peer), ENOTCONN);
	ck_assert_errno(unixservice_get_peer_info(scene.service, peer, &info),
		ENOTCONN);
	ck_assert_errno(unixservice_send(scene.service, 12345, "x", 1),
		ENOTCONN);
	ck_assert_errno(unixservice_send(scene.service, UINT64_MAX, "x", 1),
		ENOTCONN);
}
END_TEST

START_TEST(an_answer_to_one_that_went_is_gone)
{
	uint64_t peer;

	open_with_client(_i, scene_put_off);
	peer = hear(&client, "hello");
	client_close(&client);
	ck_assert_errno(unixservice_send(scene.service, peer, "x", 1),
		_i == GRAM ? ENOTCONN : EPIPE);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
	/* A connection is looked at: there may be something to read. */
	ck_assert_uint_eq(scene_count(&scene).peers, _i != GRAM);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
}
END_TEST

START_TEST(what_was_owed_to_one_that_went_is_gone)
{
	open_with_client(PACKET + _i, scene_put_off);
	hear(&client, "hello");
	hear(&client, "again");
	ck_assert_int_eq(unixservice_close_peer(scene.service, scene.peer), 0);
	client_close(&client);
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "x", 1),
		ENOTCONN);
	ck_assert_uint_eq(scene_count(&scene).gone, 2);
}
END_TEST

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The places are few, and used again and again. */
/* One dispatch may leave a peer that has closed to the next one. */
static void dispatch_until_nobody_is_there(void)
{
	do
		ck_assert_int_eq(unixservice_dispatch(scene.service), 0);
	while (scene_count(&scene).peers > 0);
}

START_TEST(a_number_never_comes_back)
{
	enum { TIMES = 10000 };
	uint64_t *seen = calloc(TIMES, sizeof(*seen));
	struct unixconn *pair[2];
	int i;

	scene_open(&scene, scene_be_silent, NULL);
	for (i = 0; i < TIMES; i++) {
		ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
		ck_assert_int_eq(unixservice_add_conn(scene.service, pair[0], 0,
					 &seen[i]),
			0);
		unixconn_close(pair[1]);
		dispatch_until_nobody_is_there();
		ck_assert_errno(unixservice_send(scene.service, seen[i], "", 0),
			ENOTCONN);
	}
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_uint_eq(scene_count(&scene).peers_most, 1);
	ck_assert_errno(unixservice_send(scene.service, seen[0], "", 0),
		ENOTCONN);
	qsort(seen, TIMES, sizeof(*seen), compare);
	for (i = 1; i < TIMES; i++)
		ck_assert_uint_ne(seen[i - 1], seen[i]);
	free(seen);
}
END_TEST

static uint64_t add_and_close(void)
{
	struct unixconn *pair[2];
	uint64_t peer;

	ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
	ck_assert_int_eq(unixservice_add_conn(scene.service, pair[0], 0, &peer),
		0);
	unixconn_close(pair[1]);
	dispatch_until_nobody_is_there();
	return peer;
}

/* After four thousand million peers a place is left alone. */
START_TEST(a_place_whose_numbers_are_used_up_is_not_used_again)
{
	uint64_t first, last, next;

	scene_open(&scene, scene_be_silent, NULL);
	first = add_and_close();
	scene.service->places[0].generation = UINT32_MAX - 1;
	last = add_and_close();
	ck_assert_uint_eq((uint32_t)last, (uint32_t)first);
	next = add_and_close();
	ck_assert_uint_ne((uint32_t)next, (uint32_t)last);
	ck_assert_errno(unixservice_send(scene.service, last, "", 0), ENOTCONN);
}
END_TEST

static int close_and_answer(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	(void)msg;
	ck_assert_int_eq(unixservice_close_peer(at->service, peer), 0);
	ck_assert_errno(unixservice_send(at->service, peer, "x", 1), ENOTCONN);
	return at->number;
}

/* _i: kind, and what the handler gives. */
START_TEST(a_handler_that_has_closed_its_peer_may_give_anything)
{
	static const int results[] = { UNIXSERVICE_DONE, UNIXSERVICE_LATER,
		UNIXSERVICE_CLOSE };

	scene_open_kind(&scene, _i % KINDS, close_and_answer, NULL);
	scene.number = results[_i / KINDS];
	client_dial(&client, _i % KINDS);
	client_ask(&client, &scene, "hello");
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
	ck_assert_uint_eq(scene_count(&scene).gone,
		scene.number == UNIXSERVICE_LATER);
}
END_TEST

static void close_who_has_lost(struct scene *at,
	const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_LOST)
		ck_assert_int_eq(unixservice_close_peer(at->service,
					 event->peer),
			0);
}

/* It would have been closed next, and is closed once. */
START_TEST(a_watcher_may_close_who_is_gone)
{
	scene_open_with(&scene, &client, _i, scene_put_off, NULL);
	client_ask(&client, &scene, "hello");
	scene.react = close_who_has_lost;
	client_close(&client);
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "x", 1),
		ENOTCONN);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_LOST], 1);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	ck_assert_uint_eq(scene_count(&scene).gone, 1);
}
END_TEST

/* Without a name no answer can come back. */
static void send_unnamed(const char *text)
{
	int fd = open_socket(SOCK_DGRAM);

	ck_assert_int_eq(connect_to(fd, scene_address(GRAM)), 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int answer_nobody(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	ck_assert_errno(unixservice_send(at->service, peer, "x", 1), EINVAL);
	(void)msg;
	return at->number;
}

START_TEST(a_sender_without_an_address_is_peer_0)
{
	scene_open_kind(&scene, GRAM, answer_nobody, NULL);
	scene.number = _i;
	send_unnamed("hello");
	scene_serve(&scene);
	ck_assert_uint_eq(scene.heard, 1);
	ck_assert_uint_eq(scene.peer, 0);
	ck_assert_uint_eq(scene_count(&scene).unnamed, 1);
	ck_assert_uint_eq(scene_count(&scene).peers, 0);
	scene.act = scene_be_silent;
	send_unnamed("again");
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).unanswered, 1);
	scene.act = scene_put_off;
	send_unnamed("again");
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).unnamed, 2);
	ck_assert_errno(unixservice_send(scene.service, 0, "x", 1), EINVAL);
}
END_TEST

/* What the caller did wrong has not been sent, and answers nothing. */
static int answer_too_much(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	const size_t size = 8 << 20;
	char *large = calloc(1, size);

	ck_assert_errno(unixservice_send(at->service, peer, large, size),
		EMSGSIZE);
	free(large);
	return scene_echo(at, peer, msg);
}

START_TEST(an_answer_too_large_is_none)
{
	open_with_client(_i, answer_too_much);
	hear(&client, "hello");
	client_hear(&client, "hello");
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
	ck_assert_uint_eq(scene_count(&scene).pushed, 0);
	ck_assert_uint_eq(scene_count(&scene).pushed_lost, 0);
}
END_TEST

/* A buffer with room for it, which the kernel cannot give in one piece. */
START_TEST(an_answer_too_large_for_the_kernel_is_none)
{
	static char large[5 << 20];
	const int bytes = 16 << 20;
	struct unixconn *pair[2];
	uint64_t peer;

	scene_open(&scene, scene_be_silent, NULL);
	ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
	ck_assert_int_eq(setsockopt(unixconn_get_fd(pair[0]), SOL_SOCKET,
				 SO_SNDBUFFORCE, &bytes, sizeof(bytes)),
		0);
	ck_assert_int_eq(unixservice_add_conn(scene.service, pair[0], 0, &peer),
		0);
	ck_assert_errno(unixservice_send(scene.service, peer, large,
				sizeof(large)),
		EMSGSIZE);
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).pushed, 0);
	ck_assert_int_eq(unixconn_close(pair[1]), 0);
}
END_TEST

/* It goes to the peer, so that a handler may send on what it has got. */
START_TEST(the_address_of_an_answer_does_not_matter)
{
	struct unixaddr addr = address_of(support_path("elsewhere"));
	struct unixmsg msg;

	open_with_client(_i, scene_put_off);
	hear(&client, "hello");
	unixmsg_init(&msg);
	msg.addr = &addr;
	ck_assert_int_eq(unixservice_send_msg(scene.service, scene.peer, &msg),
		1);
	client_hear(&client, "");
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
}
END_TEST

START_TEST(an_impossible_message_is_refused)
{
	struct unixmsg msg = { .parts_count = 1 };

	open_with_client(_i, scene_put_off);
	hear(&client, "hello");
	ck_assert_errno(unixservice_send_msg(scene.service, scene.peer, &msg),
		EINVAL);
	msg.parts_count = 0;
	msg.reserved[0] = 1;
	ck_assert_errno(unixservice_send_msg(scene.service, scene.peer, &msg),
		EINVAL);
	ck_assert_uint_eq(scene_count(&scene).waiting, 1);
}
END_TEST

/* Descriptors. */

static void check_is_file(int fd, const char *path)
{
	struct stat of_fd, of_path = look_at(path);

	ck_assert_int_eq(fstat(fd, &of_fd), 0);
	ck_assert_uint_eq(of_fd.st_ino, of_path.st_ino);
}

static int receive_fd(struct client *from)
{
	char byte;
	int fd = -1;
	struct iovec part = { &byte, 1 };
	struct unixmsg msg;

	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	msg.fds = &fd;
	msg.fds_room = 1;
	msg.flags = UNIXMSG_PREFIX;
	ck_assert_int_eq(unixconn_recv_msg(from->conn, &msg, UNIXMSG_NOW), 1);
	return msg.fds_count == 1 ? fd : -1;
}

static void want_fds(struct client *of)
{
	ck_assert_int_eq(unixconn_want(of->conn, UNIXMSG_WANT_FDS), 0);
}

static int send_fd(uint64_t peer, int fd)
{
	struct iovec part = { (void *)"f", 1 };
	struct unixmsg msg;

	unixmsg_init(&msg);
	msg.parts = &part;
	msg.parts_count = 1;
	msg.fds = &fd;
	msg.fds_count = 1;
	return unixservice_send_msg(scene.service, peer, &msg);
}

/* The kernel tells it to the caller; nobody has got an answer. */
START_TEST(an_answer_with_a_bad_descriptor_is_none)
{
	open_with_client(_i, scene_put_off);
	hear(&client, "give it to me");
	ck_assert_errno(send_fd(scene.peer, 1000000), EBADF);
	ck_assert_uint_eq(scene_count(&scene).waiting, 1);
	ck_assert_uint_eq(scene_count(&scene).answered, 0);
	client_hear_nothing(&client);
	ck_assert_int_eq(unixservice_send(scene.service, scene.peer, "no", 2),
		1);
	client_hear(&client, "no");
	ck_assert_uint_eq(scene_count(&scene).answered, 1);
}
END_TEST

START_TEST(an_answer_carries_a_descriptor)
{
	int fd, got;

	open_with_client(_i, scene_put_off);
	want_fds(&client);
	make_file(support_path("file"), "text");
	fd = open(support_path("file"), O_RDONLY | O_CLOEXEC);
	hear(&client, "give it to me");
	ck_assert_int_eq(send_fd(scene.peer, fd), 1);
	/* It stays the caller's. */
	ck_assert_int_eq(close(fd), 0);
	got = receive_fd(&client);
	check_is_file(got, support_path("file"));
	close(got);
}
END_TEST

static void fill(uint64_t peer)
{
	static const char large[50000];

	while (scene_count(&scene).queued == 0)
		ck_assert_int_eq(unixservice_send(scene.service, peer, large,
					 sizeof(large)),
			1);
}

START_TEST(an_answer_that_is_kept_carries_a_descriptor)
{
	int fd, got = -1, before;

	open_with_client(_i, scene_put_off);
	want_fds(&client);
	make_file(support_path("file"), "text");
	fd = open(support_path("file"), O_RDONLY | O_CLOEXEC);
	hear(&client, "give it to me");
	fill(scene.peer);
	before = support_count_fds();
	ck_assert_int_eq(send_fd(scene.peer, fd), 1);
	ck_assert_int_eq(support_count_fds(), before + 1);
	close(fd);
	while (got < 0) {
		got = receive_fd(&client);
		if (scene_count(&scene).queued > 0)
			scene_serve(&scene);
	}
	check_is_file(got, support_path("file"));
	close(got);
	scene_serve_while(&scene, scene_count(&scene).queued > 0);
	ck_assert_int_eq(support_count_fds(), before - 1);
}
END_TEST

START_TEST(a_descriptor_that_is_kept_goes_with_its_peer)
{
	int ends[2];
	char byte;

	scene_open_with(&scene, &client, _i, scene_put_off, NULL);
	hear(&client, "give it to me");
	fill(scene.peer);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(send_fd(scene.peer, ends[1]), 1);
	close(ends[1]);
	ck_assert_errno((int)read(ends[0], &byte, 1), EAGAIN);
	client_close(&client);
	scene_serve_while(&scene, scene_count(&scene).peers > 0);
	/* The end: nobody has the other one any more. */
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}
END_TEST

START_TEST(frames_carry_no_descriptors)
{
	open_with_client(FRAMED, scene_put_off);
	hear(&client, "give it to me");
	ck_assert_errno(send_fd(scene.peer, 0), EINVAL);
	ck_assert_uint_eq(scene_count(&scene).waiting, 1);
	fill(scene.peer);
	ck_assert_errno(send_fd(scene.peer, 0), EINVAL);
	ck_assert_uint_eq(scene_count(&scene).queued, 1);
}
END_TEST

/* What comes with a message. */

static int keep_fd(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	(void)peer;
	at->number = msg->fds_count == 1 ? msg->fds[0] : -1;
	if (at->other == 1)
		msg->fds_count = 0;
	return UNIXSERVICE_DONE;
}

static void send_file(struct client *from)
{
	struct unixmsg msg;
	int fd = open(support_path("file"), O_RDONLY | O_CLOEXEC);

	unixmsg_init(&msg);
	msg.data = (char[]){ 'f' };
	msg.room = 1;
	msg.fds = &fd;
	msg.fds_count = 1;
	ck_assert_int_eq(unixconn_send_msg(from->conn, &msg, UNIXMSG_NOW), 1);
	close(fd);
}

/* Also from one who connected before it was known that they are wanted. */
START_TEST(a_message_brings_a_descriptor)
{
	struct unixservice_options options = scene_options();
	struct unixlistener *listener;

	make_file(support_path("file"), "text");
	options.wants = UNIXMSG_WANT_FDS;
	options.fds_max = 1;
	scene_open(&scene, keep_fd, &options);
	if (_i == GRAM) {
		scene_listen(&scene, GRAM);
		client_dial(&client, GRAM);
	} else {
		listener = unixlistener_open("unixpacket",
			scene_address(PACKET), NULL);
		client_dial(&client, PACKET);
		ck_assert_int_eq(unixservice_add_listener(scene.service,
					 listener, 0),
			0);
		scene_serve(&scene);
	}
	send_file(&client);
	scene_serve(&scene);
	ck_assert_int_ge(scene.number, 0);
	ck_assert_errno(fcntl(scene.number, F_GETFD), EBADF);
	scene.other = 1;
	send_file(&client);
	scene_serve(&scene);
	check_is_file(scene.number, support_path("file"));
	ck_assert_int_eq(fcntl(scene.number, F_GETFD), FD_CLOEXEC);
	close(scene.number);
}
END_TEST

START_TEST(descriptors_nobody_wants_are_not_kept)
{
	int before, i, sent = 0;

	open_with_client(_i, scene_echo);
	make_file(support_path("file"), "text");
	hear(&client, "hello");
	before = support_count_fds();
	for (i = 0; i < 8; i++) {
		int fd = open(support_path("file"), O_RDONLY | O_CLOEXEC);

		sent += support_send_fds(client_get_fd(&client), "f", 1, fd,
				8) == 1;
		close(fd);
		scene_serve(&scene);
	}
	ck_assert_int_eq(support_count_fds(), before);
	ck_assert_uint_eq(scene_count(&scene).received, (unsigned int)sent + 1);
}
END_TEST

static TCase *make_answer_tests(void)
{
	TCase *tcase = make_scene_tcase("answers");

	tcase_add_loop_test(tcase, an_answer_comes_later, 0, KINDS);
	tcase_add_loop_test(tcase, answers_come_in_another_order, 0, KINDS);
	tcase_add_loop_test(tcase, each_message_put_off_is_one_answer, 0,
		KINDS);
	tcase_add_loop_test(tcase, one_message_may_have_several_answers, 0,
		KINDS);
	tcase_add_loop_test(tcase, a_message_may_have_no_answer, 0, KINDS);
	tcase_add_loop_test(tcase, a_message_put_off_may_be_settled, 0, KINDS);
	tcase_add_loop_test(tcase, an_answer_at_once_settles_what_is_put_off, 0,
		KINDS);
	tcase_add_loop_test(tcase, a_message_may_go_to_another_peer, 0, KINDS);
	tcase_add_loop_test(tcase, the_answer_may_come_from_another_peer, 0,
		KINDS);
	tcase_add_loop_test(tcase, a_peer_is_told_without_having_asked, 0,
		KINDS);
	tcase_add_loop_test(tcase, an_answer_of_several_parts_is_one_message, 0,
		KINDS);
	tcase_add_loop_test(tcase, an_answer_without_parts_is_empty, 0,
		KINDS_OF_MESSAGES);
	return tcase;
}

static TCase *make_gone_tests(void)
{
	TCase *tcase = make_scene_tcase("gone");

	tcase_add_loop_test(tcase, a_peer_that_is_gone_is_not_connected, 0,
		KINDS);
	tcase_add_loop_test(tcase, an_answer_to_one_that_went_is_gone, 0,
		KINDS);
	tcase_add_loop_test(tcase, what_was_owed_to_one_that_went_is_gone, 0,
		KINDS - 1);
	tcase_add_test(tcase, a_number_never_comes_back);
	tcase_add_test(tcase,
		a_place_whose_numbers_are_used_up_is_not_used_again);
	tcase_add_loop_test(tcase, a_watcher_may_close_who_is_gone, 0, KINDS);
	tcase_add_loop_test(tcase,
		a_handler_that_has_closed_its_peer_may_give_anything, 0,
		3 * KINDS);
	tcase_add_loop_test(tcase, a_sender_without_an_address_is_peer_0,
		UNIXSERVICE_DONE, UNIXSERVICE_CLOSE + 1);
	tcase_add_loop_test(tcase, an_answer_too_large_is_none, 0,
		KINDS_OF_MESSAGES - 1);
	support_add_test_if(tcase, an_answer_too_large_for_the_kernel_is_none,
		support_can_force_buffers(), "no right to force buffers");
	tcase_add_loop_test(tcase, the_address_of_an_answer_does_not_matter, 0,
		KINDS);
	tcase_add_loop_test(tcase, an_impossible_message_is_refused, 0, KINDS);
	return tcase;
}

static TCase *make_descriptor_tests(void)
{
	TCase *tcase = make_scene_tcase("descriptors");

	tcase_add_loop_test(tcase, an_answer_with_a_bad_descriptor_is_none, 0,
		FRAMED);
	tcase_add_loop_test(tcase, an_answer_carries_a_descriptor, 0, FRAMED);
	tcase_add_loop_test(tcase, an_answer_that_is_kept_carries_a_descriptor,
		0, FRAMED);
	tcase_add_loop_test(tcase, a_descriptor_that_is_kept_goes_with_its_peer,
		0, FRAMED);
	tcase_add_test(tcase, frames_carry_no_descriptors);
	tcase_add_loop_test(tcase, a_message_brings_a_descriptor, 0, FRAMED);
	tcase_add_loop_test(tcase, descriptors_nobody_wants_are_not_kept, 0,
		FRAMED);
	return tcase;
}

int main(void)
{
	return support_run_cases("service_answers", make_answer_tests(),
		make_gone_tests(), make_descriptor_tests());
}
