/* SPDX-License-Identifier: MIT */
/*
 * The kernel charges unread messages to our send buffer even after their peer
 * was closed. They still count for the peer's user, who could otherwise fill
 * the buffer by opening peers and closing them.
 */
#include <config.h>

#include <stdlib.h>

#include "service/service_sender.h"

enum {
	UNREAD_FIRST = 16,
	/* More would fill the largest send buffer that we ask for. */
	UNREAD_MOST = 1024,
	/* Peers that one call looks up. */
	QUESTIONS_MOST = 4,
};

void unixunread__init(struct unread_list *unread)
{
	*unread = (struct unread_list){ .list = NULL };
}

/* The last entry replaces it. */
static void forget(struct unread_list *unread, size_t i)
{
	unread->list[i].user->unread_count--;
	unread->list[i] = unread->list[--unread->count];
}

void unixunread__free(struct unread_list *unread)
{
	while (unread->count > 0)
		forget(unread, unread->count - 1);
	free(unread->list);
}

static int reserve(struct unread_list *unread)
{
	const size_t room = unread->room == 0 ? UNREAD_FIRST : 2 * unread->room;
	struct unread *list;

	if (unread->count < unread->room)
		return 0;
	list = reallocarray(unread->list, room, sizeof(*list));
	if (list == NULL)
		return -1;
	unread->list = list;
	unread->room = room;
	return 0;
}

static size_t get_next(struct unread_list *unread)
{
	if (unread->next >= unread->count)
		unread->next = 0;
	return unread->next++;
}

/* Without memory the messages are forgotten. */
void unixunread__add(struct unread_list *unread, const struct sender *sender)
{
	if (unread->count == UNREAD_MOST)
		forget(unread, get_next(unread));
	if (reserve(unread) < 0)
		return;
	unread->list[unread->count++] = (struct unread){
		.user = sender->peer.user,
		.addr = sender->addr,
		.account = sender->account,
	};
	sender->peer.user->unread_count++;
}

void unixunread__resume(struct unread_list *unread, struct sender *sender)
{
	size_t i;

	if (sender->peer.user->unread_count == 0)
		return;
	for (i = 0; i < unread->count; i++) {
		if (unread->list[i].user != sender->peer.user ||
			!unixaddr_is_equal(&unread->list[i].addr,
				&sender->addr))
			continue;
		sender->account = unread->list[i].account;
		forget(unread, i);
		return;
	}
}

static void note_unread(void *context, const struct unixaddr *addr,
	uint32_t ino, uint64_t cookie)
{
	struct unread_list *unread = context;
	size_t i;

	for (i = 0; i < unread->count; i++)
		if (unixaddr_is_equal(&unread->list[i].addr, addr)) {
			unread->list[i].account.ino = ino;
			unread->list[i].account.cookie = cookie;
		}
}

static bool has_read_all(struct unread_list *unread, struct budget *budget,
	struct account *account)
{
	bool is_list_wanted;

	if (!unixbudget__is_held(budget, account, &is_list_wanted))
		return true;
	if (!is_list_wanted ||
		unixbudget__list(budget, note_unread, unread) < 0)
		return false;
	return !unixbudget__is_held(budget, account, &is_list_wanted);
}

void unixunread__look(struct unread_list *unread, struct budget *budget,
	const struct user *user)
{
	size_t i, looks = unread->count;
	int questions = 0;

	while (looks-- > 0 && questions < QUESTIONS_MOST) {
		i = get_next(unread);
		if (unread->list[i].user != user)
			continue;
		if (has_read_all(unread, budget, &unread->list[i].account))
			forget(unread, i);
		else
			questions++;
	}
}
