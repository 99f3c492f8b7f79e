//! Compares a generated text with its file, or writes it.

use std::fs;
use std::path::Path;

use libtest_mimic::Failed;

/// A file that is generated from its first line to its last.
pub(crate) fn whole(path: &Path, text: &str) -> Result<(), Failed> {
    let found = fs::read_to_string(path).unwrap_or_default();
    settle(path, &found, text)
}

/// A file whose part between `<!-- NAME:begin … -->` and `<!-- NAME:end -->` is generated.
pub(crate) fn between(path: &Path, name: &str, text: &str) -> Result<(), Failed> {
    let found = fs::read_to_string(path)?;
    let missing = || format!("`{}` has no marker `{name}`", path.display());
    let begin = found
        .find(&format!("<!-- {name}:begin"))
        .ok_or_else(missing)?;
    let from = begin + found[begin..].find("-->").ok_or_else(missing)? + "-->\n".len();
    let end = found
        .find(&format!("<!-- {name}:end -->"))
        .ok_or_else(missing)?;
    let wanted = format!("{}\n{text}\n{}", &found[..from], &found[end..]);
    settle(path, &found, &wanted)
}

fn settle(path: &Path, found: &str, wanted: &str) -> Result<(), Failed> {
    if found == wanted {
        return Ok(());
    }
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        return Ok(fs::write(path, wanted)?);
    }
    let differs = found
        .lines()
        .zip(wanted.lines())
        .position(|(a, b)| a != b)
        .unwrap_or_else(|| found.lines().count().min(wanted.lines().count()));
    let line = |text: &str| text.lines().nth(differs).unwrap_or("(end)").to_owned();
    Err(format!(
        "`{}` is stale from line {}; write it with `cargo xtask docs`\n- {}\n+ {}",
        path.display(),
        differs + 1,
        line(found),
        line(wanted)
    )
    .into())
}
