# Read by bin/hadoop, bin/hdfs, bin/yarn and bin/mapred before anything else.
# Everything here is optional but JAVA_HOME, which neither systemd nor a
# non-interactive ssh session would set.

# export JAVA_HOME=
# export HADOOP_HEAPSIZE_MAX=          # -Xmx of a JVM whose options name none
# export HADOOP_HEAPSIZE_MIN=          # -Xms likewise
# export HADOOP_OPTS=                  # every JVM
# export HADOOP_CLIENT_OPTS=           # commands that are not daemons
# export HADOOP_LOG_DIR=${HADOOP_HOME}/logs
# export HADOOP_PID_DIR=/tmp
# export HADOOP_ROOT_LOGGER=INFO,console
# export HDFS_NAMENODE_OPTS=
# export HDFS_SECONDARYNAMENODE_OPTS=
# export HDFS_DATANODE_OPTS=
