/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: how long a call may wait.
 *
 * A deadline is a moment, in microseconds of CLOCK_MONOTONIC, so that one
 * deadline can bound many calls. With every deadline, a call first does
 * everything that it can do at once. A call that would have to wait
 *
 *   UNIXMSG_NOW      fails with EAGAIN
 *   UNIXMSG_FOREVER  waits
 *   any other        waits until that moment, then fails with ETIMEDOUT; at
 *                    once if it is past. A negative value fails with EINVAL.
 *
 * A time span is no deadline: 10000000 is a moment ten seconds after the start
 * of the machine, and -1 is not "for ever". Give unixdeadline_after_s(10), and
 * UNIXMSG_FOREVER.
 *
 * Every object has an optional stop descriptor (stop_fd of the options, or the
 * _set_stop_fd functions). A value of 0 or below means none, so standard input
 * cannot be one. When it becomes readable, calls that wait fail with ECANCELED.
 * Use an eventfd, a pipe or a signalfd: it ends the waits of all objects that
 * share it. A call only polls the descriptor and never reads it, and the
 * descriptor stays the caller's. A call polls it only if the call would have to
 * wait. So a server whose queue is never empty must poll it between two
 * messages.
 *
 * Every connection can spin before it sleeps (spin_us of the options). A call
 * that waits for a message then polls for that many microseconds before it
 * sleeps. The kernel takes tens of microseconds to wake a sleeper on another
 * CPU; spinning saves that time, and spends a CPU. Spinning pays if both sides
 * spin for longer than a wake-up takes (begin with 50) and each has its own
 * CPU. It does not pay on a single CPU or with rare messages. The connection
 * notices that, and then spins only now and then, as a trial. A trial lasts 50
 * us at least, and trials take less than a hundredth of the time. While it
 * spins, a call does not look at the stop descriptor. Waits for room to send,
 * for connections and for servers never spin. The default is 0: no spinning.
 * The maximum is one second; a larger value counts as that.
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
