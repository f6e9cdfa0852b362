/* SPDX-License-Identifier: MIT */
/* Lanes in a service: who gets one, what limits them, and that nothing else
 * changes. The tests of services run over lanes as well, see lanes.sh. */
#include <config.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network/conn_private.h"
#include "network/handshake.h"
#include "support/service_scene.h"
#include "support/talk.h"

enum { RING = 65536, LEAST = 4096, SOON = 40, PEERS = 3 };

static struct scene scene;
static struct client clients[PEERS];
static const char *name;

static uint64_t get_cost(uint32_t ring)
{
	return 2 * unixsegment__get_bytes(ring);
}

static void open_service(scene_act *act,
	const struct unixservice_options *options, uint64_t ring)
{
	const struct unixlisten_options how = { .lane_bytes = ring };

	name = support_path("lanes");
	scene_open(&scene, act, options);
	ck_assert_int_eq(unixservice_listen(scene.service, "unixpacket", name,
				 &how),
		0);
}

static void dial(struct client *client)
{
	const struct unixdial_options asking = { .flags = UNIXMSG_DIAL_LANE };
	struct unixconn *conn =
		unixconn_dial("unixpacket", name, &asking, UNIXMSG_NOW);

	ck_assert_ptr_nonnull(conn);
	client_take(client, PACKET, conn);
}

static void converse(struct client *client, int times)
{
	while (times-- > 0) {
		client_ask(client, &scene, "text");
		client_hear(client, "text");
	}
}

static void expect_lane(const struct client *client, bool is_there)
{
	ck_assert_int_eq(unixconn_is_lane(client->conn), is_there);
}

static void expect_lanes(uint64_t count, uint64_t limited)
{
	ck_assert_uint_eq(scene_count(&scene).lanes, count);
	ck_assert_uint_eq(scene_count(&scene).lane_bytes,
		count * get_cost(LEAST));
	ck_assert_uint_eq(scene_count(&scene).lanes_limited, limited);
}

/* Who talks for a while has a lane, and is counted. */
static void open_with_lane(scene_act *act)
{
	open_service(act, NULL, LEAST);
	dial(clients);
	converse(clients, SOON);
	expect_lane(clients, true);
	expect_lanes(1, 0);
}

static struct packet *get_packet(const struct client *client)
{
	return unixhandshake__get(client->conn);
}

START_TEST(a_peer_with_a_lane_is_served)
{
	open_with_lane(scene_echo);
	converse(clients, SOON);
	ck_assert_uint_eq(get_packet(clients)->lane.detours, 0);
	ck_assert_uint_eq(scene_count(&scene).answered, 2 * SOON);
	ck_assert_uint_eq(scene_count(&scene).waiting, 0);
}
END_TEST

START_TEST(short_connections_cost_no_memory)
{
	open_service(scene_echo, NULL, LEAST);
	dial(clients);
	converse(clients, 10);
	expect_lanes(0, 0);
	ck_assert_uint_eq(scene_count(&scene).lane_bytes_most, 0);
}
END_TEST

START_TEST(a_closed_peer_gives_its_memory_back)
{
	open_with_lane(scene_echo);
	client_close(clients);
	scene_serve(&scene);
	expect_lanes(0, 0);
	ck_assert_uint_eq(scene_count(&scene).lane_bytes_most, get_cost(LEAST));
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], 0);
}
END_TEST

/* In all, or of this user. */
static struct unixservice_options limit_lanes(int lanes, bool is_of_user)
{
	struct unixservice_options options = scene_options();
	const uint64_t bytes = (uint64_t)lanes * get_cost(LEAST);

	options.lane_bytes_max = is_of_user ? UINT64_MAX : bytes;
	options.lane_bytes_per_user_max = is_of_user ? bytes : UINT64_MAX;
	return options;
}

START_TEST(beyond_the_limit_a_peer_is_served_without)
{
	const struct unixservice_options options = limit_lanes(2, _i == 1);
	int i;

	open_service(scene_echo, &options, LEAST);
	for (i = 0; i < PEERS; i++) {
		dial(clients + i);
		converse(clients + i, SOON);
		expect_lane(clients + i, i < 2);
	}
	expect_lanes(2, 1);
	for (i = 0; i < PEERS; i++)
		converse(clients + i, SOON);
	expect_lanes(2, 1);
}
END_TEST

START_TEST(memory_that_was_given_back_is_for_others)
{
	const struct unixservice_options options = limit_lanes(1, _i == 1);
	int i;

	open_service(scene_echo, &options, LEAST);
	for (i = 0; i < PEERS; i++) {
		dial(clients);
		converse(clients, SOON);
		expect_lanes(1, 0);
		client_close(clients);
		scene_serve(&scene);
	}
	expect_lanes(0, 0);
}
END_TEST

START_TEST(by_default_a_user_has_half_of_64_mib)
{
	open_service(scene_echo, NULL, 16 << 20);
	dial(clients);
	converse(clients, SOON);
	expect_lane(clients, false);
	ck_assert_uint_eq(scene_count(&scene).lanes_limited, 1);
	ck_assert_uint_eq(scene_count(&scene).lane_bytes_most, 0);
}
END_TEST

/* Receives the offer in place of the library, and refuses it. */
static void decline(const struct client *client)
{
	const int fd = client_get_fd(client);
	struct offer_memory memory;
	struct segment_key key;

	ck_assert_int_eq(unixoffer__receive(fd, 0, &memory), 0);
	ck_assert_int_eq(unixsegment__read_key(memory.fd, geteuid(), &key), 0);
	close(memory.fd);
	ck_assert_int_eq(unixoffer__send(fd, OFFER_NO, &key, -1), 0);
}

START_TEST(a_client_that_declines_gives_the_memory_back)
{
	open_service(scene_echo, NULL, LEAST);
	dial(clients);
	converse(clients, 16);
	expect_lanes(1, 0);
	decline(clients);
	scene_serve(&scene);
	expect_lanes(0, 0);
	converse(clients, SOON);
	expect_lane(clients, false);
}
END_TEST

/* What a hostile client does to its lane. */

static void lie_about_its_tail(struct packet *packet)
{
	packet->lane.mine.page->tail += 8 + 2 * LEAST;
}

static void write_a_wrong_record(struct packet *packet)
{
	uint64_t *record = (uint64_t *)(void *)(packet->lane.mine.ring +
		packet->lane.mine.page->tail % LEAST);

	*record = UINT64_MAX;
	packet->lane.mine.page->tail += 8;
}

static void send_a_foreign_byte(struct packet *packet)
{
	ck_assert_int_eq(send(packet->conn.end.fd, "x", 1, MSG_DONTWAIT), 1);
}

static void (*const lies[])(struct packet *packet) = { lie_about_its_tail,
	write_a_wrong_record, send_a_foreign_byte };

static void ring_bell(struct packet *packet)
{
	ck_assert_int_eq(send(packet->conn.end.fd, "", 1, MSG_DONTWAIT), 1);
}

START_TEST(a_lie_ends_its_own_connection_only)
{
	uint64_t bad;

	open_with_lane(scene_echo);
	bad = scene.peer;
	dial(clients + 1);
	converse(clients + 1, SOON);
	lies[_i](get_packet(clients));
	ring_bell(get_packet(clients));
	scene_serve(&scene);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	ck_assert_uint_eq(scene.about[UNIXSERVICE_CLOSED], bad);
	ck_assert_int_eq(scene.error[UNIXSERVICE_CLOSED], EPROTO);
	converse(clients + 1, SOON);
	expect_lanes(1, 0);
}
END_TEST

static int count_them(struct scene *at, uint64_t peer, struct unixmsg *msg)
{
	(void)peer, (void)msg;
	at->number++;
	return UNIXSERVICE_DONE;
}

/* The client sends on by the ring, though it was asked not to. */
static int count_and_get_another(struct scene *at, uint64_t peer,
	struct unixmsg *msg)
{
	unixring__put(&get_packet(clients)->lane.out, "text", 4);
	return count_them(at, peer, msg);
}

START_TEST(a_client_that_sends_on_does_not_hold_up_the_end)
{
	open_with_lane(scene_echo);
	scene.act = count_and_get_another;
	client_say(clients, "text");
	client_say(clients, "text");
	ck_assert_int_eq(unixservice_drain(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_int_eq(scene.number, 2);
	client_hear_end(clients);
	expect_lanes(0, 0);
}
END_TEST

/* They lie in the ring, where shutdown(2) does not reach them. */
START_TEST(what_was_sent_before_a_stop_is_served)
{
	int i;

	open_with_lane(scene_echo);
	scene.act = count_them;
	for (i = 0; i < SOON; i++)
		client_say(clients, "text");
	ck_assert_int_eq(unixservice_stop(scene.service, UNIXMSG_FOREVER), 0);
	ck_assert_errno(unixconn_send(clients->conn, "text", 4, UNIXMSG_NOW),
		EPIPE);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, SOON);
	client_hear_end(clients);
	expect_lanes(0, 0);
}
END_TEST

START_TEST(who_does_not_read_gets_its_answers_later_and_in_order)
{
	enum { MANY = 2000 };
	struct unixservice_options options = scene_options();
	int i, got, sent = 0;

	options.patience_us = UNIXMSG_FOREVER;
	open_service(scene_echo, &options, LEAST);
	dial(clients);
	converse(clients, SOON);
	for (i = 0; i < MANY && client_try_send(clients, &i, sizeof(i)) == 1;
		i++) {
		scene_serve(&scene);
		sent++;
	}
	ck_assert_uint_gt(scene_count(&scene).queued, 0);
	for (i = 0; i < sent; i++) {
		while (client_try_recv(clients, &got, sizeof(got), NULL) != 1)
			scene_serve(&scene);
		ck_assert_int_eq(got, i);
	}
	scene_serve(&scene);
	ck_assert_uint_eq(scene_count(&scene).queued, 0);
	ck_assert_uint_eq(scene_count(&scene).answered,
		(uint64_t)(SOON + sent));
}
END_TEST

START_TEST(a_paused_peer_is_not_read)
{
	open_with_lane(scene_echo);
	ck_assert_int_eq(unixservice_pause_peer(scene.service, scene.peer), 0);
	client_say(clients, "text");
	scene_serve(&scene);
	client_hear_nothing(clients);
	ck_assert_int_eq(unixservice_resume_peer(scene.service, scene.peer), 0);
	scene_serve(&scene);
	client_hear(clients, "text");
}
END_TEST

START_TEST(a_dead_client_is_read_to_its_end)
{
	pid_t pid;

	open_with_lane(scene_echo);
	scene.act = count_them;
	pid = support_fork();
	if (pid == 0) {
		client_say(clients, "text");
		client_say(clients, "text");
		kill(getpid(), SIGKILL);
	}
	close(clients->conn->end.fd);
	clients->conn->end.fd = -1;
	support_waitpid(pid, NULL);
	scene_serve(&scene);
	ck_assert_int_eq(scene.number, 2);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 1);
	expect_lanes(0, 0);
}
END_TEST

static void serve_in_child(void)
{
	scene.act = count_them;
	ck_assert_errno(unixservice_run(scene.service, UNIXMSG_NOW), EAGAIN);
	ck_assert_int_eq(scene.number, 0);
	ck_assert_errno(unixservice_send(scene.service, scene.peer, "text", 4),
		EPIPE);
	ck_assert_int_eq(unixservice_close(scene.service), 0);
	_exit(0);
}

/* Two processes would spoil it for each other. */
START_TEST(a_child_leaves_lanes_to_its_parent)
{
	pid_t pid;

	open_with_lane(scene_echo);
	client_say(clients, "text");
	pid = support_fork();
	if (pid == 0)
		serve_in_child();
	support_wait_exit(pid, 0);
	scene_serve(&scene);
	client_hear(clients, "text");
	converse(clients, SOON);
}
END_TEST

/* scene_serve would wait until the service has nothing to do. */
static void ask(int times)
{
	char got[8];

	while (times-- > 0) {
		client_say(clients, "text");
		do
			ck_assert_int_eq(unixservice_dispatch(scene.service),
				0);
		while (client_try_recv(clients, got, sizeof(got), NULL) != 1);
	}
}

START_TEST(while_it_spins_nobody_rings_a_bell)
{
	struct unixservice_options options = scene_options();
	uint64_t bells;

	options.spin_us = 1000000;
	open_service(scene_echo, &options, LEAST);
	dial(clients);
	ask(SOON);
	expect_lane(clients, true);
	bells = get_packet(clients)->lane.bells;
	ask(SOON);
	ck_assert_uint_eq(get_packet(clients)->lane.bells, bells);
	ck_assert_int_eq(unixservice_dispatch(scene.service), 0);
	ask(1);
	ck_assert_uint_eq(get_packet(clients)->lane.bells, bells);
}
END_TEST

START_TEST(once_it_has_spun_in_vain_it_sleeps)
{
	struct unixservice_options options = scene_options();
	uint64_t bells;

	options.spin_us = 1;
	open_service(scene_echo, &options, LEAST);
	dial(clients);
	converse(clients, SOON);
	bells = get_packet(clients)->lane.bells;
	converse(clients, SOON);
	ck_assert_uint_eq(get_packet(clients)->lane.bells, bells + SOON);
}
END_TEST

static struct unixconn *accept_from(struct unixlistener *listener)
{
	struct unixconn *conn = unixlistener_accept(listener, UNIXMSG_NOW);

	ck_assert_ptr_nonnull(conn);
	return conn;
}

static struct unixlistener *open_listener(void)
{
	const struct unixlisten_options how = { .lane_bytes = LEAST };
	struct unixlistener *listener;

	name = support_path("lanes");
	listener = unixlistener_open("unixpacket", name, &how);
	ck_assert_ptr_nonnull(listener);
	return listener;
}

START_TEST(a_connection_that_is_added_gets_a_lane)
{
	struct unixlistener *listener = open_listener();

	dial(clients);
	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(unixservice_add_conn(scene.service,
				 accept_from(listener), 0, NULL),
		0);
	converse(clients, SOON);
	expect_lane(clients, true);
	expect_lanes(1, 0);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

/* The other side offers it, so there is no limit. */
START_TEST(a_client_that_is_added_has_its_lane_counted)
{
	const struct unixdial_options asking = { .flags = UNIXMSG_DIAL_LANE };
	const struct unixservice_options options = limit_lanes(0, false);
	struct unixlistener *listener = open_listener();
	struct unixconn *conn =
		unixconn_dial("unixpacket", name, &asking, UNIXMSG_NOW);

	client_take(clients, PACKET, accept_from(listener));
	scene_open(&scene, scene_echo, &options);
	ck_assert_int_eq(unixservice_add_conn(scene.service, conn, 0, NULL), 0);
	converse(clients, SOON);
	expect_lane(clients, true);
	expect_lanes(1, 0);
	client_close(clients);
	scene_serve(&scene);
	expect_lanes(0, 0);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

/* Its side is the client's, and cannot look at the offer. */
START_TEST(a_lack_of_descriptors_ends_no_peer)
{
	const struct unixdial_options asking = { .flags = UNIXMSG_DIAL_LANE };
	struct unixlistener *listener = open_listener();
	struct unixconn *conn =
		unixconn_dial("unixpacket", name, &asking, UNIXMSG_NOW);

	client_take(clients, PACKET, accept_from(listener));
	ck_assert_int_eq(unixlistener_close(listener), 0);
	scene_open(&scene, scene_echo, NULL);
	ck_assert_int_eq(unixservice_add_conn(scene.service, conn, 0, NULL), 0);
	converse(clients, 16);
	close(unixhandshake__get(conn)->spare_fd);
	unixhandshake__get(conn)->spare_fd = 0;
	support_limit_fds(0);
	client_ask(clients, &scene, "text");
	client_hear_nothing(clients);
	ck_assert_uint_eq(scene.told[UNIXSERVICE_CLOSED], 0);
	support_lift_fds_limit();
	scene_serve_while(&scene, scene.heard == 16);
	client_hear(clients, "text");
	converse(clients, SOON);
	expect_lane(clients, true);
}
END_TEST

/* Its loop can watch nothing. */
static struct unixservice *open_broken(void)
{
	struct unixservice *service = unixservice_new(scene_never, NULL, NULL);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_ptr_nonnull(service);
	ck_assert_int_ge(null, 0);
	ck_assert_int_ge(dup3(null, unixservice_get_fd(service), O_CLOEXEC), 0);
	close(null);
	return service;
}

static void converse_with(struct unixconn *server)
{
	int i;

	for (i = 0; i < SOON; i++) {
		pass_text(clients->conn, server, "text");
		pass_text(server, clients->conn, "text");
	}
}

START_TEST(a_connection_that_could_not_be_added_still_gets_a_lane)
{
	struct unixlistener *listener = open_listener();
	struct unixservice *service = open_broken();
	struct unixconn *server;

	dial(clients);
	server = accept_from(listener);
	ck_assert_errno(unixservice_add_conn(service, server, 0, NULL), EINVAL);
	converse_with(server);
	expect_lane(clients, true);
	close_conn(server);
	ck_assert_int_eq(unixservice_close(service), 0);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

START_TEST(a_listener_that_could_not_be_added_still_offers_lanes)
{
	struct unixlistener *listener = open_listener();
	struct unixservice *service = open_broken();
	struct unixconn *server;

	ck_assert_errno(unixservice_add_listener(service, listener, 0), EINVAL);
	dial(clients);
	server = accept_from(listener);
	converse_with(server);
	expect_lane(clients, true);
	close_conn(server);
	ck_assert_int_eq(unixservice_close(service), 0);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}
END_TEST

static TCase *make_limits(void)
{
	TCase *tcase = make_scene_tcase("limits");

	tcase_add_test(tcase, short_connections_cost_no_memory);
	tcase_add_test(tcase, a_closed_peer_gives_its_memory_back);
	tcase_add_loop_test(tcase, beyond_the_limit_a_peer_is_served_without, 0,
		2);
	tcase_add_loop_test(tcase, memory_that_was_given_back_is_for_others, 0,
		2);
	tcase_add_test(tcase, by_default_a_user_has_half_of_64_mib);
	tcase_add_test(tcase, a_client_that_declines_gives_the_memory_back);
	tcase_add_test(tcase, a_connection_that_is_added_gets_a_lane);
	tcase_add_test(tcase, a_client_that_is_added_has_its_lane_counted);
	tcase_add_test(tcase, a_lack_of_descriptors_ends_no_peer);
	tcase_add_test(tcase,
		a_connection_that_could_not_be_added_still_gets_a_lane);
	tcase_add_test(tcase,
		a_listener_that_could_not_be_added_still_offers_lanes);
	return tcase;
}

static TCase *make_peers(void)
{
	TCase *tcase = make_scene_tcase("peers");

	tcase_add_test(tcase, a_peer_with_a_lane_is_served);
	tcase_add_loop_test(tcase, a_lie_ends_its_own_connection_only, 0, 3);
	tcase_add_test(tcase, what_was_sent_before_a_stop_is_served);
	tcase_add_test(tcase, a_client_that_sends_on_does_not_hold_up_the_end);
	tcase_add_test(tcase,
		who_does_not_read_gets_its_answers_later_and_in_order);
	tcase_add_test(tcase, a_paused_peer_is_not_read);
	tcase_add_test(tcase, a_dead_client_is_read_to_its_end);
	tcase_add_test(tcase, a_child_leaves_lanes_to_its_parent);
	tcase_add_test(tcase, while_it_spins_nobody_rings_a_bell);
	tcase_add_test(tcase, once_it_has_spun_in_vain_it_sleeps);
	return tcase;
}

int main(void)
{
	return support_run_cases("service_lanes", make_limits(), make_peers());
}
