//! `[[tokens]]` at run time: text becomes pairs of a name and a text, which then go to their places as columns do.

mod cef;
mod dissect;
mod kv;
mod misfit;
mod pair;
mod place;
mod split;

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::Regex;

pub(crate) use dissect::Dissect;
pub(crate) use kv::Kv;
pub(crate) use misfit::Misfit;
pub(crate) use pair::{Name, Pair, Place};
use split::Cells;
pub(crate) use split::Quoting;

use crate::program::Check;

/// Base64 as devices write it, padded or not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How many letters of base64 are read, of a packet or a payload: 6 KiB of it.
const MAX_BASE64: usize = 8 << 10;

/// Every step of a parser.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// The alternatives that read the record's own text.
    pub(crate) record: Vec<Alternative>,
    /// The alternatives that read a field, in the order in which they run.
    pub(crate) fields: Vec<FieldSteps>,
    /// Whether a name of theirs is that of a secret.
    pub(crate) hides: bool,
}

/// The alternatives of one field.
#[derive(Debug)]
pub(crate) struct FieldSteps {
    pub(crate) from: String,
    /// Whether the field is base64.
    pub(crate) decodes: bool,
    pub(crate) alternatives: Vec<Alternative>,
}

/// One way to read a text, and when it is tried.
#[derive(Debug)]
pub(crate) struct Alternative {
    pub(crate) when: Vec<Check>,
    pub(crate) way: Way,
}

/// How a text is cut.
#[derive(Debug)]
pub(crate) enum Way {
    Split(Split),
    Kv(Kv),
    Dissect(Dissect),
    Cef,
    /// The expression, and the place of each of its named groups.
    Regex(Regex, Vec<(usize, Place)>),
}

/// Columns by position.
#[derive(Debug)]
pub(crate) struct Split {
    pub(crate) places: Vec<Place>,
    pub(crate) separator: String,
    pub(crate) quoting: Quoting,
    /// At least so many columns.
    pub(crate) require: usize,
    /// Whether separators before and behind the text are none.
    pub(crate) trims: bool,
}

impl Tokens {
    /// Tells whether the record's own text is cut.
    pub(crate) fn reads_record(&self) -> bool {
        !self.record.is_empty()
    }

    /// Cuts a record's text; the error says what kept the best alternative from fitting.
    pub(crate) fn record<'p, 'a>(&'p self, text: &'a str) -> Result<Vec<Pair<'p, 'a>>, String> {
        let mut pairs = Vec::new();
        first_fitting(&self.record, text, &mut pairs).map_err(|misfit| misfit.to_string())?;
        self.fields(&mut pairs);
        Ok(pairs)
    }

    /// Cuts fields further; one that no alternative fits stays as it is.
    pub(crate) fn fields<'p, 'a>(&'p self, pairs: &mut Vec<Pair<'p, 'a>>) {
        for steps in &self.fields {
            let found = pairs
                .iter()
                .position(|pair| !pair.consumed && pair.name.is(&steps.from));
            let Some((at, text)) = found.and_then(|at| Some((at, pairs.get(at)?.text.clone())))
            else {
                continue;
            };
            let text = match steps.decodes {
                true => match decoded(&text) {
                    Some(text) => Cow::Owned(text),
                    None => continue,
                },
                false => text,
            };
            let fits = match text {
                Cow::Borrowed(text) => first_fitting(&steps.alternatives, text, pairs).is_ok(),
                Cow::Owned(text) => {
                    let mut inner = Vec::new();
                    let fits = first_fitting(&steps.alternatives, &text, &mut inner).is_ok();
                    pairs.extend(inner.into_iter().map(Pair::into_owned));
                    fits
                }
            };
            if let (true, Some(pair)) = (fits, pairs.get_mut(at)) {
                pair.consumed = true;
            }
        }
    }
}

/// Unpacks base64, as much of it as anybody looks at; nothing for what is none.
fn decoded(text: &str) -> Option<String> {
    let text = text.get(..MAX_BASE64).unwrap_or(text);
    let bytes = LENIENT.decode(text).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Runs the first alternative that fits; the error is that of the one that came furthest.
fn first_fitting<'p, 'a>(
    alternatives: &'p [Alternative],
    text: &'a str,
    pairs: &mut Vec<Pair<'p, 'a>>,
) -> Result<(), Misfit<'p>> {
    let start = pairs.len();
    let mut best: Option<Misfit<'p>> = None;
    for alternative in alternatives {
        match alternative.fit(text, pairs) {
            Ok(()) => return Ok(()),
            Err(misfit) => {
                pairs.truncate(start);
                best = match best.take() {
                    Some(best) if best.reached() >= misfit.reached() => Some(best),
                    _ => Some(misfit),
                };
            }
        }
    }
    Err(best.unwrap_or(Misfit::Other))
}

impl Alternative {
    fn fit<'p, 'a>(
        &'p self,
        text: &'a str,
        pairs: &mut Vec<Pair<'p, 'a>>,
    ) -> Result<(), Misfit<'p>> {
        if !self.when.iter().all(|check| check.holds(text)) {
            return Err(Misfit::When);
        }
        match &self.way {
            Way::Split(split) => split.fit(text, pairs),
            Way::Kv(kv) => kv.fit(text, pairs),
            Way::Dissect(dissect) => dissect.fit(text, pairs),
            Way::Cef => cef::fit(text, pairs),
            Way::Regex(regex, groups) => {
                let found = regex.captures(text).ok_or(Misfit::Regex)?;
                pairs.extend(groups.iter().filter_map(|(group, place)| {
                    Some(Pair::at(place, found.get(*group)?.as_str()))
                }));
                Ok(())
            }
        }
    }
}

impl Split {
    fn fit<'p, 'a>(
        &'p self,
        text: &'a str,
        pairs: &mut Vec<Pair<'p, 'a>>,
    ) -> Result<(), Misfit<'p>> {
        let start = pairs.len();
        let text = match self.trims {
            true => text.trim_matches(|c| self.separator.contains(c)),
            false => text,
        };
        let (n_columns, open) = self.cut(text, self.quoting, pairs);
        if n_columns >= self.require && !(open && self.quoting == Quoting::Csv) {
            return Ok(());
        }
        // A value that ends in a backslash makes its own quote look escaped: then backslashes say nothing here.
        if self.quoting == Quoting::Quotes && text.contains("\\\"") {
            pairs.truncate(start);
            let (n_columns, _) = self.cut(text, Quoting::PlainQuotes, pairs);
            if n_columns >= self.require {
                return Ok(());
            }
        }
        if open {
            let last = n_columns.checked_sub(1).and_then(|n| self.places.get(n));
            return Err(Misfit::Unclosed {
                column: last.map_or("the last one", |place| &place.name),
                n_columns,
            });
        }
        Err(Misfit::Few {
            n_columns,
            next: self
                .places
                .get(n_columns)
                .map_or("the next one", |place| &place.name),
            require: self.require,
        })
    }

    /// Takes every column; gives their number, and whether the last one's quote stays open.
    pub(crate) fn cut<'p, 'a>(
        &'p self,
        text: &'a str,
        quoting: Quoting,
        pairs: &mut Vec<Pair<'p, 'a>>,
    ) -> (usize, bool) {
        let mut cells = Cells::new(text, &self.separator, quoting);
        let mut places = self.places.iter();
        let mut n_columns = 0;
        for cell in &mut cells {
            n_columns += 1;
            let name = places.next().map_or(Name::Column(n_columns), Name::Place);
            pairs.push(Pair::new(name, cell));
        }
        (n_columns, cells.is_open())
    }
}
