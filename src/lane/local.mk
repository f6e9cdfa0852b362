src_libunixmsg_all_la_SOURCES += \
	%D%/lane.c \
	%D%/lane.h \
	%D%/lane_recv.c \
	%D%/offer.c \
	%D%/offer.h \
	%D%/ring.c \
	%D%/ring.h \
	%D%/segment.c \
	%D%/segment.h
