/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "tools/relay/relay.h"
#include "tools/relay/relay_books.h"

struct figure {
	const char *name;
	const char *help;
	uint64_t value;
	bool is_gauge;
};

enum { FIGURES_MOST = 64 };

struct figures {
	struct figure all[FIGURES_MOST];
	size_t count;
};

static const struct {
	const char *name;
	const char *help;
} counts[RELAY_COUNTS] = {
	[RELAY_TAKEN] = { "taken", "messages received from peers here" },
	[RELAY_TAKEN_BYTES] = { "taken_bytes",
		"bytes of messages received from peers here" },
	[RELAY_PUBLISHED] = { "published", "messages given to the engine" },
	[RELAY_RETURNED] = { "returned",
		"published datagrams that found no receiver" },
	[RELAY_LOST_ENGINE_DOWN] = { "lost_engine_down",
		"messages lost because the engine was down" },
	[RELAY_LOST_TOO_LARGE] = { "lost_too_large",
		"messages larger than the engine or a socket carries" },
	[RELAY_LOST_DESCRIPTORS] = { "lost_descriptors",
		"messages refused because of their descriptors" },
	[RELAY_LOST_MEMORY] = { "lost_memory",
		"messages lost for lack of memory" },
	[RELAY_LOST_UNKNOWN] = { "lost_unknown",
		"messages of a forgotten client or an ended session" },
	[RELAY_ARRIVED] = { "arrived", "messages received from the engine" },
	[RELAY_ARRIVED_BYTES] = { "arrived_bytes",
		"bytes of messages received from the engine" },
	[RELAY_LOST_QUEUE] = { "lost_queue",
		"messages lost because the queue of a peer was full" },
	[RELAY_LOST_LATE] = { "lost_late",
		"messages that a peer did not read in time" },
	[RELAY_LOST_REFUSED] = { "lost_refused",
		"messages lost because the service was not there" },
	[RELAY_LOST_CLIENTS] = { "lost_clients",
		"messages of clients above the limit" },
	[RELAY_LOST_FAILED] = { "lost_failed",
		"messages that the kernel refused" },
	[RELAY_STRANGE] = { "strange",
		"messages of the engine that were for nobody" },
	[RELAY_CONTROLS_LOST] = { "controls_lost",
		"control frames that found no room" },
	[RELAY_REPLACED] = { "replaced",
		"remote clients forgotten to make room for new ones" },
	[RELAY_SESSIONS] = { "sessions", "sessions begun" },
	[RELAY_ENDED] = { "sessions_ended", "sessions that ended in order" },
	[RELAY_REFUSED] = { "sessions_refused",
		"sessions that found no service" },
	[RELAY_LIMITED] = { "sessions_limited",
		"sessions refused because there were too many" },
	[RELAY_RESET_HERE] = { "resets_here",
		"sessions reset because the peer here was closed" },
	[RELAY_RESET_THERE] = { "resets_there",
		"sessions reset by the other relay" },
	[RELAY_RESET_ABSENT] = { "resets_absent",
		"sessions reset because the other relay was gone" },
	[RELAY_RESET_SILENT] = { "resets_silent",
		"sessions reset because the other relay was silent" },
	[RELAY_RESET_ENGINE] = { "resets_engine",
		"sessions reset because the engine went down" },
	[RELAY_RESET_GAP] = { "resets_gap",
		"sessions reset because of a wrong frame or number" },
	[RELAY_RESET_MESSAGE] = { "resets_message",
		"sessions reset because of a message that cannot pass" },
	[RELAY_RESET_MEMORY] = { "resets_memory",
		"sessions reset for lack of memory" },
};

static void add(struct figures *figures, const char *name, const char *help,
	uint64_t value, bool is_gauge)
{
	if (figures->count < FIGURES_MOST)
		figures->all[figures->count++] =
			(struct figure){ name, help, value, is_gauge };
}

static void add_engine(struct figures *figures, const struct engine *engine)
{
	const struct engine_counters *it = engine_get_counters(engine);

	add(figures, "engine_up", "1 while the engine is up",
		engine_is_up(engine), true);
	add(figures, "engine_connected", "times that the engine came up",
		it->connected, false);
	add(figures, "engine_lost", "times that the engine went down", it->lost,
		false);
	add(figures, "engine_failed", "failed tries to reach the engine",
		it->failed, false);
	add(figures, "engine_refused", "refusals by the server", it->refused,
		false);
	add(figures, "engine_waiting_bytes", "bytes that wait to be sent",
		engine_get_waiting(engine), true);
}

/* A message that was queued for a peer, and was neither delivered nor reported
 * as lost by itself, was lost with a peer that closed. */
static void add_delivery(struct figures *figures, const struct relay *relay)
{
	const uint64_t *own = relay->books.counts;
	struct unixservice_counters it;

	unixservice_get_counters(relay->service, &it);
	add(figures, "delivered", "messages that the kernel accepted for peers",
		it.pushed - it.pushed_lost - it.queued, false);
	add(figures, "lost_gone", "messages to peers that had closed",
		it.pushed_lost - own[RELAY_LOST_QUEUE] - own[RELAY_LOST_LATE] -
			own[RELAY_LOST_FAILED],
		false);
	add(figures, "queued", "messages that wait for a peer here", it.queued,
		true);
	add(figures, "queued_bytes", "bytes of messages that wait for a peer",
		it.queued_bytes, true);
	add(figures, "peers", "peers here", it.peers, true);
	add(figures, "unproved", "answers whose address was not proved",
		it.unproved, false);
}

static void collect(struct figures *figures, const struct relay *relay,
	bool is_service_up)
{
	size_t i;

	figures->count = 0;
	add_engine(figures, relay->engine);
	add(figures, "service_up", "1 while clients find the service",
		is_service_up, true);
	for (i = 0; i < RELAY_COUNTS; i++)
		add(figures, counts[i].name, counts[i].help,
			relay->books.counts[i], false);
	add_delivery(figures, relay);
	add(figures, "open", "sessions, or remote clients, now",
		relay->books.open, true);
	add(figures, "held_bytes", "bytes that wait for the engine",
		relay->held_bytes, true);
}

static const char *get_role(const struct relay *relay)
{
	return relay_is_import(relay) ? "import" : "export";
}

int relay_books_print(const struct relay *relay, bool is_service_up)
{
	struct figures figures;
	size_t i;

	collect(&figures, relay, is_service_up);
	printf("{\"network\":\"%s\",\"role\":\"%s\",\"service\":\"%s\"",
		relay->options->base.network->name, get_role(relay),
		relay->options->service);
	for (i = 0; i < figures.count; i++)
		printf(",\"%s\":%" PRIu64, figures.all[i].name,
			figures.all[i].value);
	printf("}\n");
	if (fflush(stdout) == 0)
		return 0;
	return tool_complain("standard output: %s", strerror(errno));
}

/* Names and labels have no character that would need an escape. */
static void write_figure(FILE *file, const struct relay *relay,
	const struct figure *figure)
{
	const char *end = figure->is_gauge ? "" : "_total";
	const char *type = figure->is_gauge ? "gauge" : "counter";

	fprintf(file,
		"# HELP unixmsg_relay_%s%s %s\n# TYPE unixmsg_relay_%s%s %s\n",
		figure->name, end, figure->help, figure->name, end, type);
	fprintf(file,
		"unixmsg_relay_%s%s{service=\"%s\",role=\"%s\",network=\"%s\"} "
		"%" PRIu64 "\n",
		figure->name, end, relay->options->service, get_role(relay),
		relay->options->base.network->name, figure->value);
}

/* Other users may write to the directory, too. A file that exists may be
 * theirs, and a link may lead to another file of ours. */
static FILE *create(const char *path)
{
	const int fd = open(path,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (fd >= 0 && file == NULL) {
		unlink(path);
		close(fd);
	}
	return file;
}

static int write_all(FILE *file, const struct relay *relay,
	const struct figures *figures)
{
	bool is_bad;
	size_t i;

	for (i = 0; i < figures->count; i++)
		write_figure(file, relay, &figures->all[i]);
	is_bad = ferror(file) != 0;
	return fclose(file) == 0 && !is_bad ? 0 : -1;
}

static int replace(const char *other, const struct relay *relay,
	const struct figures *figures)
{
	FILE *file = create(other);
	int saved;

	if (file == NULL)
		return -1;
	if (write_all(file, relay, figures) == 0 &&
		renameat(AT_FDCWD, other, AT_FDCWD, relay->options->metrics) ==
			0)
		return 0;
	saved = errno;
	unlink(other);
	errno = saved;
	return -1;
}

/* A reader gets the old file or the new one, whole. */
int relay_books_write(const struct relay *relay, bool is_service_up)
{
	const char *path = relay->options->metrics;
	struct figures figures;
	char other[4096];

	if (path == NULL)
		return 0;
	collect(&figures, relay, is_service_up);
	errno = ENAMETOOLONG;
	if ((size_t)snprintf(other, sizeof(other), "%s.%s", path,
		    relay->incarnation) < sizeof(other) &&
		replace(other, relay, &figures) == 0)
		return 0;
	return tool_complain("--metrics: %s: %s", explain_text(path),
		strerror(errno));
}
