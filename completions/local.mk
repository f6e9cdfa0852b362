# Each shell finds them by the name of the command.
dist_bashcompletion_DATA = \
	%D%/bash/seqpacket-echo \
	%D%/bash/unixgram-echo \
	%D%/bash/unixmsg-cat \
	%D%/bash/unixmsg-inspect \
	%D%/bash/unixmsg-perf \
	%D%/bash/unixmsg-relay \
	%D%/bash/unixmsg-tap \
	%D%/bash/unixpacket-echo \
	%D%/bash/unixstream-echo

dist_zshcompletion_DATA = %D%/zsh/_unixmsg

dist_fishcompletion_DATA = \
	%D%/fish/seqpacket-echo.fish \
	%D%/fish/unixgram-echo.fish \
	%D%/fish/unixmsg-cat.fish \
	%D%/fish/unixmsg-inspect.fish \
	%D%/fish/unixmsg-perf.fish \
	%D%/fish/unixmsg-relay.fish \
	%D%/fish/unixmsg-tap.fish \
	%D%/fish/unixpacket-echo.fish \
	%D%/fish/unixstream-echo.fish
