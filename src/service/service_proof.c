/* SPDX-License-Identifier: MIT */
/*
 * The service proves that it can answer a sender before the first answer. Some
 * proofs hold the socket file by a descriptor, a pin. There are fewer
 * descriptors than senders, so a sender that has lost its pin is proved again
 * before its next answer.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "service/service_sender.h"

enum {
	PINS_LEAST = 16,
	PINS_MOST = 1024,
	PINS_PART = 4, /* of the descriptors that we may have */
};

/* After a slow proof the next waits dear_part times as long, plus a pause. */
static const int64_t dear_part = 5;
static const int64_t dear_pause_us = 1000;

static size_t get_pins_count(void)
{
	struct rlimit limit = { .rlim_cur = 0 };
	rlim_t count;

	getrlimit(RLIMIT_NOFILE, &limit);
	count = limit.rlim_cur / PINS_PART;
	if (count < PINS_LEAST)
		return PINS_LEAST;
	return count < PINS_MOST ? (size_t)count : PINS_MOST;
}

int unixproofs__init(struct proofs *proofs)
{
	*proofs = (struct proofs){ .count = get_pins_count() };
	proofs->pinned = calloc(proofs->count, sizeof(struct sender *));
	return proofs->pinned == NULL ? -1 : 0;
}

void unixproofs__free(struct proofs *proofs)
{
	free(proofs->pinned);
}

void unixproofs__forget(struct proofs *proofs, struct sender *sender)
{
	sender->is_proved = false;
	if (sender->proof.fd < 0)
		return;
	sender->proof.fd = fd_close(sender->proof.fd);
	proofs->pinned[sender->pin] = NULL;
}

/* A peer that has sent nothing keeps its pin: it cannot be proved again. */
static bool is_free(const struct sender *sender)
{
	return sender == NULL || !sender->is_only_opened;
}

/* Picks the next pin in turn, even one in use. Returns -1 with EAGAIN if peers
 * that have sent nothing need them all. */
static int find_pin(struct proofs *proofs, size_t *pin)
{
	size_t i;

	for (i = 0; i < proofs->count; i++) {
		*pin = proofs->next;
		proofs->next = (proofs->next + 1) % proofs->count;
		if (is_free(proofs->pinned[*pin]))
			return 0;
	}
	errno = EAGAIN;
	return -1;
}

static int pin(struct proofs *proofs, struct sender *sender)
{
	size_t pin;

	if (find_pin(proofs, &pin) < 0)
		return -1;
	if (proofs->pinned[pin] != NULL)
		unixproofs__forget(proofs, proofs->pinned[pin]);
	proofs->pinned[pin] = sender;
	sender->pin = pin;
	return 0;
}

int unixproofs__find(struct proofs *proofs, struct unixproof *proof, int own_fd,
	const struct unixaddr *from, const struct unixcred *writer,
	unsigned int flags)
{
	int64_t start_us, end_us;
	int result = unixproof__find(proof, own_fd, from, writer,
		flags | UNIXPROOF_QUICK);

	if (result == 0 || errno != EAGAIN)
		return result;
	start_us = unixdeadline_now_us();
	if (start_us < proofs->slow_from_us) {
		errno = EAGAIN;
		return -1;
	}
	result = unixproof__find(proof, own_fd, from, writer, flags);
	end_us = unixdeadline_now_us();
	proofs->slow_from_us =
		end_us + dear_pause_us + dear_part * (end_us - start_us);
	return result;
}

static int find_proof(struct proofs *proofs, struct sender *sender, int own_fd,
	struct unixproof *proof)
{
	const struct unixcred *writer =
		sender->peer.has_cred ? &sender->peer.cred : NULL;
	int result = unixproofs__find(proofs, proof, own_fd, &sender->addr,
		writer, sender->is_early ? UNIXPROOF_EARLY : 0);

	sender->peer.is_unproved = result < 0 && errno == EPERM;
	if (result < 0 && fd_is_shortage())
		errno = EAGAIN;
	return result;
}

int unixproofs__hold(struct proofs *proofs, struct sender *sender,
	const struct unixproof *proof)
{
	if (proof->fd >= 0 && pin(proofs, sender) < 0)
		return fd_close_with(proof->fd, -1);
	sender->proof = *proof;
	sender->is_proved = proof->is_lasting;
	return 0;
}

int unixproofs__prove(struct proofs *proofs, struct sender *sender, int own_fd)
{
	struct unixproof proof;

	if (find_proof(proofs, sender, own_fd, &proof) < 0)
		return -1;
	return unixproofs__hold(proofs, sender, &proof);
}
