/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tools/perf/perf_job.h"
#include "tools/perf/perf_service.h"

static int open_link(struct perf_plan *plan, struct perf_case *it, size_t i)
{
	int64_t spin_us = plan->options->spin_us;

	if (it->client->dial(&it->clients[i], &it->service, spin_us) < 0)
		return -1;
	if (!perf_network_is_connected(it->network)) {
		it->links[i] = it->service;
		return 0;
	}
	return it->way->accept(&it->links[i], &it->service, spin_us);
}

/* A plain client needs the address of the library's service. */
static int show_address(struct perf_case *it)
{
	struct unixaddr addr;
	const struct sockaddr *plain;

	if (!it->is_library || it->client == it->way)
		return 0;
	if (unixaddr_parse(&addr, it->service.name) < 0)
		return -1;
	plain = unixaddr_get_sockaddr(&addr, &it->service.plain_addr_size);
	memcpy(&it->service.plain_addr, plain, it->service.plain_addr_size);
	it->service.fd =
		unixlistener_get_fd((struct unixlistener *)it->service.link);
	return 0;
}

static int open_links(struct perf_plan *plan, struct perf_case *it)
{
	size_t i;

	for (i = 0; i < it->clients_count; i++)
		if (open_link(plan, it, i) < 0)
			return -1;
	return 0;
}

int perf_job_open(struct perf_plan *plan, struct perf_case *it)
{
	if (it->address != NULL)
		return perf_plain_dial_address(&it->clients[0], it->network,
			it->address);
	it->service.lane_bytes = plan->options->lane_bytes;
	if (it->way->open(&it->service, it->network) < 0 ||
		show_address(it) < 0)
		return -1;
	if (plan->options->mode == PERF_CONNECT)
		return 0;
	if (open_links(plan, it) < 0)
		return -1;
	if (plan->options->mode == PERF_FAN)
		return perf_service_open(it);
	return 0;
}

void perf_job_close(struct perf_case *it)
{
	size_t i;

	for (i = 0; i < it->clients_count; i++) {
		it->client->close(&it->clients[i]);
		/* For datagrams it is the service's own end. */
		if (it->way != NULL && it->way->accept != NULL)
			it->way->close(&it->links[i]);
	}
	if (it->way != NULL)
		it->way->close_service(&it->service);
	perf_service_close(it);
}

/* The end of a connection instead of a message is an error. */
static int expect_message(int result)
{
	if (result == 0)
		errno = ECONNRESET;
	return result == 1 ? 0 : -1;
}

/* All clients take turns. */
static int run_round_trips(struct perf_plan *plan, struct perf_case *it,
	const struct perf_job *job)
{
	const struct perf_way *way = it->client;
	uint64_t before_ns = tool_now_ns(), now_ns;
	struct perf_end *client = it->clients;
	size_t i;

	for (i = 0; i < job->count; i++) {
		if (way->send(client, plan->data, job->size) < 0 ||
			expect_message(
				way->recv(client, plan->data, job->size)) < 0)
			return -1;
		now_ns = tool_now_ns();
		plan->samples[i] = now_ns - before_ns;
		before_ns = now_ns;
		if (++client == it->clients + it->clients_count)
			client = it->clients;
	}
	return 0;
}

static int serve_round_trips(struct perf_plan *plan, struct perf_case *it,
	const struct perf_job *job)
{
	struct perf_end *link = it->links;
	const struct perf_way *way = it->way;
	size_t i;

	for (i = 0; i < job->count; i++)
		if (expect_message(way->recv(link, plan->data, job->size)) <
				0 ||
			way->send(link, plan->data, job->size) < 0)
			return -1;
	return 0;
}

static int serve_datagrams(struct perf_plan *plan, struct perf_case *it,
	const struct perf_job *job)
{
	struct perf_end *link = it->links;
	const struct perf_way *way = it->way;
	size_t i;

	for (i = 0; i < job->count; i++)
		if (expect_message(
			    way->recv_from(link, plan->data, job->size)) < 0 ||
			way->send_back(link, plan->data, job->size) < 0)
			return -1;
	return 0;
}

static bool is_in_batches(const struct perf_plan *plan,
	const struct perf_case *it)
{
	return plan->options->batch > 1 && it->way->send_batch != NULL;
}

static int send_in_batches(struct perf_plan *plan, struct perf_case *it,
	const struct perf_job *job)
{
	size_t left, size, batch = plan->options->batch;

	for (left = job->count; left > 0; left -= size) {
		size = left < batch ? left : batch;
		if (it->client->send_batch(it->clients, plan->data, job->size,
			    size) < 0)
			return -1;
	}
	return 0;
}

static int send_all(struct perf_plan *plan, struct perf_case *it,
	const struct perf_job *job)
{
	size_t i;

	if (is_in_batches(plan, it))
		return send_in_batches(plan, it, job);
	for (i = 0; i < job->count; i++)
		if (it->client->send(it->clients, plan->data, job->size) < 0)
			return -1;
	return 0;
}

static int receive_in_batches(struct perf_plan *plan, struct perf_case *it,
	const struct perf_job *job, size_t *received)
{
	size_t left, got, batch = plan->options->batch;

	for (left = job->count; left > 0; left -= got) {
		if (expect_message(it->way->recv_batch(it->links, plan->data,
			    job->size, left < batch ? left : batch, &got)) < 0)
			return -1;
		*received += got;
	}
	return 0;
}

/* Receives until an empty message, which is the last. */
static int receive_lossy(struct perf_plan *plan, struct perf_case *it,
	const struct perf_job *job, size_t *received)
{
	int result;

	while ((result = it->way->recv(it->links, plan->data, job->size)) == 1)
		++*received;
	return result;
}

static int receive_all(struct perf_plan *plan, struct perf_case *it,
	const struct perf_job *job, size_t *received)
{
	if (perf_job_is_lossy(plan, job))
		return receive_lossy(plan, it, job, received);
	if (is_in_batches(plan, it))
		return receive_in_batches(plan, it, job, received);
	for (; *received < job->count; ++*received)
		if (expect_message(it->way->recv(it->links, plan->data,
			    job->size)) < 0)
			return -1;
	return 0;
}

bool perf_job_is_lossy(const struct perf_plan *plan, const struct perf_job *job)
{
	return plan->options->mode == PERF_THROUGHPUT &&
		plan->cases[job->index].network == PERF_UDP;
}

int perf_job_tell_end(struct perf_plan *plan, const struct perf_job *job)
{
	struct perf_case *it = &plan->cases[job->index];

	return it->client->send(it->clients, plan->data, 0);
}

void perf_job_drain(struct perf_plan *plan, const struct perf_job *job)
{
	int fd = plan->cases[job->index].links->fd;

	while (recv(fd, plan->data, 1, MSG_DONTWAIT) >= 0)
		continue;
}

/* Measures from the dial until the service has accepted and closed. */
static int connect_all(struct perf_plan *plan, struct perf_case *it,
	const struct perf_job *job)
{
	uint64_t before_ns = tool_now_ns(), now_ns;
	struct perf_end *client = it->clients;
	size_t i;

	for (i = 0; i < job->count; i++) {
		if (it->client->dial(client, &it->service, 0) < 0)
			return -1;
		if (it->client->recv(client, plan->data, 1) != 0) {
			errno = EBADMSG;
			return -1;
		}
		it->client->close(client);
		now_ns = tool_now_ns();
		plan->samples[i] = now_ns - before_ns;
		before_ns = now_ns;
	}
	return 0;
}

static int accept_all(struct perf_case *it, const struct perf_job *job)
{
	size_t i;

	for (i = 0; i < job->count; i++) {
		if (it->way->accept(it->links, &it->service, 0) < 0)
			return -1;
		it->way->close(it->links);
	}
	return 0;
}

int perf_job_run(struct perf_plan *plan, const struct perf_job *job,
	size_t *samples)
{
	struct perf_case *it = &plan->cases[job->index];

	*samples = 0;
	if (plan->options->mode == PERF_THROUGHPUT)
		return send_all(plan, it, job);
	*samples = job->count;
	if (plan->options->mode == PERF_CONNECT)
		return connect_all(plan, it, job);
	return run_round_trips(plan, it, job);
}

int perf_job_serve(struct perf_plan *plan, const struct perf_job *job,
	size_t *received)
{
	struct perf_case *it = &plan->cases[job->index];

	*received = 0;
	if (plan->options->mode == PERF_THROUGHPUT)
		return receive_all(plan, it, job, received);
	*received = job->count;
	if (plan->options->mode == PERF_CONNECT)
		return accept_all(it, job);
	if (plan->options->mode == PERF_FAN)
		return perf_service_run(it, plan->data, job->size,
			job->count * job->size);
	if (it->way->recv_from != NULL)
		return serve_datagrams(plan, it, job);
	return serve_round_trips(plan, it, job);
}
