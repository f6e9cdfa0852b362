/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RELAY_BOOKS_H
#define UNIXMSG_TOOLS_RELAY_BOOKS_H

/* relay_books: what a relay has counted, for people and for programs. */

#include <stdbool.h>

struct relay;

/* Prints one JSON object and a newline on standard output. Returns 0, or -1
 * after a complaint. */
int relay_books_print(const struct relay *relay, bool is_service_up);

/* Replaces the file of --metrics, if there is one. Returns 0, or -1 after a
 * complaint. */
int relay_books_write(const struct relay *relay, bool is_service_up);

#endif
