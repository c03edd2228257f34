//! `types/hallpass.d.ts` is what a front end imports: `HALLPASS_TYPES=write cargo test` writes it.

use hallpass::NoUpdate;
use hallpass::typescript::Stale;

use super::{Claims, View};

#[test]
fn declarations_are_fresh() -> Result<(), Stale> {
    hallpass::typescript::<Claims, View, NoUpdate>().check("types/hallpass.d.ts")
}
