//! [`Ages`]: when the indices of a source go from one state to the next.

use std::collections::BTreeMap;

use crate::check::conflict;
use crate::error::ConfigError;
use crate::settings::LifecycleSettings;

/// 14 days in which queues may still deliver, and a week to repair what kept them from it.
const WRITABLE_DAYS: u16 = 21;

/// Days after the last day that an index covers; `None` for never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    /// When it is retired.
    pub read_only: Option<u16>,
    /// When it moves to UltraWarm.
    pub warm: Option<u16>,
    /// When it moves to cold storage.
    pub cold: Option<u16>,
    /// When it is deleted.
    pub delete: Option<u16>,
}

impl LifecycleSettings {
    /// Gives the ages of a source: by its dataset, else by its module, else the installation's.
    pub fn ages(&self, dataset: &str) -> Ages {
        let age = |of: &BTreeMap<String, u16>, default: u16| {
            let module = dataset.split('.').next().unwrap_or_default();
            let own = of.get(dataset).or_else(|| of.get(module)).copied();
            Some(own.unwrap_or(default)).filter(|days| *days > 0)
        };
        Ages {
            read_only: age(&self.read_only_days_of, self.read_only_days),
            warm: age(&self.warm_days_of, self.warm_days),
            cold: age(&self.cold_days_of, self.cold_days),
            delete: age(&self.delete_days_of, self.delete_days),
        }
    }

    /// Gives the datasets and modules that have ages of their own.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let all = [
            &self.read_only_days_of,
            &self.warm_days_of,
            &self.cold_days_of,
            &self.delete_days_of,
        ];
        all.into_iter().flat_map(|of| of.keys().map(String::as_str))
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for source in std::iter::once("").chain(self.named()) {
            let ages = self.ages(source);
            let of = match source {
                "" => String::new(),
                source => format!(" of `{source}`"),
            };
            check_writable("lifecycle.read_only_days", ages.read_only, &of)?;
            check_writable("lifecycle.delete_days", ages.delete, &of)?;
            ages.check_order(&of)?;
        }
        let ledger = Some(self.ledger_delete_days).filter(|days| *days > 0);
        check_writable("lifecycle.ledger_delete_days", ledger, "")
    }
}

impl Ages {
    fn check_order(self, of: &str) -> Result<(), ConfigError> {
        let needed = [
            (
                "lifecycle.warm_days",
                self.warm,
                "read_only_days",
                self.read_only,
            ),
            ("lifecycle.cold_days", self.cold, "warm_days", self.warm),
        ];
        for (name, days, earlier, first) in needed {
            if days.is_some() && first.is_none() {
                return Err(conflict(
                    name,
                    format!("an index{of} goes there only after `{earlier}`, which is 0; set it"),
                ));
            }
        }
        let order = [
            ("lifecycle.warm_days", self.read_only, self.warm),
            ("lifecycle.cold_days", self.warm, self.cold),
            ("lifecycle.delete_days", self.read_only, self.delete),
            ("lifecycle.delete_days", self.warm, self.delete),
            ("lifecycle.delete_days", self.cold, self.delete),
        ];
        for (name, earlier, later) in order {
            if let (Some(earlier), Some(later)) = (earlier, later)
                && later <= earlier
            {
                return Err(conflict(
                    name,
                    format!(
                        "{later} days{of} do not come after the state before, which starts at {earlier}; make it more than {earlier}"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// An index that closes earlier would refuse what the queues still hold.
fn check_writable(name: &'static str, days: Option<u16>, of: &str) -> Result<(), ConfigError> {
    match days {
        Some(days) if days < WRITABLE_DAYS => Err(conflict(
            name,
            format!(
                "an index{of} must stay writable for {WRITABLE_DAYS} days after its last day (14 in which queues deliver and a week), not {days}; make it {WRITABLE_DAYS} or more, or 0 for never"
            ),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut LifecycleSettings), words: &[&str]) {
        let mut settings = LifecycleSettings::default();
        change(&mut settings);
        let text = settings.check().unwrap_err().to_string();
        for word in words {
            assert!(text.contains(word), "no `{word}` in `{text}`");
        }
    }

    fn of(source: &str, days: u16) -> BTreeMap<String, u16> {
        BTreeMap::from([(source.to_owned(), days)])
    }

    #[test]
    fn a_source_has_its_own_ages_or_those_of_its_module() {
        let settings = LifecycleSettings {
            delete_days_of: BTreeMap::from([("aws".into(), 400), ("aws.waf".into(), 0)]),
            ..LifecycleSettings::default()
        };
        settings.check().unwrap();
        assert_eq!(settings.ages("aws.vpcflow").delete, Some(400));
        assert_eq!(settings.ages("aws.waf").delete, None);
        assert_eq!(settings.ages("linux.secure").delete, Some(365));
        assert_eq!(settings.ages("linux.secure").warm, None);
    }

    #[test]
    fn an_index_stays_writable_while_queues_may_deliver() {
        refused(
            |s| s.read_only_days = 20,
            &["lifecycle.read_only_days", "21 or more"],
        );
        refused(
            |s| s.read_only_days_of = of("aws.waf", 7),
            &["lifecycle.read_only_days", "`aws.waf`"],
        );
        refused(|s| s.delete_days = 1, &["lifecycle.delete_days"]);
        refused(
            |s| s.ledger_delete_days = 5,
            &["lifecycle.ledger_delete_days"],
        );
    }

    #[test]
    fn the_states_follow_each_other() {
        refused(
            |s| s.warm_days = 30,
            &["lifecycle.warm_days", "more than 30"],
        );
        refused(
            |s| s.cold_days = 90,
            &["lifecycle.cold_days", "`warm_days`"],
        );
        refused(
            |s| s.delete_days_of = of("aws", 25),
            &["lifecycle.delete_days", "`aws`"],
        );
        let settings = LifecycleSettings {
            warm_days: 90,
            cold_days: 180,
            ..LifecycleSettings::default()
        };
        settings.check().unwrap();
    }
}
