//! `[url]` at run time: the whole or its parts into `url.*`, and a decoded copy for searches.

use std::borrow::Cow;

use super::split::{Parts, extension, is_default, is_scheme};
use super::{Url, decoded, set, usable};
use crate::convert::ip;
use crate::draft::Draft;
use crate::origin::Origin;
use crate::value::Value;

/// What a request asked for.
#[derive(Debug)]
pub(super) enum Target<'a> {
    Url(Cow<'a, str>),
    Host(Cow<'a, str>),
    Noise(Cow<'a, str>),
}

/// The parts of a URL, whatever they came from.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) scheme: Option<Cow<'a, str>>,
    pub(super) username: Option<Cow<'a, str>>,
    pub(super) domain: Option<Cow<'a, str>>,
    pub(super) port: Option<u16>,
    pub(super) path: Option<Cow<'a, str>>,
    pub(super) query: Option<Cow<'a, str>>,
    pub(super) fragment: Option<Cow<'a, str>>,
}

impl<'a> Found<'a> {
    fn url(text: &Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Parts::url(text).map(Cow::Borrowed),
            Cow::Owned(text) => Parts::url(text).map(|part| Cow::Owned(part.to_owned())),
        }
    }

    fn host(text: &Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Parts::host(text).map(Cow::Borrowed),
            Cow::Owned(text) => Parts::host(text).map(|part| Cow::Owned(part.to_owned())),
        }
    }
}

impl Url {
    /// Fills `url.*`.
    pub(super) fn apply<'a>(&self, target: Option<Target<'a>>, draft: &mut Draft<'_, 'a>) {
        let target = target.or_else(|| usable(&self.full, draft, Some).map(Target::Url));
        draft.origin = Origin::Line(self.at);
        let mut found = match &target {
            Some(Target::Url(text)) => Found::url(text),
            Some(Target::Host(text)) => Found::host(text),
            Some(Target::Noise(_)) | None => Found::default(),
        };
        self.complete(&mut found, draft);
        let original = match target {
            Some(Target::Url(text) | Target::Host(text) | Target::Noise(text)) => Some(text),
            None => whole(&found),
        };
        set(draft, self.fields.original, original);
        self.write(found, draft);
    }

    /// Takes from the other sources what the whole does not say.
    fn complete<'a>(&self, found: &mut Found<'a>, draft: &mut Draft<'_, 'a>) {
        if found.scheme.is_none() {
            found.scheme = usable(&self.parts.scheme, draft, |text| {
                Some(text).filter(|text| is_scheme(text))
            });
        }
        if found.domain.is_none() {
            let host = usable(&self.parts.domain, draft, |text| {
                Some(Found::host(&text)).filter(|host| host.domain.is_some())
            });
            if let Some(host) = host {
                found.domain = host.domain;
                found.port = found.port.or(host.port);
            }
        }
        if found.port.is_none() {
            found.port = usable(&self.parts.port, draft, |text| {
                text.parse().ok().filter(|port| *port > 0)
            });
        }
        for (part, sources) in [
            (&mut found.path, &self.parts.path),
            (&mut found.query, &self.parts.query),
            (&mut found.fragment, &self.parts.fragment),
        ] {
            if part.is_none() {
                *part = usable(sources, draft, Some);
            }
        }
    }

    fn write<'a>(&self, found: Found<'a>, draft: &mut Draft<'_, 'a>) {
        let fields = &self.fields;
        let scheme = found.scheme.map(lower);
        let is_implied = |port: &u16| {
            scheme
                .as_deref()
                .is_some_and(|scheme| is_default(scheme, *port))
        };
        if let Some(port) = found.port.filter(|port| !is_implied(port)) {
            draft.set(fields.port, Value::Number(Cow::Owned(port.to_string())));
        }
        set(draft, fields.scheme, scheme);
        set(draft, fields.username, found.username);
        let domain = found.domain.map(lower);
        if let Some(address) = domain.as_deref().and_then(ip) {
            draft.append(
                draft.program.fixed.related_ip,
                Value::owned(address.to_string()),
            );
        }
        set(draft, fields.domain, domain);
        if let Some(path) = found.path {
            let readable = Some(&path)
                .filter(|path| path.contains('%'))
                .map(|path| decoded(path));
            let readable = readable.filter(|readable| *readable != path);
            let extension = extension(readable.as_deref().unwrap_or(&path))
                .map(|text| Cow::Owned(text.to_owned()));
            set(draft, fields.extension, extension);
            set(draft, fields.path_decoded, readable.map(Cow::Owned));
            set(draft, fields.path, Some(path));
        }
        if let Some(query) = found.query {
            // Forms write a blank as `+`.
            let readable = Some(&query)
                .filter(|query| query.contains(['%', '+']))
                .map(|query| decoded(&query.replace('+', " ")));
            set(
                draft,
                fields.query_decoded,
                readable
                    .filter(|readable| *readable != query)
                    .map(Cow::Owned),
            );
            set(draft, fields.query, Some(query));
        }
        set(draft, fields.fragment, found.fragment);
    }
}

/// Puts together what a client asked for, where the log holds only parts.
fn whole<'a>(found: &Found<'a>) -> Option<Cow<'a, str>> {
    let path = found.path.clone()?;
    if found.query.is_none() && found.fragment.is_none() {
        return Some(path);
    }
    let part = |mark: &str, part: &Option<Cow<'_, str>>| {
        part.as_ref()
            .map_or_else(String::new, |part| format!("{mark}{part}"))
    };
    Some(Cow::Owned(format!(
        "{path}{}{}",
        part("?", &found.query),
        part("#", &found.fragment)
    )))
}

fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.chars().any(char::is_uppercase) {
        true => Cow::Owned(text.to_lowercase()),
        false => text,
    }
}
