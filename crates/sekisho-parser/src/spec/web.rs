//! `[request]`, `[url]`, `[user_agent]`, `[outcome]`: which sources the pieces read that sources of the web share.

use serde::Deserialize;

use super::TextOrList;

/// `[request]`: a line `METHOD target HTTP/x`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestSpec {
    pub(crate) line: TextOrList,
}

/// `[url]`: the whole URL or request target, and parts that a source has apart from it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UrlSpec {
    pub(crate) full: Option<TextOrList>,
    pub(crate) scheme: Option<TextOrList>,
    pub(crate) domain: Option<TextOrList>,
    pub(crate) port: Option<TextOrList>,
    pub(crate) path: Option<TextOrList>,
    pub(crate) query: Option<TextOrList>,
    pub(crate) fragment: Option<TextOrList>,
}

impl UrlSpec {
    /// Gives the sources of the parts with the names of the fields that they fill.
    pub(crate) fn parts(&self) -> [(&'static str, Option<&TextOrList>); 6] {
        [
            ("scheme", self.scheme.as_ref()),
            ("domain", self.domain.as_ref()),
            ("port", self.port.as_ref()),
            ("path", self.path.as_ref()),
            ("query", self.query.as_ref()),
            ("fragment", self.fragment.as_ref()),
        ]
    }
}

/// `[user_agent]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserAgentSpec {
    pub(crate) from: TextOrList,
    /// For logs that write it percent-encoded.
    #[serde(default)]
    pub(crate) url_decode: bool,
}

/// `[outcome]`: the status of the response, which decides the outcome.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeSpec {
    pub(crate) status: TextOrList,
}
