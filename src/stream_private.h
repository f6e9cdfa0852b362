/* SPDX-License-Identifier: MIT */
/* stream: what the other rooms of the library use besides unixmsg/stream.h. */
#ifndef UNIXMSG_STREAM_PRIVATE_H
#define UNIXMSG_STREAM_PRIVATE_H

#include <stdbool.h>

#include "unixmsg/stream.h"

/* Whether bytes were read ahead, a whole message perhaps. */
bool unixstream_has_input(const struct unixstream *stream);

/* Frees the memory for reading ahead when there is nothing in it. Gives how
 * many bytes there are. */
size_t unixstream_trim(struct unixstream *stream);

#endif
