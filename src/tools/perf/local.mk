src_tools_libperf_la_SOURCES = \
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

src_tools_unixmsg_perf_SOURCES = %D%/unixmsg-perf.c
src_tools_unixmsg_perf_LDADD = src/tools/libperf.la $(tool_libs)
