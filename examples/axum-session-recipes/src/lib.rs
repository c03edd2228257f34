//! Recipes for the session: each module extends a configured builder.

pub mod company;
pub mod enriched;
pub mod for_request;
pub mod profile;
pub mod provider_token;
pub mod user_id;
