/* SPDX-License-Identifier: MIT */
/*
 * load: many clients of a service at once, and the service they talk to, which
 * is a process of its own (service_server.c).
 *
 * Every request and answer is checked to the last byte. No call has its own
 * time limit: the test has one.
 */
#ifndef UNIXMSG_TESTS_LOAD_H
#define UNIXMSG_TESTS_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "support/link.h"
#include "support/support.h"
#include "tools/common/histogram.h"
#include "unixmsg.h"

enum { LOAD_SIZE_MOST = 212960 };

/* The beginning of every request and answer. */
struct load_head {
	uint32_t client;
	uint32_t number;
	uint32_t answer_bytes; /* 0: as many as the request has */
	uint32_t size;         /* of the request */
};

/* Returns full, or taste in a quick run: see support_is_full. */
int load_choose(int taste, int full);

/* The server. */

struct load_server {
	pid_t pid;
	FILE *out;
	char counters[4096];
};

/*
 * Starts the server, with a list of arguments that ends with NULL, and waits
 * until it listens. Its standard error goes to the file log, or to ours if log
 * is NULL.
 */
void load_server_start(struct load_server *server, const char *log,
	const char *const *arguments);

/* Makes the server report its counters; load_server_get then returns one. */
void load_server_ask(struct load_server *server);
uint64_t load_server_get(const struct load_server *server, const char *name);

/* Asks until a counter has reached value. */
void load_server_await(struct load_server *server, const char *name,
	uint64_t value);

/*
 * With linger=1: makes the server drain, and keep its sockets. After a send to
 * a closed datagram socket, the kernel drops the unread messages of the sender.
 */
void load_server_drain(struct load_server *server);

/* Makes the server drain, and asserts that it ends with success. Then its last
 * counters are there, and every message counts in exactly one. */
void load_server_stop(struct load_server *server);

int64_t load_get_cpu_us(pid_t pid);
size_t load_get_resident_bytes(pid_t pid);

/* Whether what is freed is kept: AddressSanitizer does, to see its use. */
bool load_is_memory_kept(void);

/* Returns the part of a core that pid uses during duration_us, in percent,
 * minus that of an idle process. */
double load_measure_cpu(pid_t pid, int64_t duration_us);

/* Clients. */

struct load_client {
	struct link link;
	uint32_t events; /* what the loop waits for */
	uint32_t sent;
	uint32_t answered; /* or given up */
	int64_t sent_ns;   /* of the oldest request without an answer */
	bool is_refused;   /* nothing more can be sent */
};

struct load {
	enum link_network network;
	const char *address;
	int clients_count;
	uint32_t window; /* requests of a client without an answer */
	uint32_t size_most;
	uint32_t answer_bytes;
	int64_t patience_us; /* after it an answer is lost; 0: never */
	bool may_end;        /* the server may end */
	bool is_fragile;     /* load_run ends when anything is lost */
	struct load_client *clients;
	int epoll_fd;
	struct histogram *times;
	uint64_t lost;
	uint64_t late; /* answers after their patience */
};

/* Sets what most tests need: one client, small messages. */
void load_init(struct load *load, enum link_network network,
	const char *address);

/* Connects all clients. */
void load_open(struct load *load);

/* Each client sends that many more requests, and receives its answers. */
void load_run(struct load *load, uint32_t messages);

/* Each client sends until it has sent that many requests in all, and receives
 * its answers. No client may have sent more before. */
void load_run_until(struct load *load, uint32_t until);

void load_close(struct load *load);

/* Sends requests of one client, and receives no answers. Returns how many were
 * sent before there was no room. */
uint32_t load_send(struct load *load, struct load_client *client,
	uint32_t messages);

/* Receives the answers that are there. */
uint32_t load_take(struct load *load, struct load_client *client);

#endif
