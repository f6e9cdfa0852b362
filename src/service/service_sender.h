/* SPDX-License-Identifier: MIT */
/*
 * The senders of one datagram socket: peers that are known by their address and
 * get their answers by that socket.
 */
#ifndef UNIXMSG_SERVICE_SENDER_H
#define UNIXMSG_SERVICE_SENDER_H

#include "network/proof.h"
#include "service/budget.h"
#include "service/service_private.h"

struct sender {
	struct peer peer;
	struct senders *senders;
	struct sender *next; /* in its bucket */
	struct unixaddr addr;
	struct account account;
	int64_t pause_us;
	/* The last try to send queued messages because one was received. */
	int64_t tried_us;
	struct unixproof proof;
	size_t pin; /* index in pinned, while proof.fd is open */
	bool is_proved;
	/* Its messages may be older than our wish for credentials. */
	bool is_early;
	/* The program has opened it and nothing has come from it yet, so its
	 * user is not known. */
	bool is_only_opened;
	bool is_refusal_told;
};

/* The proofs of the senders of one socket, see service_proof.c. */
struct proofs {
	struct sender **pinned;
	size_t count;
	size_t next;
	int64_t slow_from_us; /* no slow proof before that time */
};

/* The unread messages of a closed peer, see service_unread.c. */
struct unread {
	struct user *user;
	struct unixaddr addr;
	struct account account;
};

struct unread_list {
	struct unread *list;
	size_t count;
	size_t room;
	size_t next; /* the next to ask, or to forget */
};

struct senders {
	struct unixconn *gram;
	struct budget budget;
	struct proofs proofs;
	struct unread_list unread;
	struct sender **buckets;
	size_t buckets_count; /* a power of two */
	size_t count;
};

/* Raises the send buffer of gram to bytes, as far as it may; gram stays the
 * caller's. Returns 0, or -1 with ENOMEM or an errno of getsockopt(2). */
int unixsenders__init(struct senders *senders, struct unixconn *gram,
	size_t bytes);

/* Frees the table, which must be empty. */
void unixsenders__free(struct senders *senders);

/* Returns the sender at addr, or NULL. */
struct sender *unixsenders__find(const struct senders *senders,
	const struct unixaddr *addr);

/* Tells whether a sender at addr would have to replace another one. */
bool unixsenders__is_full(const struct senders *senders,
	const struct unixaddr *addr);

/*
 * Adds a peer of user; cred may be NULL. It may replace another peer. Returns
 * NULL with EDQUOT when there is no place for it, or with ENOMEM.
 */
struct sender *unixsenders__add(struct unixservice *service,
	struct senders *senders, const struct unixaddr *addr, struct user *user,
	const struct unixcred *cred);

/* Adds a peer beyond any limit and replaces none. Returns NULL with ENOMEM. */
struct sender *unixsenders__enter(struct unixservice *service,
	struct senders *senders, const struct unixaddr *addr, struct user *user,
	const struct unixcred *cred);

/* Proves that an answer to addr reaches writer. Returns 0, or -1 with an errno
 * of unixproof__find. */
int unixsenders__check(struct senders *senders, const struct unixaddr *addr,
	const struct unixcred *writer);

/* service_open.c */

/* Opens a peer at address, see unixservice_open_peer. Returns 0 or -1. */
int unixservice__open_sender(struct unixservice *service,
	struct senders *senders, const char *address, uint64_t *id);

/* service_unread.c */

void unixunread__init(struct unread_list *unread);
void unixunread__free(struct unread_list *unread);

/* Records that sender is closed with unread messages. */
void unixunread__add(struct unread_list *unread, const struct sender *sender);

/* Restores the unread messages of sender, if it was closed with some before. */
void unixunread__resume(struct unread_list *unread, struct sender *sender);

/* Finds out which unread messages of user were read meanwhile. */
void unixunread__look(struct unread_list *unread, struct budget *budget,
	const struct user *user);

/* service_proof.c */

int unixproofs__init(struct proofs *proofs);
void unixproofs__free(struct proofs *proofs);

/* Does the same as unixproof__find, but fails with EAGAIN when that takes long
 * and it is too early for another slow proof. */
int unixproofs__find(struct proofs *proofs, struct unixproof *proof, int own_fd,
	const struct unixaddr *from, const struct unixcred *writer,
	unsigned int flags);

/*
 * Proves sender and records where to send. The proof is for one message only,
 * unless is_proved is set then. Errors are those of unixproof__find, and EAGAIN
 * to try later.
 */
int unixproofs__prove(struct proofs *proofs, struct sender *sender, int own_fd);

/* Gives sender a proof that the caller has found, with its descriptor. Returns
 * 0, or -1 with EAGAIN: then the descriptor is closed. */
int unixproofs__hold(struct proofs *proofs, struct sender *sender,
	const struct unixproof *proof);

void unixproofs__forget(struct proofs *proofs, struct sender *sender);

#endif
