/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "relay/servers.h"

static const char default_port[] = "4222";

static int fail(int error)
{
	errno = error;
	return -1;
}

/* The two parts of HOST:PORT; a missing port is 4222. */
struct parts {
	char host[NATS_URL_ROOM];
	const char *port;
};

static int cut_bracketed(struct parts *parts)
{
	char *end = strchr(parts->host, ']');

	if (end == NULL || (end[1] != ':' && end[1] != '\0'))
		return fail(EINVAL);
	*end = '\0';
	parts->port = end[1] == ':' ? end + 2 : default_port;
	memmove(parts->host, parts->host + 1, strlen(parts->host + 1) + 1);
	return 0;
}

static int cut(struct parts *parts, const char *text)
{
	char *colon;

	memcpy(parts->host, text, strlen(text) + 1);
	if (*text == '[')
		return cut_bracketed(parts);
	colon = strchr(parts->host, ':');
	parts->port = colon == NULL ? default_port : colon + 1;
	if (colon != NULL)
		*colon = '\0';
	return 0;
}

static int read_port(const char *text, in_port_t *port)
{
	unsigned int number = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 5; i++)
		number = number * 10 + (unsigned int)(text[i] - '0');
	if (text[i] != '\0' || number == 0 || number > UINT16_MAX)
		return fail(EINVAL);
	*port = htons((uint16_t)number);
	return 0;
}

static int read_v6(struct server *server, const char *host, in_port_t port)
{
	struct sockaddr_in6 *v6 = &server->address.v6;

	if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
		return fail(EINVAL);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = port;
	server->length = sizeof(*v6);
	return 0;
}

static int read_v4(struct server *server, const char *host, in_port_t port)
{
	struct sockaddr_in *v4 = &server->address.v4;

	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &v4->sin_addr) != 1)
		return fail(EINVAL);
	v4->sin_family = AF_INET;
	v4->sin_port = port;
	server->length = sizeof(*v4);
	return 0;
}

static int read_server(struct server *server, const char *text)
{
	struct parts parts;
	in_port_t port;

	memset(server, 0, sizeof(*server));
	if (strlen(text) >= sizeof(server->text))
		return fail(EINVAL);
	memcpy(server->text, text, strlen(text) + 1);
	if (cut(&parts, text) < 0 || read_port(parts.port, &port) < 0)
		return -1;
	if (*text == '[')
		return read_v6(server, parts.host, port);
	return read_v4(server, parts.host, port);
}

static bool is_loopback(const struct server *server)
{
	if (server->address.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&server->address.v6.sin6_addr);
	return ntohl(server->address.v4.sin_addr.s_addr) >> 24 ==
		IN_LOOPBACKNET;
}

static bool is_same(const struct server *a, const struct server *b)
{
	if (a->address.any.sa_family != b->address.any.sa_family)
		return false;
	if (a->address.any.sa_family == AF_INET6)
		return a->address.v6.sin6_port == b->address.v6.sin6_port &&
			IN6_ARE_ADDR_EQUAL(&a->address.v6.sin6_addr,
				&b->address.v6.sin6_addr);
	return a->address.v4.sin_port == b->address.v4.sin_port &&
		a->address.v4.sin_addr.s_addr == b->address.v4.sin_addr.s_addr;
}

static bool is_known(const struct servers *servers, const struct server *server)
{
	size_t i;

	for (i = 0; i < servers->count; i++)
		if (is_same(&servers->all[i], server))
			return true;
	return false;
}

static int add(struct servers *servers, const char *text)
{
	struct server server;

	if (read_server(&server, text) < 0)
		return -1;
	if (!servers->is_any_allowed && !is_loopback(&server))
		return fail(EPERM);
	if (is_known(servers, &server))
		return 0;
	if (servers->count == SERVERS_MAX)
		return fail(E2BIG);
	servers->all[servers->count++] = server;
	return 0;
}

int servers_init(struct servers *servers, const char *list, bool is_any_allowed)
{
	char text[NATS_URL_ROOM];
	size_t size;

	memset(servers, 0, sizeof(*servers));
	servers->is_any_allowed = is_any_allowed;
	for (;; list += size + 1) {
		size = strcspn(list, ",");
		if (size >= sizeof(text))
			return fail(EINVAL);
		memcpy(text, list, size);
		text[size] = '\0';
		if (add(servers, text) < 0)
			return -1;
		servers->configured = servers->count;
		if (list[size] == '\0')
			return 0;
	}
}

void servers_learn(struct servers *servers, const struct nats_info *info)
{
	int saved = errno;
	size_t i;

	servers->count = servers->configured;
	for (i = 0; i < info->urls_count; i++)
		add(servers, info->urls[i]);
	errno = saved;
}

const struct server *servers_take(struct servers *servers)
{
	if (servers->next >= servers->count)
		servers->next = 0;
	return &servers->all[servers->next++];
}
