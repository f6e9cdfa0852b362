/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_TAP_NAME_H
#define UNIXMSG_TOOLS_TAP_NAME_H

/*
 * The name at which clients reach the tap: that of the server, which is taken
 * over and given back, or a new one.
 */

#include <stdbool.h>

#include "tools/tap/tap.h"

struct tap_name;

/* Finds out whether the name can be taken, and sets tap->network. 0, or -1
 * after a complaint. Nothing has changed then. */
int tap_name_look(struct tap *tap);

/* Takes the server's name, and sets tap->server. NULL after a complaint, with
 * nothing changed. */
struct tap_name *tap_name_take(struct tap *tap);

/* Sets owner, group and mode of the file to those of the server's file, which
 * tap_name_dial will know again. 0, or -1 after a complaint. */
int tap_name_set_mode(const struct tap_name *name,
	struct unixlisten_options *options);

/*
 * Dials the server without waiting. NULL with EPERM if its file belongs to
 * another user than that of tap_name_set_mode, or with an errno of
 * unixconn_dial.
 */
struct unixconn *tap_name_dial(const struct tap *tap,
	const struct unixdial_options *options);

/* The socket that was bound to the name: from now on its loss stops the tap,
 * which is told. 0, or -1 after a complaint. */
int tap_name_watch(struct tap_name *name, int fd);

/*
 * Gives the name back, and tells what became of it, once; the tap has failed if
 * the server has lost it. Returns false if descriptors or memory are short,
 * unless it is the last try: call it again when connections have ended.
 */
bool tap_name_give_back(struct tap_name *name, bool is_last);

/* Gives the name back if that was not done. name may be NULL. */
void tap_name_close(struct tap_name *name);

/* Gives a name back that a killed tap has taken. Returns the exit status. */
int tap_name_restore(const char *address);

#endif
