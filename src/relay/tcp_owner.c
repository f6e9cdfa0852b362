/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "relay/tcp_owner.h"

enum { END_ROOM = 48, LINE_ROOM = 512 };

/* An end of the connection as the kernel writes it. */
union end {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Addresses are words in the order of memory, ports are numbers. */
static void format_v4(char text[END_ROOM], const union end *end, bool is_mapped)
{
	snprintf(text, END_ROOM, "%s%08X:%04X",
		is_mapped ? "0000000000000000FFFF0000" : "",
		end->v4.sin_addr.s_addr, ntohs(end->v4.sin_port));
}

static void format_v6(char text[END_ROOM], const union end *end)
{
	uint32_t words[4];

	memcpy(words, &end->v6.sin6_addr, sizeof(words));
	snprintf(text, END_ROOM, "%08X%08X%08X%08X:%04X", words[0], words[1],
		words[2], words[3], ntohs(end->v6.sin6_port));
}

static void format(char text[END_ROOM], const union end *end, bool is_mapped)
{
	if (end->any.sa_family == AF_INET)
		format_v4(text, end, is_mapped);
	else
		format_v6(text, end);
}

static const char *skip_word(const char *text)
{
	text += strspn(text, " ");
	return text + strcspn(text, " ");
}

/*
 * Behind the addresses stand the state, queues, timer, retransmissions and the
 * user. A connection that is not established (01) has no owner, and seems
 * root's.
 */
static bool is_line_of(const char *line, const char *key, uid_t *user)
{
	static const char established[] = " 01 ";
	const char *rest = strstr(line, key);

	if (rest == NULL)
		return false;
	rest += strlen(key);
	if (strncmp(rest, established, strlen(established)) != 0)
		return false;
	rest = skip_word(skip_word(skip_word(skip_word(rest))));
	*user = (uid_t)strtoul(rest, NULL, 10);
	return true;
}

static int search(const char *path, const char *key, uid_t *user)
{
	char line[LINE_ROOM];
	FILE *file = fopen(path, "re");
	int result = -1;

	if (file == NULL)
		return -1;
	errno = ENOENT;
	while (result < 0 && fgets(line, sizeof(line), file) != NULL)
		if (is_line_of(line, key, user))
			result = 0;
	fclose(file);
	return result;
}

static int search_as(const char *path, const union end *theirs,
	const union end *ours, bool is_mapped, uid_t *user)
{
	char first[END_ROOM], second[END_ROOM], key[2 * END_ROOM + 2];

	format(first, theirs, is_mapped);
	format(second, ours, is_mapped);
	snprintf(key, sizeof(key), " %s %s", first, second);
	return search(path, key, user);
}

int tcp_owner_find(int fd, uid_t *user)
{
	union end theirs = { .v6 = { .sin6_port = 0 } }, ours = theirs;
	socklen_t size = sizeof(theirs);

	if (getpeername(fd, &theirs.any, &size) < 0)
		return -1;
	size = sizeof(ours);
	if (getsockname(fd, &ours.any, &size) < 0)
		return -1;
	if (ours.any.sa_family == AF_INET &&
		search_as("/proc/net/tcp", &theirs, &ours, false, user) == 0)
		return 0;
	/* A server may accept IPv4 by a socket for IPv6. */
	return search_as("/proc/net/tcp6", &theirs, &ours, true, user);
}
