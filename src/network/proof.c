/* SPDX-License-Identifier: MIT */
/*
 * There are three kinds of evidence, the cheapest first. The writer may own the
 * file. If we connect a socket of our own to the address, the kernel tells the
 * name of its peer, and sock_diag(7) the user. The list of all sockets tells
 * both. The second kind fails if the sender is already connected to us, as
 * clients that have dialled are.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "name/diag.h"
#include "name/file.h"
#include "name/name_private.h"
#include "name/way.h"
#include "network/proof.h"

/* The uid of all users that have no number in our user namespace. */
static const uid_t overflow_user = 65534;

struct attempt {
	int own_fd;
	const struct unixaddr *from;
	const struct unixcred *writer;
	const struct stat *chosen; /* by the program; its owner is the writer */
	unsigned int flags;
	int fd; /* of the file, or -1 */
	bool is_linked;
	/* The verdict if sock_diag tells nothing: true if the writer owns the
	 * file, or can have this name in our own network namespace only. */
	bool is_likely;
	bool is_without_proc;
};

/* The socket that the name leads to. */
struct target {
	bool is_taken; /* connected to somebody: nothing more is known */
	bool has_user;
	uid_t user;
};

static int refuse(void)
{
	errno = EPERM;
	return -1;
}

static int judge_map(const char *line)
{
	char inside[16], outside[16], count[16];

	if (line != NULL &&
		sscanf(line, "%15s %15s %15s", inside, outside, count) == 3 &&
		strcmp(inside, "0") == 0 && strcmp(outside, "0") == 0 &&
		strcmp(count, "4294967295") == 0)
		return 0;
	return refuse();
}

static int read_map(FILE *file)
{
	char room[64];
	const char *line;

	do {
		clearerr(file);
		errno = 0;
		line = fgets(room, sizeof(room), file);
	} while (line == NULL && errno == EINTR);
	return line == NULL && errno != 0 ? -1 : judge_map(line);
}

/*
 * Checks that every user has a number of its own here. Fails with EPERM if not,
 * or with an errno of fopen(3). Without /proc it assumes so.
 */
static int check_first_namespace(void)
{
	FILE *file = fopen("/proc/self/uid_map", "re");
	int result, saved;

	if (file == NULL)
		return errno == ENOENT ? 0 : -1;
	result = read_map(file);
	saved = errno;
	fclose(file);
	errno = saved;
	return result;
}

static int check_number(uid_t user)
{
	return user == overflow_user ? check_first_namespace() : 0;
}

int unixproof__is_anybody(uid_t user)
{
	if (check_number(user) == 0)
		return 0;
	return fd_is_shortage() ? -1 : 1;
}

/* In other user namespaces the overflow uid may be anybody's. */
static int check_writer(const struct attempt *attempt)
{
	if (attempt->writer != NULL)
		return check_number(attempt->writer->uid);
	if ((attempt->flags & UNIXPROOF_EARLY) == 0)
		return refuse();
	return check_first_namespace();
}

/* A service that answers itself never stops. */
static int check_not_ours(const struct attempt *attempt)
{
	struct unixaddr own;
	socklen_t length = UNIXMSG_ADDR_ROOM;

	if (getsockname(attempt->own_fd, (struct sockaddr *)&own.sun, &length) <
		0)
		return -1;
	unixaddr__correct(&own, length);
	return unixaddr_is_equal(&own, attempt->from) ? refuse() : 0;
}

static void set_descriptor_path(struct unixaddr *addr, int fd)
{
	char path[64];
	int size = snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	unixaddr_set_path(addr, path, (size_t)size);
}

static int connect_to(int fd, const struct unixaddr *addr)
{
	socklen_t length;
	const struct sockaddr *sa = unixaddr_get_sockaddr(addr, &length);
	int result;

	do
		result = connect(fd, sa, length);
	while (result < 0 && errno == EINTR);
	return result;
}

/* A socket of another name was put there by somebody else. */
static int check_name(int fd, const struct unixaddr *from)
{
	struct unixaddr name;
	socklen_t length = UNIXMSG_ADDR_ROOM;

	if (getpeername(fd, (struct sockaddr *)&name.sun, &length) < 0)
		return -1;
	unixaddr__correct(&name, length);
	return unixaddr_is_equal(&name, from) ? 0 : refuse();
}

static int question(int fd, const struct attempt *attempt,
	const struct unixaddr *to, struct target *target)
{
	struct unixdiag_socket peer = { .has = 0 };

	if (connect_to(fd, to) < 0) {
		target->is_taken = errno == EPERM;
		return target->is_taken ? 0 : -1;
	}
	if (check_name(fd, attempt->from) < 0)
		return -1;
	/* A shortage passes, so it must not let weaker evidence count. */
	if (unixdiag__find_peer(fd, &peer) < 0)
		return fd_is_shortage() ? -1 : 0;
	target->has_user = (peer.has & UNIXDIAG_HAS_USER) != 0;
	target->user = peer.user;
	return 0;
}

/* The owner of the socket does not notice this connect(2). */
static int find_target(struct attempt *attempt, struct target *target)
{
	int fd = fd_lift(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct unixaddr to = *attempt->from;
	int result;

	if (fd < 0)
		return -1;
	if (attempt->fd >= 0)
		set_descriptor_path(&to, attempt->fd);
	result = fd_close_with(fd, question(fd, attempt, &to, target));
	/* The file is open, so only /proc can be missing. */
	if (result < 0 && errno == ENOENT && attempt->fd >= 0) {
		attempt->is_without_proc = target->is_taken = true;
		return 0;
	}
	return result;
}

struct search {
	const struct unixaddr *from;
	bool is_file;
	struct unixdiag_file file;
	struct target found;
	bool is_found;
};

static int look(void *context, const struct unixdiag_socket *socket)
{
	struct search *search = context;

	if (socket == NULL) {
		search->is_found = false;
		return 0;
	}
	if (socket->type != SOCK_DGRAM ||
		!unixaddr_is_equal(&socket->addr, search->from))
		return 0;
	if (search->is_file &&
		((socket->has & UNIXDIAG_HAS_FILE) == 0 ||
			socket->file.dev != search->file.dev ||
			socket->file.ino != search->file.ino))
		return 0;
	search->is_found = true;
	search->found.has_user = (socket->has & UNIXDIAG_HAS_USER) != 0;
	search->found.user = socket->user;
	return 0;
}

/* The cost grows with the number of sockets. */
static int list_target(const struct attempt *attempt, struct target *target)
{
	struct search search = { .from = attempt->from };
	struct unixdiag_mount mount = { 0 };

	if (attempt->flags & UNIXPROOF_QUICK) {
		errno = EAGAIN;
		return -1;
	}
	search.is_file = attempt->fd >= 0;
	if (search.is_file &&
		unixdiag__identify(attempt->fd, &mount, &search.file) < 0)
		return -1;
	if (unixdiag__list_bindings(look, &search) < 0)
		return fd_is_shortage() ? -1 : 0;
	if (!search.is_found)
		return refuse();
	*target = search.found;
	return 0;
}

static int judge(const struct attempt *attempt, const struct target *target)
{
	if (!target->has_user)
		return attempt->is_likely ? 0 : refuse();
	return attempt->writer == NULL || target->user == attempt->writer->uid
		? 0
		: refuse();
}

static int prove_by_socket(struct attempt *attempt)
{
	struct target target = { .has_user = false };

	if (find_target(attempt, &target) < 0)
		return -1;
	if (!target.is_taken)
		return judge(attempt, &target);
	/* The target must be connected to us, or our sends to it would fail. */
	if (attempt->fd >= 0 && attempt->is_likely)
		return 0;
	if (list_target(attempt, &target) < 0)
		return -1;
	return judge(attempt, &target);
}

/* Root and our user may do all that we may, and gain nothing by misleading
 * us. */
static bool is_trusted(const struct unixcred *writer)
{
	return writer != NULL && (writer->uid == 0 || writer->uid == geteuid());
}

/*
 * A send by the descriptor reaches that file, whatever its name leads to by
 * then. A send by name is quicker, and safe where the name cannot change.
 */
static void fill_in(struct attempt *attempt, const char *path,
	struct unixproof *proof)
{
	proof->is_lasting = true;
	if (is_trusted(attempt->writer) && !attempt->is_linked &&
		unixway__is_safe(path, geteuid()))
		return;
	if (attempt->is_without_proc) {
		proof->is_lasting = false;
		return;
	}
	set_descriptor_path(&proof->to, attempt->fd);
	proof->fd = attempt->fd;
	attempt->fd = -1;
}

/* A socket that has sent nothing cannot be proved again for each message. */
static int fill_in_chosen(struct attempt *attempt, const char *path,
	const struct stat *found, struct unixproof *proof)
{
	const struct stat *chosen = attempt->chosen;
	const struct unixcred owner = { .uid = found->st_uid };

	if (!unixfile__is_same(found, chosen->st_dev, chosen->st_ino))
		return refuse();
	attempt->writer = &owner;
	attempt->is_without_proc = unixname__check_proc() < 0;
	fill_in(attempt, path, proof);
	attempt->writer = NULL;
	return proof->is_lasting ? 0 : -1;
}

static int examine(struct attempt *attempt, const char *path,
	struct unixproof *proof)
{
	struct stat found;

	if (fstat(attempt->fd, &found) < 0)
		return -1;
	if (!S_ISSOCK(found.st_mode))
		return refuse();
	if (attempt->chosen != NULL)
		return fill_in_chosen(attempt, path, &found, proof);
	attempt->is_likely = attempt->writer == NULL
		? !attempt->is_linked
		: attempt->writer->uid == found.st_uid;
	if (prove_by_socket(attempt) < 0)
		return -1;
	fill_in(attempt, path, proof);
	return 0;
}

static int open_file(struct attempt *attempt, const char *path)
{
	attempt->fd = unixway__open(path, false);
	if (attempt->fd >= 0 || errno != ELOOP)
		return attempt->fd;
	/* A long chain of links takes time. */
	if (attempt->flags & UNIXPROOF_QUICK) {
		errno = EAGAIN;
		return -1;
	}
	attempt->is_linked = true;
	attempt->fd = unixway__open(path, true);
	return attempt->fd;
}

static int prove_path(struct attempt *attempt, struct unixproof *proof)
{
	char path[UNIXMSG_NAME_SIZE_MAX + 1];
	size_t size;
	const char *name = unixaddr_get_name(attempt->from, &size);
	int result;

	/* A relative name starts at the sender's unknown directory. */
	if (*name != '/')
		return refuse();
	memcpy(path, name, size);
	path[size] = '\0';
	if (open_file(attempt, path) < 0)
		return -1;
	result = examine(attempt, path, proof);
	fd_close(attempt->fd);
	return result;
}

static bool is_own_abstract(int own_fd)
{
	struct unixaddr own;
	socklen_t length = UNIXMSG_ADDR_ROOM;

	if (getsockname(own_fd, (struct sockaddr *)&own.sun, &length) < 0)
		return false;
	unixaddr__correct(&own, length);
	return unixaddr_get_kind(&own) == UNIXADDR_ABSTRACT;
}

/*
 * A sender that reaches our abstract name has its own name in the same network
 * namespace, and no other socket had that name there when it sent.
 */
static int prove_abstract(struct attempt *attempt, struct unixproof *proof)
{
	proof->is_lasting = true;
	if (is_trusted(attempt->writer))
		return 0;
	attempt->is_likely = is_own_abstract(attempt->own_fd);
	return prove_by_socket(attempt);
}

int unixproof__find(struct unixproof *proof, int own_fd,
	const struct unixaddr *from, const struct unixcred *writer,
	unsigned int flags)
{
	struct attempt attempt = {
		.own_fd = own_fd,
		.from = from,
		.writer = writer,
		.flags = flags,
		.fd = -1,
	};
	struct unixproof found = { .to = *from, .fd = -1 };
	int result, saved = errno;

	if (unixaddr_get_kind(from) == UNIXADDR_UNNAMED) {
		errno = EINVAL;
		return -1;
	}
	if (check_not_ours(&attempt) < 0 || check_writer(&attempt) < 0)
		return -1;
	result = unixaddr_get_kind(from) == UNIXADDR_PATH
		? prove_path(&attempt, &found)
		: prove_abstract(&attempt, &found);
	if (result < 0)
		return -1;
	*proof = found;
	errno = saved;
	return 0;
}

int unixproof__find_chosen(struct unixproof *proof, const struct unixaddr *name,
	const struct stat *chosen)
{
	struct attempt attempt = { .from = name, .chosen = chosen, .fd = -1 };
	struct unixproof found = { .to = *name, .fd = -1, .is_lasting = true };
	int saved = errno;

	if (chosen != NULL && prove_path(&attempt, &found) < 0)
		return -1;
	*proof = found;
	errno = saved;
	return 0;
}

bool unixproof__is_same_file(const struct unixproof *one,
	const struct unixproof *other)
{
	struct stat ours, theirs;

	return one->fd >= 0 && other->fd >= 0 && fstat(one->fd, &ours) == 0 &&
		fstat(other->fd, &theirs) == 0 &&
		unixfile__is_same(&ours, theirs.st_dev, theirs.st_ino);
}
