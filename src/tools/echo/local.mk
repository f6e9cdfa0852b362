src_tools_libtools_la_SOURCES += \
	%D%/client.c \
	%D%/client.h \
	%D%/echo.c \
	%D%/echo.h

src_tools_seqpacket_echo_SOURCES = %D%/seqpacket-echo.c
src_tools_seqpacket_echo_LDADD = $(tool_libs)

src_tools_unixgram_echo_SOURCES = %D%/unixgram-echo.c
src_tools_unixgram_echo_LDADD = $(tool_libs)

src_tools_unixstream_echo_SOURCES = %D%/unixstream-echo.c
src_tools_unixstream_echo_LDADD = $(tool_libs)
