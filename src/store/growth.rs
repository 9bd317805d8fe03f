//! A schema that grows: one commit that brings fields and no orders.

use std::sync::Arc;

use crate::error::Result;
use crate::filter::Condition;
use crate::schema::Schema;

use super::write::hold;
use super::{State, Store, flush};

impl Store {
    /// Takes over what a schema adds to the store's own. Called before anybody else has the store.
    pub(super) fn grow(&self, given: &Schema) -> Result<()> {
        let Some(schema) = self.state().schema.grown(given)? else { return Ok(()) };
        // The log's commits speak of the schema that they were made under, so they are sealed first.
        self.flush()?;
        let _exchange = hold(&self.inner.exchange);
        let _writer = hold(&self.inner.writer);
        let (state, storage) = (self.state(), self.inner.storage.as_ref());
        let forest = state.forest.grown(&schema)?;
        let counters = Condition::bind_counters(&schema, &forest)?;
        let recounted = state.lives.iter().map(|live| live.recounted(&counters));
        let (mut stamps, now) = (state.stamps.clone(), storage.now());
        stamps.push(stamps.last().map_or(now, |last| last.max(now)), &state.forest, &forest);
        let lives = recounted.collect::<Result<_>>()?;
        let mut manifest = (*state.manifest).clone();
        manifest.schemas.push(schema.clone());
        let commit = state.commit + 1;
        flush::write_stamps(storage, &stamps, &mut manifest)?;
        storage.sync_folder()?;
        manifest.commit = commit;
        let (manifest, schema) = (Arc::new(manifest), Arc::new(schema));
        self.publish(State { manifest, commit, stamps, schema, forest, lives, ..(*state).clone() })?;
        Ok(())
    }
}
