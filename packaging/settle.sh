#!/bin/sh
# SPDX-License-Identifier: MIT
#
# usage: settle.sh SRCDIR FOLDER
#
# Give all that is below FOLDER the modes and the time of a release, so that
# the same files make the same archive whoever packs them, where and when. The
# time is SOURCE_DATE_EPOCH, or the day at the head of the ChangeLog.

set -eu

if [ $# -ne 2 ]; then
	echo 'usage: settle.sh SRCDIR FOLDER' >&2
	exit 2
fi
day=$(sed -n '1s/ .*//p' "$1/ChangeLog")
epoch=${SOURCE_DATE_EPOCH:-$(date -u -d "$day" +%s)}
chmod -R u=rwX,go=rX "$2"
find "$2" -exec touch -h -d "@$epoch" {} +
