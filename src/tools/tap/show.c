/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tools/common/record_put.h"
#include "tools/common/utf8.h"
#include "tools/tap/show.h"

const char *const show_formats[] = {
	[SHOW_TEXT] = "text",
	[SHOW_HEX] = "hex",
	[SHOW_JSON] = "json",
	NULL,
};

static const char *get_name(enum event_kind kind)
{
	switch (kind) {
	case EVENT_OPENED:
		return "opened";
	case EVENT_CLOSED:
		return "closed";
	case EVENT_ENDED:
		return "end";
	case EVENT_LEFT_OUT:
		return "left out";
	case EVENT_MESSAGE:
	default:
		return "message";
	}
}

/* The text always has room: it has only numbers, and names that were
 * checked. */
static int __attribute__((format(printf, 2, 3)))
print(struct show *show, const char *format, ...)
{
	char text[256];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	return record_put_text(show->writer, text);
}

/* A colour for each direction, so that the eye finds the answers. */
static int put_colour(struct show *show, const struct event *event)
{
	if (!show->has_colours)
		return 0;
	return record_put_text(show->writer,
		event->is_answer ? "\033[36m" : "\033[33m");
}

static int end_colour(struct show *show)
{
	return show->has_colours ? record_put_text(show->writer, "\033[0m") : 0;
}

/* The time since the last line; clocks may be set back. */
static int put_time(struct show *show, const struct event *event)
{
	int64_t since_ns = 0;

	if (show->last_ns != 0 && event->time_ns > show->last_ns)
		since_ns = event->time_ns - show->last_ns;
	show->last_ns = event->time_ns;
	return print(show, "+%" PRId64 ".%06" PRId64, since_ns / 1000000000,
		since_ns / 1000 % 1000000);
}

static bool is_whom_we_know(const struct show *show, const struct event *event)
{
	return show->who[0] != '\0' && show->connection == event->connection &&
		show->cred.uid == event->cred.uid &&
		show->cred.pid == event->cred.pid;
}

/* Keeps the text for the next line: looking up a user's name reads files, and
 * most lines follow a line of the same client. */
static void describe(struct show *show, const struct event *event)
{
	char user[EXPLAIN_USER_SIZE];

	snprintf(show->who, sizeof(show->who), "  %" PRIu64 " %s[%jd]",
		event->connection, explain_user(event->cred.uid, user),
		(intmax_t)event->cred.pid);
	show->connection = event->connection;
	show->cred = event->cred;
}

static int put_who(struct show *show, const struct event *event)
{
	if (!event->has_cred)
		return print(show, "  %" PRIu64, event->connection);
	if (!is_whom_we_know(show, event))
		describe(show, event);
	return record_put_text(show->writer, show->who);
}

static int put_what(struct show *show, const struct event *event)
{
	const char arrow = event->is_answer ? '<' : '>';

	if (event->kind == EVENT_OPENED || event->kind == EVENT_CLOSED)
		return print(show, "  %s", get_name(event->kind));
	if (event->kind == EVENT_ENDED)
		return print(show, " %c end", arrow);
	if (print(show, " %c %zu", arrow, event->size) < 0)
		return -1;
	return event->fds == 0 ? 0 : print(show, " +%zu fds", event->fds);
}

static int put_payload(struct show *show, const struct event *event,
	const void *data)
{
	if (event->kind != EVENT_MESSAGE || event->kept == 0)
		return 0;
	if (record_put_text(show->writer, "  ") < 0)
		return -1;
	if (show->format == SHOW_HEX)
		return record_put_hex(show->writer, data, event->kept);
	return record_put_harmless(show->writer, data, event->kept);
}

/* The rest of the message was not recorded. */
static int put_cut(struct show *show, const struct event *event)
{
	if (event->kept == event->size)
		return 0;
	return record_put_text(show->writer, "...");
}

static int show_left_out(struct show *show, const struct event *event)
{
	return print(show,
		"... %" PRIu64 " left out: this output is too slow\n",
		event->left_out);
}

static int show_line(struct show *show, const struct event *event,
	const void *data)
{
	if (event->kind == EVENT_LEFT_OUT)
		return show_left_out(show, event);
	if (put_time(show, event) < 0 || put_colour(show, event) < 0 ||
		put_who(show, event) < 0 || put_what(show, event) < 0 ||
		end_colour(show) < 0 || put_payload(show, event, data) < 0 ||
		put_cut(show, event) < 0)
		return -1;
	return record_put_text(show->writer, "\n");
}

static int put_json_data(struct show *show, const struct event *event,
	const void *data)
{
	if (utf8_is_valid(data, event->kept)) {
		if (print(show, ",\"data\":") < 0)
			return -1;
		return record_put_string(show->writer, data, event->kept);
	}
	if (print(show, ",\"hex\":\"") < 0 ||
		record_put_hex(show->writer, data, event->kept) < 0)
		return -1;
	return print(show, "\"");
}

/* The members of --format json of the other tools. */
static int put_json_message(struct show *show, const struct event *event,
	const void *data)
{
	if (print(show, ",\"size\":%zu", event->kept) < 0 ||
		put_json_data(show, event, data) < 0)
		return -1;
	if (event->kept < event->size &&
		print(show, ",\"cut\":true,\"true_size\":%zu", event->size) < 0)
		return -1;
	return event->fds == 0 ? 0 : print(show, ",\"fds\":%zu", event->fds);
}

static int put_json_cred(struct show *show, const struct event *event)
{
	if (!event->has_cred)
		return 0;
	return print(show, ",\"uid\":%ju,\"gid\":%ju,\"pid\":%jd",
		(uintmax_t)event->cred.uid, (uintmax_t)event->cred.gid,
		(intmax_t)event->cred.pid);
}

static int show_json(struct show *show, const struct event *event,
	const void *data)
{
	if (print(show, "{\"event\":\"%s\"", get_name(event->kind)) < 0)
		return -1;
	if (event->kind == EVENT_LEFT_OUT)
		return print(show, ",\"left_out\":%" PRIu64 "}\n",
			event->left_out);
	if (print(show,
		    ",\"time\":%" PRId64 ".%09" PRId64
		    ",\"connection\":%" PRIu64 ",\"from\":\"%s\"",
		    event->time_ns / 1000000000, event->time_ns % 1000000000,
		    event->connection,
		    event->is_answer ? "server" : "client") < 0 ||
		put_json_cred(show, event) < 0)
		return -1;
	if (event->kind == EVENT_MESSAGE &&
		put_json_message(show, event, data) < 0)
		return -1;
	return print(show, "}\n");
}

int show_event(struct show *show, const struct event *event, const void *data)
{
	if (show->format == SHOW_JSON)
		return show_json(show, event, data);
	return show_line(show, event, data);
}
