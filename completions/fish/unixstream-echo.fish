# SPDX-License-Identifier: MIT
# fish completion for unixstream-echo
functions -q __unixmsg_echo_complete
or source (status dirname)/unixgram-echo.fish
__unixmsg_echo_complete unixstream-echo unix
