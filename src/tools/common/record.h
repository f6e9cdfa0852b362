/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RECORD_H
#define UNIXMSG_TOOLS_RECORD_H

/*
 * Records: how the echo tools read messages from a file descriptor and print
 * them to another, in five formats.
 *
 * text    A line is a record, without its newline; so is a last line without
 *         one. An empty line is an empty record. Every byte but the newline
 *         stands for itself, NUL too. A payload with newlines comes back as
 *         several records: use another format for those. A writer to a
 *         terminal escapes text that could control it or forge a line: control
 *         characters, also newlines, characters that change the direction of
 *         text, and invalid UTF-8 become \xHH, a backslash becomes two.
 * raw     The same, never escaped, even on a terminal.
 * hex     A line of hex digits of either case, with spaces and tabs between
 *         bytes; written in lower case without spaces. An empty line is an
 *         empty record.
 * json    A JSON object a line: {"size":5,"data":"hello"}. The payload is in
 *         "data" if it is valid UTF-8, else in "hex"; "sender", "cut" and
 *         "true_size" follow where they apply. The reader requires exactly
 *         one of "data" and "hex", checks that other members are JSON, and
 *         ignores them. It skips blank lines.
 * frames  4 bytes of length, big-endian, before each payload. Keeps all bytes.
 *
 * Functions return -1 or NULL with errno set when they fail. One thread at a
 * time may use a reader or a writer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum record_format {
	RECORD_TEXT,
	RECORD_HEX,
	RECORD_JSON,
	RECORD_FRAMES,
	RECORD_RAW,
	RECORD_FORMATS,

	/* Formats without a name on a command line. */

	/* The bytes of one read(2), printed unchanged, without a newline. */
	RECORD_BYTES,
	/* The same; a terminal gets them like text, but with newlines. */
	RECORD_SHOWN_BYTES,
	/* Only read: pieces of max_size bytes, the last one perhaps shorter. */
	RECORD_BLOCKS,
	/* Only read: all of the input is one record, which may be empty. */
	RECORD_WHOLE,
};

/* The names of the formats, up to a NULL. */
extern const char *const record_formats[];

struct record_reader;

/*
 * Reads records of at most @max_size bytes from @fd, which stays the caller's
 * and may be blocking or not. Once @stop_fd is readable, a wait ends; negative
 * means none. The reader never reads from it.
 *
 * Memory grows with the data that has arrived, up to the needs of one record:
 * 4 characters a byte and 4 KiB for a line of hex, 6 characters a byte and
 * 64 KiB for one of JSON. Any longer line is too large.
 *
 * Returns NULL with ENOMEM when there is no memory.
 */
struct record_reader *record_reader_new(int fd, enum record_format format,
	size_t max_size, int stop_fd);

/* @reader may be NULL. Does not close the descriptor. */
void record_reader_free(struct record_reader *reader);

/*
 * Returns 1 and a record, empty ones with *size 0; 0 at the end of input; -1:
 *
 * EAGAIN     @wait is false, and the next record is not complete
 * ECANCELED  @wait is true, and stop_fd was readable when input was needed
 * EBADMSG    the input is malformed; every later call fails again
 * EMSGSIZE   a record is above max_size; every later call fails again
 * ENOMEM     no memory; nothing is lost, the call may be repeated
 * others     as read(2)
 *
 * *data points into the reader, is never NULL, and is valid until the next
 * call. For a record that is already buffered the reader makes no system call
 * and ignores stop_fd.
 */
int record_read(struct record_reader *reader, bool wait, const void **data,
	size_t *size);

/*
 * Describes the place and the cause of EBADMSG or EMSGSIZE: one line of
 * printable ASCII without newline, as "line 3: odd number of hex digits". Empty
 * without such an error. Belongs to @reader.
 */
const char *record_reader_explain(const struct record_reader *reader);

struct record {
	const void *data;   /* may be NULL when size is 0 */
	size_t size;        /* bytes at data */
	const char *sender; /* printable text, or NULL for none */
	size_t true_size;   /* of the message, used if is_cut */
	bool is_cut;        /* data is only the beginning of the message */
	bool has_writer;    /* the next two are known */
	pid_t pid;          /* of the process that wrote it, 0 if hidden */
	uid_t uid;
	size_t fds; /* descriptors that came with it; printed when not 0 */
};

struct record_writer;

/*
 * Writes records to @fd, which stays the caller's and may be blocking or not.
 * @stop_fd ends a wait for @fd; negative means none. While @stop_fd is
 * readable, the writer still writes what it can without blocking, and fails
 * with ECANCELED when it would block. It never reads from @stop_fd. The caller
 * handles SIGPIPE.
 *
 * Returns NULL with ENOMEM when there is no memory.
 */
struct record_writer *record_writer_new(int fd, enum record_format format,
	int stop_fd);

/* @writer may be NULL. Does not flush, does not close the descriptor. */
void record_writer_free(struct record_writer *writer);

/*
 * Adds the record to a buffer of fixed size, and writes the buffer when it is
 * full. Only json prints more of @record than its payload.
 *
 * Returns 0; -1 with EMSGSIZE if the record is too large for a frame (2^32
 * bytes and more) and nothing was added; -1 with ECANCELED or an error of
 * write(2): then the output may hold a part of the record.
 */
int record_write(struct record_writer *writer, const struct record *record);

/*
 * Writes the buffer. Returns 0; -1 with ECANCELED or an error of write(2): then
 * the rest stays in the buffer.
 */
int record_flush(struct record_writer *writer);

#endif
