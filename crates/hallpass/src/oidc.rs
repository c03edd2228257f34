//! OpenID Connect Core 1.0 on top of OAuth 2, as plain functions over values: [`jwks`] reads the provider's
//! keys, [`jws`] checks a signature with them, [`id_token`] judges what was signed.

pub mod id_token;
pub mod jwks;
pub mod jws;

#[cfg(test)]
pub(crate) mod tests;
