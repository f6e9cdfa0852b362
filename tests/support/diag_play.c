/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/diag_play.h"

/* No kernel tells an attribute of this type. */
enum { UNKNOWN_ATTRIBUTE = 0x3fff };

struct diag_play diag_play;

void diag_play_nothing(void)
{
	diag_play = (struct diag_play){ 0 };
}

int socket(int family, int type, int protocol)
{
	if (family != AF_NETLINK || diag_play.error == 0)
		return (int)syscall(SYS_socket, family, type, protocol);
	diag_play.refusals++;
	errno = diag_play.error;
	return -1;
}

static void flip(char *at, uint32_t bits)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	number ^= bits;
	memcpy(at, &number, sizeof(number));
}

static void alter_attribute(struct nlattr *attribute, char *data)
{
	if (attribute->nla_type == diag_play.hidden)
		attribute->nla_type = UNKNOWN_ATTRIBUTE;
	if (attribute->nla_type != UNIX_DIAG_VFS)
		return;
	flip(data, diag_play.file);
	flip(data + sizeof(uint32_t), diag_play.device);
	diag_play.numbers += (diag_play.file | diag_play.device) != 0;
}

static void alter_socket(struct nlmsghdr *head)
{
	char *end = (char *)head + head->nlmsg_len;
	char *at = (char *)NLMSG_DATA(head) + sizeof(struct unix_diag_msg);
	struct nlattr attribute;

	while (at + sizeof(attribute) <= end) {
		memcpy(&attribute, at, sizeof(attribute));
		alter_attribute(&attribute, at + sizeof(attribute));
		memcpy(at, &attribute, sizeof(attribute));
		at += NLMSG_ALIGN(attribute.nla_len);
	}
	if (diag_play.kind != 0)
		head->nlmsg_type = diag_play.kind;
}

static void alter(struct msghdr *header, ssize_t got)
{
	struct nlmsghdr *head = header->msg_iov->iov_base;
	unsigned int left = (unsigned int)got;

	diag_play.answers--;
	if (diag_play.is_truncated)
		header->msg_flags |= MSG_TRUNC;
	for (; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
		head->nlmsg_flags |= diag_play.flags;
		if (head->nlmsg_type == SOCK_DIAG_BY_FAMILY)
			alter_socket(head);
	}
	head = header->msg_iov->iov_base;
	if (diag_play.is_malformed)
		head->nlmsg_len = 1;
}

/* As a receive buffer has it that cannot hold what the kernel has listed. */
static bool is_cut(const struct msghdr *header)
{
	const struct nlmsghdr *head = header->msg_iov->iov_base;

	if (!diag_play.is_list_cut || (head->nlmsg_flags & NLM_F_MULTI) == 0)
		return false;
	diag_play.is_list_cut = false;
	errno = ENOBUFS;
	return true;
}

static bool is_from_kernel(const struct msghdr *header, ssize_t got)
{
	const struct sockaddr *from = header->msg_name;

	return got >= NLMSG_HDRLEN && from != NULL &&
		header->msg_namelen == sizeof(struct sockaddr_nl) &&
		from->sa_family == AF_NETLINK;
}

ssize_t recvmsg(int fd, struct msghdr *header, int flags)
{
	ssize_t got = syscall(SYS_recvmsg, fd, header, flags);

	if (!is_from_kernel(header, got))
		return got;
	if (is_cut(header))
		return -1;
	if (diag_play.answers > 0)
		alter(header, got);
	return got;
}
