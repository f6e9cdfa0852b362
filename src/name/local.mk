src_libunixmsg_all_la_SOURCES += \
	%D%/aside.c \
	%D%/aside.h \
	%D%/claim.c \
	%D%/diag.c \
	%D%/diag.h \
	%D%/file.c \
	%D%/file.h \
	%D%/holder.c \
	%D%/holder.h \
	%D%/listen.c \
	%D%/listen_private.h \
	%D%/mark.c \
	%D%/mark.h \
	%D%/name.c \
	%D%/name_private.h \
	%D%/owner.c \
	%D%/place.c \
	%D%/place.h \
	%D%/probe.c \
	%D%/probe.h \
	%D%/sweep.c \
	%D%/sweep.h \
	%D%/takeover.c \
	%D%/way.c \
	%D%/way.h
