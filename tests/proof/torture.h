/* SPDX-License-Identifier: MIT */
/*
 * torture: scenes that are played again and again, each time with another call
 * failing, with each errno that it can give, once or from then on.
 *
 * A scene is one function. It prepares, calls torture_begin, then what is to
 * be tried, then torture_end with the result, and after that, when nothing
 * fails any more, it proves that whoever comes next is served. It leaves
 * nothing behind: descriptors, memory and files are counted. In between only
 * the library may be called: errno is looked at by torture_end.
 *
 * A new scene goes into the list of its file, a new file's list into
 * check_torture.c.
 */
#ifndef UNIXMSG_TESTS_TORTURE_H
#define UNIXMSG_TESTS_TORTURE_H

#include <stdbool.h>

#include "proof/fault.h"
#include "support/scene.h"

struct scene {
	const char *name; /* a sentence */
	void (*play)(int kind);
	int kinds; /* it is played with 0 to kinds - 1 */
};

/* Each ends with a scene without a name. */
extern const struct scene torture_activation_scenes[];
extern const struct scene torture_gram_scenes[];
extern const struct scene torture_lane_scenes[];
extern const struct scene torture_link_scenes[];
extern const struct scene torture_message_scenes[];
extern const struct scene torture_name_scenes[];
extern const struct scene torture_notify_scenes[];
extern const struct scene torture_rest_scenes[];
extern const struct scene torture_service_scenes[];

/* From here on calls may fail. */
void torture_begin(void);

/*
 * To here. result is what was tried has given: wanted, or -1 with errno.
 * Whether it was what was wanted. When calls have failed that need not be so:
 * then the errno has to be theirs, or one that is documented in its place; and
 * success in spite of them has to be documented too. Success keeps errno.
 */
bool torture_end(int result, int wanted);

/* The same for what gives an object, or NULL. */
bool torture_end_made(const void *made);

/* The same for what has to be refused with that errno in any case. */
void torture_end_refused(int result, int error);

/*
 * The same where success in spite of failures is judged by the scene: what a
 * service suffers is told to nobody but its watcher.
 */
bool torture_end_judged(int result, int wanted);

/* From torture_begin on, for a call that works when it is made again. */
#define torture_try(call, wanted)                       \
	do {                                            \
		torture_begin();                        \
		if (!torture_end(call, wanted))         \
			ck_assert_int_eq(call, wanted); \
	} while (0)

/* What fails in this round: number 0, in the first, is nothing. */
const struct fault *torture_get_fault(void);
const char *torture_get_scene(void);

/* Whether what fails changes nothing, wherever it fails. */
bool torture_is_harmless(void);

/*
 * Files may be left behind when it was that call that has failed, NULL for
 * any: what could not be removed, and has told so.
 */
void torture_allow_files(const char *call);

/*
 * The first descriptor that a supervisor hands over has a fixed number: it is
 * kept free of others, by one that may be closed.
 */
enum { TORTURE_KEPT_FD = 3 };
void torture_keep_fd(void);

/*
 * A client comes, says something and gets it back: whoever has the name
 * serves.
 */
void torture_be_served(struct server *server, int type, const char *address);

#endif
