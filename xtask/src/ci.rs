//! Runs everything that must pass before a change lands.

use crate::deny::Deny;
use crate::e2e::E2e;
use crate::instructions::Guard;
use crate::test::PropertyCases;
use crate::tidy::Tidy;
use crate::{bench, features, loom, msrv, package, spelling, test};
use std::time::Instant;

pub(crate) fn run() -> anyhow::Result<()> {
    let start = Instant::now();
    Tidy::default().run()?;
    spelling::check()?;
    Deny::default().run()?;
    let counts = test::run(PropertyCases::All)?;
    loom::run()?;
    bench::check_peers()?;
    features::check()?;
    package::package()?;
    msrv::check()?;
    E2e::default().run()?;
    Guard::default().run()?;
    println!("\nci passed in {} s", start.elapsed().as_secs());
    println!("{counts}");
    Ok(())
}
