# shellcheck shell=bash
# Shared part of bin/hadoop, bin/hdfs, bin/yarn and bin/mapred: finds the
# installation, reads the configuration directory's *-env.sh, builds the class
# path and the JVM options, and starts java. The names of the variables and
# their order of precedence are those of the Apache release's own launchers.
#
# A launcher sets HADOOP_SHELL (hadoop, hdfs, yarn or mapred), sources this file,
# and calls  hdp_init "$@",  then  hdp_run CLASS KIND [ARG...]  with KIND =
# daemon or client.

hdp_error() { printf '%s\n' "$*" >&2; }

hdp_die() {
  hdp_error "ERROR: $*"
  exit 1
}

# Sets HADOOP_HOME and friends from the place of this file, unless given.
hdp_find_home() {
  local here
  here=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
  HADOOP_HOME=${HADOOP_HOME:-$here}
  [[ -d $HADOOP_HOME/share/hadoop/common ]] || hdp_die "Invalid HADOOP_HOME: $HADOOP_HOME"
  HADOOP_COMMON_HOME=${HADOOP_COMMON_HOME:-$HADOOP_HOME}
  HADOOP_HDFS_HOME=${HADOOP_HDFS_HOME:-$HADOOP_HOME}
  HADOOP_YARN_HOME=${HADOOP_YARN_HOME:-$HADOOP_HOME}
  HADOOP_MAPRED_HOME=${HADOOP_MAPRED_HOME:-$HADOOP_HOME}
  HADOOP_CONF_DIR=${HADOOP_CONF_DIR:-$HADOOP_HOME/etc/hadoop}
  export HADOOP_HOME HADOOP_COMMON_HOME HADOOP_HDFS_HOME HADOOP_YARN_HOME HADOOP_MAPRED_HOME
}

hdp_source_env() {
  local file=$HADOOP_CONF_DIR/$1
  if [[ -f $file ]]; then
    # shellcheck disable=SC1090
    . "$file"
  fi
}

# Global options, then HDP_SUBCOMMAND and HDP_ARGS.
hdp_parse() {
  HDP_DAEMON=default
  while (($#)); do
    case $1 in
      --config)
        [[ -d ${2-} ]] || hdp_die "Cannot find configuration directory \"${2-}\""
        HADOOP_CONF_DIR=$2
        shift 2 ;;
      --daemon)
        case ${2-} in
          start | stop | status) HDP_DAEMON=$2 ;;
          *) hdp_die "--daemon must be followed by either \"start\", \"stop\", or \"status\"." ;;
        esac
        shift 2 ;;
      --loglevel)
        HDP_LOGLEVEL=${2-}
        shift 2 ;;
      --debug)
        HDP_DEBUG=1
        shift ;;
      --workers | --hosts | --hostnames)
        hdp_die "$1 is not supported by these launchers" ;;
      --help | -help | -h | help)
        hdp_usage
        exit 0 ;;
      *) break ;;
    esac
  done
  if (($# == 0)); then
    hdp_usage
    exit 1
  fi
  HDP_SUBCOMMAND=$1
  shift
  HDP_ARGS=("$@")
}

hdp_usage() {
  printf 'Usage: %s [--config DIR] [--loglevel LEVEL] [--daemon start|stop|status] COMMAND [ARG...]\n\nCommands:\n' "$HADOOP_SHELL"
  hdp_commands | sort | sed 's/^/    /'
}

hdp_init() {
  hdp_find_home
  hdp_parse "$@"
  # hadoop-env.sh may name another HADOOP_HOME; the configuration directory stays.
  hdp_source_env hadoop-env.sh
  case $HADOOP_SHELL in
    hdfs) hdp_source_env hdfs-env.sh ;;
    yarn) hdp_source_env yarn-env.sh ;;
    mapred) hdp_source_env mapred-env.sh ;;
  esac
  export HADOOP_CONF_DIR

  HADOOP_IDENT_STRING=${HADOOP_IDENT_STRING:-${USER:-$(id -un)}}
  HADOOP_LOG_DIR=${HADOOP_LOG_DIR:-$HADOOP_HOME/logs}
  HADOOP_PID_DIR=${HADOOP_PID_DIR:-/tmp}
  HADOOP_LOGFILE=${HADOOP_LOGFILE:-hadoop.log}
  HADOOP_LOGLEVEL=${HDP_LOGLEVEL:-${HADOOP_LOGLEVEL:-INFO}}
  HADOOP_ROOT_LOGGER=${HADOOP_ROOT_LOGGER:-$HADOOP_LOGLEVEL,console}
  HADOOP_DAEMON_ROOT_LOGGER=${HADOOP_DAEMON_ROOT_LOGGER:-$HADOOP_LOGLEVEL,RFA}
  HADOOP_SECURITY_LOGGER=${HADOOP_SECURITY_LOGGER:-INFO,NullAppender}
  HADOOP_POLICYFILE=${HADOOP_POLICYFILE:-hadoop-policy.xml}
  HADOOP_STOP_TIMEOUT=${HADOOP_STOP_TIMEOUT:-5}
  HADOOP_HEAPSIZE_MAX=${HADOOP_HEAPSIZE_MAX:-${HADOOP_HEAPSIZE:-}}
  hdp_classpath
}

hdp_java() {
  [[ -n ${JAVA_HOME:-} ]] || hdp_die "JAVA_HOME is not set and could not be found."
  [[ -d $JAVA_HOME ]] || hdp_die "JAVA_HOME $JAVA_HOME does not exist."
  JAVA=$JAVA_HOME/bin/java
  [[ -x $JAVA ]] || hdp_die "$JAVA is not executable."
  export JAVA_HOME
}

# hdp_path ENTRY...: append what exists to CLASSPATH, each entry once.
hdp_path() {
  local entry
  for entry; do
    case $entry in
      */\*) [[ -d ${entry%/*} ]] || continue ;;
      *) [[ -e $entry ]] || continue ;;
    esac
    case :$CLASSPATH: in
      *:"$entry":*) ;;
      *) CLASSPATH=${CLASSPATH:+$CLASSPATH:}$entry ;;
    esac
  done
}

hdp_user_path() {
  local entry entries
  IFS=: read -r -a entries <<<"${HADOOP_CLASSPATH:-}"
  for entry in "${entries[@]}"; do
    hdp_path "$entry"
  done
}

hdp_classpath() {
  local tool tools
  CLASSPATH=
  hdp_path "$HADOOP_CONF_DIR"
  [[ -z ${HADOOP_USER_CLASSPATH_FIRST:-} ]] || hdp_user_path
  hdp_path "$HADOOP_COMMON_HOME/share/hadoop/common/lib/*" "$HADOOP_COMMON_HOME/share/hadoop/common/*"
  hdp_path "$HADOOP_HDFS_HOME/share/hadoop/hdfs" "$HADOOP_HDFS_HOME/share/hadoop/hdfs/lib/*" "$HADOOP_HDFS_HOME/share/hadoop/hdfs/*"
  hdp_path "$HADOOP_MAPRED_HOME/share/hadoop/mapreduce/lib/*" "$HADOOP_MAPRED_HOME/share/hadoop/mapreduce/*"
  hdp_path "$HADOOP_YARN_HOME/share/hadoop/yarn" "$HADOOP_YARN_HOME/share/hadoop/yarn/lib/*" "$HADOOP_YARN_HOME/share/hadoop/yarn/*"
  IFS=, read -r -a tools <<<"${HADOOP_OPTIONAL_TOOLS:-}"
  for tool in "${tools[@]}"; do
    hdp_path "$HADOOP_HOME/share/hadoop/tools/lib/$tool"-[0-9]*.jar
  done
  [[ -n ${HADOOP_USER_CLASSPATH_FIRST:-} ]] || hdp_user_path
  export CLASSPATH
}

hdp_tools() { hdp_path "$HADOOP_HOME/share/hadoop/tools/lib/*"; }

# hdp_opt PATTERN OPTION: add OPTION to HADOOP_OPTS unless PATTERN is in it.
hdp_opt() {
  [[ " ${HADOOP_OPTS:-}" == *"$1"* ]] || HADOOP_OPTS="${HADOOP_OPTS:+$HADOOP_OPTS }$2"
}

hdp_size() {
  case $1 in
    *[!0-9]*) printf '%s' "$1" ;;
    *) printf '%sm' "$1" ;;
  esac
}

hdp_options() {
  local kind=$1 own heap package
  own=${HADOOP_SHELL}_${HDP_SUBCOMMAND}
  own=${own^^}
  own=${own//[!A-Z0-9]/_}_OPTS
  [[ $kind != client ]] || HADOOP_OPTS="${HADOOP_OPTS:-} ${HADOOP_CLIENT_OPTS:-}"
  HADOOP_OPTS="${HADOOP_OPTS:-} ${!own:-}"

  [[ ${HADOOP_ALLOW_IPV6:-} == yes ]] || hdp_opt java.net.preferIPv4Stack -Djava.net.preferIPv4Stack=true
  if [[ -z ${HADOOP_SKIP_JPMS_OPENS:-} ]]; then
    hdp_opt IgnoreUnrecognizedVMOptions -XX:+IgnoreUnrecognizedVMOptions
    for package in java.io java.lang java.lang.reflect java.math java.net java.text java.util \
      java.util.concurrent java.util.zip sun.security.util sun.security.x509; do
      hdp_opt "java.base/$package=" "--add-opens=java.base/$package=ALL-UNNAMED"
    done
  fi

  heap=
  case $HADOOP_SHELL/$HDP_SUBCOMMAND in
    yarn/resourcemanager) heap=${YARN_RESOURCEMANAGER_HEAPSIZE:-} ;;
    yarn/nodemanager) heap=${YARN_NODEMANAGER_HEAPSIZE:-} ;;
    yarn/timelineserver) heap=${YARN_TIMELINESERVER_HEAPSIZE:-} ;;
    yarn/proxyserver) heap=${YARN_PROXYSERVER_HEAPSIZE:-} ;;
    mapred/historyserver) heap=${HADOOP_JOB_HISTORYSERVER_HEAPSIZE:-} ;;
  esac
  heap=${heap:-$HADOOP_HEAPSIZE_MAX}
  [[ -z $heap ]] || hdp_opt -Xmx "-Xmx$(hdp_size "$heap")"
  [[ -z ${HADOOP_HEAPSIZE_MIN:-} ]] || hdp_opt -Xms "-Xms$(hdp_size "$HADOOP_HEAPSIZE_MIN")"

  hdp_opt -Dhadoop.log.dir= "-Dhadoop.log.dir=$HADOOP_LOG_DIR"
  hdp_opt -Dhadoop.log.file= "-Dhadoop.log.file=$HADOOP_LOGFILE"
  hdp_opt -Dhadoop.home.dir= "-Dhadoop.home.dir=$HADOOP_HOME"
  hdp_opt -Dhadoop.id.str= "-Dhadoop.id.str=$HADOOP_IDENT_STRING"
  hdp_opt -Dhadoop.root.logger= "-Dhadoop.root.logger=$HADOOP_ROOT_LOGGER"
  hdp_opt -Dhadoop.policy.file= "-Dhadoop.policy.file=$HADOOP_POLICYFILE"
  hdp_opt -Dhadoop.security.logger= "-Dhadoop.security.logger=$HADOOP_SECURITY_LOGGER"
  case $HADOOP_SHELL in
    hdfs)
      hdp_opt -Dhdfs.audit.logger= "-Dhdfs.audit.logger=${HDFS_AUDIT_LOGGER:-INFO,NullAppender}" ;;
    yarn)
      hdp_opt -Dyarn.log.dir= "-Dyarn.log.dir=$HADOOP_LOG_DIR"
      hdp_opt -Dyarn.log.file= "-Dyarn.log.file=$HADOOP_LOGFILE"
      hdp_opt -Dyarn.home.dir= "-Dyarn.home.dir=$HADOOP_YARN_HOME"
      hdp_opt -Dyarn.root.logger= "-Dyarn.root.logger=$HADOOP_ROOT_LOGGER" ;;
    mapred)
      hdp_opt -Dmapred.jobsummary.logger= "-Dmapred.jobsummary.logger=${HADOOP_JHS_LOGGER:-$HADOOP_ROOT_LOGGER}" ;;
  esac
  if [[ -d $HADOOP_HOME/lib/native ]]; then
    hdp_opt -Djava.library.path= "-Djava.library.path=$HADOOP_HOME/lib/native"
    export LD_LIBRARY_PATH="$HADOOP_HOME/lib/native${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
}

hdp_check_user() {
  local var=${HADOOP_SHELL}_${HDP_SUBCOMMAND}
  var=${var^^}_USER
  var=${var//[!A-Z0-9_]/_}
  if [[ -n ${!var:-} && ${!var} != "$(id -un)" ]]; then
    hdp_die "$HDP_SUBCOMMAND can only be executed by ${!var}."
  fi
}

hdp_log_dir() {
  mkdir -p -- "$HADOOP_LOG_DIR" 2>/dev/null || hdp_die "Unable to create $HADOOP_LOG_DIR. Aborting."
  [[ -w $HADOOP_LOG_DIR ]] || hdp_die "Unable to write in $HADOOP_LOG_DIR. Aborting."
}

hdp_alive() { [[ -s $1 ]] && kill -0 "$(<"$1")" 2>/dev/null; }

# hdp_run CLASS daemon|client ARG...
hdp_run() {
  local class=$1 kind=$2 pidfile out pid i
  shift 2
  [[ $HDP_DAEMON == default || $kind == daemon ]] || hdp_die "$HADOOP_SHELL $HDP_SUBCOMMAND does not support --daemon."
  [[ $kind != daemon ]] || hdp_check_user
  pidfile=$HADOOP_PID_DIR/hadoop-$HADOOP_IDENT_STRING-$HDP_SUBCOMMAND.pid
  case $HDP_DAEMON in
    status)
      if hdp_alive "$pidfile"; then
        echo "$HDP_SUBCOMMAND is running as process $(<"$pidfile")."
        exit 0
      fi
      [[ -f $pidfile ]] && { echo "$HDP_SUBCOMMAND is stopped, but $pidfile exists."; exit 1; }
      echo "$HDP_SUBCOMMAND is stopped."
      exit 3 ;;
    stop)
      if hdp_alive "$pidfile"; then
        pid=$(<"$pidfile")
        kill "$pid"
        for ((i = 0; i < HADOOP_STOP_TIMEOUT * 10; i++)); do
          kill -0 "$pid" 2>/dev/null || break
          sleep 0.1
        done
        if kill -0 "$pid" 2>/dev/null; then
          hdp_error "WARNING: $HDP_SUBCOMMAND did not stop gracefully after $HADOOP_STOP_TIMEOUT seconds: Killing with kill -9"
          kill -9 "$pid"
        fi
      fi
      rm -f -- "$pidfile"
      exit 0 ;;
    start)
      if hdp_alive "$pidfile"; then
        hdp_die "$HDP_SUBCOMMAND is running as process $(<"$pidfile").  Stop it first and ensure $pidfile file is empty before retry."
      fi
      HADOOP_LOGFILE=hadoop-$HADOOP_IDENT_STRING-$HDP_SUBCOMMAND-$(uname -n).log
      HADOOP_ROOT_LOGGER=$HADOOP_DAEMON_ROOT_LOGGER ;;
  esac
  hdp_java
  hdp_options "$kind"
  [[ $kind != daemon ]] || hdp_log_dir
  export HADOOP_LOG_DIR HADOOP_OPTS
  local -a opts
  read -r -a opts -d '' <<<"$HADOOP_OPTS" || true
  [[ -z ${HDP_DEBUG:-} ]] || hdp_error "DEBUG: $JAVA -Dproc_$HDP_SUBCOMMAND ${opts[*]} $class $*"
  if [[ $HDP_DAEMON == start ]]; then
    mkdir -p -- "$HADOOP_PID_DIR"
    out=$HADOOP_LOG_DIR/${HADOOP_LOGFILE%.log}.out
    nohup "$JAVA" "-Dproc_$HDP_SUBCOMMAND" "${opts[@]}" "$class" "$@" >"$out" 2>&1 </dev/null &
    pid=$!
    echo "$pid" >"$pidfile"
    sleep 1
    kill -0 "$pid" 2>/dev/null || hdp_die "Cannot set priority or start $HDP_SUBCOMMAND: see $out"
    exit 0
  fi
  exec "$JAVA" "-Dproc_$HDP_SUBCOMMAND" "${opts[@]}" "$class" "$@"
}

# Subcommands every launcher has. Returns 1 when it is none of them.
hdp_common_command() {
  case $HDP_SUBCOMMAND in
    classpath)
      if ((${#HDP_ARGS[@]})); then
        hdp_run org.apache.hadoop.util.Classpath client "${HDP_ARGS[@]}"
      fi
      echo "$CLASSPATH"
      exit 0 ;;
    version) hdp_run org.apache.hadoop.util.VersionInfo client "${HDP_ARGS[@]}" ;;
    envvars)
      hdp_java
      local name
      for name in JAVA_HOME HADOOP_HOME HADOOP_COMMON_HOME HADOOP_HDFS_HOME HADOOP_YARN_HOME \
        HADOOP_MAPRED_HOME HADOOP_CONF_DIR HADOOP_LOG_DIR HADOOP_PID_DIR; do
        echo "$name='${!name}'"
      done
      exit 0 ;;
    *) return 1 ;;
  esac
}

# Anything else is the name of a class, as in the Apache release.
hdp_class_command() {
  [[ $HDP_SUBCOMMAND == *.* ]] || hdp_die "$HDP_SUBCOMMAND is not COMMAND nor fully qualified CLASSNAME."
  hdp_run "$HDP_SUBCOMMAND" client "${HDP_ARGS[@]}"
}
