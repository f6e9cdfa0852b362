/* SPDX-License-Identifier: MIT */
/*
 * Peers that the program sends to first, by their address. The kernel gives the
 * receiver of a datagram only the name that the sender gave to bind(2), as
 * text. So such a peer is known by that name, but the service sends to the
 * address that the program has chosen.
 */
#include <config.h>

#include <errno.h>
#include <sys/stat.h>

#include "name/file.h"
#include "name/name_private.h"
#include "network/conn_private.h"
#include "service/service_sender.h"

static int close_with(struct unixconn *conn, int result)
{
	int saved = errno;

	unixconn_close(conn);
	errno = saved;
	return result;
}

/* Gets the name of the socket at address, whose owner does not notice. */
static int ask_for_name(const char *address, struct unixaddr *name)
{
	static const struct unixdial_options options = {
		.flags = UNIXMSG_DIAL_UNNAMED,
	};
	struct unixconn *conn =
		unixconn_dial("unixgram", address, &options, UNIXMSG_NOW);

	if (conn == NULL)
		return -1;
	return close_with(conn, unixconn_get_peer(conn, name));
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* Returns EPERM unless path is absolute and leads to the same socket here. */
static int check_path(const struct unixaddr *path, const char *address)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct stat named, found;
	size_t size;

	if (*unixaddr_get_name(path, &size) != '/')
		return refuse(EPERM);
	unixaddr_format(path, text, sizeof(text));
	if (unixname__look(address, &found) < 0)
		return -1;
	if (unixname__look(text, &named) < 0)
		return errno == ENOENT ? refuse(EPERM) : -1;
	return unixfile__is_same(&found, named.st_dev, named.st_ino)
		? 0
		: refuse(EPERM);
}

static int find_name(const struct senders *senders, const char *address,
	struct unixaddr *name)
{
	struct unixaddr own;

	if (ask_for_name(address, name) < 0 ||
		unixconn_get_address(senders->gram, &own) < 0)
		return -1;
	if (unixaddr_is_equal(&own, name))
		return refuse(EINVAL);
	return unixaddr_get_kind(name) == UNIXADDR_ABSTRACT
		? 0
		: check_path(name, address);
}

/* Finds a proved peer of that name. Closes an unproved one, to make room. */
static int find_known(struct unixservice *service, struct senders *senders,
	const struct unixaddr *name, struct sender **known)
{
	*known = unixsenders__find(senders, name);
	if (*known == NULL || (*known)->is_proved ||
		unixproofs__prove(&senders->proofs, *known,
			unixconn_get_fd(senders->gram)) == 0)
		return 0;
	if (errno != EPERM)
		return -1;
	unixservice__disconnect(service, &(*known)->peer, ESTALE);
	*known = NULL;
	return 0;
}

/* The user of the new peer is unknown until its first message. */
static int add_sender(struct unixservice *service, struct senders *senders,
	const struct unixaddr *name, const struct unixaddr *to, uint64_t *id)
{
	struct user *user =
		unixusers__get(&service->users, (uid_t)-1, service->now_us);
	struct sender *sender;

	if (user == NULL)
		return -1;
	sender = unixsenders__enter(service, senders, name, user, NULL);
	if (sender == NULL)
		return -1;
	sender->proof.to = *to;
	sender->is_proved = true;
	sender->is_unheard = true;
	*id = sender->peer.id;
	unixservice_keep_peer(service, *id, true);
	sender->peer.is_opened = true;
	unixservice__tell_of(service, UNIXSERVICE_OPENED, &sender->peer, 0);
	return 0;
}

int unixservice__open_sender(struct unixservice *service,
	struct senders *senders, const char *address, uint64_t *id)
{
	struct unixaddr name, to;
	struct sender *known;

	unixservice__look_at_clock(service);
	if (unixaddr_parse(&to, address) < 0 ||
		find_name(senders, address, &name) < 0 ||
		find_known(service, senders, &name, &known) < 0)
		return -1;
	if (known == NULL)
		return add_sender(service, senders, &name, &to, id);
	*id = known->peer.id;
	return unixservice_keep_peer(service, *id, true);
}

int unixservice__open_connection(struct unixservice *service,
	const struct network *network, const char *address, unsigned int flags,
	uint64_t *id)
{
	struct unixconn *conn =
		unixconn_dial(network->name, address, NULL, UNIXMSG_NOW);

	if (conn == NULL)
		return -1;
	if (unixservice__add_link(service, conn, flags != 0, id) == 0)
		return 0;
	return close_with(conn, -1);
}
