/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/kernel.h"
#include "lane/offer.h"
#include "message/control.h"

static const char name_start[] = "unixmsg-lane/1/";

enum { START = sizeof(name_start) - 1, DIGITS = 16 };

struct offer_message {
	char magic[8];
	uint32_t kind;
	uint32_t zero;
	uint64_t number;
	uint64_t secret[2];
};

_Static_assert(offsetof(struct offer_message, number) == 16 &&
		sizeof(struct offer_message) == 40,
	"both sides have the same layout");

static const char magic[8] = "unixlane";

int unixoffer__make_name(struct unixaddr *addr, uint64_t *number)
{
	char name[START + DIGITS + 1];

	if (getrandom(number, sizeof(*number), 0) < 0)
		return -1;
	snprintf(name, sizeof(name), "%s%016llx", name_start,
		(unsigned long long)*number);
	return unixaddr_set_abstract(addr, name, START + DIGITS);
}

static int get_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool unixoffer__read_name(const struct unixaddr *addr, uint64_t *number)
{
	size_t size, i;
	const char *name = unixaddr_get_name(addr, &size);

	if (unixaddr_get_kind(addr) != UNIXADDR_ABSTRACT ||
		size != START + DIGITS || memcmp(name, name_start, START) != 0)
		return false;
	*number = 0;
	for (i = START; i < size; i++) {
		if (get_digit(name[i]) < 0)
			return false;
		*number = *number << 4 | (unsigned int)get_digit(name[i]);
	}
	return true;
}

int unixoffer__get_space(int fd, uint64_t *space)
{
	socklen_t length = sizeof(*space);

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, space, &length);
}

/* The user is the effective one, which owns the memory. */
static void put_memory(struct msghdr *header, union control_all *control,
	int *memory_fd)
{
	struct unixmsg msg;

	unixmsg_init(&msg);
	msg.fds = memory_fd;
	msg.fds_count = 1;
	msg.flags = UNIXMSG_SEND_CRED;
	msg.cred = (struct unixcred){ getpid(), geteuid(), getegid() };
	unixcontrol__put(header, control, &msg);
}

static struct offer_message make_message(enum offer_kind kind,
	const struct segment_key *key)
{
	struct offer_message message = { .kind = kind, .number = key->number };

	memcpy(message.magic, magic, sizeof(magic));
	if (kind != OFFER_HELLO)
		memcpy(message.secret, key->secret, sizeof(message.secret));
	return message;
}

int unixoffer__send(int fd, enum offer_kind kind, const struct segment_key *key,
	int memory_fd)
{
	struct offer_message message = make_message(kind, key);
	struct iovec part = { &message, sizeof(message) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	union control_all control;
	ssize_t sent;

	if (memory_fd >= 0)
		put_memory(&header, &control, &memory_fd);
	do
		sent = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

/* Returns true if it is what we would say ourselves. */
static bool is_message_of(const struct offer_message *message,
	const struct segment_key *key)
{
	const struct offer_message wanted =
		make_message((enum offer_kind)message->kind, key);

	return message->kind <= OFFER_NO &&
		memcmp(message, &wanted, sizeof(wanted)) == 0;
}

int unixoffer__peek(int fd, const struct segment_key *key,
	enum offer_kind *kind)
{
	struct offer_message message;
	const int saved = errno;
	ssize_t got;

	*kind = OFFER_NONE;
	do
		got = recv(fd, &message, sizeof(message),
			MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	errno = saved;
	if (got == sizeof(message) && is_message_of(&message, key))
		*kind = (enum offer_kind)message.kind;
	return 0;
}

/* Returns the result of recvmsg(2). During this call the kernel also gives the
 * credentials of the writer. */
static ssize_t recv_with_cred(int fd, struct msghdr *header, int flags)
{
	const int on = 1;
	int before = 0;
	socklen_t length = sizeof(before);
	ssize_t got;
	int saved;

	getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &before, &length);
	if (!before)
		setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	do
		got = recvmsg(fd, header,
			flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	saved = errno;
	if (!before)
		setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &before,
			sizeof(before));
	errno = saved;
	return got;
}

/* There is room for all kinds of control data, and with that for more than one
 * descriptor. unixcontrol__take closes all but the first. */
int unixoffer__receive(int fd, int flags, struct offer_memory *memory)
{
	struct offer_message message;
	struct iovec part = { &message, sizeof(message) };
	union control_all control;
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct unixmsg msg;

	unixmsg_init(&msg);
	*memory = (struct offer_memory){ .fd = -1 };
	msg.fds = &memory->fd;
	msg.fds_room = 1;
	if (recv_with_cred(fd, &header, flags) < 0)
		return -1;
	unixcontrol__take(&header, &msg, UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED);
	memory->is_lost = memory->fd < 0 &&
		((header.msg_flags & MSG_CTRUNC) != 0 || msg.fds_lost > 0);
	memory->has_writer = (msg.flags & UNIXMSG_HAS_CRED) != 0;
	memory->writer = msg.cred.uid;
	return 0;
}

int unixoffer__drop(int fd)
{
	char byte;
	ssize_t got;

	do
		got = recv(fd, &byte, sizeof(byte), MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -1 : 0;
}
