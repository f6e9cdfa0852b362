/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "network/conn_private.h"
#include "network/listener_private.h"
#include "service/service_private.h"

static const unsigned int known_wants =
	UNIXMSG_WANT_FDS | UNIXMSG_WANT_CRED | UNIXMSG_WANT_PIDFD;

/* Inside the service, 0 means no limit. */

static unsigned int get_count_limit(unsigned int said, unsigned int otherwise)
{
	if (said == UINT_MAX)
		return 0;
	return said == 0 ? otherwise : said;
}

static size_t get_size_limit(size_t said, size_t otherwise)
{
	if (said == SIZE_MAX)
		return 0;
	return said == 0 ? otherwise : said;
}

static int64_t get_time_limit(int64_t said_us, int64_t otherwise_us)
{
	if (said_us == UNIXMSG_FOREVER)
		return 0;
	return said_us == 0 ? otherwise_us : said_us;
}

static uint64_t get_bytes_limit(uint64_t said, uint64_t otherwise)
{
	if (said == UINT64_MAX)
		return 0;
	return said == 0 ? otherwise : said;
}

static void set_limits(struct unixservice_options *options)
{
	options->event_rate = get_count_limit(options->event_rate, 20);
	options->peers_max = get_count_limit(options->peers_max, 1024);
	options->peers_per_user_max =
		get_count_limit(options->peers_per_user_max, 0);
	options->user_rate = get_count_limit(options->user_rate, 0);
	options->queue_messages_max =
		get_count_limit(options->queue_messages_max, 1024);
	options->queue_bytes_max =
		get_size_limit(options->queue_bytes_max, 2 << 20);
	options->queue_total_bytes_max =
		get_size_limit(options->queue_total_bytes_max, 16 << 20);
	options->lane_bytes_max =
		get_bytes_limit(options->lane_bytes_max, 64 << 20);
	options->lane_bytes_per_user_max =
		get_bytes_limit(options->lane_bytes_per_user_max,
			options->lane_bytes_max / 2);
	options->idle_us = get_time_limit(options->idle_us, 0);
	options->patience_us = get_time_limit(options->patience_us, 5000000);
	options->forget_us = get_time_limit(options->forget_us, 600000000);
}

static void set_options(struct unixservice_options *options)
{
	set_limits(options);
	if (options->batch == 0)
		options->batch = 1;
	if (options->fds_max == 0 && (options->wants & UNIXMSG_WANT_FDS) != 0)
		options->fds_max = UNIXMSG_FDS_MAX;
	if (options->size_max == 0)
		options->size_max = 212960;
	if (options->send_buffer_bytes == 0)
		options->send_buffer_bytes = 4 << 20;
	if (options->partial_bytes_max == 0)
		options->partial_bytes_max = 16 << 20;
}

static bool is_known_policy(enum unixservice_policy policy)
{
	return policy == UNIXSERVICE_DROP_NEWEST ||
		policy == UNIXSERVICE_DROP_OLDEST ||
		policy == UNIXSERVICE_DROP_PEER;
}

static bool is_empty(const uint64_t *reserved, size_t size)
{
	size_t i;

	for (i = 0; i < size / sizeof(*reserved); i++)
		if (reserved[i] != 0)
			return false;
	return true;
}

static bool is_valid(const struct unixservice_options *options)
{
	return is_known_policy(options->policy) &&
		(options->wants & ~known_wants) == 0 &&
		(options->fds_max == 0 ||
			(options->wants & UNIXMSG_WANT_FDS) != 0) &&
		options->fds_max <= UNIXMSG_FDS_MAX &&
		options->batch <= UNIXMSG_BATCH_MAX && options->idle_us >= 0 &&
		options->spin_us >= 0 && options->patience_us >= 0 &&
		options->forget_us >= 0 &&
		is_empty(options->reserved, sizeof(options->reserved));
}

static int prepare(struct unixservice *service)
{
	const struct unixservice_options *options = &service->options;

	service->buffer = malloc(options->size_max);
	service->fds = calloc(options->fds_max + 1, sizeof(*service->fds));
	service->epoll_fd = fd_lift(epoll_create1(EPOLL_CLOEXEC));
	if (service->buffer == NULL || service->fds == NULL ||
		service->epoll_fd < 0)
		return -1;
	return unixservice__start_clock(service);
}

static unsigned int get_burst(const struct unixservice_options *options)
{
	return options->user_burst > 0 ? options->user_burst
				       : options->user_rate;
}

struct unixservice *unixservice_new(unixservice_handler *handler, void *context,
	const struct unixservice_options *options)
{
	struct unixservice *service = calloc(1, sizeof(*service));
	int saved = errno;

	if (service == NULL)
		return NULL;
	if (options != NULL)
		service->options = *options;
	set_options(&service->options);
	service->handler = handler;
	service->context = context;
	service->epoll_fd = -1;
	service->timer_fd = -1;
	service->spare_fd = -1;
	service->timer_us = UNIXMSG_FOREVER;
	service->deadline_us = UNIXMSG_FOREVER;
	service->stop.fd = -1;
	service->now_us = unixdeadline_now_us();
	service->own_process = unixprocess__make();
	service->process = unixprocess__get(service->own_process);
	unixspin__set(&service->spin, service->options.spin_us);
	unixusers__init(&service->users, service->options.user_rate,
		get_burst(&service->options));
	errno = EINVAL;
	if (is_valid(&service->options) && handler != NULL &&
		prepare(service) == 0) {
		errno = saved;
		return service;
	}
	saved = errno;
	unixservice_close(service);
	errno = saved;
	return NULL;
}

static void disconnect_peer(struct unixservice *service, struct peer *peer)
{
	unixservice__disconnect(service, peer, ECANCELED);
}

/* Returns 0, or the errno of the first name that could not be removed. */
static int close_sources(struct unixservice *service)
{
	struct source *source;
	int error = 0;

	while ((source = service->sources) != NULL) {
		service->sources = source->next;
		if (source->sort->close(source) < 0 && error == 0)
			error = errno;
	}
	return error;
}

int unixservice_close(struct unixservice *service)
{
	int error, saved = errno;

	if (service == NULL)
		return 0;
	service->options.watcher = NULL;
	service->is_running = true;
	/* Peers need not leave a loop that is closed. */
	service->epoll_fd = fd_close(service->epoll_fd);
	unixservice__for_each_peer(service, disconnect_peer);
	unixservice__free_gone(service);
	error = close_sources(service);
	unixusers__free(&service->users);
	unixaccess__free(&service->access);
	unixtimers__free(&service->peer_timers);
	unixtimers__free(&service->source_timers);
	free(service->places);
	free(service->buffer);
	free(service->batch);
	free(service->fds);
	fd_close(service->spare_fd);
	fd_close(service->timer_fd);
	unixprocess__free(service->own_process);
	free(service);
	errno = error == 0 ? saved : error;
	return error == 0 ? 0 : -1;
}

static int listen_gram(struct unixservice *service, const char *network,
	const char *address, const struct unixlisten_options *options)
{
	struct unixconn *conn = unixconn__open_wanting(network, address,
		options, service->options.wants | UNIXMSG_WANT_CRED);
	int saved;

	if (conn == NULL)
		return -1;
	if (unixservice__add_grams(service, conn) == 0)
		return 0;
	saved = errno;
	unixconn_close(conn);
	errno = saved;
	return -1;
}

static int listen_link(struct unixservice *service,
	const struct network *network, const char *address,
	const struct unixlisten_options *options, unsigned int bytes)
{
	struct unixlistener *listener =
		unixlistener__open_wanting(network->name, address, options,
			unixservice__choose_wants(service, network->type,
				bytes != 0, 0));
	int saved;

	if (listener == NULL)
		return -1;
	if (unixservice_add_listener(service, listener, bytes) == 0)
		return 0;
	saved = errno;
	unixlistener_close(listener);
	errno = saved;
	return -1;
}

/* A service that wants no descriptors has no room for them. */
static int check_wants(const struct unixservice *service, unsigned int wants)
{
	if ((wants & UNIXMSG_WANT_FDS) == 0 ||
		(service->options.wants & UNIXMSG_WANT_FDS) != 0)
		return 0;
	errno = EINVAL;
	return -1;
}

int unixservice_listen(struct unixservice *service, const char *network_name,
	const char *address, const struct unixlisten_options *options)
{
	const struct network *network = unixnetwork__find(network_name);
	struct unixlisten_options how = { 0 };
	unsigned int bytes;

	if (options != NULL)
		how = *options;
	bytes = how.flags & UNIXMSG_LISTEN_BYTES;
	if (network == NULL ||
		unixservice__check_bytes(network->type, bytes) < 0 ||
		check_wants(service, how.wants) < 0 ||
		unixservice__check_open(service) < 0)
		return -1;
	how.flags &= ~UNIXMSG_LISTEN_BYTES;
	if (network->type == SOCK_DGRAM)
		return listen_gram(service, network->name, address, &how);
	return listen_link(service, network, address, &how, bytes);
}

static int add_conn(struct unixservice *service, struct unixconn *conn,
	bool is_bytes, uint64_t *peer)
{
	if (conn->end.type != SOCK_DGRAM || conn->end.is_connected)
		return unixservice__add_link(service, conn, is_bytes, peer);
	if (unixservice__add_grams(service, conn) < 0)
		return -1;
	if (peer != NULL)
		*peer = 0;
	return 0;
}

int unixservice_add_conn(struct unixservice *service, struct unixconn *conn,
	unsigned int flags, uint64_t *peer)
{
	const enum unixconn_policy policy = conn->policy;

	if (unixservice__check_bytes(conn->end.type, flags) < 0 ||
		unixservice__check_open(service) < 0)
		return -1;
	if (conn->end.type == SOCK_STREAM && unixstream__get_sent(conn) > 0) {
		errno = EBUSY;
		return -1;
	}
	/* The service queues what has no room, by its own policy. */
	conn->policy = UNIXCONN_WAIT;
	if (add_conn(service, conn, flags != 0, peer) == 0)
		return 0;
	conn->policy = policy;
	return -1;
}

int unixservice_open_peer(struct unixservice *service, const char *network_name,
	const char *address, unsigned int flags, uint64_t *peer)
{
	const struct network *network = unixnetwork__find(network_name);
	uint64_t unwanted;
	int result, saved = errno;

	if (network == NULL ||
		unixservice__check_bytes(network->type, flags) < 0 ||
		unixservice__check_open(service) < 0)
		return -1;
	if (peer == NULL)
		peer = &unwanted;
	result = network->type == SOCK_DGRAM
		? unixservice__open_gram_peer(service, address, peer)
		: unixservice__open_connection(service, network, address, flags,
			  peer);
	if (result == 0)
		errno = saved;
	return result;
}

static void disinherit(struct unixservice *service, struct peer *peer)
{
	(void)service;
	peer->is_inherited = false;
}

int unixservice_set_unlink_on_close(struct unixservice *service, bool is_wanted)
{
	struct source *source;
	int error = 0, saved = errno;

	unixservice__notice_fork(service);
	for (source = service->sources; source != NULL; source = source->next)
		if (!source->is_retired &&
			source->sort->set_unlink(source, is_wanted) < 0 &&
			error == 0)
			error = errno;
	if (is_wanted)
		unixservice__for_each_peer(service, disinherit);
	errno = error == 0 ? saved : error;
	return error == 0 ? 0 : -1;
}

int unixservice_get_address(const struct unixservice *service,
	struct unixaddr *addr)
{
	const struct source *source;

	for (source = service->sources; source != NULL; source = source->next)
		if (!source->is_retired || service->is_stopping)
			return source->sort->get_address(source, addr);
	errno = ENOENT;
	return -1;
}

int unixservice_allow_user(struct unixservice *service, uid_t user)
{
	return unixaccess__add(&service->access.users_allowed, user);
}

int unixservice_allow_group(struct unixservice *service, gid_t group)
{
	return unixaccess__add(&service->access.groups_allowed, group);
}

int unixservice_deny_user(struct unixservice *service, uid_t user)
{
	return unixaccess__add(&service->access.users_denied, user);
}

int unixservice_deny_group(struct unixservice *service, gid_t group)
{
	return unixaccess__add(&service->access.groups_denied, group);
}

void unixservice_allow_anyone(struct unixservice *service)
{
	service->access.is_anyone = true;
}

int unixservice_close_peer(struct unixservice *service, uint64_t id)
{
	struct peer *peer = unixservice__find(service, id);
	int saved = errno;

	if (peer == NULL)
		return -1;
	unixservice__finish(service, peer);
	/* The loop must not wait for unwanted input. This cannot fail. */
	if (!unixservice__is_gone(peer) && peer->outbox.first == NULL)
		peer->sort->resume(service, peer);
	errno = saved;
	return 0;
}

int unixservice_set_context(struct unixservice *service, uint64_t id,
	void *context)
{
	struct peer *peer = unixservice__find_any(service, id);

	if (peer == NULL)
		return -1;
	peer->context = context;
	return 0;
}

void *unixservice_get_context(const struct unixservice *service, uint64_t id)
{
	const struct peer *peer = unixservice__find_any(service, id);

	return peer == NULL ? NULL : peer->context;
}

/* A child of fork(2) that asks for the descriptor is about to poll it. */
int unixservice_get_fd(const struct unixservice *service)
{
	int saved = errno;

	if (unixservice__keep_own_loop((struct unixservice *)service) < 0)
		return -1;
	errno = saved;
	return service->epoll_fd;
}

void unixservice_get_counters(const struct unixservice *service,
	struct unixservice_counters *counters)
{
	*counters = service->counters;
}

int unixservice_get_peer_info(const struct unixservice *service, uint64_t id,
	struct unixservice_peer_info *info)
{
	const struct peer *peer = unixservice__find_any(service, id);

	if (peer == NULL)
		return -1;
	memset(info, 0, sizeof(*info));
	info->id = peer->id;
	info->network = peer->sort->network;
	info->tag = peer->tag;
	info->has_cred = peer->has_cred;
	info->cred = peer->cred;
	peer->sort->get_address(peer, &info->addr);
	info->received = peer->received;
	info->sent = peer->sent;
	info->lost = peer->lost;
	info->waiting = peer->owed;
	info->queued = peer->outbox.count;
	info->queued_bytes = peer->outbox.bytes;
	info->queued_most = peer->outbox.count_most;
	info->opened_us = peer->opened_us;
	info->active_us = peer->active_us;
	return 0;
}

size_t unixservice_get_queued(const struct unixservice *service, uint64_t id)
{
	int saved = errno;
	const struct peer *peer = unixservice__find_any(service, id);

	errno = saved;
	return peer == NULL ? 0 : peer->outbox.count;
}

uint64_t unixservice_get_tag(const struct unixservice *service)
{
	return service->call.is_on ? service->call.tag : 0;
}
