//! What a user agent says of itself, by the patterns of uap-core; read once, where a record first has one.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use ua_parser::{Extractor, Regexes};

/// The patterns; where they come from says `data/README.md`.
const PATTERNS: &str = include_str!("../data/user-agents.json");

/// What of an agent is looked at: browsers stay below 500 bytes, and who sends more pays with his own record only.
const MAX_AGENT_BYTES: usize = 1024;

/// How many agents a generation of the memory holds, so at most 2 × 1,024 × 1 KiB and what was read in them.
const GENERATION: usize = 1024;

/// One for the process: the patterns are a constant of the binary, and cost 0.12 s and 26 MiB to make ready (measured).
static AGENTS: LazyLock<Agents> = LazyLock::new(Agents::new);

/// What a user agent says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Agent {
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) os_name: Option<String>,
    pub(crate) os_version: Option<String>,
    pub(crate) os_full: Option<String>,
}

impl Agent {
    /// Reads an agent, or remembers it: the same ones come again and again.
    pub(crate) fn read(text: &str) -> Arc<Self> {
        AGENTS.read(cut(text))
    }
}

struct Agents {
    /// Nothing if the patterns cannot be read, which a test rules out.
    extractor: Option<Extractor<'static>>,
    known: Mutex<Known>,
}

/// The agents seen of late, in two generations: when the young one is full, the old one is forgotten.
#[derive(Default)]
struct Known {
    young: HashMap<String, Arc<Agent>>,
    old: HashMap<String, Arc<Agent>>,
}

impl Agents {
    fn new() -> Self {
        let regexes = serde_json::from_str::<Regexes<'static>>(PATTERNS).ok();
        Self {
            extractor: regexes.and_then(|regexes| Extractor::try_from(regexes).ok()),
            known: Mutex::default(),
        }
    }

    fn read(&self, text: &str) -> Arc<Agent> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = known().find(text) {
            return agent;
        }
        // Read outside the lock: others may know theirs.
        let agent = Arc::new(
            self.extractor
                .as_ref()
                .map_or_else(Agent::default, |by| extract(by, text)),
        );
        known().learn(text, Arc::clone(&agent));
        agent
    }
}

impl Known {
    fn find(&mut self, text: &str) -> Option<Arc<Agent>> {
        if let Some(agent) = self.young.get(text) {
            return Some(Arc::clone(agent));
        }
        let (text, agent) = self.old.remove_entry(text)?;
        self.learn(&text, Arc::clone(&agent));
        Some(agent)
    }

    fn learn(&mut self, text: &str, agent: Arc<Agent>) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(text.to_owned(), agent);
    }
}

fn extract(extractor: &Extractor<'static>, text: &str) -> Agent {
    let (agent, os, device) = extractor.extract(text);
    let mut read = Agent::default();
    if let Some(agent) = agent {
        read.name = some(&agent.family);
        read.version = version([agent.major, agent.minor, agent.patch, agent.patch_minor]);
    }
    if let Some(os) = os {
        read.os_name = some(&os.os);
        let parts = [&os.major, &os.minor, &os.patch, &os.patch_minor];
        read.os_version = version(parts.map(Option::as_deref));
        read.os_full = match (&read.os_name, &read.os_version) {
            (Some(name), Some(version)) => Some(format!("{name} {version}")),
            (name, _) => name.clone(),
        };
    }
    read.device = device.and_then(|device| some(&device.device));
    read
}

/// Joins the parts of a version up to the first that is missing.
fn version(parts: [Option<&str>; 4]) -> Option<String> {
    let known: Vec<&str> = parts
        .into_iter()
        .map_while(|part| part.filter(|part| !part.is_empty()))
        .collect();
    (!known.is_empty()).then(|| known.join("."))
}

/// The patterns call what they do not know `Other`.
fn some(text: &str) -> Option<String> {
    (!text.is_empty() && text != "Other").then(|| text.to_owned())
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_AGENT_BYTES))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: [&str; 6]) {
        let agent = Agent::read(text);
        let fields = [
            &agent.name,
            &agent.version,
            &agent.device,
            &agent.os_name,
            &agent.os_version,
            &agent.os_full,
        ];
        assert_eq!(
            fields.map(|field| field.as_deref().unwrap_or_default()),
            expected,
            "{text}"
        );
    }

    #[test]
    fn reads_browsers_tools_and_robots() {
        check(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
            ["Chrome", "120.0.0.0", "", "Windows", "10", "Windows 10"],
        );
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
            ["Mobile Safari", "17.1", "iPhone", "iOS", "17.1", "iOS 17.1"],
        );
        check("curl/8.4.0", ["curl", "8.4.0", "", "", "", ""]);
        check(
            "aws-cli/2.13.0 Python/3.11.4 Linux/5.10 exe/x86_64",
            ["aws-cli", "2.13.0", "", "Linux", "5.10", "Linux 5.10"],
        );
        check(
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            ["Googlebot", "2.1", "Spider", "", "", ""],
        );
        check("AWS Internal", [""; 6]);
        check("\u{fffd}\0\r\n", [""; 6]);
    }

    #[test]
    fn looks_at_the_beginning_of_an_endless_agent() {
        let endless = format!("curl/8.4.0 {}", "あ(".repeat(50_000));
        check(&endless, ["curl", "8.4.0", "", "", "", ""]);
    }

    #[test]
    fn forgets_the_older_generation() {
        let mut known = Known::default();
        let agent = Arc::new(Agent::default());
        for n in 0..3 * GENERATION {
            known.learn(&n.to_string(), Arc::clone(&agent));
            assert!(known.find("0").is_some(), "what is asked for stays");
        }
        assert!(known.young.len() + known.old.len() <= 2 * GENERATION);
        assert!(known.find("0").is_some());
        assert!(known.find("1").is_none());
    }
}
