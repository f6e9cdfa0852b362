# What the tools share.
noinst_LTLIBRARIES += %D%/libtools.la
%C%_libtools_la_SOURCES = \
	%D%/cat_exec.c \
	%D%/cat_exec.h \
	%D%/cat_options.c \
	%D%/cat_options.h \
	%D%/cat_serve.c \
	%D%/cat_serve.h \
	%D%/cat_talk.c \
	%D%/cat_talk.h \
	%D%/client.c \
	%D%/client.h \
	%D%/dialling.c \
	%D%/dialling.h \
	%D%/echo.c \
	%D%/echo.h \
	%D%/explain.c \
	%D%/explain.h \
	%D%/explain_path.c \
	%D%/explain_path.h \
	%D%/hex.c \
	%D%/hex.h \
	%D%/histogram.c \
	%D%/histogram.h \
	%D%/inherit.c \
	%D%/inherit.h \
	%D%/jobs.c \
	%D%/jobs.h \
	%D%/json.c \
	%D%/json.h \
	%D%/keep.c \
	%D%/keep.h \
	%D%/network.c \
	%D%/network.h \
	%D%/options.c \
	%D%/options.h \
	%D%/output.c \
	%D%/output.h \
	%D%/record.c \
	%D%/record.h \
	%D%/record_line.c \
	%D%/record_line.h \
	%D%/record_reader.c \
	%D%/record_writer.c \
	%D%/serve.c \
	%D%/serve.h \
	%D%/source.c \
	%D%/source.h \
	%D%/stats.c \
	%D%/stats.h \
	%D%/tool.c \
	%D%/tool.h \
	%D%/usage.c \
	%D%/usage.h \
	%D%/usage_value.c \
	%D%/utf8.c \
	%D%/utf8.h

# What --stats prints, for programs that read it.
dist_pkgdata_DATA = %D%/stats.schema.json

bin_PROGRAMS += \
	%D%/seqpacket-echo \
	%D%/unixgram-echo \
	%D%/unixmsg-cat \
	%D%/unixmsg-inspect \
	%D%/unixmsg-perf \
	%D%/unixstream-echo

tool_libs = %D%/libtools.la src/libunixmsg.la
%C%_seqpacket_echo_LDADD = $(tool_libs)
%C%_unixgram_echo_LDADD = $(tool_libs)
%C%_unixmsg_cat_LDADD = $(tool_libs)
%C%_unixstream_echo_LDADD = $(tool_libs)

# It looks into private rooms of the library, which its symbol map hides.
%C%_unixmsg_inspect_SOURCES = \
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
	%D%/inspect_near.c \
	%D%/inspect_near.h \
	%D%/inspect_options.c \
	%D%/inspect_options.h \
	%D%/inspect_peers.c \
	%D%/inspect_peers.h \
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
%C%_unixmsg_inspect_LDADD = %D%/libtools.la src/libunixmsg_all.la

# A library so that unit tests can reach its parts.
noinst_LTLIBRARIES += %D%/libperf.la
%C%_libperf_la_SOURCES = \
	%D%/perf_case.c \
	%D%/perf_case.h \
	%D%/perf_job.c \
	%D%/perf_job.h \
	%D%/perf_json.c \
	%D%/perf_library.c \
	%D%/perf_network.c \
	%D%/perf_options.c \
	%D%/perf_options.h \
	%D%/perf_plain.c \
	%D%/perf_plot.c \
	%D%/perf_report.h \
	%D%/perf_run.c \
	%D%/perf_run.h \
	%D%/perf_service.c \
	%D%/perf_service.h \
	%D%/perf_table.c \
	%D%/perf_way.h \
	%D%/perf_worker.c \
	%D%/perf_worker.h
%C%_unixmsg_perf_LDADD = %D%/libperf.la $(tool_libs)
