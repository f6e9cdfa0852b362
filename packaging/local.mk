# Releases. The same sources make the same bytes: tar takes the names in order
# and notes nobody's, packaging/settle.sh sees to modes and times.
EXTRA_DIST += \
	%D%/deb.sh \
	%D%/debian/control \
	%D%/debian/copyright \
	%D%/debian/libunixmsg-dev.docs \
	%D%/debian/libunixmsg-dev.install \
	%D%/debian/libunixmsg0.install \
	%D%/debian/libunixmsg0.symbols \
	%D%/debian/rules \
	%D%/debian/source/format \
	%D%/debian/unixmsg-tools.install \
	%D%/settle.sh \
	%D%/twice.sh

export TAR_OPTIONS = --sort=name --owner=0 --group=0 --numeric-owner \
  --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime

# A release tells what is new in it.
dist-hook:
	@grep -q '^	\* Version $(VERSION)\.$$' $(srcdir)/ChangeLog || \
	  { echo 'ChangeLog has no line "* Version $(VERSION)."' >&2; exit 1; }
	$(SHELL) $(srcdir)/%D%/settle.sh $(srcdir) $(distdir)

# The two files of 'make amalgamation' as an archive of their own.
amalgamation_name = $(PACKAGE)-amalgamation-$(VERSION)

dist-amalgamation: amalgamation
	rm -rf $(amalgamation_name)
	$(MKDIR_P) $(amalgamation_name)
	cp amalgamation/unixmsg.c amalgamation/unixmsg.h $(amalgamation_name)
	$(SHELL) $(srcdir)/%D%/settle.sh $(srcdir) $(amalgamation_name)
	$(AMTAR) --format=posix -cf - $(amalgamation_name) | \
	  xz -c >$(amalgamation_name).tar.xz
	rm -rf $(amalgamation_name)

# Whether that is so: a second distribution, out of the first.
dist-twice: dist dist-amalgamation
	$(SHELL) $(srcdir)/%D%/twice.sh '$(distdir).tar.xz' \
	  '$(amalgamation_name).tar.xz'

# Debian packages, out of the distribution, in the folder deb.
deb: dist
	$(SHELL) $(srcdir)/%D%/deb.sh $(srcdir) $(PACKAGE_VERSION) \
	  '$(distdir).tar.xz' deb

.PHONY: deb dist-amalgamation dist-twice
