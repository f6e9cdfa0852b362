/* SPDX-License-Identifier: MIT */
/* Lanes as programs ask for them, offer them, and see them. */
#include <config.h>

#include <sys/socket.h>

#include "support/scene.h"
#include "unixmsg.h"

enum { RING = 65536, ENOUGH = 40 };

static const struct unixdial_options asking = { .flags = UNIXMSG_DIAL_LANE };
static struct unixconn *client, *server;

static struct unixlistener *open_listener(const char *name, uint64_t bytes)
{
	const struct unixlisten_options options = { .lane_bytes = bytes };
	struct unixlistener *listener =
		unixlistener_open("unixpacket", name, &options);

	ck_assert_ptr_nonnull(listener);
	return listener;
}

static void connect_both(struct unixlistener *listener, const char *name,
	const struct unixdial_options *options)
{
	client = unixconn_dial("unixpacket", name, options, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(client);
	server = unixlistener_accept(listener, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(server);
}

static void close_both(void)
{
	ck_assert_int_eq(unixconn_close(client), 0);
	ck_assert_int_eq(unixconn_close(server), 0);
}

static void pass(struct unixconn *from, struct unixconn *to, int number)
{
	size_t size;
	int got = -1;

	ck_assert_int_eq(unixconn_send(from, &number, sizeof(number),
				 UNIXMSG_NOW),
		1);
	ck_assert_int_eq(unixconn_recv(to, &got, sizeof(got), &size,
				 UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, sizeof(got));
	ck_assert_int_eq(got, number);
}

static void talk(void)
{
	int i;

	for (i = 0; i < ENOUGH; i++) {
		pass(client, server, i);
		pass(server, client, ~i);
	}
}

static void expect_lane(bool is_there)
{
	ck_assert_int_eq(unixconn_is_lane(client), is_there);
	ck_assert_int_eq(unixconn_is_lane(server), is_there);
}

/* By the options, or by the call. */
START_TEST(both_sides_that_want_a_lane_get_one)
{
	const char *name = support_abstract("lane");
	struct unixlistener *listener = open_listener(name, _i == 0 ? RING : 0);

	if (_i == 1)
		ck_assert_int_eq(unixlistener_set_lane(listener, RING), 0);
	connect_both(listener, name, &asking);
	expect_lane(false);
	talk();
	expect_lane(true);
	talk();
	ck_assert_str_eq(unixconn_get_network(client), "unixpacket");
	close_both();
	unixlistener_close(listener);
}
END_TEST

START_TEST(one_side_alone_gets_none)
{
	const char *name = support_abstract("lane");
	struct unixlistener *listener = open_listener(name, _i == 0 ? RING : 0);

	connect_both(listener, name, _i == 1 ? &asking : NULL);
	talk();
	expect_lane(false);
	close_both();
	unixlistener_close(listener);
}
END_TEST

START_TEST(an_offer_can_be_ended)
{
	const char *name = support_abstract("lane");
	struct unixlistener *listener = open_listener(name, RING);

	ck_assert_int_eq(unixlistener_set_lane(listener, 0), 0);
	connect_both(listener, name, &asking);
	talk();
	expect_lane(false);
	close_both();
	unixlistener_close(listener);
}
END_TEST

START_TEST(memory_of_another_size_is_refused)
{
	static const uint64_t sizes[] = { 1, 2048, 65535, 96 * 1024,
		(1 << 26) + 1, 1 << 27, (UINT64_C(1) << 32) + RING,
		UINT64_MAX };
	const struct unixlisten_options options = { .lane_bytes = sizes[_i] };
	const char *name = support_abstract("lane");
	struct unixlistener *listener = open_listener(name, 0);

	ck_assert_errno(unixlistener_set_lane(listener, sizes[_i]), EINVAL);
	unixlistener_close(listener);
	ck_assert_null_errno(unixlistener_open("unixpacket", name, &options),
		EINVAL);
}
END_TEST

START_TEST(other_networks_have_no_lanes)
{
	const struct unixlisten_options offering = { .lane_bytes = RING };
	const char *name = support_abstract("lane");
	struct unixlistener *listener = unixlistener_open("unix", name, NULL);

	ck_assert_ptr_nonnull(listener);
	ck_assert_errno(unixlistener_set_lane(listener, RING), ENOTSUP);
	ck_assert_null_errno(unixconn_dial("unix", name, &asking, UNIXMSG_NOW),
		ENOTSUP);
	unixlistener_close(listener);
	ck_assert_null_errno(unixconn_dial("unixgram", name, &asking,
				     UNIXMSG_NOW),
		ENOTSUP);
	ck_assert_null_errno(unixlistener_open("unix", name, &offering),
		ENOTSUP);
	ck_assert_null_errno(unixconn_open("unixgram", name, &offering),
		ENOTSUP);
}
END_TEST

START_TEST(an_address_of_its_own_asks_for_none)
{
	const struct unixdial_options options = {
		.flags = UNIXMSG_DIAL_LANE,
		.own = "@",
	};

	ck_assert_null_errno(unixconn_dial("unixpacket",
				     support_abstract("lane"), &options,
				     UNIXMSG_NOW),
		EINVAL);
}
END_TEST

START_TEST(a_descriptor_that_has_a_lane_is_not_given_away)
{
	const char *name = support_abstract("lane");
	struct unixlistener *listener = open_listener(name, RING);

	connect_both(listener, name, &asking);
	ck_assert_errno(unixconn_release(client), EBUSY);
	talk();
	ck_assert_errno(unixconn_release(client), EBUSY);
	ck_assert_errno(unixconn_release(server), EBUSY);
	talk();
	close_both();
	unixlistener_close(listener);
}
END_TEST

START_TEST(one_that_gets_no_lane_is_given_away)
{
	const char *name = support_abstract("lane");
	struct unixlistener *listener = open_listener(name, RING);
	int fd;

	connect_both(listener, name, NULL);
	fd = unixconn_release(server);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(send(fd, "text", 4, 0), 4);
	close(fd);
	unixconn_close(client);
	unixlistener_close(listener);
}
END_TEST

/* A call that lets no descriptors in must not keep the memory out. */
START_TEST(who_wants_nothing_gets_a_lane)
{
	const char *name = support_abstract("lane");
	struct unixlistener *listener = open_listener(name, RING);

	connect_both(listener, name, &asking);
	ck_assert_int_eq(unixconn_want(client, 0), 0);
	ck_assert_int_eq(unixconn_want(server, 0), 0);
	talk();
	expect_lane(true);
	close_both();
	unixlistener_close(listener);
}
END_TEST

/* What nobody has heard is no data that was lost. */
START_TEST(an_offer_that_was_not_heard_is_no_reset)
{
	const char *name = support_abstract("lane");
	struct unixlistener *listener = open_listener(name, RING);
	int i;

	connect_both(listener, name, &asking);
	for (i = 0; i < ENOUGH; i++)
		pass(client, server, i);
	ck_assert_int_eq(unixconn_close(client), 0);
	ck_assert_int_eq(unixconn_recv(server, &i, sizeof(i), NULL,
				 UNIXMSG_NOW),
		0);
	ck_assert_int_eq(unixconn_close(server), 0);
	unixlistener_close(listener);
}
END_TEST

static TCase *make_offers(void)
{
	TCase *tcase = make_tcase("offers");

	tcase_add_loop_test(tcase, both_sides_that_want_a_lane_get_one, 0, 2);
	tcase_add_loop_test(tcase, one_side_alone_gets_none, 0, 2);
	tcase_add_test(tcase, an_offer_can_be_ended);
	tcase_add_test(tcase, who_wants_nothing_gets_a_lane);
	tcase_add_test(tcase, an_offer_that_was_not_heard_is_no_reset);
	tcase_add_test(tcase, a_descriptor_that_has_a_lane_is_not_given_away);
	tcase_add_test(tcase, one_that_gets_no_lane_is_given_away);
	return tcase;
}

static TCase *make_refusals(void)
{
	TCase *tcase = make_tcase("refusals");

	tcase_add_loop_test(tcase, memory_of_another_size_is_refused, 0, 8);
	tcase_add_test(tcase, other_networks_have_no_lanes);
	tcase_add_test(tcase, an_address_of_its_own_asks_for_none);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("lane_offer");

	suite_add_tcase(suite, make_offers());
	suite_add_tcase(suite, make_refusals());
	return support_run(suite);
}
