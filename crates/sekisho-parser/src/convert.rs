//! Values into the type of the field that takes them, or nothing: what is invalid for its type never leaves us.

use std::borrow::Cow;
use std::net::IpAddr;

use sekisho_document::FieldType;

use crate::time::{TimeFormats, write_time};
use crate::value::{Value, for_members};

/// Converts a scalar (or, for an open-ended subtree, an object) to a field's type.
pub(crate) fn convert<'a>(
    value: Value<'a>,
    kind: FieldType,
    times: &TimeFormats,
) -> Option<Value<'a>> {
    match kind {
        FieldType::Keyword | FieldType::Wildcard | FieldType::Text => keyword(value),
        FieldType::Long => long(&value.text()?).map(|n| Value::Number(Cow::Owned(n.to_string()))),
        FieldType::Double => double(value),
        FieldType::Boolean => boolean(&value),
        FieldType::Ip => ip(&value.text()?).map(|ip| Value::owned(ip.to_string())),
        FieldType::Date => times
            .parse(&value.text()?)
            .and_then(write_time)
            .map(Value::owned),
        FieldType::FlatObject | FieldType::Nested => {
            matches!(value, Value::Object(_)).then_some(value)
        }
        FieldType::GeoPoint => point(&value),
    }
}

/// Reads a point from an object with a latitude and a longitude in degrees, under any of the names that vendors give them.
fn point<'a>(value: &Value<'_>) -> Option<Value<'a>> {
    let Value::Object(text) = value else {
        return None;
    };
    let (mut lat, mut lon) = (None, None);
    for_members(text, &mut |key, raw| {
        let place = match key.to_ascii_lowercase().as_str() {
            "lat" | "latitude" => &mut lat,
            "lon" | "lng" | "longitude" => &mut lon,
            _ => return,
        };
        *place = Value::from_json(raw)
            .and_then(double)
            .and_then(|value| value.text()?.parse::<f64>().ok());
    });
    let (lat, lon) = (lat?, lon?);
    (lat.abs() <= 90.0 && lon.abs() <= 180.0)
        .then(|| Value::Object(Cow::Owned(format!(r#"{{"lat":{lat},"lon":{lon}}}"#))))
}

fn keyword(value: Value<'_>) -> Option<Value<'_>> {
    match value {
        Value::Text(_) | Value::Escaped(_) => Some(value),
        Value::Number(text) => Some(Value::Text(text)),
        Value::Bool(_) => value.text().map(Value::Text),
        Value::Object(_) | Value::Array(_) | Value::List(_) => None,
    }
}

fn long(text: &str) -> Option<i64> {
    if let Ok(n) = text.parse() {
        return Some(n);
    }
    // `1.0` and `1e3` are whole numbers too; beyond 2^53 a float is no longer exact.
    let n: f64 = text.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked on the line above"
    )]
    (n.fract() == 0.0 && n.abs() < 9_007_199_254_740_992.0).then_some(n as i64)
}

fn double(value: Value<'_>) -> Option<Value<'_>> {
    let text = value.text()?;
    let n: f64 = text.parse().ok()?;
    if !n.is_finite() {
        return None;
    }
    match value {
        Value::Number(_) => Some(value),
        _ => Some(Value::Number(Cow::Owned(n.to_string()))),
    }
}

fn boolean<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    match value.text()?.as_ref() {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// Reads an address: also in brackets, with a zone, or an IPv4 address written as IPv6.
pub(crate) fn ip(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(text);
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: FieldType, value: Value<'_>, expected: Option<&str>) {
        let mut out = Vec::new();
        let written = convert(value, kind, &TimeFormats::default()).map(|value| {
            value.write(&mut out, 0);
            String::from_utf8(out).unwrap()
        });
        assert_eq!(written.as_deref(), expected);
    }

    fn text(text: &str) -> Value<'_> {
        Value::Text(text.into())
    }

    #[test]
    fn converts_what_is_valid_and_nothing_else() {
        check(FieldType::Long, text("443"), Some("443"));
        check(FieldType::Long, Value::Number("1.0".into()), Some("1"));
        check(FieldType::Long, Value::Number("1.5".into()), None);
        check(
            FieldType::Long,
            Value::Number("99999999999999999999".into()),
            None,
        );
        check(FieldType::Long, text("443x"), None);
        check(FieldType::Double, Value::Number("1e400".into()), None);
        check(FieldType::Double, text("1.5"), Some("1.5"));
        check(FieldType::Boolean, text("false"), Some("false"));
        check(FieldType::Boolean, text("0"), None);
        check(
            FieldType::Keyword,
            Value::Number("1.10".into()),
            Some("\"1.10\""),
        );
        check(FieldType::Keyword, Value::Object("{}".into()), None);
        check(
            FieldType::Date,
            text("2026-11-23T00:00:00Z"),
            Some("\"2026-11-23T00:00:00Z\""),
        );
        check(FieldType::FlatObject, text("x"), None);
    }

    #[test]
    fn reads_addresses_as_logs_write_them() {
        check(FieldType::Ip, text("192.0.2.1"), Some("\"192.0.2.1\""));
        check(
            FieldType::Ip,
            text("[2001:DB8::1]"),
            Some("\"2001:db8::1\""),
        );
        check(FieldType::Ip, text("fe80::1%eth0"), Some("\"fe80::1\""));
        check(
            FieldType::Ip,
            text("::ffff:192.0.2.1"),
            Some("\"192.0.2.1\""),
        );
        check(FieldType::Ip, text("cloudtrail.amazonaws.com"), None);
        check(FieldType::Ip, text("192.0.2.1:443"), None);
    }
}
