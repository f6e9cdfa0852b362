# unixmsg-inspect calls private functions, which the symbol map hides.
src_tools_unixmsg_inspect_SOURCES = \
	%D%/inspect_clean.c \
	%D%/inspect_clean.h \
	%D%/inspect_dot.c \
	%D%/inspect_dot.h \
	%D%/inspect_dot_print.c \
	%D%/inspect_dot_print.h \
	%D%/inspect_file.c \
	%D%/inspect_file.h \
	%D%/inspect_finding.c \
	%D%/inspect_finding.h \
	%D%/inspect_json.c \
	%D%/inspect_json.h \
	%D%/inspect_lanes.c \
	%D%/inspect_lanes.h \
	%D%/inspect_near.c \
	%D%/inspect_near.h \
	%D%/inspect_options.c \
	%D%/inspect_options.h \
	%D%/inspect_peers.c \
	%D%/inspect_peers.h \
	%D%/inspect_relay.c \
	%D%/inspect_relay.h \
	%D%/inspect_report.c \
	%D%/inspect_report.h \
	%D%/inspect_search.c \
	%D%/inspect_search.h \
	%D%/inspect_snapshot.c \
	%D%/inspect_snapshot.h \
	%D%/inspect_table.c \
	%D%/inspect_table.h \
	%D%/inspect_text.c \
	%D%/inspect_text.h \
	%D%/unixmsg-inspect.c
src_tools_unixmsg_inspect_LDADD = src/tools/libtools.la src/relay/librelay.la \
	src/libunixmsg_all.la
