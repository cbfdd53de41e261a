//! `log4j.properties`.

use super::Layout;

/// Logging for daemons and commands. Hadoop's own file lets each daemon keep
/// 20 files of 256 MB, 5 GB of a card; here it is 3 of 10 MB.
pub(super) fn properties(layout: &Layout) -> String {
    format!(
        "\
# Written by pidoop; the next build writes it anew.
# The launchers set hadoop.root.logger, hadoop.log.dir and hadoop.log.file.
hadoop.root.logger=INFO,console
hadoop.log.dir={log_dir}
hadoop.log.file=hadoop.log
log4j.rootLogger=${{hadoop.root.logger}}

# Standard error: a person's terminal, or the journal under systemd.
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{{ISO8601}} %p %c{{2}}: %m%n

# A file, for daemons started with --daemon.
log4j.appender.RFA=org.apache.log4j.RollingFileAppender
log4j.appender.RFA.File=${{hadoop.log.dir}}/${{hadoop.log.file}}
log4j.appender.RFA.MaxFileSize=10MB
log4j.appender.RFA.MaxBackupIndex=2
log4j.appender.RFA.layout=org.apache.log4j.PatternLayout
log4j.appender.RFA.layout.ConversionPattern=%d{{ISO8601}} %p %c: %m%n

# Swallows what it is given.
log4j.appender.NullAppender=org.apache.log4j.varia.NullAppender

# Who did what: off, and to a file of its own when hdfs.audit.logger or
# hadoop.security.logger is set to INFO,RFAS.
hadoop.security.logger=INFO,NullAppender
hdfs.audit.logger=INFO,NullAppender
log4j.category.SecurityLogger=${{hadoop.security.logger}}
log4j.additivity.SecurityLogger=false
log4j.logger.org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit=${{hdfs.audit.logger}}
log4j.additivity.org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit=false
log4j.appender.RFAS=org.apache.log4j.RollingFileAppender
log4j.appender.RFAS.File=${{hadoop.log.dir}}/audit-${{hadoop.log.file}}
log4j.appender.RFAS.MaxFileSize=10MB
log4j.appender.RFAS.MaxBackupIndex=2
log4j.appender.RFAS.layout=org.apache.log4j.PatternLayout
log4j.appender.RFAS.layout.ConversionPattern=%d{{ISO8601}} %p %c: %m%n

# A line for each block of each file, which is a lot to write to a card.
log4j.logger.BlockStateChange=WARN
",
        log_dir = layout.log_dir
    )
}
