//! `sekisho reload`, as a user runs it.

use super::*;

/// 130 objects are three groups of a reload; ten others are not raw and not read.
pub(crate) fn reload(world: &World, runtime: &Runtime) -> Result<()> {
    const RAW: u64 = 130;
    world.bucket(runtime, "reload")?;
    for number in 0..RAW {
        let line = format!(
            "{{\"n\":\"{number}\",\"at\":\"2026-11-20T01:00:00Z\",\"put\":\"2026-11-22T01:00:00Z\"}}\n"
        );
        let key = format!("app/2026/11/23/{number}");
        world.put(runtime, "reload", &key, line.into())?;
    }
    world.put_flows(runtime, "reload", 0..10)?;
    let parsers = |require: &str, time: &str| -> Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        let parser = folder.path().join("test/app");
        std::fs::create_dir_all(&parser)?;
        let spec = format!(
            "[source]\ndataset = \"test.app\"\ntitle = \"A source of these tests\"\nreference = \"https://www.example.com/\"\nindex = \"log-test-app\"\n[match]\nkeys = [\"app/**\"]\n[record]\nformat = \"ndjson\"\nrequire = [\"{require}\"]\n[timestamp]\nfrom = \"{time}\"\nformats = [\"rfc3339\"]\n[constants]\n\"event.kind\" = \"event\"\n"
        );
        std::fs::write(parser.join("parser.toml"), spec)?;
        Ok(folder)
    };
    let (broken, fixed) = (parsers("wrong", "put")?, parsers("n", "at")?);
    let by = |folder: &tempfile::TempDir| folder.path().display().to_string();
    let url = world.node.url();
    world
        .run(&["apply", "--to", url, "--parsers", &by(&broken)], &[])?
        .expect(0)?;
    world
        .load("s3://reload/app/", &["--parsers", &by(&broken)], &[])?
        .expect(1)?;
    world.load("s3://reload/AWSLogs/", &[], &[])?.expect(0)?;
    let run = |folder: &tempfile::TempDir, more: &[&str]| {
        let folder = by(folder);
        let arguments = ["reload", "s3://reload", "--to", url, "--parsers", &folder];
        world.run(&[&arguments[..], &["--outcome", "raw"], more].concat(), &[])
    };
    // Nothing was fixed: as raw as before.
    let same = run(&broken, &[])?.expect(1)?;
    ensure!(
        same.number("/summary/total/raw") == Some(RAW),
        "{:?}",
        same.lines
    );
    let done = run(&fixed, &[])?.expect(0)?;
    ensure!(
        done.number("/summary/total/indexed") == Some(RAW),
        "{:?}",
        done.lines
    );
    ensure!(
        done.number("/reload/deleted") == Some(RAW),
        "{:?}",
        done.lines
    );
    ensure!(world.documents(runtime, "reload")? == RAW + 20);
    world.audit("s3://reload")?.expect(0)?;
    let none = run(&fixed, &[])?.expect(0)?;
    ensure!(
        none.number("/summary/total/objects") == Some(0),
        "{:?}",
        none.lines
    );
    eprintln!("{RAW} objects were reloaded in {:?}", done.took);
    Ok(())
}
