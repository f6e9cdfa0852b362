/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>

#include "relay/window.h"

static int fail(void)
{
	errno = EPROTO;
	return -1;
}

/* Tells whether a is beyond b: counters wrap around, but are close. */
static bool is_beyond(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

static uint64_t get_charge(size_t size)
{
	return (uint64_t)size + WINDOW_OVERHEAD;
}

void window_out_init(struct window_out *out, uint64_t start)
{
	out->sent = out->credit = start;
}

int window_out_raise(struct window_out *out, uint64_t credit)
{
	if (!is_beyond(credit, out->credit))
		return 0;
	if (is_beyond(credit, out->sent + WINDOW_SIZE_MAX))
		return fail();
	out->credit = credit;
	return 0;
}

bool window_out_is_open(const struct window_out *out)
{
	return is_beyond(out->credit, out->sent);
}

void window_out_charge(struct window_out *out, size_t size)
{
	out->sent += get_charge(size);
}

void window_in_init(struct window_in *in, uint64_t size, uint64_t start)
{
	in->size = size;
	in->received = in->delivered = in->credit = start;
}

int window_in_charge(struct window_in *in, size_t size)
{
	if (!is_beyond(in->credit, in->received))
		return fail();
	in->received += get_charge(size);
	return 0;
}

void window_in_release(struct window_in *in, size_t size)
{
	in->delivered += get_charge(size);
}

/* At the beginning nothing was told yet: it is due then, too. */
bool window_in_is_due(const struct window_in *in)
{
	return in->delivered + in->size - in->credit >= (in->size + 3) / 4;
}

uint64_t window_in_tell(struct window_in *in)
{
	in->credit = in->delivered + in->size;
	return in->credit;
}
