/* SPDX-License-Identifier: MIT */
/*
 * What a service tells of peers, whose names are theirs to choose: one line of
 * printable text, or one JSON object, within the room there is. The input is
 * the numbers of a structure, as they come, and then the peer's name.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "tools/common/json.h"
#include "unixmsg/service.h"

const char fuzz_noun[] = "service_text";

/* As the header has it: enough for each event. */
enum { EVENT_SIZE = 640, ROOM = 8192 };

static uint64_t take_number(const uint8_t **data, size_t *size)
{
	uint64_t number;

	fuzz_take(data, size, &number, sizeof(number));
	return number;
}

static void take_cred(const uint8_t **data, size_t *size, struct unixcred *cred)
{
	uint32_t numbers[3];

	fuzz_take(data, size, numbers, sizeof(numbers));
	cred->pid = (pid_t)(numbers[0] & INT32_MAX);
	cred->uid = numbers[1];
	cred->gid = numbers[2];
}

static void take_address(const uint8_t *data, size_t size,
	struct unixaddr *addr)
{
	unixaddr_set_unnamed(addr);
	if (size > UNIXMSG_NAME_SIZE_MAX)
		size = UNIXMSG_NAME_SIZE_MAX;
	if (size > 0 && unixaddr_set_path(addr, data, size) < 0)
		unixaddr_set_abstract(addr, data + 1, size - 1);
}

static void check_event_line(const struct unixservice_event *event, size_t room)
{
	char whole[ROOM], enough[EVENT_SIZE], *cut = malloc(room);
	size_t size;

	fuzz_expect(unixservice_format_event(event, whole, ROOM) == whole);
	size = strlen(whole);
	fuzz_expect(size < EVENT_SIZE && fuzz_is_printable(whole, size));
	unixservice_format_event(event, enough, sizeof(enough));
	fuzz_expect(strcmp(enough, whole) == 0);
	fuzz_expect(cut != NULL);
	unixservice_format_event(event, cut, room);
	fuzz_expect(strlen(cut) == (size < room ? size : room - 1));
	fuzz_expect(strncmp(whole, cut, strlen(cut)) == 0);
	free(cut);
}

static void try_event(uint8_t what, const uint8_t *data, size_t size)
{
	struct unixservice_event event = { 0 };
	struct unixaddr addr;
	struct unixmsg msg;
	size_t room = 1u + fuzz_take_byte(&data, &size);

	unixmsg_init(&msg);
	event.kind = (enum unixservice_event_kind)(
		fuzz_take_byte(&data, &size) % (UNIXSERVICE_ENDED + 2));
	event.has_cred = (what & 2) != 0;
	event.msg = (what & 4) != 0 ? &msg : NULL;
	event.addr = (what & 8) != 0 ? &addr : NULL;
	event.error = fuzz_take_byte(&data, &size);
	event.peer = take_number(&data, &size);
	event.suppressed = take_number(&data, &size);
	msg.size = (size_t)take_number(&data, &size);
	take_cred(&data, &size, &event.cred);
	take_address(data, size, &addr);
	check_event_line(&event, room);
}

/* One object, whole, and nothing behind it. */
static void check_json(const char *text, size_t size)
{
	char *copy = fuzz_copy_text((const uint8_t *)text, size);
	struct json json;

	fuzz_expect(size > 0 && size < ROOM && strlen(text) == size);
	fuzz_expect(text[0] == '{' && fuzz_is_printable(text, size));
	json_init(&json, copy, size);
	fuzz_expect(json_skip_value(&json) == 0);
	fuzz_expect(json_reach_end(&json));
	free(copy);
}

/* The same in less room: its beginning, and how long it would be. */
static void check_cut(const char *whole, size_t size, const char *cut,
	size_t room, size_t told)
{
	fuzz_expect(told == size);
	if (room == 0)
		return;
	fuzz_expect(strlen(cut) == (size < room ? size : room - 1));
	fuzz_expect(strncmp(whole, cut, strlen(cut)) == 0);
}

static void check_peer_name(const char *text, const struct unixaddr *addr)
{
	static const char key[] = "\"address\":";
	char *copy = strdup(text), *name, wanted[UNIXMSG_ADDR_TEXT_SIZE];
	const char *at = strstr(text, key);
	struct json json;
	size_t size;

	fuzz_expect(copy != NULL && at != NULL);
	json_init(&json, copy + (at - text) + strlen(key),
		strlen(at + strlen(key)));
	if (unixaddr_get_kind(addr) != UNIXADDR_UNNAMED) {
		fuzz_expect(json_take_string(&json, &name, &size) == 0);
		unixaddr_format(addr, wanted, sizeof(wanted));
		fuzz_expect(size == strlen(wanted));
		fuzz_expect(memcmp(name, wanted, size) == 0);
	}
	free(copy);
}

static void try_peer(uint8_t what, const uint8_t *data, size_t size)
{
	struct unixservice_peer_info peer = { .network = "unixgram" };
	size_t room = (size_t)fuzz_take_byte(&data, &size) * 4;
	char whole[ROOM], *cut = malloc(room + 1);
	size_t length;

	peer.has_cred = (what & 2) != 0;
	peer.id = take_number(&data, &size);
	peer.received = take_number(&data, &size);
	peer.queued_most = take_number(&data, &size);
	peer.opened_us = (int64_t)take_number(&data, &size);
	take_cred(&data, &size, &peer.cred);
	take_address(data, size, &peer.addr);
	length = unixservice_format_peer(&peer, whole, sizeof(whole));
	check_json(whole, length);
	check_peer_name(whole, &peer.addr);
	fuzz_expect(cut != NULL);
	check_cut(whole, length, cut, room,
		unixservice_format_peer(&peer, room > 0 ? cut : NULL, room));
	free(cut);
}

static void try_counters(const uint8_t *data, size_t size)
{
	struct unixservice_counters counters;
	size_t room = (size_t)fuzz_take_byte(&data, &size) * 4;
	char whole[ROOM], *cut = malloc(room + 1);
	size_t length;

	fuzz_take(&data, &size, &counters, sizeof(counters));
	length = unixservice_format_counters(&counters, whole, sizeof(whole));
	check_json(whole, length);
	fuzz_expect(cut != NULL);
	check_cut(whole, length, cut, room,
		unixservice_format_counters(&counters, room > 0 ? cut : NULL,
			room));
	free(cut);
}

/* The first byte: its lowest bit, and what is known of the rest. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t what = fuzz_take_byte(&data, &size);

	if ((what & 1) != 0) {
		try_event(what, data, size);
		return 0;
	}
	try_peer(what, data, size);
	try_counters(data, size);
	return 0;
}
