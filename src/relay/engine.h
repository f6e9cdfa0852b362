/* SPDX-License-Identifier: MIT */
/*
 * engine: the connection to a nats-server, one of a list, which is made anew
 * when it is lost. It sits in the loop of the caller:
 *
 *	watch engine_get_fd(engine) for EPOLLIN;
 *	each round:
 *		wait until engine_get_deadline_us(engine) at most;
 *		engine_run(engine);
 *		do what there is to do, and publish;
 *		engine_flush(engine);
 *
 * It never waits. Its queue is bounded: when it is full, publishing fails with
 * EAGAIN, and the caller stops reading from those that it publishes for. When a
 * connection is lost, messages published before may be lost, too; it never
 * sends them again.
 */
#ifndef UNIXMSG_RELAY_ENGINE_H
#define UNIXMSG_RELAY_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "relay/nats_reader.h"

#define ENGINE_SUBSCRIPTIONS_MAX 8

enum engine_change {
	ENGINE_UP,     /* connected, and all subscriptions are in force */
	ENGINE_DOWN,   /* the connection that was up is lost */
	ENGINE_FAILED, /* a connection could not be made; another try follows */
	ENGINE_REFUSED, /* the server has refused something, and stays */
};

struct engine_options {
	const char *servers;     /* see servers.h */
	bool is_any_allowed;     /* also servers on other hosts */
	const char *credentials; /* a file, see credentials.h; NULL: none */
	uid_t user;       /* of the server, see tcp_owner.h; (uid_t)-1: any */
	const char *name; /* for the logs of the server */
	/* A server that takes longer until the engine is up is given up. */
	int64_t connect_us;
	/* How often it must answer, and how many answers it may miss. */
	int64_t ping_us;
	unsigned int pings_max;
	/* The pause before another try; it doubles up to the longest while the
	 * engine does not stay up. */
	int64_t retry_us;
	int64_t retry_most_us;
	size_t payload_most; /* larger ones are neither sent nor kept */
	size_t output_most;  /* bytes that may wait to be sent */
	/* A message of a subscription. It may publish. */
	void (*on_message)(void *context, const struct nats_event *event);
	/* why is printable, and says more about all but ENGINE_UP. */
	void (*on_change)(void *context, enum engine_change change,
		const char *why);
	void *context;
};

struct engine_counters {
	uint64_t connected; /* times that it came up */
	uint64_t lost;      /* times that it went down */
	uint64_t failed;    /* tries that did not come up */
	uint64_t refused;   /* -ERR while it was up */
	uint64_t received;  /* messages */
	uint64_t published;
};

/* Sets all but servers and the functions. */
void engine_options_init(struct engine_options *options);

/*
 * The first connection is made by engine_run. Returns NULL with ENOMEM, an
 * errno of epoll_create1(2), of servers_init or of credentials_read. Texts of
 * the options are not used later.
 */
struct engine *engine_new(const struct engine_options *options);
void engine_close(struct engine *engine);

/* Returns a descriptor, always the same. It is readable when engine_run has
 * something to do. */
int engine_get_fd(const struct engine *engine);

/* Returns when engine_run must be called at the latest; UNIXMSG_NOW if
 * something waits that was not flushed. */
int64_t engine_get_deadline_us(const struct engine *engine);

/* Does all that can be done without waiting. */
void engine_run(struct engine *engine);

/* Sends what was published. Functions of the options may be called. */
void engine_flush(struct engine *engine);

/* Sends, but calls none of them: a lost connection shows in engine_run. */
void engine_push(struct engine *engine);

/*
 * Asks the server to confirm that it has all that was published before.
 * Messages that are only sent are lost if the connection is closed with
 * something unread. Returns 0, or -1 with ENOTCONN (the engine is not up) or
 * EAGAIN.
 */
int engine_confirm(struct engine *engine);

/* True if the server has confirmed that, or the connection is lost. */
bool engine_is_confirmed(const struct engine *engine);

/*
 * Subscribes now, or once the engine is up, and whenever it is up again; queue
 * may be NULL. Returns the number of the subscription, which its messages have,
 * or -1 with ENOSPC (ENGINE_SUBSCRIPTIONS_MAX), EINVAL (no such subject),
 * EAGAIN.
 */
int engine_subscribe(struct engine *engine, const char *subject,
	const char *queue);

/*
 * Takes a subscription back, or makes it again, now or once the engine is up.
 * Messages that are on their way still arrive. Returns 0, also if nothing
 * changes, or -1 with EAGAIN, or with EINVAL (no such number).
 */
int engine_set_subscribed(struct engine *engine, int number, bool is_wanted);

/*
 * Returns 0, or -1 with
 *
 *   ENOTCONN  the engine is not up
 *   EAGAIN    too much waits to be sent
 *   EMSGSIZE  larger than this server takes, or than payload_most
 *   EINVAL    a subject has other characters than engine subjects may have
 */
int engine_publish(struct engine *engine, const char *subject,
	const char *reply, const struct iovec *parts, size_t parts_count);

bool engine_is_up(const struct engine *engine);

/* The bytes that wait to be sent. */
size_t engine_get_waiting(const struct engine *engine);

const struct engine_counters *engine_get_counters(const struct engine *engine);

#endif
