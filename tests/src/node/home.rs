//! Lays out a runnable OpenSearch home from pinned registry artefacts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::security;

const NEWEST: &str = include_str!("../../opensearch-node/pom-3.4.0.xml");
const OLDEST: &str = include_str!("../../opensearch-node/pom-2.19.4.xml");
const SECURITY: &str = include_str!("../../opensearch-node/pom-3.4.0-security.xml");
const OLDEST_SECURITY: &str = include_str!("../../opensearch-node/pom-2.19.4-security.xml");

/// The OpenSearch releases that the tests run against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The newest release that the registry serves whole.
    Newest,
    /// The oldest line that Sekisho supports.
    Oldest,
    /// The newest release with its security plugin: TLS, logins and roles.
    Secured,
    /// The oldest line with its security plugin.
    SecuredOldest,
}

impl Version {
    /// Every version, newest first; what the security plugin adds has tests of its own.
    pub const ALL: [Self; 2] = [Self::Newest, Self::Oldest];
    /// Every version with its security plugin, newest first.
    pub const SECURED: [Self; 2] = [Self::Secured, Self::SecuredOldest];

    /// Whether it has the security plugin.
    pub fn is_secured(self) -> bool {
        Self::SECURED.contains(&self)
    }

    fn is_oldest(self) -> bool {
        matches!(self, Self::Oldest | Self::SecuredOldest)
    }

    /// The release number, such as `3.4.0`.
    pub fn number(self) -> &'static str {
        match self {
            Self::Newest | Self::Secured => "3.4.0",
            Self::Oldest | Self::SecuredOldest => "2.19.4",
        }
    }

    /// The folder name of its home.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Newest | Self::Oldest => self.number(),
            Self::Secured => "3.4.0-security",
            Self::SecuredOldest => "2.19.4-security",
        }
    }

    /// What Maven lays out, with the goals of each.
    fn poms(self) -> &'static [Pom] {
        const JARS: &[&str] = &["dependency:copy@jars"];
        const PLUGINS: &[&str] = &["dependency:unpack@plugins"];
        const BOTH: &[&str] = &["dependency:copy@jars", "dependency:unpack@plugins"];
        match self {
            Self::Newest => &[Pom(NEWEST, JARS)],
            Self::Oldest => &[Pom(OLDEST, JARS)],
            Self::Secured => &[Pom(NEWEST, JARS), Pom(SECURITY, BOTH)],
            Self::SecuredOldest => &[Pom(OLDEST, JARS), Pom(OLDEST_SECURITY, PLUGINS)],
        }
    }

    /// The Java releases that run it; 2.x needs the security manager, which Java 24 removed.
    pub(super) fn java(self) -> std::ops::RangeInclusive<u32> {
        match self {
            Self::Newest | Self::Secured => 21..=u32::MAX,
            Self::Oldest | Self::SecuredOldest => 11..=23,
        }
    }

    pub(super) fn java_flags(self) -> &'static [&'static str] {
        match self {
            Self::Newest | Self::Secured => &["--enable-native-access=ALL-UNNAMED"],
            Self::Oldest | Self::SecuredOldest => &["-Djava.security.manager=allow"],
        }
    }

    /// Gives the class of a module; 3.x renamed all but one.
    fn class(self, module: &Module) -> String {
        match self {
            Self::Oldest | Self::SecuredOldest => module.class.replace("ModulePlugin", "Plugin"),
            Self::Newest | Self::Secured => module.class.to_owned(),
        }
        .replace("GeoPlugin", "GeoModulePlugin")
    }
}

/// A pom and its goals.
struct Pom(&'static str, &'static [&'static str]);

struct Module {
    name: &'static str,
    class: &'static str,
    extends: &'static str,
}

const fn module(name: &'static str, class: &'static str, extends: &'static str) -> Module {
    Module {
        name,
        class,
        extends,
    }
}

/// The modules as 3.x names them; the registry's jars carry no descriptor, so one is written each.
const MODULES: [Module; 7] = [
    module(
        "analysis-common",
        "org.opensearch.analysis.common.CommonAnalysisModulePlugin",
        "lang-painless",
    ),
    module("geo", "org.opensearch.geo.GeoModulePlugin", ""),
    module(
        "ingest-common",
        "org.opensearch.ingest.common.IngestCommonModulePlugin",
        "lang-painless",
    ),
    module(
        "lang-painless",
        "org.opensearch.painless.PainlessModulePlugin",
        "",
    ),
    module(
        "mapper-extras",
        "org.opensearch.index.mapper.MapperExtrasModulePlugin",
        "",
    ),
    module(
        "reindex",
        "org.opensearch.index.reindex.ReindexModulePlugin",
        "",
    ),
    module(
        "transport-netty4",
        "org.opensearch.transport.Netty4ModulePlugin",
        "",
    ),
];

pub(super) const LOG4J: &str = "\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
";

/// A nearly full test disk would put the flood-stage block on every index; a small body limit lets a test reach it.
pub(super) const SETTINGS: &str = "\
cluster.name: sekisho-test
node.name: n1
network.host: 127.0.0.1
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
http.max_content_length: 20mb
";

/// Gives the home of `version` under `root`, resolving it by Maven if it is not there yet.
pub(super) fn lay_out(version: Version, root: &Path) -> Result<PathBuf> {
    fs::create_dir_all(root)?;
    let root = root.canonicalize()?;
    let home = root.join(version.name());
    // Two test binaries may start at once: the second waits for the first one's home.
    let lock = fs::File::create(root.join(format!("{}.lock", version.name())))?;
    lock.lock().context("cannot lock the opensearch home")?;
    let done = home.join(".complete");
    let poms: String = version.poms().iter().map(|Pom(text, _)| *text).collect();
    if fs::read_to_string(&done).is_ok_and(|found| found == poms) {
        return Ok(home);
    }
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(home.join("plugins"))?;
    for (at, pom) in version.poms().iter().enumerate() {
        let file = root.join(format!("pom-{}-{at}.xml", version.name()));
        fs::write(&file, pom.0)?;
        resolve(version, &file, pom.1, &home)?;
    }
    for module in &MODULES {
        describe(version, &home, module)?;
    }
    if version.is_secured() {
        security::repair(&home)?;
    }
    fs::write(done, poms)?;
    Ok(home)
}

fn resolve(version: Version, pom: &Path, goals: &[&str], home: &Path) -> Result<()> {
    // A cold resolve may time out once.
    for last in [false, true] {
        let answer = Command::new("mvn")
            .args(["-B", "-q", "-f"])
            .arg(pom)
            .arg(format!("-Dhome={}", home.display()))
            .args(goals)
            .output()
            .context(
                "`mvn` is missing; install Maven, or name a node in `SEKISHO_OPENSEARCH_URL`",
            )?;
        if answer.status.success() {
            return Ok(());
        }
        if last {
            bail!(
                "maven cannot resolve opensearch {}:\n{}{}",
                version.name(),
                String::from_utf8_lossy(&answer.stdout),
                String::from_utf8_lossy(&answer.stderr)
            );
        }
    }
    Ok(())
}

fn describe(version: Version, home: &Path, module: &Module) -> Result<()> {
    let folder = home.join("modules").join(module.name);
    let text = format!(
        "name={name}\ndescription={name}\nversion={number}\nopensearch.version={number}\n\
         java.version={java}\nclassname={class}\nextended.plugins={extends}\n\
         has.native.controller=false\n",
        name = module.name,
        number = version.number(),
        java = version.java().start(),
        class = version.class(module),
        extends = module.extends,
    );
    fs::write(folder.join("plugin-descriptor.properties"), text)?;
    if version.is_oldest() {
        fs::write(
            folder.join("plugin-security.policy"),
            "grant { permission java.security.AllPermission; };\n",
        )?;
    }
    Ok(())
}
