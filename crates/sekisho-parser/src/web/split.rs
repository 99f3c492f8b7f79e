//! URLs, hosts and request lines taken apart; what does not fit is left out, never guessed.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::url::Found;

/// The longest host name of the DNS.
const MAX_DOMAIN_BYTES: usize = 255;

/// Longer ones are no extensions but text behind a dot.
const MAX_EXTENSION_BYTES: usize = 16;

/// The parts of a URL as they stand in it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'t> {
    pub(super) scheme: Option<&'t str>,
    pub(super) username: Option<&'t str>,
    pub(super) domain: Option<&'t str>,
    pub(super) port: Option<u16>,
    pub(super) path: Option<&'t str>,
    pub(super) query: Option<&'t str>,
    pub(super) fragment: Option<&'t str>,
}

impl<'t> Parts<'t> {
    /// Splits an absolute URL, or the target of a request: `/path?query`.
    pub(super) fn url(text: &'t str) -> Self {
        if text.starts_with('/') {
            return Self::default().behind_host(text);
        }
        let Some((scheme, rest)) = text
            .split_once("://")
            .filter(|(scheme, _)| is_scheme(scheme))
        else {
            return Self::default();
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (user, host) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(user, host)| (Some(user), host));
        let mut parts = Self::host(host).behind_host(rest);
        parts.scheme = Some(scheme);
        // What stands behind the colon is a password.
        parts.username = user.and_then(|user| some(user.split(':').next().unwrap_or_default()));
        parts
    }

    /// Splits `name`, `name:port`, `[IPv6]` and `[IPv6]:port`, as a Host header or CONNECT has them.
    pub(super) fn host(text: &'t str) -> Self {
        let behind = text
            .strip_prefix('[')
            .and_then(|rest| rest.find(']'))
            .map_or(0, |at| at + 2);
        let (name, port) = match text.get(behind..).and_then(|rest| rest.find(':')) {
            Some(colon) => text.split_at_checked(behind + colon).unwrap_or((text, "")),
            None => (text, ""),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        if !is_domain(name) {
            return Self::default();
        }
        Self {
            domain: Some(name),
            port: port_of(port),
            ..Self::default()
        }
    }

    fn behind_host(mut self, text: &'t str) -> Self {
        let (text, fragment) = text
            .split_once('#')
            .map_or((text, ""), |(text, fragment)| (text, fragment));
        let (path, query) = text
            .split_once('?')
            .map_or((text, ""), |(path, query)| (path, query));
        self.path = some(path);
        self.query = some(query);
        self.fragment = some(fragment);
        self
    }
}

impl<'t> Parts<'t> {
    /// Keeps each part, borrowed or as a text of its own.
    pub(super) fn map<'a>(self, keep: impl Fn(&'t str) -> Cow<'a, str>) -> Found<'a> {
        let keep = |part: Option<&'t str>| part.map(&keep);
        Found {
            scheme: keep(self.scheme),
            username: keep(self.username),
            domain: keep(self.domain),
            port: self.port,
            path: keep(self.path),
            query: keep(self.query),
            fragment: keep(self.fragment),
        }
    }
}

/// Reads `:443`; in `:80-`, as load balancers write for what was no request, the digits count.
fn port_of(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(':')?.trim_end_matches('-');
    digits.parse().ok().filter(|port| *port > 0)
}

/// Tells whether a scheme has the port anyway.
pub(super) fn is_default(scheme: &str, port: u16) -> bool {
    match port {
        80 => scheme == "http" || scheme == "ws",
        443 => scheme == "https" || scheme == "wss",
        _ => false,
    }
}

/// Gives the extension of the file that a path names.
pub(super) fn extension(path: &str) -> Option<&str> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let (name, extension) = file.rsplit_once('.')?;
    let fits = !name.is_empty()
        && extension.len() <= MAX_EXTENSION_BYTES
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    some(extension).filter(|_| fits)
}

/// The parts of `METHOD target HTTP/x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestLine<T> {
    pub(super) method: Option<T>,
    pub(super) target: Option<T>,
    pub(super) version: Option<T>,
}

impl<'t> RequestLine<&'t str> {
    const NOISE: Self = Self {
        method: None,
        target: None,
        version: None,
    };

    /// Splits a request line; nothing of a line that is none.
    pub(super) fn split(line: &'t str) -> Self {
        let line = line.trim();
        let Some((method, rest)) = line.split_once(' ') else {
            return Self::NOISE;
        };
        let (target, version) = match rest.rsplit_once(' ') {
            Some((target, last)) if last == "-" || is_protocol(last) => (target, Some(last)),
            _ => (rest, None),
        };
        let target = target.trim();
        // Without a protocol only what looks like a target is one: HTTP/0.9, or other protocols and noise.
        let is_target = version.is_some() || target.starts_with('/') || target.contains("://");
        if !(is_target && (method == "-" || is_token(method))) {
            return Self::NOISE;
        }
        Self {
            method: some(method),
            target: some(target),
            version: version.and_then(|version| some(version.get(5..).unwrap_or_default())),
        }
    }

    /// Keeps each part, borrowed or as a text of its own.
    pub(super) fn map<'a>(
        self,
        keep: impl Fn(&'t str) -> Cow<'a, str>,
    ) -> RequestLine<Cow<'a, str>> {
        RequestLine {
            method: self.method.map(&keep),
            target: self.target.map(&keep),
            version: self.version.map(&keep),
        }
    }
}

fn is_protocol(text: &str) -> bool {
    let Some(version) = text.strip_prefix("HTTP/") else {
        return false;
    };
    !version.is_empty()
        && version.len() <= 3
        && version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Tells whether a text is a method of the kind that exists.
fn is_token(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Tells whether a text can be a scheme.
pub(super) fn is_scheme(text: &str) -> bool {
    let is_first = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic());
    is_first
        && text.len() <= 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn is_domain(text: &str) -> bool {
    if let Some(address) = text
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
    {
        let address = address.split('%').next().unwrap_or_default();
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    (1..=MAX_DOMAIN_BYTES).contains(&text.len()) && text != "-" && text.chars().all(is_part)
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && *text != "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str, expected: [&str; 7]) {
        let parts = Parts::url(text);
        let port = parts.port.map(|port| port.to_string());
        let found = [
            parts.scheme,
            parts.username,
            parts.domain,
            port.as_deref(),
            parts.path,
            parts.query,
            parts.fragment,
        ];
        assert_eq!(found.map(Option::unwrap_or_default), expected, "{text}");
    }

    #[test]
    fn splits_urls_and_targets() {
        url(
            "/a/b.php?x=1?y#z",
            ["", "", "", "", "/a/b.php", "x=1?y", "z"],
        );
        url("/?", ["", "", "", "", "/", "", ""]);
        url(
            "//evil.example.com/x",
            ["", "", "", "", "//evil.example.com/x", "", ""],
        );
        url(
            "https://alice:secret@www.example.com:8443/a?b#c",
            ["https", "alice", "www.example.com", "8443", "/a", "b", "c"],
        );
        url(
            "http://example.com?x=1",
            ["http", "", "example.com", "", "", "x=1", ""],
        );
        url(
            "http://[2001:db8::1]:80/",
            ["http", "", "[2001:db8::1]", "80", "/", "", ""],
        );
        url(
            "http://[fe80::1%25eth0]/",
            ["http", "", "[fe80::1%25eth0]", "", "/", "", ""],
        );
        url(
            "http://example.com./",
            ["http", "", "example.com", "", "/", "", ""],
        );
    }

    #[test]
    fn leaves_out_what_does_not_fit() {
        url("http://host:80-", ["http", "", "host", "80", "", "", ""]);
        url(
            "http://host:99999/x",
            ["http", "", "host", "", "/x", "", ""],
        );
        url("http://host:0/x", ["http", "", "host", "", "/x", "", ""]);
        url("http://-/x", ["http", "", "", "", "/x", "", ""]);
        url("http://<script>/x", ["http", "", "", "", "/x", "", ""]);
        url("http://[::g]:1/", ["http", "", "", "", "/", "", ""]);
        url("http://[2001:db8::1/", ["http", "", "", "", "/", "", ""]);
        url("http://", ["http", "", "", "", "", "", ""]);
        url("://", [""; 7]);
        url("*", [""; 7]);
        url("", [""; 7]);
        url("\u{fffd}\u{3}://", [""; 7]);
    }

    fn line(text: &str, expected: [&str; 3]) {
        let line = RequestLine::split(text);
        let found = [line.method, line.target, line.version];
        assert_eq!(found.map(Option::unwrap_or_default), expected, "{text}");
    }

    #[test]
    fn splits_request_lines() {
        line("GET / HTTP/1.1", ["GET", "/", "1.1"]);
        line("GET /a b c HTTP/2.0", ["GET", "/a b c", "2.0"]);
        line("GET /old", ["GET", "/old", ""]);
        line("OPTIONS * HTTP/1.1", ["OPTIONS", "*", "1.1"]);
        line("M-SEARCH * HTTP/1.1", ["M-SEARCH", "*", "1.1"]);
        line("- http://host:80- -", ["", "http://host:80-", ""]);
        line("GET  /two HTTP/1.1", ["GET", "/two", "1.1"]);
    }

    #[test]
    fn takes_noise_for_noise() {
        for noise in [
            "",
            "-",
            "quit",
            r"\x16\x03\x01\x02\x00 \x01",
            "EHLO example.com",
            "t3 12.1.2",
            "SSH-2.0-Go",
            r#"\x03\x00Cookie: mstshash=x"#,
        ] {
            line(noise, [""; 3]);
        }
    }

    #[test]
    fn finds_extensions() {
        for (path, expected) in [
            ("/a/b.php", "php"),
            ("/a.b/c", ""),
            ("/.env", ""),
            ("/x.tar.gz", "gz"),
            ("/a.", ""),
            ("/a.b;c", ""),
        ] {
            assert_eq!(extension(path).unwrap_or_default(), expected, "{path}");
        }
    }
}
