/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "ends.h"
#include "support.h"

/* clang-format off */

/* What both networks call the same. */
#define DEFINE_CALLS(kind)                                                    \
static int kind##_send(void *end, const void *data, size_t size,              \
	int64_t until)                                                        \
{                                                                             \
	return unix##kind##_send(end, data, size, until);                     \
}                                                                             \
static int kind##_send_msg(void *end, const struct unixmsg *msg,              \
	int64_t until)                                                        \
{                                                                             \
	return unix##kind##_send_msg(end, msg, until);                        \
}                                                                             \
static int kind##_recv_msg(void *end, struct unixmsg *msg, int64_t until)     \
{                                                                             \
	return unix##kind##_recv_msg(end, msg, until);                        \
}                                                                             \
static int kind##_send_batch(void *end, const struct unixmsg *msgs,           \
	size_t count, size_t *sent, int64_t until)                            \
{                                                                             \
	return unix##kind##_send_batch(end, msgs, count, sent, until);        \
}                                                                             \
static int kind##_recv_batch(void *end, struct unixmsg *msgs, size_t count,   \
	size_t *received, int64_t until)                                      \
{                                                                             \
	return unix##kind##_recv_batch(end, msgs, count, received, until);    \
}                                                                             \
static int kind##_get_next_size(void *end, size_t *size, int64_t until)       \
{                                                                             \
	return unix##kind##_get_next_size(end, size, until);                  \
}                                                                             \
static int kind##_get_size_max(void *end, size_t *size)                       \
{                                                                             \
	return unix##kind##_get_size_max(end, size);                          \
}                                                                             \
static int kind##_raise_size_max(void *end, size_t wanted, size_t *reached)   \
{                                                                             \
	return unix##kind##_raise_size_max(end, wanted, reached);             \
}                                                                             \
static int kind##_get_unread(void *end, size_t *bytes)                        \
{                                                                             \
	return unix##kind##_get_unread(end, bytes);                           \
}                                                                             \
static int kind##_want(void *end, unsigned int wants)                         \
{                                                                             \
	return unix##kind##_want(end, wants);                                 \
}                                                                             \
static int kind##_get_fd(void *end)                                           \
{                                                                             \
	return unix##kind##_get_fd(end);                                      \
}                                                                             \
static void kind##_set_stop_fd(void *end, int fd)                             \
{                                                                             \
	unix##kind##_set_stop_fd(end, fd);                                    \
}                                                                             \
static int kind##_close(void *end)                                            \
{                                                                             \
	return unix##kind##_close(end);                                       \
}                                                                             \
static const struct network kind = {                                          \
	.send = kind##_send,                                                  \
	.recv = kind##_recv,                                                  \
	.send_msg = kind##_send_msg,                                          \
	.recv_msg = kind##_recv_msg,                                          \
	.send_batch = kind##_send_batch,                                      \
	.recv_batch = kind##_recv_batch,                                      \
	.recv_buffer = kind##_recv_buffer,                                    \
	.get_next_size = kind##_get_next_size,                                \
	.get_size_max = kind##_get_size_max,                                  \
	.raise_size_max = kind##_raise_size_max,                              \
	.get_unread = kind##_get_unread,                                      \
	.want = kind##_want,                                                  \
	.get_fd = kind##_get_fd,                                              \
	.set_stop_fd = kind##_set_stop_fd,                                    \
	.close = kind##_close,                                                \
}

/* clang-format on */

static int gram_recv(void *end, void *data, size_t room, size_t *size,
	int64_t until)
{
	return unixgram_recv(end, data, room, size, NULL, until);
}

static int gram_recv_buffer(void *end, struct unixbuffer *buffer, int64_t until)
{
	return unixgram_recv_buffer(end, buffer, NULL, until);
}

static int packet_recv(void *end, void *data, size_t room, size_t *size,
	int64_t until)
{
	return unixpacket_recv(end, data, room, size, until);
}

static int packet_recv_buffer(void *end, struct unixbuffer *buffer,
	int64_t until)
{
	return unixpacket_recv_buffer(end, buffer, until);
}

DEFINE_CALLS(gram);
DEFINE_CALLS(packet);

static void make_gram_pair(struct ends *ends)
{
	struct unixgram *pair[2];

	ck_assert_int_eq(unixgram_pair(pair), 0);
	ends->sender = pair[0];
	ends->receiver = pair[1];
}

static void make_gram_to_server(struct ends *ends)
{
	const char *name = support_abstract("ends");

	ends->receiver = unixgram_open(name, NULL);
	ck_assert_ptr_nonnull(ends->receiver);
	ends->sender = unixgram_dial(name, NULL, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(ends->sender);
}

static void make_packet_pair(struct ends *ends)
{
	struct unixpacket *pair[2];

	ck_assert_int_eq(unixpacket_pair(pair), 0);
	ends->sender = pair[0];
	ends->receiver = pair[1];
}

static void make_packet_to_server(struct ends *ends)
{
	const char *name = support_abstract("ends");
	struct unixlistener *listener = unixpacket_listen(name, 1, NULL);

	ck_assert_ptr_nonnull(listener);
	ends->sender = unixpacket_dial(name, NULL, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(ends->sender);
	ends->receiver = unixpacket_accept(listener, UNIXMSG_NOW);
	ck_assert_ptr_nonnull(ends->receiver);
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

static void make_packet_to_client(struct ends *ends)
{
	void *server;

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

	ends->is_packet = kind >= ENDS_PACKET_PAIR;
	ends->net = ends->is_packet ? &packet : &gram;
	makers[kind](ends);
}

void ends_close(struct ends *ends)
{
	ck_assert_int_eq(ends->net->close(ends->sender), 0);
	ck_assert_int_eq(ends->net->close(ends->receiver), 0);
	ends->sender = NULL;
	ends->receiver = NULL;
}

void ends_send_text(const struct ends *ends, const char *text)
{
	ck_assert_int_eq(ends->net->send(ends->sender, text, strlen(text),
				 UNIXMSG_NOW),
		0);
}

void ends_expect_text(const struct ends *ends, const char *text)
{
	char bytes[256];
	size_t size = SIZE_MAX;

	ck_assert_int_eq(ends->net->recv(ends->receiver, bytes, sizeof(bytes),
				 &size, UNIXMSG_NOW),
		1);
	ck_assert_uint_eq(size, strlen(text));
	ck_assert_int_eq(memcmp(bytes, text, size), 0);
}

void ends_expect_nothing(const struct ends *ends)
{
	ck_assert_errno(ends->net->recv(ends->receiver, NULL, 0, NULL,
				UNIXMSG_NOW),
		EAGAIN);
}
