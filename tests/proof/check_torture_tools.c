/* SPDX-License-Identifier: MIT */
/*
 * The same as check_torture.c for the tools, each a process of its own that is
 * told by its environment what shall fail (fault.c). A client talks to a sound
 * server, a server to a sound client, unixmsg-perf to a process of its own that
 * is let alone, a tap stands between a sound server and a sound client, a relay
 * before a sound relay and nats-server, where there is one. Whatever happens,
 *
 * - it ends by itself, with 0 or 1, and 1 with a word about it;
 * - what it says are whole lines that begin with its name;
 * - with 0 a client has printed all answers, and a cleaning has cleaned;
 * - it frees its memory, has no descriptor more than when all goes well, and
 *   leaves no file that it does not tell of;
 * - it does not spin;
 * - what has failed once is forgotten: the next request is served;
 * - a server has the name back that a tap has taken, or the tap says that
 *   --restore is needed, and what it does then helps.
 *
 * What of it is played is told as there; the tools are in $FAULTY. What reads
 * all of /proc does so in namespaces of its own: there is little in it, and
 * what others do makes no call more.
 */
#include <config.h>

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lane/segment.h"
#include "proof/fault.h"
#include "proof/torture.h"
#include "proof/torture_choice.h"

enum { CALLS_MOST = 16384, TRIES_OF_SITE = 2, ARGUMENTS_MOST = 12 };

/* Where a tool looks for sockets that are handed over to it. */
enum { HANDED_FD = 3 };

/* A server's drains and rests are over sooner by this. */
static const int haste = 50;

/* More calls than this in so short a life are a loop. A tap dials a server that
 * has no room a thousand times. */
static const unsigned int calls_bound = 40000;

/* So many failures of each scene when not all of them. */
enum { SOME = 2, SOME_WHEN_LONG = 6 };

/* Exit statuses of sanitizers that are no status of ours. */
static const char asan_options[] = "exitcode=24";
static const char lsan_options[] = "exitcode=23";

enum role {
	CLIENT,
	SERVER,
	LOOKER,
	MEASURER,
	TAPPER,
	RESTORER,
	IMPORTER,
	EXPORTER,
};

/* Where a tool is sent to. */
enum place { ADDRESS, DIRECTORY, EVERYWHERE, NOWHERE };

struct tool_scene {
	const char *name;
	const char *tool;
	enum role role;
	int type;
	const char *options[ARGUMENTS_MOST]; /* before the address */
	const char *output;                  /* of a client, when all is well */
	const char *input;
	enum place place;
	bool is_handed;  /* a server, its socket by a supervisor */
	bool is_cleaner; /* a dead file is there before */
	bool is_for_child;
	bool is_replayer; /* a client that needs a recording */
};

/* One that there is, and where we may run. */
static char cpu_option[24];

/* We are the ones who serve and ask. */
static char server_user_option[64], user_option[64], group_option[64];

/* What relays stand between: a real engine, and a server with this address. */
static char engine_option[48], served_address[128];

/* clang-format off */

static const struct tool_scene scenes[] = {
	{ "a datagram client", "unixgram-echo", CLIENT, SOCK_DGRAM,
		.options = { NULL }, .output = "hello\n" },
	{ "a packet client", "seqpacket-echo", CLIENT, SOCK_SEQPACKET,
		.options = { NULL }, .output = "hello\n" },
	{ "a stream client", "unixstream-echo", CLIENT, SOCK_STREAM,
		.options = { NULL }, .output = "hello\n" },
	{ "a datagram client that makes up messages", "unixgram-echo", CLIENT,
		SOCK_DGRAM, .options = { "--count=2", "--size=100", "-q" },
		.output = "" },
	{ "a packet client that makes up messages", "seqpacket-echo", CLIENT,
		SOCK_SEQPACKET, .output = "",
		.options = { "--count=2", "--interval=0.001", "-q" } },
	{ "a stream client that makes up messages", "unixstream-echo", CLIENT,
		SOCK_STREAM, .options = { "--count=2", "--stats", "-q" },
		.output = NULL },
	{ "a datagram client that reads its messages", "unixgram-echo", CLIENT,
		SOCK_DGRAM, .options = { NULL }, .output = "one\n\nthree\n",
		.input = "one\n\nthree\n" },
	{ "a packet client that reads its messages", "seqpacket-echo", CLIENT,
		SOCK_SEQPACKET, .options = { "--format=hex" },
		.output = "6f6e65\n\n", .input = "6f6e65\n\n" },
	{ "a stream client that reads its messages", "unixstream-echo", CLIENT,
		SOCK_STREAM, .options = { NULL }, .output = "one\nthree\n",
		.input = "one\nthree\n" },
	{ "a packet client that knows the server's user", "seqpacket-echo",
		CLIENT, SOCK_SEQPACKET, .options = { server_user_option },
		.output = "hello\n" },
	{ "a packet client with an address of its own", "seqpacket-echo",
		CLIENT, SOCK_SEQPACKET, .options = { "--bind=own", "--wait=1" },
		.output = "hello\n" },
	{ "a talk by datagrams", "unixmsg-cat", CLIENT, SOCK_DGRAM,
		.options = { "--timeout=0.3", "unixgram" },
		.output = "one\n\nthree\n", .input = "one\n\nthree\n" },
	{ "a talk by packets that is kept", "unixmsg-cat", CLIENT,
		SOCK_SEQPACKET, .output = "one\n", .input = "one\n",
		.options = { "--tee=/dev/null", "--reconnect",
			"--timeout=0.3" } },
	{ "a talk by a stream", "unixmsg-cat", CLIENT, SOCK_STREAM,
		.options = { "--timeout=0.3" },
		.output = "one\n", .input = "one\n" },
	{ "a question", "unixmsg-cat", CLIENT, SOCK_SEQPACKET,
		.options = { "--ask" }, .output = "hello\n" },
	{ "a datagram server", "unixgram-echo", SERVER, SOCK_DGRAM,
		.options = { "--listen" } },
	{ "a packet server", "seqpacket-echo", SERVER, SOCK_SEQPACKET,
		.options = { "--listen" } },
	{ "a stream server", "unixstream-echo", SERVER, SOCK_STREAM,
		.options = { "--listen" } },
	{ "a datagram server that prints", "unixgram-echo", SERVER, SOCK_DGRAM,
		.options = { "--listen", "--format=json", "--stats",
			"--mode=0666", user_option } },
	{ "a packet server that prints", "seqpacket-echo", SERVER,
		SOCK_SEQPACKET,
		.options = { "--listen", "--format=json", "--stats",
			group_option, "--replace" } },
	{ "a stream server that prints", "unixstream-echo", SERVER,
		SOCK_STREAM,
		.options = { "--listen", "--format=text", "--stats" } },
	{ "a datagram server that is handed its socket", "unixgram-echo",
		SERVER, SOCK_DGRAM, .options = { "--listen", "--inherit" },
		.is_handed = true },
	{ "a packet server that is handed its socket", "seqpacket-echo",
		SERVER, SOCK_SEQPACKET, .options = { "--listen", "--inherit" },
		.is_handed = true },
	{ "a stream server that is handed its socket", "unixstream-echo",
		SERVER, SOCK_STREAM, .options = { "--listen", "--inherit" },
		.is_handed = true },
	{ "a sink that says yes", "unixmsg-cat", SERVER, SOCK_DGRAM,
		.options = { "--listen", "--reply=?", "unixgram" } },
	{ "a program that answers", "unixmsg-cat", SERVER, SOCK_SEQPACKET,
		.options = { "--listen", "--exec=cat", "unixpacket" } },
	{ "a program for a connection", "unixmsg-cat", SERVER, SOCK_SEQPACKET,
		.options = { "--listen", "--exec=cat", "--exec-each=connection",
			"unixpacket" } },
	{ "a look at an address", "unixmsg-inspect", LOOKER, SOCK_SEQPACKET,
		.options = { NULL } },
	{ "a look at a directory", "unixmsg-inspect", LOOKER, SOCK_DGRAM,
		.options = { NULL }, .place = DIRECTORY },
	{ "a look at everything", "unixmsg-inspect", LOOKER, SOCK_STREAM,
		.options = { NULL }, .place = EVERYWHERE },
	{ "a look as JSON", "unixmsg-inspect", LOOKER, SOCK_SEQPACKET,
		.options = { "--json" } },
	{ "a look as a graph", "unixmsg-inspect", LOOKER, SOCK_SEQPACKET,
		.options = { "--dot" } },
	{ "a look as a graph of everything", "unixmsg-inspect", LOOKER,
		SOCK_SEQPACKET, .options = { "--dot" }, .place = EVERYWHERE },
	{ "a cleaning of what is alive", "unixmsg-inspect", LOOKER,
		SOCK_SEQPACKET, .options = { "--clean" } },
	{ "a cleaning of what is dead", "unixmsg-inspect", LOOKER,
		SOCK_SEQPACKET, .options = { "--clean" }, .place = DIRECTORY,
		.is_cleaner = true },
	{ "a measurement of round trips", "unixmsg-perf", MEASURER, 0,
		.options = { "-q", "-n1", "-r1", "-w0", cpu_option },
		.place = NOWHERE },
	{ "a measurement of round trips as JSON", "unixmsg-perf", MEASURER, 0,
		.options = { "-q", "-n1", "-r1", "-w0", "--json", "unixgram",
			"unixpacket", "unix" }, .place = NOWHERE },
	{ "a measurement of one way", "unixmsg-perf", MEASURER, 0,
		.options = { "-q", "-n2", "-r1", "-w0", "-mthroughput" },
		.place = NOWHERE },
	{ "a measurement of batches", "unixmsg-perf", MEASURER, 0,
		.options = { "-q", "-n2", "-r1", "-w0", "-mthroughput", "-b2",
			"unixgram", "unixpacket" }, .place = NOWHERE },
	{ "a measurement of connections", "unixmsg-perf", MEASURER, 0,
		.options = { "-q", "-n1", "-r1", "-w0", "-mconnect" },
		.place = NOWHERE },
	{ "a measurement of many clients", "unixmsg-perf", MEASURER, 0,
		.options = { "-q", "-n2", "-r1", "-w0", "-mfan", "-c2",
			"unixpacket", "unix" }, .place = NOWHERE },
	{ "a tap of datagrams", "unixmsg-tap", TAPPER, SOCK_DGRAM,
		.options = { NULL } },
	{ "a tap of packets", "unixmsg-tap", TAPPER, SOCK_SEQPACKET,
		.options = { "--format=json", "--stats" } },
	{ "a tap of a stream", "unixmsg-tap", TAPPER, SOCK_STREAM,
		.options = { "--format=hex" } },
	{ "a tap of packets that records", "unixmsg-tap", TAPPER,
		SOCK_SEQPACKET, .options = { "--write=-" } },
	{ "the process of a tap that prints", "unixmsg-tap", TAPPER,
		SOCK_SEQPACKET, .options = { NULL }, .is_for_child = true },
	{ "the process of a tap that records", "unixmsg-tap", TAPPER,
		SOCK_SEQPACKET, .options = { "--write=-" },
		.is_for_child = true },
	{ "a repair after a killed tap", "unixmsg-tap", RESTORER,
		SOCK_SEQPACKET, .options = { "--restore" } },
	{ "a recording sent again", "unixmsg-tap", CLIENT, SOCK_SEQPACKET,
		.options = { "--replay=recording", "--speed=0" },
		.output = "", .is_replayer = true },
	{ "an import of datagrams", "unixmsg-relay", IMPORTER, SOCK_DGRAM,
		.options = { "--import=it", "--host=a", "-nunixgram",
			engine_option } },
	{ "an import of packets", "unixmsg-relay", IMPORTER, SOCK_SEQPACKET,
		.options = { "--import=it", "--host=a", "-nunixpacket",
			engine_option, "--stats", user_option } },
	{ "an import of a stream", "unixmsg-relay", IMPORTER, SOCK_STREAM,
		.options = { "--import=it", "--host=a", "-nunix",
			engine_option } },
	{ "an export of datagrams", "unixmsg-relay", EXPORTER, SOCK_DGRAM,
		.options = { "--export=it", "--host=b", "-nunixgram",
			engine_option, served_address }, .place = NOWHERE },
	{ "an export of packets", "unixmsg-relay", EXPORTER, SOCK_SEQPACKET,
		.options = { "--export=it", "--host=b", "-nunixpacket",
			engine_option, "--metrics=recording", served_address },
		.place = NOWHERE },
};

/* clang-format on */

struct progress {
	char what[128];
	unsigned int failures;
	bool is_part; /* calls in loops were not all tried */
	bool is_over;
};

static struct progress *progresses;

/* What has been started, and how it has ended. */
struct life {
	pid_t pid;
	int status;
	unsigned int calls;
	unsigned int hits;
	long blocks;
	int fds;
	char out[4096];
	char err[4096];
};

static struct fault_record log_records[CALLS_MOST];
static char log_names[CALLS_MOST][24];

/* When nothing fails. */
static int fds_usual, lines_usual;

/* What a supervisor has: sockets for servers, and one that hears of them. */
static struct server handed;
static struct unixconn *supervisor;

/* Where others' lives make calls, not all of them are tried. */
static bool is_alone;

static const char *get_address(void)
{
	return support_path("s");
}

/* A look at all processes of a busy machine makes any number of calls. */
static bool is_bounded(const struct tool_scene *scene)
{
	return is_alone || scene->role < LOOKER || scene->role == MEASURER;
}

static int open_output(const char *name)
{
	int fd = open(support_path(name),
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void set_number(const char *name, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	setenv(name, text, 1);
}

static void set_fault(const struct fault *fault, bool is_server)
{
	setenv("FAULT_LOG", support_path("log"), 1);
	setenv("ASAN_OPTIONS", asan_options, 1);
	setenv("LSAN_OPTIONS", lsan_options, 1);
	set_number("FAULT_HASTE", is_server ? haste : 1);
	if (fault == NULL || fault->number == 0)
		return;
	set_number("FAULT_NTH", (int)fault->number);
	set_number("FAULT_ERRNO", fault->error);
	setenv("FAULT_CALL", fault->call, 1);
	setenv("FAULT_MODE", fault->is_forever ? "forever" : "once", 1);
}

static const char *get_supervisor(void)
{
	return support_abstract("supervisor");
}

static void open_supervisor(int type)
{
	ck_assert_int_eq(open_server(&handed, type, get_address(), NULL), 0);
	supervisor = unixconn_open("unixgram", get_supervisor(), NULL);
	ck_assert_ptr_nonnull(supervisor);
}

static void close_supervisor(void)
{
	unixconn_close(supervisor);
	ck_assert_int_eq(close_server(&handed), 0);
}

static void hear_servers(void)
{
	char text[256];

	while (unixconn_recv(supervisor, text, sizeof(text), NULL,
		       UNIXMSG_NOW) == 1)
		continue;
}

static void hand_over(void)
{
	set_number("LISTEN_PID", getpid());
	set_number("LISTEN_FDS", 1);
	setenv("NOTIFY_SOCKET", get_supervisor(), 1);
	dup2(server_get_fd(&handed), HANDED_FD);
}

static int list_arguments(const struct tool_scene *scene,
	const char *const *options, const char **arguments)
{
	int i, count = 0;

	arguments[count++] = scene->tool;
	for (i = 0; options[i] != NULL; i++)
		arguments[count++] = options[i];
	if (scene->place == DIRECTORY && scene->role == LOOKER)
		arguments[count++] = support_dir();
	else if (scene->place == ADDRESS && !scene->is_handed)
		arguments[count++] = get_address();
	if (scene->role == CLIENT && scene->input == NULL &&
		scene->output != NULL && scene->output[0] != '\0')
		arguments[count++] = "hello";
	arguments[count] = NULL;
	return count;
}

static void become(const struct tool_scene *scene, const char *const *options,
	const struct fault *fault)
{
	/* One that spins is ended by a signal. */
	static const struct rlimit cpu_seconds = { 4, 4 };
	const char *arguments[ARGUMENTS_MOST + 4];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/faulty-%s", getenv("FAULTY"),
		scene->tool);
	list_arguments(scene, options, arguments);
	set_fault(fault, scene->role == SERVER || scene->role == TAPPER);
	if (scene->is_handed)
		hand_over();
	if (scene->is_for_child)
		setenv("FAULT_WHO", "child", 1);
	/* What is sound serves all rounds. */
	if (fault != NULL)
		setrlimit(RLIMIT_CPU, &cpu_seconds);
	if (chdir(support_dir()) == 0)
		execv(path, (char **)arguments);
	perror(path);
	_exit(99);
}

/* A pipe that is full enough, or nothing. */
static int open_input(const char *text)
{
	int pipe[2];

	if (text == NULL)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	support_ready_init(pipe);
	ck_assert(write(pipe[1], text, strlen(text)) > 0);
	close(pipe[1]);
	return pipe[0];
}

/* err_fd becomes its standard error. */
static pid_t start(const struct tool_scene *scene, const char *const *options,
	const struct fault *fault, int err_fd)
{
	int in_fd = open_input(scene->input);
	int out_fd = open_output("out");
	pid_t pid = support_fork();

	if (pid == 0) {
		dup2(in_fd, STDIN_FILENO);
		dup2(out_fd, STDOUT_FILENO);
		dup2(err_fd, STDERR_FILENO);
		become(scene, options, fault);
	}
	close(in_fd);
	close(out_fd);
	return pid;
}

static void read_file(const char *name, char *text, size_t room)
{
	int fd = open(support_path(name), O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, text, room - 1);

	text[size > 0 ? size : 0] = '\0';
	if (fd >= 0)
		close(fd);
	unlink(support_path(name));
}

static void read_log(struct life *life)
{
	FILE *file = fopen(support_path("log"), "re");
	char line[64], name[24];
	unsigned long site;

	life->calls = life->hits = 0;
	life->blocks = 0;
	life->fds = 0;
	ck_assert_msg(file != NULL, "it has not ended by itself");
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "end %u %ld %d", &life->hits, &life->blocks,
			    &life->fds) == 3)
			break;
		if (sscanf(line, "%23s %lx", name, &site) == 2 &&
			life->calls < CALLS_MOST) {
			strcpy(log_names[life->calls], name);
			log_records[life->calls].call = log_names[life->calls];
			log_records[life->calls].site = (const void *)site;
		}
		life->calls++;
	}
	fclose(file);
	unlink(support_path("log"));
}

static void wait_for(struct life *life)
{
	int how;

	while (waitpid(life->pid, &how, 0) < 0)
		ck_assert_int_eq(errno, EINTR);
	ck_assert_msg(WIFEXITED(how), "it ends by signal %d", WTERMSIG(how));
	life->status = WEXITSTATUS(how);
	read_log(life);
	read_file("out", life->out, sizeof(life->out));
}

/* Each line of what it says begins with its name. */
static bool is_said_by(const char *said, const char *tool)
{
	const char *end;

	for (; *said != '\0'; said = end + 1) {
		end = strchr(said, '\n');
		if (end == NULL || strncmp(said, tool, strlen(tool)) != 0 ||
			strncmp(said + strlen(tool), ": ", 2) != 0)
			return false;
	}
	return true;
}

/* What holds for all of them. */
static void check_life(const struct tool_scene *scene, const struct life *life,
	const struct fault *fault)
{
	/* Who is not found is not known: that is wrong usage. */
	bool is_known = strncmp(fault->call, "getpw", 5) != 0 &&
		strncmp(fault->call, "getgr", 5) != 0;

	ck_assert_msg(life->status <= 1 + !is_known, "exit status %d: %s",
		life->status, life->err);
	ck_assert_msg(life->status == 0 || life->err[0] != '\0' ||
			scene->role == LOOKER,
		"it fails without a word");
	ck_assert_msg(is_said_by(life->err, scene->tool), "it says: %s",
		life->err);
	ck_assert_msg(life->blocks <= 0, "%ld blocks are not freed",
		life->blocks);
	/* What is handed over and not taken stays as it is. */
	ck_assert_msg(fds_usual == 0 ||
			life->fds <= fds_usual + scene->is_handed,
		"%d descriptors, else %d", life->fds, fds_usual);
	ck_assert_msg(life->calls < calls_bound || !is_bounded(scene),
		"%u calls: it spins", life->calls);
}

/* Files, all but the one named. */

static char left[PATH_MAX];
static const char *expected;

static int note_file(const char *path, const struct stat *status, int type,
	struct FTW *place)
{
	(void)status;
	(void)place;
	if (type != FTW_D && strcmp(path, support_path("recording")) != 0 &&
		(expected == NULL || strcmp(path, expected) != 0))
		snprintf(left, sizeof(left), "%s", path);
	return 0;
}

static void check_files(const char *present, const struct life *life,
	const struct fault *fault)
{
	bool is_told = strstr(life->err, "could not be removed") != NULL ||
		strstr(life->err, "could not be given back") != NULL;

	left[0] = '\0';
	expected = present;
	ck_assert_int_eq(nftw(support_dir(), note_file, 16, FTW_PHYS), 0);
	/* Whatever else connect(2) says, somebody may be there. */
	if (strstr(life->out, "dead: kept: alive") != NULL)
		is_told = strcmp(fault->call, "connect") == 0;
	if (strstr(life->out, "dead: gone already") != NULL)
		is_told = fault->error == ENOENT;
	/* What cannot be looked at cannot be told from another's. */
	if (life->status == 1 && strcmp(fault->call, "fstatat") == 0)
		is_told = true;
	ck_assert_msg(left[0] == '\0' || is_told, "left behind: %s; %s", left,
		life->err);
	if (left[0] != '\0')
		unlink(left);
}

/* A sound client: whether it is served. */

static const char *get_network(int type)
{
	if (type == SOCK_DGRAM)
		return "unixgram";
	return type == SOCK_SEQPACKET ? "unixpacket" : "unix";
}

/* A stream here is one of bytes. */
static bool exchange(struct unixconn *client, int type, char *byte,
	int64_t until)
{
	if (type == SOCK_STREAM)
		return unixconn_write(client, "?", 1, NULL, until) == 1 &&
			unixconn_read(client, byte, 1, NULL, until) == 1;
	return unixconn_send(client, "?", 1, until) == 1 &&
		unixconn_recv(client, byte, 1, NULL, until) == 1;
}

static bool ask(int type, int64_t patience_us)
{
	const int64_t until = unixdeadline_after_us(patience_us);
	struct unixconn *client =
		unixconn_dial(get_network(type), get_address(), NULL, until);
	char byte = '\0';
	bool is_served = client != NULL && exchange(client, type, &byte, until);

	unixconn_close(client);
	return is_served && byte == '?';
}

/* The first may be lost, and the listener may take a rest. */
static bool ask_again(int type)
{
	int i;

	for (i = 0; i < 4; i++)
		if (ask(type, i == 3 ? 2000000 : 150000))
			return true;
	return false;
}

/* Servers: what they say first comes through a pipe. */

static bool is_said(int fd, const char *text, char *said, size_t room)
{
	size_t size = 0;
	ssize_t got = 1;

	said[0] = '\0';
	while (strstr(said, text) == NULL && got > 0) {
		got = read(fd, said + size, room - 1 - size);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			size += (size_t)got;
		said[size] = '\0';
	}
	return got > 0;
}

/* All that follows, until it ends. */
static void read_on(int fd, char *said, size_t room)
{
	size_t size = strlen(said);
	ssize_t got;

	while ((got = read(fd, said + size, room - 1 - size)) != 0)
		if (got > 0)
			size += (size_t)got;
		else if (errno != EINTR)
			break;
	said[size] = '\0';
}

/* Whether it has come so far as to listen. */
static bool start_server(const struct tool_scene *scene, struct life *life,
	const char *const *options, const struct fault *fault, int *said_fd)
{
	int said[2];

	support_ready_init(said);
	life->pid = start(scene, options, fault, said[1]);
	close(said[1]);
	*said_fd = said[0];
	return is_said(said[0], "listening on", life->err, sizeof(life->err));
}

static void let_server_end(struct life *life, int said_fd)
{
	kill(life->pid, SIGTERM);
	read_on(said_fd, life->err, sizeof(life->err));
	close(said_fd);
	wait_for(life);
}

/* "listening on" is no complaint. */
static void forget_listening(struct life *life)
{
	const char *end = strchr(life->err, '\n');

	if (strstr(life->err, "listening on") != NULL && end != NULL)
		memmove(life->err, end + 1, strlen(end));
}

/* Serves us until it is told to end, or ends at once. */
static void let_serve(const struct tool_scene *scene, struct life *life,
	const struct fault *fault)
{
	bool is_served;
	int said_fd;

	if (start_server(scene, life, scene->options, fault, &said_fd)) {
		is_served = fault->is_forever ? ask(scene->type, 50000)
					      : ask_again(scene->type);
		ck_assert_msg(is_served || fault->is_forever,
			"the next request is not served");
		let_server_end(life, said_fd);
		forget_listening(life);
	} else {
		close(said_fd);
		wait_for(life);
		ck_assert_msg(life->status != 0, "it ends at once with 0");
	}
	check_life(scene, life, fault);
}

static void play_server(const struct tool_scene *scene, struct life *life,
	const struct fault *fault)
{
	let_serve(scene, life, fault);
	check_files(scene->is_handed ? get_address() : NULL, life, fault);
	if (scene->is_handed)
		hear_servers();
}

/* Taps: the server is sound, and notices nothing. */

static void restore(void)
{
	struct unixtakeover *takeover = unixtakeover_open(get_address(),
		unixdeadline_after_us(2000000));

	ck_assert_ptr_nonnull(takeover);
	ck_assert_int_eq(unixtakeover_close(takeover, -1), 1);
}

/* As after a kill: the name is dead, and the hidden one is the server's. */
static void take_away(void)
{
	const char *hidden = support_path(".unixmsg=s");

	ck_assert_int_eq(rename(get_address(), hidden), 0);
	make_dead(SOCK_SEQPACKET, get_address());
}

static bool is_file_of(const struct stat *server)
{
	struct stat found;

	return stat(get_address(), &found) == 0 &&
		found.st_dev == server->st_dev &&
		found.st_ino == server->st_ino;
}

static void play_tapper(const struct tool_scene *scene, struct life *life,
	const struct fault *fault)
{
	struct stat server;

	ck_assert_int_eq(stat(get_address(), &server), 0);
	let_serve(scene, life, fault);
	if (strstr(life->err, "try --restore") != NULL)
		restore();
	ck_assert_msg(is_file_of(&server), "the server has lost its name: %s",
		life->err);
	check_files(get_address(), life, fault);
	ck_assert_msg(ask(scene->type, 2000000), "the server is disturbed");
}

/* Relays: all but one of them is sound. */

/* How long something is awaited that need not come, and that has to. */
enum { SHORT_MS = 1000, LONG_MS = 20000 };

static bool is_engine_there;
static pid_t engine_pid;
static int engine_said_fd;

static bool is_relay(const struct tool_scene *scene)
{
	return scene->role == IMPORTER || scene->role == EXPORTER;
}

static bool has_engine(void)
{
	const char *path = getenv("PATH");
	char text[PATH_MAX];

	snprintf(text, sizeof(text), "%s:/usr/sbin:/sbin",
		path == NULL ? "/bin:/usr/bin" : path);
	setenv("PATH", text, 1);
	return system("command -v nats-server >/dev/null 2>&1") == 0;
}

static void start_engine(void)
{
	static const char before[] = "client connections on ";
	char said[4096], *port;
	int pipe[2];

	support_ready_init(pipe);
	engine_pid = support_fork();
	if (engine_pid == 0) {
		dup2(pipe[1], STDERR_FILENO);
		execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p",
			"-1", (char *)NULL);
		_exit(99);
	}
	close(pipe[1]);
	engine_said_fd = pipe[0];
	ck_assert(is_said(pipe[0], "Server is ready", said, sizeof(said)));
	port = strstr(said, before);
	ck_assert_ptr_nonnull(port);
	port += strlen(before);
	snprintf(engine_option, sizeof(engine_option), "--engine=%.*s",
		(int)strcspn(port, "\n"), port);
	ck_assert_int_eq(fcntl(pipe[0], F_SETFL, O_NONBLOCK), 0);
}

static void end_engine(void)
{
	int how;

	kill(engine_pid, SIGKILL);
	ck_assert_int_eq(support_waitpid(engine_pid, &how), engine_pid);
	close(engine_said_fd);
}

/* Else it would wait for us. */
static void hear_engine(void)
{
	char said[4096];

	while (read(engine_said_fd, said, sizeof(said)) > 0)
		continue;
}

static bool is_there_more(int fd, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, timeout_ms) == 1;
}

/* Adds what is said in that time; false at the end, or if it is nothing. */
static bool hear_more(int fd, char *said, size_t room, int timeout_ms)
{
	const size_t size = strlen(said);
	ssize_t got = 0;

	if (is_there_more(fd, timeout_ms))
		got = read(fd, said + size, room - 1 - size);
	said[size + (size_t)(got > 0 ? got : 0)] = '\0';
	return got > 0;
}

/* Without an engine or the other side it waits for ever. */
static bool start_relay(const struct tool_scene *scene, struct life *life,
	const struct fault *fault, int *said_fd)
{
	const char *text =
		scene->role == IMPORTER ? "listening on" : "can be reached as";
	const int patience_ms = fault->is_forever ? SHORT_MS : LONG_MS;
	int said[2];

	support_ready_init(said);
	life->pid = start(scene, scene->options, fault, said[1]);
	close(said[1]);
	*said_fd = said[0];
	life->err[0] = '\0';
	while (strstr(life->err, text) == NULL)
		if (!hear_more(said[0], life->err, sizeof(life->err),
			    patience_ms))
			return false;
	return true;
}

/* Until the other relay has found it, or found it again. An answer may be lost,
 * or take long on a busy machine. */
static bool ask_relay(int type)
{
	const int64_t end_us = unixdeadline_after_us(LONG_MS * INT64_C(1000));
	int64_t patience_us = 150000, until_us;

	while (unixdeadline_now_us() < end_us) {
		until_us = unixdeadline_after_us(patience_us);
		if (ask(type, patience_us))
			return true;
		if (unixdeadline_now_us() >= until_us)
			patience_us *= 2;
		is_there_more(-1, 5);
	}
	return false;
}

static void play_relay(const struct tool_scene *scene, struct life *life,
	const struct fault *fault)
{
	bool has_begun, is_served;
	int said_fd;

	hear_engine();
	has_begun = start_relay(scene, life, fault, &said_fd);
	if (has_begun) {
		is_served = fault->is_forever ? ask(scene->type, 50000)
					      : ask_relay(scene->type);
		ck_assert_msg(is_served || fault->is_forever,
			"nobody is served: %s", life->err);
	}
	/* Or it would wait for answers to datagrams, a second each time. */
	if (scene->type == SOCK_DGRAM)
		kill(life->pid, SIGINT);
	let_server_end(life, said_fd);
	ck_assert_msg(has_begun || life->status != 0 || fault->is_forever,
		"it never begins: %s", life->err);
	check_life(scene, life, fault);
	check_files(scene->role == EXPORTER ? get_address() : NULL, life,
		fault);
}

/* Clients and lookers: their server is sound. */

static const char *const plain_listen[] = { "--listen", NULL };

static void play_client(const struct tool_scene *scene, struct life *life,
	const struct fault *fault)
{
	int err_fd = open_output("err");

	life->pid = start(scene, scene->options, fault, err_fd);
	close(err_fd);
	wait_for(life);
	read_file("err", life->err, sizeof(life->err));
	check_life(scene, life, fault);
	ck_assert_msg(life->status != 0 || scene->output == NULL ||
			strcmp(life->out, scene->output) == 0,
		"it says all is well, and prints: %s", life->out);
	check_files(get_address(), life, fault);
	ck_assert_msg(ask(scene->type, 2000000), "the server is disturbed");
}

static void play_restorer(const struct tool_scene *scene, struct life *life,
	const struct fault *fault)
{
	int err_fd = open_output("err");
	struct stat server;

	ck_assert_int_eq(stat(get_address(), &server), 0);
	take_away();
	life->pid = start(scene, scene->options, fault, err_fd);
	close(err_fd);
	wait_for(life);
	read_file("err", life->err, sizeof(life->err));
	check_life(scene, life, fault);
	if (life->status != 0)
		restore();
	ck_assert_msg(is_file_of(&server), "it has repaired nothing: %s",
		life->err);
	check_files(get_address(), life, fault);
	ck_assert_msg(ask(scene->type, 2000000), "the server is disturbed");
}

static void play_looker(const struct tool_scene *scene, struct life *life,
	const struct fault *fault)
{
	int err_fd = open_output("err");

	if (scene->is_cleaner)
		make_dead(SOCK_DGRAM, support_path("dead"));
	life->pid = start(scene, scene->options, fault, err_fd);
	close(err_fd);
	wait_for(life);
	read_file("err", life->err, sizeof(life->err));
	check_life(scene, life, fault);
	if (life->status != 0)
		unlink(support_path("dead"));
	check_files(get_address(), life, fault);
	ck_assert_msg(ask(scene->type, 2000000), "the server is disturbed");
}

static int count_lines(const char *text)
{
	int lines = 0;

	while ((text = strchr(text, '\n')) != NULL) {
		text++;
		lines++;
	}
	return lines;
}

/* What it measures is nobody's to expect, but that there is a line for each. */
static void play_measurer(const struct tool_scene *scene, struct life *life,
	const struct fault *fault)
{
	int err_fd = open_output("err");

	life->pid = start(scene, scene->options, fault, err_fd);
	close(err_fd);
	wait_for(life);
	read_file("err", life->err, sizeof(life->err));
	check_life(scene, life, fault);
	if (fault->number == 0)
		lines_usual = count_lines(life->out);
	ck_assert_int_gt(lines_usual, 0);
	ck_assert_msg(life->status != 0 ||
			count_lines(life->out) == lines_usual,
		"it says all is well, and prints: %s", life->out);
	check_files(NULL, life, fault);
}

static void play(const struct tool_scene *scene, struct life *life,
	const struct fault *fault)
{
	if (scene->role == SERVER)
		play_server(scene, life, fault);
	else if (scene->role == CLIENT)
		play_client(scene, life, fault);
	else if (scene->role == MEASURER)
		play_measurer(scene, life, fault);
	else if (scene->role == TAPPER)
		play_tapper(scene, life, fault);
	else if (scene->role == RESTORER)
		play_restorer(scene, life, fault);
	else if (is_relay(scene))
		play_relay(scene, life, fault);
	else
		play_looker(scene, life, fault);
}

/* The rounds. */

struct plan {
	struct fault *faults;
	size_t count;
};

static void add_fault(struct plan *plan, unsigned int number, const char *call,
	int error, bool is_forever)
{
	plan->faults = realloc(plan->faults,
		(plan->count + 1) * sizeof(*plan->faults));
	ck_assert_ptr_nonnull(plan->faults);
	plan->faults[plan->count++] =
		(struct fault){ number, call, error, is_forever, 0 };
}

/* Time is not ours here: EAGAIN without an end would be waited for. */
static bool is_tried_again(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EAGAIN ||
		error == ECONNRESET;
}

/* It would be a lie: the file is there; these prove that its name is dead, or
 * another's. */
static bool is_lie(const struct tool_scene *scene,
	const struct fault_call *call, int error)
{
	if (error == ENOENT)
		return strstr(call->name, "at") != NULL;
	return (error == ECONNREFUSED || error == EPROTOTYPE) &&
		(scene->role == RESTORER || scene->role == TAPPER) &&
		strcmp(call->name, "connect") == 0;
}

static void add_faults(struct plan *plan, const struct tool_scene *scene,
	unsigned int number, const struct fault_call *call)
{
	int i, error;

	for (i = 0; i < FAULT_ERRORS_MOST && call->errors[i] != 0; i++) {
		error = call->errors[i];
		if (is_lie(scene, call, error))
			continue;
		add_fault(plan, number, call->name, error, false);
		if (!is_tried_again(error))
			add_fault(plan, number, call->name, error, true);
	}
}

/* What looks at what others do, or does the same again and again. */
static bool is_worn_out(const struct tool_scene *scene, unsigned int number)
{
	unsigned int i, tries = 0;

	if (scene->role != MEASURER && is_bounded(scene))
		return false;
	for (i = 0; i < number; i++)
		tries += log_records[i].site == log_records[number].site;
	return tries >= TRIES_OF_SITE;
}

static void make_plan(struct plan *plan, const struct tool_scene *scene)
{
	const struct fault nothing = { .call = "" };
	struct life life;
	unsigned int i;

	play(scene, &life, &nothing);
	ck_assert_msg(life.status == 0, "it fails by itself: %s", life.err);
	ck_assert(life.calls <= CALLS_MOST || !is_bounded(scene));
	fds_usual = life.fds;
	for (i = 0; i < life.calls && i < CALLS_MOST; i++)
		if (!is_worn_out(scene, i))
			add_faults(plan, scene, i + 1,
				fault_find(log_records[i].call));
}

static void play_round(const struct tool_scene *scene,
	const struct fault *fault, struct progress *progress)
{
	struct life life;

	snprintf(progress->what, sizeof(progress->what),
		"call %u, %s, fails %s: %s", fault->number, fault->call,
		fault->is_forever ? "from then on" : "once",
		strerror(fault->error));
	play(scene, &life, fault);
	progress->failures += life.hits > 0;
}

static void play_rounds(const struct tool_scene *scene, int index)
{
	struct plan plan = { 0 };
	size_t i, count;

	make_plan(&plan, scene);
	count = torture_choose(plan.faults, plan.count, sizeof(*plan.faults),
		support_is_long() ? SOME_WHEN_LONG : SOME, (unsigned int)index);
	for (i = 0; i < count; i++)
		play_round(scene, &plan.faults[i], &progresses[index]);
	free(plan.faults);
}

static void make_recording(int type)
{
	const struct tool_scene tap = {
		.tool = "unixmsg-tap",
		.role = TAPPER,
		.type = type,
		.options = { "--write=recording" },
	};
	struct life life;
	int said_fd;

	ck_assert(start_server(&tap, &life, tap.options, NULL, &said_fd));
	ck_assert(ask(type, 2000000));
	let_server_end(&life, said_fd);
	ck_assert_int_eq(life.status, 0);
}

static const char *const of_type[] = {
	[SOCK_STREAM] = "unixstream-echo",
	[SOCK_DGRAM] = "unixgram-echo",
	[SOCK_SEQPACKET] = "seqpacket-echo",
};

/* It finds the other relay by itself, and is found again. */
static void start_partner(const struct tool_scene *scene, struct life *life)
{
	static const char *const networks[] = {
		[SOCK_STREAM] = "-nunix",
		[SOCK_DGRAM] = "-nunixgram",
		[SOCK_SEQPACKET] = "-nunixpacket",
	};
	const bool is_import = scene->role == EXPORTER;
	const struct tool_scene partner = {
		.tool = "unixmsg-relay",
		.role = is_import ? IMPORTER : EXPORTER,
		.type = scene->type,
		.options = { is_import ? "--import=it" : "--export=it", "-q",
			is_import ? "--host=a" : "--host=b",
			networks[scene->type], engine_option,
			is_import ? NULL : served_address },
		.place = is_import ? ADDRESS : NOWHERE,
	};
	int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);

	life->pid = start(&partner, partner.options, NULL, nothing);
	close(nothing);
}

static void play_beside_relay(const struct tool_scene *scene, int index)
{
	const struct tool_scene server = {
		.tool = of_type[scene->type],
		.role = SERVER,
		.options = { "--listen", served_address },
		.place = NOWHERE,
	};
	struct life served, beside;
	int said_fd;

	start_engine();
	snprintf(served_address, sizeof(served_address), "%s",
		support_abstract("served"));
	ck_assert(
		start_server(&server, &served, server.options, NULL, &said_fd));
	start_partner(scene, &beside);
	play_rounds(scene, index);
	kill(beside.pid, SIGTERM);
	wait_for(&beside);
	let_server_end(&served, said_fd);
	end_engine();
}

static void play_beside_server(const struct tool_scene *scene, int index)
{
	const struct tool_scene server = {
		.tool = of_type[scene->type],
		.role = SERVER,
		.type = scene->type,
	};
	struct life life;
	int said_fd;

	ck_assert(start_server(&server, &life, plain_listen, NULL, &said_fd));
	if (scene->is_replayer)
		make_recording(scene->type);
	play_rounds(scene, index);
	let_server_end(&life, said_fd);
	ck_assert_int_eq(life.status, 0);
}

/* In a chroot / is no mount point: only /proc is needed, and made private. */
static bool enter_namespaces(void)
{
	return unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET) == 0 &&
		mount(NULL, "/proc", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* A connection with memory as of a lane, which a look finds in this process. */
static void keep_lane(void)
{
	struct segment segment;
	struct stat own;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				 pair),
		0);
	ck_assert_int_eq(fstat(pair[0], &own), 0);
	close(unixsegment__make(&segment, 1 << 16, own.st_ino));
}

/* The first process of a PID namespace, with which it ends. */
static void be_first_process(const struct tool_scene *scene, int index)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount("proc", "/proc", "proc", 0, NULL) < 0)
		_exit(SUPPORT_EXIT_SKIPPED);
	is_alone = true;
	keep_lane();
	play_beside_server(scene, index);
	_exit(EXIT_SUCCESS);
}

/* There is no way back out of namespaces, so that a child enters them. */
static void try_alone(const struct tool_scene *scene, int index)
{
	pid_t pid;

	if (!enter_namespaces())
		_exit(SUPPORT_EXIT_SKIPPED);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		be_first_process(scene, index);
	_exit(support_get_exit_status(pid));
}

static void play_alone(const struct tool_scene *scene, int index)
{
	pid_t pid;
	int status;

	/* Now, or each process would have one of its own. */
	support_dir();
	pid = support_fork();
	if (pid == 0)
		try_alone(scene, index);
	status = support_get_exit_status(pid);
	if (status == SUPPORT_EXIT_SKIPPED) {
		progresses[index].is_part = true;
		play_beside_server(scene, index);
		return;
	}
	ck_assert_int_eq(status, EXIT_SUCCESS);
}

static void play_handed(const struct tool_scene *scene, int index)
{
	open_supervisor(scene->type);
	play_rounds(scene, index);
	close_supervisor();
}

START_TEST(a_failure_is_told_and_the_next_is_served)
{
	const struct tool_scene *scene = &scenes[_i];

	setenv("XDG_RUNTIME_DIR", support_dir(), 1);
	setenv("TMPDIR", support_dir(), 1);
	if (scene->is_handed)
		play_handed(scene, _i);
	else if (scene->role == SERVER || scene->role == MEASURER)
		play_rounds(scene, _i);
	else if (scene->role == LOOKER)
		play_alone(scene, _i);
	else if (is_relay(scene))
		play_beside_relay(scene, _i);
	else
		play_beside_server(scene, _i);
	progresses[_i].is_over = true;
}
END_TEST

static const char *get_extent(void)
{
	size_t i;

	if (!torture_is_all_wanted())
		return "a choice";
	for (i = 0; i < COUNT(scenes); i++)
		if (progresses[i].is_part)
			return "all there are but of some loops";
	return "all there are";
}

static bool is_wanted(const struct tool_scene *scene)
{
	return torture_is_scene_wanted(scene->name) &&
		(is_engine_there || !is_relay(scene));
}

static void tell_where_it_ended(void)
{
	size_t i;

	for (i = 0; i < COUNT(scenes); i++)
		if (is_wanted(&scenes[i]) && !progresses[i].is_over)
			printf("scene %zu, %s: %s\n", i, scenes[i].name,
				progresses[i].what);
}

static void tell(void)
{
	unsigned int failures = 0, count = 0;
	char line[96];
	size_t i;

	tell_where_it_ended();
	for (i = 0; i < COUNT(scenes); i++) {
		failures += progresses[i].failures;
		count += progresses[i].is_over;
	}
	snprintf(line, sizeof(line),
		"torture of the tools: %u scenes, %u failures, %s", count,
		failures, get_extent());
	torture_tell_totals(line);
}

/* By name where there is one: then looking it up can fail, too. */
static void write_options(void)
{
	const struct passwd *user = getpwuid(geteuid());
	const struct group *group = getgrgid(getegid());
	char id[16];

	snprintf(cpu_option, sizeof(cpu_option), "--cpus=%d", sched_getcpu());
	snprintf(id, sizeof(id), "%u", (unsigned int)geteuid());
	snprintf(user_option, sizeof(user_option), "--allow-user=%.40s",
		user == NULL ? id : user->pw_name);
	snprintf(server_user_option, sizeof(server_user_option),
		"--server-user=%.40s", user == NULL ? id : user->pw_name);
	snprintf(id, sizeof(id), "%u", (unsigned int)getegid());
	snprintf(group_option, sizeof(group_option), "--allow-group=%.40s",
		group == NULL ? id : group->gr_name);
}

int main(void)
{
	TCase *tcase = make_tcase("failures");
	char folder[PATH_MAX];
	int status;
	size_t i;

	if (!fault_is_able()) {
		fprintf(stderr, "skip: calls have other names here\n");
		return SUPPORT_EXIT_SKIPPED;
	}
	if (getenv("FAULTY") == NULL && realpath("tests", folder) != NULL)
		setenv("FAULTY", folder, 1);
	is_engine_there = has_engine();
	write_options();
	progresses = mmap(NULL, sizeof(*progresses) * COUNT(scenes),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progresses == MAP_FAILED)
		return EXIT_FAILURE;
	tcase_set_timeout(tcase, torture_is_all_wanted() ? 400 : 60);
	for (i = 0; i < COUNT(scenes); i++)
		if (is_wanted(&scenes[i]))
			tcase_add_loop_test(tcase,
				a_failure_is_told_and_the_next_is_served,
				(int)i, (int)i + 1);
	status = support_run_cases("torture of the tools", tcase);
	tell();
	return status;
}
