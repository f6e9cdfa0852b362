/* SPDX-License-Identifier: MIT */
/*
 * The kernel charges unread messages to our send buffer even after their peer
 * was closed. They count as debts of the peer's user, who could otherwise fill
 * the buffer by opening peers and closing them.
 */
#include <config.h>

#include <stdlib.h>

#include "service/service_sender.h"

enum {
	DEBTS_FIRST = 16,
	/* More would fill the largest send buffer that we ask for. */
	DEBTS_MOST = 1024,
	/* Debtors that one call looks up. */
	QUESTIONS_MOST = 4,
};

void unixdebts__init(struct debts *debts)
{
	*debts = (struct debts){ .list = NULL };
}

void unixdebts__free(struct debts *debts)
{
	free(debts->list);
}

/* The last entry replaces it. */
static void forget(struct debts *debts, size_t i)
{
	debts->list[i].user->debts_count--;
	debts->list[i] = debts->list[--debts->count];
}

static int reserve(struct debts *debts)
{
	const size_t room = debts->room == 0 ? DEBTS_FIRST : 2 * debts->room;
	struct debt *list;

	if (debts->count < debts->room)
		return 0;
	list = reallocarray(debts->list, room, sizeof(*list));
	if (list == NULL)
		return -1;
	debts->list = list;
	debts->room = room;
	return 0;
}

static size_t get_next(struct debts *debts)
{
	if (debts->next >= debts->count)
		debts->next = 0;
	return debts->next++;
}

/* Without memory the debt is forgotten. */
void unixdebts__add(struct debts *debts, const struct sender *sender)
{
	if (debts->count == DEBTS_MOST)
		forget(debts, get_next(debts));
	if (reserve(debts) < 0)
		return;
	debts->list[debts->count++] = (struct debt){
		.user = sender->peer.user,
		.addr = sender->addr,
		.holding = sender->holding,
	};
	sender->peer.user->debts_count++;
}

void unixdebts__resume(struct debts *debts, struct sender *sender)
{
	size_t i;

	if (sender->peer.user->debts_count == 0)
		return;
	for (i = 0; i < debts->count; i++) {
		if (debts->list[i].user != sender->peer.user ||
			!unixaddr_is_equal(&debts->list[i].addr, &sender->addr))
			continue;
		sender->holding = debts->list[i].holding;
		forget(debts, i);
		return;
	}
}

static void note_debtor(void *context, const struct unixaddr *addr,
	uint32_t ino, uint64_t cookie)
{
	struct debts *debts = context;
	size_t i;

	for (i = 0; i < debts->count; i++)
		if (unixaddr_is_equal(&debts->list[i].addr, addr)) {
			debts->list[i].holding.ino = ino;
			debts->list[i].holding.cookie = cookie;
		}
}

static bool is_paid(struct debts *debts, struct budget *budget,
	struct holding *holding)
{
	bool is_list_wanted;

	if (!unixbudget__is_held(budget, holding, &is_list_wanted))
		return true;
	if (!is_list_wanted || unixbudget__list(budget, note_debtor, debts) < 0)
		return false;
	return !unixbudget__is_held(budget, holding, &is_list_wanted);
}

void unixdebts__settle(struct debts *debts, struct budget *budget,
	const struct user *user)
{
	size_t i, looks = debts->count;
	int questions = 0;

	while (looks-- > 0 && debts->count > 0 && questions < QUESTIONS_MOST) {
		i = get_next(debts);
		if (debts->list[i].user != user)
			continue;
		if (is_paid(debts, budget, &debts->list[i].holding))
			forget(debts, i);
		else
			questions++;
	}
}
