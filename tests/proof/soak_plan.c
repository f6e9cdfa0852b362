/* SPDX-License-Identifier: MIT */
/*
 * The plan follows from its seed alone: it never looks at what has become of
 * its steps, so a step is one that can be taken whatever that was.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "proof/soak.h"

enum { CONTENDERS_MOST = 3, PAUSE_MOST_MS = 100, FLOOD_MOST = 400 };

static const char *const names[SOAK_ACTIONS] = {
	[SOAK_START] = "start",
	[SOAK_TAKE_OVER] = "take over",
	[SOAK_STOP] = "stop",
	[SOAK_KILL] = "kill",
	[SOAK_STOP_ELDER] = "stop the elder of",
	[SOAK_KILL_ELDER] = "kill the elder of",
	[SOAK_AWAIT_ELDER] = "await the elder of",
	[SOAK_FREEZE] = "freeze",
	[SOAK_COME] = "come, client",
	[SOAK_LEAVE] = "leave, client",
	[SOAK_KILL_CLIENT] = "kill client",
	[SOAK_FREEZE_CLIENT] = "freeze client",
	[SOAK_FLOOD] = "flood, client",
	[SOAK_CONNECT_ANEW] = "connect anew, client",
	[SOAK_THAW] = "thaw",
};

void soak_plan_init(struct soak_plan *plan, uint64_t seed)
{
	int i;

	memset(plan, 0, sizeof(*plan));
	plan->state = seed;
	for (i = 0; i < SOAK_STEADY_CLIENTS; i++)
		plan->has_client[i] = true;
}

static unsigned int pick(struct soak_plan *plan, unsigned int count)
{
	return soak_random(&plan->state, count);
}

static enum soak_action plan_elder(struct soak_plan *plan, int site)
{
	if (plan->sites[site].elder == ELDER_SERVES && pick(plan, 2) == 0) {
		plan->sites[site].elder = ELDER_STOPS;
		return SOAK_STOP_ELDER;
	}
	if (plan->sites[site].elder == ELDER_SERVES || pick(plan, 4) == 0) {
		plan->sites[site].elder = ELDER_NONE;
		return SOAK_KILL_ELDER;
	}
	plan->sites[site].elder = ELDER_NONE;
	return SOAK_AWAIT_ELDER;
}

/* An abstract name is free when the one before has closed it. */
static enum soak_action plan_empty_site(struct soak_plan *plan, int site)
{
	if (plan->sites[site].elder != ELDER_NONE &&
		(soak_is_abstract(site) || pick(plan, 2) == 0))
		return plan_elder(plan, site);
	plan->sites[site].is_there = true;
	return SOAK_START;
}

static enum soak_action plan_site(struct soak_plan *plan, int site)
{
	if (!plan->sites[site].is_there)
		return plan_empty_site(plan, site);
	if (plan->sites[site].elder != ELDER_NONE)
		return pick(plan, 4) == 0 ? SOAK_FREEZE
					  : plan_elder(plan, site);
	switch (pick(plan, 6)) {
	case 0:
		return SOAK_FREEZE;
	case 1:
	case 2:
		if (soak_is_abstract(site))
			break;
		plan->sites[site].elder = ELDER_SERVES;
		return SOAK_TAKE_OVER;
	case 3:
	case 4:
		plan->sites[site].is_there = false;
		return SOAK_KILL;
	}
	plan->sites[site].is_there = false;
	plan->sites[site].elder = ELDER_STOPS;
	return SOAK_STOP;
}

static enum soak_action plan_client(struct soak_plan *plan, int client)
{
	const bool is_steady = client < SOAK_STEADY_CLIENTS;

	if (!plan->has_client[client]) {
		plan->has_client[client] = true;
		return SOAK_COME;
	}
	switch (pick(plan, 6)) {
	case 0:
		return SOAK_FREEZE_CLIENT;
	case 1:
		return SOAK_CONNECT_ANEW;
	case 2:
		plan->has_client[client] = is_steady;
		return is_steady ? SOAK_FLOOD : SOAK_KILL_CLIENT;
	case 3:
		plan->has_client[client] = is_steady;
		return is_steady ? SOAK_FLOOD : SOAK_LEAVE;
	}
	return SOAK_FLOOD;
}

static unsigned int plan_amount(struct soak_plan *plan,
	const struct soak_step *step)
{
	switch (step->action) {
	case SOAK_START:
		if (plan->sites[step->target].elder == ELDER_STOPS)
			return 0;
		return 1 + pick(plan, CONTENDERS_MOST);
	case SOAK_COME:
		return pick(plan,
			pick(plan, 4) == 0 ? SOAK_ADDRESSES : SOAK_SITES);
	case SOAK_FLOOD:
		return 1 + pick(plan, FLOOD_MOST);
	case SOAK_CONNECT_ANEW:
		return pick(plan, 2) == 0 &&
			step->target >= SOAK_STEADY_CLIENTS;
	default:
		return 0;
	}
}

struct soak_step soak_plan_next(struct soak_plan *plan)
{
	struct soak_step step = { .action = SOAK_THAW };

	if (plan->is_any_frozen && pick(plan, 4) == 0) {
		plan->is_any_frozen = false;
	} else if (pick(plan, 3) == 0) {
		step.target = (int)pick(plan, SOAK_SITES);
		step.action = plan_site(plan, step.target);
	} else {
		step.target = (int)pick(plan, SOAK_CLIENTS);
		step.action = plan_client(plan, step.target);
	}
	if (step.action == SOAK_FREEZE || step.action == SOAK_FREEZE_CLIENT)
		plan->is_any_frozen = true;
	step.amount = plan_amount(plan, &step);
	step.pause_ms = (int)pick(plan, PAUSE_MOST_MS);
	return step;
}

void soak_format_step(const struct soak_step *step, char *text, size_t room)
{
	snprintf(text, room, "%s %d, %u; %d ms", names[step->action],
		step->target, step->amount, step->pause_ms);
}
