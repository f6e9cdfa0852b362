/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/inspect_text.h"

const char *inspect_text_bytes(const char *bytes, size_t size, char *text,
	size_t room)
{
	size_t i, used = 0;

	for (i = 0; i < size && used + 5 <= room; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte == '\\')
			used += (size_t)sprintf(text + used, "\\\\");
		else if (byte >= ' ' && byte <= '~')
			text[used++] = bytes[i];
		else
			used += (size_t)sprintf(text + used, "\\x%02x", byte);
	}
	text[used] = '\0';
	return text;
}

const char *inspect_text_path(const char *path, char *text, size_t room)
{
	/* As it stands it would be taken for an abstract name. */
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

const char *inspect_text_shorten(const char *address)
{
	static const char nul[] = "\\x00";
	static char text[UNIXMSG_ADDR_TEXT_SIZE];
	const size_t step = sizeof(nul) - 1;
	size_t size = strlen(address), nuls = 0;

	while (size > step && memcmp(address + size - step, nul, step) == 0) {
		size -= step;
		nuls++;
	}
	/* A backslash before would make it the text "x00". */
	if (nuls < 4 || address[size - 1] == '\\' || size >= sizeof(text))
		return address;
	snprintf(text, sizeof(text), "%.*s(%zu NULs)", (int)size, address,
		nuls);
	return text;
}

/* Looking up a name may mean asking a server: the last one is remembered. */
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
	switch (type) {
	case SOCK_STREAM:
		return "unix";
	case SOCK_SEQPACKET:
		return "unixpacket";
	default:
		return "unixgram";
	}
}
