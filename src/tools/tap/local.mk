src_tools_libtools_la_SOURCES += \
	%D%/event.h \
	%D%/event_queue.c \
	%D%/event_queue.h \
	%D%/pcapng.h \
	%D%/pcapng_format.h \
	%D%/pcapng_read.c \
	%D%/pcapng_write.c \
	%D%/recorder.c \
	%D%/recorder.h \
	%D%/show.c \
	%D%/show.h \
	%D%/tap.c \
	%D%/tap.h \
	%D%/tap_as.c \
	%D%/tap_as.h \
	%D%/tap_carrier.c \
	%D%/tap_carrier.h \
	%D%/tap_front.c \
	%D%/tap_front.h \
	%D%/tap_grams.c \
	%D%/tap_grams.h \
	%D%/tap_name.c \
	%D%/tap_name.h \
	%D%/tap_options.c \
	%D%/tap_options.h \
	%D%/tap_pair.c \
	%D%/tap_pair.h \
	%D%/tap_replay.c \
	%D%/tap_replay.h \
	%D%/tap_run.c \
	%D%/tap_run.h \
	%D%/tap_sinks.c \
	%D%/tap_sinks.h \
	%D%/tap_users.c \
	%D%/tap_users.h

src_tools_unixmsg_tap_SOURCES = %D%/unixmsg-tap.c
src_tools_unixmsg_tap_LDADD = $(tool_libs)
