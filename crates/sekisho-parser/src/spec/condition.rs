//! Conditions as data: `[[when]]`, and the `when` of an `[[exclude]]`.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::{Constant, Entries, FieldTable, Scalar};

/// One condition: a test of a field, or a combination of conditions.
#[derive(Debug, Default)]
pub(crate) struct ConditionSpec {
    pub(crate) field: Option<String>,
    pub(crate) tests: Vec<Test>,
    pub(crate) ignore_case: bool,
    pub(crate) all: Vec<ConditionSpec>,
    pub(crate) any: Vec<ConditionSpec>,
    pub(crate) none: Vec<ConditionSpec>,
}

/// What a field is compared with.
#[derive(Debug)]
pub(crate) enum Test {
    Exists(bool),
    Equals(Scalar),
    NotEquals(Scalar),
    In(Vec<Scalar>),
    NotIn(Vec<Scalar>),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Matches(String),
    GreaterThan(f64),
}

/// `[[when]]`: a condition and what it sets.
#[derive(Debug, Default)]
pub(crate) struct WhenSpec {
    pub(crate) at: usize,
    pub(crate) condition: ConditionSpec,
    pub(crate) set: Entries<SetSpec>,
    pub(crate) otherwise: Entries<SetSpec>,
    pub(crate) append: Entries<SetSpec>,
    pub(crate) transform: bool,
}

/// What `set` gives a field: a constant, or paths with steps.
#[derive(Debug)]
pub(crate) enum SetSpec {
    Constant(Constant),
    Table(Box<FieldTable>),
}

/// The keys of a `[[when]]`: first those of a condition, then what it does.
const WHEN_KEYS: [&str; 19] = [
    "field",
    "exists",
    "equals",
    "not_equals",
    "in",
    "not_in",
    "starts_with",
    "ends_with",
    "contains",
    "matches",
    "greater_than",
    "ignore_case",
    "all",
    "any",
    "none",
    "set",
    "otherwise",
    "append",
    "transform",
];

const CONDITION_KEYS: &[&str] = WHEN_KEYS.split_at(15).0;

impl ConditionSpec {
    /// Takes the value of one key, or tells that the key is none of a condition's.
    fn accept<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "field" => self.field = Some(map.next_value()?),
            "exists" => self.tests.push(Test::Exists(map.next_value()?)),
            "equals" => self.tests.push(Test::Equals(map.next_value()?)),
            "not_equals" => self.tests.push(Test::NotEquals(map.next_value()?)),
            "in" => self.tests.push(Test::In(map.next_value()?)),
            "not_in" => self.tests.push(Test::NotIn(map.next_value()?)),
            "starts_with" => self.tests.push(Test::StartsWith(map.next_value()?)),
            "ends_with" => self.tests.push(Test::EndsWith(map.next_value()?)),
            "contains" => self.tests.push(Test::Contains(map.next_value()?)),
            "matches" => self.tests.push(Test::Matches(map.next_value()?)),
            "greater_than" => self.tests.push(Test::GreaterThan(map.next_value()?)),
            "ignore_case" => self.ignore_case = map.next_value()?,
            "all" => self.all = map.next_value()?,
            "any" => self.any = map.next_value()?,
            "none" => self.none = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl<'de> Deserialize<'de> for ConditionSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ConditionVisitor)
    }
}

struct ConditionVisitor;

impl<'de> Visitor<'de> for ConditionVisitor {
    type Value = ConditionSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a condition such as { field = \"errorCode\", exists = true }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut condition = ConditionSpec::default();
        while let Some(key) = map.next_key::<String>()? {
            if !condition.accept(&key, &mut map)? {
                return Err(Error::unknown_field(&key, CONDITION_KEYS));
            }
        }
        Ok(condition)
    }
}

impl<'de> Deserialize<'de> for WhenSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WhenVisitor)
    }
}

struct WhenVisitor;

impl<'de> Visitor<'de> for WhenVisitor {
    type Value = WhenSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a condition with `set`, `otherwise`, `append` or `transform`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut when = WhenSpec {
            at: usize::MAX,
            ..WhenSpec::default()
        };
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            when.at = when.at.min(key.span().start);
            match key.get_ref().as_str() {
                "set" => when.set = map.next_value()?,
                "otherwise" => when.otherwise = map.next_value()?,
                "append" => when.append = map.next_value()?,
                "transform" => when.transform = map.next_value()?,
                other => {
                    if !when.condition.accept(other, &mut map)? {
                        return Err(Error::unknown_field(other, &WHEN_KEYS));
                    }
                }
            }
        }
        Ok(when)
    }
}

impl<'de> Deserialize<'de> for SetSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SetVisitor)
    }
}

struct SetVisitor;

impl<'de> Visitor<'de> for SetVisitor {
    type Value = SetSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a constant, a list of constants, or a table with `from`")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(SetSpec::Constant(Constant::One(Scalar::Bool(value))))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(SetSpec::Constant(Constant::One(Scalar::Integer(value))))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(SetSpec::Constant(Constant::One(Scalar::Float(value))))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(SetSpec::Constant(Constant::One(Scalar::Text(
            value.to_owned(),
        ))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(SetSpec::Constant(Constant::Many(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        FieldTable::deserialize(MapAccessDeserializer::new(map))
            .map(|table| SetSpec::Table(Box::new(table)))
    }
}
