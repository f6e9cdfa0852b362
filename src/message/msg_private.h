/* SPDX-License-Identifier: MIT */
/* msg: the routines that call sendmsg(2) and recvmsg(2), and their callers. */
#ifndef UNIXMSG_MSG_PRIVATE_H
#define UNIXMSG_MSG_PRIVATE_H

#include "base/endpoint.h"
#include "message/control.h"
#include "unixmsg/buffer.h"
#include "unixmsg/msg.h"

/*
 * Makes header from msg, or from one part for an address or for the peer
 * (NULL). All memory stays the caller's and must last until header is sent;
 * part and control are for a payload in one piece, and for descriptors. Returns
 * 0, or -1 if such a message cannot be sent.
 */
int unixmsg__pack(const struct endpoint *end, const struct unixmsg *msg,
	struct msghdr *header, struct iovec *part, union control_all *control);
int unixmsg__pack_part(const struct endpoint *end, struct iovec *part,
	const struct unixaddr *to, struct msghdr *header);

/* Sends header, which may be sent again. Returns 0 or -1. */
int unixmsg__send_packed(struct endpoint *end, const struct msghdr *header,
	int64_t deadline_us);

/* Packs and sends msg. Returns 0 or -1. */
int unixmsg__send_on(struct endpoint *end, const struct unixmsg *msg,
	int64_t deadline_us);

/* Fails with EINVAL for a message that is never valid; allowed are flags. */
int unixmsg__check(const struct unixmsg *msg, unsigned int allowed);

/* Fail with EINVAL or EISCONN for what cannot be sent, or received, on end. */
int unixmsg__check_to_send(const struct endpoint *end,
	const struct unixmsg *msg);
int unixmsg__check_to_receive(const struct endpoint *end,
	const struct unixmsg *msg);
int unixmsg__check_batch_to_send(const struct endpoint *end,
	const struct unixmsg *msgs, size_t count);
int unixmsg__check_batch(const struct unixmsg *msgs, size_t count);

/* Clears the results of the last receive. */
void unixmsg__reset(struct unixmsg *msg);

/*
 * Return the room for the control data of a message. _get_marks_size has room
 * only for what marks each message of end, _get_control_size also for what end
 * wants. Marks leave no room for descriptors, so the kernel truncates the
 * control data of a message that has some.
 */
size_t unixmsg__get_control_size(const struct endpoint *end);
size_t unixmsg__get_marks_size(const struct endpoint *end);

/* Tells whether MSG_CTRUNC alone marks a message, because only a mark can have
 * been truncated. */
bool unixmsg__is_mark_cut(const struct endpoint *end);

/* Receives a message. Returns 1, 0 at the end of a connection, or -1. */
int unixmsg__recv_on(struct endpoint *end, struct unixmsg *msg,
	int64_t deadline_us);

/* Gets the size of the next message, which stays. Returns 1, 0 or -1. */
int unixmsg__peek_size_on(struct endpoint *end, size_t *size,
	int64_t deadline_us);

/* Send one piece of bytes to the peer, or receive one; from may be NULL. Return
 * as _send_on and _recv_on do. */
int unixmsg__send_data_on(struct endpoint *end, const void *data, size_t size,
	int64_t deadline_us);
int unixmsg__recv_data_on(struct endpoint *end, void *data, size_t room,
	size_t *size, struct unixaddr *from, int64_t deadline_us);

/* Receives into a buffer that grows. Returns 1, 0 or -1. from may be NULL. */
int unixmsg__recv_buffer_on(struct endpoint *end, struct unixbuffer *buffer,
	struct unixaddr *from, int64_t deadline_us);

/* Send or receive several messages at once, see unixconn_send_batch and
 * unixconn_recv_batch. */
int unixmsg__send_batch_on(struct endpoint *end, const struct unixmsg *msgs,
	size_t count, size_t *sent, int64_t deadline_us);
int unixmsg__recv_batch_on(struct endpoint *end, struct unixmsg *msgs,
	size_t count, size_t *received, int64_t deadline_us);

#endif
