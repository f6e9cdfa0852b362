/* SPDX-License-Identifier: MIT */
/*
 * unixaddr: the address of a Unix domain socket as a value, and its text.
 *
 * The text is what a person types and what a log may show:
 *
 *   /run/echo.sock   a path
 *   @echo            the abstract name "echo", see unix(7)
 *   ./@echo          a path whose file name begins with @
 *   @                as a name to bind: any free abstract name, chosen by the
 *                    kernel. It is also how an unnamed socket is printed.
 *
 * A backslash escapes: \\ is a backslash, \xHH the byte with that value, and
 * \{N} repeats: the byte before it stands there N times. So @echo\x00\{103}
 * is the name "echo" padded with NULs to its full 107 bytes. unixaddr_format
 * writes four and more equal bytes that need an escape in this way. In a shell
 * a backslash needs quotes around it.
 * A text that begins with \x00 is an abstract name too, written as the
 * kernel holds it.
 *
 * Lengths are exact: an abstract name is as long as its text says and no NUL
 * is added. Programs that pad the name to the full structure use another
 * name and cannot be reached by it.
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

/* Bytes that a path may have; an abstract name may have one less. */
#define UNIXMSG_NAME_SIZE_MAX 108

/* Room for every text that unixaddr_format can make, its NUL included. */
#define UNIXMSG_ADDR_TEXT_SIZE 440

enum unixaddr_kind {
	UNIXADDR_UNNAMED,
	UNIXADDR_PATH,
	UNIXADDR_ABSTRACT,
};

/*
 * Copy it, put it into your own structures; set it by the functions below or
 * by a call that receives. length counts as the kernel does: the family, the
 * name, and the NUL that ends a path. For a path of 108 bytes that is 111,
 * one more than struct sockaddr_un has: the NUL then stands in spare.
 */
struct unixaddr {
	struct sockaddr_un sun;
	char spare[2];
	socklen_t length;
};

/*
 * Makes an address of text. Errors: EINVAL (empty text, a malformed escape, a
 * NUL in a path), ENAMETOOLONG (more than UNIXMSG_NAME_SIZE_MAX bytes). addr
 * is left alone on failure.
 */
int unixaddr_parse(struct unixaddr *addr, const char *text);

/*
 * Writes the text of addr to text, which has room for room bytes, and returns
 * text. Only printable ASCII is written, on one line, NUL at the end; what is
 * parsed from it equals addr, whatever bytes the name holds. With
 * UNIXMSG_ADDR_TEXT_SIZE of room it cannot fail; with less, NULL and ENOSPC.
 */
char *unixaddr_format(const struct unixaddr *addr, char *text, size_t room);

/*
 * An address from raw bytes, nothing escaped. A path has 1 to 108 bytes and no
 * NUL, an abstract name 0 to 107 of any value (the NUL that marks it is not
 * among them). Errors: EINVAL, ENAMETOOLONG; addr is left alone then.
 */
int unixaddr_set_path(struct unixaddr *addr, const void *bytes, size_t size);
int unixaddr_set_abstract(struct unixaddr *addr, const void *bytes,
	size_t size);

/* The address of a socket that is bound to no name. */
void unixaddr_set_unnamed(struct unixaddr *addr);

/*
 * Takes over what a system call of your own filled in. length is what the
 * kernel gave; it may be 0 (an unbound sender) and larger than the structure
 * (a path of 108 bytes), and no NUL is expected. Errors: EAFNOSUPPORT (not
 * AF_UNIX), EINVAL (a length that the kernel cannot give).
 */
int unixaddr_set_sockaddr(struct unixaddr *addr, const struct sockaddr *sa,
	socklen_t length);

/*
 * The address for a system call of your own, and its exact length. It points
 * into addr.
 */
const struct sockaddr *unixaddr_get_sockaddr(const struct unixaddr *addr,
	socklen_t *length);

enum unixaddr_kind unixaddr_get_kind(const struct unixaddr *addr);

/*
 * The bytes of the name and how many: without the NUL that ends a path or
 * begins an abstract name. It points into addr. Behind a path stands a NUL.
 */
const char *unixaddr_get_name(const struct unixaddr *addr, size_t *size);

/* Same kind, same bytes. Two paths to one file are two addresses. */
bool unixaddr_is_equal(const struct unixaddr *a, const struct unixaddr *b);

/*
 * The same number for equal addresses. It spreads names well but keeps no
 * secret: peers choose their names, so bound what hangs on one bucket.
 */
uint64_t unixaddr_hash(const struct unixaddr *addr);

#ifdef __cplusplus
}
#endif
#endif
