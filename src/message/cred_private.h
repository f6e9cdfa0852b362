/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_CRED_PRIVATE_H
#define UNIXMSG_CRED_PRIVATE_H

#include "unixmsg/cred.h"

/*
 * Of whom nothing is known. Zeros would make him root for those who forget to
 * look whether there are any credentials.
 */
static inline struct unixcred unixcred__get_unknown(void)
{
	struct unixcred unknown = {
		.pid = 0,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1,
	};

	return unknown;
}

#endif
