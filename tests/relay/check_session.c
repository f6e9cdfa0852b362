/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "relay/session.h"
#include "support/support.h"

enum { WINDOW = 4000 };

#define CLIENT "uxg.1.s.echo.alpha.0a.1"
#define SERVICE "uxg.1.s.echo.beta.0b.7"

static const struct subject_names names = {
	.prefix = "uxg.1",
	.service = "echo",
	.host = "beta",
	.incarnation = "0b",
};

static const uint64_t seed = 0x6b7d1c55e29f8a03;

static struct session client, service;
static struct frame frame;

static void set_up(void)
{
	session_init(&client, WINDOW, 0);
	session_init(&service, WINDOW, 0);
}

static void tear_down(void)
{
}

/* As it would arrive: through its bytes. */
static int carry(struct session *to, const struct frame *sent,
	const char *reply)
{
	unsigned char bytes[FRAME_HEAD_SIZE + 4096];
	struct frame arrived;

	ck_assert_uint_le(sent->size, 4096);
	frame_encode(bytes, sent);
	if (sent->size > 0)
		memcpy(bytes + FRAME_HEAD_SIZE, sent->data, sent->size);
	ck_assert_int_eq(frame_decode(&arrived, bytes,
				 FRAME_HEAD_SIZE + sent->size),
		0);
	return session_take(to, &arrived, reply, &names, 1);
}

static int to_service(void)
{
	return carry(&service, &frame, CLIENT);
}

static int to_client(void)
{
	return carry(&client, &frame, SERVICE);
}

static void open_both(void)
{
	struct frame answer;

	session_make_open(&client, &frame);
	ck_assert_int_eq(session_accept(&service, &frame, CLIENT, &names,
				 &answer),
		0);
	ck_assert_int_eq(carry(&client, &answer, SERVICE), SESSION_ACCEPTED);
}

static void send_one(size_t size)
{
	static const char bytes[4096];

	ck_assert(session_can_send(&client));
	session_make_data(&client, &frame, bytes, size);
	ck_assert_int_eq(to_service(), SESSION_MESSAGE);
}

static void make(enum frame_type type, uint64_t sequence, uint64_t credit)
{
	memset(&frame, 0, sizeof(frame));
	frame.type = type;
	frame.sequence = sequence;
	frame.credit = credit;
}

static void expect_reset(struct session *session, int result, const char *why)
{
	ck_assert_errno(result, EPROTO);
	ck_assert_int_eq(session->state, SESSION_OVER);
	ck_assert_str_eq(session->why, why);
	ck_assert(!session_can_send(session));
}

/* Beginning */

START_TEST(both_may_send_once_it_is_accepted)
{
	ck_assert(!session_can_send(&client));
	open_both();
	ck_assert(session_can_send(&client));
	ck_assert(session_can_send(&service));
	ck_assert_str_eq(client.peer, SERVICE);
	ck_assert_str_eq(service.peer, CLIENT);
}
END_TEST

START_TEST(without_a_service_it_is_refused)
{
	make(FRAME_REFUSE, 0, 0);
	ck_assert_int_eq(to_client(), SESSION_REFUSED);
	ck_assert_int_eq(client.state, SESSION_OVER);
}
END_TEST

START_TEST(an_accepting_relay_must_tell_its_session)
{
	static const char *const bad[] = { NULL, "", "elsewhere",
		"uxg.1.s.else.beta.0b.7", "uxg.1.q.echo.open",
		"uxg.1.s.echo.beta.0b.*", "uxg.1.s.echo.beta.0b.7\r\nPUB x" };
	const char *why = "no session subject to answer to";
	struct frame answer;

	make(FRAME_ACCEPT, 0, WINDOW);
	expect_reset(&client, carry(&client, &frame, bad[_i]), why);
	make(FRAME_OPEN, 0, WINDOW);
	expect_reset(&service,
		session_accept(&service, &frame, bad[_i], &names, &answer),
		why);
}
END_TEST

START_TEST(only_an_answer_opens_a_session)
{
	static const enum frame_type types[] = { FRAME_OPEN, FRAME_DATA,
		FRAME_CREDIT, FRAME_FIN, FRAME_PING, FRAME_PONG,
		FRAME_DATAGRAM };

	make(types[_i], 0, 0);
	expect_reset(&client, to_client(), "not the answer to a beginning");
}
END_TEST

START_TEST(only_an_open_is_accepted)
{
	struct frame answer;

	make(FRAME_ACCEPT, 0, WINDOW);
	expect_reset(&service,
		session_accept(&service, &frame, CLIENT, &names, &answer),
		"not the beginning of a session");
}
END_TEST

/* Messages */

START_TEST(messages_are_numbered_in_each_direction)
{
	open_both();
	send_one(10);
	send_one(0);
	ck_assert_uint_eq(service.received, 2);
	ck_assert_uint_eq(service.sent, 0);
	session_make_data(&service, &frame, "x", 1);
	ck_assert_int_eq(to_client(), SESSION_MESSAGE);
	ck_assert_uint_eq(client.received, 1);
}
END_TEST

START_TEST(a_gap_or_a_repeat_resets)
{
	static const uint64_t numbers[] = { 0, 1, 3, UINT64_MAX };

	open_both();
	send_one(10);
	make(FRAME_DATA, numbers[_i], 0);
	expect_reset(&service, to_service(),
		"a message is missing, or came twice");
	ck_assert_uint_eq(service.received, 1);
}
END_TEST

START_TEST(an_end_has_its_number_too)
{
	open_both();
	send_one(10);
	make(FRAME_FIN, 3, 0);
	expect_reset(&service, to_service(),
		"a message is missing, or came twice");
}
END_TEST

START_TEST(a_missing_last_message_shows_at_the_next_ping)
{
	open_both();
	send_one(10);
	session_make_ping(&client, &frame);
	ck_assert_int_eq(to_service(), SESSION_PINGED);
	session_make_pong(&service, &frame);
	ck_assert_int_eq(to_client(), SESSION_NOTHING);
	session_make_data(&client, &frame, "lost", 4);
	session_make_ping(&client, &frame);
	expect_reset(&service, to_service(), "the last messages are missing");
}
END_TEST

START_TEST(numbers_wrap_around)
{
	open_both();
	client.sent = service.received = UINT64_MAX - 1;
	send_one(1);
	send_one(1);
	ck_assert_uint_eq(service.received, 0);
}
END_TEST

/* Credit */

START_TEST(a_sender_stops_when_its_credit_is_used_up)
{
	size_t count = 0;

	open_both();
	for (; session_can_send(&client); count++)
		send_one(232);
	ck_assert_uint_eq(count, WINDOW / 1000);
	make(FRAME_DATA, count + 1, 0);
	expect_reset(&service, to_service(), "a message without credit");
}
END_TEST

START_TEST(delivery_gives_credit_back)
{
	open_both();
	while (session_can_send(&client))
		send_one(232);
	ck_assert(session_release(&service, 232, &frame));
	ck_assert_int_eq(to_client(), SESSION_NOTHING);
	ck_assert(session_can_send(&client));
}
END_TEST

START_TEST(a_lost_credit_is_told_again_by_a_ping_or_its_answer)
{
	open_both();
	while (session_can_send(&client))
		send_one(232);
	ck_assert(session_release(&service, 232, &frame));
	if (_i == 0) {
		session_make_ping(&service, &frame);
		ck_assert_int_eq(to_client(), SESSION_PINGED);
	} else {
		session_make_pong(&service, &frame);
		ck_assert_int_eq(to_client(), SESSION_NOTHING);
	}
	ck_assert(session_can_send(&client));
}
END_TEST

START_TEST(a_credit_beyond_all_bounds_resets)
{
	open_both();
	make(FRAME_CREDIT, 0, WINDOW_SIZE_MAX + 1);
	expect_reset(&client, to_client(), "a credit beyond all bounds");
	set_up();
	make(FRAME_ACCEPT, 0, WINDOW_SIZE_MAX + 1);
	expect_reset(&client, to_client(), "a credit beyond all bounds");
}
END_TEST

/* Ends */

START_TEST(one_direction_may_end_before_the_other)
{
	open_both();
	send_one(10);
	session_make_fin(&client, &frame);
	ck_assert_int_eq(to_service(), SESSION_FIN);
	ck_assert(!session_can_send(&client));
	ck_assert(session_can_send(&service));
	ck_assert(!session_is_finished(&service));
	session_make_data(&service, &frame, "answer", 6);
	ck_assert_int_eq(to_client(), SESSION_MESSAGE);
	session_make_fin(&service, &frame);
	ck_assert_int_eq(to_client(), SESSION_FIN);
	ck_assert(session_is_finished(&client));
	ck_assert(session_is_finished(&service));
}
END_TEST

START_TEST(nothing_comes_behind_an_end)
{
	open_both();
	session_make_fin(&client, &frame);
	ck_assert_int_eq(to_service(), SESSION_FIN);
	make(_i == 0 ? FRAME_DATA : FRAME_FIN, 2, 0);
	expect_reset(&service, to_service(), "a message behind the end");
}
END_TEST

START_TEST(behind_an_end_no_credit_is_given)
{
	open_both();
	while (session_can_send(&client))
		send_one(232);
	session_make_fin(&client, &frame);
	ck_assert_int_eq(to_service(), SESSION_FIN);
	ck_assert(!session_release(&service, 232, &frame));
}
END_TEST

START_TEST(a_reset_ends_both_sides)
{
	open_both();
	make(FRAME_RESET, 0, 0);
	ck_assert_int_eq(to_service(), SESSION_RESET);
	ck_assert_int_eq(service.state, SESSION_OVER);
	ck_assert_int_eq(carry(&client, &frame, SERVICE), SESSION_RESET);
}
END_TEST

START_TEST(the_first_reason_stays)
{
	open_both();
	session_reset(&client, "nobody there");
	session_reset(&client, "silent");
	ck_assert_str_eq(client.why, "nobody there");
	make(FRAME_CREDIT, 0, 2 * WINDOW);
	ck_assert_int_eq(to_client(), SESSION_STRANGE);
}
END_TEST

/* Others */

START_TEST(a_frame_of_somebody_else_is_ignored)
{
	static const char *const others[] = { NULL, "",
		"uxg.1.s.echo.beta.0b.8", "uxg.1.s.echo.alpha.0a.11",
		"uxg.1.s.echo.alpha.0a." };
	static const enum frame_type types[] = { FRAME_RESET, FRAME_DATA,
		FRAME_FIN, FRAME_CREDIT };
	size_t i;

	open_both();
	for (i = 0; i < COUNT(types); i++) {
		make(types[i], 0, 0);
		ck_assert_int_eq(carry(&service, &frame, others[_i]),
			SESSION_STRANGE);
	}
	send_one(1);
}
END_TEST

START_TEST(a_frame_out_of_place_resets)
{
	static const enum frame_type types[] = { FRAME_OPEN, FRAME_ACCEPT,
		FRAME_REFUSE, FRAME_DATAGRAM };

	open_both();
	make(types[_i], 0, 0);
	expect_reset(&service, to_service(), "a frame out of place");
}
END_TEST

START_TEST(a_silent_peer_is_noticed)
{
	open_both();
	session_make_ping(&client, &frame);
	ck_assert_int_eq(to_service(), SESSION_PINGED);
	ck_assert(!session_is_silent(&service, 5, 4));
	ck_assert(session_is_silent(&service, 6, 4));
	make(FRAME_RESET, 0, 0);
	ck_assert_int_eq(carry(&service, &frame, "else"), SESSION_STRANGE);
	ck_assert(session_is_silent(&service, 6, 4));
	session_reset(&service, "silent");
	ck_assert(!session_is_silent(&service, 6, 4));
}
END_TEST

/*
 * Frames in order, of which now and then one is lost: what is delivered is
 * numbered without a gap, and once one was lost the session is reset, at the
 * next ping at the latest.
 */
START_TEST(a_lost_frame_is_never_passed_over)
{
	uint64_t state = seed + (uint64_t)_i, next = 1, got;
	bool is_message_lost = false;
	int step, result = SESSION_NOTHING;

	open_both();
	for (step = 0; step < 2000 && service.state == SESSION_OPEN; step++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		if (state >> 60 == 0 || !session_can_send(&client)) {
			session_make_ping(&client, &frame);
			result = to_service();
			ck_assert_int_eq(result < 0, is_message_lost);
			if (session_release(&service, 1000, &frame))
				to_client();
			continue;
		}
		got = client.sent + 1;
		session_make_data(&client, &frame, &got, sizeof(got));
		if ((state >> 40) % 500 == 0) {
			is_message_lost = true;
			continue;
		}
		result = to_service();
		ck_assert_int_eq(result,
			is_message_lost ? -1 : SESSION_MESSAGE);
		if (result != SESSION_MESSAGE)
			break;
		ck_assert_uint_eq(got, next++);
		if (session_release(&service, sizeof(got), &frame))
			to_client();
	}
	ck_assert_int_eq(service.state == SESSION_OVER, result < 0);
}
END_TEST

static void add_others(TCase *tcase)
{
	tcase_add_loop_test(tcase, a_frame_of_somebody_else_is_ignored, 0, 5);
	tcase_add_loop_test(tcase, a_frame_out_of_place_resets, 0, 4);
	tcase_add_test(tcase, a_silent_peer_is_noticed);
	tcase_add_loop_test(tcase, a_lost_frame_is_never_passed_over, 0, 50);
}

int main(void)
{
	TCase *tcase = make_tcase_with("session", set_up, tear_down);

	printf("seed %#" PRIx64 "\n", seed);
	tcase_add_test(tcase, both_may_send_once_it_is_accepted);
	tcase_add_test(tcase, without_a_service_it_is_refused);
	tcase_add_loop_test(tcase, an_accepting_relay_must_tell_its_session, 0,
		7);
	tcase_add_loop_test(tcase, only_an_answer_opens_a_session, 0, 7);
	tcase_add_test(tcase, only_an_open_is_accepted);
	tcase_add_test(tcase, messages_are_numbered_in_each_direction);
	tcase_add_loop_test(tcase, a_gap_or_a_repeat_resets, 0, 4);
	tcase_add_test(tcase, an_end_has_its_number_too);
	tcase_add_test(tcase, a_missing_last_message_shows_at_the_next_ping);
	tcase_add_test(tcase, numbers_wrap_around);
	tcase_add_test(tcase, a_sender_stops_when_its_credit_is_used_up);
	tcase_add_test(tcase, delivery_gives_credit_back);
	tcase_add_loop_test(tcase,
		a_lost_credit_is_told_again_by_a_ping_or_its_answer, 0, 2);
	tcase_add_test(tcase, a_credit_beyond_all_bounds_resets);
	tcase_add_test(tcase, one_direction_may_end_before_the_other);
	tcase_add_loop_test(tcase, nothing_comes_behind_an_end, 0, 2);
	tcase_add_test(tcase, behind_an_end_no_credit_is_given);
	tcase_add_test(tcase, a_reset_ends_both_sides);
	tcase_add_test(tcase, the_first_reason_stays);
	add_others(tcase);
	return support_run_cases("session", tcase);
}
