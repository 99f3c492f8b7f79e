//! Reload over fakes: what a fixed parser replaces, what stays, and that whatever stops it, the next one heals.

mod rules;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use sekisho_event::ObjectRef;
use sekisho_ledger::FindingKind;
use sekisho_parser::Catalog;
use sekisho_tests::fake::{Rule, Symptom};

use rules::{Rules, lines};
use world::{Blow, World};

const DAY: &str = "log-test-app-2026.11.23";
const DAY_BEFORE: &str = "log-test-app-2026.11.22";
const NEW_DAY: &str = "log-test-app-2026.11.20";

type Places = BTreeSet<(String, String)>;

/// Where the documents are where nobody ever parsed them otherwise.
fn fresh(catalog: &Arc<Catalog>, objects: &[(&str, &str)]) -> Places {
    let world = World::new();
    let objects: Vec<_> = objects
        .iter()
        .map(|(key, text)| world.put(key, text))
        .collect();
    world.ingest(catalog, &objects);
    world.places()
}

/// A world in which one object was ingested.
fn ingested(rules: Rules<'_>, text: &str) -> (World, ObjectRef) {
    ingested_by(&rules.catalog(), text)
}

fn ingested_by(catalog: &Arc<Catalog>, text: &str) -> (World, ObjectRef) {
    let world = World::new();
    let object = world.put("app/a", text);
    world.ingest(catalog, std::slice::from_ref(&object));
    (world, object)
}

#[test]
fn a_fixed_parser_leaves_nothing_raw_and_nothing_twice() {
    let text = lines(30, "2026-11-20");
    for (fixed, with_audit) in [(Rules::FIXED, true), (Rules::BY_CONTENT, true)] {
        let (world, object) = ingested(Rules::BROKEN, &text);
        let objects = [object.clone()];
        assert_eq!((world.n_raw(), world.in_index(DAY)), (30, 30));
        assert_eq!(world.audit(&objects), [FindingKind::Raw]);
        let catalog = fixed.catalog();
        let one = world.reload(&catalog, &object);
        assert!(one.clean(), "{one:?}");
        assert_eq!(one.deleted, 30);
        assert_eq!(one.report.books.indexed, 30);
        assert_eq!(world.places(), fresh(&catalog, &[("app/a", &text)]));
        assert_eq!((world.n_raw(), world.in_index(NEW_DAY)), (0, 30));
        assert_eq!(world.audit(&objects).is_empty(), with_audit);
        // Once more changes nothing.
        let again = world.reload(&catalog, &object);
        assert!(again.clean() && again.deleted == 0, "{again:?}");
        assert_eq!(world.places().len(), 30);
    }
}

/// An object that was ingested, and what a reload must make of it.
struct Scene {
    before: Rules<'static>,
    after: Rules<'static>,
    /// The object's first bytes, where it was put again with more behind them.
    first: Option<u32>,
    minutes_behind: i64,
}

impl Scene {
    fn new(before: Rules<'static>, after: Rules<'static>) -> Self {
        Self {
            before,
            after,
            first: None,
            minutes_behind: 0,
        }
    }

    /// Strikes every call of the reload once, each in a world of its own.
    fn strike_each(&self, blow: Blow) {
        let text = lines(14, "2026-11-20");
        let (of_before, catalog) = (self.before.catalog(), self.after.catalog());
        let expected = fresh(&catalog, &[("app/a", &text)]);
        for n in 1.. {
            let world = World::new();
            if let Some(first) = self.first {
                let object = world.put("app/a", &lines(first, "2026-11-20"));
                world.ingest(&of_before, &[object]);
            }
            let object = world.put("app/a", &text);
            let objects = [object.clone()];
            world.ingest(&of_before, &objects);
            let offsets = world.offsets();
            assert_eq!(offsets.len(), 14);
            world.skew(-self.minutes_behind);
            let struck = world.reload_with(&catalog, &objects, Some((n, blow)));
            if world.strike.n_calls() < n {
                assert!(n > 12, "{n} calls");
                break;
            }
            let context = || format!("{blow:?} at call {n}: {struck:?}");
            assert_eq!(world.offsets(), offsets, "{}", context());
            let is_finished = match &struck {
                Some(Ok(ended)) => ended.iter().all(|one| one.clean()),
                Some(Err(_)) | None => false,
            };
            if is_finished {
                assert_eq!(world.places(), expected, "{}", context());
            }
            if world.places() != expected && world.n_raw() > 0 {
                // `--outcome raw` must still choose it.
                let found = world.audit(&objects);
                assert!(found.contains(&FindingKind::Raw), "{}", context());
            }
            let one = world.reload(&catalog, &object);
            assert!(one.clean(), "{}, then {one:?}", context());
            assert_eq!(world.places(), expected, "{}", context());
            assert_eq!(world.audit(&objects), [], "{}", context());
        }
    }
}

#[test]
fn what_stops_a_reload_of_raw_records_is_healed_by_the_next() {
    for blow in Blow::ALL {
        Scene::new(Rules::BROKEN, Rules::FIXED).strike_each(blow);
    }
}

#[test]
fn what_stops_a_reload_that_changes_identities_is_healed_by_the_next() {
    for blow in Blow::ALL {
        Scene::new(Rules::BROKEN, Rules::BY_CONTENT).strike_each(blow);
    }
}

#[test]
fn a_clock_that_is_behind_does_no_harm() {
    for blow in [
        Blow::Outage,
        Blow::Crash(sekisho_tests::fake::Moment::After),
    ] {
        let scene = Scene {
            minutes_behind: 90,
            ..Scene::new(Rules::OLD, Rules::BY_CONTENT)
        };
        scene.strike_each(blow);
    }
}

#[test]
fn what_an_earlier_put_of_the_same_records_left_is_replaced() {
    for blow in Blow::ALL {
        let scene = Scene {
            first: Some(9),
            ..Scene::new(Rules::BROKEN, Rules::FIXED)
        };
        scene.strike_each(blow);
    }
    // A sweep does not find those, so a copy that cannot be deleted must fail the object.
    let catalog = Rules::BROKEN.catalog();
    let (world, _) = ingested_by(&catalog, &lines(4, "2026-11-20"));
    let object = world.put("app/a", &lines(5, "2026-11-20"));
    let objects = [object];
    world.ingest(&catalog, &objects);
    world.cluster.block(DAY, true);
    let ended = world.reload_with(&Rules::FIXED.catalog(), &objects, None);
    let one = ended.unwrap().unwrap().pop().unwrap();
    let error = one.report.error.unwrap().to_string();
    assert!(error.contains("cannot delete the old document"), "{error}");
}

#[test]
fn documents_of_other_bytes_stay() {
    let before = lines(4, "2026-11-20");
    let (world, _) = ingested(Rules::OLD, &before);
    let other = lines(6, "2026-11-21").replace("\"i", "\"j");
    let object = world.put("app/a", &other);
    world.ingest(&Rules::OLD.catalog(), std::slice::from_ref(&object));
    let kept = fresh(&Rules::OLD.catalog(), &[("app/a", &before)]);
    assert_eq!(world.places().len(), 10);
    let catalog = Rules::BY_CONTENT.catalog();
    let one = world.reload(&catalog, &object);
    assert!(one.clean() && one.deleted == 6, "{one:?}");
    let mut expected = fresh(&catalog, &[("app/a", &other)]);
    expected.extend(kept);
    assert_eq!(world.places(), expected);
}

#[test]
fn a_fact_of_two_objects_stays_one_document() {
    let text = lines(4, "2026-11-20");
    let world = World::new();
    let objects = [world.put("app/a", &text), world.put("app/b", &text)];
    world.ingest(&Rules::OLD.catalog(), &objects);
    assert_eq!(world.places().len(), 8);
    let catalog = Rules::BY_CONTENT.catalog();
    for together in [true, false] {
        let ended = if together {
            let ended = world.reload_with(&catalog, &objects, None);
            ended.unwrap().unwrap()
        } else {
            objects
                .iter()
                .map(|object| world.reload(&catalog, object))
                .collect()
        };
        assert!(ended.iter().all(|one| one.clean()), "{ended:?}");
        let expected = fresh(&catalog, &[("app/a", &text), ("app/b", &text)]);
        assert_eq!((world.places(), expected.len()), (expected, 4));
    }
}

#[test]
fn what_lies_in_a_retired_index_stays_and_is_named() {
    let text = lines(12, "2026-11-20");
    for closed in [false, true] {
        for fixed in [Rules::FIXED, Rules::BY_CONTENT] {
            // Half of them lie in each index.
            let (world, object) = ingested(Rules::OLD, &text);
            world.cluster.retire(DAY_BEFORE, closed);
            let one = world.reload(&fixed.catalog(), &object);
            assert!(!one.clean());
            assert_eq!((one.left.count, one.stayed), (6, 0), "{one:?}");
            let reason = &one.left.first[0].reason;
            assert!(reason.contains(DAY_BEFORE), "{reason}");
            assert_eq!(reason.contains("open that"), closed, "{reason}");
            let found = (
                world.in_index(DAY_BEFORE),
                world.in_index(DAY),
                world.in_index(NEW_DAY),
            );
            assert_eq!(found, (6, 0, 6), "closed {closed}");
            let again = world.reload(&fixed.catalog(), &object);
            assert_eq!((again.left.count, world.places().len()), (6, 12));
            // They may be raw, for all that anybody knows.
            let found = world.audit(std::slice::from_ref(&object));
            assert_eq!(found.contains(&FindingKind::Raw), closed);
            if closed {
                world.cluster.block(DAY_BEFORE, false);
                world.cluster.unmark(DAY_BEFORE);
                let healed = world.reload(&fixed.catalog(), &object);
                assert!(healed.clean(), "{healed:?}");
                assert_eq!((world.in_index(NEW_DAY), world.places().len()), (12, 12));
                assert_eq!(world.audit(&[object]), []);
            }
        }
    }
}

#[test]
fn raw_records_of_a_retired_index_are_still_known_to_be_raw() {
    let text = lines(6, "2026-11-20");
    let (world, object) = ingested(Rules::BROKEN, &text);
    world.cluster.retire(DAY, false);
    let one = world.reload(&Rules::FIXED.catalog(), &object);
    assert_eq!((one.left.count, one.left.hidden, world.n_raw()), (6, 0, 6));
    assert_eq!(world.audit(&[object]), [FindingKind::Raw]);
}

#[test]
fn a_chain_of_slices_becomes_one() {
    let text = lines(6, "2026-11-20");
    let (world, object) = ingested(Rules::BROKEN, &text);
    world.cut_the_ledger_at(&object, 100);
    let objects = [object.clone()];
    assert_eq!(
        world.audit(&objects),
        [FindingKind::Gapped, FindingKind::Raw]
    );
    let one = world.reload(&Rules::FIXED.catalog(), &object);
    assert!(one.clean(), "{one:?}");
    assert_eq!(world.audit(&objects), []);
}

#[test]
fn what_belongs_into_a_retired_index_goes_beside_it() {
    let text = lines(6, "2026-11-20");
    let (world, object) = ingested(Rules::BROKEN, &text);
    world.cluster.retire(NEW_DAY, false);
    let one = world.reload(&Rules::FIXED.catalog(), &object);
    assert!(one.clean(), "{one:?}");
    let late = format!("{NEW_DAY}-late");
    assert_eq!((world.in_index(&late), world.places().len()), (6, 6));
    let again = world.reload(&Rules::FIXED.catalog(), &object);
    assert!(again.clean() && world.places().len() == 6, "{again:?}");
}

#[test]
fn what_belongs_into_a_closed_index_is_left_as_it_is() {
    let text = lines(6, "2026-11-20");
    for fixed in [Rules::FIXED, Rules::BY_CONTENT] {
        let (world, object) = ingested(Rules::BROKEN, &text);
        let before = world.logs();
        world.cluster.retire(NEW_DAY, true);
        let one = world.reload(&fixed.catalog(), &object);
        assert_eq!((one.left.count, one.stayed, one.deleted), (6, 6, 0));
        assert_eq!(world.logs(), before);
    }
}

#[test]
fn an_index_retired_in_between_costs_no_record_and_doubles_none() {
    let text = lines(6, "2026-11-20");
    let (world, object) = ingested(Rules::OLD, &text);
    let catalog = Rules::FIXED.catalog();
    // The copies cannot be deleted: an operator's block, or a lifecycle that was quicker.
    world.cluster.block(DAY, true);
    let objects = [object.clone()];
    let ended = world.reload_with(&catalog, &objects, None);
    let one = ended.unwrap().unwrap().pop().unwrap();
    assert!(one.failed(), "{one:?}");
    assert!(world.places().len() > 6);
    world.cluster.retire(DAY, false);
    let one = world.reload(&catalog, &object);
    assert_eq!(one.left.count, 3, "{one:?}");
    assert_eq!((world.in_index(DAY), world.places().len()), (3, 6));
}

#[test]
fn what_is_excluded_now_goes_and_what_is_quarantined_now_stays() {
    let text = lines(6, "2026-11-20");
    let excluding = Rules {
        excluded: Some(3),
        ..Rules::BY_CONTENT
    };
    let (world, object) = ingested(Rules::OLD, &text);
    let one = world.reload(&excluding.catalog(), &object);
    assert!(one.clean(), "{one:?}");
    assert_eq!(one.report.books.excluded, 1);
    assert_eq!(world.places().len(), 5);

    let (world, object) = ingested(Rules::OLD, &text);
    let before = world.offsets();
    world.cluster.set_rules(vec![Rule {
        index: NEW_DAY.into(),
        field: "*".into(),
        symptom: Symptom::Holds("i3".into()),
        named: false,
    }]);
    let one = world.reload(&Rules::BY_CONTENT.catalog(), &object);
    let books = one.report.books;
    assert_eq!((books.quarantined + books.raw, one.clean()), (1, false));
    assert_eq!(world.offsets(), before);
    assert_eq!(world.places().len(), 6);
}

#[test]
fn an_object_that_is_gone_keeps_its_documents() {
    let text = lines(3, "2026-11-20");
    let (world, object) = ingested(Rules::BROKEN, &text);
    let before = world.logs();
    world.store.remove("logs", "app/a");
    let objects = [object.clone()];
    let ended = world.reload_with(&Rules::FIXED.catalog(), &objects, None);
    let one = ended.unwrap().unwrap().pop().unwrap();
    assert!(one.failed() && one.report.error.is_some(), "{one:?}");
    assert_eq!(world.logs(), before);
    assert_eq!(world.audit(&objects), [FindingKind::Raw]);
}
