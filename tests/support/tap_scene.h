/* SPDX-License-Identifier: MIT */
/*
 * tap_scene: the process of a unixmsg-tap, as a child of the test.
 */
#ifndef UNIXMSG_TESTS_TAP_SCENE_H
#define UNIXMSG_TESTS_TAP_SCENE_H

/* In the child: makes these the standard output and the standard error, and
 * closes all other descriptors. */
void tap_scene_prepare(int output, int errors);

/* In the child: becomes a tap with that command line, which ends in NULL, and
 * exits with its status. */
_Noreturn void tap_scene_run(const char *const *arguments);

#endif
