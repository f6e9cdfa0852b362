// SPDX-License-Identifier: 0BSD
// One way over Boost's message_queue: boost_queue SIZE COUNT prints the time of
// a message in ns. The sender has the first CPU, the receiver the second.
#include <boost/interprocess/ipc/message_queue.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sched.h>
#include <string>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using boost::interprocess::message_queue;

static void pin(unsigned int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void receive(message_queue &queue, size_t size, size_t count)
{
	std::vector<char> data(size);
	message_queue::size_type got;
	unsigned int priority;

	for (size_t i = 0; i < count; i++)
		queue.receive(data.data(), size, got, priority);
}

static void send(message_queue &queue, size_t size, size_t count)
{
	std::vector<char> data(size);

	for (size_t i = 0; i < count; i++)
		queue.send(data.data(), size, 0);
}

int main(int argc, char **argv)
{
	const size_t size = argc > 1 ? strtoul(argv[1], nullptr, 10) : 64;
	const size_t count = argc > 2 ? strtoul(argv[2], nullptr, 10) : 100000;
	const std::string there =
		"unixmsg-bench-" + std::to_string(getpid());
	const std::string back = there + "-back";
	message_queue to(boost::interprocess::create_only, there.c_str(), 1000,
		size);
	message_queue from(boost::interprocess::create_only, back.c_str(), 1,
		1);
	const pid_t pid = fork();

	message_queue::remove(there.c_str());
	message_queue::remove(back.c_str());
	pin(pid == 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			receive(to, size, count);
			send(from, 1, 1);
		}
	}
	send(to, size, count);
	receive(from, 1, 1);
	const auto begin = std::chrono::steady_clock::now();
	send(to, size, count);
	receive(from, 1, 1);
	const std::chrono::duration<double, std::nano> took =
		std::chrono::steady_clock::now() - begin;
	std::printf("%.1f\n", took.count() / static_cast<double>(count));
	std::fflush(stdout);
	kill(pid, SIGKILL);
	waitpid(pid, nullptr, 0);
	return 0;
}
