//! Upkeep: flushing and compacting on a thread that the store owns.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

use super::compact::{SEGMENTS, Threshold};
use super::live::Stage;
use super::write::hold;
use super::{State, Store};

/// When a store flushes and compacts by itself, once [`Store::keep_up`] has been told.
///
/// ```
/// use zonal::{Schema, Store, Upkeep};
///
/// let store = Store::in_memory(Schema::builder("Asia/Shanghai").place(["district"]).build()?)?;
/// store.keep_up(Upkeep::default().flush_after_orders(10_000).forget_after(2 * 365 * 86_400))?;
/// # Ok::<(), zonal::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Upkeep {
    orders: u64,
    bytes: u64,
    segments: usize,
    ended_percent: u8,
    forget_after: Option<u64>,
}

impl Default for Upkeep {
    /// Flushes after 100,000 versions or 256 MiB in memory, merges more than 8 segments of a partition, rewrites a
    /// segment when a quarter of it has ended, and forgets nothing.
    fn default() -> Self {
        Self { orders: 100_000, bytes: 256 << 20, segments: SEGMENTS, ended_percent: 25, forget_after: None }
    }
}

impl Upkeep {
    /// Flushes when so many versions of orders are in memory and in no segment.
    #[must_use]
    pub fn flush_after_orders(self, orders: u64) -> Self {
        Self { orders: orders.max(1), ..self }
    }

    /// Flushes when they take so many bytes of memory.
    #[must_use]
    pub fn flush_after_bytes(self, bytes: u64) -> Self {
        Self { bytes: bytes.max(1), ..self }
    }

    /// Merges segments of a partition when it has more than so many short ones: 8, or less.
    #[must_use]
    pub fn segments(self, segments: usize) -> Self {
        Self { segments: segments.clamp(1, SEGMENTS), ..self }
    }

    /// Rewrites a segment, its ended versions moved to history, when so many of a hundred have ended.
    #[must_use]
    pub fn ended_percent(self, percent: u8) -> Self {
        Self { ended_percent: percent.min(100), ..self }
    }

    /// With every flush, [forgets](Store::forget_before) what was before so many seconds ago.
    #[must_use]
    pub fn forget_after(self, seconds: u64) -> Self {
        Self { forget_after: Some(seconds), ..self }
    }

    /// Whether enough is in memory.
    fn is_full(&self, state: &State) -> bool {
        let batches = || state.lives.iter().filter(|live| live.stage != Stage::Sealed);
        let orders = batches().map(|live| u64::from(live.segment.rows())).sum::<u64>();
        orders >= self.orders || batches().map(|live| live.segment.bytes() as u64).sum::<u64>() >= self.bytes
    }
}

/// Wakes the thread.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rope: Mutex<Rope>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Rope {
    rung: bool,
    busy: bool,
    stop: bool,
}

impl Bell {
    /// Something has changed.
    pub(super) fn ring(&self) {
        hold(&self.rope).rung = true;
        self.moved.notify_all();
    }

    fn stop(&self) {
        hold(&self.rope).stop = true;
        self.moved.notify_all();
    }

    fn stops(&self) -> bool {
        hold(&self.rope).stop
    }

    /// Waits for a change; false where it is to stop.
    fn wait(&self) -> bool {
        let mut rope = hold(&self.rope);
        rope.busy = false;
        self.moved.notify_all();
        let mut rope = self.until(rope, |rope| rope.rung || rope.stop);
        (rope.rung, rope.busy) = (false, true);
        !rope.stop
    }

    /// Waits until everything rung for is done.
    #[cfg(test)]
    fn settle(&self) {
        drop(self.until(hold(&self.rope), |rope| !rope.rung && !rope.busy));
    }

    fn until<'a>(&self, rope: MutexGuard<'a, Rope>, is: impl Fn(&Rope) -> bool) -> MutexGuard<'a, Rope> {
        self.moved.wait_while(rope, |rope| !is(rope)).unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread of a store, which every handle but the thread's own shares: with the last of them it ends.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    thread: Mutex<Option<(Arc<Bell>, JoinHandle<()>)>>,
}

impl Keeper {
    pub(super) fn ring(&self) {
        if let Some((bell, _)) = &*hold(&self.thread) {
            bell.ring();
        }
    }

    fn stop(&self) {
        // Not held while it is waited for: commits ring under the writer that the thread may want.
        let taken = hold(&self.thread).take();
        if let Some((bell, thread)) = taken {
            bell.stop();
            // It returns nothing; what failed stands in the store.
            let _ = thread.join();
        }
    }

    #[cfg(test)]
    pub(super) fn settle(&self) {
        let bell = hold(&self.thread).as_ref().map(|(bell, _)| Arc::clone(bell));
        bell.into_iter().for_each(|bell| bell.settle());
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Store {
    /// Flushes and compacts from now on by itself, on a thread of its own that ends with the last handle (dropping
    /// that one waits for the partition that is being compacted). Another call replaces the policy.
    ///
    /// Where that fails, the next call that writes says so with [`Error::Upkeep`], and has done nothing itself.
    ///
    /// # Errors
    /// [`Error::Latched`] after a failed write; [`Error::Io`] where the system gives no thread.
    pub fn keep_up(&self, upkeep: Upkeep) -> Result<()> {
        self.require_kept()?;
        self.keeper.stop();
        let bell = Arc::new(Bell::default());
        bell.ring();
        let store = Self { inner: Arc::clone(&self.inner), keeper: Arc::default() };
        let own = Arc::clone(&bell);
        let run = move || {
            while own.wait() {
                if let Err(error) = store.keep(&upkeep, || !own.stops()) {
                    *hold(&store.inner.upkeep_failed) = Some(error);
                }
            }
        };
        let thread = std::thread::Builder::new().name("zonal-upkeep".to_owned()).spawn(run);
        let thread = thread.map_err(|error| Error::io("start", "a thread", error))?;
        *hold(&self.keeper.thread) = Some((bell, thread));
        Ok(())
    }

    /// Does once what a policy asks for, as long as it may go on.
    pub(super) fn keep(&self, upkeep: &Upkeep, go_on: impl Fn() -> bool) -> Result<()> {
        if self.require_writable().is_err() {
            return Ok(()); // Every call says so itself.
        }
        if upkeep.is_full(&self.state()) {
            self.flush_now()?;
            if let Some(seconds) = upkeep.forget_after {
                let before = self.inner.storage.now().saturating_sub_unsigned(seconds);
                self.forget_now(self.commit_at(before).min(self.state().manifest.commit))?;
            }
        }
        let threshold = Threshold {
            segments: upkeep.segments,
            ended_percent: upkeep.ended_percent.into(),
            forget: false,
        };
        self.compact_where(threshold, |_| go_on())
    }

    /// Whether the store can be written to, and upkeep has not failed since somebody was told.
    pub(super) fn require_kept(&self) -> Result<()> {
        self.require_writable()?;
        match hold(&self.inner.upkeep_failed).take() {
            Some(error) => Err(Error::Upkeep { source: Box::new(error) }),
            None => Ok(()),
        }
    }
}
