/* SPDX-License-Identifier: MIT */
/*
 * The senders of one datagram socket that is served: peers that are known by
 * their address, and get their answers by that socket.
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
	struct holding holding;
	int64_t pause_us;
	int64_t tried_us; /* to send what is kept, as its messages came */
	struct unixproof proof;
	size_t pin; /* its place, while proof.fd is open */
	bool is_proved;
	bool is_early; /* from before credentials were wanted */
	/* The program has opened it, and nothing has come from it yet: whose it
	 * is is not known. */
	bool is_unheard;
	bool is_refusal_told;
};

/* Of the senders of one socket, see service_proof.c. */
struct proofs {
	struct sender **pinned;
	size_t count;
	size_t next;
	int64_t dear_us; /* not before that what costs much again */
};

/* Of a peer that was closed, see service_debt.c. */
struct debt {
	struct user *user;
	struct unixaddr addr;
	struct holding holding;
};

struct debts {
	struct debt *list;
	size_t count;
	size_t room;
	size_t next; /* to be asked, or forgotten */
};

struct senders {
	struct unixconn *gram;
	struct budget budget;
	struct proofs proofs;
	struct debts debts;
	struct sender **buckets;
	size_t buckets_count; /* a power of two */
	size_t count;
};

/*
 * Of gram, whose send buffer is raised to bytes; gram stays the caller's. 0, or
 * -1: with ENOMEM, or as fcntl(2) and setsockopt(2) fail.
 */
int unixsenders__init(struct senders *senders, struct unixconn *gram,
	size_t bytes);

/* None of them may be left. */
void unixsenders__free(struct senders *senders);

/* The one of that address, or NULL. */
struct sender *unixsenders__find(const struct senders *senders,
	const struct unixaddr *addr);

/* Whether one of that address is found only when another goes. */
bool unixsenders__is_full(const struct senders *senders,
	const struct unixaddr *addr);

/*
 * A new peer of user; cred may be NULL. It may cost another his place. NULL:
 * EDQUOT when there is none, or ENOMEM.
 */
struct sender *unixsenders__add(struct unixservice *service,
	struct senders *senders, const struct unixaddr *addr, struct user *user,
	const struct unixcred *cred);

/* The same at nobody's cost, and within no limit. NULL: ENOMEM. */
struct sender *unixsenders__enter(struct unixservice *service,
	struct senders *senders, const struct unixaddr *addr, struct user *user,
	const struct unixcred *cred);

/* Whether an answer to addr gets to writer: 0, or -1 as unixproof__find. */
int unixsenders__check(struct senders *senders, const struct unixaddr *addr,
	const struct unixcred *writer);

/* service_open.c */

/* A peer at address, see unixservice_open_peer. 0, or -1. */
int unixservice__open_sender(struct unixservice *service,
	struct senders *senders, const char *address, uint64_t *id);

/* service_debt.c */

void unixdebts__init(struct debts *debts);
void unixdebts__free(struct debts *debts);

/* sender is closed, and has not read what it was sent. */
void unixdebts__add(struct debts *debts, const struct sender *sender);

/* sender may be one that was closed, and holds what it held then. */
void unixdebts__resume(struct debts *debts, struct sender *sender);

/* Looks for what was read meanwhile of user's. */
void unixdebts__settle(struct debts *debts, struct budget *budget,
	const struct user *user);

/* service_proof.c */

int unixproofs__init(struct proofs *proofs);
void unixproofs__free(struct proofs *proofs);

/* As unixproof__find, and EAGAIN when it takes long and is not its turn. */
int unixproofs__find(struct proofs *proofs, struct unixproof *proof, int own_fd,
	const struct unixaddr *from, const struct unixcred *writer,
	unsigned int flags);

/*
 * Proves sender: its proof says where to send, once only unless is_proved is
 * set then. Errors: those of unixproof__find; EAGAIN for later, too.
 */
int unixproofs__prove(struct proofs *proofs, struct sender *sender, int own_fd);
void unixproofs__forget(struct proofs *proofs, struct sender *sender);

#endif
