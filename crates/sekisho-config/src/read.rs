//! Reads the file and the environment into [`Settings`].

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::error::ConfigError;
use crate::settings::Settings;
use crate::value::Input;

/// What every environment variable of ours starts with.
const ENVIRONMENT_PREFIX: &str = "SEKISHO_";
/// Names the settings file.
const CONFIG_VARIABLE: &str = "SEKISHO_CONFIG";
/// What belongs to the test harness.
const TEST_PREFIX: &str = "SEKISHO_TEST_";

impl Settings {
    /// Reads the settings file, if there is one, and the environment of this process over it.
    ///
    /// `file` is the file that the user named; without it `SEKISHO_CONFIG` names it; without both there is none.
    ///
    /// # Errors
    /// When the named file cannot be read, or a setting is unknown or invalid.
    pub fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        });
        Self::read_from(file, variables)
    }

    /// Like [`Settings::read`], with the environment as an argument.
    ///
    /// # Errors
    /// See [`Settings::read`].
    pub fn read_from(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let environment: Vec<(String, String)> = environment
            .into_iter()
            .filter(|(name, _)| {
                name.starts_with(ENVIRONMENT_PREFIX) && !name.starts_with(TEST_PREFIX)
            })
            .collect();
        let named = environment.iter().find(|(name, _)| name == CONFIG_VARIABLE);
        let file = file
            .map(PathBuf::from)
            .or_else(|| named.map(|(_, value)| PathBuf::from(value)));
        let mut settings = Self::default();
        if let Some(path) = file {
            let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read {
                path: path.clone(),
                source,
            })?;
            settings.apply_toml(&path.display().to_string(), &text)?;
        }
        settings.apply_environment(&environment)?;
        settings.check()?;
        Ok(settings)
    }

    /// Applies the text of a settings file; `file` is only for messages.
    pub(crate) fn apply_toml(&mut self, file: &str, text: &str) -> Result<(), ConfigError> {
        let place = |offset: usize| format!("`{file}` line {}", line_of(text, offset));
        let document = DeTable::parse(text).map_err(|error| ConfigError::Toml {
            place: place(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        for (group, value) in document.get_ref() {
            let place = place(group.span().start);
            let group = group.get_ref().as_ref();
            self.check_group(group, &place)?;
            let Some(table) = value.get_ref().as_table() else {
                return Err(ConfigError::Invalid {
                    name: group.to_owned(),
                    place,
                    reason: format!("is a group; write `[{group}]` and its settings below it"),
                });
            };
            self.apply_group(group, table, &|offset| {
                format!("`{file}` line {}", line_of(text, offset))
            })?;
        }
        Ok(())
    }

    fn apply_group(
        &mut self,
        group: &str,
        table: &DeTable<'_>,
        place: &dyn Fn(usize) -> String,
    ) -> Result<(), ConfigError> {
        for (name, value) in table {
            let place = place(name.span().start);
            let name = name.get_ref().as_ref();
            let value: &DeValue<'_> = value.get_ref();
            let path = format!("{group}.{name}");
            match self.set(group, name, Input::Toml(value)) {
                Ok(true) => {}
                Ok(false) => return Err(self.unknown(group, name, place)),
                Err(reason) => {
                    return Err(ConfigError::Invalid {
                        name: path,
                        place,
                        reason,
                    });
                }
            }
        }
        Ok(())
    }

    fn check_group(&self, group: &str, place: &str) -> Result<(), ConfigError> {
        let entries = self.entries();
        if entries.iter().any(|entry| entry.group == group) {
            return Ok(());
        }
        Err(ConfigError::Unknown {
            name: group.to_owned(),
            place: place.to_owned(),
            nearest: nearest(group, entries.iter().map(|entry| entry.group)),
        })
    }

    /// Looks for the nearest name in the group, then in the other groups: a setting is often only in the wrong group.
    fn unknown(&self, group: &str, name: &str, place: String) -> ConfigError {
        let entries = self.entries();
        let inside = entries.iter().filter(|entry| entry.group == group);
        let outside = entries.iter().find(|entry| entry.name == name);
        let nearest = match outside {
            Some(entry) => Some(format!("{}.{}", entry.group, entry.name)),
            None => nearest(name, inside.map(|entry| entry.name)),
        };
        ConfigError::Unknown {
            name: format!("{group}.{name}"),
            place,
            nearest,
        }
    }

    fn apply_environment(&mut self, environment: &[(String, String)]) -> Result<(), ConfigError> {
        let known: Vec<(String, &str, &str)> = self
            .entries()
            .iter()
            .map(|entry| (variable(entry.group, entry.name), entry.group, entry.name))
            .collect();
        for (name, value) in environment {
            if name == CONFIG_VARIABLE {
                continue;
            }
            let Some((_, group, setting)) = known.iter().find(|(known, ..)| known == name) else {
                return Err(ConfigError::Unknown {
                    name: name.clone(),
                    place: "the environment".to_owned(),
                    nearest: nearest(name, known.iter().map(|(known, ..)| known.as_str())),
                });
            };
            self.set(group, setting, Input::Text(value))
                .map_err(|reason| ConfigError::Invalid {
                    name: format!("{group}.{setting}"),
                    place: format!("environment variable `{name}`"),
                    reason,
                })?;
        }
        Ok(())
    }
}

/// The environment variable of a setting: `index.prefix` is `SEKISHO_INDEX_PREFIX`.
pub(crate) fn variable(group: &str, name: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{group}_{name}").to_uppercase()
}

/// The word most like `wrong`, unless none is near.
pub(crate) fn nearest<'a>(wrong: &str, words: impl Iterator<Item = &'a str>) -> Option<String> {
    words
        .map(|word| (strsim::jaro_winkler(wrong, word), word))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word.to_owned())
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::value::{Auth, Rotation};

    fn from_toml(text: &str) -> Result<Settings, ConfigError> {
        let mut settings = Settings::default();
        settings.apply_toml("sekisho.toml", text)?;
        settings.check()?;
        Ok(settings)
    }

    fn from_environment(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read_from(None, variables)
    }

    fn check_error(result: Result<Settings, ConfigError>, expected: &str) {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }

    #[test]
    fn nothing_given_is_the_default() {
        assert_eq!(
            from_environment(&[("PATH", "/bin"), ("SEKISHO_TEST_X", "1")]).unwrap(),
            Settings::default()
        );
    }

    #[test]
    fn the_file_sets_values_of_every_type() {
        let settings = from_toml(
            "[index]\nprefix = 'a-'\ntimezone = 'Asia/Tokyo'\nrotation = { \"aws.waf\" = 'monthly' }\n\
             [opensearch]\ngzip = false\n[limits]\nmax_depth = 0x20\n[document]\ntrusted_proxies = ['192.0.2.0/24', '2001:db8::1']\n",
        )
        .unwrap();
        assert_eq!(settings.index.prefix, "a-");
        assert_eq!(settings.index.timezone, chrono_tz::Asia::Tokyo);
        assert_eq!(
            settings.index.rotation.get("aws.waf"),
            Some(&Rotation::Monthly)
        );
        assert!(!settings.opensearch.gzip);
        assert_eq!(settings.limits.max_depth, 32);
        let proxies: Vec<String> = settings
            .document
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(proxies, ["192.0.2.0/24", "2001:db8::1/128"]);
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let mut file = tempfile();
        writeln!(file.1, "[index]\nprefix = 'file-'\n[bulk]\nin_flight = 2").unwrap();
        let environment = [
            ("SEKISHO_CONFIG", file.0.to_str().unwrap()),
            ("SEKISHO_INDEX_PREFIX", "env-"),
            ("SEKISHO_INDEX_ROTATION", "aws.waf=monthly, x.y=daily"),
            ("SEKISHO_OPENSEARCH_URL", "https://search.example.com"),
            ("SEKISHO_OPENSEARCH_AUTH", "basic"),
            ("SEKISHO_OPENSEARCH_USERNAME", "u"),
            ("SEKISHO_OPENSEARCH_PASSWORD", "hunter2"),
            ("SEKISHO_IGNORE_KEYS", "a/**, b/*"),
        ];
        let settings = from_environment(&environment).unwrap();
        std::fs::remove_file(&file.0).unwrap();
        assert_eq!(settings.index.prefix, "env-");
        assert_eq!(settings.index.rotation.len(), 2);
        assert_eq!(settings.bulk.in_flight, 2);
        assert_eq!(settings.opensearch.auth, Auth::Basic);
        assert_eq!(settings.opensearch.password.reveal(), "hunter2");
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(settings.ignore.keys, ["a/**", "b/*"]);
    }

    fn tempfile() -> (PathBuf, std::fs::File) {
        let path = std::env::temp_dir().join(format!("sekisho-config-{}.toml", std::process::id()));
        let file = std::fs::File::create(&path).unwrap();
        (path, file)
    }

    #[test]
    fn unknown_words_name_place_and_nearest_word() {
        let unknown = "unknown setting";
        check_error(
            from_toml("[index]\n\nprefx = ''\n"),
            &format!("{unknown} `index.prefx` in `sekisho.toml` line 3; did you mean `prefix`?"),
        );
        check_error(
            from_toml("\n[indx]\nprefix = ''\n"),
            &format!("{unknown} `indx` in `sekisho.toml` line 2; did you mean `index`?"),
        );
        check_error(
            from_toml("[index]\nmax_depth = 1\n"),
            &format!(
                "{unknown} `index.max_depth` in `sekisho.toml` line 2; did you mean `limits.max_depth`?"
            ),
        );
        check_error(
            from_toml("[index]\nzzz = 1\n"),
            &format!("{unknown} `index.zzz` in `sekisho.toml` line 2"),
        );
        check_error(
            from_environment(&[("SEKISHO_INDEX_PREFX", "a")]),
            &format!(
                "{unknown} `SEKISHO_INDEX_PREFX` in the environment; did you mean `SEKISHO_INDEX_PREFIX`?"
            ),
        );
    }

    #[test]
    fn wrong_values_name_the_setting_and_the_right_form() {
        let setting =
            |name: &str, line: u8| format!("setting `{name}` in `sekisho.toml` line {line}: ");
        check_error(
            from_toml("[index]\ntimezone = 'Asia/Tokio'\n"),
            &(setting("index.timezone", 2)
                + "`Asia/Tokio` is no IANA time zone; write it like `Asia/Tokyo`"),
        );
        check_error(
            from_toml("[index]\nrotation = { \"aws.waf\" = 'yearly' }\n"),
            &(setting("index.rotation", 2)
                + "`aws.waf`: `yearly` is not one of `daily`, `monthly`"),
        );
        check_error(
            from_toml("[bulk]\nin_flight = '4'\n"),
            &(setting("bulk.in_flight", 2) + "takes a whole number, not a string"),
        );
        check_error(
            from_toml("[document]\ntrusted_proxies = ['10.0.0.0/33']\n"),
            &(setting("document.trusted_proxies", 2)
                + "`10.0.0.0/33` is no network; write it like `10.0.0.0/8`"),
        );
        check_error(
            from_toml("index = 1\n"),
            &(setting("index", 1) + "is a group; write `[index]` and its settings below it"),
        );
        check_error(
            from_environment(&[("SEKISHO_OPENSEARCH_GZIP", "yes")]),
            "setting `opensearch.gzip` in environment variable `SEKISHO_OPENSEARCH_GZIP`: takes `true` or `false`",
        );
        assert!(
            from_toml("[index\n")
                .unwrap_err()
                .to_string()
                .contains("line 1 is no valid TOML")
        );
    }
}
