# Fuzz targets. 'make check' replays their corpora, whatever the compiler; where
# --enable-fuzzing was given they are libFuzzer's, and 'make fuzz' runs them.

fuzz_targets = \
	%D%/fuzz_activation \
	%D%/fuzz_addr \
	%D%/fuzz_control \
	%D%/fuzz_diag \
	%D%/fuzz_frame \
	%D%/fuzz_lane \
	%D%/fuzz_nats \
	%D%/fuzz_notify \
	%D%/fuzz_pcapng \
	%D%/fuzz_record \
	%D%/fuzz_service_text \
	%D%/fuzz_stream
check_PROGRAMS += $(fuzz_targets)
EXTRA_DIST += %D%/corpus %D%/run.sh

check_LTLIBRARIES += %D%/libfuzz.la
%C%_libfuzz_la_SOURCES = %D%/fuzz.c %D%/fuzz.h
if !FUZZING
%C%_libfuzz_la_SOURCES += %D%/replay.c
TESTS += $(fuzz_targets)
endif

# FUZZ_ENGINE is libFuzzer with its main, or nothing.
fuzz_libs = $(FUZZ_ENGINE) %D%/.libs/libfuzz.a src/tools/.libs/libtools.a \
	src/.libs/libunixmsg_all.a
relay_fuzz_libs = $(FUZZ_ENGINE) %D%/.libs/libfuzz.a \
	src/relay/.libs/librelay.a src/tools/.libs/libtools.a \
	src/.libs/libunixmsg_all.a
%C%_fuzz_activation_LDADD = $(fuzz_libs)
%C%_fuzz_addr_LDADD = $(fuzz_libs)
%C%_fuzz_control_LDADD = $(fuzz_libs)
%C%_fuzz_diag_LDADD = $(fuzz_libs)
%C%_fuzz_frame_LDADD = $(relay_fuzz_libs)
%C%_fuzz_lane_LDADD = $(fuzz_libs)
%C%_fuzz_nats_LDADD = $(relay_fuzz_libs)
%C%_fuzz_notify_LDADD = $(fuzz_libs)
%C%_fuzz_pcapng_LDADD = $(fuzz_libs)
%C%_fuzz_record_LDADD = $(fuzz_libs)
%C%_fuzz_service_text_LDADD = $(fuzz_libs)
%C%_fuzz_stream_LDADD = $(fuzz_libs)
# It sees whether a descriptor is closed twice.
%C%_fuzz_control_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=close

FUZZ_SECONDS = 60
FUZZ_RUNS = $(abs_top_builddir)/fuzz-runs
FUZZ_RESULT = $(abs_top_builddir)/tests/fuzz.result
if FUZZING
fuzz: $(fuzz_targets)
	@FUZZ_RESULT='$(FUZZ_RESULT)' $(SHELL) $(srcdir)/%D%/run.sh \
		$(srcdir)/%D%/corpus '$(FUZZ_RUNS)' $(FUZZ_SECONDS) \
		$(fuzz_targets)
else
# That takes a build of its own.
fuzz:
	@MAKE='$(MAKE)' $(SHELL) $(srcdir)/tests/proof/elsewhere.sh fuzz-build \
		'CC=clang --enable-fuzzing' fuzz \
		FUZZ_SECONDS='$(FUZZ_SECONDS)' FUZZ_RUNS='$(FUZZ_RUNS)' \
		FUZZ_RESULT='$(FUZZ_RESULT)'
endif

fuzz-clean:
	rm -rf fuzz-build fuzz-runs
clean-local: fuzz-clean
CLEANFILES += tests/fuzz.result

.PHONY: fuzz fuzz-clean
