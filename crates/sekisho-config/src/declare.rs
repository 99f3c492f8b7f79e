//! The `settings!` macro: one declaration gives the structs, the defaults, the reader and the reference file.

/// One setting as the reference file shows it.
pub(crate) struct Entry {
    pub(crate) group: &'static str,
    pub(crate) group_docs: &'static [&'static str],
    pub(crate) name: &'static str,
    pub(crate) docs: &'static [&'static str],
    pub(crate) value: String,
}

/// Declares [`Settings`](crate::Settings) as groups of settings, each with its documentation and its default.
macro_rules! settings {
    ($(
        $(#[doc = $group_doc:literal])+
        $group:ident: $group_type:ident {
            $(
                $(#[doc = $doc:literal])+
                $name:ident: $type:ty = $default:expr;
            )+
        }
    )+) => {
        /// Every setting of the installation, grouped as in `sekisho.toml`.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct Settings {
            $($(#[doc = $group_doc])+ pub $group: $group_type,)+
        }

        $(
            $(#[doc = $group_doc])+
            #[derive(Debug, Clone, PartialEq)]
            pub struct $group_type {
                $($(#[doc = $doc])+ pub $name: $type,)+
            }

            impl Default for $group_type {
                fn default() -> Self {
                    Self { $($name: $default,)+ }
                }
            }
        )+

        impl Settings {
            /// Sets one setting.
            ///
            /// # Errors
            /// The reason, when the value does not fit; `Ok(false)` when there is no such setting.
            pub(crate) fn set(&mut self, group: &str, name: &str, input: $crate::value::Input<'_>) -> Result<bool, String> {
                $($(
                    if group == stringify!($group) && name == stringify!($name) {
                        self.$group.$name = $crate::value::Value::read(input)?;
                        return Ok(true);
                    }
                )+)+
                Ok(false)
            }

            /// Every setting with its present value, in the order of their declaration.
            pub(crate) fn entries(&self) -> Vec<$crate::declare::Entry> {
                let mut entries = Vec::new();
                $(
                    let group_docs: &'static [&'static str] = &[$($group_doc),+];
                    entries.extend([$(
                        $crate::declare::Entry {
                            group: stringify!($group),
                            group_docs,
                            name: stringify!($name),
                            docs: &[$($doc),+],
                            value: $crate::value::Value::to_toml(&self.$group.$name),
                        },
                    )+]);
                )+
                entries
            }
        }
    };
}
