/* SPDX-License-Identifier: MIT */
/*
 * Refers to every public function, and is linked with the shared library: a
 * function that it does not export keeps this program from being linked, or
 * from being started.
 */
#include <config.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unixmsg.h"

struct entry {
	const char *name;
	void (*function)(void);
};

/* clang-format off */
#define ENTRY(name) { #name, (void (*)(void))name }

/* Sorted by name. */
static const struct entry entries[] = {
	ENTRY(unixactivation_close),
	ENTRY(unixactivation_count_left),
	ENTRY(unixactivation_get_count),
	ENTRY(unixactivation_get_item),
	ENTRY(unixactivation_new),
	ENTRY(unixactivation_take_conn),
	ENTRY(unixactivation_take_fd),
	ENTRY(unixactivation_take_listener),
	ENTRY(unixaddr_format),
	ENTRY(unixaddr_get_kind),
	ENTRY(unixaddr_get_name),
	ENTRY(unixaddr_get_sockaddr),
	ENTRY(unixaddr_is_equal),
	ENTRY(unixaddr_parse),
	ENTRY(unixaddr_set_abstract),
	ENTRY(unixaddr_set_path),
	ENTRY(unixaddr_set_sockaddr),
	ENTRY(unixaddr_set_unnamed),
	ENTRY(unixblob_create),
	ENTRY(unixblob_map),
	ENTRY(unixblob_open),
	ENTRY(unixblob_seal),
	ENTRY(unixblob_unmap),
	ENTRY(unixbuffer_free),
	ENTRY(unixbuffer_init),
	ENTRY(unixconn_adopt),
	ENTRY(unixconn_ask),
	ENTRY(unixconn_check_answer),
	ENTRY(unixconn_close),
	ENTRY(unixconn_dial),
	ENTRY(unixconn_forward),
	ENTRY(unixconn_get_address),
	ENTRY(unixconn_get_counters),
	ENTRY(unixconn_get_fd),
	ENTRY(unixconn_get_network),
	ENTRY(unixconn_get_next_size),
	ENTRY(unixconn_get_peer),
	ENTRY(unixconn_get_size_max),
	ENTRY(unixconn_get_unread),
	ENTRY(unixconn_is_lane),
	ENTRY(unixconn_open),
	ENTRY(unixconn_pair),
	ENTRY(unixconn_prove_sender),
	ENTRY(unixconn_raise_size_max),
	ENTRY(unixconn_read),
	ENTRY(unixconn_recv),
	ENTRY(unixconn_recv_batch),
	ENTRY(unixconn_recv_buffer),
	ENTRY(unixconn_recv_fds),
	ENTRY(unixconn_recv_from),
	ENTRY(unixconn_recv_msg),
	ENTRY(unixconn_release),
	ENTRY(unixconn_send),
	ENTRY(unixconn_send_batch),
	ENTRY(unixconn_send_fds),
	ENTRY(unixconn_send_msg),
	ENTRY(unixconn_send_to),
	ENTRY(unixconn_set_policy),
	ENTRY(unixconn_set_spin_us),
	ENTRY(unixconn_set_stop_fd),
	ENTRY(unixconn_set_tag),
	ENTRY(unixconn_set_unlink_on_close),
	ENTRY(unixconn_shutdown),
	ENTRY(unixconn_want),
	ENTRY(unixconn_write),
	ENTRY(unixdeadline_after_ms),
	ENTRY(unixdeadline_after_s),
	ENTRY(unixdeadline_after_us),
	ENTRY(unixdeadline_now_us),
	ENTRY(unixlane_cancel),
	ENTRY(unixlane_commit),
	ENTRY(unixlane_peek),
	ENTRY(unixlane_release),
	ENTRY(unixlane_reserve),
	ENTRY(unixlistener_accept),
	ENTRY(unixlistener_adopt),
	ENTRY(unixlistener_close),
	ENTRY(unixlistener_get_address),
	ENTRY(unixlistener_get_fd),
	ENTRY(unixlistener_get_network),
	ENTRY(unixlistener_open),
	ENTRY(unixlistener_set_lane),
	ENTRY(unixlistener_set_stop_fd),
	ENTRY(unixlistener_set_tag),
	ENTRY(unixlistener_set_unlink_on_close),
	ENTRY(unixlistener_want),
	ENTRY(unixmsg_close_fds),
	ENTRY(unixmsg_init),
	ENTRY(unixnotify_barrier),
	ENTRY(unixnotify_extend_us),
	ENTRY(unixnotify_get_watchdog_us),
	ENTRY(unixnotify_ready),
	ENTRY(unixnotify_reloading),
	ENTRY(unixnotify_send),
	ENTRY(unixnotify_status),
	ENTRY(unixnotify_stopping),
	ENTRY(unixnotify_store),
	ENTRY(unixnotify_unstore),
	ENTRY(unixnotify_watchdog),
	ENTRY(unixowner_find),
	ENTRY(unixpeer_get_cred),
	ENTRY(unixpeer_get_groups),
	ENTRY(unixpeer_get_label),
	ENTRY(unixpeer_is_alive),
	ENTRY(unixpeer_is_in_group),
	ENTRY(unixpeer_open_pidfd),
	ENTRY(unixservice_add_conn),
	ENTRY(unixservice_add_listener),
	ENTRY(unixservice_allow_anyone),
	ENTRY(unixservice_allow_group),
	ENTRY(unixservice_allow_user),
	ENTRY(unixservice_close),
	ENTRY(unixservice_close_peer),
	ENTRY(unixservice_deny_group),
	ENTRY(unixservice_deny_user),
	ENTRY(unixservice_dispatch),
	ENTRY(unixservice_drain),
	ENTRY(unixservice_format_counters),
	ENTRY(unixservice_format_event),
	ENTRY(unixservice_format_peer),
	ENTRY(unixservice_get_address),
	ENTRY(unixservice_get_context),
	ENTRY(unixservice_get_counters),
	ENTRY(unixservice_get_fd),
	ENTRY(unixservice_get_next_peer),
	ENTRY(unixservice_get_peer_info),
	ENTRY(unixservice_get_queued),
	ENTRY(unixservice_get_tag),
	ENTRY(unixservice_is_drained),
	ENTRY(unixservice_keep_peer),
	ENTRY(unixservice_listen),
	ENTRY(unixservice_new),
	ENTRY(unixservice_open_peer),
	ENTRY(unixservice_pause_peer),
	ENTRY(unixservice_pause_socket),
	ENTRY(unixservice_push),
	ENTRY(unixservice_push_all),
	ENTRY(unixservice_reset_peer),
	ENTRY(unixservice_resume_peer),
	ENTRY(unixservice_resume_socket),
	ENTRY(unixservice_run),
	ENTRY(unixservice_send),
	ENTRY(unixservice_send_msg),
	ENTRY(unixservice_serve),
	ENTRY(unixservice_set_context),
	ENTRY(unixservice_set_stop_fd),
	ENTRY(unixservice_set_unlink_on_close),
	ENTRY(unixservice_settle),
	ENTRY(unixservice_shutdown_peer),
	ENTRY(unixservice_stop),
	ENTRY(unixservice_unlisten),
	ENTRY(unixstop_open),
	ENTRY(unixtakeover_close),
	ENTRY(unixtakeover_get_address),
	ENTRY(unixtakeover_give_back),
	ENTRY(unixtakeover_open),
};
/* clang-format on */

static const size_t count = sizeof(entries) / sizeof(*entries);

static bool is_in_order(size_t i)
{
	return i == 0 || strcmp(entries[i - 1].name, entries[i].name) < 0;
}

static bool check(size_t i)
{
	if (entries[i].function == NULL) {
		fprintf(stderr, "%s has no address\n", entries[i].name);
		return false;
	}
	if (!is_in_order(i)) {
		fprintf(stderr, "%s is not in its place\n", entries[i].name);
		return false;
	}
	return true;
}

/* The last line is as Check prints it: tests/count.sh adds it up. */
int main(void)
{
	size_t i, failed = 0;

	for (i = 0; i < count; i++)
		failed += !check(i);
	printf("%zu%%: Checks: %zu, Failures: %zu, Errors: 0\n",
		(count - failed) * 100 / count, count, failed);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
