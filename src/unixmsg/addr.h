/* SPDX-License-Identifier: MIT */
/*
 * unixaddr: the address of a Unix domain socket as a value, and its text.
 *
 * The text is for a person to type and for a log to show:
 *
 *   /run/echo.sock  a path
 *   @echo           the abstract name "echo", see unix(7)
 *   ./@echo         a path whose file name begins with @
 *   @               to bind: any free abstract name, which the kernel chooses.
 *                   To print: a socket without a name.
 *
 * A backslash begins an escape: \\ is a backslash, \xHH is the byte with that
 * value, and \{N} repeats the byte before it, so that it stands N times in all.
 * So @echo\x00\{103} is the name "echo" padded with NULs to its full 107 bytes.
 * unixaddr_format writes four or more equal bytes in this way if they need an
 * escape. In a shell a backslash needs quotes around it. A text that begins
 * with \x00 is an abstract name, too: the kernel marks these names by a NUL.
 *
 * Lengths are exact: an abstract name is as long as its text says, without a
 * NUL at the end. A program that pads its name to the full structure has
 * another name, and this one does not reach it.
 */
#ifndef UNIXMSG_ADDR_H
#define UNIXMSG_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The most bytes of a path. An abstract name has at most one byte less. */
#define UNIXMSG_NAME_SIZE_MAX 108

/* Room for every text that unixaddr_format can make, its NUL included. */
#define UNIXMSG_ADDR_TEXT_SIZE 440

enum unixaddr_kind {
	UNIXADDR_UNNAMED,
	UNIXADDR_PATH,
	UNIXADDR_ABSTRACT,
};

/*
 * An address. You may copy it, and put it into your own structures. The
 * functions below set it, and so do calls that receive. length counts what the
 * kernel counts: the family, the name, and the NUL that ends a path. For a path
 * of 108 bytes length is 111, one more than struct sockaddr_un has; the NUL is
 * then in spare.
 */
struct unixaddr {
	struct sockaddr_un sun;
	char spare[2];
	socklen_t length;
};

/*
 * Makes an address of text. Leaves addr alone on failure. Errors: EINVAL (empty
 * text, a malformed escape, a NUL in a path), ENAMETOOLONG (more than
 * UNIXMSG_NAME_SIZE_MAX bytes).
 */
int unixaddr_parse(struct unixaddr *addr, const char *text);

/*
 * Writes the text of addr to text, which has room for room bytes, and returns
 * text. It writes only printable ASCII, on one line, with a NUL at the end.
 * unixaddr_parse turns that text into an equal address, whatever bytes the name
 * contains. UNIXMSG_ADDR_TEXT_SIZE of room is always enough; with less it may
 * return NULL with ENOSPC.
 */
char *unixaddr_format(const struct unixaddr *addr, char *text, size_t room);

/*
 * Makes an address of raw bytes, without escapes. A path has 1 to 108 bytes and
 * no NUL; an abstract name has 0 to 107 bytes of any value, without the NUL
 * that marks it. Leaves addr alone on failure. Errors: EINVAL, ENAMETOOLONG.
 */
int unixaddr_set_path(struct unixaddr *addr, const void *bytes, size_t size);
int unixaddr_set_abstract(struct unixaddr *addr, const void *bytes,
	size_t size);

/* Makes the address of a socket that is bound to no name. */
void unixaddr_set_unnamed(struct unixaddr *addr);

/*
 * Makes an address of the result of your own system call. length is the one
 * that the kernel gave: 0 for an unbound sender, more than the size of the
 * structure for a path of 108 bytes. A path in sa needs no NUL at its end.
 * Errors: EAFNOSUPPORT (not AF_UNIX), EINVAL (a length that the kernel cannot
 * give).
 */
int unixaddr_set_sockaddr(struct unixaddr *addr, const struct sockaddr *sa,
	socklen_t length);

/* Returns the address for your own system call, a pointer into addr, and stores
 * its exact length in *length. */
const struct sockaddr *unixaddr_get_sockaddr(const struct unixaddr *addr,
	socklen_t *length);

enum unixaddr_kind unixaddr_get_kind(const struct unixaddr *addr);

/*
 * Returns the bytes of the name, a pointer into addr, and stores their number
 * in *size. That does not count the NUL that ends a path or begins an abstract
 * name. A path has a NUL behind it.
 */
const char *unixaddr_get_name(const struct unixaddr *addr, size_t *size);

/* Returns true if both have the same kind and the same bytes. Two paths to one
 * file are two addresses. */
bool unixaddr_is_equal(const struct unixaddr *a, const struct unixaddr *b);

#ifdef __cplusplus
}
#endif
#endif
