/* SPDX-License-Identifier: MIT */
/*
 * torture_outcome: what has become of a service while calls failed. A failure
 * there is told to nobody but the watcher, so it is judged by the books and by
 * the events: both have to be what they are when nothing fails, but for what
 * the table in torture_outcome.c has for that call and that errno.
 */
#ifndef UNIXMSG_TESTS_TORTURE_OUTCOME_H
#define UNIXMSG_TESTS_TORTURE_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "unixmsg/service.h"

/* More than any errno. */
enum { OUTCOME_ERRORS = 256 };

/* What the watcher was told. */
struct outcome {
	uint64_t told[UNIXSERVICE_ENDED + 1];
	uint64_t broken; /* closed with an errno */
	bool errors[UNIXSERVICE_ENDED + 1][OUTCOME_ERRORS];
	struct unixservice_counters books;
};

/* For the watcher. */
void outcome_note(struct outcome *outcome,
	const struct unixservice_event *event);

/*
 * To be called in each round when all that was sent has found its end, for a
 * service that has one socket. The first round is that in which nothing fails.
 * is_told: the failure was told to the caller, and nothing else may follow.
 */
void outcome_judge(struct outcome *outcome, const struct unixservice *service,
	const char *network, bool is_told);

#endif
