/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/explain.h"
#include "tools/common/explain_path.h"
#include "tools/common/network.h"
#include "unixmsg.h"

static char text[4 * PATH_MAX + 1];
static char why[512];

const char *explain_text(const char *address)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0;

	if (*address == '\0')
		return "''";
	/* The address has escapes already: a backslash stays as it is. */
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

const char *explain_error(int error)
{
	if (error == EMFILE)
		return "no more open files allowed; see ulimit -n";
	if (error == ENOSYS && faccessat(AT_FDCWD, "/proc/self", F_OK, 0) < 0)
		return "this needs /proc, which is not mounted here";
	return strerror(error);
}

static const char *explain_malformed(const char *address)
{
	if (*address == '\0')
		return "an address is a path or @name; this one is empty";
	if (strcmp(address, "@") == 0)
		return "a lone @ is an address to bind, it names no server";
	return "malformed: a backslash begins \\\\, \\xHH or \\{N}, and a "
	       "path has no \\x00";
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

/* Describes the owner of the name, if it is known. */
static const char *explain_owner(const char *address)
{
	struct unixowner owner;

	if (unixowner_find(address, 0, &owner) < 0)
		return explain_path_is_closed(address, why, sizeof(why))
			? why
			: "address in use: its owner is alive";
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

/* Returns the system's text and the call, for an unknown cause. */
static const char *explain_call(int error, const char *call)
{
	snprintf(why, sizeof(why), "%s: %s", strerror(error), call);
	return why;
}

/* Finds the cause of EPERM. */
static const char *explain_refused_name(const char *address, bool is_given)
{
	if (explain_path_is_unsafe(address))
		return "refused: everybody may write to the directory, and "
		       "without the sticky bit (chmod +t) replace the socket";
	if (explain_path_is_kept(address, why, sizeof(why)))
		return why;
	if (is_given && geteuid() != 0)
		return "only root may give the file to another user, and "
		       "others only to a group of their own: see --user and "
		       "--group";
	return explain_call(EPERM,
		is_given ? "making the socket file, or giving it to --user or "
			   "--group"
			 : "making the socket file in this directory");
}

/* EINVAL means a malformed address, or else the owner or the call. */
static const char *explain_invalid_name(const char *address, bool is_given)
{
	struct unixaddr addr;

	if (unixaddr_parse(&addr, address) < 0 && errno == EINVAL)
		return explain_malformed(address);
	return explain_call(EINVAL,
		is_given ? "giving the socket file to --user or --group; a "
			   "user namespace may not map that user or group"
			 : "making the socket");
}

static const char slash[] =
	"it ends in /, and so names a directory, not a socket";

static bool is_about_slash(const char *address, int error)
{
	return explain_path_is_directory(address) &&
		(error == ENOENT || error == ENOTDIR || error == EISDIR ||
			error == ENOTSOCK || error == EADDRINUSE ||
			error == EINVAL || error == ECONNREFUSED);
}

const char *explain_listen(const char *address, bool is_given, int error)
{
	if (is_about_slash(address, error))
		return slash;
	switch (error) {
	case EACCES:
		explain_path_denied_listen(address, why, sizeof(why));
		return why;
	case EINVAL:
		return explain_invalid_name(address, is_given);
	case ENAMETOOLONG:
		return explain_length(address);
	case EADDRINUSE:
		return explain_owner(address);
	case ENOTSOCK:
		return "something that is no socket stands there; it was left "
		       "alone";
	case ENOENT:
		if (explain_path_get_error(address, F_OK) == ENOENT)
			return "the directory does not exist";
		return explain_call(error, "making the socket file");
	case ENOTDIR:
		return "the part before the last / is no directory";
	case EPERM:
		return explain_refused_name(address, is_given);
	case ETIMEDOUT:
		return "somebody holds the lock on the directory";
	case ENOTSUP:
		return "the file system sets its own mode or owner, not the "
		       "wanted one";
	default:
		return explain_error(error);
	}
}

/* True if this address is the one that is too long or malformed. */
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

/* The kernel reports ECONNREFUSED for files that are no sockets, too. */
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

/* True for a tool that takes the network from its command line. */
static bool is_network_chosen;

void explain_choose_network(void)
{
	is_network_chosen = true;
}

static const char *get_advice(const struct network *network)
{
	return is_network_chosen ? network->name : network->tool;
}

static const char *explain_other_network(const struct network *network,
	const char *address)
{
	const struct network *other = network_find_at(address);

	if (other == NULL || other == network)
		snprintf(why, sizeof(why),
			"its owner does not speak %s: try another %s",
			network->name,
			is_network_chosen ? "NETWORK" : "of the tools");
	else
		snprintf(why, sizeof(why),
			"its owner does not speak %s but %s: try %s",
			network->name, other->name, get_advice(other));
	return why;
}

/* systemd gives a service with PrivateTmp= its own directories there. */
bool explain_is_temporary(const char *address)
{
	return strncmp(address, "/tmp/", 5) == 0 ||
		strncmp(address, "/var/tmp/", 9) == 0;
}

/* Each network has its own abstract names, and each additional NUL makes
 * another name. */
static const char *explain_refusal(const struct network *network,
	const char *address)
{
	const struct network *other;

	if (is_other_file(address))
		return "that is no socket";
	if (*address != '@' && explain_is_temporary(address))
		return "nobody listens there; --wait waits for a server, and a "
		       "server with PrivateTmp= has another /tmp";
	if (*address != '@')
		return "nobody listens there; --wait waits for a server";
	other = network_find_at(address);
	if (other != NULL && other != network)
		return explain_other_network(network, address);
	snprintf(why, sizeof(why),
		"nobody has that name on %s; --wait waits for a server, "
		"unixmsg-inspect shows similar names",
		network->name);
	return why;
}

/* A client that dials makes only the file of its own address. */
static bool is_about_making(int error)
{
	return error == EROFS || error == ENOSPC || error == EDQUOT;
}

/* True if our own address cannot be made. */
static bool is_own_at_fault(const char *own, int error)
{
	if (own == NULL || error == 0)
		return false;
	if (error == EPERM)
		return explain_path_is_unsafe(own);
	return is_about_making(error) ||
		explain_path_get_error(own, W_OK | X_OK) == error;
}

static const char *explain_own_fault(int error)
{
	switch (error) {
	case EACCES:
		return "we may not write to its directory";
	case ENOENT:
		return "its directory does not exist";
	case ENOTDIR:
		return "the part before the last / is no directory";
	case EPERM:
		return "everybody may write to its directory, and without the "
		       "sticky bit (chmod +t) replace it";
	default:
		return strerror(error);
	}
}

static const char *explain_own(const char *own, int error)
{
	snprintf(why, sizeof(why), "our own address %.100s: %s; see --bind",
		explain_text(own), explain_own_fault(error));
	return why;
}

/* A datagram client without --bind makes a file in a place of its own. */
static bool is_own_place_missing(const struct network *network,
	const char *address, const char *own, int error)
{
	if (own != NULL || network->is_connected || *address == '@')
		return false;
	return is_about_making(error) ||
		(error == EACCES && explain_path_is_open(address));
}

static const char *explain_own_place(int error)
{
	snprintf(why, sizeof(why),
		"no place for our own address, to which answers come, in "
		"$XDG_RUNTIME_DIR, $TMPDIR or /tmp: %s; see --bind",
		strerror(error));
	return why;
}

static const char *explain_absence(const char *address)
{
	bool is_temporary = explain_is_temporary(address);

	if (explain_path_get_error(address, F_OK) == ENOENT)
		return is_temporary
			? "the directory does not exist, and a server with "
			  "PrivateTmp= has another /tmp"
			: "the directory does not exist";
	if (is_temporary)
		return "no such socket; --wait waits for it to appear, and a "
		       "server with PrivateTmp= has another /tmp";
	return "no such socket; --wait waits for it to appear";
}

static const char *explain_way(const char *address, int error)
{
	switch (error) {
	case ENOENT:
		return explain_absence(address);
	case ENOTDIR:
		return "the part before the last / is no directory";
	default:
		explain_path_denied_dial(address, why, sizeof(why));
		return why;
	}
}

const char *explain_dial(const struct network *network, const char *address,
	const char *own, int error)
{
	if (is_about_slash(address, error))
		return slash;
	if (is_own_place_missing(network, address, own, error))
		return explain_own_place(error);
	if (is_own_at_fault(own, error))
		return explain_own(own, error);
	switch (error) {
	case EINVAL:
	case ENAMETOOLONG:
		return explain_bad_address(address, own, error);
	case ENOENT:
	case ENOTDIR:
	case EACCES:
		return explain_way(address, error);
	case ECONNREFUSED:
		return explain_refusal(network, address);
	case EPROTOTYPE:
		return explain_other_network(network, address);
	case ETIMEDOUT:
		return "timed out: no server has come, or it accepts nobody";
	case EADDRINUSE:
		return "our own address is in use: its owner is alive";
	case ENOTSOCK:
		return "at our own address stands something that is no "
		       "socket; it was left alone";
	default:
		return explain_error(error);
	}
}

static const char *explain_excess(const struct network *network, size_t size)
{
	snprintf(why, sizeof(why),
		"%zu bytes, more than the %zu that the socket can carry%s%s",
		size, network_get_size_max(network),
		network->is_stream ? "" : "; see net.core.wmem_default, or ",
		network->is_stream ? "" : get_advice(&network_unixstream));
	return why;
}

const char *explain_send(const struct network *network, size_t size, int error)
{
	switch (error) {
	case EMSGSIZE:
		return explain_excess(network, size);
	case ECONNREFUSED:
	case ENOTCONN:
	case ENOENT:
	case EPIPE:
	case ECONNRESET:
		return "the server is gone";
	default:
		return explain_error(error);
	}
}

/* Also false if the kernel does not report the server's user. */
static bool is_server_anothers(const struct network *network,
	const char *address, uid_t *user)
{
	struct unixowner owner;

	if (unixowner_find(address, network->type, &owner) < 0 ||
		owner.user == (uid_t)-1 || owner.user == geteuid())
		return false;
	*user = owner.user;
	return true;
}

const char *explain_silence(const struct network *network, const char *address)
{
	char server[EXPLAIN_USER_SIZE], we[EXPLAIN_USER_SIZE];
	uid_t user;

	if (geteuid() == 0 || !is_server_anothers(network, address, &user))
		return "";
	snprintf(why, sizeof(why),
		"; it is run by user %s, and may refuse user %s: see its "
		"--allow-user",
		explain_user(user, server), explain_user(geteuid(), we));
	return why;
}

const char *explain_closed_way(const char *own, int error)
{
	if (error == EACCES)
		snprintf(why, sizeof(why),
			"our own address %.300s is closed to other users, and "
			"a server that runs as one cannot answer: give "
			"--bind @, or a path in a directory that all may enter",
			own);
	else
		snprintf(why, sizeof(why),
			"our own address %.300s is gone, and answers cannot "
			"come: give --bind @, or a path where nobody removes "
			"it",
			own);
	return why;
}
