//! The chapters about what a cluster is for: storing files, running jobs.

use anyhow::{Result, anyhow, ensure};

use super::cluster_file::{MASTER, WORKERS};
use super::hadoop;
use super::interrupt::NotYet;
use super::scenario::{START_SECONDS, Story};
use super::text;

/// Where the texts go in HDFS, and WordCount's results.
const TEXTS: &str = "/tmp/texts";
const COUNTS: &str = "/tmp/counts";

/// A file that is none of WordCount's business.
const KEEPSAKE: &str = "/tmp/keepsake";

impl Story<'_> {
    pub(crate) fn directories_are_there(&mut self) -> Result<()> {
        let what = "the directories every HDFS needs";
        self.cluster.until(what, START_SECONDS, |cluster| {
            let listing = cluster.hadoop_text(MASTER, "hdfs dfs -ls /")?;
            let has = |end: &str| listing.lines().any(|line| line.ends_with(end));
            if has(" /tmp") && has(" /user") {
                return Ok(());
            }
            Err(NotYet::Wait(anyhow!("hdfs dfs -ls / says {listing:?}")))
        })?;
        self.progress.holds("/tmp and /user are in HDFS");
        Ok(())
    }

    /// Writes on the master, reads on a worker. Gives what was written.
    pub(crate) fn a_file_is_written_and_read(&mut self) -> Result<Vec<u8>> {
        let keepsake = text::part(77).into_bytes();
        self.cluster.put(MASTER, KEEPSAKE, &keepsake)?;
        self.the_file_is_found(&keepsake)?;
        Ok(keepsake)
    }

    /// The file is as it was written, and there twice.
    pub(crate) fn the_file_is_found(&mut self, keepsake: &[u8]) -> Result<()> {
        let read = self
            .cluster
            .hadoop(WORKERS[0], &format!("hdfs dfs -cat {KEEPSAKE}"))?;
        ensure!(
            read == keepsake,
            "{KEEPSAKE} reads differently from what was written"
        );
        let fsck = format!("hdfs fsck {KEEPSAKE} -files -blocks -locations 2>&1 || true");
        self.cluster
            .until("both replicas of the file", 120, |cluster| {
                let report = cluster.hadoop_text(MASTER, &fsck)?;
                let healthy = report.contains("is HEALTHY")
                    && report.contains("Live_repl=2")
                    && report.contains("replication=2");
                if healthy {
                    Ok(())
                } else {
                    Err(NotYet::Wait(anyhow!("fsck says\n{report}")))
                }
            })?;
        self.progress
            .holds("a file reads as written, at replication 2");
        Ok(())
    }

    pub(crate) fn words_are_counted(&mut self) -> Result<()> {
        let texts: Vec<String> = (0..3).map(text::part).collect();
        let bytes: usize = texts.iter().map(String::len).sum();
        self.progress.say(&format!(
            "counting the words of {} files, {bytes} bytes",
            texts.len()
        ));
        self.cluster
            .hadoop(MASTER, &format!("hdfs dfs -mkdir -p {TEXTS}"))?;
        for (number, text) in texts.iter().enumerate() {
            self.cluster
                .put(WORKERS[1], &format!("{TEXTS}/{number}"), text.as_bytes())?;
        }
        let job = format!(
            r#"home=$(dirname "$(dirname "$(readlink -f "$(command -v yarn)")")")
               jars=$(ls "$home"/share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar)
               yarn jar "$(tail -n 1 <<<"$jars")" wordcount {TEXTS} {COUNTS} 2>&1"#
        );
        self.cluster.hadoop(MASTER, &job)?;
        self.progress.holds("WordCount ran");

        let counts = self
            .cluster
            .hadoop_text(MASTER, &format!("hdfs dfs -cat '{COUNTS}/part-*'"))?;
        let expected = text::word_count(&texts);
        let counts: Vec<_> = counts.lines().collect();
        for (line, (counted, expected)) in counts.iter().zip(&expected).enumerate() {
            ensure!(
                counted == expected,
                "line {}: {counted:?}, not {expected:?}",
                line + 1
            );
        }
        ensure!(
            counts.len() == expected.len(),
            "{} words, not {}",
            counts.len(),
            expected.len()
        );
        self.progress.holds(&format!(
            "its {} lines are those counted without it",
            counts.len()
        ));

        self.cluster.until("the job in JobHistory", 60, |_| {
            let job = hadoop::finished_job("word count")?;
            let maps = job["mapsCompleted"].as_u64();
            if job["state"] != "SUCCEEDED" || maps != u64::try_from(texts.len()).ok() {
                return Err(NotYet::Never(anyhow!("the job is {job}")));
            }
            Ok(())
        })?;
        self.progress
            .holds("JobHistory shows the job, with one map for each file");
        Ok(())
    }
}
