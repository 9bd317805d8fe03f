//! What is resident of this process: its own memory, and what it has mapped.

use serde_json::{Value, json};

/// Anonymous and mapped resident bytes, where the system tells.
pub(crate) fn told() -> Value {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1_024)
    };
    json!({ "anonymous": bytes("RssAnon:"), "mapped": bytes("RssFile:"), "peak": bytes("VmHWM:") })
}
