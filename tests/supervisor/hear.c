/* SPDX-License-Identifier: MIT */
/*
 * hear ADDRESS: what a supervisor hears. Prints each datagram that comes to
 * ADDRESS as one line, its newlines as " + ", until a signal ends it.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "unixmsg.h"

static int print_next(struct unixconn *gram)
{
	char data[8192];
	size_t i, size;

	if (unixconn_recv(gram, data, sizeof(data), &size, UNIXMSG_FOREVER) < 0)
		return -1;
	for (i = 0; i < size; i++)
		if (data[i] == '\n')
			fputs(" + ", stdout);
		else
			putchar(data[i]);
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : -1;
}

int main(int argc, char *argv[])
{
	struct unixconn *gram;

	gram = argc == 2 ? unixconn_open("unixgram", argv[1], NULL) : NULL;
	/* Barriers come with a descriptor, which must be let in. */
	if (gram == NULL || unixconn_want(gram, UNIXMSG_WANT_FDS) < 0) {
		perror("hear");
		return EXIT_FAILURE;
	}
	fprintf(stderr, "hear: listening on %s\n", argv[1]);
	while (print_next(gram) == 0)
		continue;
	perror("hear");
	return EXIT_FAILURE;
}
