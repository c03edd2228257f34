//! Row 1.5: `user` is there during sign-in only, and the type says so.
//!
//! A callback that says what it does in both cases compiles:
//!
//! ```
//! use hallpass::{Auth, Jwt};
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Claims { id: String, role: String }
//! Auth::builder().jwt(async |event: Jwt<Claims>, _| {
//!     Ok(match event {
//!         Jwt::SignIn(it) => Some(Claims { role: it.user.parse()?, id: it.user.id }),
//!         Jwt::Read(it) => Some(it.claims),
//!     })
//! });
//! ```
//!
//! One that forgets the sign-in does not:
//!
//! ```compile_fail,E0004
//! use hallpass::{Auth, Jwt};
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Claims { id: String, role: String }
//! Auth::builder().jwt(async |event: Jwt<Claims>, _| {
//!     Ok(match event {
//!         Jwt::Read(it) => Some(it.claims),
//!     })
//! });
//! ```
//!
//! Nor does one that looks for what only the store has, the user's row, when a session is read:
//!
//! ```compile_fail,E0599
//! use hallpass::{Auth, Jwt};
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Claims { id: String, role: String }
//! Auth::builder().jwt(async |event: Jwt<Claims>, _| {
//!     Ok(match event {
//!         Jwt::SignIn(it) => Some(Claims { role: it.user.parse()?, id: it.user.id }),
//!         Jwt::Read(it) => Some(Claims { role: it.user.parse()?, id: it.user.id }),
//!     })
//! });
//! ```
//!
//! And `account` is no field of a read:
//!
//! ```compile_fail,E0609
//! use hallpass::{Auth, Jwt};
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Claims { id: String, role: String }
//! Auth::builder().jwt(async |event: Jwt<Claims>, _| {
//!     Ok(match event {
//!         Jwt::SignIn(it) => Some(Claims { role: it.account.provider, id: it.user.id }),
//!         Jwt::Read(it) => Some(Claims { role: it.account.provider, ..it.claims }),
//!     })
//! });
//! ```
