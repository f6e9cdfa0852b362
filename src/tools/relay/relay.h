/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_H
#define UNIXMSG_TOOLS_RELAY_H

/*
 * relay: the types and calls that all parts of the program share. One thread
 * has a service, whose peers are the clients here, or our own connections to
 * the service here; and an engine, which carries frames to and from the relay
 * of the other side.
 *
 * A relay works in one of three ways: sessions, for networks with connections;
 * the datagrams of an import; or the datagrams of an export.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/engine.h"
#include "relay/frame.h"
#include "relay/subject.h"
#include "tools/relay/relay_counts.h"
#include "tools/relay/relay_options.h"
#include "unixmsg.h"

struct relay;
struct relay_front;
struct relay_held;

/* No function waits. "Or NULL" marks functions that a way may lack. */
struct relay_way {
	/* The subscriptions: our own subject, and the common one of an export
	 * (SUBJECT_DATAGRAM or SUBJECT_OPEN). */
	enum subject_kind own, common;
	/* Return 0, or -1 after a complaint. */
	int (*open)(struct relay *relay);
	void (*close)(struct relay *relay);
	/* Publishes a message of a peer here. Returns 0, also if it was lost
	 * and counted; or -1 with EAGAIN: hold it. */
	int (*pass)(struct relay *relay, uint64_t peer, const void *data,
		size_t size);
	/* The peer's message is held, or is held no longer. */
	void (*hold)(struct relay *relay, uint64_t peer);
	void (*release)(struct relay *relay, uint64_t peer);
	/* A message that cannot be passed on, and why. */
	void (*lose)(struct relay *relay, uint64_t peer,
		enum relay_count reason);
	/* An event of the service. */
	void (*watch)(struct relay *relay,
		const struct unixservice_event *event);
	/* Takes a message for our own subject with this number. frame is NULL
	 * for NATS_NO_RESPONDERS, the only status, or if it is no frame. */
	void (*take)(struct relay *relay, uint64_t number,
		const struct nats_event *event, const struct frame *frame);
	/* A frame for the common subject of an export. */
	void (*take_new)(struct relay *relay, const struct nats_event *event,
		const struct frame *frame);
	/* Notes whether the relay with that subject has its service. Or
	 * NULL. */
	void (*take_health)(struct relay *relay, const char *subject,
		bool is_there);
	void (*engine_down)(struct relay *relay); /* or NULL */
	/* Called at wake_us; sets the next time by relay_wake_at. Or NULL. */
	void (*look)(struct relay *relay, int64_t now_us);
	/* True if nothing is left to pass on. */
	bool (*is_empty)(const struct relay *relay);
	/* Tells other relays about the clients that end with this one. Or
	 * NULL. */
	void (*reset)(struct relay *relay);
};

extern const struct relay_way relay_sessions_way;
extern const struct relay_way relay_imported_way;
extern const struct relay_way relay_exported_way;

struct relay {
	const struct relay_options *options;
	const struct relay_way *way;
	struct unixservice *service;
	struct engine *engine;
	struct subject_names names;
	char incarnation[SUBJECT_INCARNATION_ROOM];
	struct relay_books books;
	struct relay_front *front; /* of an import */
	struct relay_held *held;   /* messages that wait for the engine */
	size_t held_bytes;
	void *state;        /* of the way */
	int common, health; /* numbers of subscriptions */
	int64_t wake_us;    /* the latest time to look */
	int64_t probe_us;   /* of an export: the next probe of its service */
	int64_t known_us;   /* the time of the last probe */
	bool is_away;       /* the service of an export is not there */
	bool is_announced;
	bool is_stopping;
	bool has_failed;
};

static inline bool relay_is_import(const struct relay *relay)
{
	return relay->options->import != NULL;
}

/* Has the loop wake up at that moment, or earlier. */
static inline void relay_wake_at(struct relay *relay, int64_t moment_us)
{
	if (moment_us < relay->wake_us)
		relay->wake_us = moment_us;
}

#endif
