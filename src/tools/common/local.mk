src_tools_libtools_la_SOURCES += \
	%D%/dialling.c \
	%D%/dialling.h \
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
	%D%/record_put.h \
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

# Describes the output of --stats, for programs that read it.
dist_pkgdata_DATA = %D%/stats.schema.json
