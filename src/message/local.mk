src_libunixmsg_all_la_SOURCES += \
	%D%/blob.c \
	%D%/blob_private.h \
	%D%/buffer.c \
	%D%/buffer_private.h \
	%D%/control.c \
	%D%/control.h \
	%D%/cred_private.h \
	%D%/msg.c \
	%D%/msg_private.h \
	%D%/peer.c
