//! The memory plan as people read it.

use std::fmt;

use super::{Container, JVM_OVERHEAD_MIB, MemoryPlan, NodeMemory};
use crate::hadoop::Daemon;

/// One column: its heading and a cell for each node.
struct Column {
    heading: &'static str,
    cells: Vec<String>,
    /// Words stand left, numbers right.
    words: bool,
}

impl MemoryPlan {
    /// A table with a row for each node, then what the scheduler grants and a
    /// job asks for, then the notes. Sizes are MiB; no line ends in a blank.
    pub fn render_table(&self) -> String {
        let mut text = String::from("memory in MiB; a daemon's number is its heap\n\n");
        let columns = self.columns();
        let widths: Vec<usize> = columns
            .iter()
            .map(|column| {
                let cells = column.cells.iter().map(String::len).max().unwrap_or(0);
                cells.max(column.heading.len())
            })
            .collect();
        let mut line = |cell: &dyn Fn(&Column) -> String| {
            let mut row = String::new();
            for (column, width) in columns.iter().zip(&widths) {
                let cell = cell(column);
                let pad = " ".repeat(width.saturating_sub(cell.len()));
                let (before, after) = if column.words {
                    ("", &*pad)
                } else {
                    (&*pad, "")
                };
                row.push_str(&format!("{before}{cell}{after}  "));
            }
            text.push_str(row.trim_end());
            text.push('\n');
        };
        line(&|column| column.heading.to_owned());
        for row in 0..self.nodes.len() {
            line(&|column| column.cells.get(row).cloned().unwrap_or_default());
        }
        text.push_str(&self.render_sizes());
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text
    }

    fn columns(&self) -> Vec<Column> {
        let numbers = |heading, cell: &dyn Fn(&NodeMemory) -> Option<u32>| {
            let text = |node| cell(node).map_or_else(|| "-".to_owned(), |mib| mib.to_string());
            Column {
                heading,
                cells: self.nodes.iter().map(text).collect(),
                words: false,
            }
        };
        let words = |heading, cell: &dyn Fn(&NodeMemory) -> String| Column {
            heading,
            cells: self.nodes.iter().map(cell).collect(),
            words: true,
        };
        let mut columns = vec![
            words("node", &|node| node.name.to_string()),
            words("board", &|node| node.board.to_string()),
            numbers("RAM", &|node| Some(node.board.visible_mib)),
            numbers("OS", &|node| Some(node.os_mib)),
        ];
        for daemon in Daemon::ALL {
            if self.has(daemon) {
                columns.push(numbers(daemon.short_name(), &|node| {
                    node.heaps_mib.get(&daemon).copied()
                }));
            }
        }
        columns.extend([
            numbers("containers", &|node| {
                node.containers.map(|all| all.memory_mib)
            }),
            numbers("vcores", &|node| node.containers.map(|all| all.vcores)),
            numbers("page cache", &|node| Some(node.page_cache_mib())),
        ]);
        columns
    }

    fn render_sizes(&self) -> String {
        let scheduler = self.scheduler;
        let counted = if scheduler.cores_count {
            "memory and vcores"
        } else {
            "memory"
        };
        let size = |Container {
                        container_mib,
                        heap_mib,
                    }| { format!("{container_mib:>5}, heap {heap_mib:>4}") };
        let reduces = if self.job.reduce_after_maps {
            " (starts after the last map)"
        } else {
            ""
        };
        format!(
            "\nbeside its heap each daemon is counted with {JVM_OVERHEAD_MIB}\n\n\
             allocations        {} to {} and at most {} vcores, by {counted}\n\
             ApplicationMaster  {}\n\
             map task           {}, sort buffer {}\n\
             reduce task        {}{reduces}\n",
            scheduler.minimum_mib,
            scheduler.maximum_mib,
            scheduler.maximum_vcores,
            size(self.job.master),
            size(self.job.map),
            self.job.sort_mib,
            size(self.job.reduce),
        )
    }
}

impl fmt::Display for MemoryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render_table())
    }
}
