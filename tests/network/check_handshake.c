/* SPDX-License-Identifier: MIT */
/* How connections come to a lane, and what they do when they get none. */
#include <config.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "lane/segment.h"
#include "network/conn_private.h"
#include "network/handshake.h"
#include "network/listener_private.h"
#include "support/scene.h"
#include "support/talk.h"

enum { RING = 65536, SOON = 40, BIG = 50000 };

static struct unixconn *client, *server;
static char bytes[BIG], got[BIG];

static struct packet *as_packet(struct unixconn *conn)
{
	return unixhandshake__get(conn);
}

static bool has_lane(struct unixconn *conn)
{
	return as_packet(conn)->is_in && as_packet(conn)->is_out;
}

static bool is_plain(struct unixconn *conn)
{
	return !as_packet(conn)->is_in && !as_packet(conn)->is_out &&
		as_packet(conn)->lane.mine.page == NULL &&
		as_packet(conn)->mine.page == NULL;
}

static void dial_and_accept(const char *name, struct unixlistener *listener,
	const struct network *network)
{
	client = unixconn__dial(network, name, NULL, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	server = accept_conn(listener);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void open_both(void)
{
	const char *name = support_abstract("handshake");
	struct unixlistener *listener =
		unixlistener_open("unixpacket", name, NULL);

	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(unixlistener_set_lane(listener, RING), 0);
	dial_and_accept(name, listener, &unixnetwork__packet_lane);
}

static void close_both(void)
{
	close_conn(client);
	close_conn(server);
}

static void send_number(struct unixconn *conn, unsigned int number, size_t size)
{
	memcpy(bytes, &number, sizeof(number));
	ck_assert_int_eq(unixconn_send(conn, bytes, size, UNIXMSG_FOREVER), 1);
}

static void expect_number(struct unixconn *conn, unsigned int number,
	size_t size)
{
	unsigned int found;
	size_t got_size;

	ck_assert_int_eq(unixconn_recv(conn, got, sizeof(got), &got_size,
				 UNIXMSG_FOREVER),
		1);
	memcpy(&found, got, sizeof(found));
	ck_assert_uint_eq(got_size, size);
	ck_assert_uint_eq(found, number);
}

/* One asks and the other answers. */
static void talk(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		send_number(client, i, sizeof(i));
		expect_number(server, i, sizeof(i));
		send_number(server, i, sizeof(i));
		expect_number(client, i, sizeof(i));
	}
}

START_TEST(who_talks_for_a_while_gets_a_lane)
{
	open_both();
	talk(15);
	ck_assert(is_plain(client) && is_plain(server));
	talk(SOON);
	ck_assert(has_lane(client) && has_lane(server));
	talk(SOON);
	ck_assert_uint_eq(as_packet(client)->lane.detours, 0);
	close_both();
}
END_TEST

/* Nothing comes to the ring that long. */
START_TEST(a_spin_in_vain_ends_in_a_wait)
{
	struct unixmsg msg = { .data = got, .room = sizeof(got) };
	int64_t deadline_us;

	open_both();
	talk(15 + SOON);
	ck_assert(has_lane(client));
	unixconn_set_spin_us(client, 100);
	deadline_us = unixdeadline_after_ms(20);
	ck_assert_errno(_i == 0 ? unixconn_recv(client, got, sizeof(got), NULL,
					  deadline_us)
				: unixconn_recv_msg(client, &msg, deadline_us),
		ETIMEDOUT);
	send_number(server, 7, sizeof(int));
	expect_number(client, 7, sizeof(int));
	close_both();
}
END_TEST

/* Also where a side only sends, and never receives. */
START_TEST(one_direction_is_enough)
{
	struct unixconn *from, *to;
	unsigned int i;

	open_both();
	from = _i == 0 ? client : server;
	to = _i == 0 ? server : client;
	for (i = 0; i < 200; i++) {
		send_number(from, i, sizeof(i));
		expect_number(to, i, sizeof(i));
	}
	ck_assert(as_packet(from)->is_out);
	ck_assert(as_packet(to)->is_in);
	close_both();
}
END_TEST

START_TEST(who_only_sends_batches_gets_a_lane)
{
	static const size_t sizes[] = { 2, 3, 15, 16, 17, 32, 48, 64 };
	const size_t size = sizes[_i];
	struct unixmsg msgs[64];
	size_t i, sent;

	open_both();
	for (i = 0; i < size; i++) {
		unixmsg_init(&msgs[i]);
		msgs[i].data = bytes;
		msgs[i].room = sizeof(int);
	}
	memset(bytes, 0, sizeof(int));
	for (sent = 0; sent < 320; sent += size) {
		ck_assert_int_eq(unixconn_send_batch(client, msgs, size, &i,
					 UNIXMSG_FOREVER),
			1);
		for (i = 0; i < size; i++)
			expect_number(server, 0, sizeof(int));
	}
	ck_assert(as_packet(client)->is_out);
	ck_assert(as_packet(server)->is_in);
	close_both();
}
END_TEST

START_TEST(what_is_on_its_way_stays_in_order)
{
	unsigned int sent = 0, received = 0;
	size_t size;

	open_both();
	while (received < 2000) {
		while (sent - received < 1 + sent % 7) {
			size = sent % 50 == 0 ? BIG : sizeof(sent);
			send_number(client, sent, size);
			send_number(server, sent, size);
			sent++;
		}
		size = received % 50 == 0 ? BIG : sizeof(sent);
		expect_number(server, received, size);
		expect_number(client, received, size);
		received++;
	}
	ck_assert(has_lane(client) && has_lane(server));
	close_both();
}
END_TEST

static size_t get_unread(struct unixconn *conn)
{
	size_t unread = 12345;

	ck_assert_int_eq(unixconn_get_unread(conn, &unread), 0);
	return unread;
}

START_TEST(what_was_sent_before_the_lane_is_unread_until_it_is_read)
{
	unsigned int i;

	open_both();
	talk(16);
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OFFERED);
	send_number(server, 7, sizeof(int));
	for (i = 0; i < SOON; i++) {
		send_number(client, i, sizeof(i));
		expect_number(server, i, sizeof(i));
	}
	ck_assert(as_packet(server)->is_out);
	ck_assert_uint_gt(get_unread(server), 0);
	expect_number(client, 7, sizeof(int));
	expect_nothing(client);
	ck_assert_uint_eq(get_unread(server), 0);
	close_both();
}
END_TEST

START_TEST(a_plain_server_goes_on_without_one)
{
	const char *name = support_abstract("handshake");
	struct unixlistener *listener =
		unixlistener_open("unixpacket", name, NULL);
	unsigned int i;

	ck_assert_ptr_nonnull(listener);
	dial_and_accept(name, listener, &unixnetwork__packet_lane);
	for (i = 0; i < 300; i++) {
		send_number(client, i, sizeof(i));
		expect_number(server, i, sizeof(i));
		send_number(server, i, sizeof(i));
		expect_number(client, i, sizeof(i));
	}
	ck_assert(is_plain(client));
	ck_assert_int_eq(as_packet(client)->stage, HANDSHAKE_OVER);
	close_both();
}
END_TEST

/* A message of the server lies before its offer: no look of the sender finds
 * that. */
START_TEST(an_offer_is_found_however_many_were_sent_before)
{
	unsigned int i;

	open_both();
	send_number(server, 7, sizeof(int));
	for (i = 0; i < 5000; i++) {
		send_number(client, i, sizeof(i));
		expect_number(server, i, sizeof(i));
	}
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OFFERED);
	expect_number(client, 7, sizeof(int));
	expect_nothing(client);
	talk(SOON);
	ck_assert(has_lane(client) && has_lane(server));
	close_both();
}
END_TEST

START_TEST(a_plain_client_gets_none)
{
	const char *name = support_abstract("handshake");
	struct unixlistener *listener =
		unixlistener_open("unixpacket", name, NULL);

	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(unixlistener_set_lane(listener, RING), 0);
	dial_and_accept(name, listener, &unixnetwork__packet);
	talk(2 * SOON);
	ck_assert(is_plain(server));
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OVER);
	close_both();
}
END_TEST

enum { HOLES = 32 };
static int fillers[HOLES], fillers_count;

/* Every descriptor below the limit is in use then, or was. */
static void use_up_fds(void)
{
	const int above = fcntl(STDERR_FILENO, F_DUPFD, SUPPORT_FDS);
	int fd = 0, last = above;

	while (fcntl(--last, F_GETFD) < 0)
		;
	close(above);
	while (fd <= last) {
		ck_assert_int_lt(fillers_count, HOLES);
		fd = fillers[fillers_count++] = dup(STDERR_FILENO);
	}
	close(fillers[--fillers_count]);
	support_limit_fds(0);
}

static void let_fds_go(void)
{
	support_lift_fds_limit();
	while (fillers_count > 0)
		close(fillers[--fillers_count]);
}

/* The next message on the client's socket is the offer. */
static void have_it_offered(void)
{
	talk(15);
	send_number(client, 0, sizeof(int));
	send_number(client, 1, sizeof(int));
	expect_number(server, 0, sizeof(int));
	expect_number(server, 1, sizeof(int));
	ck_assert_int_eq(as_packet(server)->stage, HANDSHAKE_OFFERED);
}

/* The server cannot make its memory, or the client its own. */
START_TEST(a_shortage_leaves_it_without_one)
{
	open_both();
	if (_i == 1)
		have_it_offered();
	use_up_fds();
	talk(SOON);
	ck_assert(is_plain(client) && is_plain(server));
	let_fds_go();
	talk(SOON);
	ck_assert(is_plain(client) && is_plain(server));
	close_both();
}
END_TEST

/* Another thread has taken the descriptor that was kept free for it. */
static void take_the_spare(void)
{
	struct packet *packet = as_packet(client);

	ck_assert_int_gt(packet->spare_fd, 0);
	close(packet->spare_fd);
	packet->spare_fd = 0;
	use_up_fds();
}

START_TEST(an_offer_that_lost_its_descriptor_waits_for_a_free_one)
{
	open_both();
	have_it_offered();
	take_the_spare();
	ck_assert_errno(unixconn_recv(client, got, sizeof(got), NULL,
				UNIXMSG_FOREVER),
		EMFILE);
	let_fds_go();
	expect_nothing(client);
	talk(SOON);
	ck_assert(has_lane(client) && has_lane(server));
	close_both();
}
END_TEST

/* While it is set, the kernel gives out no descriptor of a message, as with a
 * security module that refuses all. */
static bool is_refusing;

ssize_t __real_recvmsg(int fd, struct msghdr *header, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags);

ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags)
{
	struct rlimit before, none;
	ssize_t result;

	if (!is_refusing)
		return __real_recvmsg(fd, header, flags);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	result = __real_recvmsg(fd, header, flags);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	return result;
}

START_TEST(an_offer_whose_memory_is_refused_leaves_it_without_one)
{
	open_both();
	have_it_offered();
	is_refusing = true;
	expect_nothing(client);
	talk(SOON);
	is_refusing = false;
	ck_assert(!has_lane(client) && !has_lane(server));
	close_both();
}
END_TEST

/* The first may be a message of the program that looks like an offer. */
START_TEST(an_offer_after_a_refused_one_is_taken)
{
	open_both();
	ck_assert_int_eq(unixoffer__send(unixconn_get_fd(server), OFFER_HELLO,
				 &as_packet(client)->key, STDERR_FILENO),
		0);
	is_refusing = true;
	expect_nothing(client);
	is_refusing = false;
	talk(SOON);
	ck_assert(has_lane(client) && has_lane(server));
	close_both();
}
END_TEST

/* It looks for the offer once in sixteen sends. */
START_TEST(who_only_sends_is_not_stopped_by_such_an_offer)
{
	unsigned int i;

	open_both();
	have_it_offered();
	take_the_spare();
	errno = EBADMSG;
	for (i = 0; i < SOON; i++)
		send_number(client, i, sizeof(i));
	ck_assert_int_eq(errno, EBADMSG);
	let_fds_go();
	close_both();
}
END_TEST

/* A message of the program that looks like an offer, with a descriptor. */
START_TEST(data_that_lost_its_descriptor_is_not_eaten)
{
	size_t size;

	open_both();
	ck_assert_int_eq(unixoffer__send(unixconn_get_fd(server), OFFER_HELLO,
				 &as_packet(client)->key, STDERR_FILENO),
		0);
	take_the_spare();
	ck_assert_errno(unixconn_recv(client, got, sizeof(got), &size,
				UNIXMSG_NOW),
		EMFILE);
	let_fds_go();
	ck_assert_int_eq(unixconn_recv(client, got, sizeof(got), &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_mem_eq(got, "unixlane", 8);
	close_both();
}
END_TEST

START_TEST(who_cannot_keep_a_descriptor_free_asks_for_nothing)
{
	const char *name = support_abstract("handshake");
	struct unixlistener *listener =
		unixlistener_open("unixpacket", name, NULL);

	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(unixlistener_set_lane(listener, RING), 0);
	use_up_fds();
	support_limit_fds(1);
	client = unixconn__dial(&unixnetwork__packet_lane, name, NULL,
		UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	let_fds_go();
	ck_assert_int_eq(as_packet(client)->stage, HANDSHAKE_OVER);
	server = accept_conn(listener);
	talk(SOON);
	ck_assert(is_plain(client) && is_plain(server));
	unixlistener_close(listener);
	close_both();
}
END_TEST

/* To receive then would give the next message of the offer to the program. */
START_TEST(a_socket_with_nothing_on_it_is_no_answer)
{
	enum offer_kind kind = OFFER_GO;

	open_both();
	ck_assert_errno(unixoffer__peek(unixconn_get_fd(client),
				&as_packet(client)->key, &kind),
		EAGAIN);
	ck_assert_errno(unixhandshake__hear(as_packet(client)), EAGAIN);
	send_number(server, 1, sizeof(int));
	ck_assert_int_eq(unixhandshake__hear(as_packet(client)), 0);
	expect_number(client, 1, sizeof(int));
	close_both();
}
END_TEST

START_TEST(a_name_with_a_number_is_read)
{
	struct unixaddr addr;
	uint64_t made, read = 0;

	ck_assert_int_eq(unixoffer__make_name(&addr, &made), 0);
	ck_assert(unixoffer__read_name(&addr, &read));
	ck_assert_uint_eq(made, read);
}
END_TEST

START_TEST(other_names_ask_for_nothing)
{
	static const char *const names[] = { "@", "@unixmsg-lane/1/",
		"@unixmsg-lane/1/0123456789abcde", "/unixmsg-lane/1/0123456789",
		"@unixmsg-lane/1/0123456789abcdeg",
		"@unixmsg-lane/2/0123456789abcdef",
		"@unixmsg-lane/1/0123456789abcdef0" };
	struct unixaddr addr;
	uint64_t number;

	ck_assert_int_eq(unixaddr_parse(&addr, names[_i]), 0);
	ck_assert(!unixoffer__read_name(&addr, &number));
}
END_TEST

START_TEST(the_end_is_told_while_they_talk_about_it)
{
	unsigned int i;

	open_both();
	talk(15);
	for (i = 0; i < (unsigned int)_i; i++)
		send_number(client, i, sizeof(i));
	close_conn(client);
	for (i = 0; i < (unsigned int)_i; i++)
		expect_number(server, i, sizeof(i));
	ck_assert_int_eq(unixconn_recv(server, got, sizeof(got), NULL,
				 UNIXMSG_NOW),
		0);
	close_conn(server);
}
END_TEST

START_TEST(a_reset_is_not_lost_on_the_way)
{
	open_both();
	send_number(client, 0, sizeof(int));
	close_conn(server);
	ck_assert_errno(unixconn_recv(client, got, sizeof(got), NULL,
				UNIXMSG_NOW),
		ECONNRESET);
	close_conn(client);
}
END_TEST

/* Peers that die, or break the rules: their processes assert nothing */

static bool is_answer(int result)
{
	return result >= 0 || errno == EAGAIN || errno == EPROTO ||
		errno == EPIPE || errno == ECONNRESET || errno == EMSGSIZE ||
		errno == ETIMEDOUT;
}

static void talk_for_ever(void)
{
	unsigned int i;

	for (i = 0;; i++) {
		memcpy(bytes, &i, sizeof(i));
		if (unixconn_send(client, bytes, i % 40 == 39 ? BIG : 64,
			    UNIXMSG_FOREVER) < 0 ||
			unixconn_recv(client, got, sizeof(got), NULL,
				UNIXMSG_FOREVER) != 1)
			_exit(0);
	}
}

/* Returns what ended it: 0, or an error that a death may give. */
static int hear_out(unsigned int from)
{
	unsigned int number, i;
	int result;

	for (i = from;; i++) {
		result = unixconn_recv(server, got, sizeof(got), NULL,
			UNIXMSG_FOREVER);
		if (result != 1)
			return result == 0 ? 0 : errno;
		memcpy(&number, got, sizeof(number));
		if (number != i)
			ck_abort_msg("%u is not %u", number, i);
		if (unixconn_send(server, "ok", 2, UNIXMSG_FOREVER) < 0)
			ck_assert(errno == EPIPE || errno == ECONNRESET);
	}
}

/* Returns how many messages were answered. */
static unsigned int answer_some(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (unixconn_recv(server, got, sizeof(got), NULL,
			    UNIXMSG_FOREVER) != 1 ||
			unixconn_send(server, "ok", 2, UNIXMSG_FOREVER) != 1)
			ck_abort_msg("answer: %s", strerror(errno));
	}
	return count;
}

/* Before it has a lane, in the middle of that, and with one. */
START_TEST(a_peer_that_is_killed_has_ended)
{
	int i, how, most = rounds(300);
	unsigned int answered;
	pid_t pid;

	for (i = 0; i < most; i++) {
		open_both();
		pid = support_fork();
		if (pid == 0)
			talk_for_ever();
		close(client->end.fd);
		client->end.fd = -1;
		answered = answer_some((unsigned int)i % 100);
		stop_child(pid);
		how = hear_out(answered);
		ck_assert(how == 0 || how == ECONNRESET);
		unixconn_close(server);
		unixconn_close(client);
	}
}
END_TEST

static uint32_t random_state;

static uint32_t choose(uint32_t count)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % count;
}

static void say_anything(int memory_fd)
{
	const int fd = choose(4) == 0 ? STDERR_FILENO : memory_fd;

	struct segment_key key = as_packet(client)->key;

	key.number -= choose(8) == 0;
	key.secret[0] -= choose(8) == 0;
	unixoffer__send(client->end.fd, (enum offer_kind)choose(6), &key,
		choose(2) == 0 ? fd : -1);
}

static void send_anything(void)
{
	const char message[64] = { (char)choose(3) };

	send(client->end.fd, message, choose(sizeof(message)),
		MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* What the page keeps for its own side stays whole. */
static void spoil_memory(void)
{
	const struct segment *mine = &as_packet(client)->lane.mine;
	const uint32_t value = choose(2) ? choose(64) * 8 : choose(UINT32_MAX);

	if (mine->page == NULL)
		return;
	if (choose(2) == 0)
		((uint32_t *)(void *)mine->page)[choose(
			offsetof(struct segment_page, own) / 4)] = value;
	else
		((uint32_t *)(void *)mine->ring)[choose(1024)] = value;
}

static void do_anything(int memory_fd)
{
	switch (choose(16)) {
	case 0:
		say_anything(memory_fd);
		break;
	case 1:
		send_anything();
		break;
	case 2:
		spoil_memory();
		break;
	case 3:
		unixconn_recv(client, got, sizeof(got), NULL, UNIXMSG_NOW);
		break;
	default:
		unixconn_send(client, bytes, choose(200), UNIXMSG_NOW);
	}
}

static void be_honest(void)
{
	unixconn_send(client, bytes, choose(200), UNIXMSG_NOW);
	unixconn_recv(client, got, sizeof(got), NULL, UNIXMSG_NOW);
}

/* Before it has a lane, or with one. */
static void do_anything_for_ever(uint32_t seed, int ready[2])
{
	struct segment segment;
	int memory_fd = unixsegment__make(&segment, RING, 0);
	uint32_t i;

	random_state = seed;
	for (i = 0;; i++) {
		if (i == seed % 64 && write(ready[1], "", 1) != 1)
			_exit(1);
		if (i < seed % 4 * 64)
			be_honest();
		else
			do_anything(memory_fd);
	}
}

static void endure(int calls)
{
	int result;

	while (calls-- > 0) {
		result = unixconn_recv(server, got, choose(1000), NULL,
			unixdeadline_after_us(500));
		if (!is_answer(result))
			ck_abort_msg("receive: %s", strerror(errno));
		if (result < 0 && errno == EPROTO)
			return;
		result = unixconn_send(server, bytes, choose(1000),
			choose(2) ? UNIXMSG_NOW : unixdeadline_after_us(200));
		if (!is_answer(result))
			ck_abort_msg("send: %s", strerror(errno));
	}
}

START_TEST(a_peer_that_says_anything_does_no_harm)
{
	int i, ready[2], most = rounds(200);
	pid_t pid;

	for (i = 0; i < most; i++) {
		open_both();
		support_ready_init(ready);
		pid = support_fork();
		if (pid == 0)
			do_anything_for_ever((uint32_t)i, ready);
		support_ready_wait(ready);
		random_state = (uint32_t)~i;
		endure(500);
		stop_child(pid);
		close_pipe(ready);
		close_both();
	}
}
END_TEST

/* Several threads on one connection */

enum { THREADS = 2 };

static int per_thread;

static void *send_many(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < per_thread; i++)
		send_number(client, 0, 64);
	return NULL;
}

static void *receive_many(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < per_thread; i++)
		if (unixconn_recv(server, (char[64]){ 0 }, 64, NULL,
			    UNIXMSG_FOREVER) != 1)
			return server;
	return NULL;
}

START_TEST(threads_take_turns)
{
	pthread_t senders[THREADS], receivers[THREADS];
	void *failed;
	int i;

	open_both();
	per_thread = rounds(20000);
	for (i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&senders[i], NULL, send_many,
					 NULL),
			0);
		ck_assert_int_eq(pthread_create(&receivers[i], NULL,
					 receive_many, NULL),
			0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(senders[i], NULL);
		pthread_join(receivers[i], &failed);
		ck_assert_ptr_null(failed);
	}
	expect_nothing(server);
	close_both();
}
END_TEST

static TCase *make_talks(void)
{
	TCase *tcase = make_tcase("talks");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, who_talks_for_a_while_gets_a_lane);
	tcase_add_loop_test(tcase, a_spin_in_vain_ends_in_a_wait, 0, 2);
	tcase_add_loop_test(tcase, one_direction_is_enough, 0, 2);
	tcase_add_loop_test(tcase, who_only_sends_batches_gets_a_lane, 0, 8);
	tcase_add_test(tcase, what_is_on_its_way_stays_in_order);
	tcase_add_test(tcase,
		what_was_sent_before_the_lane_is_unread_until_it_is_read);
	tcase_add_test(tcase, a_plain_server_goes_on_without_one);
	tcase_add_test(tcase, an_offer_is_found_however_many_were_sent_before);
	tcase_add_test(tcase, a_plain_client_gets_none);
	tcase_add_test(tcase, threads_take_turns);
	return tcase;
}

static TCase *make_refusals(void)
{
	TCase *tcase = make_tcase("refusals");

	tcase_add_loop_test(tcase, a_shortage_leaves_it_without_one, 0, 2);
	tcase_add_test(tcase,
		an_offer_that_lost_its_descriptor_waits_for_a_free_one);
	tcase_add_test(tcase, who_only_sends_is_not_stopped_by_such_an_offer);
	tcase_add_test(tcase,
		an_offer_whose_memory_is_refused_leaves_it_without_one);
	tcase_add_test(tcase, an_offer_after_a_refused_one_is_taken);
	tcase_add_test(tcase, data_that_lost_its_descriptor_is_not_eaten);
	tcase_add_test(tcase,
		who_cannot_keep_a_descriptor_free_asks_for_nothing);
	tcase_add_test(tcase, a_socket_with_nothing_on_it_is_no_answer);
	tcase_add_test(tcase, a_name_with_a_number_is_read);
	tcase_add_loop_test(tcase, other_names_ask_for_nothing, 0, 7);
	return tcase;
}

static TCase *make_ends(void)
{
	TCase *tcase = make_tcase("ends");

	tcase_add_loop_test(tcase, the_end_is_told_while_they_talk_about_it, 0,
		4);
	tcase_add_test(tcase, a_reset_is_not_lost_on_the_way);
	return tcase;
}

static TCase *make_strangers(void)
{
	TCase *tcase = make_tcase("strangers");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_peer_that_is_killed_has_ended);
	tcase_add_test(tcase, a_peer_that_says_anything_does_no_harm);
	return tcase;
}

int main(void)
{
	return support_run_cases("handshake", make_talks(), make_refusals(),
		make_ends(), make_strangers());
}
