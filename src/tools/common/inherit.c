/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/inherit.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"
#include "unixmsg.h"

static struct unixactivation *handed_over;
static int handed_over_error;

/* The flags for sockets that are added to the service. */
static unsigned int added_flags;

void inherit_begin(void)
{
	handed_over = unixactivation_new();
	if (handed_over == NULL)
		handed_over_error = errno;
}

void inherit_end(void)
{
	unixactivation_close(handed_over);
	handed_over = NULL;
}

/* The functions below add one socket to the service. They return 1, 0 if none
 * is left, or -1. */

static int note_missing(void)
{
	return errno == ENOENT || errno == EPROTOTYPE ? 0 : -1;
}

static int serve_listener(struct unixservice *service,
	struct unixlistener *listener)
{
	if (listener == NULL)
		return note_missing();
	if (unixservice_add_listener(service, listener, added_flags) == 0)
		return 1;
	unixlistener_close(listener);
	return -1;
}

/* Only its peer can send to it, and its end is never known. */
static bool is_datagram_pair(const struct unixconn *conn)
{
	struct unixaddr peer;

	return strcmp(unixconn_get_network(conn), "unixgram") == 0 &&
		unixconn_get_peer(conn, &peer) == 0;
}

static int serve_conn(struct unixservice *service, struct unixconn *conn)
{
	if (conn == NULL)
		return note_missing();
	errno = EINVAL;
	if (!is_datagram_pair(conn) &&
		unixservice_add_conn(service, conn, added_flags, NULL) == 0)
		return 1;
	unixconn_close(conn);
	return -1;
}

static int take_one(struct unixservice *service, const struct network *network,
	struct unixactivation *activation)
{
	int result = serve_listener(service,
		unixactivation_take_listener(activation, NULL, network->name));

	if (result != 0)
		return result;
	return serve_conn(service,
		unixactivation_take_conn(activation, NULL, network->name));
}

static const char *get_setting(const struct network *network)
{
	if (!network->is_connected)
		return "ListenDatagram";
	return network->is_stream ? "ListenStream" : "ListenSequentialPacket";
}

/* Reports a socket of the wrong kind, and the setting to change. */
static int complain_of_kind(const struct network *network, const char *what)
{
	tool_complain("--inherit: %s for the network %s (systemd: %s=)", what,
		network->name, get_setting(network));
	return -1;
}

static bool get_option(int fd, int option, int *value)
{
	socklen_t length = sizeof(*value);

	return getsockopt(fd, SOL_SOCKET, option, value, &length) == 0;
}

static bool is_unix_socket(int fd)
{
	int domain;

	return get_option(fd, SO_DOMAIN, &domain) && domain == AF_UNIX;
}

static int get_type(const struct network *network)
{
	if (!network->is_connected)
		return SOCK_DGRAM;
	return network->is_stream ? SOCK_STREAM : SOCK_SEQPACKET;
}

/* Output must not reach the peer, so it goes to /dev/null. */
static void leave_standard_descriptors(int socket)
{
	int fd, nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct stat ours, found;

	if (fstat(socket, &ours) < 0)
		return;
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(fd, &found) == 0 && found.st_dev == ours.st_dev &&
			found.st_ino == ours.st_ino)
			dup2(nothing, fd);
	close(nothing);
}

static int serve_socket(struct unixservice *service, int fd)
{
	int is_listening = 0;

	get_option(fd, SO_ACCEPTCONN, &is_listening);
	if (is_listening)
		return serve_listener(service, unixlistener_adopt(fd));
	return serve_conn(service, unixconn_adopt(fd));
}

static const char *explain_serving(const struct network *network)
{
	if (errno == EINVAL && !network->is_connected)
		return "a datagram socket that is connected has no clients to "
		       "be served; hand over one that is only bound";
	return strerror(errno);
}

/* systemd with StandardInput=socket, and inetd, set no variable for it. */
static int take_standard_input(struct unixservice *service,
	const struct network *network)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int type = 0;

	/* Before the first message to standard error. */
	leave_standard_descriptors(fd);
	if (get_option(fd, SO_TYPE, &type) && type != get_type(network)) {
		close(fd);
		return complain_of_kind(network,
			"standard input is a socket, but none");
	}
	if (fd >= 0 && serve_socket(service, fd) == 1)
		return 0;
	tool_complain("--inherit: the socket on standard input: %s",
		explain_serving(network));
	return -1;
}

static int complain_of_none(void)
{
	tool_complain("--inherit: no socket was handed over (LISTEN_FDS), and "
		      "standard input is none; give an ADDRESS instead, or "
		      "have a supervisor start it");
	return -1;
}

static int take_all(struct unixservice *service, const struct network *network)
{
	int result, count = 0;

	while ((result = take_one(service, network, handed_over)) == 1)
		count++;
	if (result < 0) {
		tool_complain("--inherit: %s", explain_serving(network));
		return -1;
	}
	if (count > 0)
		return 0;
	return complain_of_kind(network, "none of the sockets handed over is");
}

static const char *explain_variables(void)
{
	if (handed_over_error == EBADF)
		return "it names more descriptors than are open";
	if (handed_over_error == EPROTO)
		return "it, LISTEN_PID, LISTEN_FDNAMES or LISTEN_PIDFDID is "
		       "malformed, or the names are not as many as the "
		       "descriptors";
	return strerror(handed_over_error);
}

int inherit(struct unixservice *service, const struct network *network,
	unsigned int flags)
{
	int result;

	added_flags = flags;
	if (handed_over == NULL) {
		tool_complain("--inherit: LISTEN_FDS: %s", explain_variables());
		return -1;
	}
	if (unixactivation_get_count(handed_over) > 0)
		result = take_all(service, network);
	else if (is_unix_socket(STDIN_FILENO))
		result = take_standard_input(service, network);
	else
		result = complain_of_none();
	inherit_end();
	return result;
}
