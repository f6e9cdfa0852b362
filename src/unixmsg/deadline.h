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
 *                    the moment is past; a negative one is EINVAL
 *
 * A time span is no deadline: 10000000 is a moment ten seconds after the
 * start of the machine, and -1 is not "for ever". Give
 * unixdeadline_after_s(10), and UNIXMSG_FOREVER.
 *
 * Every object has an optional stop descriptor (stop_fd of the options, or the
 * _set_stop_fd functions; 0 and below are none, so
 * standard input cannot be one).
 * When it becomes readable, calls that wait fail with ECANCELED: an eventfd,
 * a pipe or a signalfd ends the waits of all objects that share it. It is
 * only polled, never read, and stays the caller's. It is looked at only where
 * a call would wait: a server whose queue is never empty must look at it
 * itself, between two messages.
 *
 * Every connection can spin before it sleeps (spin_us of the options): a
 * call that waits for a message then first tries again and again, for so many
 * microseconds, and only then lets the kernel wake it up, which between two
 * CPUs costs tens of microseconds. That spends a CPU to save time. It pays
 * where both sides do it for longer than a wake-up takes (50 is a good
 * beginning) and each has a CPU to itself. Where it does not pay, as on a
 * single CPU or when messages come seldom, an endpoint notices and leaves it
 * off, but for a trial now and then. While it spins it does not look at the
 * stop descriptor. Waits for room to send, for connections and for servers
 * never spin. The default is 0, off; more than a second counts as a second.
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
 * The moment so many microseconds, milliseconds or seconds from now. 0 or less
 * is UNIXMSG_NOW, and what lies beyond the range is UNIXMSG_FOREVER.
 */
int64_t unixdeadline_after_us(int64_t timeout_us);
int64_t unixdeadline_after_ms(int64_t timeout_ms);
int64_t unixdeadline_after_s(int64_t timeout_s);

#ifdef __cplusplus
}
#endif
#endif
