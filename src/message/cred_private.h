/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_CRED_PRIVATE_H
#define UNIXMSG_CRED_PRIVATE_H

#include "unixmsg/cred.h"

/*
 * Returns the credentials of an unknown peer. Zeros would make it root for a
 * caller that forgets to check whether there are any credentials.
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
