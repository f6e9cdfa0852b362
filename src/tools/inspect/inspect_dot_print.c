/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/inspect/inspect_dot_print.h"
#include "tools/inspect/inspect_text.h"

/* The colours of a type: the node, its border and lines, its text. */
struct colours {
	const char *fill;
	const char *line;
	const char *text;
};

static const struct colours *get_colours(int type)
{
	static const struct colours stream = { "#d6e6f7", "#2f6db0",
		"#12395f" };
	static const struct colours gram = { "#fde5c8", "#d07a14", "#643801" };
	static const struct colours packet = { "#d5efdb", "#2c8a4b",
		"#0f4723" };

	switch (type) {
	case SOCK_STREAM:
		return &stream;
	case SOCK_SEQPACKET:
		return &packet;
	default:
		return &gram;
	}
}

/* Labels are in the HTML of Graphviz; text is printable ASCII. */
static void print_text(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		switch (text[i]) {
		case '&':
			fputs("&amp;", stdout);
			break;
		case '<':
			fputs("&lt;", stdout);
			break;
		case '>':
			fputs("&gt;", stdout);
			break;
		case '"':
			fputs("&quot;", stdout);
			break;
		default:
			putchar(text[i]);
		}
	}
}

/* Prints the beginning and the end of a long text. */
static void print_short(const char *text)
{
	const size_t most = 40, head = 24, tail = 13;
	size_t size = strlen(text);

	if (size <= most) {
		print_text(text, size);
		return;
	}
	print_text(text, head);
	fputs("...", stdout);
	print_text(text + size - tail, tail);
}

/* In a Graphviz string, a backslash would begin an escape. */
static void print_quoted(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

/* Prints an address in two lines: the directory, and the last part. */
static void print_address(const char *whole)
{
	const char *address = whole;
	const char *slash = strrchr(address, '/');
	size_t size = slash == NULL || slash[1] == '\0'
		? 0
		: (size_t)(slash + 1 - address);

	if (size > 0) {
		fputs("<font point-size=\"8\">", stdout);
		if (size <= 48)
			print_text(address, size);
		else
			fputs("/.../", stdout);
		fputs("</font><br/>", stdout);
	}
	fputs("<b>", stdout);
	print_short(address + size);
	fputs("</b>", stdout);
}

static void print_legend_cell(const char *name, const char *fill,
	const char *border)
{
	printf("<td bgcolor=\"%s\" border=\"1\" color=\"%s\" style=\"rounded\" "
	       "cellpadding=\"5\">%s</td>\n",
		fill, border, name);
}

static void print_legend_type(int type)
{
	const struct colours *colours = get_colours(type);

	print_legend_cell(inspect_text_network(type), colours->fill,
		colours->line);
}

static void print_legend(void)
{
	fputs("label=<<table border=\"0\" cellspacing=\"8\"><tr>\n", stdout);
	print_legend_type(SOCK_DGRAM);
	print_legend_type(SOCK_SEQPACKET);
	print_legend_type(SOCK_STREAM);
	print_legend_cell("dead file", "#eeeeee", "#aaaaaa");
	fputs("<td>client &#8594; socket &#8212; its process; dashed: waits "
	      "to be accepted; dotted: a pair without names</td>\n"
	      "</tr></table>>\n",
		stdout);
}

void inspect_dot_print_head(void)
{
	fputs("digraph unixmsg {\n"
	      "graph [rankdir=LR, bgcolor=\"white\", pad=0.4, nodesep=0.16, "
	      "ranksep=1.1,\n"
	      "  fontname=\"Helvetica\", fontsize=10, fontcolor=\"#555b63\", "
	      "labelloc=b]\n"
	      "node [fontname=\"Helvetica\", fontsize=11, "
	      "margin=\"0.15,0.08\", height=0.3]\n"
	      "edge [fontname=\"Helvetica\", fontsize=10, arrowsize=0.6]\n",
		stdout);
	print_legend();
}

void inspect_dot_print_foot(void)
{
	fputs("}\n", stdout);
}

static const char *get_remark(const struct inspect_socket *it)
{
	if (it->told.type == SOCK_DGRAM || it->told.state != UNIXDIAG_BOUND)
		return "";
	return ", not listening";
}

void inspect_dot_print_socket(const struct inspect_socket *it)
{
	const struct colours *colours = get_colours(it->told.type);

	printf("s%" PRIu32 " [shape=box, style=\"filled,rounded\", "
	       "fillcolor=\"%s\", color=\"%s\", fontcolor=\"%s\",\n"
	       "  tooltip=\"%s%s, ",
		it->told.ino, colours->fill, colours->line, colours->text,
		inspect_text_network(it->told.type), get_remark(it));
	print_quoted(inspect_text_address(&it->told.addr));
	fputs("\", label=<", stdout);
	print_address(inspect_text_address(&it->told.addr));
	if (*get_remark(it) != '\0')
		printf("<br/><font point-size=\"8\">%s</font>",
			get_remark(it) + 2);
	fputs(">]\n", stdout);
}

void inspect_dot_print_file(size_t number,
	const struct inspect_finding *finding)
{
	printf("f%zu [shape=box, style=\"filled,rounded,dashed\", "
	       "fillcolor=\"#eeeeee\", color=\"#aaaaaa\", "
	       "fontcolor=\"#666666\",\n"
	       "  label=<",
		number);
	print_address(finding->address);
	printf("<br/><font point-size=\"8\">%s</font>>]\n",
		inspect_finding_get_word(finding));
}

void inspect_dot_print_process(const struct inspect_process *process)
{
	printf("p%d [shape=box, style=filled, fillcolor=\"#ffffff\", "
	       "color=\"#4a515a\", fontcolor=\"#22262b\",\n"
	       "  label=<<b>",
		(int)process->pid);
	print_text(process->told.command, strlen(process->told.command));
	printf("</b><br/><font point-size=\"8\">pid %d, ", (int)process->pid);
	print_text(inspect_text_user(process->told.user),
		strlen(inspect_text_user(process->told.user)));
	fputs("</font>>]\n", stdout);
}

void inspect_dot_print_unseen(uid_t user)
{
	const char *name = inspect_text_user(user);

	printf("u%ju [shape=box, style=dashed, color=\"#8a919a\", "
	       "fontcolor=\"#666666\",\n"
	       "  label=<processes of <b>",
		(uintmax_t)user);
	print_text(name, strlen(name));
	fputs("</b><br/><font point-size=\"8\">cannot be seen</font>>]\n",
		stdout);
}

static void print_node(const struct inspect_dot_node *node)
{
	printf("%c%" PRIu64, node->sort, node->id);
}

/* Many lines become a thick one: its width is the digits of their number. */
static double get_width(size_t count)
{
	double width = 1;

	for (; count > 1; count /= 4)
		width += 0.5;
	return width;
}

void inspect_dot_print_edge(const struct inspect_dot_edge *edge, size_t count)
{
	static const char *const styles[] = {
		[INSPECT_DOT_OWNS] = "dir=none",
		[INSPECT_DOT_TALKS] = "style=solid",
		[INSPECT_DOT_WAITS] = "style=dashed",
		[INSPECT_DOT_PAIR] = "style=dotted, dir=none, constraint=false",
	};
	const char *colour = get_colours(edge->type)->line;

	if (edge->line == INSPECT_DOT_OWNS)
		colour = "#9aa1a9";
	print_node(&edge->from);
	fputs(" -> ", stdout);
	print_node(&edge->to);
	printf(" [color=\"%s\", fontcolor=\"%s\", %s", colour, colour,
		styles[edge->line]);
	if (edge->line != INSPECT_DOT_OWNS) {
		printf(", penwidth=%.1f", get_width(count));
		if (count > 1)
			printf(", label=\"%zu\"", count);
	}
	fputs("]\n", stdout);
}
