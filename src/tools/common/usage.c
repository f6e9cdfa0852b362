/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/common/explain.h"
#include "tools/common/tool.h"
#include "tools/common/usage.h"

/* Results of getopt_long: a letter, OPERAND, or FIRST plus an index. */
enum { OPERAND = 1, FIRST = 256, OPTIONS_MAX = 64 };

/* The table of a tool in the form that getopt_long wants. */
struct usage_table {
	const struct usage_option *options[OPTIONS_MAX];
	struct option names[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 3];
	int count;
};

/* Every tool has these options, behind its own. */
static const struct usage_option common[] = {
	{ 'q', "quiet", NULL, "print only errors", usage_read_level,
		.least = TOOL_QUIET },
	{ 'h', "help", NULL, "print this help and exit", .read = NULL },
	{ 'V', "version", NULL, "print the version and exit", .read = NULL },
	{ 0 },
};

static bool is_left_out_at_times(const struct usage_option *option)
{
	return option->value != NULL && option->value[0] == '[';
}

static int get_has_arg(const struct usage_option *option)
{
	if (option->value == NULL)
		return no_argument;
	return is_left_out_at_times(option) ? optional_argument
					    : required_argument;
}

static void add_option(struct usage_table *table,
	const struct usage_option *option)
{
	struct option *name = &table->names[table->count];
	char *letters = table->letters + strlen(table->letters);

	assert(table->count < OPTIONS_MAX);
	table->options[table->count] = option;
	name->name = option->name;
	name->has_arg = get_has_arg(option);
	name->val = FIRST + table->count++;
	if (option->letter != 0)
		snprintf(letters, 3, "%c%s", option->letter,
			option->value != NULL ? ":" : "");
}

static void add_options(struct usage_table *table,
	const struct usage_option *options)
{
	for (; options->name != NULL; options++)
		add_option(table, options);
}

/* With "-:" getopt_long returns operands in their order, and ':' for an option
 * without its value. */
static void make_table(struct usage_table *table, const struct usage *usage)
{
	const struct usage_group *group;

	memset(table, 0, sizeof(*table));
	strcpy(table->letters, "-:");
	for (group = usage->groups; group->options != NULL; group++)
		add_options(table, group->options);
	add_options(table, common);
}

static const struct usage_option *find_letter(const struct usage_table *table,
	int letter)
{
	int i;

	for (i = 0; i < table->count; i++)
		if (table->options[i]->letter == letter)
			return table->options[i];
	return NULL;
}

/* Prints one line, or several if the help has newlines. */
static void print_option(const struct usage_option *option)
{
	char head[80], letter[] = "-x,";
	const char *at = option->help;

	letter[1] = (char)option->letter;
	snprintf(head, sizeof(head), "%3s --%s%s%s",
		option->letter != 0 ? letter : "", option->name,
		option->value == NULL || is_left_out_at_times(option) ? ""
								      : " ",
		option->value != NULL ? option->value : "");
	printf("  %-28s  ", head);
	for (; *at != '\0'; at++) {
		putchar(*at);
		if (*at == '\n')
			printf("%32s", "");
	}
	putchar('\n');
}

static void print_options(const struct usage_option *options)
{
	for (; options->name != NULL; options++)
		print_option(options);
}

static void print_synopses(const struct usage *usage)
{
	const char *const *at;

	for (at = usage->synopses; *at != NULL; at++)
		printf("%s %s %s\n",
			at == usage->synopses ? "usage:" : "      ",
			program_invocation_short_name, *at);
	printf("\n%s", usage->about);
}

static int print_help(const struct usage *usage)
{
	const struct usage_group *group;

	print_synopses(usage);
	for (group = usage->groups; group->options != NULL; group++) {
		if (group->title != NULL)
			printf("\n%s\n", group->title);
		print_options(group->options);
	}
	print_options(common);
	printf("\n%sSee %s(1).\n", usage->foot, program_invocation_short_name);
	return fflush(stdout) == 0 ? TOOL_OK : TOOL_FAILED;
}

static int print_version(void)
{
	printf("%s (%s) %s\n", program_invocation_short_name, PACKAGE_NAME,
		PACKAGE_VERSION);
	return fflush(stdout) == 0 ? TOOL_OK : TOOL_FAILED;
}

static void mark(struct usage_words *words, const struct usage_option *option)
{
	int i;

	for (i = 0; i < USAGE_MARKS; i++)
		if (option->marks & 1U << i)
			words->given[i] = option->name;
}

static int read_option(const struct usage *usage,
	const struct usage_option *option, struct usage_words *words,
	void *options)
{
	if (option->letter == 'h')
		return print_help(usage);
	if (option->letter == 'V')
		return print_version();
	mark(words, option);
	if (option->read(option, optarg, (char *)options + option->place) < 0)
		return TOOL_USAGE;
	return -1;
}

static int get_leading(const struct usage *usage,
	const struct usage_words *words)
{
	if (usage->is_extra == NULL || words->operands_count == 0)
		return usage->leading;
	return usage->leading + usage->is_extra(words->operands[0]);
}

/* After an ADDRESS, the word may be meant as a MESSAGE. */
static const char *explain_unknown(const struct usage *usage,
	const struct usage_words *words)
{
	if (words->operands_count == 0 || usage->leading != 1)
		return "no such option; see --help";
	return "no such option; see --help, or write -- before a MESSAGE that "
	       "begins with -";
}

static int complain_of_option(const struct usage *usage,
	const struct usage_words *words, int result, char **argv)
{
	const char *word = argv[optind - 1];
	bool is_long = strncmp(word, "--", 2) == 0;

	if (result == ':')
		tool_complain("%s: needs a value", explain_text(word));
	else if (is_long && optopt != 0)
		tool_complain("%s: takes no value", explain_text(word));
	else if (!is_long)
		tool_complain("-%c: %s", optopt, explain_unknown(usage, words));
	else
		tool_complain("%s: %s", explain_text(word),
			explain_unknown(usage, words));
	return TOOL_USAGE;
}

static bool is_option(const struct usage_table *table, const char *word)
{
	int i;

	if (word[0] != '-' || word[1] == '\0')
		return false;
	if (word[1] != '-')
		return find_letter(table, word[1]) != NULL;
	for (i = 0; i < table->count; i++)
		if (strcmp(word + 2, table->options[i]->name) == 0)
			return true;
	return false;
}

/* Warns about operands that look like options. No -- stands before these. */
static void warn_of_options(const struct usage_table *table, char **operands,
	int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (is_option(table, operands[i])) {
			tool_say(TOOL_NORMAL,
				"%s is sent as a message: options go before "
				"the first MESSAGE, and -- before such a "
				"MESSAGE",
				explain_text(operands[i]));
			return;
		}
}

/* Moves the operands together: each to a place whose word was read before. */
static void take_operands(const struct usage *usage,
	const struct usage_table *table, struct usage_words *words, int argc,
	char **argv)
{
	if (words->operands_count > get_leading(usage, words))
		warn_of_options(table, argv + optind, argc - optind);
	while (optind < argc)
		words->operands[words->operands_count++] = argv[optind++];
}

int usage_read(const struct usage *usage, void *options,
	struct usage_words *words, int argc, char **argv)
{
	struct usage_table table;
	const struct usage_option *option;
	int result, status;

	make_table(&table, usage);
	memset(words, 0, sizeof(*words));
	words->operands = argv + 1;
	opterr = 0;
	while (words->operands_count <= get_leading(usage, words) &&
		(result = getopt_long(argc, argv, table.letters, table.names,
			 NULL)) != -1) {
		if (result == OPERAND) {
			words->operands[words->operands_count++] = optarg;
			continue;
		}
		if (result == '?' || result == ':')
			return complain_of_option(usage, words, result, argv);
		option = result < FIRST ? find_letter(&table, result)
					: table.options[result - FIRST];
		status = read_option(usage, option, words, options);
		if (status >= 0)
			return status;
	}
	take_operands(usage, &table, words, argc, argv);
	return -1;
}
