/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <sys/socket.h>

#include "name/listen_private.h"

/* Flags for the name, not for its socket. */
static const unsigned int name_flags = UNIXMSG_LISTEN_KEEP |
	UNIXMSG_LISTEN_UNSAFE_DIRECTORY | UNIXMSG_LISTEN_REPLACE;

static const unsigned int known_flags =
	name_flags | UNIXMSG_LISTEN_USER | UNIXMSG_LISTEN_GROUP;

static bool is_empty(const struct unixlisten_options *options)
{
	size_t i, count = sizeof(options->reserved) / sizeof(uint64_t);
	uint64_t reserved = options->unused;

	for (i = 0; i < count; i++)
		reserved |= options->reserved[i];
	return reserved == 0;
}

/*
 * Refuses an id without its flag, and a flag with the id -1, which chown(2)
 * takes for "leave it".
 */
static bool is_id_meant(unsigned int id, bool is_said)
{
	return is_said ? id != (unsigned int)-1 : id == 0;
}

static bool is_meant(const struct unixlisten_options *options)
{
	const unsigned int flags = options->flags;

	return is_empty(options) && (flags & ~known_flags) == 0 &&
		options->mode <= 0777 && options->backlog >= 0 &&
		options->stop_fd >= -1 && options->spin_us >= 0 &&
		is_id_meant(options->user,
			(flags & UNIXMSG_LISTEN_USER) != 0) &&
		is_id_meant(options->group,
			(flags & UNIXMSG_LISTEN_GROUP) != 0);
}

int unixlisten__get_name(const struct unixlisten_options *options,
	struct unixname_options *name)
{
	if (!is_meant(options)) {
		errno = EINVAL;
		return -1;
	}
	unixname__options_init(name);
	if (options->mode != 0)
		name->mode = options->mode;
	if ((options->flags & UNIXMSG_LISTEN_USER) != 0)
		name->user = options->user;
	if ((options->flags & UNIXMSG_LISTEN_GROUP) != 0)
		name->group = options->group;
	name->flags = options->flags & name_flags;
	return 0;
}
