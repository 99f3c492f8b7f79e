//! `transform.vrl`: what the map cannot say. The only place that knows VRL.
//!
//! In a script `.x` is the document under construction and `%x` the source record.
//! After compiling, VRL tells which paths a script reads and writes, so a record pays only for those.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use sekisho_document::FieldType;
use sekisho_document::json::{Kind, Raw, Scanner, unescape};
use vrl::compiler::runtime::Runtime;
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{
    CompileConfig, Program as VrlProgram, TargetValue, TimeZone, TypeState, compile_with_external,
};
use vrl::diagnostic::Formatter;
use vrl::path::{OwnedSegment, OwnedTargetPath, OwnedValuePath, PathPrefix};
use vrl::value::{KeyString, ObjectMap, Secrets, Value as VrlValue};

use crate::convert::convert;
use crate::draft::Draft;
use crate::origin::Origin;
use crate::program::Source;
use crate::time::write_time;
use crate::value::{Value, for_elements, for_members};

/// A compiled `transform.vrl`.
pub(crate) struct Script {
    program: VrlProgram,
    /// The document's fields that the script reads or writes.
    fields: Vec<(OwnedValuePath, usize)>,
    /// The record's values that the script reads.
    reads: Vec<(OwnedValuePath, Source)>,
    always: bool,
}

/// What a script reads and writes, as VRL reports it.
pub(crate) struct ScriptPaths {
    /// Dotted names of the document's fields.
    pub(crate) fields: Vec<String>,
    /// Paths below the record.
    pub(crate) reads: Vec<Vec<String>>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("fields", &self.fields)
            .field("reads", &self.reads)
            .finish_non_exhaustive()
    }
}

/// A script that VRL has accepted, before its paths are tied to fields and slots.
pub(crate) struct Compiled {
    program: VrlProgram,
    fields: Vec<OwnedValuePath>,
    reads: Vec<OwnedValuePath>,
}

/// Compiles a script; the error is VRL's own text, which shows the line.
pub(crate) fn compile(source: &str) -> Result<(Compiled, ScriptPaths), String> {
    let mut config = CompileConfig::default();
    config.set_read_only_path(OwnedTargetPath::metadata_root(), true);
    let functions = vrl::stdlib::all();
    let result = compile_with_external(source, &functions, &TypeState::default().external, config)
        .map_err(|diagnostics| Formatter::new(source, diagnostics).to_string())?;
    let info = result.program.info();
    let mut fields = Vec::new();
    let mut reads = Vec::new();
    for path in info.target_queries.iter().chain(&info.target_assignments) {
        let list = if path.prefix == PathPrefix::Event {
            &mut fields
        } else {
            &mut reads
        };
        if !list.contains(&path.path) {
            list.push(path.path.clone());
        }
    }
    if fields.iter().chain(&reads).any(OwnedValuePath::is_root) {
        return Err("the script uses the whole document (`.`) or the whole record (`%`); name the fields that it needs".to_owned());
    }
    let names = |path: &OwnedValuePath| path.segments.iter().map_while(name).collect::<Vec<_>>();
    let paths = ScriptPaths {
        fields: fields.iter().map(|path| names(path).join(".")).collect(),
        reads: reads.iter().map(names).collect(),
    };
    Ok((
        Compiled {
            program: result.program,
            fields,
            reads,
        },
        paths,
    ))
}

fn name(segment: &OwnedSegment) -> Option<String> {
    match segment {
        OwnedSegment::Field(name) => Some(name.to_string()),
        OwnedSegment::Index(_) => None,
    }
}

impl Compiled {
    /// Ties the script to the program's outputs and sources, in the order of [`ScriptPaths`].
    pub(crate) fn bind(self, outputs: Vec<usize>, sources: Vec<Source>, always: bool) -> Script {
        let keys_only = |path: OwnedValuePath| OwnedValuePath {
            segments: path
                .segments
                .into_iter()
                .take_while(OwnedSegment::is_field)
                .collect(),
        };
        Script {
            program: self.program,
            fields: self
                .fields
                .into_iter()
                .map(keys_only)
                .zip(outputs)
                .collect(),
            reads: self.reads.into_iter().map(keys_only).zip(sources).collect(),
            always,
        }
    }
}

impl Script {
    /// Tells whether the script runs for every record, not only where a rule asks for it.
    pub(crate) fn always(&self) -> bool {
        self.always
    }

    /// Runs the script over a draft; the error is its own text.
    pub(crate) fn run(&self, draft: &mut Draft<'_, '_>) -> Result<(), String> {
        let mut document = VrlValue::Object(ObjectMap::new());
        for (path, output) in &self.fields {
            if let Some(Some(value)) = draft.outputs.get(*output) {
                document.insert(path, to_vrl(value));
            }
        }
        let mut record = VrlValue::Object(ObjectMap::new());
        for (path, source) in &self.reads {
            if let Some(value) = draft.root(&source.root) {
                record.insert(path, to_vrl(&value));
            }
        }
        let mut target = TargetValue {
            value: document,
            metadata: record,
            secrets: Secrets::default(),
        };
        let mut runtime = Runtime::new(RuntimeState::default());
        runtime
            .resolve(&mut target, &self.program, &TimeZone::Named(chrono_tz::UTC))
            .map_err(|stop| stop.to_string())?;
        draft.origin = Origin::Script;
        for (path, output) in &self.fields {
            let value = target
                .value
                .get(path)
                .and_then(|value| from_vrl(value, *output, draft));
            if let Some(place) = draft.outputs.get_mut(*output)
                && *place != value
            {
                *place = value;
                draft.note(*output);
            }
        }
        Ok(())
    }
}

/// Builds VRL's tree for one value.
fn to_vrl(value: &Value<'_>) -> VrlValue {
    match value {
        Value::Text(text) => VrlValue::from(text.as_ref()),
        Value::Escaped(escaped) => VrlValue::from(unescape(escaped).as_ref()),
        Value::Number(text) => number(text),
        Value::Bool(value) => VrlValue::from(*value),
        Value::Object(text) => json(Raw {
            kind: Kind::Object,
            text,
        }),
        Value::Array(text) => json(Raw {
            kind: Kind::Array,
            text,
        }),
        Value::List(values) => VrlValue::Array(values.iter().map(to_vrl).collect()),
    }
}

fn number(text: &str) -> VrlValue {
    if let Ok(n) = text.parse::<i64>() {
        return VrlValue::from(n);
    }
    // VRL has no number beyond i64 but floats, which would lose digits: such a number stays text.
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() && text.len() <= 17 => VrlValue::from_f64_or_zero(n),
        _ => VrlValue::from(text),
    }
}

fn json(raw: Raw<'_>) -> VrlValue {
    match raw.kind {
        Kind::Object => {
            let mut map: BTreeMap<KeyString, VrlValue> = BTreeMap::new();
            for_members(raw.text, &mut |key, raw| {
                map.insert(unescape(key).as_ref().into(), json(raw));
            });
            VrlValue::Object(map)
        }
        Kind::Array => {
            let mut list = Vec::new();
            for_elements(raw.text, &mut |raw| list.push(json(raw)));
            VrlValue::Array(list)
        }
        Kind::String => VrlValue::from(unescape(raw.text).as_ref()),
        Kind::Number => number(raw.text),
        Kind::Bool => VrlValue::from(raw.text == "true"),
        Kind::Null => VrlValue::Null,
    }
}

/// Takes a field's value back; what is not valid for its type is dropped, as with every other mapping.
fn from_vrl<'a>(value: &VrlValue, output: usize, draft: &Draft<'_, 'a>) -> Option<Value<'a>> {
    let field = draft.program.outputs.get(output)?;
    let mut converted = Vec::new();
    if field.kind == FieldType::FlatObject {
        let text =
            matches!(value, VrlValue::Object(_)).then(|| serde_json::to_string(value).ok())??;
        return Scanner::new(&text, usize::MAX)
            .value()
            .is_ok()
            .then_some(Value::Object(Cow::Owned(text)));
    }
    let mut push = |scalar: &VrlValue| {
        let value =
            scalar_from_vrl(scalar).and_then(|value| convert(value, field.kind, draft.times));
        converted.extend(value);
    };
    match value {
        VrlValue::Array(values) => values.iter().for_each(&mut push),
        scalar => push(scalar),
    }
    match (
        field.array || matches!(value, VrlValue::Array(_)),
        converted.is_empty(),
    ) {
        (_, true) => None,
        (true, false) => Some(Value::List(converted)),
        (false, false) => converted.pop(),
    }
}

fn scalar_from_vrl(value: &VrlValue) -> Option<Value<'static>> {
    match value {
        VrlValue::Bytes(_) | VrlValue::String(_) => value
            .to_str_lossy()
            .map(std::borrow::Cow::into_owned)
            .filter(|text| !text.is_empty())
            .map(Value::owned),
        VrlValue::Integer(n) => Some(Value::Number(Cow::Owned(n.to_string()))),
        VrlValue::Float(n) => Some(Value::Number(Cow::Owned(n.to_string()))),
        VrlValue::Boolean(value) => Some(Value::Bool(*value)),
        VrlValue::Timestamp(time) => write_time(*time).map(Value::owned),
        VrlValue::Object(_) | VrlValue::Array(_) | VrlValue::Regex(_) | VrlValue::Null => None,
    }
}
