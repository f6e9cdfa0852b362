/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "weak.h"

enum { STACK = 65536, CHOICES_MOST = 4096, STEPS_MOST = 1000 };

struct write {
	uint64_t value;
	struct weak_view view; /* for who acquires it */
};

/* One thread writes each. */
struct place {
	const void *name;
	unsigned int last;
	struct write writes[WEAK_WRITES];
};

struct thread {
	jmp_buf spot;
	char *stack;
	struct weak_view view;     /* what it knows */
	struct weak_view acquired; /* what a fence would make it know */
	struct weak_view released; /* what it knew at its last fence */
	uint64_t learned;
	bool (*may_go_on)(void);
	bool is_over;
};

/* From the start of a run to here: which was chosen, of how many. */
struct choice {
	unsigned int chosen;
	unsigned int count;
};

static const struct weak_world *world;
static struct place places[WEAK_PLACES];
static unsigned int places_count;
static struct weak_view all_fences;
static struct thread threads[WEAK_THREADS];
static struct thread *running;
static jmp_buf scheduler;
static struct choice choices[CHOICES_MOST];
static unsigned int choices_count, choices_made;
static const char *failure;

/* States that were gone into: a table that grows. */
static uint64_t *seen;
static size_t seen_room, seen_count;

/* Check's own assertions write to a file each time. */
static void insist(bool is_so)
{
	if (!is_so)
		ck_abort_msg("the model does not hold what it is given");
}

static uint64_t mix(uint64_t hash, uint64_t what)
{
	hash = (hash ^ what) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint64_t mix_bytes(uint64_t hash, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t word;
	size_t i;

	for (i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		hash = mix(hash, word);
	}
	return hash;
}

static void join(struct weak_view *view, const struct weak_view *other)
{
	unsigned int i;

	for (i = 0; i < places_count; i++)
		if (view->known[i] < other->known[i])
			view->known[i] = other->known[i];
}

void weak_add_place(const void *name)
{
	insist(places_count < WEAK_PLACES);
	places[places_count].name = name;
	places[places_count].last = 0;
	memset(places[places_count].writes, 0, sizeof(struct write));
	places_count++;
}

static unsigned int find_place(const void *name)
{
	unsigned int i;

	for (i = 0; i < places_count; i++)
		if (places[i].name == name)
			return i;
	ck_abort_msg("a place that nobody has told of");
}

void weak_set_place(const void *name, uint32_t value)
{
	places[find_place(name)].writes[0].value = value;
}

unsigned int weak_choose(unsigned int count)
{
	struct choice *choice = &choices[choices_made];

	insist(count > 0);
	if (count == 1)
		return 0;
	insist(choices_made < CHOICES_MOST);
	if (choices_made++ == choices_count) {
		choices_count++;
		*choice = (struct choice){ 0, count };
	}
	insist(choice->count == count);
	return choice->chosen;
}

void weak_learn(uint64_t what)
{
	running->learned = mix(running->learned, what + 1);
}

/* Where a thread is, is what it has gone through. */
void weak_step(void)
{
	if (_setjmp(running->spot) == 0)
		_longjmp(scheduler, 1);
	weak_learn(0);
}

void weak_sleep(bool (*may_go_on)(void))
{
	running->may_go_on = may_go_on;
	weak_step();
	running->may_go_on = NULL;
}

void weak_fail(const char *why)
{
	failure = why;
	weak_step();
}

struct weak_view weak_give_view(void)
{
	return running->view;
}

void weak_take_view(const struct weak_view *view)
{
	join(&running->view, view);
}

/* Memory */

uint32_t weak_load(const _Atomic uint32_t *name, memory_order order)
{
	unsigned int place = find_place((const void *)name), back;
	struct write *write;

	weak_step();
	back = weak_choose(places[place].last - running->view.known[place] + 1);
	write = &places[place].writes[places[place].last - back];
	running->view.known[place] = (uint8_t)(places[place].last - back);
	join(&running->acquired, &write->view);
	if (order != memory_order_relaxed)
		join(&running->view, &write->view);
	weak_learn(places[place].last - back);
	return (uint32_t)write->value;
}

static struct write *append(unsigned int place)
{
	struct place *there = &places[place];

	/* Who writes a place knows all that was written there. */
	insist(running->view.known[place] == there->last);
	insist(there->last + 1 < WEAK_WRITES);
	there->last++;
	running->view.known[place] = (uint8_t)there->last;
	return &there->writes[there->last];
}

/*
 * No step: who would have come in between, and not have seen it, may come later
 * and not see it.
 */
void weak_store(_Atomic uint32_t *name, uint32_t value, memory_order order)
{
	unsigned int place = find_place((const void *)name);
	struct write *write = append(place);

	write->value = value;
	write->view = order == memory_order_relaxed ? running->released
						    : running->view;
	write->view.known[place] = (uint8_t)places[place].last;
}

void weak_fence(memory_order order)
{
	insist(order == memory_order_seq_cst);
	weak_step();
	join(&running->view, &running->acquired);
	join(&running->view, &all_fences);
	all_fences = running->view;
	running->released = running->view;
}

/* Two places stand for plain bytes: what was written, and who has read. */
void weak_read_plain(const void *name)
{
	unsigned int written = find_place(name);
	unsigned int was_read = find_place((const char *)name + 1);

	if (running->view.known[written] != places[written].last)
		weak_fail("bytes are read too early");
	append(was_read);
}

void weak_write_plain(const void *name)
{
	unsigned int written = find_place(name);
	unsigned int was_read = find_place((const char *)name + 1);

	if (running->view.known[was_read] != places[was_read].last)
		weak_fail("bytes are overwritten too early");
	append(written);
}

/* The search */

static uint64_t hash_place(const struct place *place)
{
	return mix_bytes((uintptr_t)place->name, place->writes,
		(place->last + 1) * sizeof(place->writes[0]));
}

static uint64_t hash_thread(const struct thread *thread)
{
	uint64_t hash = mix(thread->learned, thread->is_over);

	hash = mix_bytes(hash, &thread->view, sizeof(thread->view));
	hash = mix_bytes(hash, &thread->acquired, sizeof(thread->acquired));
	return mix_bytes(hash, &thread->released, sizeof(thread->released));
}

static uint64_t hash_state(void)
{
	uint64_t hash = world->hash();
	unsigned int i;

	for (i = 0; i < places_count; i++)
		hash = mix(hash, hash_place(&places[i]));
	for (i = 0; i < WEAK_THREADS; i++)
		hash = mix(hash, hash_thread(&threads[i]));
	return mix_bytes(hash, &all_fences, sizeof(all_fences));
}

static bool add_to(uint64_t *table, size_t room, uint64_t hash)
{
	size_t i = hash & (room - 1);

	while (table[i] != 0) {
		if (table[i] == hash)
			return false;
		i = (i + 1) & (room - 1);
	}
	table[i] = hash;
	return true;
}

static void grow(void)
{
	size_t room = seen_room == 0 ? 1 << 16 : 2 * seen_room, i;
	uint64_t *table = calloc(room, sizeof(*table));

	insist(table != NULL);
	for (i = 0; i < seen_room; i++)
		if (seen[i] != 0)
			add_to(table, room, seen[i]);
	free(seen);
	seen = table;
	seen_room = room;
}

static bool is_new(void)
{
	if (2 * seen_count >= seen_room)
		grow();
	if (!add_to(seen, seen_room, hash_state() | 1))
		return false;
	seen_count++;
	return true;
}

static void run_thread(int number)
{
	weak_step();
	world->run[number]();
	running->is_over = true;
	weak_step();
}

/* swapcontext(3) makes system calls: it is for the first step only. */
static void begin_thread(int number)
{
	struct thread *thread = &threads[number];
	char *stack = thread->stack;
	static ucontext_t first, unused;

	*thread = (struct thread){ .stack = stack };
	running = thread;
	if (_setjmp(scheduler) != 0)
		return;
	getcontext(&first);
	first.uc_stack.ss_sp = stack;
	first.uc_stack.ss_size = STACK;
	makecontext(&first, (void (*)(void))run_thread, 1, number);
	swapcontext(&unused, &first);
}

static void resume(void)
{
	if (_setjmp(scheduler) == 0)
		_longjmp(running->spot, 1);
}

static bool can_go_on(const struct thread *thread)
{
	return !thread->is_over &&
		(thread->may_go_on == NULL || thread->may_go_on());
}

/* One of those that can go on, or NULL. */
static struct thread *pick(void)
{
	struct thread *ready[WEAK_THREADS];
	unsigned int i, count = 0;

	for (i = 0; i < WEAK_THREADS; i++)
		if (can_go_on(&threads[i]))
			ready[count++] = &threads[i];
	return count == 0 ? NULL : ready[weak_choose(count)];
}

static void begin_run(void)
{
	int i;

	places_count = choices_made = 0;
	memset(&all_fences, 0, sizeof(all_fences));
	failure = NULL;
	world->begin();
	for (i = 0; i < WEAK_THREADS; i++)
		begin_thread(i);
}

/* To its end, or to a state that was gone into before. */
static void run_once(void)
{
	int steps;

	begin_run();
	for (steps = 0; failure == NULL; steps++) {
		if (choices_made == choices_count && !is_new())
			return;
		running = pick();
		if (running == NULL) {
			failure = world->judge();
			return;
		}
		if (steps == STEPS_MOST) {
			failure = "it never ends";
			return;
		}
		resume();
	}
}

/* The last choice that has another way to go. */
static bool go_back(void)
{
	while (choices_count > 0) {
		struct choice *last = &choices[choices_count - 1];

		if (++last->chosen < last->count)
			return true;
		choices_count--;
	}
	return false;
}

struct weak_result weak_search(const struct weak_world *searched)
{
	struct weak_result result = { 0 };
	int i;

	world = searched;
	choices_count = 0;
	for (i = 0; i < WEAK_THREADS; i++)
		threads[i].stack = malloc(STACK);
	do {
		run_once();
		result.runs++;
	} while (failure == NULL && go_back());
	result.why = failure;
	result.states = seen_count;
	for (i = 0; i < WEAK_THREADS; i++)
		free(threads[i].stack);
	free(seen);
	seen = NULL;
	seen_room = seen_count = 0;
	return result;
}
