/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr_private.h"
#include "base/fd.h"
#include "name/probe.h"
#include "name/way.h"
#include "tools/common/explain.h"
#include "tools/inspect/inspect_search.h"
#include "tools/inspect/inspect_text.h"

static void show(const struct inspect_search *search,
	const struct inspect_finding *finding)
{
	search->show(search->context, finding);
}

/*
 * Ignores the state of a datagram socket: the kernel reports it as connected
 * after any socket has connected to it. Checks for a peer instead.
 */
static enum inspect_state get_state(const struct inspect_socket *it)
{
	if (it->told.type == SOCK_DGRAM)
		return it->told.has & UNIXDIAG_HAS_PEER ? INSPECT_CONNECTED
							: INSPECT_BOUND;
	switch (it->told.state) {
	case UNIXDIAG_LISTENING:
		return INSPECT_LISTENING;
	case UNIXDIAG_CONNECTED:
		return INSPECT_CONNECTED;
	default:
		return INSPECT_BOUND;
	}
}

static enum inspect_path compare_file(const struct inspect_socket *it, int fd)
{
	struct unixdiag_mount mount = { 0 };
	struct unixdiag_file found;

	if (unixdiag__identify(fd, &mount, &found) < 0)
		return INSPECT_PATH_UNKNOWN;
	return found.dev == it->told.file.dev && found.ino == it->told.file.ino
		? INSPECT_PATH_IN_PLACE
		: INSPECT_PATH_REPLACED;
}

/* Other users have chosen the path, so skips file systems that may hang. */
static enum inspect_path look_at_path(const struct inspect_socket *it)
{
	char path[UNIXMSG_NAME_SIZE_MAX + 1];
	enum inspect_path found;
	size_t size;
	const char *name = unixaddr_get_name(&it->told.addr, &size);
	int fd;

	if (unixaddr_get_kind(&it->told.addr) != UNIXADDR_PATH ||
		*name != '/' || (it->told.has & UNIXDIAG_HAS_FILE) == 0)
		return INSPECT_PATH_UNKNOWN;
	memcpy(path, name, size);
	path[size] = '\0';
	fd = unixway__open(path, true);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			? INSPECT_PATH_GONE
			: INSPECT_PATH_UNKNOWN;
	found = compare_file(it, fd);
	fd_close(fd);
	return found;
}

static void show_socket(const struct inspect_search *search,
	struct inspect_finding *finding, const struct inspect_socket *it)
{
	finding->socket = it;
	finding->path = look_at_path(it);
	finding->state = get_state(it);
	show(search, finding);
}

/* The sockets of one name, and the number of each sort. */
struct group {
	size_t first;
	size_t count;
	size_t owners;
	size_t connections; /* without a listener, or with a bound name */
};

static void count_group(const struct inspect_search *search,
	struct group *group)
{
	size_t i;

	group->owners = group->connections = 0;
	for (i = group->first; i < group->first + group->count; i++) {
		const struct inspect_socket *it = search->snapshot->names[i];

		if (inspect_socket_is_owner(it))
			group->owners++;
		else if (!inspect_socket_is_accepted(it))
			group->connections++;
	}
}

/* Shows the owners; without an owner, the connections. */
static void show_group(const struct inspect_search *search,
	const struct group *group, struct inspect_finding *finding)
{
	size_t i;

	finding->is_shared = finding->file == NULL && group->owners > 1;
	for (i = group->first; i < group->first + group->count; i++) {
		const struct inspect_socket *it = search->snapshot->names[i];

		if (inspect_socket_is_owner(it) || group->owners == 0)
			show_socket(search, finding, it);
	}
}

static void show_nobody(const struct inspect_search *search,
	struct inspect_finding *finding, const char *why)
{
	finding->state = INSPECT_NOBODY;
	finding->why = why;
	show(search, finding);
}

static const char *explain_unknown(int error)
{
	if (error == EREMOTE)
		return "on a file system like FUSE and NFS a refusal proves "
		       "nothing";
	return explain_error(error);
}

static void show_unknown(const struct inspect_search *search,
	struct inspect_finding *finding, const char *what, int error)
{
	char why[256];

	finding->state = INSPECT_UNKNOWN;
	snprintf(why, sizeof(why), "%s: %s", what, explain_unknown(error));
	finding->why = why;
	show(search, finding);
}

static void judge(const struct inspect_search *search,
	struct inspect_finding *finding, bool is_dead)
{
	const bool is_listed = search->snapshot->error == 0;

	if (is_dead && is_listed) {
		finding->state = INSPECT_DEAD;
	} else if (!is_dead && inspect_file_may_send(finding->file)) {
		finding->state = INSPECT_UNSEEN;
	} else {
		finding->state = INSPECT_UNKNOWN;
		finding->why = !is_listed
			? "nobody answers, but the kernel does not list sockets"
			: "nobody in this network namespace is bound to it, "
			  "and a further check needs the right to send";
	}
}

/*
 * Probes a file that no socket in this network namespace has bound, except a
 * connection. A probe reaches all namespaces, and an owner does not notice it.
 */
static void show_probed(const struct inspect_search *search,
	const struct group *group, struct inspect_finding *finding)
{
	bool is_dead = unixprobe__is_dead(finding->file->fd, NULL, NULL) == 0;
	int error = is_dead ? 0 : errno;

	if (!is_dead && group->connections > 0) {
		show_group(search, group, finding);
		return;
	}
	finding->connections_left = group->connections;
	if (!is_dead && error != EADDRINUSE) {
		show_unknown(search, finding, "it cannot be asked", error);
		return;
	}
	judge(search, finding, is_dead);
	show(search, finding);
}

static void show_file(const struct inspect_search *search,
	struct inspect_finding *finding)
{
	struct group group;

	if (!inspect_file_is_socket(finding->file)) {
		finding->state = INSPECT_NOT_A_SOCKET;
		show(search, finding);
		return;
	}
	group.first = inspect_snapshot_find_file(search->snapshot,
		&finding->file->id, &group.count);
	count_group(search, &group);
	if (group.owners > 0)
		show_group(search, &group, finding);
	else
		show_probed(search, &group, finding);
}

/* Shows a path whose file cannot be seen, or does not exist. */
static void show_missing(const struct inspect_search *search,
	struct inspect_finding *finding, int error)
{
	if (error == ENOENT || error == ENOTDIR)
		show_nobody(search, finding, "nothing is there");
	else
		show_unknown(search, finding, "it cannot be looked at", error);
}

static int search_path(struct inspect_search *search, const char *path,
	struct inspect_finding *finding, struct inspect_name *name)
{
	struct inspect_nears nears;
	struct inspect_file file;
	int error = 0;

	if (inspect_file_open(&file, AT_FDCWD, path, &search->mount) < 0)
		error = errno;
	if (error == 0 && S_ISDIR(file.status.st_mode)) {
		inspect_file_close(&file);
		errno = EISDIR;
		return -1;
	}
	name->file = error == 0 ? &file.id : NULL;
	inspect_nears_find(&nears, search->snapshot, name);
	finding->nears = &nears;
	finding->file = error == 0 ? &file : NULL;
	if (error == 0)
		show_file(search, finding);
	else
		show_missing(search, finding, error);
	inspect_file_close(&file);
	return 0;
}

/* Also searches near-misses of a name that is too long for an address. */
static void search_abstract(const struct inspect_search *search,
	struct inspect_finding *finding, const struct inspect_name *name)
{
	struct inspect_nears nears;
	struct unixaddr addr;
	struct group group = { 0 };

	inspect_nears_find(&nears, search->snapshot, name);
	finding->nears = &nears;
	if (unixaddr_set_abstract(&addr, name->bytes, name->size) < 0) {
		show_nobody(search, finding,
			"nobody: an abstract name has no more than 107 bytes");
		return;
	}
	group.first = inspect_snapshot_find_abstract(search->snapshot, &addr,
		&group.count);
	count_group(search, &group);
	if (group.count > 0)
		show_group(search, &group, finding);
	else if (search->snapshot->error != 0)
		show_missing(search, finding, search->snapshot->error);
	else
		show_nobody(search, finding,
			"nobody has bound that name in this network namespace");
}

/* Formats an abstract name of any length, like unixaddr_format. */
static void format_abstract(const struct inspect_name *name, char *text,
	size_t room)
{
	if (name->size == 0) {
		snprintf(text, room, "\\x00");
		return;
	}
	snprintf(text, room, "@");
	inspect_text_bytes(name->bytes, name->size, text + 1, room - 1);
}

int inspect_search_address(struct inspect_search *search, const char *text)
{
	char path[PATH_MAX], address[INSPECT_PATH_TEXT_SIZE];
	struct inspect_finding finding = {
		.address = address,
		.is_asked = true,
	};
	struct inspect_name name = { 0 };

	if (unixaddr__decode(text, path, sizeof(path), &name.size) < 0)
		return -1;
	name.is_abstract = path[0] == '\0';
	name.bytes = path + name.is_abstract;
	name.size -= name.is_abstract;
	if (name.is_abstract && name.size == 0 && text[0] == '@') {
		errno = EINVAL;
		return -1;
	}
	if (!name.is_abstract) {
		inspect_text_path(path, address, sizeof(address));
		return search_path(search, path, &finding, &name);
	}
	format_abstract(&name, address, sizeof(address));
	search_abstract(search, &finding, &name);
	return 0;
}

static int is_maybe_socket(const struct dirent *entry)
{
	return entry->d_type == DT_SOCK || entry->d_type == DT_UNKNOWN;
}

static void format_path(const char *directory, const char *leaf, char *text,
	size_t room)
{
	char whole[PATH_MAX + NAME_MAX + 2];
	size_t size = strlen(directory);

	snprintf(whole, sizeof(whole), "%s%s%s", directory,
		directory[size - 1] == '/' ? "" : "/", leaf);
	inspect_text_path(whole, text, room);
}

/* Skips a file that was removed meanwhile. */
static void search_entry(struct inspect_search *search, int dir_fd,
	const char *path, const char *leaf)
{
	char address[INSPECT_PATH_TEXT_SIZE];
	struct inspect_finding finding = { .address = address };
	struct inspect_file file;
	int error = 0;

	if (inspect_file_open(&file, dir_fd, leaf, &search->mount) < 0)
		error = errno;
	if (error == ENOENT)
		return;
	format_path(path, leaf, address, sizeof(address));
	if (error != 0) {
		show_unknown(search, &finding, "it cannot be looked at", error);
		return;
	}
	finding.file = &file;
	if (!file.is_link && inspect_file_is_socket(&file))
		show_file(search, &finding);
	inspect_file_close(&file);
}

static int search_entries(struct inspect_search *search, int dir_fd,
	const char *path)
{
	struct dirent **entries;
	int i, count;

	/* scandir returns only names; dir_fd leads to their files. */
	count = scandir(path, &entries, is_maybe_socket, alphasort);
	if (count < 0)
		return -1;
	for (i = 0; i < count; i++) {
		search_entry(search, dir_fd, path, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

int inspect_search_directory(struct inspect_search *search, const char *text)
{
	char path[PATH_MAX];
	size_t size;
	int dir_fd;

	if (unixaddr__decode(text, path, sizeof(path), &size) < 0)
		return -1;
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -1;
	return fd_close_with(dir_fd, search_entries(search, dir_fd, path));
}

/* Sorts paths before abstract names, for people who look for one. */
static int compare_names(const void *a, const void *b)
{
	const struct inspect_socket *left = *(struct inspect_socket *const *)a;
	const struct inspect_socket *right = *(struct inspect_socket *const *)b;
	int order = (int)unixaddr_get_kind(&left->told.addr) -
		(int)unixaddr_get_kind(&right->told.addr);

	if (order == 0)
		order = memcmp(left->told.addr.sun.sun_path,
			right->told.addr.sun.sun_path,
			sizeof(left->told.addr.sun.sun_path));
	if (order == 0)
		order = left->told.type - right->told.type;
	if (order != 0)
		return order;
	return left->told.ino < right->told.ino ? -1 : 1;
}

static void search_socket(const struct inspect_search *search,
	const struct inspect_socket *it)
{
	char address[UNIXMSG_ADDR_TEXT_SIZE];
	struct inspect_finding finding = { .address = address };

	unixaddr_format(&it->told.addr, address, sizeof(address));
	show_socket(search, &finding, it);
}

int inspect_search_all(struct inspect_search *search)
{
	const struct inspect_snapshot *snapshot = search->snapshot;
	struct inspect_socket **names;
	size_t i;

	names = calloc(snapshot->names_count + 1,
		sizeof(struct inspect_socket *));
	if (names == NULL)
		return -1;
	if (snapshot->names_count > 0)
		memcpy(names, snapshot->names,
			snapshot->names_count *
				sizeof(struct inspect_socket *));
	qsort(names, snapshot->names_count, sizeof(*names), compare_names);
	for (i = 0; i < snapshot->names_count; i++)
		if (!inspect_socket_is_accepted(names[i]))
			search_socket(search, names[i]);
	free(names);
	return 0;
}
