check_LTLIBRARIES += tests/libsupport.la
tests_libsupport_la_SOURCES = \
	%D%/ends.c \
	%D%/ends.h \
	%D%/link.c \
	%D%/link.h \
	%D%/load.c \
	%D%/load.h \
	%D%/scene.c \
	%D%/scene.h \
	%D%/service_scene.c \
	%D%/service_scene.h \
	%D%/support.c \
	%D%/support.h
