/* SPDX-License-Identifier: MIT */
/*
 * engine_scene: an engine in a loop of the test, and its events so far.
 *
 * A failed step is a failed test.
 */
#ifndef UNIXMSG_TESTS_ENGINE_SCENE_H
#define UNIXMSG_TESTS_ENGINE_SCENE_H

#include "relay/engine.h"
#include "support/support.h"

struct engine_scene {
	struct engine *engine;
	struct engine_options options;
	unsigned int ups, downs, failures, refusals;
	char why[512]; /* of the last change but ENGINE_UP */
	/* Of the last message. */
	unsigned int messages;
	char subject[256];
	char reply[256]; /* "": none */
	char data[256];  /* its beginning */
	size_t size;
	bool is_kept;
	uint64_t number;
	unsigned int status;
};

/* Sets options with short times, for a server at 127.0.0.1:port. */
void engine_scene_init(struct engine_scene *scene, unsigned int port);
void engine_scene_open(struct engine_scene *scene);
void engine_scene_close(struct engine_scene *scene);

/* Runs one round of the loop. other is another descriptor to wait for, or
 * -1. */
void engine_scene_step(struct engine_scene *scene, int other);

/* Runs rounds until *number is least or more. */
void engine_scene_wait(struct engine_scene *scene, const unsigned int *number,
	unsigned int least);

/* Publishes a text, and flushes it. */
int engine_scene_publish(struct engine_scene *scene, const char *subject,
	const char *reply, const char *text);

#endif
