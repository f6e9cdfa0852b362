/* SPDX-License-Identifier: MIT */
/* Peers, blobs, buffers, and what makes no call that could fail. */
#include <config.h>

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr_private.h"
#include "message/buffer_private.h"
#include "proof/fault.h"
#include "proof/torture.h"

static void make_pair(int pair[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				 pair),
		0);
}

static void the_peer_is_told(int kind)
{
	struct unixcred cred = { 0 };
	int pair[2];

	(void)kind;
	make_pair(pair);
	torture_begin();
	if (!torture_end(unixpeer_get_cred(pair[0], &cred), 0)) {
		ck_assert_int_eq(cred.pid, 0);
		ck_assert_int_eq(unixpeer_get_cred(pair[0], &cred), 0);
	}
	ck_assert_int_eq(cred.pid, getpid());
	close_pipe(pair);
}

static void the_groups_of_the_peer_are_told(int kind)
{
	static gid_t groups[65536];
	size_t count;
	int pair[2];

	(void)kind;
	make_pair(pair);
	torture_try(unixpeer_get_groups(pair[0], groups, COUNT(groups), &count),
		0);
	close_pipe(pair);
}

static void the_group_of_the_peer_is_looked_for(int kind)
{
	int pair[2];

	(void)kind;
	make_pair(pair);
	torture_try(unixpeer_is_in_group(pair[0], 12345678), 0);
	close_pipe(pair);
}

static void the_label_of_the_peer_is_asked_for(int kind)
{
	char label[256];
	int pair[2], result;

	(void)kind;
	make_pair(pair);
	torture_begin();
	result = unixpeer_get_label(pair[0], label, sizeof(label));
	if (result < 0)
		torture_end_refused(result, ENOTSUP);
	else
		torture_end(result, 0);
	close_pipe(pair);
}

static void the_pidfd_of_the_peer_is_opened(int kind)
{
	int pair[2], pidfd;

	(void)kind;
	make_pair(pair);
	torture_begin();
	pidfd = unixpeer_open_pidfd(pair[0]);
	if (!torture_end(pidfd < 0 ? -1 : 0, 0))
		pidfd = unixpeer_open_pidfd(pair[0]);
	ck_assert_int_eq(unixpeer_is_alive(pidfd), 1);
	close(pidfd);
	close_pipe(pair);
}

static void the_peer_is_alive(int kind)
{
	int pair[2], pidfd;

	(void)kind;
	make_pair(pair);
	pidfd = unixpeer_open_pidfd(pair[0]);
	torture_try(unixpeer_is_alive(pidfd), 1);
	close(pidfd);
	close_pipe(pair);
}

static void expect_blob(int fd, const char *text)
{
	struct unixblob blob;

	ck_assert_int_eq(unixblob_map(fd, 100, &blob), 0);
	ck_assert_uint_eq(blob.size, strlen(text));
	ck_assert_int_eq(memcmp(blob.data, text, blob.size), 0);
	unixblob_unmap(&blob);
}

static void a_blob_is_opened(int kind)
{
	int fd;

	(void)kind;
	torture_begin();
	fd = unixblob_open("much", 4);
	if (!torture_end(fd < 0 ? -1 : 0, 0))
		fd = unixblob_open("much", 4);
	expect_blob(fd, "much");
	close(fd);
}

static void a_blob_is_created(int kind)
{
	int fd;

	(void)kind;
	torture_begin();
	fd = unixblob_create(4);
	if (!torture_end(fd < 0 ? -1 : 0, 0))
		fd = unixblob_create(4);
	ck_assert_int_eq(pwrite(fd, "much", 4, 0), 4);
	ck_assert_int_eq(unixblob_seal(fd), 0);
	expect_blob(fd, "much");
	close(fd);
}

static void a_blob_is_sealed(int kind)
{
	int fd = unixblob_create(4);

	(void)kind;
	ck_assert_int_eq(pwrite(fd, "much", 4, 0), 4);
	torture_try(unixblob_seal(fd), 0);
	expect_blob(fd, "much");
	close(fd);
}

static void a_blob_is_mapped(int kind)
{
	int fd = unixblob_open("much", 4);
	struct unixblob blob;

	(void)kind;
	torture_begin();
	if (torture_end(unixblob_map(fd, 100, &blob), 0))
		ck_assert_int_eq(memcmp(blob.data, "much", 4), 0);
	else
		ck_assert_ptr_null(blob.data);
	unixblob_unmap(&blob);
	expect_blob(fd, "much");
	close(fd);
}

static void a_buffer_grows(int kind)
{
	struct unixbuffer buffer;

	(void)kind;
	unixbuffer_init(&buffer, 1000);
	ck_assert_int_eq(unixbuffer__reserve(&buffer, 4), 0);
	memcpy(buffer.data, "here", 4);
	torture_try(unixbuffer__reserve(&buffer, 100), 0);
	ck_assert_int_eq(memcmp(buffer.data, "here", 4), 0);
	unixbuffer_free(&buffer);
}

static void try_addresses(void)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr a, b;
	const struct sockaddr *sa;
	const char *name;
	socklen_t length;
	size_t size;

	unixaddr_parse(&a, "@name");
	unixaddr_format(&a, text, sizeof(text));
	unixaddr_set_path(&b, "/path", 5);
	name = unixaddr_get_name(&a, &size);
	unixaddr_set_abstract(&b, name, size);
	sa = unixaddr_get_sockaddr(&a, &length);
	unixaddr_set_sockaddr(&b, sa, length);
	if (unixaddr_is_equal(&a, &b) &&
		unixaddr__hash(&a) == unixaddr__hash(&b))
		unixaddr_set_unnamed(&b);
	if (unixaddr_get_kind(&b) != UNIXADDR_UNNAMED)
		unixaddr_parse(&a, "");
}

static void try_settings(struct unixconn *gram, struct unixconn *packet,
	struct unixconn *stream, struct unixlistener *listener)
{
	struct unixconn_counters counters;

	(void)unixconn_get_network(gram);
	unixconn_set_tag(gram, 7);
	unixlistener_set_tag(listener, 7);
	(void)unixlistener_get_network(listener);
	unixconn_set_policy(gram, UNIXCONN_FAIL);
	unixconn_get_counters(gram, &counters);
	unixconn_set_stop_fd(gram, unixconn_get_fd(gram));
	unixconn_set_stop_fd(packet, unixconn_get_fd(packet));
	unixconn_set_stop_fd(stream, unixconn_get_fd(stream));
	unixlistener_set_stop_fd(listener, unixlistener_get_fd(listener));
	unixconn_set_spin_us(gram, 50);
	unixconn_set_spin_us(packet, 50);
	unixconn_set_spin_us(stream, 50);
}

/* The signals are blocked, or there is no descriptor. */
static void signals_become_a_stop(int kind)
{
	struct signalfd_siginfo info;
	sigset_t before;
	int fd;

	(void)kind;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	torture_begin();
	fd = unixstop_open();
	if (torture_end(fd < 0 ? -1 : 0, 0)) {
		raise(SIGTERM);
		ck_assert_int_eq(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0),
			1);
		ck_assert_int_gt(read(fd, &info, sizeof(info)), 0);
	}
	close(fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void a_descriptor_is_released(int kind)
{
	struct unixconn *pair[2];
	int fd;

	(void)kind;
	ck_assert_int_eq(unixconn_pair("unixpacket", pair), 0);
	torture_begin();
	fd = unixconn_release(pair[0]);
	torture_end(fd < 0 ? -1 : 0, 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(unixconn_close(pair[1]), 0);
}

/* These have no errors but the caller's own: nothing in them can fail. */
static void what_is_settled_here_makes_no_call(int kind)
{
	struct unixconn *grams[2];
	struct unixconn *packets[2];
	struct unixconn *streams[2];
	struct unixlistener *listener =
		unixlistener_open("unixpacket", support_abstract("rest"),
			&(struct unixlisten_options){ .backlog = 1 });
	unsigned int i, count;

	(void)kind;
	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(unixconn_pair("unixgram", grams), 0);
	ck_assert_int_eq(unixconn_pair("unixpacket", packets), 0);
	ck_assert_int_eq(unixconn_pair("unix", streams), 0);
	torture_begin();
	try_addresses();
	unixdeadline_after_us(unixdeadline_now_us());
	unixdeadline_after_ms(1);
	unixdeadline_after_s(1);
	try_settings(grams[0], packets[0], streams[0], listener);
	torture_end(0, 0);
	fault_get_records(&count);
	ck_assert_uint_eq(count, 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(unixconn_close(grams[i]), 0);
		ck_assert_int_eq(unixconn_close(packets[i]), 0);
		ck_assert_int_eq(unixconn_close(streams[i]), 0);
	}
	ck_assert_int_eq(unixlistener_close(listener), 0);
}

const struct scene torture_rest_scenes[] = {
	{ "the peer is told", the_peer_is_told, 1 },
	{ "the groups of the peer are told", the_groups_of_the_peer_are_told,
		1 },
	{ "the group of the peer is looked for",
		the_group_of_the_peer_is_looked_for, 1 },
	{ "the label of the peer is asked for",
		the_label_of_the_peer_is_asked_for, 1 },
	{ "the pidfd of the peer is opened", the_pidfd_of_the_peer_is_opened,
		1 },
	{ "the peer is alive", the_peer_is_alive, 1 },
	{ "a blob is opened", a_blob_is_opened, 1 },
	{ "a blob is created", a_blob_is_created, 1 },
	{ "a blob is sealed", a_blob_is_sealed, 1 },
	{ "a blob is mapped", a_blob_is_mapped, 1 },
	{ "a buffer grows", a_buffer_grows, 1 },
	{ "signals become a stop", signals_become_a_stop, 1 },
	{ "a descriptor is released", a_descriptor_is_released, 1 },
	{ "what is settled here makes no call",
		what_is_settled_here_makes_no_call, 1 },
	{ NULL, NULL, 0 },
};
