/* SPDX-License-Identifier: MIT */
/*
 * proof: whether an answer to a datagram gets to whom it came from. The kernel
 * hands on the name that the sender has given to bind(2), as text, and an
 * answer goes where that text leads on our side: see unixconn_prove_sender.
 */
#ifndef UNIXMSG_PROOF_H
#define UNIXMSG_PROOF_H

#include <stdbool.h>

#include "base/addr_private.h"
#include "unixmsg/cred.h"

struct unixproof {
	struct unixaddr to; /* where answers go */
	int fd;             /* holds the file fast, to be closed; or -1 */
	/* False where the file cannot be held fast: prove it each time. */
	bool is_lasting;
};

/*
 * The writer is not known since the message came before anybody wanted
 * credentials: a socket of that name, at the file that the name leads to, has
 * to do. One in another mount namespace may have the same name.
 */
#define UNIXPROOF_EARLY 0x1u
/* Fail with EAGAIN before all sockets are listed, or links followed. */
#define UNIXPROOF_QUICK 0x2u

/*
 * Proves that from is an address of who wrote (NULL: not known), for the socket
 * own_fd. Errors: EPERM (it cannot be proved), EAGAIN (see above), EINVAL
 * (unnamed), ENOENT, ECONNREFUSED and others of open(2) and connect(2), which
 * sending would have given too. proof is set on success only.
 */
int unixproof__find(struct unixproof *proof, int own_fd,
	const struct unixaddr *from, const struct unixcred *writer,
	unsigned int flags);

/*
 * Whether user stands for all that have no number in our user namespace: 1, 0,
 * or -1 with EMFILE, ENFILE or ENOMEM. Whatever else hides that makes it 1.
 */
int unixproof__is_anybody(uid_t user);

#endif
