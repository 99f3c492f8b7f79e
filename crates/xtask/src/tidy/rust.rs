//! Rules for Rust files: a first line that says what the file is for, one subject, no drawer for leftovers.

use super::File;

/// Beyond this a file has more than one subject.
const MAX_LINES: usize = 400;

/// Names that say nothing about what is inside.
const DRAWERS: [&str; 6] = ["common", "helper", "helpers", "misc", "util", "utils"];

/// Checks a Rust file.
pub(crate) fn check(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    if !file.text.starts_with("//! ") {
        faults.push(file.fault(1, "begins without `//!`; say what the file is for"));
    }
    let lines = file.text.lines().count();
    if lines > MAX_LINES {
        faults.push(file.fault(
            lines,
            format!("has {lines} lines, more than {MAX_LINES}; give each subject a file"),
        ));
    }
    let is_drawer = |part: &str| DRAWERS.contains(&part.trim_end_matches(".rs"));
    if file.path.split('/').any(is_drawer) {
        faults.push(file.fault(1, "is named for no subject"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> usize {
        check(&File {
            path: path.to_owned(),
            text: text.to_owned(),
        })
        .len()
    }

    #[test]
    fn wants_a_purpose_a_size_and_a_name() {
        assert_eq!(faults("crates/a/src/id.rs", "//! Ids.\n"), 0);
        assert_eq!(faults("crates/a/src/id.rs", "use a;\n"), 1);
        assert_eq!(faults("crates/a/src/id.rs", &"//! x\n".repeat(401)), 1);
        assert_eq!(faults("crates/a/src/utils.rs", "//! Things.\n"), 1);
        assert_eq!(faults("crates/common/src/lib.rs", "//! Things.\n"), 1);
    }
}
