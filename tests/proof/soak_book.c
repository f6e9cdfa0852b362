/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proof/soak.h"

enum { PATTERN_SIZE = 65521 };

struct soak_book *soak_book;

static char pattern[PATTERN_SIZE + SOAK_SIZE_MOST];

/* splitmix64 */
uint32_t soak_random(uint64_t *state, uint32_t count)
{
	uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);

	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	value ^= value >> 31;
	return (uint32_t)((value >> 32) * count >> 32);
}

enum link_network soak_get_network(int address)
{
	return (enum link_network)(address % LINK_NETWORKS);
}

bool soak_is_abstract(int address)
{
	return address / LINK_NETWORKS % 2 != 0;
}

int soak_get_site(int address)
{
	return address < SOAK_SITES ? address : SOAK_STEADY;
}

static void make_pattern(void)
{
	uint64_t state = 1;
	size_t i;

	for (i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)soak_random(&state, 256);
}

/* The paths of sockets have to be short. */
static int make_dir(void)
{
	const char *parent = getenv("TMPDIR");

	if (parent == NULL || strlen(parent) > 40)
		parent = "/tmp";
	snprintf(soak_book->dir, sizeof(soak_book->dir),
		"%s/unixmsg-soak.XXXXXX", parent);
	/* Clients have their own files where whoever serves may pass. */
	if (mkdtemp(soak_book->dir) == NULL)
		return -1;
	return chmod(soak_book->dir, 0711);
}

int soak_book_open(uint64_t seed)
{
	soak_book = mmap(NULL, sizeof(*soak_book), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (soak_book == MAP_FAILED)
		return -1;
	soak_book->seed = seed;
	soak_book->pid = getpid();
	make_pattern();
	return make_dir();
}

/*
 * The first failure is told. Who comes later lets it be written: with the
 * conductor all others die.
 */
void soak_fail(const char *format, ...)
{
	va_list arguments;
	int i;

	if (!atomic_exchange(&soak_book->is_failing, true)) {
		va_start(arguments, format);
		vsnprintf(soak_book->failure, sizeof(soak_book->failure),
			format, arguments);
		va_end(arguments);
		soak_book->has_failed = true;
	}
	for (i = 0; i < 1000 && !soak_book->has_failed; i++)
		poll(NULL, 0, 1);
	_exit(EXIT_FAILURE);
}

struct soak_server *soak_get_server(uint32_t id)
{
	return &soak_book->servers[id % SOAK_SERVERS_KEPT];
}

/* A process id may come again: the last that had it is meant. */
struct soak_server *soak_find_server(pid_t pid)
{
	struct soak_server *server, *found = NULL;
	int i;

	for (i = 0; i < SOAK_SERVERS_KEPT; i++) {
		server = &soak_book->servers[i];
		if (server->pid == pid &&
			(found == NULL || found->id < server->id))
			found = server;
	}
	return found;
}

const char *soak_get_address(int address)
{
	static char text[108];
	const char *name = address < SOAK_SITES ? "site" : "steady";

	if (soak_is_abstract(address))
		snprintf(text, sizeof(text), "@unixmsg-soak-%d-%s-%d",
			(int)soak_book->pid, name, address);
	else
		snprintf(text, sizeof(text), "%s/%s-%d", soak_book->dir, name,
			address);
	return text;
}

static uint64_t mix(uint32_t client, uint32_t number)
{
	return ((uint64_t)client << 32 | number) * UINT64_C(0x9e3779b97f4a7c15);
}

/*
 * Most are small, some are not. Datagrams have one buffer for all answers of
 * a server, so theirs stay small.
 */
static uint32_t get_size(enum link_network network, uint32_t client,
	uint32_t number)
{
	const uint32_t head = sizeof(struct soak_head);
	uint64_t state = mix(client, number);
	uint32_t most = 256;

	switch (soak_random(&state, 64)) {
	case 0:
		most = network == LINK_GRAM ? 4096 : SOAK_SIZE_MOST;
		break;
	case 1:
		return head;
	case 2:
		most = 4096;
		break;
	}
	return head + soak_random(&state, most - head + 1);
}

static const char *get_pattern(const struct soak_head *head)
{
	uint64_t state = mix(head->number, head->client);

	return pattern + soak_random(&state, PATTERN_SIZE);
}

size_t soak_make_request(void *room, enum link_network network, uint32_t client,
	uint32_t number)
{
	const struct soak_head head = {
		.client = client,
		.number = number,
		.size = get_size(network, client, number),
	};

	memcpy(room, &head, sizeof(head));
	memcpy((char *)room + sizeof(head), get_pattern(&head),
		head.size - sizeof(head));
	return head.size;
}

uint32_t soak_check_answer(const void *answer, size_t size, int address,
	uint32_t client, uint32_t number)
{
	const enum link_network network = soak_get_network(address);
	struct soak_head head = { .size = 0 };

	if (size >= sizeof(head))
		memcpy(&head, answer, sizeof(head));
	if (size < sizeof(head) || head.client != client ||
		head.number != number)
		soak_fail("expected the answer to message %u of client %u at "
			  "%s, got that to %u of %u, %zu bytes, by server %u",
			number, client, soak_get_address(address), head.number,
			head.client, size, head.server);
	if (size != get_size(network, client, number) || head.size != size ||
		memcmp((const char *)answer + sizeof(head), get_pattern(&head),
			size - sizeof(head)) != 0)
		soak_fail("expected the answer to message %u of client %u at "
			  "%s as it was, it was altered by server %u",
			number, client, soak_get_address(address), head.server);
	return head.server;
}
