//! [`Names`]: what secrets are called.

use crate::ParserError;
use crate::nearest::nearest;

/// Fields and headers that hold a secret: whatever stands under them is one.
const FIELDS: [&str; 17] = [
    "cookie",
    "set-cookie",
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "x-auth-token",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-signature",
    "api_key",
    "access_token",
    "refresh_token",
    "id_token",
    "auth_token",
    "client_secret",
    "password",
    "passwd",
];

/// Words that are a secret as `key=value` of a query or form, and something else elsewhere: an alert has a `signature`.
const QUERY_KEYS: [&str; 3] = ["token", "secret", "signature"];

/// Before the names of headers: web servers log `Cookie` as the variable `http_cookie`, CloudFront's real-time logs as `cs-cookie`.
const HEADER_PREFIXES: [&str; 2] = ["http", "cs-"];

/// What secrets are called, in one notation: lower case, without `-` and `_`.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    fields: Vec<String>,
    query_keys: Vec<String>,
    /// As written, for the search.
    written: Vec<String>,
}

impl Default for Names {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| plain(name)).collect();
        Self {
            fields: list(&FIELDS),
            query_keys: list(&QUERY_KEYS),
            written: FIELDS
                .iter()
                .chain(&QUERY_KEYS)
                .map(|name| (*name).to_owned())
                .collect(),
        }
    }
}

impl Names {
    pub(crate) fn new(
        fields: &[String],
        query_keys: &[String],
        keep: &[String],
    ) -> Result<Self, ParserError> {
        let mut names = Self::default();
        for (setting, list) in [("redact.fields", fields), ("redact.query_keys", query_keys)] {
            if let Some(name) = list.iter().find(|name| !is_name(name)) {
                return Err(ParserError::Name {
                    setting,
                    name: name.clone(),
                });
            }
        }
        names.fields.extend(fields.iter().map(|name| plain(name)));
        names
            .query_keys
            .extend(query_keys.iter().map(|name| plain(name)));
        names
            .written
            .extend(fields.iter().chain(query_keys).cloned());
        for name in keep {
            let key = plain(name);
            // Both lists may have it.
            let n_names = names.fields.len() + names.query_keys.len();
            names.fields.retain(|name| *name != key);
            names.query_keys.retain(|name| *name != key);
            if names.fields.len() + names.query_keys.len() == n_names {
                return Err(ParserError::Kept {
                    name: name.clone(),
                    nearest: nearest(name, names.written.iter().map(String::as_str))
                        .unwrap_or_default()
                        .to_owned(),
                });
            }
            names.written.retain(|written| plain(written) != key);
        }
        Ok(names)
    }

    /// Gives the names as written.
    pub(crate) fn written(&self) -> &[String] {
        &self.written
    }

    /// Tells whether a whole field, column or header is a secret: `Set-Cookie`, `cs(Cookie)`, `cs-cookie`, `http_cookie`, `request.headers.cookie`.
    pub(crate) fn hides_field(&self, name: &str) -> bool {
        let name = name.rsplit('.').next().unwrap_or(name);
        let name = name
            .strip_suffix(')')
            .and_then(|name| name.split_once('('))
            .map_or(name, |(_, inside)| inside);
        has(&self.fields, name)
    }

    /// Tells whether `key=value` is a secret.
    pub(crate) fn hides_key(&self, name: &str) -> bool {
        has(&self.fields, name) || has(&self.query_keys, name)
    }
}

/// Tells whether a name is one of these, alone or as that of a header.
fn has(names: &[String], name: &str) -> bool {
    let is = |name: &str| names.iter().any(|known| known.bytes().eq(letters(name)));
    let header = |prefix: &str| {
        let (start, header) = name.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some(header)
    };
    is(name)
        || HEADER_PREFIXES
            .iter()
            .any(|prefix| header(prefix).is_some_and(is))
}

/// Gives a name in the one notation.
fn plain(name: &str) -> String {
    letters(name).map(char::from).collect()
}

fn letters(name: &str) -> impl Iterator<Item = u8> + '_ {
    name.bytes()
        .filter(|byte| !matches!(byte, b'-' | b'_'))
        .map(|byte| byte.to_ascii_lowercase())
}

fn is_name(name: &str) -> bool {
    name.len() >= 3
        && name.bytes().all(is_name_byte)
        && name.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Tells whether a byte can stand in a name.
pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_known_by_the_names_that_logs_give_them() {
        let names = Names::default();
        for name in [
            "Set-Cookie",
            "cs(Cookie)",
            "cs-cookie",
            "http_cookie",
            "request.headers.cookie",
        ] {
            assert!(names.hides_field(name), "{name}");
        }
        for name in ["cs-host", "cs-", "http", "cs-cookies-seen", "csüookie"] {
            assert!(!names.hides_field(name), "{name}");
        }
    }
}
