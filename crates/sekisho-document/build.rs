//! Turns `config/ecs-9.4-fields.json` into a sorted static table, so that looking a field up costs a binary search and no start-up time.

use std::fmt::Write as _;
use std::{env, error::Error, fs, path::Path};

use serde_json::{Map, Value};

const LIST: &str = "../../config/ecs-9.4-fields.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={LIST}");
    println!("cargo:rerun-if-changed=build.rs");
    let fields: Map<String, Value> = serde_json::from_str(&fs::read_to_string(LIST)?)?;
    let mut code = String::from("pub(crate) static FIELDS: &[EcsField] = &[\n");
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by_key(|(name, _)| name.as_str());
    for (name, field) in sorted {
        let kind = variant(
            field
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        )?;
        let array = field.get("array").and_then(Value::as_bool).unwrap_or(false);
        let allowed = field.get("allowed_values").cloned().unwrap_or_default();
        let allowed = strings(&allowed);
        writeln!(
            code,
            "EcsField {{ name: {name:?}, kind: FieldType::{kind}, array: {array}, allowed: &{allowed:?} }},"
        )?;
    }
    code.push_str("];\n\npub(crate) static EXPECTED_TYPES: &[(&str, &[&str])] = &[\n");
    let expected = fields
        .get("event.category")
        .and_then(|field| field.get("expected_event_types"));
    if let Some(Value::Object(expected)) = expected {
        for (category, types) in expected {
            writeln!(code, "({category:?}, &{:?}),", strings(types))?;
        }
    }
    code.push_str("];\n");
    let out = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&out).join("ecs_fields.rs"), code)?;
    Ok(())
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn variant(ecs: &str) -> Result<&'static str, String> {
    Ok(match ecs {
        "keyword" | "constant_keyword" => "Keyword",
        "wildcard" => "Wildcard",
        "match_only_text" => "Text",
        "long" | "integer" => "Long",
        "float" | "double" | "scaled_float" => "Double",
        "boolean" => "Boolean",
        "ip" => "Ip",
        "date" => "Date",
        "geo_point" => "GeoPoint",
        "object" | "flattened" => "FlatObject",
        "nested" => "Nested",
        other => return Err(format!("unknown ECS type `{other}` in {LIST}")),
    })
}
