/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "support/ends.h"
#include "support/support.h"

static struct ends *made;

static void make_gram_pair(struct ends *ends)
{
	make_pair("unixgram", &ends->sender, &ends->receiver);
}

static void make_gram_to_server(struct ends *ends)
{
	const char *name = support_abstract("ends");

	ends->receiver = unixconn_open("unixgram", name, NULL);
	ck_assert_ptr_nonnull(ends->receiver);
	ends->sender = dial_conn("unixgram", name);
}

static void make_packet_pair(struct ends *ends)
{
	make_pair("unixpacket", &ends->sender, &ends->receiver);
}

static void make_packet_to_server(struct ends *ends)
{
	const char *name = support_abstract("ends");
	struct unixlistener *listener = unixlistener_open("unixpacket", name,
		&(struct unixlisten_options){ .backlog = 1 });

	ck_assert_ptr_nonnull(listener);
	ends->sender = dial_conn("unixpacket", name);
	ends->receiver = accept_conn(listener);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void make_packet_to_client(struct ends *ends)
{
	struct unixconn *server;

	make_packet_to_server(ends);
	server = ends->receiver;
	ends->receiver = ends->sender;
	ends->sender = server;
}

void ends_make(struct ends *ends, int kind)
{
	static void (*const makers[])(struct ends *) = {
		[ENDS_GRAM_PAIR] = make_gram_pair,
		[ENDS_GRAM_TO_SERVER] = make_gram_to_server,
		[ENDS_PACKET_PAIR] = make_packet_pair,
		[ENDS_PACKET_TO_SERVER] = make_packet_to_server,
		[ENDS_PACKET_TO_CLIENT] = make_packet_to_client,
	};

	made = ends;
	ends->is_packet = kind >= ENDS_PACKET_PAIR;
	makers[kind](ends);
}

void ends_close(struct ends *ends)
{
	end_conn(&ends->sender);
	end_conn(&ends->receiver);
}

size_t ends_get_size_max(const struct ends *ends)
{
	size_t size = 0;

	ck_assert_int_eq(unixconn_get_size_max(ends->sender, &size), 0);
	ck_assert_uint_gt(size, 4096);
	return size;
}

static void close_made(void)
{
	if (made != NULL)
		ends_close(made);
}

TCase *make_ends_tcase(const char *name)
{
	return make_tcase_with(name, NULL, close_made);
}

void ends_add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, ENDS_KINDS);
}

void ends_add_packets(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, ENDS_PACKET_PAIR, ENDS_KINDS);
}
