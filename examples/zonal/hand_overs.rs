//! hand-overs: who handed orders on to whom.

use clap::Args;
use zonal::HandOver;

use super::args::Store;
use super::output::{NONE, Output, table};
use super::{Result, files};

#[derive(Args)]
pub(crate) struct HandOvers {
    #[command(flatten)]
    store: Store,
    /// The tree or category of the units that handle orders
    #[arg(long, value_name = "FIELD")]
    field: String,
    /// After this commit: its number, or the last one known by a time; all if not said
    #[arg(long, value_name = "T|N")]
    from: Option<String>,
    /// Up to this commit; the last one if not said
    #[arg(long, value_name = "T|N")]
    to: Option<String>,
}

pub(crate) fn hand_overs(args: &HandOvers) -> Result<()> {
    let store = files::reader(&args.store)?;
    let commit = |text: &Option<String>, otherwise: u64| {
        text.as_deref().map_or(Ok(otherwise), |text| files::commit(&store, text))
    };
    let (from, to) = (commit(&args.from, store.horizon())?, commit(&args.to, store.snapshot().commit())?);
    let all = store.hand_overs(&args.field, from, to)?;
    let mut output = Output::new();
    if args.store.json {
        all.iter().try_for_each(|one| output.json(one))?;
        return output.end();
    }
    let mut flows = table(["from", "to", "hand-overs", "returns"], 2);
    let name = |names: &[String]| if names.is_empty() { NONE.to_owned() } else { names.join("/") };
    for (from, to, orders, returned) in HandOver::flows(&all) {
        flows.add_row([name(from), name(to), orders.to_string(), returned.to_string()]);
    }
    output.table(&flows)?;
    output.end()
}
