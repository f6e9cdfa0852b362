/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "record.h"

static const char *const words[] = {
	[RECORD_TEXT] = "text",
	[RECORD_HEX] = "hex",
	[RECORD_JSON] = "json",
	[RECORD_FRAMES] = "frames",
};

int record_format_parse(const char *word, enum record_format *format)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(word, words[i]) == 0) {
			*format = (enum record_format)i;
			return 0;
		}
	}

	errno = EINVAL;
	return -1;
}
