# Read by bin/mapred after hadoop-env.sh.

# export HADOOP_JOB_HISTORYSERVER_HEAPSIZE=
# export MAPRED_HISTORYSERVER_OPTS=
