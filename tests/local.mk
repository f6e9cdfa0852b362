# Every test ends with its counts, which tests/count.sh adds up: Check programs
# with Check's own line, shell tests with 'cases: N passed, N failed, N skipped'.

shell_tests = \
	%D%/headers.sh \
	%D%/install.sh \
	%D%/symbols.sh
TESTS += %D%/check_exports $(shell_tests)
EXTRA_DIST += %D%/count.sh %D%/demo.sh $(shell_tests)

# The only C test against the shared library itself.
check_PROGRAMS += %D%/check_exports

if HAVE_CHECK
unit_tests = \
	%D%/check_addr \
	%D%/check_deadline \
	%D%/check_gram \
	%D%/check_histogram \
	%D%/check_listener \
	%D%/check_msg \
	%D%/check_name \
	%D%/check_packet \
	%D%/check_record \
	%D%/check_record_line \
	%D%/check_record_writer \
	%D%/check_stream
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

check_LTLIBRARIES += %D%/libsupport.la
%C%_libsupport_la_SOURCES = %D%/support.c %D%/support.h
%C%_libsupport_la_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)

unit_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS)
unit_libs = %D%/libsupport.la src/tools/libtools.la src/libunixmsg_all.la \
	$(CHECK_LIBS)
%C%_check_addr_CFLAGS = $(unit_cflags)
%C%_check_addr_LDADD = $(unit_libs)
%C%_check_deadline_CFLAGS = $(unit_cflags)
%C%_check_deadline_LDADD = $(unit_libs)
%C%_check_gram_CFLAGS = $(unit_cflags)
%C%_check_gram_LDADD = $(unit_libs)
%C%_check_histogram_CFLAGS = $(unit_cflags)
%C%_check_histogram_LDADD = $(unit_libs)
%C%_check_listener_CFLAGS = $(unit_cflags)
%C%_check_listener_LDADD = $(unit_libs)
%C%_check_msg_CFLAGS = $(unit_cflags)
%C%_check_msg_LDADD = $(unit_libs)
%C%_check_name_CFLAGS = $(unit_cflags)
%C%_check_name_LDADD = $(unit_libs)
%C%_check_packet_CFLAGS = $(unit_cflags)
%C%_check_packet_LDADD = $(unit_libs)
%C%_check_record_CFLAGS = $(unit_cflags)
%C%_check_record_LDADD = $(unit_libs)
%C%_check_record_line_CFLAGS = $(unit_cflags)
%C%_check_record_line_LDADD = $(unit_libs)
%C%_check_record_writer_CFLAGS = $(unit_cflags)
%C%_check_record_writer_LDADD = $(unit_libs)
%C%_check_stream_CFLAGS = $(unit_cflags)
%C%_check_stream_LDADD = $(unit_libs)
endif

# No test may hang the run, and none may read the terminal.
TEST_TIMEOUT = 300
TEST_EXTENSIONS = .sh
LOG_COMPILER = timeout --kill-after=10 $(TEST_TIMEOUT)
SH_LOG_COMPILER = $(LOG_COMPILER) $(SHELL)
AM_TESTS_FD_REDIRECT = </dev/null

# Absolute paths, so that a test may change its directory.
test_environment = \
	srcdir='$(abs_top_srcdir)' \
	top_srcdir='$(abs_top_srcdir)' \
	top_builddir='$(abs_top_builddir)' \
	TOOLS='$(abs_top_builddir)/src/tools' \
	CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' CFLAGS='$(CFLAGS)' \
	LDFLAGS='$(LDFLAGS)' NM='$(NM)' PKG_CONFIG='$(PKG_CONFIG)' \
	PACKAGE_VERSION='$(PACKAGE_VERSION)'
AM_TESTS_ENVIRONMENT = export $(test_environment); \
	CK_VERBOSITY=$${CK_VERBOSITY-normal}; export CK_VERBOSITY;

check-local: check-TESTS
if !HAVE_CHECK
	@echo 'skipped: the unit tests: Check was not found'
endif
	@$(SHELL) $(srcdir)/%D%/count.sh $(TEST_LOGS)

demo: $(bin_PROGRAMS)
	@$(test_environment) $(SHELL) $(srcdir)/%D%/demo.sh

.PHONY: demo
