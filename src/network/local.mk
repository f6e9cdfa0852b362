src_libunixmsg_all_la_SOURCES += \
	%D%/adopt.c \
	%D%/adopt.h \
	%D%/answer.c \
	%D%/answer.h \
	%D%/conn.c \
	%D%/conn_messages.c \
	%D%/conn_private.h \
	%D%/dial.c \
	%D%/dial_private.h \
	%D%/frame.c \
	%D%/gram.c \
	%D%/handshake.c \
	%D%/handshake.h \
	%D%/listener.c \
	%D%/listener_private.h \
	%D%/network.c \
	%D%/network.h \
	%D%/packet.c \
	%D%/packet_lane.c \
	%D%/packet_lane.h \
	%D%/packet_lane_send.c \
	%D%/proof.c \
	%D%/proof.h \
	%D%/stream.c \
	%D%/stream_bytes.c \
	%D%/stream_private.h
