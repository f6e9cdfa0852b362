/* SPDX-License-Identifier: MIT */
/*
 * Peers that the program sends to first, by their address. The kernel gives the
 * receiver of a datagram only the name that the sender gave to bind(2), as
 * text. So such a peer is known by that name, but the service sends to the file
 * that the program has chosen.
 */
#include <config.h>

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "name/name_private.h"
#include "network/network.h"
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

/*
 * The owner of the socket chooses where its name leads, and may choose a place
 * where another socket will stand: messages go to the file that is there now.
 */
static int find_file(struct unixproof *proof, const struct unixaddr *name,
	const char *address)
{
	struct stat chosen;

	if (unixaddr_get_kind(name) == UNIXADDR_ABSTRACT)
		return unixproof__find_chosen(proof, name, NULL);
	if (unixname__look(address, &chosen) < 0)
		return -1;
	if (unixproof__find_chosen(proof, name, &chosen) == 0)
		return 0;
	return errno == ENOENT || errno == ELOOP ? refuse(EPERM) : -1;
}

static int find_name(const struct senders *senders, const char *address,
	struct unixaddr *name, struct unixproof *proof)
{
	struct unixaddr own;

	if (ask_for_name(address, name) < 0 ||
		unixconn_get_address(senders->gram, &own) < 0)
		return -1;
	if (unixaddr_is_equal(&own, name))
		return refuse(EINVAL);
	return find_file(proof, name, address);
}

/* Proves a known peer again, unless the file is still the one it had. */
static int prove_anew(struct senders *senders, struct sender *sender,
	const struct unixproof *proof)
{
	if (unixproof__is_same_file(&sender->proof, proof))
		return 0;
	if (sender->is_only_opened && sender->proof.fd < 0 && proof->fd < 0)
		return 0;
	unixproofs__forget(&senders->proofs, sender);
	return unixproofs__prove(&senders->proofs, sender,
		unixconn_get_fd(senders->gram));
}

/* Finds a proved peer of that name. Closes an unproved one, to make room. */
static int find_known(struct unixservice *service, struct senders *senders,
	const struct unixaddr *name, const struct unixproof *proof,
	struct sender **known)
{
	*known = unixsenders__find(senders, name);
	if (*known == NULL || prove_anew(senders, *known, proof) == 0)
		return 0;
	if (errno != EPERM)
		return -1;
	unixservice__disconnect(service, &(*known)->peer, ESTALE);
	*known = NULL;
	return 0;
}

/* The user of the new peer is unknown until its first message. */
static struct sender *enter(struct unixservice *service,
	struct senders *senders, const struct unixaddr *name)
{
	struct user *user =
		unixusers__get(&service->users, (uid_t)-1, service->now_us);

	if (user == NULL)
		return NULL;
	return unixsenders__enter(service, senders, name, user, NULL);
}

static int add_sender(struct unixservice *service, struct senders *senders,
	const struct unixaddr *name, const struct unixproof *proof,
	uint64_t *id)
{
	struct sender *sender = enter(service, senders, name);

	if (sender == NULL)
		return fd_close_with(proof->fd, -1);
	if (unixproofs__hold(&senders->proofs, sender, proof) < 0) {
		unixservice__disconnect(service, &sender->peer, errno);
		return refuse(EAGAIN);
	}
	sender->is_only_opened = true;
	*id = sender->peer.id;
	unixservice_keep_peer(service, *id, true);
	sender->peer.is_opened = true;
	unixservice__tell_of(service, UNIXSERVICE_OPENED, &sender->peer, 0);
	return 0;
}

static int open_named(struct unixservice *service, struct senders *senders,
	const struct unixaddr *name, const struct unixproof *proof,
	uint64_t *id)
{
	struct sender *sender;

	if (find_known(service, senders, name, proof, &sender) < 0)
		return fd_close_with(proof->fd, -1);
	if (sender == NULL)
		return add_sender(service, senders, name, proof, id);
	fd_close(proof->fd);
	*id = sender->peer.id;
	return unixservice_keep_peer(service, *id, true);
}

int unixservice__open_sender(struct unixservice *service,
	struct senders *senders, const char *address, uint64_t *id)
{
	struct unixproof proof;
	struct unixaddr name;

	unixservice__look_at_clock(service);
	if (find_name(senders, address, &name, &proof) < 0)
		return -1;
	return open_named(service, senders, &name, &proof, id);
}

int unixservice__open_connection(struct unixservice *service,
	const struct network *network, const char *address, unsigned int flags,
	uint64_t *id)
{
	/* A later unixconn_want would miss messages that come at once. */
	const struct unixdial_options options = {
		.wants = unixservice__choose_wants(service, network->type,
			flags != 0, 0),
	};
	struct unixconn *conn =
		unixconn_dial(network->name, address, &options, UNIXMSG_NOW);

	if (conn == NULL)
		return -1;
	if (unixservice__add_link(service, conn, flags != 0, id) == 0)
		return 0;
	return close_with(conn, -1);
}
