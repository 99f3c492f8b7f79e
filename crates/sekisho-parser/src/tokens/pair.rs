//! [`Pair`]: a name and its text, on the way to a place.

use std::borrow::Cow;

use crate::schema::Schema;

/// A name that the parser writes, and where its text goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: String,
    /// The way to the schema's node, for a field that the parser knows.
    pub(crate) path: Option<Box<[usize]>>,
}

impl Place {
    /// Ties a name to the schema, which must be finished.
    pub(crate) fn new(name: &str, schema: &Schema) -> Self {
        Self {
            name: name.to_owned(),
            path: schema.find(name).map(Box::from),
        }
    }
}

/// What a text is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name<'p, 'a> {
    /// As the parser says.
    Place(&'p Place),
    /// As the record says.
    Free(Cow<'a, str>),
    /// A column beyond the names, from 1.
    Column(usize),
}

impl Name<'_, '_> {
    /// Gives the name.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Place(place) => Cow::Borrowed(&place.name),
            Self::Free(name) => Cow::Borrowed(name),
            Self::Column(n) => Cow::Owned(format!("column_{n}")),
        }
    }

    /// Tells whether this is the name.
    pub(crate) fn is(&self, name: &str) -> bool {
        match self {
            Self::Place(place) => place.name == name,
            Self::Free(own) => own == name,
            Self::Column(n) => name
                .strip_prefix("column_")
                .is_some_and(|wanted| wanted == n.to_string()),
        }
    }
}

/// A name and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair<'p, 'a> {
    pub(crate) name: Name<'p, 'a>,
    pub(crate) text: Cow<'a, str>,
    /// Whether a later step has cut it: it can still be read, and is not kept once more.
    pub(crate) consumed: bool,
}

impl<'p, 'a> Pair<'p, 'a> {
    pub(crate) fn new(name: Name<'p, 'a>, text: Cow<'a, str>) -> Self {
        Self {
            name,
            text,
            consumed: false,
        }
    }

    pub(crate) fn at(place: &'p Place, text: &'a str) -> Self {
        Self::new(Name::Place(place), Cow::Borrowed(text))
    }

    pub(crate) fn free(name: &'a str, text: Cow<'a, str>) -> Self {
        Self::new(Name::Free(Cow::Borrowed(name)), text)
    }

    /// Gives a pair that outlives the text it was cut from.
    pub(crate) fn into_owned<'b>(self) -> Pair<'p, 'b> {
        Pair {
            name: match self.name {
                Name::Place(place) => Name::Place(place),
                Name::Free(name) => Name::Free(Cow::Owned(name.into_owned())),
                Name::Column(n) => Name::Column(n),
            },
            text: Cow::Owned(self.text.into_owned()),
            consumed: self.consumed,
        }
    }
}
