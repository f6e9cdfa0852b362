/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "proof/torture.h"
#include "proof/torture_outcome.h"

/* What may follow from a failure: one of those that it has, and no other. */
enum {
	NOTHING = 1 << 0, /* all are served, some of them later */
	PAUSE = 1 << 1,   /* nobody is accepted for a while */
	LIMIT = 1 << 2,   /* there is no place for a newcomer */
	REFUSE = 1 << 3,  /* who is not known is not let in */
	CLOSE = 1 << 4,   /* a connection ends with what it has not said yet */
	LEAVE = 1 << 5,   /* a peer is gone before its answer */
	FAIL = 1 << 6,    /* an answer is lost, and its peer stays */
	DROP = 1 << 7,    /* an answer cannot be kept */
	SILENCE = 1 << 8, /* the handler is told, and gives no answer */
	GIVE_UP = 1 << 9, /* an answer has not gone before the deadline */
	MISS = 1 << 10,   /* who has come was not taken before the deadline */
	DOUBT = 1 << 11,  /* an answer is lost: its peer could not be proved */
};

/* A failure that lasts is over when the service has run. */
enum { ONCE = 1, LASTING = 2, ALWAYS = ONCE | LASTING };

struct rule {
	const char *call; /* the beginning of its name */
	int error;        /* 0: any */
	const char *network;
	const char *scene; /* a part of its name */
	int when;
	int verdicts;
};

#define ANY ""
#define GRAM "unixgram"
#define PACKET "unixpacket"
#define STREAM "unix"

/* clang-format off */

/* The first that fits counts, and behind them what is harmless everywhere. */
static const struct rule rules[] = {
	{ ANY, EINTR, ANY, ANY, ALWAYS, NOTHING },
	/* Accepting. Without a place in memory for the newcomer he has to go:
	 * he would be accepted before anything is free again. */
	{ "accept4", EAGAIN, ANY, ANY, ALWAYS, NOTHING },
	{ "accept4", ECONNABORTED, ANY, ANY, ALWAYS, NOTHING },
	{ "accept4", 0, ANY, "drained", LASTING, PAUSE | MISS },
	{ "accept4", 0, ANY, ANY, ALWAYS, PAUSE },
	/* The listener is polled before, and its flags are looked at; of
	 * descriptors that are kept there is a copy. */
	{ "poll", 0, PACKET, "drained", LASTING, PAUSE | MISS },
	{ "poll", 0, STREAM, "drained", LASTING, PAUSE | MISS },
	{ "poll", 0, PACKET, ANY, ALWAYS, PAUSE },
	{ "poll", 0, STREAM, ANY, ALWAYS, PAUSE },
	{ "fcntl", 0, PACKET, "drained", LASTING, PAUSE | DROP | MISS },
	{ "fcntl", 0, STREAM, "drained", LASTING, PAUSE | DROP | MISS },
	{ "fcntl", 0, PACKET, ANY, ALWAYS, PAUSE | DROP },
	{ "fcntl", 0, STREAM, ANY, ALWAYS, PAUSE | DROP },
	{ "calloc", 0, PACKET, "drained", LASTING, PAUSE | LIMIT | MISS },
	{ "calloc", 0, PACKET, ANY, ALWAYS, PAUSE | LIMIT },
	{ "malloc", 0, PACKET, ANY, ALWAYS, DROP },
	{ "calloc", 0, STREAM, "drained", LASTING, PAUSE | LIMIT | MISS },
	{ "calloc", 0, STREAM, ANY, ALWAYS, PAUSE | LIMIT },
	{ "epoll_ctl", 0, ANY, ANY, ALWAYS, LIMIT },
	{ "reallocarray", 0, ANY, ANY, ALWAYS, LIMIT },
	{ "calloc", 0, ANY, ANY, ALWAYS, LIMIT },
	/* Whom the rules cannot be asked about is nobody. */
	{ "getsockopt", 0, ANY, "by its rules", ALWAYS, REFUSE },
	{ "realloc", 0, PACKET, "by its rules", ALWAYS, REFUSE },
	{ "realloc", 0, STREAM, "by its rules", ALWAYS, REFUSE | CLOSE },
	/* Proving a sender. What is short now is waited for, with the answer
	 * kept; what says that nobody is there ends the peer, as sending would
	 * have done; what says EPERM leaves in doubt. */
	{ "openat2", EMFILE, GRAM, "drained", LASTING, GIVE_UP },
	{ "openat2", ENFILE, GRAM, "drained", LASTING, GIVE_UP },
	{ "openat2", ENOMEM, GRAM, "drained", LASTING, GIVE_UP },
	{ "openat2", EMFILE, GRAM, ANY, ALWAYS, NOTHING },
	{ "openat2", ENFILE, GRAM, ANY, ALWAYS, NOTHING },
	{ "openat2", ENOMEM, GRAM, ANY, ALWAYS, NOTHING },
	{ "openat2", ENOENT, GRAM, ANY, ALWAYS, LEAVE },
	{ "openat2", EACCES, GRAM, ANY, ALWAYS, FAIL },
	{ "openat2", ENOTDIR, GRAM, ANY, ALWAYS, FAIL },
	/* A link: it is followed, which is not the quick way. */
	{ "openat2", ELOOP, GRAM, ANY, ONCE, NOTHING },
	{ "openat2", ELOOP, GRAM, "drained", LASTING, FAIL | GIVE_UP },
	{ "openat2", ELOOP, GRAM, ANY, LASTING, FAIL },
	/* There are other walks, for which mountinfo is read, as uid_map is
	 * for nobody: without /proc there is none of it. */
	{ "openat2", 0, GRAM, ANY, ALWAYS, NOTHING },
	{ "fopen", ENOENT, GRAM, ANY, ALWAYS, NOTHING },
	{ "fopen", EACCES, GRAM, ANY, ALWAYS, FAIL },
	{ "fopen", 0, GRAM, "drained", LASTING, GIVE_UP },
	{ "fopen", 0, GRAM, ANY, ALWAYS, NOTHING },
	{ "fgets", EIO, GRAM, ANY, ALWAYS, FAIL },
	{ "__getdelim", EIO, GRAM, ANY, ALWAYS, FAIL },
	{ "__getdelim", 0, GRAM, "drained", LASTING, GIVE_UP },
	{ "__getdelim", 0, GRAM, ANY, ALWAYS, NOTHING },
	{ "fstat", ENOMEM, GRAM, "drained", LASTING, GIVE_UP },
	{ "fstat", ENOMEM, GRAM, ANY, ALWAYS, NOTHING },
	{ "fstat", 0, GRAM, ANY, ALWAYS, FAIL },
	{ "getsockname", ENOBUFS, GRAM, "drained", LASTING, GIVE_UP },
	{ "getsockname", ENOBUFS, GRAM, ANY, ALWAYS, NOTHING },
	{ "getsockname", EPERM, GRAM, ANY, ALWAYS, DOUBT },
	{ "getpeername", ENOBUFS, GRAM, "drained", LASTING, GIVE_UP },
	{ "getpeername", ENOBUFS, GRAM, ANY, ALWAYS, NOTHING },
	{ "getpeername", ENOTCONN, GRAM, ANY, ALWAYS, LEAVE },
	{ "socket", EACCES, GRAM, ANY, ALWAYS, FAIL },
	{ "socket", EAFNOSUPPORT, GRAM, ANY, ALWAYS, FAIL },
	{ "socket", 0, GRAM, "drained", LASTING, GIVE_UP },
	{ "socket", 0, GRAM, ANY, ALWAYS, NOTHING },
	/* Who is connected already is found in the list. */
	{ "connect", EPERM, GRAM, ANY, ALWAYS, NOTHING },
	{ "connect", ECONNREFUSED, GRAM, ANY, ALWAYS, LEAVE },
	/* The file is open, so it says that /proc is missing. */
	{ "connect", ENOENT, GRAM, ANY, ALWAYS, NOTHING },
	{ "connect", EACCES, GRAM, ANY, ALWAYS, FAIL },
	{ "connect", EPROTOTYPE, GRAM, ANY, ALWAYS, FAIL },
	{ "connect", ELOOP, GRAM, ANY, ALWAYS, FAIL },
	{ "connect", 0, GRAM, "drained", LASTING, GIVE_UP },
	{ "connect", 0, GRAM, ANY, ALWAYS, NOTHING },
	/* sock_diag has its time too; where it is missing, not only short, the
	 * file's owner has to do. */
	{ "diag_", EMFILE, GRAM, "drained", LASTING, GIVE_UP },
	{ "diag_", ENFILE, GRAM, "drained", LASTING, GIVE_UP },
	{ "diag_", ENOMEM, GRAM, "drained", LASTING, GIVE_UP },
	{ "diag_", ENOBUFS, GRAM, "drained", LASTING, GIVE_UP },
	{ "diag_", 0, GRAM, ANY, ALWAYS, NOTHING },
	/* A way that cannot be looked at is not safe: the file is held. */
	{ "stat", 0, GRAM, ANY, ALWAYS, NOTHING },
	{ "getsockopt", 0, ANY, ANY, ALWAYS, NOTHING },
	{ "getpeername", 0, ANY, ANY, ALWAYS, NOTHING },
	{ "setsockopt", 0, ANY, ANY, ALWAYS, NOTHING },
	/* Receiving: a datagram socket rests, and a connection is told once
	 * that its peer has not read all. */
	{ "recv", EAGAIN, ANY, ANY, ALWAYS, NOTHING },
	{ "recv", 0, GRAM, "drained", LASTING, NOTHING | MISS | GIVE_UP },
	{ "recv", 0, GRAM, ANY, ALWAYS, NOTHING },
	{ "recv", ECONNRESET, ANY, ANY, ONCE, NOTHING },
	{ "recv", 0, ANY, ANY, ALWAYS, CLOSE },
	{ "realloc", 0, STREAM, ANY, ALWAYS, CLOSE },
	/* Sending: what finds no room is kept. */
	{ "send", EAGAIN, ANY, "drained", LASTING, GIVE_UP },
	{ "send", EAGAIN, ANY, ANY, ALWAYS, NOTHING },
	{ "send", EPIPE, ANY, ANY, ALWAYS, LEAVE },
	{ "send", EMSGSIZE, ANY, "given later", ALWAYS, NOTHING },
	{ "send", EMSGSIZE, ANY, "does not read", ALWAYS,
		NOTHING | SILENCE | FAIL },
	{ "send", EMSGSIZE, ANY, ANY, ALWAYS, SILENCE | FAIL },
	/* Half of it may have gone: the stream is spoilt. */
	{ "send", 0, STREAM, ANY, ALWAYS, LEAVE },
	{ "send", ENOBUFS, ANY, "drained", LASTING, GIVE_UP },
	{ "send", ENOBUFS, ANY, ANY, ALWAYS, NOTHING },
	{ "send", ECONNREFUSED, ANY, ANY, ALWAYS, LEAVE },
	{ "send", ECONNRESET, ANY, ANY, ALWAYS, LEAVE },
	{ "send", ENOENT, ANY, ANY, ALWAYS, LEAVE },
	{ "send", ENOTCONN, ANY, ANY, ALWAYS, LEAVE },
	{ "send", 0, ANY, ANY, ALWAYS, FAIL },
	{ "malloc", 0, ANY, ANY, ALWAYS, DROP },
	{ "fcntl", 0, ANY, ANY, ALWAYS, DROP },
	/* How much of what was sent is not read yet is told otherwise too. */
	{ "ioctl", 0, ANY, ANY, ALWAYS, NOTHING },
	/* It is for the loops of others, and set again with the next. */
	{ "timerfd_settime", 0, ANY, ANY, ALWAYS, NOTHING },
	/* Senders are not told: what they go on sending is taken too. */
	{ "shutdown", 0, ANY, "drained", ALWAYS, NOTHING | GIVE_UP },
};

/* clang-format on */

/* When nothing fails. */
static struct outcome usual;

void outcome_note(struct outcome *outcome,
	const struct unixservice_event *event)
{
	if (event->kind == UNIXSERVICE_ROUND)
		return;
	outcome->told[event->kind]++;
	outcome->errors[event->kind][event->error] = true;
	if (event->kind == UNIXSERVICE_CLOSED && event->error != 0)
		outcome->broken++;
}

static bool is_ruled(const struct rule *rule, const char *network)
{
	const struct fault *fault = torture_get_fault();

	return strncmp(fault->call, rule->call, strlen(rule->call)) == 0 &&
		(rule->error == 0 || rule->error == fault->error) &&
		(rule->network[0] == '\0' ||
			strcmp(rule->network, network) == 0) &&
		strstr(torture_get_scene(), rule->scene) != NULL &&
		(rule->when & (fault->is_forever ? LASTING : ONCE)) != 0;
}

static struct rule find_rule(const char *network, bool is_told)
{
	static const struct rule harmless = { .verdicts = NOTHING };
	struct rule rule = { 0 };
	size_t i;

	if (fault_get_hits() == 0 || is_told)
		return harmless;
	for (i = 0; i < COUNT(rules) && rule.verdicts == 0; i++)
		if (is_ruled(&rules[i], network))
			rule = rules[i];
	if (rule.verdicts == 0 && torture_is_harmless())
		return harmless;
	ck_assert_msg(rule.verdicts != 0, "a failure was passed over");
	/* What fails for one who goes meanwhile is no loss. */
	if (strstr(torture_get_scene(), "that goes") != NULL)
		rule.verdicts |= NOTHING;
	return rule;
}

static uint64_t get_lost(const struct unixservice_counters *books)
{
	return books->dropped + books->late + books->gone + books->failed +
		books->pushed_lost;
}

/* What is counted is told, and what is told is counted. */
static void check_events(const struct outcome *outcome, bool is_connected)
{
	const struct unixservice_counters *books = &outcome->books;
	const uint64_t *told = outcome->told;
	const uint64_t lost =
		told[UNIXSERVICE_LOST] + told[UNIXSERVICE_UNPROVED];

	ck_assert_uint_eq(told[UNIXSERVICE_OPENED] - told[UNIXSERVICE_CLOSED],
		books->peers);
	ck_assert_uint_eq(told[UNIXSERVICE_LIMITED],
		books->limited + books->connections_limited);
	ck_assert_uint_eq(told[UNIXSERVICE_REFUSED],
		books->refused + books->connections_refused);
	ck_assert_uint_le(told[UNIXSERVICE_PAUSED], books->pauses);
	ck_assert_int_eq(told[UNIXSERVICE_PAUSED] > 0, books->pauses > 0);
	if (is_connected)
		ck_assert_uint_eq(books->connections,
			told[UNIXSERVICE_OPENED] + books->connections_limited +
				books->connections_refused);
	/* Of what was pushed it is counted that it is lost, not why. */
	ck_assert_uint_ge(told[UNIXSERVICE_UNPROVED], books->unproved);
	/* That a peer is closed tells of all that was kept for it. */
	if (outcome->broken > 0)
		ck_assert_uint_le(lost, get_lost(books) + books->unproved);
	else
		ck_assert_uint_eq(lost, get_lost(books) + books->unproved);
}

/* What no failure of a call brings about. */
static void check_the_rest(const struct unixservice_counters *books)
{
	ck_assert_uint_eq(books->waiting, 0);
	ck_assert_uint_eq(books->queued, 0);
	ck_assert_uint_eq(books->queued_bytes, 0);
	ck_assert_uint_eq(books->refused, 0);
	ck_assert_uint_eq(books->cut, 0);
	ck_assert_uint_eq(books->unnamed, 0);
	ck_assert_uint_eq(books->late, 0);
	ck_assert_uint_eq(books->evicted, 0);
	ck_assert_uint_eq(books->idle, 0);
	ck_assert_uint_eq(books->fds_lost, 0);
	ck_assert_uint_eq(books->events_suppressed, 0);
}

/* What has gone wrong is told with a reason, which is that of the call. */
static bool is_reason(const struct rule *rule, int kind, int error)
{
	if (usual.errors[kind][error])
		return true;
	if (kind == UNIXSERVICE_OPENED || kind == UNIXSERVICE_FLUSHED)
		return error == 0;
	if (kind == UNIXSERVICE_REFUSED || kind == UNIXSERVICE_UNPROVED)
		return error == EPERM;
	if (kind == UNIXSERVICE_CLOSED && error == 0)
		return true;
	/* Of what is sent to a connection that takes nothing any more. */
	if (kind == UNIXSERVICE_LOST && error == EPIPE)
		return (rule->verdicts & LEAVE) != 0;
	if (kind == UNIXSERVICE_CLOSED && error == ECANCELED)
		return (rule->verdicts & GIVE_UP) != 0;
	return error == torture_get_fault()->error;
}

static void check_reasons(const struct outcome *outcome,
	const struct rule *rule)
{
	int kind, error;

	for (kind = 0; kind <= UNIXSERVICE_ENDED; kind++)
		for (error = 0; error < OUTCOME_ERRORS; error++)
			if (outcome->errors[kind][error] &&
				!is_reason(rule, kind, error))
				ck_abort_msg("event %d is told with: %s", kind,
					strerror(error));
}

/* How many more than when nothing fails; only what is in verdicts allows it. */
static uint64_t count_more(const char *what, uint64_t value,
	uint64_t usual_value, int has_verdict)
{
	if (value <= usual_value)
		return 0;
	ck_assert_msg(has_verdict != 0, "%s: %ju more", what,
		(uintmax_t)(value - usual_value));
	return value - usual_value;
}

#define MORE(counter, mask)                                     \
	count_more(#counter, now->counter, usual.books.counter, \
		rule->verdicts &(mask))

/* A peer that is closed, or takes nothing any more, costs all that was for it:
 * there is one of them at most. */
static uint64_t count_lost(const struct outcome *outcome,
	const struct rule *rule)
{
	const struct unixservice_counters *now = &outcome->books;
	uint64_t broken = count_more("broken", outcome->broken, usual.broken,
		rule->verdicts & (CLOSE | LEAVE | GIVE_UP));
	uint64_t lost = MORE(gone, CLOSE | LEAVE) +
		MORE(pushed_lost,
			CLOSE | LEAVE | FAIL | DROP | GIVE_UP | DOUBT);
	uint64_t alone = MORE(failed, FAIL) + MORE(dropped, DROP) +
		MORE(unproved, DOUBT) + MORE(unanswered, SILENCE) +
		MORE(stopped, GIVE_UP);

	if (broken == 0 && lost > 0 && (rule->verdicts & LEAVE))
		broken = 1;
	return alone + (broken > 0 ? broken : lost);
}

/* How often something has gone wrong. */
static uint64_t count_verdicts(const struct outcome *outcome,
	const struct rule *rule)
{
	const struct unixservice_counters *now = &outcome->books;

	return MORE(pauses, PAUSE) + MORE(limited, LIMIT) +
		MORE(connections_limited, LIMIT) +
		MORE(connections_refused, REFUSE) + count_lost(outcome, rule);
}

/* A message that was not taken, and a connection that was not, has a reason. */
static void check_taken(const struct outcome *outcome, const struct rule *rule)
{
	const struct unixservice_counters *now = &outcome->books;
	uint64_t lost = now->connections_limited + now->connections_refused;

	ck_assert_uint_le(now->received, usual.books.received);
	ck_assert_uint_le(now->connections, usual.books.connections);
	if (rule->verdicts & MISS)
		return;
	if (rule->verdicts & CLOSE)
		lost += outcome->broken;
	ck_assert_uint_le(usual.books.received - now->received, lost);
	ck_assert_uint_eq(now->connections, usual.books.connections);
}

void outcome_judge(struct outcome *outcome, const struct unixservice *service,
	const char *network, bool is_told)
{
	struct rule rule;
	uint64_t count;

	unixservice_get_counters(service, &outcome->books);
	check_events(outcome, strcmp(network, GRAM) != 0);
	check_the_rest(&outcome->books);
	if (torture_get_fault()->number == 0) {
		usual = *outcome;
		return;
	}
	rule = find_rule(network, is_told);
	check_reasons(outcome, &rule);
	check_taken(outcome, &rule);
	count = count_verdicts(outcome, &rule);
	ck_assert_msg(count > 0 || (rule.verdicts & NOTHING),
		"a failure was passed over");
	ck_assert_msg(count <= fault_get_hits(),
		"%u failures have cost %ju times", fault_get_hits(),
		(uintmax_t)count);
}
