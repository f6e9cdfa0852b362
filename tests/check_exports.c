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
	ENTRY(unixactivation_count_left),
	ENTRY(unixactivation_free),
	ENTRY(unixactivation_get_count),
	ENTRY(unixactivation_get_item),
	ENTRY(unixactivation_new),
	ENTRY(unixactivation_take_fd),
	ENTRY(unixactivation_take_gram),
	ENTRY(unixactivation_take_packet),
	ENTRY(unixactivation_take_packet_listener),
	ENTRY(unixactivation_take_stream),
	ENTRY(unixactivation_take_stream_listener),
	ENTRY(unixaddr_format),
	ENTRY(unixaddr_get_kind),
	ENTRY(unixaddr_get_name),
	ENTRY(unixaddr_get_sockaddr),
	ENTRY(unixaddr_hash),
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
	ENTRY(unixbuffer_reserve),
	ENTRY(unixdeadline_after_us),
	ENTRY(unixdeadline_now_us),
	ENTRY(unixdial_options_init),
	ENTRY(unixgram_adopt),
	ENTRY(unixgram_check_answer),
	ENTRY(unixgram_close),
	ENTRY(unixgram_dial),
	ENTRY(unixgram_get_address),
	ENTRY(unixgram_get_counters),
	ENTRY(unixgram_get_fd),
	ENTRY(unixgram_get_next_size),
	ENTRY(unixgram_get_peer),
	ENTRY(unixgram_get_size_max),
	ENTRY(unixgram_get_unread),
	ENTRY(unixgram_open),
	ENTRY(unixgram_pair),
	ENTRY(unixgram_prove_sender),
	ENTRY(unixgram_raise_size_max),
	ENTRY(unixgram_recv),
	ENTRY(unixgram_recv_batch),
	ENTRY(unixgram_recv_buffer),
	ENTRY(unixgram_recv_msg),
	ENTRY(unixgram_send),
	ENTRY(unixgram_send_batch),
	ENTRY(unixgram_send_msg),
	ENTRY(unixgram_send_to),
	ENTRY(unixgram_set_policy),
	ENTRY(unixgram_set_spin_us),
	ENTRY(unixgram_set_stop_fd),
	ENTRY(unixgram_set_unlink_on_close),
	ENTRY(unixgram_want),
	ENTRY(unixlistener_adopt),
	ENTRY(unixlistener_close),
	ENTRY(unixlistener_get_address),
	ENTRY(unixlistener_get_fd),
	ENTRY(unixlistener_set_spin_us),
	ENTRY(unixlistener_set_stop_fd),
	ENTRY(unixlistener_set_unlink_on_close),
	ENTRY(unixlistener_want),
	ENTRY(unixmsg_close_fds),
	ENTRY(unixmsg_init),
	ENTRY(unixname_options_init),
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
	ENTRY(unixpacket_accept),
	ENTRY(unixpacket_adopt),
	ENTRY(unixpacket_close),
	ENTRY(unixpacket_dial),
	ENTRY(unixpacket_get_address),
	ENTRY(unixpacket_get_fd),
	ENTRY(unixpacket_get_next_size),
	ENTRY(unixpacket_get_peer),
	ENTRY(unixpacket_get_size_max),
	ENTRY(unixpacket_get_unread),
	ENTRY(unixpacket_listen),
	ENTRY(unixpacket_pair),
	ENTRY(unixpacket_raise_size_max),
	ENTRY(unixpacket_recv),
	ENTRY(unixpacket_recv_batch),
	ENTRY(unixpacket_recv_buffer),
	ENTRY(unixpacket_recv_msg),
	ENTRY(unixpacket_send),
	ENTRY(unixpacket_send_batch),
	ENTRY(unixpacket_send_msg),
	ENTRY(unixpacket_set_spin_us),
	ENTRY(unixpacket_set_stop_fd),
	ENTRY(unixpacket_shutdown),
	ENTRY(unixpacket_want),
	ENTRY(unixpeer_get_cred),
	ENTRY(unixpeer_get_groups),
	ENTRY(unixpeer_get_label),
	ENTRY(unixpeer_is_alive),
	ENTRY(unixpeer_is_in_group),
	ENTRY(unixpeer_open_pidfd),
	ENTRY(unixservice_add_gram),
	ENTRY(unixservice_add_listener),
	ENTRY(unixservice_add_packet),
	ENTRY(unixservice_add_stream),
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
	ENTRY(unixservice_get_peer),
	ENTRY(unixservice_is_drained),
	ENTRY(unixservice_keep_peer),
	ENTRY(unixservice_listen),
	ENTRY(unixservice_listen_options_init),
	ENTRY(unixservice_new),
	ENTRY(unixservice_options_init),
	ENTRY(unixservice_run),
	ENTRY(unixservice_send),
	ENTRY(unixservice_send_msg),
	ENTRY(unixservice_set_context),
	ENTRY(unixservice_set_stop_fd),
	ENTRY(unixservice_set_unlink_on_close),
	ENTRY(unixservice_settle),
	ENTRY(unixservice_stop),
	ENTRY(unixstream_accept),
	ENTRY(unixstream_adopt),
	ENTRY(unixstream_close),
	ENTRY(unixstream_dial),
	ENTRY(unixstream_get_address),
	ENTRY(unixstream_get_fd),
	ENTRY(unixstream_get_peer),
	ENTRY(unixstream_listen),
	ENTRY(unixstream_pair),
	ENTRY(unixstream_read),
	ENTRY(unixstream_recv),
	ENTRY(unixstream_send),
	ENTRY(unixstream_set_spin_us),
	ENTRY(unixstream_set_stop_fd),
	ENTRY(unixstream_shutdown),
	ENTRY(unixstream_write),
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
