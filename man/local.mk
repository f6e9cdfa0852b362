# Section 3 is made of the comments of the public headers and shipped, so that
# a release needs nothing to install it; the rest is written by hand.
header_manuals = \
	%D%/libunixmsg.3 \
	%D%/unixactivation.3 \
	%D%/unixaddr.3 \
	%D%/unixblob.3 \
	%D%/unixbuffer.3 \
	%D%/unixconn.3 \
	%D%/unixcred.3 \
	%D%/unixdeadline.3 \
	%D%/unixdial.3 \
	%D%/unixlane.3 \
	%D%/unixlisten.3 \
	%D%/unixlistener.3 \
	%D%/unixmsg.3 \
	%D%/unixnotify.3 \
	%D%/unixowner.3 \
	%D%/unixpeer.3 \
	%D%/unixservice.3 \
	%D%/unixstop.3 \
	%D%/unixtakeover.3
dist_man_MANS = $(header_manuals) \
	%D%/unixgram-echo.1 \
	%D%/unixmsg-cat.1 \
	%D%/unixmsg-inspect.1 \
	%D%/unixmsg-perf.1 \
	%D%/unixmsg-relay.1 \
	%D%/unixmsg-tap.1 \
	%D%/unixmsg-security.7 \
	%D%/unixmsg.7
EXTRA_DIST += %D%/header-page.awk %D%/links.sh
MAINTAINERCLEANFILES += $(header_manuals)

public_headers = $(include_HEADERS) $(unixmsginclude_HEADERS)

$(header_manuals): %D%/header-page.awk $(public_headers) $(dist_examples_DATA) \
    ChangeLog
	@$(MKDIR_P) %D%
	$(AM_V_GEN)page=`basename $@ .3` && \
	  (cd $(srcdir) && $(AWK) -v page=$$page -f %D%/header-page.awk \
	    ChangeLog examples/README examples/*.c $(public_headers)) >$@-t && \
	  mv $@-t $@

man: $(dist_man_MANS)

# Where they are: made here, or shipped.
found_manuals = `for page in $(dist_man_MANS); do \
	  test -f $$page || page=$(srcdir)/$$page; echo $$page; \
	done`

install-data-hook:
	$(SHELL) $(srcdir)/%D%/links.sh make "$(DESTDIR)$(mandir)" \
	  $(found_manuals)

uninstall-local:
	$(SHELL) $(srcdir)/%D%/links.sh remove "$(DESTDIR)$(mandir)" \
	  $(found_manuals)

.PHONY: man
