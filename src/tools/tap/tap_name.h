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

/* Finds out whether the name can be taken, and sets tap->network. Changes
 * nothing else. Returns 0, or -1 after a complaint. */
int tap_name_look(struct tap *tap);

/* Takes the server's name, and sets tap->server. Returns NULL after a
 * complaint, with nothing changed. */
struct tap_name *tap_name_take(struct tap *tap);

/* Sets owner, group and mode in options to those of the server's file, and
 * notes its owner for tap_name_dial. Returns 0, or -1 after a complaint. */
int tap_name_set_mode(const struct tap_name *name,
	struct unixlisten_options *options);

/*
 * Dials the server without waiting. Returns NULL with EPERM if its file belongs
 * to another user than at tap_name_set_mode, or with an errno of unixconn_dial.
 */
struct unixconn *tap_name_dial(const struct tap *tap,
	const struct unixdial_options *options);

/* Watches the name, to which the socket fd was bound: a loss of the name stops
 * the tap, with a complaint. Returns 0, or -1 after a complaint. */
int tap_name_watch(struct tap_name *name, int fd);

/*
 * Gives the name back, and reports the result once; sets has_failed if the
 * server has lost its name. Returns false if descriptors or memory are short
 * and is_last is false: call it again when connections have ended.
 */
bool tap_name_give_back(struct tap_name *name, bool is_last);

/* Gives the name back if that was not done. name may be NULL. */
void tap_name_close(struct tap_name *name);

/* Gives a name back that a killed tap has taken. Returns the exit status. */
int tap_name_restore(const char *address);

#endif
