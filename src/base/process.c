/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/process.h"

/*
 * MADV_WIPEONFORK is there since Linux 4.14. Some emulators of a kernel accept
 * every advice and do nothing (qemu-user before 7.0). They also accept one that
 * does not exist, which gives them away.
 */
static bool is_emptied_by_fork(void *memory, size_t size)
{
	return madvise(memory, size, MADV_WIPEONFORK) == 0 &&
		madvise(memory, size, -1) < 0;
}

pid_t *unixprocess__make(void)
{
	const size_t size = getauxval(AT_PAGESZ);
	int saved = errno;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		errno = saved;
		return NULL;
	}
	if (!is_emptied_by_fork(memory, size)) {
		munmap(memory, size);
		memory = NULL;
	}
	errno = saved;
	return memory;
}

void unixprocess__free(pid_t *process)
{
	if (process != NULL)
		munmap(process, getauxval(AT_PAGESZ));
}

pid_t unixprocess__ask(pid_t *process)
{
	const pid_t id = getpid();

	if (process != NULL)
		*process = id;
	return id;
}
