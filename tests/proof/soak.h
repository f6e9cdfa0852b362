/* SPDX-License-Identifier: MIT */
/*
 * soak: servers and clients that come, go, stop and are killed at random, for
 * as long as one likes, while every message is accounted for.
 *
 * One process, soak_conduct.c, follows a plan, soak_plan.c, and starts and ends
 * the others; they are servers, soak_server.c, and clients, soak_client.c, and
 * share one book with it, soak_book.c. Whoever sees that something is not as it
 * should be writes that into the book, and all is over.
 */
#ifndef UNIXMSG_TESTS_SOAK_H
#define UNIXMSG_TESTS_SOAK_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "support/link.h"

/* A number from 0 to count - 1, and so on: what comes follows from state. */
uint32_t soak_random(uint64_t *state, uint32_t count);

/*
 * Addresses. There are two kinds of names, paths and abstract ones, of each
 * network. The first six are served by a server each (a site) that comes and
 * goes, the others by one server that stays.
 */
enum {
	SOAK_SITES = 2 * LINK_NETWORKS,
	SOAK_STEADY = SOAK_SITES, /* as a site */
	SOAK_ADDRESSES = 2 * SOAK_SITES,
};

enum link_network soak_get_network(int address);
bool soak_is_abstract(int address);
int soak_get_site(int address);

/* Clients. The first six stay from the beginning, each at an address of the
 * server that stays. */
enum { SOAK_STEADY_CLIENTS = SOAK_SITES, SOAK_CLIENTS = 24 };

/* The plan. */

enum soak_action {
	/* A server of target: amount at once, of which one wins; 0: one, that
	 * takes the name from the elder should that still have it. */
	SOAK_START,
	SOAK_TAKE_OVER,     /* from the one before, which is the elder then */
	SOAK_STOP,          /* gracefully; it is the elder then */
	SOAK_KILL,          /* the server */
	SOAK_STOP_ELDER,    /* gracefully, one that was taken over from */
	SOAK_KILL_ELDER,    /* one that was taken over from, or is stopping */
	SOAK_AWAIT_ELDER,   /* the end of one that is stopping */
	SOAK_FREEZE,        /* SIGSTOP for the server */
	SOAK_COME,          /* a client, for the address amount */
	SOAK_LEAVE,         /* the client, with all its answers */
	SOAK_KILL_CLIENT,   /* with SIGKILL */
	SOAK_FREEZE_CLIENT, /* SIGSTOP */
	SOAK_FLOOD,         /* amount requests, without a look at answers */
	SOAK_CONNECT_ANEW,  /* the client; amount is whether at once */
	SOAK_THAW,          /* SIGCONT for all */
	SOAK_ACTIONS,
};

struct soak_step {
	enum soak_action action;
	int target;          /* a site, or a client */
	unsigned int amount; /* see above */
	int pause_ms;        /* after it */
};

/* What the plan takes to be so. */
struct soak_plan {
	uint64_t state;
	struct {
		bool is_there;
		enum { ELDER_NONE, ELDER_SERVES, ELDER_STOPS } elder;
	} sites[SOAK_SITES];
	bool has_client[SOAK_CLIENTS];
	bool is_any_frozen;
};

void soak_plan_init(struct soak_plan *plan, uint64_t seed);
struct soak_step soak_plan_next(struct soak_plan *plan);

/* One line, without its end. */
void soak_format_step(const struct soak_step *step, char *text, size_t room);

/* The book. */

enum { SOAK_SERVERS_KEPT = 4096, SOAK_STEPS_KEPT = 8 };

struct soak_server {
	_Atomic uint32_t id; /* never again the same */
	_Atomic bool is_killed;
	_Atomic pid_t pid;
	struct unixservice_counters counters; /* at its end */
};

/* Of one client's life. */
struct soak_client {
	_Atomic uint64_t sent;
	_Atomic uint64_t answered;
	_Atomic uint64_t lost;  /* with a server that was killed */
	_Atomic uint64_t given; /* up, by closing the connection at once */
	_Atomic uint64_t lanes; /* connections that have got one */
	/* What it is told to do. */
	_Atomic unsigned int flood;
	enum { KEEP, ANEW_POLITELY, ANEW_AT_ONCE } _Atomic order;
	_Atomic bool is_to_leave;
};

/* What a server is told to do wrong, to see whether that is seen. */
enum soak_fault {
	SOAK_SOUND,
	SOAK_ALTERS,  /* an answer */
	SOAK_DROPS,   /* an answer */
	SOAK_DOUBLES, /* an answer */
	SOAK_KEEPS_FDS,
	SOAK_KEEPS_FILE,
	SOAK_FAULTS,
};

struct soak_book {
	char dir[64];
	pid_t pid;
	uint64_t seed;
	enum soak_fault fault;
	/* Servers that are being killed, and that were. */
	_Atomic uint32_t kills[SOAK_SITES + 1];
	_Atomic uint32_t deaths[SOAK_SITES + 1];
	struct soak_server servers[SOAK_SERVERS_KEPT];
	struct soak_client clients[SOAK_CLIENTS];
	/* The last ones. */
	char steps[SOAK_STEPS_KEPT][80];
	unsigned int steps_count;
	_Atomic bool is_failing;
	char failure[512];
	_Atomic bool has_failed; /* failure says why */
	char report[512];
};

extern struct soak_book *soak_book;

/* Makes it, to be inherited, and a directory for the files of all. */
int soak_book_open(uint64_t seed);

/* Ends the process. Who is first is heard. */
_Noreturn void soak_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
#define SOAK_EXPECT(what)                                                      \
	do {                                                                   \
		if (!(what))                                                   \
			soak_fail("%s:%d: expected: %s (errno: %s)", __FILE__, \
				__LINE__, #what, strerror(errno));             \
	} while (0)

struct soak_server *soak_get_server(uint32_t id);
/* NULL: it was no server of ours, or is long gone. */
struct soak_server *soak_find_server(pid_t pid);

/* The text is static. */
const char *soak_get_address(int address);

/* Messages: a head, and bytes that follow from it. */

enum { SOAK_SIZE_MOST = 65536 };

struct soak_head {
	uint32_t client; /* which life of which client */
	uint32_t number;
	uint32_t server; /* who answers; 0 in a request */
	uint32_t size;   /* the last: what alters the last byte shows there */
};

/* Gives its size. */
size_t soak_make_request(void *room, enum link_network network, uint32_t client,
	uint32_t number);

/* Fails unless it is what a server makes of the request. Gives the server. */
uint32_t soak_check_answer(const void *answer, size_t size, int address,
	uint32_t client, uint32_t number);

/* The processes. */

/* Writes what became of it into ready: 0, or an errno. */
_Noreturn void soak_serve(int site, uint32_t id, unsigned int name_flags,
	int ready);

_Noreturn void soak_talk(int client, uint32_t life, int address);

_Noreturn void soak_conduct(int seconds);

/* fork(2): the child dies with us. */
pid_t soak_fork(void);

#endif
