include_HEADERS = %D%/unixmsg.h

unixmsgincludedir = $(includedir)/unixmsg
unixmsginclude_HEADERS = \
	%D%/unixmsg/activation.h \
	%D%/unixmsg/addr.h \
	%D%/unixmsg/blob.h \
	%D%/unixmsg/buffer.h \
	%D%/unixmsg/conn.h \
	%D%/unixmsg/cred.h \
	%D%/unixmsg/deadline.h \
	%D%/unixmsg/dial.h \
	%D%/unixmsg/listen.h \
	%D%/unixmsg/listener.h \
	%D%/unixmsg/msg.h \
	%D%/unixmsg/notify.h \
	%D%/unixmsg/owner.h \
	%D%/unixmsg/peer.h \
	%D%/unixmsg/service.h \
	%D%/unixmsg/stop.h


pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = %D%/unixmsg.pc

# All of the library, with the symbols that the map hides: the unit tests link
# this one to reach the private rooms.
noinst_LTLIBRARIES += %D%/libunixmsg_all.la
%C%_libunixmsg_all_la_SOURCES = \
	%D%/access.c \
	%D%/access.h \
	%D%/activation.c \
	%D%/addr.c \
	%D%/addr_private.h \
	%D%/adopt.c \
	%D%/adopt.h \
	%D%/answer.c \
	%D%/answer.h \
	%D%/blob.c \
	%D%/budget.c \
	%D%/budget.h \
	%D%/buffer.c \
	%D%/aside.c \
	%D%/aside.h \
	%D%/claim.c \
	%D%/conn.c \
	%D%/conn_private.h \
	%D%/control.c \
	%D%/control.h \
	%D%/deadline.c \
	%D%/cred_private.h \
	%D%/deadline_private.h \
	%D%/diag.c \
	%D%/diag.h \
	%D%/dial.c \
	%D%/dial_private.h \
	%D%/endpoint.c \
	%D%/endpoint.h \
	%D%/environment.c \
	%D%/environment.h \
	%D%/fd.h \
	%D%/file.c \
	%D%/file.h \
	%D%/frame.c \
	%D%/gram.c \
	%D%/holder.c \
	%D%/holder.h \
	%D%/kernel.h \
	%D%/listen.c \
	%D%/listen_private.h \
	%D%/listener.c \
	%D%/listener_private.h \
	%D%/msg.c \
	%D%/msg_private.h \
	%D%/name.c \
	%D%/name_private.h \
	%D%/network.c \
	%D%/network.h \
	%D%/notify.c \
	%D%/outbox.c \
	%D%/outbox.h \
	%D%/owner.c \
	%D%/packet.c \
	%D%/peer.c \
	%D%/place.c \
	%D%/place.h \
	%D%/probe.c \
	%D%/probe.h \
	%D%/proof.c \
	%D%/proof.h \
	%D%/service.c \
	%D%/service_batch.c \
	%D%/service_debt.c \
	%D%/service_gram.c \
	%D%/service_link.c \
	%D%/service_listener.c \
	%D%/service_loop.c \
	%D%/service_peer.c \
	%D%/service_private.h \
	%D%/service_proof.c \
	%D%/service_send.c \
	%D%/service_sender.c \
	%D%/service_share.c \
	%D%/service_sender.h \
	%D%/service_take.c \
	%D%/service_text.c \
	%D%/spin.c \
	%D%/spin.h \
	%D%/stop.c \
	%D%/stream.c \
	%D%/stream_private.h \
	%D%/sweep.c \
	%D%/sweep.h \
	%D%/timers.c \
	%D%/timers.h \
	%D%/users.c \
	%D%/users.h \
	%D%/wait.c \
	%D%/wait.h \
	%D%/way.c \
	%D%/way.h

# CURRENT:REVISION:AGE of the interface, which is not the project's version.
# Before a release, compare with the last one and take the first that fits:
#   an interface was removed or changed   CURRENT+1 : 0 : 0
#   interfaces were only added            CURRENT+1 : 0 : AGE+1
#   only code changed                     CURRENT : REVISION+1 : AGE
# A new symbol also goes into the map, in the node of the coming release.
lib_LTLIBRARIES += %D%/libunixmsg.la
%C%_libunixmsg_la_SOURCES =
%C%_libunixmsg_la_LIBADD = %D%/libunixmsg_all.la
%C%_libunixmsg_la_LDFLAGS = $(AM_LDFLAGS) \
	-version-info 0:0:0 \
	-no-undefined \
	-Wl,--version-script=$(srcdir)/%D%/unixmsg.map
EXTRA_%C%_libunixmsg_la_DEPENDENCIES = %D%/unixmsg.map
EXTRA_DIST += %D%/unixmsg.map

# The linker finds a library that is new in its folders only when it is told.
install-exec-hook:
	@test -n "$(DESTDIR)" || test `id -u` -ne 0 || \
	  PATH=$$PATH:/sbin:/usr/sbin ldconfig 2>/dev/null || :
