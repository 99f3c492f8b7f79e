//! Writes `config/sekisho.toml`: every setting, its default, a comment.

use crate::read::variable;
use crate::settings::Settings;

const HEAD: &str = "\
# Every setting of Sekisho with its default.
# Generated from crates/sekisho-config/src/settings.rs: `UPDATE_EXPECT=1 cargo test -p sekisho-config`.
# A setting that is left out has its default; an environment variable wins over this file.
";

impl Settings {
    /// Writes these settings as a commented `sekisho.toml`; secrets are left out.
    pub fn to_toml(&self) -> String {
        let mut text = HEAD.to_owned();
        let mut group = "";
        for entry in self.entries() {
            if entry.group != group {
                group = entry.group;
                text.push('\n');
                comment(&mut text, entry.group_docs);
                text.push_str(&format!("[{group}]\n"));
            }
            comment(&mut text, entry.docs);
            text.push_str(&format!("# {}\n", variable(entry.group, entry.name)));
            text.push_str(&format!("{} = {}\n", entry.name, entry.value));
        }
        text
    }
}

fn comment(text: &mut String, lines: &[&str]) {
    for line in lines {
        text.push_str(&format!("#{line}\n"));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_reference_file_is_what_the_code_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/sekisho.toml");
        let expected = Settings::default().to_toml();
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, &expected).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == expected,
            "`config/sekisho.toml` is out of date; run `UPDATE_EXPECT=1 cargo test -p sekisho-config`"
        );
    }

    #[test]
    fn the_reference_file_gives_the_defaults() {
        let mut settings = Settings::default();
        settings.index.prefix = "changed".to_owned();
        settings.opensearch.gzip = false;
        let reference = Settings::default().to_toml();
        settings.apply_toml("sekisho.toml", &reference).unwrap();
        assert_eq!(settings, Settings::default());
    }
}
