//! The command as a user runs it: what comes to stdout, what to stderr, and the exit code.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic; clippy does not see helper functions as tests"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const KEY: &str = "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/11/23/111122223333_vpcflowlogs_us-east-1_fl-0123456789abcdef0_20261123T1015Z_abc.log.gz";
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n";
const FLOW: &str = "2 111122223333 eni-0a1b2c3d4e5f60718 192.0.2.10 198.51.100.7 49761 443 6 20 4249 1795392000 1795392060 ACCEPT OK\n";

fn sekisho(arguments: &[&str]) -> Output {
    with_input(arguments, b"")
}

fn with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with one object under [`KEY`].
fn logs(lines: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), KEY, lines);
    root
}

fn put(root: &Path, key: &str, lines: &str) {
    let file = root.join(key);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, lines).unwrap();
}

fn documents(lines: &str) -> Vec<Value> {
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn parse_gives_documents_in_input_order_also_from_stdin() {
    let lines = format!(
        "{HEADER}{FLOW}{}{FLOW}",
        FLOW.replace("192.0.2.10", "192.0.2.11")
    );
    let root = logs(&lines);
    let file = root.path().join(KEY);
    let read = sekisho(&["parse", "--key", KEY, "--meta", path(&file)]);
    assert_eq!(code(&read), 0, "{}", text(&read.stderr));
    let documents = documents(text(&read.stdout));
    let addresses: Vec<_> = documents
        .iter()
        .map(|doc| &doc["_source"]["source"]["ip"])
        .collect();
    assert_eq!(addresses, ["192.0.2.10", "192.0.2.11", "192.0.2.10"]);
    let ids: BTreeSet<_> = documents
        .iter()
        .map(|doc| doc["_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 3, "two equal lines are two documents");
    assert_eq!(documents[0]["_index"], "log-aws-vpcflowlogs-2026.11.23");
    assert_eq!(documents[0]["outcome"], "indexed");
    let piped = with_input(&["parse", "--key", KEY, "--meta", "-"], lines.as_bytes());
    assert_eq!(with_times_removed(&piped), with_times_removed(&read));
}

/// Stdin has no time of its own for `event.created`.
fn with_times_removed(output: &Output) -> Vec<Value> {
    let mut documents = documents(text(&output.stdout));
    for document in &mut documents {
        document["_source"]["event"]
            .as_object_mut()
            .unwrap()
            .remove("created");
    }
    documents
}

#[test]
fn parse_prints_raw_documents_and_says_so_by_the_exit_code() {
    let root = logs(&format!("{HEADER}{FLOW}broken\n"));
    let file = root.path().join(KEY);
    let read = sekisho(&["parse", "--key", KEY, path(&file)]);
    assert_eq!(code(&read), 1);
    assert_eq!(documents(text(&read.stdout)).len(), 2);
    assert!(
        text(&read.stderr).contains("raw: "),
        "{}",
        text(&read.stderr)
    );
}

#[test]
fn parse_explains_by_pattern_and_line() {
    let root = logs(&format!("{HEADER}{FLOW}"));
    let file = root.path().join(KEY);
    let read = sekisho(&["parse", "--key", KEY, "--explain", path(&file)]);
    let told = text(&read.stderr);
    assert!(told.contains("aws/vpcflow/parser.toml:"), "{told}");
    for decided in [
        "source.ip = \"192.0.2.10\"\n      aws/vpcflow/parser.toml:",
        "network.transport = \"tcp\"\n      aws/vpcflow/transport.csv:",
    ] {
        assert!(told.contains(decided), "{told}");
    }
}

#[test]
fn load_fills_a_folder_once() {
    let root = logs(&format!("{HEADER}{FLOW}{FLOW}"));
    put(root.path(), "other/x.log", "nobody claims this\n");
    let out = tempfile::tempdir().unwrap();
    let arguments = [
        "load",
        path(root.path()),
        "--to",
        path(out.path()),
        "--json",
    ];
    let loaded = sekisho(&arguments);
    assert_eq!(
        code(&loaded),
        1,
        "one record is raw: {}",
        text(&loaded.stderr)
    );
    let report: Value = serde_json::from_slice(&loaded.stdout).unwrap();
    assert_eq!(report["summary"]["total"]["records"], 3);
    assert_eq!(report["summary"]["total"]["indexed"], 2);
    assert_eq!(report["summary"]["total"]["raw"], 1);
    let index = out.path().join("log-aws-vpcflowlogs-2026.11.23.ndjson");
    let first = fs::read_to_string(&index).unwrap();
    assert_eq!(first.lines().count(), 2);
    let again = sekisho(&arguments);
    assert_eq!(code(&again), 2);
    assert!(text(&again.stderr).contains("--replace"));
    let replaced = sekisho(&[&arguments[..], &["--replace"]].concat());
    assert_eq!(code(&replaced), 1);
    assert_eq!(
        fs::read_to_string(&index).unwrap(),
        first,
        "the same bytes again"
    );
    let unfinished = fs::read_dir(out.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_str().unwrap().ends_with(".tmp")
    });
    assert_eq!(unfinished.count(), 0);
}

#[test]
fn files_that_stand_for_a_bucket_have_its_ids() {
    let lines = format!("{HEADER}{FLOW}");
    let root = tempfile::tempdir().unwrap();
    let (prefix, below) = KEY.split_once("/vpcflowlogs/").unwrap();
    put(root.path(), &format!("vpcflowlogs/{below}"), &lines);
    let out = tempfile::tempdir().unwrap();
    let place = format!("s3://my-logs/{prefix}");
    let (from, to) = (path(root.path()), path(out.path()));
    let loaded = sekisho(&["load", from, "--as", &place, "--to", to]);
    assert_eq!(code(&loaded), 0, "{}", text(&loaded.stderr));
    assert!(text(&loaded.stderr).contains("aws.vpcflow"));
    let index = out.path().join("log-aws-vpcflowlogs-2026.11.23.ndjson");
    let document = &documents(&fs::read_to_string(index).unwrap())[0];
    assert_eq!(
        document["log"]["file"]["path"],
        format!("s3://my-logs/{KEY}")
    );
}

#[test]
fn what_cannot_be_indexed_is_kept_beside() {
    let root = tempfile::tempdir().unwrap();
    fs::write(
        root.path().join("core"),
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
    )
    .unwrap();
    let out = tempfile::tempdir().unwrap();
    let loaded = sekisho(&["load", path(root.path()), "--to", path(out.path())]);
    assert_eq!(code(&loaded), 1);
    let kept = fs::read_to_string(out.path().join("quarantine.ndjson")).unwrap();
    assert!(
        documents(&kept)[0]["reason"]
            .as_str()
            .unwrap()
            .contains("unknown_binary")
    );
}

#[test]
fn wrong_use_ends_with_2() {
    for arguments in [
        vec!["load", "/nowhere/at/all", "--to", "discard:"],
        vec!["load", ".", "--to", "s3://bucket"],
        vec!["load", ".", "--to", "http://127.0.0.1:1"],
        vec!["parse", "--key", "k", "/nowhere/at/all"],
        vec!["parse"],
        vec!["--config", "/nowhere.toml", "route", "k"],
    ] {
        let output = sekisho(&arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn route_names_parser_pattern_and_index() {
    let routed = sekisho(&["route", KEY, "nobody/claims/this", "--json"]);
    assert_eq!(code(&routed), 1);
    let routes = documents(text(&routed.stdout));
    assert_eq!(routes[0]["choice"]["parser"], "aws.vpcflow");
    assert_eq!(
        routes[0]["choice"]["index"],
        "log-aws-vpcflowlogs-2026.11.23"
    );
    assert_eq!(routes[1]["route"], "unclaimed");
}

/// A folder of parsers with one parser and one case, without expectations.
fn parsers() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let files = [
        (
            "parser.toml",
            "[source]\ndataset = \"test.app\"\ntitle = \"App\"\nreference = \"https://www.example.com/\"\nindex = \"log-test-app\"\n[match]\nkeys = [\"app/**\"]\n[record]\nformat = \"ndjson\"\n[timestamp]\nfrom = \"time\"\nformats = [\"rfc3339\"]\n[fields]\n\"event.action\" = \"what\"\n",
        ),
        ("tests/one/case.toml", "key = \"app/2026/11/23/x.log\"\n"),
        (
            "tests/one/sample.log",
            "{\"time\":\"2026-11-23T01:00:00Z\",\"what\":\"login\"}\n",
        ),
    ];
    for (name, content) in files {
        put(root.path(), &format!("test/app/{name}"), content);
    }
    root
}

#[test]
fn parser_test_asks_for_expectations_writes_and_compares_them() {
    let root = parsers();
    let test = |more: &[&str]| {
        let arguments = ["--parsers", path(root.path()), "parser", "test"];
        let output = sekisho(&[&arguments[..], more].concat());
        (code(&output), text(&output.stdout).to_owned())
    };
    let (missing, told) = test(&[]);
    assert_eq!(missing, 1);
    assert!(told.contains("`expected.ndjson` is missing"), "{told}");
    assert_eq!(test(&["--update"]).0, 0);
    assert_eq!(test(&["test.app"]).0, 0);
    let expected = root.path().join("test/app/tests/one/expected.ndjson");
    let changed = fs::read_to_string(&expected)
        .unwrap()
        .replace("login", "logout");
    fs::write(&expected, changed).unwrap();
    let (different, told) = test(&["test.app/one"]);
    assert_eq!(different, 1);
    assert!(told.contains("- event.action: \"logout\""), "{told}");
    assert!(told.contains("+ event.action: \"login\""), "{told}");
    assert_eq!(test(&["nothing-like-this"]).0, 2);
}

#[test]
fn parser_check_names_file_and_line() {
    let root = parsers();
    let check = || sekisho(&["--parsers", path(root.path()), "parser", "check"]);
    assert_eq!(code(&check()), 0, "{}", text(&check().stdout));
    let spec = root.path().join("test/app/parser.toml");
    let broken = fs::read_to_string(&spec)
        .unwrap()
        .replace("[fields]", "[feilds]");
    fs::write(spec, broken).unwrap();
    let output = check();
    assert_eq!(code(&output), 1);
    let told = text(&output.stdout);
    assert!(
        told.contains("parser.toml:") && told.contains("fields"),
        "{told}"
    );
}

#[test]
fn parser_new_makes_a_folder_whose_test_passes_and_never_overwrites_it() {
    let root = tempfile::tempdir().unwrap();
    let parsers = root.path().join("parsers");
    fs::create_dir(&parsers).unwrap();
    let line = |n: u32| {
        format!(
            "time=2026-11-23T01:02:0{n}Z result=denied ip=192.0.2.{n} user=erika door=\"north gate\"\n"
        )
    };
    let sample = root.path().join("door.log");
    fs::write(&sample, (0..5).map(line).collect::<String>()).unwrap();
    let key = "doors/2026/11/23/door.log";
    let (parsers, sample) = (path(&parsers), path(&sample));
    let mut new = vec!["--json", "parser", "new", "--from", sample, "--key", key];
    new.extend(["--dataset", "acme.door", "--to", parsers]);
    let made = sekisho(&new);
    assert_eq!(code(&made), 0, "{}", text(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((&made["documents"], &made["raw"]), (&5.into(), &0.into()));
    assert!(!made["doubts"].as_array().unwrap().is_empty(), "{made}");

    let test = sekisho(&["--parsers", parsers, "parser", "test", "acme.door"]);
    assert_eq!(code(&test), 0, "{}", text(&test.stdout));
    let parsed = sekisho(&["--parsers", parsers, "parse", "--key", key, sample]);
    let first = &documents(text(&parsed.stdout))[0];
    assert_eq!(first["@timestamp"], "2026-11-23T01:02:00Z");
    assert_eq!(first["event"]["outcome"], "failure");
    assert_eq!(first["source"]["ip"], "192.0.2.0");
    assert_eq!(first["user"]["name"], "erika");
    assert_eq!(first["acme"]["door"]["door"], "north gate");

    let again = sekisho(&new);
    assert_eq!(code(&again), 2);
    assert!(text(&again.stderr).contains("is there already and is not overwritten"));
}
