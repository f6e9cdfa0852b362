# Code that the tools share.
noinst_LTLIBRARIES += %D%/libtools.la
%C%_libtools_la_SOURCES =

# A library so that unit tests can reach its parts.
noinst_LTLIBRARIES += %D%/libperf.la

bin_PROGRAMS += \
	%D%/seqpacket-echo \
	%D%/unixgram-echo \
	%D%/unixmsg-cat \
	%D%/unixmsg-inspect \
	%D%/unixmsg-perf \
	%D%/unixmsg-relay \
	%D%/unixmsg-tap \
	%D%/unixstream-echo

# seqpacket-echo also gets the name of its network, unixpacket-echo.
install-exec-local:
	@$(MKDIR_P) "$(DESTDIR)$(bindir)"
	cd "$(DESTDIR)$(bindir)" && \
	  tool=`echo seqpacket-echo | sed '$(transform)'` && \
	  link=`echo unixpacket-echo | sed '$(transform)'` && \
	  rm -f $$link && $(LN_S) $$tool $$link

tool_libs = %D%/libtools.la src/libunixmsg.la

include %D%/common/local.mk
include %D%/echo/local.mk
include %D%/cat/local.mk
include %D%/inspect/local.mk
include %D%/perf/local.mk
include %D%/tap/local.mk
include %D%/relay/local.mk
