//! What a parser folder may not say, and how the error names it.

use super::*;
use crate::Route;

#[test]
fn refuses_scripts_that_reach_too_far() {
    let refused = |script: &str| {
        catalog(
            &json_spec(""),
            Some(script),
            None,
            ParserSettings::default(),
        )
        .unwrap_err()
    };
    assert!(refused(". = {}").contains("whole document"));
    assert!(refused(".user.nam = \"x\"").contains("user.name"));
    assert!(
        refused("%x = 1").contains("read-only"),
        "{}",
        refused("%x = 1")
    );
    assert!(refused(".user.name = upcase(%x)").contains("aws/test/transform.vrl"));
}

#[test]
fn says_what_is_wrong_with_a_parser() {
    let check = |spec: &str, part: &str| {
        let error = refused(spec);
        assert!(error.contains(part), "{error}");
        assert!(error.starts_with("aws/test/parser.toml:"), "{error}");
    };
    check(
        "[fields]\n\"source.ipp\" = \"a\"\n",
        "did you mean `source.ip`",
    );
    check(
        "[fields]\n\"aws.test.x\" = \"a\"\n",
        "say its type with `as`",
    );
    check(
        "[fields]\n\"event.ingested\" = \"a\"\n",
        "written by the engine",
    );
    check("[fields]\n\"user.name\" = \"a[\"\n", "no source path");
    check(
        "[fields]\n\"user.name\" = \"@key.nothing\"\n",
        "no group `nothing`",
    );
    check(
        "[fields]\n\"user.name\" = \".user.id\"\n",
        "nothing sets `user.id`",
    );
    check(
        "[constants]\n\"event.kind\" = \"evnt\"\n",
        "ECS does not allow `evnt`",
    );
    check(
        "[constants]\n\"network.bytes\" = \"many\"\n",
        "which this value is not",
    );
    check(
        "[types]\n\"a\" = \"keyword\"\n\"a.b\" = \"keyword\"\n",
        "declared already",
    );
    check("[types]\n\"a\" = \"string\"\n", "unknown type `string`");
    check(
        "[types]\n\"a\" = \"flat_object\"\n[fields]\n\"aws.test.a.b\" = { from = \"x\", as = \"keyword\" }\n",
        "lies inside",
    );
    check(
        "[[when]]\nfield = \"a\"\nset = { \"event.kind\" = \"alert\" }\n",
        "tests nothing",
    );
    check(
        "[lookup.x]\nfrom = \"a\"\ntable = \"no.csv\"\n",
        "no table `no.csv`",
    );
    check(
        "[timestamp]\nfrom = \"a\"\nformats = [\"iso\"]\n",
        "unknown time format `iso`",
    );
}

#[test]
fn names_both_patterns_of_a_tie() {
    let files = |dataset: &str, key: &str| ParserFiles {
        folder: dataset.replace('.', "/"),
        spec: HEAD
            .replace("aws.test", dataset)
            .replace("\"**\"", &format!("\"{key}\""))
            + "[record]\nformat = \"json\"\n",
        ..ParserFiles::default()
    };
    let catalog = Catalog::from_files(
        vec![files("aws.b", "**/*abc*"), files("aws.a", "**/*xyz*")],
        ParserSettings::default(),
    );
    // Of a key that nobody meant, the order of the datasets decides.
    let catalog = catalog.unwrap();
    let Route::Parser(first, Some(second)) = catalog.route("abc-xyz.log") else {
        panic!("two patterns match")
    };
    assert_eq!(first.parser.dataset(), "aws.a");
    assert_eq!(second.parser.dataset(), "aws.b");
    let tie = Catalog::from_files(
        vec![files("aws.a", "**/*abc*"), files("aws.b", "**/*abc*")],
        ParserSettings::default(),
    )
    .unwrap_err()
    .to_string();
    assert!(
        tie.contains("`**/*abc*` (aws.a)") && tie.contains("`**/*abc*` (aws.b)"),
        "{tie}"
    );
}
