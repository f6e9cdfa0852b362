/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_RECORD_H
#define UNIXMSG_TOOLS_RECORD_H

/*
 * Records: how the echo tools read messages from a file descriptor and print
 * them to another, in four formats.
 *
 * text    A line is a record, without its newline; so is a last line without
 *         one. An empty line is an empty record. Every byte but the newline
 *         stands for itself, NUL too. A payload with newlines comes back as
 *         several records: use another format for those. Written to a
 *         terminal, what could command it or forge a line is escaped: control
 *         characters, newlines too, those that turn the direction of text, and
 *         what is no UTF-8 become \xHH, a backslash two.
 * raw     The same, with nothing escaped, on a terminal either.
 * hex     A line of hex digits of either case, with spaces and tabs between
 *         bytes; written in lower case without spaces. An empty line is an
 *         empty record.
 * json    A JSON object a line: {"size":5,"data":"hello"}. The payload is in
 *         "data" when it is valid UTF-8, else in "hex"; "sender", "cut" and
 *         "true_size" follow where they apply. Read, an object needs exactly
 *         one of "data" and "hex"; its other members are checked to be JSON
 *         and ignored. Blank lines are skipped.
 * frames  4 bytes of length, big-endian, before each payload. Loses nothing.
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

	/* What has no name on a command line. */

	/* Whatever one read gives; printed as it is, without a newline. */
	RECORD_BYTES,
	/* The same, printed on a terminal as text is, but for newlines. */
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
 * and may be blocking or not. @stop_fd, when not negative, ends a wait as soon
 * as it is readable; it is never read from.
 *
 * Memory grows with the data that has arrived, up to what one record can need:
 * 4 characters a byte and 4 KiB for a line of hex, 6 characters a byte and
 * 64 KiB for one of JSON. A longer line is too large whatever is in it.
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
 * EAGAIN     @wait is false and the next record is not there as a whole
 * ECANCELED  @wait is true, and stop_fd was readable when input was wanted
 * EBADMSG    the input is malformed; every later call says so again
 * EMSGSIZE   a record above max_size; every later call says so again
 * ENOMEM     no memory; nothing is lost, the call may be repeated
 * others     as read(2)
 *
 * *data points into the reader, is never NULL, and is valid until the next
 * call. Where a record is buffered already, no system call is made and stop_fd
 * is not looked at.
 */
int record_read(struct record_reader *reader, bool wait, const void **data,
	size_t *size);

/*
 * Where and why reading ended with EBADMSG or EMSGSIZE: one line of printable
 * ASCII without newline, as "line 3: odd number of hex digits". Empty when it
 * did not. Belongs to @reader.
 */
const char *record_reader_explain(const struct record_reader *reader);

struct record {
	const void *data;   /* may be NULL when size is 0 */
	size_t size;        /* bytes at data */
	const char *sender; /* printable text, or NULL for none */
	size_t true_size;   /* of the message, looked at when is_cut */
	bool is_cut;        /* data is but the beginning of the message */
	bool has_writer;    /* the next two are known */
	pid_t pid;          /* of the process that wrote it, 0 if hidden */
	uid_t uid;
	size_t fds; /* descriptors that came with it; told when not 0 */
};

struct record_writer;

/*
 * Writes records to @fd, which stays the caller's and may be blocking or not.
 * @stop_fd, when not negative, is for leaving at once: while it is readable,
 * what @fd takes without blocking is still written, and where it would block
 * the writer gives up with ECANCELED. It is never read from. What SIGPIPE does
 * is the caller's matter.
 *
 * Returns NULL with ENOMEM when there is no memory.
 */
struct record_writer *record_writer_new(int fd, enum record_format format,
	int stop_fd);

/* @writer may be NULL. Does not flush, does not close the descriptor. */
void record_writer_free(struct record_writer *writer);

/*
 * Keeps the record in a buffer of fixed size, which is written when it is full.
 * Only json prints more of @record than its payload.
 *
 * Returns 0; or -1 with EMSGSIZE when a frame cannot tell the size (2^32 bytes
 * and more) and nothing was kept; or -1 with ECANCELED or as write(2), and then
 * the record may be in the output in part.
 */
int record_write(struct record_writer *writer, const struct record *record);

/*
 * Writes what is buffered. Returns 0; or -1 with ECANCELED or as write(2), and
 * then what was not written stays in the buffer.
 */
int record_flush(struct record_writer *writer);

#endif
