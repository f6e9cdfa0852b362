/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/endpoint.h"
#include "base/fd.h"
#include "name/diag.h"
#include "service/budget.h"
#include "unixmsg/deadline.h"

/* The kernel adds struct skb_shared_info and struct sk_buff to a message; up to
 * piece_most it allocates one piece of memory for it. */
static const size_t shared_info = 320;
static const size_t header = 256;
static const size_t piece_first = 512;
static const size_t piece_most = 16384;

/* Parts of the send buffer. */
enum {
	NO_LOOK_PART = 8, /* may be unread before any receiver is looked up */
	SHARE_PART = 4,   /* of what is left, for one receiver that reads */
	LARGE_PART = 64,  /* a larger message counts as large */
};

/* Probes for a receiver that may or may not have read an empty message. */
enum { PROBES_MOST = 16 };

/* After a list the next waits list_part times as long, plus a pause. */
static const int64_t list_part = 20;
static const int64_t list_pause_us = 1000;

/* Measured on Linux 6.18; an estimate suffices. */
static size_t get_cost(size_t size)
{
	size_t piece = piece_first;

	if (size + shared_info > piece_most)
		return size + size / 2 + header;
	while (piece < size + shared_info)
		piece *= 2;
	return piece + header;
}

int unixbudget__init(struct budget *budget, int fd, size_t bytes)
{
	*budget = (struct budget){ .fd = fd, .round = 1, .diag_fd = -1 };
	return unixendpoint__raise_buffer(fd, bytes, &budget->limit);
}

void unixbudget__free(struct budget *budget)
{
	fd_close(budget->diag_fd);
}

static bool needs_no_look(const struct budget *budget, size_t cost)
{
	return budget->level + cost <= budget->limit / NO_LOOK_PART;
}

/* Corrects the level by what the kernel says. */
static void look(struct budget *budget)
{
	int charged;

	if (ioctl(budget->fd, SIOCOUTQ, &charged) < 0)
		return;
	budget->level = (size_t)charged;
	if (charged == 0)
		budget->round++;
}

/* The state of a receiver's queue. */
enum waiting {
	WAITING_UNKNOWN,
	WAITING_NOTHING, /* or an empty message first */
	WAITING_SOMETHING,
	WAITING_NOWHERE, /* that socket no longer exists */
};

static int take_socket(void *context, const struct unixdiag_socket *socket)
{
	enum waiting *waiting = context;

	if (socket->has & UNIXDIAG_HAS_QUEUE)
		*waiting = socket->receive_queue == 0 ? WAITING_NOTHING
						      : WAITING_SOMETHING;
	return 0;
}

static int ask(struct budget *budget, const struct account *account,
	enum waiting *waiting)
{
	/* A descriptor shared by fork(2) would mix up two processes'
	 * answers. */
	if (budget->diag_owner != getpid())
		budget->diag_fd = fd_close(budget->diag_fd);
	budget->diag_owner = getpid();
	if (budget->diag_fd < 0)
		budget->diag_fd = unixdiag__open();
	if (budget->diag_fd < 0)
		return -1;
	return unixdiag__find_by(budget->diag_fd, ++budget->sequence,
		account->ino, account->cookie, take_socket, waiting);
}

/* For a datagram socket the kernel tells the size of the first message only. */
static enum waiting look_up(struct budget *budget, struct account *account)
{
	enum waiting waiting = WAITING_UNKNOWN;
	int saved = errno;

	if (account->ino == 0)
		return WAITING_UNKNOWN;
	if (ask(budget, account, &waiting) < 0 &&
		(errno == ENOENT || errno == ESTALE)) {
		waiting = WAITING_NOWHERE;
		account->ino = 0;
	}
	errno = saved;
	return waiting;
}

static void clear_account(struct account *account)
{
	account->bytes = 0;
	account->has_empty = false;
	account->is_probe = false;
	account->probes = 0;
}

static void forget_last_round(const struct budget *budget,
	struct account *account)
{
	if (account->round == budget->round)
		return;
	account->round = budget->round;
	clear_account(account);
}

static size_t get_share(const struct budget *budget)
{
	const size_t common = budget->limit / 4 * 3;

	return budget->level < common ? (common - budget->level) / SHARE_PART
				      : 0;
}

/* One large message must not fill the rest of the buffer. */
static bool is_large_for(const struct budget *budget, size_t cost)
{
	return cost > budget->limit / LARGE_PART &&
		budget->level > budget->limit / 4 &&
		budget->level + cost > budget->limit / 4 * 3;
}

static bool is_within_share(const struct budget *budget,
	const struct account *account, size_t cost)
{
	/* The first message is sent: nothing shows yet that its receiver reads
	 * none. */
	return account->bytes == 0 ||
		(account->is_reader &&
			account->bytes + cost <= get_share(budget));
}

/* A quick reader may read every probe before we look, so half of the buffer is
 * for receivers whose state the kernel cannot tell. */
static bool may_probe(const struct budget *budget, struct account *account,
	size_t cost)
{
	account->is_probe = account->probes < PROBES_MOST;
	return account->is_probe || budget->level + cost <= budget->limit / 2;
}

bool unixbudget__allows(struct budget *budget, struct account *account,
	size_t size, bool *is_list_wanted)
{
	const size_t cost = get_cost(size);

	*is_list_wanted = false;
	if (needs_no_look(budget, cost))
		return true;
	look(budget);
	forget_last_round(budget, account);
	if (needs_no_look(budget, cost))
		return true;
	if (is_large_for(budget, cost))
		return false;
	if (is_within_share(budget, account, cost))
		return true;
	account->is_reader = false;
	switch (look_up(budget, account)) {
	case WAITING_NOTHING:
		if (account->has_empty)
			return may_probe(budget, account, cost);
		clear_account(account);
		account->is_reader = true;
		return true;
	case WAITING_NOWHERE:
		clear_account(account);
		return true;
	default:
		*is_list_wanted = account->ino == 0 && !budget->is_list_missing;
		return false;
	}
}

bool unixbudget__is_held(struct budget *budget, struct account *account,
	bool *is_list_wanted)
{
	enum waiting waiting;

	*is_list_wanted = false;
	if (account->bytes == 0 || needs_no_look(budget, 0))
		return false;
	look(budget);
	forget_last_round(budget, account);
	if (account->bytes == 0 || needs_no_look(budget, 0))
		return false;
	waiting = look_up(budget, account);
	*is_list_wanted = waiting == WAITING_UNKNOWN && account->ino == 0 &&
		!budget->is_list_missing;
	if (waiting == WAITING_UNKNOWN || waiting == WAITING_SOMETHING ||
		(waiting == WAITING_NOTHING && account->has_empty))
		return true;
	clear_account(account);
	return false;
}

/* If the receiver reads the probe before we look, the next one tells. */
static void finish_probe(struct budget *budget, struct account *account,
	size_t size)
{
	account->is_probe = false;
	account->probes++;
	if (size == 0 || look_up(budget, account) != WAITING_SOMETHING)
		return;
	clear_account(account);
	account->bytes = get_cost(size);
}

void unixbudget__charge(struct budget *budget, struct account *account,
	size_t size)
{
	const size_t cost = get_cost(size);

	forget_last_round(budget, account);
	budget->level += cost;
	account->bytes += cost;
	if (size == 0)
		account->has_empty = true;
	if (account->is_probe)
		finish_probe(budget, account, size);
}

struct listing {
	unixbudget_note *note;
	void *context;
};

static int list_socket(void *context, const struct unixdiag_socket *socket)
{
	const struct listing *listing = context;

	if (socket != NULL && socket->type == SOCK_DGRAM)
		listing->note(listing->context, &socket->addr, socket->ino,
			socket->cookie);
	return 0;
}

int unixbudget__list(struct budget *budget, unixbudget_note *note,
	void *context)
{
	struct listing listing = { .note = note, .context = context };
	int64_t start_us = unixdeadline_now_us(), end_us;
	int result, saved = errno;

	if (start_us < budget->list_us)
		return -1;
	result = unixdiag__list_names(list_socket, &listing);
	if (result < 0)
		budget->is_list_missing =
			errno == ENOENT || errno == EPROTONOSUPPORT;
	errno = saved;
	end_us = unixdeadline_now_us();
	budget->list_us =
		end_us + list_pause_us + list_part * (end_us - start_us);
	return result;
}
