src_tools_unixmsg_relay_SOURCES = \
	%D%/relay.h \
	%D%/relay_books.c \
	%D%/relay_books.h \
	%D%/relay_counts.h \
	%D%/relay_exported.c \
	%D%/relay_front.c \
	%D%/relay_front.h \
	%D%/relay_grams.c \
	%D%/relay_grams.h \
	%D%/relay_imported.c \
	%D%/relay_notify.c \
	%D%/relay_notify.h \
	%D%/relay_options.c \
	%D%/relay_options.h \
	%D%/relay_post.c \
	%D%/relay_post.h \
	%D%/relay_run.c \
	%D%/relay_run.h \
	%D%/relay_sessions.c \
	%D%/unixmsg-relay.c
src_tools_unixmsg_relay_LDADD = src/relay/librelay.la $(tool_libs)
