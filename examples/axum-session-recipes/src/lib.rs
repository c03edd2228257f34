//! Recipes for the session: each module extends a configured builder.

pub mod company;
pub mod enriched;
pub mod first_name;
pub mod for_request;
pub mod handlers;
pub mod inbox;
pub mod profile;
pub mod provider_token;
pub mod remember_me;
pub mod seed_1_5;
pub mod user_id;
