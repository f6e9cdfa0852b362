/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tools/common/dialling.h"
#include "tools/common/explain.h"
#include "tools/common/explain_path.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"

int64_t dialling_get_deadline(const struct options *options)
{
	return unixdeadline_after_us(
		options->wait_us > 0 ? options->wait_us : options->timeout_us);
}

struct unixconn *dialling_open(const struct options *options,
	const struct network *network, unsigned int flags, int64_t deadline_us)
{
	struct unixdial_options how = {
		.own = options->own,
		.flags = flags,
		.stop_fd = tool_get_stop_fd(),
		.spin_us = options->spin_us,
	};

	if (options->listen.lane_bytes > 0)
		how.flags |= UNIXMSG_DIAL_LANE;
	if (options->is_own_mode_wanted)
		how.own_mode = options->listen.mode;
	if (options->wait_us > 0)
		how.flags |= UNIXMSG_DIAL_WAIT;
	return unixconn_dial(network->name, options->address, &how,
		deadline_us);
}

void dialling_complain(const struct options *options,
	const struct network *network, int error)
{
	if (error == ECANCELED)
		tool_complain("interrupted");
	else
		tool_complain("%s: %s", explain_text(options->address),
			explain_dial(network, options->address, options->own,
				error));
}

static int complain_of_server(const struct options *options)
{
	tool_complain("%s: the user of the server is unknown: %s",
		explain_text(options->address), strerror(errno));
	return -1;
}

int dialling_check_server(const struct options *options, struct unixconn *conn)
{
	const bool is_connected = options->network->is_connected;
	char text[EXPLAIN_USER_SIZE];
	struct unixcred cred;

	if (!options->is_server_user_wanted)
		return 0;
	if (!is_connected && unixconn_want(conn, UNIXMSG_WANT_CRED) == 0)
		return 0;
	if (!is_connected ||
		unixpeer_get_cred(unixconn_get_fd(conn), &cred) < 0)
		return complain_of_server(options);
	if (cred.uid == options->server_user)
		return 0;
	tool_complain("%s: the server is run by user %s, not by the user of "
		      "--server-user",
		explain_text(options->address), explain_user(cred.uid, text));
	return -1;
}

int dialling_check_writer(const struct options *options,
	const struct unixmsg *msg)
{
	char text[EXPLAIN_USER_SIZE];

	if (!options->is_server_user_wanted || options->network->is_connected)
		return 0;
	if ((msg->flags & UNIXMSG_HAS_CRED) &&
		msg->cred.uid == options->server_user)
		return 0;
	tool_complain("the answer is from user %s, not from the user of "
		      "--server-user",
		msg->flags & UNIXMSG_HAS_CRED
			? explain_user(msg->cred.uid, text)
			: "unknown");
	return -1;
}

void dialling_say_connected(const struct unixconn *conn)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr addr;

	if (unixconn_get_address(conn, &addr) == 0)
		tool_say(TOOL_VERBOSE, "connected, own address %s",
			unixaddr_format(&addr, text, sizeof(text)));
}

/* Returns why answers cannot arrive, and sets errno; NULL if they can. */
static const char *find_closed_way(const struct unixconn *conn, int *error)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr own;

	if (unixconn_check_answer(conn) == 0 ||
		(errno != EACCES && errno != ENOENT && errno != ESTALE))
		return NULL;
	*error = errno;
	if (unixconn_get_address(conn, &own) < 0)
		return NULL;
	unixaddr_format(&own, text, sizeof(text));
	return explain_closed_way(text, *error);
}

void dialling_warn_of_silence(const struct unixconn *conn)
{
	int error;
	const char *why = find_closed_way(conn, &error);

	if (why != NULL)
		tool_say(TOOL_NORMAL, "warning: %s", why);
}

static bool is_own_temporary(const struct unixconn *conn)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	struct unixaddr own;

	return unixconn_get_address(conn, &own) == 0 &&
		unixaddr_get_kind(&own) == UNIXADDR_PATH &&
		explain_is_temporary(unixaddr_format(&own, text, sizeof(text)));
}

const char *dialling_explain_silence(const struct options *options,
	const struct network *network, const struct unixconn *conn)
{
	static char text[1024];
	int error;
	const char *why = find_closed_way(conn, &error);

	/* A warning has reported it before. */
	if (why != NULL && error == EACCES)
		return "";
	if (why != NULL)
		snprintf(text, sizeof(text), "; %s", why);
	else
		snprintf(text, sizeof(text), "%s%s",
			explain_silence(network, options->address),
			!network->is_connected && is_own_temporary(conn)
				? "; a server with PrivateTmp= does not reach "
				  "our own address in /tmp: see --bind"
				: "");
	return text;
}

int dialling_complain_of_sending(const struct options *options, uint64_t number,
	size_t size, int error)
{
	return tool_complain("message %" PRIu64 ": %s", number,
		explain_send(options->network, size, error));
}

int dialling_complain_of_room(const struct options *options, uint64_t number)
{
	return tool_complain("message %" PRIu64
			     ": no room for it within %g seconds",
		number, (double)options->timeout_us / 1e6);
}

int dialling_complain_of_receiving(const struct options *options, size_t size,
	int error)
{
	if (error == EMSGSIZE)
		return tool_complain("a message of %zu bytes is more than the "
				     "%zu of --max-size",
			size, options->size_max);
	if (error == EPROTO)
		return tool_complain("the server has closed the connection in "
				     "the middle of a message");
	return tool_complain("receiving: %s", strerror(error));
}

int dialling_close(struct unixconn *conn)
{
	if (unixconn_close(conn) == 0)
		return 0;
	return tool_complain("own address: could not be removed: %s",
		strerror(errno));
}

static void explain_answered(uint64_t count, const char *answered, char *text,
	size_t room)
{
	if (count == 0)
		snprintf(text, room, ", none %s", answered);
	else
		snprintf(text, room, ", %" PRIu64 " %s", count, answered);
}

void dialling_say_sent(const struct client_stats *stats, const char *answered,
	uint64_t rest, bool is_all)
{
	char came[48] = "", left[64] = "";

	if (stats->sent + rest <= 1)
		return;
	if (answered != NULL)
		explain_answered(stats->received, answered, came, sizeof(came));
	if (rest > 0)
		snprintf(left, sizeof(left),
			"; %s%" PRIu64 " record%s not sent",
			is_all ? "" : "at least ", rest, rest == 1 ? "" : "s");
	tool_complain("%" PRIu64 " sent%s%s", stats->sent, came, left);
}
