relay_tests = \
	tests/check_subject
quick_unit_tests += $(relay_tests)
tests_check_subject_SOURCES = %D%/check_subject.c

relay_libs = src/relay/.libs/librelay.a tests/.libs/libsupport.a \
	src/tools/.libs/libtools.a src/.libs/libunixmsg_all.a $(CHECK_LIBS)
tests_check_subject_LDADD = $(relay_libs)
