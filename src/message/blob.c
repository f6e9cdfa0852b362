/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "message/blob_private.h"
#include "unixmsg/blob.h"

/*
 * F_SEAL_WRITE promises that no writable mapping exists, F_SEAL_SHRINK that
 * reading a mapping cannot raise SIGBUS, F_SEAL_SEAL that it stays so.
 */
static const int seals =
	F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

int unixblob_create(size_t size)
{
	const off_t length = (off_t)size;
	int fd;

	if (length < 0) {
		errno = EFBIG;
		return -1;
	}
	fd = fd_lift(memfd_create("unixblob", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	if (fd < 0)
		return -1;
	if (ftruncate(fd, length) < 0)
		return fd_close_with(fd, -1);
	return fd;
}

int unixblob_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, seals);
}

static int write_all(int fd, const char *data, size_t size)
{
	ssize_t written;

	while (size > 0) {
		written = write(fd, data, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		data += written;
		size -= (size_t)written;
	}
	return 0;
}

int unixblob_open(const void *data, size_t size)
{
	int saved = errno;
	int fd = unixblob_create(size);

	if (fd < 0)
		return -1;
	if (write_all(fd, data, size) < 0 || unixblob_seal(fd) < 0)
		return fd_close_with(fd, -1);
	errno = saved;
	return fd;
}

/* The kernel says EINVAL for a file that cannot have seals. */
static int check_seals(int fd, int wanted)
{
	int found = fcntl(fd, F_GET_SEALS);

	if (found < 0 && errno != EINVAL)
		return -1;
	if (found >= 0 && (found & wanted) == wanted)
		return 0;
	errno = EPERM;
	return -1;
}

/*
 * A sealed file of huge pages can have holes for which no page is free: a read
 * there raises SIGBUS. So only ordinary memory will do.
 */
static int check_kind(int fd)
{
	struct statfs kind;

	if (fstatfs(fd, &kind) < 0)
		return -1;
	if (kind.f_type == TMPFS_MAGIC)
		return 0;
	errno = EPERM;
	return -1;
}

int unixblob__check(int fd, int wanted)
{
	return check_seals(fd, wanted) < 0 ? -1 : check_kind(fd);
}

/* On 32 bits a file may be larger than any memory. */
static size_t get_size(const struct stat *file)
{
	size_t size = (size_t)file->st_size;

	return (off_t)size == file->st_size ? size : SIZE_MAX;
}

int unixblob_map(int fd, size_t size_max, struct unixblob *blob)
{
	struct stat file;
	void *data;

	blob->data = NULL;
	blob->size = 0;
	/* The size counts only once the seals are known to keep it. */
	if (unixblob__check(fd, seals) < 0 || fstat(fd, &file) < 0)
		return -1;
	blob->size = get_size(&file);
	if ((uintmax_t)file.st_size > size_max) {
		errno = EMSGSIZE;
		return -1;
	}
	if (blob->size == 0)
		return 0;
	data = mmap(NULL, blob->size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -1;
	blob->data = data;
	return 0;
}

void unixblob_unmap(struct unixblob *blob)
{
	if (blob->data != NULL)
		munmap((void *)(uintptr_t)blob->data, blob->size);
	blob->data = NULL;
	blob->size = 0;
}
