# SPDX-License-Identifier: MIT
# completions.bash LIBRARY FOLDER WORD...: prints what bash would complete the
# last word to, one a line. LIBRARY is bash-completion's.

library=$1
. "$library"
. "$2/$3"
shift 2

COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE=$*
COMP_POINT=${#COMP_LINE}
COMP_TYPE=9
# Outside of readline it only complains.
compopt() { :; }
$(complete -p "$1" | sed 's/.*-F \([^ ]*\).*/\1/') "$1" "${!#}" "${*: -2:1}"
printf '%s\n' "${COMPREPLY[@]}"
