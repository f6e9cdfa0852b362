/* SPDX-License-Identifier: MIT */
/* What only datagrams have. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proof/torture.h"
#include "support/talk.h"

enum { PLACES = 2 }; /* a path, an abstract name */

static const char *get_name(int kind)
{
	return kind == 0 ? support_path("server") : support_abstract("server");
}

static struct unixconn *dial_gram(const char *name,
	const struct unixdial_options *options)
{
	struct unixconn *client = unixconn_dial("unixgram", name, options,
		unixdeadline_after_us(1000000));

	ck_assert_msg(client != NULL, "dial: %s", strerror(errno));
	return client;
}

/* It goes there, and its answer comes back. */
static void talk(struct unixconn *client, struct unixconn *server)
{
	struct unixaddr from;

	ck_assert_int_eq(unixconn_send(client, "ping", 4, UNIXMSG_NOW), 1);
	receive_text(server, "ping", &from, UNIXMSG_NOW);
	ck_assert_int_eq(unixconn_send_to(server, &from, "pong", 4,
				 UNIXMSG_NOW),
		1);
	expect_text(client, "pong");
}

/*
 * A file that could not be looked at could not be told from another's: it is
 * dead, and swept away by later clients.
 */
static void allow_unknown_file(void)
{
	torture_allow_files("fstatat");
}

static void dial_whatever_fails(const char *name,
	const struct unixdial_options *options)
{
	struct unixconn *server = open_gram(name), *client;

	torture_begin();
	client = unixconn_dial("unixgram", name, options,
		unixdeadline_after_us(1000000));
	if (!torture_end_made(client)) {
		allow_unknown_file();
		client = dial_gram(name, options);
	}
	talk(client, server);
	close_gram(client);
	close_gram(server);
}

static void a_client_dials(int kind)
{
	dial_whatever_fails(get_name(kind), NULL);
}

static void a_client_dials_with_an_address_of_its_own(int kind)
{
	struct unixdial_options options;

	memset(&options, 0, sizeof(options));
	options.own = support_path("own");
	options.wants = UNIXMSG_WANT_FDS;
	dial_whatever_fails(get_name(kind), &options);
}

static void a_client_that_waits_dials(int kind)
{
	struct unixdial_options options = { .flags = UNIXMSG_DIAL_WAIT };

	dial_whatever_fails(get_name(kind), &options);
}

static void a_client_that_shall_reconnect_dials(int kind)
{
	struct unixdial_options options = { .flags = UNIXMSG_DIAL_RECONNECT };

	dial_whatever_fails(get_name(kind), &options);
}

enum { DEADS = 3 };

static const char *get_dead(int i)
{
	char name[64];

	snprintf(name, sizeof(name), "unixmsg-%d/dead-%d", (int)geteuid(), i);
	return support_path(name);
}

static void make_deads(void)
{
	char name[64];
	int i;

	snprintf(name, sizeof(name), "unixmsg-%d", (int)geteuid());
	make_dir(support_path(name), 0711);
	for (i = 0; i < DEADS; i++)
		make_dead(SOCK_DGRAM, get_dead(i));
}

/*
 * What clients that were killed have left is swept away, or stays: as it was,
 * under its name.
 */
static void a_client_sweeps_before_it_binds(int kind)
{
	struct unixconn *server = open_gram(get_name(kind)), *client;
	int i;

	make_deads();
	torture_begin();
	client = unixconn_dial("unixgram", get_name(kind), NULL, UNIXMSG_NOW);
	if (!torture_end_made(client)) {
		allow_unknown_file();
		client = dial_gram(get_name(kind), NULL);
	}
	talk(client, server);
	close_gram(client);
	close_gram(server);
	for (i = 0; i < DEADS; i++)
		unlink(get_dead(i));
}

static void a_client_closes(int kind)
{
	struct unixconn *server = open_gram(get_name(kind));
	struct unixconn *client = dial_gram(get_name(kind), NULL);

	talk(client, server);
	torture_begin();
	if (!torture_end(unixconn_close(client), 0))
		torture_allow_files(NULL);
	client = dial_gram(get_name(kind), NULL);
	talk(client, server);
	close_gram(client);
	close_gram(server);
}

static void the_answer_is_looked_into(int kind)
{
	struct unixconn *server = open_gram(get_name(kind));
	struct unixconn *client = dial_gram(get_name(kind), NULL);
	struct unixaddr addr, wanted = address_of(get_name(kind));

	torture_try(unixconn_check_answer(client), 0);
	ck_assert_int_eq(unixconn_get_peer(client, &addr), 0);
	ck_assert(unixaddr_is_equal(&addr, &wanted));
	talk(client, server);
	close_gram(client);
	close_gram(server);
}

static void the_sender_is_proved(int kind)
{
	struct unixconn *server = open_gram(get_name(kind));
	struct unixconn *client = dial_gram(get_name(kind), NULL);
	const struct unixcred ours = { getpid(), getuid(), getgid() };
	struct unixaddr from, to;
	int held_fd = -1;

	ck_assert_int_eq(unixconn_get_address(client, &from), 0);
	torture_begin();
	if (torture_end(unixconn_prove_sender(server, &from, &ours, &to,
				&held_fd),
		    0) &&
		held_fd >= 0)
		close(held_fd);
	talk(client, server);
	close_gram(client);
	close_gram(server);
}

/* It has not dialled, so that the kernel can be asked by a connect(2). */
static void a_sender_that_is_not_connected_is_proved(int kind)
{
	struct unixconn *server = open_gram(support_path("asks"));
	struct unixconn *sender = open_gram(get_name(kind));
	const struct unixcred ours = { getpid(), getuid(), getgid() };
	const struct unixaddr from = address_of(get_name(kind));
	struct unixaddr to;
	int held_fd = -1;

	torture_begin();
	if (torture_end(unixconn_prove_sender(server, &from, &ours, &to,
				&held_fd),
		    0) &&
		held_fd >= 0)
		close(held_fd);
	close_gram(sender);
	close_gram(server);
}

/* Who is connected is looked for in the kernel's list, as a last resort. */
static void the_sender_of_a_stranger_is_refused(int kind)
{
	struct unixconn *server = open_gram(get_name(kind));
	struct unixconn *client = dial_gram(get_name(kind), NULL);
	const struct unixcred stranger = { getpid(), 64001, 64001 };
	struct unixaddr from, to;
	int held_fd = -1;

	ck_assert_int_eq(unixconn_get_address(client, &from), 0);
	torture_begin();
	torture_end_refused(unixconn_prove_sender(server, &from, &stranger, &to,
				    &held_fd),
		EPERM);
	talk(client, server);
	close_gram(client);
	close_gram(server);
}

static void the_peer_is_told(int kind)
{
	struct unixconn *server = open_gram(get_name(kind));
	struct unixconn *client = dial_gram(get_name(kind), NULL);
	struct unixaddr addr, wanted = address_of(get_name(kind));

	torture_try(unixconn_get_peer(client, &addr), 0);
	ck_assert(unixaddr_is_equal(&addr, &wanted));
	talk(client, server);
	close_gram(client);
	close_gram(server);
}

/* A message that could not be sent has not come, and each is counted. */
static void a_message_is_sent_to_an_address(int kind)
{
	struct unixconn *server = open_gram(get_name(kind));
	struct unixconn *sender = open_gram(support_abstract("sender"));
	struct unixaddr to = address_of(get_name(kind));
	struct unixconn_counters counters;

	torture_begin();
	if (torture_end(unixconn_send_to(sender, &to, "once", 4,
				unixdeadline_after_us(20000)),
		    1))
		expect_text(server, "once");
	unixconn_get_counters(sender, &counters);
	ck_assert_uint_eq(counters.sent + counters.failed, 1);
	expect_nothing(server);
	ck_assert_int_eq(unixconn_send_to(sender, &to, "next", 4, UNIXMSG_NOW),
		1);
	expect_text(server, "next");
	close_gram(sender);
	close_gram(server);
}

/* Without its server a client lets nobody in: there has to be a new one. */
static struct unixconn *dial_if_lost(struct unixconn *client, const char *name)
{
	struct unixaddr addr;

	if (unixconn_get_peer(client, &addr) == 0)
		return client;
	ck_assert_int_eq(errno, ENOTCONN);
	ck_assert_int_gt(fault_get_hits(), 0);
	ck_assert_int_eq(torture_get_fault()->error, ECONNREFUSED);
	ck_assert_errno(unixconn_send(client, "ping", 4, UNIXMSG_NOW),
		ENOTCONN);
	close_gram(client);
	return dial_gram(name, NULL);
}

static void a_message_that_may_be_dropped_is_counted(int kind)
{
	struct unixconn *server = open_gram(get_name(kind));
	struct unixconn *client = dial_gram(get_name(kind), NULL);
	struct unixconn_counters counters;
	int result;

	ck_assert_int_eq(unixconn_set_policy(client, UNIXCONN_DROP), 0);
	torture_begin();
	result = unixconn_send(client, "once", 4, UNIXMSG_FOREVER);
	if (torture_end(result == 0 ? 1 : result, 1) && result == 1)
		expect_text(server, "once");
	unixconn_get_counters(client, &counters);
	ck_assert_uint_eq(counters.sent, result == 1);
	ck_assert_uint_eq(counters.dropped, result == 0);
	ck_assert_uint_eq(counters.failed, result == -1);
	expect_nothing(server);
	client = dial_if_lost(client, get_name(kind));
	talk(client, server);
	close_gram(client);
	close_gram(server);
}

/* The message is there when it was sent, and only then. */
static void a_restarted_server_is_found_again(int kind)
{
	struct unixconn *server = open_gram(get_name(kind)), *client;
	struct unixdial_options options = { .flags = UNIXMSG_DIAL_RECONNECT };

	client = dial_gram(get_name(kind), &options);
	close_gram(server);
	server = open_gram(get_name(kind));
	torture_begin();
	if (torture_end(unixconn_send(client, "once", 4,
				unixdeadline_after_us(20000)),
		    1))
		expect_text(server, "once");
	expect_nothing(server);
	talk(client, server);
	close_gram(client);
	close_gram(server);
}

static void a_pair_is_made(int kind)
{
	struct unixconn *pair[2];

	(void)kind;
	torture_try(unixconn_pair("unixgram", pair), 0);
	ck_assert_int_eq(unixconn_send(pair[0], "x", 1, UNIXMSG_NOW), 1);
	expect_text(pair[1], "x");
	close_gram(pair[0]);
	close_gram(pair[1]);
}

const struct scene torture_gram_scenes[] = {
	{ "a client dials", a_client_dials, PLACES },
	{ "a client dials with an address of its own",
		a_client_dials_with_an_address_of_its_own, PLACES },
	{ "a client that waits dials", a_client_that_waits_dials, PLACES },
	{ "a client that shall reconnect dials",
		a_client_that_shall_reconnect_dials, PLACES },
	{ "a client sweeps before it binds", a_client_sweeps_before_it_binds,
		1 },
	{ "a client closes", a_client_closes, PLACES },
	{ "the answer is looked into", the_answer_is_looked_into, PLACES },
	{ "a sender is proved", the_sender_is_proved, PLACES },
	{ "a sender that is not connected is proved",
		a_sender_that_is_not_connected_is_proved, PLACES },
	{ "the sender of a stranger is refused",
		the_sender_of_a_stranger_is_refused, 1 },
	{ "the peer is told", the_peer_is_told, PLACES },
	{ "a message is sent to an address", a_message_is_sent_to_an_address,
		PLACES },
	{ "a message that may be dropped is counted",
		a_message_that_may_be_dropped_is_counted, PLACES },
	{ "a restarted server is found again",
		a_restarted_server_is_found_again, PLACES },
	{ "a pair of datagram sockets is made", a_pair_is_made, 1 },
	{ NULL, NULL, 0 },
};
