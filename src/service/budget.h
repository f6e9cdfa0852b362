/* SPDX-License-Identifier: MIT */
/*
 * budget: the send buffer of one datagram socket, shared out to its receivers.
 *
 * What is sent is charged to the sender's buffer until it is read, so receivers
 * that read nothing could use it up and stop what goes to all others. The
 * kernel tells the sum only (SIOCOUTQ), not whose it is. While the sum is low
 * nobody is asked anything. Above that a receiver may hold one message, and is
 * looked up with sock_diag(7) before he gets another. Who was found to have
 * read everything may hold a share of what is left of three quarters until he
 * is looked up again. So each that never reads costs one message, and the last
 * quarter is there for that alone.
 */
#ifndef UNIXMSG_BUDGET_H
#define UNIXMSG_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What one receiver holds at most. */
struct holding {
	size_t bytes; /* sent since he was known to have read all */
	/* Whether an empty message is among them: one that waits to be read
	 * looks like none. So a message that is not is sent then as a probe;
	 * when it is seen to wait, nothing waited before it. */
	bool has_empty;
	bool is_probe; /* the one that is sent next */
	unsigned char probes;
	bool is_reader; /* had read all when he was looked up last */
	uint32_t round; /* of the budget, or it is nothing */
	uint32_t ino;   /* of his socket, 0 when unknown */
	uint64_t cookie;
};

struct budget {
	int fd;
	size_t limit;    /* the send buffer */
	size_t level;    /* not yet read: no more than this */
	size_t reserved; /* about to be sent, to anybody */
	/* Counts the moments when everything was read. */
	uint32_t round;
	/* Not before that all sockets may be listed again. */
	int64_t list_us;
	bool is_blind; /* the kernel gives no list */
	int diag_fd;   /* -1 until somebody is looked up */
	pid_t diag_owner;
	uint32_t sequence;
};

struct unixaddr;

/*
 * Called for each datagram socket that the kernel lists, in no order; two may
 * have the same name, when a path was bound anew. A stream may have the same
 * abstract name too, but is none of our receivers: it is left out.
 */
typedef void unixbudget_note(void *context, const struct unixaddr *addr,
	uint32_t ino, uint64_t cookie);

/*
 * Raises the send buffer of fd towards bytes, as far as it may; never lowers
 * it. 0, or -1 with errno of getsockopt(2).
 */
int unixbudget__init(struct budget *budget, int fd, size_t bytes);

void unixbudget__free(struct budget *budget);

/*
 * Whether size bytes may be sent to a receiver: false is for later. It may ask
 * that unixbudget__list is called.
 */
bool unixbudget__allows(struct budget *budget, struct holding *holding,
	size_t size, bool *is_list_wanted);

/*
 * Sets size bytes aside that are to be sent soon: true where no receiver would
 * be asked about. Each time comes to a release, before what was sent is
 * charged.
 */
bool unixbudget__reserve(struct budget *budget, size_t size);
void unixbudget__release(struct budget *budget, size_t size);

/* They were sent. */
void unixbudget__charge(struct budget *budget, struct holding *holding,
	size_t size);

/*
 * Whether a receiver may hold what counts, which it would when it is forgotten
 * too. It may ask that unixbudget__list is called.
 */
bool unixbudget__is_held(struct budget *budget, struct holding *holding,
	bool *is_list_wanted);

/* Tells which sockets there are: 0, or -1 when it is not time for that again,
 * or the kernel does not tell. */
int unixbudget__list(struct budget *budget, unixbudget_note *note,
	void *context);

#endif
