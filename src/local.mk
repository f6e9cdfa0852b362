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
	%D%/unixmsg/lane.h \
	%D%/unixmsg/listen.h \
	%D%/unixmsg/listener.h \
	%D%/unixmsg/msg.h \
	%D%/unixmsg/notify.h \
	%D%/unixmsg/owner.h \
	%D%/unixmsg/peer.h \
	%D%/unixmsg/service.h \
	%D%/unixmsg/stop.h \
	%D%/unixmsg/takeover.h


pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = %D%/unixmsg.pc

# All of the library, with the symbols that the map hides: the unit tests link
# this one to reach the private rooms.
noinst_LTLIBRARIES += %D%/libunixmsg_all.la
# A storey uses only those before it; tests/storeys.sh looks at that.
%C%_libunixmsg_all_la_SOURCES =
include %D%/base/local.mk
include %D%/name/local.mk
include %D%/message/local.mk
include %D%/lane/local.mk
include %D%/network/local.mk
include %D%/service/local.mk
include %D%/supervisor/local.mk

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
