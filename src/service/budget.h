/* SPDX-License-Identifier: MIT */
/*
 * budget: the send buffer of one datagram socket, shared out to its receivers.
 *
 * The kernel charges each message to the sender's buffer until it is read. So
 * receivers that read nothing could fill the buffer and stop messages to all
 * others. The kernel tells only the sum (SIOCOUTQ), not the part of each
 * receiver. While the sum is low, the budget asks nothing. Above that a
 * receiver may hold one message and is looked up with sock_diag(7) before it
 * gets another. A receiver that has read everything may then hold a share of
 * the free part of three quarters of the buffer, until it is looked up again.
 * So a receiver that never reads costs one message, and the last quarter is
 * there for those messages alone.
 */
#ifndef UNIXMSG_BUDGET_H
#define UNIXMSG_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The upper bound of what one receiver holds. */
struct account {
	size_t bytes; /* sent since it was known to have read all */
	/* An empty message is among them. In sock_diag(7) it looks like an
	 * empty queue, so the next message is a probe if it has bytes: when it
	 * is seen to wait, nothing waited before it. */
	bool has_empty;
	bool is_probe; /* the next message is one */
	unsigned char probes;
	bool is_reader; /* had read all when it was last looked up */
	uint32_t round; /* of the budget, or bytes do not count */
	uint32_t ino;   /* of its socket, 0 when unknown */
	uint64_t cookie;
};

struct budget {
	int fd;
	size_t limit; /* the send buffer */
	size_t level; /* unread bytes: an upper bound */
	/* Counts the moments when everything had been read. */
	uint32_t round;
	/* All sockets may be listed again from this time on. */
	int64_t list_us;
	bool is_list_missing; /* the kernel gives no list */
	int diag_fd;          /* -1 until a receiver is looked up */
	pid_t diag_owner;
	uint32_t sequence;
};

struct unixaddr;

/*
 * Called for each datagram socket that the kernel lists, in no order. Two have
 * the same name when a path was bound anew. A stream socket may have the same
 * abstract name too; it is left out, as it is none of our receivers.
 */
typedef void unixbudget_note(void *context, const struct unixaddr *addr,
	uint32_t ino, uint64_t cookie);

/*
 * Raises the send buffer of fd towards bytes, as far as it may; never lowers
 * it. Returns 0, or -1 with an errno of getsockopt(2).
 */
int unixbudget__init(struct budget *budget, int fd, size_t bytes);

void unixbudget__free(struct budget *budget);

/*
 * Tells whether size bytes may be sent to a receiver now. It may ask the caller
 * to call unixbudget__list.
 */
bool unixbudget__allows(struct budget *budget, struct account *account,
	size_t size, bool *is_list_wanted);

/* Charges a sent message to its receiver. */
void unixbudget__charge(struct budget *budget, struct account *account,
	size_t size);

/*
 * Tells whether a receiver may hold messages that fill the buffer, and would
 * hold them even after it is forgotten. It may ask the caller to call
 * unixbudget__list.
 */
bool unixbudget__is_held(struct budget *budget, struct account *account,
	bool *is_list_wanted);

/* Lists the sockets. Returns 0, or -1 when it is too early for another list or
 * the kernel gives none. */
int unixbudget__list(struct budget *budget, unixbudget_note *note,
	void *context);

#endif
