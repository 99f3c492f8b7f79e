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

/// A log that nobody claimed is raw; a parser is published, applied, and the log reloaded.
pub(crate) fn published(world: &World, runtime: &Runtime) -> Result<()> {
    const KEY: &str = "gates/2026/11/23/a.log";
    world.bucket(runtime, "gates")?;
    world.bucket(runtime, "gates-config")?;
    let sample = "{\"time\":\"2026-11-23T01:02:03Z\",\"gate\":7}\n";
    world.put(runtime, "gates", KEY, sample.into())?;
    world.load("s3://gates/", &[], &[])?.expect(1)?;
    let folder = tempfile::tempdir()?;
    let root = folder.path().display().to_string();
    let write = |dataset: &str, key: &str, kind: &str| -> Result<()> {
        let parser = folder.path().join(dataset.replace('.', "/"));
        let case = parser.join("tests/passed");
        std::fs::create_dir_all(&case)?;
        let spec = format!(
            "[source]\ndataset = \"{dataset}\"\ntitle = \"Gates\"\nreference = \"https://www.example.com/\"\nindex = \"log-acme-gate\"\n[match]\nkeys = [\"{key}/**\"]\n[record]\nformat = \"ndjson\"\n[timestamp]\nfrom = \"time\"\n[fields]\n\"acme.number\" = {{ from = \"gate\", as = \"{kind}\" }}\n"
        );
        std::fs::write(parser.join("parser.toml"), spec)?;
        std::fs::write(
            case.join("case.toml"),
            format!("key = \"{key}/2026/11/23/a.log\"\n"),
        )?;
        std::fs::write(case.join("sample.log"), sample)?;
        let test = ["--parsers", &root, "parser", "test", dataset, "--update"];
        world.run(&test, &[])?.expect(0)?;
        Ok(())
    };
    let config = [("SEKISHO_BUNDLES_BUCKET", "gates-config")];
    let publish = |dataset: &str| {
        let arguments = ["--parsers", &root, "parser", "publish", dataset];
        world.run(&arguments, &config)
    };
    write("acme.gate", "gates", "long")?;
    let done = publish("acme.gate")?.expect(0)?;
    ensure!(done.number("/version") == Some(1), "{:?}", done.lines);
    // The same index, the same field, another type.
    write("acme.yard", "yard", "keyword")?;
    let refused = publish("acme.yard")?.expect(1)?;
    let said = format!("{:?}", refused.lines);
    ensure!(said.contains("acme.number"), "{said}");
    let url = world.node.url();
    let applied = world.run(&["apply", "--to", url], &config)?.expect(0)?;
    ensure!(format!("{:?}", applied.lines).contains("log-acme-gate"));
    let reload = ["reload", "s3://gates", "--to", url, "--outcome", "raw"];
    let done = world.run(&reload, &config)?.expect(0)?;
    ensure!(
        done.number("/reload/deleted") == Some(1),
        "{:?}",
        done.lines
    );
    ensure!(world.documents(runtime, "gates")? == 1);
    let typed = runtime.block_on(async {
        world.cluster.refresh().await?;
        let query = json!({ "range": { "acme.number": { "gte": 7, "lt": 8 } } });
        world.cluster.count("log-acme-gate-*", query).await
    })?;
    ensure!(typed == 1, "the field has no type");
    Ok(())
}
