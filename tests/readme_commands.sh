#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The two commands that README gives, one a line: what builds and shows it, and
# what passes the tests. They are its first two indented lines that begin with
# ./bootstrap and with make.
#
# usage: readme_commands.sh README

set -u
sed -n 's/^    \(\.\/bootstrap [^#]*[^# ]\).*/\1/p' "${1:?}" | head -n 1
sed -n 's/^    \(make [^#]*[^# ]\).*/\1/p' "$1" | head -n 1
