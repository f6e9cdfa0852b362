/* SPDX-License-Identifier: MIT */
/*
 * scene: things that tests of names make and check: sockets without the
 * library, files, servers of all three networks.
 *
 * A failed step is a failed test, except in functions that return -1 for it.
 */
#ifndef UNIXMSG_TESTS_SCENE_H
#define UNIXMSG_TESTS_SCENE_H

#include <sys/stat.h>

#include "support/support.h"
#include "unixmsg.h"

/*
 * Returns the number of rounds of a race: times in long runs, a quarter of it
 * in others; and times multiplied by $UNIXMSG_ROUNDS if that is above 1.
 */
int rounds(int times);

/* Endpoints that have a name, of all three networks. */

enum { TYPES = 3 };
extern const int types[TYPES];

struct server {
	struct unixconn *gram;
	struct unixlistener *listener;
};

/* 0, or -1 with errno. */
int open_server(struct server *server, int type, const char *address,
	const struct unixlisten_options *options);
int close_server(struct server *server);

/* At support_path("socket"). */
int open_as(struct server *server, int type, unsigned int flags, mode_t mode);

/* The same of a socket that is bound, and listens where its type can. */
int adopt_server(struct server *server, int type, int fd);

/* As the functions of its network. */
int server_get_fd(const struct server *server);
int server_get_address(const struct server *server, struct unixaddr *addr);
int server_set_unlink(struct server *server, bool is_wanted);

void end_server(struct server *server);

struct unixconn *open_gram(const char *path);
void close_gram(struct unixconn *gram);

/* Sockets without the library. */

struct unixaddr address_of(const char *text);
int open_socket(int type);

/* As bind(2) and connect(2). */
int bind_to(int fd, const char *address);
int connect_to(int fd, const char *address);

int open_connected(int type, const char *address);
int open_bound(int type, const char *address);

/* Bound, and listening where the type can. */
int open_listening(int type, const char *address);

/* A socket file that nobody owns. */
void make_dead(int type, const char *path);

/* What a datagram client would find out: 0, or an errno. */
int try_to_reach(const char *path);

/* Sends one byte as a datagram client. */
void send_to(const char *path);

/* Nothing has arrived at a datagram socket, or waits to be accepted. */
void assert_hears_nothing(int fd, int type);

/* What stands at a path, down to the moment of its last change. */

struct stat look_at(const char *path);
void assert_same(const struct stat *a, const struct stat *b);
void assert_untouched(const char *path, const struct stat *before);

/* The same file with the same mode and owners; it may have been renamed. */
void assert_same_file(const char *path, const struct stat *before);

mode_t mode_of(const char *path);
void assert_is_socket(const char *path);
void assert_missing(const char *path);

/* How many files are in a directory: claims leave no others behind. */
int count_files(const char *path);

/* The same in support_dir. */
void assert_files(int count);

void make_file(const char *path, const char *text);
void assert_content(const char *path, const char *text);
void make_dir(const char *path, mode_t mode);
void make_link(const char *target, const char *path);

/*
 * A path of exactly that many bytes in a directory that is made for it. It is
 * good until the next call.
 */
const char *make_long_path(size_t size);

/* Things that are no sockets. Those that are links lead to "victim". */

struct foreign {
	const char *name;
	void (*make)(const char *path);
};

enum { FOREIGNERS = 7, FOREIGN_FILE = 0 };
extern const struct foreign foreigners[FOREIGNERS];

/*
 * Kills a child and waits for its end. The child is stopped before, outside of
 * its system calls: SIGKILL cuts a write(2) at the end of a page, and Check
 * cannot read its file when an assertion of the child is cut there.
 */
void stop_child(pid_t pid);

void close_pipe(int pipe[2]);

#endif
