/* SPDX-License-Identifier: MIT */
/*
 * The books: each message that was received or pushed ends in one counter.
 * Until then queued bytes are counted in total, for the peer, and for its user.
 */
#include <config.h>

#include <errno.h>

#include "service/service_private.h"

void unixservice__end(struct unixservice *service, uint64_t *counter)
{
	service->counters.waiting--;
	++*counter;
}

enum relation unixservice__count_message(struct unixservice *service,
	struct peer *peer)
{
	struct call *call = &service->call;

	if (service->is_pushing) {
		service->counters.pushed++;
		return PUSHED;
	}
	if (call->is_on && call->peer == peer && !call->is_settled) {
		call->is_settled = true;
		return ANSWER_NOW;
	}
	if (peer->owed > 0) {
		peer->owed--;
		return ANSWER_LATER;
	}
	service->counters.pushed++;
	return PUSHED;
}

/* The program made a mistake: counts as if it had not called. */
void unixservice__uncount_message(struct unixservice *service,
	struct peer *peer, enum relation relation)
{
	if (relation == ANSWER_NOW)
		service->call.is_settled = false;
	else if (relation == ANSWER_LATER)
		peer->owed++;
	else
		service->counters.pushed--;
}

void unixservice__count_sent(struct unixservice *service, struct peer *peer,
	size_t size, bool is_answer)
{
	service->counters.sent_bytes += size;
	peer->sent++;
	if (is_answer)
		unixservice__end(service, &service->counters.answered);
}

void unixservice__count_lost(struct unixservice *service, struct peer *peer,
	bool is_answer, uint64_t *counter)
{
	peer->lost++;
	if (is_answer)
		unixservice__end(service, counter);
	else
		service->counters.pushed_lost++;
}

void unixservice__lose(struct unixservice *service, struct peer *peer,
	bool is_answer, uint64_t *counter, int error)
{
	unixservice__count_lost(service, peer, is_answer, counter);
	unixservice__tell_of(service,
		counter == &service->counters.unproved ? UNIXSERVICE_UNPROVED
						       : UNIXSERVICE_LOST,
		peer, error);
}

uint64_t *unixservice__get_failure(struct unixservice *service,
	const struct peer *peer, int error)
{
	return error == EPERM && peer->is_unproved ? &service->counters.unproved
						   : &service->counters.failed;
}

void unixservice__remove_queued(struct unixservice *service, struct peer *peer,
	struct queued **place)
{
	const size_t bytes = (*place)->size + UNIXOUTBOX_OVERHEAD;

	service->counters.queued--;
	service->counters.queued_bytes -= bytes;
	peer->user->queued_bytes -= bytes;
	unixoutbox__remove(&peer->outbox, place);
}

void unixservice__count_queued(struct unixservice *service,
	const struct peer *peer, size_t bytes)
{
	struct unixservice_counters *counters = &service->counters;

	peer->user->queued_bytes += bytes;
	counters->queued++;
	counters->queued_bytes += bytes;
	if (counters->queued > counters->queued_most)
		counters->queued_most = counters->queued;
	if (counters->queued_bytes > counters->queued_bytes_most)
		counters->queued_bytes_most = counters->queued_bytes;
}

void unixservice__drop_late(struct unixservice *service, struct peer *peer,
	int64_t since_us)
{
	struct queued *queued;
	bool is_answer;

	while ((queued = peer->outbox.first) != NULL &&
		queued->since_us <= since_us) {
		is_answer = queued->is_answer;
		unixservice__remove_queued(service, peer, &peer->outbox.first);
		unixservice__lose(service, peer, is_answer,
			&service->counters.late, ETIMEDOUT);
	}
}

void unixservice__lose_queued(struct unixservice *service, struct peer *peer,
	uint64_t *counter, int error)
{
	bool is_answer;

	while (peer->outbox.first != NULL) {
		is_answer = peer->outbox.first->is_answer;
		unixservice__remove_queued(service, peer, &peer->outbox.first);
		unixservice__lose(service, peer, is_answer, counter, error);
	}
}

void unixservice__drop_all(struct unixservice *service, struct peer *peer,
	uint64_t *counter)
{
	bool is_answer;

	while (peer->outbox.first != NULL) {
		is_answer = peer->outbox.first->is_answer;
		unixservice__remove_queued(service, peer, &peer->outbox.first);
		unixservice__count_lost(service, peer, is_answer, counter);
	}
}

void unixservice__count_partial(struct unixservice *service, struct peer *peer,
	size_t bytes)
{
	struct unixservice_counters *counters = &service->counters;

	counters->partial_bytes += bytes - peer->partial_bytes;
	peer->user->partial_bytes += bytes - peer->partial_bytes;
	peer->partial_bytes = bytes;
	if (counters->partial_bytes > counters->partial_bytes_most)
		counters->partial_bytes_most = counters->partial_bytes;
}

void unixservice__count_lane(struct unixservice *service, struct peer *peer,
	uint64_t bytes)
{
	struct unixservice_counters *counters = &service->counters;

	counters->lanes -= peer->lane_bytes > 0;
	counters->lanes += bytes > 0;
	counters->lane_bytes += bytes - peer->lane_bytes;
	peer->user->lane_bytes += bytes - peer->lane_bytes;
	peer->lane_bytes = bytes;
	if (counters->lane_bytes > counters->lane_bytes_most)
		counters->lane_bytes_most = counters->lane_bytes;
}
