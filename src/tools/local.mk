# What the tools share.
noinst_LTLIBRARIES += %D%/libtools.la
%C%_libtools_la_SOURCES = \
	%D%/access.c \
	%D%/access.h \
	%D%/client.c \
	%D%/client.h \
	%D%/echo.c \
	%D%/echo.h \
	%D%/explain.c \
	%D%/explain.h \
	%D%/hex.c \
	%D%/hex.h \
	%D%/histogram.c \
	%D%/histogram.h \
	%D%/json.c \
	%D%/json.h \
	%D%/network.c \
	%D%/network.h \
	%D%/options.c \
	%D%/options.h \
	%D%/record.c \
	%D%/record.h \
	%D%/record_line.c \
	%D%/record_line.h \
	%D%/record_reader.c \
	%D%/record_writer.c \
	%D%/serve.c \
	%D%/serve.h \
	%D%/serve_gram.c \
	%D%/serve_link.c \
	%D%/server.h \
	%D%/source.c \
	%D%/source.h \
	%D%/stats.c \
	%D%/stats.h \
	%D%/tool.c \
	%D%/tool.h \
	%D%/utf8.c \
	%D%/utf8.h

bin_PROGRAMS += \
	%D%/seqpacket-echo \
	%D%/unixgram-echo \
	%D%/unixstream-echo

tool_libs = %D%/libtools.la src/libunixmsg.la
%C%_seqpacket_echo_LDADD = $(tool_libs)
%C%_unixgram_echo_LDADD = $(tool_libs)
%C%_unixstream_echo_LDADD = $(tool_libs)
