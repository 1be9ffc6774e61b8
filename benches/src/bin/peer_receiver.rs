//! Receives over HTTP from one peer that cannot send into memory.

fn main() -> anyhow::Result<()> {
    benches::peers::receive()
}
