# Hadoop and Java for login shells. The launchers need none of this: they read
# hadoop-env.sh.
export JAVA_HOME=/opt/java
export HADOOP_HOME=/opt/hadoop
export HADOOP_CONF_DIR=/opt/hadoop/etc/hadoop
case :$PATH: in
*:/opt/hadoop/bin:*) ;;
*) PATH=/opt/hadoop/bin:$PATH:/opt/java/bin ;;
esac
