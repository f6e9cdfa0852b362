/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "name_private.h"
#include "place.h"

/* Whom the server's socket file belongs to. */
static int get_server_user(const char *server, uid_t *user)
{
	struct stat file;

	if (unixname_look(server, &file) < 0)
		return -1;
	*user = file.st_uid;
	return 0;
}

/*
 * Writing to the file is what a sender needs. Letting everybody do it costs
 * little: the socket is connected before it is bound, so the kernel refuses
 * all but the server (EPERM).
 */
static void set_mode_for(struct unixname_options *options, uid_t user)
{
	unixname_options_init(options);
	options->mode = user == geteuid() ? 0600 : 0666;
}

static bool is_private_directory_fit(uid_t user)
{
	return user == geteuid() || user == 0;
}

static int bind_in(struct endpoint *end, const struct client_place *place,
	const struct unixname_options *options, int64_t deadline_us)
{
	char path[2 * UNIXMSG_NAME_SIZE_MAX];

	if (unixplace_choose(place, path, sizeof(path)) < 0)
		return -1;
	return unixname_claim_fresh(end->fd, path, options, deadline_us,
		&end->name);
}

/* A socket that has got a name and failed then takes no second one. */
static bool is_next_worth_trying(const struct endpoint *end)
{
	struct unixaddr own;
	int saved = errno;
	bool is_free = unixendpoint_get_address(end, &own) == 0 &&
		unixaddr_get_kind(&own) == UNIXADDR_UNNAMED;

	errno = saved;
	return is_free;
}

static int bind_to_file(struct endpoint *end, const char *server,
	int64_t deadline_us)
{
	struct client_place places[] = {
		{ .is_private = true },
		{ .base = secure_getenv("TMPDIR") },
		{ .base = "/tmp", .is_systems = true },
	};
	struct unixname_options options;
	uid_t user;
	size_t i;

	if (get_server_user(server, &user) < 0)
		return -1;
	set_mode_for(&options, user);
	if (is_private_directory_fit(user))
		places[0].base = secure_getenv("XDG_RUNTIME_DIR");
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (bind_in(end, &places[i], &options, deadline_us) == 0)
			return 0;
		if (!is_next_worth_trying(end))
			return -1;
	}
	return -1;
}

static int bind_to_own(struct endpoint *end, const char *server,
	const char *own, int64_t deadline_us)
{
	struct unixname_options options;
	uid_t user;

	unixname_options_init(&options);
	if (get_server_user(server, &user) == 0)
		set_mode_for(&options, user);
	return unixendpoint_bind(end, own, true, &options, deadline_us);
}

/* Paths and abstract names are two worlds: containers may share only one. */
static bool is_server_abstract(const char *server)
{
	char path[PATH_MAX];
	size_t size;

	return unixaddr_decode(server, path, sizeof(path), &size) == 0 &&
		path[0] == '\0';
}

int unixanswer_bind(struct endpoint *end, const char *server, const char *own,
	int64_t deadline_us)
{
	int saved = errno;
	int result;

	if (own != NULL)
		result = bind_to_own(end, server, own, deadline_us);
	else if (is_server_abstract(server))
		result = unixendpoint_bind(end, "@", true, NULL, deadline_us);
	else
		result = bind_to_file(end, server, deadline_us);
	if (result == 0)
		errno = saved;
	return result;
}

/*
 * Whether user may do what bits say (of S_IRWXO), as far as that is known:
 * which groups he is in is not, so what the group may do he may do.
 */
static bool is_allowed(const struct stat *file, uid_t user, mode_t bits)
{
	if (user == 0)
		return true;
	if (user == file->st_uid)
		return (file->st_mode >> 6 & bits) == bits;
	return ((file->st_mode | file->st_mode >> 3) & bits) == bits;
}

static bool is_reachable(const char *path, uid_t user, mode_t bits)
{
	struct stat file;

	/* What we cannot look at we cannot judge. */
	return stat(path, &file) < 0 || is_allowed(&file, user, bits);
}

/* path is absolute; it is cut at each slash and made whole again. */
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
	return is_open && is_reachable(path, user, S_IWOTH);
}

/* As far as it can be known: else it is taken for possible. */
static bool is_answer_possible(struct unixaddr *own,
	const struct unixaddr *peer)
{
	struct stat file;
	size_t size;

	if (unixaddr_get_kind(own) != UNIXADDR_PATH ||
		unixaddr_get_kind(peer) != UNIXADDR_PATH ||
		own->sun.sun_path[0] != '/' ||
		stat(unixaddr_get_name(peer, &size), &file) < 0)
		return true;
	return is_way_open(own->sun.sun_path, file.st_uid);
}

int unixanswer_check(const struct endpoint *end)
{
	struct unixaddr own, peer;
	int saved = errno;
	bool is_open;

	if (unixendpoint_get_address(end, &own) < 0 ||
		unixendpoint_get_peer(end, &peer) < 0)
		return -1;
	is_open = is_answer_possible(&own, &peer);
	errno = is_open ? saved : EACCES;
	return is_open ? 0 : -1;
}
