//! One error type for the whole crate. Every message says what is wrong and how to go on.

use std::fmt;
use std::io;

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed, and what to do about it.
///
/// Input errors ([`Invalid`](Error::Invalid), [`Unknown`](Error::Unknown), [`Ambiguous`](Error::Ambiguous), …)
/// leave the store as it was: fix the input and call again. [`Io`](Error::Io) says which file could not be
/// used. [`Corrupt`](Error::Corrupt) says which bytes are damaged: restore that file from a backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the store does not hold what was written to it.
    #[error("{0}; restore the file from a backup")]
    Corrupt(#[from] Corruption),

    /// A file was written by a version of zonal that this one does not know.
    #[error(
        "{file} has format version {found}, this build reads {known}; open it with the zonal that wrote it"
    )]
    UnsupportedVersion {
        /// The file, relative to the store's folder.
        file: String,
        /// The version in the file.
        found: u32,
        /// The version this build reads.
        known: u32,
    },

    /// The operating system refused an operation.
    #[error("cannot {action} {file}: {source}")]
    Io {
        /// What was tried, as a verb: `open`, `sync`.
        action: &'static str,
        /// The file, or the folder.
        file: String,
        /// The system's own error.
        source: io::Error,
    },

    /// Another process, or another handle of this one, writes to the store.
    #[error("{folder} is open for writing elsewhere; close that handle first")]
    Locked {
        /// The store's folder.
        folder: String,
    },

    /// The store was opened for reading.
    #[error("{folder} is open for reading only; open it for writing to change it")]
    ReadOnly {
        /// The store's folder.
        folder: String,
    },

    /// There is no store in the folder.
    #[error("{folder} holds no zonal store; create one first")]
    NotAStore {
        /// The folder that was named.
        folder: String,
    },

    /// There is a store in the folder already.
    #[error("{folder} holds a zonal store already; open it, or name an empty folder")]
    AlreadyAStore {
        /// The folder that was named.
        folder: String,
    },

    /// A write or a sync has failed, so nobody knows what the disk holds: the store takes no more commits.
    #[error("an earlier write to {folder} failed; reopen the store to go on, reading still works")]
    Latched {
        /// The store's folder.
        folder: String,
    },

    /// Flushing or compacting in the background has failed. The call that says so has done nothing itself.
    #[error("upkeep in the background failed: {source}; mend that, then call again")]
    Upkeep {
        /// What failed.
        source: Box<Error>,
    },

    /// A schema, a mapping, a query or a value in them does not make sense.
    #[error("{what}: {reason}")]
    Invalid {
        /// What was looked at: `schema`, `query`, `mapping file`, …
        what: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },

    /// A schema that changes the store's or lacks some of it.
    #[error(
        "the store's schema differs: {}; a schema can add to the store's when the store is opened with it, and neither change \
         nor remove", .differences.join("; ")
    )]
    SchemaDiffers {
        /// All differences: which field, what the store has, what was asked for.
        differences: Vec<String>,
    },

    /// A name that the store does not know.
    #[error("there is no {kind} {name:?}{}", suggestion(.nearest))]
    Unknown {
        /// What was looked for: `unit`, `counter`, `value of channel`, …
        kind: String,
        /// The name, or the path joined by `/`.
        name: String,
        /// Known names close to it, best first.
        nearest: Vec<String>,
    },

    /// A name that more than one thing answers to.
    #[error("{kind} {name:?} could be any of {}; name one by its code or its full path", .candidates.join(", "))]
    Ambiguous {
        /// What was looked for.
        kind: String,
        /// The name, or the path joined by `/`.
        name: String,
        /// Everything it could mean.
        candidates: Vec<String>,
    },

    /// A commit behind the horizon: what was before it was let go of.
    #[error(
        "commit {commit} is forgotten; the store answers as of commit {horizon}, known {known}, and later ones"
    )]
    Forgotten {
        /// The commit that was asked for.
        commit: u64,
        /// The earliest commit that the store answers for.
        horizon: u64,
        /// When that was known: RFC 3339 in the schema's time zone.
        known: String,
    },

    /// An order that does not fit the schema.
    #[error("order {id:?}: {reason}")]
    InvalidOrder {
        /// The order's id.
        id: String,
        /// What does not fit, and what would.
        reason: String,
    },

    /// An answer would have more groups than allowed.
    #[error(
        "the answer would have {groups} groups, the limit is {limit}; ask for fewer, or raise the query's limit"
    )]
    TooManyGroups {
        /// How many there would be, at least.
        groups: u64,
        /// The query's limit.
        limit: u64,
    },
}

impl Error {
    pub(crate) fn invalid(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { what: what.into(), reason: reason.into() }
    }

    pub(crate) fn not_made(what: &str, commit: u64, last: u64) -> Self {
        Self::invalid(what, format!("there is no commit {commit} yet, the last is {last}"))
    }

    pub(crate) fn order(id: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::InvalidOrder { id: id.into(), reason: reason.into() }
    }

    pub(crate) fn io(action: &'static str, file: impl Into<String>, source: io::Error) -> Self {
        Self::Io { action, file: file.into(), source }
    }

    /// An unknown `name` of a `kind`, with the known names that are spelt most like it. Of many only the first are
    /// compared, and long ones not at all: an error should help, not take long.
    pub(crate) fn unknown<'a>(
        kind: impl Into<String>,
        name: impl Into<String>,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        const SHOWN: usize = 3;
        const CLOSE: f64 = 0.4;
        const COMPARED: usize = 10_000;
        const LONGEST: usize = 200;
        let name = name.into();
        let compared = if name.len() > LONGEST { 0 } else { COMPARED };
        let mut scored: Vec<(f64, &str)> = known
            .into_iter()
            .take(compared)
            .filter(|candidate| candidate.len() <= LONGEST)
            .map(|candidate| (strsim::normalized_damerau_levenshtein(&name, candidate), candidate))
            .filter(|(score, _)| *score >= CLOSE)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        scored.dedup_by(|a, b| a.1 == b.1);
        let nearest = scored.into_iter().take(SHOWN).map(|(_, candidate)| candidate.to_owned()).collect();
        Self::Unknown { kind: kind.into(), name, nearest }
    }

    /// Whether the caller's input is at fault, rather than the store, the disk or the machine.
    #[must_use]
    pub fn is_input(&self) -> bool {
        !matches!(
            self,
            Self::Corrupt(_)
                | Self::UnsupportedVersion { .. }
                | Self::Io { .. }
                | Self::Locked { .. }
                | Self::ReadOnly { .. }
                | Self::Latched { .. }
                | Self::Upkeep { .. }
        )
    }
}

fn suggestion(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; the nearest are {}", names.join(", ")) }
}

/// Which bytes of the store are damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct Corruption {
    /// The file, relative to the store's folder.
    pub file: String,
    /// The part of the file: `footer`, `column created`, …
    pub section: String,
    /// Where in the file, in bytes from its start.
    pub offset: u64,
    /// What does not hold there.
    pub reason: String,
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged in its {} at byte {}: {}", self.file, self.section, self.offset, self.reason)
    }
}

impl Corruption {
    /// Damage at `offset` of the bytes a decoder was given; the callers that know more say
    /// [`within`](Self::within) which section and file those bytes are.
    pub(crate) fn new(offset: usize, reason: impl Into<String>) -> Self {
        Self { file: String::new(), section: String::new(), offset: offset as u64, reason: reason.into() }
    }

    /// Places the damage: the decoder's bytes are the section that starts at `base` of `file`.
    pub(crate) fn within(mut self, file: &str, section: &str, base: u64) -> Self {
        if self.file.is_empty() {
            self.file = file.to_owned();
            self.section = section.to_owned();
            self.offset = self.offset.saturating_add(base);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_brings_the_nearest_known_ones() {
        let nearest = |name: &str, known: &[&str]| match Error::unknown("x", name, known.iter().copied()) {
            Error::Unknown { nearest, .. } => nearest,
            other => panic!("{other}"),
        };
        assert_eq!(nearest("phon", &["web", "phone", "phones", "phone"]), ["phone", "phones"]);
        assert_eq!(nearest("phon", &["b", "post"]), [""; 0]);
        let long = "x".repeat(201);
        assert_eq!(nearest(&long, &[&long]), [""; 0]);
        assert_eq!(nearest("x", &["x1", &long]), ["x1"]);
    }
}
