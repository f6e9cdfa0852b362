/* SPDX-License-Identifier: MIT */
/*
 * syscall_play: the calls that the library makes by number, for one file of a
 * program that is linked with it statically: that file plays them.
 */
#ifndef UNIXMSG_TESTS_SYSCALL_PLAY_H
#define UNIXMSG_TESTS_SYSCALL_PLAY_H

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

/* What is done instead; none of our calls has more arguments. */
static long play_call(long number, long a, long b, long c, long d, long e);

/* The call itself. */
static long make_call(long number, long a, long b, long c, long d, long e)
{
	static long (*real)(long number, ...);

	if (real == NULL)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return real(number, a, b, c, d, e);
}

long syscall(long number, ...)
{
	long a, b, c, d, e;
	va_list list;

	va_start(list, number);
	a = va_arg(list, long);
	b = va_arg(list, long);
	c = va_arg(list, long);
	d = va_arg(list, long);
	e = va_arg(list, long);
	va_end(list);
	return play_call(number, a, b, c, d, e);
}

#endif
