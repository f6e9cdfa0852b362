# What unixmsg-relay has besides its sockets. A library so that unit tests can
# reach its parts; libunixmsg never includes it.
noinst_LTLIBRARIES += %D%/librelay.la
%C%_librelay_la_SOURCES = \
	%D%/credentials.c \
	%D%/credentials.h \
	%D%/datagrams.c \
	%D%/datagrams.h \
	%D%/engine.c \
	%D%/engine.h \
	%D%/frame.c \
	%D%/frame.h \
	%D%/nats_info.c \
	%D%/nats_info.h \
	%D%/nats_reader.c \
	%D%/nats_reader.h \
	%D%/nats_writer.c \
	%D%/nats_writer.h \
	%D%/servers.c \
	%D%/servers.h \
	%D%/session.c \
	%D%/session.h \
	%D%/subject.c \
	%D%/subject.h \
	%D%/tcp_owner.c \
	%D%/tcp_owner.h \
	%D%/window.c \
	%D%/window.h
