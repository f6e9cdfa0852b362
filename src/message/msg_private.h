/* SPDX-License-Identifier: MIT */
/* msg: the two routines that talk to sendmsg(2) and recvmsg(2), with faces. */
#ifndef UNIXMSG_MSG_PRIVATE_H
#define UNIXMSG_MSG_PRIVATE_H

#include "base/endpoint.h"
#include "message/control.h"
#include "unixmsg/buffer.h"
#include "unixmsg/msg.h"

/*
 * Makes header of msg, or of one part that goes to an address or to the peer
 * (NULL). All of them stay the caller's, and must last until header is sent;
 * part and control are memory for a payload in one piece, and for descriptors.
 * 0, or -1: such a message cannot be sent.
 */
int unixmsg__pack(const struct endpoint *end, const struct unixmsg *msg,
	struct msghdr *header, struct iovec *part, union control_all *control);
int unixmsg__pack_part(const struct endpoint *end, struct iovec *part,
	const struct unixaddr *to, struct msghdr *header);

/* Sends it, which may be done again: 0, or -1. */
int unixmsg__send_packed(struct endpoint *end, const struct msghdr *header,
	int64_t deadline_us);

/* Packs and sends: 0, or -1. */
int unixmsg__send_on(struct endpoint *end, const struct unixmsg *msg,
	int64_t deadline_us);

/* EINVAL for what no message may be; allowed are flags. */
int unixmsg__check(const struct unixmsg *msg, unsigned int allowed);

/* EINVAL and EISCONN for what cannot be sent, or received, on end. */
int unixmsg__check_to_send(const struct endpoint *end,
	const struct unixmsg *msg);
int unixmsg__check_to_receive(const struct endpoint *end,
	const struct unixmsg *msg);
int unixmsg__check_batch_to_send(const struct endpoint *end,
	const struct unixmsg *msgs, size_t count);
int unixmsg__check_batch(const struct unixmsg *msgs, size_t count);

/* Forgets what it was received with before. */
void unixmsg__reset(struct unixmsg *msg);

/* 1, 0 at the end of a connection, or -1. */
int unixmsg__recv_on(struct endpoint *end, struct unixmsg *msg,
	int64_t deadline_us);

/* Tells the size of the next message, which stays: 1, 0, or -1. */
int unixmsg__peek_size_on(struct endpoint *end, size_t *size,
	int64_t deadline_us);

/* The same with one buffer, to the peer; size and from may be NULL. */
int unixmsg__send_data_on(struct endpoint *end, const void *data, size_t size,
	int64_t deadline_us);
int unixmsg__recv_data_on(struct endpoint *end, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us);

/* Receives into a buffer that grows: 1, 0, or -1. from may be NULL. */
int unixmsg__recv_buffer_on(struct endpoint *end, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us);

/* Several messages at once, see unixconn_send_batch and its sisters. */
int unixmsg__send_batch_on(struct endpoint *end, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us);
int unixmsg__recv_batch_on(struct endpoint *end, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us);

#endif
