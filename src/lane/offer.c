/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "lane/offer.h"
#include "message/control.h"

static const char name_start[] = "unixmsg-lane/1/";

enum { START = sizeof(name_start) - 1, DIGITS = 16 };

struct sentence {
	char magic[8];
	uint32_t kind;
	uint32_t zero;
	uint64_t number;
};

static const char magic[8] = "unixlane";

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int))];
};

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

static void put_descriptor(struct msghdr *header, union control *control,
	int fd)
{
	struct cmsghdr *item;

	memset(control, 0, sizeof(*control));
	header->msg_control = control;
	header->msg_controllen = sizeof(*control);
	item = CMSG_FIRSTHDR(header);
	item->cmsg_level = SOL_SOCKET;
	item->cmsg_type = SCM_RIGHTS;
	item->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(item), &fd, sizeof(fd));
}

int unixoffer__send(int fd, enum offer_kind kind, uint64_t number,
	int memory_fd)
{
	struct sentence said = { .kind = kind, .number = number };
	struct iovec part = { &said, sizeof(said) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control;
	ssize_t sent;

	memcpy(said.magic, magic, sizeof(magic));
	if (memory_fd >= 0)
		put_descriptor(&header, &control, memory_fd);
	do
		sent = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

static bool is_said(const struct sentence *said, uint64_t number)
{
	return memcmp(said->magic, magic, sizeof(magic)) == 0 &&
		said->number == number && said->kind <= OFFER_NO;
}

int unixoffer__peek(int fd, uint64_t number, enum offer_kind *kind)
{
	struct sentence said;
	const int saved = errno;
	ssize_t got;

	*kind = OFFER_NONE;
	do
		got = recv(fd, &said, sizeof(said),
			MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	errno = saved;
	if (got == sizeof(said) && is_said(&said, number))
		*kind = (enum offer_kind)said.kind;
	return 0;
}

/*
 * The kernel may put other control data before the descriptor, so there is room
 * for all kinds of it, and with that for more than one descriptor.
 * unixcontrol__take closes all but the first.
 */
int unixoffer__take(int fd, int *memory_fd)
{
	struct sentence said;
	struct iovec part = { &said, sizeof(said) };
	union control_all control;
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct unixmsg msg;
	ssize_t got;

	unixmsg_init(&msg);
	*memory_fd = -1;
	msg.fds = memory_fd;
	msg.fds_room = 1;
	do
		got = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	unixcontrol__take(&header, &msg, UNIXMSG_WANT_FDS);
	return 0;
}
