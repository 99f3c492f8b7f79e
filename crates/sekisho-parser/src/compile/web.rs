//! `[request]`, `[url]`, `[user_agent]`, `[outcome]`.

use sekisho_document::FieldType;

use super::{Compiler, place};
use crate::ParserError;
use crate::program::Source;
use crate::spec::TextOrList;
use crate::web::{ByStatus, Decode, Request, Url, UrlFields, UrlSources, UserAgent, Web};

impl Compiler<'_> {
    /// Compiles the pieces that sources of the web share.
    pub(super) fn web(&mut self) -> Result<Web, ParserError> {
        Ok(Web {
            request: self.request()?,
            url: self.url()?,
            user_agent: self.user_agent()?,
            outcome: self.outcome()?,
        })
    }

    fn request(&mut self) -> Result<Option<Request>, ParserError> {
        let Some(spec) = &self.spec.request else {
            return Ok(None);
        };
        Ok(Some(Request {
            at: self.line_of("[request]"),
            line: self.read("[request]", Some(&spec.line))?,
            method: self.field("http.request.method")?,
            version: self.field("http.version")?,
        }))
    }

    /// A request line brings a target, so it has a URL even where `[url]` adds nothing.
    fn url(&mut self) -> Result<Option<Url>, ParserError> {
        let nothing = crate::spec::UrlSpec::default();
        let spec = match (&self.spec.url, &self.spec.request) {
            (Some(spec), _) => spec,
            (None, Some(_)) => &nothing,
            (None, None) => return Ok(None),
        };
        let table = if self.spec.url.is_some() {
            "[url]"
        } else {
            "[request]"
        };
        let own = |name: &str| format!("{}.url_decoded.{name}", self.spec.source.dataset);
        let (path, query) = (own("path"), own("query"));
        let fields = UrlFields {
            original: self.field("url.original")?,
            scheme: self.field("url.scheme")?,
            username: self.field("url.username")?,
            domain: self.field("url.domain")?,
            port: self.field("url.port")?,
            path: self.field("url.path")?,
            query: self.field("url.query")?,
            fragment: self.field("url.fragment")?,
            extension: self.field("url.extension")?,
            path_decoded: self.outputs.own(&path, FieldType::Wildcard),
            query_decoded: self.outputs.own(&query, FieldType::Wildcard),
        };
        Ok(Some(Url {
            at: self.line_of(table),
            full: self.read(table, spec.full.as_ref())?,
            parts: UrlSources {
                scheme: self.read(table, spec.scheme.as_ref())?,
                domain: self.read(table, spec.domain.as_ref())?,
                port: self.read(table, spec.port.as_ref())?,
                path: self.read(table, spec.path.as_ref())?,
                query: self.read(table, spec.query.as_ref())?,
                fragment: self.read(table, spec.fragment.as_ref())?,
            },
            fields,
        }))
    }

    fn user_agent(&mut self) -> Result<Option<UserAgent>, ParserError> {
        let Some(spec) = &self.spec.user_agent else {
            return Ok(None);
        };
        Ok(Some(UserAgent {
            at: self.line_of("[user_agent]"),
            from: self.read("[user_agent]", Some(&spec.from))?,
            decode: match spec.url_decode {
                true => Decode::Percent,
                false => Decode::Plain,
            },
            original: self.field("user_agent.original")?,
            fields: [
                self.field("user_agent.name")?,
                self.field("user_agent.version")?,
                self.field("user_agent.device.name")?,
                self.field("user_agent.os.name")?,
                self.field("user_agent.os.version")?,
                self.field("user_agent.os.full")?,
            ],
        }))
    }

    fn outcome(&mut self) -> Result<Option<ByStatus>, ParserError> {
        let Some(spec) = &self.spec.outcome else {
            return Ok(None);
        };
        Ok(Some(ByStatus {
            at: self.line_of("[outcome]"),
            status: self.read("[outcome]", Some(&spec.status))?,
            status_code: self.field("http.response.status_code")?,
            outcome: self.field("event.outcome")?,
            category: self.field("event.category")?,
            kind: self.field("event.type")?,
        }))
    }

    fn field(&mut self, name: &str) -> Result<usize, ParserError> {
        self.outputs
            .ecs(name)
            .map_err(|message| self.file.error(0, message))
    }

    fn line_of(&self, table: &str) -> usize {
        self.file.line(place(self.file, table))
    }

    fn read(
        &mut self,
        table: &str,
        paths: Option<&TextOrList>,
    ) -> Result<Vec<Source>, ParserError> {
        paths.map_or_else(|| Ok(Vec::new()), |paths| self.consumed(paths, table))
    }
}
