/* SPDX-License-Identifier: MIT */
/*
 * weak: two threads on a machine that orders memory as weakly as C11 allows,
 * and all that may come of it.
 *
 * Code under test is compiled with weak_load and its sisters in place of what
 * <stdatomic.h> has. Both threads are run one step at a time, in every order,
 * and every load is given every value that it may see. A state that was seen
 * before is not gone into again: so the search is complete, and ends.
 *
 * Memory is modelled by views: of each place a thread knows up to where it has
 * seen what was written there, and may read that or anything later. A store
 * that releases passes its thread's view on to whoever acquires by reading it;
 * a full fence passes it on to all later full fences. That is C11 but for loads
 * that are made later than stores behind them, which no processor does where
 * the store releases; all of x86-TSO is in it, and what compilers make of C11
 * for ARM. Plain bytes must be ordered by all that: who reads or overwrites
 * them too early is found out, whatever the processor.
 */
#ifndef UNIXMSG_TESTS_WEAK_H
#define UNIXMSG_TESTS_WEAK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEAK_THREADS = 2, WEAK_PLACES = 64, WEAK_WRITES = 64 };

/* Up to where all places are known. */
struct weak_view {
	uint8_t known[WEAK_PLACES];
};

/* All places are told of when a run begins: each holds 0 then, or what is set.
 * Plain bytes take two, the second one at the next address. */
void weak_add_place(const void *name);
void weak_set_place(const void *name, uint32_t value);

uint32_t weak_load(const _Atomic uint32_t *place, memory_order order);
void weak_store(_Atomic uint32_t *place, uint32_t value, memory_order order);
void weak_fence(memory_order order);

/* Plain bytes, known by a name for them. */
void weak_read_plain(const void *name);
void weak_write_plain(const void *name);

/* Passes on what the running thread knows, as a lock or a queue does. */
struct weak_view weak_give_view(void);
void weak_take_view(const struct weak_view *view);

/* A step that others may come before; and one of so many things happens. */
void weak_step(void);
unsigned int weak_choose(unsigned int count);

/* Puts what the running thread has learned into its state. */
void weak_learn(uint64_t what);

/* Sleeps until may_go_on says true. */
void weak_sleep(bool (*may_go_on)(void));

/* What is to be searched. */
struct weak_world {
	/* Before each run: everything as at the beginning. */
	void (*begin)(void);
	/* The threads. They end by returning, or sleep for ever. */
	void (*run[WEAK_THREADS])(void);
	/* A number of all the state that is neither in memory nor in what the
	 * threads have learned. */
	uint64_t (*hash)(void);
	/* Nobody can go on: what is wrong, or NULL. */
	const char *(*judge)(void);
};

/* Gives up this run: something is wrong. */
void weak_fail(const char *why);

struct weak_result {
	const char *why; /* NULL: nothing is wrong */
	unsigned long states;
	unsigned long runs;
};

struct weak_result weak_search(const struct weak_world *world);

#endif
