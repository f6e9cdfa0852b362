src_tools_libtools_la_SOURCES += \
	%D%/cat_connections.c \
	%D%/cat_connections.h \
	%D%/cat_exec.c \
	%D%/cat_exec.h \
	%D%/cat_leave.c \
	%D%/cat_leave.h \
	%D%/cat_options.c \
	%D%/cat_options.h \
	%D%/cat_program.c \
	%D%/cat_program.h \
	%D%/cat_relay.c \
	%D%/cat_relay.h \
	%D%/cat_serve.c \
	%D%/cat_serve.h \
	%D%/cat_talk.c \
	%D%/cat_talk.h \
	%D%/jobs.c \
	%D%/jobs.h

src_tools_unixmsg_cat_SOURCES = %D%/unixmsg-cat.c
src_tools_unixmsg_cat_LDADD = $(tool_libs)
