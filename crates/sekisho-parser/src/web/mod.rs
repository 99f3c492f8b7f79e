//! What sources of the web share: the request line, the URL, the user agent, the outcome by the status.

mod split;
mod url;

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use sekisho_document::ecs;

use crate::agents::Agent;
use crate::draft::Draft;
use crate::origin::Origin;
use crate::program::Source;
use crate::value::Value;
use split::RequestLine;
use url::Target;

/// The shared pieces that a parser asks for.
#[derive(Debug, Default)]
pub(crate) struct Web {
    pub(crate) request: Option<Request>,
    pub(crate) url: Option<Url>,
    pub(crate) user_agent: Option<UserAgent>,
    pub(crate) outcome: Option<ByStatus>,
}

/// `[request]`: a line `METHOD target HTTP/x`.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) at: usize,
    pub(crate) line: Vec<Source>,
    pub(crate) method: usize,
    pub(crate) version: usize,
}

/// `[url]`: the whole URL, or the parts that a source has.
#[derive(Debug)]
pub(crate) struct Url {
    pub(crate) at: usize,
    pub(crate) full: Vec<Source>,
    pub(crate) parts: UrlSources,
    pub(crate) fields: UrlFields,
}

/// Where the parts come from; each fills what the whole does not say.
#[derive(Debug, Default)]
pub(crate) struct UrlSources {
    pub(crate) scheme: Vec<Source>,
    pub(crate) domain: Vec<Source>,
    pub(crate) port: Vec<Source>,
    pub(crate) path: Vec<Source>,
    pub(crate) query: Vec<Source>,
    pub(crate) fragment: Vec<Source>,
}

/// The fields that a URL fills.
#[derive(Debug)]
pub(crate) struct UrlFields {
    pub(crate) original: usize,
    pub(crate) scheme: usize,
    pub(crate) username: usize,
    pub(crate) domain: usize,
    pub(crate) port: usize,
    pub(crate) path: usize,
    pub(crate) query: usize,
    pub(crate) fragment: usize,
    pub(crate) extension: usize,
    pub(crate) path_decoded: usize,
    pub(crate) query_decoded: usize,
}

/// `[user_agent]`
#[derive(Debug)]
pub(crate) struct UserAgent {
    pub(crate) at: usize,
    pub(crate) from: Vec<Source>,
    pub(crate) decode: Decode,
    pub(crate) original: usize,
    /// Name, version, device, operating system: name, version, both.
    pub(crate) fields: [usize; 6],
}

/// Whether a text is percent-encoded in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decode {
    Plain,
    Percent,
}

/// `[outcome]`: the contract on outcomes, by the status of the response.
#[derive(Debug)]
pub(crate) struct ByStatus {
    pub(crate) at: usize,
    pub(crate) status: Vec<Source>,
    pub(crate) status_code: usize,
    pub(crate) outcome: usize,
    pub(crate) category: usize,
    pub(crate) kind: usize,
}

impl Web {
    /// Fills the fields of the web.
    pub(crate) fn apply(&self, draft: &mut Draft<'_, '_>) {
        let target = self
            .request
            .as_ref()
            .and_then(|request| request.apply(draft));
        if let Some(url) = &self.url {
            url.apply(target, draft);
        }
        if let Some(user_agent) = &self.user_agent {
            user_agent.apply(draft);
        }
        if let Some(outcome) = &self.outcome {
            outcome.apply(draft);
        }
    }
}

impl Request {
    /// Sets method and version, and gives the target for the URL; the whole line where it is none, so that it stands somewhere.
    fn apply<'a>(&self, draft: &mut Draft<'_, 'a>) -> Option<Target<'a>> {
        draft.origin = Origin::Line(self.at);
        let line = usable(&self.line, draft, Some)?;
        let parts = match &line {
            Cow::Borrowed(line) => RequestLine::split(line).map(Cow::Borrowed),
            Cow::Owned(line) => RequestLine::split(line).map(|part| Cow::Owned(part.to_owned())),
        };
        // Only here a host and a port alone are a target.
        let is_tunnel = parts.method.as_deref() == Some("CONNECT");
        for (field, part) in [(self.method, parts.method), (self.version, parts.version)] {
            set(draft, field, part);
        }
        Some(match parts.target {
            Some(target) if is_tunnel => Target::Host(target),
            Some(target) => Target::Url(target),
            None => Target::Noise(line),
        })
    }
}

impl UserAgent {
    fn apply(&self, draft: &mut Draft<'_, '_>) {
        draft.origin = Origin::Line(self.at);
        let Some(text) = usable(&self.from, draft, Some) else {
            return;
        };
        let text = match self.decode {
            Decode::Plain => text,
            Decode::Percent => Cow::Owned(decoded(&text)),
        };
        let agent = Agent::read(&text);
        draft.set(self.original, Value::Text(text));
        let parts = [
            &agent.name,
            &agent.version,
            &agent.device,
            &agent.os_name,
            &agent.os_version,
            &agent.os_full,
        ];
        for (field, part) in self.fields.into_iter().zip(parts) {
            set(draft, field, part.clone().map(Cow::Owned));
        }
    }
}

impl ByStatus {
    fn apply(&self, draft: &mut Draft<'_, '_>) {
        draft.origin = Origin::Line(self.at);
        // `000` and the like: the client left before there was one.
        let status = usable(&self.status, draft, |text| {
            let status = text.parse::<u16>().ok()?;
            (100..1000).contains(&status).then_some(status)
        });
        let outcome = match status {
            Some(400..) => "failure",
            Some(_) => "success",
            None => "unknown",
        };
        draft.set(self.outcome, Value::owned(outcome));
        let Some(status) = status else { return };
        draft.set(
            self.status_code,
            Value::Number(Cow::Owned(status.to_string())),
        );
        if status >= 500 && self.expects_errors(draft) {
            draft.append(self.kind, Value::owned("error"));
        }
    }

    /// Tells whether ECS expects `error` beside one of the document's categories.
    fn expects_errors(&self, draft: &Draft<'_, '_>) -> bool {
        let mut expects = false;
        if let Some(Some(categories)) = draft.outputs.get(self.category) {
            categories.clone().each(&mut |category| {
                let types = category.text().and_then(|name| ecs::expected_types(&name));
                expects |= types.is_some_and(|types| types.contains(&"error"));
            });
        }
        expects
    }
}

/// Gives what the first usable source holds, and notes that it stands in the document.
fn usable<'a, T>(
    sources: &[Source],
    draft: &mut Draft<'_, 'a>,
    read: impl Fn(Cow<'a, str>) -> Option<T>,
) -> Option<T> {
    for source in sources {
        let found = draft.first(source).and_then(|value| read(value.text()?));
        if found.is_some() {
            draft.mark_scalar_used(source);
            return found;
        }
    }
    None
}

fn set<'a>(draft: &mut Draft<'_, 'a>, field: usize, text: Option<Cow<'a, str>>) {
    if let Some(text) = text {
        draft.set(field, Value::Text(text));
    }
}

/// Decodes percent signs; what is no UTF-8 behind them becomes U+FFFD.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
