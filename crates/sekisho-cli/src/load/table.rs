//! The summary as a table.

use std::io::{self, Write};

use sekisho_pipeline::{SourceSummary, Summary};

const HEAD: [&str; 12] = [
    "source",
    "objects",
    "failed",
    "cut",
    "MB",
    "records",
    "indexed",
    "raw",
    "duplicate",
    "excluded",
    "quarantined",
    "MB/s",
];

/// Writes one row a source and one for the sum.
pub(crate) fn write(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(summary.sources.iter().map(row));
    rows.push(row(&summary.total));
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| {
            let lengths = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(String::len);
            lengths.max().unwrap_or_default()
        })
        .collect();
    for row in rows {
        let mut cells = row.iter().zip(&widths);
        if let Some((source, width)) = cells.next() {
            write!(out, "{source:<width$}")?;
        }
        for (cell, width) in cells {
            write!(out, "  {cell:>width$}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn row(summary: &SourceSummary) -> [String; 12] {
    let books = &summary.books;
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let megabytes = summary.bytes as f64 / 1e6;
    [
        summary.dataset.clone(),
        summary.objects.to_string(),
        summary.failed.to_string(),
        summary.cut.to_string(),
        format!("{megabytes:.1}"),
        books.records.to_string(),
        books.indexed.to_string(),
        books.raw.to_string(),
        books.duplicate.to_string(),
        books.excluded.to_string(),
        books.quarantined.to_string(),
        format!("{:.1}", summary.megabytes_per_second),
    ]
}
