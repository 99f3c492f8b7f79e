//! `members`: a list of the source's objects as a list of ECS objects, such as `dns.answers`.

use std::borrow::Cow;

use sekisho_document::FieldType;
use sekisho_document::json::{Kind, write_text};

use crate::convert::convert;
use crate::path::Segment;
use crate::time::TimeFormats;
use crate::value::{Value, for_members};

/// One member of each object.
#[derive(Debug)]
pub(crate) struct Member {
    /// The name in ECS, below the field's own.
    pub(crate) name: String,
    /// The name in the source's object.
    pub(crate) from: String,
    pub(crate) kind: FieldType,
}

/// Makes one object of ECS members; nothing where none of them is there.
pub(crate) fn object<'a>(
    members: &[Member],
    value: &Value<'a>,
    times: &TimeFormats,
) -> Option<Value<'a>> {
    let mut out = vec![b'{'];
    for member in members {
        let Some(found) = read(member, value, times) else {
            continue;
        };
        write_text(&mut out, &member.name);
        out.push(b':');
        found.write(&mut out, 0);
        out.push(b',');
    }
    // The last comma becomes the brace.
    let last = out.last_mut().filter(|last| **last == b',')?;
    *last = b'}';
    String::from_utf8(out)
        .ok()
        .map(|text| Value::Object(Cow::Owned(text)))
}

fn read<'a>(member: &Member, value: &Value<'a>, times: &TimeFormats) -> Option<Value<'a>> {
    let path = [Segment::Key(member.from.clone())];
    let mut found = None;
    value.clone().below(&path, &mut |value| {
        found = found.take().or_else(|| convert(value, member.kind, times));
    });
    found
}

/// Tells whether an object holds nothing but scalars that its members take.
pub(crate) fn is_whole(members: &[Member], value: &Value<'_>, times: &TimeFormats) -> bool {
    let Value::Object(text) = value else {
        return false;
    };
    let mut whole = true;
    for_members(text, &mut |key, raw| {
        let member = members.iter().find(|member| member.from == key);
        let scalar = !matches!(raw.kind, Kind::Object | Kind::Array);
        let kept = member.is_some_and(|member| {
            let value = Value::from_json(raw);
            value.is_none_or(|value| convert(value, member.kind, times).is_some())
        });
        whole &= scalar && kept;
    });
    whole
}
