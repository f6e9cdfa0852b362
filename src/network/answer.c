/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "name/diag.h"
#include "name/file.h"
#include "name/name_private.h"
#include "name/place.h"
#include "network/answer.h"
#include "network/dial_private.h"
#include "network/proof.h"

static const uid_t anybody = (uid_t)-1;

/*
 * The kernel tells who owns the server's file and who created its socket, but
 * not who serves it: supervisors hand sockets over, and daemons drop their
 * privileges. Only a socket that an ordinary user created is certainly served
 * by that user. A uid that may stand for any user identifies nobody. Fails with
 * an errno of shortage when a later call may find out.
 */
static int look_at_owner(const struct endpoint *end, uid_t file_user,
	bool *is_ours)
{
	struct unixdiag_socket peer = { .has = 0 };
	const uid_t user = geteuid();
	int is_anybody, saved = errno;

	*is_ours = false;
	if (user == 0 || file_user != user)
		return 0;
	is_anybody = unixproof__is_anybody(user);
	if (is_anybody < 0)
		return -1;
	if (is_anybody == 0 && unixdiag__find_peer(end->fd, &peer) < 0 &&
		fd_is_shortage())
		return -1;
	*is_ours = is_anybody == 0 &&
		((peer.has & UNIXDIAG_HAS_USER) == 0 || peer.user == user);
	errno = saved;
	return 0;
}

static int look_at_server(const struct endpoint *end, const char *server,
	bool *is_ours)
{
	struct stat file;

	if (unixname__look(server, &file) < 0)
		return -1;
	return look_at_owner(end, file.st_uid, is_ours);
}

/*
 * A sender needs write permission on the file. To give it to everybody costs
 * little: the socket is connected before it is bound, so the kernel refuses
 * every sender but the server (EPERM).
 */
static void set_mode(struct unixname_options *options, bool is_ours)
{
	unixname__options_init(options);
	options->mode = is_ours ? 0600 : 0666;
}

static int bind_in(struct endpoint *end, const struct client_place *place,
	const struct unixname_options *options)
{
	char path[2 * UNIXMSG_NAME_SIZE_MAX];

	if (unixplace__choose(place, path, sizeof(path)) < 0)
		return -1;
	return unixname__claim_fresh(end->fd, path, options, &end->name);
}

/* A socket that was bound before the failure cannot be bound again. */
static bool is_next_worth_trying(const struct endpoint *end)
{
	struct unixaddr own;
	int saved = errno;
	bool is_free = unixendpoint__get_address(end, &own) == 0 &&
		unixaddr_get_kind(&own) == UNIXADDR_UNNAMED;

	errno = saved;
	return is_free;
}

/*
 * Tells whether user has the permissions in bits (of S_IRWXO). The groups of
 * the user are not known, so the group's permissions count as the user's.
 */
static bool is_allowed(const struct stat *file, uid_t user, mode_t bits)
{
	if (user == anybody)
		return (file->st_mode & bits) == bits;
	if (user == file->st_uid)
		return (file->st_mode >> 6 & bits) == bits;
	return ((file->st_mode | file->st_mode >> 3) & bits) == bits;
}

static bool is_reachable(const char *path, uid_t user, mode_t bits)
{
	struct stat file;

	/* A file that we cannot look at counts as reachable. */
	return stat(path, &file) < 0 || is_allowed(&file, user, bits);
}

/* Cuts path, which is absolute, at each slash and restores it. */
static bool is_way_open(char *path, uid_t user)
{
	bool is_open = is_reachable("/", user, S_IXOTH);
	char *slash;

	for (slash = strchr(path + 1, '/'); is_open && slash != NULL;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		is_open = is_reachable(path, user, S_IXOTH);
		*slash = '/';
	}
	return is_open;
}

static bool is_open_to_all(const char *dir)
{
	char path[PATH_MAX];
	int saved = errno;
	bool is_open = *dir == '/' &&
		(size_t)snprintf(path, sizeof(path), "%s/", dir) <
			sizeof(path) &&
		is_way_open(path, anybody);

	errno = saved;
	return is_open;
}

/*
 * Binds in the first place that is open to all, or that is not, as
 * is_open_wanted says. Fails with the errno of the last try; errno stays the
 * same if there is no such place.
 */
static int bind_in_some(struct endpoint *end,
	const struct client_place places[3],
	const struct unixname_options *options, bool is_open_wanted)
{
	size_t i;

	for (i = 0; i < 3; i++) {
		if (places[i].base == NULL ||
			is_open_to_all(places[i].base) != is_open_wanted)
			continue;
		if (bind_in(end, &places[i], options) == 0)
			return 0;
		if (!is_next_worth_trying(end))
			return -1;
	}
	return -1;
}

/* A server of another user needs a directory that everybody may pass. Without
 * one a private directory may still do: the server may be root. */
static int bind_to_file(struct endpoint *end, const char *server)
{
	const struct client_place places[] = {
		{ .base = secure_getenv("XDG_RUNTIME_DIR"),
			.is_private = true },
		{ .base = secure_getenv("TMPDIR") },
		{ .base = "/tmp", .is_systems = true },
	};
	struct unixname_options options;
	bool is_ours;

	if (look_at_server(end, server, &is_ours) < 0)
		return -1;
	set_mode(&options, is_ours);
	if (is_ours && bind_in(end, &places[0], &options) == 0)
		return 0;
	if (is_ours && !is_next_worth_trying(end))
		return -1;
	errno = ENOENT;
	if (bind_in_some(end, places, &options, true) == 0)
		return 0;
	if (!is_next_worth_trying(end))
		return -1;
	return bind_in_some(end, places, &options, false);
}

static int bind_to_own(struct endpoint *end, const char *server,
	const struct unixdial_options *dial, int64_t deadline_us)
{
	struct unixname_options options;
	bool is_ours;

	unixname__options_init(&options);
	if (look_at_server(end, server, &is_ours) == 0)
		set_mode(&options, is_ours);
	else if (fd_is_shortage())
		return -1;
	if (dial->own_mode != 0)
		options.mode = dial->own_mode;
	return unixdial__bind(end, dial->own, true, &options, deadline_us);
}

int unixanswer__bind(struct endpoint *end, const char *server,
	const struct unixdial_options *dial, int64_t deadline_us)
{
	int saved = errno;
	int result;

	if (dial->own != NULL)
		result = bind_to_own(end, server, dial, deadline_us);
	else if (server[0] == '@')
		/* A container may share either the paths or the abstract names
		 * of its host. */
		result = unixdial__bind(end, "@", true, NULL, deadline_us);
	else
		result = bind_to_file(end, server);
	if (result == 0)
		errno = saved;
	return result;
}

/*
 * Checks that path leads to the file that we have bound. Fails with ENOENT when
 * there is none, ESTALE when it is another.
 */
static int check_file(const struct endpoint *end, const char *path,
	struct stat *file)
{
	if (lstat(path, file) < 0)
		return errno == ENOENT ? -1 : 0;
	if (end->name == NULL ||
		unixfile__is_same(file, end->name->dev, end->name->ino))
		return 0;
	errno = ESTALE;
	return -1;
}

/* Finds the user whose permissions count if file_user owns the file. */
static int find_reader(uid_t file_user, uid_t *user)
{
	int is_anybody = file_user == 0 ? 1 : unixproof__is_anybody(file_user);

	*user = is_anybody == 0 ? file_user : anybody;
	return is_anybody < 0 ? -1 : 0;
}

static int check_path(const struct endpoint *end, char *path,
	const struct unixaddr *peer)
{
	struct stat own, server;
	bool is_ours;
	size_t size;
	uid_t user;

	if (check_file(end, path, &own) < 0)
		return -1;
	if (stat(unixaddr_get_name(peer, &size), &server) < 0)
		return 0;
	if (look_at_owner(end, server.st_uid, &is_ours) < 0 ||
		find_reader(server.st_uid, &user) < 0)
		return -1;
	if (is_ours ||
		(is_way_open(path, user) && is_reachable(path, user, S_IWOTH)))
		return 0;
	errno = EACCES;
	return -1;
}

int unixanswer__check(const struct endpoint *end)
{
	struct unixaddr own, peer;
	int saved = errno;

	if (unixendpoint__get_address(end, &own) < 0 ||
		unixendpoint__get_peer(end, &peer) < 0)
		return -1;
	if (unixaddr_get_kind(&own) == UNIXADDR_PATH &&
		unixaddr_get_kind(&peer) == UNIXADDR_PATH &&
		own.sun.sun_path[0] == '/' &&
		check_path(end, own.sun.sun_path, &peer) < 0)
		return -1;
	errno = saved;
	return 0;
}
