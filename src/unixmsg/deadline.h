/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: how long a call may wait.
 *
 * A deadline is a moment, in microseconds of CLOCK_MONOTONIC, so that one
 * deadline can bound many calls. A call first tries, and only looks at its
 * deadline when it would have to wait: what can be done at once is done
 * whatever the deadline says. Where it would have to wait
 *
 *   UNIXMSG_NOW      fails with EAGAIN
 *   UNIXMSG_FOREVER  waits
 *   any other        waits until then and fails with ETIMEDOUT, at once when
 *                    the moment is past
 *
 * Every object has an optional stop descriptor (the _set_stop_fd functions).
 * When it becomes readable, calls that wait fail with ECANCELED: an eventfd,
 * a pipe or a signalfd ends the waits of all objects that share it. It is
 * only polled, never read, and stays the caller's. It is looked at only where
 * a call would wait: a server whose queue is never empty must look at it
 * itself, between two messages.
 */
#ifndef UNIXMSG_DEADLINE_H
#define UNIXMSG_DEADLINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIXMSG_NOW INT64_C(0)
#define UNIXMSG_FOREVER INT64_MAX

/* The present moment, in microseconds of CLOCK_MONOTONIC. */
int64_t unixdeadline_now_us(void);

/*
 * The moment timeout_us microseconds from now. 0 or less is UNIXMSG_NOW, and
 * what lies beyond the range is UNIXMSG_FOREVER.
 */
int64_t unixdeadline_after_us(int64_t timeout_us);

#ifdef __cplusplus
}
#endif
#endif
