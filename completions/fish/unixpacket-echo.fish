# SPDX-License-Identifier: MIT
# fish completion for unixpacket-echo
functions -q __unixmsg_echo_complete
or source (status dirname)/unixgram-echo.fish
__unixmsg_echo_complete unixpacket-echo unixpacket
