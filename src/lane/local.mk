src_libunixmsg_all_la_SOURCES += \
	%D%/segment.c \
	%D%/segment.h
