/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "relay/nats_info.h"
#include "tools/common/json.h"

static int fail(void)
{
	errno = EPROTO;
	return -1;
}

/* Takes a value that must be the word true or false. */
static int take_flag(struct json *json, bool *flag)
{
	const char *text;

	json_skip_blanks(json);
	text = json->at;
	if (json_skip_value(json) < 0 || (*text != 't' && *text != 'f'))
		return fail();
	*flag = *text == 't';
	return 0;
}

/* Takes a whole number that is not negative. */
static int take_number(struct json *json, size_t *number)
{
	const char *digit;

	json_skip_blanks(json);
	digit = json->at;
	if (json_skip_value(json) < 0)
		return fail();
	for (*number = 0; digit < json->at; digit++)
		if (*digit < '0' || *digit > '9' ||
			__builtin_mul_overflow(*number, 10, number) ||
			__builtin_add_overflow(*number, (size_t)(*digit - '0'),
				number))
			return fail();
	return 0;
}

static bool is_url(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return size > 0 && size < NATS_URL_ROOM;
}

static void add_url(struct nats_info *info, const char *text, size_t size)
{
	char *url;

	if (info->urls_count == NATS_URLS_MAX || !is_url(text, size))
		return;
	url = info->urls[info->urls_count++];
	memcpy(url, text, size);
	url[size] = '\0';
}

static int take_urls(struct json *json, struct nats_info *info)
{
	char *text;
	size_t size;

	if (json_expect(json, '[', "") < 0)
		return fail();
	if (json_accept(json, ']'))
		return 0;
	do {
		if (json_take_string(json, &text, &size) < 0)
			return fail();
		add_url(info, text, size);
	} while (json_accept(json, ','));
	return json_expect(json, ']', "") < 0 ? fail() : 0;
}

static bool is_same(const char *name, size_t size, const char *wanted)
{
	return size == strlen(wanted) && memcmp(name, wanted, size) == 0;
}

static int take_value(struct json *json, struct nats_info *info,
	const char *name, size_t size)
{
	if (is_same(name, size, "max_payload"))
		return take_number(json, &info->payload_most);
	if (is_same(name, size, "headers"))
		return take_flag(json, &info->has_headers);
	if (is_same(name, size, "tls_required"))
		return take_flag(json, &info->wants_tls);
	if (is_same(name, size, "connect_urls"))
		return take_urls(json, info);
	return json_skip_value(json) < 0 ? fail() : 0;
}

static int take_member(struct json *json, struct nats_info *info)
{
	char *name;
	size_t size;

	if (json_take_string(json, &name, &size) < 0 ||
		json_expect(json, ':', "") < 0)
		return fail();
	return take_value(json, info, name, size);
}

static int take_object(struct json *json, struct nats_info *info)
{
	if (json_expect(json, '{', "") < 0)
		return fail();
	if (json_accept(json, '}'))
		return 0;
	do {
		if (take_member(json, info) < 0)
			return -1;
	} while (json_accept(json, ','));
	return json_expect(json, '}', "") < 0 ? fail() : 0;
}

int nats_info_read(struct nats_info *info, char *text, size_t size)
{
	struct json json;

	memset(info, 0, sizeof(*info));
	json_init(&json, text, size);
	if (take_object(&json, info) < 0)
		return -1;
	return json_reach_end(&json) ? 0 : fail();
}
