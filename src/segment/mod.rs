//! Sealed segments: the codecs of their sections.

mod bloom;
mod ids;
mod lists;
mod narrow;
mod text;
