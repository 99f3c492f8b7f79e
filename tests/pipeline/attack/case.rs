//! [`Case`]: everything that chance decides before a run; proptest draws it, shrinks it and prints it.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) objects: Vec<ObjectSpec>,
    pub(crate) weather: Weather,
    pub(crate) limits: Limits,
    /// How many things happen before the faults stop.
    pub(crate) steps: u16,
    pub(crate) versioned: bool,
    /// Other bodies in the queue than notifications of objects.
    pub(crate) oddities: Vec<Oddity>,
}

/// How often calls go wrong, in thousandths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) seed: u64,
    pub(crate) crash: u64,
    pub(crate) fail: u64,
    pub(crate) delay: u64,
    pub(crate) twice: u64,
    /// How often a bulk request takes seconds, so that invocations end before their objects do.
    pub(crate) slow: u64,
}

/// Small settings, so that small objects meet every bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) batch: usize,
    pub(crate) max_receive_count: u32,
    pub(crate) objects_in_flight: usize,
    pub(crate) chunk_bytes: usize,
    pub(crate) max_bulk_bytes: usize,
    pub(crate) bulks_in_flight: usize,
    pub(crate) split_bytes: u64,
    /// How long an invocation may take, in seconds.
    pub(crate) seconds: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct ObjectSpec {
    pub(crate) source: Source,
    /// Whether the key carries a date.
    pub(crate) dated: bool,
    pub(crate) records: Vec<RecordSpec>,
    pub(crate) packing: Packing,
    pub(crate) ends_with_newline: bool,
    /// How often it is announced.
    pub(crate) announced: u8,
    pub(crate) wrapper: Wrapper,
    /// What happens to it after it is put.
    pub(crate) later: Later,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// NDJSON, identity by position.
    App,
    /// NDJSON, identity by content.
    Unique,
    /// `{"Records":[…]}`, identity by content.
    Envelope,
    /// Columns under a header line.
    Columns,
    /// Nobody claims it.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    /// Two gzip members, cut in the middle of a record.
    Members,
    /// Bytes that are no gzip member follow.
    Garbage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapper {
    Bare,
    Sns,
    EventBridge,
    /// Together with the next object's, in one message.
    Shared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Later {
    Nothing,
    /// Put again with the same bytes and more behind them.
    Longer,
    /// Put again with other bytes.
    Other,
    /// Put again as it is.
    Same,
    Removed,
}

#[derive(Debug, Clone)]
pub(crate) struct RecordSpec {
    pub(crate) kind: Kind,
    /// How many bytes of text it carries.
    pub(crate) text: usize,
    pub(crate) day: Day,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Good,
    /// The same bytes as the record before it.
    Again,
    /// The same bytes in whatever object, by number.
    Shared(u8),
    /// A line that is left out.
    Blank,
    /// Left out by a rule of its parser.
    Excluded,
    /// Cannot be read as JSON; in an envelope and in columns it lacks a field.
    Broken,
    /// Lacks a field that its parser requires.
    Shapeless,
    /// The index refuses a field of its namespace, and names it.
    Repairable,
    /// The index refuses an ECS field, and names it.
    RepairableEcs,
    /// The index refuses two fields, one after the other.
    RepairableTwice,
    /// The index refuses it without naming a field.
    RawOnly,
    /// The index is strict and does not know a field.
    Strict,
    /// The index refuses its text wherever it stands.
    Hopeless,
    /// Longer than records may be.
    TooLong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    Today,
    Yesterday,
    /// Its index is retired at some time and stays readable.
    ReadOnly,
    /// Its index is closed at some time.
    Closed,
    /// No time, or one far outside the window: the object's day.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oddity {
    TestEvent,
    Deletion,
    Folder,
    NoJson,
    /// An object that never was.
    Nowhere,
}

/// Draws a case.
pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let oddity = prop_oneof![
        Just(Oddity::TestEvent),
        Just(Oddity::Deletion),
        Just(Oddity::Folder),
        Just(Oddity::NoJson),
        Just(Oddity::Nowhere),
    ];
    (
        vec(object(), 1..7),
        weather(),
        limits(),
        3_u16..60,
        any::<bool>(),
        vec(oddity, 0..3),
    )
        .prop_map(
            |(objects, weather, limits, steps, versioned, oddities)| Case {
                objects,
                weather,
                limits,
                steps,
                versioned,
                oddities,
            },
        )
}

fn weather() -> impl Strategy<Value = Weather> {
    let crash = prop_oneof![1 => Just(0), 2 => 2_u64..60];
    let fail = prop_oneof![Just(0), 10_u64..100, 100_u64..300];
    let delay = prop_oneof![Just(0), 10_u64..200, 200_u64..500];
    let twice = prop_oneof![Just(0), 50_u64..300];
    let slow = prop_oneof![Just(0), 300_u64..900];
    (any::<u64>(), crash, fail, delay, twice, slow).prop_map(
        |(seed, crash, fail, delay, twice, slow)| Weather {
            seed,
            crash,
            fail,
            delay,
            twice,
            slow,
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    (
        1_usize..12,
        2_u32..6,
        1_usize..5,
        prop_oneof![Just(64_usize), 200_usize..2000],
        400_usize..8000,
        1_usize..4,
        prop_oneof![1 => Just(0_u64), 1 => 150_u64..1500],
        prop_oneof![2 => 6_u64..20, 1 => 20_u64..300],
    )
        .prop_map(
            |(
                batch,
                max_receive_count,
                objects_in_flight,
                chunk_bytes,
                max_bulk_bytes,
                bulks_in_flight,
                split_bytes,
                seconds,
            )| Limits {
                batch,
                max_receive_count,
                objects_in_flight,
                chunk_bytes,
                max_bulk_bytes,
                bulks_in_flight,
                split_bytes,
                seconds,
            },
        )
}

fn object() -> impl Strategy<Value = ObjectSpec> {
    let source = prop_oneof![
        4 => Just(Source::App),
        3 => Just(Source::Unique),
        2 => Just(Source::Envelope),
        2 => Just(Source::Columns),
        1 => Just(Source::Unknown),
    ];
    let packing = prop_oneof![
        4 => Just(Packing::Plain),
        3 => Just(Packing::Gzip),
        1 => Just(Packing::Members),
        1 => Just(Packing::Garbage),
    ];
    let wrapper = prop_oneof![
        3 => Just(Wrapper::Bare),
        1 => Just(Wrapper::Sns),
        1 => Just(Wrapper::EventBridge),
        2 => Just(Wrapper::Shared),
    ];
    let later = prop_oneof![
        8 => Just(Later::Nothing),
        1 => Just(Later::Longer),
        1 => Just(Later::Other),
        1 => Just(Later::Same),
        1 => Just(Later::Removed),
    ];
    let records = prop_oneof![4 => vec(record(), 0..12), 1 => vec(record(), 12..50)];
    let announced = prop_oneof![4 => Just(1_u8), 1 => 2_u8..4];
    (
        source,
        any::<bool>(),
        records,
        packing,
        weighted(0.9, Just(())),
        announced,
        wrapper,
        later,
    )
        .prop_map(
            |(source, dated, records, packing, newline, announced, wrapper, later)| ObjectSpec {
                source,
                dated,
                records,
                packing,
                ends_with_newline: newline.is_some(),
                announced,
                wrapper,
                later,
            },
        )
}

fn record() -> impl Strategy<Value = RecordSpec> {
    let kind = prop_oneof![
        20 => Just(Kind::Good),
        3 => Just(Kind::Again),
        3 => (0_u8..4).prop_map(Kind::Shared),
        1 => Just(Kind::Blank),
        1 => Just(Kind::Excluded),
        1 => Just(Kind::Broken),
        1 => Just(Kind::Shapeless),
        2 => Just(Kind::Repairable),
        1 => Just(Kind::RepairableEcs),
        1 => Just(Kind::RepairableTwice),
        1 => Just(Kind::RawOnly),
        1 => Just(Kind::Strict),
        1 => Just(Kind::Hopeless),
        1 => Just(Kind::TooLong),
    ];
    let day = prop_oneof![
        6 => Just(Day::Today),
        2 => Just(Day::Yesterday),
        2 => Just(Day::ReadOnly),
        1 => Just(Day::Closed),
        1 => Just(Day::None),
    ];
    let text = prop_oneof![3 => 0_usize..60, 1 => 60_usize..600];
    (kind, text, day).prop_map(|(kind, text, day)| RecordSpec { kind, text, day })
}
