/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tools/common/record.h"

const char *const record_formats[] = {
	[RECORD_TEXT] = "text",
	[RECORD_HEX] = "hex",
	[RECORD_JSON] = "json",
	[RECORD_FRAMES] = "frames",
	[RECORD_RAW] = "raw",
	[RECORD_FORMATS] = NULL,
};
