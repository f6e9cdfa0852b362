# SPDX-License-Identifier: MIT
complete -c seqpacket-echo -w unixgram-echo
