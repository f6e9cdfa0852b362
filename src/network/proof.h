/* SPDX-License-Identifier: MIT */
/*
 * proof: finds out whether an answer to a datagram reaches its sender. The
 * kernel passes on the name that the sender gave to bind(2), as text, and an
 * answer goes wherever that text leads on our side: see unixconn_prove_sender.
 */
#ifndef UNIXMSG_PROOF_H
#define UNIXMSG_PROOF_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/addr_private.h"
#include "unixmsg/cred.h"

struct unixproof {
	struct unixaddr to; /* the address to answer to */
	int fd;             /* holds the file, must be closed; or -1 */
	/* False if the file cannot be held: prove it for each message. */
	bool is_lasting;
};

/*
 * The writer is unknown, because the message arrived before anybody asked for
 * credentials. A socket of that name, at the file that the name leads to, is
 * then proof enough. A socket in another mount namespace may have the same
 * name.
 */
#define UNIXPROOF_EARLY 0x1u
/* Fails with EAGAIN instead of listing all sockets, or following links. */
#define UNIXPROOF_QUICK 0x2u

/*
 * Proves to the socket own_fd that from is an address of writer (NULL: not
 * known). Errors: EPERM (it cannot be proved), EAGAIN (see above), EINVAL
 * (unnamed), ENOENT, ECONNREFUSED and others of open(2) and connect(2), with
 * which a send would fail too. Sets proof on success only.
 */
int unixproof__find(struct unixproof *proof, int own_fd,
	const struct unixaddr *from, const struct unixcred *writer,
	unsigned int flags);

/*
 * Does the same for a socket that the program has chosen, and that has sent
 * nothing yet. Its name must lead to the chosen file; chosen is NULL for an
 * abstract name. Errors: EPERM (it does not), ENOSYS (other users may replace
 * the file, and only /proc can keep hold of it), and those of open(2).
 */
int unixproof__find_chosen(struct unixproof *proof, const struct unixaddr *name,
	const struct stat *chosen);

/* Tells whether both hold a descriptor of the same file. */
bool unixproof__is_same_file(const struct unixproof *one,
	const struct unixproof *other);

/*
 * Tells whether user stands for all users without a number in our user
 * namespace. Returns 1, 0, or -1 with EMFILE, ENFILE or ENOMEM. If anything
 * else hides the answer, it returns 1.
 */
int unixproof__is_anybody(uid_t user);

#endif
