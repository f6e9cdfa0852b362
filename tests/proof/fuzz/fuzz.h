/* SPDX-License-Identifier: MIT */
/*
 * fuzz: what the fuzz targets share.
 *
 * A target is a program of one file, fuzz_NOUN.c, that makes of any bytes what
 * its noun reads, and holds the result against a second, slow and obvious
 * reading of the same bytes. Linked with libFuzzer (configure with
 * --enable-fuzzing) the fuzzer chooses the bytes; linked with replay.c the
 * files of corpus/NOUN are replayed, as a test.
 */
#ifndef UNIXMSG_TESTS_FUZZ_H
#define UNIXMSG_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the target: the folder of its corpus. */
extern const char fuzz_noun[];

/* One input; the name is libFuzzer's. Gives 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding: the process ends with an abort, which the fuzzer takes note of. */
#define fuzz_expect(condition) \
	((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

_Noreturn void fuzz_fail(const char *condition, const char *file, int line);

/*
 * The bytes in memory of exactly their size, so that a sanitizer sees each
 * step beyond them; and as text, up to the first NUL. Both are to be freed.
 */
void *fuzz_copy(const uint8_t *data, size_t size);
char *fuzz_copy_text(const uint8_t *data, size_t size);

/* Takes bytes off the front, as many as there are; 0 stands for the others. */
uint8_t fuzz_take_byte(const uint8_t **data, size_t *size);
void fuzz_take(const uint8_t **data, size_t *size, void *bytes, size_t count);

/*
 * The lowest free descriptor: the same before and after, none has leaked and
 * none too many was closed.
 */
int fuzz_get_free_fd(void);

bool fuzz_is_open(int fd);

/*
 * A variable that is a decimal number: 1; 0 where it is NULL or empty; -1
 * where it is anything else, or above most.
 */
int fuzz_read_number(const char *text, uint64_t most, uint64_t *number);

/* Printable ASCII and nothing else. */
bool fuzz_is_printable(const char *text, size_t size);

#endif
