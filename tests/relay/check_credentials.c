/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "relay/credentials.h"
#include "support/support.h"

static struct credentials credentials;

static const char *write_file(const char *text, size_t size, mode_t mode)
{
	const char *path = support_path("credentials");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static const char *write_text(const char *text)
{
	return write_file(text, strlen(text), 0600);
}

START_TEST(user_and_password_are_read)
{
	static const char *const texts[] = {
		"user u v\npassword p#\"w\n",
		"password p#\"w\nuser u v",
		"# for the relay\n\nuser u v\n\npassword p#\"w\n\n",
	};

	ck_assert_int_eq(credentials_read(&credentials, write_text(texts[_i])),
		0);
	ck_assert_str_eq(credentials.user, "u v");
	ck_assert_str_eq(credentials.password, "p#\"w");
}
END_TEST

static const mode_t open_modes[] = { 0640, 0620, 0610, 0604, 0602, 0601, 0666,
	0440 };

START_TEST(a_file_that_others_may_use_is_refused)
{
	const char *path =
		write_file("user u\npassword p\n", 18, open_modes[_i]);

	ck_assert_errno(credentials_read(&credentials, path), EPERM);
	ck_assert_str_eq(credentials.password, "");
}
END_TEST

START_TEST(a_file_for_its_owner_is_read)
{
	static const mode_t modes[] = { 0600, 0400, 0700 };
	const char *path = write_file("user u\npassword p\n", 18, modes[_i]);

	ck_assert_int_eq(credentials_read(&credentials, path), 0);
}
END_TEST

START_TEST(a_file_of_another_user_is_refused)
{
	const char *path = write_text("user u\npassword p\n");

	ck_assert_int_eq(chown(path, 65534, (gid_t)-1), 0);
	ck_assert_errno(credentials_read(&credentials, path), EPERM);
}
END_TEST

static const char *const bad[] = {
	"",
	"\n",
	"user u\n",
	"password p\n",
	"user u\npassword \n",
	"user \npassword p\n",
	"user u\nuser u\npassword p\n",
	"user u\npassword p\npassword q\n",
	"user u\npassword p\ntoken t\n",
	"user=u\npassword=p\n",
	" user u\npassword p\n",
	"userx u\npassword p\n",
};

START_TEST(what_is_not_such_lines_is_refused)
{
	ck_assert_errno(credentials_read(&credentials, write_text(bad[_i])),
		EINVAL);
	ck_assert_str_eq(credentials.user, "");
	ck_assert_str_eq(credentials.password, "");
}
END_TEST

START_TEST(a_nul_is_no_part_of_a_password)
{
	const char *path = write_file("user u\npassword p\0q\n", 20, 0600);

	ck_assert_errno(credentials_read(&credentials, path), EINVAL);
}
END_TEST

START_TEST(a_password_has_a_bound)
{
	char text[512];

	snprintf(text, sizeof(text), "user u\npassword %0*d\n",
		NATS_LOGIN_MAX + _i, 1);
	if (_i == 0)
		ck_assert_int_eq(credentials_read(&credentials,
					 write_text(text)),
			0);
	else
		ck_assert_errno(credentials_read(&credentials,
					write_text(text)),
			EINVAL);
}
END_TEST

START_TEST(a_file_has_a_bound)
{
	static char text[8192];

	memset(text, '#', sizeof(text) - 1);
	ck_assert_errno(credentials_read(&credentials, write_text(text)),
		EINVAL);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	const char *path = support_path("fifo");

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_errno(credentials_read(&credentials, path), EINVAL);
	ck_assert_errno(credentials_read(&credentials, support_dir()), EINVAL);
	ck_assert_errno(credentials_read(&credentials, support_path("none")),
		ENOENT);
}
END_TEST

START_TEST(cleared_credentials_are_gone)
{
	static const struct credentials nothing;

	ck_assert_int_eq(credentials_read(&credentials,
				 write_text("user u\npassword p\n")),
		0);
	credentials_clear(&credentials);
	ck_assert_mem_eq(&credentials, &nothing, sizeof(nothing));
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase("credentials");

	tcase_add_loop_test(tcase, user_and_password_are_read, 0, 3);
	tcase_add_loop_test(tcase, a_file_that_others_may_use_is_refused, 0,
		(int)COUNT(open_modes));
	tcase_add_loop_test(tcase, a_file_for_its_owner_is_read, 0, 3);
	support_add_root_test(tcase, a_file_of_another_user_is_refused);
	tcase_add_loop_test(tcase, what_is_not_such_lines_is_refused, 0,
		(int)COUNT(bad));
	tcase_add_test(tcase, a_nul_is_no_part_of_a_password);
	tcase_add_loop_test(tcase, a_password_has_a_bound, 0, 2);
	tcase_add_test(tcase, a_file_has_a_bound);
	tcase_add_test(tcase, what_is_no_file_is_refused);
	tcase_add_test(tcase, cleared_credentials_are_gone);
	return support_run_cases("credentials", tcase);
}
