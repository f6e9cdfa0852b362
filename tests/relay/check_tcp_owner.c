/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "relay/tcp_owner.h"
#include "support/support.h"

static int listener = -1, client = -1, server = -1;

static void tear_down(void)
{
	support_close(&client);
	support_close(&server);
	support_close(&listener);
}

/* An address of the family: loopback, with the port of the listener. */
static socklen_t make_address(struct sockaddr_in6 *address, int family,
	in_port_t port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;

	memset(address, 0, sizeof(*address));
	address->sin6_family = (sa_family_t)family;
	/* The port is at the same place in both. */
	address->sin6_port = port;
	if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*v4);
	}
	address->sin6_addr = in6addr_loopback;
	return sizeof(*address);
}

static int open_at(int family, const struct sockaddr_in6 *address,
	socklen_t length)
{
	const int no = 0;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (fd < 0 || bind(fd, (const struct sockaddr *)address, length) < 0 ||
		listen(fd, 8) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static in_port_t get_port(int fd)
{
	struct sockaddr_in6 own = { .sin6_port = 0 };
	socklen_t length = sizeof(own);

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	return own.sin6_port;
}

static void connect_with(int family)
{
	struct sockaddr_in6 address;
	socklen_t length = make_address(&address, family, get_port(listener));

	client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, length),
		0);
}

static void accept_one(void)
{
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(server, 0);
}

static void listen_with(int family)
{
	struct sockaddr_in6 address;
	socklen_t length = make_address(&address, family, 0);

	listener = open_at(family, &address, length);
	ck_assert_int_ge(listener, 0);
}

static void expect_owner(uid_t wanted)
{
	uid_t user = (uid_t)-1;

	ck_assert_int_eq(tcp_owner_find(client, &user), 0);
	ck_assert_uint_eq(user, wanted);
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 address;
	socklen_t length = make_address(&address, AF_INET6, 0);
	int fd = open_at(AF_INET6, &address, length);
	bool is_there = fd >= 0;

	close(fd);
	return is_there;
}

START_TEST(our_own_server_is_ours)
{
	const int family = _i == 0 ? AF_INET : AF_INET6;

	listen_with(family);
	connect_with(family);
	accept_one();
	expect_owner(geteuid());
}
END_TEST

START_TEST(a_server_for_both_kinds_of_addresses_is_found)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };

	listener = open_at(AF_INET6, &any, sizeof(any));
	ck_assert_int_ge(listener, 0);
	connect_with(AF_INET);
	accept_one();
	expect_owner(geteuid());
}
END_TEST

/* The one who accepts counts, not the one who listens. */
START_TEST(a_server_of_another_user_is_his)
{
	int ready[2], done[2];
	pid_t pid;
	char byte;

	listen_with(AF_INET);
	connect_with(AF_INET);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(done, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(done[1]);
		if (seteuid(65534) < 0 || accept(listener, NULL, NULL) < 0 ||
			write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(done[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	expect_owner(65534);
	close(ready[0]);
	close(done[0]);
	close(done[1]);
	support_wait_exit(pid, 0);
}
END_TEST

START_TEST(a_closed_end_has_no_owner)
{
	uid_t user;

	listen_with(AF_INET);
	connect_with(AF_INET);
	accept_one();
	support_close(&server);
	ck_assert_errno(tcp_owner_find(client, &user), ENOENT);
}
END_TEST

START_TEST(a_socket_that_is_not_connected_has_no_other_end)
{
	uid_t user;

	listen_with(AF_INET);
	ck_assert_errno(tcp_owner_find(listener, &user), ENOTCONN);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("tcp_owner", NULL, tear_down);

	tcase_add_loop_test(tcase, our_own_server_is_ours, 0,
		has_ipv6() ? 2 : 1);
	support_add_test_if(tcase,
		a_server_for_both_kinds_of_addresses_is_found, has_ipv6(),
		"no IPv6 here");
	support_add_root_test(tcase, a_server_of_another_user_is_his);
	tcase_add_test(tcase, a_closed_end_has_no_owner);
	tcase_add_test(tcase, a_socket_that_is_not_connected_has_no_other_end);
	return support_run_cases("tcp_owner", tcase);
}
