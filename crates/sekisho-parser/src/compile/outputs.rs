//! The fields that a document of a source may have: ECS names checked against the pinned list, the module's own with their types.

use std::collections::HashMap;

use sekisho_document::{FieldType, ecs};

use crate::ParserError;
use crate::members::Member;
use crate::nearest::nearest;
use crate::program::Output;
use crate::spec::{Entries, SpecFile};

/// Names that only the engine writes.
const RESERVED: [&str; 8] = [
    "@timestamp",
    "ecs.version",
    "event.dataset",
    "event.module",
    "event.ingested",
    "event.original",
    "log.file.path",
    "sekisho",
];

/// The fields that a document of a source may have.
#[derive(Debug)]
pub(super) struct Outputs {
    pub(super) list: Vec<Output>,
    index: HashMap<String, usize>,
    typed: Vec<(String, FieldType)>,
    dataset: String,
    module: String,
}

impl Outputs {
    pub(super) fn new(dataset: &str, module: &str) -> Self {
        Self {
            list: Vec::new(),
            index: HashMap::new(),
            typed: Vec::new(),
            dataset: dataset.to_owned(),
            module: module.to_owned(),
        }
    }

    /// Finds a field that something sets.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Registers an ECS field; the error names the nearest one.
    pub(super) fn ecs(&mut self, name: &str) -> Result<usize, String> {
        let field = ecs::field(name).ok_or_else(|| unknown(name))?;
        if field.kind == FieldType::Nested {
            return Err(format!(
                "`{name}` holds a list of objects; say with `members` what is in them"
            ));
        }
        Ok(self.add(name, field.kind, field.array))
    }

    /// Registers one of the engine's own fields.
    pub(super) fn own(&mut self, name: &str, kind: FieldType) -> usize {
        self.add(name, kind, false)
    }

    /// Notes a declared field of the source's namespace, which the walk writes.
    pub(super) fn note_typed(&mut self, name: String, kind: FieldType) {
        self.typed.push((name, kind));
    }

    /// Registers what a line of `[fields]`, a `set` or a lookup column fills.
    pub(super) fn target(&mut self, name: &str, kind: Option<FieldType>) -> Result<usize, String> {
        if RESERVED.iter().any(|reserved| {
            name == *reserved
                || name
                    .strip_prefix(reserved)
                    .is_some_and(|rest| rest.starts_with('.'))
        }) {
            return Err(format!("`{name}` is written by the engine"));
        }
        if let Some(field) = ecs::field(name) {
            if kind.is_some_and(|kind| kind != field.kind) {
                return Err(format!(
                    "`{name}` is a {} in ECS; leave `as` out",
                    field.kind
                ));
            }
            return self.ecs(name);
        }
        if !name.starts_with(&format!("{}.", self.module)) {
            return Err(unknown(name));
        }
        match (self.find(name), kind) {
            (Some(output), None) => Ok(output),
            (Some(output), Some(kind))
                if self
                    .list
                    .get(output)
                    .is_some_and(|known| known.kind == kind) =>
            {
                Ok(output)
            }
            (Some(_), Some(_)) => Err(format!("`{name}` has another type on an earlier line")),
            (None, Some(kind)) => Ok(self.add(name, kind, false)),
            (None, None) => Err(format!(
                "`{name}` is no ECS field: say its type with `as`, for example `{{ from = \"…\", as = \"keyword\" }}`"
            )),
        }
    }

    /// Registers an ECS field that holds a list of objects, with the members that each gets.
    pub(super) fn objects(
        &mut self,
        name: &str,
        members: &Entries<String>,
    ) -> Result<(usize, Vec<Member>), String> {
        let field = ecs::field(name)
            .filter(|field| {
                field.array && matches!(field.kind, FieldType::FlatObject | FieldType::Nested)
            })
            .ok_or_else(|| {
                format!("`{name}` is no list of objects in ECS: `members` is for those")
            })?;
        let mut list = Vec::new();
        for entry in members.iter() {
            let path = format!("{name}.{}", entry.key);
            let member = ecs::field(&path).ok_or_else(|| unknown(&path))?;
            list.push(Member {
                name: entry.key.clone(),
                from: entry.value.clone(),
                kind: member.kind,
            });
        }
        let output = self.add(name, field.kind, true);
        if let Some(output) = self.list.get_mut(output) {
            output.members = list
                .iter()
                .map(|member| (format!("{name}.{}", member.name), member.kind))
                .collect();
        }
        Ok((output, list))
    }

    /// Finds what a script reads or assigns.
    pub(super) fn assigned(&mut self, name: &str) -> Result<usize, String> {
        self.target(name, None)
    }

    /// Checks that no field lies inside another.
    pub(super) fn check(&self, file: &SpecFile) -> Result<(), ParserError> {
        let other = format!("{}.other", self.dataset);
        let outputs = self.list.iter().map(|output| output.name.as_str());
        let mut names: Vec<&str> = outputs
            .chain(self.typed.iter().map(|(name, _)| name.as_str()))
            .chain([other.as_str()])
            .collect();
        names.sort_unstable();
        for pair in names.windows(2) {
            let [first, second] = pair else { continue };
            if first == second {
                return Err(file.error(find(file, first), format!("`{first}` is filled twice: by `[types]` from the record and by another line")));
            }
        }
        for name in &names {
            let inside = names.iter().find(|inner| {
                inner
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('.'))
            });
            if let Some(inner) = inside {
                return Err(file.error(
                    find(file, inner),
                    format!("`{inner}` lies inside `{name}`, which holds a value of its own"),
                ));
            }
        }
        self.check_namespace(file)
    }

    /// Checks that no object of the namespace is written twice: by the walk over the record and by another line.
    fn check_namespace(&self, file: &SpecFile) -> Result<(), ParserError> {
        let top = |name: &str| {
            let below = name.strip_prefix(&self.dataset)?.strip_prefix('.')?;
            below.split('.').next().map(str::to_owned)
        };
        for output in &self.list {
            let Some(object) = top(&output.name) else {
                continue;
            };
            if self
                .typed
                .iter()
                .any(|(typed, _)| top(typed).as_ref() == Some(&object))
            {
                let name = &output.name;
                return Err(file.error(find(file, name), format!("`{name}` stands in `{object}`, which `[types]` fills from the record; choose a name outside it, or fill all of `{object}` in `[fields]`")));
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, kind: FieldType, array: bool) -> usize {
        if let Some(output) = self.find(name) {
            return output;
        }
        self.list.push(Output {
            name: name.to_owned(),
            kind,
            array,
            members: Vec::new(),
        });
        self.index.insert(name.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }
}

fn find(file: &SpecFile, name: &str) -> usize {
    file.text.find(&format!("\"{name}\"")).unwrap_or_default()
}

fn unknown(name: &str) -> String {
    let nearest = nearest(name, ecs::fields().iter().map(|field| field.name));
    format!(
        "`{name}` is no field of ECS {}; did you mean `{}`?",
        ecs::VERSION,
        nearest.unwrap_or_default()
    )
}
