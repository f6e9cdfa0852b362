src_libunixmsg_all_la_SOURCES += \
	%D%/activation.c \
	%D%/notify.c
