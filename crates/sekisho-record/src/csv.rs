//! [`CsvLines`]: line feeds that end a record of RFC 4180, and those that stand in quotes.

use memchr::{memchr, memchr2};

use crate::line::BOM;
use crate::window::Window;

/// Finds the line feed behind each record.
///
/// A column in quotes may hold line feeds only where its closing quote is one: a separator, a line's end or the end of the object follows, within the record limit.
/// Else nothing closes the quote, and the record ends at the first line feed behind it, so that it takes no neighbour with it.
pub(crate) struct CsvLines {
    separator: u8,
    max_record_bytes: u64,
    place: Place,
}

/// Where in a record the scan stands.
#[derive(Clone, Copy)]
enum Place {
    Start,
    Column,
    Bare,
    /// In a column that a quote opened, with the first line feed in it.
    Quoted(Option<u64>),
    /// Behind a quote that nothing closes.
    Open,
}

/// What stands at the scan position, or that more bytes must come to tell.
enum Next {
    Go(Place, u64),
    LineFeed(u64),
    More(u64),
}

impl CsvLines {
    pub(crate) fn new(separator: u8, max_record_bytes: u64) -> Self {
        Self {
            separator,
            max_record_bytes,
            place: Place::Start,
        }
    }

    /// Forgets the record under way.
    pub(crate) fn restart(&mut self) {
        self.place = Place::Start;
    }

    /// Finds the line feed that ends the record from `start` on, searched up to `scanned` so far.
    pub(crate) fn find<R>(
        &mut self,
        window: &Window<R>,
        start: u64,
        scanned: &mut u64,
    ) -> Option<u64> {
        loop {
            let next = match self.place {
                Place::Start => begin(window, *scanned),
                Place::Column => column(window, *scanned),
                Place::Bare => self.bare(window, *scanned),
                Place::Quoted(line_feed) => self.quoted(window, start, *scanned, line_feed),
                Place::Open => open(window, *scanned),
            };
            match next {
                Next::Go(place, at) => {
                    self.place = place;
                    *scanned = at;
                }
                Next::LineFeed(at) => {
                    self.place = Place::Start;
                    *scanned = at;
                    return Some(at);
                }
                Next::More(at) => {
                    *scanned = at;
                    return None;
                }
            }
        }
    }

    fn bare<R>(&self, window: &Window<R>, at: u64) -> Next {
        let bytes = window.from(at);
        let Some(length) = memchr2(self.separator, b'\n', bytes) else {
            return Next::More(window.end());
        };
        let found = at + length as u64;
        match bytes.get(length) {
            Some(b'\n') => Next::LineFeed(found),
            _ => Next::Go(Place::Column, found + 1),
        }
    }

    fn quoted<R>(&self, window: &Window<R>, start: u64, at: u64, line_feed: Option<u64>) -> Next {
        let unclosed = Next::Go(Place::Open, line_feed.unwrap_or(at));
        let limit = start + self.max_record_bytes;
        let end = window.end().min(limit);
        let bytes = window.slice(at, end);
        let found = match line_feed {
            None => memchr2(b'"', b'\n', bytes),
            Some(_) => memchr(b'"', bytes),
        };
        let Some(length) = found else {
            let is_over = window.end() >= limit || (window.ended() && !window.torn());
            return if is_over { unclosed } else { Next::More(end) };
        };
        let found = at + length as u64;
        if bytes.get(length) == Some(&b'\n') {
            return Next::Go(Place::Quoted(Some(found)), found + 1);
        }
        match window.from(found + 1).first() {
            Some(b'"') => Next::Go(Place::Quoted(line_feed), found + 2),
            None if !window.ended() || window.torn() => Next::More(found),
            Some(byte) if line_feed.is_some() && !self.follows_quote(*byte) => unclosed,
            _ => Next::Go(Place::Bare, found + 1),
        }
    }

    fn follows_quote(&self, byte: u8) -> bool {
        byte == self.separator || matches!(byte, b'\n' | b'\r')
    }
}

/// Passes over a byte order mark.
fn begin<R>(window: &Window<R>, at: u64) -> Next {
    let bytes = window.from(at);
    if bytes.starts_with(BOM) {
        return Next::Go(Place::Column, at + BOM.len() as u64);
    }
    match BOM.starts_with(bytes) && !window.ended() {
        true => Next::More(at),
        false => Next::Go(Place::Column, at),
    }
}

fn column<R>(window: &Window<R>, at: u64) -> Next {
    match window.from(at).first() {
        Some(b'"') => Next::Go(Place::Quoted(None), at + 1),
        Some(_) => Next::Go(Place::Bare, at),
        None => Next::More(at),
    }
}

fn open<R>(window: &Window<R>, at: u64) -> Next {
    match memchr(b'\n', window.from(at)) {
        Some(length) => Next::LineFeed(at + length as u64),
        None => Next::More(window.end()),
    }
}
