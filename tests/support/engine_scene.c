/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdio.h>

#include "support/engine_scene.h"
#include "unixmsg/deadline.h"

static void on_message(void *context, const struct nats_event *event)
{
	struct engine_scene *scene = context;
	size_t size = event->size;

	scene->messages++;
	snprintf(scene->subject, sizeof(scene->subject), "%s", event->subject);
	snprintf(scene->reply, sizeof(scene->reply), "%s",
		event->reply == NULL ? "" : event->reply);
	scene->size = size;
	scene->number = event->number;
	scene->status = event->status;
	scene->is_kept = event->data != NULL;
	if (size >= sizeof(scene->data))
		size = sizeof(scene->data) - 1;
	memset(scene->data, 0, sizeof(scene->data));
	if (scene->is_kept)
		memcpy(scene->data, event->data, size);
}

static void on_change(void *context, enum engine_change change, const char *why)
{
	struct engine_scene *scene = context;

	ck_assert_int_eq(engine_is_up(scene->engine),
		change == ENGINE_UP || change == ENGINE_REFUSED);
	if (change == ENGINE_UP) {
		scene->ups++;
		return;
	}
	snprintf(scene->why, sizeof(scene->why), "%s", why);
	if (change == ENGINE_DOWN)
		scene->downs++;
	else if (change == ENGINE_FAILED)
		scene->failures++;
	else
		scene->refusals++;
}

void engine_scene_init(struct engine_scene *scene, unsigned int port)
{
	static char server[64];

	memset(scene, 0, sizeof(*scene));
	snprintf(server, sizeof(server), "127.0.0.1:%u", port);
	engine_options_init(&scene->options);
	scene->options.servers = server;
	scene->options.retry_us = 1000;
	scene->options.retry_most_us = 8000;
	/* No test waits for these, unless it sets them. */
	scene->options.connect_us = 60000000;
	scene->options.ping_us = 60000000;
	scene->options.on_message = on_message;
	scene->options.on_change = on_change;
	scene->options.context = scene;
}

void engine_scene_open(struct engine_scene *scene)
{
	scene->engine = engine_new(&scene->options);
	ck_assert_ptr_nonnull(scene->engine);
}

void engine_scene_close(struct engine_scene *scene)
{
	engine_close(scene->engine);
	scene->engine = NULL;
}

static int get_patience_ms(const struct engine_scene *scene)
{
	int64_t rest_us =
		engine_get_deadline_us(scene->engine) - unixdeadline_now_us();

	if (rest_us < 0)
		return 0;
	return rest_us > 60000000 ? 60000 : (int)(rest_us / 1000) + 1;
}

void engine_scene_step(struct engine_scene *scene, int other)
{
	struct pollfd fds[] = {
		{ .fd = engine_get_fd(scene->engine), .events = POLLIN },
		{ .fd = other, .events = POLLIN },
	};

	ck_assert_int_ge(support_poll(fds, 2, get_patience_ms(scene)), 0);
	engine_run(scene->engine);
}

void engine_scene_wait(struct engine_scene *scene, const unsigned int *number,
	unsigned int least)
{
	while (*number < least)
		engine_scene_step(scene, -1);
}

int engine_scene_publish(struct engine_scene *scene, const char *subject,
	const char *reply, const char *text)
{
	struct iovec part = { (void *)text, strlen(text) };
	int result = engine_publish(scene->engine, subject, reply, &part, 1);

	engine_flush(scene->engine);
	return result;
}
