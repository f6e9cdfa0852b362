/* SPDX-License-Identifier: MIT */
/*
 * What weak_ring.c and weak_lane.c call in place of libc, the kernel, and the
 * processor's own order: see check_lane_model.c.
 */
#ifndef UNIXMSG_TESTS_WEAK_CALLS_H
#define UNIXMSG_TESTS_WEAK_CALLS_H

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/endpoint.h"
#include "base/turn.h"
#include "weak.h"

void *model_memcpy(void *to, const void *from, size_t size);
ssize_t model_send(int fd, const void *data, size_t size, int flags);
ssize_t model_recv(int fd, void *data, size_t room, int flags);
ssize_t model_sendmsg(int fd, const struct msghdr *header, int flags);
ssize_t model_recvmsg(int fd, struct msghdr *header, int flags);
int model_shutdown(int fd, int how);
int model_get_size_max(const struct endpoint *end, size_t *size);

/* The short ways, which are inline: these are the weak ones. */
struct lane;
int model_send_data(struct lane *lane, const void *data, size_t size);
bool model_recv_data(struct lane *lane, void *data, size_t room, size_t *size);

#ifdef UNIXMSG_TESTS_WEAK
#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_thread_fence
#define atomic_load_explicit weak_load
#define atomic_store_explicit weak_store
#define atomic_thread_fence weak_fence
#define memcpy model_memcpy
#define send model_send
#define recv model_recv
#define sendmsg model_sendmsg
#define recvmsg model_recvmsg
#define shutdown model_shutdown
#define unixendpoint__get_size_max model_get_size_max
#endif

#endif
