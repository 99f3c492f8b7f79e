//! Words that belong in no file: places of one machine, placeholders, notes to oneself.

use super::File;

/// What is looked for, and why it must not be there. Each is cut in two, so that this list does not find itself.
const FORBIDDEN: [(&str, &str, &str); 10] = [
    (" /wo", "rk/", "a path of one machine"),
    ("\"/wo", "rk/", "a path of one machine"),
    ("`/wo", "rk/", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("/home", "/", "a path of one machine"),
    (
        "arti",
        "factory",
        "the host of one network's package mirror",
    ),
    ("TO", "DO", "an unfinished note; finish it or open an issue"),
    (
        "FIX",
        "ME",
        "an unfinished note; finish it or open an issue",
    ),
    ("\"DE", "SC\"", "a placeholder"),
    ("//! SE", "ED", "a placeholder"),
];

/// Checks every line, also for white space at its end.
pub(crate) fn check(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in file.lines() {
        for (first, second, why) in FORBIDDEN {
            if line.contains(&format!("{first}{second}")) {
                faults
                    .push(file.fault(number, format!("`{}{second}` is {why}", first.trim_start())));
            }
        }
        if line.ends_with([' ', '\t']) {
            faults.push(file.fault(number, "ends with white space"));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        faults.push(file.fault(file.text.lines().count(), "ends without a newline"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: usize) {
        let file = File {
            path: "a".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(super::check(&file).len(), expected, "{text}");
    }

    #[test]
    fn finds_places_and_placeholders() {
        check("a path like network/work/x is fine\n", 0);
        check(concat!("see /wo", "rk/main\n"), 1);
        check(concat!("// TO", "DO: later\n"), 1);
        check("tail \n", 1);
        check("no newline", 1);
    }
}
