//! The store's own threads, started when they are first needed.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

#[derive(Debug, Default)]
pub(super) struct Threads(OnceLock<ThreadPool>);

impl Threads {
    pub(super) fn get(&self) -> Result<&ThreadPool> {
        if let Some(pool) = self.0.get() {
            return Ok(pool);
        }
        let pool = ThreadPoolBuilder::new()
            // As many as there are processors; tests share their work on any machine.
            .num_threads(if cfg!(test) { 2 } else { 0 })
            .thread_name(|number| format!("zonal-{number}"))
            .build()
            .map_err(|error| Error::io("start", "threads", std::io::Error::other(error)))?;
        Ok(self.0.get_or_init(|| pool))
    }
}
