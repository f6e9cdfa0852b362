/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "unixmsg/service.h"

/* Text built piece by piece, with the size that snprintf(3) would return. */
struct text {
	char *bytes;
	size_t room;
	size_t size; /* the size with enough room */
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text,
	const char *format, ...)
{
	const size_t used = text->size < text->room ? text->size : text->room;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text->room == 0 ? NULL : text->bytes + used,
		text->room - used, format, arguments);
	va_end(arguments);
	text->size += (size_t)size;
}

/* A member of 64 bits, in the order of the text. */
struct field {
	const char *name;
	size_t offset;
};

#define FIELD(type, member)                                               \
	{                                                                 \
		.name = #member, .offset = offsetof(struct type, member), \
	}

static const struct field counter_fields[] = {
	FIELD(unixservice_counters, received),
	FIELD(unixservice_counters, received_bytes),
	FIELD(unixservice_counters, answered),
	FIELD(unixservice_counters, unanswered),
	FIELD(unixservice_counters, refused),
	FIELD(unixservice_counters, limited),
	FIELD(unixservice_counters, cut),
	FIELD(unixservice_counters, unnamed),
	FIELD(unixservice_counters, dropped),
	FIELD(unixservice_counters, late),
	FIELD(unixservice_counters, gone),
	FIELD(unixservice_counters, failed),
	FIELD(unixservice_counters, unproved),
	FIELD(unixservice_counters, stopped),
	FIELD(unixservice_counters, waiting),
	FIELD(unixservice_counters, pushed),
	FIELD(unixservice_counters, pushed_lost),
	FIELD(unixservice_counters, sent_bytes),
	FIELD(unixservice_counters, peers),
	FIELD(unixservice_counters, peers_most),
	FIELD(unixservice_counters, connections),
	FIELD(unixservice_counters, connections_refused),
	FIELD(unixservice_counters, connections_limited),
	FIELD(unixservice_counters, evicted),
	FIELD(unixservice_counters, idle),
	FIELD(unixservice_counters, queued),
	FIELD(unixservice_counters, queued_most),
	FIELD(unixservice_counters, queued_bytes),
	FIELD(unixservice_counters, queued_bytes_most),
	FIELD(unixservice_counters, pauses),
	FIELD(unixservice_counters, fds_lost),
	FIELD(unixservice_counters, events_suppressed),
	FIELD(unixservice_counters, partial_bytes),
	FIELD(unixservice_counters, partial_bytes_most),
	FIELD(unixservice_counters, partials_closed),
	FIELD(unixservice_counters, lanes),
	FIELD(unixservice_counters, lane_bytes),
	FIELD(unixservice_counters, lane_bytes_most),
	FIELD(unixservice_counters, lanes_limited),
};

static const struct field peer_fields[] = {
	FIELD(unixservice_peer_info, received),
	FIELD(unixservice_peer_info, sent),
	FIELD(unixservice_peer_info, lost),
	FIELD(unixservice_peer_info, waiting),
	FIELD(unixservice_peer_info, queued),
	FIELD(unixservice_peer_info, queued_bytes),
	FIELD(unixservice_peer_info, queued_most),
	FIELD(unixservice_peer_info, opened_us),
	FIELD(unixservice_peer_info, active_us),
};

#undef FIELD

static void add_fields(struct text *text, const void *object,
	const struct field *fields, size_t count)
{
	uint64_t value;
	size_t i;

	for (i = 0; i < count; i++) {
		memcpy(&value, (const char *)object + fields[i].offset,
			sizeof(value));
		add(text, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", fields[i].name,
			value);
	}
}

size_t unixservice_format_counters(const struct unixservice_counters *counters,
	char *bytes, size_t room)
{
	struct text text = { .bytes = bytes, .room = room };

	add(&text, "{");
	add_fields(&text, counters, counter_fields,
		sizeof(counter_fields) / sizeof(counter_fields[0]));
	add(&text, "}");
	return text.size;
}

/* The text of an address is printable ASCII: two characters need an escape. */
static void add_string(struct text *text, const char *string)
{
	add(text, "\"");
	for (; *string != '\0'; string++)
		add(text, *string == '"' || *string == '\\' ? "\\%c" : "%c",
			*string);
	add(text, "\"");
}

static void add_address(struct text *text, const struct unixaddr *addr)
{
	char name[UNIXMSG_ADDR_TEXT_SIZE];

	if (unixaddr_get_kind(addr) == UNIXADDR_UNNAMED)
		add(text, "null");
	else
		add_string(text, unixaddr_format(addr, name, sizeof(name)));
}

size_t unixservice_format_peer(const struct unixservice_peer_info *info,
	char *bytes, size_t room)
{
	struct text text = { .bytes = bytes, .room = room };

	add(&text, "{\"peer\":%" PRIu64 ",\"network\":\"%s\",", info->id,
		info->network);
	if (info->has_cred)
		add(&text, "\"pid\":%jd,\"uid\":%ju,\"gid\":%ju,",
			(intmax_t)info->cred.pid, (uintmax_t)info->cred.uid,
			(uintmax_t)info->cred.gid);
	add(&text, "\"address\":");
	add_address(&text, &info->addr);
	add(&text, ",");
	add_fields(&text, info, peer_fields,
		sizeof(peer_fields) / sizeof(peer_fields[0]));
	add(&text, "}");
	return text.size;
}

static const char *get_verb(const struct unixservice_event *event)
{
	switch (event->kind) {
	case UNIXSERVICE_OPENED:
		return "opened";
	case UNIXSERVICE_CLOSED:
		return "closed";
	case UNIXSERVICE_FLUSHED:
		return "has nothing queued any more";
	case UNIXSERVICE_REFUSED:
		return event->msg == NULL ? "connection refused"
					  : "message refused";
	case UNIXSERVICE_LIMITED:
		return event->msg == NULL ? "connection above the limit"
					  : "message above the limit";
	case UNIXSERVICE_CUT:
		return "message too large";
	case UNIXSERVICE_LOST:
		return "answer lost";
	case UNIXSERVICE_UNPROVED:
		return event->msg == NULL
			? "no answer, its address may be another's"
			: "message from an address that is another's";
	case UNIXSERVICE_PAUSED:
		return "accepting nobody for a while";
	case UNIXSERVICE_ROUND:
		return "a round has ended";
	case UNIXSERVICE_SHUT:
		return "served no longer: somebody who shares the socket has "
		       "shut it down";
	case UNIXSERVICE_ENDED:
		return "sends nothing more";
	}
	return "event";
}

static void add_origin(struct text *text, const struct unixservice_event *event)
{
	char name[UNIXMSG_ADDR_TEXT_SIZE];

	if (event->peer != 0)
		add(text, "peer %" PRIu64, event->peer);
	if (event->addr != NULL)
		add(text, "%s%s", event->peer != 0 ? " at " : "",
			unixaddr_format(event->addr, name, sizeof(name)));
	if (event->has_cred)
		add(text, "%suser %ju, pid %jd", text->size > 0 ? ", " : "",
			(uintmax_t)event->cred.uid, (intmax_t)event->cred.pid);
	if (text->size > 0)
		add(text, ": ");
}

/* In another locale strerror(3) may return any bytes. */
static void add_reason(struct text *text, int error)
{
	const char *at = strerror(error);

	add(text, ": ");
	for (; *at != '\0'; at++)
		add(text, "%c", *at >= ' ' && *at <= '~' ? *at : '?');
}

char *unixservice_format_event(const struct unixservice_event *event,
	char *bytes, size_t room)
{
	struct text text = { .bytes = bytes, .room = room };

	if (room > 0)
		bytes[0] = '\0';
	add_origin(&text, event);
	add(&text, "%s", get_verb(event));
	if (event->msg != NULL)
		add(&text, " (%zu bytes)", event->msg->size);
	if (event->error != 0 && event->kind != UNIXSERVICE_SHUT)
		add_reason(&text, event->error);
	if (event->suppressed > 0)
		add(&text, " (and %" PRIu64 " more)", event->suppressed);
	return bytes;
}
