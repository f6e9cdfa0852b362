/* SPDX-License-Identifier: MIT */
/*
 * nats_writer: what a client sends to a nats-server, in a bounded buffer. Each
 * command is put whole or not at all.
 *
 * Functions that put a command return 0, or -1 with
 *
 *   EAGAIN    no room now: send what is there first
 *   EMSGSIZE  it can never have room, or the server takes no such payload
 *   EINVAL    a subject has bytes that would end it
 */
#ifndef UNIXMSG_RELAY_NATS_WRITER_H
#define UNIXMSG_RELAY_NATS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* The most bytes of a user, a password, and a name in nats_login. */
#define NATS_LOGIN_MAX 128

struct nats_writer {
	char *data;
	size_t bound; /* the most bytes that wait */
	size_t begin, end;
	size_t payload_most;
};

/* Text in UTF-8, which is escaped; NULL: none. */
struct nats_login {
	const char *name; /* of the connection, for the server's logs */
	const char *user;
	const char *password;
};

/* Returns 0, or -1 with ENOMEM. The memory is twice the bound, one piece, which
 * the kernel gives as it is used. */
int nats_writer_init(struct nats_writer *writer, size_t bound);
void nats_writer_free(struct nats_writer *writer);

/* Forgets what waits, for another connection. */
void nats_writer_reset(struct nats_writer *writer);

/* Sets the most bytes of a payload that the server takes; 0: no limit. */
void nats_writer_set_payload_most(struct nats_writer *writer, size_t size);

/* Returns the bytes that wait to be sent; nats_writer_sent takes the first. */
const void *nats_writer_get(const struct nats_writer *writer, size_t *size);
void nats_writer_sent(struct nats_writer *writer, size_t size);

/*
 * Puts CONNECT. The server then sends no +OK and none of our own messages, but
 * it sends the status 503. Fails with EINVAL also if a text is longer than
 * NATS_LOGIN_MAX or is not UTF-8.
 */
int nats_put_connect(struct nats_writer *writer,
	const struct nats_login *login);

/* Returns true if text may be a subject or a queue in a command: it may have
 * wildcards, but no byte that would end it. */
bool nats_is_subject(const char *text);

/* number is the subscription's, which its messages have; queue may be NULL. */
int nats_put_subscribe(struct nats_writer *writer, const char *subject,
	const char *queue, uint64_t number);
int nats_put_unsubscribe(struct nats_writer *writer, uint64_t number);

/* The payload is all parts in order; reply may be NULL. */
int nats_put_publish(struct nats_writer *writer, const char *subject,
	const char *reply, const struct iovec *parts, size_t parts_count);

int nats_put_ping(struct nats_writer *writer);
int nats_put_pong(struct nats_writer *writer);

#endif
