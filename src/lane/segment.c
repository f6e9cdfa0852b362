/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "lane/segment.h"
#include "message/blob_private.h"

_Static_assert(offsetof(struct segment_page, key) == 16 &&
		sizeof(struct segment_key) == 32 &&
		offsetof(struct segment_page, head) == 128 &&
		offsetof(struct segment_page, tail) == 256 &&
		offsetof(struct segment_page, event) == 384 &&
		offsetof(struct segment_page, is_ring_shut) == 388,
	"both sides have the same layout");

/* "UMLN", and a version that changes with the layout of the page or of the
 * records. */
static const uint32_t magic = 0x4e4c4d55;
static const uint32_t version = 1;

/*
 * Nobody can change the size of the file, or map it for writing any more. Only
 * the mapping of its maker stays.
 */
static const int seals =
	F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

/* Both sides run on one kernel, so the size is the same. */
static size_t get_page_size(void)
{
	return getauxval(AT_PAGESZ);
}

bool unixsegment__is_ring_size(uint64_t size)
{
	return size >= SEGMENT_RING_LEAST && size >= get_page_size() &&
		size <= SEGMENT_RING_MOST && (size & (size - 1)) == 0;
}

uint64_t unixsegment__get_bytes(uint32_t size)
{
	return (uint64_t)get_page_size() + size;
}

static size_t get_mapped_size(uint32_t size)
{
	return get_page_size() + 2 * (size_t)size;
}

/* Maps page and ring at place, and the ring once more behind that. */
static int map_there(char *place, int fd, uint32_t size, int protection)
{
	const int flags = MAP_SHARED | MAP_FIXED;
	const size_t page = get_page_size();

	if (mmap(place, page + size, protection, flags, fd, 0) == MAP_FAILED)
		return -1;
	if (mmap(place + page + size, size, protection, flags, fd,
		    (off_t)page) == MAP_FAILED)
		return -1;
	return 0;
}

/* Maps the ring twice in a row, so that no record is in two pieces. */
static int map_twice(struct segment *segment, int fd, uint32_t size,
	int protection)
{
	char *place = mmap(NULL, get_mapped_size(size), PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (place == MAP_FAILED)
		return -1;
	segment->page = (struct segment_page *)place;
	segment->ring = place + get_page_size();
	segment->size = size;
	return map_there(place, fd, size, protection);
}

static int give_up(struct segment *segment)
{
	int saved = errno;

	unixsegment__drop(segment);
	errno = saved;
	return -1;
}

static int fill(struct segment *segment, int fd, uint32_t size)
{
	if (ftruncate(fd, (off_t)(get_page_size() + size)) < 0 ||
		map_twice(segment, fd, size, PROT_READ | PROT_WRITE) < 0)
		return -1;
	segment->page->magic = magic;
	segment->page->version = version;
	segment->page->size = size;
	return fcntl(fd, F_ADD_SEALS, seals);
}

int unixsegment__make(struct segment *segment, uint32_t size, uint64_t ino)
{
	char name[32];
	int fd;

	*segment = (struct segment){ 0 };
	if (!unixsegment__is_ring_size(size)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(name, sizeof(name), "unixlane:%llu", (unsigned long long)ino);
	fd = fd_lift(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
	if (fd < 0)
		return -1;
	if (fill(segment, fd, size) < 0)
		return fd_close_with(fd, give_up(segment));
	return fd;
}

/* Finds the size of the ring in a file that cannot change its size. */
static int find_size(int fd, uint32_t size_max, uint32_t *size)
{
	struct stat file;
	uint64_t bytes;

	if (fstat(fd, &file) < 0)
		return -1;
	bytes = (uint64_t)file.st_size - get_page_size();
	if (!unixsegment__is_ring_size(bytes)) {
		errno = EPROTO;
		return -1;
	}
	if (bytes > size_max) {
		errno = EMSGSIZE;
		return -1;
	}
	*size = (uint32_t)bytes;
	return 0;
}

/* The seals have proved only the kind of the file. The page is what the peer
 * claims. */
static int check_page(const struct segment *segment)
{
	const struct segment_page *page = segment->page;

	if (page->magic == magic && page->version == version &&
		page->size == segment->size)
		return 0;
	errno = EPROTO;
	return -1;
}

int unixsegment__map(struct segment *segment, int fd, uint32_t size_max)
{
	uint32_t size;

	*segment = (struct segment){ 0 };
	if (unixblob__check(fd, seals) < 0 ||
		find_size(fd, size_max, &size) < 0)
		return -1;
	if (map_twice(segment, fd, size, PROT_READ) < 0 ||
		check_page(segment) < 0)
		return give_up(segment);
	return 0;
}

int unixsegment__read_key(int fd, uid_t owner, struct segment_key *key)
{
	const off_t place = offsetof(struct segment_page, key);
	struct stat file;
	ssize_t got;

	if (unixblob__check(fd, seals) < 0 || fstat(fd, &file) < 0)
		return -1;
	if (file.st_uid != owner) {
		errno = EPERM;
		return -1;
	}
	got = pread(fd, key, sizeof(*key), place);
	if (got >= 0 && got < (ssize_t)sizeof(*key))
		errno = EPROTO;
	return got == (ssize_t)sizeof(*key) ? 0 : -1;
}

void unixsegment__drop(struct segment *segment)
{
	if (segment->page != NULL)
		munmap(segment->page, get_mapped_size(segment->size));
	*segment = (struct segment){ 0 };
}
