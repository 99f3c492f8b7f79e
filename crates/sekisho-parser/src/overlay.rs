//! Parsers that are published beside the built-in ones: they take the place of their dataset, or hold its keys where they cannot be used.

use std::sync::Arc;

use crate::catalog::check_ties;
use crate::pattern::{Pattern, Rank};
use crate::{Catalog, Parser, ParserError};

/// What this engine makes of a parser folder; raised whenever a folder may say something that older engines read otherwise or not at all.
pub const ENGINE: u32 = 1;

/// The keys that a published parser claims.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claim {
    /// Its dataset.
    pub dataset: String,
    /// The patterns of its keys.
    pub keys: Vec<String>,
    /// The patterns of keys that it leaves alone.
    pub exclude: Vec<String>,
}

impl From<&Parser> for Claim {
    fn from(parser: &Parser) -> Self {
        Self {
            dataset: parser.dataset().to_owned(),
            keys: parser.keys().map(str::to_owned).collect(),
            exclude: parser.excludes().map(str::to_owned).collect(),
        }
    }
}

/// A published parser that cannot be used: no record of its keys is read by another one.
#[derive(Debug)]
pub struct Held {
    dataset: String,
    keys: Vec<Pattern>,
    exclude: Vec<Pattern>,
    reason: String,
}

impl Held {
    /// Gives the dataset.
    pub fn dataset(&self) -> &str {
        &self.dataset
    }

    /// Gives why, with the remedy.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Says why an object of that key is not read.
    pub fn error(&self, key: &str) -> ParserError {
        ParserError::Held {
            key: key.to_owned(),
            dataset: self.dataset.clone(),
            reason: self.reason.clone(),
        }
    }

    fn rank(&self, key: &str) -> Option<Rank> {
        if self.exclude.iter().any(|pattern| pattern.matches(key)) {
            return None;
        }
        let matching = self.keys.iter().filter(|pattern| pattern.matches(key));
        matching.map(|pattern| pattern.rank).max()
    }
}

impl Catalog {
    /// Puts a published parser in the place of its dataset.
    ///
    /// # Errors
    /// When it does not compile, or claims the same keys as another; this catalog is as before.
    pub fn publish(&self, parser: Arc<Parser>) -> Result<Self, ParserError> {
        parser.mapping(self.settings())?;
        let mut catalog = self.without(parser.dataset());
        catalog.parsers.push(parser);
        // By dataset, like the built-in ones, so that lists have one order.
        catalog.parsers.sort_by(|a, b| a.dataset().cmp(b.dataset()));
        check_ties(&catalog.parsers)?;
        Ok(catalog)
    }

    /// Lets nobody read the keys of a published parser that cannot be used.
    ///
    /// A pattern that is none matches nothing: its bundle could not have been published.
    #[must_use]
    pub fn hold(&self, claim: &Claim, reason: String) -> Self {
        let patterns = |texts: &[String]| {
            let read = texts.iter().map(|text| Pattern::parse(text));
            read.filter_map(Result::ok).collect()
        };
        let mut catalog = self.without(&claim.dataset);
        catalog.held.push(Arc::new(Held {
            dataset: claim.dataset.clone(),
            keys: patterns(&claim.keys),
            exclude: patterns(&claim.exclude),
            reason,
        }));
        catalog
    }

    /// Notes an index that parsers of former versions have written to.
    pub fn note_index(&mut self, index: &str) {
        if !self.indices().any(|known| known == index) {
            self.former_indices.push(index.to_owned());
        }
    }

    /// Gives the names of all indices, without prefix and day, former ones included.
    pub fn indices(&self) -> impl Iterator<Item = &str> {
        let now = self.parsers.iter().map(|parser| parser.index());
        now.chain(self.former_indices.iter().map(String::as_str))
    }

    /// Finds who holds a key at least as specifically as the best parser.
    pub(crate) fn held(&self, key: &str, best: Option<Rank>) -> Option<&Held> {
        let ranked = self
            .held
            .iter()
            .filter_map(|held| Some((held.rank(key)?, held)));
        let (rank, held) = ranked.max_by_key(|(rank, _)| *rank)?;
        best.is_none_or(|best| best <= rank).then_some(&**held)
    }

    fn without(&self, dataset: &str) -> Self {
        let mut catalog = self.clone();
        let replaced = catalog
            .parsers
            .iter()
            .find(|parser| parser.dataset() == dataset)
            .map(|parser| parser.index().to_owned());
        catalog.parsers.retain(|parser| parser.dataset() != dataset);
        catalog.held.retain(|held| held.dataset != dataset);
        if let Some(index) = replaced {
            catalog.note_index(&index);
        }
        catalog
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParserFiles, ParserSettings, Route};

    fn parser(dataset: &str, key: &str, index: &str) -> Arc<Parser> {
        let spec = format!(
            "[source]\ndataset = \"{dataset}\"\ntitle = \"x\"\nreference = \"https://example.com\"\nindex = \"{index}\"\n[match]\nkeys = [\"{key}\"]\n[record]\nformat = \"lines\"\n"
        );
        let files = ParserFiles {
            folder: dataset.replace('.', "/"),
            spec,
            ..ParserFiles::default()
        };
        Arc::new(Parser::read(files).unwrap().with_revision("abc".to_owned()))
    }

    fn empty() -> Catalog {
        Catalog::from_files(Vec::new(), ParserSettings::default()).unwrap()
    }

    fn route(catalog: &Catalog, key: &str) -> String {
        match catalog.route(key) {
            Route::Parser(choice, _) => choice.parser.dataset().to_owned(),
            Route::Held(held) => format!("held {}", held.dataset()),
            Route::Excluded { .. } => "excluded".to_owned(),
            Route::Unclaimed => "unclaimed".to_owned(),
        }
    }

    #[test]
    fn a_published_parser_takes_the_place_of_its_dataset_and_ties_with_no_other() {
        let catalog = empty()
            .publish(parser("acme.door", "door/**", "log-acme-door"))
            .unwrap();
        let catalog = catalog
            .publish(parser("acme.door", "gate/**", "log-acme-gate"))
            .unwrap();
        assert_eq!(route(&catalog, "door/a"), "unclaimed");
        assert_eq!(route(&catalog, "gate/a"), "acme.door");
        let indices: Vec<_> = catalog.indices().collect();
        assert_eq!(indices, ["log-acme-gate", "log-acme-door"]);
        let tie = catalog.publish(parser("acme.yard", "gate/**", "log-acme-yard"));
        assert!(matches!(tie, Err(ParserError::Tie { .. })));
    }

    #[test]
    fn what_is_held_is_read_by_nobody_else_and_nothing_else_is_held() {
        let catalog = empty()
            .publish(parser("acme.all", "**/x/**", "log-acme-all"))
            .unwrap()
            .publish(parser("acme.door", "door/**", "log-acme-door"))
            .unwrap();
        let claim = Claim {
            dataset: "acme.door".to_owned(),
            keys: vec!["door/**".to_owned()],
            exclude: vec!["door/old/**".to_owned()],
        };
        let catalog = catalog.hold(&claim, "no engine".to_owned());
        assert_eq!(route(&catalog, "door/a"), "held acme.door");
        assert_eq!(route(&catalog, "door/x/a"), "held acme.door");
        assert_eq!(route(&catalog, "door/old/a"), "unclaimed");
        assert_eq!(route(&catalog, "a/x/b"), "acme.all");
        let healed = catalog
            .publish(parser("acme.door", "door/**", "log-acme-door"))
            .unwrap();
        assert_eq!(route(&healed, "door/a"), "acme.door");
    }
}
