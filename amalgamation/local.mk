# The whole library in two files, for those who would rather copy it into their
# project than link it. 'make check' tests them.
EXTRA_DIST += %D%/amalgamate.awk
CLEANFILES += %D%/unixmsg.c %D%/unixmsg.h
check_DATA += %D%/unixmsg.c %D%/unixmsg.h

amalgamation: %D%/unixmsg.c %D%/unixmsg.h

amalgamate = $(MKDIR_P) %D% && $(AWK) -f $(srcdir)/%D%/amalgamate.awk
amalgamated = $(include_HEADERS) $(unixmsginclude_HEADERS) \
	$(src_libunixmsg_all_la_SOURCES)

%D%/unixmsg.c: %D%/amalgamate.awk COPYING $(amalgamated)
	$(AM_V_GEN)$(amalgamate) source $(srcdir) $(PACKAGE_VERSION) \
	  $(src_libunixmsg_all_la_SOURCES) >$@.tmp && mv $@.tmp $@

%D%/unixmsg.h: %D%/amalgamate.awk $(amalgamated)
	$(AM_V_GEN)$(amalgamate) header $(srcdir) $(PACKAGE_VERSION) \
	  $(src_libunixmsg_all_la_SOURCES) >$@.tmp && mv $@.tmp $@

.PHONY: amalgamation
