/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/addr_private.h"
#include "tools/common/network.h"
#include "tools/inspect/inspect_text.h"

const char *inspect_text_bytes(const char *bytes, size_t size, char *text,
	size_t room)
{
	char piece[UNIXADDR_PIECE_SIZE];
	size_t i = 0, step, used = 0;

	while (i < size) {
		i += unixaddr__encode(bytes + i, size - i, piece, &step);
		if (used + step >= room)
			break;
		memcpy(text + used, piece, step);
		used += step;
	}
	text[used] = '\0';
	return text;
}

const char *inspect_text_path(const char *path, char *text, size_t room)
{
	/* A path that begins with @ would be read as an abstract name. */
	if (path[0] != '@')
		return inspect_text_bytes(path, strlen(path), text, room);
	snprintf(text, room, "\\x40");
	inspect_text_bytes(path + 1, strlen(path + 1), text + 4, room - 4);
	return text;
}

const char *inspect_text_address(const struct unixaddr *addr)
{
	static char text[UNIXMSG_ADDR_TEXT_SIZE];

	if (unixaddr_get_kind(addr) == UNIXADDR_UNNAMED)
		return "-";
	return unixaddr_format(addr, text, sizeof(text));
}

/* Keeps the last name, because a lookup may ask a server. */
const char *inspect_text_user(uid_t user)
{
	static char text[4 * 64 + 1];
	static uid_t last;
	const struct passwd *entry;

	if (text[0] != '\0' && user == last)
		return text;
	last = user;
	entry = getpwuid(user);
	if (entry == NULL)
		snprintf(text, sizeof(text), "%ju", (uintmax_t)user);
	else
		inspect_text_bytes(entry->pw_name, strlen(entry->pw_name), text,
			sizeof(text));
	return text;
}

const char *inspect_text_group(gid_t group)
{
	static char text[4 * 64 + 1];
	static gid_t last;
	const struct group *entry;

	if (text[0] != '\0' && group == last)
		return text;
	last = group;
	entry = getgrgid(group);
	if (entry == NULL)
		snprintf(text, sizeof(text), "%ju", (uintmax_t)group);
	else
		inspect_text_bytes(entry->gr_name, strlen(entry->gr_name), text,
			sizeof(text));
	return text;
}

const char *inspect_text_network(int type)
{
	const struct network *const *network = networks;

	while (*network != NULL && (*network)->type != type)
		network++;
	return *network == NULL ? "unknown" : (*network)->name;
}
