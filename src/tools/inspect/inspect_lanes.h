/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_INSPECT_LANES_H
#define UNIXMSG_TOOLS_INSPECT_LANES_H

/*
 * Finds the shared memory of lanes in /proc/PID/maps. Each process gives its
 * memory a name with the inode of a socket, see lane/segment.h. It can do so
 * with other memory, too: so memory counts only for a socket that the process
 * itself holds, and only if the process may write it. Memory that the process
 * maps only for reading has its name from a peer.
 */

#include "tools/inspect/inspect_snapshot.h"

/*
 * Adds lanes to the connections of unixpacket in the snapshot, which has its
 * sockets and processes. Reads only processes that inspect_snapshot_take could
 * look into.
 */
void inspect_lanes_find(struct inspect_snapshot *snapshot);

#endif
