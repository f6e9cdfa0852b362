/* SPDX-License-Identifier: MIT */
/*
 * What of a torture is played, by its environment:
 *
 *   TORTURE=all       each call of each scene with each errno, once and from
 *                     then on; otherwise some of them, chosen by
 *   TORTURE_SEED=N    a number, printed at the end; by default always the same
 *   TORTURE_SCENE=S   only scenes whose names contain this
 *   TORTURE_RESULT=F  a file for the line of totals
 */
#ifndef UNIXMSG_TESTS_TORTURE_CHOICE_H
#define UNIXMSG_TESTS_TORTURE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

bool torture_is_all_wanted(void);
bool torture_is_scene_wanted(const char *name);

/*
 * Puts the rounds that are wanted to the front, of count that have size bytes
 * each: some of them at the most, when not all. How many. Another salt makes
 * another choice.
 */
size_t torture_choose(void *rounds, size_t count, size_t size, size_t some,
	unsigned int salt);

/* The line of totals, and how to have the same choice once more. */
void torture_tell_totals(const char *line);

#endif
