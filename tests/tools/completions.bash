# SPDX-License-Identifier: MIT
# completions.bash FOLDER WORD...: prints what bash would complete the last word
# to, one a line.

. "$1/$2"
shift

COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE=$*
COMP_POINT=${#COMP_LINE}
COMP_TYPE=9
# Outside of readline it only complains.
compopt() { :; }
$(complete -p "$1" | sed 's/.*-F \([^ ]*\).*/\1/') "$1" "${!#}" "${*: -2:1}"
printf '%s\n' "${COMPREPLY[@]}"
