//! `vendor-fields.csv`: every field that the vendor's page names.

use std::path::Path;

use anyhow::{Context, Result, ensure};

/// One field of the vendor's page.
#[derive(Debug, Clone)]
pub(crate) struct VendorField {
    pub(crate) name: String,
    pub(crate) section: String,
    /// Why it is left in `other`; empty where the parser uses it.
    pub(crate) reason: String,
}

/// Reads the list.
pub(crate) fn read(folder: &Path) -> Result<Vec<VendorField>> {
    let path = folder.join("vendor-fields.csv");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("`{}` is missing", path.display()))?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<&str> = reader.headers()?.iter().collect();
    ensure!(
        header == ["field", "section", "disposition-reason"],
        "`{}` begins with another header than `field,section,disposition-reason`",
        path.display()
    );
    let mut fields = Vec::new();
    for row in reader.records() {
        let row = row?;
        let cell = |n: usize| row.get(n).unwrap_or_default().trim().to_owned();
        fields.push(VendorField {
            name: cell(0),
            section: cell(1),
            reason: cell(2),
        });
    }
    Ok(fields)
}
