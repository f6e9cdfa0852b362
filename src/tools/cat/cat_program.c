/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cat/cat_options.h"
#include "tools/cat/cat_program.h"
#include "tools/common/explain.h"
#include "tools/common/network.h"
#include "tools/common/tool.h"

int cat_program_read(struct cat_program *program, const char *text)
{
	char *rest, *word;
	int count = 0;

	memset(program, 0, sizeof(*program));
	program->text = strdup(text);
	if (program->text == NULL)
		return tool_complain("%s", strerror(errno));
	rest = program->text;
	while ((word = strsep(&rest, " \t\n")) != NULL &&
		count < CAT_PROGRAM_WORDS_MOST)
		if (*word != '\0')
			program->words[count++] = word;
	if (count > 0 && word == NULL)
		return 0;
	return tool_complain("--exec: a program and at most %d arguments",
		CAT_PROGRAM_WORDS_MOST - 1);
}

void cat_program_free(struct cat_program *program)
{
	free(program->text);
}

/* Removes an unknown value, which our own environment may have. */
static void set_text(const char *name, const char *text)
{
	if (text != NULL)
		setenv(name, text, 1);
	else
		unsetenv(name);
}

static void set_number(const char *name, bool is_known, intmax_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%jd", number);
	set_text(name, is_known ? text : NULL);
}

static void set_sender(const struct unixmsg *msg)
{
	char text[UNIXMSG_ADDR_TEXT_SIZE];
	const bool is_known = msg != NULL && msg->addr != NULL &&
		unixaddr_get_kind(msg->addr) != UNIXADDR_UNNAMED;

	set_text("UNIXMSG_SENDER",
		is_known ? unixaddr_format(msg->addr, text, sizeof(text))
			 : NULL);
}

static void set_environment(const struct options *base,
	const struct cat_caller *caller)
{
	const struct unixmsg *msg = caller->msg;

	set_text("UNIXMSG_NETWORK", base->network->name);
	set_text("UNIXMSG_ADDRESS", base->address);
	set_sender(msg);
	set_number("UNIXMSG_PEER", caller->peer != 0, (intmax_t)caller->peer);
	set_number("UNIXMSG_SIZE", msg != NULL,
		msg != NULL ? (intmax_t)msg->size : 0);
	set_number("UNIXMSG_FDS", msg != NULL,
		msg != NULL ? (intmax_t)msg->fds_count : 0);
	set_number("UNIXMSG_UID", caller->has_cred, caller->cred.uid);
	set_number("UNIXMSG_GID", caller->has_cred, caller->cred.gid);
	set_number("UNIXMSG_PID", caller->has_cred, caller->cred.pid);
}

int cat_program_run(const struct cat_program *program,
	const struct cat_options *options, const struct cat_caller *caller)
{
	set_environment(&options->base, caller);
	execvp(program->words[0], program->words);
	tool_complain("--exec: %s: %s", explain_text(program->words[0]),
		strerror(errno));
	return 127;
}
