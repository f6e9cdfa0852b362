/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/usage.h"
#include "tools/perf/perf_options.h"

#define PLACE(member) .place = offsetof(struct perf_options, member)

static const char *const modes[] = {
	[PERF_LATENCY] = "latency",
	[PERF_THROUGHPUT] = "throughput",
	[PERF_CONNECT] = "connect",
	[PERF_FAN] = "fan",
	NULL,
};

const char *perf_mode_get_name(enum perf_mode mode)
{
	return modes[mode];
}

bool perf_mode_is_rate(enum perf_mode mode)
{
	return mode == PERF_THROUGHPUT || mode == PERF_FAN;
}

/* Makes a round take some milliseconds, much longer than its start. */
size_t perf_options_get_count(const struct perf_options *options, size_t size)
{
	const size_t bytes =
		options->mode == PERF_THROUGHPUT ? 16 << 20 : 4 << 20;
	const size_t most = options->mode == PERF_THROUGHPUT ? 5000 : 200;

	if (options->count > 0)
		return options->count;
	if (options->mode == PERF_FAN)
		return options->clients > most ? options->clients : most;
	if (size == 0 || bytes / size > most)
		return most;
	return bytes / size < 20 ? 20 : bytes / size;
}

/* Reads the number at text, and sets *end behind it. Returns false if there is
 * none, or if it is above most. */
static bool read_digits(const char *text, unsigned long most,
	unsigned long *value, const char **end)
{
	char *behind;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoul(text, &behind, 10);
	*end = behind;
	return errno == 0 && *value <= most;
}

static unsigned int read_unit(const char **text)
{
	switch (**text) {
	case 'k':
	case 'K':
		++*text;
		return 10;
	case 'm':
	case 'M':
		++*text;
		return 20;
	default:
		return 0;
	}
}

static bool fill_sizes(struct perf_options *options, const char *at)
{
	static const unsigned long most = 64 << 20;
	unsigned long value;

	options->sizes_count = 0;
	while (options->sizes_count < PERF_SIZES_MAX) {
		if (!read_digits(at, most, &value, &at))
			return false;
		value <<= read_unit(&at);
		if (value == 0 || value > most)
			return false;
		options->sizes[options->sizes_count++] = value;
		if (*at == '\0')
			return true;
		if (*at++ != ',')
			return false;
	}
	return false;
}

static int read_sizes(const struct usage_option *option, const char *value,
	void *place)
{
	if (fill_sizes(place, value))
		return 0;
	return usage_complain(option, value,
		"up to 16 sizes from 1 to 64M with commas between them");
}

static bool fill_cpus(int cpus[2], const char *at)
{
	unsigned long first, second;

	if (!read_digits(at, CPU_SETSIZE - 1, &first, &at))
		return false;
	second = first;
	if (*at == ',' && !read_digits(at + 1, CPU_SETSIZE - 1, &second, &at))
		return false;
	cpus[0] = (int)first;
	cpus[1] = (int)second;
	return *at == '\0';
}

static int read_cpus(const struct usage_option *option, const char *value,
	void *place)
{
	if (fill_cpus(place, value))
		return 0;
	return usage_complain(option, value, "A or A,B, numbers of processors");
}

/* Ends the label with a NUL, in place, before the address. */
static int read_server(const struct usage_option *option, const char *value,
	void *place)
{
	struct perf_options *options = place;
	char *at = strchr(value, '=');
	struct perf_server *server;

	if (at == NULL || at == value || at[1] == '\0')
		return usage_complain(option, value, "LABEL=ADDRESS");
	if (options->servers_count == PERF_SERVERS_MAX)
		return tool_complain("--server: at most %d times",
			PERF_SERVERS_MAX);
	*at = '\0';
	server = &options->servers[options->servers_count++];
	server->label = value;
	server->address = at + 1;
	return 0;
}

static bool has_ending(const char *name, const char *ending)
{
	size_t size = strlen(name), wanted = strlen(ending);

	return size > wanted && strcmp(name + size - wanted, ending) == 0;
}

static int read_plot(const struct usage_option *option, const char *value,
	void *place)
{
	if (!has_ending(value, ".svg") && !has_ending(value, ".png"))
		return usage_complain(option, value,
			"a file ending in .svg or .png");
	return usage_read_text(option, value, place);
}

static const char *const baselines[] = { "none", "plain", NULL };

static const struct usage_option what[] = {
	{ 'm', "mode", "MODE",
		"latency: round trips; throughput: one way;\n"
		"connect: dial, accept, close; fan: clients in\n"
		"turn (latency)",
		usage_read_word, PLACE(mode), .words = modes },
	{ 's', "size", "BYTES,...", "sizes of messages, may end in K or M (64)",
		.read = read_sizes },
	{ 'n', "count", "N", "messages in a round (for some milliseconds)",
		usage_read_size, PLACE(count), 1, PERF_COUNT_MAX },
	{ 'r', "rounds", "N", "rounds; each measures all in turn (40)",
		usage_read_size, PLACE(rounds), 1, PERF_ROUNDS_MAX },
	{ 'w', "warm-up", "N", "rounds before these, not counted (2)",
		usage_read_size, PLACE(warm_up), 0, PERF_ROUNDS_MAX },
	{ 0, "baseline", "KIND", "compare with plain calls, or none (plain)",
		usage_read_word, PLACE(baseline), .words = baselines },
	{ 0, "server", "LABEL=ADDRESS",
		"measure this echo server, beside a plain one;\n"
		"may be repeated",
		.read = read_server },
	{ 0 },
};

static const struct usage_option how[] = {
	{ 'c', "clients", "N", "clients of --mode fan (1000)", usage_read_size,
		PLACE(clients), 1, PERF_CLIENTS_MAX },
	{ 'b', "batch", "N", "throughput: messages in a call, if possible (1)",
		usage_read_size, PLACE(batch), 1, UNIXMSG_BATCH_MAX },
	{ 0, "spin", "MICROSECONDS",
		"let the library poll before it sleeps (0)", usage_read_us,
		PLACE(spin_us), 0, 1000000 },
	{ 0, "lane", "[=BYTES]", "unixpacket: use shared memory (65536)",
		usage_read_lane, PLACE(lane_bytes), 4096, 1 << 26 },
	{ 0, "cpus", "A[,B]", "the client's processor, and the service's (any)",
		read_cpus, PLACE(cpus) },
	{ 0 },
};

static const struct usage_option output[] = {
	{ 0, "json", NULL, "one JSON document instead of a table",
		usage_read_flag, PLACE(is_json) },
	{ 0, "plot", "FILE", "also draw a picture, .svg or .png, by gnuplot",
		read_plot, PLACE(plot) },
	{ 0 },
};

static const struct usage_group groups[] = {
	{ "Measuring", what },
	{ "Details", how },
	{ "Output", output },
	{ 0 },
};

static const char *const synopses[] = { "[OPTION]... [NETWORK]...", NULL };

static const struct usage usage = {
	.synopses = synopses,
	.about = "Measure how fast messages are on each NETWORK (unixgram, "
		 "unixpacket, unix, tcp,\n"
		 "udp), in turn with the same job in plain system calls that "
		 "block.\n",
	.groups = groups,
	.foot = "RATIO is the median of the rounds' ratios to plain calls, "
		"with the range of the\n"
		"middle half of them. Small times and large rates are good. "
		"Times vary from run\n"
		"to run, ratios vary less. Exit status: 0 success; 1 something "
		"failed; 2 wrong\n"
		"usage.\n",
	.leading = INT_MAX,
};

static int complain_of_network(const char *name, const char *why)
{
	tool_complain("NETWORK: '%s' %s", name, why);
	return TOOL_USAGE;
}

static bool is_chosen(const struct perf_options *options,
	enum perf_network network)
{
	size_t i;

	for (i = 0; i < options->networks_count; i++)
		if (options->networks[i] == network)
			return true;
	return false;
}

static int read_network(struct perf_options *options, const char *name)
{
	int network = perf_network_find(name);

	if (network < 0)
		return complain_of_network(name,
			"is not unixgram, unixpacket, unix, tcp or udp");
	if (is_chosen(options, (enum perf_network)network))
		return -1;
	options->networks[options->networks_count++] =
		(enum perf_network)network;
	if (options->mode != PERF_CONNECT && options->mode != PERF_FAN)
		return -1;
	if (perf_network_is_connected((enum perf_network)network))
		return -1;
	return complain_of_network(name,
		"has no connections, which this --mode measures");
}

/* Without a NETWORK, chooses all that the mode can measure. */
static void choose_networks(struct perf_options *options)
{
	enum perf_network i;

	for (i = 0; i < PERF_NETWORKS; i++)
		if (options->mode == PERF_FAN ? i == PERF_UNIXPACKET
					      : options->mode != PERF_CONNECT ||
					perf_network_is_connected(i))
			options->networks[options->networks_count++] = i;
}

static int check_servers(const struct perf_options *options)
{
	const char *why = NULL;

	if (options->servers_count == 0)
		return -1;
	if (options->mode != PERF_LATENCY)
		why = "--server: only with --mode latency";
	else if (options->networks_count != 1 ||
		options->networks[0] > PERF_UNIX)
		why = "--server: which network? Name unixgram, unixpacket "
		      "or unix";
	if (why == NULL)
		return -1;
	tool_complain("%s", why);
	return TOOL_USAGE;
}

static void set_defaults(struct perf_options *options)
{
	memset(options, 0, sizeof(*options));
	options->sizes[0] = 64;
	options->sizes_count = 1;
	options->rounds = 40;
	options->warm_up = 2;
	options->clients = 1000;
	options->batch = 1;
	options->cpus[0] = -1;
	options->cpus[1] = -1;
	options->baseline = PERF_BASELINE_PLAIN;
}

int perf_options_read(struct perf_options *options, int argc, char **argv)
{
	struct usage_words words;
	int i, status;

	set_defaults(options);
	status = usage_read(&usage, options, &words, argc, argv);
	for (i = 0; status < 0 && i < words.operands_count; i++)
		status = read_network(options, words.operands[i]);
	if (status >= 0)
		return status;
	if (options->networks_count == 0)
		choose_networks(options);
	return check_servers(options);
}
