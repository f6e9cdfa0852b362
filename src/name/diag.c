/* SPDX-License-Identifier: MIT */
/*
 * unixdiag__parse, a pure function over bytes, reads the answers. The rest of
 * this file carries bytes from the kernel to it.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "name/diag.h"

/* Since Linux 5.3; the headers of older kernels lack them. */
static const unsigned int show_user = 0x40;
static const unsigned int attribute_user = 7;

/* NLA_TYPE_MASK, unsigned: removes the flags that share the field. */
static const unsigned int type_mask = 0x3fff;

static const int tries_most = 10;

/* The kernel fills the room that it is offered, up to this size. */
#define ROOM 32768

static size_t align(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* The attributes in data may be unaligned. */
static uint32_t get_u32(const unsigned char *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

static int refuse(void)
{
	errno = EBADMSG;
	return -1;
}

uint32_t unixdiag__get_pending(const struct unixdiag_socket *socket,
	size_t index)
{
	return get_u32(socket->pending + index * sizeof(uint32_t));
}

/* The form of sun_path: an abstract name, or a path that ends at a NUL. */
static int parse_name(struct unixdiag_socket *socket, const unsigned char *data,
	size_t size)
{
	const char *name = (const char *)data;
	int result;

	if (size == 0)
		return 0;
	if (name[0] == '\0')
		result = unixaddr_set_abstract(&socket->addr, name + 1,
			size - 1);
	else
		result = unixaddr_set_path(&socket->addr, name,
			strnlen(name, size));
	return result < 0 ? refuse() : 0;
}

/*
 * The kernel gives the device in its own encoding, twenty bits of minor number
 * below the major number. That is neither of the encodings that stat(2) uses.
 */
static int parse_file(struct unixdiag_socket *socket, const unsigned char *data)
{
	uint32_t dev = get_u32(data + 4);

	socket->file.ino = get_u32(data);
	socket->file.dev = makedev(dev >> 20, dev & 0xfffff);
	socket->has |= UNIXDIAG_HAS_FILE;
	return 0;
}

static int parse_peer(struct unixdiag_socket *socket, const unsigned char *data)
{
	socket->peer = get_u32(data);
	socket->has |= UNIXDIAG_HAS_PEER;
	return 0;
}

static int parse_pending(struct unixdiag_socket *socket,
	const unsigned char *data, size_t size)
{
	socket->pending = data;
	socket->pending_count = size / sizeof(uint32_t);
	socket->has |= UNIXDIAG_HAS_PENDING;
	return 0;
}

static int parse_queue(struct unixdiag_socket *socket,
	const unsigned char *data)
{
	socket->receive_queue = get_u32(data);
	socket->send_queue = get_u32(data + 4);
	socket->has |= UNIXDIAG_HAS_QUEUE;
	return 0;
}

static int parse_memory(struct unixdiag_socket *socket,
	const unsigned char *data)
{
	socket->receive_limit_bytes =
		get_u32(data + sizeof(uint32_t) * SK_MEMINFO_RCVBUF);
	socket->send_limit_bytes =
		get_u32(data + sizeof(uint32_t) * SK_MEMINFO_SNDBUF);
	socket->has |= UNIXDIAG_HAS_MEMORY;
	return 0;
}

static int parse_shutdown(struct unixdiag_socket *socket,
	const unsigned char *data)
{
	socket->shutdown = data[0];
	socket->has |= UNIXDIAG_HAS_SHUTDOWN;
	return 0;
}

static int parse_user(struct unixdiag_socket *socket, const unsigned char *data)
{
	socket->user = get_u32(data);
	socket->has |= UNIXDIAG_HAS_USER;
	return 0;
}

/* Later kernels may make an attribute longer, and add others. */
static int parse_attribute(struct unixdiag_socket *socket, unsigned int type,
	const unsigned char *data, size_t size)
{
	if (type == attribute_user)
		return size < 4 ? refuse() : parse_user(socket, data);
	switch (type) {
	case UNIX_DIAG_NAME:
		return parse_name(socket, data, size);
	case UNIX_DIAG_VFS:
		return size < 8 ? refuse() : parse_file(socket, data);
	case UNIX_DIAG_PEER:
		return size < 4 ? refuse() : parse_peer(socket, data);
	case UNIX_DIAG_ICONS:
		return parse_pending(socket, data, size);
	case UNIX_DIAG_RQLEN:
		return size < 8 ? refuse() : parse_queue(socket, data);
	case UNIX_DIAG_MEMINFO:
		return size < sizeof(uint32_t) * (SK_MEMINFO_SNDBUF + 1)
			? refuse()
			: parse_memory(socket, data);
	case UNIX_DIAG_SHUTDOWN:
		return size < 1 ? refuse() : parse_shutdown(socket, data);
	default:
		return 0;
	}
}

static int parse_attributes(struct unixdiag_socket *socket,
	const unsigned char *data, size_t size)
{
	struct nlattr head;

	while (size >= sizeof(head)) {
		memcpy(&head, data, sizeof(head));
		if (head.nla_len < sizeof(head) || head.nla_len > size)
			return refuse();
		if (parse_attribute(socket, head.nla_type & type_mask,
			    data + sizeof(head),
			    head.nla_len - sizeof(head)) < 0)
			return -1;
		if (align(head.nla_len) >= size)
			return 0;
		data += align(head.nla_len);
		size -= align(head.nla_len);
	}
	return 0;
}

static int parse_socket(struct unixdiag_message *message,
	const unsigned char *data, size_t size)
{
	struct unixdiag_socket *socket = &message->socket;
	struct unix_diag_msg head;

	if (size < sizeof(head))
		return refuse();
	memcpy(&head, data, sizeof(head));
	if (head.udiag_family != AF_UNIX)
		return 0;
	message->kind = UNIXDIAG_SOCKET;
	unixaddr_set_unnamed(&socket->addr);
	socket->type = head.udiag_type;
	socket->state = head.udiag_state;
	socket->ino = head.udiag_ino;
	socket->cookie =
		head.udiag_cookie[0] | (uint64_t)head.udiag_cookie[1] << 32;
	return parse_attributes(socket, data + sizeof(head),
		size - sizeof(head));
}

/* A list that failed half way has the error in its end message. */
static int parse_end(struct unixdiag_message *message,
	const unsigned char *data, size_t size)
{
	int32_t error;

	message->kind = UNIXDIAG_END;
	if (size < sizeof(error))
		return 0;
	memcpy(&error, data, sizeof(error));
	message->error = error < 0 && error > -4096 ? -error : 0;
	return 0;
}

static int parse_error(struct unixdiag_message *message,
	const unsigned char *data, size_t size)
{
	int32_t error;

	if (size < sizeof(error))
		return refuse();
	memcpy(&error, data, sizeof(error));
	message->kind = UNIXDIAG_ERROR;
	message->error = error < 0 && error > -4096 ? -error : EBADMSG;
	return 0;
}

static int parse_body(struct unixdiag_message *message, unsigned int type,
	const unsigned char *data, size_t size)
{
	switch (type) {
	case SOCK_DIAG_BY_FAMILY:
		return parse_socket(message, data, size);
	case NLMSG_DONE:
		return parse_end(message, data, size);
	case NLMSG_ERROR:
		return parse_error(message, data, size);
	default:
		return 0;
	}
}

ssize_t unixdiag__parse(const void *data, size_t size,
	struct unixdiag_message *message)
{
	const unsigned char *bytes = data;
	struct nlmsghdr head;

	memset(message, 0, sizeof(*message));
	message->kind = UNIXDIAG_OTHER;
	if (size < sizeof(head))
		return refuse();
	memcpy(&head, data, sizeof(head));
	if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > size)
		return refuse();
	message->sequence = head.nlmsg_seq;
	message->is_interrupted = (head.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (parse_body(message, head.nlmsg_type, bytes + sizeof(head),
		    head.nlmsg_len - sizeof(head)) < 0)
		return -1;
	if (align(head.nlmsg_len) >= size)
		return (ssize_t)size;
	return (ssize_t)align(head.nlmsg_len);
}

/* One request to the kernel, and the state of its answer. */
struct dump {
	int fd;
	uint32_t sequence;
	bool is_single; /* about one socket: no end message follows */
	bool is_interrupted;
	bool has_ended;
	unixdiag_take *take;
	void *context;
};

int unixdiag__open(void)
{
	return fd_lift(
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
}

static int ask(const struct dump *dump, const struct unix_diag_req *body)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} request = {
		.head.nlmsg_len = sizeof(request),
		.head.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.head.nlmsg_flags =
			NLM_F_REQUEST | (dump->is_single ? 0 : NLM_F_DUMP),
		.head.nlmsg_seq = dump->sequence,
		.body = *body,
	};
	ssize_t sent;

	do
		sent = sendto(dump->fd, &request, sizeof(request), 0,
			(struct sockaddr *)&kernel, sizeof(kernel));
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

/* Anybody may send to a netlink socket, so only the kernel, port 0, counts. */
static ssize_t receive(int fd, void *data, size_t room)
{
	struct sockaddr_nl from;
	struct iovec vector = { .iov_base = data, .iov_len = room };
	ssize_t size;

	for (;;) {
		struct msghdr header = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &vector,
			.msg_iovlen = 1,
		};

		size = recvmsg(fd, &header, 0);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return -1;
		if (from.nl_pid != 0)
			continue;
		if ((header.msg_flags & MSG_TRUNC) == 0)
			return size;
		errno = EMSGSIZE;
		return -1;
	}
}

static int take_message(struct dump *dump,
	const struct unixdiag_message *message)
{
	if (message->sequence != dump->sequence)
		return 0;
	dump->is_interrupted |= message->is_interrupted;
	if (message->kind == UNIXDIAG_SOCKET) {
		dump->has_ended = dump->is_single;
		return dump->take(dump->context, &message->socket);
	}
	if (message->kind == UNIXDIAG_OTHER)
		return 0;
	dump->has_ended = true;
	if (message->error == 0)
		return 0;
	errno = message->error;
	return -1;
}

static int take_messages(struct dump *dump, const unsigned char *data,
	size_t size)
{
	struct unixdiag_message message;
	ssize_t used;

	while (size > 0) {
		used = unixdiag__parse(data, size, &message);
		if (used < 0 || take_message(dump, &message) < 0)
			return -1;
		data += used;
		size -= (size_t)used;
	}
	return 0;
}

static int take_answer(struct dump *dump)
{
	unsigned char data[ROOM];
	ssize_t size;

	while (!dump->has_ended) {
		size = receive(dump->fd, data, sizeof(data));
		if (size < 0 || take_messages(dump, data, (size_t)size) < 0)
			return -1;
	}
	if (!dump->is_interrupted)
		return 0;
	errno = EINTR;
	return -1;
}

/* Each try has a new socket, which holds nothing of the last answer. */
static int ask_and_take(unixdiag_take *take, void *context,
	const struct unix_diag_req *request)
{
	struct dump dump = {
		.fd = unixdiag__open(),
		.sequence = 1,
		.take = take,
		.context = context,
	};
	int result;

	if (dump.fd < 0)
		return -1;
	result = ask(&dump, request);
	if (result == 0)
		result = take_answer(&dump);
	return fd_close_with(dump.fd, result);
}

/* ENOBUFS: the kernel had to drop a part of its answer. */
static bool is_worth_another_try(void)
{
	return errno == EINTR || errno == ENOBUFS;
}

static int list(unixdiag_take *take, void *context, uint32_t states,
	uint32_t show)
{
	const struct unix_diag_req request = {
		.sdiag_family = AF_UNIX,
		.udiag_states = states,
		.udiag_show = show,
	};
	int i, saved = errno;

	for (i = 0; i < tries_most; i++) {
		if (i > 0 && take(context, NULL) < 0)
			return -1;
		if (ask_and_take(take, context, &request) == 0) {
			errno = saved;
			return 0;
		}
		if (!is_worth_another_try())
			return -1;
	}
	return -1;
}

int unixdiag__list(unixdiag_take *take, void *context)
{
	return list(take, context, UINT32_MAX,
		UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER |
			UDIAG_SHOW_RQLEN | UDIAG_SHOW_MEMINFO | show_user);
}

int unixdiag__list_names(unixdiag_take *take, void *context)
{
	return list(take, context, UINT32_MAX, UDIAG_SHOW_NAME);
}

/* The caller has set udiag_ino, udiag_cookie and udiag_show of request. */
static int find(int fd, uint32_t sequence, struct unix_diag_req *request,
	unixdiag_take *take, void *context)
{
	struct dump dump = {
		.fd = fd,
		.sequence = sequence,
		.is_single = true,
		.take = take,
		.context = context,
	};
	int saved = errno;

	request->sdiag_family = AF_UNIX;
	request->udiag_states = UINT32_MAX;
	if (ask(&dump, request) < 0 || take_answer(&dump) < 0)
		return -1;
	errno = saved;
	return 0;
}

static void set_cookie(struct unix_diag_req *request, uint64_t cookie)
{
	request->udiag_cookie[0] = (uint32_t)cookie;
	request->udiag_cookie[1] = (uint32_t)(cookie >> 32);
}

int unixdiag__find_by(int fd, uint32_t sequence, uint32_t ino, uint64_t cookie,
	unixdiag_take *take, void *context)
{
	struct unix_diag_req request = {
		.udiag_ino = ino,
		.udiag_show = UDIAG_SHOW_RQLEN,
	};

	set_cookie(&request, cookie);
	return find(fd, sequence, &request, take, context);
}

int unixdiag__find(uint32_t ino, uint64_t cookie, unixdiag_take *take,
	void *context)
{
	int fd = unixdiag__open();

	if (fd < 0)
		return -1;
	return fd_close_with(fd,
		unixdiag__find_by(fd, 1, ino, cookie, take, context));
}

/*
 * The kernel reuses the numbers of sockets after 2^32 of them; only the cookie
 * distinguishes those. All ones stand for any cookie, as on a kernel that has
 * none.
 */
static int identify_socket(int socket_fd, struct unix_diag_req *request)
{
	uint64_t cookie = UINT64_MAX;
	socklen_t length = sizeof(cookie);
	struct stat found;

	if (fstat(socket_fd, &found) < 0)
		return -1;
	getsockopt(socket_fd, SOL_SOCKET, SO_COOKIE, &cookie, &length);
	request->udiag_ino = (uint32_t)found.st_ino;
	set_cookie(request, cookie);
	return 0;
}

static int take_file(void *context, const struct unixdiag_socket *socket)
{
	struct unixdiag_file *file = context;

	if ((socket->has & UNIXDIAG_HAS_FILE) == 0) {
		errno = ENOENT;
		return -1;
	}
	*file = socket->file;
	return 0;
}

int unixdiag__find_file(int socket_fd, struct unixdiag_file *file)
{
	struct unix_diag_req request = { .udiag_show = UDIAG_SHOW_VFS };
	int fd;

	if (identify_socket(socket_fd, &request) < 0)
		return -1;
	fd = unixdiag__open();
	if (fd < 0)
		return -1;
	return fd_close_with(fd, find(fd, 1, &request, take_file, file));
}

static int take_copy(void *context, const struct unixdiag_socket *socket)
{
	*(struct unixdiag_socket *)context = *socket;
	return 0;
}

/* The kernel gives only the number of the peer, so a second request follows. */
static int find_peer(int fd, int socket_fd, struct unixdiag_socket *peer)
{
	struct unix_diag_req request = { .udiag_show = UDIAG_SHOW_PEER };
	struct unixdiag_socket own = { .has = 0 };

	if (identify_socket(socket_fd, &request) < 0 ||
		find(fd, 1, &request, take_copy, &own) < 0)
		return -1;
	if ((own.has & UNIXDIAG_HAS_PEER) == 0) {
		errno = ENOENT;
		return -1;
	}
	request.udiag_ino = own.peer;
	request.udiag_show = show_user;
	set_cookie(&request, UINT64_MAX);
	return find(fd, 2, &request, take_copy, peer);
}

int unixdiag__find_peer(int socket_fd, struct unixdiag_socket *peer)
{
	int fd = unixdiag__open();

	if (fd < 0)
		return -1;
	return fd_close_with(fd, find_peer(fd, socket_fd, peer));
}

struct binding {
	struct unixdiag_file file;
	bool is_found;
};

static int take_binding(void *context, const struct unixdiag_socket *socket)
{
	struct binding *binding = context;

	if (socket == NULL)
		binding->is_found = false;
	else if ((socket->has & UNIXDIAG_HAS_FILE) != 0 &&
		socket->file.dev == binding->file.dev &&
		socket->file.ino == binding->file.ino)
		binding->is_found = true;
	return 0;
}

int unixdiag__is_bound(int path_fd)
{
	struct unixdiag_mount mount = { 0 };
	struct binding binding = { .is_found = false };

	if (unixdiag__identify(path_fd, &mount, &binding.file) < 0)
		return -1;
	if (list(take_binding, &binding, UINT32_MAX, UDIAG_SHOW_VFS) < 0)
		return -1;
	return binding.is_found;
}

int unixdiag__list_bindings(unixdiag_take *take, void *context)
{
	return list(take, context, UINT32_MAX,
		UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | show_user);
}

int unixdiag__list_pending(unixdiag_take *take, void *context)
{
	return list(take, context, 1u << UNIXDIAG_LISTENING, UDIAG_SHOW_ICONS);
}

/* A line of mountinfo begins "ID PARENT MAJOR:MINOR", see proc(5). */
static bool read_mount(const char *line, uint64_t id, dev_t *dev)
{
	unsigned int major_number, minor_number;
	uint64_t found;

	if (sscanf(line, "%" SCNu64 " %*u %u:%u", &found, &major_number,
		    &minor_number) != 3 ||
		found != id)
		return false;
	*dev = makedev(major_number, minor_number);
	return true;
}

static int find_mount(uint64_t id, dev_t *dev)
{
	char part[256];
	bool is_found = false, is_start = true;
	FILE *file = fopen("/proc/self/mountinfo", "re");

	if (file == NULL)
		return -1;
	/* Only the start of a line counts: it may be longer than part. */
	while (!is_found && fgets(part, sizeof(part), file) != NULL) {
		is_found = is_start && read_mount(part, id, dev);
		is_start = strchr(part, '\n') != NULL;
	}
	fclose(file);
	return is_found ? 0 : -1;
}

/* A line of fdinfo is "mnt_id: ID", see proc(5). */
static int find_mount_id(int path_fd, uint64_t *id)
{
	char name[64], line[256];
	bool is_found = false;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", path_fd);
	file = fopen(name, "re");
	if (file == NULL)
		return -1;
	while (!is_found && fgets(line, sizeof(line), file) != NULL)
		is_found = sscanf(line, "mnt_id: %" SCNu64, id) == 1;
	fclose(file);
	return is_found ? 0 : -1;
}

static int update_mount(struct unixdiag_mount *mount, int path_fd)
{
	uint64_t id;

	if (find_mount_id(path_fd, &id) < 0)
		return -1;
	if (mount->id != id && find_mount(id, &mount->dev) < 0)
		return -1;
	mount->id = id;
	return 0;
}

/*
 * stat(2) gives the number that the file system chooses. On overlayfs and btrfs
 * that is not the superblock's, which mountinfo has. Without /proc there is
 * only st_dev, which is right on other file systems. statx(2) gives the mount
 * too, but only since Linux 5.8, and not every libc has it.
 */
int unixdiag__identify(int path_fd, struct unixdiag_mount *mount,
	struct unixdiag_file *file)
{
	struct stat found;
	int saved = errno;

	if (fstat(path_fd, &found) < 0)
		return -1;
	file->ino = (uint32_t)found.st_ino;
	file->dev = found.st_dev;
	if (update_mount(mount, path_fd) == 0)
		file->dev = mount->dev;
	errno = saved;
	return 0;
}
