/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: how long a call may wait.
 *
 * A deadline is a moment, in microseconds of CLOCK_MONOTONIC, so that one
 * deadline can bound many calls. A call first does everything that is possible
 * at once, whatever the deadline. A call that would have to wait
 *
 *   UNIXMSG_NOW      fails with EAGAIN
 *   UNIXMSG_FOREVER  waits
 *   any other        waits until then and fails with ETIMEDOUT, at once if the
 *                    moment is past; a negative one is EINVAL
 *
 * A time span is no deadline: 10000000 is a moment ten seconds after the start
 * of the machine, and -1 is not "for ever". Give unixdeadline_after_s(10), and
 * UNIXMSG_FOREVER.
 *
 * Every object has an optional stop descriptor (stop_fd of the options, or the
 * _set_stop_fd functions). 0 and below are none, so standard input cannot be
 * one. When it becomes readable, calls that wait fail with ECANCELED: an
 * eventfd, a pipe or a signalfd ends the waits of all objects that share it. A
 * call only polls it and never reads it, and it stays the caller's. A call
 * polls it only if it would have to wait: a server whose queue is never empty
 * must poll it itself, between two messages.
 *
 * Every connection can spin before it sleeps (spin_us of the options). A call
 * that waits for a message then tries again and again for so many microseconds,
 * before it lets the kernel wake it up, which between two CPUs costs tens of
 * microseconds. That spends a CPU to save time. It pays if both sides spin for
 * longer than a wake-up takes (begin with 50) and each has its own CPU. If it
 * does not pay, as on a single CPU or with rare messages, an endpoint notices
 * that and does not spin, except for a trial now and then. A spinning call does
 * not look at the stop descriptor. Waits for room to send, for connections and
 * for servers never spin. The default is 0, off; more than a second counts as a
 * second.
 */
#ifndef UNIXMSG_DEADLINE_H
#define UNIXMSG_DEADLINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIXMSG_NOW INT64_C(0)
#define UNIXMSG_FOREVER INT64_MAX

/* Returns the present moment, in microseconds of CLOCK_MONOTONIC. */
int64_t unixdeadline_now_us(void);

/*
 * Returns the moment that many microseconds, milliseconds or seconds from now.
 * 0 or less gives UNIXMSG_NOW, and a moment beyond the range gives
 * UNIXMSG_FOREVER.
 */
int64_t unixdeadline_after_us(int64_t timeout_us);
int64_t unixdeadline_after_ms(int64_t timeout_ms);
int64_t unixdeadline_after_s(int64_t timeout_s);

#ifdef __cplusplus
}
#endif
#endif
