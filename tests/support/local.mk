# Tests of connections that may have lanes, see lanes.h.
lanes_ldflags = $(AM_LDFLAGS) -Wl,@$(srcdir)/%D%/lanes.wrap
EXTRA_DIST += %D%/lanes.wrap

# Programs whose calls of sock_diag(7) are played, see diag_play.h.
diag_play = %D%/diag_play.c %D%/diag_play.h

check_LTLIBRARIES += tests/libsupport.la
tests_libsupport_la_SOURCES = \
	%D%/ends.c \
	%D%/ends.h \
	%D%/engine_scene.c \
	%D%/engine_scene.h \
	%D%/files.c \
	%D%/files.h \
	%D%/lanes.c \
	%D%/lanes.h \
	%D%/link.c \
	%D%/link.h \
	%D%/load.c \
	%D%/load.h \
	%D%/scene.c \
	%D%/scene.h \
	%D%/service_scene.c \
	%D%/service_scene.h \
	%D%/support.c \
	%D%/support.h \
	%D%/syscall_play.h \
	%D%/talk.c \
	%D%/talk.h \
	%D%/tap_scene.c \
	%D%/tap_scene.h
