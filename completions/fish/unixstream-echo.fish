# SPDX-License-Identifier: MIT
complete -c unixstream-echo -w unixgram-echo
