src_tools_libtools_la_SOURCES += \
	%D%/event.h \
	%D%/pcapng.h \
	%D%/pcapng_format.h \
	%D%/pcapng_read.c \
	%D%/pcapng_write.c \
	%D%/recorder.c \
	%D%/recorder.h \
	%D%/ring.c \
	%D%/ring.h \
	%D%/show.c \
	%D%/show.h
