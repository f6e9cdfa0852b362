/* SPDX-License-Identifier: MIT */
/*
 * Control data: the input is what recvmsg(2) has left in msg_control, but that
 * the descriptors in it are real ones, each of them another. What the library
 * makes of it is held against a second walk, which goes by plain offsets; each
 * descriptor is afterwards either handed over or closed, and closed once.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/kernel.h"
#include "fuzz.h"
#include "message/control.h"

const char fuzz_noun[] = "control";

/* More than a message has would only take time. */
enum { FDS_MOST = 64, FIRST_FD = 200 };

struct slow {
	int taken[FDS_MOST];
	size_t taken_count;
	int closed[FDS_MOST];
	size_t closed_count;
	size_t lost;
	int pidfd;
	bool has_cred;
	struct unixcred cred;
	/* All descriptors of ours, and whether they are too many. */
	size_t made;
	bool is_full;
};

/* The linker has every close(2) come here, see local.mk. */
int __real_close(int fd);
int __wrap_close(int fd);

static bool is_watching;

int __wrap_close(int fd)
{
	int result = __real_close(fd);

	if (is_watching)
		fuzz_expect(result == 0);
	return result;
}

static size_t align(size_t size)
{
	return (size + sizeof(size_t) - 1) / sizeof(size_t) * sizeof(size_t);
}

/* Puts a descriptor of ours where the input has any number. */
static int plant_fd(struct slow *slow, uint8_t *at)
{
	int fd = -1;

	if (slow->made == FDS_MOST) {
		slow->is_full = true;
	} else {
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_FD);
		fuzz_expect(fd >= 0);
		slow->made++;
	}
	memcpy(at, &fd, sizeof(fd));
	return fd;
}

static void walk_rights(struct slow *slow, uint8_t *data, size_t size,
	size_t room)
{
	size_t i;
	int fd;

	for (i = 0; i + sizeof(fd) <= size; i += sizeof(fd)) {
		fd = plant_fd(slow, data + i);
		if (slow->is_full)
			return;
		if (slow->taken_count < room) {
			slow->taken[slow->taken_count++] = fd;
		} else {
			slow->closed[slow->closed_count++] = fd;
			slow->lost++;
		}
	}
}

static void walk_pidfd(struct slow *slow, uint8_t *data, size_t size,
	bool is_wanted)
{
	int fd;

	if (size < sizeof(fd))
		return;
	memcpy(&fd, data, sizeof(fd));
	if (fd < 0)
		return;
	fd = plant_fd(slow, data);
	if (slow->is_full)
		return;
	if (is_wanted && slow->pidfd < 0)
		slow->pidfd = fd;
	else
		slow->closed[slow->closed_count++] = fd;
}

static void walk_cred(struct slow *slow, const uint8_t *data, size_t size)
{
	struct ucred cred;

	if (size < sizeof(cred))
		return;
	memcpy(&cred, data, sizeof(cred));
	if (cred.pid == 0 && cred.uid == 65534 && cred.gid == 65534)
		return;
	slow->has_cred = true;
	slow->cred = (struct unixcred){ cred.pid, cred.uid, cred.gid };
}

static void walk_item(struct slow *slow, uint8_t *item, size_t room,
	unsigned int wants)
{
	struct cmsghdr head;
	uint8_t *data = item + sizeof(head);
	size_t size;

	memcpy(&head, item, sizeof(head));
	size = head.cmsg_len - sizeof(head);
	if (head.cmsg_level != SOL_SOCKET)
		return;
	if (head.cmsg_type == SCM_RIGHTS)
		walk_rights(slow, data, size, room);
	if (head.cmsg_type == SCM_PIDFD)
		walk_pidfd(slow, data, size, wants & UNIXMSG_WANT_PIDFD);
	if (head.cmsg_type == SCM_CREDENTIALS && wants & UNIXMSG_WANT_CRED)
		walk_cred(slow, data, size);
}

static void walk_slowly(struct slow *slow, uint8_t *data, size_t size,
	size_t room, unsigned int wants)
{
	struct cmsghdr head;
	size_t at = 0;

	memset(slow, 0, sizeof(*slow));
	slow->pidfd = -1;
	while (at + sizeof(head) <= size && !slow->is_full) {
		memcpy(&head, data + at, sizeof(head));
		if (head.cmsg_len < sizeof(head) || head.cmsg_len > size - at)
			return;
		walk_item(slow, data + at, room, wants);
		at += align(head.cmsg_len);
	}
}

static void compare(const struct unixmsg *msg, const struct slow *slow)
{
	size_t i;

	fuzz_expect(msg->fds_count == slow->taken_count);
	for (i = 0; i < slow->taken_count; i++)
		fuzz_expect(msg->fds[i] == slow->taken[i]);
	fuzz_expect(msg->fds_lost == slow->lost);
	fuzz_expect(
		((msg->flags & UNIXMSG_CUT_CONTROL) != 0) == (slow->lost > 0));
	fuzz_expect(msg->pidfd == slow->pidfd);
	fuzz_expect(((msg->flags & UNIXMSG_HAS_CRED) != 0) == slow->has_cred);
	if (!slow->has_cred)
		return;
	fuzz_expect(msg->cred.pid == slow->cred.pid);
	fuzz_expect(msg->cred.uid == slow->cred.uid);
	fuzz_expect(msg->cred.gid == slow->cred.gid);
}

static void compare_fds(const struct slow *slow)
{
	size_t i;

	for (i = 0; i < slow->taken_count; i++)
		fuzz_expect(fuzz_is_open(slow->taken[i]));
	for (i = 0; i < slow->closed_count; i++)
		fuzz_expect(!fuzz_is_open(slow->closed[i]));
	if (slow->pidfd >= 0)
		fuzz_expect(fuzz_is_open(slow->pidfd));
}

static void close_all(const struct slow *slow)
{
	size_t i;

	for (i = 0; i < slow->taken_count; i++)
		close(slow->taken[i]);
	for (i = 0; i < slow->closed_count; i++)
		close(slow->closed[i]);
	if (slow->pidfd >= 0)
		close(slow->pidfd);
}

static void take(uint8_t *control, size_t size, size_t room, unsigned int wants)
{
	struct msghdr header = {
		.msg_control = control,
		.msg_controllen = (socklen_t)size,
	};
	int fds[FDS_MOST];
	struct unixmsg msg;
	struct slow slow;

	walk_slowly(&slow, control, size, room, wants);
	if (slow.is_full) {
		close_all(&slow);
		return;
	}
	unixmsg_init(&msg);
	msg.fds = fds;
	msg.fds_room = room;
	is_watching = true;
	unixcontrol__take(&header, &msg, wants);
	is_watching = false;
	compare(&msg, &slow);
	compare_fds(&slow);
	is_watching = true;
	unixmsg_close_fds(&msg);
	is_watching = false;
	fuzz_expect(fcntl(FIRST_FD, F_GETFD) < 0);
}

/* The first byte: what is wanted, and room for how many descriptors. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t first = fuzz_take_byte(&data, &size);
	uint8_t *copy = fuzz_copy(data, size);
	int free_fd = fuzz_get_free_fd();

	take(copy, size, first / 8, first % 8);
	fuzz_expect(fuzz_get_free_fd() == free_fd);
	free(copy);
	return 0;
}
