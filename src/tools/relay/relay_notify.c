/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/common/explain.h"
#include "tools/common/tool.h"
#include "tools/relay/relay.h"
#include "tools/relay/relay_notify.h"

/* The longest wait for a supervisor that does not read. */
static const int64_t notify_us = 100000;

static const char *get_address(const struct relay *relay)
{
	const struct options *base = &relay->options->base;

	return base->is_inherited ? "its socket" : explain_text(base->address);
}

void relay_notify_ready(struct relay *relay)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE + 64];

	if (relay->is_announced)
		return;
	relay->is_announced = true;
	snprintf(text, sizeof(text),
		relay_is_import(relay)
			? "listening on %s for the service %s"
			: "the service at %s can be reached as %s",
		get_address(relay), relay->options->service);
	tool_say(TOOL_NORMAL, "%s", text);
	if (unixnotify_status(text, unixdeadline_after_us(notify_us)) < 0 ||
		unixnotify_ready(unixdeadline_after_us(notify_us)) < 0)
		tool_complain("the supervisor could not be told: %s",
			strerror(errno));
}

void relay_notify_beat(struct relay *relay, int64_t now_us)
{
	static int64_t due_us;
	int64_t period_us;

	if (unixnotify_get_watchdog_us(&period_us) != 1)
		return;
	if (now_us >= due_us) {
		unixnotify_watchdog(unixdeadline_after_us(notify_us));
		due_us = now_us + period_us / 2;
	}
	relay_wake_at(relay, due_us);
}

void relay_notify_stopping(void)
{
	unixnotify_stopping(unixdeadline_after_us(notify_us));
}
