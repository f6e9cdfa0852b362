/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_NOTIFY_H
#define UNIXMSG_TOOLS_RELAY_NOTIFY_H

/* relay_notify: what people and the supervisor are told of a relay. */

#include <stdint.h>

struct relay;

/* Tells both, once, that the relay works. */
void relay_notify_ready(struct relay *relay);

/* Tells the supervisor, whenever it is due, that the relay is alive. */
void relay_notify_beat(struct relay *relay, int64_t now_us);

void relay_notify_stopping(void);

#endif
