//! Properties of whole stores, checked against a naive model through the public API alone.
//!
//! A few hundred random cities are tried each time; `PROPTEST_CASES=10000` tries more.

#[cfg(test)]
mod again;
#[cfg(test)]
mod analysis;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod conservation;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod hand_overs;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod model;
#[cfg(test)]
mod robustness;
#[cfg(test)]
mod spread;
#[cfg(test)]
mod store;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod watch;
