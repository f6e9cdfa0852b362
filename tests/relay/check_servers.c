/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <arpa/inet.h>
#include <stdio.h>

#include "relay/servers.h"
#include "support/support.h"

static struct servers servers;

static void expect_next(const char *text)
{
	ck_assert_str_eq(servers_take(&servers)->text, text);
}

static void expect_address(const char *list, int family, const char *host,
	unsigned int port)
{
	char text[INET6_ADDRSTRLEN];
	const struct server *server;

	ck_assert_int_eq(servers_init(&servers, list, true), 0);
	server = servers_take(&servers);
	ck_assert_int_eq(server->address.any.sa_family, family);
	if (family == AF_INET6) {
		inet_ntop(family, &server->address.v6.sin6_addr, text,
			sizeof(text));
		ck_assert_uint_eq(ntohs(server->address.v6.sin6_port), port);
		ck_assert_uint_eq(server->length, sizeof(struct sockaddr_in6));
	} else {
		inet_ntop(family, &server->address.v4.sin_addr, text,
			sizeof(text));
		ck_assert_uint_eq(ntohs(server->address.v4.sin_port), port);
		ck_assert_uint_eq(server->length, sizeof(struct sockaddr_in));
	}
	ck_assert_str_eq(text, host);
}

START_TEST(numeric_addresses_and_localhost_are_read)
{
	expect_address("127.0.0.1:1", AF_INET, "127.0.0.1", 1);
	expect_address("127.0.0.1", AF_INET, "127.0.0.1", 4222);
	expect_address("localhost:65535", AF_INET, "127.0.0.1", 65535);
	expect_address("10.1.2.3:4222", AF_INET, "10.1.2.3", 4222);
	expect_address("[::1]:4223", AF_INET6, "::1", 4223);
	expect_address("[2001:db8::1]", AF_INET6, "2001:db8::1", 4222);
}
END_TEST

static const char *const bad[] = { "", ",", "127.0.0.1,", ",127.0.0.1", ":4222",
	"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:123456",
	"127.0.0.1:x", "127.0.0.1:+1", "127.0.0.1:1:2", "127.1", "::1", "[::1",
	"[::1]x", "[127.0.0.1]:1", "example.org:1", " 127.0.0.1",
	"nats://127.0.0.1:1",
	"127.0.0.1:1111111111111111111111111111111111111111111111111111111111"
	"1111111111" };

START_TEST(what_is_no_address_is_refused)
{
	ck_assert_errno(servers_init(&servers, bad[_i], true), EINVAL);
}
END_TEST

static const char *const elsewhere[] = { "10.0.0.1:4222", "0.0.0.0:4222",
	"128.0.0.1:4222", "126.255.255.255:4222", "[::]:4222",
	"[2001:db8::1]:1", "[::ffff:10.0.0.1]:1", "127.0.0.1:1,10.0.0.1:1" };

START_TEST(another_host_is_refused_unless_allowed)
{
	ck_assert_errno(servers_init(&servers, elsewhere[_i], false), EPERM);
	ck_assert_int_eq(servers_init(&servers, elsewhere[_i], true), 0);
}
END_TEST

START_TEST(all_of_loopback_is_allowed)
{
	ck_assert_int_eq(servers_init(&servers,
				 "127.0.0.1:1,127.255.255.254:1,[::1]:1,"
				 "localhost:2",
				 false),
		0);
	ck_assert_uint_eq(servers.count, 4);
}
END_TEST

START_TEST(they_are_taken_in_turn)
{
	ck_assert_int_eq(servers_init(&servers,
				 "127.0.0.1:1,127.0.0.1:2,127.0.0.1:1", false),
		0);
	expect_next("127.0.0.1:1");
	expect_next("127.0.0.1:2");
	expect_next("127.0.0.1:1");
}
END_TEST

START_TEST(more_than_there_is_room_for_are_refused)
{
	char list[32 * SERVERS_MAX] = "127.0.0.1:1";
	int i;

	for (i = 2; i <= SERVERS_MAX; i++)
		sprintf(list + strlen(list), ",127.0.0.1:%d", i);
	ck_assert_int_eq(servers_init(&servers, list, false), 0);
	strcat(list, ",127.0.0.1:99");
	ck_assert_errno(servers_init(&servers, list, false), E2BIG);
}
END_TEST

static void learn(const char *first, const char *second)
{
	static struct nats_info info;

	info.urls_count = 2;
	strcpy(info.urls[0], first);
	strcpy(info.urls[1], second);
	errno = EXDEV;
	servers_learn(&servers, &info);
	ck_assert_int_eq(errno, EXDEV);
}

START_TEST(servers_that_were_told_follow_the_configured)
{
	ck_assert_int_eq(servers_init(&servers, "127.0.0.1:1", false), 0);
	learn("127.0.0.1:2", "127.0.0.1:1");
	ck_assert_uint_eq(servers.count, 2);
	expect_next("127.0.0.1:1");
	expect_next("127.0.0.1:2");
	learn("127.0.0.1:3", "127.0.0.1:4");
	ck_assert_uint_eq(servers.count, 3);
	expect_next("127.0.0.1:4");
	expect_next("127.0.0.1:1");
}
END_TEST

START_TEST(a_server_cannot_send_us_to_another_host)
{
	ck_assert_int_eq(servers_init(&servers, "127.0.0.1:1", false), 0);
	learn("10.0.0.1:4222", "evil.example:4222");
	ck_assert_uint_eq(servers.count, 1);
	ck_assert_int_eq(servers_init(&servers, "127.0.0.1:1", true), 0);
	learn("10.0.0.1:4222", "evil.example:4222");
	ck_assert_uint_eq(servers.count, 2);
}
END_TEST

START_TEST(fewer_servers_than_before_begin_anew)
{
	ck_assert_int_eq(servers_init(&servers, "127.0.0.1:1", false), 0);
	learn("127.0.0.1:2", "127.0.0.1:3");
	expect_next("127.0.0.1:1");
	expect_next("127.0.0.1:2");
	learn("127.0.0.1:1", "");
	ck_assert_uint_eq(servers.count, 1);
	expect_next("127.0.0.1:1");
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("servers");

	tcase_add_test(tcase, numeric_addresses_and_localhost_are_read);
	tcase_add_loop_test(tcase, what_is_no_address_is_refused, 0,
		(int)COUNT(bad));
	tcase_add_loop_test(tcase, another_host_is_refused_unless_allowed, 0,
		(int)COUNT(elsewhere));
	tcase_add_test(tcase, all_of_loopback_is_allowed);
	tcase_add_test(tcase, they_are_taken_in_turn);
	tcase_add_test(tcase, more_than_there_is_room_for_are_refused);
	tcase_add_test(tcase, servers_that_were_told_follow_the_configured);
	tcase_add_test(tcase, a_server_cannot_send_us_to_another_host);
	tcase_add_test(tcase, fewer_servers_than_before_begin_anew);
	return support_run_cases("servers", tcase);
}
