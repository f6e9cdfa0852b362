/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/explain.h"
#include "tools/network.h"
#include "unixmsg.h"

static char text[4 * PATH_MAX + 1];
static char why[512];

const char *explain_text(const char *address)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0;

	if (*address == '\0')
		return "''";
	/* It has its escapes already: a backslash stands for itself here. */
	for (; *address != '\0' && used + 4 < sizeof(text); address++) {
		unsigned char byte = (unsigned char)*address;

		if (byte >= ' ' && byte <= '~') {
			text[used++] = *address;
			continue;
		}
		text[used++] = '\\';
		text[used++] = 'x';
		text[used++] = digits[byte >> 4];
		text[used++] = digits[byte & 15];
	}
	text[used] = '\0';
	return text;
}

static const char *explain_malformed(const char *address)
{
	if (*address == '\0')
		return "an address is a path or @name; this one is empty";
	if (strcmp(address, "@") == 0)
		return "a lone @ is an address to bind, it names no server";
	return "malformed: a backslash begins \\\\ or \\xHH, and a path has "
	       "no \\x00";
}

static const char *explain_length(const char *address)
{
	snprintf(why, sizeof(why), "%zu bytes; an address has room for %d",
		strlen(address),
		*address == '@' ? UNIXMSG_NAME_SIZE_MAX : PATH_MAX - 1);
	return why;
}

static const char *explain_own_length(const char *own)
{
	snprintf(why, sizeof(why),
		"our own address %s, made absolute, is longer than the %d "
		"bytes that an answer can be sent to; choose a shorter --bind",
		explain_text(own), UNIXMSG_NAME_SIZE_MAX);
	return why;
}

/* Who has the name, as far as it is known. */
static const char *explain_owner(const char *address)
{
	struct unixowner owner;

	if (unixowner_find(address, 0, &owner) < 0)
		return "address in use: its owner is alive";
	if (owner.pid > 0)
		snprintf(why, sizeof(why), "address in use by pid %jd (%s)",
			(intmax_t)owner.pid, owner.command);
	else if (owner.user != (uid_t)-1)
		snprintf(why, sizeof(why),
			"address in use by a process of user %ju",
			(uintmax_t)owner.user);
	else
		return "address in use: its owner is alive";
	return why;
}

const char *explain_listen(const char *address, int error)
{
	switch (error) {
	case EINVAL:
		return explain_malformed(address);
	case ENAMETOOLONG:
		return explain_length(address);
	case EADDRINUSE:
		return explain_owner(address);
	case ENOTSOCK:
		return "something that is no socket stands there; it was left "
		       "alone";
	case ENOENT:
		return "the directory does not exist";
	case EPERM:
		return "refused: everybody may write to the directory and it "
		       "has no sticky bit, or the owner may not be changed";
	case ETIMEDOUT:
		return "somebody holds the lock on the directory";
	default:
		return strerror(error);
	}
}

/* Whether it is this address that was called too long or malformed. */
static bool is_address_bad(const char *address, int error)
{
	struct unixaddr addr;

	if (strcmp(address, "@") == 0)
		return error == EINVAL;
	if (unixaddr_parse(&addr, address) == 0 || errno != error)
		return false;
	return error == EINVAL || *address == '@';
}

static const char *explain_bad_address(const char *address, const char *own,
	int error)
{
	if (own != NULL && !is_address_bad(address, error))
		return error == EINVAL ? "--bind: malformed address"
				       : explain_own_length(own);
	return error == EINVAL ? explain_malformed(address)
			       : explain_length(address);
}

/* The kernel says ECONNREFUSED of files that are no sockets, too. */
static bool is_other_file(const char *address)
{
	struct unixaddr addr;
	struct stat file;
	size_t size;

	return unixaddr_parse(&addr, address) == 0 &&
		unixaddr_get_kind(&addr) == UNIXADDR_PATH &&
		stat(unixaddr_get_name(&addr, &size), &file) == 0 &&
		!S_ISSOCK(file.st_mode);
}

/* Of abstract names each network has its own, and a NUL more is another. */
static const char *explain_refusal(const struct network *network,
	const char *address)
{
	if (is_other_file(address))
		return "that is no socket";
	if (*address != '@')
		return "nobody listens there; --wait waits for a server";
	snprintf(why, sizeof(why),
		"nobody has that name on %s; --wait waits for a server, "
		"unixmsg-inspect shows similar names",
		network->name);
	return why;
}

const char *explain_dial(const struct network *network, const char *address,
	const char *own, int error)
{
	switch (error) {
	case EINVAL:
	case ENAMETOOLONG:
		return explain_bad_address(address, own, error);
	case ENOENT:
		return "no such socket; --wait waits for it to appear";
	case ECONNREFUSED:
		return explain_refusal(network, address);
	case EPROTOTYPE:
		snprintf(why, sizeof(why),
			"its owner does not speak %s: try another of the "
			"tools",
			network->name);
		return why;
	case ETIMEDOUT:
		return "timed out: no server has come, or it accepts nobody";
	case EADDRINUSE:
		return "our own address is in use: its owner is alive";
	case ENOTSOCK:
		return "at our own address stands something that is no "
		       "socket; it was left alone";
	default:
		return strerror(error);
	}
}

const char *explain_send(size_t size, size_t size_max, int error)
{
	switch (error) {
	case EMSGSIZE:
		snprintf(why, sizeof(why),
			"%zu bytes, more than the %zu that the socket can "
			"carry",
			size, size_max);
		return why;
	case ECONNREFUSED:
	case ENOTCONN:
	case ENOENT:
	case EPIPE:
	case ECONNRESET:
		return "the server is gone";
	default:
		return strerror(error);
	}
}
