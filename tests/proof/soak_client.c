/* SPDX-License-Identifier: MIT */
/*
 * A client of the soak. It counts what it has sent, what was answered and what
 * was lost, each where it happens; the sum is looked at when it has gone.
 */
#include <config.h>

#include <poll.h>
#include <stdlib.h>

#include "proof/soak.h"

enum { WINDOW_MOST = 16, BURST_MOST = 64, NAP_MOST_US = 20000 };

static const int64_t dial_us = 20000;
static const int64_t wait_us = 10000;
/* So long without an answer: is a server of datagrams still there? */
static const int64_t silence_us = 50000;
static const int64_t refusal_us = 5000;

struct client {
	struct soak_client *book;
	uint32_t life;
	int address;
	enum link_network network;
	uint64_t random;

	struct link link;
	bool is_open;
	bool is_refused; /* what is sent is refused, answers may come */
	bool has_no_room;
	bool has_lane;
	uint32_t server; /* 0: not known yet */
	uint32_t deaths; /* of servers of the site before it was connected */
	uint64_t reconnects;

	uint32_t next;     /* the number of the next request */
	uint32_t expected; /* the number of the next answer */
	unsigned int flood;
	unsigned int burst;
	unsigned int window;
	int64_t nap_until_us;
	int64_t heard_us;
};

static uint32_t get_under_way(const struct client *client)
{
	return client->next - client->expected;
}

static uint32_t get_deaths(const struct client *client)
{
	return soak_book->deaths[soak_get_site(client->address)];
}

/*
 * One whom no answer has named may be any that was killed since, or was being
 * killed then.
 */
static bool is_server_killed(const struct client *client)
{
	const struct soak_server *server = soak_get_server(client->server);

	if (client->server == 0)
		return soak_book->kills[soak_get_site(client->address)] >
			client->deaths;
	return server->id == client->server && server->is_killed;
}

/* All that is under way is lost with the server. */
static void lose(struct client *client)
{
	if (get_under_way(client) == 0)
		return;
	if (!is_server_killed(client))
		soak_fail("expected the answers to %u messages of client %u, "
			  "from %u on, from server %u at %s, which nobody has "
			  "killed; it has gone without",
			get_under_way(client), client->life, client->expected,
			client->server, soak_get_address(client->address));
	client->book->lost += get_under_way(client);
	client->expected = client->next;
}

static void disconnect(struct client *client)
{
	SOAK_EXPECT(link_close(&client->link) == 0);
	client->is_open = false;
}

/* Who listens is known of connections. */
static uint32_t find_server(const struct client *client)
{
	const struct soak_server *server;
	struct unixcred cred;

	if (client->network == LINK_GRAM)
		return 0;
	SOAK_EXPECT(unixpeer_get_cred(client->link.fd, &cred) == 0);
	server = soak_find_server(cred.pid);
	SOAK_EXPECT(server != NULL);
	return server->id;
}

static void connect_to_server(struct client *client)
{
	struct unixdial_options options = { .flags = UNIXMSG_DIAL_WAIT };

	if (client->network == LINK_GRAM)
		options.flags |= UNIXMSG_DIAL_RECONNECT;
	if (client->network == LINK_PACKET && client->life % 4 != 0)
		options.flags |= UNIXMSG_DIAL_LANE;
	client->deaths = get_deaths(client);
	if (link_dial(&client->link, client->network,
		    soak_get_address(client->address), &options,
		    unixdeadline_after_us(dial_us)) < 0) {
		SOAK_EXPECT(errno == ETIMEDOUT);
		return;
	}
	client->is_open = true;
	client->is_refused = false;
	client->has_no_room = false;
	client->has_lane = false;
	client->reconnects = 0;
	client->server = find_server(client);
	client->heard_us = unixdeadline_now_us();
}

static void look_for_lane(struct client *client)
{
	if (client->has_lane || !unixconn_is_lane(client->link.conn))
		return;
	client->has_lane = true;
	client->book->lanes++;
}

static void note_answer(struct client *client, const void *answer, size_t size)
{
	uint32_t server;

	if (get_under_way(client) == 0)
		soak_fail("expected no more answers than questions at %s, "
			  "client %u got one",
			soak_get_address(client->address), client->life);
	server = soak_check_answer(answer, size, client->address, client->life,
		client->expected);
	if (client->server != 0 && server != client->server)
		soak_fail("expected an answer from server %u, got one from %u",
			client->server, server);
	client->server = server;
	client->expected++;
	client->book->answered++;
	look_for_lane(client);
	client->heard_us = unixdeadline_now_us();
}

/* Whether to go on. */
static bool take_one(struct client *client)
{
	static char answer[SOAK_SIZE_MOST];
	size_t size = 0;

	switch (link_recv(&client->link, answer, sizeof(answer), &size)) {
	case 1:
		note_answer(client, answer, size);
		return true;
	case 0:
		SOAK_EXPECT(client->network != LINK_GRAM);
		lose(client);
		disconnect(client);
		return false;
	}
	if (errno == EAGAIN)
		return false;
	SOAK_EXPECT(client->network != LINK_GRAM);
	SOAK_EXPECT(errno == ECONNRESET || errno == EPROTO);
	/* It is told once, and answers may follow. */
	if (errno == ECONNRESET)
		return true;
	SOAK_EXPECT(is_server_killed(client));
	lose(client);
	disconnect(client);
	return false;
}

/* What the one before had not answered is lost when there is another. */
static void look_for_reconnect(struct client *client, uint32_t deaths)
{
	struct unixconn_counters counters;

	if (client->network != LINK_GRAM)
		return;
	unixconn_get_counters(client->link.conn, &counters);
	if (counters.reconnects == client->reconnects)
		return;
	lose(client);
	client->reconnects = counters.reconnects;
	client->server = 0;
	client->deaths = deaths;
}

static void note_failed_send(struct client *client, int error)
{
	switch (error) {
	case EAGAIN:
		client->has_no_room = true;
		return;
	case EPIPE:
		client->is_refused = true;
		return;
	case ECONNRESET:
		SOAK_EXPECT(client->network != LINK_GRAM);
		client->is_refused = true;
		return;
	case ECONNREFUSED:
	case ENOENT:
	case ENOTCONN:
		SOAK_EXPECT(client->network == LINK_GRAM);
		lose(client);
		client->server = 0;
		client->is_refused = true;
		return;
	default:
		soak_fail("expected a message of client %u to be sent: %s",
			client->life, strerror(error));
	}
}

/* Whether it has gone. */
static bool send_one(struct client *client)
{
	static char request[SOAK_SIZE_MOST];
	const size_t size = soak_make_request(request, client->network,
		client->life, client->next);
	const uint32_t deaths = get_deaths(client);
	const int result = link_send(&client->link, request, size);
	const int error = errno;

	look_for_reconnect(client, deaths);
	if (result < 0) {
		note_failed_send(client, error);
		return false;
	}
	SOAK_EXPECT(result == 1);
	client->next++;
	client->book->sent++;
	client->is_refused = false;
	client->has_no_room = false;
	return true;
}

/*
 * Nobody is told when a server of datagrams has gone: the next message finds
 * out. One that refuses them is stopping, and will be gone.
 */
static bool is_time_to_try(struct client *client)
{
	const int64_t now_us = unixdeadline_now_us();
	const int64_t pause_us = client->is_refused ? refusal_us : silence_us;

	if (client->network != LINK_GRAM ||
		(!client->is_refused && get_under_way(client) == 0) ||
		now_us - client->heard_us < pause_us)
		return false;
	client->heard_us = now_us;
	return true;
}

static void begin_burst(struct client *client)
{
	uint64_t *random = &client->random;

	if (client->burst > 0 || unixdeadline_now_us() < client->nap_until_us)
		return;
	client->burst = 1 + soak_random(random, BURST_MOST);
	client->window = 1 + soak_random(random, WINDOW_MOST);
	client->nap_until_us = unixdeadline_now_us();
	if (soak_random(random, 2) == 0)
		client->nap_until_us += soak_random(random, NAP_MOST_US);
}

/* How many requests may go now. */
static unsigned int get_allowance(struct client *client)
{
	unsigned int room;

	if (is_time_to_try(client))
		return 1;
	if (client->is_refused)
		return 0;
	if (client->flood > 0)
		return client->flood;
	if (client->book->is_to_leave || client->book->order != KEEP ||
		get_under_way(client) >= client->window)
		return 0;
	room = client->window - get_under_way(client);
	return room < client->burst ? room : client->burst;
}

static void send_some(struct client *client)
{
	unsigned int count = get_allowance(client);

	for (; count > 0 && send_one(client); count--) {
		client->flood -= client->flood > 0;
		client->burst -= client->burst > 0;
	}
}

static void await_answers(const struct client *client)
{
	struct pollfd poll_fd = { .fd = client->link.fd, .events = POLLIN };

	if (client->has_no_room && !client->is_refused)
		poll_fd.events |= POLLOUT;
	poll(&poll_fd, 1, (int)(wait_us / 1000));
}

/* At once: what is under way is given up. */
static void follow_order(struct client *client)
{
	if (client->book->order == ANEW_AT_ONCE) {
		client->book->given += get_under_way(client);
		client->expected = client->next;
	}
	if (client->book->order == KEEP || get_under_way(client) > 0)
		return;
	disconnect(client);
	client->book->order = KEEP;
}

static void work(struct client *client)
{
	client->flood += atomic_exchange(&client->book->flood, 0);
	if (!client->is_open) {
		connect_to_server(client);
		return;
	}
	begin_burst(client);
	send_some(client);
	while (client->is_open && take_one(client))
		continue;
	if (client->is_open)
		follow_order(client);
	if (client->is_open)
		await_answers(client);
}

void soak_talk(int client_number, uint32_t life, int address)
{
	struct client client = {
		.book = &soak_book->clients[client_number],
		.life = life,
		.address = address,
		.network = soak_get_network(address),
		.random = soak_book->seed + life,
	};

	while (!client.book->is_to_leave || get_under_way(&client) > 0)
		work(&client);
	if (client.is_open)
		disconnect(&client);
	exit(EXIT_SUCCESS);
}
