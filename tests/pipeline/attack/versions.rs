//! What objects are called, and what they hold when they are put again.

use crate::case::ObjectSpec;
use crate::records::{Made, make};

/// Which bytes of an object.
#[derive(Clone, Copy)]
pub(crate) enum Version {
    First,
    Longer,
    Other,
}

/// Makes the bytes of one version of an object.
pub(crate) fn made(number: usize, spec: &ObjectSpec, version: Version) -> Made {
    let mut records = spec.records.clone();
    let name = match version {
        Version::First => format!("{number}"),
        Version::Longer => {
            // Behind a last line without its end nothing can be added.
            if spec.ends_with_newline {
                records.extend(spec.records.iter().take(5).cloned());
            }
            format!("{number}")
        }
        Version::Other => format!("{number}-other"),
    };
    make(spec, &records, &name)
}

/// Names an object.
pub(crate) fn key(number: usize, spec: &ObjectSpec) -> String {
    let folder = spec.source.folder();
    if spec.dated {
        format!("{folder}/2026/11/23/{number} 日+本.log")
    } else {
        format!("{folder}/{number}.log")
    }
}
